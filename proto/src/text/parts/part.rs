//! One short message as it goes out: its header and its share of the text.

use bytes::BufMut;

use crate::text::udh::{Concatenation, Element, Udh};

/// One short message of several, or the whole of one.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What splitting added to the header; `None` for a message of one part.
    pub concatenation: Option<Concatenation>,
    /// The header the message came with.
    pub udh: Option<Udh<'a>>,
    /// The octets of the text that go with this part.
    pub text: &'a [u8],
}

impl Part<'_> {
    /// Whether user data begins with a header, so that esm_class needs bit 6.
    #[must_use]
    pub fn has_header(&self) -> bool {
        self.concatenation.is_some() || self.udh.is_some()
    }

    /// The size of the header in octets, its length octet included; 0 if there is none.
    #[must_use]
    pub fn header_size(&self) -> usize {
        match &self.concatenation {
            Some(concatenation) => kept_size(self.udh) + concatenation.width.concatenation_size() + 1,
            None => self.udh.map_or(0, |udh| udh.size()),
        }
    }

    /// The size of header and text in octets; at most 160.
    #[must_use]
    pub fn size(&self) -> usize {
        self.header_size() + self.text.len()
    }

    /// Writes the header, if there is one: the concatenation first, then the other elements octet for octet.
    pub fn write_header(&self, out: &mut impl BufMut) {
        if !self.has_header() {
            return;
        }
        out.put_u8((self.header_size() - 1) as u8);
        let Some(concatenation) = &self.concatenation else {
            out.put_slice(self.udh.map_or(&[], |udh| udh.octets()));
            return;
        };
        concatenation.write(out);
        for element in kept(self.udh) {
            out.put_slice(&[element.id, element.data.len() as u8]);
            out.put_slice(element.data);
        }
    }

    /// Writes header and text, as they stand in short_message.
    pub fn write(&self, out: &mut impl BufMut) {
        self.write_header(out);
        out.put_slice(self.text);
    }
}

/// The octets of the elements that go with each part.
pub(super) fn kept_size(udh: Option<Udh<'_>>) -> usize {
    kept(udh).map(|element| element.data.len() + 2).sum()
}

/// The elements that go with each part: all but concatenations, which could only be impossible ones.
pub(super) fn kept(udh: Option<Udh<'_>>) -> impl Iterator<Item = Element<'_>> {
    udh.into_iter().flat_map(|udh| udh.elements()).filter(|element| !element.is_concatenation())
}
