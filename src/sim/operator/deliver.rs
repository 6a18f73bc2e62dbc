//! Towards the receiver: receipts and messages from mobiles, under a window of their own, again until answered.

use std::sync::atomic::Ordering;

use smpp_proto::CommandStatus;
use smpp_proto::field::{Address, MessageState};
use smpp_proto::pdu::DeliverSm;
use tokio::time::{Duration, Instant};

use super::session::{End, Later, Session, unix_ms};
use crate::sim::message::Wording;
use crate::sim::receipt::Message;
use crate::sim::settings::Mo;

/// What goes to a receiver.
#[derive(Debug, Clone)]
pub(super) enum Parcel {
    /// The final receipt of a message.
    Receipt(Box<Message>),
    /// A notification that a message is under way.
    Intermediate(Box<Message>),
    /// A part of a message from a mobile.
    Mo(Box<DeliverSm>),
}

impl Session {
    /// Sends what is ready, as far as the window and the link have room.
    pub(super) fn pump(&mut self) {
        if !self.may_receive() {
            return;
        }
        self.generate_mo();
        if let Some(account) = &self.account {
            let room = self.window.room().saturating_sub(self.ready.len());
            account.collect(room, &mut self.ready);
        }
        if self.ready.is_empty() {
            return;
        }
        let now = self.moment(Instant::now());
        let now_ms = unix_ms();
        let takes_tlvs = self.rules.version().takes_tlvs();
        while self.window.room() > 0
            && !self.link.is_backlogged()
            && let Some(mut parcel) = self.ready.pop_front()
        {
            self.settle_state(&mut parcel);
            let done_ms = match &mut parcel {
                Parcel::Receipt(message) => *message.done_ms.get_or_insert(now_ms),
                Parcel::Intermediate(_) | Parcel::Mo(_) => now_ms,
            };
            let Ok(sequence) = self.window.open(parcel, now) else { return };
            let Some(parcel) = self.window.peek(sequence) else { return };
            let out = self.link.out();
            let counters = &self.shared.counters;
            let written = match parcel {
                Parcel::Receipt(message) => {
                    counters.receipts_sent.add(1);
                    self.scribe.write(message, message.state, done_ms, takes_tlvs, out, sequence)
                }
                Parcel::Intermediate(message) => {
                    counters.intermediate_sent.add(1);
                    self.scribe.write(message, MessageState::ENROUTE, done_ms, takes_tlvs, out, sequence)
                }
                Parcel::Mo(deliver) => {
                    counters.mo_sent.add(1);
                    deliver.encode(out, sequence)
                }
            };
            if let Err(error) = written {
                tracing::warn!(%error, "cannot be written");
                self.window.complete(sequence);
            }
        }
    }

    /// A message that was cancelled meanwhile ends as DELETED.
    fn settle_state(&self, parcel: &mut Parcel) {
        if let (Parcel::Receipt(message), Some(account)) = (parcel, &self.account)
            && account.any_cancelled.load(Ordering::Acquire)
            && let Some(entry) = account.lock().book.find(message.number)
        {
            message.state = entry.state;
        }
    }

    /// A parcel whose time has come: to this session, or to another of the account.
    pub(super) fn hand_over(&mut self, parcel: Parcel) {
        if self.may_receive() {
            self.ready.push_back(parcel);
        } else if let Some(account) = &self.account {
            self.shared.counters.receipts_dropped.add(account.post(std::iter::once(parcel)));
        }
    }

    /// An answer to something that was delivered.
    pub(super) fn delivered(&mut self, sequence: u32, status: CommandStatus) {
        let Some(parcel) = self.window.complete(sequence) else { return };
        let counters = &self.shared.counters;
        if status.is_ok() {
            match parcel {
                Parcel::Receipt(_) => counters.receipts_answered.add(1),
                Parcel::Mo(_) => counters.mo_answered.add(1),
                Parcel::Intermediate(_) => {}
            }
        } else if is_temporary(status) {
            counters.receipts_repeated.add(1);
            self.agenda.add(Instant::now() + RETRY_AFTER, Later::Deliver(parcel));
        } else {
            counters.receipts_refused.add(1);
        }
    }

    /// What was never answered goes again.
    pub(super) fn expire_deliveries(&mut self, now: Instant) {
        let moment = self.moment(now);
        while let Some((_, parcel)) = self.window.expire(moment) {
            self.shared.counters.receipts_repeated.add(1);
            self.ready.push_back(parcel);
        }
    }

    /// When the next message from a mobile is due.
    pub(super) fn next_mo(&self) -> Option<Instant> {
        let mo = self.shared.settings.mo.as_ref().filter(|mo| self.may_receive() && self.mo_left(mo) > 0)?;
        let wait = Duration::from_secs_f64((1.0 - self.mo_owed).max(0.0) / f64::from(mo.rate));
        Some(self.mo_at + wait.max(MO_PAUSE))
    }

    fn mo_left(&self, mo: &Mo) -> u64 {
        let sent = self.shared.mo_sent.load(Ordering::Relaxed);
        if mo.count == 0 { u64::MAX } else { mo.count.saturating_sub(sent) }
    }

    fn generate_mo(&mut self) {
        let Some(mo) = &self.shared.settings.mo else { return };
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.mo_at).as_secs_f64();
        self.mo_at = now;
        self.mo_owed = (self.mo_owed + passed * f64::from(mo.rate)).min(MO_BURST_MAX);
        while self.mo_owed >= 1.0 && self.mo_left(mo) > 0 && self.ready.len() < MO_READY_MAX {
            self.mo_owed -= 1.0;
            let number = self.shared.mo_sent.fetch_add(1, Ordering::Relaxed);
            let Ok(wording) = Wording::of(&mo.text.replace("{n}", &number.to_string()), false) else {
                tracing::warn!("the text of mobile originated messages cannot be sent");
                return self.close(End::Flushed);
            };
            for short_message in wording.parts {
                self.ready.push_back(Parcel::Mo(Box::new(DeliverSm {
                    source: Address::international(mo.source.as_str()),
                    destination: Address::international(mo.destination.as_str()),
                    esm_class: wording.esm_class,
                    data_coding: wording.data_coding,
                    short_message: with_reference(&short_message, number as u8, wording.esm_class.udhi()),
                    ..DeliverSm::default()
                })));
            }
        }
    }
}

fn with_reference(part: &bytes::Bytes, reference: u8, has_header: bool) -> bytes::Bytes {
    if !has_header {
        return part.clone();
    }
    let mut octets = part.to_vec();
    if let Some(place) = octets.get_mut(crate::sim::message::REFERENCE_AT) {
        *place = reference;
    }
    octets.into()
}

/// What every centre in the field sends again (shared interop notes: 0x08, 0x14, 0x58, 0x64).
fn is_temporary(status: CommandStatus) -> bool {
    matches!(
        status,
        CommandStatus::RSYSERR
            | CommandStatus::RMSGQFUL
            | CommandStatus::RTHROTTLED
            | CommandStatus::RX_T_APPN
    )
}

/// Pause before a refused delivery goes again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Least pause between two looks at the clock for messages from mobiles.
const MO_PAUSE: Duration = Duration::from_millis(1);
/// Messages from mobiles that may be made up for at once.
const MO_BURST_MAX: f64 = 1000.0;
/// No more are made while so many wait.
const MO_READY_MAX: usize = 10_000;
