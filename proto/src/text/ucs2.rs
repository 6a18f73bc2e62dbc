//! UCS2 as it is really used: UTF-16, big-endian, surrogate pairs included (3GPP TS 23.038 §6.2.3).

/// Writes `text` as UTF-16, big-endian, without a byte order mark.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() * 2);
    for unit in text.encode_utf16() {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
    octets
}

/// Reads UTF-16, big-endian. A lone surrogate and an odd last octet become U+FFFD each; U+FEFF is content.
#[must_use]
pub fn decode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    text.extend(characters(octets));
    text
}

/// The characters of `octets`, by the rules of [`decode`].
pub fn characters(octets: &[u8]) -> impl Iterator<Item = char> + '_ {
    let (pairs, odd) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|&pair| u16::from_be_bytes(pair));
    char::decode_utf16(units)
        .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain(odd.iter().map(|_| char::REPLACEMENT_CHARACTER))
}

/// How many UTF-16 units `text` takes.
#[must_use]
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// What keeps octets from being UCS2 (conformance C-126). Such octets are refused or passed on, never mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The number of octets is odd.
    Odd,
    /// A surrogate without its other half, at this octet.
    LoneSurrogate(usize),
    /// The text begins with U+FFFE: a client that writes little-endian.
    LittleEndian,
}

/// The first fault of `octets`, if they have one.
#[must_use]
pub fn fault(octets: &[u8]) -> Option<Fault> {
    let (pairs, odd) = octets.as_chunks::<2>();
    if !odd.is_empty() {
        return Some(Fault::Odd);
    }
    if pairs.first() == Some(&[0xFF, 0xFE]) {
        return Some(Fault::LittleEndian);
    }
    let mut at = 0;
    for read in char::decode_utf16(pairs.iter().map(|&pair| u16::from_be_bytes(pair))) {
        match read {
            Ok(character) => at += 2 * character.len_utf16(),
            Err(_) => return Some(Fault::LoneSurrogate(at)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_a_surrogate_pair() {
        assert_eq!(encode("a🙂"), [0x00, 0x61, 0xD8, 0x3D, 0xDE, 0x42]);
        assert_eq!(decode(&[0x00, 0x61, 0xD8, 0x3D, 0xDE, 0x42]), "a🙂");
        assert_eq!(units("a🙂"), 3);
    }

    #[test]
    fn broken_octets_are_read_as_far_as_they_go() {
        assert_eq!(decode(&[0x04, 0x16, 0x04]), "Ж\u{FFFD}");
        assert_eq!(decode(&[0xD8, 0x3D, 0x00, 0x61]), "\u{FFFD}a");
        assert_eq!(decode(&[0xDE, 0x42]), "\u{FFFD}");
        assert_eq!(decode(&[0xFE, 0xFF, 0x00, 0x61]), "\u{FEFF}a");
    }

    #[test]
    fn each_fault_is_told_apart() {
        assert_eq!(fault(&[0x00, 0x61]), None);
        assert_eq!(fault(&[0xD8, 0x3D, 0xDE, 0x42]), None);
        assert_eq!(fault(&[0x00, 0x61, 0x00]), Some(Fault::Odd));
        assert_eq!(fault(&[0x00, 0x61, 0xDE, 0x42]), Some(Fault::LoneSurrogate(2)));
        assert_eq!(fault(&[0xFF, 0xFE, 0x61, 0x00]), Some(Fault::LittleEndian));
    }
}
