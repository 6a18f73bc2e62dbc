//! What all runs gave: medians, ratios against the reference, the goals, and the table for the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::measure::Run;
use super::scenarios::{CONNECTIONS, Scenario, WINDOWS};

/// Everything, as it stands in `report.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// `full` or `short`.
    pub mode: String,
    /// Whether every scenario that was asked for has run.
    pub complete: bool,
    /// When it began, and how long it took in seconds.
    pub begun: String,
    pub seconds: f64,
    pub machine: Machine,
    pub scenarios: Vec<Outcome>,
    /// Ratios and goals, from the medians.
    pub goals: Vec<Goal>,
}

/// What came of a scenario.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub name: String,
    pub about: String,
    /// By figure, over all runs.
    pub summary: BTreeMap<String, Spread>,
    /// What was wrong; such a run has no figures.
    pub failures: Vec<String>,
    /// Of the last run.
    pub memory: Vec<(f64, u64)>,
    pub config: String,
    pub commands: Vec<String>,
}

/// A figure over all runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    pub runs: usize,
}

/// A figure with what it should be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Goal {
    pub name: String,
    pub value: f64,
    pub unit: String,
    /// `at least 0.5` or the like; empty when it is only shown.
    pub wanted: String,
    pub met: Option<bool>,
}

impl Outcome {
    /// Puts the runs of a scenario together.
    pub fn of(scenario: &Scenario, runs: Vec<Run>, failures: Vec<String>) -> Self {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for run in &runs {
            for (name, value) in &run.figures {
                values.entry(name.clone()).or_default().push(*value);
            }
        }
        let summary = values.into_iter().map(|(name, values)| (name, Spread::of(values))).collect();
        let last = runs.into_iter().last().unwrap_or_default();
        Self {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            summary,
            failures,
            memory: last.memory,
            config: last.config,
            commands: last.commands,
        }
    }

    /// The median of a figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.summary.get(name).map(|spread| spread.median)
    }

    /// The figure that says most, in words.
    pub fn headline(&self) -> String {
        let Some((name, unit)) = HEADLINES.into_iter().find(|(name, _)| self.summary.contains_key(*name))
        else {
            return self.failures.first().cloned().unwrap_or_default();
        };
        let spread = self.summary[name];
        let mut line = format!("{} {unit}", number(spread.median));
        if spread.runs > 1 {
            let _ = write!(line, " ({} to {})", number(spread.min), number(spread.max));
        }
        for (name, shown) in
            [("answer_p50_ms", "p50"), ("answer_p99_ms", "p99"), ("receipt_p99_ms", "receipt p99")]
        {
            if let Some(value) = self.figure(name) {
                let _ = write!(line, " · {shown} {value:.2} ms");
            }
        }
        for (name, unit) in [("gateway_us_per_message", "µs/message"), ("rss_mib", "MiB")] {
            if let Some(value) = self.figure(name) {
                let _ = write!(line, " · {value:.1} {unit}");
            }
        }
        line
    }
}

/// What is said first of a scenario: the first of these that it has.
const HEADLINES: [(&str, &str); 5] = [
    ("receipts_per_second", "receipts/s"),
    ("ready_seconds", "s until ready"),
    ("idle_percent", "% of a core"),
    ("messages_per_second", "messages/s"),
    ("submits_per_second", "submits/s"),
];

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (min, max) = (values[0], values[values.len() - 1]);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Self { median, min, max, runs: values.len() }
    }
}

impl Report {
    /// Reads `report.json`.
    pub fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("no report at {}", file.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The outcome of a scenario.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.scenarios.iter().find(|outcome| outcome.name == name)
    }

    fn figure(&self, scenario: &str, name: &str) -> Option<f64> {
        self.outcome(scenario)?.figure(name)
    }

    fn ratio(&self, scenario: &str, to: &str, name: &str) -> Option<f64> {
        Some(self.figure(scenario, name)? / self.figure(to, name)?)
    }

    /// Works out ratios and goals from the medians.
    pub fn judge(&mut self) {
        const RATE: &str = "submits_per_second";
        const WHOLE: &str = "messages_per_second";
        let mut goals = Goals(Vec::new());
        for shape in ["1x1", "1x100", "1x1000", "4x100"] {
            let (accept, reference) = (format!("accept/{shape}"), format!("reference/{shape}"));
            let ratio = self.ratio(&accept, &reference, RATE);
            goals.at_least(&format!("accept {shape} against the reference"), ratio, "×", 0.5);
        }
        let p50 = self.ratio("accept/1x1", "reference/1x1", "answer_p50_ms");
        goals.at_most("median answer 1x1 against the reference", p50, "×", 1.5);
        goals.below(
            "99 of 100 answers of accept 4x100",
            self.figure("accept/4x100", "answer_p99_ms"),
            "ms",
            5.0,
        );
        goals.at_least("through 4x100", self.figure("through/4x100", WHOLE), "/s", 60_000.0);
        goals.show("through 4x100 against accept", self.ratio("through/4x100", "accept/4x100", WHOLE), "×");
        goals.show("through with receipts after 5 s", self.ratio("late/5s", "through/4x100", RATE), "×");
        let full = self.ratio("history/accept", "accept/4x100", RATE);
        goals.at_least("accept with a full history against an empty one", full, "×", 0.9);
        goals.show("through with a full history", self.ratio("history/through", "through/4x100", WHOLE), "×");
        goals.below("most memory over a long run", self.figure("memory", "rss_mib"), "MiB", 200.0);
        let accepts = self.scenarios.iter().filter(|outcome| outcome.name.starts_with("accept/"));
        let best = accepts.filter_map(|outcome| outcome.figure(RATE)).reduce(f64::max);
        let busy = self.figure("binds/busy", RATE).zip(best).map(|(busy, best)| busy / best);
        goals.at_least("many busy binds against the best", busy, "×", 0.8);
        goals.below("many idle binds", self.figure("binds/idle", "idle_percent"), "% of a core", 2.0);
        for name in ["stopped", "killed"] {
            let ready = self.figure(&format!("start/{name}"), "ready_seconds");
            goals.below(&format!("ready with many that wait, {name} before"), ready, "s", 3.0);
        }
        let flood = self.ratio("fairness/flood", "fairness/alone", "answer_p99_ms");
        goals.below("99 of 100 answers beside a flood against alone", flood, "×", 2.0);
        let flood = self.ratio("fairness/flood", "fairness/alone", "receipt_p99_ms");
        goals.show("99 of 100 receipts beside a flood against alone", flood, "×");
        let slow = self.ratio("slow/one", "slow/none", "receipt_p99_ms");
        goals.show("99 of 100 receipts of fast operators beside a slow one", slow, "×");
        goals.show("accept with TLS against plain", self.ratio("tls/accept", "accept/4x100", RATE), "×");
        goals.show("through with TLS against plain", self.ratio("tls/through", "through/4x100", WHOLE), "×");
        goals.show(
            "through with 8 operators against 1",
            self.ratio("upstreams/8", "through/4x100", WHOLE),
            "×",
        );
        // The goals are for whole runs of the release build; of others only the figures are shown.
        if self.mode != "full" || self.machine.profile != "release" {
            for goal in &mut goals.0 {
                goal.wanted.clear();
                goal.met = None;
            }
        }
        self.goals = goals.0;
    }

    /// Writes `report.json` and `report.html` into `folder`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::write(folder.join("report.json"), serde_json::to_string_pretty(self)?)?;
        std::fs::write(folder.join("report.html"), super::page::page(self))?;
        Ok(())
    }

    /// The table for the README, as Markdown.
    pub fn table(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "{} cores of {}, {} GiB, Linux {}, fdatasync {:.2} ms; commit {}, {} build, medians of {} runs.\n\n",
            machine.cores,
            machine.processor,
            machine.memory_gib,
            machine.kernel,
            machine.sync_p50_ms,
            machine.commit,
            machine.profile,
            self.scenarios.iter().flat_map(|o| o.summary.values()).map(|s| s.runs).max().unwrap_or(0),
        );
        text.push_str("| clients × window | accepted/s | of the reference | p50 / p99 | whole messages/s | µs of gateway |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for connections in CONNECTIONS {
            for window in WINDOWS {
                self.row(connections, window, &mut text);
            }
        }
        text.push_str("\n| what else | measured |\n|---|---|\n");
        let in_grid = ["accept/", "reference/", "through/"];
        for outcome in &self.scenarios {
            if !outcome.summary.is_empty() && !in_grid.iter().any(|kind| outcome.name.starts_with(kind)) {
                let _ = writeln!(text, "| {}: {} | {} |", outcome.name, outcome.about, outcome.headline());
            }
        }
        text
    }

    fn row(&self, connections: usize, window: usize, text: &mut String) {
        let shape = format!("{connections}x{window}");
        let (accept, through) = (format!("accept/{shape}"), format!("through/{shape}"));
        let rate = self.figure(&accept, "submits_per_second");
        if rate.is_none() && self.outcome(&through).is_none() {
            return;
        }
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
        let ratio = self.ratio(&accept, &format!("reference/{shape}"), "submits_per_second");
        let ratio = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{:.0} %", 100.0 * ratio));
        let latency =
            |name: &str| self.figure(&accept, name).map_or_else(|| "–".to_owned(), |ms| format!("{ms:.2}"));
        let _ = writeln!(
            text,
            "| {connections} × {window} | {} | {ratio} | {} / {} ms | {} | {} |",
            shown(rate),
            latency("answer_p50_ms"),
            latency("answer_p99_ms"),
            shown(self.figure(&through, "messages_per_second")),
            self.figure(&through, "gateway_us_per_message")
                .map_or_else(|| "–".to_owned(), |us| format!("{us:.1}")),
        );
    }
}

struct Goals(Vec<Goal>);

impl Goals {
    fn put(
        &mut self,
        name: &str,
        value: Option<f64>,
        unit: &str,
        wanted: String,
        met: impl Fn(f64) -> Option<bool>,
    ) {
        if let Some(value) = value {
            self.0.push(Goal {
                name: name.to_owned(),
                value,
                unit: unit.to_owned(),
                wanted,
                met: met(value),
            });
        }
    }

    fn at_least(&mut self, name: &str, value: Option<f64>, unit: &str, bound: f64) {
        self.put(name, value, unit, format!("at least {}", number(bound)), |value| Some(value >= bound));
    }

    fn at_most(&mut self, name: &str, value: Option<f64>, unit: &str, bound: f64) {
        self.put(name, value, unit, format!("at most {}", number(bound)), |value| Some(value <= bound));
    }

    fn below(&mut self, name: &str, value: Option<f64>, unit: &str, bound: f64) {
        self.put(name, value, unit, format!("under {}", number(bound)), |value| Some(value < bound));
    }

    fn show(&mut self, name: &str, value: Option<f64>, unit: &str) {
        self.put(name, value, unit, String::new(), |_| None);
    }
}

/// A number as people read it: thousands apart, and as many decimals as matter.
pub fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
