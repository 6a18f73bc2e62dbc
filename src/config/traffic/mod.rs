//! `[[mo]]` and `[limits]`: whose messages from phones are, and within what bounds messages are.

pub(in crate::config) mod price;
pub(in crate::config) mod route;

use super::account::ConfiguredAccount;
use super::read::{Names, Section, Value, did_you_mean};
use super::{DAY, MINUTE};
use crate::policy::number::Country;
use crate::policy::text::keyword;
use crate::policy::{PastSchedule, TextLimits};
use crate::store::MoRouteDraft;

/// The longest prefix: a whole number in international form (ITU-T E.164) and a little more for short codes.
const MAX_PREFIX: usize = 20;

/// A list with at least one element.
pub(in crate::config) fn list_once<'a, T>(
    value: &Value<'a>,
    mut read: impl FnMut(&Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let list = value.list(&mut read)?;
    if list.is_empty() { value.refuse("write at least one") } else { Some(list) }
}

/// Reads whose messages from phones are. Of an account's credentials one may be named.
pub(in crate::config) fn read_mo(
    mut table: Section<'_>,
    taken: &mut Names,
    accounts: &Names,
    credentials: &[ConfiguredAccount],
) -> Option<MoRouteDraft> {
    let mut word = None;
    table.put("keyword", &mut word, |v| {
        let text = v.text_of(1..=32)?;
        match keyword(&text) {
            Some(word) if word.chars().count() == text.chars().count() => Some(Some(word)),
            _ => v.refuse("write one word of letters and digits"),
        }
    });
    let prefixes = table.need("prefixes", "[\"34600\"]", |v| {
        list_once(v, |v| {
            let prefix = prefix(v)?;
            // The same number may lead elsewhere with each word.
            let apart = word.as_ref().map(|word| format!(" and the keyword {word}")).unwrap_or_default();
            taken.claim(v, format!("{prefix}{apart}")).map(|_| prefix)
        })
    });
    let account = table.need("account", "\"acme\"", |v| accounts.known(v));
    let mut credential = None;
    table.put("credential", &mut credential, |v| {
        let own = credentials.iter().find(|known| Some(&known.name) == account.as_ref())?;
        let names = own.credentials.iter().map(|known| known.system_id.as_str());
        let name = v.text()?;
        if names.clone().any(|known| known == name) {
            return Some(Some(name));
        }
        v.say(format!("account {:?} has no credential {name:?}", own.name), did_you_mean(&name, names))
    });
    table.finish();
    Some(MoRouteDraft { prefixes: prefixes?, account: account?, keyword: word, credential })
}

/// Reads the bounds of every message.
pub(in crate::config) fn read_limits(root: &mut Section<'_>) -> TextLimits {
    let mut table = root.section("limits", "[limits]");
    let mut limits = TextLimits::default();
    table.put("max_validity", &mut limits.max_validity, |v| v.duration(MINUTE..=365 * DAY));
    let longest = limits.max_validity;
    // The longest validity bounds the default one, written or not.
    limits.default_validity = limits.default_validity.min(longest);
    table.put("default_validity", &mut limits.default_validity, |v| v.duration(MINUTE..=longest));
    table.put("max_schedule", &mut limits.max_schedule, |v| v.duration(MINUTE..=365 * DAY));
    table.put("max_parts", &mut limits.max_parts, |v| v.number(1..=255));
    table.put("past_schedule", &mut limits.past_schedule, |v| {
        v.one_of(&[("refuse", PastSchedule::Refuse), ("now", PastSchedule::Now)])
    });
    table.finish();
    limits
}

/// The beginning of a number.
pub(in crate::config) fn prefix(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    // No number begins with 00 once it is read, so such a prefix would stand for nothing.
    if text.len() <= MAX_PREFIX && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with("00") {
        return Some(text);
    }
    value.refuse("write digits without + or 00, the country code first, or \"\" for every number")
}

/// A country that the numbering plans know: a price, a route or a filter for another one would never match.
pub(in crate::config) fn country(value: &Value<'_>) -> Option<Country> {
    match value.text()?.as_str() {
        // What people write for it; the standard only reserves it.
        "UK" => value.refuse("write \"GB\", the code of the United Kingdom in ISO 3166-1"),
        text => match text.parse() {
            Ok(country) => Some(country),
            Err(_) => value.refuse("write a country as two capital letters of ISO 3166-1, such as \"ES\""),
        },
    }
}
