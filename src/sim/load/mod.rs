//! The load client: many connections, full windows, and exact books of what was answered and what came back.

mod connection;
mod ledger;
pub mod pattern;
mod report;
pub mod settings;
mod submits;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::CreationError;
use smpp_proto::pdu::BindKind;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::link::LinkError;
use crate::link::tls::TlsError;
use connection::{Connection, Dialer};
use ledger::Ledger;
pub use report::{Latency, Receipts, Report};
use report::{Tally, processor_time};
pub use settings::{Amount, BindType, Settings, Text};
use submits::{Template, TextError};

/// How far a run has come; the caller may look at it while it runs, and stop it early.
#[derive(Debug, Default)]
pub struct Progress {
    /// Submissions sent.
    pub submitted: AtomicU64,
    /// Submissions answered, well or badly.
    pub answered: AtomicU64,
    /// Receipts received.
    pub receipts: AtomicU64,
    /// Set it to submit nothing more; what is open is still waited for.
    pub stop: AtomicBool,
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The settings contradict each other.
    #[error("{}", .0.join("; "))]
    Settings(Vec<String>),
    /// The text cannot be sent.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The TLS settings are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection came to be bound.
    #[error("no connection could bind: {}", reasons(.0))]
    NothingBound(BTreeMap<String, u64>),
    /// The record cannot be written.
    #[error("cannot write the record {path}: {source}", path = .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The latency histogram cannot be made.
    #[error("no histogram: {0:?}")]
    Histogram(CreationError),
}

impl From<CreationError> for LoadError {
    fn from(error: CreationError) -> Self {
        Self::Histogram(error)
    }
}

fn reasons(failures: &BTreeMap<String, u64>) -> String {
    failures.iter().map(|(reason, count)| format!("{count} x {reason}")).collect::<Vec<_>>().join("; ")
}

/// Connects, binds, submits, waits for answers and receipts, unbinds.
///
/// # Errors
/// When nothing could be started. What goes wrong later is in the report.
pub async fn run(settings: Settings, progress: Arc<Progress>) -> Result<Report, LoadError> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(LoadError::Settings(problems));
    }
    let template = Template::new(&settings)?;
    let dialer = Arc::new(Dialer::new(&settings)?);
    let (mut bound, mut failures) = dial(&dialer, &settings).await;
    if bound.is_empty() {
        return Err(LoadError::NothingBound(failures));
    }
    let started = Instant::now();
    let processor_before = processor_time();
    let shared = Arc::new(Shared::new(settings, template, progress, started)?);
    let (finish, finished) = watch::channel(false);
    let connections = bound.len();
    shared.submitting.store(
        bound.iter().filter(|(_, kind)| *kind != BindKind::Receiver).count() as u64,
        Ordering::Relaxed,
    );
    let mut tasks = JoinSet::new();
    for (place, (link, kind)) in bound.drain(..).enumerate() {
        let connection = Connection::new(link, kind, place as u64, Arc::clone(&shared))?;
        tasks.spawn(connection.run(finished.clone()));
    }
    let mut tally = Tally::new()?;
    let mut watchdog = Watchdog::new(started);
    loop {
        match timeout(WATCH_EVERY, tasks.join_next()).await {
            Ok(None) => break,
            Ok(Some(Ok((part, outcome)))) => {
                tally.add(&part);
                if let Err(error) = outcome {
                    *failures.entry(error).or_default() += 1;
                }
            }
            Ok(Some(Err(panic))) => *failures.entry(panic.to_string()).or_default() += 1,
            Err(_) => {}
        }
        if watchdog.is_over(&shared) {
            finish.send_replace(true);
        }
    }
    let processor =
        processor_before.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
    Ok(shared.report(&tally, connections, failures, processor))
}

/// Dials and binds all connections at the same time.
async fn dial(
    dialer: &Arc<Dialer>,
    settings: &Settings,
) -> (Vec<(crate::link::Link, BindKind)>, BTreeMap<String, u64>) {
    let kinds: &[BindKind] = match settings.bind_type {
        BindType::Transceiver => &[BindKind::Transceiver],
        BindType::Transmitter => &[BindKind::Transmitter],
        BindType::Receiver => &[BindKind::Receiver],
        BindType::Pair => &[BindKind::Transmitter, BindKind::Receiver],
    };
    let mut tasks = JoinSet::new();
    for _ in 0..settings.connections {
        for kind in kinds.iter().copied() {
            let dialer = Arc::clone(dialer);
            tasks.spawn(async move { dialer.bind(kind).await.map(|link| (link, kind)) });
        }
    }
    let (mut bound, mut failures) = (Vec::new(), BTreeMap::new());
    while let Some(outcome) = tasks.join_next().await {
        match outcome {
            Ok(Ok(link)) => bound.push(link),
            Ok(Err(error)) => *failures.entry(error.to_string()).or_default() += 1,
            Err(panic) => *failures.entry(panic.to_string()).or_default() += 1,
        }
    }
    (bound, failures)
}

/// What all connections of a run share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    template: Template,
    progress: Arc<Progress>,
    started: Instant,
    /// Messages not yet begun; `u64::MAX` when the time decides.
    quota: AtomicU64,
    /// Numbers messages, for counting patterns.
    serial: AtomicU64,
    /// Connections that still submit or wait for answers.
    submitting: AtomicU64,
    /// Microseconds from the start to the last answer.
    last_answer: AtomicU64,
    /// Microseconds from the start to the last receipt.
    last_receipt: AtomicU64,
    ledger: Mutex<Ledger>,
    record: Option<Mutex<File>>,
}

impl Shared {
    fn new(
        settings: Settings,
        template: Template,
        progress: Arc<Progress>,
        started: Instant,
    ) -> Result<Self, LoadError> {
        let quota = match settings.amount {
            Amount::Messages(count) => count,
            Amount::Time(_) => u64::MAX,
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
    fn take_quota(&self, wanted: u64) -> u64 {
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
    fn is_stopped(&self) -> bool {
        let over = match self.settings.amount {
            Amount::Messages(_) => self.quota.load(Ordering::Relaxed) == 0,
            Amount::Time(time) => self.started.elapsed() >= time,
        };
        over || self.progress.stop.load(Ordering::Relaxed)
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(
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
struct Watchdog {
    seen: (u64, u64, u64),
    moved: Instant,
}

impl Watchdog {
    fn new(now: Instant) -> Self {
        Self { seen: (0, 0, 0), moved: now }
    }

    fn is_over(&mut self, shared: &Shared) -> bool {
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
            return false;
        }
        !shared.settings.receipts || shared.ledger().open == 0 || still >= shared.settings.receipt_patience
    }
}

/// What went wrong with one connection, in words that are the same for the same cause.
fn failure(error: &LinkError) -> String {
    error.to_string()
}

/// How often the end of a run is looked for.
const WATCH_EVERY: Duration = Duration::from_millis(10);
