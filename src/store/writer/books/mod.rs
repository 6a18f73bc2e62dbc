//! Money in the writer's memory: exact, checked against the floor, written back once a transaction and account.

mod firsts;
mod limits;
mod lists;
mod paces;
mod sums;

pub use limits::Limits;
pub(super) use limits::land_counted;
pub(super) use lists::packed;
pub(in crate::store) use lists::unpacked;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rusqlite::{Connection, params};

use crate::account::{AccountId, Credits, Terms, UndeliveredCharge};
use crate::message::{Settlement, State};
use crate::policy::Refusal;
use crate::store::journal::Flights;
use crate::store::{Backlog, Balance, Shared, StoreError};

/// Every account's money. The tables are the truth; this is their copy, read at the start and after a failed commit.
pub(super) struct Books {
    shared: Arc<Shared>,
    purses: HashMap<AccountId, Purse>,
    dirty: Vec<AccountId>,
}

/// One account's money.
struct Purse {
    balance: Balance,
    floor: Credits,
    /// The most that it may own, by grants and transfers.
    ceiling: Option<Credits>,
    undelivered: UndeliveredCharge,
    /// Messages that no operator has taken yet. Only the writer changes it, so a load and a store are one step.
    waiting: Backlog,
    /// What this transaction adds to the day's totals.
    day: Day,
    dirty: bool,
}

#[derive(Clone, Copy, Default)]
struct Day {
    messages: i64,
    held: i64,
    posted: i64,
    voided: i64,
}

/// Why a hold was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHold {
    /// The balance would pass its floor.
    Insufficient,
    /// Too many messages wait.
    Full,
    /// No such account.
    Nobody,
    /// It would own more than it may.
    AboveCeiling,
}

impl NoHold {
    /// What a client is told.
    pub(super) const fn refusal(self) -> Refusal {
        match self {
            Self::Full => Refusal::QueueFull,
            Self::Insufficient | Self::AboveCeiling => Refusal::InsufficientCredit,
            Self::Nobody => Refusal::AccountSuspended,
        }
    }
}

impl Books {
    pub(super) fn read(db: &Connection, shared: &Arc<Shared>, flights: &Flights) -> Result<Self, StoreError> {
        let mut books = Self { shared: Arc::clone(shared), purses: HashMap::new(), dirty: Vec::new() };
        let mut accounts = db.prepare("SELECT id, terms, available, held FROM account")?;
        let mut rows = accounts.query([])?;
        while let Some(row) = rows.next()? {
            let terms: String = row.get(1)?;
            let terms: Terms = serde_json::from_str(&terms).map_err(|e| StoreError::Failed(e.to_string()))?;
            let balance = Balance {
                available: Credits::from_micro(row.get(2)?),
                held: Credits::from_micro(row.get(3)?),
            };
            let account = AccountId(row.get(0)?);
            books.purses.insert(account, Purse::new(balance, &terms, shared.backlogs.of(account)));
        }
        let mut waiting =
            db.prepare("SELECT account, count(*) FROM message WHERE state < ?1 GROUP BY account")?;
        let mut rows = waiting.query([State::Sent.code()])?;
        while let Some(row) = rows.next()? {
            if let Some(purse) = books.purses.get_mut(&AccountId(row.get(0)?)) {
                purse.waiting.store(u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0), Relaxed);
            }
        }
        for row in flights.rows().filter(|row| row.state < State::Sent) {
            if let Some(purse) = books.purses.get(&row.account) {
                purse.waiting.fetch_add(1, Relaxed);
            }
        }
        Ok(books)
    }

    /// Takes the price of a message out of what can be spent: one of the two ways in which a message moves money.
    pub(super) fn hold(
        &mut self,
        account: AccountId,
        total: Credits,
        max_waiting: u64,
    ) -> Result<(), NoHold> {
        let purse = self.purses.get_mut(&account).ok_or(NoHold::Nobody)?;
        let rest = purse.after(total, max_waiting)?;
        let waiting = purse.waiting.load(Relaxed);
        purse.balance.held = purse.balance.held.plus(total).ok_or(NoHold::Insufficient)?;
        purse.balance.available = rest;
        purse.waiting.store(waiting + 1, Relaxed);
        purse.day.messages += 1;
        purse.day.held += total.micro();
        self.touch(account);
        Ok(())
    }

    /// Whether a hold could be made.
    pub(super) fn could_hold(
        &self,
        account: AccountId,
        total: Credits,
        max_waiting: u64,
    ) -> Result<(), NoHold> {
        let purse = self.purses.get(&account).ok_or(NoHold::Nobody)?;
        purse.after(total, max_waiting).map(|_| ())
    }

    /// Ends a hold: what is posted is spent, what is voided can be spent again. The other of the two ways.
    pub(super) fn settle(&mut self, account: AccountId, settlement: Settlement) -> Result<(), StoreError> {
        let overflow = || StoreError::Failed(format!("the books of account {account} do not add up"));
        let purse = self.purses.get_mut(&account).ok_or_else(overflow)?;
        let total = settlement.post.plus(settlement.void).ok_or_else(overflow)?;
        purse.balance.held =
            purse.balance.held.minus(total).filter(|held| *held >= Credits::ZERO).ok_or_else(overflow)?;
        purse.balance.available = purse.balance.available.plus(settlement.void).ok_or_else(overflow)?;
        purse.day.posted += settlement.post.micro();
        purse.day.voided += settlement.void.micro();
        self.touch(account);
        Ok(())
    }

    /// Whether messages of an account wait for an operator, or for their time.
    pub(super) fn is_waiting(&self, account: AccountId) -> bool {
        self.purses.get(&account).is_some_and(|purse| purse.waiting.load(Relaxed) > 0)
    }

    /// A message of the account waits no longer: an operator took it or it ended.
    pub(super) fn left(&mut self, account: AccountId) {
        if let Some(purse) = self.purses.get_mut(&account) {
            purse.waiting.store(purse.waiting.load(Relaxed).saturating_sub(1), Relaxed);
        }
    }

    /// A message of the account waits again: the operator that took it failed it, and the next shall have it.
    pub(super) fn came_back(&mut self, account: AccountId) {
        if let Some(purse) = self.purses.get_mut(&account) {
            purse.waiting.store(purse.waiting.load(Relaxed).saturating_add(1), Relaxed);
        }
    }

    /// Adds credit from outside, or takes it away down to the floor. An error changes nothing.
    pub(super) fn add(&mut self, account: AccountId, amount: Credits) -> Result<Balance, NoHold> {
        let purse = self.purses.get_mut(&account).ok_or(NoHold::Nobody)?;
        purse.balance.available = purse.with(amount)?;
        let balance = purse.balance;
        self.touch(account);
        Ok(balance)
    }

    /// Whether so much could be added, or taken away.
    pub(super) fn could_add(&self, account: AccountId, amount: Credits) -> Result<(), NoHold> {
        self.purses.get(&account).ok_or(NoHold::Nobody)?.with(amount).map(|_| ())
    }

    pub(super) fn undelivered(&self, account: AccountId) -> UndeliveredCharge {
        self.purses.get(&account).map(|purse| purse.undelivered).unwrap_or_default()
    }

    /// What an account can spend, and the least that may be; nothing for one that is not there.
    pub(super) fn available_and_floor(&self, account: AccountId) -> Option<(Credits, Credits)> {
        self.purses.get(&account).map(|purse| (purse.balance.available, purse.floor))
    }

    /// Puts a new account in, or changes the terms of one that is there.
    pub(super) fn set_terms(&mut self, account: AccountId, terms: &Terms) {
        let Self { shared, purses, .. } = self;
        let purse = purses.entry(account).or_insert_with(|| {
            let empty = Balance { available: Credits::ZERO, held: Credits::ZERO };
            Purse::new(empty, terms, shared.backlogs.of(account))
        });
        purse.floor = terms.floor;
        purse.ceiling = terms.ceiling;
        purse.undelivered = terms.undelivered;
    }

    /// Writes what this transaction changed; before its commit.
    pub(super) fn write(&mut self, db: &Connection, day: i64) -> Result<(), StoreError> {
        let mut account = db.prepare_cached("UPDATE account SET available = ?2, held = ?3 WHERE id = ?1")?;
        let mut totals = db.prepare_cached(
            "INSERT INTO day_total(account, day, messages, held, posted, voided) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(account, day) DO UPDATE SET messages = messages + excluded.messages,
               held = held + excluded.held, posted = posted + excluded.posted, voided = voided + excluded.voided",
        )?;
        for id in self.dirty.drain(..) {
            let Some(purse) = self.purses.get_mut(&id) else { continue };
            purse.dirty = false;
            account.execute(params![id.0, purse.balance.available.micro(), purse.balance.held.micro()])?;
            let sums = std::mem::take(&mut purse.day);
            if sums.messages != 0 || sums.posted != 0 || sums.voided != 0 {
                totals.execute(params![id.0, day, sums.messages, sums.held, sums.posted, sums.voided])?;
            }
        }
        Ok(())
    }

    fn touch(&mut self, account: AccountId) {
        if let Some(purse) = self.purses.get_mut(&account)
            && !purse.dirty
        {
            purse.dirty = true;
            self.dirty.push(account);
        }
    }
}

impl Purse {
    /// The purse of an account of which nothing waits, as far as is known.
    fn new(balance: Balance, terms: &Terms, waiting: Backlog) -> Self {
        waiting.store(0, Relaxed);
        Self {
            balance,
            floor: terms.floor,
            ceiling: terms.ceiling,
            undelivered: terms.undelivered,
            waiting,
            day: Day::default(),
            dirty: false,
        }
    }

    /// What could be spent with credit from outside, or without what is taken away.
    fn with(&self, amount: Credits) -> Result<Credits, NoHold> {
        let sum = self.balance.available.plus(amount).ok_or(NoHold::Insufficient)?;
        if amount < Credits::ZERO && sum < self.floor {
            return Err(NoHold::Insufficient);
        }
        let owned = sum.plus(self.balance.held).ok_or(NoHold::Insufficient)?;
        if amount > Credits::ZERO && self.ceiling.is_some_and(|ceiling| owned > ceiling) {
            return Err(NoHold::AboveCeiling);
        }
        Ok(sum)
    }

    /// What could be spent after a hold.
    fn after(&self, total: Credits, max_waiting: u64) -> Result<Credits, NoHold> {
        if self.waiting.load(Relaxed) >= max_waiting {
            return Err(NoHold::Full);
        }
        let rest = self.balance.available.minus(total).ok_or(NoHold::Insufficient)?;
        if rest < self.floor { Err(NoHold::Insufficient) } else { Ok(rest) }
    }
}
