//! The register of protected names: whose a sender is that looks like one of them.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::skeleton::{skeleton, skeletons_of};

/// How much of a source address a protected name takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// All of it.
    #[default]
    Whole,
    /// Any place in it: `ACME` also protects `ACME Info`.
    Contained,
}

/// A name that only its holders may send as; `T` is how accounts are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedName<T = u32> {
    /// The name, in any spelling; or a number, which is compared digit for digit.
    pub name: String,
    /// Its holders.
    pub accounts: Vec<T>,
    /// How much of a source address it takes. A number is always all of it.
    pub matches: NameMatch,
}

/// What is wrong with a register, with the places of the names in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// Nothing to compare is in the name.
    #[error("the protected name {name:?} has neither letters nor digits")]
    Empty {
        /// Its place, from 0.
        place: usize,
        /// It.
        name: String,
    },
    /// Two names look the same.
    #[error("the protected name {name:?} looks like {other:?}, which is protected already")]
    Twice {
        /// The place of the second, from 0.
        place: usize,
        /// The second.
        name: String,
        /// The first.
        other: String,
    },
    /// The names together are too long to be searched for.
    #[error("the protected names together are too long")]
    TooLarge,
}

/// Protected names, compiled.
#[derive(Clone, Debug)]
pub struct Registry<T = u32> {
    entries: Vec<ProtectedName<T>>,
    /// Whole names and numbers by what they look like; numbers also stand here as they are written.
    whole: HashMap<Box<[u8]>, u32, FixedState>,
    numbers: HashMap<Box<[u8]>, u32, FixedState>,
    contained: Option<AhoCorasick>,
    /// The entry of each literal of `contained`.
    contained_entries: Vec<u32>,
    faults: Vec<RegistryFault>,
}

impl<T> Registry<T> {
    /// Compiles a register.
    ///
    /// # Errors
    /// The first name that cannot be compared or looks like another one.
    pub fn new(entries: Vec<ProtectedName<T>>) -> Result<Self, RegistryFault> {
        let mut registry = Self::keeping(entries)?;
        if registry.faults.is_empty() { Ok(registry) } else { Err(registry.faults.swap_remove(0)) }
    }

    /// Compiles a register of names that may have been told apart when they were written down: one that cannot be compared
    /// protects nothing, and what two take is the first one's; see [`Registry::faults`].
    ///
    /// # Errors
    /// [`RegistryFault::TooLarge`].
    pub fn keeping(entries: Vec<ProtectedName<T>>) -> Result<Self, RegistryFault> {
        let mut whole = HashMap::with_hasher(FixedState::default());
        let mut numbers = HashMap::with_hasher(FixedState::default());
        let (mut literals, mut contained_entries) = (Vec::new(), Vec::new());
        let mut faults = Vec::new();
        // The first that takes a look whole, and the first that takes it anywhere.
        let mut seen: HashMap<String, [Option<usize>; 2]> = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let number = as_number(entry.name.as_bytes());
            let look = skeleton(&entry.name);
            if look.is_empty() {
                faults.push(RegistryFault::Empty { place, name: entry.name.clone() });
                continue;
            }
            // 22000 and 22OOO look alike to a human, but the first is a number and not taken for a name.
            let key = number.map_or_else(|| look.clone(), |number| format!("#{}", written(number)));
            let known = seen.entry(key).or_default();
            if let Some(other) = known.iter().flatten().min().and_then(|other| entries.get(*other)) {
                let (name, other) = (entry.name.clone(), other.name.clone());
                faults.push(RegistryFault::Twice { place, name, other });
            }
            let is_contained = number.is_none() && entry.matches == NameMatch::Contained;
            let own = if is_contained { &mut known[1] } else { &mut known[0] };
            if own.is_some() {
                continue;
            }
            *own = Some(place);
            let id = u32::try_from(place).map_err(|_| RegistryFault::TooLarge)?;
            if let Some(number) = number {
                numbers.insert(Box::from(number), id);
                // A name that imitates the number is the number's, unless it is protected as a name itself.
                whole.entry(look.into_bytes().into_boxed_slice()).or_insert(id);
            } else if is_contained {
                literals.push(look);
                contained_entries.push(id);
            } else {
                whole.insert(look.into_bytes().into_boxed_slice(), id);
            }
        }
        let contained = if literals.is_empty() {
            None
        } else {
            let built = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&literals);
            Some(built.map_err(|_| RegistryFault::TooLarge)?)
        };
        Ok(Self { entries, whole, numbers, contained, contained_entries, faults })
    }

    /// The protected names that a source address is or looks like: at most one for each alphabet in which its octets may
    /// be read, since nobody knows in which a phone will show them.
    ///
    /// A whole name goes before a contained one, a longer one before a shorter one. A source address that is a number
    /// is only compared with numbers.
    pub fn holders(&self, source: &[u8]) -> impl Iterator<Item = &ProtectedName<T>> {
        let mut found = SmallVec::<[u32; 3]>::new();
        if self.entries.is_empty() {
        } else if let Some(number) = as_number(source) {
            found.extend(self.numbers.get(number).copied());
        } else {
            for look in skeletons_of(source) {
                let place = self.whole.get(&look[..]).copied().or_else(|| self.longest_inside(&look));
                found.extend(place.filter(|place| !found.contains(place)));
            }
        }
        found.into_iter().filter_map(|place| self.entries.get(place as usize))
    }

    fn longest_inside(&self, look: &[u8]) -> Option<u32> {
        let contained = self.contained.as_ref()?;
        let longest = contained.find_overlapping_iter(look).max_by_key(|found| found.len())?;
        self.contained_entries.get(longest.pattern().as_usize()).copied()
    }

    /// What is wrong with the names, in their order.
    #[must_use]
    pub fn faults(&self) -> &[RegistryFault] {
        &self.faults
    }

    /// The names, in the order in which they were given.
    #[must_use]
    pub fn entries(&self) -> &[ProtectedName<T>] {
        &self.entries
    }
}

impl<T> Default for Registry<T> {
    /// Protects nothing.
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            whole: HashMap::default(),
            numbers: HashMap::default(),
            contained: None,
            contained_entries: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// The digits of what is nothing but a number, with a + or without.
fn as_number(source: &[u8]) -> Option<&[u8]> {
    let digits = source.strip_prefix(b"+").unwrap_or(source);
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
}

fn written(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(name: &str, account: u32, matches: NameMatch) -> ProtectedName {
        ProtectedName { name: name.to_owned(), accounts: vec![account], matches }
    }

    fn registry() -> Registry {
        Registry::new(vec![
            protected("ACME Bank", 1, NameMatch::Whole),
            protected("PayPal", 2, NameMatch::Contained),
            protected("22000", 3, NameMatch::Whole),
            protected("Pay", 4, NameMatch::Contained),
            protected("PayDay", 5, NameMatch::Whole),
            protected("+34 600", 6, NameMatch::Whole),
            protected("+34911", 7, NameMatch::Whole),
        ])
        .unwrap()
    }

    fn holder(source: &[u8]) -> Option<u32> {
        registry().holders(source).next().map(|entry| entry.accounts[0])
    }

    #[test]
    fn a_name_that_looks_like_a_protected_one_is_its_holders() {
        for source in ["ACME Bank", "acme-bank", "ACME 8ANK", "A.C.M.E. bank", "ACRNE BANK", "@CME B4NK"] {
            assert_eq!(holder(source.as_bytes()), Some(1), "{source}");
        }
        for source in ["ACME", "ACME Banks", "My ACME Bank", "Bank", "", "...", "ACNE Bank"] {
            assert_eq!(holder(source.as_bytes()), None, "{source}");
        }
        assert_eq!(holder(b"\xC1CME Bank"), Some(1), "with a mark, in ISO 8859-1");
    }

    #[test]
    fn a_contained_name_is_found_anywhere_and_the_longest_one_counts() {
        for source in ["PayPal", "My PayPaI", "PAYPAL-info", "Pay Pal", "secure.paypa1"] {
            assert_eq!(holder(source.as_bytes()), Some(2), "{source}");
        }
        assert_eq!(holder(b"GPay"), Some(4));
        assert_eq!(holder(b"Payday"), Some(5), "a whole name goes before a contained one");
    }

    #[test]
    fn numbers_are_compared_with_numbers_only() {
        assert_eq!(holder(b"22000"), Some(3));
        assert_eq!(holder(b"+22000"), Some(3));
        assert_eq!(holder(b"22001"), None);
        assert_eq!(holder(b"220000"), None);
        assert_eq!(holder(b"22OOO"), Some(3), "letters in place of digits are no number, but look like it");
        assert_eq!(holder(b"34911"), Some(7));
        assert_eq!(holder(b"34600"), None, "the name with a blank is no number");
    }

    #[test]
    fn each_reading_of_an_address_may_be_somebody_else_s() {
        let both = vec![protected("ACM", 1, NameMatch::Whole), protected("ACMÉ", 2, NameMatch::Whole)];
        let registry = Registry::new(both).unwrap();
        let holders =
            |source: &[u8]| -> Vec<u32> { registry.holders(source).map(|entry| entry.accounts[0]).collect() };
        assert_eq!(holders(b"ACM\x1F"), [1, 2]);
        assert_eq!(holders("АСМЕ".as_bytes()), [2]);
        assert_eq!(holders(b"acme"), [2]);
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let twice = Registry::new(vec![
            protected("ACME", 1, NameMatch::Whole),
            protected("B", 2, NameMatch::Whole),
            protected("АСМЕ", 3, NameMatch::Contained),
        ]);
        let fault = RegistryFault::Twice { place: 2, name: "АСМЕ".into(), other: "ACME".into() };
        assert_eq!(twice.unwrap_err(), fault);
        let empty = Registry::new(vec![protected("!?".replace('!', "").as_str(), 1, NameMatch::Whole)]);
        assert_eq!(empty.unwrap_err(), RegistryFault::Empty { place: 0, name: "?".into() });
        let number_and_name =
            Registry::new(vec![protected("100", 1, NameMatch::Whole), protected("IOO", 2, NameMatch::Whole)]);
        let registry = number_and_name.unwrap();
        let holder = |source: &[u8]| registry.holders(source).next().unwrap().accounts[0];
        assert_eq!((holder(b"100"), holder(b"loo")), (1, 2));
        assert!(Registry::<u32>::default().holders(b"ACME").next().is_none());
    }

    #[test]
    fn of_names_that_look_alike_the_first_keeps_what_both_take_and_nobody_else_gets_it() {
        let names = vec![
            protected("ACME", 1, NameMatch::Whole),
            protected("ΛCME", 2, NameMatch::Contained),
            protected("АСМЕ", 3, NameMatch::Whole),
            protected("4cme", 4, NameMatch::Contained),
            protected("?", 5, NameMatch::Whole),
            protected("22000", 6, NameMatch::Whole),
            protected("+22000", 7, NameMatch::Contained),
        ];
        let registry = Registry::keeping(names).unwrap();
        let twice = |place, name: &str, other: &str| RegistryFault::Twice {
            place,
            name: name.into(),
            other: other.into(),
        };
        let told = [
            twice(1, "ΛCME", "ACME"),
            twice(2, "АСМЕ", "ACME"),
            twice(3, "4cme", "ACME"),
            RegistryFault::Empty { place: 4, name: "?".into() },
            twice(6, "+22000", "22000"),
        ];
        assert_eq!(registry.faults(), told);
        let holder = |source: &str| registry.holders(source.as_bytes()).next().map(|entry| entry.accounts[0]);
        assert_eq!(
            ["ACME", "acme", "My ACME", "22000", "other"].map(holder),
            [Some(1), Some(1), Some(2), Some(6), None]
        );
    }
}
