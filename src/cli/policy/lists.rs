//! `tollgate optout` and `tollgate blocklist`: numbers that want nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::super::admin::table::{Table, printable};
use super::super::admin::{ask, print_json, unexpected};
use super::super::exit::{self, DONE, FAILED, out, outln};
use super::super::settings::SettingsArgs;
use crate::admin::{self, Answer, Listed, Numbers, NumbersChanged, Request, number_of};
use crate::clock::Clock;

/// Numbers that want nothing from an account, or from any below it.
///
/// A message to such a number is refused as opted_out and costs nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct OptOutArgs {
    /// Whose list
    #[arg(long, value_name = "NAME", global = true)]
    account: Option<String>,
    #[command(subcommand)]
    command: ListCommand,
}

/// Numbers that get nothing from anybody.
///
/// A message to such a number is refused as destination_blocked and costs nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct BlockListArgs {
    #[command(subcommand)]
    command: ListCommand,
}

#[derive(Debug, Subcommand)]
enum ListCommand {
    /// The numbers on the list, and how many there are
    List {
        /// Numbers at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
        limit: u32,
        /// Prints a JSON object: {"count", "numbers": [[number, since, why]]}
        #[arg(long)]
        json: bool,
    },
    /// Put numbers on the list
    Add {
        /// Digits in international form; + or 00 before them, spaces and hyphens do not count
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
        /// Kept beside each
        #[arg(long, default_value = "")]
        why: String,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take numbers off the list
    Remove {
        /// Digits in international form; + or 00 before them, spaces and hyphens do not count
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put the numbers of a file on the list: one a line, millions if need be
    ///
    /// Goes on over lines that are no numbers, names them, and then ends with exit code 1. Numbers that are on the list
    /// already stay as they are, so an import can be done again.
    Import {
        /// The file; empty lines, and those that begin with #, are passed over
        file: PathBuf,
        /// Kept beside each
        #[arg(long, default_value = "")]
        why: String,
        /// Prints a JSON object: {"added", "known", "bad_count", "bad": [{"line", "text"}]}
        #[arg(long)]
        json: bool,
    },
}

impl OptOutArgs {
    /// Does it.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let Some(account) = self.account else { bail!("name the account whose list it is: --account NAME") };
        run(settings, Some(account), self.command)
    }
}

impl BlockListArgs {
    /// Does it.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        run(settings, None, self.command)
    }
}

fn run(settings: &SettingsArgs, account: Option<String>, command: ListCommand) -> anyhow::Result<ExitCode> {
    match command {
        ListCommand::List { limit, json } => {
            let Answer::Listed(list) = ask(settings, Request::NumbersShow { account, most: limit })? else {
                return Err(unexpected());
            };
            if json { print_json(&list)? } else { print(list)? }
        }
        ListCommand::Add { numbers, why, json } => {
            change(settings, Numbers { account, remove: false, numbers, why }, json)?;
        }
        ListCommand::Remove { numbers, json } => {
            change(settings, Numbers { account, remove: true, numbers, why: String::new() }, json)?;
        }
        ListCommand::Import { file, why, json } => {
            return import(settings, account.as_ref(), &file, &why, json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(list: Listed) -> anyhow::Result<()> {
    let mut table = Table::new(["number", "since", "why"]);
    let shown = list.numbers.len();
    for (number, since, why) in list.numbers {
        table.row([number, since, printable(&why)]);
    }
    if shown > 0 {
        out!("{table}")?;
    }
    outln!("{} on the list, {shown} shown", list.count)
}

fn change(settings: &SettingsArgs, mut asked: Numbers, json: bool) -> anyhow::Result<()> {
    for written in &mut asked.numbers {
        let Some(number) = number_of(written) else {
            bail!(
                "{written:?} is no number: write 3 to 15 digits, the country code first; nothing was changed"
            );
        };
        *written = number;
    }
    let removes = asked.remove;
    let count = asked.numbers.len();
    let Answer::NumbersChanged(done) = ask(settings, Request::NumbersChange(asked))? else {
        return Err(unexpected());
    };
    if json {
        return print_json(&done);
    }
    let (word, other) = if removes { ("taken off", "not on the list") } else { ("added", "known already") };
    outln!("{} {word}, {} {other}", done.changed, (count as u64).saturating_sub(done.changed))?;
    Ok(())
}

/// Numbers that go to the store at once: traffic goes on between them.
const BATCH: usize = 10_000;
/// Octets of a line that are looked at.
const LINE: u64 = 1_024;
/// Lines that are no numbers and are told one by one.
const MOST_BAD: usize = 100;

/// A line that is no number.
#[derive(Debug, Serialize)]
struct BadLine {
    line: u64,
    text: String,
}

/// What came of an import.
#[derive(Debug, Default, Serialize)]
struct Imported {
    added: u64,
    known: u64,
    bad_count: u64,
    bad: Vec<BadLine>,
}

fn import(
    settings: &SettingsArgs,
    account: Option<&String>,
    path: &Path,
    why: &str,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bar = bar(file.metadata().map_or(0, |meta| meta.len()));
    let config = settings.load_store()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let imported = runtime.block_on(async {
        let mut reached = admin::reach(&config.admin, &config.store, Clock::system(), false).await?;
        let mut lines =
            Lines { file: BufReader::new(file), line: 0, imported: Imported::default(), octets: 0 };
        loop {
            let numbers = lines.next_batch()?;
            if numbers.is_empty() {
                break;
            }
            let sent = numbers.len() as u64;
            let batch = Numbers { account: account.cloned(), remove: false, numbers, why: why.to_owned() };
            let Answer::NumbersChanged(NumbersChanged { changed, .. }) =
                reached.ask(Request::NumbersChange(batch)).await?
            else {
                return Err(unexpected());
            };
            lines.imported.added += changed;
            lines.imported.known += sent.saturating_sub(changed);
            bar.set_position(lines.octets);
        }
        reached.leave().await;
        anyhow::Ok(lines.imported)
    })?;
    bar.finish_and_clear();
    let code = if imported.bad_count == 0 { DONE } else { FAILED };
    if json {
        return exit::with(code, print_json(&imported));
    }
    for bad in &imported.bad {
        eprintln!("{}:{}: {} is no number", path.display(), bad.line, printable(&bad.text));
    }
    if imported.bad_count > MOST_BAD as u64 {
        eprintln!("… and {} lines more", imported.bad_count - MOST_BAD as u64);
    }
    let Imported { added, known, bad_count, .. } = imported;
    exit::with(code, outln!("{added} added, {known} known already, {bad_count} no numbers"))
}

fn bar(octets: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta}");
    ProgressBar::new(octets).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A file of numbers on its way.
struct Lines {
    file: BufReader<File>,
    line: u64,
    imported: Imported,
    octets: u64,
}

impl Lines {
    /// Up to [`BATCH`] numbers; none at the end.
    fn next_batch(&mut self) -> anyhow::Result<Vec<String>> {
        let mut numbers = Vec::new();
        let mut line = Vec::new();
        while numbers.len() < BATCH {
            line.clear();
            let read = (&mut self.file).take(LINE).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            self.line += 1;
            self.octets += read as u64;
            let is_whole = line.ends_with(b"\n") || (read as u64) < LINE;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_start_matches('\u{feff}').trim();
            if !is_whole {
                self.bad(text);
                self.octets += self.file.skip_until(b'\n')? as u64;
            } else if !text.is_empty() && !text.starts_with('#') {
                match number_of(text) {
                    Some(number) => numbers.push(number),
                    None => self.bad(text),
                }
            }
        }
        Ok(numbers)
    }

    fn bad(&mut self, text: &str) {
        self.imported.bad_count += 1;
        if self.imported.bad.len() < MOST_BAD {
            let text = text.chars().take(60).collect();
            self.imported.bad.push(BadLine { line: self.line, text });
        }
    }
}
