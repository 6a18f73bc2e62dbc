//! How fast messages go to ranges of numbers: a token bucket each, kept as the one moment at which it is full again.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::clock::Timestamp;

/// The buckets that are not full.
#[derive(Default)]
pub(super) struct Paces {
    full_at: HashMap<u64, i64, RandomState>,
    /// When those that are full may be looked for again.
    look_again: i64,
}

/// Buckets in memory at most, 17 to 34 octets each. Beyond it, once the full ones are dropped, a new range is not counted.
const MOST: usize = 1_000_000;
/// Milliseconds between two looks for full ones: each goes through all of them.
const LOOK_EVERY: i64 = 1_000;

impl Paces {
    /// Whether one more may go. `every` milliseconds bring one back, `burst` may go at once.
    pub(super) fn has(&self, key: u64, every: u64, burst: u64, now: Timestamp) -> bool {
        let full_at = self.full_at.get(&key).map_or(0, |at| at.saturating_sub(now.millis()).max(0));
        let most = every.saturating_mul(burst.saturating_sub(1));
        u64::try_from(full_at).unwrap_or(0) <= most
    }

    /// How many are taken and have not come back.
    pub(super) fn taken(&self, key: u64, every: u64, now: Timestamp) -> u64 {
        let full_at = self.full_at.get(&key).map_or(0, |at| at.saturating_sub(now.millis()).max(0));
        u64::try_from(full_at).unwrap_or(0).div_ceil(every.max(1))
    }

    pub(super) fn take(&mut self, key: u64, every: u64, burst: u64, now: Timestamp) {
        if self.full_at.len() >= MOST && !self.full_at.contains_key(&key) {
            if now.millis() >= self.look_again {
                self.look_again = now.millis().saturating_add(LOOK_EVERY);
                self.full_at.retain(|_, full_at| *full_at > now.millis());
            }
            if self.full_at.len() >= MOST {
                return;
            }
        }
        let every = i64::try_from(every).unwrap_or(i64::MAX);
        let longest = every.saturating_mul(i64::try_from(burst).unwrap_or(i64::MAX));
        let full_at = self.full_at.entry(key).or_default();
        let next = (*full_at).max(now.millis()).saturating_add(every);
        // A rule that is not enforced lets more go than it allows; what it owes stays bounded.
        *full_at = next.min(now.millis().saturating_add(longest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_then_one_at_a_time() {
        let at = Timestamp::from_millis;
        let mut paces = Paces::default();
        for _ in 0..3 {
            assert!(paces.has(1, 1_000, 3, at(5_000)));
            paces.take(1, 1_000, 3, at(5_000));
        }
        assert!(!paces.has(1, 1_000, 3, at(5_999)));
        assert!(paces.has(1, 1_000, 3, at(6_000)) && paces.has(2, 1_000, 3, at(5_000)));
        paces.take(1, 1_000, 3, at(6_000));
        assert!(!paces.has(1, 1_000, 3, at(6_500)));
        assert!(paces.has(1, 1_000, 3, at(60_000)));
    }
}
