//! C-octet strings: octets without a NUL, ended by one on the wire (SMPP 3.4 §3.1).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use nom::IResult;
use nom::bytes::complete::take_till;

use crate::error::ProblemClass;

/// The octets of a C-octet string, without its NUL. ASCII on paper; anything but NUL in the field, and kept as it came.
/// SMPP 3.4 §3.1.
///
/// Up to 23 octets, which are nearly all addresses and ids, are kept in place and hold no buffer; a clone of a longer
/// string shares its octets.
#[derive(Clone)]
pub struct COctets(Kept);

#[derive(Clone)]
enum Kept {
    Here { length: u8, octets: [u8; HERE] },
    Shared(Bytes),
}

/// Octets of a string that is kept in place: what fits beside the length into the size of [`Bytes`].
const HERE: usize = 23;

impl COctets {
    /// The empty string.
    pub const EMPTY: COctets = COctets(Kept::Here { length: 0, octets: [0; HERE] });

    /// A string that is known at compile time. Ends at its first NUL, if it has one.
    pub const fn from_static(text: &'static str) -> COctets {
        let octets = text.as_bytes();
        let mut end = 0;
        while end < octets.len() && octets[end] != 0 {
            end += 1;
        }
        COctets(Kept::Shared(Bytes::from_static(octets.split_at(end).0)))
    }

    /// The octets if none of them is NUL.
    pub fn checked(octets: Bytes) -> Option<COctets> {
        if octets.contains(&0) { None } else { Some(COctets::without_nul(octets)) }
    }

    /// Octets of which the caller has seen that none is NUL.
    pub(crate) fn without_nul(octets: Bytes) -> COctets {
        COctets::here(&octets).unwrap_or(COctets(Kept::Shared(octets)))
    }

    /// The same for octets that may be too many to be kept in place.
    #[inline]
    pub(crate) fn here(text: &[u8]) -> Option<COctets> {
        let mut octets = [0; HERE];
        octets.get_mut(..text.len())?.copy_from_slice(text);
        Some(COctets(Kept::Here { length: text.len() as u8, octets }))
    }

    /// The octets, without the NUL.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Here { length, octets } => octets.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Shared(octets) => octets,
        }
    }

    /// The octets on their own, without the NUL: shared, or copied if they are few.
    pub fn bytes(&self) -> Bytes {
        match &self.0 {
            Kept::Here { .. } => Bytes::copy_from_slice(self.as_bytes()),
            Kept::Shared(octets) => octets.clone(),
        }
    }

    /// The octets on their own, without the NUL: shared, or copied if they are few.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Kept::Here { .. } => self.bytes(),
            Kept::Shared(octets) => octets,
        }
    }

    /// The string, if it is UTF-8 (ASCII is).
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The string as it is displayed: printable ASCII as it is, everything else as `\xNN`.
    pub fn to_text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(self.as_bytes()) {
            Ok(text) if self.as_bytes().iter().all(|octet| is_plain(*octet)) => Cow::Borrowed(text),
            _ => Cow::Owned(self.to_string()),
        }
    }

    /// Number of octets, without the NUL.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// True if there is no octet before the NUL.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

fn is_plain(octet: u8) -> bool {
    matches!(octet, b' '..=b'~') && octet != b'\\'
}

/// Takes the octets up to the first NUL, as C does.
impl From<Bytes> for COctets {
    fn from(mut octets: Bytes) -> COctets {
        if let Some(end) = octets.iter().position(|octet| *octet == 0) {
            octets.truncate(end);
        }
        COctets::without_nul(octets)
    }
}

/// Copies the octets up to the first NUL, as C does.
impl From<&[u8]> for COctets {
    fn from(octets: &[u8]) -> COctets {
        let text = octets.split(|octet| *octet == 0).next().unwrap_or_default();
        COctets::here(text).unwrap_or_else(|| COctets(Kept::Shared(Bytes::copy_from_slice(text))))
    }
}

/// Copies the octets up to the first NUL, as C does.
impl From<&str> for COctets {
    fn from(text: &str) -> COctets {
        COctets::from(text.as_bytes())
    }
}

/// Takes the octets up to the first NUL, as C does.
impl From<String> for COctets {
    fn from(text: String) -> COctets {
        COctets::from(Bytes::from(text))
    }
}

impl AsRef<[u8]> for COctets {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Default for COctets {
    fn default() -> COctets {
        COctets::EMPTY
    }
}

impl PartialEq for COctets {
    fn eq(&self, other: &COctets) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for COctets {}

impl PartialOrd for COctets {
    fn partial_cmp(&self, other: &COctets) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for COctets {
    fn cmp(&self, other: &COctets) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for COctets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialEq<str> for COctets {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for COctets {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

/// Printable ASCII as it is, the backslash and everything else as `\xNN`.
impl fmt::Display for COctets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Plain(self.as_bytes()).fmt(f)
    }
}

/// Octets as they are displayed.
pub(crate) struct Plain<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0 {
            if is_plain(*octet) {
                fmt::Write::write_char(f, char::from(*octet))?;
            } else {
                write!(f, "\\x{octet:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for COctets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Why a parser stopped: the parser library's error, reduced to the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) ProblemClass);

impl nom::error::ParseError<&[u8]> for Fault {
    fn from_error_kind(_: &[u8], _: nom::error::ErrorKind) -> Fault {
        Fault(ProblemClass::BodyTruncated)
    }

    fn append(_: &[u8], _: nom::error::ErrorKind, first: Fault) -> Fault {
        first
    }
}

/// `c-octet-string = 0*(limit - 1)(%x01-FF) %x00`; gives the octets before the NUL.
pub(crate) fn c_octet_string(input: &[u8], limit: usize) -> IResult<&[u8], &[u8], Fault> {
    let window = input.get(..limit).unwrap_or(input);
    let (end, text) = take_till(|octet| octet == 0)(window)?;
    if end.is_empty() {
        let class = if window.is_empty() {
            ProblemClass::BodyTruncated
        } else if window.len() < limit {
            ProblemClass::FieldUnterminated
        } else {
            ProblemClass::FieldTooLong
        };
        return Err(nom::Err::Error(Fault(class)));
    }
    Ok((input.get(text.len() + 1..).unwrap_or_default(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(input: &[u8], limit: usize) -> ProblemClass {
        match c_octet_string(input, limit) {
            Err(nom::Err::Error(fault)) => fault.0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_string_ends_at_its_nul() {
        assert_eq!(c_octet_string(b"WAP\0rest", 6), Ok((&b"rest"[..], &b"WAP"[..])));
        assert_eq!(c_octet_string(b"\0", 6), Ok((&b""[..], &b""[..])));
        assert_eq!(c_octet_string(b"12345\0x", 6), Ok((&b"x"[..], &b"12345"[..])));
    }

    #[test]
    fn the_class_tells_how_the_nul_is_missing() {
        assert_eq!(class_of(b"", 6), ProblemClass::BodyTruncated);
        assert_eq!(class_of(b"12345", 6), ProblemClass::FieldUnterminated);
        assert_eq!(class_of(b"123456", 6), ProblemClass::FieldTooLong);
        assert_eq!(class_of(b"1234567\0", 6), ProblemClass::FieldTooLong);
    }

    #[test]
    fn the_display_shows_every_octet() {
        let text = COctets::from(&b"a\\\x01\xFF~"[..]);
        assert_eq!(text.to_string(), "a\\x5C\\x01\\xFF~");
        assert_eq!(format!("{:?}", COctets::from("id 1")), "\"id 1\"");
        assert_eq!(COctets::from("plain").to_text(), "plain");
    }

    #[test]
    fn few_octets_are_kept_in_place_and_cost_no_room() {
        assert_eq!(size_of::<COctets>(), size_of::<Bytes>());
        for length in [0, 1, 22, 23, 24, 64] {
            let octets = Bytes::from(vec![b'x'; length]);
            let text = COctets::from(octets.clone());
            assert_eq!(text.as_bytes(), octets);
            assert_eq!(text, COctets::from(&octets[..]));
            assert_eq!((text.bytes(), text.into_bytes()), (octets.clone(), octets));
        }
    }

    #[test]
    fn no_way_in_lets_a_nul_pass() {
        assert_eq!(COctets::from("ab\0cd").as_bytes(), b"ab");
        assert_eq!(COctets::from_static("ab\0cd").as_bytes(), b"ab");
        assert_eq!(COctets::from(Bytes::from_static(b"ab\0cd")).as_bytes(), b"ab");
        assert_eq!(COctets::checked(Bytes::from_static(b"ab\0cd")), None);
    }
}
