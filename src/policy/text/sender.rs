//! Source addresses as patterns: exact ones, and with `*` and `?`.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use aho_corasick::AhoCorasick;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

/// A source address, or several at once: `*` stands for any octets, also none, and `?` for exactly one.
///
/// Compared octet for octet, so with case; characters up to U+00FF stand for one octet (ISO 8859-1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SenderPattern(Box<[u8]>);

/// The longest pattern in octets: a source_addr of data_sm and a few wildcards (SMPP 3.4 §4.7.1).
pub const PATTERN_MAX: usize = 80;

/// Why a string is no [`SenderPattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderPatternFault {
    /// Nothing is written.
    #[error("a sender is empty; `*` allows every sender")]
    Empty,
    /// Above [`PATTERN_MAX`].
    #[error("a sender has {0} characters, at most {PATTERN_MAX} are possible")]
    TooLong(usize),
    /// No source address can have this.
    #[error("a sender cannot have the character U+{:04X}", u32::from(*.0))]
    Character(char),
}

impl FromStr for SenderPattern {
    type Err = SenderPatternFault;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let mut octets = Vec::with_capacity(written.len().min(PATTERN_MAX));
        for character in written.chars() {
            let octet = u8::try_from(character).ok().filter(|_| !character.is_control());
            let octet = octet.ok_or(SenderPatternFault::Character(character))?;
            // `**` is `*`.
            if octet != b'*' || octets.last() != Some(&b'*') {
                octets.push(octet);
            }
        }
        match octets.len() {
            0 => Err(SenderPatternFault::Empty),
            1..=PATTERN_MAX => Ok(Self(octets.into_boxed_slice())),
            more => Err(SenderPatternFault::TooLong(more)),
        }
    }
}

impl TryFrom<String> for SenderPattern {
    type Error = SenderPatternFault;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        written.parse()
    }
}

impl From<SenderPattern> for String {
    fn from(pattern: SenderPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| fmt::Write::write_char(f, char::from(*octet)))
    }
}

impl SenderPattern {
    /// Whether it has no wildcard.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.iter().any(is_wildcard)
    }

    /// Whether `source` is one of its addresses. For many patterns a [`SenderSet`] is faster.
    #[must_use]
    pub fn has(&self, source: &[u8]) -> bool {
        matches(&self.0, source)
    }
}

impl SenderPattern {
    /// Whether it has an address that none of `others` has. Never said where there is none; of patterns in which several
    /// `*` stand for strings of different lengths one may be missed.
    #[must_use]
    pub fn exceeds(&self, others: &SenderSet) -> bool {
        // An octet that no pattern names stands for what a wildcard may be; in a row of any length, for `*`.
        const ANY: u8 = 0;
        let sample = |length: usize| {
            let mut address = Vec::new();
            for octet in &*self.0 {
                match octet {
                    b'*' => address.extend(std::iter::repeat_n(ANY, length)),
                    b'?' => address.push(ANY),
                    _ => address.push(*octet),
                }
            }
            address
        };
        let mut samples = [0, 1, PATTERN_MAX + 1].map(sample).into_iter();
        // No message is asked without a source address.
        samples.any(|address| !address.is_empty() && !others.has(&address))
    }
}

fn is_wildcard(octet: &u8) -> bool {
    matches!(octet, b'*' | b'?')
}

/// At a mismatch only the last `*` takes one octet more, so the time is at most the product of both lengths.
fn matches(pattern: &[u8], source: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut last_star = None;
    while place < source.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, place));
                at += 1;
            }
            Some(octet) if *octet == b'?' || *octet == source[place] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                (at, place) = (star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|octet| *octet == b'*')
}

/// Many patterns, compiled: what a source address costs does not grow with their number, but for the rare ones that
/// have wildcards in other places than at their ends.
#[derive(Clone, Debug, Default)]
pub struct SenderSet {
    all: bool,
    exact: HashSet<Box<[u8]>, FixedState>,
    /// `ACME*`, without those that begin with another one, in order.
    heads: Vec<Box<[u8]>>,
    /// `*ACME` the other way round, likewise.
    tails: Vec<Box<[u8]>>,
    /// `*ACME*`.
    inner: Option<AhoCorasick>,
    /// The others, by what they begin with; those that begin with a wildcard last.
    others: Vec<SenderPattern>,
    /// Where in `others` the patterns begin whose first octet is this one, and where the next do.
    others_at: Vec<(u8, u32, u32)>,
    others_any: usize,
}

impl SenderSet {
    /// Compiles patterns; none of them has no address.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p SenderPattern>) -> Self {
        let mut set = Self::default();
        let mut inner: Vec<Box<[u8]>> = Vec::new();
        for pattern in patterns {
            let exact = |part: &[u8]| !part.iter().any(is_wildcard);
            match &*pattern.0 {
                [b'*'] => set.all = true,
                [b'*', part @ .., b'*'] if exact(part) => inner.push(part.into()),
                [part @ .., b'*'] if exact(part) => set.heads.push(part.into()),
                [b'*', part @ ..] if exact(part) => set.tails.push(part.iter().rev().copied().collect()),
                part if exact(part) => drop(set.exact.insert(part.into())),
                _ => set.others.push(pattern.clone()),
            }
        }
        for ends in [&mut set.heads, &mut set.tails] {
            ends.sort_unstable();
            ends.dedup_by(|later, kept| later.starts_with(kept));
        }
        // It is built of few short literals; if it cannot be, they are compared one by one.
        set.inner = (!inner.is_empty()).then(|| AhoCorasick::new(&inner).ok()).flatten();
        if set.inner.is_none() {
            set.others.extend(inner.iter().map(|part| {
                let octets = [b"*", &part[..], b"*"].concat();
                SenderPattern(octets.into_boxed_slice())
            }));
        }
        set.order_others();
        set
    }

    fn order_others(&mut self) {
        self.others.sort_unstable_by_key(|pattern| {
            let first = pattern.0.first().copied().unwrap_or_default();
            (is_wildcard(&first), first)
        });
        self.others_any = self.others.partition_point(|pattern| !pattern.0.first().is_some_and(is_wildcard));
        let mut begun = 0;
        for group in self.others[..self.others_any].chunk_by(|a, b| a.0.first() == b.0.first()) {
            let end = begun + group.len();
            let first = group[0].0.first().copied().unwrap_or_default();
            // Far fewer than 2^32 patterns fit into a configuration.
            self.others_at.push((first, begun as u32, end as u32));
            begun = end;
        }
    }

    /// Whether one of the patterns has this source address.
    #[must_use]
    pub fn has(&self, source: &[u8]) -> bool {
        self.all
            || self.exact.contains(source)
            || begins_with_one(&self.heads, source, |source| source.iter())
            || begins_with_one(&self.tails, source, |source| source.iter().rev())
            || self.inner.as_ref().is_some_and(|inner| inner.is_match(source))
            || self.others_have(source)
    }

    fn others_have(&self, source: &[u8]) -> bool {
        if self.others.is_empty() {
            return false;
        }
        let named = source.first().and_then(|first| {
            let place = self.others_at.binary_search_by_key(first, |(octet, ..)| *octet).ok()?;
            let (_, from, to) = self.others_at[place];
            Some(&self.others[from as usize..to as usize])
        });
        let any = &self.others[self.others_any..];
        named.unwrap_or_default().iter().chain(any).any(|pattern| {
            let last = pattern.0.last().filter(|last| !is_wildcard(last));
            last.is_none_or(|last| source.last() == Some(last)) && pattern.has(source)
        })
    }

    /// Whether no source address is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all
            && self.exact.is_empty()
            && self.heads.is_empty()
            && self.tails.is_empty()
            && self.inner.is_none()
            && self.others.is_empty()
    }
}

/// None of `ends` begins with another, so only the last one that is not behind the source can be its beginning.
fn begins_with_one<'s, I: Iterator<Item = &'s u8>>(
    ends: &[Box<[u8]>],
    source: &'s [u8],
    walk: impl Fn(&'s [u8]) -> I,
) -> bool {
    let behind = ends.partition_point(|end| end.iter().le(walk(source)));
    behind.checked_sub(1).is_some_and(|place| {
        let end = &ends[place];
        end.len() <= source.len() && end.iter().eq(walk(source).take(end.len()))
    })
}

impl<'p> FromIterator<&'p SenderPattern> for SenderSet {
    fn from_iter<I: IntoIterator<Item = &'p SenderPattern>>(patterns: I) -> Self {
        Self::new(patterns)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_exceeds_others_where_it_has_an_address_that_they_have_not() {
        let pattern = |written: &str| written.parse::<SenderPattern>().unwrap();
        let exceeds = |own: &str, others: &[&str]| {
            let others: Vec<_> = others.iter().map(|other| pattern(other)).collect();
            pattern(own).exceeds(&SenderSet::new(&others))
        };
        for (own, others) in [
            ("ACME", &["ACME*"][..]),
            ("ACME*", &["A*"]),
            ("A?C", &["A*"]),
            ("*?", &["?*"]),
            ("*", &["?*"]),
            ("A*", &["A", "A?*"]),
            ("22???", &["22*", "*9"]),
            ("x", &["*"]),
        ] {
            assert!(!exceeds(own, others), "{own} {others:?}");
        }
        for (own, others) in [
            ("*", &["A*"][..]),
            ("A*", &["A?*"]),
            ("A*", &["A", "A?"]),
            ("22???", &["22??"]),
            ("A?", &["A1", "A2"]),
            ("ACMe", &["ACME"]),
            ("A", &[]),
        ] {
            assert!(exceeds(own, others), "{own} {others:?}");
        }
    }

    fn pattern(written: &str) -> SenderPattern {
        written.parse().unwrap()
    }

    fn set(written: &[&str]) -> SenderSet {
        written.iter().map(|written| pattern(written)).collect::<Vec<_>>().iter().collect()
    }

    #[test]
    fn patterns_have_their_addresses_and_no_others() {
        for (written, has, has_not) in [
            ("ACME", &["ACME"][..], &["acme", "ACME1", "ACM", ""][..]),
            ("34600000000", &["34600000000"], &["346000000000", "+34600000000"]),
            ("ACME*", &["ACME", "ACME Bank"], &["ACM", "XACME", "acme1"]),
            ("*BANK", &["BANK", "ACMEBANK"], &["BANKS", "ANK"]),
            ("*BANK*", &["BANK", "MyBANKs"], &["BAN", "bank"]),
            ("22?00", &["22000", "22100"], &["2200", "220000"]),
            ("A*C?E*", &["ACME", "AxxCzE!", "ACCEE"], &["ACE", "BACME"]),
            ("*", &["", "anything"], &[]),
            ("?", &["x"], &["", "xy"]),
            ("a*b*c", &["abc", "a-b-b-c", "abcbc"], &["ab", "acb"]),
            ("Peña", &[], &["Pena", "Pe\u{F1}a"]),
        ] {
            for source in has {
                assert!(pattern(written).has(source.as_bytes()), "{written} has {source}");
                assert!(set(&[written]).has(source.as_bytes()), "{written} has {source}");
            }
            for source in has_not {
                assert!(!pattern(written).has(source.as_bytes()), "{written} has not {source}");
                assert!(!set(&[written]).has(source.as_bytes()), "{written} has not {source}");
            }
        }
        assert!(pattern("Peña").has(b"Pe\xF1a"), "one octet a character");
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        assert_eq!("".parse::<SenderPattern>(), Err(SenderPatternFault::Empty));
        assert_eq!("A\n".parse::<SenderPattern>(), Err(SenderPatternFault::Character('\n')));
        assert_eq!("Банк".parse::<SenderPattern>(), Err(SenderPatternFault::Character('Б')));
        assert_eq!("x".repeat(81).parse::<SenderPattern>(), Err(SenderPatternFault::TooLong(81)));
        let fault = "A\u{1}".parse::<SenderPattern>().unwrap_err();
        assert_eq!(fault.to_string(), "a sender cannot have the character U+0001");
    }

    #[test]
    fn patterns_are_stored_as_they_are_written() {
        let json = serde_json::to_string(&pattern("AC**ME?")).unwrap();
        assert_eq!(json, "\"AC*ME?\"");
        assert_eq!(serde_json::from_str::<SenderPattern>(&json).unwrap(), pattern("AC*ME?"));
        assert!(serde_json::from_str::<SenderPattern>("\"\"").is_err());
    }

    #[test]
    fn a_set_without_patterns_has_no_address() {
        assert!(!set(&[]).has(b""));
        assert!(set(&[]).is_empty());
        assert!(!set(&["A?"]).is_empty());
    }

    proptest! {
        #[test]
        fn a_set_has_what_one_of_its_patterns_has(
            written in proptest::collection::vec("[ab*?]{1,5}", 0..12),
            source in "[abc]{0,6}",
        ) {
            let patterns: Vec<SenderPattern> = written.iter().map(|written| pattern(written)).collect();
            let one = patterns.iter().any(|pattern| pattern.has(source.as_bytes()));
            prop_assert_eq!(SenderSet::new(&patterns).has(source.as_bytes()), one);
        }

        #[test]
        fn a_pattern_means_what_a_regular_expression_means(written in "[ab*?]{1,8}", source in "[ab]{0,8}") {
            let meant = format!("^{}$", written.replace('*', ".*").replace('?', "."));
            let meant = regex::Regex::new(&meant).unwrap().is_match(&source);
            prop_assert_eq!(pattern(&written).has(source.as_bytes()), meant);
        }
    }
}
