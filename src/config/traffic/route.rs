//! `[[route]]`: which way a message takes, and under what conditions.

use super::price;
use super::{country, list_once, prefix};
use crate::config::read::{Names, Section, Sources, Value};
use crate::policy::hours::Interval;
use crate::policy::route::{Class, Failover, Negative, Pick};
use crate::policy::text::SenderPattern;
use crate::policy::{Network, Price};
use crate::smsc::{BindMode, Upstream};
use crate::store::{RouteDraft, WayDraft};

/// What routes refer to.
pub(in crate::config) struct Around<'a> {
    /// Operators.
    pub(in crate::config) upstreams: &'a Names,
    /// Accounts.
    pub(in crate::config) accounts: &'a Names,
    /// Prices and networks, if all of them could be read.
    pub(in crate::config) prices: Option<(&'a [Price], &'a [Network])>,
}

/// Reads a route.
pub(in crate::config) fn read_route(
    mut table: Section<'_>,
    names: &mut Names,
    around: &Around<'_>,
) -> Option<RouteDraft> {
    let name = table.need("name", "\"everywhere\"", |v| names.claim(v, v.name()?));
    let prefixes = match table.value("prefixes") {
        None => Some(vec![String::new()]),
        Some(value) => {
            let mut own = Names::of("in this route the prefix");
            list_once(&value, |v| own_prefix(v, &mut own, around.prices))
        }
    };
    let mut pick = Pick::default();
    table.put("pick", &mut pick, |v| {
        v.one_of(&[
            ("order", Pick::Order),
            ("weight", Pick::Weight),
            ("share", Pick::Share),
            ("cheapest", Pick::Cheapest),
        ])
    });
    let ways = table.need("upstreams", "[\"north\"]", |v| read_ways(v, pick, around.upstreams));
    let mut route = RouteDraft { pick, ..RouteDraft::default() };
    table.put("accounts", &mut route.accounts, |v| list_once(v, |v| around.accounts.known(v)));
    table.put("senders", &mut route.senders, |v| {
        list_once(v, |v| Some(v.parsed::<SenderPattern>()?.to_string()))
    });
    table.put("countries", &mut route.countries, |v| list_once(v, |v| Some(country(v)?.code().to_owned())));
    table.put("classes", &mut route.classes, |v| list_once(v, |v| v.one_of(&Class::ALL)));
    table.put("zone", &mut route.zone, |v| v.zone().map(Some));
    table.put("hours", &mut route.hours, |v| {
        list_once(v, |v| {
            v.parsed::<Interval>()?;
            v.text()
        })
    });
    table.put("min_price", &mut route.min_price, |v| price::amount(v).map(Some));
    let least = route.min_price;
    table.put("max_price", &mut route.max_price, |v| match price::amount(v)? {
        most if least.is_some_and(|least| most < least) => v.refuse("write no less than min_price"),
        most => Some(Some(most)),
    });
    route.failover = read_failover(&mut table);
    table.finish();
    Some(RouteDraft { name: name?, prefixes: prefixes?, upstreams: ways?, ..route })
}

/// What sends a message on.
fn read_failover(table: &mut Section<'_>) -> Option<Failover> {
    let mut table = table.section("failover", "[route.failover]");
    if !table.is_written() {
        return None;
    }
    let mut failover = Failover::default();
    let mut heeds = false;
    table.put("statuses", &mut failover.statuses, |v| {
        heeds = true;
        list_once(v, |v| v.number(1..=u32::MAX))
    });
    table.put("on_receipt", &mut failover.on_receipt, |v| {
        heeds = true;
        list_once(v, |v| v.one_of(&Negative::ALL))
    });
    table.put("max_cost", &mut failover.max_cost, |v| price::amount(v).map(Some));
    table.put("max_attempts", &mut failover.max_attempts, |v| v.number(1..=16));
    if !heeds {
        table.miss("sends nothing on", "add statuses, or on_receipt = [\"UNDELIV\"]");
    }
    table.finish();
    Some(failover)
}

/// The operators of a route, by name or as tables.
fn read_ways(value: &Value<'_>, pick: Pick, upstreams: &Names) -> Option<Vec<WayDraft>> {
    let mut own = Names::of("in this route the upstream");
    let ways = list_once(value, |v| read_way(v, pick, &mut own, upstreams))?;
    let shares: u32 = ways.iter().filter_map(|way| way.weight).sum();
    if pick == Pick::Share && shares != 100 {
        return value
            .say(format!("the shares of this route add up to {shares}"), "let them add up to 100 percent");
    }
    Some(ways)
}

fn read_way(value: &Value<'_>, pick: Pick, own: &mut Names, upstreams: &Names) -> Option<WayDraft> {
    let Some(mut table) = Section::inline(value, "upstreams") else {
        let name = own.claim(value, upstreams.known(value)?)?;
        let weight = (pick == Pick::Share).then_some(0);
        return Some(WayDraft { name, weight, cost: None });
    };
    let name = table.need("name", "\"north\"", |v| own.claim(v, upstreams.known(v)?));
    let mut way = WayDraft::default();
    match pick {
        Pick::Weight => {
            table.put("weight", &mut way.weight, |v| v.number(0..=1_000_000).map(Some));
            table.refuse("share", "says nothing here", "set pick = \"share\" for the route, or write weight");
        }
        Pick::Share => {
            way.weight = Some(0);
            table.put("share", &mut way.weight, |v| v.number(0..=100).map(Some));
            table.refuse(
                "weight",
                "says nothing here",
                "set pick = \"weight\" for the route, or write share",
            );
        }
        Pick::Order | Pick::Cheapest => {
            for key in ["weight", "share"] {
                table.refuse(key, "says nothing here", "set pick = \"weight\" or \"share\" for the route");
            }
        }
    }
    table.put("cost", &mut way.cost, |v| price::amount(v).map(Some));
    table.finish();
    Some(WayDraft { name: name?, ..way })
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
pub(in crate::config) fn check_ways(
    routes: &[RouteDraft],
    names: &Names,
    upstreams: &[Upstream],
    sources: &Sources<'_>,
) {
    let deaf = |name: &str| {
        upstreams.iter().any(|known| known.name == name && known.bind_type == BindMode::Receiver)
    };
    for route in routes {
        for way in route.upstreams.iter().filter(|way| deaf(&way.name)) {
            let Some(place) = names.place(&route.name) else { continue };
            let upstream = &way.name;
            sources.report(
                place,
                format!("route {:?} leads to {upstream:?}, which is bound as receiver only", route.name),
                "bind it as transceiver, transmitter or pair, or take it out of the route".to_owned(),
            );
        }
    }
}
