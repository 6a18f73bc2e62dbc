//! What an operator answers to a submit or a question, and what follows for message and bind (SMPP 3.4 §4.4.2, §5.1.3).

use bytes::Bytes;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{Frame, QuerySmResp, SubmitSmResp};
use smpp_proto::session::Moment;
use smpp_proto::{CommandStatus, Tag};

use super::{Bound, Flight, Lost, Now};
use crate::message::retry::Answer;
use crate::message::{Message, Reason, State};
use crate::policy::route::{sends_on, way_of};
use crate::smsc::settings::InDoubt;
use crate::store::Note;

/// Times that a message hears "too much" of one operator before it goes to another that is up.
const ENOUGH: u32 = 4;

impl Bound {
    pub(super) fn submit_answered(&mut self, frame: Frame, now: Now) {
        let status = frame.header.status;
        let Some(flight) = self.flight(frame.header.sequence) else { return };
        self.shared.metrics.answered(status, now.moment.since(flight.sent));
        if !status.is_ok() || flight.question {
            self.refused(flight, status, now);
            return;
        }
        // A body that cannot be read is none: the status is what counts (conformance C-221, C-222).
        let mut reading = self.reads(&frame.header);
        let resp = SubmitSmResp::decode_with(frame.body, status, &mut reading).unwrap_or_default();
        self.forgave(reading.met, &frame.header);
        self.pace.taken(now.moment);
        if self.session.version() >= InterfaceVersion::V5_0
            && let Some(state) = resp.tlvs.u8(Tag::CONGESTION_STATE)
        {
            self.pace.congestion(state, flight.sent, now.moment);
        }
        self.taken(flight, resp.message_id.map(|id| id.into_bytes()).unwrap_or_default(), now);
    }

    /// The request that a response belongs to, also if its time was over (conformance C-063).
    fn flight(&mut self, sequence: u32) -> Option<Flight> {
        if let Some(flight) = self.window.complete(sequence) {
            return Some(flight);
        }
        let place = self.overdue.iter().position(|overdue| overdue.sequence == sequence)?;
        self.shared.metrics.late.inc();
        self.overdue.remove(place).map(|overdue| overdue.flight)
    }

    fn taken(&mut self, flight: Flight, id: Bytes, now: Now) {
        let Flight { mut message, part, receipt_expected, .. } = flight;
        if id.is_empty() {
            tracing::debug!(upstream = %self.shared.settings.name, message = %message.id, "taken without an id");
        }
        let receipt_expected = receipt_expected && !id.is_empty();
        if self.shared.settings.in_doubt == InDoubt::Query {
            self.shared.known_ids.add(&id);
        }
        self.notes.push(Note::Taken { message: message.id, part, id, receipt_expected, at: now.at });
        if part > 0 && part < message.parts {
            message.parts_sent = part;
            message.in_doubt = false;
            self.go_on(message);
        }
    }

    /// The next part of a long message goes before anything new.
    fn go_on(&mut self, message: Message) {
        if !self.leave.is_no() {
            self.returned.push(message);
        } else if self.shared.settings.in_doubt.is_noted() {
            self.mark(message);
        } else {
            self.held.push_back(message);
        }
    }

    fn refused(&mut self, flight: Flight, status: CommandStatus, now: Now) {
        let Flight { message, sent, .. } = flight;
        let answer = self.shared.settings.retry.read(status);
        if answer == Answer::SlowDown {
            self.slow_down(sent, status, now);
        }
        let goes_on = matches!(answer, Answer::SlowDown | Answer::Later)
            && sends_on(&self.shared.store.policy(), &message, self.shared.id, status.0);
        match answer {
            _ if goes_on => self.end_rest(&message, State::Rejected, Reason::OperatorRejected, status.0, now),
            // Only a question can come here with a good status, answered as if it were a submit.
            Answer::Taken => self.returned.push(message),
            Answer::SlowDown if self.has_had_enough(&message, now) => self.put_off(&message, status.0, now),
            Answer::SlowDown => self.returned.push(message),
            Answer::Later => self.put_off(&message, status.0, now),
            Answer::Refused => {
                self.end_rest(&message, State::Rejected, Reason::OperatorRejected, status.0, now);
            }
            Answer::SessionBroken => {
                self.returned.push(message);
                self.begin_anew(now);
            }
        }
    }

    /// The operator says that it is too much.
    fn slow_down(&mut self, sent: Moment, status: CommandStatus, now: Now) {
        self.shared.metrics.throttled.inc();
        if self.pace.throttled(sent, now.moment) {
            let rate = self.pace.adapted();
            tracing::debug!(upstream = %self.shared.settings.name, bind = %self.place, %status, rate, "throttled");
        }
    }

    /// Whether a message that is too much for this operator goes to another: after some refusals in a row of this message,
    /// or of all that it was given.
    fn has_had_enough(&self, message: &Message, now: Now) -> bool {
        let refusals = self.shared.objections.count(message.id);
        if refusals.max(self.pace.rounds_in_vain()) < ENOUGH || message.parts_sent > 0 {
            return false;
        }
        let way = way_of(&self.shared.store.policy(), message, now.at).unwrap_or_default();
        let is_elsewhere = self.shared.roster.next_up(&way, self.shared.id).is_some();
        if is_elsewhere {
            self.shared.objections.forget(message.id);
        }
        is_elsewhere
    }

    /// A request was not understood (SMPP 3.4 §4.3). Bad lengths mean that the two ends are out of step.
    pub(super) fn nacked(&mut self, status: CommandStatus, sequence: u32, now: Now) -> Result<(), Lost> {
        let Some(flight) = self.flight(sequence) else { return Ok(()) };
        if flight.question {
            self.believe_lost(flight.message);
            return Ok(());
        }
        self.shared.metrics.answered(status, now.moment.since(flight.sent));
        if status == CommandStatus::RINVCMDLEN {
            self.put_off(&flight.message, status.0, now);
            return Err(Lost::OutOfStep);
        }
        // A nack with status 0 says no all the same.
        let status = if status.is_ok() { CommandStatus::RUNKNOWNERR } else { status };
        self.refused(flight, status, now);
        Ok(())
    }

    pub(super) fn question_answered(&mut self, frame: Frame, now: Now) {
        let status = frame.header.status;
        let Some(flight) = self.flight(frame.header.sequence) else { return };
        let mut reading = self.reads(&frame.header);
        let resp = QuerySmResp::decode_with(frame.body, status, &mut reading).unwrap_or_default();
        self.forgave(reading.met, &frame.header);
        let id = resp.message_id.map(|id| id.into_bytes()).filter(|id| status.is_ok() && !id.is_empty());
        match id {
            // The doubt ends well: it had arrived, under this id.
            Some(id) if flight.question && self.shared.known_ids.add(&id) => self.taken(flight, id, now),
            _ => self.believe_lost(flight.message),
        }
    }

    /// Not now: the message is tried again, at the next operator of its route that is up, else here. The first round
    /// over the operators goes without a pause. What a phone has parts of stays with the operator that brought them: it
    /// joins nothing that comes with two references, or from two sources.
    fn put_off(&mut self, message: &Message, error: u32, now: Now) {
        let attempts = message.attempts.saturating_add(1);
        let here = self.shared.id;
        let (mut upstream, mut pause) = (here, self.shared.settings.retry.pause(attempts));
        if message.parts_sent == 0 {
            let way = way_of(&self.shared.store.policy(), message, now.at).unwrap_or_default();
            let next = self.shared.roster.next_up(&way, here);
            let Some(stays) = way.iter().find(|id| **id == here).or(way.first()) else {
                self.end_rest(message, State::Rejected, Reason::NoRoute, error, now);
                return;
            };
            upstream = next.unwrap_or(*stays);
            if next.is_some() && usize::from(attempts) < way.len() {
                pause = std::time::Duration::ZERO;
            }
        }
        let due = now.at + pause;
        self.notes.push(Note::Later { message: message.id, due, upstream, error, in_doubt: false });
    }
}
