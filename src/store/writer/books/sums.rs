//! Sums of days and months, each of its latest period. What changes is noted in the journal; now and then it becomes rows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use crate::policy::filter::QuotaKey;
use crate::store::StoreError;
use crate::store::journal::Log;

/// What was counted. A sum is kept for each limit that was ever met, so the policy bounds them.
#[derive(Default)]
pub(in crate::store::writer) struct Sums {
    sums: HashMap<QuotaKey, Sum, RandomState>,
    /// What this transaction changed, and what it was before.
    changed: Vec<(QuotaKey, Option<Sum>)>,
    /// What stands in the journal alone.
    pending: Vec<QuotaKey>,
    /// Whether this transaction writes `pending`.
    settles: bool,
}

#[derive(Clone, Copy)]
struct Sum {
    period: i32,
    used: u64,
    /// Whether this transaction changed it.
    is_changed: bool,
    /// Whether it stands in `pending`.
    is_pending: bool,
}

impl Sum {
    const fn of(period: i32, used: u64) -> Self {
        Self { period, used, is_changed: false, is_pending: false }
    }

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
            sums.insert(QuotaKey(row.get(0)?), Sum::of(row.get(1)?, used));
        }
        Ok(Self { sums, ..Self::default() })
    }

    /// What was counted in a period. One that is over counts as the one after it: a message that was judged just before
    /// midnight and comes just after it belongs to the new day. A sum from further ahead is of a clock that was wrong.
    pub(super) fn of(&self, key: QuotaKey, period: i32) -> u64 {
        self.sums.get(&key).filter(|sum| sum.counts_for(period)).map_or(0, |sum| sum.used)
    }

    pub(super) fn add(&mut self, key: QuotaKey, period: i32, adds: u64) {
        let (sum, before) = match self.sums.entry(key) {
            Entry::Occupied(known) => {
                let before = *known.get();
                (known.into_mut(), Some(before))
            }
            Entry::Vacant(free) => (free.insert(Sum::of(period, 0)), None),
        };
        if !sum.counts_for(period) {
            (sum.period, sum.used) = (period, 0);
        }
        sum.used = sum.used.saturating_add(adds);
        if !std::mem::replace(&mut sum.is_changed, true) {
            self.changed.push((key, before));
        }
    }

    /// Writes the rows of what former transactions noted in the journal.
    pub(super) fn settle(&mut self, db: &Connection) -> Result<(), StoreError> {
        self.settles = true;
        let sum = |key| self.sums.get(key).map(|sum| (key.0, (sum.period, sum.used)));
        land(db, &self.pending.iter().filter_map(sum).collect())
    }

    /// Whether this transaction changed any.
    pub(super) const fn are_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Notes in the journal what this transaction changed.
    pub(super) fn write(&self, log: &mut Log) -> Result<(), StoreError> {
        let mut changed = self.changed.iter().filter_map(|(key, _)| Some((key, self.sums.get(key)?)));
        changed.try_for_each(|(key, sum)| log.sum(key.0, sum.period, sum.used))
    }

    /// The transaction is committed.
    pub(super) fn keep(&mut self) {
        if std::mem::take(&mut self.settles) {
            for key in self.pending.drain(..) {
                if let Some(sum) = self.sums.get_mut(&key) {
                    sum.is_pending = false;
                }
            }
        }
        for (key, _) in self.changed.drain(..) {
            let Some(sum) = self.sums.get_mut(&key) else { continue };
            sum.is_changed = false;
            if !std::mem::replace(&mut sum.is_pending, true) {
                self.pending.push(key);
            }
        }
    }

    /// The transaction was rolled back.
    pub(super) fn put_back(&mut self) {
        self.settles = false;
        for (key, before) in self.changed.drain(..) {
            match before {
                Some(sum) => self.sums.insert(key, sum),
                None => self.sums.remove(&key),
            };
        }
    }
}

/// Writes the rows of sums: their periods and what was used, by key.
pub(super) fn land(db: &Connection, sums: &BTreeMap<i64, (i32, u64)>) -> Result<(), StoreError> {
    let mut put = db.prepare_cached("INSERT OR REPLACE INTO quota(key, period, used) VALUES(?1, ?2, ?3)")?;
    for (key, (period, used)) in sums {
        put.execute(params![key, period, i64::try_from(*used).unwrap_or(i64::MAX)])?;
    }
    Ok(())
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

    #[test]
    fn what_a_transaction_added_is_taken_back_when_it_fails() {
        let (mut sums, key, other) = (Sums::default(), QuotaKey(7), QuotaKey(8));
        sums.add(key, 100, 3);
        sums.keep();
        for key in [key, other, key] {
            sums.add(key, 101, 5);
        }
        assert_eq!((sums.of(key, 101), sums.of(other, 101)), (10, 5));
        sums.put_back();
        assert_eq!((sums.of(key, 100), sums.of(key, 101), sums.of(other, 101)), (3, 0, 0));
    }
}
