//! `[[mo]]` and `[limits]`: whose messages from phones are, and within what bounds messages are.

use super::read::{Names, Section, Value};
use super::{DAY, MINUTE};
use crate::policy::{PastSchedule, TextLimits};
use crate::store::MoRouteDraft;

/// The longest prefix: a whole number in international form (ITU-T E.164) and a little more for short codes.
const MAX_PREFIX: usize = 20;

/// A list with at least one element.
pub(super) fn list_once<'a, T>(
    value: &Value<'a>,
    mut read: impl FnMut(&Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let list = value.list(&mut read)?;
    if list.is_empty() { value.refuse("write at least one") } else { Some(list) }
}

/// Reads whose messages from phones are.
pub(super) fn read_mo(
    mut table: Section<'_>,
    prefixes: &mut Names,
    accounts: &Names,
) -> Option<MoRouteDraft> {
    let prefixes = table.need("prefixes", "[\"34600\"]", |v| list_once(v, |v| prefixes.claim(v, prefix(v)?)));
    let account = table.need("account", "\"acme\"", |v| accounts.known(v));
    table.finish();
    Some(MoRouteDraft { prefixes: prefixes?, account: account? })
}

/// Reads the bounds of every message.
pub(super) fn read_limits(root: &mut Section<'_>) -> TextLimits {
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
pub(super) fn prefix(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.len() <= MAX_PREFIX && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text);
    }
    value.refuse("write digits without +, the country code first, or \"\" for every number")
}
