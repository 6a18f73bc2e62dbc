//! Counted limits in the writer's memory: sums of days and months, paces, first sendings, numbers that want nothing.
//!
//! A message's claims are checked all together and taken all together, in the transaction that accepts it. Sums and
//! first sendings survive a restart; paces begin anew.

use std::hint::black_box;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::firsts::{self, Firsts};
use super::lists::Lists;
use super::paces::Paces;
use super::sums::{self, Sums};
use crate::clock::Timestamp;
use crate::policy::filter::{Claim, Demand, RuleId};
use crate::policy::{Admitted, Denied};
use crate::store::journal::{self, Log};
use crate::store::{Counted, Counters, StoreError};

/// All of them. Known outside of the store to whoever measures what they cost.
pub struct Limits {
    pub(super) sums: Sums,
    paces: Paces,
    pub(in crate::store::writer) firsts: Firsts,
    pub(in crate::store::writer) lists: Lists,
    /// Where in the journal the first stands of what the tables do not know.
    noted: Option<i64>,
    /// The same before this transaction.
    noted_before: Option<i64>,
}

/// Octets of the journal that stay for the sake of what was counted; then it is put into the tables.
const LONGEST: i64 = 1024 * 1024;

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("first_sendings", &self.firsts.len()).finish_non_exhaustive()
    }
}

impl Limits {
    /// None yet, and nothing on a disk. `most_firsts` first sendings are remembered.
    #[must_use]
    pub fn empty(most_firsts: usize) -> Self {
        Self {
            sums: Sums::default(),
            paces: Paces::default(),
            firsts: Firsts::empty(most_firsts),
            lists: Lists::default(),
            noted: None,
            noted_before: None,
        }
    }

    /// Puts a number on the list of an account, or of the platform (0), in memory alone; `false` when it was there, or is
    /// no number.
    pub fn list(&mut self, owner: u32, number: &[u8]) -> bool {
        self.lists.hold(owner, number)
    }

    /// Reads what survives.
    pub(in crate::store::writer) fn read(
        db: &Connection,
        most_firsts: usize,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            sums: Sums::read(db)?,
            paces: Paces::with_way_back(),
            firsts: Firsts::read(db, most_firsts, now)?,
            lists: Lists::read(db)?,
            ..Self::empty(most_firsts)
        })
    }

    /// The same after a rollback: what this transaction took is put back.
    pub(in crate::store::writer) fn reread(&mut self, db: &Connection) -> Result<(), StoreError> {
        self.sums.put_back();
        self.firsts.put_back();
        self.paces.put_back();
        self.noted = self.noted_before;
        if self.lists.is_touched() {
            self.lists = Lists::read(db)?;
        }
        Ok(())
    }

    /// The lists after a rollback to a savepoint; the transaction may still fail.
    pub(in crate::store::writer) fn reread_lists(&mut self, db: &Connection) -> Result<(), StoreError> {
        if self.lists.is_touched() {
            self.lists = Lists::read(db)?;
            self.lists.touch();
        }
        Ok(())
    }

    /// After the commit: what was taken stays taken.
    pub(in crate::store::writer) fn keep(&mut self) {
        self.sums.keep();
        self.firsts.keep();
        self.paces.keep();
        self.noted_before = self.noted;
        self.lists.keep();
    }

    /// Looks at what the claims of many messages will be compared with. Among millions of entries each stands in memory
    /// that has to be fetched; here nothing waits for the one before, and they come together.
    pub(in crate::store::writer) fn fetch<'c>(
        &self,
        claims: impl Iterator<Item = &'c Claim>,
        now: Timestamp,
    ) {
        for claim in claims {
            match claim.demand {
                Demand::Pace { key, .. } => drop(black_box(self.paces.missing(key, now))),
                Demand::First { print, .. } => drop(black_box(self.firsts.has(print, now))),
                Demand::Quota { .. } => {}
            }
        }
    }

    /// Whether every claim of a message can be met; `shadowed` hears of those that cannot and are not enforced.
    ///
    /// # Errors
    /// The list that the number is on, or the first claim that cannot be met, and whose rule it is.
    pub fn check(
        &self,
        admitted: &Admitted,
        now: Timestamp,
        shadowed: impl FnMut(RuleId),
    ) -> Result<(), Denied> {
        let listed = self.lists.refusal(&admitted.rules().lineage, admitted.destination().as_bytes());
        listed.map_or(Ok(()), Err)?;
        self.check_claims(admitted.claims(), now, shadowed)
    }

    /// The same for claims alone.
    pub(in crate::store::writer) fn check_claims(
        &self,
        claims: &[Claim],
        now: Timestamp,
        mut shadowed: impl FnMut(RuleId),
    ) -> Result<(), Denied> {
        for claim in claims {
            if self.meets(claim, now) {
                continue;
            }
            if claim.enforce {
                return Err(Denied::by(claim.refusal, claim.rule));
            }
            shadowed(claim.rule);
        }
        Ok(())
    }

    fn meets(&self, claim: &Claim, now: Timestamp) -> bool {
        match claim.demand {
            Demand::Quota { key, period, adds, most, .. } => {
                self.sums.of(key, period).saturating_add(adds) <= most
            }
            Demand::Pace { key, every, burst } => self.paces.has(key, every, burst, now),
            Demand::First { print, .. } => !self.firsts.has(print, now),
        }
    }

    /// How every claim of a message stands, and whether its number is on a list; nothing is taken.
    pub(in crate::store::writer) fn probe(
        &self,
        admitted: &Admitted,
        now: Timestamp,
    ) -> (Option<Denied>, Vec<Counted>) {
        let listed = self.lists.refusal(&admitted.rules().lineage, admitted.destination().as_bytes());
        let counted = |claim: &Claim| {
            let (used, most) = match claim.demand {
                Demand::Quota { key, period, most, .. } => (self.sums.of(key, period), most),
                Demand::Pace { key, every, burst } => (self.paces.taken(key, every, now), burst),
                Demand::First { print, .. } => (u64::from(self.firsts.has(print, now)), 1),
            };
            Counted { rule: claim.rule, used, most, is_met: self.meets(claim, now) }
        };
        (listed, admitted.claims().iter().map(counted).collect())
    }

    /// Takes what was checked.
    pub fn take(&mut self, claims: &[Claim], now: Timestamp) {
        for claim in claims {
            match claim.demand {
                Demand::Quota { key, period, adds, counts: true, .. } => self.sums.add(key, period, adds),
                Demand::Quota { .. } => {}
                Demand::Pace { key, every, burst } => self.paces.take(key, every, burst, now),
                Demand::First { print, window } => self.firsts.note(print, window, now),
            }
        }
    }

    /// Notes in the journal what this transaction changed; before its commit. When enough stands there alone, it is put
    /// into the tables, so that the journal can be shortened: a page for each of them would be written in every
    /// transaction otherwise.
    pub(in crate::store::writer) fn write(
        &mut self,
        db: &Connection,
        log: &mut Log,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let length = self.noted.map_or(0, |noted| log.written() - noted);
        if self.firsts.are_many() || length > LONGEST {
            self.sums.settle(db)?;
            self.firsts.settle(db, now)?;
            log.settled()?;
            self.noted = None;
        }
        if self.sums.are_changed() || self.firsts.are_noted() {
            self.noted.get_or_insert(log.written());
            self.sums.write(log)?;
            self.firsts.write(log)?;
        }
        Ok(())
    }

    /// Where in the journal the first stands of what the tables do not know.
    pub(in crate::store::writer) const fn noted(&self) -> Option<i64> {
        self.noted
    }

    /// Shows how much is remembered.
    pub(in crate::store::writer) fn show(&self, counters: &Counters) {
        counters.firsts.store(self.firsts.len() as u64, Ordering::Relaxed);
        counters.firsts_dropped.store(self.firsts.dropped, Ordering::Relaxed);
    }
}

/// Puts into the tables what only the journal knows.
pub(in crate::store::writer) fn land_counted(db: &Connection) -> Result<(), StoreError> {
    let counted = journal::Counted::read(db)?;
    sums::land(db, &counted.sums)?;
    firsts::land(db, &counted.firsts)
}
