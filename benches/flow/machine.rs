//! What the figures were taken on: processor, memory, kernel, the disk's own pace, and the commit.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The machine and the build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub file_system: String,
    /// Milliseconds of a 4 KiB write and its fdatasync, in the folder of the runs: half and 99 of 100 are faster.
    pub sync_p50_ms: f64,
    pub sync_p99_ms: f64,
    /// Of the last minute, before the bench began.
    pub load_average: f64,
    pub compiler: String,
    /// `release`, or `dev` when the bench was built for the guard.
    pub profile: String,
    pub commit: String,
    /// Whether files differed from that commit.
    pub changed: bool,
}

impl Machine {
    /// Looks; `folder` is where the runs will write.
    pub fn look(folder: &Path) -> Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map_or_else(String::new, |(_, rest)| rest.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
        let (sync_p50_ms, sync_p99_ms) = sync(folder)?;
        Ok(Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_gib: (kib / 104_857.6).round() / 10.0,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: told("stat", &["-f", "-c", "%T", &folder.to_string_lossy()]),
            sync_p50_ms,
            sync_p99_ms,
            load_average: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|word| word.parse().ok())
                .unwrap_or(0.0),
            compiler: told("rustc", &["-V"]),
            profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
            commit: told("git", &["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short=12", "HEAD"]),
            changed: !told("git", &["-C", env!("CARGO_MANIFEST_DIR"), "status", "--porcelain"]).is_empty(),
        })
    }
}

fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How long the disk takes for what a commit needs at least.
fn sync(folder: &Path) -> Result<(f64, f64)> {
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    std::fs::remove_file(&path)?;
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
}
