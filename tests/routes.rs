//! Which way messages take, seen from outside: by who sends what to whom and when, by shares, around who is down.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::field::{Address, COctets, DataCoding, EsmClass};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{CommandId, CommandStatus};
use support::{Ways, hello, route, routed, submit};
use tollgate::policy::route::{Class, Pick};
use tollgate::store::{RouteDraft, WayDraft};

const TO: &str = "34600000001";

/// Filters of an account whose messages wait until 13:00.
const HELD_TILL_ONE: &str = r#"{"hours":[{"is":{"from":"11:30","to":"13:00","zone":"UTC"}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_route_whose_conditions_hold_is_taken() {
    let mut ways = Ways::<2>::open(|plan| {
        plan.shape = |change| {
            let to_south = |name: &str| route(name, &["south"]);
            routed(
                change,
                vec![
                    RouteDraft { accounts: vec!["nobody".to_owned()], ..to_south("others") },
                    RouteDraft { senders: vec!["ALERT*".to_owned()], ..to_south("alerts") },
                    RouteDraft { classes: vec![Class::Otp, Class::Flash], ..to_south("codes") },
                    RouteDraft { countries: vec!["PT".to_owned()], ..to_south("portugal") },
                    RouteDraft { prefixes: vec!["4477".to_owned()], ..to_south("mobiles") },
                    RouteDraft {
                        hours: vec!["14:00-15:00".to_owned()],
                        zone: Some("Europe/Madrid".to_owned()),
                        ..to_south("siesta")
                    },
                    RouteDraft { max_price: Some("0.5".parse().unwrap()), ..to_south("cheap") },
                    RouteDraft { accounts: vec!["acme".to_owned()], ..route("rest", &["north"]) },
                ],
            );
            let mut nobody = change.accounts[0].clone();
            nobody.name = "nobody".to_owned();
            nobody.credentials.clear();
            change.accounts.push(nobody);
        };
    })
    .await;
    let from = |source: &str| SubmitSm { source: Address::alphanumeric(source), ..submit(TO, "x") };
    let otp = SubmitSm { service_type: COctets::from("OTP"), ..submit(TO, "x") };
    let flash = SubmitSm { data_coding: DataCoding::FLASH, ..submit(TO, "x") };
    for (place, (pdu, operator)) in [
        (submit(TO, "x"), 0),
        (from("ALERT-1"), 1),
        (from("alert"), 0),
        (otp, 1),
        (flash, 1),
        (submit("351900000001", "x"), 1),
        (submit("447700900123", "x"), 1),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, id) = ways.esme.try_submit(pdu).await;
        assert_eq!(status, CommandStatus::ROK, "number {place}");
        ways.take(operator, &format!("op-{place}")).await;
        ways.gate.reaches(&id, "sent").await;
    }
    // Noon in UTC is 13:00 in Madrid.
    ways.gate.clock.advance(Duration::from_secs(3_600));
    ways.esme.submit(TO, "x").await;
    ways.take(1, "op-9").await;
    ways.gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_down_is_passed_by_at_once() {
    let mut ways = Ways::<2>::open(|_| ()).await;
    let id = ways.esme.submit(TO, "first").await;
    ways.take(0, "n-1").await;
    ways.gate.reaches(&id, "sent").await;
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    let id = ways.esme.submit(TO, "second").await;
    ways.take(1, "s-1").await;
    ways.gate.reaches(&id, "sent").await;
    let trace = ways.gate.trace(&id);
    assert_eq!(trace.upstream, "south");
    assert!(trace.timeline.iter().all(|entry| entry.what != "moved"), "{:?}", trace.timeline);
    // With nobody up the first waits for it.
    ways.links[1].send_empty(CommandId::UNBIND, CommandStatus::ROK, 901).await;
    ways.is_up("south", false).await;
    let id = ways.esme.submit(TO, "third").await;
    assert_eq!(ways.gate.trace(&id).upstream, "north");
    ways.gate.ends_with("7", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_time_comes_passes_by_who_is_down_then() {
    let mut ways = Ways::<2>::open(|_| ()).await;
    let pdu = SubmitSm { schedule_delivery_time: COctets::from("000000000500000R"), ..submit(TO, "later") };
    let (_, id) = ways.esme.try_submit(pdu).await;
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    ways.gate.clock.advance(Duration::from_secs(300));
    ways.take(1, "s-1").await;
    ways.gate.reaches(&id, "sent").await;
    ways.gate.ends_with("9", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_time_comes_takes_the_way_that_there_is_then() {
    let mut ways = Ways::<2>::open(|_| ()).await;
    let pdu = SubmitSm { schedule_delivery_time: COctets::from("000000000500000R"), ..submit(TO, "later") };
    let (_, moved) = ways.esme.try_submit(pdu.clone()).await;
    ways.gate.change(|plan| plan.shape = |change| routed(change, vec![route("other", &["south"])])).await;
    ways.gate.clock.advance(Duration::from_secs(300));
    ways.take(1, "s-1").await;
    ways.links[0].is_silent().await;
    ways.gate.reaches(&moved, "sent").await;
    let trace = ways.gate.trace(&moved);
    assert!(trace.timeline[0].detail.ends_with("operator north"), "{:?}", trace.timeline);
    assert!(
        trace.timeline.iter().any(|entry| entry.what == "moved" && entry.detail == "from north to south")
    );
    // Its route is the same, and has another operator.
    let (_, moved) = ways.esme.try_submit(pdu.clone()).await;
    ways.gate.change(|plan| plan.shape = |change| routed(change, vec![route("other", &["north"])])).await;
    ways.gate.clock.advance(Duration::from_secs(300));
    ways.take(0, "n-1").await;
    ways.gate.reaches(&moved, "sent").await;
    // There is no way to its number any more.
    let (_, ended) = ways.esme.try_submit(pdu).await;
    ways.gate
        .change(|plan| {
            plan.shape = |change| {
                let elsewhere =
                    RouteDraft { prefixes: vec!["49".to_owned()], ..route("elsewhere", &["north"]) };
                routed(change, vec![elsewhere]);
            };
        })
        .await;
    ways.gate.clock.advance(Duration::from_secs(300));
    ways.gate.reaches(&ended, "rejected").await;
    let receipt = ways.esme.expect_deliver().await;
    assert!(String::from_utf8_lossy(receipt.user_data()).contains("stat:REJECTD "));
    ways.gate.ends_with("8", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hours_of_a_route_are_those_of_the_time_at_which_a_message_leaves() {
    let mut ways = Ways::<2>::open(|plan| {
        plan.filters = serde_json::from_str(HELD_TILL_ONE).unwrap();
        plan.shape = |change| {
            let until_one = vec!["11:00-13:00".to_owned()];
            routed(
                change,
                vec![RouteDraft { hours: until_one, ..route("day", &["north"]) }, route("rest", &["south"])],
            );
        };
    })
    .await;
    let held = ways.esme.submit(TO, "held").await;
    let pdu = SubmitSm { schedule_delivery_time: COctets::from("000000013000000R"), ..submit(TO, "later") };
    let (_, scheduled) = ways.esme.try_submit(pdu).await;
    for id in [&held, &scheduled] {
        assert_eq!(ways.gate.trace(id).upstream, "south");
    }
    ways.gate.clock.advance(Duration::from_secs(3_600));
    assert_eq!(ways.take(1, "s-1").await.short_message, "held");
    ways.gate.clock.advance(Duration::from_secs(1_800));
    assert_eq!(ways.take(1, "s-2").await.short_message, "later");
    ways.links[0].is_silent().await;
    ways.gate.reaches(&scheduled, "sent").await;
    ways.gate.ends_with("8", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_hold_and_the_parts_of_a_message_are_never_split() {
    let mut ways = Ways::<2>::open(|plan| {
        plan.credit = "1000";
        plan.shape = |change| {
            let share = |name: &str, share| WayDraft { weight: Some(share), ..name.into() };
            let upstreams = vec![share("north", 75), share("south", 25)];
            routed(change, vec![RouteDraft { pick: Pick::Share, upstreams, ..route("shared", &[]) }]);
        };
    })
    .await;
    let mut at = [0_u32; 2];
    for number in 0..60_u32 {
        let mut lanes = Vec::new();
        for part in 1..=3_u8 {
            let header = [5, 0, 3, 7, 3, part];
            let text = format!("{part} of {number}");
            let pdu = SubmitSm {
                esm_class: EsmClass(0x40),
                short_message: [&header[..], text.as_bytes()].concat().into(),
                ..submit(&format!("346{number:08}"), "")
            };
            let (_, id) = ways.esme.try_submit(pdu).await;
            lanes.push(ways.gate.trace(&id).upstream);
        }
        assert!(lanes.iter().all(|lane| *lane == lanes[0]), "{lanes:?}");
        at[usize::from(lanes[0] == "south")] += 1;
    }
    // The same in each run: three of four, as near as chance brings it.
    assert!((36..=54).contains(&at[0]), "{at:?}");
    ways.gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_stays_on_its_route_also_when_the_routes_are_reordered() {
    let mut ways = Ways::<3>::open(|plan| {
        plan.shape = |change| routed(change, vec![route("own", &["north", "south"])]);
    })
    .await;
    let id = ways.esme.submit(TO, "hello").await;
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.gate
        .change(|plan| {
            plan.shape = |change| {
                routed(change, vec![route("new", &["west"]), route("own", &["north", "south"])]);
            };
        })
        .await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    ways.take(1, "s-1").await;
    ways.gate.reaches(&id, "sent").await;
    let trace = ways.gate.trace(&id);
    assert!(trace.timeline[0].detail.ends_with("operator north"), "{:?}", trace.timeline);
    let later = trace.timeline.iter().find(|entry| entry.what == "later").unwrap();
    assert!(later.detail.starts_with("status 0x08 at north, again at "), "{later:?}");
    assert!(later.detail.ends_with(" at south"), "{later:?}");
    // What comes now takes the first that there is, as does what has lost its own.
    let late = ways.esme.submit(TO, "hello").await;
    let (sequence, _) = ways.links[2].expect_submit().await;
    ways.gate.change(|plan| plan.shape = |change| routed(change, vec![route("own", &["south"])])).await;
    ways.links[2].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    ways.gate.reaches(&late, "deferred").await;
    ways.gate.clock.advance(Duration::from_secs(5));
    ways.take(1, "s-2").await;
    ways.gate.reaches(&late, "sent").await;
    ways.gate.ends_with("8", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cheapest_operator_is_tried_first() {
    let mut ways = Ways::<3>::open(|plan| {
        plan.shape = |change| {
            let cost = |name: &str, cost: &str| WayDraft { cost: Some(cost.parse().unwrap()), ..name.into() };
            let upstreams = vec!["north".into(), cost("south", "0.5"), cost("west", "0.25")];
            routed(change, vec![RouteDraft { pick: Pick::Cheapest, upstreams, ..route("cheap", &[]) }]);
        };
    })
    .await;
    assert_eq!(ways.esme.try_submit(hello(TO)).await.0, CommandStatus::ROK);
    let (sequence, _) = ways.links[2].expect_submit().await;
    ways.links[2].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    let (sequence, _) = ways.links[1].expect_submit().await;
    ways.links[1].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    ways.take(0, "n-1").await;
    ways.gate.books_hold();
}
