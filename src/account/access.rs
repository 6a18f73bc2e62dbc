//! From which addresses an account may be used: a list for each way in.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Binds.
    Smpp,
    /// The HTTP API.
    Api,
    /// The web console.
    Console,
}

/// The lists of an account. One of them says nothing about the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// For binds.
    pub smpp: AccessList,
    /// For the HTTP API.
    pub api: AccessList,
    /// For the web console.
    pub console: AccessList,
}

/// Addresses, and whether only they are let in. Unrestricted and empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessList {
    /// Whether others are refused.
    pub restricted: bool,
    /// At most [`AccessList::MOST`].
    pub entries: Vec<AccessEntry>,
}

/// A network, or one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// Which; host bits do not matter.
    pub network: IpNet,
    /// What it is, for people; at most 200 octets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl Surface {
    /// Every way in.
    pub const ALL: [Self; 3] = [Self::Smpp, Self::Api, Self::Console];

    /// Its word in configuration, logs and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smpp => "smpp",
            Self::Api => "api",
            Self::Console => "console",
        }
    }

    /// The way in with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|surface| surface.word() == word)
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Access {
    /// The list for a way in.
    #[must_use]
    pub const fn list(&self, surface: Surface) -> &AccessList {
        match surface {
            Surface::Smpp => &self.smpp,
            Surface::Api => &self.api,
            Surface::Console => &self.console,
        }
    }
}

impl AccessList {
    /// Entries of one list.
    pub const MOST: usize = 1_000;

    /// Whether a client at `address` is let in. A restricted list without entries lets nobody in.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        !self.restricted || self.entry(address).is_some()
    }

    /// The narrowest entry with this address. An IPv4 address may come as one of IPv6 (`::ffff:192.0.2.1`).
    #[must_use]
    pub fn entry(&self, address: IpAddr) -> Option<&AccessEntry> {
        let address = address.to_canonical();
        let all = self.entries.iter().filter(|entry| entry.network.contains(&address));
        all.max_by_key(|entry| entry.network.prefix_len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(restricted: bool, networks: &[&str]) -> AccessList {
        let entry =
            |network: &&str| AccessEntry { network: network.parse().unwrap(), description: String::new() };
        AccessList { restricted, entries: networks.iter().map(entry).collect() }
    }

    #[test]
    fn only_a_restricted_list_keeps_anybody_out() {
        let (inside, outside) = ("192.0.2.7".parse().unwrap(), "198.51.100.7".parse().unwrap());
        for (list, expected) in [
            (AccessList::default(), [true, true]),
            (list(false, &["192.0.2.0/24"]), [true, true]),
            (list(true, &["192.0.2.0/24"]), [true, false]),
            (list(true, &["2001:db8::/32"]), [false, false]),
            (list(true, &[]), [false, false]),
        ] {
            assert_eq!([list.admits(inside), list.admits(outside)], expected, "{list:?}");
        }
        assert!(list(true, &["192.0.2.0/24"]).admits("::ffff:192.0.2.7".parse().unwrap()));
        assert!(list(true, &["2001:db8::/32"]).admits("2001:db8::7".parse().unwrap()));
    }

    #[test]
    fn the_narrowest_entry_is_the_one_that_lets_in() {
        let list = list(true, &["10.0.0.0/8", "10.1.2.3/32", "10.1.0.0/16"]);
        let met = |address: &str| list.entry(address.parse().unwrap()).map(|entry| entry.network.to_string());
        assert_eq!(met("10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(met("10.1.9.9").as_deref(), Some("10.1.0.0/16"));
        assert_eq!(met("11.0.0.1"), None);
    }

    #[test]
    fn lists_are_kept_as_they_are_written() {
        let text = r#"{"smpp":{"restricted":true,"entries":[{"network":"192.0.2.0/24","description":"office"}]},"api":{"restricted":false,"entries":[]},"console":{"restricted":false,"entries":[]}}"#;
        let access: Access = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&access).unwrap(), text);
        assert_eq!(serde_json::from_str::<Access>("{}").unwrap(), Access::default());
        for surface in Surface::ALL {
            assert_eq!(Surface::of(surface.word()), Some(surface));
        }
        assert!(access.list(Surface::Api).admits("198.51.100.7".parse().unwrap()));
    }
}
