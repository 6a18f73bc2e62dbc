//! PDUs that come: what the rules of the session say to each, and who takes it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smpp_proto::error::Problem;
use smpp_proto::field::{CommandId, CommandStatus, InterfaceVersion, Tag as Tlv, Tlvs};
use smpp_proto::pdu::{self, BindKind, BindResp, Frame, Header, Lenience, Pdu, Reading, encode_empty};
use smpp_proto::session::{Moment, State, Traffic, Verdict};
use smpp_proto::{COctets, Tlv as Parameter};
use tracing::{debug, info};

use super::{Batch, Binding, Client, Dialect, Ended, Session};
use crate::esme::bind::{self, Answer, Asked, Bound};
use crate::esme::roster::{Leave, Orders};
use crate::esme::settings::DataSmOnReceiver;
use crate::link::LinkError;
use crate::link::sniff::Foreign;
use crate::policy::Refusal;

impl Session {
    /// Cuts PDUs out of what was read, as many as the window lets in; all of them become one batch.
    pub(super) fn take_frames(&mut self) -> Result<(), Ended> {
        let mut batch: Option<Batch> = None;
        let mut heard: Option<Traffic> = None;
        while self.may_cut(batch.as_ref()) {
            match self.link.next_frame() {
                Ok(Some(frame)) => {
                    let link = matches!(
                        frame.header.command,
                        CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP
                    );
                    heard = if link && heard.is_none() {
                        Some(Traffic::Link)
                    } else {
                        Some(Traffic::Transaction)
                    };
                    self.frame(&frame, &mut batch);
                }
                Ok(None) => {
                    if self.all_read {
                        self.close(Ended::PeerClosed);
                    }
                    break;
                }
                Err(error) => self.out_of_step(&error),
            }
        }
        if let Some(traffic) = heard {
            let now = Moment(self.shared.clock.monotonic());
            self.timers.on_received(traffic, now);
            self.timers.on_sent(traffic, now);
            self.alive();
        }
        if let Some(batch) = batch {
            self.submit(batch);
        }
        self.check_patience()
    }

    fn may_cut(&self, batch: Option<&Batch>) -> bool {
        self.binding.is_none()
            && self.closing.is_none()
            && !self.link.is_backlogged()
            && self.has_room(batch.map_or(0, |batch| batch.requests.len()))
    }

    /// Faults in a row, and talk before the bind, have bounds.
    fn check_patience(&mut self) -> Result<(), Ended> {
        let settings = &self.shared.settings;
        match &self.client {
            Some(client) if client.faults > settings.fault_budget => self.close(Ended::Faults),
            None if self.unbound_pdus > settings.max_unbound_pdus => self.close(Ended::Talkative),
            _ => {}
        }
        Ok(())
    }

    /// The stream cannot be cut any further (reference §6).
    fn out_of_step(&mut self, error: &LinkError) {
        let peer = self.link.peer();
        if let LinkError::Framing { error, foreign } = error {
            match foreign {
                Some(foreign) => self.tell_foreign(*foreign),
                None => {
                    let sequence = error.sequence();
                    let status = self.dialect().status(Refusal::BadLength);
                    encode_empty(self.link.out(), CommandId::GENERIC_NACK, status, sequence);
                }
            }
        }
        self.shared.metrics.pdu_refused(Refusal::BadLength.word());
        debug!(%peer, %error, "the stream is out of step");
        self.close(Ended::Framing);
    }

    /// Names another protocol in the log, each once: port scanners and health checks come again and again.
    fn tell_foreign(&self, foreign: Foreign) {
        self.shared.metrics.turned_away(foreign.word());
        let bit = 1 << (foreign as u8 & 7);
        if self.shared.foreign_seen.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            info!(peer = %self.link.peer(), "{foreign}; further ones are counted, not logged");
        }
    }

    fn frame(&mut self, frame: &Frame, batch: &mut Option<Batch>) {
        let header = frame.header;
        if self.client.is_none() {
            self.unbound_pdus += 1;
        }
        match self.rules.receive(header.command) {
            Verdict::Accept if header.command.is_response() => self.response(frame),
            Verdict::Accept => self.accept(frame, batch),
            Verdict::Respond(CommandStatus::RALYBND) => self.refuse(header, Refusal::AlreadyBound),
            Verdict::Respond(_) => self.refuse(header, Refusal::WrongBindState),
            Verdict::Nack(_) => self.refuse(header, Refusal::UnknownCommand),
            Verdict::Ignore => debug!(peer = %self.link.peer(), command = %header.command, "ignored"),
        }
    }

    fn accept(&mut self, frame: &Frame, batch: &mut Option<Batch>) {
        let header = frame.header;
        match header.command {
            CommandId::ENQUIRE_LINK => self.enquired(frame),
            CommandId::UNBIND => self.unbind(frame),
            command => match BindKind::of(command) {
                Some(kind) => self.bind(kind, frame),
                None => self.message(frame, batch),
            },
        }
    }

    /// A request that the rules refuse: the session stays.
    fn refuse(&mut self, header: Header, refusal: Refusal) {
        if let Some(client) = self.client.as_deref_mut() {
            client.faults += 1;
        }
        self.shared.metrics.pdu_refused(refusal.word());
        let dialect = self.dialect();
        let out = self.link.out();
        match refusal {
            Refusal::UnknownCommand => {
                encode_empty(out, CommandId::GENERIC_NACK, dialect.status(refusal), header.sequence);
            }
            // An error response to a bind never has parameters (conformance C-025).
            Refusal::AlreadyBound => {
                encode_empty(out, header.command.response(), dialect.status(refusal), header.sequence);
            }
            _ => dialect.refuse(out, header.command, header.sequence, refusal),
        }
    }

    /// That of the client, or of a session that is nobody's yet.
    fn dialect(&self) -> Dialect {
        let unbound = || Dialect::of(InterfaceVersion::V3_4, &self.shared.settings);
        self.client.as_ref().map_or_else(unbound, |client| client.dialect.clone())
    }

    fn message(&mut self, frame: &Frame, batch: &mut Option<Batch>) {
        let command = frame.header.command;
        // 3.4 lets a receiver send data_sm, which is a submission on a bind that otherwise never submits.
        let refuses = self.shared.settings.data_sm_on_receiver == DataSmOnReceiver::Refuse;
        if refuses && command == CommandId::DATA_SM && self.rules.state() == State::BoundRx {
            return self.refuse(frame.header, Refusal::WrongBindState);
        }
        let Some(client) = self.client.as_deref_mut() else { return };
        let shared = &self.shared;
        let batch = batch.get_or_insert_with(|| Batch::new(&shared.store, client, shared.clock.now()));
        let out = self.link.out();
        match command {
            CommandId::SUBMIT_SM => client.submit_sm(frame, batch, out),
            CommandId::DATA_SM => client.data_sm(frame, batch, out),
            CommandId::SUBMIT_MULTI => client.submit_multi(frame, batch, &shared.store, out),
            CommandId::QUERY_SM => client.query_sm(frame, batch, out),
            CommandId::CANCEL_SM => client.cancel_sm(frame, batch, out),
            CommandId::REPLACE_SM => client.replace_sm(frame, batch, out),
            // Cell broadcast is not offered (conformance C-207).
            _ => self.refuse(frame.header, Refusal::NotOffered),
        }
    }

    /// An answer to a request of ours. Those that nobody waits for are ignored (conformance C-054).
    fn response(&mut self, frame: &Frame) {
        let header = frame.header;
        match header.command {
            CommandId::UNBIND_RESP => {
                if let Some(leaving) = self.leaving.take() {
                    // Whatever its status (conformance C-081).
                    let _ = self.rules.unbound();
                    self.close(leaving.ended);
                }
            }
            CommandId::DELIVER_SM_RESP | CommandId::DATA_SM_RESP | CommandId::GENERIC_NACK => {
                let failed = header.command == CommandId::GENERIC_NACK && header.status.is_ok();
                let status = if failed { CommandStatus::RUNKNOWNERR } else { header.status };
                // One NUL is what stands there on paper.
                let plain = frame.body.as_ref() == [0] || frame.body.is_empty() && !header.status.is_ok();
                if !plain {
                    self.look_through(frame);
                }
                if let Some(client) = self.client.as_deref_mut() {
                    client.delivery_answered(header.sequence, status, &self.shared.clock);
                }
            }
            _ if !frame.body.is_empty() => {
                let _ = self.look_through(frame);
            }
            _ => {}
        }
    }

    /// Answered in any state; a flood of them is a fault (conformance C-057, C-064).
    fn enquired(&mut self, frame: &Frame) {
        let header = frame.header;
        let second = self.shared.clock.monotonic() / 1000;
        let count = if self.enquired.0 == second { self.enquired.1 + 1 } else { 1 };
        self.enquired = (second, count);
        if count > self.shared.settings.max_enquire_links
            && let Some(client) = self.client.as_deref_mut()
        {
            client.faults += 1;
        }
        let status = self.look_through(frame).map_or(CommandStatus::ROK, |refusal| refusal.status());
        encode_empty(self.link.out(), CommandId::ENQUIRE_LINK_RESP, status, header.sequence);
    }

    /// Notes what a PDU is forgiven whose body says nothing; gives the refusal of one that cannot be read. Whatever it
    /// is, the status of a response counts (conformance C-017, C-166).
    fn look_through(&mut self, frame: &Frame) -> Option<Refusal> {
        let header = frame.header;
        let Some(client) = self.client.as_deref_mut() else {
            let lenience = self.shared.settings.lenience.lenience();
            return Pdu::decode_with(frame.clone(), lenience).err().map(|fault| malformed(&fault.problem));
        };
        let mut reading = client.reading(&header);
        let read = Pdu::decode_noting(frame.clone(), &mut reading);
        client.forgave(reading.met, &header);
        let refusal = malformed(&read.err()?.problem);
        client.faults += 1;
        client.metrics.pdu_refused(refusal.word());
        Some(refusal)
    }

    /// What was asked before is answered first, then this (conformance C-079).
    fn unbind(&mut self, frame: &Frame) {
        let header = frame.header;
        if let Some(refusal) = self.look_through(frame) {
            let status = refusal.status();
            return encode_empty(self.link.out(), CommandId::UNBIND_RESP, status, header.sequence);
        }
        // The rules have just accepted it.
        let _ = self.rules.unbind_received();
        self.close(Ended::PeerUnbound);
        if let Some(closing) = &mut self.closing {
            closing.unbind = Some(header.sequence);
        }
    }

    /// What is forgiven in a bind whose credential may forgive it is asked when the credential is known.
    fn bind(&mut self, kind: BindKind, frame: &Frame) {
        let header = frame.header;
        if kind == BindKind::Transmitter && self.rules.state() == State::Outbound {
            // It was called to receive (SMPP 3.4 §2.2.1, 5.0 §2.3.2).
            self.shared.metrics.bind_refused(Refusal::BindTypeNotAllowed);
            let refusal = Refusal::BindTypeNotAllowed;
            return self.bind_refused(kind, header.sequence, refusal, Answer::to_anybody(refusal));
        }
        let lenience = self.shared.settings.lenience.lenience();
        let mut reading = Reading::new(bind::BY_CREDENTIAL.into_iter().fold(lenience, Lenience::with));
        header.note(&mut reading);
        match pdu::Bind::decode_with(frame.body.clone(), &mut reading) {
            Ok(request) => {
                let (peer, tls) = (self.link.peer(), self.link.tls_facts().is_some());
                let system_id = request.system_id.clone();
                let asked = Asked { kind, request, met: reading.met, peer, tls };
                let check = Box::pin(bind::check(Arc::clone(&self.shared), asked));
                self.binding = Some(Binding { kind, header, system_id, met: reading.met, check });
            }
            Err(problem) => {
                let refusal = malformed(&problem);
                self.shared.metrics.bind_refused(refusal);
                self.bind_refused(kind, header.sequence, refusal, Answer::to_anybody(refusal));
            }
        }
    }

    /// The check of a bind is done.
    pub(super) fn bind_checked(&mut self, checked: Result<Bound, Refusal>) {
        let Some(Binding { kind, header, system_id, met, .. }) = self.binding.take() else { return };
        match checked {
            Ok(bound) => {
                self.bound(kind, header.sequence, bound);
                if let Some(client) = self.client.as_deref_mut() {
                    client.forgave(met, &header);
                }
            }
            Err(refusal) => {
                let answer = Answer::to(&self.shared.store.policy(), &system_id, refusal);
                self.bind_refused(kind, header.sequence, refusal, answer);
            }
        }
    }

    /// 16 octets, or with our name where the account wants that; never with parameters (conformance C-025).
    fn bind_refused(&mut self, kind: BindKind, sequence: u32, refusal: Refusal, answer: Answer) {
        let name = COctets::from(self.shared.settings.system_id.as_str());
        let resp = BindResp { system_id: answer.with_body.then_some(name), ..BindResp::default() };
        if resp.encode(self.link.out(), kind, answer.status, sequence).is_err() {
            encode_empty(self.link.out(), kind.command().response(), answer.status, sequence);
        }
        self.failed_binds += 1;
        if bind::closes(refusal) || self.failed_binds >= self.shared.settings.bind_attempts {
            self.close(Ended::BindRefused(refusal));
        }
    }

    fn bound(&mut self, kind: BindKind, sequence: u32, bound: Bound) {
        let facts = bound.facts();
        let version = facts.version;
        info!(account = facts.account_name, system_id = facts.system_id, kind = %facts.kind, peer = %facts.peer,
            tls = facts.tls, version = %version, "bound");
        let mut tlvs = Tlvs::new();
        if version.takes_tlvs() {
            tlvs.push(Parameter::u8(Tlv::SC_INTERFACE_VERSION, self.shared.settings.version.0));
        }
        let system_id = Some(COctets::from(self.shared.settings.system_id.as_str()));
        let resp = BindResp { system_id, tlvs };
        if resp.encode(self.link.out(), kind, CommandStatus::ROK, sequence).is_err() {
            // Our own name is within its bounds: settings were checked.
            encode_empty(self.link.out(), kind.command().response(), CommandStatus::ROK, sequence);
        }
        // A check runs only in a state that may bind.
        let _ = self.rules.bound(kind, version);
        self.timers.on_bound(Moment(self.shared.clock.monotonic()));
        self.link.limit_pdu(self.shared.settings.max_pdu);
        self.visitor.bound();
        let mut client = Box::new(Client::new(bound, &self.shared));
        let policy = self.shared.store.policy();
        let account = policy.account(client.bound.facts().account);
        client.suit(&policy, account);
        self.client = Some(client);
        if *self.stopping.borrow() {
            // Everybody else was told while this bind was checked.
            self.obey(Orders { leave: Some(Leave::Draining), ..Orders::default() });
        }
    }
}

fn malformed(problem: &Problem) -> Refusal {
    Refusal::Malformed(problem.status())
}
