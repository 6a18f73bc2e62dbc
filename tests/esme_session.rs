//! How a session lives and ends: framing, timers, floods, slow clients, unbinding, TLS, draining.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::pdu::{BindKind, SubmitSm, encode_empty};
use smpp_proto::{Body, CommandId, CommandStatus};
use support::{Esme, Gate, bind, submit, within};
use tollgate::message::State;

const TO: &str = "34600111222";

fn raw(length: u32, command: u32, sequence: u32) -> Vec<u8> {
    [length, command, 0, sequence].into_iter().flat_map(u32::to_be_bytes).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_001_a_length_that_cannot_be_is_nacked_and_ends_the_connection() {
    let gate = Gate::open(|_| {}).await;
    for octets in [raw(15, 4, 77), raw(0, 4, 77), raw(0x00FF_FFFF, 4, 77)] {
        for bound in [false, true] {
            let mut esme = if bound { gate.bound().await } else { Esme::connect(gate.address).await };
            let mut all = octets.clone();
            // Nothing after it is done.
            let mut after = BytesMut::new();
            submit(TO, "never").encode(&mut after, 78).unwrap();
            all.extend_from_slice(&after);
            esme.send_raw(&all).await;
            let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN).await;
            assert_eq!(nack.header.sequence, 77);
            esme.expect_closed().await;
        }
    }
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_a_bad_length_is_done_and_answered() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=20 {
        submit(TO, "before").encode(&mut octets, sequence).unwrap();
    }
    octets.extend_from_slice(&raw(7, 4, 99));
    esme.send_raw(&octets).await;
    let (mut accepted, mut nacks) = (0, 0);
    while let Some(answer) = esme.next().await {
        match answer.header.command {
            CommandId::GENERIC_NACK => nacks += 1,
            _ => accepted += u32::from(answer.header.status == CommandStatus::ROK),
        }
    }
    assert_eq!((accepted, nacks), (20, 1));
    gate.ends_with("999980", "20");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_002_before_the_bind_a_large_pdu_is_refused_at_once() {
    let gate = Gate::open(|plan| plan.esme.max_unbound_pdu = 512).await;
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(&raw(513, 4, 5)).await;
    esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN).await;
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_004_unknown_commands_are_nacked_and_skipped() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    // Reserved, vendor, SMPP 4 style, 3.3 leftovers, broadcast, outbind and alert_notification from a client.
    for command in [0x0A, 0x0001_0200, 0x0001_0004, 0x22, 0x23, 0x111, 0x112, 0x113, 0x0B, 0x102] {
        let mut octets = raw(20, command, 31);
        octets.extend_from_slice(b"body");
        esme.send_raw(&octets).await;
        let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
        assert_eq!(nack.header.sequence, 31, "0x{command:X}");
    }
    // Responses that nobody asked for are ignored, known or not.
    for command in [0x8000_0004, 0x8000_0005, 0x8000_0999, 0x8000_0000, 0x8000_0006] {
        esme.send_raw(&raw(16, command, 900)).await;
    }
    esme.expect_quiet().await;
    let sequence = esme.send(Body::DeliverSm(Default::default())).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((answer.header.command, answer.header.status.0), (CommandId::DELIVER_SM_RESP, 4));
    esme.submit(TO, "still here").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_007_octet_by_octet_is_the_same_as_at_once() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    let mut octets = BytesMut::new();
    bind("acme", "secret").encode(&mut octets, BindKind::Transceiver, 1).unwrap();
    submit(TO, "slowly").encode(&mut octets, 2).unwrap();
    for octet in &octets {
        esme.send_raw(&[*octet]).await;
    }
    esme.expect_status(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ROK).await;
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_009_a_pdu_that_is_not_finished_ends_the_connection_and_does_nothing() {
    let gate = Gate::open(|plan| plan.esme.partial_pdu = Duration::from_millis(50)).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    submit(TO, "half").encode(&mut octets, 2).unwrap();
    esme.send_raw(&octets[..30]).await;
    esme.expect_closed().await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_018_a_foreign_protocol_is_closed_without_an_answer() {
    let gate = Gate::open(|_| {}).await;
    for octets in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"\x16\x03\x01\x02\0\x01\0\x01\xFC", b"SSH-2.0-x\r\n"]
    {
        let mut esme = Esme::connect(gate.address).await;
        esme.send_raw(octets).await;
        esme.expect_closed().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_055_who_does_not_bind_in_time_is_closed_also_if_it_says_enquire_link() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    esme.expect_quiet().await;
    gate.clock.advance(Duration::from_secs(9));
    esme.expect_quiet().await;
    gate.clock.advance(Duration::from_millis(1_100));
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_056_a_quiet_client_is_asked_and_a_dead_one_is_closed() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.submit(TO, "x").await;
    gate.clock.advance(Duration::from_secs(29));
    esme.expect_quiet().await;
    // The quiet above was a sign of life: the time runs anew.
    gate.clock.advance(Duration::from_secs(29));
    esme.expect_quiet().await;
    let asked = gate.advance_until(Duration::from_secs(1), esme.next_raw()).await;
    assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
    // An answer with an error status is a sign of life too (C-059).
    let status = CommandStatus::RSYSERR;
    esme.send_empty(CommandId::ENQUIRE_LINK_RESP, status, asked.header.sequence).await;
    esme.expect_quiet().await;
    let asked = gate.advance_until(Duration::from_secs(1), esme.next_raw()).await;
    assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
    let before = gate.clock.monotonic();
    esme.answers_enquiries = false;
    gate.advance_until(Duration::from_secs(1), esme.expect_closed()).await;
    let waited = gate.clock.monotonic() - before;
    assert!((55_000..=65_000).contains(&waited), "{waited} ms");
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_060_a_session_without_transactions_is_unbound_when_that_is_wished() {
    let gate = Gate::open(|plan| plan.esme.inactivity = Some(Duration::from_secs(120))).await;
    let mut esme = gate.bound().await;
    let unbind = gate.advance_until(Duration::from_secs(1), esme.expect()).await;
    assert_eq!(unbind.header.command, CommandId::UNBIND);
    assert!(gate.clock.monotonic() >= 120_000);
    esme.send_empty(CommandId::UNBIND_RESP, CommandStatus::RSYSERR, unbind.header.sequence).await;
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enquiry_counts_as_activity_where_that_is_wished() {
    for counts in [false, true] {
        let gate = Gate::open(|plan| {
            plan.esme.enquire_link = None;
            plan.esme.inactivity = Some(Duration::from_secs(120));
            plan.esme.enquire_link_is_activity = counts;
        })
        .await;
        let mut esme = gate.bound().await;
        gate.clock.advance(Duration::from_secs(100));
        esme.expect_quiet().await;
        gate.clock.advance(Duration::from_secs(30));
        if counts {
            esme.expect_quiet().await;
            gate.clock.advance(Duration::from_secs(120));
        }
        esme.expect_command(CommandId::UNBIND).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_064_a_flood_of_enquiries_is_answered_up_to_a_limit() {
    let gate = Gate::open(|plan| {
        plan.esme.max_enquire_links = 10;
        plan.esme.fault_budget = 20;
    })
    .await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=500 {
        encode_empty(&mut octets, CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
    }
    esme.try_send_raw(&octets).await;
    let mut answered = 0;
    while esme.next().await.is_some() {
        answered += 1;
    }
    assert!((31..=500).contains(&answered), "{answered}");
    gate.bound().await.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_in_a_row_have_an_end_and_good_requests_make_up_for_them() {
    let gate = Gate::open(|plan| plan.esme.fault_budget = 5).await;
    let mut esme = gate.bound().await;
    for _ in 0..20 {
        esme.send_raw(&raw(16, 0x0A, 1)).await;
        esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
        esme.submit(TO, "good").await;
    }
    for _ in 0..6 {
        esme.send_raw(&raw(16, CommandId::SUBMIT_SM.0, 1)).await;
        esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::RINVCMDLEN).await;
    }
    esme.expect_closed().await;
    gate.ends_with("999980", "20");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_074_a_client_that_does_not_read_is_closed_and_holds_nobody_up() {
    let gate = Gate::open(|plan| {
        plan.esme.write_stall = Duration::from_millis(200);
        plan.esme.write_backlog = 4_096;
        plan.esme.max_enquire_links = 10_000;
        plan.esme.fault_budget = 1_000_000;
    })
    .await;
    let mut deaf = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=10_000 {
        encode_empty(&mut octets, CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
    }
    // Writes until the daemon no longer reads, and then until it closes.
    within("the end of the connection", async { while deaf.try_send_raw(&octets).await {} }).await;
    let mut other = gate.bound().await;
    other.submit(TO, "unharmed").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_079_what_was_asked_before_unbind_is_answered_before_it() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=100 {
        submit(TO, "x").encode(&mut octets, sequence).unwrap();
    }
    encode_empty(&mut octets, CommandId::UNBIND, CommandStatus::ROK, 101);
    submit(TO, "after").encode(&mut octets, 102).unwrap();
    esme.send_raw(&octets).await;
    for _ in 0..100 {
        esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    }
    let last = esme.expect_status(CommandId::UNBIND_RESP, CommandStatus::ROK).await;
    assert_eq!(last.header.sequence, 101);
    esme.expect_closed().await;
    gate.ends_with("999900", "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_only_its_side_gets_all_its_answers() {
    let gate = Gate::open(|plan| plan.bounds.window = 3).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=50 {
        submit(TO, "x").encode(&mut octets, sequence).unwrap();
    }
    esme.send_raw(&octets).await;
    esme.finish_sending().await;
    for _ in 0..50 {
        esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    }
    esme.expect_closed().await;
    gate.ends_with("999950", "50");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_082_a_connection_that_breaks_leaves_whole_messages_only() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    submit(TO, "whole").encode(&mut octets, 1).unwrap();
    submit(TO, "half").encode(&mut octets, 2).unwrap();
    esme.send_raw(&octets[..octets.len() - 3]).await;
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    drop(esme);
    gate.bound().await.expect_quiet().await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_084_draining_unbinds_everybody_and_answers_what_is_open() {
    let mut gate = Gate::open(|_| {}).await;
    let mut bound = gate.bound().await;
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    let mut unbound = Esme::connect(gate.address).await;
    unbound.expect_quiet().await;
    let drained = tokio::spawn(gate.running.take().unwrap().drain(Duration::from_secs(30)));
    unbound.expect_closed().await;
    let unbind = bound.expect_command(CommandId::UNBIND).await;
    // Answered as long as it has not left.
    bound.submit(TO, "the last").await;
    bound.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
    bound.expect_closed().await;
    // The receiver never answers.
    receiver.expect_command(CommandId::UNBIND).await;
    gate.advance_until(Duration::from_secs(1), drained).await.unwrap();
    receiver.expect_closed().await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_078_numbers_of_both_directions_are_kept_apart() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    submit(TO, "x").encode(&mut octets, 1).unwrap();
    esme.send_raw(&octets).await;
    esme.expect_answer(1).await;
    gate.operate(State::Delivered, 0).await;
    let (sequence, _) = esme.expect_deliver_unanswered().await;
    assert_eq!(sequence, 1, "our own numbers begin at 1 too");
    let mut octets = BytesMut::new();
    submit(TO, "y").encode(&mut octets, sequence).unwrap();
    esme.send_raw(&octets).await;
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    esme.answer_deliver(sequence, CommandStatus::ROK).await;
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999998", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_214_random_octets_do_no_harm() {
    let gate = Gate::open(|_| {}).await;
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut whole = BytesMut::new();
    submit(TO, "mutated").encode(&mut whole, 1).unwrap();
    for round in 0..300 {
        let mut esme = if round % 2 == 0 { gate.bound().await } else { Esme::connect(gate.address).await };
        let mut octets = whole.to_vec();
        for _ in 0..=random() % 6 {
            let at = usize::try_from(random()).unwrap() % octets.len();
            octets[at] = random().to_be_bytes()[0];
        }
        esme.try_send_raw(&octets).await;
    }
    gate.bound().await.submit(TO, "alive").await;
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_is_taken_up_to_the_ceiling() {
    let gate = Gate::open(|plan| plan.esme.max_pdu = 2_048).await;
    let mut esme = gate.bound().await;
    let with_payload = |octets: usize| {
        let mut message = SubmitSm { data_coding: smpp_proto::field::DataCoding::BINARY, ..submit(TO, "") };
        message.tlvs.push(smpp_proto::Tlv::new(smpp_proto::Tag::MESSAGE_PAYLOAD, vec![7; octets]));
        let mut out = BytesMut::new();
        message.encode(&mut out, 9).unwrap();
        out
    };
    let rest = with_payload(0).len();
    esme.send_raw(&with_payload(2_048 - rest)).await;
    // It fits the ceiling; that it takes too many parts is another matter.
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::RINVMSGLEN).await;
    esme.send_raw(&with_payload(2_049 - rest)).await;
    esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN).await;
    esme.expect_closed().await;
    gate.ends_with("1000000", "0");
}
