//! Domains of link rules, and the rules themselves.

use std::cell::OnceCell;
use std::collections::HashSet;

use foldhash::fast::FixedState;

use super::link::hosts;
use super::look_alike::{HostParts, Names};
use super::scratch::Scratch;
use super::{DOMAINS_MAX, LinkRule};

/// The link rules of all, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkRules {
    each: Vec<Compiled>,
}

#[derive(Clone, Debug)]
struct Compiled {
    rule: u32,
    allow: Domains,
    deny: Domains,
    /// The domains that may look like themselves.
    genuine: Domains,
    names: Names,
    any: bool,
}

impl LinkRules {
    pub(super) fn add(&mut self, rule: u32, written: &LinkRule) -> Result<(), String> {
        if !written.any && written.deny.is_empty() && written.look_alikes_of.is_empty() {
            return Err("it matches no link: set `any`, `deny` or `look_alikes_of`".to_owned());
        }
        let genuine = Domains::new(&written.look_alikes_of)?;
        self.each.push(Compiled {
            rule,
            allow: Domains::new(&written.allow)?,
            deny: Domains::new(&written.deny)?,
            names: Names::new(&written.look_alikes_of)?,
            genuine,
            any: written.any,
        });
        Ok(())
    }

    pub(super) fn search(&self, text: &str, scratch: &mut Scratch) {
        if self.each.is_empty() {
            return;
        }
        hosts(text, |written| {
            let host = Host::new(written);
            for rule in &self.each {
                if !scratch.has_matched(rule.rule) && rule.matches(&host) {
                    scratch.matched(rule.rule);
                }
            }
        });
    }
}

impl Compiled {
    fn matches(&self, host: &Host) -> bool {
        let allowed = self.allow.covering(&host.ascii);
        // The longer domain is the one that is meant; what is in both lists is not allowed.
        if let Some(denied) = self.deny.covering(&host.ascii)
            && allowed.is_none_or(|allowed| denied >= allowed)
        {
            return true;
        }
        if allowed.is_some() {
            return false;
        }
        self.any || (self.genuine.covering(&host.ascii).is_none() && self.names.looks_like_one(host.parts()))
    }
}

/// A host as it is looked up (RFC 5891), and as it is seen.
struct Host {
    ascii: String,
    /// Made when first asked for.
    parts: OnceCell<HostParts>,
}

impl Host {
    fn new(written: &str) -> Self {
        let ascii = ascii_form(written).unwrap_or_else(|| written.to_lowercase());
        Self { ascii, parts: OnceCell::new() }
    }

    fn parts(&self) -> &HostParts {
        // What is no valid name is still shown, with what could be read of it.
        self.parts.get_or_init(|| HostParts::new(&idna::domain_to_unicode(&self.ascii).0))
    }
}

/// Some domains, each with everything below it.
#[derive(Clone, Debug, Default)]
struct Domains {
    names: HashSet<String, FixedState>,
}

impl Domains {
    fn new(written: &[String]) -> Result<Self, String> {
        if written.len() > DOMAINS_MAX {
            return Err(format!("a list has {} domains, at most {DOMAINS_MAX} are possible", written.len()));
        }
        Ok(Self { names: written.iter().map(|domain| domain_of(domain)).collect::<Result<_, _>>()? })
    }

    /// The length of the longest domain that `host` is or is below of.
    fn covering(&self, host: &str) -> Option<usize> {
        if self.names.is_empty() {
            return None;
        }
        let mut rest = host;
        loop {
            if self.names.contains(rest) {
                return Some(rest.len());
            }
            rest = rest.split_once('.')?.1;
        }
    }
}

/// A domain of a rule in ASCII (RFC 5890 §2.3.2.1).
pub(super) fn domain_of(written: &str) -> Result<String, String> {
    let fault =
        || format!("{written:?} is no domain: write it as acme.com, without scheme, path and wildcards");
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || !c.is_ascii();
    let ascii = ascii_form(written).filter(|_| written.chars().all(is_part)).ok_or_else(fault)?;
    let good = |label: &str| !label.is_empty() && label.len() <= 63;
    if ascii.len() <= 253 && ascii.split('.').all(good) { Ok(ascii) } else { Err(fault()) }
}

/// The form that is looked up, small, without a point at its end; `None` for what cannot be one.
fn ascii_form(written: &str) -> Option<String> {
    let ascii = if written.is_ascii() && !written.to_ascii_lowercase().contains("xn--") {
        written.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(written).ok()?
    };
    Some(ascii.strip_suffix('.').unwrap_or(&ascii).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(names: &[&str]) -> Domains {
        Domains::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_domain_has_itself_and_all_below() {
        let known = domains(&["acme.com", "deep.acme.com", "Bücher.example", "EVIL.ru."]);
        for (host, covered) in [
            ("acme.com", Some(8)),
            ("ACME.com.", Some(8)),
            ("www.acme.com", Some(8)),
            ("x.deep.acme.com", Some(13)),
            ("notacme.com", None),
            ("acme.com.evil.net", None),
            ("com", None),
            ("bücher.example", Some(21)),
            ("xn--bcher-kva.example", Some(21)),
            ("BÜCHER.example", Some(21)),
            ("evil.ru", Some(7)),
        ] {
            assert_eq!(known.covering(&Host::new(host).ascii), covered, "{host}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for written in
            ["", "http://acme.com", "*.acme.com", "acme com", "acme..com", ".", &"a".repeat(64), "a/b"]
        {
            assert!(domain_of(written).is_err(), "{written}");
        }
        assert_eq!(domain_of("Acme.COM").as_deref(), Ok("acme.com"));
    }
}
