//! `tollgate audit`: whether the books are right.

use std::process::ExitCode;

use clap::Args;

use super::super::exit::{FAILED, outln};
use super::super::settings::SettingsArgs;
use super::{ask, print_json, unexpected};
use crate::admin::{Answer, Request};

/// Check the books: money, states, receipts owed. One line an invariant; exit code 1 when one is broken.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuditArgs {
    /// Prints a JSON object: {"holds", "invariants": [{"invariant", "holds", "detail"}]}
    #[arg(long)]
    json: bool,
}

impl AuditArgs {
    /// Checks.
    pub(in crate::cli) fn run(&self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let Answer::Audit(lines) = ask(settings, Request::Audit)? else { return Err(unexpected()) };
        let holds = lines.iter().all(|line| line.holds);
        if self.json {
            print_json(&serde_json::json!({"holds": holds, "invariants": lines}))?;
        } else {
            for line in &lines {
                outln!(
                    "{}  {}: {}",
                    if line.holds { "ok    " } else { "BROKEN" },
                    line.invariant,
                    line.detail
                )?;
            }
        }
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }
}
