//! How a session writes: statuses, states and parameters that its version knows, bodies of refusals, message ids.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use smpp_proto::field::{CommandId, CommandStatus, InterfaceVersion, MessageState, Tag};
use smpp_proto::pdu::Header;
use smpp_proto::text::Charset;

use crate::account::{Account, StatusCodes, Terms};
use crate::esme::Settings;
use crate::message::MessageId;
use crate::policy::Refusal;

/// The version that both sides speak, and whether refusals are explained.
#[derive(Clone, Debug)]
pub(in crate::esme) struct Dialect {
    pub(in crate::esme) version: InterfaceVersion,
    /// The account asked for `status_detail`.
    pub(in crate::esme) detail: bool,
    /// How near to its limits the gateway is for this client, 0 to 100; told to sessions of 5.0 that want to know.
    pub(in crate::esme) congestion: Option<u8>,
    /// The account asked for `error_bodies`.
    pub(in crate::esme) bodies: bool,
    /// What stands for ESME_RINVDCS before 5.0.
    pub(in crate::esme) coding: CommandStatus,
    /// What the account means by data_coding 0.
    pub(in crate::esme) charset: Charset,
    /// The account, which may have statuses of its own.
    pub(in crate::esme) account: Option<Arc<Account>>,
}

impl Dialect {
    /// A session of this version, before anything is known of its account.
    pub(in crate::esme) fn of(version: InterfaceVersion, settings: &Settings) -> Self {
        let coding = CommandStatus(settings.coding_status);
        Self {
            version,
            detail: false,
            congestion: None,
            bodies: false,
            coding,
            charset: Charset::Gsm7,
            account: None,
        }
    }

    /// Makes the response that begins at `start`, the last in `out`, longer by congestion_state, where that is told.
    pub(in crate::esme) fn tell_congestion(&self, out: &mut BytesMut, start: usize) {
        if let Some(state) = self.congestion {
            put_tlv(out, Tag::CONGESTION_STATE, &[&[state]]);
            set_length(out, start);
        }
    }

    /// What the account wants of it.
    pub(in crate::esme) fn suit(&mut self, account: Option<&Arc<Account>>) {
        let terms = account.map(|account| &account.terms);
        self.detail = terms.is_some_and(|terms| terms.status_detail);
        self.bodies = terms.is_some_and(|terms| terms.error_bodies);
        self.charset = terms.map(|terms| terms.alphabet).unwrap_or_default();
        let has_own =
            |terms: &Terms| terms.status_codes != StatusCodes::Standard || !terms.statuses.is_empty();
        self.account = account.filter(|account| has_own(&account.terms)).cloned();
    }

    /// The status that the account chose for a refusal, if it did.
    fn chosen(&self, refusal: Refusal) -> Option<CommandStatus> {
        refusal.chosen_by(&self.account.as_ref()?.terms)
    }

    /// Whether optional parameters may be sent (SMPP 3.4 §2.8).
    pub(in crate::esme) fn takes_tlvs(&self) -> bool {
        self.version.takes_tlvs()
    }

    /// A state as the session knows it: 5.0 added SCHEDULED and SKIPPED (conformance C-208), 3.4 REJECTED.
    pub(in crate::esme) fn state(&self, state: MessageState) -> MessageState {
        let state = if self.version >= InterfaceVersion::V5_0 { state } else { state.for_3_4() };
        let is_new = state == MessageState::REJECTED && !self.takes_tlvs();
        if is_new { MessageState::UNDELIVERABLE } else { state }
    }

    /// The status of a refusal. What only 5.0 knows goes to no older session (conformance C-208).
    pub(in crate::esme) fn status(&self, refusal: Refusal) -> CommandStatus {
        if let Some(status) = self.chosen(refusal) {
            return status;
        }
        let v5 = self.version >= InterfaceVersion::V5_0;
        match refusal {
            Refusal::UnicodeDisabled if v5 => CommandStatus::RINVDCS,
            Refusal::Malformed(CommandStatus::RINVDCS) if !v5 => self.coding,
            other => match other.status() {
                CommandStatus(0x100..=0x112) if !v5 => CommandStatus::RSUBMITFAIL,
                // Octets behind the last field are a wrong length to who knows no parameters.
                CommandStatus(0xC0..=0xC4) if !self.takes_tlvs() => CommandStatus::RINVCMDLEN,
                status => status,
            },
        }
    }

    /// Appends the response that refuses `request`: 16 octets, or with empty fields or the reason word where the
    /// account wants that.
    pub(in crate::esme) fn refuse(
        &self,
        out: &mut BytesMut,
        request: CommandId,
        sequence: u32,
        refusal: Refusal,
    ) {
        let (command, status) = (request.response(), self.status(refusal));
        let word = if self.detail && self.takes_tlvs() { refusal.word() } else { "" };
        let body = if word.is_empty() && !self.bodies { &[][..] } else { empty_body(command) };
        let tlv = if word.is_empty() { 0 } else { 4 + word.len() + 1 };
        // A body of at most 4 octets and a word of at most 30.
        let length = u32::try_from(Header::LENGTH + body.len() + tlv).unwrap_or(16);
        Header { length, command, status, sequence }.write(out);
        out.put_slice(body);
        if !word.is_empty() {
            put_tlv(out, Tag::ADDITIONAL_STATUS_INFO_TEXT, &[word.as_bytes(), &[0]]);
        }
    }
}

/// The mandatory fields of a response, all empty or zero: what stands before the TLVs of a refusal.
const fn empty_body(response: CommandId) -> &'static [u8] {
    match response {
        CommandId::SUBMIT_SM_RESP | CommandId::DATA_SM_RESP => &[0],
        CommandId::SUBMIT_MULTI_RESP => &[0, 0],
        CommandId::QUERY_SM_RESP => &[0, 0, 0, 0],
        _ => &[],
    }
}

/// Appends a TLV whose value is `pieces` one after the other, 65,535 octets at most.
pub(in crate::esme) fn put_tlv(out: &mut BytesMut, tag: Tag, pieces: &[&[u8]]) {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.put_u16(tag.0);
    out.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
    for piece in pieces {
        out.put_slice(piece);
    }
}

/// A PDU was made longer: its command_length says so. `start` is where it begins.
pub(in crate::esme) fn set_length(out: &mut BytesMut, start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + length.len()) {
        place.copy_from_slice(&length);
    }
}

/// A message id as the client reads it, in decimal digits or short, without an allocation.
#[derive(Clone, Copy, Debug)]
pub(in crate::esme) struct Digits {
    octets: [u8; 20],
    start: usize,
}

impl Digits {
    pub(in crate::esme) fn of(id: MessageId) -> Self {
        let mut digits = Self { octets: [0; 20], start: 20 };
        let mut rest = id.raw().unsigned_abs();
        if id.is_short() {
            digits.start = 20 - 2 * size_of::<u32>();
            for place in digits.octets.iter_mut().skip(digits.start).rev() {
                let digit = u8::try_from(rest & 0xF).unwrap_or(0);
                *place = if digit < 10 { b'0' + digit } else { b'A' + digit - 10 };
                rest >>= 4;
            }
            return digits;
        }
        for place in digits.octets.iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            digits.start -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        digits
    }

    pub(in crate::esme) fn octets(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(version: u8) -> Dialect {
        Dialect::of(InterfaceVersion(version), &Settings::default())
    }

    fn refusal(version: u8, detail: bool, request: CommandId) -> Vec<u8> {
        let mut out = BytesMut::new();
        let dialect = Dialect { detail, ..plain(version) };
        dialect.refuse(&mut out, request, 7, Refusal::QueueFull);
        out.to_vec()
    }

    #[test]
    fn a_refusal_has_16_octets_or_a_reason() {
        let bare = b"\0\0\0\x10\x80\0\0\x04\0\0\0\x14\0\0\0\x07".to_vec();
        assert_eq!(refusal(0x34, false, CommandId::SUBMIT_SM), bare);
        assert_eq!(refusal(0x33, true, CommandId::SUBMIT_SM), bare, "no TLV to 3.3");
        let explained = b"\0\0\0\x20\x80\0\0\x04\0\0\0\x14\0\0\0\x07\0\0\x1D\0\x0Bqueue_full\0".to_vec();
        assert_eq!(refusal(0x34, true, CommandId::SUBMIT_SM), explained);
        let multi = b"\0\0\0\x21\x80\0\0\x21\0\0\0\x14\0\0\0\x07\0\0\0\x1D\0\x0Bqueue_full\0".to_vec();
        assert_eq!(refusal(0x34, true, CommandId::SUBMIT_MULTI), multi);
    }

    #[test]
    fn what_5_0_added_stays_there() {
        let status = |version, refusal| plain(version).status(refusal).0;
        assert_eq!(
            (status(0x34, Refusal::UnicodeDisabled), status(0x50, Refusal::UnicodeDisabled)),
            (0x45, 0x104)
        );
        let coding = Refusal::Malformed(CommandStatus::RINVDCS);
        assert_eq!((status(0x34, coding), status(0x50, coding)), (0x45, 0x104));
        assert_eq!(status(0x34, Refusal::RateLimited), 0x58);
        let tlv = Refusal::Malformed(CommandStatus::RINVTLVLEN);
        assert_eq!((status(0x33, tlv), status(0x34, tlv)), (0x02, 0xC2));
        let state = |version, state| plain(version).state(MessageState(state)).0;
        assert_eq!([0, 2, 8, 9].map(|s| state(0x50, s)), [0, 2, 8, 9]);
        assert_eq!([0, 2, 8, 9].map(|s| state(0x34, s)), [1, 2, 8, 8]);
        assert_eq!([0, 2, 8, 9].map(|s| state(0x33, s)), [1, 2, 5, 5]);
    }

    #[test]
    fn digits_are_those_of_the_id() {
        for raw in [0, 7, 0xA1_B2C3, 0xFFFF_FFFF, 0x1_0000_0000, 1_763_650_000_123, i64::MAX] {
            let id = MessageId::from_raw(raw);
            assert_eq!(Digits::of(id).octets(), id.to_string().as_bytes());
        }
    }
}
