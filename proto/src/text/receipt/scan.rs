//! Finds the fields in the text of a receipt, in one pass and without copying.
//!
//! A field is a key, a colon and a value; `submit date` and `done date` are keys of two words. Blanks may stand
//! anywhere between, a value may be missing, and `text` takes all that is left.

/// One field of a receipt, or a word that belongs to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Which field it is.
    pub key: Key,
    /// The key as it was written, the blank of a date included; empty for [`Key::Bare`].
    pub name: &'a [u8],
    /// The value; may be empty.
    pub value: &'a [u8],
}

/// The fields of SMPP 3.4 Appendix B, and what else is found between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `id`.
    Id,
    /// `sub`.
    Sub,
    /// `dlvrd`.
    Dlvrd,
    /// `submit date`, also in one word.
    SubmitDate,
    /// `done date`, also in one word.
    DoneDate,
    /// `stat`.
    Stat,
    /// `err`.
    Err,
    /// `text`, the last.
    Text,
    /// A field of another name.
    Unknown,
    /// A word without a colon.
    Bare,
}

/// The fields of `octets` in their order. It ends with the octets or with `text`.
pub fn fields(octets: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        rest = skip(rest, is_separator);
        if rest.is_empty() {
            return None;
        }
        let Some(found) = key_at(rest) else {
            let (value, behind) = cut(rest, is_blank);
            rest = behind;
            return Some(Field { key: Key::Bare, name: &[], value });
        };
        if found.key == Key::Text {
            rest = &[];
            return Some(Field { key: Key::Text, name: found.name, value: found.behind });
        }
        let (value, behind) = value_at(found.key, found.behind);
        rest = behind;
        Some(Field { key: found.key, name: found.name, value })
    })
}

/// A key that stands at the beginning of some octets.
struct Found<'a> {
    key: Key,
    name: &'a [u8],
    /// What stands behind its colon.
    behind: &'a [u8],
}

fn key_at(octets: &[u8]) -> Option<Found<'_>> {
    let (name, behind) = cut(octets, |octet| octet == b':' || is_blank(octet));
    let next = skip(behind, is_blank);
    if let Some((b':', behind)) = next.split_first() {
        return Some(Found { key: key_of(name), name, behind });
    }
    let key = if name.eq_ignore_ascii_case(b"submit") {
        Key::SubmitDate
    } else if name.eq_ignore_ascii_case(b"done") {
        Key::DoneDate
    } else {
        return None;
    };
    let (second, behind) =
        next.split_at_checked(4).filter(|(second, _)| second.eq_ignore_ascii_case(b"date"))?;
    let (b':', behind) = skip(behind, is_blank).split_first()? else { return None };
    let name = octets.get(..octets.len() - next.len() + second.len())?;
    Some(Found { key, name, behind })
}

fn key_of(name: &[u8]) -> Key {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    match name.len() {
        2 if is(b"id") => Key::Id,
        3 if is(b"sub") => Key::Sub,
        3 if is(b"err") => Key::Err,
        4 if is(b"stat") => Key::Stat,
        4 if is(b"text") => Key::Text,
        5 if is(b"dlvrd") => Key::Dlvrd,
        8 if is(b"donedate") => Key::DoneDate,
        9 if is(b"done_date") || is(b"done-date") => Key::DoneDate,
        10 if is(b"submitdate") => Key::SubmitDate,
        11 if is(b"submit_date") || is(b"submit-date") => Key::SubmitDate,
        _ => Key::Unknown,
    }
}

/// The value that begins at `octets`, and what is behind it. It is empty if the next known key comes first.
fn value_at(key: Key, octets: &[u8]) -> (&[u8], &[u8]) {
    let octets = skip(octets, is_blank);
    if is_known_key(octets) {
        return (&[], octets);
    }
    let (mut value, mut rest) = cut_value(octets);
    if matches!(key, Key::SubmitDate | Key::DoneDate) {
        // 2025-06-01 12:00:01 has a blank inside.
        let time = skip(rest, is_blank);
        if let [b'0'..=b'9', b'0'..=b'9', b':', ..] = time {
            let behind = skip(time, |octet| !is_blank(octet));
            value = octets.get(..octets.len() - behind.len()).unwrap_or(value);
            rest = behind;
        }
    }
    while let [shorter @ .., b',' | b';'] = value {
        value = shorter;
    }
    (value, rest)
}

/// Cuts before the blank that ends a value, or the comma or semicolon that a known key follows.
fn cut_value(octets: &[u8]) -> (&[u8], &[u8]) {
    let ends = |at: usize, octet: u8| match octet {
        b',' | b';' => octets.get(at + 1..).is_some_and(is_known_key),
        _ => is_blank(octet),
    };
    let at = octets.iter().enumerate().position(|(at, &octet)| ends(at, octet)).unwrap_or(octets.len());
    octets.split_at_checked(at).unwrap_or((octets, &[]))
}

/// Whether a field of Appendix B begins here. It looks no farther than a key is long, so that a row of commas is
/// read in one pass.
fn is_known_key(octets: &[u8]) -> bool {
    let start = octets.get(..LONGEST_KEY).unwrap_or(octets);
    key_at(start).is_some_and(|found| found.key != Key::Unknown)
}

/// `submit date:` with a few blanks more, in octets.
const LONGEST_KEY: usize = 16;

fn skip(octets: &[u8], what: impl Fn(u8) -> bool) -> &[u8] {
    cut(octets, |octet| !what(octet)).1
}

/// Cuts before the first octet that is `what`.
fn cut(octets: &[u8], what: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let at = octets.iter().position(|&octet| what(octet)).unwrap_or(octets.len());
    octets.split_at_checked(at).unwrap_or((octets, &[]))
}

/// Blanks, line ends and the NUL that some peers leave behind.
const fn is_blank(octet: u8) -> bool {
    octet <= b' '
}

const fn is_separator(octet: u8) -> bool {
    is_blank(octet) || matches!(octet, b',' | b';')
}
