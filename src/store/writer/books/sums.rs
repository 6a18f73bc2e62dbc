//! Sums of days and months: each has one row, that of its latest period.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use crate::policy::filter::QuotaKey;
use crate::store::StoreError;

/// What was counted. A sum is kept for each limit that was ever met, so the policy bounds them.
#[derive(Default)]
pub(in crate::store::writer) struct Sums {
    sums: HashMap<QuotaKey, Sum, RandomState>,
    dirty: Vec<QuotaKey>,
}

#[derive(Clone, Copy)]
struct Sum {
    period: i32,
    used: u64,
    dirty: bool,
}

impl Sum {
    const fn counts_for(&self, period: i32) -> bool {
        period <= self.period && self.period <= period.saturating_add(1)
    }
}

impl Sums {
    pub(super) fn read(db: &Connection) -> Result<Self, StoreError> {
        let mut find = db.prepare("SELECT key, period, used FROM quota")?;
        let mut rows = find.query([])?;
        let mut sums = HashMap::default();
        while let Some(row) = rows.next()? {
            let used = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
            sums.insert(QuotaKey(row.get(0)?), Sum { period: row.get(1)?, used, dirty: false });
        }
        Ok(Self { sums, dirty: Vec::new() })
    }

    /// What was counted in a period. One that is over counts as the one after it: a message that was judged just before
    /// midnight and comes just after it belongs to the new day. A sum from further ahead is of a clock that was wrong.
    pub(super) fn of(&self, key: QuotaKey, period: i32) -> u64 {
        self.sums.get(&key).filter(|sum| sum.counts_for(period)).map_or(0, |sum| sum.used)
    }

    pub(super) fn add(&mut self, key: QuotaKey, period: i32, adds: u64) {
        let sum = match self.sums.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(Sum { period, used: 0, dirty: false }),
        };
        if !sum.counts_for(period) {
            *sum = Sum { period, used: 0, dirty: sum.dirty };
        }
        sum.used = sum.used.saturating_add(adds);
        if !sum.dirty {
            sum.dirty = true;
            self.dirty.push(key);
        }
    }

    pub(super) fn write(&mut self, db: &Connection) -> Result<(), StoreError> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        let mut put =
            db.prepare_cached("INSERT OR REPLACE INTO quota(key, period, used) VALUES(?1, ?2, ?3)")?;
        for key in self.dirty.drain(..) {
            let Some(sum) = self.sums.get_mut(&key) else { continue };
            sum.dirty = false;
            put.execute(params![key.0, sum.period, i64::try_from(sum.used).unwrap_or(i64::MAX)])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_period_begins_at_nothing_and_a_late_message_counts_in_it() {
        let (mut sums, key) = (Sums::default(), QuotaKey(7));
        sums.add(key, 100, 3);
        assert_eq!((sums.of(key, 100), sums.of(key, 101)), (3, 0));
        sums.add(key, 101, 1);
        assert_eq!((sums.of(key, 101), sums.of(key, 100)), (1, 1));
        sums.add(key, 100, 1);
        assert_eq!(sums.of(key, 101), 2);
        sums.add(key, 101, u64::MAX);
        assert_eq!(sums.of(key, 101), u64::MAX);
    }

    #[test]
    fn a_sum_of_a_clock_that_was_ahead_begins_anew() {
        let (mut sums, key) = (Sums::default(), QuotaKey(7));
        sums.add(key, 9_000, 3);
        assert_eq!((sums.of(key, 8_999), sums.of(key, 8_998), sums.of(key, 100)), (3, 0, 0));
        sums.add(key, 100, 1);
        assert_eq!((sums.of(key, 100), sums.of(key, 101), sums.of(key, 9_000)), (1, 0, 0));
    }
}
