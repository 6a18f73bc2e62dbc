//! What all sessions of one system_id share: the throttle, the memory of messages, and receipts without a session.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smpp_proto::field::{COctets, MessageState};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::deliver::Parcel;
use crate::sim::settings::Settings;

/// One system_id. Its lock is taken once for a whole batch of PDUs.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) system_id: String,
    pub(super) receivers: AtomicUsize,
    state: Mutex<State>,
    /// Whether `mail` holds anything, to be asked without the lock.
    has_mail: AtomicBool,
    pub(super) wake: Notify,
    /// Whether any message was ever cancelled, so that receipts have to look into the book.
    pub(super) any_cancelled: AtomicBool,
}

/// What the lock of an [`Account`] guards.
#[derive(Debug)]
pub(super) struct State {
    throttle: Option<Throttle>,
    seen: Seen,
    pub(super) book: Book,
    mail: VecDeque<Parcel>,
}

impl Account {
    pub(super) fn new(system_id: &str, settings: &Settings) -> Self {
        Self {
            system_id: system_id.to_owned(),
            receivers: AtomicUsize::new(0),
            state: Mutex::new(State {
                throttle: settings.throttle.map(Throttle::new),
                seen: Seen::new(settings.track_distinct),
                book: Book::new(settings.remember),
                mail: VecDeque::new(),
            }),
            has_mail: AtomicBool::new(false),
            wake: Notify::new(),
            any_cancelled: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves parcels for whichever session can receive; gives the number that found no room.
    pub(super) fn post(&self, parcels: impl Iterator<Item = Parcel>) -> u64 {
        let mut dropped = 0;
        let mut state = self.lock();
        for parcel in parcels {
            if state.mail.len() < MAIL_MAX {
                state.mail.push_back(parcel);
            } else {
                dropped += 1;
            }
        }
        if !state.mail.is_empty() {
            self.has_mail.store(true, Ordering::Release);
            self.wake.notify_one();
        }
        dropped
    }

    /// Takes up to `room` parcels; wakes the next receiver when more are left.
    pub(super) fn collect(&self, room: usize, into: &mut VecDeque<Parcel>) {
        if room == 0 || !self.has_mail.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        let take = room.min(state.mail.len());
        into.extend(state.mail.drain(..take));
        if state.mail.is_empty() {
            self.has_mail.store(false, Ordering::Release);
        } else {
            self.wake.notify_one();
        }
    }
}

impl State {
    /// Whether one more submission may be accepted at `now`.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        self.throttle.as_mut().is_none_or(|throttle| throttle.take(now))
    }

    /// Whether a submission like this was never accepted before; `None` when that is no longer tracked.
    pub(super) fn is_new(&mut self, facets: [&[u8]; 3], reference: Option<u16>) -> Option<bool> {
        self.seen.note(facets, reference)
    }
}

/// A bucket that refills by the second and holds one second's worth.
#[derive(Debug)]
struct Throttle {
    per_second: f64,
    tokens: f64,
    at: Option<Instant>,
}

impl Throttle {
    fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second), tokens: f64::from(per_second), at: None }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        self.tokens = (self.tokens + passed * self.per_second).min(self.per_second.max(1.0));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// Accepted messages by a hash of what they are, up to a bound.
#[derive(Debug)]
struct Seen {
    keys: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<AlreadyHashed>>,
    bound: usize,
}

impl Seen {
    fn new(bound: usize) -> Self {
        Self { keys: RandomState::new(), hashes: HashSet::default(), bound }
    }

    fn note(&mut self, facets: [&[u8]; 3], reference: Option<u16>) -> Option<bool> {
        if self.hashes.len() >= self.bound {
            return None;
        }
        Some(self.hashes.insert(self.keys.hash_one((facets, reference))))
    }
}

#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// The last messages, for query_sm, cancel_sm and replace_sm.
#[derive(Debug)]
pub(super) struct Book {
    entries: Vec<Option<Entry>>,
}

/// One message that is remembered.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) source: COctets,
    pub(super) destination: COctets,
    /// The state it has or will have from `done` on.
    pub(super) state: MessageState,
    pub(super) done: Instant,
    pub(super) done_ms: i64,
}

impl Book {
    fn new(bound: usize) -> Self {
        Self { entries: vec![None; bound] }
    }

    pub(super) fn enter(&mut self, entry: Entry) {
        if let Some(place) = Self::place(entry.number, self.entries.len()) {
            self.entries[place] = Some(entry);
        }
    }

    pub(super) fn find(&mut self, number: u64) -> Option<&mut Entry> {
        let place = Self::place(number, self.entries.len())?;
        self.entries.get_mut(place)?.as_mut().filter(|entry| entry.number == number)
    }

    /// Every message that is still under way.
    pub(super) fn pending(&mut self, now: Instant) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().flatten().filter(move |entry| entry.done > now)
    }

    fn place(number: u64, length: usize) -> Option<usize> {
        (number as usize).checked_rem(length)
    }
}

/// Receipts that wait for a receiver, a system_id.
const MAIL_MAX: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_throttle_lets_a_second_s_worth_through() {
        let start = Instant::now();
        let mut throttle = Throttle::new(10);
        assert_eq!((0..20).filter(|_| throttle.take(start)).count(), 10);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..20).filter(|_| throttle.take(later)).count(), 5);
    }

    #[test]
    fn repetition_is_seen_up_to_the_bound() {
        let mut seen = Seen::new(2);
        assert_eq!(seen.note([b"a", b"b", b"c"], None), Some(true));
        assert_eq!(seen.note([b"a", b"b", b"c"], None), Some(false));
        assert_eq!(seen.note([b"a", b"b", b"c"], Some(1)), Some(true));
        assert_eq!(seen.note([b"ab", b"", b"c"], None), None, "the bound is reached");
    }

    #[test]
    fn the_book_keeps_the_last() {
        let mut book = Book::new(2);
        let entry = |number| Entry {
            number,
            source: COctets::EMPTY,
            destination: COctets::EMPTY,
            state: MessageState::DELIVERED,
            done: Instant::now(),
            done_ms: 0,
        };
        for number in 1..=3 {
            book.enter(entry(number));
        }
        assert!(book.find(1).is_none() && book.find(2).is_some() && book.find(3).is_some());
        Book::new(0).enter(entry(1));
    }
}
