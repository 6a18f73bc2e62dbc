//! Alphabets of one octet a character: IA5, ISO 8859-1, -5 and -8, code page 1252, and octets that are no text at all.

/// The character of an octet of IA5 (ASCII); U+FFFD above 0x7F.
#[must_use]
pub const fn ascii(octet: u8) -> char {
    if octet.is_ascii() { octet as char } else { char::REPLACEMENT_CHARACTER }
}

/// The character of an octet of ISO 8859-1. Every octet has one.
#[must_use]
pub const fn latin1(octet: u8) -> char {
    octet as char
}

/// The character of an octet of Windows code page 1252; `None` for the five that have none.
#[must_use]
pub const fn cp1252(octet: u8) -> Option<char> {
    match octet {
        0x80..=0x9F => match CP1252[(octet - 0x80) as usize] {
            '\0' => None,
            character => Some(character),
        },
        _ => Some(octet as char),
    }
}

/// Code page 1252 from 0x80 to 0x9F; NUL where it has no character.
const CP1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The character of an octet of ISO 8859-5 (Cyrillic). Every octet has one.
#[must_use]
pub fn cyrillic(octet: u8) -> char {
    match octet {
        0xA1..=0xAC | 0xAE..=0xEF | 0xF1..=0xFC | 0xFE..=0xFF => {
            char::from_u32(0x0360 + u32::from(octet)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        0xF0 => '№',
        0xFD => '§',
        _ => octet as char,
    }
}

/// The character of an octet of ISO 8859-8 (Hebrew); U+FFFD where it has none.
#[must_use]
pub fn hebrew(octet: u8) -> char {
    match octet {
        0xE0..=0xFA => char::from_u32(0x04F0 + u32::from(octet)).unwrap_or(char::REPLACEMENT_CHARACTER),
        0xAA => '×',
        0xBA => '÷',
        0xDF => '‗',
        0xFD => '\u{200E}',
        0xFE => '\u{200F}',
        0xA1 | 0xBF..=0xDE | 0xFB | 0xFC | 0xFF => char::REPLACEMENT_CHARACTER,
        _ => octet as char,
    }
}

/// Writes `text` as IA5, or gives `None` if a character lies outside.
#[must_use]
pub fn encode_ascii(text: &str) -> Option<Vec<u8>> {
    text.is_ascii().then(|| text.as_bytes().to_vec())
}

/// Writes `text` as ISO 8859-1, or gives `None` if a character lies outside.
#[must_use]
pub fn encode_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// Writes `text` as code page 1252, or gives `None` if a character lies outside.
#[must_use]
pub fn encode_cp1252(text: &str) -> Option<Vec<u8>> {
    let octet = |character: char| match u8::try_from(u32::from(character)) {
        Ok(octet @ (0x00..=0x7F | 0xA0..=0xFF)) => Some(octet),
        _ => (0x80..=0x9F).find(|&octet| cp1252(octet) == Some(character)),
    };
    text.chars().map(octet).collect()
}

/// Shows octets without loss: printable ASCII as it is, the backslash and all others as `\xNN`.
#[must_use]
pub fn escape(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'\\' | 0..=0x1F | 0x7F..=0xFF => {
                shown.push_str("\\x");
                shown.extend([octet >> 4, octet & 0x0F].map(hex_digit));
            }
            _ => shown.push(octet as char),
        }
    }
    shown
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8], alphabet: fn(u8) -> char) -> String {
        octets.iter().map(|&octet| alphabet(octet)).collect()
    }

    #[test]
    fn the_iso_alphabets_have_their_characters() {
        assert_eq!(read(&[0x43, 0x72, 0xE8, 0x6D, 0x65, 0xBD, 0xFF], latin1), "Crème½ÿ");
        assert_eq!(read(&[0xBF, 0xE0, 0xD8, 0xF0, 0xA1, 0xFF, 0xFD], cyrillic), "При№Ёџ§");
        assert_eq!(read(&[0xF9, 0xEC, 0xE5, 0xED, 0xA1], hebrew), "שלום\u{FFFD}");
        assert_eq!(read(&[0x61, 0x80], ascii), "a\u{FFFD}");
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        assert_eq!(encode_latin1("½ÿ"), Some(vec![0xBD, 0xFF]));
        assert_eq!(encode_latin1("€"), None);
        assert_eq!(encode_ascii("é"), None);
    }

    #[test]
    fn octets_that_are_no_text_are_shown_without_loss() {
        assert_eq!(escape(b"a\\\x00\xFFz"), "a\\x5C\\x00\\xFFz");
    }
}
