//! What a run costs, read from /proc: processor time by process and thread, memory over time, octets written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// USER_HZ, which Linux fixes for /proc.
const TICKS: f64 = 100.0;

/// What one process has used so far.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Processor seconds, user and system.
    pub processor: f64,
    /// The same by name of thread.
    pub threads: BTreeMap<String, f64>,
    /// Octets that it had written to disks (proc_pid_io(5), write_bytes).
    pub written: u64,
}

impl Usage {
    /// Of a live process; nothing of one that has ended.
    pub fn of(process: u32) -> Self {
        let mut threads = BTreeMap::new();
        for entry in std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            if let Some((name, seconds)) = name_and_seconds(&stat) {
                *threads.entry(name).or_default() += seconds;
            }
        }
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let io = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok());
        Self {
            processor: name_and_seconds(&stat).map_or(0.0, |(_, seconds)| seconds),
            threads,
            written: written.unwrap_or(0),
        }
    }

    /// What was used since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let rest = |(name, seconds): (&String, &f64)| {
            (name.clone(), seconds - before.threads.get(name).copied().unwrap_or(0.0))
        };
        Self {
            processor: self.processor - before.processor,
            threads: self.threads.iter().map(rest).collect(),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// Fields 2, 14 and 15 of proc_pid_stat(5).
fn name_and_seconds(stat: &str) -> Option<(String, f64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let mut fields = after.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some((name, ticks / TICKS))
}

/// Processor seconds that everything on the machine has used, stolen ones included (proc_stat(5)).
pub fn machine_busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = stat.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let at = |place: usize| ticks.get(place).copied().unwrap_or(0.0);
    (at(0) + at(1) + at(2) + at(5) + at(6) + at(7)) / TICKS
}

/// Octets of a process in RAM, from VmRSS.
pub fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Files that a process has open.
pub fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Memory over time, thinned out so that it never holds more than [`Memory::MOST`] points.
#[derive(Debug)]
pub struct Memory {
    begun: Instant,
    every: Duration,
    last: Option<Instant>,
    points: Vec<(f64, u64)>,
}

impl Memory {
    const MOST: usize = 400;

    /// Begins now.
    pub fn new() -> Self {
        Self { begun: Instant::now(), every: Duration::from_millis(50), last: None, points: Vec::new() }
    }

    /// Looks, if it is time to.
    pub fn look(&mut self, process: u32) {
        if self.last.is_some_and(|last| last.elapsed() < self.every) {
            return;
        }
        let Some(octets) = resident(process) else { return };
        self.last = Some(Instant::now());
        self.points.push((self.begun.elapsed().as_secs_f64(), octets));
        if self.points.len() > Self::MOST {
            self.every *= 2;
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Seconds and octets.
    pub fn points(self) -> Vec<(f64, u64)> {
        self.points
    }
}
