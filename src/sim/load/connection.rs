//! One connection of the load client: keeps its window full, notes every answer, answers every delivery.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::CreationError;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use smpp_proto::field::flags::MessageType;
use smpp_proto::field::{COctets, EsmClass, MessageState};
use smpp_proto::pdu::{BindKind, DataSm, DeliverSm, deliver, encode_empty};
use smpp_proto::session::{Moment, Window, WindowSettings};
use smpp_proto::text::receipt::{Receipt, plain};
use smpp_proto::{CommandId, CommandStatus, Frame, Tag, Tlvs};
use tokio::sync::watch;
use tokio::time::sleep;

use super::course::Shared;
use super::ledger::Ledger;
use super::report::Tally;
use super::submits::Addresses;
use crate::link::{Io, Link, LinkError};

/// One bound connection and its counts.
#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    shared: Arc<Shared>,
    random: SmallRng,
    window: Window<Sent>,
    tally: Tally,
    /// Submissions that the rate allows now.
    owed: f64,
    refilled: Instant,
    /// Parts not yet answered, and whether all were accepted so far, of each message of several parts.
    wholes: Vec<(u32, bool)>,
    free_wholes: Vec<u32>,
    addresses: Addresses,
    lines: String,
    is_done: bool,
}

/// What is remembered of a submission.
#[derive(Debug)]
struct Sent {
    at: Instant,
    whole: u32,
    destination: Option<Box<[u8]>>,
}

impl Connection {
    pub(super) fn new(
        link: Link,
        kind: BindKind,
        place: u64,
        shared: Arc<Shared>,
    ) -> Result<Self, CreationError> {
        let size = u16::try_from(shared.settings.window).unwrap_or(WindowSettings::MOST);
        let window = Window::new(WindowSettings { size, response: Duration::from_secs(3600) });
        Ok(Self {
            link,
            random: SmallRng::seed_from_u64(rand::random::<u64>() ^ place),
            window,
            tally: Tally::new()?,
            owed: 0.0,
            refilled: shared.started,
            wholes: Vec::new(),
            free_wholes: Vec::new(),
            addresses: Addresses::default(),
            lines: String::new(),
            is_done: kind == BindKind::Receiver,
            shared,
        })
    }

    /// Submits and receives until it is told to finish; gives its counts, and why it ended too early if it did.
    pub(super) async fn run(mut self, mut finished: watch::Receiver<bool>) -> (Tally, Result<(), String>) {
        let outcome = self.work(&mut finished).await;
        if !self.is_done {
            self.shared.submitting.fetch_sub(1, Ordering::Release);
        }
        if outcome.is_ok() {
            encode_empty(self.link.out(), CommandId::UNBIND, CommandStatus::ROK, self.window.number());
            self.link.close(FAREWELL).await;
        }
        (self.tally, outcome)
    }

    async fn work(&mut self, finished: &mut watch::Receiver<bool>) -> Result<(), String> {
        loop {
            let rate_wake = self.submit();
            if !self.is_done && self.window.is_empty() && self.shared.is_stopped() {
                self.is_done = true;
                self.shared.submitting.fetch_sub(1, Ordering::Release);
            }
            tokio::select! {
                io = self.link.io(true) => match io.map_err(|error| error.to_string())? {
                    Io::Closed => return Err("the peer closed the connection".to_owned()),
                    Io::Moved { read: 0, .. } => {}
                    Io::Moved { .. } => self.take_frames().map_err(|error| error.to_string())?,
                },
                () = sleep(rate_wake.unwrap_or(if self.is_done { DONE_LOOK } else { IDLE_LOOK })) => {
                    self.link.check_limits(tokio::time::Instant::now()).map_err(|error| error.to_string())?;
                }
                _ = finished.changed() => return Ok(()),
            }
        }
    }

    /// Fills the window as far as rate and quota allow; gives the time after which the rate allows more.
    fn submit(&mut self) -> Option<Duration> {
        if self.is_done || self.link.is_backlogged() {
            return None;
        }
        let parts = self.shared.template.parts();
        let mut room = self.window.room() / parts;
        let mut wake = None;
        if let Some(rate) = self.shared.settings.rate {
            let rate = f64::from(rate) / self.shared.settings.connections as f64;
            let now = Instant::now();
            self.owed += now.duration_since(self.refilled).as_secs_f64() * rate;
            self.owed = self.owed.min((rate * RATE_BURST).max(parts as f64));
            self.refilled = now;
            room = room.min((self.owed / parts as f64) as usize);
            wake = Some(Duration::from_secs_f64((parts as f64 - self.owed).max(0.0) / rate).max(RATE_PAUSE));
        }
        let messages = if room == 0 { 0 } else { self.shared.take_quota(room as u64) };
        if messages == 0 {
            return wake;
        }
        let first = self.shared.serial.fetch_add(messages, Ordering::Relaxed);
        let now = Instant::now();
        for serial in first..first + messages {
            self.submit_one(serial, parts, now);
        }
        let submits = messages * parts as u64;
        self.owed -= submits as f64;
        self.tally.submitted += submits;
        self.shared.progress.submitted.fetch_add(submits, Ordering::Relaxed);
        wake
    }

    fn submit_one(&mut self, serial: u64, parts: usize, now: Instant) {
        let whole = if parts > 1 { self.open_whole(parts as u32) } else { 0 };
        for part in 0..parts {
            let template = &self.shared.template;
            if part == 0 {
                template.address(serial, &mut self.addresses, &mut self.random);
            }
            let destination =
                self.shared.record.as_ref().map(|_| self.addresses.destination.clone().into_boxed_slice());
            let sent = Sent { at: now, whole, destination };
            let Ok(sequence) = self.window.open(sent, Moment(0)) else { return };
            template.write(part, sequence, serial, &self.addresses, self.link.out());
        }
    }

    fn open_whole(&mut self, parts: u32) -> u32 {
        match self.free_wholes.pop() {
            Some(place) => {
                if let Some(whole) = self.wholes.get_mut(place as usize) {
                    *whole = (parts, true);
                }
                place
            }
            None => {
                self.wholes.push((parts, true));
                (self.wholes.len() - 1) as u32
            }
        }
    }

    fn take_frames(&mut self) -> Result<(), LinkError> {
        let shared = Arc::clone(&self.shared);
        let mut ledger = shared.settings.receipts.then(|| shared.ledger());
        let now = Instant::now();
        let (mut answers, mut receipts) = (0, 0);
        while let Some(frame) = self.link.next_frame()? {
            let header = frame.header;
            match header.command {
                CommandId::SUBMIT_SM_RESP | CommandId::GENERIC_NACK => {
                    answers += self.answered(&frame, now, ledger.as_deref_mut());
                }
                CommandId::DELIVER_SM => {
                    receipts += self.deliver(&frame, now, ledger.as_deref_mut());
                    deliver::encode_resp(self.link.out(), header.sequence, CommandStatus::ROK);
                }
                CommandId::DATA_SM => receipts += self.data(&frame, now, ledger.as_deref_mut()),
                CommandId::ENQUIRE_LINK | CommandId::UNBIND => {
                    encode_empty(
                        self.link.out(),
                        header.command.response(),
                        CommandStatus::ROK,
                        header.sequence,
                    );
                }
                command if command.is_response() => {}
                _ => {
                    let (nack, status) = (CommandId::GENERIC_NACK, CommandStatus::RINVCMDID);
                    encode_empty(self.link.out(), nack, status, header.sequence);
                }
            }
        }
        drop(ledger);
        let micros = u64::try_from(now.duration_since(shared.started).as_micros()).unwrap_or(u64::MAX);
        if answers > 0 {
            shared.progress.answered.fetch_add(answers, Ordering::Relaxed);
            shared.last_answer.fetch_max(micros, Ordering::Relaxed);
        }
        if receipts > 0 {
            shared.progress.receipts.fetch_add(receipts, Ordering::Relaxed);
            shared.last_receipt.fetch_max(micros, Ordering::Relaxed);
        }
        self.write_record()
    }

    /// Notes an answer to a submission; 1 if it was one.
    fn answered(&mut self, frame: &Frame, now: Instant, ledger: Option<&mut Ledger>) -> u64 {
        let Some(sent) = self.window.complete(frame.header.sequence) else { return 0 };
        let micros = u64::try_from(now.duration_since(sent.at).as_micros()).unwrap_or(u64::MAX);
        self.tally.latency.saturating_record(micros.max(1));
        let status = frame.header.status;
        let accepted = status.is_ok() && frame.header.command == CommandId::SUBMIT_SM_RESP;
        if accepted {
            self.tally.accepted += 1;
            let id = frame.body.split(|octet| *octet == 0).next().unwrap_or_default();
            if let Some(ledger) = ledger {
                ledger.expect(id, sent.at);
            }
            if let Some(destination) = &sent.destination {
                let text = String::from_utf8_lossy;
                // Writing to a String cannot fail.
                let _ = writeln!(self.lines, "{} {}", text(id), text(destination));
            }
        } else {
            *self.tally.refused.entry(status).or_default() += 1;
            if self.shared.settings.stop_at_refusal {
                self.shared.progress.stop.store(true, Ordering::Relaxed);
            }
        }
        self.close_part(sent.whole, accepted);
        1
    }

    fn close_part(&mut self, place: u32, accepted: bool) {
        if self.shared.template.parts() == 1 {
            self.tally.messages += u64::from(accepted);
            return;
        }
        let Some(whole) = self.wholes.get_mut(place as usize) else { return };
        whole.0 -= 1;
        whole.1 &= accepted;
        if whole.0 == 0 {
            self.tally.messages += u64::from(whole.1);
            self.free_wholes.push(place);
        }
    }

    fn deliver(&mut self, frame: &Frame, now: Instant, ledger: Option<&mut Ledger>) -> u64 {
        match DeliverSm::decode(frame.body.clone()) {
            Ok(deliver) => self.receive(deliver.esm_class, deliver.user_data(), &deliver.tlvs, now, ledger),
            Err(_) => 0,
        }
    }

    fn data(&mut self, frame: &Frame, now: Instant, ledger: Option<&mut Ledger>) -> u64 {
        let resp = smpp_proto::pdu::DataSmResp { message_id: Some(COctets::EMPTY), tlvs: Tlvs::EMPTY };
        // An empty id always fits.
        let _ = resp.encode(self.link.out(), CommandStatus::ROK, frame.header.sequence);
        match DataSm::decode(frame.body.clone()) {
            Ok(data) => {
                let text = data.user_data().cloned().unwrap_or_default();
                self.receive(data.esm_class, &text, &data.tlvs, now, ledger)
            }
            Err(_) => 0,
        }
    }

    /// Notes a delivery; 1 if it is a final receipt.
    fn receive(
        &mut self,
        esm_class: EsmClass,
        text: &Bytes,
        tlvs: &Tlvs,
        now: Instant,
        ledger: Option<&mut Ledger>,
    ) -> u64 {
        if esm_class.message_type() != MessageType::DeliveryReceipt {
            self.tally.mo += u64::from(esm_class.message_type() == MessageType::Normal);
            return 0;
        }
        let Some(ledger) = ledger else { return 0 };
        let octets = plain(text);
        let in_tlv = tlvs.find(Tag::RECEIPTED_MESSAGE_ID).map(smpp_proto::Tlv::text);
        let state_in_tlv = tlvs.u8(Tag::MESSAGE_STATE).map(MessageState);
        let receipt = match (&in_tlv, state_in_tlv) {
            (Some(_), Some(_)) => Receipt::default(),
            _ => Receipt::read(&octets),
        };
        let state = state_in_tlv.or(receipt.state());
        match in_tlv.as_ref().map(COctets::as_bytes).or(receipt.id) {
            Some(id) => ledger.receive(id, now, state == Some(MessageState::DELIVERED)),
            None => ledger.unasked += 1,
        }
        1
    }

    fn write_record(&mut self) -> Result<(), LinkError> {
        let Some(record) = self.shared.record.as_ref().filter(|_| !self.lines.is_empty()) else {
            return Ok(());
        };
        let mut file: MutexGuard<'_, _> = record.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(self.lines.as_bytes())?;
        drop(file);
        self.lines.clear();
        Ok(())
    }
}

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often limits, quota and time are looked at when nothing moves.
const IDLE_LOOK: Duration = Duration::from_millis(50);
/// The same for a connection that only receives.
const DONE_LOOK: Duration = Duration::from_secs(1);
/// Least pause between two batches under a rate.
const RATE_PAUSE: Duration = Duration::from_millis(1);
/// A rate may be made up for over this time, in seconds.
const RATE_BURST: f64 = 0.05;
