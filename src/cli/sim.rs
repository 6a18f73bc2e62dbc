//! `tollgate sim`: the practice operator, told what to do by flags, by a scenario file, or by both.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use smpp_proto::field::MessageState;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{BadSettings, outln};
use crate::link::tls::ServerIdentity;
use crate::sim::delay::{Delay, percent, span};
use crate::sim::hostile::{self, Hostile, Mode};
use crate::sim::ident::IdFormat;
use crate::sim::settings::{ErrorShare, Mo, ReceiptField, ReceiptPlace, ReceiptStyle, Settings, User};
use crate::sim::{Operator, Stats};

/// Run a practice operator (SMSC) that anyone may bind to.
///
/// It answers, sends delivery receipts, and misbehaves as told. Everything can be set by flags or, under the same names,
/// in a scenario file; flags win.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct SimArgs {
    /// TOML file with the same keys as the flags below
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Threads; 0 takes one for each processor
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Prints the counters as JSON once a second
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

fn after_help() -> String {
    let modes = hostile::lines(Mode::ALL.iter().map(|mode| (mode.word(), mode.line())));
    format!("Hostile modes:\n{modes}\n{EXAMPLES}")
}

const EXAMPLES: &str = "Examples:
  tollgate sim --listen 127.0.0.1:2776
  tollgate sim --response-delay 80%:10ms,15%:100ms,5%:1s --receipt-delay 1s..5s
  tollgate sim --id-format hex-resp-dec-receipt --undeliv 5% --throttle 50
  tollgate sim --hostile drop:1000
  tollgate sim --scenario slow.toml --record accepted.jsonl";

/// Declares every knob once, for the command line and for the file, and how flags go over the file.
macro_rules! knobs {
    ($($(#[$meta:meta])* $name:ident: $type:ty,)*) => {
        #[derive(Debug, Default, Args, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct Flags {
            $($(#[$meta])* $name: Option<$type>,)*
        }

        impl Flags {
            fn over(self, file: Self) -> Self {
                Self { $($name: self.$name.or(file.$name),)* }
            }
        }
    };
}

knobs! {
    /// Addresses to listen on, separated by commas; port 0 takes a free one [default: 127.0.0.1:2776]
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    listen: Vec<SocketAddr>,
    /// Listens with TLS: PEM file of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: PathBuf,
    /// PEM file of the private key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: PathBuf,
    /// PEM file of the authorities that client certificates must come from
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_client_ca: PathBuf,
    /// Its own system_id [default: tollgate-sim]
    #[arg(long)]
    name: String,
    /// Who may bind, SYSTEM_ID:PASSWORD, separated by commas [default: anyone]
    #[arg(long, value_name = "USER", value_delimiter = ',')]
    users: Vec<User>,
    /// How long answers take: 10ms, 50ms..2s, or a mix such as 80%:10ms,15%:100ms,5%:1s [default: 0]
    #[arg(long, value_name = "DELAY")]
    response_delay: Delay,
    /// From acceptance to receipt, written like --response-delay [default: 0]
    #[arg(long, value_name = "DELAY")]
    receipt_delay: Delay,
    /// Sends the receipt before the answer to its submission
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    receipt_overtakes: bool,
    /// How message ids are written [default: decimal]
    #[arg(long, value_name = "FORMAT")]
    id_format: IdFormat,
    /// The first message id, as a number [default: 1]
    #[arg(long, value_name = "NUMBER")]
    first_id: u64,
    /// Where receipts keep their facts [default: both]
    #[arg(long, value_name = "STYLE")]
    receipt_style: ReceiptPlace,
    /// Fields left out of the text of receipts, separated by commas
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    receipt_omit: Vec<ReceiptField>,
    /// esm_class of receipts; some centres send 0 [default: 4]
    #[arg(long, value_name = "NUMBER")]
    receipt_esm_class: u8,
    /// Dates of receipts with seconds
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    receipt_seconds: bool,
    /// Receipts as data_sm
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    receipt_data_sm: bool,
    /// Share of messages that end UNDELIVERABLE, such as 5%
    #[arg(long, value_name = "PERCENT")]
    undeliv: String,
    /// Share of messages that end EXPIRED
    #[arg(long, value_name = "PERCENT")]
    expired: String,
    /// Share of messages that end REJECTED
    #[arg(long, value_name = "PERCENT")]
    rejected: String,
    /// Share of messages that end UNKNOWN
    #[arg(long, value_name = "PERCENT")]
    unknown: String,
    /// Refuses a share of submissions, STATUS:PERCENT, separated by commas: ESME_RSUBMITFAIL:5%,0x14:1%
    #[arg(long, value_name = "MIX", value_delimiter = ',')]
    error: Vec<ErrorShare>,
    /// Accepts so many submissions a second and system_id; more are answered ESME_RTHROTTLED
    #[arg(long, value_name = "RATE")]
    throttle: u32,
    /// Unanswered submissions of one bind; more are answered ESME_RTHROTTLED
    #[arg(long, value_name = "COUNT")]
    submit_window: usize,
    /// Unanswered deliver_sm towards one bind [default: 100]
    #[arg(long, value_name = "COUNT")]
    window: u16,
    /// Sends a deliver_sm again after this time without an answer [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    #[serde(deserialize_with = "span_in_file", default)]
    deliver_timeout: Duration,
    /// Sends enquire_link after this time without input [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    #[serde(deserialize_with = "span_in_file", default)]
    enquire_link: Duration,
    /// Sends so many messages from mobiles a second to each receiver
    #[arg(long, value_name = "RATE")]
    mo: u32,
    /// Stops after so many of them [default: never]
    #[arg(long, value_name = "COUNT", requires = "mo")]
    mo_count: u64,
    /// Who sends them [default: 34600000001]
    #[arg(long, value_name = "NUMBER", requires = "mo")]
    mo_source: String,
    /// Where they go [default: 1234]
    #[arg(long, value_name = "NUMBER", requires = "mo")]
    mo_destination: String,
    /// What they say; {n} becomes their number [default: "Hello {n}"]
    #[arg(long, value_name = "TEXT", requires = "mo")]
    mo_text: String,
    /// Misbehaves: MODE or MODE:AFTER (so many submissions), separated by commas; the modes are below
    #[arg(long, value_name = "MODES", value_delimiter = ',')]
    hostile: Vec<Hostile>,
    /// Appends one line of JSON to this file for every accepted submission, before it is answered
    #[arg(long, value_name = "FILE")]
    record: PathBuf,
    /// Messages remembered a system_id to tell repeated ones; 0 = none [default: 1000000]
    #[arg(long, value_name = "COUNT")]
    track_distinct: usize,
    /// Messages remembered a system_id for query_sm and cancel_sm [default: 10000]
    #[arg(long, value_name = "COUNT")]
    remember: usize,
}

impl SimArgs {
    /// Runs until it is interrupted.
    ///
    /// # Errors
    /// Bad settings, or an address that cannot be listened on.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (threads, json) = (self.threads, self.json);
        let settings = self.settings()?;
        let mut runtime = match threads {
            1 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        if threads > 1 {
            runtime.worker_threads(threads);
        }
        runtime.enable_all().build().context("cannot start")?.block_on(serve(settings, json))
    }

    fn settings(self) -> anyhow::Result<Settings> {
        let file = match &self.scenario {
            None => Flags::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| BadSettings(format!("{}: {error}", path.display())))?;
                toml::from_str(&text).map_err(|error| BadSettings(format!("{}: {error}", path.display())))?
            }
        };
        let settings = self.flags.over(file).into_settings().map_err(BadSettings)?;
        let problems = settings.problems();
        if problems.is_empty() { Ok(settings) } else { Err(BadSettings(problems.join("\n")).into()) }
    }
}

impl Flags {
    fn into_settings(self) -> Result<Settings, String> {
        let default = Settings::default();
        let mut endings = Vec::new();
        for (share, state) in [
            (&self.undeliv, MessageState::UNDELIVERABLE),
            (&self.expired, MessageState::EXPIRED),
            (&self.rejected, MessageState::REJECTED),
            (&self.unknown, MessageState::UNKNOWN),
        ] {
            if let Some(share) = share {
                endings.push((state, percent(share).map_err(|error| error.to_string())?));
            }
        }
        let tls = match (self.tls_certificate, self.tls_key) {
            (Some(certificate), Some(private_key)) => {
                Some(ServerIdentity { certificate, private_key, client_ca: self.tls_client_ca })
            }
            (None, None) => None,
            _ => return Err("tls-certificate and tls-key belong together".to_owned()),
        };
        Ok(Settings {
            listen: self.listen.unwrap_or_else(|| vec![SocketAddr::from(([127, 0, 0, 1], 2776))]),
            tls,
            name: self.name.unwrap_or(default.name),
            users: self.users.unwrap_or_default(),
            response_delay: self.response_delay.unwrap_or(default.response_delay),
            receipt_delay: self.receipt_delay.unwrap_or(default.receipt_delay),
            receipt_overtakes: self.receipt_overtakes.unwrap_or(false),
            id_format: self.id_format.unwrap_or_default(),
            first_id: self.first_id.unwrap_or(default.first_id),
            receipt: ReceiptStyle {
                place: self.receipt_style.unwrap_or_default(),
                omit: self.receipt_omit.unwrap_or_default(),
                esm_class: self.receipt_esm_class.unwrap_or(default.receipt.esm_class),
                seconds: self.receipt_seconds.unwrap_or(false),
                data_sm: self.receipt_data_sm.unwrap_or(false),
            },
            endings,
            errors: self.error.unwrap_or_default(),
            throttle: self.throttle,
            submit_window: self.submit_window,
            window: self.window.unwrap_or(default.window),
            deliver_timeout: self.deliver_timeout.unwrap_or(default.deliver_timeout),
            enquire_link: self.enquire_link,
            mo: self.mo.map(|rate| Mo {
                rate,
                count: self.mo_count.unwrap_or(0),
                source: self.mo_source.unwrap_or_else(|| "34600000001".to_owned()),
                destination: self.mo_destination.unwrap_or_else(|| "1234".to_owned()),
                text: self.mo_text.unwrap_or_else(|| "Hello {n}".to_owned()),
            }),
            hostile: self.hostile.unwrap_or_default(),
            record: self.record,
            track_distinct: self.track_distinct.unwrap_or(default.track_distinct),
            remember: self.remember.unwrap_or(default.remember),
        })
    }
}

async fn serve(settings: Settings, json: bool) -> anyhow::Result<ExitCode> {
    let operator = Operator::start(settings).await?;
    for address in operator.addresses() {
        outln!("ready {address}")?;
    }
    let mut terminate = signal(SignalKind::terminate()).context("no signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no signals")?;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut shown = Stats::default();
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = tick.tick() => {
                let stats = operator.stats();
                if stats != shown {
                    show(&stats, &shown, json)?;
                    shown = stats;
                }
            }
        }
    }
    let stats = operator.stop().await;
    show(&stats, &shown, json)?;
    Ok(ExitCode::SUCCESS)
}

fn show(stats: &Stats, before: &Stats, json: bool) -> anyhow::Result<()> {
    if json {
        outln!("{}", serde_json::to_string(stats)?)?;
    } else {
        eprintln!(
            "bound {} · submits {} (+{}) · accepted {} · refused {} · throttled {} · receipts {} sent, {} answered · mo {}",
            stats.bound,
            stats.submits,
            stats.submits.saturating_sub(before.submits),
            stats.accepted,
            stats.refused,
            stats.throttled,
            stats.receipts_sent,
            stats.receipts_answered,
            stats.mo_sent,
        );
    }
    Ok(())
}

fn parse_span(text: &str) -> Result<Duration, String> {
    span(text).map_err(|error| error.to_string())
}

fn span_in_file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    span(&text).map(Some).map_err(serde::de::Error::custom)
}
