//! `[billing]`, `[[network]]`, `[[price_list]]` and `[[price]]`: what a segment costs, and how amounts are shown.

use super::{country, list_once, prefix};
use crate::account::Credits;
use crate::config::read::{Names, Section, Value};
use crate::policy::{Billing, Network, Price, PriceList, Reach};

/// Names that prices take and refer to.
pub(in crate::config) struct PriceNames {
    /// Price lists.
    pub(in crate::config) lists: Names,
    networks: Names,
    network_prefixes: Names,
    prefixes: Names,
    countries: Names,
    priced_networks: Names,
}

impl PriceNames {
    /// No names yet.
    pub(in crate::config) fn new() -> Self {
        Self {
            lists: Names::of("price list"),
            networks: Names::of("network"),
            network_prefixes: Names::of("a network with the prefix"),
            prefixes: Names::of("a price for the prefix"),
            countries: Names::of("a price for the country"),
            priced_networks: Names::of("a price for the network"),
        }
    }
}

/// Reads in what currency amounts are shown.
pub(in crate::config) fn read_billing(root: &mut Section<'_>) -> Option<Billing> {
    let mut table = root.section("billing", "[billing]");
    if !table.is_written() {
        return None;
    }
    let currency = table.need("currency", "\"EUR\"", Value::parsed);
    let credit_value = table.need("credit_value", "\"0.01\"", above_zero);
    table.finish();
    Some(Billing { currency: currency?, credit_value: credit_value? })
}

/// Reads a network.
pub(in crate::config) fn read_network(mut table: Section<'_>, names: &mut PriceNames) -> Option<Network> {
    let name = table.need("name", "\"ES-Movistar\"", |v| names.networks.claim(v, v.name()?));
    let taken = &mut names.network_prefixes;
    let prefixes = table.need("prefixes", "[\"34600\"]", |v| {
        list_once(v, |v| match prefix(v)? {
            empty if empty.is_empty() => v.refuse("write at least one digit: a network has not every number"),
            digits => taken.claim(v, digits),
        })
    });
    table.finish();
    Some(Network { name: name?, prefixes: prefixes? })
}

/// Reads a price list.
pub(in crate::config) fn read_list(
    mut table: Section<'_>,
    names: &mut PriceNames,
    usual: Option<&Billing>,
) -> Option<PriceList> {
    let name = table.need("name", "\"gold\"", |v| names.lists.claim(v, v.name()?));
    let (mut currency, mut rate) = (None, usual.map(|billing| billing.credit_value));
    let written = table.value("currency");
    table.put("rate", &mut rate, |v| above_zero(v).map(Some));
    if let Some(value) = written {
        currency = value.parsed();
        // [billing] may stand in a file that could not be read.
        if currency.is_some() && rate.is_none() && !value.sources().is_partial() {
            let advice = "add rate, what one credit is worth in it, or [billing] with a credit_value";
            value.say::<()>("a currency says nothing without a rate".to_owned(), advice);
        }
    }
    let billing = currency.zip(rate).map(|(currency, credit_value)| Billing { currency, credit_value });
    table.finish();
    Some(PriceList { name: name?, billing })
}

/// Reads a price.
pub(in crate::config) fn read_price(mut table: Section<'_>, names: &mut PriceNames) -> Option<Price> {
    let reaches = [("prefix", table.value("prefix")), ("country", table.value("country")), {
        ("network", table.value("network"))
    }];
    let mut written = reaches.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let (first, second) = (written.next(), written.next());
    let credits = table.need("credits", "\"1\"", amount);
    let (mut list, mut from, mut until) = (None, None, None);
    table.put("list", &mut list, |v| names.lists.known(v).map(Some));
    table.put("from", &mut from, |v| v.moment().map(Some));
    table.put("until", &mut until, |v| match v.moment()? {
        end if from.is_some_and(|from| end <= from) => v.refuse("write a time after from"),
        end => Some(Some(end)),
    });
    let reach = match (first, second) {
        (None, _) => {
            table.miss("has no prefix, country or network", "add prefix = \"\" for every number");
            None
        }
        (Some((first, _)), Some((second, value))) => value.say(
            format!("there are a {first} and a {second}"),
            "keep one of them, and write another [[price]]",
        ),
        (Some((key, value)), None) => {
            // The same numbers may have a price in each list, and one from each time on.
            let apart = |text: &str| {
                let list = list.as_ref().map(|list| format!(" in {list}")).unwrap_or_default();
                let from =
                    from.map(|from: crate::clock::Timestamp| format!(" from {from}")).unwrap_or_default();
                format!("{text}{list}{from}")
            };
            match key {
                "prefix" => prefix(&value)
                    .and_then(|text| names.prefixes.claim(&value, apart(&text)).map(|_| Reach::Prefix(text))),
                "country" => country(&value).map(|country| country.code().to_owned()).and_then(|text| {
                    names.countries.claim(&value, apart(&text)).map(|_| Reach::Country(text))
                }),
                _ => names.networks.known(&value).and_then(|text| {
                    names.priced_networks.claim(&value, apart(&text)).map(|_| Reach::Network(text))
                }),
            }
        }
    };
    table.finish();
    Some(Price { reach: reach?, credits: credits?, list, from, until })
}

/// Whether some number that begins with `prefix` may have a price. What country a number is of is not known here.
pub(in crate::config) fn covers(prices: &[Price], networks: &[Network], prefix: &str) -> bool {
    let meets = |other: &str| other.starts_with(prefix) || prefix.starts_with(other);
    prices.iter().any(|price| match &price.reach {
        Reach::Prefix(other) => meets(other),
        Reach::Country(_) => true,
        Reach::Network(name) => {
            let network = networks.iter().find(|network| network.name == *name);
            network.is_some_and(|network| network.prefixes.iter().any(|other| meets(other)))
        }
    })
}

/// An amount of 0 or more.
pub(in crate::config) fn amount(value: &Value<'_>) -> Option<Credits> {
    match value.amount()? {
        amount if amount < Credits::ZERO => value.refuse("write a price of 0 or more"),
        amount => Some(amount),
    }
}

fn above_zero(value: &Value<'_>) -> Option<Credits> {
    match value.amount()? {
        amount if amount <= Credits::ZERO => value.refuse("write more than 0"),
        amount => Some(amount),
    }
}
