//! How far a run has come: what is left to submit, when each thing last moved, and when it is over.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::report::{Latency, Receipts, Report, Tally};
use super::settings::{Amount, BindType, Settings};
use super::submits::Template;
use super::{LoadError, Progress};

/// What all connections of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) template: Template,
    pub(super) progress: Arc<Progress>,
    pub(super) started: Instant,
    /// Messages not yet begun; `u64::MAX` when the time decides.
    pub(super) quota: AtomicU64,
    /// Numbers messages, for counting patterns.
    pub(super) serial: AtomicU64,
    /// Connections that still submit or wait for answers.
    pub(super) submitting: AtomicU64,
    /// Microseconds from the start to the last answer.
    pub(super) last_answer: AtomicU64,
    /// Microseconds from the start to the last receipt.
    pub(super) last_receipt: AtomicU64,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) record: Option<Mutex<File>>,
}

impl Shared {
    pub(super) fn new(
        settings: Settings,
        template: Template,
        progress: Arc<Progress>,
        started: Instant,
    ) -> Result<Self, LoadError> {
        let quota = match settings.amount {
            Amount::Messages(count) => count,
            Amount::Time(_) | Amount::Receipts(_) => u64::MAX,
        };
        let record = match &settings.record {
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                Some(Mutex::new(file.map_err(|source| LoadError::Record { path: path.clone(), source })?))
            }
            None => None,
        };
        Ok(Self {
            template,
            progress,
            started,
            quota: AtomicU64::new(quota),
            serial: AtomicU64::new(0),
            submitting: AtomicU64::new(0),
            last_answer: AtomicU64::new(0),
            last_receipt: AtomicU64::new(0),
            ledger: Mutex::new(Ledger::new(started)?),
            record,
            settings,
        })
    }

    /// Takes up to `wanted` messages off the quota.
    pub(super) fn take_quota(&self, wanted: u64) -> u64 {
        if self.is_stopped() {
            return 0;
        }
        let mut taken = 0;
        // The closure always gives a value, so this cannot fail.
        let _ = self.quota.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            taken = wanted.min(left);
            Some(if left == u64::MAX { left } else { left - taken })
        });
        taken
    }

    /// Whether nothing more is to be submitted.
    pub(super) fn is_stopped(&self) -> bool {
        let over = match self.settings.amount {
            Amount::Messages(_) => self.quota.load(Ordering::Relaxed) == 0,
            Amount::Time(time) => self.started.elapsed() >= time,
            Amount::Receipts(count) => self.progress.receipts.load(Ordering::Relaxed) >= count,
        };
        over || self.progress.stop.load(Ordering::Relaxed)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(
        &self,
        tally: &Tally,
        connections: usize,
        failures: BTreeMap<String, u64>,
        processor: Option<Duration>,
    ) -> Report {
        let ledger = self.ledger();
        let seconds = |at: &AtomicU64| at.load(Ordering::Relaxed) as f64 / 1e6;
        let to_answer = seconds(&self.last_answer);
        let to_receipt = seconds(&self.last_receipt).max(to_answer);
        let per_second = |count: u64, time: f64| if time > 0.0 { count as f64 / time } else { 0.0 };
        let refused: u64 = tally.refused.values().sum();
        let receipts = self.settings.receipts.then(|| Receipts {
            received: ledger.received,
            doubled: ledger.doubled,
            missing: ledger.open,
            unknown: ledger.unasked,
            not_delivered: ledger.failed,
            latency: Latency::of(&ledger.latency),
        });
        Report {
            connections,
            failures,
            submitted: tally.submitted,
            accepted: tally.accepted,
            unanswered: tally.submitted.saturating_sub(tally.accepted + refused),
            refused: tally.refused_by_name(),
            messages: tally.messages,
            mo: tally.mo,
            seconds: to_answer,
            seconds_with_receipts: to_receipt,
            submits_per_second: per_second(tally.accepted, to_answer),
            messages_per_second: per_second(
                tally.messages,
                if receipts.is_some() { to_receipt } else { to_answer },
            ),
            receipts,
            answer_latency: Latency::of(&tally.latency),
            cpu_seconds: processor.map(|time| time.as_secs_f64()),
        }
    }
}

/// Decides when a run is over: everything answered and received, or nothing has moved for too long.
#[derive(Debug)]
pub(super) struct Watchdog {
    seen: (u64, u64, u64),
    moved: Instant,
}

impl Watchdog {
    pub(super) fn new(now: Instant) -> Self {
        Self { seen: (0, 0, 0), moved: now }
    }

    pub(super) fn is_over(&mut self, shared: &Shared) -> bool {
        let progress = &shared.progress;
        let seen = (
            progress.submitted.load(Ordering::Relaxed),
            progress.answered.load(Ordering::Relaxed),
            progress.receipts.load(Ordering::Relaxed),
        );
        if seen != self.seen {
            self.seen = seen;
            self.moved = Instant::now();
        }
        let still = self.moved.elapsed();
        if shared.submitting.load(Ordering::Acquire) > 0 {
            // A low rate makes pauses of its own, so only open requests count as stuck.
            return seen.0 > seen.1 && still >= shared.settings.answer_patience;
        }
        if shared.settings.bind_type == BindType::Receiver && !shared.is_stopped() {
            let is_counting = matches!(shared.settings.amount, Amount::Receipts(_));
            return is_counting && still >= shared.settings.receipt_patience;
        }
        !shared.settings.receipts || shared.ledger().open == 0 || still >= shared.settings.receipt_patience
    }
}
