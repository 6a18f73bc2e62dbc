//! `tollgate export`: what the store holds, as configuration.

use std::process::ExitCode;

use clap::Args;

use super::super::admin::print_json;
use super::super::exit::out;
use super::super::settings::SettingsArgs;
use crate::config::{ExportForm, export};
use crate::store::{Reader, StoredPolicy};

/// Print the policy of the store as configuration: accounts, credentials, filters, prices, routes and limits.
///
/// Works beside a running daemon. The output stands behind [store], [smpp] and [[upstream]] in a main file, or with
/// --included in a file that the main one includes; `tollgate plan` then finds no change. Passwords are hashes. Operators
/// are left out: the store knows neither their addresses nor their passwords. So is [account.smpp.outbind]; the head of
/// the output names those who have it.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Also writes accounts made by command line or API as configuration, not as comments: a file then takes them over
    #[arg(long)]
    all: bool,
    /// Writes what may only stand in the main file ([limits], [filters]) as comments
    #[arg(long)]
    included: bool,
    /// Prints a JSON object with the text: {"toml"}
    #[arg(long)]
    json: bool,
}

impl ExportArgs {
    /// Exports.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let config = settings.load_store()?;
        let stored: StoredPolicy =
            Reader::open(&config.store.path, &config.store.history)?.stored_policy()?;
        let outbinds: Option<Vec<String>> = settings
            .load()
            .ok()
            .map(|config| config.esme.outbinds.into_iter().map(|outbind| outbind.credential).collect());
        let form = ExportForm { all: self.all, included: self.included };
        let text = export(&stored, form, outbinds.as_deref());
        if self.json {
            print_json(&serde_json::json!({ "toml": text }))?;
        } else {
            out!("{text}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
