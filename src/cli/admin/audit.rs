//! `tollgate audit`: whether the books are right.

use std::process::ExitCode;

use clap::Args;

use super::super::exit::{self, DONE, FAILED, outln};
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
        let printed = if self.json {
            print_json(&serde_json::json!({"holds": holds, "invariants": lines}))
        } else {
            lines.iter().try_for_each(|line| {
                let word = if line.holds { "ok    " } else { "BROKEN" };
                outln!("{word}  {}: {}", line.invariant, line.detail)
            })
        };
        exit::with(if holds { DONE } else { FAILED }, printed)
    }
}
