//! Where PDUs come from: hex digits, files of hex, of raw octets, or captures, and stdin with any of them.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::capture::is_capture;

/// What octets were found to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines of hex digits.
    Hex,
    /// PDUs back to back.
    Raw,
    /// pcap or pcapng.
    Capture,
}

/// Tells from its first octets what an input is.
///
/// # Errors
/// When it is packed.
pub(super) fn kind_of(begin: &[u8]) -> anyhow::Result<Kind> {
    if is_capture(begin) {
        return Ok(Kind::Capture);
    }
    if let Some((_, name)) = PACKED.iter().find(|(magic, _)| begin.starts_with(magic)) {
        bail!("it is packed with {name}: unpack it first");
    }
    // PDUs begin with the high octets of their length, which are no characters.
    let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    Ok(if begin.iter().take(TEXT_OCTETS).all(is_text) { Kind::Hex } else { Kind::Raw })
}

/// Opens a file, with a bar on stderr if it is large and its output goes elsewhere.
///
/// # Errors
/// When it cannot be opened or is empty.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let named = || path.display().to_string();
    let file = File::open(path).with_context(named)?;
    let facts = file.metadata().with_context(named)?;
    if facts.is_dir() {
        bail!("{} is a folder", path.display());
    }
    if facts.is_file() && facts.len() == 0 {
        bail!("{} is empty", path.display());
    }
    let is_watched = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
    if facts.len() < BAR_FROM || !is_watched {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_OCTETS, file)));
    }
    let bar = ProgressBar::new(facts.len());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        bar.set_style(style);
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_OCTETS, bar.wrap_read(file))))
}

/// Reads all of an input that has to be in memory as a whole.
///
/// # Errors
/// When it cannot be read, or is longer than [`RAW_OCTETS_MAX`].
pub(super) fn read_whole(input: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let length = input.take(RAW_OCTETS_MAX + 1).read_to_end(&mut octets)?;
    if length as u64 > RAW_OCTETS_MAX {
        bail!("more than {RAW_OCTETS_MAX} octets: cut it into pieces");
    }
    Ok(octets)
}

/// Reads hex digits, and says where there is none.
pub(super) fn octets_of(hex: &str) -> Result<Vec<u8>, String> {
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

/// Octets from which text is told.
const TEXT_OCTETS: usize = 64;
/// Files of at least so many octets show how far they are: 8 MiB, which takes about a second.
const BAR_FROM: u64 = 8 * 1024 * 1024;
/// Octets that are read at once.
const BUFFER_OCTETS: usize = 256 * 1024;
/// Octets of a raw input: 1 GiB.
const RAW_OCTETS_MAX: u64 = 1024 * 1024 * 1024;
/// What packers begin with.
const PACKED: &[(&[u8], &str)] = &[
    (b"\x1F\x8B", "gzip"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xFD7zXZ", "xz"),
    (b"PK\x03\x04", "zip"),
];

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

    #[test]
    fn an_input_is_told_from_its_first_octets() {
        assert_eq!(kind_of(b"0000001000 00\n").unwrap(), Kind::Hex);
        assert_eq!(kind_of(b"\0\0\0\x10\0\0\0\x15").unwrap(), Kind::Raw);
        assert_eq!(kind_of(b"\xD4\xC3\xB2\xA1\x02\0").unwrap(), Kind::Capture);
        assert_eq!(kind_of(b"\n\r\r\n\x1C\0\0\0").unwrap(), Kind::Capture);
        assert!(kind_of(b"\x1F\x8B\x08").unwrap_err().to_string().contains("gzip"));
    }
}
