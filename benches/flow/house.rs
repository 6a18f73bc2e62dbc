//! One gateway with its practice operators and clients, each a process of its own, in a folder of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tollgate::config;
use tollgate::policy::filter::Filters;
use tollgate::store::{HistorySettings, Reader};

use super::full;
use super::process::{Process, pause};
use super::watch::{Memory, Usage, machine_busy};

/// How a gateway is set up.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Operators: the response delay of each, written as `tollgate sim` takes it. Empty: one that is not there.
    pub operators: Vec<&'static str>,
    /// From their answer to the receipt, written alike.
    pub receipts_after: &'static str,
    /// Binds to each operator.
    pub binds: usize,
    /// TLS towards clients and operators.
    pub tls: bool,
    /// Messages that operators remember, to tell doubled ones.
    pub distinct: u64,
    /// Every filter of policy, and ten thousand accounts.
    pub filters: bool,
}

impl Plan {
    /// No operator: what is accepted waits.
    pub fn accept() -> Self {
        Self { operators: Vec::new(), receipts_after: "0", binds: 2, tls: false, distinct: 0, filters: false }
    }

    /// One operator with two binds.
    pub fn through() -> Self {
        Self { operators: vec!["0"], ..Self::accept() }
    }
}

/// Clients that send the same.
#[derive(Clone, Debug)]
pub struct Load {
    /// Its system_id; see [`CREDENTIALS`].
    pub user: &'static str,
    /// Connections and window of each.
    pub shape: (usize, usize),
    /// Arguments for the amount, such as `--duration 5s`.
    pub amount: [String; 2],
    /// Arguments for the text.
    pub text: &'static [&'static str],
    /// Pattern of the destinations.
    pub to: &'static str,
    /// Whatever else.
    pub more: Vec<String>,
}

/// Whom clients may bind as; each is an account too.
pub const CREDENTIALS: [&str; 3] = ["bench", "calm", "flood"];
/// What each account has at first.
const CREDIT: i64 = 1_000_000_000;
/// Destinations: all different, and spread over every index.
pub const TO: &str = "346####++++++++";
/// For a load that goes before the measured one: the latter never counts as far as these.
pub const BEFORE: &str = "346####9+++++++";

/// Programs of one run.
pub struct House {
    pub folder: PathBuf,
    plan: Plan,
    gateway: Option<Process>,
    operators: Vec<Process>,
    address: String,
    /// Command lines, in their order.
    pub commands: Vec<String>,
    /// Submissions accepted by account, as the clients counted them.
    accepted: BTreeMap<&'static str, u64>,
    /// Submissions that had ended when the operators were.
    taken_before: u64,
    started: u32,
}

/// What was seen while clients ran.
pub struct Seen {
    /// Their reports, in the order of the loads.
    pub reports: Vec<Value>,
    /// What the gateway used.
    pub gateway: Usage,
    /// Processor seconds of clients and of operators.
    pub clients: f64,
    pub operators: f64,
    /// Processor seconds of everything else on the machine.
    pub others: f64,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// The gateway's memory: seconds and octets.
    pub memory: Vec<(f64, u64)>,
}

impl House {
    /// Makes the folder anew, starts the operators, and then the gateway until it is ready.
    pub fn open(folder: &Path, plan: Plan) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let mut house = Self {
            folder: folder.to_path_buf(),
            plan,
            gateway: None,
            operators: Vec::new(),
            address: String::new(),
            commands: Vec::new(),
            accepted: BTreeMap::new(),
            taken_before: 0,
            started: 0,
        };
        if house.plan.tls {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
            std::fs::write(folder.join("server.pem"), made.cert.pem())?;
            std::fs::write(folder.join("server.key"), made.signing_key.serialize_pem())?;
        }
        let addresses = house.start_operators()?;
        std::fs::write(folder.join("tollgate.toml"), config(&house.plan, &addresses))?;
        house.start_gateway()?;
        Ok(house)
    }

    fn start_operators(&mut self) -> Result<Vec<String>> {
        let mut addresses = Vec::new();
        for (place, delay) in self.plan.operators.clone().into_iter().enumerate() {
            let distinct = self.plan.distinct.to_string();
            let mut words = vec!["sim", "--listen", "127.0.0.1:0", "--json", "--track-distinct", &distinct];
            words.extend(["--remember", "0", "--window", "1000", "--response-delay", delay]);
            words.extend(["--receipt-delay", self.plan.receipts_after]);
            if self.plan.tls {
                words.extend(["--tls-certificate", "server.pem", "--tls-key", "server.key"]);
            }
            let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
            let mut operator = Process::tollgate(&self.folder, &format!("operator-{place}"), &words)?;
            addresses.push(operator.line("ready ", PATIENCE)?);
            self.commands.push(operator.command.clone());
            self.operators.push(operator);
        }
        Ok(addresses)
    }

    /// Starts the gateway in the folder as it stands; gives the seconds until it was ready.
    pub fn start_gateway(&mut self) -> Result<f64> {
        let words = ["serve", "--config", "tollgate.toml"].map(str::to_owned);
        let begun = Instant::now();
        self.started += 1;
        let mut gateway = Process::tollgate(&self.folder, &format!("gateway-{}", self.started), &words)?;
        let ready = gateway.line("ready ", START_PATIENCE)?;
        let seconds = begun.elapsed().as_secs_f64();
        let name = if self.plan.tls { "smpp-tls=" } else { "smpp=" };
        let address = ready.split(' ').find_map(|word| word.strip_prefix(name));
        self.address = address.with_context(|| format!("no {name} in {ready:?}"))?.to_owned();
        if self.started == 1 {
            self.commands.push(gateway.command.clone());
        }
        self.gateway = Some(gateway);
        Ok(seconds)
    }

    /// SIGTERM to the gateway; its good end.
    pub fn stop_gateway(&mut self) -> Result<()> {
        self.gateway.take().context("no gateway")?.terminate(STOP_PATIENCE)
    }

    /// SIGKILL to the gateway.
    pub fn kill_gateway(&mut self) -> Result<()> {
        self.gateway.take().context("no gateway")?.kill()
    }

    /// Whether messages end.
    pub fn has_operators(&self) -> bool {
        !self.plan.operators.is_empty()
    }

    /// Ends the operators; from now on what is accepted waits.
    pub fn stop_operators(&mut self) -> Result<()> {
        self.taken_before = self.accepted.values().sum();
        self.close_operators(self.taken_before)?;
        self.operators.clear();
        self.plan.operators.clear();
        Ok(())
    }

    /// The gateway's process number.
    pub fn gateway(&self) -> Result<u32> {
        Ok(self.gateway.as_ref().context("no gateway")?.id())
    }

    /// Starts a client.
    pub fn client(&mut self, load: &Load) -> Result<Process> {
        let (connections, window) = load.shape;
        let mut words: Vec<String> =
            ["load", "--connect", &self.address, "--system-id", load.user].map(str::to_owned).into();
        words.extend(
            ["--password", "secret", "--json", "--to", load.to, "--from", load.user].map(str::to_owned),
        );
        words.extend(["-c".to_owned(), connections.to_string(), "-w".to_owned(), window.to_string()]);
        words.extend(load.amount.clone());
        words.extend(load.text.iter().map(|word| (*word).to_owned()));
        if self.plan.tls {
            words.extend(["--tls", "--tls-insecure"].map(str::to_owned));
        }
        words.extend(load.more.clone());
        let client =
            Process::tollgate(&self.folder, &format!("load-{}-{}", load.user, self.commands.len()), &words)?;
        self.commands.push(client.command.clone());
        Ok(client)
    }

    /// Runs these clients at the same time until all have ended, and watches the gateway.
    pub fn run(&mut self, loads: &[Load]) -> Result<Seen> {
        let mut clients = Vec::new();
        let before = self.usage()?;
        let (busy, own, begun) = (machine_busy(), Usage::of(std::process::id()).processor, Instant::now());
        for load in loads {
            clients.push(self.client(load)?);
        }
        let memory = self.await_clients(&mut clients)?;
        let seconds = begun.elapsed().as_secs_f64();
        let after = self.usage()?;
        let busy = machine_busy() - busy;
        let own = Usage::of(std::process::id()).processor - own;
        let mut reports = Vec::new();
        for (load, client) in loads.iter().zip(&clients) {
            reports.push(self.check_report(load, client)?);
        }
        let clients: f64 = reports.iter().filter_map(|report| report["cpu_seconds"].as_f64()).sum();
        let gateway = after.0.since(&before.0);
        let operators = after.1 - before.1;
        let others = (busy - own - clients - operators - gateway.processor).max(0.0);
        Ok(Seen { reports, gateway, clients, operators, others, seconds, memory })
    }

    fn await_clients(&mut self, clients: &mut [Process]) -> Result<Vec<(f64, u64)>> {
        let (mut memory, begun) = (Memory::new(), Instant::now());
        let gateway = self.gateway()?;
        for client in clients {
            while client.ended()?.is_none() {
                memory.look(gateway);
                if let Some(status) = self.gateway.as_mut().context("no gateway")?.ended()? {
                    bail!("the gateway ended with {status}");
                }
                ensure!(begun.elapsed() < RUN_PATIENCE, "the clients did not end within {RUN_PATIENCE:?}");
                pause(Duration::from_millis(10))?;
            }
        }
        Ok(memory.points())
    }

    /// Every submission answered well, every receipt once; counts what was accepted.
    fn check_report(&mut self, load: &Load, client: &Process) -> Result<Value> {
        let output = client.output()?;
        let report: Value = serde_json::from_str(output.trim())
            .with_context(|| format!("{} gave no report: {}", client.command, client.last_words()))?;
        let is_zero = |value: &Value| value.is_null() || value.as_u64() == Some(0);
        let is_empty = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
        let receipts = &report["receipts"];
        let is_good = is_empty(&report["failures"])
            && is_empty(&report["refused"])
            && is_zero(&report["unanswered"])
            && is_zero(&receipts["missing"])
            && is_zero(&receipts["doubled"])
            && is_zero(&receipts["not_delivered"])
            // A receiver that only counts was never told the ids.
            && (load.amount[0] == "--receipt-count" || is_zero(&receipts["unknown"]));
        ensure!(is_good, "{}: {report}", client.command);
        *self.accepted.entry(load.user).or_default() += report["accepted"].as_u64().unwrap_or(0);
        Ok(report)
    }

    /// Waits until nothing is held any more: every message has ended.
    pub fn settle(&self) -> Result<()> {
        let begun = Instant::now();
        while CREDENTIALS.into_iter().any(|name| self.money(name).map_or(true, |(_, held)| held != 0)) {
            ensure!(begun.elapsed() < RUN_PATIENCE, "messages did not end within {RUN_PATIENCE:?}");
            pause(Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// What an account can spend and what is held, in credits; a segment costs one.
    fn money(&self, account: &str) -> Result<(i64, i64)> {
        let reader = Reader::open(&self.folder.join(STORE), &HistorySettings::default())?;
        let balance = reader.account(account)?.balance;
        Ok((balance.available.micro() / 1_000_000, balance.held.micro() / 1_000_000))
    }

    /// Ends everything well and compares what every side counted: nothing is lost, nothing doubled, the books are right.
    pub fn close(mut self) -> Result<Closed> {
        if self.gateway.is_some() {
            self.stop_gateway()?;
        }
        let words = ["audit", "--config", "tollgate.toml"].map(str::to_owned);
        let mut audit = Process::tollgate(&self.folder, "audit", &words)?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = audit.ended()? {
                break status;
            }
            ensure!(begun.elapsed() < RUN_PATIENCE, "the audit did not end within {RUN_PATIENCE:?}");
            pause(Duration::from_millis(5))?;
        };
        ensure!(status.success(), "the books are wrong: {}", audit.output()?);
        let accepted: u64 = self.accepted.values().sum();
        for name in CREDENTIALS {
            let count = i64::try_from(self.accepted.get(name).copied().unwrap_or(0))?;
            let (available, held) = self.money(name)?;
            let ended = i64::try_from(self.taken_before)?.min(count);
            let waits = if self.plan.operators.is_empty() { count - ended } else { 0 };
            let money = (CREDIT - count, waits);
            ensure!(
                (available, held) == money,
                "{name} has {available} and {held} held instead of {money:?}"
            );
        }
        self.close_operators(accepted)?;
        let history = std::fs::read_dir(self.folder.join(format!("{STORE}.history"))).into_iter().flatten();
        let history = history.flatten().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum();
        let hot = std::fs::metadata(self.folder.join(STORE))?.len();
        let config = std::fs::read_to_string(self.folder.join("tollgate.toml"))?;
        Ok(Closed { accepted, hot, history, config, commands: std::mem::take(&mut self.commands) })
    }

    fn close_operators(&mut self, accepted: u64) -> Result<()> {
        let (mut taken, mut doubled) = (0, 0);
        for operator in &mut self.operators {
            operator.terminate(STOP_PATIENCE)?;
            let output = operator.output()?;
            let last = output.lines().rev().find(|line| line.starts_with('{'));
            let stats: Value = serde_json::from_str(last.unwrap_or("{}"))?;
            taken += stats["accepted"].as_u64().unwrap_or(0);
            doubled += stats["duplicates"].as_u64().unwrap_or(0);
        }
        if !self.plan.operators.is_empty() {
            ensure!(
                taken == accepted && doubled == 0,
                "operators took {taken} of {accepted} messages, {doubled} of them again"
            );
        }
        Ok(())
    }

    fn usage(&self) -> Result<(Usage, f64)> {
        let operators = self.operators.iter().map(|operator| Usage::of(operator.id()).processor).sum();
        Ok((Usage::of(self.gateway()?), operators))
    }
}

/// What a run left.
pub struct Closed {
    /// Submissions accepted.
    pub accepted: u64,
    /// Octets of the hot file and of the history.
    pub hot: u64,
    pub history: u64,
    /// What it was configured with.
    pub config: String,
    pub commands: Vec<String>,
}

/// The configuration: everything on that costs something on the way of a message.
fn config(plan: &Plan, operators: &[String]) -> String {
    let mut text = String::from("[store]\npath = \"gate.db\"\n\n[smpp]\nlisten = [\"127.0.0.1:0\"]\n");
    text.push_str("max_unbound_per_address = 4096\n");
    if plan.tls {
        text.push_str("\n[smpp.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"server.pem\"\nprivate_key = \"server.key\"\n");
    }
    text.push_str("\n[admin]\nlisten = [\"127.0.0.1:0\"]\n\n[log]\nformat = \"text\"\nfilter = \"info\"\n");
    let nobody = ["127.0.0.1:1".to_owned()];
    let operators = if operators.is_empty() { &nobody[..] } else { operators };
    // Writing to a String cannot fail.
    for (place, address) in operators.iter().enumerate() {
        let _ = write!(
            text,
            "\n[[upstream]]\nname = \"operator-{place}\"\naddress = \"{address}\"\nsystem_id = \"gate\"\n\
             password = \"secret\"\nconnections = {}\nwindow = 1000\n",
            plan.binds
        );
        if plan.tls {
            text.push_str("[upstream.tls]\ninsecure_anyone = true\n");
        }
        // The first drawn digit chooses among several operators.
        let digits = (0..10).filter(|digit| digit % operators.len() == place);
        let prefixes = digits.map(|digit| format!("\"346{digit}\"")).collect::<Vec<_>>().join(", ");
        let _ = write!(
            text,
            "[[route]]\nname = \"route-{place}\"\nprefixes = [{prefixes}]\nupstreams = [\"operator-{place}\"]\n"
        );
    }
    text.push_str("\n[[price]]\nprefix = \"\"\ncredits = \"1\"\n");
    for name in CREDENTIALS {
        let _ = write!(
            text,
            "\n[[account]]\nname = \"{name}\"\nopening_credit = \"{CREDIT}\"\nmax_queued = 100000000\n\
             [[account.smpp]]\nsystem_id = \"{name}\"\npassword = \"secret\"\nmax_binds = 10000\nwindow = 1000\n\
             throughput = \"1000000/s burst 1000000\"\n"
        );
        if plan.filters {
            text.push_str("[account.filters]\n");
            write_filters(&mut text, &full::filters());
        }
    }
    if plan.filters {
        text.push_str("\n[filters]\n");
        write_filters(&mut text, &full::platform().filters);
        for name in full::platform().protected {
            let _ = write!(text, "[[protected_name]]\nname = {:?}\naccounts = []\n", name.is.name);
        }
        for n in 0..10_000 {
            let _ = write!(
                text,
                "[[account]]\nname = \"account-{n}\"\n[[account.smpp]]\nsystem_id = \"a{n}\"\n\
                 password_hash = \"{SOMEBODYS_HASH}\"\n[account.filters]\nmax_per_day = 100000\n"
            );
        }
    }
    text
}

fn write_filters(text: &mut String, filters: &Filters) {
    for (key, value) in config::written_filters(filters) {
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// Of a password that nobody uses.
const SOMEBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZWJvZHlzc2FsdA$3q2/7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hot file's name in the folder.
pub const STORE: &str = "gate.db";
/// For what takes no time.
const PATIENCE: Duration = Duration::from_secs(20);
/// For a gateway to be ready, however much waits.
const START_PATIENCE: Duration = Duration::from_secs(300);
/// For a process to end in order.
const STOP_PATIENCE: Duration = Duration::from_secs(120);
/// For clients to end.
const RUN_PATIENCE: Duration = Duration::from_secs(1_800);
