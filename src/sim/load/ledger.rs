//! Which receipts have come for what was accepted: missing, doubled, and how long each took.
//!
//! A receipt may come on any connection, and before the answer to its submission; so all connections share one ledger
//! and take its lock once a batch.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::time::Instant;

use hdrhistogram::{CreationError, Histogram};

use super::report::latency_histogram;

/// The shared books of one run.
#[derive(Debug)]
pub(super) struct Ledger {
    started: Instant,
    keys: RandomState,
    entries: HashMap<u64, Receipt, BuildHasherDefault<AlreadyHashed>>,
    done: VecDeque<u64>,
    pub(super) latency: Histogram<u64>,
    pub(super) received: u64,
    pub(super) doubled: u64,
    pub(super) failed: u64,
    pub(super) open: u64,
    pub(super) unasked: u64,
}

/// Where one message id stands. Times are microseconds since the start.
#[derive(Debug, Clone, Copy)]
enum Receipt {
    Expected {
        sent: u64,
    },
    /// The receipt came before the answer.
    Early {
        came: u64,
    },
    Done,
}

impl Ledger {
    pub(super) fn new(started: Instant) -> Result<Self, CreationError> {
        Ok(Self {
            started,
            keys: RandomState::new(),
            entries: HashMap::default(),
            done: VecDeque::new(),
            latency: latency_histogram()?,
            received: 0,
            doubled: 0,
            failed: 0,
            open: 0,
            unasked: 0,
        })
    }

    /// A submission was accepted under `id`, and a receipt is to come.
    pub(super) fn expect(&mut self, id: &[u8], sent: Instant) {
        let sent = self.micros(sent);
        let key = self.keys.hash_one(id);
        match self.entries.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(Receipt::Expected { sent });
                self.open += 1;
            }
            Entry::Occupied(mut entry) => {
                if let Receipt::Early { came } = *entry.get() {
                    entry.insert(Receipt::Done);
                    self.unasked -= 1;
                    self.settle(key, came.saturating_sub(sent));
                }
            }
        }
    }

    /// A final receipt for `id` came.
    pub(super) fn receive(&mut self, id: &[u8], came: Instant, delivered: bool) {
        let came = self.micros(came);
        let key = self.keys.hash_one(id);
        if !delivered {
            self.failed += 1;
        }
        match self.entries.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(Receipt::Early { came });
                self.unasked += 1;
            }
            Entry::Occupied(mut entry) => match *entry.get() {
                Receipt::Expected { sent } => {
                    entry.insert(Receipt::Done);
                    self.open -= 1;
                    self.settle(key, came.saturating_sub(sent));
                }
                Receipt::Early { .. } | Receipt::Done => self.doubled += 1,
            },
        }
    }

    fn settle(&mut self, key: u64, micros: u64) {
        self.received += 1;
        self.latency.saturating_record(micros.max(1));
        self.done.push_back(key);
        if self.done.len() > DONE_MAX
            && let Some(oldest) = self.done.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }
}

/// Passes on a key that is a hash already.
#[derive(Debug, Default)]
pub(super) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, octets: &[u8]) {
        // Only u64 keys are used; anything else would still be spread, if poorly.
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Answered receipts that are remembered to tell doubled ones, in messages. About 40 octets each.
const DONE_MAX: usize = 4_000_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pairs_receipts_with_submissions_in_any_order() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut ledger = Ledger::new(start).expect("a ledger");
        ledger.expect(b"1", at(0));
        ledger.receive(b"2", at(5), true);
        assert_eq!((ledger.open, ledger.unasked), (1, 1));
        ledger.expect(b"2", at(1));
        ledger.receive(b"1", at(20), true);
        assert_eq!((ledger.open, ledger.received, ledger.unasked), (0, 2, 0));
        ledger.receive(b"1", at(21), true);
        assert_eq!((ledger.received, ledger.doubled), (2, 1));
        ledger.expect(b"3", at(30));
        assert_eq!(ledger.open, 1);
        assert!((19_000..21_000).contains(&ledger.latency.max()));
    }

    #[test]
    fn counts_failures() {
        let start = Instant::now();
        let mut ledger = Ledger::new(start).expect("a ledger");
        ledger.expect(b"1", start);
        ledger.receive(b"1", start, false);
        assert_eq!((ledger.failed, ledger.received), (1, 1));
    }
}
