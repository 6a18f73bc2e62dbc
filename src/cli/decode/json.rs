//! JSON values that keep the order in which they were written, which is the order on the wire.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use smpp_proto::COctets;

/// A value of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// Octets as hex digits.
    pub(super) fn hex(octets: &[u8]) -> Self {
        Self::Text(octets.iter().map(|octet| format!("{octet:02x}")).collect())
    }

    /// A number as `0x…` of this many digits.
    pub(super) fn code(number: u32, digits: usize) -> Self {
        Self::Text(format!("0x{number:0digits$X}"))
    }

    /// Octets as text: UTF-8 if they are that, else one character an octet.
    pub(super) fn text(octets: &[u8]) -> Self {
        Self::Text(match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
        })
    }

    /// Adds an entry to an object.
    pub(super) fn put(&mut self, name: &'static str, value: impl Into<Self>) {
        if let Self::Object(entries) = self {
            entries.push((name, value.into()));
        }
    }
}

impl Json {
    /// Puts asterisks in the place of texts of this name, however deep.
    pub(super) fn mask(&mut self, secret: &str) {
        match self {
            Self::Object(entries) => {
                for (name, value) in entries {
                    match value {
                        Self::Text(text) if *name == secret && !text.is_empty() => {
                            *text = "********".to_owned();
                        }
                        value => value.mask(secret),
                    }
                }
            }
            Self::List(values) => values.iter_mut().for_each(|value| value.mask(secret)),
            _ => {}
        }
    }

    /// The value of this name in an object.
    pub(super) fn entry(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&COctets> for Json {
    fn from(octets: &COctets) -> Self {
        Self::text(octets.as_bytes())
    }
}

impl<T: Into<Self>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Json {
            fn from(number: $integer) -> Self {
                Self::Number(i64::from(number))
            }
        })*
    };
}

from_integers!(u8, u16, u32, i16);

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
