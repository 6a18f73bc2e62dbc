//! Hosts that are made to be taken for others.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::domain::domain_of;
use crate::policy::text::skeleton::skeleton;

/// The names of protected domains: `acme` of `www.acme.com`, by what they look like.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    looks: HashSet<String, FixedState>,
    /// Those that are long enough to be misspelt, by their length in characters.
    long: Vec<Vec<char>>,
}

/// The characters from which on a name with one letter more, less or different is taken for it.
const MISSPELT_MIN: usize = 5;
/// The hyphenated parts of a label that are looked at.
const PARTS_MAX: usize = 16;
/// Parts that are one name together: `bank-of-acme` is three.
const JOINED_MAX: usize = 4;
/// The looks of one host.
const LOOKS_MAX: usize = 256;

/// What each part of a host looks like: its labels but the last one, and what is between their hyphens.
pub(super) struct HostParts {
    looks: Vec<String>,
}

impl HostParts {
    /// The host is in Unicode.
    pub(super) fn new(host: &str) -> Self {
        let mut looks = Vec::new();
        let labels = host.rsplit_once('.').map_or("", |(labels, _)| labels);
        // The labels next to the end are those that are registered.
        for label in labels.rsplit('.').take_while(|label| !label.is_empty()) {
            looks.push(skeleton(label));
            let parts: Vec<&str> = label.split('-').take(PARTS_MAX).collect();
            for from in (0..parts.len()).filter(|_| parts.len() > 1) {
                let joined =
                    (from + 1..=parts.len()).take(JOINED_MAX).map(|to| skeleton(&parts[from..to].concat()));
                looks.extend(joined);
            }
            if looks.len() > LOOKS_MAX {
                break;
            }
        }
        Self { looks }
    }
}

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
            names.looks.insert(look);
        }
        names.long.sort_unstable_by_key(Vec::len);
        Ok(names)
    }

    /// Whether one of the parts of a host is a protected name to the eye.
    pub(super) fn looks_like_one(&self, parts: &HostParts) -> bool {
        let is_one = |look: &String| self.looks.contains(look) || self.is_misspelt(look);
        !self.looks.is_empty() && parts.looks.iter().any(is_one)
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
            assert!(names.looks_like_one(&HostParts::new(host)), "{host}");
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
            assert!(!names.looks_like_one(&HostParts::new(host)), "{host}");
        }
        assert!(Names::new(&["com".to_owned()]).is_err());
        assert!(!Names::default().looks_like_one(&HostParts::new("acme.com")));
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
