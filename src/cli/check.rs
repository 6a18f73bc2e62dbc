//! `tollgate check`: everything that is wrong with a configuration, at once.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::exit::{self, BAD_SETTINGS, outln};
use super::settings::SettingsArgs;
use crate::config::{self, Config, Problems};

/// Reads a configuration with everything it includes and prints every problem: file, line, column, advice.
///
/// Exit code 0 when it can be used, 64 when not. Nothing is changed, and no daemon is asked.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Prints one JSON object: {"ok", "problems": [{"file", "line", "column", "what", "advice"}]}
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// Checks.
    pub(super) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let path = settings.path();
        match config::load(&path, &config::process_environment) {
            Ok(config) if self.json => {
                outln!("{}", json!({"ok": true, "problems": [], "summary": summary(&config)}))?;
                Ok(ExitCode::SUCCESS)
            }
            Ok(config) => {
                outln!("{} is in order: {}", path.display(), summary(&config))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(Problems(problems)) => {
                let printed = if self.json {
                    outln!("{}", json!({"ok": false, "problems": problems}))
                } else {
                    outln!("{}", Problems(problems))
                };
                exit::with(BAD_SETTINGS, printed)
            }
        }
    }
}

fn summary(config: &Config) -> String {
    let traffic = &config.policy.traffic;
    let credentials = config.policy.accounts.iter().map(|account| account.credentials.len()).sum();
    [
        counted(config.files.len(), "file"),
        counted(config.policy.accounts.len(), "account"),
        counted(credentials, "credential"),
        counted(traffic.upstreams.len(), "upstream"),
        counted(traffic.routes.len(), "route"),
        counted(traffic.prices.len(), "price"),
    ]
    .join(", ")
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
