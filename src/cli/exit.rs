//! The exit codes: 0 done, 1 failed, 2 wrong usage (clap's own), 64 bad settings.

use std::process::ExitCode;

/// What was asked for was tried and did not succeed.
pub const FAILED: u8 = 1;
/// The settings cannot be used (EX_USAGE of sysexits.h, as the outward contract has it).
pub const BAD_SETTINGS: u8 = 64;

/// Settings that cannot be used. A command that finds some returns this as its error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

/// The exit code that belongs to an error.
#[must_use]
pub fn of(error: &anyhow::Error) -> ExitCode {
    if error.is::<BadSettings>() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::from(FAILED) }
}
