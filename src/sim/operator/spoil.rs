//! What bad manners do to answers and receipts.

use bytes::{BufMut, BytesMut};
use rand::RngExt;
use smpp_proto::pdu::{DeliverSm, Header, encode_empty};
use smpp_proto::{CommandId, CommandStatus};
use tokio::time::{Duration, Instant};

use super::deliver::Parcel;
use super::session::{End, Later, Session};
use crate::sim::hostile::Mode;
use crate::sim::receipt::Message;

impl Session {
    /// Whether it is the turn of a storm to throttle.
    pub(super) fn storms(&self) -> bool {
        let since = self.manners.since(Mode::ThrottleStorm, self.submits.saturating_sub(1));
        since.is_some_and(|since| (since / STORM).is_multiple_of(2))
    }

    /// Sends an answer to a submission, now or later, well or badly.
    pub(super) fn reply(&mut self, sequence: u32, mut answer: BytesMut) {
        if !self.manners.is_polite() && !self.spoil(sequence, &mut answer) {
            return;
        }
        let mut delay = self.shared.settings.response_delay.draw(&mut self.random);
        if self.has_begun(Mode::Late) {
            delay += LATE;
        }
        if !delay.is_zero() {
            self.unanswered += 1;
            self.agenda.add(Instant::now() + delay, Later::Answer(answer.freeze()));
        } else if self.manners.has(Mode::Reverse, self.submits) {
            self.reversed.push(answer.freeze());
        } else {
            self.link.out().put_slice(&answer);
        }
    }

    /// Whether `mode` holds for the submission that was counted last.
    pub(super) fn has_begun(&self, mode: Mode) -> bool {
        self.manners.has(mode, self.submits.saturating_sub(1))
    }

    /// Does to the answer what the manners of this session want; false when nothing of it is sent.
    fn spoil(&mut self, sequence: u32, answer: &mut BytesMut) -> bool {
        let begun = |mode| self.has_begun(mode);
        let command = CommandId::SUBMIT_SM_RESP;
        if begun(Mode::NeverAnswer) || begun(Mode::LoseAnswers) && self.submits.is_multiple_of(3) {
            return false;
        }
        if begun(Mode::Nack) {
            answer.clear();
            encode_empty(answer, CommandId::GENERIC_NACK, CommandStatus::RSYSERR, sequence);
        } else if begun(Mode::UnknownStatus) {
            answer.clear();
            encode_empty(answer, command, CommandStatus(0x0000_02FF), sequence);
        } else if begun(Mode::ErrorWithBody) {
            set_word(answer, 8, CommandStatus::RSUBMITFAIL.0);
        } else if begun(Mode::NoMessageId) {
            answer.clear();
            encode_empty(answer, command, CommandStatus::ROK, sequence);
        } else if begun(Mode::TlvGarbage) {
            // congestion_state of no octets, then a TLV that is longer than what is left, then less than a TLV.
            answer.put_slice(&[0x04, 0x28, 0, 0, 0x14, 0x03, 0xFF, 0xFF, 0xAA, 0xBB]);
            let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
            set_word(answer, 0, length);
        } else if begun(Mode::WrongSequence) {
            set_word(answer, 12, sequence ^ 0x4000_0000);
        }
        if begun(Mode::Duplicate) {
            let twice = answer.clone();
            answer.put_slice(&twice);
        }
        self.strike(answer)
    }

    /// What happens once, at one submission.
    fn strike(&mut self, answer: &mut BytesMut) -> bool {
        let strikes = |mode| self.manners.strikes(mode, self.submits);
        if strikes(Mode::Drop) {
            self.close(End::Abrupt);
            return false;
        }
        if strikes(Mode::HalfPdu) {
            answer.truncate(answer.len() / 2);
            self.close(End::Flushed);
        } else if strikes(Mode::Garbage) {
            answer.clear();
            answer.put_slice(&self.random.random::<[u8; 64]>());
        } else if strikes(Mode::BadLength) {
            answer.clear();
            answer.put_slice(&[0, 0, 0, 5]);
            answer.put_bytes(0, 12);
        } else if strikes(Mode::Unbind) {
            encode_empty(answer, CommandId::UNBIND, CommandStatus::ROK, self.window.number());
            // Behind it nothing is delivered: that would be another misbehaviour.
            let _ = self.rules.unbind_sent();
        } else if strikes(Mode::UnknownCommand) {
            encode_empty(answer, CommandId(0x0000_0999), CommandStatus::ROK, self.window.number());
        } else if strikes(Mode::OddSequence) {
            for sequence in [0, u32::MAX] {
                encode_empty(answer, CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
                // Nobody's message, so that it is refused and not charged to anyone.
                let written = DeliverSm::default().encode(answer, sequence);
                debug_assert!(written.is_ok(), "an empty deliver_sm can be written");
            }
        } else if strikes(Mode::EnquireFlood) {
            for _ in 0..FLOOD {
                let sequence = self.window.number();
                encode_empty(answer, CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
            }
        } else if strikes(Mode::MalformedDeliver) {
            // A deliver_sm whose service_type never ends.
            let sequence = self.window.number();
            answer.put_slice(&[0, 0, 0, 26]);
            for word in [CommandId::DELIVER_SM.0, 0, sequence] {
                answer.put_u32(word);
            }
            answer.put_slice(b"ABCDEFGHIJ");
        }
        true
    }

    /// What goes out beside a receipt, and was never asked for.
    pub(super) fn beside(&mut self, message: &Message, due: Instant, now: Instant) {
        if self.has_begun(Mode::ReceiptTwice) {
            self.schedule(due, now, Parcel::Receipt(Box::new(message.clone())));
        }
        if self.has_begun(Mode::UnknownReceipt) {
            let number = message.number.saturating_add(NEVER_GIVEN);
            self.schedule(due, now, Parcel::Receipt(Box::new(Message { number, ..message.clone() })));
        }
        if self.has_begun(Mode::NamelessReceipt) {
            let nameless = DeliverSm {
                source: message.destination.clone(),
                destination: message.source.clone(),
                esm_class: smpp_proto::field::EsmClass::DELIVERY_RECEIPT,
                short_message: bytes::Bytes::from_static(b"sub:001 dlvrd:??? stat: err: \xFF\x00 text:id"),
                ..DeliverSm::default()
            };
            self.schedule(due, now, Parcel::Mo(Box::new(nameless)));
        }
    }

    pub(super) fn flush_reversed(&mut self) {
        while let Some(answer) = self.reversed.pop() {
            self.link.out().put_slice(&answer);
        }
    }
}

/// Overwrites one word of a PDU's header.
fn set_word(pdu: &mut BytesMut, at: usize, word: u32) {
    debug_assert!(at + 4 <= Header::LENGTH, "a word of the header");
    if let Some(place) = pdu.get_mut(at..at + 4) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}

/// Submissions that a storm throttles, and then lets through.
const STORM: u64 = 10;
/// How late a late answer is: past the usual response time of 60 s, and past the grace of 10 s that Tollgate adds.
const LATE: Duration = Duration::from_secs(75);
/// enquire_links of a flood.
const FLOOD: u32 = 1_000;
/// Added to a message's number to name one that was never given.
const NEVER_GIVEN: u64 = 1 << 40;
