//! What messages cost, seen from a client: by segments, by price lists, by date. Every test ends on the books.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::CommandStatus;
use smpp_proto::field::DataCoding;
use smpp_proto::pdu::SubmitSm;
use support::{Gate, NOON, submit};
use tollgate::admin::{Answer, Request, perform};
use tollgate::policy::{Billing, Network, Price, PriceList, Reach};
use tollgate::store::PolicyChange;

/// What `tollgate account show` says that the account's credit is worth.
async fn worth(gate: &Gate) -> Option<String> {
    let request = Request::AccountShow { name: "acme".to_owned() };
    match perform(&gate.store, request).await.unwrap() {
        Answer::Account(line) => line.worth,
        other => panic!("{other:?}"),
    }
}

/// Puts prices in the place of the one of a credit.
fn priced(change: &mut PolicyChange, prices: Vec<Price>) {
    change.traffic.as_mut().unwrap().prices = prices;
}

fn price(prefix: &str, credits: &str) -> Price {
    Price::of(prefix, credits.parse().unwrap())
}

/// UCS2, as many characters.
fn unicode(characters: usize) -> SubmitSm {
    SubmitSm {
        data_coding: DataCoding::UCS2,
        short_message: Bytes::from([0x04, 0x16].repeat(characters)),
        ..submit("34600000001", "")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f_086_a_unicode_message_of_two_parts_costs_twice() {
    let gate = Gate::open(|plan| plan.credit = "10").await;
    let mut esme = gate.bound().await;
    assert_eq!(esme.try_submit(unicode(70)).await.0, CommandStatus::ROK);
    gate.ends_with("9", "1");
    assert_eq!(esme.try_submit(unicode(71)).await.0, CommandStatus::ROK);
    gate.ends_with("7", "3");
    esme.submit("34600000001", &"x".repeat(160)).await;
    gate.ends_with("6", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_pays_by_its_list_and_else_what_everybody_pays() {
    let gate = Gate::open(|plan| {
        plan.credit = "10";
        plan.terms.price_list = Some("gold".to_owned());
        plan.shape = |change| {
            let gold = |price| Price { list: Some("gold".to_owned()), ..price };
            let credits = "0.000001".parse().unwrap();
            let network = Reach::Network("ES-Uno".to_owned());
            priced(
                change,
                vec![
                    price("", "3"),
                    gold(price("34", "0.125")),
                    gold(Price { reach: network, ..Price::of("", credits) }),
                ],
            );
            change.traffic.as_mut().unwrap().networks =
                vec![Network { name: "ES-Uno".to_owned(), prefixes: vec!["34611".to_owned()] }];
        };
    })
    .await;
    let mut esme = gate.bound().await;
    for (to, available, held) in [
        ("34600000001", "9.875", "0.125"),
        ("34611000001", "9.874999", "0.125001"),
        ("447700900123", "6.874999", "3.125001"),
    ] {
        esme.submit(to, "hello").await;
        gate.ends_with(available, held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_changes_by_itself_at_its_time_and_what_was_accepted_keeps_its_own() {
    let gate = Gate::open(|plan| {
        plan.credit = "10";
        plan.shape = |change| {
            let tomorrow = NOON + Duration::from_secs(3_600);
            priced(
                change,
                vec![
                    price("", "1"),
                    Price { from: Some(tomorrow), ..price("", "2") },
                    Price { until: Some(tomorrow), ..price("44", "0.5") },
                    Price { reach: Reach::Country("ES".to_owned()), from: Some(tomorrow), ..price("", "4") },
                ],
            );
        };
    })
    .await;
    let mut esme = gate.bound().await;
    esme.submit("34600000001", "hello").await;
    esme.submit("447700900123", "hello").await;
    gate.ends_with("8.5", "1.5");
    gate.clock.advance(Duration::from_secs(3_600));
    esme.submit("447700900123", "hello").await;
    gate.ends_with("6.5", "3.5");
    esme.submit("34600000001", "hello").await;
    gate.ends_with("2.5", "7.5");
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_is_shown_in_the_currency_of_the_accounts_list() {
    let mut gate = Gate::open(|plan| plan.credit = "10").await;
    assert_eq!(worth(&gate).await, None);
    gate.change(|plan| {
        plan.shape = |change| {
            let value = "0.0125".parse().unwrap();
            let billing = Billing { currency: "EUR".parse().unwrap(), credit_value: value };
            change.traffic.as_mut().unwrap().billing = Some(billing);
        };
    })
    .await;
    assert_eq!(worth(&gate).await.as_deref(), Some("0.125 EUR"));
    gate.change(|plan| {
        plan.terms.price_list = Some("sur".to_owned());
        plan.shape = |change| {
            let value = "42.5".parse().unwrap();
            let billing = Billing { currency: "COP".parse().unwrap(), credit_value: value };
            change.traffic.as_mut().unwrap().price_lists =
                vec![PriceList { name: "sur".to_owned(), billing: Some(billing) }];
        };
    })
    .await;
    assert_eq!(worth(&gate).await.as_deref(), Some("425 COP"));
    gate.ends_with("10", "0");
}
