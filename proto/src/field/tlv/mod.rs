//! Optional parameters: tag, length, value, in any order behind the mandatory fields (SMPP 3.4 §3.2.4.1, §5.3).
//!
//! A list keeps what came, octet for octet. [`tag`] names the tags, [`value`] reads the values, whose codes have names in
//! [`codes`] and [`broadcast`]; where a parameter belongs is asked of its [`Tag`].

pub mod broadcast;
pub mod codes;
mod one;
mod placement;
mod show;
pub mod tag;
pub mod value;
mod vendor;

use std::slice;

use bytes::{BufMut, Bytes, BytesMut};
use nom::number::complete::be_u16;
use nom::{IResult, Parser};

use super::octets::{COctets, Fault};
use crate::error::{Detail, Problem, ProblemClass};

pub use one::Tlv;
pub use tag::Tag;
pub use value::{Callback, TlvValue};

/// Octets of a tag and a length.
pub(crate) const TLV_HEADER: usize = 4;

/// Octets that a value can have, because its length has two octets (SMPP 3.4 §5.3.1).
pub const TLV_VALUE_LIMIT: usize = 65_535;

/// The optional parameters of a PDU in the order in which they came, repeated ones included (SMPP 3.4 §5.3).
///
/// An empty list allocates nothing. Where a tag is asked for, the first of its kind is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlvs(Vec<Tlv>);

impl Tlvs {
    /// The empty list.
    pub const EMPTY: Tlvs = Tlvs(Vec::new());

    /// An empty list.
    pub const fn new() -> Tlvs {
        Tlvs::EMPTY
    }

    /// The value of the first parameter with this tag.
    pub fn get(&self, tag: Tag) -> Option<&Bytes> {
        self.find(tag).map(|tlv| &tlv.value)
    }

    /// The first parameter with this tag.
    pub fn find(&self, tag: Tag) -> Option<&Tlv> {
        self.0.iter().find(|tlv| tlv.tag == tag)
    }

    /// True if the tag is there.
    pub fn has(&self, tag: Tag) -> bool {
        self.find(tag).is_some()
    }

    /// The values of all parameters with this tag, in order.
    pub fn all(&self, tag: Tag) -> impl Iterator<Item = &Bytes> {
        self.0.iter().filter(move |tlv| tlv.tag == tag).map(|tlv| &tlv.value)
    }

    /// A number of 0–255, read by value from 1–4 octets.
    pub fn u8(&self, tag: Tag) -> Option<u8> {
        self.u32(tag).and_then(|number| u8::try_from(number).ok())
    }

    /// A number of 0–65 535, read by value from 1–4 octets.
    pub fn u16(&self, tag: Tag) -> Option<u16> {
        self.u32(tag).and_then(|number| u16::try_from(number).ok())
    }

    /// A number, read by value from 1–4 octets.
    pub fn u32(&self, tag: Tag) -> Option<u32> {
        self.find(tag).and_then(Tlv::integer)
    }

    /// A C-octet string, with or without its NUL.
    pub fn c_octets(&self, tag: Tag) -> Option<COctets> {
        self.find(tag).map(Tlv::text)
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, tlv: Tlv) {
        self.0.push(tlv);
    }

    /// Removes every parameter with this tag.
    pub fn remove(&mut self, tag: Tag) {
        self.0.retain(|tlv| tlv.tag != tag);
    }

    /// The parameters in order.
    pub fn iter(&self) -> slice::Iter<'_, Tlv> {
        self.0.iter()
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Octets that the list takes on the wire.
    pub fn wire_length(&self) -> usize {
        self.0.iter().map(|tlv| TLV_HEADER + tlv.value.len()).sum()
    }

    /// Appends the list as it stands on the wire. A value over 65 535 octets has no place there and is left out;
    /// encoding a PDU refuses it instead.
    pub fn encode(&self, out: &mut BytesMut) {
        for tlv in &self.0 {
            if let Ok(length) = u16::try_from(tlv.value.len()) {
                out.put_u16(tlv.tag.0);
                out.put_u16(length);
                out.put_slice(&tlv.value);
            }
        }
    }

    /// Reads a list that fills `octets` to its end; the offset of a problem counts from their start.
    pub fn decode(octets: &Bytes) -> Result<Tlvs, Problem> {
        let (tlvs, problem) = Tlvs::read(octets, 0);
        problem.map_or(Ok(tlvs), Err)
    }

    /// Checks the length of every known tag against the specification (SMPP 3.4 §5.3.2): the first wrong one is a
    /// problem of class TLV_LENGTH, its offset counted from the first parameter. Decoding does not ask this.
    pub fn check_lengths(&self) -> Result<(), Problem> {
        let mut offset = 0;
        for tlv in &self.0 {
            let length = tlv.value.len();
            if !tlv.tag.allows_length(length) {
                return Err(tlv_problem(ProblemClass::TlvLength, tlv.tag, offset, length));
            }
            offset += TLV_HEADER + length;
        }
        Ok(())
    }

    /// Reads the parameters of `body` from octet `start` on as far as they go, and the problem at which they stop.
    pub(crate) fn read(body: &Bytes, start: usize) -> (Tlvs, Option<Problem>) {
        let mut tlvs = Tlvs::EMPTY;
        let mut rest = body.get(start..).unwrap_or_default();
        while !rest.is_empty() {
            let offset = body.len() - rest.len();
            let Ok((after, (tag, length))) = tlv_header(rest) else {
                let detail = Detail::Trailing(rest.len());
                return (
                    tlvs,
                    Some(Problem { class: ProblemClass::TlvStream, field: "tlv", offset, detail }),
                );
            };
            let Some((value, next)) = after.split_at_checked(length) else {
                return (tlvs, Some(tlv_problem(ProblemClass::TlvStream, tag, offset, length)));
            };
            let value = if value.is_empty() { Bytes::new() } else { body.slice_ref(value) };
            tlvs.push(Tlv { tag, value });
            rest = next;
        }
        (tlvs, None)
    }
}

fn tlv_problem(class: ProblemClass, tag: Tag, offset: usize, length: usize) -> Problem {
    let field = tag.name().unwrap_or("tlv");
    Problem { class, field, offset, detail: Detail::TlvLength { tag: tag.0, length } }
}

/// `tlv-header = tag length`, two octets each.
fn tlv_header(input: &[u8]) -> IResult<&[u8], (Tag, usize), Fault> {
    (be_u16.map(Tag), be_u16.map(usize::from)).parse(input)
}

impl From<Vec<Tlv>> for Tlvs {
    fn from(list: Vec<Tlv>) -> Tlvs {
        Tlvs(list)
    }
}

impl FromIterator<Tlv> for Tlvs {
    fn from_iter<I: IntoIterator<Item = Tlv>>(list: I) -> Tlvs {
        Tlvs(list.into_iter().collect())
    }
}

impl Extend<Tlv> for Tlvs {
    fn extend<I: IntoIterator<Item = Tlv>>(&mut self, list: I) {
        self.0.extend(list);
    }
}

impl IntoIterator for Tlvs {
    type Item = Tlv;
    type IntoIter = std::vec::IntoIter<Tlv>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Tlvs {
    type Item = &'a Tlv;
    type IntoIter = slice::Iter<'a, Tlv>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(octets: &'static [u8]) -> Tlvs {
        Tlvs::decode(&Bytes::from_static(octets)).unwrap()
    }

    fn refused(octets: &'static [u8]) -> Problem {
        Tlvs::decode(&Bytes::from_static(octets)).unwrap_err()
    }

    #[test]
    fn order_unknown_tags_and_repeats_are_kept() {
        let octets = b"\x14\x01\x00\x02ab\x03\x81\x00\x01x\x14\x01\x00\x00";
        let tlvs = list(octets);
        assert_eq!(tlvs.len(), 3);
        assert_eq!(tlvs.all(Tag(0x1401)).map(Bytes::len).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(tlvs.get(Tag(0x1401)).map(|value| value.as_ref()), Some(&b"ab"[..]));
        let mut out = BytesMut::new();
        tlvs.encode(&mut out);
        assert_eq!(&out[..], octets);
        assert_eq!(tlvs.wire_length(), octets.len());
    }

    #[test]
    fn numbers_are_read_by_value() {
        let tlvs = list(b"\x02\x04\x00\x04\x00\x00\x00\x2A\x04\x27\x00\x01\x02\x02\x0B\x00\x00");
        assert_eq!(tlvs.u8(Tag::USER_MESSAGE_REFERENCE), Some(42));
        assert_eq!(tlvs.u16(Tag::USER_MESSAGE_REFERENCE), Some(42));
        assert_eq!(tlvs.u32(Tag::MESSAGE_STATE), Some(2));
        assert_eq!(tlvs.u32(Tag::DEST_PORT), None);
        assert_eq!(tlvs.u32(Tag::SOURCE_PORT), None);
    }

    #[test]
    fn strings_are_read_with_and_without_their_nul() {
        let tlvs = list(b"\x00\x1E\x00\x03ab\0\x00\x1D\x00\x02cd");
        assert_eq!(tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID), Some(COctets::from("ab")));
        assert_eq!(tlvs.c_octets(Tag::ADDITIONAL_STATUS_INFO_TEXT), Some(COctets::from("cd")));
    }

    #[test]
    fn a_broken_row_says_where_and_which() {
        let stray = refused(b"\x04\x27\x00\x01\x02\x00\x00");
        assert_eq!((stray.offset, stray.detail), (5, Detail::Trailing(2)));
        let long = refused(b"\x02\x04\x00\x10\x00");
        assert_eq!((long.field, long.class), ("user_message_reference", ProblemClass::TlvStream));
        assert_eq!(long.detail, Detail::TlvLength { tag: 0x0204, length: 16 });
    }

    #[test]
    fn lengths_are_checked_on_demand() {
        let problem = list(b"\x14\x00\x00\x00\x02\x0B\x00\x00").check_lengths().unwrap_err();
        assert_eq!((problem.class, problem.field), (ProblemClass::TlvLength, "dest_port"));
        assert_eq!(problem.offset, 4);
    }
}
