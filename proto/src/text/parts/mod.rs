//! How many short messages a text takes, and cutting it into them (3GPP TS 23.040 §9.2.3.24.1).
//!
//! Counting and cutting walk with the same function, so what is charged is what is sent.

mod convert;
mod grapheme;
mod part;

use std::fmt;

pub use convert::{Form, Rewritten, Whole, whole};
pub use grapheme::LONGEST_GRAPHEME;
pub use part::Part;
use part::kept_size;

use super::alphabet::{decode_with, is_septets, unit_octets};
use super::gsm7::{self, ESC, Tables};
use super::ucs2;
use super::udh::{Concatenation, MESSAGE_OCTETS, Udh, UdhError, Width};
use crate::field::Alphabet;

/// The user data of one submission, read as far as splitting needs it (SMPP 3.4 §5.2.22).
#[derive(Clone, Copy, Debug)]
pub struct UserData<'a> {
    alphabet: Alphabet,
    udh: Option<Udh<'a>>,
    text: &'a [u8],
    tables: Tables,
    part: Option<Concatenation>,
}

impl<'a> UserData<'a> {
    /// Reads user data, from short_message or message_payload. `has_udh` is bit 6 of esm_class.
    ///
    /// # Errors
    /// The header is broken (conformance C-133).
    pub fn read(alphabet: Alphabet, has_udh: bool, octets: &'a [u8]) -> Result<UserData<'a>, UdhError> {
        if !has_udh {
            return Ok(UserData { alphabet, udh: None, text: octets, tables: Tables::default(), part: None });
        }
        let (udh, text) = Udh::cut(octets)?;
        Ok(UserData { alphabet, udh: Some(udh), text, tables: udh.tables(), part: udh.concatenation() })
    }

    /// Says that the sar_* TLVs name this message a part. A header that says so too wins (conformance C-139).
    #[must_use]
    pub fn with_sar(mut self, sar: Option<Concatenation>) -> UserData<'a> {
        self.part = self.part.or(sar);
        self
    }

    /// The part that its sender already made of it, from the header or the sar_* TLVs.
    #[must_use]
    pub fn part(&self) -> Option<Concatenation> {
        self.part
    }

    /// The header, if there is one.
    #[must_use]
    pub fn udh(&self) -> Option<Udh<'a>> {
        self.udh
    }

    /// The octets behind the header.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Appends the text as characters to `out`: the way of [`UserData::decode`] without an allocation of its own.
    pub fn decode_into(&self, out: &mut String) {
        match self.alphabet {
            Alphabet::Gsm7 => gsm7::decode_into(self.text, self.tables, out),
            Alphabet::Ucs2 => out.extend(ucs2::characters(self.text)),
            alphabet => out.push_str(&decode_with(alphabet, self.text, self.tables)),
        }
    }

    /// The text as characters.
    #[must_use]
    pub fn decode(&self) -> String {
        decode_with(self.alphabet, self.text, self.tables)
    }
}

/// How many short messages a text takes (3GPP TS 23.040 §9.2.3.24.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Short messages, 1 to 255. This is what is charged.
    pub segments: u8,
    /// The length of the text behind the header: septets, octets or UTF-16 units.
    pub units: usize,
    /// How many such units one of these short messages has room for.
    pub room: usize,
}

impl Parts {
    /// Whether each part fits the air interface. Only a message that its sender already made a part can fail to.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.segments > 1 || self.units <= self.room
    }
}

/// Why a text cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsError {
    /// It takes more than 255 parts.
    TooMany,
    /// Its header leaves no room for text.
    NoRoom,
}

impl fmt::Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PartsError::TooMany => "the text takes more than 255 parts",
            PartsError::NoRoom => "the user data header leaves no room for text",
        })
    }
}

impl std::error::Error for PartsError {}

/// The number that the parts of one message share (3GPP TS 23.040 §9.2.3.24.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Element 0x00: parts carry 153 septets, 134 octets or 67 UTF-16 units.
    Eight(u8),
    /// Element 0x08: one septet, octet or unit less.
    Sixteen(u16),
}

impl Reference {
    /// How it is written.
    #[must_use]
    pub const fn width(self) -> Width {
        match self {
            Reference::Eight(_) => Width::Eight,
            Reference::Sixteen(_) => Width::Sixteen,
        }
    }

    const fn number(self) -> u16 {
        match self {
            Reference::Eight(number) => number as u16,
            Reference::Sixteen(number) => number,
        }
    }
}

/// Counts the short messages of `data`, were it split with references of `width`. Does not allocate.
///
/// A message that already is a part is one.
///
/// # Errors
/// More than 255 parts, or no room for text behind the header.
pub fn count(data: &UserData<'_>, width: Width) -> Result<Parts, PartsError> {
    let unit = unit_octets(data.alphabet);
    let units = data.text.len().div_ceil(unit);
    let whole = data.room(data.udh.map_or(0, |udh| udh.size()));
    if data.part.is_some() || data.text.len() <= whole {
        return Ok(Parts { segments: 1, units, room: whole / unit });
    }
    let room = data.room(data.kept_size() + width.concatenation_size() + 1);
    if room < 2 * unit {
        return Err(PartsError::NoRoom);
    }
    let (mut segments, mut at) = (0_u8, 0);
    while at < data.text.len() {
        segments = segments.checked_add(1).ok_or(PartsError::TooMany)?;
        at = data.cut(at, room);
    }
    Ok(Parts { segments, units, room: room / unit })
}

/// Cuts `data` into as many parts as [`count`] says, numbered from 1.
///
/// An escape or surrogate pair is never cut; a character with its combining marks, a flag, a joined emoji or a Hangul
/// syllable only if it is longer than [`LONGEST_GRAPHEME`] or fills a part alone. The elements of the header go with each
/// part. A message of one part keeps its header as it is.
///
/// # Errors
/// Those of [`count`].
pub fn split<'a>(data: &UserData<'a>, reference: Reference) -> Result<Split<'a>, PartsError> {
    let parts = count(data, reference.width())?;
    Ok(Split { data: *data, reference, parts, done: 0, at: 0 })
}

/// The parts of a message, in order.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    data: UserData<'a>,
    reference: Reference,
    parts: Parts,
    done: u8,
    at: usize,
}

impl Split<'_> {
    /// What [`count`] said.
    #[must_use]
    pub fn parts(&self) -> Parts {
        self.parts
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if self.done >= self.parts.segments {
            return None;
        }
        self.done += 1;
        if self.parts.segments == 1 {
            return Some(Part { concatenation: None, udh: self.data.udh, text: self.data.text });
        }
        let end = self.data.cut(self.at, self.parts.room * unit_octets(self.data.alphabet));
        let text = self.data.text.get(self.at..end)?;
        self.at = end;
        let concatenation = Concatenation {
            reference: self.reference.number(),
            width: self.reference.width(),
            total: self.parts.segments,
            part: self.done,
        };
        Some(Part { concatenation: Some(concatenation), udh: self.data.udh, text })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::from(self.parts.segments - self.done);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Split<'_> {}

impl UserData<'_> {
    fn kept_size(&self) -> usize {
        kept_size(self.udh)
    }

    /// The octets of text that fit behind `header` octets, counted as they stand in an SMPP field: a septet fills
    /// one (3GPP TS 23.040 §9.2.3.24: the text begins on a septet boundary).
    fn room(&self, header: usize) -> usize {
        let left = MESSAGE_OCTETS.saturating_sub(header);
        match self.alphabet {
            alphabet if is_septets(alphabet) => left * 8 / 7,
            Alphabet::Ucs2 => left / 2 * 2,
            _ => left,
        }
    }

    /// Where the part that begins at `start` ends, with room for `room` octets (at least two units).
    fn cut(&self, start: usize, room: usize) -> usize {
        let end = start.saturating_add(room);
        if end >= self.text.len() {
            return self.text.len();
        }
        let end = self.boundary(start, end);
        match self.alphabet {
            Alphabet::Ucs2 => grapheme::end_in_ucs2(self.text, start, end),
            Alphabet::Gsm7 => grapheme::end_in_gsm7(self.text, start, end, self.tables),
            _ => end,
        }
    }

    /// `end`, or one unit before it if that would cut an escape pair or a surrogate pair.
    fn boundary(&self, start: usize, end: usize) -> usize {
        let before = self.text.get(start..end).unwrap_or(&[]);
        let behind = self.text.get(end..).unwrap_or(&[]);
        match self.alphabet {
            // Escapes pair up from the left, so an odd run of them leaves the last one open.
            Alphabet::Gsm7 if before.iter().rev().take_while(|&&septet| septet == ESC).count() % 2 == 1 => {
                end - 1
            }
            Alphabet::Ucs2 => match (before, behind) {
                ([.., 0xD8..=0xDB, _], [0xDC..=0xDF, ..]) => end - 2,
                _ => end,
            },
            _ => end,
        }
    }
}

#[cfg(test)]
mod tests;
