//! `tollgate load`: the load client with its progress bar and its verdict.

use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::{self, BadSettings, DONE, FAILED, out, outln};
use crate::link::tls::{ClientIdentity, Trust};
use crate::sim::delay::span;
use crate::sim::hostile;
use crate::sim::hostile::client::{self, Rogue};
use crate::sim::load::pattern::Pattern;
use crate::sim::load::{self, Amount, BindType, LoadError, Progress, Report, Settings, Text};
use crate::sim::password::Password;

/// Send load to an SMPP server and measure it.
///
/// Counts every answer by status and every receipt by message id, and tells speed and latencies. Exits 1 if anything was
/// refused or lost.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct LoadArgs {
    /// Host and port of the server
    #[arg(long, value_name = "ADDR")]
    connect: String,
    /// system_id to bind with
    #[arg(long, default_value = "load")]
    system_id: String,
    /// Its password
    #[arg(
        long,
        default_value = "",
        env = "TOLLGATE_LOAD_PASSWORD",
        hide_env_values = true,
        hide_default_value = true
    )]
    password: Password,
    /// system_type to bind with
    #[arg(long, default_value = "")]
    system_type: String,
    /// Protocol version to bind with
    #[arg(long, default_value = "3.4", value_parser = ["3.3", "3.4", "5.0"])]
    smpp_version: String,
    /// Kind of the binds
    #[arg(long, value_enum, default_value = "transceiver")]
    bind_type: BindType,
    /// Connections (pairs of them with --bind-type pair)
    #[arg(long, short, value_name = "N", default_value_t = 1)]
    connections: usize,
    /// Unanswered submissions a connection
    #[arg(long, short, value_name = "N", default_value_t = 100)]
    window: usize,
    /// Messages in all [default: 10000, unless --duration is given]
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "duration")]
    count: Option<u64>,
    /// Submits for this time instead, such as 30s
    #[arg(long, short, value_name = "TIME", value_parser = parse_span)]
    duration: Option<Duration>,
    /// Submissions a second over all connections [default: as fast as the window allows]
    #[arg(long, short, value_name = "RATE")]
    rate: Option<u32>,
    /// Asks for receipts and waits for them
    #[arg(long)]
    receipts: bool,
    /// Asks for receipts that other binds will get, and waits for none
    #[arg(long, conflicts_with = "receipts")]
    receipts_elsewhere: bool,
    /// With --bind-type receiver: ends after so many receipts, whoever submitted
    #[arg(long, value_name = "N", conflicts_with_all = ["count", "duration"])]
    receipt_count: Option<u64>,
    /// Gives up on receipts after this time without any
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "30s")]
    receipt_patience: Duration,
    /// Gives up on answers after this time without any
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "30s")]
    answer_patience: Duration,
    /// Source address; # is a random digit, the + signs count up
    #[arg(long, value_name = "PATTERN", default_value = "TOLLGATE")]
    from: Pattern,
    /// Destination address, written like --from
    #[arg(long, value_name = "PATTERN", default_value = "34600######")]
    to: Pattern,
    /// The text [default: one is made]
    #[arg(long)]
    text: Option<String>,
    /// Characters of a made text
    #[arg(long, value_name = "N", default_value_t = 40, conflicts_with = "text")]
    length: usize,
    /// As UCS2
    #[arg(long)]
    ucs2: bool,
    /// Makes the text long enough for so many parts
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "text")]
    parts: usize,
    /// Connects with TLS
    #[arg(long)]
    tls: bool,
    /// PEM file of the authorities to trust [default: those of the system]
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_ca: Option<PathBuf>,
    /// Trusts any certificate; for trials only
    #[arg(long, requires = "tls", conflicts_with = "tls_ca")]
    tls_insecure: bool,
    /// Name that the certificate must be for [default: the host of --connect]
    #[arg(long, value_name = "NAME", requires = "tls")]
    tls_name: Option<String>,
    /// PEM file of a certificate of our own
    #[arg(long, value_name = "FILE", requires = "tls", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of its private key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Appends `ID DESTINATION` to this file for every accepted submission
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Submits nothing more after the first refusal
    #[arg(long)]
    stop_at_refusal: bool,
    /// Exits 0 although submissions were refused, as long as nothing was lost
    #[arg(long)]
    allow_refusals: bool,
    /// Plays a rogue instead: does one thing wrong and tells what the server did; the modes are below. Of the other
    /// flags it takes those of the bind, --count [default: 200], --to and --answer-patience
    #[arg(long, value_name = "MODE", conflicts_with_all = ["tls", "duration", "rate", "receipts", "record"])]
    hostile: Option<Rogue>,
    /// Threads; 0 takes one for each processor
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

impl LoadArgs {
    /// Runs the load and prints the result.
    ///
    /// # Errors
    /// Bad settings, or no connection that could bind.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (threads, json, allow_refusals) = (self.threads, self.json, self.allow_refusals);
        let hostile = self.hostile;
        let count = self.count;
        let settings = self.into_settings();
        let mut runtime = match threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if threads > 1 {
            runtime.worker_threads(threads);
        }
        let runtime = runtime.enable_all().build().context("cannot start")?;
        if let Some(mode) = hostile {
            let rogue = rogue(&settings, count);
            let report = runtime.block_on(client::play(&rogue, mode)).context("no connection")?;
            if json {
                outln!("{}", serde_json::to_string(&report)?)?;
            } else {
                out!("{report}")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let report = match runtime.block_on(run_shown(settings)) {
            Err(LoadError::Settings(problems)) => return Err(BadSettings(problems.join("\n")).into()),
            other => other?,
        };
        let is_good = if allow_refusals { report.is_complete() } else { report.is_clean() };
        let printed = if json { outln!("{}", serde_json::to_string(&report)?) } else { out!("{report}") };
        exit::with(if is_good { DONE } else { FAILED }, printed)
    }

    fn into_settings(self) -> Settings {
        let host = self.connect.rsplit_once(':').map_or(self.connect.as_str(), |(host, _)| host);
        let tls = self.tls.then(|| {
            let trust = match (self.tls_ca, self.tls_insecure) {
                (Some(file), _) => Trust::Authorities(file),
                (None, true) => Trust::InsecureAnyone,
                (None, false) => Trust::System,
            };
            let identity = ClientIdentity { trust, certificate: self.tls_certificate.zip(self.tls_key) };
            (identity, self.tls_name.unwrap_or_else(|| host.trim_matches(['[', ']']).to_owned()))
        });
        Settings {
            tls,
            connect: self.connect,
            system_id: self.system_id,
            password: self.password,
            system_type: self.system_type,
            interface_version: match self.smpp_version.as_str() {
                "3.3" => 0x33,
                "5.0" => 0x50,
                _ => 0x34,
            },
            bind_type: self.bind_type,
            connections: self.connections,
            window: self.window,
            amount: match (self.duration, self.receipt_count, self.count) {
                (Some(time), ..) => Amount::Time(time),
                (None, Some(count), _) => Amount::Receipts(count),
                (None, None, count) => Amount::Messages(count.unwrap_or(COUNT_DEFAULT)),
            },
            rate: self.rate,
            receipts: self.receipts || self.receipt_count.is_some(),
            receipts_elsewhere: self.receipts_elsewhere,
            receipt_patience: self.receipt_patience,
            answer_patience: self.answer_patience,
            from: self.from,
            to: self.to,
            text: Text { text: self.text, length: self.length, ucs2: self.ucs2, parts: self.parts },
            stop_at_refusal: self.stop_at_refusal,
            record: self.record,
        }
    }
}

fn rogue(settings: &Settings, count: Option<u64>) -> client::Settings {
    client::Settings {
        connect: settings.connect.clone(),
        system_id: settings.system_id.clone(),
        password: settings.password.clone(),
        to: String::from_utf8_lossy(&settings.to.sample()).into_owned(),
        count: count.map_or(ROGUE_COUNT, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        pause: ROGUE_PAUSE,
        patience: settings.answer_patience,
        seed: rand::random(),
    }
}

fn after_help() -> String {
    let modes = hostile::lines(Rogue::ALL.iter().map(|mode| (mode.word(), mode.line())));
    format!("Hostile modes:\n{modes}\n{EXAMPLES}")
}

const EXAMPLES: &str = "Examples:
  tollgate load --connect 127.0.0.1:2775 --system-id acme --password secret -n 100000 --receipts
  tollgate load --connect gate:2775 --system-id acme -c 4 -w 50 --rate 500 --duration 1m
  tollgate load --connect gate:3550 --tls --tls-ca ca.pem --parts 3 --to '34600++++++' --json
  tollgate load --connect gate:2775 --system-id acme --password secret --hostile never-read";

/// Runs, with a bar on stderr if that is a terminal. The first interrupt stops submitting; the rest is waited for.
async fn run_shown(settings: Settings) -> Result<Report, LoadError> {
    let progress = Arc::new(Progress::default());
    let bar = bar(&settings);
    let run = load::run(settings, Arc::clone(&progress));
    tokio::pin!(run);
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            report = &mut run => {
                bar.finish_and_clear();
                return report;
            }
            _ = tokio::signal::ctrl_c() => progress.stop.store(true, Ordering::Relaxed),
            _ = tick.tick() => {
                bar.set_position(progress.answered.load(Ordering::Relaxed));
                bar.set_message(format!("{} receipts", progress.receipts.load(Ordering::Relaxed)));
            }
        }
    }
}

fn bar(settings: &Settings) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match settings.amount {
        Amount::Messages(count) => (
            ProgressBar::new(count.saturating_mul(settings.text.parts as u64)),
            "{elapsed} {wide_bar} {pos}/{len} {per_sec} {msg}",
        ),
        Amount::Time(_) | Amount::Receipts(_) => {
            (ProgressBar::new_spinner(), "{elapsed} {spinner} {pos} {per_sec} {msg}")
        }
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn parse_span(text: &str) -> Result<Duration, String> {
    span(text).map_err(|error| error.to_string())
}

/// Submissions, connections or PDUs of a rogue when no count is given.
const ROGUE_COUNT: u32 = 200;
/// Between two octets of a slow rogue.
const ROGUE_PAUSE: Duration = Duration::from_secs(1);
/// Messages when neither count nor time is given.
const COUNT_DEFAULT: u64 = 10_000;
