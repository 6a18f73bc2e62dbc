//! What clients submit: accepted and charged, or refused with the status of the contract and free of charge.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{COctets, DataCoding, EsmClass, InterfaceVersion, RegisteredDelivery, Tag};
use smpp_proto::pdu::{Bind, BindKind, DataSm, Destination, SubmitMulti, SubmitMultiResp, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tlv};
use support::{Esme, Gate, bind, submit, within};
use tollgate::message::State;

const TO: &str = "34600111222";

fn plain() -> SubmitSm {
    submit(TO, "hello")
}

async fn multi(esme: &mut Esme, multi: SubmitMulti) -> (CommandStatus, SubmitMultiResp) {
    let sequence = esme.send(Body::SubmitMulti(multi)).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(answer.header.command, CommandId::SUBMIT_MULTI_RESP);
    match answer.body() {
        Body::SubmitMultiResp(resp) => (answer.header.status, resp),
        other => panic!("{other:?}"),
    }
}

fn to_many(numbers: &[&str]) -> SubmitMulti {
    SubmitMulti {
        source: Address::alphanumeric("ACME"),
        destinations: numbers.iter().map(|n| Destination::Address(Address::international(*n))).collect(),
        registered_delivery: RegisteredDelivery::RECEIPT,
        short_message: Bytes::from_static(b"to all"),
        ..SubmitMulti::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_089_a_good_message_is_stored_and_charged_before_it_is_answered() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "hello").await;
    assert!(!id.is_empty() && id.bytes().all(|octet| octet.is_ascii_digit()), "{id}");
    gate.ends_with("999999", "1");
    let message = gate.sent().await;
    assert_eq!((message.id.to_string(), &message.pdu[message.pdu.len() - 5..]), (id, &b"hello"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_content_has_its_status_and_costs_nothing() {
    let gate = Gate::open(|plan| plan.prefixes = vec!["34"]).await;
    let mut esme = gate.bound().await;
    let time = |text: &str| COctets::from(text);
    let cases = [
        (SubmitSm { destination: Address::default(), ..plain() }, 0x0B),
        (SubmitSm { destination: Address::international("34abc"), ..plain() }, 0x0B),
        (SubmitSm { destination: Address::international("3460011122233344"), ..plain() }, 0x0B),
        (SubmitSm { destination: Address::international("44700900123"), ..plain() }, 0x0B),
        (SubmitSm { source: Address::default(), ..plain() }, 0x0A),
        (SubmitSm { validity_period: time("not a time at al"), ..plain() }, 0x62),
        (SubmitSm { validity_period: time("250101000000000+"), ..plain() }, 0x62),
        (SubmitSm { schedule_delivery_time: time("251332000000000+"), ..plain() }, 0x61),
        (SubmitSm { schedule_delivery_time: time("250101000000000+"), ..plain() }, 0x61),
        (SubmitSm { esm_class: EsmClass::DELIVERY_RECEIPT, ..plain() }, 0x43),
        (SubmitSm { replace_if_present_flag: 2, ..plain() }, 0x54),
        (SubmitSm { sm_default_msg_id: 7, ..plain() }, 0x63),
    ];
    for (pdu, status) in cases {
        let sequence = esme.send(Body::SubmitSm(pdu.clone())).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!((answer.header.status.0, answer.header.length), (status, 16), "{pdu:?}");
    }
    assert!(!esme.submit(TO, "fine").await.is_empty());
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_117_a_body_that_breaks_off_anywhere_is_answered_and_the_session_stays() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut whole = BytesMut::new();
    plain().encode(&mut whole, 1).unwrap();
    let body = &whole[16..];
    for cut in 0..body.len() {
        let mut octets = BytesMut::new();
        for field in [16 + u32::try_from(cut).unwrap(), CommandId::SUBMIT_SM.0, 0, 500] {
            octets.extend_from_slice(&field.to_be_bytes());
        }
        octets.extend_from_slice(&body[..cut]);
        esme.send_raw(&octets).await;
        let answer = esme.expect_answer(500).await;
        assert_ne!(answer.header.status, CommandStatus::ROK, "cut after {cut} octets");
        assert_eq!(answer.header.command, CommandId::SUBMIT_SM_RESP);
    }
    esme.submit(TO, "whole").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_fields_have_the_precise_status() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let head = |to: &str| format!("\0\x05\0ACME\0\x01\x01{to}\0\0\0\0\0\0\x01\0\0\0");
    let cases = [
        (format!("TOOLONG\0{}", head(TO)), 0x15),
        (format!("\0\x05\0{}\0\x01\x01{TO}\0", "x".repeat(21)), 0x0A),
        (head(&"1".repeat(21)), 0x0B),
        (format!("{}\x09short", head(TO)), 0x01),
        (format!("{}\x05hello\0\0\0", head(TO)), 0xC0),
        (format!("{}\x05hello\x02\x04\0\x09ab", head(TO)), 0xC0),
        (format!("{}\x05hello\x02\x0C\0\x05abcde", head(TO)), 0xC2),
        (format!("{}\x05hello\x02\x0B\0\0", head(TO)), 0xC2),
    ];
    for (body, status) in cases {
        let mut octets = BytesMut::new();
        for field in [16 + u32::try_from(body.len()).unwrap(), CommandId::SUBMIT_SM.0, 0, 9] {
            octets.extend_from_slice(&field.to_be_bytes());
        }
        octets.extend_from_slice(body.as_bytes());
        esme.send_raw(&octets).await;
        assert_eq!(esme.expect_answer(9).await.header.status.0, status, "{body:?}");
    }
    esme.expect_quiet().await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_status_detail_a_refusal_names_its_reason_from_3_4_on() {
    let gate = Gate::open(|plan| plan.terms.status_detail = true).await;
    let mut esme = gate.bound().await;
    let sequence = esme.send(Body::SubmitSm(submit("nowhere", "x"))).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(&answer.frame.body[..], b"\0\0\x1D\0\x14invalid_destination\0");
    let sequence = esme.send(Body::CancelSm(Default::default())).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(&answer.frame.body[..], b"\0\x1D\0\x0Amalformed\0");

    let mut old = Esme::connect(gate.address).await;
    let bind = Bind { interface_version: InterfaceVersion::V3_3, ..bind("acme", "secret") };
    old.bind_with(BindKind::Transmitter, bind).await;
    let sequence = old.send(Body::SubmitSm(submit("nowhere", "x"))).await;
    assert_eq!(old.expect_answer(sequence).await.header.length, 16);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_072_above_the_throughput_the_surplus_is_throttled_and_what_is_within_is_not_harmed() {
    let gate = Gate::open(|plan| plan.bounds.throughput = Some("5/s".parse().unwrap())).await;
    // One bucket for all binds of the credential.
    let (mut one, mut two) = (gate.bound().await, gate.bound().await);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(one.try_submit(plain()).await.0);
        statuses.push(two.try_submit(plain()).await.0);
    }
    let throttled = statuses.iter().filter(|status| **status == CommandStatus::RTHROTTLED).count();
    assert_eq!(throttled, 3, "{statuses:?}");
    gate.ends_with("999995", "5");
    gate.clock.advance(Duration::from_secs(1));
    for _ in 0..5 {
        one.submit(TO, "again").await;
    }
    gate.ends_with("999990", "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn throughput_counts_segments() {
    let gate = Gate::open(|plan| plan.bounds.throughput = Some("5/s".parse().unwrap())).await;
    let mut esme = gate.bound().await;
    let long = "x".repeat(160 + 1);
    let mut message = plain();
    message.short_message = Bytes::from(long);
    for expected in [CommandStatus::ROK, CommandStatus::ROK, CommandStatus::RTHROTTLED] {
        assert_eq!(esme.try_submit(message.clone()).await.0, expected);
    }
    esme.submit(TO, "the fifth").await;
    gate.ends_with("999995", "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_073_a_full_queue_is_told_and_a_later_attempt_is_accepted() {
    let gate = Gate::open(|plan| plan.terms.max_queued = 2).await;
    let mut esme = gate.bound().await;
    for expected in [CommandStatus::ROK, CommandStatus::ROK, CommandStatus::RMSGQFUL] {
        assert_eq!(esme.try_submit(plain()).await.0, expected);
    }
    gate.ends_with("999998", "2");
    gate.operate(State::Delivered, 0).await;
    esme.expect_deliver().await;
    esme.submit(TO, "now").await;
    gate.ends_with("999997", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credit_nothing_is_accepted() {
    let gate = Gate::open(|plan| plan.credit = "1.5").await;
    let mut esme = gate.bound().await;
    assert_eq!(esme.try_submit(plain()).await.0, CommandStatus::ROK);
    assert_eq!(esme.try_submit(plain()).await.0, CommandStatus::RSUBMITFAIL);
    gate.ends_with("0.5", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_085_two_hundred_parallel_sessions_spend_a_hundred_credits_exactly() {
    let gate = Gate::open(|plan| {
        plan.credit = "100";
        plan.bounds.max_binds = 200;
    })
    .await;
    let one = |address| async move {
        let mut esme = Esme::bound(address, "acme", "secret").await;
        esme.try_submit(plain()).await.0
    };
    let sessions: Vec<_> = (0..200).map(|_| tokio::spawn(one(gate.address))).collect();
    let mut accepted = 0;
    for session in sessions {
        match within("a session", session).await.unwrap() {
            CommandStatus::ROK => accepted += 1,
            status => assert_eq!(status, CommandStatus::RSUBMITFAIL),
        }
    }
    assert_eq!(accepted, 100);
    gate.ends_with("0", "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_067_what_is_above_the_window_is_answered_later_and_never_lost() {
    for window in [1, 7, 1000] {
        let gate = Gate::open(|plan| plan.bounds.window = window).await;
        let mut esme = gate.bound().await;
        let mut octets = BytesMut::new();
        for sequence in 1..=500 {
            plain().encode(&mut octets, sequence).unwrap();
        }
        esme.send_raw(&octets).await;
        let mut ids = HashSet::new();
        for _ in 0..500 {
            let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
            assert!(ids.insert(answer.frame.body.clone()), "an id came twice");
        }
        esme.expect_quiet().await;
        gate.ends_with("999500", "500");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_071_sequence_numbers_are_echoed_whatever_they_are() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    for sequence in [0, 5, 5, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        let mut octets = BytesMut::new();
        plain().encode(&mut octets, sequence).unwrap();
        esme.send_raw(&octets).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(answer.header.status, CommandStatus::ROK);
    }
    gate.ends_with("999994", "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_192_submit_multi_has_one_id_and_names_those_that_failed() {
    let gate = Gate::open(|plan| plan.prefixes = vec!["34"]).await;
    let mut esme = gate.bound().await;
    let (status, resp) =
        multi(&mut esme, to_many(&["44700900123", "34600000001", "34600000002", "no"])).await;
    assert_eq!(status, CommandStatus::ROK);
    let failed: Vec<_> =
        resp.unsuccessful.iter().map(|f| (f.destination.digits.to_text(), f.status.0)).collect();
    assert_eq!(failed, [("44700900123".into(), 0x0B), ("no".into(), 0x0B)]);
    let id = resp.message_id.expect("an id").to_text().into_owned();
    gate.ends_with("999998", "2");
    for number in ["34600000001", "34600000002"] {
        let message = gate.operate(State::Delivered, 0).await;
        assert_eq!(message.shown.to_string(), id);
        let receipt = esme.expect_deliver().await;
        assert_eq!(receipt.source.digits.to_text(), number);
        assert_eq!(receipt.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).unwrap().to_text(), id);
    }
    gate.ends_with("999998", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn submit_multi_accepts_as_many_as_credit_and_rate_allow() {
    let gate = Gate::open(|plan| {
        plan.credit = "2";
        plan.bounds.throughput = Some("3/s".parse().unwrap());
    })
    .await;
    let mut esme = gate.bound().await;
    // One before it, so that the head of the submission must be its own.
    let before = esme.submit(TO, "before").await;
    let numbers = ["34600000001", "34600000002", "34600000003"];
    let (status, resp) = multi(&mut esme, to_many(&numbers)).await;
    assert_eq!(status, CommandStatus::ROK);
    let failed: Vec<_> =
        resp.unsuccessful.iter().map(|f| (f.destination.digits.to_text().into_owned(), f.status)).collect();
    let throttled = ("34600000003".to_owned(), CommandStatus::RTHROTTLED);
    assert_eq!(failed, [("34600000002".to_owned(), CommandStatus::RSUBMITFAIL), throttled]);
    assert_ne!(resp.message_id.unwrap().to_text(), before);
    gate.clock.advance(Duration::from_secs(1));
    let (status, resp) = multi(&mut esme, to_many(&numbers)).await;
    assert_eq!((status, resp.message_id), (CommandStatus::RSUBMITFAIL, None));
    gate.ends_with("0", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submit_multi_whose_head_is_throttled_does_not_join_the_message_before_it() {
    let gate = Gate::open(|plan| plan.bounds.throughput = Some("2/s burst 2".parse().unwrap())).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    let mut long = to_many(&["34600000001", "34600000002"]);
    long.short_message = Bytes::from("x".repeat(161));
    plain().encode(&mut octets, 1).unwrap();
    long.encode(&mut octets, 2).unwrap();
    to_many(&["34600000003", "34600000004"]).encode(&mut octets, 3).unwrap();
    esme.send_raw(&octets).await;
    // Two segments of the first destination are too many for the one that is left; then one fits.
    esme.expect_status(CommandId::SUBMIT_MULTI_RESP, CommandStatus::RTHROTTLED).await;
    let mut shown = HashSet::new();
    for _ in 0..2 {
        let answer = esme.expect().await;
        assert_eq!(answer.header.status, CommandStatus::ROK);
        let end = answer.frame.body.iter().position(|octet| *octet == 0).unwrap();
        shown.insert(answer.frame.body.slice(..end));
    }
    assert_eq!(shown.len(), 2);
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_193_submit_multi_that_cannot_be_meant_sends_to_nobody() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let nobody = SubmitMulti { destinations: Vec::new(), ..to_many(&[]) };
    assert_eq!(multi(&mut esme, nobody).await.0, CommandStatus::RINVNUMDESTS);
    let mut list = to_many(&[TO]);
    list.destinations.push(Destination::List(COctets::from("friends")));
    assert_eq!(multi(&mut esme, list).await.0, CommandStatus::RINVDLNAME);
    let (status, _) = multi(&mut esme, to_many(&["no", "neither"])).await;
    assert_eq!(status, CommandStatus::RINVDSTADR);
    let mut octets = BytesMut::new();
    to_many(&[TO]).encode(&mut octets, 3).unwrap();
    let flag = 16 + 1 + 2 + 5 + 1;
    octets[flag] = 9;
    esme.send_raw(&octets).await;
    assert_eq!(esme.expect_answer(3).await.header.status, CommandStatus::RINVDESTFLAG);
    esme.expect_quiet().await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_202_data_sm_is_a_message_like_any_other() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let data = |payload: &'static [u8]| {
        let mut data = DataSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international(TO),
            registered_delivery: RegisteredDelivery::RECEIPT,
            data_coding: DataCoding::UCS2,
            ..DataSm::default()
        };
        data.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, Bytes::from_static(payload)));
        data
    };
    let sequence = esme.send(Body::DataSm(data(b"\0h\0i"))).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((answer.header.command, answer.header.status), (CommandId::DATA_SM_RESP, CommandStatus::ROK));
    let Body::DataSmResp(resp) = answer.body() else { panic!("{answer:?}") };
    let message = gate.operate(State::Delivered, 0).await;
    assert_eq!(resp.message_id.unwrap().to_text(), message.shown.to_string());
    assert!(message.pdu.ends_with(b"\x04\x24\0\x04\0h\0i"), "{:?}", message.pdu);
    esme.expect_deliver().await;

    let empty = DataSm { tlvs: Default::default(), ..data(b"") };
    let long = DataSm { source: Address::alphanumeric("x".repeat(64).as_str()), ..data(b"\0h") };
    for (data, status) in [(empty, CommandStatus::RMISSINGTLV), (long, CommandStatus::RINVSRCADR)] {
        let sequence = esme.send(Body::DataSm(data)).await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, status);
    }
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_162_replace_if_present_leaves_one_message_pending() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let first = esme.submit(TO, "first").await;
    let again =
        SubmitSm { replace_if_present_flag: 1, short_message: Bytes::from_static(b"second"), ..plain() };
    let (status, second) = esme.try_submit(again).await;
    assert_eq!(status, CommandStatus::ROK);
    assert_ne!(first, second);
    let receipt = esme.expect_deliver().await;
    assert!(String::from_utf8_lossy(&receipt.short_message).contains("stat:DELETED"));
    assert_eq!((gate.state(&first), gate.sent().await.id.to_string()), ("deleted", second));
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_of_the_store_holds_sessions_back_and_loses_nothing() {
    let gate = Gate::open(|plan| {
        plan.mailbox = 16;
        plan.bounds.max_binds = 40;
    })
    .await;
    let one = |address| async move {
        let mut esme = Esme::bound(address, "acme", "secret").await;
        // Each is a read, and so a batch, of its own.
        for sequence in 1_000..1_100 {
            let mut octets = BytesMut::new();
            plain().encode(&mut octets, sequence).unwrap();
            esme.send_raw(&octets).await;
        }
        let mut ids = HashSet::new();
        for _ in 0..100 {
            let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
            assert!(ids.insert(answer.frame.body.clone()), "an id came twice");
        }
    };
    let sessions: Vec<_> = (0..40).map(|_| tokio::spawn(one(gate.address))).collect();
    for session in sessions {
        within("a session", session).await.unwrap();
    }
    gate.ends_with("996000", "4000");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_106_both_receipt_bits_mean_every_receipt_before_5_0_and_success_only_after() {
    let gate = Gate::open(|_| {}).await;
    for (version, receipts) in [(InterfaceVersion::V3_4, 1), (InterfaceVersion::V5_0, 0)] {
        let mut esme = Esme::connect(gate.address).await;
        let bind = Bind { interface_version: version, ..bind("acme", "secret") };
        esme.bind_with(BindKind::Transceiver, bind).await;
        esme.try_submit(SubmitSm { registered_delivery: RegisteredDelivery(0x03), ..plain() }).await;
        gate.operate(State::Undeliverable, 1).await;
        for _ in 0..receipts {
            esme.expect_deliver().await;
        }
        esme.expect_quiet().await;
        esme.unbind().await;
    }
    gate.ends_with("999998", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_115_a_zero_octet_behind_the_text_is_dropped_and_not_stored() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    plain().encode(&mut octets, 1).unwrap();
    octets.extend_from_slice(&[0]);
    let length = u32::try_from(octets.len()).unwrap();
    octets[..4].copy_from_slice(&length.to_be_bytes());
    esme.send_raw(&octets).await;
    assert_eq!(esme.expect_answer(1).await.header.status, CommandStatus::ROK);
    assert!(gate.sent().await.pdu.ends_with(b"\x05hello"));
    gate.ends_with("999999", "1");
}
