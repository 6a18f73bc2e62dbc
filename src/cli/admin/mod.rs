//! The commands of administration: they ask the running daemon, or work on the store itself when none runs.

pub(super) mod account;
pub(super) mod audit;
pub(super) mod backup;
pub(super) mod credit;
pub(super) mod status;
pub(super) mod table;
pub(super) mod trace;
mod usage;

use serde::Serialize;

use super::exit::outln;
use super::settings::SettingsArgs;
use crate::admin::{self, Answer, Request};
use crate::clock::Clock;

/// Asks and waits for the answer.
pub(super) fn ask(settings: &SettingsArgs, request: Request) -> anyhow::Result<Answer> {
    let config = settings.load_store()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(admin::ask(&config.admin, &config.store, Clock::system(), request))?)
}

/// Prints a value as JSON, for scripts.
pub(super) fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    outln!("{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}

/// The answer belongs to another question: daemon and command are of different versions.
pub(super) fn unexpected() -> anyhow::Error {
    anyhow::anyhow!("the daemon answered something else; are daemon and command of the same version?")
}
