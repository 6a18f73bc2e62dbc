//! Operators that throttle, refuse, vanish, stay silent or come back: nothing is lost, and every doubt has its way.

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{COctets, MessageState};
use smpp_proto::pdu::{BindKind, QuerySmResp, SubmitSm};
use smpp_proto::{Body, CommandId, CommandStatus, Pdu, Tag, Tlv};
use support::{Binds, Smsc, SmscLink, hello, upstream};
use tollgate::account::{Secret, Throughput};
use tollgate::smsc::{InDoubt, Phase, Upstream};

async fn one_gate(change: impl FnOnce(&mut Upstream)) -> (Smsc, Binds, SmscLink) {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    change(&mut north);
    let gate = Binds::with(vec![north]).await;
    let link = operator.bound().await;
    (operator, gate, link)
}

async fn two_gates() -> ([Smsc; 2], Binds, [SmscLink; 2]) {
    let operators = [Smsc::listen().await, Smsc::listen().await];
    let gate = Binds::with(vec![upstream("north", &operators[0]), upstream("south", &operators[1])]).await;
    let links = [operators[0].bound().await, operators[1].bound().await];
    gate.bind_is("north", Phase::Bound).await;
    gate.bind_is("south", Phase::Bound).await;
    (operators, gate, links)
}

fn of_three_parts() -> SubmitSm {
    let text = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 400]);
    SubmitSm { short_message: Bytes::new(), tlvs: vec![text].into(), ..hello("34600000001") }
}

/// The bind is lost; the clock moves past the pause; the operator takes the next.
async fn again(operator: &Smsc, gate: &Binds, link: SmscLink) -> SmscLink {
    drop(link);
    gate.bind_is("north", Phase::Waiting).await;
    gate.advance(4);
    operator.bound().await
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_halves_the_rate_loses_nothing_and_recovers() {
    for status in [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL] {
        let (_operator, gate, mut link) =
            one_gate(|north| north.throughput = Some(Throughput { per_second: 100, burst: 100 })).await;
        let mut ids = Vec::new();
        for number in 0..10 {
            ids.push(gate.send(&format!("3460000000{number}")).await);
        }
        let mut open = Vec::new();
        for _ in 0..10 {
            open.push(link.expect_submit().await.0);
        }
        for sequence in open {
            link.refuse_submit(sequence, status).await;
        }
        gate.bind_shows("north", |bind| bind.adapted_rate == Some(50)).await;
        link.expect_quiet().await;
        gate.advance(1);
        let mut order = Vec::new();
        for number in 0..10 {
            let (sequence, submit) = link.expect_submit().await;
            order.push(submit.destination.digits.to_string());
            link.accept_submit(sequence, &number.to_string()).await;
            gate.advance(1);
        }
        assert!(order.is_sorted(), "{order:?}");
        gate.bind_shows("north", |bind| bind.adapted_rate.is_none()).await;
        for id in ids {
            gate.reaches(id, "sent").await;
        }
        assert_eq!(gate.books(), ("85".to_owned(), "15".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_throughput_holds_in_segments() {
    let (_operator, gate, mut link) =
        one_gate(|north| north.throughput = Some(Throughput { per_second: 2, burst: 3 })).await;
    for _ in 0..5 {
        gate.send("34600000001").await;
    }
    for _ in 0..3 {
        link.expect_submit().await;
    }
    link.expect_quiet().await;
    gate.advance(1);
    link.expect_submit().await;
    link.expect_submit().await;
    link.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_refusal_is_tried_again_after_its_pause() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.send("34600000001").await;
    for pause in [5, 10] {
        let (sequence, _) = link.expect_submit().await;
        link.refuse_submit(sequence, CommandStatus::RSYSERR).await;
        gate.reaches(id, "deferred").await;
        gate.advance(pause - 1);
        link.expect_quiet().await;
        gate.advance(1);
    }
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_refusal_ends_the_message_and_gives_its_hold_back() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.send("34600000001").await;
    let (sequence, _) = link.expect_submit().await;
    link.refuse_submit(sequence, CommandStatus::RINVDSTADR).await;
    gate.reaches(id, "rejected").await;
    assert_eq!(gate.reason(id), ("operator_rejected", 0x0B));
    assert_eq!(gate.owed().await.key, tollgate::message::DeliveryKey::Receipt(id));

    let id = gate.send("34600000001").await;
    let (sequence, _) = link.expect_submit().await;
    link.send_empty(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, sequence).await;
    gate.reaches(id, "rejected").await;
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
    link.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_refusal_goes_to_the_next_operator_at_once() {
    let (_operators, gate, [mut north, mut south]) = two_gates().await;
    let id = gate.send("34600000001").await;
    let (sequence, _) = north.expect_submit().await;
    north.refuse_submit(sequence, CommandStatus::RSYSERR).await;
    let (sequence, _) = south.expect_submit().await;
    south.refuse_submit(sequence, CommandStatus::RX_T_APPN).await;
    // Everyone was asked: now it waits, then the first is asked again.
    gate.reaches(id, "deferred").await;
    gate.advance(10);
    let (sequence, _) = north.expect_submit().await;
    north.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.store.reader().unwrap().trace(id).unwrap().upstream, "north");
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_operator_that_is_down_goes_around_it() {
    let (_operators, gate, [north, mut south]) = two_gates().await;
    drop(north);
    gate.bind_is("north", Phase::Waiting).await;
    let ids = [gate.send("34600000001").await, gate.send("34600000002").await];
    south.expect_quiet().await;
    gate.advance(10);
    for number in 0..2 {
        let (sequence, _) = south.expect_submit().await;
        south.accept_submit(sequence, &format!("s-{number}")).await;
    }
    for id in ids {
        gate.reaches(id, "sent").await;
        assert!(gate.timeline(id).contains(&"moved".to_owned()));
    }
    let late = gate.send("34600000003").await;
    let (sequence, _) = south.expect_submit().await;
    south.accept_submit(sequence, "s-9").await;
    gate.reaches(late, "sent").await;
    assert_eq!(gate.books(), ("95.5".to_owned(), "4.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_route_a_message_that_was_put_off_ends() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.send("34600000001").await;
    let (sequence, _) = link.expect_submit().await;
    gate.apply(&["44"]).await;
    link.refuse_submit(sequence, CommandStatus::RSYSERR).await;
    gate.reaches(id, "rejected").await;
    assert_eq!(gate.reason(id), ("no_route", 0x08));
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_doubt_and_resend_sends_it_again() {
    let (operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.send("34600000001").await;
    link.expect_submit().await;
    let mut link = again(&operator, &gate, link).await;
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(id, "sent").await;
    let trace = gate.store.reader().unwrap().trace(id).unwrap();
    assert!(trace.in_doubt);
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_doubt_and_fail_ends_it_unpaid() {
    let (operator, gate, mut link) = one_gate(|north| north.in_doubt = InDoubt::Fail).await;
    let id = gate.send("34600000001").await;
    link.expect_submit().await;
    assert_eq!(gate.state(id), "sending", "written down before it is written");
    let mut link = again(&operator, &gate, link).await;
    gate.reaches(id, "rejected").await;
    assert_eq!(gate.reason(id), ("in_doubt", 0));
    link.expect_quiet().await;
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_doubt_and_wait_takes_a_receipt_as_the_answer() {
    let (operator, gate, mut link) = one_gate(|north| north.in_doubt = InDoubt::Wait).await;
    let id = gate.send("34600000001").await;
    let (_, submit) = link.expect_submit().await;
    let mut link = again(&operator, &gate, link).await;
    gate.reaches(id, "in_doubt").await;
    link.expect_quiet().await;
    let receipt = link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    assert_eq!(gate.state(id), "delivered");
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_doubt_and_wait_sends_it_again_when_no_receipt_comes() {
    let (operator, gate, mut link) = one_gate(|north| north.in_doubt = InDoubt::Wait).await;
    let id = gate.send("34600000001").await;
    link.expect_submit().await;
    let mut link = again(&operator, &gate, link).await;
    gate.reaches(id, "in_doubt").await;
    link.expect_quiet().await;
    gate.advance(600);
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_doubt_and_query_asks_the_operator() {
    let (operator, gate, mut link) = one_gate(|north| north.in_doubt = InDoubt::Query).await;
    let first = gate.send("34600000001").await;
    let second = gate.send("34600000002").await;
    link.expect_submit().await;
    link.expect_submit().await;
    let mut link = again(&operator, &gate, link).await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        let incoming = link.expect_command(CommandId::QUERY_SM).await;
        let Body::QuerySm(query) = incoming.body() else { panic!("a query") };
        assert_eq!((query.message_id, query.source.digits), (COctets::EMPTY, "ACME".into()));
        asked.push(incoming.header.sequence);
    }
    let known = QuerySmResp {
        message_id: Some("op-1".into()),
        message_state: MessageState::ENROUTE,
        ..QuerySmResp::default()
    };
    link.send_pdu(&Pdu::response(asked[0], CommandStatus::ROK, Body::QuerySmResp(known.clone()))).await;
    gate.reaches(first, "sent").await;
    // The same id again says nothing about the other one.
    link.send_pdu(&Pdu::response(asked[1], CommandStatus::ROK, Body::QuerySmResp(known))).await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.destination.digits, "34600000002");
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(second, "sent").await;
    assert_eq!(gate.books(), ("97".to_owned(), "3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_not_answered_is_not_asked_for_ever() {
    let (operator, gate, mut link) = one_gate(|north| north.in_doubt = InDoubt::Query).await;
    let id = gate.send("34600000001").await;
    link.expect_submit().await;
    let mut link = again(&operator, &gate, link).await;
    link.expect_command(CommandId::QUERY_SM).await;
    gate.bind_shows("north", |bind| bind.in_flight == 1).await;
    gate.advance(60);
    gate.bind_shows("north", |bind| bind.in_flight == 0).await;
    gate.advance(10);
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_the_same_doubts_as_a_lost_link() {
    let policies = [InDoubt::Resend, InDoubt::Wait, InDoubt::Fail, InDoubt::Query];
    for (policy, state) in policies.into_iter().zip(["ready", "in_doubt", "rejected", "sending"]) {
        let (operator, gate, mut link) = one_gate(|north| north.in_doubt = policy).await;
        let id = gate.send("34600000001").await;
        link.expect_submit().await;
        let gate = gate.crash().await;
        let mut link = operator.bound().await;
        match policy {
            InDoubt::Resend => drop(link.expect_submit().await),
            InDoubt::Query => drop(link.expect_command(CommandId::QUERY_SM).await),
            InDoubt::Wait | InDoubt::Fail => gate.reaches(id, state).await,
        }
        assert_eq!(gate.state(id), state, "{policy:?}");
        link.expect_quiet().await;
        gate.books();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_in_the_lane_of_an_operator_that_is_down_ends() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let mut pdu = hello("34600000001");
    pdu.validity_period = "000000000130000R".into();
    let id = gate.accept(pdu).await;
    link.expect_submit().await;
    drop(link);
    gate.bind_is("north", Phase::Waiting).await;
    gate.advance(90);
    gate.reaches(id, "expired").await;
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn validity_runs_out_here_and_is_told_to_the_operator() {
    let (_operator, gate, mut link) = one_gate(|north| north.window = 1).await;
    let first = gate.send("34600000001").await;
    let (sequence, _) = link.expect_submit().await;
    let mut pdu = hello("34600000002");
    pdu.validity_period = "000000000130000R".into();
    let second = gate.accept(pdu.clone()).await;
    gate.advance(30);
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(first, "sent").await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.validity_period, "000000000100000R");
    let third = gate.accept(pdu).await;
    link.refuse_submit(sequence, CommandStatus::RSYSERR).await;
    link.expect_submit().await;
    gate.reaches(second, "deferred").await;
    gate.advance(90);
    gate.reaches(second, "expired").await;
    assert_eq!(gate.reason(second).0, "expired_in_queue");
    assert_eq!(gate.state(third), "ready", "it is with the operator");
    assert_eq!(gate.books(), ("97".to_owned(), "3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_long_message_goes_on_where_it_stopped() {
    let (operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.accept(of_three_parts()).await;
    let (sequence, first) = link.expect_submit().await;
    link.accept_submit(sequence, "op-1").await;
    let (_, second) = link.expect_submit().await;
    assert_eq!(second.short_message[5], 2);
    let mut link = again(&operator, &gate, link).await;
    for part in [2, 3] {
        let (sequence, submit) = link.expect_submit().await;
        assert_eq!(submit.short_message[..6], [5, 0, 3, first.short_message[3], 3, part]);
        link.accept_submit(sequence, &format!("op-{part}")).await;
    }
    gate.reaches(id, "sent").await;
    for part in 1..=3 {
        let receipt = link.send_receipt(&first, &format!("op-{part}"), "DELIVRD", 2).await;
        link.expect_delivered(receipt).await;
    }
    assert_eq!(gate.state(id), "delivered");
    assert_eq!(gate.books(), ("95.5".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_ends_the_rest_and_the_first_keeps_its_receipt() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let id = gate.accept(of_three_parts()).await;
    let (sequence, submit) = link.expect_submit().await;
    link.accept_submit(sequence, "op-1").await;
    let (sequence, _) = link.expect_submit().await;
    link.refuse_submit(sequence, CommandStatus::RINVDSTADR).await;
    gate.reaches(id, "sent").await;
    link.expect_quiet().await;
    let receipt = link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    assert_eq!((gate.state(id), gate.reason(id)), ("rejected", ("operator_rejected", 0x0B)));
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()), "one part is paid, two are given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_silent_request_fails_alone_and_its_late_answer_counts() {
    let (_operator, gate, mut link) = one_gate(|_| ()).await;
    let slow = gate.send("34600000001").await;
    let (late, _) = link.expect_submit().await;
    gate.bind_shows("north", |bind| bind.in_flight == 1).await;
    gate.advance(60);
    gate.bind_shows("north", |bind| bind.in_flight == 0).await;
    let quick = gate.send("34600000002").await;
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(quick, "sent").await;
    link.accept_submit(late, "op-1").await;
    gate.reaches(slow, "sent").await;

    let lost = gate.send("34600000003").await;
    let (never, _) = link.expect_submit().await;
    gate.bind_shows("north", |bind| bind.in_flight == 1).await;
    gate.advance(60);
    gate.bind_shows("north", |bind| bind.in_flight == 0).await;
    gate.advance(10);
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.destination.digits, "34600000003");
    link.accept_submit(never, "too-late").await;
    link.accept_submit(sequence, "op-3").await;
    gate.reaches(lost, "sent").await;
    assert_eq!(gate.store.reader().unwrap().trace(lost).unwrap().upstream_id, Some("op-3".to_owned()));
    assert_eq!(gate.books(), ("95.5".to_owned(), "4.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_unbinds_is_finished_with_answered_and_dialled_again() {
    let (operator, gate, mut link) = one_gate(|_| ()).await;
    let open = gate.send("34600000001").await;
    let (sequence, _) = link.expect_submit().await;
    let unbind = link.next_sequence();
    link.send_empty(CommandId::UNBIND, CommandStatus::ROK, unbind).await;
    gate.bind_is("north", Phase::Draining).await;
    let waiting = gate.send("34600000002").await;
    link.accept_submit(sequence, "op-1").await;
    link.expect_answer(unbind).await;
    link.expect_closed().await;
    gate.reaches(open, "sent").await;
    drop(link);
    gate.bind_is("north", Phase::Waiting).await;
    gate.advance(4);
    let mut link = operator.bound().await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.destination.digits, "34600000002");
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(waiting, "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bind_that_the_operator_does_not_know_is_made_anew() {
    let (operator, gate, mut link) = one_gate(|_| ()).await;
    let ids = [gate.send("34600000001").await, gate.send("34600000002").await];
    let open = [link.expect_submit().await.0, link.expect_submit().await.0];
    for sequence in open {
        link.refuse_submit(sequence, CommandStatus::RINVBNDSTS).await;
    }
    link.expect_command(CommandId::UNBIND).await;
    link.expect_closed().await;
    let mut link = again(&operator, &gate, link).await;
    for number in 0..2 {
        let (sequence, _) = link.expect_submit().await;
        link.accept_submit(sequence, &number.to_string()).await;
    }
    for id in ids {
        gate.reaches(id, "sent").await;
        assert!(!gate.store.reader().unwrap().trace(id).unwrap().in_doubt, "it was refused, not lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_slow_the_dialling_down() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.accept().await;
    let (sequence, kind, _) = link.expect_bind().await;
    link.refuse_bind(sequence, kind, CommandStatus::RINVPASWD).await;
    link.expect_closed().await;
    drop(link);
    gate.bind_is("north", Phase::Waiting).await;
    assert!(gate.view("north").binds[0].reason.contains("ESME_RINVPASWD"));
    gate.advance(29);
    tokio::task::yield_now().await;
    assert_eq!(gate.view("north").binds[0].phase, Phase::Waiting);
    gate.advance(31);
    let mut link = operator.accept().await;
    let (sequence, _, _) = link.expect_bind().await;
    link.refuse_bind(sequence, BindKind::Transceiver, CommandStatus::RALYBND).await;
    link.expect_closed().await;
    gate.bind_is("north", Phase::Waiting).await;
    gate.advance(119);
    tokio::task::yield_now().await;
    assert_eq!(gate.view("north").binds[0].phase, Phase::Waiting);
    gate.advance(1);
    let _link = operator.bound().await;
    gate.bind_is("north", Phase::Bound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_finishes_what_is_open_and_leaves_the_rest_in_the_store() {
    for policy in [InDoubt::Resend, InDoubt::Wait] {
        let (_operator, mut gate, mut link) = one_gate(|north| {
            north.window = 1;
            north.in_doubt = policy;
        })
        .await;
        let open = gate.send("34600000001").await;
        let (sequence, _) = link.expect_submit().await;
        let waiting = gate.send("34600000002").await;
        let drained = async {
            gate.drain().await;
            gate
        };
        let talk = async {
            link.expect_quiet().await;
            link.accept_submit(sequence, "op-1").await;
            let unbind = link.expect_command(CommandId::UNBIND).await;
            link.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
            link.expect_closed().await;
        };
        let (drained, ()) = tokio::join!(drained, talk);
        gate = drained;
        gate.reaches(open, "sent").await;
        assert!(["ready", "queued"].contains(&gate.state(waiting)), "{policy:?}: {}", gate.state(waiting));
        assert_eq!(gate.books(), ("97".to_owned(), "3".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_starts_what_is_new_and_keeps_what_stays() {
    let (north, mut gate, mut link) = one_gate(|_| ()).await;
    let south = Smsc::listen().await;
    gate.settings.upstreams.push(upstream("south", &south));
    gate.apply(&[""]).await;
    let mut running = gate.running.take().unwrap();
    running.reload(&gate.settings).await.unwrap();
    let mut new = south.bound().await;
    link.expect_quiet().await;

    // North leaves; what waits for it goes to south.
    gate.settings.upstreams.remove(0);
    gate.apply(&[""]).await;
    let leave = async {
        running.reload(&gate.settings).await.unwrap();
        running
    };
    let talk = async {
        let unbind = link.expect_command(CommandId::UNBIND).await;
        link.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
    };
    let (running, ()) = tokio::join!(leave, talk);
    assert_eq!(running.roster().view().len(), 1);
    gate.running = Some(running);
    let id = gate.send("34600000001").await;
    let (sequence, _) = new.expect_submit().await;
    new.accept_submit(sequence, "s-1").await;
    gate.reaches(id, "sent").await;
    drop(north);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_operator_that_is_no_longer_configured_goes_elsewhere() {
    let (_north, mut gate, link) = one_gate(|_| ()).await;
    drop(link);
    gate.bind_is("north", Phase::Waiting).await;
    let id = gate.send("34600000001").await;
    gate.drain().await;
    let south = Smsc::listen().await;
    gate.settings.upstreams = vec![upstream("south", &south)];
    gate.apply(&[""]).await;
    gate.connect();
    let mut link = south.bound().await;
    let (sequence, _) = link.expect_submit().await;
    link.accept_submit(sequence, "s-1").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_operator_is_said_before_anything_starts() {
    let (_operator, gate, _link) = one_gate(|_| ()).await;
    let mut settings = gate.settings.clone();
    settings.upstreams.push(Upstream::new("west", "127.0.0.1:1", "gate", Secret::new("x")));
    let metrics = tollgate::smsc::Metrics::default();
    let error =
        tollgate::smsc::connect(&settings, &gate.store, &gate.clock, &metrics).err().expect("an error");
    assert!(error.to_string().contains("west"));
    assert!(Duration::from_secs(1) < gate.settings.failover_after);
}
