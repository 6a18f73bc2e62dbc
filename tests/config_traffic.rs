//! Prices, routes and messages from phones as a configuration writes them: what they become, and what is wrong with them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use tollgate::config::{self, Config, Problems};
use tollgate::policy::Reach;

/// What stands before the tables of each test; they begin at line 19.
const HOUSE: &str = r#"[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:2775"]
[[upstream]]
name = "north"
address = "127.0.0.1:2776"
system_id = "gate"
password = "secret"
[[upstream]]
name = "south"
address = "127.0.0.1:2777"
system_id = "gate"
password = "secret"
[[account]]
name = "acme"
[[account]]
name = "beta"
"#;

fn read(tables: &str) -> Result<Config, Problems> {
    read_in(tempfile::tempdir().unwrap().path(), tables)
}

fn read_in(folder: &Path, tables: &str) -> Result<Config, Problems> {
    let path = folder.join("gate.toml");
    std::fs::write(&path, format!("{HOUSE}{tables}")).unwrap();
    config::load(&path, &|_| None)
}

/// The problems, one a line, without the file's name.
fn problems(tables: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let told = read_in(folder.path(), tables).unwrap_err().to_string();
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    told.lines().map(|line| line.strip_prefix("gate.toml:").unwrap().to_owned()).collect()
}

#[test]
fn prices_have_a_reach_a_list_and_a_time() {
    let tables = r#"
[billing]
currency = "EUR"
credit_value = "0.01"
[[network]]
name = "21407"
prefixes = ["34609", "34619"]
[[price_list]]
name = "gold"
[[price_list]]
name = "sur"
currency = "COP"
rate = "42.5"
[[price]]
prefix = ""
credits = "1"
[[price]]
prefix = ""
credits = "2"
from = 2026-01-01
until = "2026-02-01T00:00:00+01:00"
[[price]]
country = "ES"
credits = "0.5"
list = "gold"
[[price]]
network = "21407"
credits = "0.000001"
"#;
    let traffic = read(tables).unwrap().policy.traffic;
    assert_eq!(traffic.billing.unwrap().shown("250".parse().unwrap()), "2.5 EUR");
    let sur = traffic.price_lists[1].billing.unwrap();
    assert_eq!(sur.shown("2".parse().unwrap()), "85 COP");
    assert_eq!(traffic.price_lists[0].billing, None);
    assert_eq!(traffic.prices[1].from.unwrap().to_string(), "2026-01-01T00:00:00.000Z");
    assert_eq!(traffic.prices[1].until.unwrap().to_string(), "2026-01-31T23:00:00.000Z");
    assert_eq!(traffic.prices[2].reach, Reach::Country("ES".to_owned()));
    assert_eq!(traffic.prices[2].list.as_deref(), Some("gold"));
    assert_eq!(traffic.prices[3].reach, Reach::Network("21407".to_owned()));
}

#[test]
fn what_is_wrong_with_prices_is_told_at_once() {
    let tables = r#"[[network]]
name = "es-uno"
prefixes = [""]
[[price_list]]
name = "gold"
currency = "EUR"
[[price]]
credits = "1"
[[price]]
prefix = ""
country = "ES"
credits = "1"
[[price]]
country = "Spain"
credits = "1"
[[price]]
network = "es-un"
credits = "1"
list = "golt"
[[price]]
prefix = "34"
credits = "1"
from = "2026-02-01"
until = "2026-01-01"
[[price]]
prefix = "44"
credits = "1"
from = "soon"
"#;
    assert_eq!(
        problems(tables),
        [
            "21:13: prefixes is \"\": write at least one digit: a network has not every number",
            "24:12: a currency says nothing without a rate: add rate, what one credit is worth in it, or [billing] \
             with a credit_value",
            "25:1: [[price]] has no prefix, country or network: add prefix = \"\" for every number",
            "29:11: there are a prefix and a country: keep one of them, and write another [[price]]",
            "32:11: country is \"Spain\": write a country as two capital letters of ISO 3166-1, such as \"ES\"",
            "35:11: there is no network \"es-un\": did you mean \"es-uno\"?",
            "37:8: there is no price list \"golt\": did you mean \"gold\"?",
            "42:9: until is \"2026-01-01\": write a time after from",
            "46:8: from is \"soon\": write a date or a time, such as \"2026-01-01\" or \"2026-01-01T00:00:00+01:00\"",
        ]
    );
    let twice = "[[price]]\nprefix = \"34\"\ncredits = \"1\"\n[[price]]\nprefix = \"34\"\ncredits = \"2\"\n";
    assert_eq!(
        problems(twice),
        ["23:10: a price for the prefix \"34\" is there already, at gate.toml:20: write each one once"]
    );
}

#[test]
fn routes_have_conditions_and_a_way_to_choose() {
    let tables = r#"
[[price]]
prefix = ""
credits = "1"
[[route]]
name = "codes"
accounts = ["acme"]
senders = ["ACME*", "22000"]
countries = ["ES", "PT"]
classes = ["otp", "flash"]
hours = ["08:00-20:00", "22:00-24:00"]
zone = "Europe/Madrid"
min_price = "0.5"
max_price = "2"
pick = "share"
upstreams = [{ name = "north", share = 70, cost = "0.004" }, { name = "south", share = 30 }]
failover = { statuses = [0x45, 0x0B], on_receipt = ["UNDELIV", "REJECTD"], max_cost = "0.25", max_attempts = 2 }
[[route]]
name = "rest"
prefixes = ["34"]
pick = "weight"
upstreams = ["south", { name = "north", weight = 3 }]
"#;
    let traffic = read(tables).unwrap().policy.traffic;
    let [codes, rest] = &traffic.routes[..] else { unreachable!() };
    assert_eq!(codes.prefixes, [""]);
    assert_eq!((codes.accounts.len(), codes.senders.len(), codes.hours.len()), (1, 2, 2));
    assert_eq!(
        (codes.countries.len(), codes.classes.len(), codes.zone.as_deref()),
        (2, 2, Some("Europe/Madrid"))
    );
    assert_eq!((codes.min_price.unwrap().micro(), codes.max_price.unwrap().micro()), (500_000, 2_000_000));
    let way =
        |way: &tollgate::store::WayDraft| (way.name.clone(), way.weight, way.cost.map(|cost| cost.micro()));
    assert_eq!(way(&codes.upstreams[0]), ("north".to_owned(), Some(70), Some(4_000)));
    assert_eq!(way(&rest.upstreams[0]), ("south".to_owned(), None, None));
    assert_eq!(way(&rest.upstreams[1]), ("north".to_owned(), Some(3), None));
    let failover = codes.failover.as_ref().unwrap();
    assert_eq!((failover.statuses.as_slice(), failover.max_attempts), (&[0x45, 0x0B][..], 2));
    assert_eq!((failover.on_receipt.len(), failover.max_cost.unwrap().micro()), (2, 250_000));
    let kept = serde_json::to_string(&rest).unwrap();
    let written = r#"{"name":"rest","prefixes":["34"],"upstreams":["south",{"name":"north","weight":3}],"pick":"weight"}"#;
    assert_eq!(kept, written);
    assert_eq!(serde_json::from_str::<tollgate::store::RouteDraft>(&kept).unwrap(), *rest);
}

#[test]
fn a_country_that_is_none_is_refused_where_it_would_never_match() {
    let tables = r#"[[price]]
country = "UK"
credits = "1"
[[price]]
country = "XK"
credits = "1"
[[route]]
name = "a"
countries = ["ES", "XX", "uk"]
upstreams = ["north"]
[filters]
countries = ["EN"]
"#;
    let advice = "write a country as two capital letters of ISO 3166-1, such as \"ES\"";
    assert_eq!(
        problems(tables),
        [
            "20:11: country is \"UK\": write \"GB\", the code of the United Kingdom in ISO 3166-1".to_owned(),
            format!("27:20: countries is \"XX\": {advice}"),
            format!("27:26: countries is \"uk\": {advice}"),
            format!("30:14: countries is \"EN\": {advice}"),
        ]
    );
}

#[test]
fn what_is_wrong_with_routes_is_told_at_once() {
    let tables = r#"[[price]]
prefix = ""
credits = "1"
[[route]]
name = "a"
accounts = ["acne"]
senders = [""]
countries = ["Spain"]
classes = ["otpp"]
hours = ["8-20"]
zone = "Europe/Madird"
min_price = "2"
max_price = "1"
pick = "cheap"
upstreams = ["nort"]
[[route]]
name = "b"
pick = "share"
upstreams = [{ name = "north", share = 70 }, { name = "south", weight = 20 }]
[[route]]
name = "c"
upstreams = [{ name = "north", weight = 70 }, { nane = "south" }]
[[route]]
name = "d"
upstreams = ["north"]
[route.failover]
on_receipt = ["DELIVRD"]
max_attempts = 0
[[route]]
name = "e"
upstreams = ["north"]
failover = { max_attempts = 2 }
"#;
    assert_eq!(
        problems(tables),
        [
            "24:13: there is no account \"acne\": did you mean \"acme\"?",
            "25:12: senders is \"\": a sender is empty; `*` allows every sender",
            "26:14: countries is \"Spain\": write a country as two capital letters of ISO 3166-1, such as \"ES\"",
            "27:12: classes is \"otpp\": did you mean \"otp\"?",
            "28:10: hours is \"8-20\": write times of a day such as \"08:00-20:00\"; \"22:00-06:00\" is over midnight, \
             \"00:00-24:00\" all day",
            "29:8: zone is \"Europe/Madird\": write the name of a time zone, such as \"Europe/Madrid\" or \"UTC\"",
            "31:13: max_price is \"1\": write no less than min_price",
            "32:8: pick is \"cheap\": write one of cheapest, order, share or weight",
            "33:14: there is no upstream \"nort\": did you mean \"north\"?",
            "37:13: the shares of this route add up to 70: let them add up to 100 percent",
            "37:64: upstreams weight says nothing here: set pick = \"weight\" for the route, or write share",
            "40:32: upstreams weight says nothing here: set pick = \"weight\" or \"share\" for the route",
            "40:47: upstreams name is missing: add name = \"north\"",
            "40:49: unknown key \"nane\" in upstreams: did you mean \"name\"?",
            "45:15: on_receipt is \"DELIVRD\": write one of DELETED, EXPIRED, REJECTD, UNDELIV or UNKNOWN",
            "46:16: max_attempts is 0: write a whole number from 1 to 16",
            "50:12: [route.failover] sends nothing on: add statuses, or on_receipt = [\"UNDELIV\"]",
        ]
    );
}

#[test]
fn messages_from_phones_go_by_number_and_word() {
    let tables = r#"
[[account]]
name = "gamma"
[[account.smpp]]
system_id = "gamma-mo"
password = "x"
[[mo]]
prefixes = ["22000", "22001"]
account = "acme"
[[mo]]
prefixes = ["22000"]
keyword = "win"
account = "gamma"
credential = "gamma-mo"
"#;
    let routes = read(tables).unwrap().policy.traffic.mo_routes;
    assert_eq!((routes[0].keyword.as_deref(), routes[0].credential.as_deref()), (None, None));
    assert_eq!(
        (routes[1].keyword.as_deref(), routes[1].credential.as_deref()),
        (Some("win"), Some("gamma-mo"))
    );
    let wrong = r#"[[account]]
name = "gamma"
[[account.smpp]]
system_id = "gamma-mo"
password = "x"
[[mo]]
prefixes = ["22000"]
keyword = "two words"
account = "gamme"
[[mo]]
prefixes = ["22000"]
keyword = "win"
account = "gamma"
credential = "gama-mo"
[[mo]]
prefixes = ["22000"]
keyword = "WIN"
account = "acme"
credential = "gamma-mo"
"#;
    assert_eq!(
        problems(wrong),
        [
            "26:11: keyword is \"two words\": write one word of letters and digits",
            "27:11: there is no account \"gamme\": did you mean \"gamma\"?",
            "32:14: account \"gamma\" has no credential \"gama-mo\": did you mean \"gamma-mo\"?",
            "34:13: an account for the prefix \"22000 and the keyword win\" is there already, at gate.toml:29: write \
             each one once",
            "37:14: account \"acme\" has no credential \"gamma-mo\": there is none to choose from",
        ]
    );
}
