//! Runs a scenario once and gives what it measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::history;
use super::house::{BEFORE, Closed, House, Load, Plan, STORE, Seen, TO};
use super::process::{Process, pause};
use super::scenarios::{Clients, PLAIN, Work};
use super::watch::{Usage, machine_busy, open_files, resident};

/// Figures by name; the unit is the end of the name.
pub type Figures = BTreeMap<String, f64>;

/// One run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// What was measured.
    pub figures: Figures,
    /// The gateway's memory: seconds and octets.
    pub memory: Vec<(f64, u64)>,
    /// Its configuration.
    pub config: String,
    /// What was started, in this order.
    pub commands: Vec<String>,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Whether it is the short version.
    pub short: bool,
}

impl Extent {
    /// How long clients send, in seconds.
    const fn seconds(self) -> u64 {
        if self.short { 1 } else { 5 }
    }

    fn duration(self) -> [String; 2] {
        ["--duration".to_owned(), format!("{}s", self.seconds())]
    }
}

/// Does the work in `folder`.
pub fn run(work: &Work, folder: &Path, extent: Extent) -> Result<Run> {
    match work {
        Work::Reference(clients) => reference(folder, *clients, extent),
        Work::Accept(clients) => accept(folder, *clients, extent),
        Work::Through(clients, operators) => through(folder, *clients, *operators, extent),
        Work::Late(clients, after) => late(folder, *clients, after, extent),
        Work::Steady { rate } => steady(folder, *rate, extent),
        Work::Slow { is_slow } => slow(folder, *is_slow, extent),
        Work::Owed { count } => owed(folder, *count),
        Work::Idle { binds } => idle(folder, *binds, extent),
        Work::History { count, through } => with_history(folder, *count, *through, extent),
        Work::Start { count, killed } => start(folder, *count, *killed),
        Work::Fairness { flood } => fairness(folder, *flood, extent),
        Work::Memory { count } => memory(folder, *count),
    }
}

fn reference(folder: &Path, clients: Clients, extent: Extent) -> Result<Run> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let this = std::env::current_exe()?;
    let words = ["--reference", "reference.db"].map(str::to_owned);
    let mut server = Process::start(folder, "reference", &this, "cargo bench --bench flow --", &words)?;
    let address = server.line("ready ", Duration::from_secs(20))?;
    let load = load("bench", clients, extent.duration());
    let mut words: Vec<String> =
        ["load", "--connect", &address, "--json", "--to", load.to].map(str::to_owned).into();
    words.extend([
        "-c".to_owned(),
        clients.connections.to_string(),
        "-w".to_owned(),
        clients.window.to_string(),
    ]);
    words.extend(load.amount);
    words.extend(clients.text.iter().map(|word| (*word).to_owned()));
    let (busy, own, begun) = (machine_busy(), Usage::of(std::process::id()).processor, Instant::now());
    let mut client = Process::tollgate(folder, "load", &words)?;
    while client.ended()?.is_none() {
        pause(Duration::from_millis(10))?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let report: Value = serde_json::from_str(client.output()?.trim()).context("the client's report")?;
    let accepted = report["accepted"].as_u64().unwrap_or(0);
    ensure!(accepted > 0 && report["submitted"] == report["accepted"], "the reference answers all: {report}");
    let usage = Usage::of(server.id());
    let mut figures = Figures::new();
    put_report(&mut figures, "", &report);
    put_cost(&mut figures, &usage, accepted, seconds);
    let client_used = report["cpu_seconds"].as_f64().unwrap_or(0.0);
    figures.insert("clients_us_per_message".to_owned(), client_used * 1e6 / accepted as f64);
    let own = Usage::of(std::process::id()).processor - own;
    let others = machine_busy() - busy - usage.processor - client_used - own;
    figures.insert("others_cores".to_owned(), others.max(0.0) / seconds);
    let commands = vec![server.command.clone(), client.command.clone()];
    Ok(Run { figures, commands, ..Run::default() })
}

fn accept(folder: &Path, clients: Clients, extent: Extent) -> Result<Run> {
    let mut house =
        House::open(folder, Plan { tls: clients.tls, filters: clients.filters, ..Plan::accept() })?;
    let seen = house.run(&[load("bench", clients, extent.duration())])?;
    finish(house, seen)
}

fn through(folder: &Path, clients: Clients, operators: usize, extent: Extent) -> Result<Run> {
    let plan = Plan {
        operators: vec!["0"; operators],
        tls: clients.tls,
        filters: clients.filters,
        distinct: DISTINCT,
        ..Plan::through()
    };
    let mut house = House::open(folder, plan)?;
    let seen = house.run(&[with_receipts(load("bench", clients, extent.duration()))])?;
    finish(house, seen)
}

fn late(folder: &Path, clients: Clients, after: &'static str, extent: Extent) -> Result<Run> {
    let plan = Plan { receipts_after: after, distinct: DISTINCT, ..Plan::through() };
    let mut house = House::open(folder, plan)?;
    let seen = house.run(&[with_receipts(load("bench", clients, extent.duration()))])?;
    finish(house, seen)
}

fn steady(folder: &Path, rate: u32, extent: Extent) -> Result<Run> {
    let mut house = House::open(folder, Plan { distinct: DISTINCT, ..Plan::through() })?;
    let seen = house.run(&[at_rate(with_receipts(load("bench", FOUR, extent.duration())), rate)])?;
    finish(house, seen)
}

/// Seven operators that are fast get most, the eighth a little: what do the seven feel of the eighth?
fn slow(folder: &Path, is_slow: bool, extent: Extent) -> Result<Run> {
    let mut operators = vec!["0"; 7];
    operators.push(if is_slow { "80%:10ms,15%:100ms,5%:1s" } else { "0" });
    let mut house = House::open(folder, Plan { operators, distinct: DISTINCT, ..Plan::through() })?;
    // Route 7 has the digit 7 alone.
    let fast = Load { to: "3460###++++++++", ..load("bench", FOUR, extent.duration()) };
    let other = Load { to: "3467###++++++++", ..load("calm", ONE, extent.duration()) };
    let rate = if extent.short { 2_000 } else { 10_000 };
    let seen = house.run(&[at_rate(with_receipts(fast), rate), at_rate(with_receipts(other), 1_000)])?;
    finish(house, seen)
}

fn owed(folder: &Path, count: u64) -> Result<Run> {
    let mut house = House::open(folder, Plan { distinct: DISTINCT, ..Plan::through() })?;
    let submits = Load {
        more: ["--bind-type", "transmitter", "--receipts-elsewhere"].map(str::to_owned).into(),
        ..load("bench", FOUR, ["-n".to_owned(), count.to_string()])
    };
    house.run(&[submits])?;
    house.settle()?;
    let receiver = Load {
        shape: (1, 100),
        amount: ["--receipt-count".to_owned(), count.to_string()],
        text: &[],
        more: ["--bind-type", "receiver"].map(str::to_owned).into(),
        ..load("bench", FOUR, Default::default())
    };
    let seen = house.run(&[receiver])?;
    let report = seen.reports.first().cloned().unwrap_or_default();
    let came = report["receipts"]["unknown"].as_u64().unwrap_or(0);
    ensure!(came == count, "{came} different receipts came instead of {count}");
    let mut run = finish(house, seen)?;
    let seconds = report["seconds_with_receipts"].as_f64().unwrap_or(f64::NAN);
    run.figures.retain(|name, _| {
        !name.contains("answer_") && !name.contains("receipt_") && !name.contains("_per_second")
    });
    run.figures.insert("receipts_per_second".to_owned(), count as f64 / seconds);
    Ok(run)
}

/// Receivers that are bound and silent, over a whole period of enquire_link.
fn idle(folder: &Path, binds: usize, extent: Extent) -> Result<Run> {
    let mut house = House::open(folder, Plan { distinct: DISTINCT, ..Plan::through() })?;
    let gateway = house.gateway()?;
    // The first bind proves its password, which takes memory of its own; the others are known then.
    let first = Load { to: BEFORE, ..load("bench", ONE, ["-n".to_owned(), "1".to_owned()]) };
    house.run(&[with_receipts(first)])?;
    let (files, empty) = (open_files(gateway), resident(gateway).unwrap_or(0));
    let watched = Duration::from_secs(if extent.short { 5 } else { 30 });
    let receivers = Load {
        shape: (binds, 1),
        text: &[],
        more: ["--bind-type", "receiver"].map(str::to_owned).into(),
        ..load("bench", FOUR, ["--duration".to_owned(), format!("{}s", watched.as_secs() + 20)])
    };
    let client = house.client(&receivers)?;
    let begun = Instant::now();
    while open_files(gateway) < files + binds {
        ensure!(
            begun.elapsed() < Duration::from_secs(15),
            "{binds} clients did not bind: {}",
            client.last_words()
        );
        pause(Duration::from_millis(20))?;
    }
    pause(Duration::from_secs(3))?;
    let (before, begun) = (Usage::of(gateway), Instant::now());
    pause(watched)?;
    let used = Usage::of(gateway).since(&before).processor;
    let mut figures = Figures::new();
    figures.insert("idle_percent".to_owned(), 100.0 * used / begun.elapsed().as_secs_f64());
    let grown = resident(gateway).unwrap_or(0).saturating_sub(empty);
    figures.insert("bind_kib".to_owned(), grown as f64 / binds as f64 / 1024.0);
    ensure!(open_files(gateway) >= files + binds, "all stay bound");
    drop(client);
    let closed = house.close()?;
    Ok(Run { figures, config: closed.config, commands: closed.commands, memory: Vec::new() })
}

fn with_history(folder: &Path, count: u64, through: bool, extent: Extent) -> Result<Run> {
    let plan = Plan { distinct: DISTINCT, ..Plan::through() };
    let mut house = House::open(folder, plan)?;
    // To numbers that no later load draws, or two messages could look like one sent again.
    let first = Load { to: BEFORE, ..load("bench", ONE, ["-n".to_owned(), "5000".to_owned()]) };
    house.run(&[with_receipts(first)])?;
    house.settle()?;
    let file = history::await_first(&folder.join(STORE))?;
    house.stop_gateway()?;
    history::fill(&file, count)?;
    house.start_gateway()?;
    history::await_listed(&file)?;
    let mut clients = load("bench", FOUR, extent.duration());
    if through {
        clients = with_receipts(clients);
    } else {
        // Nobody takes what is accepted, as in `accept`.
        house.stop_operators()?;
    }
    let seen = house.run(&[clients])?;
    let mut run = finish(house, seen)?;
    run.figures.remove("history_bytes_per_message");
    Ok(run)
}

fn start(folder: &Path, count: u64, killed: bool) -> Result<Run> {
    let mut house = House::open(folder, Plan::accept())?;
    let amount = ["-n".to_owned(), count.to_string()];
    house.run(&[load("bench", Clients { window: 1_000, ..FOUR }, amount)])?;
    if killed {
        house.kill_gateway()?;
    } else {
        house.stop_gateway()?;
    }
    let seconds = house.start_gateway()?;
    let memory = resident(house.gateway()?).unwrap_or(0);
    let closed = house.close()?;
    let figures = [("ready_seconds", seconds), ("rss_mib", memory as f64 / MIB)];
    Ok(Run {
        figures: figures.map(|(name, value)| (name.to_owned(), value)).into(),
        config: closed.config,
        commands: closed.commands,
        memory: Vec::new(),
    })
}

fn fairness(folder: &Path, flood: bool, extent: Extent) -> Result<Run> {
    let mut house = House::open(folder, Plan { distinct: DISTINCT, ..Plan::through() })?;
    let seconds = if extent.short { 2 } else { 10 };
    let calm = ["-n".to_owned(), (200 * seconds).to_string()];
    let mut loads = vec![at_rate(with_receipts(load("calm", ONE, calm)), 200)];
    if flood {
        let amount = ["--duration".to_owned(), format!("{}s", seconds + 1)];
        loads.push(load("flood", Clients { window: 1_000, ..FOUR }, amount));
    }
    let seen = house.run(&loads)?;
    finish(house, seen)
}

fn memory(folder: &Path, count: u64) -> Result<Run> {
    let mut house = House::open(folder, Plan { distinct: DISTINCT, ..Plan::through() })?;
    let amount = ["-n".to_owned(), count.to_string()];
    let seen = house.run(&[with_receipts(load("bench", FOUR, amount))])?;
    finish(house, seen)
}

/// Closes the house, which checks everything, and puts the figures together.
fn finish(house: House, seen: Seen) -> Result<Run> {
    let had_operators = house.has_operators();
    if had_operators {
        house.settle()?;
    }
    let file = history::day_file(&house.folder.join(STORE));
    let closed = house.close()?;
    let mut figures = Figures::new();
    for (place, report) in seen.reports.iter().enumerate() {
        // The first client is what the scenario asks about.
        put_report(&mut figures, if place == 0 { "" } else { "other_" }, report);
    }
    let count: u64 = seen.reports.iter().filter_map(|report| report["accepted"].as_u64()).sum();
    let count = if count == 0 { closed.accepted } else { count };
    put_cost(&mut figures, &seen.gateway, count, seen.seconds);
    let each = |seconds: f64| seconds * 1e6 / count as f64;
    figures.insert("clients_us_per_message".to_owned(), each(seen.clients));
    if had_operators {
        figures.insert("operators_us_per_message".to_owned(), each(seen.operators));
    }
    figures.insert("others_cores".to_owned(), seen.others / seen.seconds);
    let most = seen.memory.iter().map(|(_, octets)| *octets).max().unwrap_or(0);
    figures.insert("rss_mib".to_owned(), most as f64 / MIB);
    put_sizes(&mut figures, &closed, file.as_deref(), had_operators)?;
    Ok(Run { figures, memory: seen.memory, config: closed.config, commands: closed.commands })
}

/// What a message takes on the disk: waiting in the hot file, or ended in the history.
fn put_sizes(figures: &mut Figures, closed: &Closed, day: Option<&Path>, ended: bool) -> Result<()> {
    if !ended {
        figures.insert("hot_bytes_per_message".to_owned(), closed.hot as f64 / closed.accepted.max(1) as f64);
    } else if let Some(day) = day {
        let rows = history::rows(day)?;
        if rows > 0 {
            figures.insert("history_bytes_per_message".to_owned(), closed.history as f64 / rows as f64);
        }
    }
    Ok(())
}

fn put_report(figures: &mut Figures, prefix: &str, report: &Value) {
    let mut put = |name: &str, value: &Value| {
        if let Some(value) = value.as_f64() {
            figures.insert(format!("{prefix}{name}"), value);
        }
    };
    put("submits_per_second", &report["submits_per_second"]);
    put("messages_per_second", &report["messages_per_second"]);
    for (name, latency) in
        [("answer", &report["answer_latency"]), ("receipt", &report["receipts"]["latency"])]
    {
        for quantile in ["p50", "p90", "p99", "p999", "max"] {
            put(&format!("{name}_{quantile}_ms"), &latency[quantile]);
        }
    }
}

fn put_cost(figures: &mut Figures, gateway: &Usage, count: u64, seconds: f64) {
    let count = count.max(1) as f64;
    figures.insert("gateway_us_per_message".to_owned(), gateway.processor * 1e6 / count);
    figures.insert("gateway_cores".to_owned(), gateway.processor / seconds);
    figures.insert("written_bytes_per_message".to_owned(), gateway.written as f64 / count);
    for (name, spent) in &gateway.threads {
        if *spent > 0.0 {
            let name = name.replace([' ', '-', ':'], "_");
            figures.insert(format!("thread_{name}_us_per_message"), spent * 1e6 / count);
        }
    }
}

fn load(user: &'static str, clients: Clients, amount: [String; 2]) -> Load {
    let shape = (clients.connections, clients.window);
    Load { user, shape, amount, text: clients.text, to: TO, more: Vec::new() }
}

fn with_receipts(mut load: Load) -> Load {
    load.more.extend(["--receipts", "--receipt-patience", "120s"].map(str::to_owned));
    load
}

fn at_rate(mut load: Load, rate: u32) -> Load {
    load.more.extend(["--rate".to_owned(), rate.to_string()]);
    load
}

const FOUR: Clients = Clients { connections: 4, window: 100, text: PLAIN, tls: false, filters: false };
const ONE: Clients = Clients { connections: 1, window: 100, text: PLAIN, tls: false, filters: false };
/// Messages that an operator remembers to tell doubled ones; those after it are told by the client's books alone.
const DISTINCT: u64 = 1_000_000;
const MIB: f64 = 1_048_576.0;
