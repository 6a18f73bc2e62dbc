//! Delivery receipts: read as they come, written as they should be (SMPP 3.4 Appendix B).
//!
//! The text of a receipt is vendor specific. What is read here borrows from the octets of the PDU; nothing is copied.

mod date;
mod report;
mod scan;
mod write;

use std::borrow::Cow;

use crate::field::MessageState;
pub use date::Date;
pub use report::{ErrorCode, Report, ReportTlvs};
pub use scan::{Field, Key, fields};
pub use write::{Excerpt, IdTooLong, LONGEST, ReceiptValues, write};

/// The fields found in the text of a receipt, each as it stood there. The first of several counts.
/// SMPP 3.4 Appendix B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// `id`: the message id of the centre that wrote the receipt.
    pub id: Option<&'a [u8]>,
    /// `sub`: messages submitted.
    pub sub: Option<&'a [u8]>,
    /// `dlvrd`: messages delivered.
    pub dlvrd: Option<&'a [u8]>,
    /// `submit date`; read it with [`Date::read`].
    pub submit_date: Option<&'a [u8]>,
    /// `done date`; read it with [`Date::read`].
    pub done_date: Option<&'a [u8]>,
    /// `stat`, or a word of its own that can be nothing else; read it with [`Receipt::state`].
    pub stat: Option<&'a [u8]>,
    /// `err`: digits, hexadecimal, or letters.
    pub err: Option<&'a [u8]>,
    /// `text`: all that follows; nothing in it is a field.
    pub text: Option<&'a [u8]>,
}

impl<'a> Receipt<'a> {
    /// Reads any octets as a receipt. Fields may come in any order, case and spacing, and any may be missing; a text
    /// that is no receipt has none. Unknown fields are to be found with [`fields`].
    ///
    /// Text in UCS2 is to be passed through [`plain`] before.
    #[must_use]
    pub fn read(octets: &'a [u8]) -> Receipt<'a> {
        let mut receipt = Receipt::default();
        let mut bare_state = None;
        for field in fields(octets) {
            let place = match field.key {
                Key::Id => &mut receipt.id,
                Key::Sub => &mut receipt.sub,
                Key::Dlvrd => &mut receipt.dlvrd,
                Key::SubmitDate => &mut receipt.submit_date,
                Key::DoneDate => &mut receipt.done_date,
                Key::Stat => &mut receipt.stat,
                Key::Err => &mut receipt.err,
                Key::Text => &mut receipt.text,
                Key::Bare if field.value.len() > 1 && known_state(field.value).is_some() => &mut bare_state,
                Key::Bare | Key::Unknown => continue,
            };
            if place.is_none_or(<[u8]>::is_empty) {
                *place = Some(field.value);
            }
        }
        receipt.stat = receipt.stat.filter(|stat| !stat.is_empty()).or(bare_state);
        receipt
    }

    /// The state that `stat` means. A word that is not known is [`MessageState::UNKNOWN`], not a failure.
    #[must_use]
    pub fn state(&self) -> Option<MessageState> {
        self.stat.map(|stat| known_state(stat).unwrap_or(MessageState::UNKNOWN))
    }

    /// Whether anything makes it a receipt: an id or a state.
    #[must_use]
    pub fn is_receipt(&self) -> bool {
        self.id.is_some() || self.stat.is_some()
    }
}

/// The octets of a receipt as ASCII: those of UCS2 are narrowed, all others are as they were.
///
/// data_coding does not tell, because centres announce UCS2 and send ASCII (conformance L-31).
#[must_use]
pub fn plain(octets: &[u8]) -> Cow<'_, [u8]> {
    let (units, odd) = octets.as_chunks::<2>();
    let narrow = |unit: &[u8; 2]| if unit[0] == 0 { unit[1] } else { b'?' };
    match units {
        [[0, 0x20..=0x7E], [0, 0x20..=0x7E], ..] if odd.is_empty() => units.iter().map(narrow).collect(),
        _ => Cow::Borrowed(octets),
    }
}

/// The state behind a word of Appendix B, of practice, or behind the number itself.
fn known_state(word: &[u8]) -> Option<MessageState> {
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    let state = match word.first()?.to_ascii_uppercase() {
        b'D' if is(&["DELIVRD", "DELIVERED"]) => MessageState::DELIVERED,
        b'D' if is(&["DELETED"]) => MessageState::DELETED,
        b'U' if is(&["UNDELIV", "UNDELIVERABLE", "UNDELIVERED"]) => MessageState::UNDELIVERABLE,
        b'U' if is(&["UNKNOWN"]) => MessageState::UNKNOWN,
        b'E' if is(&["EXPIRED"]) => MessageState::EXPIRED,
        b'E' if is(&["ENROUTE"]) => MessageState::ENROUTE,
        b'A' if is(&["ACCEPTD", "ACCEPTED"]) => MessageState::ACCEPTED,
        b'R' if is(&["REJECTD", "REJECTED"]) => MessageState::REJECTED,
        b'F' if is(&["FAILED"]) => MessageState::UNDELIVERABLE,
        b'A' if is(&["ACKED"]) => MessageState::ENROUTE,
        b'B' if is(&["BUFFRED", "BUFFERD", "BUFFERED"]) => MessageState::ENROUTE,
        b'S' if is(&["SCHEDULED"]) => MessageState::SCHEDULED,
        b'S' if is(&["SKIPPED"]) => MessageState::SKIPPED,
        digit @ b'0'..=b'9' if word.len() == 1 => MessageState(digit - b'0'),
        _ => return None,
    };
    Some(state)
}

#[cfg(test)]
mod tests;
