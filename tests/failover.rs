//! What one operator fails goes to the next of its route: once to each, within cost and validity, told and charged once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::COctets;
use smpp_proto::pdu::{CancelSm, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use support::{Ways, route, routed, submit};
use tollgate::policy::route::{Failover, Negative};
use tollgate::store::{PolicyChange, RouteDraft, WayDraft};

const TO: &str = "34600000001";

fn on_receipt() -> Failover {
    let on_receipt = vec![Negative::Undeliverable, Negative::Rejected, Negative::Expired];
    Failover { on_receipt, statuses: vec![0x45], ..Failover::default() }
}

fn with(change: &mut PolicyChange, failover: Failover, upstreams: Vec<WayDraft>) {
    routed(change, vec![RouteDraft { failover: Some(failover), upstreams, ..route("own", &[]) }]);
}

fn all(names: &[&str]) -> Vec<WayDraft> {
    names.iter().map(|name| (*name).into()).collect()
}

async fn two() -> Ways<2> {
    Ways::<2>::open(|plan| plan.shape = |change| with(change, on_receipt(), all(&["north", "south"]))).await
}

/// The one receipt of the client says this.
async fn told<const N: usize>(ways: &mut Ways<N>, id: &str, stat: &str) {
    let receipt = ways.esme.expect_deliver().await;
    let text = String::from_utf8_lossy(receipt.user_data()).into_owned();
    assert!(text.contains(&format!("id:{id} ")) && text.contains(&format!("stat:{stat} ")), "{text}");
    ways.esme.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_negative_receipt_sends_a_message_on_and_the_client_hears_of_its_end_alone() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.gate.reaches(&id, "sent").await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    let second = ways.take(1, "s-1").await;
    assert_eq!(
        (second.destination, second.short_message),
        (first.destination.clone(), first.short_message.clone())
    );
    ways.esme.expect_quiet().await;
    ways.gate.ends_with("9", "1");
    // What the first says now is about nothing that is known.
    ways.report(0, &first, "n-1", "DELIVRD", 2).await;
    ways.gate.reaches(&id, "sent").await;
    ways.report(1, &first, "s-1", "DELIVRD", 2).await;
    ways.gate.reaches(&id, "delivered").await;
    told(&mut ways, &id, "DELIVRD").await;
    let trace = ways.gate.trace(&id);
    let told: Vec<_> =
        trace.timeline.iter().map(|entry| (entry.what.as_str(), entry.detail.as_str())).collect();
    let expected = [
        ("accepted", "from acme, 1 part, 1 held, route 1, operator north"),
        ("sent", "operator north took it as \"n-1\""),
        ("failed_over", "undeliverable with error 0 at north, its id \"n-1\"; it goes to south"),
        ("late_receipt", "north says delivered of \"n-1\", error 0, and has it no longer"),
        ("sent", "operator south took it as \"s-1\""),
        ("delivered", "receipt, error 0, 1 posted, 0 given back"),
    ];
    for line in expected {
        assert!(told.contains(&line), "{line:?} in {told:#?}");
    }
    // The answer of the client may be told already.
    let others = told.iter().filter(|(what, _)| *what != "receipt").count();
    assert_eq!(others, expected.len(), "{told:#?}");
    assert_eq!((trace.upstream.as_str(), trace.posted.to_string()), ("south", "1".to_owned()));
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everyone_failed_it_the_last_end_counts_and_is_charged_once() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.report(0, &first, "n-1", "REJECTD", 8).await;
    ways.take(1, "s-1").await;
    ways.report(1, &first, "s-1", "UNDELIV", 5).await;
    told(&mut ways, &id, "UNDELIV").await;
    ways.links[0].expect_quiet().await;
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_named_sends_a_message_on_and_another_ends_it() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RSUBMITFAIL).await;
    let (sequence, _) = ways.links[1].expect_submit().await;
    ways.links[1].refuse_submit(sequence, CommandStatus::RSUBMITFAIL).await;
    told(&mut ways, &id, "REJECTD").await;
    let id = ways.esme.submit(TO, "hello").await;
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RINVDSTADR).await;
    told(&mut ways, &id, "REJECTD").await;
    ways.gate.ends_with("10", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_status_that_is_named_sends_a_message_on_while_somebody_is_left() {
    for status in [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL, CommandStatus::RX_T_APPN] {
        let mut ways = Ways::<2>::open(|plan| {
            plan.shape = |change| {
                let failover = Failover { statuses: vec![0x14, 0x58, 0x64], ..on_receipt() };
                with(change, failover, all(&["north", "south"]));
            };
        })
        .await;
        let id = ways.esme.submit(TO, "hello").await;
        let (sequence, _) = ways.links[0].expect_submit().await;
        ways.links[0].refuse_submit(sequence, status).await;
        let (sequence, _) = ways.links[1].expect_submit().await;
        assert!(ways.gate.trace(&id).timeline.iter().any(|entry| entry.what == "failed_over"));
        // Nobody is left: it means what it means, and the last tries again.
        ways.links[1].refuse_submit(sequence, status).await;
        let south = &mut ways.links[1];
        let (sequence, _) = ways.gate.advance_until(Duration::from_secs(1), south.expect_submit()).await;
        south.accept_submit(sequence, "s-1").await;
        ways.gate.reaches(&id, "sent").await;
        ways.links[0].is_silent().await;
        ways.gate.ends_with("9", "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_much_for_one_operator_again_and_again_goes_to_the_next() {
    for status in [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL] {
        let mut ways = Ways::<2>::open(|_| ()).await;
        let id = ways.esme.submit(TO, "hello").await;
        for _ in 0..4 {
            ways.links[1].is_silent().await;
            let north = &mut ways.links[0];
            let (sequence, _) = ways.gate.advance_until(Duration::from_secs(1), north.expect_submit()).await;
            north.refuse_submit(sequence, status).await;
        }
        ways.take(1, "s-1").await;
        ways.gate.reaches(&id, "sent").await;
        // Nothing is taken there: the next need not hear it as often.
        ways.esme.submit(TO, "and another").await;
        let north = &mut ways.links[0];
        let (sequence, _) = ways.gate.advance_until(Duration::from_secs(1), north.expect_submit()).await;
        north.refuse_submit(sequence, status).await;
        ways.take(1, "s-2").await;
        ways.gate.ends_with("8", "2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_to_so_many_operators_and_never_back_to_one() {
    let mut ways = Ways::<3>::open(|plan| {
        plan.shape = |change| {
            let failover = Failover { max_attempts: 2, ..on_receipt() };
            with(change, failover, all(&["north", "south", "west"]));
        };
    })
    .await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    // The second cannot take it now: it goes to the third, and not back to the first.
    let (sequence, _) = ways.links[1].expect_submit().await;
    ways.links[1].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    let (sequence, _) = ways.links[2].expect_submit().await;
    ways.links[2].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    ways.gate.reaches(&id, "deferred").await;
    ways.gate.clock.advance(Duration::from_secs(60));
    ways.take(1, "s-1").await;
    ways.report(1, &first, "s-1", "EXPIRED", 3).await;
    told(&mut ways, &id, "EXPIRED").await;
    ways.links[0].expect_quiet().await;
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_more_than_the_client_pays_or_the_cap_is_passed_by() {
    let mut ways = Ways::<3>::open(|plan| {
        plan.shape = |change| {
            let cost = |name: &str, cost: &str| WayDraft { cost: Some(cost.parse().unwrap()), ..name.into() };
            with(change, on_receipt(), vec!["north".into(), cost("south", "1.000001"), cost("west", "1")]);
        };
    })
    .await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    ways.take(2, "w-1").await;
    ways.report(2, &first, "w-1", "UNDELIV", 5).await;
    told(&mut ways, &id, "UNDELIV").await;
    ways.links[1].expect_quiet().await;
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_holds_by_whatever_way_a_message_would_come_to_a_dear_operator() {
    let mut ways = Ways::<3>::open(|plan| {
        plan.shape = |change| {
            let cost = |name: &str, cost: &str| WayDraft { cost: Some(cost.parse().unwrap()), ..name.into() };
            let failover = Failover { max_cost: Some("2".parse().unwrap()), ..on_receipt() };
            with(change, failover, vec![cost("north", "0.4"), cost("south", "0.3"), cost("west", "5")]);
        };
    })
    .await;
    // Both that are cheap put it off: it waits for them.
    let id = ways.esme.submit(TO, "hello").await;
    for link in &mut ways.links[..2] {
        let (sequence, _) = link.expect_submit().await;
        link.refuse_submit(sequence, CommandStatus::RX_T_APPN).await;
    }
    ways.gate.reaches(&id, "deferred").await;
    // Both are down when one comes, when one falls due, and for longer than messages wait for their operator.
    let pdu = SubmitSm { schedule_delivery_time: COctets::from("000000000005000R"), ..submit(TO, "later") };
    let (_, scheduled) = ways.esme.try_submit(pdu).await;
    for (place, name) in ["north", "south"].into_iter().enumerate() {
        ways.links[place].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
        ways.is_up(name, false).await;
    }
    let id = ways.esme.submit(TO, "hello").await;
    assert_eq!(ways.gate.trace(&id).upstream, "north");
    for _ in 0..12 {
        ways.gate.clock.advance(Duration::from_secs(5));
        ways.links[2].is_silent().await;
    }
    assert_ne!(ways.gate.trace(&scheduled).upstream, "west");
    ways.links[2].expect_quiet().await;
    ways.gate.ends_with("7", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_validity_a_message_ends_and_with_nobody_up_it_waits() {
    let mut ways = two().await;
    let pdu = SubmitSm { validity_period: COctets::from("000000000100000R"), ..submit(TO, "hello") };
    let (_, id) = ways.esme.try_submit(pdu).await;
    let first = ways.take(0, "n-1").await;
    ways.gate.reaches(&id, "sent").await;
    ways.gate.clock.advance(Duration::from_secs(61));
    ways.report(0, &first, "n-1", "EXPIRED", 3).await;
    told(&mut ways, &id, "EXPIRED").await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-2").await;
    ways.links[1].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("south", false).await;
    ways.report(0, &first, "n-2", "UNDELIV", 5).await;
    assert!(ways.gate.trace(&id).timeline.iter().any(|entry| entry.what == "failed_over"));
    ways.esme.expect_quiet().await;
    let mut ways = ways.restart().await;
    ways.take(1, "s-1").await;
    ways.report(1, &first, "s-1", "DELIVRD", 2).await;
    told(&mut ways, &id, "DELIVRD").await;
    ways.links[0].expect_quiet().await;
    ways.gate.ends_with("8", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_last_operator_that_is_left_is_removed_a_message_ends() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.links[1].send_empty(CommandId::UNBIND, CommandStatus::ROK, 900).await;
    ways.is_up("south", false).await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    assert!(ways.gate.trace(&id).timeline.iter().any(|entry| entry.what == "failed_over"));
    ways.gate
        .change(|plan| {
            plan.upstreams.pop();
            plan.shape = |change| with(change, on_receipt(), all(&["north"]));
        })
        .await;
    let Ways { gate, operators, esme, links } = ways;
    drop((esme, links));
    let gate = gate.restart().await;
    let mut north = operators[0].bound().await;
    gate.reaches(&id, "rejected").await;
    let receipt = gate.bound().await.expect_deliver().await;
    assert!(String::from_utf8_lossy(receipt.user_data()).contains("stat:REJECTD "));
    north.expect_quiet().await;
    gate.ends_with("10", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_route_does_not_reach_any_more_does_not_go_on_over_it() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.gate.reaches(&id, "sent").await;
    ways.gate
        .change(|plan| {
            plan.shape = |change| {
                let own = RouteDraft {
                    failover: Some(on_receipt()),
                    upstreams: all(&["north", "south"]),
                    prefixes: vec!["49".to_owned()],
                    ..route("own", &[])
                };
                routed(change, vec![own, route("rest", &["north"])]);
            };
        })
        .await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    told(&mut ways, &id, "UNDELIV").await;
    ways.links[1].expect_quiet().await;
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_goes_nowhere_although_a_part_of_it_failed() {
    let mut ways = two().await;
    let text = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 200]);
    let two = SubmitSm { short_message: Bytes::new(), tlvs: vec![text].into(), ..submit(TO, "") };
    let (_, id) = ways.esme.try_submit(two).await;
    let first = ways.take(0, "n-1").await;
    // The second part cannot be taken now: the message waits, and may still be cancelled.
    let (sequence, _) = ways.links[0].expect_submit().await;
    ways.links[0].refuse_submit(sequence, CommandStatus::RSYSERR).await;
    ways.gate.reaches(&id, "deferred").await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    let cancel = CancelSm {
        message_id: COctets::from(id.as_str()),
        source: Address::alphanumeric("TEST"),
        ..CancelSm::default()
    };
    let sequence = ways.esme.send(Body::CancelSm(cancel)).await;
    let answer = ways.esme.expect_answer(sequence).await;
    assert_eq!(
        (answer.header.command, answer.header.status),
        (CommandId::CANCEL_SM_RESP, CommandStatus::ROK)
    );
    ways.esme.expect_deliver().await;
    for link in &mut ways.links {
        link.expect_quiet().await;
    }
    // The part that the operator had is charged, the cancelled one is not.
    ways.gate.ends_with("9", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_failed_it_is_known_after_a_restart() {
    let mut ways = two().await;
    let id = ways.esme.submit(TO, "hello").await;
    let first = ways.take(0, "n-1").await;
    ways.report(0, &first, "n-1", "UNDELIV", 5).await;
    ways.links[1].expect_submit().await;
    let mut ways = ways.restart().await;
    ways.take(1, "s-1").await;
    ways.gate.reaches(&id, "sent").await;
    let mut ways = ways.restart().await;
    ways.report(1, &first, "s-1", "UNDELIV", 5).await;
    told(&mut ways, &id, "UNDELIV").await;
    ways.links[0].expect_quiet().await;
    ways.gate.ends_with("9", "0");
}

/// Three parts, cut here.
fn long() -> SubmitSm {
    let text = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 400]);
    SubmitSm { short_message: Bytes::new(), tlvs: vec![text].into(), ..submit(TO, "") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_parts_goes_on_whole_and_only_when_no_part_arrived() {
    let mut ways = two().await;
    let (_, id) = ways.esme.try_submit(long()).await;
    let mut parts = Vec::new();
    for number in 1..=3 {
        parts.push(ways.take(0, &format!("n-{number}")).await);
    }
    for (number, part) in (1..).zip(&parts) {
        ways.links[1].expect_quiet().await;
        ways.report(0, part, &format!("n-{number}"), "UNDELIV", 5).await;
    }
    for (number, part) in (1..).zip(&parts) {
        let again = ways.take(1, &format!("s-{number}")).await;
        assert_eq!(again.short_message[6..], part.short_message[6..]);
    }
    ways.gate.ends_with("7", "3");
    for (number, part) in (1..).zip(&parts) {
        ways.report(1, part, &format!("s-{number}"), "DELIVRD", 2).await;
    }
    told(&mut ways, &id, "DELIVRD").await;
    ways.gate.ends_with("7", "0");

    let (_, id) = ways.esme.try_submit(long()).await;
    for number in 4..=6 {
        ways.take(0, &format!("n-{number}")).await;
    }
    for (number, (stat, state)) in (4..).zip([("DELIVRD", 2), ("UNDELIV", 5), ("UNDELIV", 5)]) {
        ways.report(0, &parts[0], &format!("n-{number}"), stat, state).await;
    }
    told(&mut ways, &id, "UNDELIV").await;
    ways.links[1].expect_quiet().await;
    ways.gate.ends_with("4", "0");
}
