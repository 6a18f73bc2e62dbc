//! Writes the text of a receipt as SMPP 3.4 Appendix B prints it (conformance C-179).

use std::fmt;

use bytes::{BufMut, BytesMut};

use super::Date;
use crate::field::{Alphabet, MessageState};
use crate::text::alphabet::decode;
use crate::text::gsm7::{self, ESC, Tables};

/// What a receipt is to say.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptValues<'a> {
    /// The id that submit_sm_resp gave; at most 64 octets.
    pub id: &'a [u8],
    /// Messages submitted; shown up to 999.
    pub submitted: u16,
    /// Messages delivered; shown up to 999.
    pub delivered: u16,
    /// When the message was accepted, in milliseconds since 1970, UTC.
    pub submit_unix_ms: i64,
    /// When the state was reached, in milliseconds since 1970, UTC.
    pub done_unix_ms: i64,
    /// How many minutes the dates are to be ahead of UTC.
    pub offset: i16,
    /// The state. What 3.4 has no word for is shown as the nearest it has.
    pub state: MessageState,
    /// The error, 0 for none; shown up to 999.
    pub err: u16,
    /// The first characters of the message.
    pub text: Excerpt,
}

/// The id does not fit message_id (SMPP 3.4 §5.2.23), and cutting it would make it another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTooLong;

impl fmt::Display for IdTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message id has at most {LONGEST_ID} octets")
    }
}

impl std::error::Error for IdTooLong {}

/// Writes the text of a receipt: printable default alphabet, at most [`LONGEST`] octets.
///
/// # Errors
/// The id has more than 64 octets; nothing is written.
pub fn write(values: &ReceiptValues<'_>, out: &mut BytesMut) -> Result<(), IdTooLong> {
    if values.id.len() > LONGEST_ID {
        return Err(IdTooLong);
    }
    out.reserve(LONGEST);
    out.put_slice(b"id:");
    out.put_slice(values.id);
    out.put_slice(b" sub:");
    put_three(values.submitted, out);
    out.put_slice(b" dlvrd:");
    put_three(values.delivered, out);
    out.put_slice(b" submit date:");
    put_date(values.submit_unix_ms, values.offset, out);
    out.put_slice(b" done date:");
    put_date(values.done_unix_ms, values.offset, out);
    out.put_slice(b" stat:");
    out.put_slice(word(values.state));
    out.put_slice(b" err:");
    put_three(values.err, out);
    out.put_slice(b" text:");
    out.put_slice(values.text.septets());
    Ok(())
}

/// The longest text written here, in octets: keys, an id of 64, and the fixed widths of Appendix B.
pub const LONGEST: usize = 56 + LONGEST_ID + 3 + 3 + 10 + 10 + 7 + 3 + Excerpt::LONGEST;

/// message_id without its NUL.
const LONGEST_ID: usize = 64;

/// The first characters of a message in the default alphabet, at most 20 septets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    septets: [u8; Excerpt::LONGEST],
    length: u8,
}

impl Excerpt {
    /// Septets in an excerpt, at most.
    pub const LONGEST: usize = 20;

    /// Takes the beginning of a text without its header. Octets that are no text give an empty excerpt; what the
    /// default alphabet does not hold is replaced.
    #[must_use]
    pub fn of(alphabet: Alphabet, octets: &[u8]) -> Excerpt {
        // 20 characters take at most 40 octets of septets, or 80 of UCS2.
        let start = octets.get(..4 * Excerpt::LONGEST).unwrap_or(octets);
        match alphabet {
            Alphabet::Gsm7 => Excerpt::of_septets(start),
            Alphabet::Binary | Alphabet::Compressed | Alphabet::Reserved => Excerpt::default(),
            Alphabet::Jis
            | Alphabet::Iso2022Jp
            | Alphabet::Pictogram
            | Alphabet::JisX0212
            | Alphabet::KsC5601 => Excerpt::default(),
            Alphabet::Ascii
            | Alphabet::Latin1
            | Alphabet::Iso8859_5
            | Alphabet::Iso8859_8
            | Alphabet::Ucs2 => {
                Excerpt::of_septets(&gsm7::encode_lossy(&decode(alphabet, start), Tables::default()))
            }
        }
    }

    /// Cuts septets to length, not through an escape pair.
    fn of_septets(septets: &[u8]) -> Excerpt {
        let mut excerpt = Excerpt::default();
        let mut rest = septets.iter().map(|&octet| if octet > 0x7F { b'?' } else { octet });
        while let Some(septet) = rest.next() {
            let pair = [septet, if septet == ESC { rest.next().unwrap_or(ESC) } else { septet }];
            let taken: &[u8] = if septet == ESC { &pair } else { &pair[..1] };
            if !excerpt.push(taken) {
                break;
            }
        }
        excerpt
    }

    fn push(&mut self, septets: &[u8]) -> bool {
        let start = usize::from(self.length);
        let end = start + septets.len();
        match self.septets.get_mut(start..end) {
            Some(place) => place.copy_from_slice(septets),
            None => return false,
        }
        self.length = end as u8;
        true
    }

    /// The septets, one per octet.
    #[must_use]
    pub fn septets(&self) -> &[u8] {
        self.septets.get(..usize::from(self.length)).unwrap_or(&[])
    }
}

/// The seven letters of Appendix B.
const fn word(state: MessageState) -> &'static [u8] {
    match state.for_3_4() {
        MessageState::ENROUTE => b"ENROUTE",
        MessageState::DELIVERED => b"DELIVRD",
        MessageState::EXPIRED => b"EXPIRED",
        MessageState::DELETED => b"DELETED",
        MessageState::UNDELIVERABLE => b"UNDELIV",
        MessageState::ACCEPTED => b"ACCEPTD",
        MessageState::REJECTED => b"REJECTD",
        _ => b"UNKNOWN",
    }
}

/// YYMMDDhhmm.
fn put_date(unix_ms: i64, offset: i16, out: &mut BytesMut) {
    let date = Date::of_unix_ms(unix_ms, offset);
    let pairs = [(date.year % 100) as u8, date.month, date.day, date.hour, date.minute];
    for pair in pairs {
        out.put_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
    }
}

fn put_three(number: u16, out: &mut BytesMut) {
    let number = number.min(999);
    out.put_slice(&[number / 100, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8));
}
