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
    /// Elements of a list that come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<String>,
    /// Elements of a list that go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub went: Vec<String>,
    /// Whether a list has the same elements in another order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reordered: bool,
}

impl KeyChange {
    /// Of a value that is told whole.
    #[must_use]
    pub fn of(key: &str, from: Option<String>, to: Option<String>) -> Self {
        Self { key: key.to_owned(), from, to, came: Vec::new(), went: Vec::new(), reordered: false }
    }

    /// Whether it is a list of which some elements are told.
    #[must_use]
    pub fn tells_elements(&self) -> bool {
        self.reordered || !self.came.is_empty() || !self.went.is_empty()
    }
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
            (Some(from), Some(to)) if self.is_short() || !self.tells_elements() => {
                let same = same_beginning(from, to);
                write!(f, "{}: {} -> {}", self.key, short_from(from, same), short_from(to, same))
            }
            (Some(_), Some(_)) if self.reordered => write!(f, "{}: the same in another order", self.key),
            (Some(_), Some(_)) => {
                write!(f, "{}:", self.key)?;
                let same = match (&self.went[..], &self.came[..]) {
                    // One became another: what differs must be seen.
                    ([went], [came]) => same_beginning(went, came),
                    _ => 0,
                };
                elements(f, '-', &self.went, same)?;
                elements(f, '+', &self.came, same)
            }
            (None, Some(to)) => write!(f, "{} = {}", self.key, short(to)),
            (Some(from), None) => write!(f, "{} no longer {}", self.key, short(from)),
            (None, None) => write!(f, "{} changed", self.key),
        }
    }
}

/// Elements that are told of one list.
const ELEMENTS: usize = 10;
/// Characters that are shown before two long values begin to differ.
const BEFORE: usize = 20;

impl KeyChange {
    /// Whether both values can be shown whole.
    fn is_short(&self) -> bool {
        [&self.from, &self.to].into_iter().flatten().all(|value| value.chars().count() <= SHOWN)
    }
}

fn elements(f: &mut fmt::Formatter<'_>, sign: char, list: &[String], same: usize) -> fmt::Result {
    for element in list.iter().take(ELEMENTS) {
        write!(f, " {sign}{}", short_from(element, same))?;
    }
    match list.len().saturating_sub(ELEMENTS) {
        0 => Ok(()),
        more => write!(f, " ({sign}{more} more)"),
    }
}

/// Characters at the beginning that two long values have in common and that need not be shown; none of short ones.
fn same_beginning(one: &str, other: &str) -> usize {
    if one.chars().count().max(other.chars().count()) <= SHOWN {
        return 0;
    }
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    same.saturating_sub(BEFORE)
}

/// The beginning of a long value.
fn short(value: &str) -> String {
    short_from(value, 0)
}

/// So many characters of a long value left out, and then its beginning. What moves a terminal's cursor is escaped.
fn short_from(value: &str, skipped: usize) -> String {
    let before = if skipped == 0 { "" } else { "…" };
    let shown: String = value.chars().skip(skipped).take(SHOWN).flat_map(escaped).collect();
    match value.chars().count().saturating_sub(skipped + SHOWN) {
        0 => format!("{before}{shown}"),
        more => format!("{before}{shown}… ({more} characters more)"),
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (same, escape) = if matches!(c, '"' | '\'' | '\\') { (Some(c), None) } else { (None, Some(c)) };
    same.into_iter().chain(escape.into_iter().flat_map(char::escape_debug))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, from: Option<&str>, to: Option<&str>) -> KeyChange {
        KeyChange::of(key, from.map(str::to_owned), to.map(str::to_owned))
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
        let changes = Changes { changes: vec![change], ..Changes::default() };
        assert_eq!(changes.summary(false), "0 to add, 1 to change, 0 to suspend, 0 to remove");
        assert_eq!(changes.summary(true), "0 added, 1 changed, 0 suspended, 0 removed");
    }

    #[test]
    fn long_values_are_cut_and_control_characters_are_told() {
        let long = "x".repeat(150);
        assert!(key("senders", None, Some(&long)).to_string().ends_with("xxx… (50 characters more)"));
        assert_eq!(key("text", None, Some("a\u{1b}[2J")).to_string(), "text = a\\u{1b}[2J");
        let told = key("pattern", Some(&format!("{long}a")), Some(&format!("{long}b"))).to_string();
        let near = "x".repeat(BEFORE);
        assert_eq!(told, format!("pattern: …{near}a -> …{near}b"), "where they differ");
    }

    #[test]
    fn of_a_long_list_only_what_came_and_went_is_told() {
        let long = Some("x".repeat(150));
        let lists = |came: &[&str], went: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            KeyChange {
                came: owned(came),
                went: owned(went),
                ..KeyChange::of("senders", long.clone(), long.clone())
            }
        };
        assert_eq!(lists(&["\"C\""], &["\"A\"", "\"B\""]).to_string(), "senders: -\"A\" -\"B\" +\"C\"");
        assert_eq!(lists(&["1"; 12], &[]).to_string(), "senders: +1 +1 +1 +1 +1 +1 +1 +1 +1 +1 (+2 more)");
        let reordered = KeyChange { reordered: true, ..lists(&[], &[]) };
        assert_eq!(reordered.to_string(), "senders: the same in another order");
    }
}
