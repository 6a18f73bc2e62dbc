//! One optional parameter (SMPP 3.4 §3.2.4.1).

use bytes::{BufMut, Bytes, BytesMut};

use super::Tag;
use crate::field::octets::COctets;

/// One optional parameter, its value as it came (SMPP 3.4 §3.2.4.1, §5.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlv {
    /// Which parameter it is.
    pub tag: Tag,
    /// The value, without tag and length.
    pub value: Bytes,
}

impl Tlv {
    /// A parameter of any value; over 65 535 octets it cannot be written.
    pub fn new(tag: Tag, value: impl Into<Bytes>) -> Tlv {
        Tlv { tag, value: value.into() }
    }

    /// A parameter of one octet.
    pub fn u8(tag: Tag, value: u8) -> Tlv {
        Tlv { tag, value: Bytes::copy_from_slice(&[value]) }
    }

    /// A parameter of two octets, big-endian.
    pub fn u16(tag: Tag, value: u16) -> Tlv {
        Tlv { tag, value: Bytes::copy_from_slice(&value.to_be_bytes()) }
    }

    /// A parameter of four octets, big-endian.
    pub fn u32(tag: Tag, value: u32) -> Tlv {
        Tlv { tag, value: Bytes::copy_from_slice(&value.to_be_bytes()) }
    }

    /// A C-octet string with its NUL, as the specification writes it.
    pub fn c_octets(tag: Tag, text: &COctets) -> Tlv {
        let mut value = BytesMut::with_capacity(text.len() + 1);
        value.put_slice(text.as_bytes());
        value.put_u8(0);
        Tlv { tag, value: value.freeze() }
    }

    /// The value as an unsigned number, whatever its width of 1–4 octets: centres write other widths than specified.
    pub fn integer(&self) -> Option<u32> {
        number_of(&self.value)
    }

    /// The value as a C-octet string: up to the first NUL, or all of it when the NUL was left out.
    pub fn text(&self) -> COctets {
        COctets::from(self.value.clone())
    }
}

/// A big-endian number of 1–4 octets.
pub(super) fn number_of(octets: &[u8]) -> Option<u32> {
    if octets.is_empty() || octets.len() > 4 {
        return None;
    }
    Some(octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}
