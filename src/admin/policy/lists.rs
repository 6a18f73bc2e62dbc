//! Numbers that want nothing: an account's opt-outs, and the platform's blocklist.

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::admin::request::{Answer, Refused};
use crate::policy::number::international;
use crate::store::{Listing, Store, StoreError};

/// Numbers to put on a list, or to take off it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Numbers {
    /// Whose opt-outs; absent means the platform's blocklist.
    pub account: Option<String>,
    /// Whether they are taken off.
    pub remove: bool,
    /// At most 10,000; `+` or `00` before them, spaces and hyphens do not count.
    pub numbers: Vec<String>,
    /// Kept beside each.
    pub why: String,
}

/// What came of [`Numbers`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumbersChanged {
    /// How many were not on the list before, or were.
    pub changed: u64,
    /// Places, from 0, of what is no number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_numbers: Vec<usize>,
}

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// How many numbers are on it.
    pub count: u64,
    /// The first of them: number, RFC 3339 time since when, why.
    pub numbers: Vec<(String, String, String)>,
}

/// Numbers that are shown at once, at most.
const MOST_SHOWN: u32 = 1_000_000;

pub(in crate::admin) async fn change(store: &Store, asked: Numbers) -> Result<Answer, Refused> {
    let owner = owner(store, asked.account.as_deref())?;
    let mut no_numbers = Vec::new();
    let mut numbers = Vec::with_capacity(asked.numbers.len());
    for (place, written) in asked.numbers.iter().enumerate() {
        match number_of(written) {
            Some(number) => numbers.push(number),
            None => no_numbers.push(place),
        }
    }
    let listing = Listing { owner, adds: !asked.remove, numbers, why: asked.why };
    let changed = store.change_list(listing).await?;
    Ok(Answer::NumbersChanged(NumbersChanged { changed, no_numbers }))
}

pub(in crate::admin) async fn show(
    store: &Store,
    account: Option<String>,
    most: u32,
) -> Result<Answer, Refused> {
    let owner = owner(store, account.as_deref())?;
    let (numbers, count) =
        super::super::perform::read(store, move |reader| reader.listed(owner, most.min(MOST_SHOWN))).await?;
    let numbers = numbers.into_iter().map(|line| (line.number, line.at.to_string(), line.why)).collect();
    Ok(Answer::Listed(Listed { count, numbers }))
}

fn owner(store: &Store, account: Option<&str>) -> Result<Option<AccountId>, Refused> {
    let Some(name) = account else { return Ok(None) };
    let policy = store.policy();
    let found = policy.accounts().find(|account| account.name == name);
    match found {
        Some(account) => Ok(Some(account.id)),
        None => Err(StoreError::Unknown { what: "account", name: name.to_owned() }.into()),
    }
}

/// The digits of a number as people write it: 3 to 15 (ITU-T E.164 §6.2.1, and short codes).
#[must_use]
pub fn number_of(written: &str) -> Option<String> {
    let number = international(written.as_bytes()).filter(|number| (3..=15).contains(&number.len()))?;
    String::from_utf8(number.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        for (written, number) in [
            ("34600111222", Some("34600111222")),
            ("+34 600-111-222", Some("34600111222")),
            ("(34) 600.111.222", Some("34600111222")),
            ("0034600111222", Some("34600111222")),
            ("22000", Some("22000")),
            ("12", None),
            ("", None),
            ("+", None),
            ("++34600111222", None),
            ("1234567890123456", None),
            ("ACME", None),
            ("٣٤٦٠٠", None),
        ] {
            assert_eq!(number_of(written).as_deref(), number, "{written:?}");
        }
    }
}
