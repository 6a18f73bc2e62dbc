//! The command line: one file a subcommand. Parses, calls the library, prints, and turns the outcome into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod check;
pub mod exit;
mod load;
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
    Check(check::CheckArgs),
    Sim(sim::SimArgs),
    Load(load::LoadArgs),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// When it could not be done; [`exit::of`] gives the exit code that belongs to the error.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Check(args) => Ok(args.run(&self.settings)),
            Command::Sim(args) => args.run(),
            Command::Load(args) => args.run(),
        }
    }
}
