//! What a policy changes, told for people and scripts: what appears, what becomes different and how, what goes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What becomes of it.
    pub how: How,
    /// What kind of thing it is: `account`, `credential`, `price`, `route`, `mo`, `upstream`, `protected_name`, `limits`,
    /// `filters`.
    pub what: String,
    /// Its name; empty where there is only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whose it is, of a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What of it differs; of something new, all that is not as by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyChange>,
}

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is new.
    Add,
    /// It becomes different.
    Change,
    /// An account that is in no file any more: it keeps its books and may not act.
    Suspend,
    /// It goes.
    Remove,
}

/// One key that differs. Values are as they would be written in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// The key, with those of its tables: `filters.max_per_day`.
    pub key: String,
    /// What it was; absent when it was not written, or is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it becomes; absent when it is not written any more, or is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What was changed, and how many of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// In the order: accounts with their credentials, then prices, routes and the others.
    pub changes: Vec<Change>,
    /// What a running daemon did about its operators; empty where none runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<OperatorChange>,
    /// Keys that the files write otherwise than the daemon was started with: it goes on as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes_restart: Vec<String>,
}

/// An operator that a running daemon took, changed or left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorChange {
    /// What became of it.
    pub how: How,
    /// Its name.
    pub name: String,
    /// Keys that differ; their values may be secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Whether its binds were made anew for that.
    pub rebound: bool,
}

/// Characters of a value that a person is shown.
const SHOWN: usize = 100;

impl Changes {
    /// How many there are of a kind.
    #[must_use]
    pub fn count(&self, how: How) -> usize {
        self.changes.iter().filter(|change| change.how == how).count()
    }

    /// One line that counts all: `2 to add, 1 to change, 0 to suspend, 0 to remove`.
    #[must_use]
    pub fn summary(&self, done: bool) -> String {
        let kinds = [
            (How::Add, "to add", "added"),
            (How::Change, "to change", "changed"),
            (How::Suspend, "to suspend", "suspended"),
            (How::Remove, "to remove", "removed"),
        ];
        let told = kinds.map(|(how, will, was)| {
            let word = if done { was } else { will };
            format!("{} {word}", self.count(how))
        });
        told.join(", ")
    }

    /// What became of operators, on one line; empty when nothing did.
    #[must_use]
    pub fn operators_shown(&self) -> String {
        self.operators.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for OperatorChange {
    /// `north: throughput changed`, `west: taken`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match self.how {
            How::Add => f.write_str("taken"),
            How::Change => {
                let anew = if self.rebound { ", bound anew" } else { "" };
                write!(f, "{} changed{anew}", self.keys.join(", "))
            }
            How::Suspend | How::Remove => f.write_str("left"),
        }
    }
}

impl fmt::Display for Change {
    /// A line, and one for each key; none ends with a newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.how {
            How::Add => '+',
            How::Change => '~',
            How::Suspend | How::Remove => '-',
        };
        write!(f, "{sign} {}", self.what)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        if let Some(account) = &self.account {
            write!(f, " of account {account}")?;
        }
        if self.how == How::Suspend {
            f.write_str(": in no file any more, suspended; its books are kept")?;
        }
        for key in &self.keys {
            write!(f, "\n    {key}")?;
        }
        Ok(())
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{}: {} -> {}", self.key, short(from), short(to)),
            (None, Some(to)) => write!(f, "{} = {}", self.key, short(to)),
            (Some(from), None) => write!(f, "{} no longer {}", self.key, short(from)),
            (None, None) => write!(f, "{} changed", self.key),
        }
    }
}

/// The beginning of a long value. What moves a terminal's cursor is escaped.
fn short(value: &str) -> String {
    let shown: String = value.chars().take(SHOWN).flat_map(escaped).collect();
    let more = value.chars().count().saturating_sub(SHOWN);
    if more == 0 { shown } else { format!("{shown}… ({more} characters more)") }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (same, escape) = if matches!(c, '"' | '\'' | '\\') { (Some(c), None) } else { (None, Some(c)) };
    same.into_iter().chain(escape.into_iter().flat_map(char::escape_debug))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, from: Option<&str>, to: Option<&str>) -> KeyChange {
        KeyChange { key: key.to_owned(), from: from.map(str::to_owned), to: to.map(str::to_owned) }
    }

    #[test]
    fn a_change_reads_like_a_sentence() {
        let change = Change {
            how: How::Change,
            what: "credential".to_owned(),
            name: "acme".to_owned(),
            account: Some("acme".to_owned()),
            keys: vec![
                key("password", None, None),
                key("window", Some("10"), Some("20")),
                key("filters.zone", None, Some("\"UTC\"")),
                key("throughput", Some("\"5/s\""), None),
            ],
        };
        assert_eq!(
            change.to_string(),
            "~ credential acme of account acme\n    password changed\n    window: 10 -> 20\n    \
             filters.zone = \"UTC\"\n    throughput no longer \"5/s\""
        );
        let changes = Changes { changes: vec![change] };
        assert_eq!(changes.summary(false), "0 to add, 1 to change, 0 to suspend, 0 to remove");
        assert_eq!(changes.summary(true), "0 added, 1 changed, 0 suspended, 0 removed");
    }

    #[test]
    fn long_values_are_cut_and_control_characters_are_told() {
        let long = "x".repeat(150);
        assert!(key("senders", None, Some(&long)).to_string().ends_with("xxx… (50 characters more)"));
        assert_eq!(key("text", None, Some("a\u{1b}[2J")).to_string(), "text = a\\u{1b}[2J");
    }
}
