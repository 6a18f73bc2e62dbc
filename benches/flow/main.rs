//! What the whole gateway does, end to end, with everything switched on: `cargo bench --bench flow`.
//!
//! Gateway, practice operators and load clients are real processes of this build, on this machine. Every scenario checks
//! that nothing was lost or doubled and that the books are right, and only then its figures count; no time is asserted.
//! `target/bench/` gets `report.html` and `report.json`; `-- --help` tells the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]
#![allow(unreachable_pub, reason = "no other crate is to reach it")]

mod history;
mod house;
mod machine;
mod measure;
mod page;
mod plot;
mod process;
mod reference;
mod report;
mod scenarios;
mod watch;

#[path = "../stage/full.rs"]
mod full;
#[path = "../stage/rules.rs"]
mod rules;

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use machine::Machine;
use measure::{Extent, Run};
use process::{INTERRUPTED, Interrupted, TOLLGATE};
use report::{Outcome, Report};
use scenarios::Scenario;

/// Measure the gateway end to end.
///
/// Ctrl-C ends it; what was measured until then is in the report. Exits 1 when a scenario went wrong.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench flow --")]
struct Options {
    /// Only scenarios whose name contains one of these
    filters: Vec<String>,
    /// Lists the scenarios and what each asks
    #[arg(long)]
    list: bool,
    /// Fewer scenarios, shorter, one run each: about a minute
    #[arg(long)]
    short: bool,
    /// Runs of each scenario [default: 3, with --short 1]; those of ten million messages run once
    #[arg(long, value_name = "N")]
    runs: Option<u32>,
    /// Prints the report as JSON at the end
    #[arg(long)]
    json: bool,
    /// Measures nothing: prints the README's table from the report that is there
    #[arg(long)]
    table: bool,
    /// Puts what is measured into the report that is there, instead of beginning a new one
    #[arg(long)]
    merge: bool,
    /// Keeps the folder of each run: logs, stores, configuration
    #[arg(long)]
    keep: bool,
    /// Where report and runs go [default: target/bench]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Serves the reference, for a run
    #[arg(long, hide = true, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(file) = &options.reference {
        reference::serve(file)?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = options.out.clone().unwrap_or_else(default_folder);
    let file = folder.join("report.json");
    if options.table {
        print!("{}", Report::read(&file)?.table());
        return Ok(ExitCode::SUCCESS);
    }
    let mut list = scenarios::all(options.short);
    if !options.filters.is_empty() {
        list.retain(|scenario| options.filters.iter().any(|filter| scenario.name.contains(filter)));
    }
    if options.list {
        list.iter().for_each(|scenario| println!("{:<22} {}", scenario.name, scenario.about));
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(!list.is_empty(), "no scenario has such a name; --list shows them");
    std::fs::create_dir_all(folder.join("run"))?;
    watch_for_interrupt()?;
    allow_open_files(20_000);
    let mut report = match options.merge {
        true => Report::read(&file)?,
        false => new_report(&folder, options.short)?,
    };
    let is_good = measure_all(&list, &options, &folder, &mut report)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        report.goals.iter().for_each(|goal| {
            let verdict = goal.met.map_or("", |met| if met { "met" } else { "missed" });
            println!(
                "{:<60} {:>10} {} {} {verdict}",
                goal.name,
                report::number(goal.value),
                goal.unit,
                goal.wanted
            );
        });
        println!("{}", folder.join("report.html").display());
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs everything; says whether all went well. The report is written after each scenario.
fn measure_all(list: &[Scenario], options: &Options, folder: &Path, report: &mut Report) -> Result<bool> {
    let wanted = options.runs.unwrap_or(if options.short { 1 } else { 3 }).max(1);
    let runs = |scenario: &Scenario| wanted.min(scenario.most_runs);
    let bar = bar(list.iter().map(|scenario| u64::from(runs(scenario))).sum());
    let begun = Instant::now();
    let before = report.seconds;
    let mut is_good = true;
    report.complete = false;
    for scenario in list {
        let (mut done, mut failures) = (Vec::new(), Vec::new());
        for run in 0..runs(scenario) {
            bar.set_message(format!("{} {}/{}", scenario.name, run + 1, runs(scenario)));
            match measured(scenario, options, folder) {
                Ok(run) => done.push(run),
                Err(error) if error.is::<Interrupted>() => break,
                Err(error) => failures.push(format!("{error:#}")),
            }
            bar.inc(1);
        }
        let interrupted = INTERRUPTED.load(Ordering::Relaxed);
        if !(interrupted && done.is_empty()) {
            is_good &= failures.is_empty();
            let outcome = Outcome::of(scenario, done, failures);
            say(&bar, &outcome);
            report.scenarios.retain(|known| known.name != outcome.name);
            report.scenarios.push(outcome);
        }
        report.seconds = before + begun.elapsed().as_secs_f64();
        report.complete = !interrupted && list.last().is_some_and(|last| last.name == scenario.name);
        report.judge();
        report.write(folder)?;
        if interrupted {
            bar.finish_and_clear();
            eprintln!("interrupted: the report has what was measured until then");
            return Ok(false);
        }
    }
    bar.finish_and_clear();
    Ok(is_good)
}

fn measured(scenario: &Scenario, options: &Options, folder: &Path) -> Result<Run> {
    let place = folder.join("run").join(scenario.name.replace('/', "-"));
    let outcome = measure::run(&scenario.work, &place, Extent { short: options.short });
    match &outcome {
        // What went wrong can be looked at.
        Err(error) if !error.is::<Interrupted>() => {}
        _ if options.keep => {}
        _ => std::fs::remove_dir_all(&place).context("the run's folder")?,
    }
    outcome
}

fn new_report(folder: &Path, short: bool) -> Result<Report> {
    let mode = if short { "short" } else { "full" };
    Ok(Report {
        mode: mode.to_owned(),
        complete: false,
        begun: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: 0.0,
        machine: Machine::look(&folder.join("run"))?,
        scenarios: Vec::new(),
        goals: Vec::new(),
    })
}

fn say(bar: &ProgressBar, outcome: &Outcome) {
    let mut text = format!("{:<22} {}", outcome.name, outcome.headline());
    // Above a tenth of a core, somebody else was measured too.
    if let Some(others) = outcome.figure("others_cores").filter(|cores| *cores > 0.1) {
        text.push_str(&format!(" · {others:.1} cores were others'"));
    }
    for failure in &outcome.failures {
        text.push_str(&format!("\n  WRONG: {failure}"));
    }
    bar.suspend(|| eprintln!("{text}"));
}

fn bar(length: u64) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// `bench` beside the folder of the profile that this was built in.
fn default_folder() -> PathBuf {
    Path::new(TOLLGATE).ancestors().nth(2).unwrap_or(Path::new("target")).join("bench")
}

fn watch_for_interrupt() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            INTERRUPTED.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}

/// Lets the programs that are started have so many files open, if the system agrees; else many binds fail and say so.
fn allow_open_files(count: u64) {
    let (process, limit) = (std::process::id().to_string(), format!("--nofile={count}:{count}"));
    let _ = Command::new("prlimit").args(["--pid", &process, &limit]).output();
}
