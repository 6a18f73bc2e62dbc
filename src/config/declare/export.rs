//! What the store holds, as a file that `tollgate check` takes and whose `tollgate plan` is empty.

use std::fmt::Write;

use toml::{Table, Value};

use super::written;
use crate::account::Origin;
use crate::store::{AccountDraft, StoredPolicy};

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportForm {
    /// Accounts that were made by command line or API are written as those of files are, and not as comments.
    pub all: bool,
    /// What may only stand in the main file (limits, filters of the platform) is a comment.
    pub included: bool,
}

/// The store's policy as text. It stands behind `[store]`, `[smpp]` and `[[upstream]]`, or in a file of its own that the
/// main one includes. Operators are not in it: the store knows neither their addresses nor their passwords, and it does not know
/// how clients are called. Of these the head says who they are: `outbinds` are the credentials that have one in the files,
/// absent when these could not be read.
#[must_use]
pub fn export(stored: &StoredPolicy, form: ExportForm, outbinds: Option<&[String]>) -> String {
    let mut out = String::new();
    let names: Vec<_> = stored.traffic.upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
    out += "# What the store holds, written by `tollgate export`.\n#\n";
    out += "# Operators are not here: the store knows neither their addresses nor their passwords. The main file has them in\n";
    let _ = writeln!(
        out,
        "# [[upstream]]: {}.",
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    );
    out += "# How clients are called ([account.smpp.outbind]) is not here either. ";
    let _ = match outbinds {
        Some([]) => writeln!(out, "The files have it for nobody."),
        Some(names) => writeln!(out, "The files have it for the credentials: {}.", names.join(", ")),
        None => writeln!(out, "The files could not be read; see there who has it."),
    };
    out += "# What accounts were granted is in the books of the store, and not here.\n";
    let traffic = &stored.traffic;
    let singles = [
        ("limits", written::limits(&traffic.limits)),
        ("billing", written::billing(traffic.billing.as_ref())),
        ("filters", written::filters(&traffic.platform.filters)),
    ];
    for (name, table) in singles.into_iter().filter(|(_, table)| !table.is_empty()) {
        let mut text = String::new();
        lines(&mut text, &format!("[{name}]"), table, &[]);
        if form.included {
            out += "\n# May only stand in the main file:";
            text = commented(&text);
        }
        out += &text;
    }
    for rule in &traffic.platform.protected {
        let mut table = written::protected(rule);
        table.insert("name".to_owned(), rule.is.name.as_str().into());
        lines(&mut out, "[[protected_name]]", table, &["name"]);
    }
    for network in &traffic.networks {
        lines(&mut out, "[[network]]", written::network(network), &["name"]);
    }
    for list in &traffic.price_lists {
        lines(&mut out, "[[price_list]]", written::price_list(list), &["name"]);
    }
    for price in &traffic.prices {
        lines(&mut out, "[[price]]", written::price(price), &["prefix", "country", "network"]);
    }
    for route in &traffic.routes {
        lines(&mut out, "[[route]]", written::route(route), &["name"]);
    }
    for mo in &traffic.mo_routes {
        lines(&mut out, "[[mo]]", written::mo(mo), &["prefixes"]);
    }
    for draft in &stored.accounts {
        let text = account(draft);
        if draft.origin == Origin::Store && !form.all {
            let _ = write!(out, "\n# Made by command line or API; a file that names it takes it over:");
            out += &commented(&text);
        } else {
            out += &text;
        }
    }
    out
}

fn account(draft: &AccountDraft) -> String {
    let mut out = String::new();
    let mut table = written::account(draft);
    table.insert("name".to_owned(), draft.name.as_str().into());
    let groups = ["statuses", "filters"].map(|name| (name, table.remove(name)));
    lines(&mut out, "[[account]]", table, &["name", "parent"]);
    for (name, group) in groups {
        if let Some(Value::Table(group)) = group {
            lines(&mut out, &format!("[account.{name}]"), group, &["zone"]);
        }
    }
    for credential in &draft.credentials {
        let mut table = written::credential(credential);
        table.insert("system_id".to_owned(), credential.system_id.as_str().into());
        table.insert("password_hash".to_owned(), credential.password.as_str().into());
        let filters = table.remove("filters");
        lines(&mut out, "[[account.smpp]]", table, &["system_id", "password_hash"]);
        if let Some(Value::Table(filters)) = filters {
            lines(&mut out, "[account.smpp.filters]", filters, &["zone"]);
        }
    }
    out
}

/// An empty line, the heading, and a line for each key, those of `first` first.
fn lines(out: &mut String, heading: &str, mut table: Table, first: &[&str]) {
    let _ = writeln!(out, "\n{heading}");
    let ordered: Vec<_> =
        first.iter().filter_map(|key| Some(((*key).to_owned(), table.remove(*key)?))).collect();
    for (key, value) in ordered.into_iter().chain(table) {
        let _ = writeln!(out, "{key} = {}", plain(value));
    }
}

/// A value whose strings mean themselves: `${` would name an environment variable.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(list) => Value::Array(list.into_iter().map(plain).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
        }
        other => other,
    }
}

fn commented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") };
    text.lines().map(line).collect()
}
