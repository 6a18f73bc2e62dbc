//! `tollgate credit`: what accounts own.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::super::exit::{out, outln};
use super::super::settings::SettingsArgs;
use super::table::{Table, printable, with_worth};
use super::{ask, print_json, unexpected};
use crate::account::Credits;
use crate::admin::{Answer, CreditLine, Request};

/// Add, show and transfer credit.
///
/// Amounts are exact decimal numbers with up to 6 places. Every change is an entry of its own that stays for ever.
#[derive(Debug, Args)]
pub(in crate::cli) struct CreditArgs {
    #[command(subcommand)]
    command: CreditCommand,
}

#[derive(Debug, Subcommand)]
enum CreditCommand {
    /// Grant credit; a negative amount takes it back, down to the account's floor
    Add {
        /// The account's name
        account: String,
        /// How much, such as 100 or -2.5
        #[arg(allow_hyphen_values = true)]
        amount: Credits,
        /// Stands beside the entry
        #[arg(long, default_value = "")]
        note: String,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// The balance and the newest entries
    Show {
        /// The account's name
        account: String,
        /// Entries at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        entries: u32,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Move credit from one account to another, in one step
    Transfer {
        /// The account that gives
        from: String,
        /// The account that gets
        to: String,
        /// How much; more than 0
        amount: Credits,
        /// Stands beside both entries
        #[arg(long, default_value = "")]
        note: String,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl CreditArgs {
    /// Does it.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let (request, json) = match self.command {
            CreditCommand::Add { account, amount, note, json } => {
                (Request::CreditAdd { account, amount, note }, json)
            }
            CreditCommand::Show { account, entries, json } => {
                (Request::CreditShow { account, entries }, json)
            }
            CreditCommand::Transfer { from, to, amount, note, json } => {
                (Request::CreditTransfer { from, to, amount, note }, json)
            }
        };
        let Answer::Credit(line) = ask(settings, request)? else { return Err(unexpected()) };
        if json {
            print_json(&line)?;
        } else {
            print(&line)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(line: &CreditLine) -> anyhow::Result<()> {
    let available = with_worth(line.available, line.worth.as_ref());
    outln!(
        "{}: {available} available, {} held",
        line.account,
        with_worth(line.held, line.held_worth.as_ref())
    )?;
    if line.entries.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["at", "kind", ">amount", "note"]);
    for entry in &line.entries {
        let note = printable(&entry.note);
        table.row([
            entry.at.clone(),
            entry.kind.clone(),
            with_worth(entry.amount, entry.worth.as_ref()),
            note,
        ]);
    }
    out!("{table}")
}
