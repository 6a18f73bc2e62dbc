//! The command line: one file a subcommand. Parses, calls the library, prints, and turns the outcome into an exit code.

#![deny(clippy::print_stdout, reason = "print! panics where nobody reads stdout: `exit::outln!` does not")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod admin;
mod check;
mod decode;
pub mod exit;
mod load;
mod policy;
mod quickstart;
mod serve;
pub mod settings;
mod sim;

use settings::SettingsArgs;

/// A carrier SMS gateway: SMPP in, SMPP out, every message durable, charged and explained.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 64 bad settings.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "made once a process")]
enum Command {
    Quickstart(quickstart::QuickstartArgs),
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Plan(policy::plan::PlanArgs),
    Apply(policy::apply::ApplyArgs),
    Export(policy::export::ExportArgs),
    Explain(policy::explain::ExplainArgs),
    #[command(name = "optout")]
    OptOut(policy::lists::OptOutArgs),
    #[command(name = "blocklist")]
    BlockList(policy::lists::BlockListArgs),
    Account(admin::account::AccountArgs),
    Credit(admin::credit::CreditArgs),
    Trace(admin::trace::TraceArgs),
    Audit(admin::audit::AuditArgs),
    Status(admin::status::StatusArgs),
    Backup(admin::backup::BackupArgs),
    Restore(admin::backup::RestoreArgs),
    Sim(sim::SimArgs),
    Load(load::LoadArgs),
    Decode(decode::DecodeArgs),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// When it could not be done; [`exit::of`] gives the exit code that belongs to the error.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Quickstart(args) => args.run(),
            Command::Serve(args) => args.run(&self.settings),
            Command::Check(args) => args.run(&self.settings),
            Command::Plan(args) => args.run(&self.settings),
            Command::Apply(args) => args.run(&self.settings),
            Command::Export(args) => args.run(&self.settings),
            Command::Explain(args) => args.run(&self.settings),
            Command::OptOut(args) => args.run(&self.settings),
            Command::BlockList(args) => args.run(&self.settings),
            Command::Account(args) => args.run(&self.settings),
            Command::Credit(args) => args.run(&self.settings),
            Command::Trace(args) => args.run(&self.settings),
            Command::Audit(args) => args.run(&self.settings),
            Command::Status(args) => args.run(&self.settings),
            Command::Backup(args) => args.run(&self.settings),
            Command::Restore(args) => args.run(&self.settings),
            Command::Sim(args) => args.run(),
            Command::Load(args) => args.run(),
            Command::Decode(args) => args.run(),
        }
    }
}
