//! The `tollgate` command. Everything it does is in the library; here a process is made of it.

use std::process::ExitCode;

use clap::Parser;
use tollgate::cli::{Cli, exit};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            if !error.is::<exit::NobodyReads>() {
                eprintln!("tollgate: {error:#}");
            }
            exit::of(&error)
        }
    }
}
