//! What we owe clients: receipts and messages from phones, out of the account's lane into a window of deliver_sm.
//!
//! A session takes from the lane only what its window has room for, and gives back what was not answered when it
//! ends. It does not know who ought to get what: the store decides that.

mod flights;
mod write;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::field::CommandStatus;
use tracing::warn;

pub(super) use flights::Flights;

use super::session::Client;
use super::settings::Redelivery;
use crate::account::CredentialId;
use crate::clock::Clock;
use crate::message::Delivery;
use crate::store::{Answered, Delivered, FlowId, Lane};

/// The receiving side of a session.
pub(super) struct Receiving {
    pub(super) lane: Arc<Lane<Delivery>>,
    /// Who is bound: what is for others alone is left to them.
    credential: CredentialId,
    pub(super) flights: Flights,
    /// What the client said, on its way to the store.
    pub(super) answered: Vec<Answered>,
    /// Nothing is sent before this monotonic time: the client asked for a pause.
    pub(super) paused_until: u64,
    settings: Redelivery,
    response: Duration,
    pulled: Vec<Delivery>,
}

/// What the client's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Taken,
    /// Not this one, ever.
    Never,
    /// Nothing for this address, ever.
    AddressGone,
    /// Not now.
    Later,
    /// Not so fast.
    SlowDown,
    /// No known meaning.
    Unclear,
}

impl Receiving {
    pub(super) fn new(
        lane: Arc<Lane<Delivery>>,
        credential: CredentialId,
        settings: Redelivery,
        response: Duration,
    ) -> Self {
        Self {
            flights: Flights::new(Arc::clone(&lane)),
            lane,
            credential,
            answered: Vec::new(),
            paused_until: 0,
            settings,
            response,
            pulled: Vec::new(),
        }
    }

    /// How many deliveries may be taken from the lane now.
    pub(super) fn room(&self, window: usize, now: u64) -> usize {
        if now < self.paused_until || self.answered.len() >= ANSWERED_MAX {
            return 0;
        }
        window.saturating_sub(self.flights.len()).min(AT_ONCE)
    }

    /// Whether something that it may take is in the store only, and nothing of it on its way.
    pub(super) fn starves(&self) -> bool {
        let spilled = |flow| self.lane.depth_of(flow).spilled > 0;
        self.flights.len() == 0 && (spilled(FlowId::ANYBODY) || spilled(Some(self.credential).into()))
    }

    /// When the oldest deliver_sm has waited too long, or a pause ends.
    pub(super) fn due(&self, now: u64) -> Option<u64> {
        let pause = Some(self.paused_until).filter(|until| *until > now);
        let oldest = self.flights.oldest().map(|sent| sent.saturating_add(millis(self.response)));
        match (pause, oldest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        }
    }
}

/// Deliveries taken from the lane in one turn, so that the account's other binds get theirs.
const AT_ONCE: usize = 32;
/// Answers kept for a store that is full, before no more is delivered.
const ANSWERED_MAX: usize = 1_024;

impl Client {
    /// Sends what is owed, as far as window and buffer allow; says whether anything was taken from the lane.
    pub(super) fn deliver(&mut self, most: usize, clock: &Clock, out: &mut BytesMut) -> bool {
        let Some(receiving) = &mut self.receiving else { return false };
        let mut pulled = std::mem::take(&mut receiving.pulled);
        let taken = receiving.lane.pull_as(receiving.credential, most, &mut pulled);
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let mut sent = 0;
        for delivery in pulled.drain(..) {
            if delivery.expires <= now {
                self.metrics.undelivered(1, "expired");
                receiving.answered.push(answered(&delivery, Delivered::Dropped(now)));
                continue;
            }
            let flights = &receiving.flights;
            let mut next = || next_sequence(&mut self.last_sequence, |number| flights.has(number));
            match write::deliver_sm(&delivery, &self.dialect, &mut next, &mut self.scratch, out) {
                Ok(sequence) => {
                    receiving.flights.open(sequence, delivery, monotonic);
                    sent += 1;
                }
                Err(why) => {
                    warn!(delivery = ?delivery.key, why, "a delivery cannot be written and is dropped");
                    self.metrics.undelivered(1, "unwritable");
                    receiving.answered.push(answered(&delivery, Delivered::Dropped(now)));
                }
            }
        }
        if pulled.capacity() <= AT_ONCE {
            receiving.pulled = pulled;
        }
        self.metrics.delivering(sent);
        taken > 0
    }

    /// deliver_sm_resp, data_sm_resp or generic_nack came (reference §6).
    pub(super) fn delivery_answered(&mut self, sequence: u32, status: CommandStatus, clock: &Clock) {
        let Some(receiving) = &mut self.receiving else { return };
        // Late answers and those to an enquire_link find nothing.
        let Some(delivery) = receiving.flights.close(sequence) else { return };
        let now = clock.now();
        let again = |settings: &Redelivery| Delivered::Again { due: now + settings.pause(delivery.attempts) };
        let (outcome, word) = match read(status) {
            Answer::Taken => (Delivered::Done(now), "delivered"),
            Answer::Never => (Delivered::Dropped(now), "dropped"),
            Answer::AddressGone => (Delivered::AddressGone(now), "dropped"),
            Answer::Later => (again(&receiving.settings), "put_off"),
            Answer::SlowDown => {
                receiving.paused_until =
                    clock.monotonic().saturating_add(millis(receiving.settings.throttled_pause));
                (again(&receiving.settings), "throttled")
            }
            Answer::Unclear if delivery.attempts + 1 >= receiving.settings.unknown_attempts => {
                (Delivered::Dropped(now), "dropped")
            }
            Answer::Unclear => (again(&receiving.settings), "put_off"),
        };
        receiving.answered.push(answered(&delivery, outcome));
        self.metrics.delivered(1, word);
    }

    /// Puts off what was not answered within the response time (conformance C-170); says whether there was any.
    pub(super) fn expire_deliveries(&mut self, clock: &Clock) -> bool {
        let Some(receiving) = &mut self.receiving else { return false };
        let (now, monotonic) = (clock.now(), clock.monotonic());
        let response = millis(receiving.response);
        let mut late = 0;
        while let Some(delivery) = receiving.flights.close_oldest(monotonic, response) {
            let due = now + receiving.settings.pause(delivery.attempts);
            receiving.answered.push(answered(&delivery, Delivered::Again { due }));
            late += 1;
        }
        if late > 0 {
            self.metrics.delivered(late, "unanswered");
            let facts = self.bound.facts();
            warn!(account = facts.account_name, peer = %facts.peer, count = late,
                "deliver_sm without an answer; they go out again, perhaps twice");
        }
        late > 0
    }
}

fn answered(delivery: &Delivery, outcome: Delivered) -> Answered {
    Answered { key: delivery.key, account: delivery.account, outcome }
}

fn read(status: CommandStatus) -> Answer {
    match status {
        CommandStatus::ROK => Answer::Taken,
        CommandStatus::RX_R_APPN => Answer::Never,
        CommandStatus::RX_P_APPN => Answer::AddressGone,
        CommandStatus::RX_T_APPN | CommandStatus::RSYSERR => Answer::Later,
        CommandStatus::RMSGQFUL | CommandStatus::RTHROTTLED => Answer::SlowDown,
        _ => Answer::Unclear,
    }
}

/// The next number for a request of ours: 1 to 0x7FFFFFFF, unlike all that wait for an answer (SMPP 3.4 §5.1.4).
pub(super) fn next_sequence(last: &mut u32, waits: impl Fn(u32) -> bool) -> u32 {
    loop {
        *last = if *last >= 0x7FFF_FFFF { 1 } else { *last + 1 };
        if !waits(*last) {
            return *last;
        }
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_014_after_the_last_number_comes_the_first_that_is_free() {
        let mut last = 0x7FFF_FFFE;
        let numbers = [(); 3].map(|()| next_sequence(&mut last, |number| number == 1));
        assert_eq!(numbers, [0x7FFF_FFFF, 2, 3]);
    }

    #[test]
    fn statuses_are_read_as_the_field_means_them() {
        let read = |status| read(CommandStatus(status));
        assert_eq!(read(0), Answer::Taken);
        assert_eq!((read(0x66), read(0x65)), (Answer::Never, Answer::AddressGone));
        assert_eq!((read(0x64), read(0x08)), (Answer::Later, Answer::Later));
        assert_eq!((read(0x14), read(0x58)), (Answer::SlowDown, Answer::SlowDown));
        assert_eq!((read(0x45), read(0x400)), (Answer::Unclear, Answer::Unclear));
    }
}
