//! What a receipt says in the end, put together from its text and its TLVs (SMPP 3.4 §5.3.2.12, .31, .35).

use super::{Date, Receipt};
use crate::field::MessageState;

/// The TLVs of a receipt. Any may be missing (SMPP 3.4 §4.6.1, §5.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportTlvs<'a> {
    /// receipted_message_id, with or without its NUL.
    pub receipted_message_id: Option<&'a [u8]>,
    /// message_state.
    pub message_state: Option<MessageState>,
    /// network_error_code: three octets.
    pub network_error_code: Option<&'a [u8]>,
}

/// What a receipt says about a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report<'a> {
    /// The message id of the centre: that of the TLV, else that of the text.
    pub id: Option<&'a [u8]>,
    /// The id of the text where it differs from that of the TLV, for centres whose TLV is in another base.
    pub other_id: Option<&'a [u8]>,
    /// The state: that of the TLV, else that of the text.
    pub state: Option<MessageState>,
    /// The error: that of the text, else that of the TLV.
    pub err: Option<ErrorCode<'a>>,
    /// When the message was submitted, if that can be read.
    pub submit_date: Option<Date>,
    /// When the state was reached, if that can be read.
    pub done_date: Option<Date>,
    /// The first characters of the message.
    pub text: Option<&'a [u8]>,
}

/// Why a message failed, in the words of the centre. 0 or `000` means that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode<'a> {
    /// `err` of the text, or a network_error_code filled with its digits.
    Text(&'a [u8]),
    /// network_error_code.
    Network {
        /// The kind of network: 3 is GSM (SMPP 5.0 §4.8.4.42).
        kind: u8,
        /// The code of that network.
        code: u16,
    },
}

impl<'a> ErrorCode<'a> {
    /// Reads network_error_code. Three ASCII digits are the `err` of a centre that put it there (conformance L-36).
    #[must_use]
    pub fn of_tlv(octets: &'a [u8]) -> Option<ErrorCode<'a>> {
        match *octets {
            [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] => Some(ErrorCode::Text(octets)),
            [kind, high, low] => Some(ErrorCode::Network { kind, code: u16::from_be_bytes([high, low]) }),
            _ => None,
        }
    }

    /// The code as a number, if it is one in decimal digits.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        match *self {
            ErrorCode::Network { code, .. } => Some(u32::from(code)),
            ErrorCode::Text(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        }
    }
}

impl<'a> Report<'a> {
    /// Puts text and TLVs together.
    #[must_use]
    pub fn merge(receipt: &Receipt<'a>, tlvs: &ReportTlvs<'a>) -> Report<'a> {
        let text_id = receipt.id.filter(|id| !id.is_empty());
        let tlv_id = tlvs.receipted_message_id.map(before_nul).filter(|id| !id.is_empty());
        let text_err = receipt.err.filter(|err| !err.is_empty()).map(ErrorCode::Text);
        Report {
            id: tlv_id.or(text_id),
            other_id: text_id.filter(|id| tlv_id.is_some_and(|tlv_id| tlv_id != *id)),
            state: tlvs.message_state.or_else(|| receipt.state()),
            err: text_err.or_else(|| tlvs.network_error_code.and_then(ErrorCode::of_tlv)),
            submit_date: receipt.submit_date.and_then(Date::read),
            done_date: receipt.done_date.and_then(Date::read),
            text: receipt.text,
        }
    }
}

fn before_nul(octets: &[u8]) -> &[u8] {
    octets.split(|&octet| octet == 0).next().unwrap_or(octets)
}
