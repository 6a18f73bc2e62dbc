//! The load client: many connections, full windows, and exact books of what was answered and what came back.

mod connection;
mod course;
mod dial;
mod ledger;
pub mod pattern;
mod report;
pub mod settings;
mod submits;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::CreationError;
use smpp_proto::pdu::BindKind;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::link::Link;
use crate::link::tls::TlsError;
use connection::Connection;
use course::{Shared, Watchdog};
use dial::Dialer;
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
async fn dial(dialer: &Arc<Dialer>, settings: &Settings) -> (Vec<(Link, BindKind)>, BTreeMap<String, u64>) {
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

/// How often the end of a run is looked for.
const WATCH_EVERY: Duration = Duration::from_millis(10);
