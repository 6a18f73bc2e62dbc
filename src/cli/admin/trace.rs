//! `tollgate trace`: what happened to one message.

use std::process::ExitCode;

use clap::Args;

use super::super::exit::out;
use super::super::settings::SettingsArgs;
use super::table::{Table, printable, with_worth};
use super::{ask, print_json, unexpected};
use crate::admin::{Answer, MessageTrace, Request};

/// Show the timeline of one message: accepted, sent, ended, receipt, money.
#[derive(Debug, Args)]
pub(in crate::cli) struct TraceArgs {
    /// The message id as its client knows it: a decimal number
    #[arg(value_name = "MESSAGE_ID")]
    message: String,
    /// Prints a JSON object
    #[arg(long)]
    json: bool,
}

impl TraceArgs {
    /// Shows.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let request = Request::Trace { message: self.message };
        let Answer::Trace(trace) = ask(settings, request)? else { return Err(unexpected()) };
        if self.json {
            print_json(&trace)?;
        } else {
            out!("{}", text(&trace))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(trace: &MessageTrace) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| out += &format!("{name:<12} {value}\n");
    let short = trace.short_id.as_ref().map(|short| format!(" (to its client {short})")).unwrap_or_default();
    line("message", &format!("{}{short}", trace.message_id));
    line("account", &format!("{} (system_id {})", trace.account, trace.system_id));
    // Addresses and text come from outside: nothing in them may move the terminal's cursor.
    line("from", &printable(&trace.source));
    line("to", &printable(&trace.destination));
    if let Some(said) = &trace.text {
        line("text", &format!("\"{}\"", printable(said)));
    }
    let reason = trace.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    line("state", &format!("{}{reason}", trace.state));
    if trace.error != 0 {
        line("error", &trace.error.to_string());
    }
    let price = with_worth(trace.price, trace.price_worth.as_ref());
    let posted = with_worth(trace.posted, trace.posted_worth.as_ref());
    line("price", &format!("{} part(s) at {price}, {posted} posted", trace.parts));
    let id = trace.upstream_id.as_ref().map(|id| format!(", its id {id}")).unwrap_or_default();
    line("operator", &format!("{}{id}", trace.upstream));
    if trace.in_doubt {
        line("in doubt", "it may have reached an operator twice");
    }
    let mut table = Table::new(["at", "what", "detail"]);
    for entry in &trace.timeline {
        table.row([entry.at.clone(), entry.what.clone(), printable(&entry.detail)]);
    }
    format!("{out}\n{table}")
}
