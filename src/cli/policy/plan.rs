//! `tollgate plan`: what applying a configuration would change.

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Args;

use super::super::exit::{self, DONE};
use super::super::settings::SettingsArgs;
use super::print_changes;
use crate::admin::Changes;
use crate::config::{self, Config};
use crate::store::{Reader, StoredPolicy};

/// Show what applying the configuration would change in the store: accounts, credentials, prices, routes, limits.
///
/// Changes nothing, and works beside a running daemon. + is new, ~ becomes different, - goes or is suspended; passwords
/// are never shown. Addresses and passwords of operators are in no store: what changes there is not told.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// Ends with 3 when something would change
    #[arg(long)]
    exit_code: bool,
    /// Prints a JSON object: {"changes": [{"how", "what", "name", "account", "keys": [{"key", "from", "to", "came", "went"}]}]}
    #[arg(long)]
    json: bool,
}

/// Something would change, where that was asked for.
const WOULD_CHANGE: u8 = 3;

impl PlanArgs {
    /// Compares.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let changes = plan(&settings.load()?)?;
        let code = if self.exit_code && !changes.changes.is_empty() { WOULD_CHANGE } else { DONE };
        exit::with(code, print_changes(&changes, false, self.json))
    }
}

/// What applying would change, in a store that may be in use or not be there at all.
pub(super) fn plan(config: &Config) -> anyhow::Result<Changes> {
    let stored = if config.store.path.exists() {
        Reader::open(&config.store.path, &config.store.history)?.stored_policy()?
    } else {
        StoredPolicy::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (passwords, proofs) = (stored.passwords(), Mutex::default());
    let wanted = runtime.block_on(config::policy_change_knowing(&config.policy, &passwords, &proofs))?;
    Ok(config::compare(&stored, &wanted)?)
}
