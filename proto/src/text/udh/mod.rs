//! The user data header in front of a text: concatenation, ports, languages, and what else is in it
//! (3GPP TS 23.040 §9.2.3.24).

mod build;
mod element;

use std::fmt;

pub use build::{Builder, NoRoom};
pub use element::{Concatenation, Element, Ports, Width};

use super::gsm7::{Tables, national};

/// A header whose elements all lie within it. It is kept octet for octet, unknown elements included.
/// 3GPP TS 23.040 §9.2.3.24.
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

/// What one short message carries (3GPP TS 23.040 §9.2.3.16).
pub const MESSAGE_OCTETS: usize = 140;

const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

#[cfg(test)]
mod tests;
