//! The GSM 7-bit alphabet, one septet per octet (3GPP TS 23.038 §6.2.1), with room for national tables.

mod language;
mod lossy;
pub mod national;
pub mod pack;
mod table;

use std::fmt;

pub use language::{Language, Languages};
pub use lossy::{encode_lossy, relatives};
pub use table::Table;
use table::{DEFAULT, DEFAULT_EXTENSION};

/// The pair of tables a text is read and written with (3GPP TS 23.038 §6.2.1.2).
///
/// [`Tables::default`] is the default alphabet and its extension; [`national::tables`] gives the others.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// What a septet means by itself (3GPP TS 23.038 §6.2.1, or a locking shift table of §A.3).
    pub locking: &'static Table,
    /// What a septet means after [`ESC`] (3GPP TS 23.038 §6.2.1.1, or a single shift table of §A.2).
    pub single: &'static Table,
}

impl Default for Tables {
    fn default() -> Self {
        Tables { locking: &DEFAULT, single: &DEFAULT_EXTENSION }
    }
}

/// The escape septet: the next one is looked up in the single shift table.
pub const ESC: u8 = 0x1B;

/// A character that the tables do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrepresentable {
    /// The first such character.
    pub character: char,
    /// Its place in the text, in octets of UTF-8.
    pub at: usize,
}

impl fmt::Display for Unrepresentable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X} at octet {} is not in the GSM alphabet", u32::from(self.character), self.at)
    }
}

impl std::error::Error for Unrepresentable {}

/// Writes `text` as septets, one per octet, bit 7 clear.
///
/// # Errors
/// Names the first character that neither table holds.
pub fn encode(text: &str, tables: Tables) -> Result<Vec<u8>, Unrepresentable> {
    let mut septets = Vec::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match tables.code(character) {
            Some(Code::Plain(code)) => septets.push(code),
            Some(Code::Escaped(code)) => septets.extend_from_slice(&[ESC, code]),
            None => return Err(Unrepresentable { character, at }),
        }
    }
    Ok(septets)
}

/// Reads septets, one per octet. Nothing is refused; what has no character becomes U+FFFD.
///
/// After [`ESC`] an unassigned code means what it means without it; ESC twice, or at the end, is a blank
/// (3GPP TS 23.038 §6.2.1, notes 1 to 3).
#[must_use]
pub fn decode(septets: &[u8], tables: Tables) -> String {
    let mut text = String::with_capacity(septets.len() + septets.len() / 8);
    decode_into(septets, tables, &mut text);
    text
}

/// Appends the characters of `septets` to `out`, by the rules of [`decode`].
pub fn decode_into(septets: &[u8], tables: Tables, out: &mut String) {
    let reads_ascii = std::ptr::eq(tables.locking, &DEFAULT);
    match plain_ascii(septets) {
        Some(text) if reads_ascii => out.push_str(text),
        _ => out.extend(characters(septets, tables)),
    }
}

/// `septets` as text, if the default table means by all of them what ASCII does (3GPP TS 23.038 §6.2.1).
fn plain_ascii(septets: &[u8]) -> Option<&str> {
    let is_same =
        |octet: &u8| matches!(octet, b'\n' | b'\r' | b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z');
    // All of them are looked at, many at once: a text that differs is rare.
    let differs = septets.iter().fold(false, |differs, octet| differs | !is_same(octet));
    if differs { None } else { std::str::from_utf8(septets).ok() }
}

/// The characters of `septets`, by the rules of [`decode`].
pub fn characters(septets: &[u8], tables: Tables) -> impl Iterator<Item = char> + '_ {
    let mut rest = septets.iter().copied();
    std::iter::from_fn(move || {
        let septet = rest.next()?;
        if septet != ESC {
            return Some(tables.locking.character(septet).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Some(match rest.next() {
            None | Some(ESC) => ' ',
            Some(code) => (tables.single.character(code))
                .or_else(|| tables.locking.character(code))
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        })
    })
}

/// How many septets `text` takes, or `None` if the tables cannot hold it. Does not allocate.
#[must_use]
pub fn septets(text: &str, tables: Tables) -> Option<usize> {
    text.chars().try_fold(0, |sum, character| {
        Some(match tables.code(character)? {
            Code::Plain(_) => sum + 1,
            Code::Escaped(_) => sum + 2,
        })
    })
}

/// How a character is written.
#[derive(Clone, Copy)]
enum Code {
    /// One septet.
    Plain(u8),
    /// [`ESC`] and this septet.
    Escaped(u8),
}

impl Tables {
    fn code(&self, character: char) -> Option<Code> {
        let escaped = || self.single.code(character).map(Code::Escaped);
        self.locking.code(character).map(Code::Plain).or_else(escaped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gsm(text: &str) -> Vec<u8> {
        encode(text, Tables::default()).unwrap()
    }

    fn read(septets: &[u8]) -> String {
        decode(septets, Tables::default())
    }

    #[test]
    fn the_corners_of_the_default_alphabet_have_their_codes() {
        assert_eq!(gsm("@£$¥\nØ\r_ΔÄà?"), [0, 1, 2, 3, 0x0A, 0x0B, 0x0D, 0x11, 0x10, 0x5B, 0x7F, 0x3F]);
        assert_eq!(gsm("€[]{}|~^\\\u{c}").len(), 20);
        assert_eq!(gsm("5 €"), [0x35, 0x20, 0x1B, 0x65]);
        assert_eq!(read(&[0x09, 0x24, 0x40, 0x60]), "Ç¤¡¿");
    }

    #[test]
    fn every_code_comes_back() {
        let codes: Vec<u8> = (0..128).filter(|&code| code != ESC).collect();
        assert_eq!(gsm(&read(&codes)), codes);
    }

    #[test]
    fn an_escape_with_nothing_sensible_behind_it_is_a_blank_or_the_base_character() {
        assert_eq!(read(&[0x61, ESC]), "a ");
        assert_eq!(read(&[ESC, ESC, 0x65]), " e");
        assert_eq!(read(&[ESC, 0x41]), "A");
        assert_eq!(read(&[ESC, 0x0D]), "\r");
        assert_eq!(read(&[0x80, ESC, 0xFF]), "\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn the_first_character_that_does_not_fit_is_named() {
        let refused = encode("né`ç", Tables::default()).unwrap_err();
        assert_eq!(refused, Unrepresentable { character: '`', at: 3 });
        assert_eq!(septets("né`", Tables::default()), None);
        assert_eq!(septets("[né]", Tables::default()), Some(6));
    }

    #[test]
    fn lossy_text_keeps_what_can_be_kept() {
        assert_eq!(read(&encode_lossy("“ça” – Ł…🙂", Tables::default())), "\"Ça\" - L...?");
    }
}
