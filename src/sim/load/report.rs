//! The outcome of a run, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;
use smpp_proto::field::CommandStatus;

/// What a run did and how fast.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Connections that bound.
    pub connections: usize,
    /// Why connections ended early or never bound, each with how often.
    pub failures: BTreeMap<String, u64>,
    /// submit_sm sent.
    pub submitted: u64,
    /// Those answered ESME_ROK.
    pub accepted: u64,
    /// Those answered with an error, by status.
    pub refused: BTreeMap<String, u64>,
    /// Those never answered.
    pub unanswered: u64,
    /// Whole messages of which every part was accepted.
    pub messages: u64,
    /// Receipts; `None` if none were asked for.
    pub receipts: Option<Receipts>,
    /// Messages that came in without being receipts.
    pub mo: u64,
    /// From the first submission to the last answer, in seconds.
    pub seconds: f64,
    /// From the first submission to the last receipt, in seconds.
    pub seconds_with_receipts: f64,
    /// Accepted submissions a second.
    pub submits_per_second: f64,
    /// Whole messages a second; with receipts, until the last receipt.
    pub messages_per_second: f64,
    /// From submission to answer.
    pub answer_latency: Latency,
    /// Processor time of this process during the run, in seconds.
    pub cpu_seconds: Option<f64>,
}

/// What became of the receipts.
#[derive(Debug, Clone, Serialize)]
pub struct Receipts {
    /// Messages accepted that a receipt has come for.
    pub received: u64,
    /// Receipts that came more than once.
    pub doubled: u64,
    /// Accepted messages without one.
    pub missing: u64,
    /// Receipts for ids that were never given to us.
    pub unknown: u64,
    /// Receipts with another final state than DELIVERED.
    pub not_delivered: u64,
    /// From submission to receipt.
    pub latency: Latency,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// Half of all were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
        }
    }
}

impl Report {
    /// Whether everything that was submitted was accepted, and every receipt came once.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.is_complete() && self.refused.is_empty()
    }

    /// Whether nothing was lost: all answered, every receipt came, no connection failed. Refusals are answers.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
            && self.unanswered == 0
            && self.receipts.as_ref().is_none_or(|receipts| receipts.missing == 0 && receipts.doubled == 0)
    }

    /// How many were refused.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22}{value}");
        row("connections", self.connections.to_string())?;
        for (failure, count) in &self.failures {
            row("  failed", format!("{count} x {failure}"))?;
        }
        row("submitted", self.submitted.to_string())?;
        row("accepted", self.accepted.to_string())?;
        for (status, count) in &self.refused {
            row("  refused", format!("{count} x {status}"))?;
        }
        if self.unanswered > 0 {
            row("  unanswered", self.unanswered.to_string())?;
        }
        if self.messages != self.accepted {
            row("whole messages", self.messages.to_string())?;
        }
        if let Some(receipts) = &self.receipts {
            row("receipts", receipts.received.to_string())?;
            for (name, count) in [
                ("  missing", receipts.missing),
                ("  doubled", receipts.doubled),
                ("  unknown", receipts.unknown),
                ("  not delivered", receipts.not_delivered),
            ] {
                if count > 0 {
                    row(name, count.to_string())?;
                }
            }
        }
        if self.mo > 0 {
            row("mobile originated", self.mo.to_string())?;
        }
        row("time", format!("{:.2} s to the last answer", self.seconds))?;
        if self.receipts.is_some() {
            row("", format!("{:.2} s to the last receipt", self.seconds_with_receipts))?;
        }
        row("speed", format!("{:.0} submits/s", self.submits_per_second))?;
        row("", format!("{:.0} whole messages/s", self.messages_per_second))?;
        if let Some(cpu) = self.cpu_seconds {
            row("processor time", format!("{cpu:.2} s"))?;
        }
        row("", format!("{:>9} {:>9} {:>9} {:>9} {:>9}", "p50", "p90", "p99", "p99.9", "max"))?;
        row("answer latency, ms", self.answer_latency.to_string())?;
        if let Some(receipts) = &self.receipts {
            row("receipt latency, ms", receipts.latency.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            self.p50, self.p90, self.p99, self.p999, self.max
        )
    }
}

/// What one connection counted; added up into the report.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) submitted: u64,
    pub(super) accepted: u64,
    pub(super) messages: u64,
    pub(super) refused: BTreeMap<CommandStatus, u64>,
    pub(super) mo: u64,
    pub(super) latency: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Result<Self, CreationError> {
        let refused = BTreeMap::new();
        Ok(Self { submitted: 0, accepted: 0, messages: 0, refused, mo: 0, latency: latency_histogram()? })
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.accepted += other.accepted;
        self.messages += other.messages;
        self.mo += other.mo;
        for (status, count) in &other.refused {
            *self.refused.entry(*status).or_default() += count;
        }
        // Both have the same bounds, and those grow by themselves.
        let _ = self.latency.add(&other.latency);
    }

    pub(super) fn refused_by_name(&self) -> BTreeMap<String, u64> {
        self.refused.iter().map(|(status, count)| (status.to_string(), *count)).collect()
    }
}

/// Microseconds with three figures, up to [`LATENCY_MAX_US`].
pub(super) fn latency_histogram() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_max(LATENCY_MAX_US, 3)
}

/// Processor time of this process so far: user and system, from `/proc/self/stat` (proc(5), fields 14 and 15).
pub(super) fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// USER_HZ, which Linux fixes for /proc.
const TICKS_PER_SECOND: u64 = 100;
/// Ten minutes, in microseconds.
const LATENCY_MAX_US: u64 = 600_000_000;
