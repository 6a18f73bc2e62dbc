//! One connection to the practice operator: what comes in, what goes out, and when.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{BufMut, Bytes, BytesMut};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use smpp_proto::field::{COctets, InterfaceVersion};
use smpp_proto::pdu::{Bind, BindKind, BindResp, encode_empty};
use smpp_proto::session::{self, Moment, Role, Verdict, Window, WindowSettings};
use smpp_proto::{Body, CommandId, CommandStatus, Frame, Pdu, Tag, Tlv, Tlvs};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::account::Account;
use super::agenda::Agenda;
use super::deliver::Parcel;
use crate::link::{Io, Link, LinkError};
use crate::sim::hostile::{Hostile, Manners, Mode};
use crate::sim::receipt::Scribe;

/// The state of one connection. Its parts are spread over this room's files by what they are for.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) shared: Arc<Shared>,
    pub(super) account: Option<Arc<Account>>,
    pub(super) rules: session::Session,
    pub(super) random: SmallRng,
    pub(super) started: Instant,
    pub(super) scribe: Scribe,
    pub(super) manners: Manners,
    /// What they were made of; when that changes they are made anew.
    manners_of: Arc<Vec<Hostile>>,
    /// Unanswered deliver_sm.
    pub(super) window: Window<Parcel>,
    /// Due to be delivered as soon as the window allows.
    pub(super) ready: VecDeque<Parcel>,
    pub(super) agenda: Agenda<Later>,
    /// Submissions that came in, for the manners.
    pub(super) submits: u64,
    /// Answers in the agenda.
    pub(super) unanswered: usize,
    /// Answers of this batch, kept back to be sent in reverse.
    pub(super) reversed: Vec<Bytes>,
    pub(super) lines: String,
    pub(super) mo_owed: f64,
    pub(super) mo_at: Instant,
    last_enquiry: Instant,
    drip: BytesMut,
    end: Option<End>,
}

/// Something to do later.
#[derive(Debug)]
pub(super) enum Later {
    /// Send this answer.
    Answer(Bytes),
    /// Deliver this.
    Deliver(Parcel),
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Write what waits, then close.
    Flushed,
    /// Close at once.
    Abrupt,
}

impl Session {
    pub(super) fn new(link: Link, shared: Arc<Shared>) -> Self {
        let settings = &shared.settings;
        let window = WindowSettings { size: settings.window, response: settings.deliver_timeout };
        let now = Instant::now();
        Self {
            rules: session::Session::new(Role::Mc, InterfaceVersion::V5_0),
            account: None,
            random: SmallRng::from_rng(&mut rand::rng()),
            started: now,
            scribe: Scribe::new(settings.receipt.clone(), settings.id_format),
            manners: Manners::of(&shared.hostile.load()),
            manners_of: shared.hostile.load_full(),
            window: Window::new(window),
            ready: VecDeque::new(),
            agenda: Agenda::new(),
            submits: 0,
            unanswered: 0,
            reversed: Vec::new(),
            lines: String::new(),
            mo_owed: 0.0,
            mo_at: now,
            last_enquiry: now,
            drip: BytesMut::new(),
            end: None,
            link,
            shared,
        }
    }

    /// Serves the connection to its end.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let outcome = self.serve(&mut stopped).await;
        let peer = self.link.peer();
        match &outcome {
            Ok(()) => tracing::debug!(%peer, "closed"),
            Err(error) => tracing::info!(%peer, %error, "closed"),
        }
        if let Err(LinkError::Framing { error, .. }) = &outcome {
            let (nack, status) = (CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN);
            encode_empty(self.link.out(), nack, status, error.sequence());
        }
        self.leave();
        if self.end != Some(End::Abrupt) {
            self.link.close(LINGER).await;
        }
    }

    async fn serve(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<(), LinkError> {
        let account_wake = |account: Option<Arc<Account>>| async move {
            match account {
                Some(account) => account.wake.notified().await,
                None => std::future::pending().await,
            }
        };
        while self.end.is_none() {
            self.pump();
            self.slow_down();
            let wants_read = !self.manners.has(Mode::StopReading, self.submits);
            let wake = self.next_wake();
            let mail = self.account.clone().filter(|_| self.may_receive() && self.window.room() > 0);
            tokio::select! {
                io = self.link.io(wants_read) => match io? {
                    Io::Closed => break,
                    Io::Moved { read: 0, .. } => {}
                    Io::Moved { .. } => self.take_frames()?,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    self.link.check_limits(Instant::now())?;
                    self.on_time();
                }
                () = account_wake(mail) => {}
                _ = stopped.changed() => {
                    if self.rules.state().is_bound() {
                        let sequence = self.window.number();
                        encode_empty(self.link.out(), CommandId::UNBIND, CommandStatus::ROK, sequence);
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads every PDU that is there, then puts the record on its way before any answer leaves.
    fn take_frames(&mut self) -> Result<(), LinkError> {
        self.renew_manners();
        while self.end.is_none()
            && let Some(frame) = self.link.next_frame()?
        {
            self.take(frame);
        }
        self.flush_reversed();
        if let Some(record) = &self.shared.record {
            if let Err(error) = record.append(&self.lines) {
                tracing::error!(%error, "the record cannot be written; closing");
                self.end = Some(End::Abrupt);
            }
            self.lines.clear();
        }
        Ok(())
    }

    /// Takes manners that were changed meanwhile; they count submissions from here.
    fn renew_manners(&mut self) {
        let now = self.shared.hostile.load();
        if !Arc::ptr_eq(&now, &self.manners_of) {
            self.manners = Manners::of(&now);
            self.manners_of = Arc::clone(&now);
            self.submits = 0;
        }
    }

    fn take(&mut self, frame: Frame) {
        if self.manners.has(Mode::SilentBind, self.submits) {
            return;
        }
        let header = frame.header;
        if header.command == CommandId::DELIVER_SM_RESP || header.command == CommandId::DATA_SM_RESP {
            return self.delivered(header.sequence, header.status);
        }
        match self.rules.receive(header.command) {
            Verdict::Accept => {}
            verdict => {
                self.shared.counters.malformed.add(1);
                if let Some((command, status)) = verdict.answer(header.command) {
                    encode_empty(self.link.out(), command, status, header.sequence);
                }
                return;
            }
        }
        match Pdu::decode(frame) {
            Ok(pdu) => self.act(pdu),
            Err(fault) => {
                self.shared.counters.malformed.add(1);
                if let Some((command, status)) = fault.answer() {
                    encode_empty(self.link.out(), command, status, header.sequence);
                }
            }
        }
    }

    fn act(&mut self, pdu: Pdu) {
        let sequence = pdu.sequence;
        let out = self.link.out();
        match pdu.body {
            Body::SubmitSm(submit) => self.submit(sequence, submit.into()),
            Body::DataSm(data) => self.submit(sequence, data.into()),
            Body::SubmitMulti(multi) => self.submit_multi(sequence, multi),
            Body::QuerySm(query) => self.query(sequence, &query),
            Body::CancelSm(cancel) => self.cancel(sequence, &cancel),
            Body::ReplaceSm(replace) => self.replace(sequence, &replace),
            Body::BindReceiver(bind) => self.bind(sequence, BindKind::Receiver, &bind),
            Body::BindTransmitter(bind) => self.bind(sequence, BindKind::Transmitter, &bind),
            Body::BindTransceiver(bind) => self.bind(sequence, BindKind::Transceiver, &bind),
            Body::EnquireLink(_) => {
                self.shared.counters.enquiries.add(1);
                if !self.manners.has(Mode::IgnoreEnquire, self.submits) {
                    encode_empty(out, CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence);
                }
            }
            Body::Unbind(_) => {
                encode_empty(out, CommandId::UNBIND_RESP, CommandStatus::ROK, sequence);
                self.end = Some(End::Flushed);
            }
            // Our own unbind, answered.
            Body::UnbindResp(_) => self.end = Some(End::Flushed),
            Body::GenericNack(_) => self.delivered(sequence, pdu.status),
            other if other.command().is_response() => {}
            other => {
                let status = CommandStatus::RINVCMDID;
                encode_empty(self.link.out(), CommandId::GENERIC_NACK, status, sequence);
                tracing::debug!(command = %other.command(), "not known here");
            }
        }
    }

    fn bind(&mut self, sequence: u32, kind: BindKind, bind: &Bind) {
        let settings = &self.shared.settings;
        let known = settings.users.is_empty()
            || settings.users.iter().any(|user| {
                bind.system_id == user.system_id.as_str() && user.password.matches(bind.password.expose())
            });
        if !known {
            self.shared.counters.binds_refused.add(1);
            let command = kind.command().response();
            encode_empty(self.link.out(), command, CommandStatus::RBINDFAIL, sequence);
            return;
        }
        if self.manners.has(Mode::AlreadyBound, self.submits) {
            self.shared.counters.binds_refused.add(1);
            encode_empty(self.link.out(), kind.command().response(), CommandStatus::RALYBND, sequence);
            return;
        }
        let version = bind.interface_version.agreed(InterfaceVersion::V5_0);
        if self.rules.bound(kind, version).is_err() {
            return;
        }
        let mut tlvs = Tlvs::new();
        if version.takes_tlvs() {
            tlvs.push(Tlv::u8(Tag::SC_INTERFACE_VERSION, InterfaceVersion::V5_0.0));
        }
        let resp = BindResp { system_id: Some(COctets::from(settings.name.as_str())), tlvs };
        if resp.encode(self.link.out(), kind, CommandStatus::ROK, sequence).is_err() {
            self.end = Some(End::Abrupt);
        }
        let account = self.shared.account(&bind.system_id.to_text());
        if self.may_receive() {
            account.receivers.fetch_add(1, Ordering::Relaxed);
        }
        self.account = Some(account);
        self.mo_at = Instant::now();
        self.shared.counters.binds.add(1);
        self.shared.counters.bound.add(1);
        if self.manners.has(Mode::CloseAfterBind, self.submits) {
            self.end = Some(End::Flushed);
        }
    }

    /// What falls due now.
    fn on_time(&mut self) {
        let now = Instant::now();
        while let Some(later) = self.agenda.take_due(now) {
            match later {
                Later::Answer(answer) => {
                    self.unanswered -= 1;
                    self.link.out().put_slice(&answer);
                }
                Later::Deliver(parcel) => self.hand_over(parcel),
            }
        }
        self.expire_deliveries(now);
        if let Some(idle) = self.shared.settings.enquire_link
            && now >= self.link.last_read().max(self.last_enquiry) + idle
        {
            self.last_enquiry = now;
            let sequence = self.window.number();
            encode_empty(self.link.out(), CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
        }
        if let Some(octet) = self.drip.first().copied() {
            let _ = self.drip.split_to(1);
            self.link.out().put_u8(octet);
        }
    }

    /// When to look again without any input.
    fn next_wake(&self) -> Option<Instant> {
        let enquire = self.shared.settings.enquire_link;
        [
            self.agenda.next_due(),
            self.link.deadline(),
            self.window.deadline().map(|due| self.started + Duration::from_millis(due.0)),
            enquire.map(|idle| self.link.last_read().max(self.last_enquiry) + idle),
            self.next_mo(),
            (!self.drip.is_empty()).then(|| Instant::now() + DRIP_PAUSE),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Holds the output back, to send it octet by octet.
    fn slow_down(&mut self) {
        if self.manners.has(Mode::SlowBytes, self.submits) && self.link.pending_out() > 1 {
            let octets = self.link.out().split();
            self.drip.unsplit(octets);
        }
    }

    /// Leaves what was not delivered to the other sessions of the account.
    fn leave(&mut self) {
        let Some(account) = self.account.take() else { return };
        self.shared.counters.bound.take_one();
        if self.may_receive() {
            account.receivers.fetch_sub(1, Ordering::Relaxed);
        }
        let unsure: Vec<Parcel> = self.window.drain().map(|(_, parcel)| parcel).collect();
        self.shared.counters.receipts_repeated.add(unsure.len() as u64);
        let waiting = self.agenda.take_all().filter_map(|later| match later {
            Later::Deliver(parcel) => Some(parcel),
            Later::Answer(_) => None,
        });
        let left = unsure.into_iter().chain(std::mem::take(&mut self.ready)).chain(waiting);
        self.shared.counters.receipts_dropped.add(account.post(left));
    }

    pub(super) fn close(&mut self, end: End) {
        self.end = Some(end);
    }

    /// Whether deliver_sm may go to this session.
    pub(super) fn may_receive(&self) -> bool {
        self.rules.may_send(CommandId::DELIVER_SM)
    }

    pub(super) fn moment(&self, now: Instant) -> Moment {
        Moment(u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX))
    }
}

/// The wall clock, in milliseconds since 1970.
pub(super) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How long a farewell may take.
const LINGER: Duration = Duration::from_secs(1);
/// Between two octets of a slow peer.
const DRIP_PAUSE: Duration = Duration::from_millis(2);
