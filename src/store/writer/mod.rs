//! The one thread that writes: drains the mailbox, does everything in one transaction, commits, then answers.

mod admin;
mod books;
mod client;
mod effects;
mod inbound;
mod message;
mod operator;
mod refill;
mod start;
mod tick;

pub(super) use books::unpacked;
pub(super) use client::unshortened;
pub(super) use start::start;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use books::Books;
pub use books::Limits;
use effects::Effects;

use super::command::{Command, Turns};
use super::history::{self, Mover};
use super::journal::Flights;
use super::metrics::Shadowed;
use super::{Shared, StoreError};
use crate::clock::Timestamp;
use crate::message::IdSource;

/// Figures of the writer, read by metrics. All count since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Transactions.
    pub commits: AtomicU64,
    /// Messages, notes and answers in them: divided by `commits` the batch size.
    pub items: AtomicU64,
    /// Microseconds spent in transactions, commits included.
    pub busy_micros: AtomicU64,
    /// Transactions that could not be committed.
    pub failures: AtomicU64,
    /// Submits that may have reached an operator twice.
    pub in_doubt: AtomicU64,
    /// Receipts that came before the answer to their submit, and were matched later.
    pub parked_matched: AtomicU64,
    /// Receipts for ids that nobody ever knew.
    pub parked_expired: AtomicU64,
    /// Receipts for messages that had ended already.
    pub receipts_repeated: AtomicU64,
    /// Receipts and messages from phones that were dropped because their client gave up the address.
    pub address_gone: AtomicU64,
    /// Messages moved to the history.
    pub moved: AtomicU64,
    /// Plain messages that became rows of their own after all: receipts that take long, retries, cancels.
    pub landed: AtomicU64,
    /// First sendings that were forgotten before their window ended, because there were too many.
    pub firsts_dropped: AtomicU64,
    /// First sendings that are remembered.
    pub firsts: AtomicU64,
    /// What rules that are not enforced would have refused.
    pub shadowed: Shadowed,
    /// Whether the last transaction could not be committed.
    pub is_failing: AtomicBool,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

/// The writer.
struct Writer {
    db: Connection,
    mailbox: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    books: Books,
    limits: Limits,
    flights: Flights,
    /// What memory knows could not be read again after a rollback: it is, before anything else.
    is_stale: bool,
    ids: IdSource,
    /// The number of the short id given out last.
    last_short: u32,
    mover: Mover,
    /// Receipts that wait for their submit's answer; spares a look-up while there are none.
    parked: u64,
    /// Parts of messages from phones that wait for others, and marks of joined ones.
    mo_parts: u64,
    /// Rows in `alias`; spares a look-up while there are none.
    aliases: u64,
    /// Whether `tried` may have rows; spares a look-up while it has none.
    has_tried: bool,
    sweeps: tick::Sweeps,
    /// Notes whose transaction failed and that nobody else remembers.
    held_over: Vec<Command>,
    /// What came of the administrative commands of this transaction, in their order.
    replies: Vec<Result<admin::Done, StoreError>>,
    /// The time of this transaction.
    now: Timestamp,
    /// Let go of last, but before anybody hears that the store is closed.
    _lock: start::Lock,
}

impl Writer {
    fn run(mut self) {
        let most = self.shared.settings.batch;
        let mut turns = Turns::default();
        let mut batch = Vec::new();
        loop {
            if turns.is_empty() {
                let Some(first) = self.mailbox.blocking_recv() else { return };
                turns.put(first);
            }
            while turns.has_room()
                && let Ok(next) = self.mailbox.try_recv()
            {
                turns.put(next);
            }
            if let Some(done) = turns.stop() {
                self.end(done);
                return;
            }
            let weight = turns.take(most, &mut batch);
            self.commit(&mut batch, weight);
            batch.clear();
        }
    }

    /// Does a batch in one transaction. When that fails, each command gets one of its own, so that one that cannot
    /// be done does not take the others with it.
    fn commit(&mut self, batch: &mut Vec<Command>, weight: usize) {
        let began = std::time::Instant::now();
        if !self.held_over.is_empty() {
            let mut late = std::mem::take(&mut self.held_over);
            late.append(batch);
            *batch = late;
        }
        if let Err(failure) = self.transact(batch) {
            error!(%failure, commands = batch.len(), "a transaction failed; trying its commands one by one");
            Counters::add(&self.shared.counters.failures, 1);
            for command in batch.drain(..) {
                match self.transact(std::slice::from_ref(&command)) {
                    Ok(()) => self.reply_to_admins(&mut vec![command]),
                    Err(failure) => {
                        self.shared.counters.is_failing.store(true, Ordering::Relaxed);
                        self.give_up(command, &failure);
                    }
                }
            }
        }
        self.reply_to_admins(batch);
        let counters = &self.shared.counters;
        Counters::add(&counters.commits, 1);
        Counters::add(&counters.items, weight as u64);
        Counters::add(&counters.busy_micros, u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        self.mover.send_when_worth_it(self.now);
        self.publish_next_due();
    }

    fn transact(&mut self, batch: &[Command]) -> Result<(), StoreError> {
        self.replies.clear();
        self.now = self.shared.clock.now();
        if self.is_stale {
            self.reread()?;
        }
        let mut effects = Effects::default();
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let done = self.do_all(batch, &mut effects).and_then(|()| Ok(self.db.execute_batch("COMMIT")?));
        if let Err(failure) = done {
            // A failed COMMIT may leave the transaction open or have closed it; both are fine.
            let _ = self.db.execute_batch("ROLLBACK");
            effects.undo(&self.shared);
            self.reread()?;
            return Err(failure);
        }
        // Before the answers: who was answered must not find the store failing.
        self.shared.counters.is_failing.store(false, Ordering::Relaxed);
        self.limits.keep();
        self.limits.show(&self.shared.counters);
        self.happen(effects);
        Ok(())
    }

    fn do_all(&mut self, batch: &[Command], effects: &mut Effects) -> Result<(), StoreError> {
        for command in batch {
            match command {
                Command::Client(batch) => self.client(batch, effects)?,
                Command::Operator(batch) => self.operator(batch, effects)?,
                Command::Answered(answers) => self.answered(answers, effects)?,
                Command::Refill(refill) => self.refill(*refill, effects)?,
                Command::Tick => self.tick(effects)?,
                Command::Forget(moved) => {
                    for id in &moved.rows {
                        self.left_for_history(*id, effects)?;
                    }
                    history::forget(&self.db, moved)?;
                    Counters::add(&self.shared.counters.moved, moved.len() as u64);
                }
                Command::Admin(_) | Command::Stop(_) => {}
            }
        }
        self.land_oldest()?;
        self.books.write(&self.db, self.now.utc_day())?;
        self.limits.write(&self.db, self.flights.log(), self.now)?;
        self.flights.write(&self.db, self.limits.noted())?;
        if batch.iter().any(|command| matches!(command, Command::Admin(_))) {
            self.admin(batch, effects)?;
        }
        Ok(())
    }

    /// After the commit: lanes are filled, answers go out.
    fn happen(&mut self, mut effects: Effects) {
        self.mover.note(effects.movable());
        self.mover.note_rows(effects.movable_rows());
        self.parked = self.parked.saturating_add_signed(effects.parked);
        self.aliases = self.aliases.saturating_add_signed(effects.aliases);
        self.mo_parts = self.mo_parts.saturating_add_signed(effects.mo_parts);
        effects.happen(&self.shared);
    }

    /// A command cannot be written: whoever asked hears it; notes that nobody else remembers are tried again.
    fn give_up(&mut self, command: Command, failure: &StoreError) {
        error!(%failure, command = command.word(), "a command could not be written");
        match command {
            Command::Client(batch) => client::refuse_all(&batch),
            Command::Operator(batch) => {
                let rest = operator::refuse(batch);
                if !rest.notes.is_empty() {
                    self.hold_over(Command::Operator(rest));
                }
            }
            Command::Answered(_) | Command::Forget(_) => self.hold_over(command),
            Command::Refill(refill) => self.refill_failed(refill),
            Command::Admin(admin) => admin.fail(failure.clone()),
            Command::Tick | Command::Stop(_) => {}
        }
        std::thread::sleep(PAUSE_AFTER_FAILURE);
    }

    fn hold_over(&mut self, command: Command) {
        if self.held_over.len() < MAX_HELD_OVER {
            self.held_over.push(command);
        }
    }

    /// What memory knows is read again after a rollback.
    fn reread(&mut self) -> Result<(), StoreError> {
        self.is_stale = true;
        self.flights = Flights::read(&self.db)?;
        self.books = Books::read(&self.db, &self.shared, &self.flights)?;
        self.limits.reread(&self.db)?;
        self.sweeps.begin_anew(self.now + LOOK_AFTER_FAILURE);
        self.is_stale = false;
        Ok(())
    }

    fn end(mut self, done: oneshot::Sender<()>) {
        self.mover.stop();
        if let Err(failure) = self.write_sightings(&self.shared.sightings.all()) {
            info!(%failure, "when addresses were last seen is not written for the last minute");
        }
        if let Err(failure) = self.land_all() {
            info!(%failure, "the journal stays as it is; the next start reads it");
        }
        self.clear_lanes();
        if let Err(failure) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            info!(%failure, "the write-ahead log could not be emptied; the next start does it");
        }
        drop(self);
        // Nobody waiting is fine.
        let _ = done.send(());
    }
}

/// Batches of notes kept for a store that comes back; beyond it binds stall on the full mailbox instead.
const MAX_HELD_OVER: usize = 10_000;
/// A disk that is full stays so for a while.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(5);
/// When what is due by itself is looked at again.
const LOOK_AFTER_FAILURE: Duration = Duration::from_secs(1);
