//! Submissions: accepted or refused, and their receipts put on the agenda.

use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use rand::RngExt;
use smpp_proto::field::flags::ReceiptWish;
use smpp_proto::field::{Address, COctets, DataCoding, EsmClass, MessageState, RegisteredDelivery};
use smpp_proto::pdu::submit::encode_resp;
use smpp_proto::pdu::{DataSm, DataSmResp, SubmitSm, encode_empty};
use smpp_proto::text::UserData;
use smpp_proto::text::receipt::Excerpt;
use smpp_proto::{CommandId, CommandStatus, Tag, Tlvs};
use tokio::time::Instant;

use super::account::Entry;
use super::deliver::Parcel;
use super::record::Line;
use super::session::{End, Later, Session, unix_ms};
use crate::sim::delay::MILLION;
use crate::sim::hostile::Mode;
use crate::sim::ident::IdText;
use crate::sim::receipt::Message;

/// What submit_sm, data_sm and one destination of submit_multi have in common.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    pub(super) command: CommandId,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) esm_class: EsmClass,
    pub(super) data_coding: DataCoding,
    pub(super) registered_delivery: RegisteredDelivery,
    pub(super) reference: Option<u16>,
    pub(super) text: Bytes,
}

impl From<SubmitSm> for Submission {
    fn from(submit: SubmitSm) -> Self {
        Self {
            command: CommandId::SUBMIT_SM,
            text: submit.user_data().clone(),
            reference: reference_of(&submit.tlvs),
            source: submit.source,
            destination: submit.destination,
            esm_class: submit.esm_class,
            data_coding: submit.data_coding,
            registered_delivery: submit.registered_delivery,
        }
    }
}

impl From<DataSm> for Submission {
    fn from(data: DataSm) -> Self {
        Self {
            command: CommandId::DATA_SM,
            text: data.user_data().cloned().unwrap_or_default(),
            reference: reference_of(&data.tlvs),
            source: data.source,
            destination: data.destination,
            esm_class: data.esm_class,
            data_coding: data.data_coding,
            registered_delivery: data.registered_delivery,
        }
    }
}

pub(super) fn reference_of(tlvs: &Tlvs) -> Option<u16> {
    if tlvs.is_empty() { None } else { tlvs.u16(Tag::USER_MESSAGE_REFERENCE) }
}

impl Session {
    /// One submission and its answer.
    pub(super) fn submit(&mut self, sequence: u32, submission: Submission) {
        let command = submission.command;
        let outcome = self.judge(submission);
        if self.shared.settings.receipt_overtakes || self.has_begun(Mode::EarlyReceipt) {
            self.pump();
        }
        let is_plain = self.manners.is_polite() && self.shared.settings.response_delay.is_none();
        if is_plain && command == CommandId::SUBMIT_SM {
            let (status, id) = match &outcome {
                Ok(id) => (CommandStatus::ROK, id.as_bytes()),
                Err(status) => (*status, &[][..]),
            };
            if encode_resp(self.link.out(), sequence, status, id).is_err() {
                self.close(End::Abrupt);
            }
            return;
        }
        let mut answer = BytesMut::new();
        write_answer(command, sequence, &outcome, &mut answer);
        self.reply(sequence, answer);
    }

    /// Accepts under a new id or refuses; an accepted one is recorded and its receipt is on the way.
    pub(super) fn judge(&mut self, submission: Submission) -> Result<IdText, CommandStatus> {
        self.submits += 1;
        let shared = std::sync::Arc::clone(&self.shared);
        let (settings, counters) = (&shared.settings, &shared.counters);
        counters.submits.add(1);
        let Some(account) = self.account.clone() else { return Err(CommandStatus::RINVBNDSTS) };
        let now = Instant::now();
        if settings.submit_window.is_some_and(|window| self.unanswered >= window)
            || self.agenda.len() + self.ready.len() >= PENDING_MAX
        {
            counters.throttled.add(1);
            return Err(CommandStatus::RTHROTTLED);
        }
        if submission.destination.digits.is_empty() {
            counters.refused.add(1);
            return Err(CommandStatus::RINVDSTADR);
        }
        if self.storms() {
            counters.throttled.add(1);
            return Err(CommandStatus::RTHROTTLED);
        }
        if let Some(status) = self.draw_error() {
            counters.refused.add(1);
            return Err(status);
        }
        let mut state = account.lock();
        if !state.admit(now) {
            counters.throttled.add(1);
            return Err(CommandStatus::RTHROTTLED);
        }
        let facets =
            [submission.source.digits.as_bytes(), submission.destination.digits.as_bytes(), &submission.text];
        match state.is_new(facets, submission.reference) {
            Some(true) => counters.distinct.add(1),
            Some(false) => counters.duplicates.add(1),
            None => counters.untracked.add(1),
        }
        counters.accepted.add(1);
        let number = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let mut id = IdText::default();
        settings.id_format.in_resp(number, &mut id);
        let final_state = self.draw_ending();
        let delay = settings.receipt_delay.draw(&mut self.random);
        let submitted_ms = unix_ms();
        if settings.remember > 0 {
            state.book.enter(Entry {
                number,
                source: COctets::from(submission.source.digits.as_bytes()),
                destination: COctets::from(submission.destination.digits.as_bytes()),
                state: final_state,
                done: now + delay,
                done_ms: submitted_ms.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)),
            });
        }
        drop(state);
        if shared.record.is_some() {
            self.note(&submission, &id, &account.system_id);
        }
        self.promise(submission, number, final_state, submitted_ms, now + delay, now);
        Ok(id)
    }

    fn note(&mut self, submission: &Submission, id: &IdText, system_id: &str) {
        Line {
            id: id.as_bytes(),
            system_id,
            source: submission.source.digits.as_bytes(),
            destination: submission.destination.digits.as_bytes(),
            esm_class: submission.esm_class.0,
            data_coding: submission.data_coding.0,
            registered_delivery: submission.registered_delivery.0,
            user_message_reference: submission.reference,
            text: &submission.text,
        }
        .write(&mut self.lines);
    }

    /// Puts the receipts that were asked for on the agenda.
    fn promise(
        &mut self,
        submission: Submission,
        number: u64,
        state: MessageState,
        submitted_ms: i64,
        due: Instant,
        now: Instant,
    ) {
        let wish = submission.registered_delivery;
        let final_wanted = match wish.receipt() {
            ReceiptWish::Never => false,
            ReceiptWish::Always => true,
            ReceiptWish::OnFailure => state != MessageState::DELIVERED,
            ReceiptWish::OnSuccess => state == MessageState::DELIVERED,
        };
        if !final_wanted && !wish.intermediate() {
            return;
        }
        let alphabet = submission.data_coding.alphabet();
        let excerpt = UserData::read(alphabet, submission.esm_class.udhi(), &submission.text)
            .map(|data| Excerpt::of(alphabet, data.text()))
            .unwrap_or_default();
        let message = Box::new(Message {
            number,
            source: submission.source,
            destination: submission.destination,
            excerpt,
            submitted_ms,
            done_ms: None,
            state,
        });
        if wish.intermediate() {
            let halfway = now + due.saturating_duration_since(now) / 2;
            self.schedule(halfway, now, Parcel::Intermediate(message.clone()));
        }
        if final_wanted {
            if !self.manners.is_polite() {
                self.beside(&message, due, now);
            }
            self.schedule(due, now, Parcel::Receipt(message));
        }
    }

    pub(super) fn schedule(&mut self, due: Instant, now: Instant, parcel: Parcel) {
        if due <= now {
            self.hand_over(parcel);
        } else {
            self.agenda.add(due, Later::Deliver(parcel));
        }
    }

    fn draw_error(&mut self) -> Option<CommandStatus> {
        let errors = &self.shared.settings.errors;
        if errors.is_empty() {
            return None;
        }
        let mut at = self.random.random_range(0..MILLION);
        errors.iter().find_map(|error| draw(&mut at, error.share).then_some(error.status))
    }

    fn draw_ending(&mut self) -> MessageState {
        let endings = &self.shared.settings.endings;
        if endings.is_empty() {
            return MessageState::DELIVERED;
        }
        let mut at = self.random.random_range(0..MILLION);
        let drawn = endings.iter().find_map(|(state, share)| draw(&mut at, *share).then_some(*state));
        drawn.unwrap_or(MessageState::DELIVERED)
    }
}

/// Whether `at` lies within a share; takes the share off otherwise.
fn draw(at: &mut u32, share: u32) -> bool {
    if *at < share {
        return true;
    }
    *at -= share;
    false
}

pub(super) fn write_answer(
    command: CommandId,
    sequence: u32,
    outcome: &Result<IdText, CommandStatus>,
    out: &mut BytesMut,
) {
    let written = match outcome {
        Err(status) => {
            encode_empty(out, command.response(), *status, sequence);
            Ok(())
        }
        Ok(id) if command == CommandId::DATA_SM => {
            let resp = DataSmResp { message_id: Some(COctets::from(id.as_bytes())), tlvs: Tlvs::EMPTY };
            resp.encode(out, CommandStatus::ROK, sequence)
        }
        Ok(id) => encode_resp(out, sequence, CommandStatus::ROK, id.as_bytes()),
    };
    if let Err(error) = written {
        tracing::warn!(%error, "an answer cannot be written");
    }
}

/// Answers and receipts that one session may owe; more submissions are throttled.
const PENDING_MAX: usize = 1_000_000;
