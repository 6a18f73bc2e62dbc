//! The country of a number by its calling code, for codes of one country alone: stands in until the numbering plan, which
//! knows all of them, is asked instead.

/// The country of a number in international form, ISO 3166-1 alpha-2; nothing where its code does not say it.
#[must_use]
pub fn country_of(number: &[u8]) -> Option<[u8; 2]> {
    CODES.iter().find(|(code, _)| number.starts_with(code.as_bytes())).map(|(_, country)| **country)
}

/// No code is the beginning of another (ITU-T E.164 §6.2.1).
const CODES: [(&str, &[u8; 2]); 12] = [
    ("30", b"GR"),
    ("31", b"NL"),
    ("32", b"BE"),
    ("33", b"FR"),
    ("34", b"ES"),
    ("351", b"PT"),
    ("353", b"IE"),
    ("41", b"CH"),
    ("43", b"AT"),
    ("49", b"DE"),
    ("57", b"CO"),
    ("90", b"TR"),
];
