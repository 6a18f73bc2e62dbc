//! A number that comes on a list gets nothing more, also of what was accepted for it before.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::field::COctets;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{CommandId, CommandStatus};
use support::{Esme, House, NOON, SmscLink, submit, within};
use tollgate::store::Listing;

const TO: &str = "34600111222";

/// A parent with a list and its child, which sends.
const ACCOUNTS: &str = r#"
[[account]]
name = "parent"
[account.filters]
opt_outs = true
[[account]]
name = "acme"
parent = "parent"
opening_credit = "10"
[[account.smpp]]
system_id = "acme"
password = "secret"
[[mo]]
prefixes = ["22000"]
account = "parent"
"#;

/// Opens it with the client and the operator bound.
async fn house() -> (House, Esme, SmscLink) {
    let house = House::open(ACCOUNTS).await;
    let (operator, esme) = (house.operator().await, house.bound("acme").await);
    (house, esme, operator)
}

async fn accepted(esme: &mut Esme, pdu: SubmitSm) -> String {
    let (status, id) = esme.try_submit(pdu).await;
    assert_eq!(status, CommandStatus::ROK);
    id
}

/// One that is to go in five minutes.
fn scheduled() -> SubmitSm {
    SubmitSm { schedule_delivery_time: COctets::from("000000000500000R"), ..submit(TO, "later") }
}

/// The client hears that the message was refused; why stands in its trace.
async fn ends(house: &House, esme: &mut Esme, id: &str, reason: &str) {
    let receipt = esme.expect_deliver().await;
    let text = String::from_utf8_lossy(receipt.user_data()).into_owned();
    assert!(text.contains(&format!("id:{id} ")) && text.contains("stat:REJECTD "), "{text}");
    let trace = house.reader().trace(id.parse().unwrap()).unwrap();
    assert_eq!(trace.reason, Some(reason));
}

async fn list(house: &House, owner: Option<&str>, adds: bool) {
    let policy = house.store().policy();
    let owner = owner.map(|name| policy.accounts().find(|account| account.name == name).unwrap().id);
    let numbers = vec![TO.to_owned()];
    let changed = house.store().change_list(Listing { owner, adds, numbers, why: "asked".to_owned() }).await;
    assert_eq!(changed.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_what_is_scheduled_and_start_before_its_time_lets_it_go() {
    let (house, mut esme, mut operator) = house().await;
    let id = accepted(&mut esme, scheduled()).await;
    let sequence = operator.send_mo(TO, "22000", "STOP").await;
    operator.expect_delivered(sequence).await;
    house.clock.advance(Duration::from_secs(300));
    ends(&house, &mut esme, &id, "opted_out").await;
    operator.is_silent().await;
    assert_eq!(house.books("acme"), ("10".to_owned(), "0".to_owned()));
    list(&house, Some("parent"), false).await;
    accepted(&mut esme, scheduled()).await;
    for word in ["STOP", "START"] {
        let sequence = operator.send_mo(TO, "22000", word).await;
        operator.expect_delivered(sequence).await;
    }
    house.clock.advance(Duration::from_secs(300));
    let (sequence, _) = operator.expect_submit().await;
    operator.accept_submit(sequence, "n-1").await;
    assert_eq!(house.books("acme"), ("9".to_owned(), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_what_is_to_be_tried_again() {
    let (house, mut esme, mut operator) = house().await;
    for (owner, reason) in [(Some("acme"), "opted_out"), (None, "destination_blocked")] {
        let id = accepted(&mut esme, submit(TO, "hello")).await;
        let (sequence, _) = operator.expect_submit().await;
        operator.refuse_submit(sequence, CommandStatus::RSYSERR).await;
        operator.is_silent().await;
        list(&house, owner, true).await;
        house.clock.advance(Duration::from_secs(5));
        ends(&house, &mut esme, &id, reason).await;
        operator.is_silent().await;
        list(&house, owner, false).await;
    }
    assert_eq!(house.books("acme"), ("10".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_what_waits_for_an_operator_that_is_down() {
    let (house, mut esme, mut operator) = house().await;
    operator.send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    operator.expect_command(CommandId::UNBIND_RESP).await;
    let north = house.store().upstreams().id("north").unwrap();
    within("the operator to be down", async {
        while house.store().up().is_up(north) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let listed = accepted(&mut esme, submit(TO, "hello")).await;
    accepted(&mut esme, submit("34600111223", "hello")).await;
    list(&house, Some("parent"), true).await;
    ends(&house, &mut esme, &listed, "opted_out").await;
    esme.expect_quiet().await;
    assert_eq!(house.books("acme"), ("9".to_owned(), "1".to_owned()));
    // Another within the second: it is looked at when that is over.
    let other = accepted(&mut esme, submit("34600111224", "hello")).await;
    let numbers = vec!["34600111224".to_owned()];
    let block = Listing { owner: None, adds: true, numbers, why: String::new() };
    house.store().change_list(block).await.unwrap();
    house.clock.advance(Duration::from_secs(1));
    ends(&house, &mut esme, &other, "destination_blocked").await;
    // More numbers at once than are looked for one by one.
    let third = accepted(&mut esme, submit("34600111225", "hello")).await;
    let numbers = (0..1_100).map(|number| format!("346001{:05}", 11_225 + number)).collect();
    let block = Listing { owner: None, adds: true, numbers, why: String::new() };
    assert_eq!(house.store().change_list(block).await.unwrap(), 1_100);
    house.clock.advance(Duration::from_secs(1));
    ends(&house, &mut esme, &third, "destination_blocked").await;
    assert_eq!(house.books("acme"), ("9".to_owned(), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_what_an_operator_gives_back_after_it_grew() {
    let house = House::open_with(NOON, ACCOUNTS, "window = 1").await;
    let (mut operator, mut esme) = (house.operator().await, house.bound("acme").await);
    let with_operator = accepted(&mut esme, submit(TO, "hello")).await;
    let (sequence, _) = operator.expect_submit().await;
    // There is no room for this one: its end says that the lane was looked through.
    let waits = accepted(&mut esme, submit(TO, "hello")).await;
    list(&house, Some("parent"), true).await;
    ends(&house, &mut esme, &waits, "opted_out").await;
    operator.refuse_submit(sequence, CommandStatus::RTHROTTLED).await;
    house.clock.advance(Duration::from_secs(5));
    ends(&house, &mut esme, &with_operator, "opted_out").await;
    operator.is_silent().await;
    assert_eq!(house.books("acme"), ("10".to_owned(), "0".to_owned()));
}
