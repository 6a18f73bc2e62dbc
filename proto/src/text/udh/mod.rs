//! The user data header in front of a text: concatenation, ports, languages, and what else is in it
//! (3GPP TS 23.040 §9.2.3.24).

use std::fmt;

use bytes::BufMut;

use super::gsm7::{Tables, national};

/// A header whose elements all lie within it. It is kept octet for octet, unknown elements included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udh<'a> {
    /// The elements, without the length octet; at most 255 octets.
    elements: &'a [u8],
}

/// What keeps octets from being a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdhError {
    /// A header was announced and no octet is there.
    Missing,
    /// The header is longer than the user data.
    BeyondMessage {
        /// The length the header gives itself, in octets.
        announced: u8,
        /// The octets behind the length octet.
        present: usize,
    },
    /// An element is longer than the header, or has no length.
    BeyondHeader {
        /// Its identifier.
        id: u8,
    },
}

impl fmt::Display for UdhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UdhError::Missing => write!(f, "a user data header is announced and missing"),
            UdhError::BeyondMessage { announced, present } => {
                write!(f, "user data header of {announced} octets in {present}")
            }
            UdhError::BeyondHeader { id } => write!(f, "element 0x{id:02X} runs past the user data header"),
        }
    }
}

impl std::error::Error for UdhError {}

impl<'a> Udh<'a> {
    /// Cuts user data that begins with a header (esm_class bit 6, SMPP 3.4 §5.2.12) into header and text.
    ///
    /// # Errors
    /// The header is not whole, or one of its elements is not.
    pub fn cut(user_data: &'a [u8]) -> Result<(Udh<'a>, &'a [u8]), UdhError> {
        let (&announced, rest) = user_data.split_first().ok_or(UdhError::Missing)?;
        let (elements, text) = rest
            .split_at_checked(usize::from(announced))
            .ok_or(UdhError::BeyondMessage { announced, present: rest.len() })?;
        let mut unread = elements;
        while let Some((&id, behind)) = unread.split_first() {
            let (_, rest) = one(behind).ok_or(UdhError::BeyondHeader { id })?;
            unread = rest;
        }
        Ok((Udh { elements }, text))
    }

    /// The elements in their order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut unread = self.elements;
        std::iter::from_fn(move || {
            let (&id, behind) = unread.split_first()?;
            let (data, rest) = one(behind)?;
            unread = rest;
            Some(Element { id, data })
        })
    }

    /// The octets of the elements, without the length octet.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.elements
    }

    /// The size in octets, the length octet included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.elements.len() + 1
    }

    /// Which part of which message this is. Of several elements the last valid one counts.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.elements().filter_map(|element| element.concatenation()).last()
    }

    /// The application ports. Of several elements the last one counts.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        self.elements().filter_map(|element| element.ports()).last()
    }

    /// The language number of the locking shift (3GPP TS 23.040 §9.2.3.24.16), known or not.
    #[must_use]
    pub fn locking_language(&self) -> Option<u8> {
        self.language(LOCKING_SHIFT)
    }

    /// The language number of the single shift (3GPP TS 23.040 §9.2.3.24.15), known or not.
    #[must_use]
    pub fn single_language(&self) -> Option<u8> {
        self.language(SINGLE_SHIFT)
    }

    fn language(&self, id: u8) -> Option<u8> {
        let of = |element: Element<'a>| match element.data {
            &[language] if element.id == id => Some(language),
            _ => None,
        };
        self.elements().filter_map(of).last()
    }

    /// The tables the text behind this header is written with, if it is 7-bit.
    #[must_use]
    pub fn tables(&self) -> Tables {
        national::tables(self.locking_language(), self.single_language())
    }
}

/// One element's data and what stands behind it; `octets` begins with its length.
fn one(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// One information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier (3GPP TS 23.040 §9.2.3.24).
    pub id: u8,
    /// The data, at most 253 octets in a header that is whole.
    pub data: &'a [u8],
}

impl<'a> Element<'a> {
    /// The concatenation this element states, unless its values are to be ignored.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        match (self.id, self.data) {
            (CONCATENATION_8, &[reference, total, part]) => {
                Concatenation::new(Width::Eight, u16::from(reference), total, part)
            }
            (CONCATENATION_16, &[high, low, total, part]) => {
                Concatenation::new(Width::Sixteen, u16::from_be_bytes([high, low]), total, part)
            }
            _ => None,
        }
    }

    /// Whether it is a concatenation by its identifier, valid or not.
    #[must_use]
    pub fn is_concatenation(&self) -> bool {
        matches!(self.id, CONCATENATION_8 | CONCATENATION_16)
    }

    /// The ports this element states.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        match (self.id, self.data) {
            (PORTS_8, &[destination, source]) => Some(Ports {
                destination: u16::from(destination),
                source: u16::from(source),
                width: Width::Eight,
            }),
            (PORTS_16, &[high, low, source_high, source_low]) => Some(Ports {
                destination: u16::from_be_bytes([high, low]),
                source: u16::from_be_bytes([source_high, source_low]),
                width: Width::Sixteen,
            }),
            _ => None,
        }
    }
}

/// Whether a reference or a port is written with 8 or 16 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// Elements 0x00 and 0x04.
    #[default]
    Eight,
    /// Elements 0x08 and 0x05, and the sar_* TLVs.
    Sixteen,
}

/// Which part of which message: 1 ≤ `part` ≤ `total` (3GPP TS 23.040 §9.2.3.24.1, SMPP 3.4 §5.3.2.22 to .24).
///
/// Parts belong together when everything but `part` is equal, and source and destination are too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// The number that all parts of the message share; below 256 when `width` is [`Width::Eight`].
    pub reference: u16,
    /// How the reference is written.
    pub width: Width,
    /// How many parts the message has.
    pub total: u8,
    /// Which of them this is, from 1.
    pub part: u8,
}

impl Concatenation {
    /// `None` for part 0, part beyond the total or total 0: such a message is read as unsplit.
    #[must_use]
    pub fn new(width: Width, reference: u16, total: u8, part: u8) -> Option<Concatenation> {
        let fits = width == Width::Sixteen || reference <= 0xFF;
        (fits && 1 <= part && part <= total).then_some(Concatenation { reference, width, total, part })
    }

    /// Reads sar_msg_ref_num, sar_total_segments and sar_segment_seqnum. They belong together; an incomplete or
    /// impossible group is ignored.
    #[must_use]
    pub fn from_sar(reference: Option<u16>, total: Option<u8>, part: Option<u8>) -> Option<Concatenation> {
        Concatenation::new(Width::Sixteen, reference?, total?, part?)
    }

    /// Writes the element, identifier and length included: 5 octets or 6.
    pub fn write(&self, out: &mut impl BufMut) {
        let [high, low] = self.reference.to_be_bytes();
        match self.width {
            Width::Eight => out.put_slice(&[CONCATENATION_8, 3, low, self.total, self.part]),
            Width::Sixteen => out.put_slice(&[CONCATENATION_16, 4, high, low, self.total, self.part]),
        }
    }
}

impl Width {
    /// The size of a concatenation element with such a reference, in octets.
    #[must_use]
    pub const fn concatenation_size(self) -> usize {
        match self {
            Width::Eight => 5,
            Width::Sixteen => 6,
        }
    }
}

/// Application ports (3GPP TS 23.040 §9.2.3.24.3 and .4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The port the message is for.
    pub destination: u16,
    /// The port it comes from.
    pub source: u16,
    /// How both are written.
    pub width: Width,
}

impl Ports {
    /// Writes the element, identifier and length included: 4 octets or 6. Ports above 255 are written with 16 bits.
    pub fn write(&self, out: &mut impl BufMut) {
        let [destination_high, destination_low] = self.destination.to_be_bytes();
        let [source_high, source_low] = self.source.to_be_bytes();
        if self.width == Width::Eight && destination_high == 0 && source_high == 0 {
            out.put_slice(&[PORTS_8, 2, destination_low, source_low]);
        } else {
            out.put_slice(&[PORTS_16, 4, destination_high, destination_low, source_high, source_low]);
        }
    }
}

/// Builds a header element by element. It never grows past the 140 octets of a message.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    octets: Vec<u8>,
}

/// An element for which the header has no room left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl Builder {
    /// Adds a concatenation.
    ///
    /// # Errors
    /// The header would fill the message.
    pub fn concatenation(self, concatenation: &Concatenation) -> Result<Builder, NoRoom> {
        self.with(|out| concatenation.write(out))
    }

    /// Adds ports.
    ///
    /// # Errors
    /// The header would fill the message.
    pub fn ports(self, ports: &Ports) -> Result<Builder, NoRoom> {
        self.with(|out| ports.write(out))
    }

    /// Adds the language of the locking shift table.
    ///
    /// # Errors
    /// The header would fill the message.
    pub fn locking_language(self, language: u8) -> Result<Builder, NoRoom> {
        self.element(LOCKING_SHIFT, &[language])
    }

    /// Adds the language of the single shift table.
    ///
    /// # Errors
    /// The header would fill the message.
    pub fn single_language(self, language: u8) -> Result<Builder, NoRoom> {
        self.element(SINGLE_SHIFT, &[language])
    }

    /// Adds any element.
    ///
    /// # Errors
    /// The header would fill the message.
    pub fn element(self, id: u8, data: &[u8]) -> Result<Builder, NoRoom> {
        let length = u8::try_from(data.len()).map_err(|_| NoRoom)?;
        self.with(|out| {
            out.extend_from_slice(&[id, length]);
            out.extend_from_slice(data);
        })
    }

    /// The header with its length octet, or nothing if it has no element.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        match u8::try_from(self.octets.len()) {
            Ok(length) if length > 0 => [&[length], self.octets.as_slice()].concat(),
            _ => Vec::new(),
        }
    }

    fn with(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Builder, NoRoom> {
        write(&mut self.octets);
        if self.octets.len() < MESSAGE_OCTETS { Ok(self) } else { Err(NoRoom) }
    }
}

/// What one short message carries (3GPP TS 23.040 §9.2.3.16).
pub const MESSAGE_OCTETS: usize = 140;

const CONCATENATION_8: u8 = 0x00;
const PORTS_8: u8 = 0x04;
const PORTS_16: u8 = 0x05;
const CONCATENATION_16: u8 = 0x08;
const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

#[cfg(test)]
mod tests;
