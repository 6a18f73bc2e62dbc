//! Parts of one message come to a phone over one operator, whatever becomes of one of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{CommandId, CommandStatus, Tag, Tlv};
use support::{Ways, route, routed, submit};
use tollgate::account::ReceiptWish;
use tollgate::policy::route::{Failover, Negative};
use tollgate::smsc::InDoubt;
use tollgate::store::RouteDraft;

const TO: &str = "34600000001";

/// Two parts, cut here.
fn long() -> SubmitSm {
    text_of(200)
}

fn text_of(letters: usize) -> SubmitSm {
    let text = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; letters]);
    SubmitSm { short_message: Bytes::new(), tlvs: vec![text].into(), ..submit(TO, "") }
}

/// The first part is taken by north, the second put off; gives the message's id and the first part.
async fn begun(ways: &mut Ways<2>) -> (String, SubmitSm) {
    let (_, id) = ways.esme.try_submit(long()).await;
    let first = ways.take(0, "n-1").await;
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RX_T_APPN).await;
    ways.gate.reaches(&id, "deferred").await;
    (id, first)
}

async fn stat(ways: &mut Ways<2>) -> String {
    let receipt = ways.esme.expect_deliver().await;
    let text = String::from_utf8_lossy(receipt.user_data()).into_owned();
    text.split("stat:").nth(1).unwrap()[..7].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_put_off_is_tried_again_where_the_others_are() {
    let mut ways = Ways::<2>::open(|_| ()).await;
    let (id, first) = begun(&mut ways).await;
    ways.gate.clock.advance(Duration::from_secs(5));
    let second = ways.take(0, "n-2").await;
    assert_eq!(second.short_message[..5], first.short_message[..5], "one reference, and one total");
    assert_eq!((first.short_message[5], second.short_message[5]), (1, 2));
    ways.links[1].is_silent().await;
    for name in ["n-1", "n-2"] {
        ways.report(0, &first, name, "DELIVRD", 2).await;
    }
    ways.gate.reaches(&id, "delivered").await;
    assert_eq!(stat(&mut ways).await, "DELIVRD");
    ways.gate.ends_with("8", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_operator_goes_down_between_two_parts_goes_on_whole() {
    let mut ways = Ways::<2>::open(|_| ()).await;
    let (id, first) = begun(&mut ways).await;
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    ways.gate.clock.advance(Duration::from_secs(5));
    ways.links[1].is_silent().await;
    let south = &mut ways.links[1];
    let (sequence, again) = ways.gate.advance_until(Duration::from_secs(1), south.expect_submit()).await;
    south.accept_submit(sequence, "s-1").await;
    assert_eq!(again.short_message, first.short_message);
    // What the first says of its part now is about nothing that is known.
    let again = ways.operators[0].bound();
    let mut north = ways.gate.advance_until(Duration::from_secs(1), again).await;
    let sequence = north.send_receipt(&first, "n-1", "UNDELIV", 5).await;
    north.expect_delivered(sequence).await;
    let second = ways.take(1, "s-2").await;
    assert_eq!(second.short_message[5], 2);
    for name in ["s-1", "s-2"] {
        ways.report(1, &first, name, "DELIVRD", 2).await;
    }
    ways.gate.reaches(&id, "delivered").await;
    assert_eq!(stat(&mut ways).await, "DELIVRD");
    let trace = ways.gate.trace(&id);
    for (what, detail) in [
        ("part_sent", "part 1 taken by north as \"n-1\""),
        ("moved", "from north to south, whole: parts that were taken: 1"),
        ("late_receipt", "north says undeliverable of \"n-1\", error 0, and has it no longer"),
        ("part_sent", "part 1 taken by south as \"s-1\""),
    ] {
        let is_told = trace.timeline.iter().any(|entry| entry.what == what && entry.detail == detail);
        assert!(is_told, "{detail}: {:#?}", trace.timeline);
    }
    ways.gate.ends_with("8", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_does_not_come_back_to_who_delivered_a_part_of_it() {
    let mut ways = Ways::<2>::open(|plan| {
        plan.shape = |change| {
            let failover = Failover { on_receipt: vec![Negative::Undeliverable], ..Failover::default() };
            let own = RouteDraft { failover: Some(failover), ..route("own", &["north", "south"]) };
            routed(change, vec![own]);
        };
    })
    .await;
    let (id, first) = begun(&mut ways).await;
    ways.report(0, &first, "n-1", "DELIVRD", 2).await;
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    ways.gate.clock.advance(Duration::from_secs(5));
    let south = &mut ways.links[1];
    let (sequence, _) = ways.gate.advance_until(Duration::from_secs(1), south.expect_submit()).await;
    south.accept_submit(sequence, "s-1").await;
    ways.take(1, "s-2").await;
    for name in ["s-1", "s-2"] {
        ways.report(1, &first, name, "UNDELIV", 5).await;
    }
    ways.gate.reaches(&id, "undeliverable").await;
    assert_eq!(stat(&mut ways).await, "UNDELIV");
    ways.gate.ends_with("8", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_each_part_waits_for_its_operator() {
    let mut ways = Ways::<2>::open(|plan| plan.bounds.receipts = ReceiptWish::Every).await;
    let (id, first) = begun(&mut ways).await;
    ways.report(0, &first, "n-1", "DELIVRD", 2).await;
    assert_eq!(stat(&mut ways).await, "DELIVRD");
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    for _ in 0..12 {
        ways.gate.clock.advance(Duration::from_secs(5));
        ways.links[1].is_silent().await;
    }
    ways.gate.reaches(&id, "ready").await;
    let trace = ways.gate.trace(&id);
    assert_eq!(trace.upstream, "north");
    assert!(trace.timeline.iter().all(|entry| entry.what != "sent"), "only a part was: {:?}", trace.timeline);
    ways.gate.ends_with("8", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_late_of_parts_is_not_taken_for_a_message_in_doubt() {
    let mut ways = Ways::<2>::open(|plan| plan.upstreams[0].in_doubt = InDoubt::Wait).await;
    let (_, id) = ways.esme.try_submit(text_of(400)).await;
    let first = ways.take(0, "n-1").await;
    let second = ways.take(0, "n-2").await;
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RX_T_APPN).await;
    ways.gate.reaches(&id, "deferred").await;
    let doubtful = ways.esme.submit(TO, "hello").await;
    ways.links[0].expect_submit().await;
    ways.links[0].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("north", false).await;
    ways.gate.clock.advance(Duration::from_secs(5));
    let south = &mut ways.links[1];
    let (sequence, _) = ways.gate.advance_until(Duration::from_secs(1), south.expect_submit()).await;
    south.accept_submit(sequence, "s-1").await;
    let again = ways.operators[0].bound();
    let again = ways.gate.advance_until(Duration::from_secs(1), again).await;
    ways.links[0] = again;
    ways.gate.reaches(&doubtful, "in_doubt").await;
    for (part, name) in [(&first, "n-1"), (&second, "n-2"), (&second, "n-2")] {
        ways.report(0, part, name, "ENROUTE", 1).await;
        ways.report(0, part, name, "DELIVRD", 2).await;
    }
    assert_eq!(ways.gate.state(&doubtful), "in_doubt");
    let trace = ways.gate.trace(&id);
    let late = trace.timeline.iter().filter(|entry| entry.what == "late_receipt");
    let late: Vec<_> = late.map(|entry| entry.detail.clone()).collect();
    let told = ["n-1", "n-2"]
        .map(|name| format!("north says delivered of \"{name}\", error 0, and has it no longer"));
    assert_eq!(late, told);
}
