//! `tollgate decode`: PDUs in hex, and what they mean.

mod body;
mod derived;
mod json;
mod meaning;
mod table;
mod tlv;

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

use clap::Args;

use super::exit;
use meaning::{Meaning, read_all};

/// Show what PDUs mean.
///
/// Takes hex as an argument or line by line on stdin; a line may hold several PDUs. Blanks, colons and a leading 0x do no
/// harm. Exits 1 if anything is malformed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tollgate decode 00000010000000150000000000000001
  tshark -r talk.pcap -Y smpp -T fields -e tcp.payload | tollgate decode --json")]
pub(super) struct DecodeArgs {
    /// The PDU in hex [default: lines from stdin]
    hex: Option<String>,
    /// One JSON object a line for each PDU: header, body, tlvs, derived, and problem if it is malformed
    #[arg(long)]
    json: bool,
}

impl DecodeArgs {
    /// Decodes and prints.
    ///
    /// # Errors
    /// When stdin cannot be read or stdout not be written.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = stdout().lock();
        let mut is_good = true;
        match &self.hex {
            Some(hex) => is_good = self.show(hex, &mut out)?,
            None => {
                for line in stdin().lock().lines() {
                    let line = line?;
                    if !line.trim().is_empty() {
                        is_good &= self.show(&line, &mut out)?;
                        out.flush()?;
                    }
                }
            }
        }
        Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
    }

    fn show(&self, hex: &str, out: &mut impl Write) -> anyhow::Result<bool> {
        let meanings = match octets_of(hex) {
            Ok(octets) => read_all(&octets),
            Err(detail) => vec![Meaning::not_hex(detail)],
        };
        for meaning in &meanings {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(&meaning.to_json())?)?;
            } else {
                table::write(meaning, out)?;
            }
        }
        Ok(meanings.iter().all(|meaning| meaning.problem.is_none()))
    }
}

/// Reads hex digits, and says where there is none.
fn octets_of(hex: &str) -> Result<Vec<u8>, String> {
    let hex = hex.trim();
    let hex = hex.strip_prefix("0x").unwrap_or(hex);
    let mut digits = Vec::with_capacity(hex.len());
    for (at, character) in hex.char_indices() {
        match character.to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if character.is_whitespace() || matches!(character, ':' | '-' | ',') => {}
            None => return Err(format!("{character:?} at {at} is no hex digit")),
        }
    }
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(format!("{} hex digits make no whole octets", digits.len()));
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_as_people_paste_it() {
        for hex in ["00ff10", "0x00FF10", "00 ff 10", "00:ff:10\n", " 00-FF-10 "] {
            assert_eq!(octets_of(hex), Ok(vec![0, 0xFF, 0x10]), "{hex}");
        }
        assert!(octets_of("00f").is_err_and(|error| error.contains("3 hex digits")));
        assert!(octets_of("00zz").is_err_and(|error| error.contains("'z' at 2")));
    }
}
