//! `tollgate serve`: the daemon.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use tracing_subscriber::EnvFilter;

use super::settings::SettingsArgs;
use crate::clock::Clock;
use crate::config::{LogFormat, LogSettings};
use crate::{Gate, Signals, run_until_told};

/// Run the gateway.
///
/// Logs go to stderr. Once every listener is open, one line on stdout says `ready` and where: scripts wait for it.
/// SIGTERM and SIGINT drain (bounded) and end with 0; SIGHUP reads the configuration again.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Threads for sessions; 0 takes one for each processor
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

impl ServeArgs {
    pub(super) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let config = settings.load()?;
        let path = settings.path();
        log_to_stderr(&config.log);
        runtime(self.threads)?.block_on(async {
            let gate = Gate::start(config, Clock::system()).await?;
            let signals = Signals::heed().context("the system gives no signals")?;
            announce(&gate)?;
            run_until_told(gate, &path, signals).await;
            anyhow::Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The line that scripts wait for: `ready smpp=127.0.0.1:2775 admin=127.0.0.1:2780`.
fn announce(gate: &Gate) -> anyhow::Result<()> {
    let addresses = gate.addresses();
    let mut line = "ready".to_owned();
    for (name, list) in
        [("smpp", addresses.smpp), ("smpp-tls", addresses.smpp_tls), ("admin", addresses.admin)]
    {
        for address in list {
            line.push_str(&format!(" {name}={address}"));
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().context("stdout is closed")
}

/// Logs as the settings say; `RUST_LOG` wins over the configured filter.
pub(super) fn log_to_stderr(settings: &LogSettings) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.filter));
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A logger that is there already (a test's) stays.
    let _ = match settings.format {
        LogFormat::Text => base.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => base.json().flatten_event(true).try_init(),
    };
}

pub(super) fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("the system gives no threads")
}
