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
            Ok(Arrival::Mo { to, body, part }) => match self.taker(tag, &to, now) {
                Some(account) => self.inbound(tag, account, body, part),
                None => return,
            },
            Ok(Arrival::MoData { to, body }) => match self.taker(tag, &to, now) {
                Some(account) => Note::MoData { tag, account, pdu: body },
                None => return,
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

    /// A message from a phone, or a part of one for an account that wants it whole.
    fn inbound(&self, tag: u64, account: AccountId, pdu: Bytes, part: Option<Box<InboundPart>>) -> Note {
        let policy = self.shared.store.policy();
        let joins =
            policy.account(account).is_some_and(|whose| whose.terms.inbound_parts == InboundParts::Join);
        match part {
            Some(part) if joins => Note::MoPart { tag, account, part, pdu },
            _ => Note::Mo { tag, account, pdu },
        }
    }

    /// Whose the messages from phones to this number are. When nobody's, the operator has its answer.
    fn taker(&mut self, tag: u64, to: &[u8], now: Now) -> Option<AccountId> {
        let account = self.shared.store.policy().mo_account(to);
        if account.is_some() {
            self.shared.metrics.inbound("stored");
        } else {
            // ESME_ROK would drop it silently, a temporary status would bring it back for days: the operator hears
            // that nobody will ever take it.
            self.shared.metrics.inbound("nobody");
            self.shared.complaints.nobody(&self.shared.settings.name, to, now.moment);
            self.answer(tag, CommandStatus::RX_R_APPN);
        }
        account
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
