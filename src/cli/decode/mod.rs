//! `tollgate decode`: PDUs in hex, in files and in captures, and what they mean.

mod body;
mod capture;
mod derived;
mod input;
mod json;
mod meaning;
mod table;
mod tlv;
mod words;

use std::io::{BufRead, BufWriter, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;

use super::exit;
use capture::{Capture, Event};
use input::Kind;
use json::Json;
use meaning::{Meaning, read_all};
use table::Style;

/// Show what PDUs mean.
///
/// Takes hex as arguments or line by line on stdin; a line may hold several PDUs. Blanks, colons and a leading 0x do no
/// harm. What is not hex is a file: of hex, of raw PDUs, or a capture (pcap, pcapng), told by its first octets. In
/// captures TCP is put together, each PDU has its time, ends and offset in the stream, and responses are matched with
/// requests. Exits 1 if anything is malformed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tollgate decode 00000010000000150000000000000001
  tollgate decode talk.pcapng
  tollgate decode --brief --port 3550 talk.pcap
  tcpdump -i lo -w - port 2775 | tollgate decode -
  tshark -r talk.pcap -Y smpp -T fields -e tcp.payload | tollgate decode --json")]
pub(super) struct DecodeArgs {
    /// PDUs in hex, or files; - is stdin [default: stdin]
    #[arg(value_name = "HEX|FILE")]
    inputs: Vec<String>,
    /// A file, also if its name is hex
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// In captures: ports on which SMPP is spoken [default: 2775, and wherever it looks like SMPP]
    #[arg(long, value_name = "PORT")]
    port: Vec<u16>,
    /// One line a PDU
    #[arg(long, conflicts_with = "json")]
    brief: bool,
    /// Passwords as they came; --json of hex and raw PDUs always shows them
    #[arg(long)]
    show_secrets: bool,
    /// One JSON object a line for each PDU: header, body, tlvs, derived, and problem if it is malformed; in captures also
    /// time, source, destination and offset
    #[arg(long)]
    json: bool,
}

impl DecodeArgs {
    /// Decodes and prints.
    ///
    /// # Errors
    /// When an input cannot be read, a capture has no SMPP or is cut off, or stdout cannot be written.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut is_good = true;
        let shown = self.show(&mut BufWriter::new(stdout().lock()), &mut is_good).map_err(exit::unwritten);
        exit::with(if is_good { exit::DONE } else { exit::FAILED }, shown)
    }

    /// What cannot be decoded makes `is_good` false, also where nobody reads on.
    fn show(self, mut out: &mut impl Write, is_good: &mut bool) -> anyhow::Result<()> {
        for input in &self.inputs {
            match input::octets_of(input) {
                _ if input == "-" => self.show_stdin(&mut out, is_good)?,
                Err(_) if Path::new(input).exists() => self.show_file(Path::new(input), &mut out, is_good)?,
                octets => self.show_octets(octets, &mut out, is_good)?,
            }
        }
        for file in &self.file {
            if file.as_os_str() == "-" {
                self.show_stdin(&mut out, is_good)?;
            } else {
                self.show_file(file, &mut out, is_good)?;
            }
        }
        if self.inputs.is_empty() && self.file.is_empty() {
            self.show_stdin(&mut out, is_good)?;
        }
        out.flush()?;
        Ok(())
    }

    fn show_stdin(&self, out: &mut impl Write, is_good: &mut bool) -> anyhow::Result<()> {
        // A lock cannot be sent to where captures are read.
        self.show_input(std::io::BufReader::new(stdin()), out, is_good)
    }

    fn show_file(&self, path: &Path, out: &mut impl Write, is_good: &mut bool) -> anyhow::Result<()> {
        let file = input::open(path)?;
        let shown = self.show_input(file, out, is_good).with_context(|| path.display().to_string());
        out.flush()?;
        shown
    }

    fn show_input(
        &self,
        mut input: impl BufRead + Send,
        out: &mut impl Write,
        is_good: &mut bool,
    ) -> anyhow::Result<()> {
        match input::kind_of(input.fill_buf()?)? {
            Kind::Hex => self.show_lines(input, out, is_good),
            Kind::Raw => self.show_octets(Ok(input::read_whole(input)?), out, is_good),
            Kind::Capture => self.show_capture(input, out, is_good),
        }
    }

    fn show_lines(
        &self,
        input: impl BufRead,
        out: &mut impl Write,
        is_good: &mut bool,
    ) -> anyhow::Result<()> {
        for line in input.lines() {
            let line = line?;
            if !line.trim().is_empty() {
                self.show_octets(input::octets_of(&line), out, is_good)?;
                out.flush()?;
            }
        }
        Ok(())
    }

    fn show_octets(
        &self,
        octets: Result<Vec<u8>, String>,
        out: &mut impl Write,
        is_good: &mut bool,
    ) -> anyhow::Result<()> {
        let meanings = match octets {
            Ok(octets) => read_all(&Bytes::from(octets)),
            Err(detail) => vec![Meaning::not_hex(detail)],
        };
        *is_good &= meanings.iter().all(|meaning| meaning.problem.is_none());
        for meaning in &meanings {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(&meaning.to_json())?)?;
            } else {
                table::write(meaning, self.style(), out)?;
            }
        }
        Ok(())
    }

    fn show_capture(
        &self,
        input: impl BufRead + Send,
        out: &mut impl Write,
        is_good: &mut bool,
    ) -> anyhow::Result<()> {
        let style = self.style();
        let mut capture = Capture::new(&self.port);
        let end = capture.read(input, &mut |event| match (&event, self.json) {
            (Event::Pdu(sighting), true) => {
                let mut object = Json::Object(sighting.place.entries());
                if let Json::Object(entries) = sighting.meaning.to_json() {
                    entries.into_iter().for_each(|(name, value)| object.put(name, value));
                }
                if !self.show_secrets {
                    object.mask("password");
                }
                writeln!(out, "{}", serde_json::to_string(&object)?)
            }
            (_, true) => Ok(()),
            (event, false) => table::write_event(event, style, out),
        });
        *is_good &= capture.is_good();
        let end = end?;
        if !self.json {
            capture.write_summary(out)?;
        }
        out.flush()?;
        end?;
        if let Some(reason) = capture.emptiness() {
            bail!(reason);
        }
        Ok(())
    }

    fn style(&self) -> Style {
        Style { show_secrets: self.show_secrets, brief: self.brief }
    }
}
