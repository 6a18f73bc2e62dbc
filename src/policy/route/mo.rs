//! Whose the messages from phones are: by the number that they go to, and by their first word.
//!
//! The longest prefix of the number that has somebody for the message decides; on one prefix a keyword goes before none.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::account::{AccountId, CredentialId};
use crate::policy::number::international;
use crate::policy::number::prefix::{NotAPrefix, PrefixTable};

/// Whose the messages from phones to a number are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoRoute {
    /// Prefixes of our numbers, short codes among them.
    pub prefixes: Vec<String>,
    /// The first word of those that are meant, folded as [`keyword`](super::keyword) folds it; absent means all others.
    pub keyword: Option<String>,
    /// Who gets them.
    pub taker: Taker,
}

/// Who gets a message from a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taker {
    /// The account.
    pub account: AccountId,
    /// The one credential whose receivers may take it; absent means any of the account.
    pub receiver: Option<CredentialId>,
}

/// What is known about the messages from phones to a number before one is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takers {
    /// Nobody takes any.
    Nobody,
    /// All are for the same one.
    One(Taker),
    /// It depends on the first word.
    ByKeyword,
}

/// The compiled routes of messages from phones.
#[derive(Clone, Debug, Default)]
pub struct MoTable(PrefixTable<Spot>);

#[derive(Clone, Debug, Default)]
struct Spot {
    others: Option<Taker>,
    words: HashMap<String, Taker, RandomState>,
}

impl MoTable {
    /// Compiles. Of two routes for the same messages the first holds.
    ///
    /// # Errors
    /// When a prefix is not digits.
    pub fn compile(routes: &[MoRoute]) -> Result<Self, NotAPrefix> {
        let mut built = Self::default();
        for route in routes {
            for prefix in &route.prefixes {
                let spot = built.0.entry(prefix, Spot::default)?;
                match &route.keyword {
                    Some(word) => spot.words.entry(word.clone()).or_insert(route.taker),
                    None => spot.others.get_or_insert(route.taker),
                };
            }
        }
        Ok(built)
    }

    /// Who may get messages to this number, as its operator writes it: with `+` or `00` too.
    #[must_use]
    pub fn takers(&self, number: &[u8]) -> Takers {
        let mut found = Takers::Nobody;
        for spot in self.0.matches(&read(number)) {
            match spot.others {
                // What stands on shorter prefixes is never asked.
                Some(taker) if spot.words.is_empty() => found = Takers::One(taker),
                _ => found = Takers::ByKeyword,
            }
        }
        found
    }

    /// Who gets a message to this number whose first word is this one.
    #[must_use]
    pub fn taker(&self, number: &[u8], keyword: Option<&str>) -> Option<Taker> {
        let of = |spot: &Spot| keyword.and_then(|word| spot.words.get(word)).copied().or(spot.others);
        self.0.matches(&read(number)).filter_map(of).last()
    }
}

/// What is no number is only found by the prefix that every number has.
fn read(number: &[u8]) -> Cow<'_, [u8]> {
    international(number).unwrap_or(Cow::Borrowed(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, keyword: Option<&str>, account: u32) -> MoRoute {
        MoRoute {
            prefixes: vec![prefix.to_owned()],
            keyword: keyword.map(str::to_owned),
            taker: Taker { account: AccountId(account), receiver: None },
        }
    }

    #[test]
    fn the_longest_prefix_decides_and_on_it_a_keyword_goes_first() {
        let table = MoTable::compile(&[
            route("", None, 1),
            route("220", Some("WIN"), 2),
            route("22000", None, 3),
            route("22000", Some("BET"), 4),
            route("33000", Some("WIN"), 5),
            route("22000", Some("BET"), 9),
        ])
        .unwrap();
        let taker = |number: &[u8], word| table.taker(number, word).map(|taker| taker.account.0);
        assert_eq!(taker(b"44", Some("WIN")), Some(1));
        assert_eq!((taker(b"22055", Some("WIN")), taker(b"22055", None)), (Some(2), Some(1)));
        assert_eq!(taker(b"22000", Some("WIN")), Some(3), "the longer prefix, although it has no such word");
        assert_eq!((taker(b"22000", Some("BET")), taker(b"22000", Some("X"))), (Some(4), Some(3)));
        assert_eq!((taker(b"33000", Some("WIN")), taker(b"33000", None)), (Some(5), Some(1)));
        let one = |account| Takers::One(Taker { account: AccountId(account), receiver: None });
        let takers = |number: &[u8]| table.takers(number);
        assert_eq!(
            (takers(b"44"), takers(b"22000"), takers(b"22055")),
            (one(1), Takers::ByKeyword, Takers::ByKeyword)
        );
        let narrow = MoTable::compile(&[route("220", Some("WIN"), 2), route("22000", None, 3)]).unwrap();
        assert_eq!((narrow.takers(b"22000"), narrow.takers(b"33")), (one(3), Takers::Nobody));
        assert_eq!(narrow.taker(b"22055", None), None);
        for written in [&b"+22000"[..], b"0022000"] {
            assert_eq!((table.takers(written), taker(written, Some("BET"))), (Takers::ByKeyword, Some(4)));
        }
        assert_eq!(taker(b"ACME", None), Some(1), "no number: whose every number is");
    }
}
