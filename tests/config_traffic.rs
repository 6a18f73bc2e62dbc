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
            "32:11: country is \"Spain\": write two capital letters (ISO 3166-1), such as \"ES\"",
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
