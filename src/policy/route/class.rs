//! What a message is, as far as its fields say it: what it is for, and what it is made of.

use serde::{Deserialize, Serialize};
use smpp_proto::field::Alphabet;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::{Width, count};

use crate::policy::admit::user_data;

/// One thing that a message can be. It can be several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Class {
    /// A one-time code: service_type `OTP`.
    Otp,
    /// A notice about something that its receiver did: service_type `TXN`.
    Transactional,
    /// Advertising: service_type `MKT`.
    Marketing,
    /// Its text is UCS2.
    Unicode,
    /// It is octets and no text.
    Binary,
    /// It is shown at once and not stored: message class 0 (3GPP TS 23.038 §4).
    Flash,
    /// It takes more than one segment, or is a part of a message that does.
    Long,
}

/// Things that a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u8);

impl Class {
    /// Every class with its word in a configuration.
    pub const ALL: [(&'static str, Self); 7] = [
        ("otp", Self::Otp),
        ("transactional", Self::Transactional),
        ("marketing", Self::Marketing),
        ("unicode", Self::Unicode),
        ("binary", Self::Binary),
        ("flash", Self::Flash),
        ("long", Self::Long),
    ];

    /// What a service_type says that a message is for; whether its letters are large does not matter.
    #[must_use]
    pub fn of_service(service_type: &[u8]) -> Option<Self> {
        [("OTP", Self::Otp), ("TXN", Self::Transactional), ("MKT", Self::Marketing)]
            .into_iter()
            .find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(service_type))
            .map(|(_, class)| class)
    }
}

impl Classes {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// What the fields of a message say.
    #[must_use]
    pub fn of(pdu: &SubmitSm) -> Self {
        let alphabet = match pdu.data_coding.alphabet() {
            Alphabet::Ucs2 => Some(Class::Unicode),
            Alphabet::Binary => Some(Class::Binary),
            _ => None,
        };
        let is_long = user_data(pdu).is_ok_and(|data| {
            data.part().is_some() || count(&data, Width::Eight).is_ok_and(|parts| parts.segments > 1)
        });
        [
            Class::of_service(pdu.service_type.as_bytes()),
            alphabet,
            (pdu.data_coding.class() == Some(0)).then_some(Class::Flash),
            is_long.then_some(Class::Long),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether both have one in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        Self(classes.into_iter().fold(0, |set, class| set | 1 << class as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use smpp_proto::field::{COctets, DataCoding, EsmClass};

    fn classes(service: &str, coding: u8, esm: u8, text: &[u8]) -> Classes {
        Classes::of(&SubmitSm {
            service_type: COctets::from(service),
            data_coding: DataCoding(coding),
            esm_class: EsmClass(esm),
            short_message: Bytes::copy_from_slice(text),
            ..SubmitSm::default()
        })
    }

    #[test]
    fn fields_say_what_a_message_is() {
        let of = |classes: &[Class]| classes.iter().copied().collect::<Classes>();
        assert_eq!(classes("", 0, 0, b"hello"), Classes::NONE);
        assert_eq!(classes("CMT", 0, 0, b"hello"), Classes::NONE);
        assert_eq!(classes("otp", 0, 0, b"1234"), of(&[Class::Otp]));
        assert_eq!(classes("MKT", 8, 0, b"\0a"), of(&[Class::Marketing, Class::Unicode]));
        assert_eq!(classes("TXN", 0x10, 0, b"hi"), of(&[Class::Transactional, Class::Flash]));
        assert_eq!(classes("", 4, 0, b"\x01"), of(&[Class::Binary]));
        assert_eq!(classes("", 0, 0, &[b'x'; 161]), of(&[Class::Long]));
        assert_eq!(classes("", 0, 0x40, b"\x05\0\x03\x07\x02\x01hi"), of(&[Class::Long]));
        assert_eq!(classes("", 0, 0x40, b"\xFFbroken"), Classes::NONE);
    }
}
