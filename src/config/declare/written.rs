//! A policy as it would be written in a file: for each thing a table of the keys that are not as by default. Differences
//! are told in these words, and an export is made of them.

use serde::Serialize;
use smpp_proto::text::gsm7::{Language, Languages};
use toml::{Table, Value};

use crate::config::read::shown_duration;
use crate::policy::filter::{Filters, NumberSense, OptOuts, Rule, Velocity};
use crate::policy::route::Pick;
use crate::policy::text::{NameMatch, ProtectedName};
use crate::policy::{Billing, Network, PastSchedule, Price, PriceList, TextLimits};
use crate::store::{AccountDraft, CredentialDraft, MoRouteDraft, RouteDraft, UpstreamDraft, UpstreamTraits};

/// An account without its name and its credentials. What it was granted at first is told only of a new one.
pub(super) fn account(draft: &AccountDraft) -> Table {
    let mut table = differing(&draft.terms);
    if let Some(parent) = &draft.parent {
        table.insert("parent".to_owned(), parent.as_str().into());
    }
    if draft.suspended {
        table.insert("suspended".to_owned(), true.into());
    }
    put_filters(&mut table, &draft.filters);
    table
}

/// A credential without its name and its password.
pub(super) fn credential(draft: &CredentialDraft) -> Table {
    let mut table = differing(&draft.bounds);
    table.remove("throughput_place");
    put_filters(&mut table, &draft.filters);
    table
}

fn put_filters(table: &mut Table, filters: &Filters) {
    let filters = self::filters(filters);
    if !filters.is_empty() {
        table.insert("filters".to_owned(), filters.into());
    }
}

/// A price.
pub(super) fn price(price: &Price) -> Table {
    let mut table = table_of(price);
    for (key, at) in [("from", price.from), ("until", price.until)] {
        if let Some(at) = at {
            table.insert(key.to_owned(), at.to_string().into());
        }
    }
    table
}

/// A network.
pub(super) fn network(network: &Network) -> Table {
    table_of(network)
}

/// A price list.
pub(super) fn price_list(list: &PriceList) -> Table {
    let mut table = Table::from_iter([("name".to_owned(), Value::from(list.name.as_str()))]);
    if let Some(Billing { currency, credit_value }) = &list.billing {
        table.insert("currency".to_owned(), currency.code().into());
        table.insert("rate".to_owned(), credit_value.to_string().into());
    }
    table
}

/// In what currency amounts are shown.
pub(super) fn billing(billing: Option<&Billing>) -> Table {
    let Some(Billing { currency, credit_value }) = billing else { return Table::new() };
    Table::from_iter([
        ("currency".to_owned(), currency.code().into()),
        ("credit_value".to_owned(), credit_value.to_string().into()),
    ])
}

/// A route. What is a weight in the store is a share where shares are counted, and empty lists are not written.
pub(super) fn route(route: &RouteDraft) -> Table {
    let mut table = table_of(route);
    if let Some(Value::Table(failover)) = table.get_mut("failover") {
        failover.retain(|_, value| !says_nothing(value));
    }
    if route.pick == Pick::Share
        && let Some(Value::Array(ways)) = table.get_mut("upstreams")
    {
        for way in ways.iter_mut().filter_map(Value::as_table_mut) {
            *way = renamed(std::mem::take(way), &[("weight", "share")]);
        }
    }
    table
}

/// Whose messages from phones are.
pub(super) fn mo(mo: &MoRouteDraft) -> Table {
    table_of(mo)
}

/// What the store knows of an operator, in the keys of a file: what is not as by default. Whether it asks about a submit in
/// doubt or ends it is all one to the store.
pub(super) fn upstream(upstream: &UpstreamDraft) -> Table {
    let UpstreamTraits { id_form, notes_sending, park, doubt_wait, languages } = upstream.traits;
    let usual = UpstreamTraits::default();
    let mut table = Table::new();
    if id_form != usual.id_form
        && let Some(word) = value_of(&id_form)
    {
        table.insert("id_form".to_owned(), word);
    }
    if park != usual.park {
        table.insert("park".to_owned(), shown_duration(park).into());
    }
    if doubt_wait != usual.doubt_wait {
        table.insert("in_doubt".to_owned(), "wait".into());
        table.insert("in_doubt_wait".to_owned(), shown_duration(doubt_wait).into());
    } else if notes_sending {
        table.insert("in_doubt".to_owned(), "query or fail".into());
    }
    if languages != usual.languages {
        let taken = Languages::from_bits(languages);
        let words = Language::ALL.into_iter().filter(|(language, _)| taken.contains(*language));
        let words: Vec<Value> = words.map(|(_, word)| word.into()).collect();
        table.insert("national_languages".to_owned(), words.into());
    }
    table
}

/// A name that belongs to somebody, without the name.
pub(super) fn protected(rule: &Rule<ProtectedName<String>>) -> Table {
    let ProtectedName { name: _, accounts, matches } = &rule.is;
    let accounts: Vec<Value> = accounts.iter().map(|name| name.as_str().into()).collect();
    let mut table = Table::from_iter([("accounts".to_owned(), accounts.into())]);
    if *matches == NameMatch::Contained {
        table.insert("match".to_owned(), "contained".into());
    }
    unless_enforced(&mut table, rule.enforce);
    table
}

/// The bounds of every message.
pub(super) fn limits(limits: &TextLimits) -> Table {
    let usual = TextLimits::default();
    let mut table = Table::new();
    let times = [
        ("default_validity", limits.default_validity, usual.default_validity),
        ("max_validity", limits.max_validity, usual.max_validity),
        ("max_schedule", limits.max_schedule, usual.max_schedule),
    ];
    for (key, time, usual) in times {
        if time != usual {
            table.insert(key.to_owned(), shown_duration(time).into());
        }
    }
    if limits.max_parts != usual.max_parts {
        table.insert("max_parts".to_owned(), i64::from(limits.max_parts).into());
    }
    if limits.past_schedule != usual.past_schedule {
        let word = match limits.past_schedule {
            PastSchedule::Refuse => "refuse",
            PastSchedule::Now => "now",
        };
        table.insert("past_schedule".to_owned(), word.into());
    }
    table
}

/// Filters by their keys, as they would be written.
#[must_use]
pub fn filters(filters: &Filters) -> Table {
    // Whoever adds a filter learns here that it must be written.
    let Filters {
        zone,
        duplicate,
        hours,
        countries,
        country_caps,
        senders,
        numbers,
        velocity,
        content,
        unicode,
        max_per_day,
        max_per_month,
        spend_per_day,
        spend_per_month,
        max_per_request,
        throughput,
        certified,
        opt_outs,
    } = filters;
    let mut out = Written(Table::new());
    if let Some(zone) = zone {
        out.0.insert("zone".to_owned(), zone.as_str().into());
    }
    out.table("duplicate", duplicate, |window| {
        Table::from_iter([("window".to_owned(), shown_duration(*window).into())])
    });
    out.tables("hours", hours, |hours| {
        renamed(table_of(hours), &[("from", "closed_from"), ("to", "closed_to")])
    });
    out.value("countries", "allow", countries);
    out.tables("country_caps", country_caps, table_of);
    out.value("senders", "allow", senders);
    out.table("numbers", numbers, |sense: &NumberSense| differing(sense));
    out.tables("velocity", velocity, |velocity: &Velocity| {
        let mut table = table_of(velocity);
        table.insert("per".to_owned(), shown_duration(velocity.per).into());
        table
    });
    out.tables("content", content, |rule| content_rule(table_of(rule)));
    out.value("unicode", "mode", unicode);
    out.value("max_per_day", "most", max_per_day);
    out.value("max_per_month", "most", max_per_month);
    out.value("spend_per_day", "most", spend_per_day);
    out.value("spend_per_month", "most", spend_per_month);
    out.value("max_per_request", "most", max_per_request);
    out.value("throughput", "most", throughput);
    out.value("certified", "allow", certified);
    match opt_outs {
        Some(rule) if rule.enforce && rule.is == OptOuts::default() => {
            out.0.insert("opt_outs".to_owned(), true.into());
        }
        rule => out.table("opt_outs", rule, differing),
    }
    out.0
}

/// Filters on their way to a table.
struct Written(Table);

impl Written {
    /// A rule that is one value; in a table when it is not enforced.
    fn value<T: Serialize>(&mut self, key: &str, inner: &str, rule: &Option<Rule<T>>) {
        let Some(rule) = rule else { return };
        let Some(value) = value_of(&rule.is) else { return };
        let written = if rule.enforce {
            value
        } else {
            let mut table = Table::from_iter([(inner.to_owned(), value)]);
            unless_enforced(&mut table, false);
            table.into()
        };
        self.0.insert(key.to_owned(), written);
    }

    /// A rule that is a table.
    fn table<T>(&mut self, key: &str, rule: &Option<Rule<T>>, written: impl Fn(&T) -> Table) {
        let Some(rule) = rule else { return };
        let mut table = written(&rule.is);
        unless_enforced(&mut table, rule.enforce);
        self.0.insert(key.to_owned(), table.into());
    }

    /// Rules that are tables.
    fn tables<T>(&mut self, key: &str, rules: &[Rule<T>], written: impl Fn(&T) -> Table) {
        if rules.is_empty() {
            return;
        }
        let tables: Vec<Value> = rules
            .iter()
            .map(|rule| {
                let mut table = written(&rule.is);
                unless_enforced(&mut table, rule.enforce);
                table.into()
            })
            .collect();
        self.0.insert(key.to_owned(), tables.into());
    }
}

fn unless_enforced(table: &mut Table, enforce: bool) {
    if !enforce {
        table.insert("enforce".to_owned(), false.into());
    }
}

/// What a content rule looks for stands in it under its kind.
fn content_rule(mut rule: Table) -> Table {
    let Some(Value::Table(matches)) = rule.remove("matches") else { return rule };
    for (kind, value) in matches {
        match (kind.to_lowercase(), value) {
            (kind, Value::Table(words)) if kind == "words" => rule.extend(words),
            (kind, Value::Table(links)) => {
                let written = links.into_iter().filter(|(_, value)| !says_nothing(value));
                rule.insert(kind, Value::Table(written.collect()));
            }
            (kind, value) => {
                rule.insert(kind, value);
            }
        }
    }
    rule.into_iter().filter(|(_, value)| *value != Value::Boolean(false)).collect()
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Boolean(flag) => !flag,
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn renamed(mut table: Table, names: &[(&str, &str)]) -> Table {
    for (from, to) in names {
        if let Some(value) = table.remove(*from) {
            table.insert((*to).to_owned(), value);
        }
    }
    table
}

/// The keys of something whose stored form is the written one.
fn table_of<T: Serialize>(thing: &T) -> Table {
    Table::try_from(thing).unwrap_or_default()
}

/// Those of them that are not as by default.
fn differing<T: Serialize + Default>(thing: &T) -> Table {
    let usual = table_of(&T::default());
    table_of(thing).into_iter().filter(|(key, value)| usual.get(key) != Some(value)).collect()
}

fn value_of<T: Serialize>(thing: &T) -> Option<Value> {
    Value::try_from(thing).ok()
}
