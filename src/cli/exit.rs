//! How a command ends. The exit codes: 0 done, 1 failed, 2 wrong usage (clap's own), 64 bad settings. What it prints goes
//! out by one way, [`print`], so that it ends quietly where nobody reads on (`| head`).

use std::process::ExitCode;
use std::{fmt, io};

/// What was asked for is done.
pub const DONE: u8 = 0;
/// What was asked for was tried and did not succeed.
pub const FAILED: u8 = 1;
/// The settings cannot be used (EX_USAGE of sysexits.h, as the outward contract has it).
pub const BAD_SETTINGS: u8 = 64;

/// Settings that cannot be used. A command that finds some returns this as its error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

/// Nobody reads stdout any more: there is nothing left to do, and nothing to complain of.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads stdout any more")]
pub struct NobodyReads;

/// The exit code that belongs to an error.
#[must_use]
pub fn of(error: &anyhow::Error) -> ExitCode {
    if error.is::<BadSettings>() {
        ExitCode::from(BAD_SETTINGS)
    } else if error.is::<NobodyReads>() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// The exit code of a command that came to a verdict before it printed: who stops reading does not change it.
///
/// # Errors
/// What was printed could not be written, though somebody read on.
pub(super) fn with(code: u8, printed: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    match printed {
        Err(error) if !error.is::<NobodyReads>() => Err(error),
        Ok(()) | Err(_) => Ok(ExitCode::from(code)),
    }
}

/// Prints to stdout.
///
/// # Errors
/// [`NobodyReads`], or that it cannot be written.
pub(super) fn print(text: fmt::Arguments<'_>) -> anyhow::Result<()> {
    io::Write::write_fmt(&mut io::stdout().lock(), text)
        .map_err(|why| unwritten(anyhow::Error::from(why).context("stdout cannot be written")))
}

/// An error of a command that writes to stdout, which may be that nobody reads there.
pub(super) fn unwritten(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<io::Error>() {
        Some(why) if why.kind() == io::ErrorKind::BrokenPipe => NobodyReads.into(),
        _ => error,
    }
}

/// As `print!`, by [`print`].
macro_rules! out {
    ($($arg:tt)*) => { $crate::cli::exit::print(format_args!($($arg)*)) };
}

/// As `println!`, by [`print`].
macro_rules! outln {
    () => { $crate::cli::exit::print(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::cli::exit::print(format_args!("{}\n", format_args!($($arg)*))) };
}

pub(super) use {out, outln};
