//! `tollgate backup` and `tollgate restore`: a copy of the store, and back.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::super::exit::outln;
use super::super::settings::SettingsArgs;
use super::{ask, print_json, unexpected};
use crate::admin::{self, Answer, Request};
use crate::clock::Clock;

/// Copy the store and its history to FILE and FILE.history, also while the daemon runs.
///
/// The copy is consistent. A file that is there already is never written over.
#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArgs {
    /// Where the copy goes
    file: PathBuf,
    /// Prints a JSON object
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    /// Copies.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        // The daemon stands in another folder than this command.
        let file = std::path::absolute(&self.file).context("the path cannot be made absolute")?;
        let Answer::Backup(file) = ask(settings, Request::Backup { file })? else { return Err(unexpected()) };
        if self.json {
            print_json(&serde_json::json!({"file": file}))?;
        } else {
            outln!("copied the store to {}", file.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Put a backup in the place of the store while the daemon is stopped.
///
/// Refuses while a daemon runs, and when there is a store already, unless --force is given: then the old files are
/// kept aside under new names.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// What `tollgate backup` wrote
    file: PathBuf,
    /// Keeps a store that is there aside and puts the backup in its place
    #[arg(long)]
    force: bool,
    /// Prints a JSON object
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    /// Restores.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let config = settings.load_store()?;
        let restored = admin::restore(&self.file, &config.store, self.force, Clock::system().now())?;
        if self.json {
            print_json(&restored)?;
            return Ok(ExitCode::SUCCESS);
        }
        outln!("restored {} with {} day(s) of history", restored.store.display(), restored.days)?;
        if let Some(kept) = restored.kept {
            outln!("what was there before is kept as {}", kept.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
