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

/// Whether one of two automata may find something in its text. Both are walked side by side: each waits for the memory
/// that holds its next state, and so they wait together.
pub(super) fn may_find(words: &Words, text: &[u8], others: &Words, other: &[u8]) -> bool {
    let (words, others) = match (words, others) {
        (Words::None, Words::None) => return false,
        (Words::Table(table), Words::None) => return is_special_in(table, text, None),
        (Words::None, Words::Table(table)) => return is_special_in(table, other, None),
        (Words::Table(words), Words::Table(others)) => (words, others),
        (Words::Linked(_), _) | (_, Words::Linked(_)) => return true,
    };
    let start = |table: &DFA| table.start_state(Anchored::No);
    let (Ok(mut here), Ok(mut there)) = (start(words), start(others)) else { return true };
    let mut pairs = text.iter().zip(other);
    for (octet, other) in pairs.by_ref() {
        here = words.next_state(Anchored::No, here, *octet);
        there = others.next_state(Anchored::No, there, *other);
        if words.is_special(here) | others.is_special(there) {
            return true;
        }
    }
    let shorter = text.len().min(other.len());
    is_special_in(words, text.get(shorter..).unwrap_or_default(), Some(here))
        || is_special_in(others, other.get(shorter..).unwrap_or_default(), Some(there))
}

/// Whether a text leads to a state that may be a match, from the start or from `at`.
fn is_special_in(table: &DFA, text: &[u8], at: Option<StateID>) -> bool {
    let Some(mut at) = at.or_else(|| table.start_state(Anchored::No).ok()) else { return true };
    text.iter().any(|octet| {
        at = table.next_state(Anchored::No, at, *octet);
        table.is_special(at)
    })
}
