//! A policy with every filter on, as large as carriers have them: 10,000 accounts, 5,000 prices, 100 senders, 30 countries,
//! 1,000 content rules (none of them folded: see `benches/content.rs` for those), caps, paces, quotas.

#![allow(dead_code, unreachable_pub, reason = "each bench takes what it needs")]

use std::collections::HashMap;
use std::time::Duration;

use tollgate::account::{Account, AccountId, Credits, Origin, Terms};
use tollgate::message::{RouteId, UpstreamId};
use tollgate::policy::filter::{CountryCap, Filters, NumberSense, OptOuts, Rule, Unicode, Velocity};
use tollgate::policy::hours::{Action, ClosedHours};
use tollgate::policy::number::{Country, Kind};
use tollgate::policy::text::{NameMatch, ProtectedName};
use tollgate::policy::{Platform, Price, Route, Snapshot, SnapshotParts, WayTo};

use super::rules::{Draw, rules};

/// Who sends: account 2 under account 1.
pub const SENDER: AccountId = AccountId(2);

fn account(id: u32, parent: Option<u32>) -> Account {
    Account {
        id: AccountId(id),
        name: format!("account-{id}"),
        parent: parent.map(AccountId),
        suspended: false,
        origin: Origin::File,
        terms: Terms::default(),
    }
}

/// Filters of the account that sends.
pub fn filters() -> Filters {
    let mut draw = Draw(7);
    let senders = (0..97).map(|n| if n % 5 == 0 { format!("{}*", draw.word()) } else { draw.word() });
    let senders = senders
        .chain(["Tollgate", "TOLLGATE", "bench"].map(str::to_owned))
        .map(|s| s[..s.len().min(11)].parse().expect("a sender"));
    let countries: Vec<Country> = Country::all().step_by(9).take(28).collect();
    let known = ["GB", "ES"].map(|code| code.parse().expect("a country"));
    let cap =
        |country| CountryCap { country: Some(country), messages: Some(1_000_000_000_000), credits: None };
    Filters {
        zone: Some("Europe/Madrid".to_owned()),
        duplicate: Some(Rule::of(Duration::from_secs(3_600))),
        hours: vec![Rule::of(ClosedHours {
            from: "02:00".parse().expect("a time"),
            to: "02:30".parse().expect("a time"),
            zone: "Europe/Madrid".to_owned(),
            days: Default::default(),
            action: Action::Hold,
        })],
        countries: Some(Rule::of(known.into_iter().chain(countries.clone()).collect())),
        country_caps: known.into_iter().chain(countries).map(|country| Rule::of(cap(country))).collect(),
        senders: Some(Rule::of(senders.collect())),
        numbers: Some(Rule::of(NumberSense {
            refuse: vec![Kind::Premium, Kind::SharedCost],
            check_length: false,
        })),
        velocity: vec![
            Rule::of(Velocity {
                prefix: String::new(),
                digits: 15,
                most: 1_000_000,
                per: Duration::from_secs(60),
            }),
            Rule::of(Velocity {
                prefix: String::new(),
                digits: 6,
                most: 1_000_000,
                per: Duration::from_secs(1),
            }),
        ],
        unicode: Some(Rule::of(Unicode::Transliterate)),
        max_per_day: Some(Rule::of(1_000_000_000_000)),
        max_per_month: Some(Rule::of(1_000_000_000_000)),
        spend_per_month: Some(Rule::of(Credits::from_micro(1_000_000_000_000_000))),
        max_per_request: Some(Rule::of(1_000)),
        opt_outs: Some(Rule::of(OptOuts::default())),
        ..Filters::default()
    }
}

/// What binds everybody: the content rules and the protected names.
pub fn platform() -> Platform {
    let mut draw = Draw(11);
    let content = rules(&mut Draw(5), false).into_iter().map(Rule::of).collect();
    let mut names = std::collections::BTreeSet::new();
    while names.len() < 100 {
        names.insert(draw.word());
    }
    let protected = names.into_iter().map(|name| {
        Rule::of(ProtectedName { name, accounts: vec!["account-3".to_owned()], matches: NameMatch::Whole })
    });
    Platform { filters: Filters { content, ..Filters::default() }, protected: protected.collect() }
}

/// The parts of a policy with every filter on, or none.
pub fn parts(filtered: bool) -> SnapshotParts {
    let accounts = (1..=10_000).map(|id| account(id, (id == SENDER.0).then_some(1)));
    let digits = (0..5_000_u32).map(|n| (100 + n * 7919 % 9_999_900).to_string());
    let prefixes: Vec<String> = std::iter::once(String::new()).chain(digits).collect();
    let prices =
        prefixes.iter().zip(1..).map(|(prefix, micro)| Price::of(prefix, Credits::from_micro(micro)));
    let route = Route {
        id: RouteId(1),
        name: "everywhere".to_owned(),
        prefixes: vec![String::new()],
        ways: vec![WayTo { upstream: UpstreamId(1), weight: 1, cost: None }],
        ..Route::default()
    };
    let small = Filters { max_per_day: Some(Rule::of(100_000)), ..Filters::default() };
    let mut filters: HashMap<AccountId, Filters> =
        (3..=10_000).map(|id| (AccountId(id), small.clone())).collect();
    filters.insert(
        AccountId(1),
        Filters { max_per_day: Some(Rule::of(1_000_000_000_000)), ..Filters::default() },
    );
    filters.insert(SENDER, self::filters());
    SnapshotParts {
        accounts: accounts.collect(),
        filters: if filtered { filters } else { HashMap::new() },
        platform: if filtered { platform() } else { Platform::default() },
        prices: prices.collect(),
        routes: vec![route],
        ..SnapshotParts::default()
    }
}

/// The same, compiled.
pub fn policy(filtered: bool) -> Snapshot {
    Snapshot::compile(parts(filtered)).expect("a policy")
}
