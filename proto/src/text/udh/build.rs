//! Builds a user data header (3GPP TS 23.040 §9.2.3.24).

use super::{Concatenation, LOCKING_SHIFT, MESSAGE_OCTETS, Ports, SINGLE_SHIFT};

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
