//! How fast messages go to ranges of numbers: a token bucket each, kept as the one moment at which it is full again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use crate::clock::Timestamp;

/// The buckets that are not full.
#[derive(Default)]
pub(super) struct Paces {
    /// Nanoseconds since 1970: many messages may come back in one millisecond.
    full_at: HashMap<u64, i64, RandomState>,
    /// When those that are full may be looked for again.
    look_again: i64,
    /// What this transaction took from: the bucket, and what it was before. Absent where nothing is rolled back.
    before: Option<Vec<(u64, Option<i64>)>>,
}

/// Buckets in memory at most, 17 to 34 octets each. Beyond it, once the full ones are dropped, a new range is not counted.
const MOST: usize = 1_000_000;
/// Milliseconds between two looks for full ones: each goes through all of them.
const LOOK_EVERY: i64 = 1_000;

impl Paces {
    /// None yet; what a transaction takes can be put back until it is kept.
    pub(super) fn with_way_back() -> Self {
        Self { before: Some(Vec::new()), ..Self::default() }
    }

    /// The transaction is committed.
    pub(super) fn keep(&mut self) {
        if let Some(before) = &mut self.before {
            before.clear();
        }
    }

    /// The transaction was rolled back.
    pub(super) fn put_back(&mut self) {
        // The last first: a bucket may have been taken from several times.
        for (key, full_at) in self.before.iter_mut().flat_map(|before| before.drain(..).rev()) {
            match full_at {
                Some(full_at) => self.full_at.insert(key, full_at),
                None => self.full_at.remove(&key),
            };
        }
    }

    /// Whether one more may go. `every` nanoseconds bring one back, `burst` may go at once.
    pub(super) fn has(&self, key: u64, every: u64, burst: u64, now: Timestamp) -> bool {
        self.missing(key, now) <= every.saturating_mul(burst.saturating_sub(1))
    }

    /// How many are taken and have not come back.
    pub(super) fn taken(&self, key: u64, every: u64, now: Timestamp) -> u64 {
        self.missing(key, now).div_ceil(every.max(1))
    }

    /// Nanoseconds until the bucket is full.
    pub(super) fn missing(&self, key: u64, now: Timestamp) -> u64 {
        let missing = self.full_at.get(&key).map_or(0, |at| at.saturating_sub(nanos(now)));
        u64::try_from(missing).unwrap_or(0)
    }

    pub(super) fn take(&mut self, key: u64, every: u64, burst: u64, now: Timestamp) {
        let at = nanos(now);
        if self.full_at.len() >= MOST && !self.full_at.contains_key(&key) {
            if now.millis() >= self.look_again {
                self.look_again = now.millis().saturating_add(LOOK_EVERY);
                self.full_at.retain(|_, full_at| *full_at > at);
            }
            if self.full_at.len() >= MOST {
                return;
            }
        }
        let every = i64::try_from(every).unwrap_or(i64::MAX);
        let longest = every.saturating_mul(i64::try_from(burst).unwrap_or(i64::MAX));
        // A rule that is not enforced lets more go than it allows; what it owes stays bounded.
        let latest = at.saturating_add(longest);
        let next = |full_at: i64| full_at.max(at).saturating_add(every).min(latest);
        let was = match self.full_at.entry(key) {
            Entry::Occupied(mut known) => {
                let next = next(*known.get());
                Some(known.insert(next))
            }
            Entry::Vacant(free) => {
                free.insert(next(0));
                None
            }
        };
        if let Some(before) = &mut self.before {
            before.push((key, was));
        }
    }
}

/// Since 1970; holds until the year 2262.
const fn nanos(now: Timestamp) -> i64 {
    now.millis().saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_goes_at_once_and_then_one_at_a_time() {
        let at = Timestamp::from_millis;
        let mut paces = Paces::default();
        for _ in 0..3 {
            assert!(paces.has(1, SECOND, 3, at(5_000)));
            paces.take(1, SECOND, 3, at(5_000));
        }
        assert!(!paces.has(1, SECOND, 3, at(5_999)));
        assert!(paces.has(1, SECOND, 3, at(6_000)) && paces.has(2, SECOND, 3, at(5_000)));
        paces.take(1, SECOND, 3, at(6_000));
        assert!(!paces.has(1, SECOND, 3, at(6_500)));
        assert!(paces.has(1, SECOND, 3, at(60_000)));
    }

    #[test]
    fn high_rates_are_as_exact_as_low_ones() {
        for most in [7_u64, 600, 1_001, 3_000, 1_000_000] {
            let every = SECOND.div_ceil(most);
            let mut paces = Paces::default();
            let mut sent = 0;
            for now in 1_763_640_000_000..1_763_640_010_000 {
                while paces.has(1, every, most, Timestamp::from_millis(now)) {
                    paces.take(1, every, most, Timestamp::from_millis(now));
                    sent += 1;
                }
            }
            // What goes at once, and ten seconds' worth.
            assert!((most * 11 - most / 500 - 2..=most * 11).contains(&sent), "{sent} of {most} a second");
        }
    }

    #[test]
    fn what_a_transaction_took_is_put_back_when_it_fails() {
        let at = Timestamp::from_millis;
        let mut paces = Paces::with_way_back();
        paces.take(1, SECOND, 3, at(5_000));
        paces.keep();
        for key in [1, 2, 1] {
            paces.take(key, SECOND, 3, at(5_000));
        }
        paces.put_back();
        assert_eq!((paces.taken(1, SECOND, at(5_000)), paces.taken(2, SECOND, at(5_000))), (1, 0));
        paces.put_back();
        assert_eq!(paces.taken(1, SECOND, at(5_000)), 1);
    }
}
