//! Addresses in the configuration: networks, and the lists of `[account.access]`.

use ipnet::IpNet;

use crate::account::{Access, AccessEntry, AccessList};
use crate::config::read::{Section, Value};

/// A network or one address.
pub(in crate::config) fn network(value: &Value<'_>) -> Option<IpNet> {
    let text = value.text()?;
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    match net {
        Ok(net) => Some(net),
        Err(_) => value.refuse("write an IPv4 or IPv6 address or network, such as \"192.0.2.0/24\""),
    }
}

/// So many networks at most.
pub(in crate::config) fn networks(value: &Value<'_>, most: usize) -> Option<Vec<IpNet>> {
    bounded(value, value.list(network)?, most)
}

fn bounded<T>(value: &Value<'_>, list: Vec<T>, most: usize) -> Option<Vec<T>> {
    if list.len() <= most { Some(list) } else { value.refuse(format!("write at most {most} entries")) }
}

/// The lists of an account.
pub(in crate::config) fn read(account: &mut Section<'_>) -> Access {
    let mut table = account.section("access", "[account.access]");
    let access = Access {
        smpp: read_list(table.section("smpp", "[account.access.smpp]")),
        api: read_list(table.section("api", "[account.access.api]")),
        console: read_list(table.section("console", "[account.access.console]")),
    };
    table.finish();
    access
}

fn read_list(mut table: Section<'_>) -> AccessList {
    let mut list = AccessList::default();
    table.put("restricted", &mut list.restricted, Value::flag);
    table.put("entries", &mut list.entries, |v| bounded(v, v.list(entry)?, AccessList::MOST));
    if list.restricted && list.entries.is_empty() {
        let what = "restricted without entries lets nobody in";
        table.report(what.to_owned(), "add entries, or take restricted out".to_owned());
    }
    table.finish();
    list
}

/// A network as it is, or in a table with a description.
fn entry(value: &Value<'_>) -> Option<AccessEntry> {
    let Some(mut table) = Section::inline(value, "entries") else {
        return Some(AccessEntry { network: network(value)?, description: String::new() });
    };
    let network = table.need("network", "\"192.0.2.0/24\"", network);
    let mut description = String::new();
    table.put("description", &mut description, |v| v.text_of(0..=200));
    table.finish();
    Some(AccessEntry { network: network?, description })
}
