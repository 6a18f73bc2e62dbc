//! deliver_sm that wait for their answers: found by sequence number, oldest first, given back when the session ends.
//!
//! Not `session::Window`: that takes all its memory at once, and thousands of idle binds have large windows that they
//! never fill. This holds memory only for what is in flight.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::message::Delivery;
use crate::store::Lane;

/// The window's content. Its size is kept by the session.
pub(in crate::esme) struct Flights {
    lane: Arc<Lane<Delivery>>,
    open: HashMap<u32, Delivery>,
    /// Numbers and monotonic times in the order of sending. The first is open; others may be answered already.
    sent: VecDeque<(u32, u64)>,
}

impl Flights {
    pub(super) fn new(lane: Arc<Lane<Delivery>>) -> Self {
        Self { lane, open: HashMap::new(), sent: VecDeque::new() }
    }

    /// How many wait.
    pub(in crate::esme) fn len(&self) -> usize {
        self.open.len()
    }

    pub(in crate::esme) fn has(&self, sequence: u32) -> bool {
        self.open.contains_key(&sequence)
    }

    /// One was sent.
    pub(super) fn open(&mut self, sequence: u32, delivery: Delivery, now: u64) {
        // One that is never answered must not let the list behind it grow.
        if self.sent.len() >= 2 * self.open.len() + SLACK {
            let open = &self.open;
            self.sent.retain(|(sequence, _)| open.contains_key(sequence));
        }
        self.open.insert(sequence, delivery);
        self.sent.push_back((sequence, now));
    }

    /// One was answered; nothing when it does not wait.
    pub(super) fn close(&mut self, sequence: u32) -> Option<Delivery> {
        let delivery = self.open.remove(&sequence)?;
        while self.sent.front().is_some_and(|(sequence, _)| !self.open.contains_key(sequence)) {
            self.sent.pop_front();
        }
        if self.open.is_empty() && self.sent.capacity() > SLACK {
            self.sent = VecDeque::new();
            self.open = HashMap::new();
        }
        Some(delivery)
    }

    /// When the one that waits for longest was sent.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.sent.front().map(|(_, sent)| *sent)
    }

    /// Ends the wait of the oldest, if by `now` it has waited for `response` milliseconds.
    pub(super) fn close_oldest(&mut self, now: u64, response: u64) -> Option<Delivery> {
        let (sequence, sent) = self.sent.front().copied()?;
        if sent.saturating_add(response) > now {
            return None;
        }
        self.close(sequence)
    }
}

/// Entries that are not worth tidying up.
const SLACK: usize = 64;

impl Drop for Flights {
    /// The session is lost: what was not answered goes back to the front of the lane, in the order it had there.
    fn drop(&mut self) {
        let Self { lane, sent, open, .. } = self;
        lane.give_back_all(sent.drain(..).rev().filter_map(|(sequence, _)| open.remove(&sequence)));
    }
}
