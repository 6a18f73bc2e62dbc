//! `tollgate status`: what the running daemon knows of itself.

use std::process::ExitCode;

use clap::Args;

use super::super::exit::outln;
use super::super::settings::SettingsArgs;
use super::{ask, print_json, unexpected};
use crate::admin::{Answer, Request};

/// Show binds, lanes and operators of the running daemon, as JSON. Exit code 1 when none runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    /// The output is JSON anyway; taken so that it can stand with every command
    #[arg(long)]
    json: bool,
}

impl StatusArgs {
    /// Shows.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let Answer::Status(status) = ask(settings, Request::Status)? else { return Err(unexpected()) };
        if self.json {
            outln!("{status}")?;
        } else {
            print_json(&status)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
