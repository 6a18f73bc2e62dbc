//! `[[route]]`, `[[mo]]` and `[limits]`: which way, whose, and within what bounds.

use super::read::{Names, Section, Sources, Value};
use super::{DAY, MINUTE, price};
use crate::policy::{Network, PastSchedule, Price, TextLimits};
use crate::smsc::{BindMode, Upstream};
use crate::store::{MoRouteDraft, RouteDraft};

/// The longest prefix: a whole number in international form (ITU-T E.164) and a little more for short codes.
const MAX_PREFIX: usize = 20;

/// Reads a route.
pub(super) fn read_route(
    mut table: Section<'_>,
    names: &mut Names,
    upstreams: &Names,
    prices: Option<(&[Price], &[Network])>,
) -> Option<RouteDraft> {
    let name = table.need("name", "\"everywhere\"", |v| names.claim(v, v.name()?));
    let prefixes = table.need("prefixes", "[\"\"]", |v| {
        let mut own = Names::of("in this route the prefix");
        let read = |v: &Value<'_>| own_prefix(v, &mut own, prices);
        list_once(v, read)
    });
    let ways = table.need("upstreams", "[\"north\"]", |v| {
        let mut own = Names::of("in this route the upstream");
        list_once(v, |v| own.claim(v, upstreams.known(v)?))
    });
    table.finish();
    Some(RouteDraft { name: name?, prefixes: prefixes?, upstreams: ways? })
}

/// A prefix of a route that can be paid for: some number that begins with it has a price.
fn own_prefix(value: &Value<'_>, own: &mut Names, prices: Option<(&[Price], &[Network])>) -> Option<String> {
    let prefix = own.claim(value, prefix(value)?)?;
    match prices {
        Some((prices, networks)) if !price::covers(prices, networks, &prefix) => value.say(
            format!("no [[price]] covers the prefix {prefix:?} of this route"),
            format!("add a [[price]] with prefix = {prefix:?}, or one with prefix = \"\" for every number"),
        ),
        _ => Some(prefix),
    }
}

/// Every operator of a route takes messages.
pub(super) fn check_ways(
    routes: &[RouteDraft],
    names: &Names,
    upstreams: &[Upstream],
    sources: &Sources<'_>,
) {
    let deaf = |name: &String| {
        upstreams.iter().any(|known| known.name == *name && known.bind_type == BindMode::Receiver)
    };
    for route in routes {
        for upstream in route.upstreams.iter().filter(|name| deaf(name)) {
            let Some(place) = names.place(&route.name) else { continue };
            sources.report(
                place,
                format!("route {:?} leads to {upstream:?}, which is bound as receiver only", route.name),
                "bind it as transceiver, transmitter or pair, or take it out of the route".to_owned(),
            );
        }
    }
}

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
