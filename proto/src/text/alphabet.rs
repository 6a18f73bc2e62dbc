//! Reading and writing text in the alphabet that a data_coding announces (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4).

use super::gsm7::{self, Tables};
use super::{octet, ucs2};
use crate::field::{Alphabet, DataCoding};

/// Reads `octets` (without a header) as text, with the default GSM tables.
///
/// Nothing is refused: what has no character becomes U+FFFD, and what is no text, or in an alphabet not read here (the
/// JIS family, KS C 5601, pictograms, reserved values), is shown by [`octet::escape`].
#[must_use]
pub fn decode(alphabet: Alphabet, octets: &[u8]) -> String {
    decode_with(alphabet, octets, Tables::default())
}

/// As [`decode`], with the GSM tables that the header in front of the text asks for.
#[must_use]
pub fn decode_with(alphabet: Alphabet, octets: &[u8], tables: Tables) -> String {
    let by = |character: fn(u8) -> char| octets.iter().map(|&octet| character(octet)).collect();
    match alphabet {
        Alphabet::Gsm7 => gsm7::decode(octets, tables),
        Alphabet::Ascii => by(octet::ascii),
        Alphabet::Latin1 => by(octet::latin1),
        Alphabet::Iso8859_5 => by(octet::cyrillic),
        Alphabet::Iso8859_8 => by(octet::hebrew),
        Alphabet::Ucs2 => ucs2::decode(octets),
        Alphabet::Binary | Alphabet::Compressed | Alphabet::Reserved => octet::escape(octets),
        Alphabet::Jis
        | Alphabet::Iso2022Jp
        | Alphabet::Pictogram
        | Alphabet::JisX0212
        | Alphabet::KsC5601 => octet::escape(octets),
    }
}

/// Writes `text` in the GSM default alphabet if that can be, else in UCS2.
#[must_use]
pub fn narrowest(text: &str) -> (DataCoding, Vec<u8>) {
    match gsm7::encode(text, Tables::default()) {
        Ok(septets) => (DataCoding::DEFAULT, septets),
        Err(_) => (DataCoding::UCS2, ucs2::encode(text)),
    }
}

/// Whether a unit of the alphabet is a septet on the air, so that a message carries 160 of them. IA5 is.
#[must_use]
pub const fn is_septets(alphabet: Alphabet) -> bool {
    matches!(alphabet, Alphabet::Gsm7 | Alphabet::Ascii)
}

/// The octets of one unit as it stands in short_message: 2 for UCS2, else 1.
#[must_use]
pub const fn unit_octets(alphabet: Alphabet) -> usize {
    match alphabet {
        Alphabet::Ucs2 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_alphabet_is_chosen() {
        assert_eq!(narrowest("5 €"), (DataCoding(0), vec![0x35, 0x20, 0x1B, 0x65]));
        assert_eq!(narrowest("Ж"), (DataCoding(8), vec![0x04, 0x16]));
    }

    #[test]
    fn what_is_no_text_is_shown_as_octets() {
        assert_eq!(decode(Alphabet::Binary, &[0x00, b'a']), "\\x00a");
        assert_eq!(decode(Alphabet::KsC5601, &[0xBE, 0xC8]), "\\xBE\\xC8");
        assert_eq!(decode(Alphabet::Latin1, &[0xE9]), "é");
    }
}
