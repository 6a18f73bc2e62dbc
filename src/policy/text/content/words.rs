//! Many literals looked for at once: an automaton that reads each octet of a text once.

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Match};

/// Literals, compiled.
#[derive(Clone, Debug, Default)]
pub(super) enum Words {
    /// There are none.
    #[default]
    None,
    /// A table that is walked without branches, a few megabytes at most.
    Table(Box<DFA>),
    /// What would be too large a table.
    Linked(AhoCorasick),
}

/// The octets of all literals up to which a table is made.
const TABLE_MAX: usize = 40_000;

impl Words {
    pub(super) fn of<L: AsRef<[u8]>>(literals: &[L]) -> Result<Self, String> {
        if literals.is_empty() {
            return Ok(Self::None);
        }
        let size: usize = literals.iter().map(|literal| literal.as_ref().len()).sum();
        let too_long = |_| "the words of all rules together are too long".to_owned();
        if size <= TABLE_MAX {
            let table = DFA::builder().prefilter(false).build(literals).map_err(too_long)?;
            return Ok(Self::Table(Box::new(table)));
        }
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        AhoCorasick::builder().kind(kind).prefilter(false).build(literals).map(Self::Linked).map_err(too_long)
    }

    /// Every place of every literal in `text`, also where they overlap.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(Match)) {
        match self {
            Self::None => {}
            // Neither is anchored, so that both can be searched in.
            Self::Table(table) => {
                table.try_find_overlapping_iter(text.into()).into_iter().flatten().for_each(&mut found);
            }
            Self::Linked(linked) => linked.find_overlapping_iter(text).for_each(&mut found),
        }
    }
}

/// Whether one of two automata may find something in its text. Two are walked side by side, and one along several shares
/// of its text: each step waits for the memory that holds the next state, and so they wait together.
pub(super) fn may_find(words: &Words, text: &[u8], others: &Words, other: &[u8]) -> bool {
    let (words, others) = match (words, others) {
        (Words::None, Words::None) => return false,
        (Words::Table(table), Words::None) => return may_find_in_shares(table, text),
        (Words::None, Words::Table(table)) => return may_find_in_shares(table, other),
        (Words::Table(words), Words::Table(others)) => (words, others),
        (Words::Linked(_), _) | (_, Words::Linked(_)) => return true,
    };
    let (Some(mut here), Some(mut there)) = (start(words), start(others)) else { return true };
    let mut pairs = text.iter().zip(other);
    for (octet, other) in pairs.by_ref() {
        here = words.next_state(Anchored::No, here, *octet);
        there = others.next_state(Anchored::No, there, *other);
        if words.is_special(here) | others.is_special(there) {
            return true;
        }
    }
    let shorter = text.len().min(other.len());
    may_find_on(words, here, text.get(shorter..)) || may_find_on(others, there, other.get(shorter..))
}

/// Shares of a text that are walked at once.
const SHARES: usize = 4;

/// Each share goes on so far into the next that no literal over the cut is missed.
fn may_find_in_shares(table: &DFA, text: &[u8]) -> bool {
    let Some(start) = start(table) else { return true };
    let share = text.len().div_ceil(SHARES);
    let length = share + table.max_pattern_len().saturating_sub(1);
    let Some(last) = text.len().checked_sub(length) else { return may_find_on(table, start, Some(text)) };
    let [a, b, c, d] = std::array::from_fn(|place| {
        let from = (place * share).min(last);
        text.get(from..from + length).unwrap_or_default()
    });
    let mut at = [start; SHARES];
    a.iter().zip(b).zip(c).zip(d).any(|(((a, b), c), d)| {
        let octets = [a, b, c, d];
        at = std::array::from_fn(|place| table.next_state(Anchored::No, at[place], *octets[place]));
        at.iter().fold(false, |any, at| any | table.is_special(*at))
    })
}

fn may_find_on(table: &DFA, mut at: StateID, text: Option<&[u8]>) -> bool {
    text.unwrap_or_default().iter().any(|octet| {
        at = table.next_state(Anchored::No, at, *octet);
        table.is_special(at)
    })
}

fn start(table: &DFA) -> Option<StateID> {
    table.start_state(Anchored::No).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_wherever_the_shares_of_a_text_are_cut() {
        let words = Words::of(&["win", "free money", "x"]).unwrap();
        for length in 0..90_usize {
            let plain = "-".repeat(length);
            assert!(!may_find(&words, plain.as_bytes(), &Words::None, b""), "{length}");
            for literal in ["win", "free money", "x"].into_iter().filter(|literal| literal.len() <= length) {
                for at in 0..=length - literal.len() {
                    let mut text = plain.clone();
                    text.replace_range(at..at + literal.len(), literal);
                    assert!(may_find(&words, text.as_bytes(), &Words::None, b""), "{text}");
                    assert!(may_find(&Words::None, b"", &words, text.as_bytes()), "{text}");
                }
            }
        }
    }
}
