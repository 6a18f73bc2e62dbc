//! Addresses and prices of accounts that stand under others.

use super::*;

/// "top" admits 10.0.0.0/8 to binds; "below" stands under it, restricts the API only, and lists what it knows.
fn family() -> Snapshot {
    use crate::account::{AccessEntry, AccessList, Origin, Terms};
    let list = |restricted, network: &str| AccessList {
        restricted,
        entries: vec![AccessEntry { network: network.parse().unwrap(), description: String::new() }],
    };
    let account = |id, name: &str, parent| Account {
        id: AccountId(id),
        name: name.to_owned(),
        parent,
        suspended: false,
        origin: Origin::File,
        terms: Terms::default(),
    };
    let mut top = account(1, "top", None);
    top.terms.access.smpp = list(true, "10.0.0.0/8");
    let mut below = account(2, "below", Some(AccountId(1)));
    below.terms.access.api = list(true, "192.0.2.0/24");
    below.terms.access.smpp = list(false, "10.1.0.0/16");
    let itself = account(3, "itself", Some(AccountId(3)));
    let accounts = vec![top, below, itself];
    Snapshot::compile(SnapshotParts { accounts, ..Default::default() }).unwrap()
}

#[test]
fn the_list_of_one_way_in_says_nothing_of_another_and_those_above_count() {
    let policy = family();
    let admits =
        |id, surface, address: &str| policy.admits_address(AccountId(id), surface, address.parse().unwrap());
    let ways = |id, address| Surface::ALL.map(|surface| admits(id, surface, address));
    assert_eq!(ways(1, "10.0.0.1"), [true, true, true]);
    assert_eq!(ways(1, "192.0.2.1"), [false, true, true]);
    assert_eq!(ways(2, "10.0.0.1"), [true, false, true]);
    assert_eq!(ways(2, "192.0.2.1"), [false, true, true]);
    // Who is not there, and who stands under himself, is let in nowhere.
    assert_eq!((ways(9, "10.0.0.1"), ways(3, "10.0.0.1")), ([false; 3], [false; 3]));
    let met: Vec<_> = policy
        .entries_met(AccountId(2), Surface::Smpp, "10.1.0.1".parse().unwrap())
        .map(|(id, network)| (id.0, network.to_string()))
        .collect();
    assert_eq!(met, [(2, "10.1.0.0/16".to_owned()), (1, "10.0.0.0/8".to_owned())]);
}

#[test]
fn an_account_pays_by_the_nearest_list_above_it_in_the_lists_currency() {
    let account = |id, parent: Option<u32>, list: Option<&str>| Account {
        id: AccountId(id),
        name: format!("a{id}"),
        parent: parent.map(AccountId),
        suspended: false,
        origin: crate::account::Origin::File,
        terms: crate::account::Terms { price_list: list.map(str::to_owned), ..Default::default() },
    };
    let billing = |currency: &str| Billing {
        currency: currency.parse().unwrap(),
        credit_value: "0.01".parse().unwrap(),
    };
    let gold = Price { list: Some("gold".to_owned()), ..Price::of("", Credits::from_micro(2)) };
    let parts = SnapshotParts {
        accounts: vec![
            account(1, None, Some("gold")),
            account(2, Some(1), None),
            account(3, Some(2), Some("plain")),
            account(4, None, None),
            account(5, Some(6), None),
            account(6, Some(5), None),
        ],
        prices: vec![Price::of("", Credits::from_micro(5)), gold],
        price_lists: vec![PriceList { name: "gold".to_owned(), billing: Some(billing("COP")) }],
        billing: Some(billing("EUR")),
        ..Default::default()
    };
    let policy = Snapshot::compile(parts).unwrap();
    let price =
        |id| policy.price(AccountId(id), b"34600", &Glance::default(), Timestamp::default()).unwrap().micro();
    assert_eq!([1, 2, 3, 4, 5, 9].map(price), [2, 2, 5, 5, 5, 5]);
    let currency = |id| policy.billing(AccountId(id)).unwrap().currency.to_string();
    assert_eq!([1, 2, 3, 4].map(currency), ["COP", "COP", "EUR", "EUR"]);
}
