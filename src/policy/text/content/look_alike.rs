//! Hosts that are made to be taken for others.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::domain::domain_of;
use crate::policy::text::skeleton::skeleton;

/// The names of protected domains: `acme` of `www.acme.com`.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// By what they look like, with the most hyphens that one of them has.
    looks: HashMap<String, (), FixedState>,
    hyphens: usize,
    /// Those that are long enough to be misspelt, by their length in characters.
    long: Vec<Vec<char>>,
}

/// The characters from which on a name with one letter more, less or different is taken for it.
const MISSPELT_MIN: usize = 5;
/// The hyphenated parts of a label that are looked at.
const PARTS_MAX: usize = 32;

impl Names {
    pub(super) fn new(domains: &[String]) -> Result<Self, String> {
        let mut names = Self::default();
        for domain in domains {
            let (unicode, _) = idna::domain_to_unicode(&domain_of(domain)?);
            let below = unicode.strip_prefix("www.").unwrap_or(&unicode);
            let name = below.split('.').next().unwrap_or_default();
            let look = skeleton(name);
            if look.is_empty() || !below.contains('.') {
                return Err(format!("{domain:?} is not a domain with a name, such as acme.com"));
            }
            let characters: Vec<char> = look.chars().collect();
            if characters.len() >= MISSPELT_MIN {
                names.long.push(characters);
            }
            names.hyphens = names.hyphens.max(name.matches('-').count());
            names.looks.insert(look, ());
        }
        names.long.sort_unstable_by_key(Vec::len);
        Ok(names)
    }

    /// Whether one of the labels of a host, the last one left out, is or has a protected name to the eye. The host is
    /// in Unicode.
    pub(super) fn looks_like_one(&self, host: &str) -> bool {
        if self.looks.is_empty() {
            return false;
        }
        let Some((labels, _)) = host.rsplit_once('.') else { return false };
        labels.split('.').any(|label| self.is_one(label) || self.has_one(label))
    }

    fn is_one(&self, label: &str) -> bool {
        let look = skeleton(label);
        self.looks.contains_key(&look) || self.is_misspelt(&look)
    }

    /// The name between hyphens: `acme-login`, `my-acme`.
    fn has_one(&self, label: &str) -> bool {
        let parts: Vec<&str> = label.split('-').take(PARTS_MAX).collect();
        if parts.len() < 2 {
            return false;
        }
        (0..parts.len()).any(|from| {
            let most = (from + self.hyphens + 1).min(parts.len());
            (from + 1..=most).any(|to| self.is_one(&parts[from..to].concat()))
        })
    }

    fn is_misspelt(&self, look: &str) -> bool {
        if look.len() < MISSPELT_MIN - 1 || self.long.is_empty() {
            return false;
        }
        let look: Vec<char> = look.chars().collect();
        let from = self.long.partition_point(|name| name.len() + 1 < look.len());
        let near = self.long[from..].iter().take_while(|name| name.len() <= look.len() + 1);
        near.into_iter().any(|name| within_one_edit(name, &look))
    }
}

/// Whether one character put in, left out or replaced, or two neighbours changed, make one of the other.
fn within_one_edit(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[same..], &long[same..]);
    match (short, long) {
        ([], _) => long.len() <= 1,
        ([a, b, short @ ..], [c, d, long @ ..]) if short.len() == long.len() && a == d && b == c => {
            short == long
        }
        _ if short.len() == long.len() => short[1..] == long[1..],
        _ => short == &long[1..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(domains: &[&str]) -> Names {
        Names::new(&domains.iter().map(|domain| (*domain).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn hosts_that_are_made_to_be_taken_for_others_are_known() {
        let names = names(&["acmebank.com", "www.acme.co.uk", "bank-of.example"]);
        for host in [
            "acmebank.net",
            "acmebank.com.evil.ru",
            "acmebank-login.com",
            "my-acmebank-login.com",
            "acmebonk.com",
            "acmebnk.com",
            "acmebankk.com",
            "acmebnak.com",
            "acrnebank.com",
            "аcmebank.com",
            "acm3bank.com",
            "acme.ru",
            "secure.acme.evil.ru",
            "acme-pay.ru",
            "ac-me.ru",
            "bank-of-x.com",
            "my-bankof.com",
        ] {
            assert!(names.looks_like_one(host), "{host}");
        }
        for host in [
            "example.com",
            "acmes.com",
            "bank.com",
            "notacme.com",
            "acmebankers.com",
            "acme",
            "com.acme",
            "localhost",
        ] {
            assert!(!names.looks_like_one(host), "{host}");
        }
        assert!(Names::new(&["com".to_owned()]).is_err());
        assert!(!Names::default().looks_like_one("acme.com"));
    }

    #[test]
    fn one_edit_is_one_edit() {
        let near = |a: &str, b: &str| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(within_one_edit(&a, &b), within_one_edit(&b, &a));
            within_one_edit(&a, &b)
        };
        for (a, b) in [
            ("abc", "abc"),
            ("abc", "ab"),
            ("abc", "bc"),
            ("abc", "axc"),
            ("abc", "acb"),
            ("", "a"),
            ("abc", "abcd"),
        ] {
            assert!(near(a, b), "{a} {b}");
        }
        for (a, b) in [("abc", "a"), ("abc", "xyc"), ("abc", "cab"), ("abcd", "abdcx"), ("ab", "cd")] {
            assert!(!near(a, b), "{a} {b}");
        }
    }
}
