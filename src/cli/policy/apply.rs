//! `tollgate apply`: makes the store hold what the configuration says.

use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use clap::Args;

use super::super::admin::unexpected;
use super::super::exit::BadSettings;
use super::super::settings::SettingsArgs;
use super::{plan, print_changes};
use crate::admin::{self, Answer, Changes, ClientError, Request};
use crate::clock::Clock;
use crate::config::{self, Config};

/// Apply the configuration: accounts, credentials, prices, routes and limits; all of it or nothing.
///
/// A running daemon reads its own file again, exactly as on SIGHUP: no session ends, operators and certificates are
/// taken too. When none runs, the store is changed itself. Accounts that were made by command line or API stay as they
/// are; those that came from files and are in none any more are suspended. A bad file changes nothing: exit code 64.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// Only shows what would change, as `tollgate plan`
    #[arg(long)]
    dry_run: bool,
    /// Prints a JSON object, as `tollgate plan --json`
    #[arg(long)]
    json: bool,
}

impl ApplyArgs {
    /// Applies.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let config = settings.load()?;
        if self.dry_run {
            print_changes(&plan::plan(&config)?, false, self.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        // The daemon stands in another folder than this command.
        let file = std::path::absolute(settings.path()).context("the path cannot be made absolute")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let changes = runtime.block_on(apply(&config, Request::Reload { file }))?;
        print_changes(&changes, true, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn apply(config: &Config, reload: Request) -> anyhow::Result<Changes> {
    let mut reached = admin::reach(&config.admin, &config.store, Clock::system(), true).await?;
    let outcome = match reached.store() {
        Some(store) => config::apply(store, &config.policy, &Mutex::default()).await.map_err(Into::into),
        None => match reached.ask(reload).await {
            Ok(Answer::Changed(changes)) => Ok(changes),
            Ok(_) => Err(unexpected()),
            Err(ClientError::Refused(refused)) if refused.reason == "bad_settings" => {
                Err(BadSettings(refused.text).into())
            }
            Err(other) => Err(other.into()),
        },
    };
    reached.leave().await;
    outcome
}
