//! What comes from an operator: answers go their way; here is what it asks of us, deliveries, enquire_link and unbind
//! (SMPP 3.4 §4.6, §4.7, §4.11, §4.2).

use bytes::Bytes;
use smpp_proto::pdu::{DataSmResp, Frame, Header, deliver, encode_empty};
use smpp_proto::session::{Moment, Traffic, Verdict};
use smpp_proto::{CommandId, CommandStatus};

use super::pull::SENDING;
use super::{Bound, Lost, Now};
use crate::account::{AccountId, InboundParts};
use crate::link::LinkError;
use crate::message::InboundPart;
use crate::policy::route::keyword;
use crate::policy::{Taker, Takers};
use crate::smsc::deliver::Arrival;
use crate::store::{Kept, Note};

/// Tags of data_sm; the sequence number is in the lower half, deliver_sm has nothing in the upper.
const DATA_SM: u64 = 1 << 32;

impl Bound {
    /// Cuts and understands what was read.
    pub(super) fn read(&mut self, now: Now) -> Result<(), Lost> {
        loop {
            match self.link.next_frame() {
                Ok(Some(frame)) => self.understand(frame, now)?,
                Ok(None) => return Ok(()),
                Err(LinkError::Framing { error, foreign }) => {
                    let sequence = error.sequence();
                    encode_empty(
                        self.link.out(),
                        CommandId::GENERIC_NACK,
                        CommandStatus::RINVCMDLEN,
                        sequence,
                    );
                    return Err(Lost::Link(LinkError::Framing { error, foreign }));
                }
                Err(error) => return Err(Lost::Link(error)),
            }
        }
    }

    fn understand(&mut self, frame: Frame, now: Now) -> Result<(), Lost> {
        let Header { command, status, sequence, .. } = frame.header;
        let link_only = matches!(command, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP);
        self.timers.on_received(if link_only { Traffic::Link } else { Traffic::Transaction }, now.moment);
        match command {
            CommandId::SUBMIT_SM_RESP => self.submit_answered(frame, now),
            CommandId::QUERY_SM_RESP => self.question_answered(frame, now),
            CommandId::GENERIC_NACK => self.nacked(status, sequence, now)?,
            CommandId::UNBIND_RESP if self.leave.is_unbinding() => return Err(Lost::Left),
            // The peer is alive, and a response that nobody asked for changes nothing (conformance C-054).
            other if other.is_response() => {
                let _ = self.look_through(&frame);
            }
            _ => self.requested(&frame, now),
        }
        Ok(())
    }

    /// A request of the operator.
    fn requested(&mut self, frame: &Frame, now: Now) {
        let (command, sequence) = (frame.header.command, frame.header.sequence);
        let verdict = self.session.receive(command);
        if let Some((command, status)) = verdict.answer(command) {
            encode_empty(self.link.out(), command, status, sequence);
        }
        if verdict != Verdict::Accept {
            return;
        }
        match command {
            CommandId::DELIVER_SM | CommandId::DATA_SM => self.delivered(frame, now),
            CommandId::ENQUIRE_LINK => {
                let status = self.look_through(frame);
                encode_empty(self.link.out(), CommandId::ENQUIRE_LINK_RESP, status, sequence);
            }
            CommandId::UNBIND => self.asked_to_leave(sequence, now),
            // alert_notification is not answered (SMPP 3.4 §4.12); nobody here waits for phones to come back.
            _ => {}
        }
    }

    fn delivered(&mut self, frame: &Frame, now: Now) {
        let header = frame.header;
        let (command, sequence) = (header.command, header.sequence);
        let tag = u64::from(sequence) | if command == CommandId::DATA_SM { DATA_SM } else { 0 };
        let mut reading = self.reads(&header);
        let arrival = self.reading.read(frame, now.at, self.session.version(), &mut reading);
        self.forgave(reading.met, &header);
        let note = match arrival {
            Ok(Arrival::Receipt { report, delay }) => {
                self.shared.metrics.receipt(report.state, delay);
                Note::Receipt { tag, report }
            }
            Ok(Arrival::Nameless) => {
                // Again would be as nameless: it is acknowledged, so that the operator does not send it for days.
                self.shared.metrics.unreadable.inc();
                self.shared.complaints.nameless(&self.shared.settings.name, now.moment);
                self.answer(tag, CommandStatus::ROK);
                return;
            }
            Ok(Arrival::Mo { to, body, part }) => match self.inbound(tag, &to, body, part) {
                Some(note) => self.stored(note),
                None => return self.nobody(tag, &to, now),
            },
            Ok(Arrival::MoData { to, body }) => match self.taker(&to, || keyword::of_data(&body)) {
                Some(taker) => self.stored(Note::MoData { tag, taker, pdu: body }),
                None => return self.nobody(tag, &to, now),
            },
            Err(error) => {
                self.shared.metrics.unreadable.inc();
                tracing::warn!(upstream = %self.shared.settings.name, %error, "a delivery cannot be read");
                self.answer(tag, error.status());
                return;
            }
        };
        self.notes.push(note);
        self.tagged = true;
    }

    /// A message from a phone, or a part of one that is needed whole: for its account, or to find out by its first word
    /// whose it is. Nothing when nobody takes it.
    fn inbound(&self, tag: u64, to: &[u8], pdu: Bytes, part: Option<Box<InboundPart>>) -> Option<Note> {
        let policy = self.shared.store.policy();
        let takers = policy.mo_routes().takers(to);
        let joins = |account: AccountId| {
            policy.account(account).is_some_and(|whose| whose.terms.inbound_parts == InboundParts::Join)
        };
        match (takers, part) {
            (Takers::Nobody, _) => None,
            (Takers::One(taker), Some(part)) if joins(taker.account) => {
                // Where one credential alone may take it, that is looked up again when it is whole.
                let account = Some(taker.account).filter(|_| taker.receiver.is_none());
                Some(Note::MoPart { tag, account, part, pdu })
            }
            (Takers::One(taker), _) => Some(Note::Mo { tag, taker, pdu }),
            (Takers::ByKeyword, part) => {
                // Only the first part has the first word. When nobody wants that, nobody will ever take the message.
                let tells = part.as_ref().is_none_or(|part| part.part == 1);
                let word = if tells { keyword::of_deliver(&pdu) } else { None };
                let taker = policy.mo_routes().taker(to, word.as_deref());
                match part {
                    Some(part) if taker.is_some() || !tells => {
                        Some(Note::MoPart { tag, account: None, part, pdu })
                    }
                    Some(_) => None,
                    None => Some(Note::Mo { tag, taker: taker?, pdu }),
                }
            }
        }
    }

    /// Who gets a message that is whole.
    fn taker(&self, to: &[u8], keyword: impl FnOnce() -> Option<String>) -> Option<Taker> {
        let policy = self.shared.store.policy();
        match policy.mo_routes().takers(to) {
            Takers::Nobody => None,
            Takers::One(taker) => Some(taker),
            Takers::ByKeyword => policy.mo_routes().taker(to, keyword().as_deref()),
        }
    }

    fn stored(&self, note: Note) -> Note {
        self.shared.metrics.inbound("stored");
        note
    }

    /// Nobody takes it: the operator has its answer.
    fn nobody(&mut self, tag: u64, to: &[u8], now: Now) {
        // ESME_ROK would drop it silently, a temporary status would bring it back for days: the operator hears that
        // nobody will ever take it.
        self.shared.metrics.inbound("nobody");
        self.shared.complaints.nobody(&self.shared.settings.name, to, now.moment);
        self.answer(tag, CommandStatus::RX_R_APPN);
    }

    /// Tags came back: what they name is durable and may be answered (conformance C-226, C-227), or is not.
    pub(super) fn durable(&mut self, kept: Kept) {
        self.awaited = self.awaited.saturating_sub(1);
        if !kept.durable {
            // The store is in trouble; asking it again at once would not help.
            self.not_before = Moment(self.shared.clock.monotonic() + PAUSE_MS);
        }
        let status = if kept.durable { CommandStatus::ROK } else { CommandStatus::RX_T_APPN };
        for tag in kept.tags {
            if tag & SENDING != 0 {
                self.marked(kept.durable);
            } else {
                self.answer(tag, status);
            }
        }
    }

    fn answer(&mut self, tag: u64, status: CommandStatus) {
        let [_, _, _, _, sequence @ ..] = tag.to_be_bytes();
        let sequence = u32::from_be_bytes(sequence);
        let out = self.link.out();
        if tag & DATA_SM == 0 {
            deliver::encode_resp(out, sequence, status);
        } else if DataSmResp::default().encode(out, status, sequence).is_err() {
            encode_empty(out, CommandId::DATA_SM_RESP, status, sequence);
        }
    }
}

/// How long a bind pulls nothing after the store could not write, in milliseconds.
const PAUSE_MS: u64 = 1_000;
