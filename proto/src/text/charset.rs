//! What a peer means by data_coding 0, the default alphabet of the centre: usually GSM 7-bit with one septet an octet, but
//! not always (SMPP 3.4 §5.2.19 leaves it open).

use std::borrow::Cow;

use super::gsm7::{self, Tables};
use super::octet;

/// A way to write text as octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// GSM 7-bit, one septet an octet.
    #[default]
    Gsm7,
    /// GSM 7-bit, eight septets in seven octets (3GPP TS 23.038 §6.1.2), padded by [`gsm7::pack::pack_padded`].
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// IA5.
    Ascii,
    /// UTF-8.
    Utf8,
    /// Windows code page 1252: ISO 8859-1 with the euro and typographic signs.
    Cp1252,
}

impl Charset {
    /// Every charset with its word in settings and logs.
    pub const ALL: [(&'static str, Charset); 6] = [
        ("gsm7", Charset::Gsm7),
        ("gsm7-packed", Charset::Gsm7Packed),
        ("latin1", Charset::Latin1),
        ("ascii", Charset::Ascii),
        ("utf8", Charset::Utf8),
        ("cp1252", Charset::Cp1252),
    ];

    /// Reads octets that begin at a septet boundary. `None` when one of them has no meaning: above 0x7F in IA5, no
    /// UTF-8, or one of the five that code page 1252 leaves open. GSM octets above 0x7F read as U+FFFD.
    #[must_use]
    pub fn decode(self, octets: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Charset::Gsm7 => Some(gsm7::decode(octets, Tables::default()).into()),
            Charset::Gsm7Packed => {
                Some(gsm7::decode(&gsm7::pack::unpack_padded(octets, 0), Tables::default()).into())
            }
            Charset::Latin1 => Some(octets.iter().map(|&octet| octet::latin1(octet)).collect()),
            Charset::Ascii if octets.is_ascii() => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Charset::Ascii => None,
            Charset::Utf8 => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Charset::Cp1252 => octets.iter().map(|&octet| octet::cp1252(octet)).collect(),
        }
    }

    /// Writes text, or gives `None` if a character is not in the charset.
    #[must_use]
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Charset::Gsm7 => gsm7::encode(text, Tables::default()).ok(),
            Charset::Gsm7Packed => {
                gsm7::encode(text, Tables::default()).ok().map(|septets| gsm7::pack::pack_padded(&septets, 0))
            }
            Charset::Latin1 => octet::encode_latin1(text),
            Charset::Ascii => octet::encode_ascii(text),
            Charset::Utf8 => Some(text.as_bytes().to_vec()),
            Charset::Cp1252 => octet::encode_cp1252(text),
        }
    }

    /// Writes text where loss is allowed: what is not in the charset becomes a near relative if there is one, else `?`.
    #[must_use]
    pub fn encode_lossy(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Gsm7 => gsm7::encode_lossy(text, Tables::default()),
            Charset::Gsm7Packed => gsm7::pack::pack_padded(&gsm7::encode_lossy(text, Tables::default()), 0),
            _ => {
                let mut octets = Vec::with_capacity(text.len());
                let mut one = [0; 4];
                for character in text.chars() {
                    let written = self.encode(character.encode_utf8(&mut one));
                    let near = || self.encode(gsm7::relatives(character)).unwrap_or_else(|| vec![b'?']);
                    octets.extend_from_slice(&written.unwrap_or_else(near));
                }
                octets
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_charset_writes_the_same_text_in_its_own_octets() {
        let written = |charset: Charset| charset.encode("é€");
        assert_eq!(written(Charset::Gsm7), Some(vec![0x05, 0x1B, 0x65]));
        assert_eq!(written(Charset::Latin1), None);
        assert_eq!(written(Charset::Cp1252), Some(vec![0xE9, 0x80]));
        assert_eq!(written(Charset::Utf8), Some(vec![0xC3, 0xA9, 0xE2, 0x82, 0xAC]));
        assert_eq!(written(Charset::Ascii), None);
        assert_eq!(Charset::Gsm7Packed.encode("hello"), Some(vec![0xE8, 0x32, 0x9B, 0xFD, 0x06]));
        assert_eq!(Charset::Gsm7Packed.decode(&[0xE8, 0x32, 0x9B, 0xFD, 0x06]).as_deref(), Some("hello"));
    }

    #[test]
    fn what_has_no_meaning_is_not_read() {
        assert_eq!(Charset::Ascii.decode(&[b'a', 0x80]), None);
        assert_eq!(Charset::Utf8.decode(&[0xC3]), None);
        assert_eq!(Charset::Cp1252.decode(&[0x81]), None);
        assert_eq!(Charset::Cp1252.decode(&[0x80, 0x99, 0xFF]).as_deref(), Some("€™ÿ"));
        assert_eq!(Charset::Latin1.decode(&[0x80, 0xE9]).as_deref(), Some("\u{80}é"));
    }

    #[test]
    fn what_does_not_fit_becomes_something_near() {
        assert_eq!(Charset::Ascii.encode_lossy("Él — ñ Ж"), b"El - n ?");
        assert_eq!(Charset::Latin1.encode_lossy("é “x”"), [0xE9, b' ', b'"', b'x', b'"']);
        assert_eq!(Charset::Gsm7.encode_lossy("ça"), [0x09, b'a']);
    }
}
