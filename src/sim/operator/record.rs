//! The record: one line of JSON for every accepted submission, on its way to the disk before the answer leaves.
//!
//! A crash test compares it with what the gateway says it sent. Lines are written a batch at a time.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A file that sessions append to, shared by all of them.
#[derive(Debug, Clone)]
pub(super) struct Record(Arc<Mutex<File>>);

impl Record {
    /// Opens the file for appending; what is in it stays.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))))
    }

    /// Appends whole lines in one write.
    pub(super) fn append(&self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes())
    }
}

/// One accepted submission.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) id: &'a [u8],
    pub(super) system_id: &'a str,
    pub(super) source: &'a [u8],
    pub(super) destination: &'a [u8],
    pub(super) esm_class: u8,
    pub(super) data_coding: u8,
    pub(super) registered_delivery: u8,
    pub(super) user_message_reference: Option<u16>,
    pub(super) text: &'a [u8],
}

impl Line<'_> {
    /// Appends the line with its end.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str("{\"id\":");
        quoted(out, self.id);
        out.push_str(",\"system_id\":");
        quoted(out, self.system_id.as_bytes());
        out.push_str(",\"source\":");
        quoted(out, self.source);
        out.push_str(",\"destination\":");
        quoted(out, self.destination);
        let reference =
            self.user_message_reference.map_or_else(|| "null".to_owned(), |number| number.to_string());
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            ",\"esm_class\":{},\"data_coding\":{},\"registered_delivery\":{},\"user_message_reference\":{reference}",
            self.esm_class, self.data_coding, self.registered_delivery
        );
        out.push_str(",\"text\":\"");
        for octet in self.text {
            let _ = write!(out, "{octet:02x}");
        }
        out.push_str("\"}\n");
    }
}

/// A JSON string; octets outside of printable ASCII as Latin-1 code points.
fn quoted(out: &mut String, octets: &[u8]) {
    out.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*octet));
            }
            0x20..=0x7E => out.push(char::from(*octet)),
            other => {
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json() {
        let mut lines = String::new();
        Line {
            id: b"17",
            system_id: "gate",
            source: b"AC\"ME\x01",
            destination: b"34600000001",
            esm_class: 0x40,
            data_coding: 8,
            registered_delivery: 1,
            user_message_reference: Some(513),
            text: &[0x05, 0xFF],
        }
        .write(&mut lines);
        let value: serde_json::Value = serde_json::from_str(&lines).expect("JSON");
        assert_eq!(value["source"], "AC\"ME\u{1}");
        assert_eq!(value["text"], "05ff");
        assert_eq!(value["user_message_reference"], 513);
        assert!(lines.ends_with("}\n"));
    }
}
