//! Receipts and messages from phones: to any receiver of the account, within its window, until they are answered.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{EsmClass, InterfaceVersion, RegisteredDelivery, Tag, Tlvs};
use smpp_proto::pdu::{Bind, BindKind, DeliverSm, Header, SubmitSm};
use smpp_proto::{Address, CommandId, CommandStatus, Tlv};
use support::{Esme, Gate, bind, submit};
use tollgate::message::State;

const TO: &str = "34600111222";

fn text(deliver: &DeliverSm) -> String {
    String::from_utf8_lossy(&deliver.short_message).into_owned()
}

/// The body of a message from a phone.
fn mo(text: &'static [u8], tlvs: Tlvs) -> Bytes {
    let deliver = DeliverSm {
        source: Address::international("34699000111"),
        destination: Address::international("34600"),
        esm_class: EsmClass(0x40),
        short_message: Bytes::from_static(text),
        tlvs,
        ..DeliverSm::default()
    };
    let mut out = BytesMut::new();
    deliver.encode(&mut out, 1).unwrap();
    out.split_off(Header::LENGTH).freeze()
}

/// How long a retry of a first attempt takes at most.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn c_172_a_delivered_message_has_one_receipt_with_the_id_of_its_response() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "Hello, how are you today?").await;
    gate.operate(State::Delivered, 0).await;
    let receipt = esme.expect_deliver().await;
    assert_eq!(receipt.esm_class, EsmClass::DELIVERY_RECEIPT);
    assert_eq!((receipt.data_coding.0, receipt.registered_delivery.0), (0, 0));
    assert_eq!(
        (receipt.source, receipt.destination),
        (Address::international(TO), Address::alphanumeric("TEST"))
    );
    assert_eq!(
        String::from_utf8_lossy(&receipt.short_message),
        format!(
            "id:{id} sub:001 dlvrd:001 submit date:2511201200 done date:2511201200 stat:DELIVRD err:000 \
             text:Hello, how are you t"
        )
    );
    assert_eq!(receipt.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).unwrap().to_text(), id);
    assert_eq!(receipt.tlvs.u8(Tag::MESSAGE_STATE), Some(2));
    assert_eq!(receipt.tlvs.len(), 2);
    esme.expect_quiet().await;
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_message_tells_the_error_of_the_network() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.submit(TO, "x").await;
    gate.operate(State::Undeliverable, 27).await;
    let receipt = esme.expect_deliver().await;
    assert!(text(&receipt).contains("dlvrd:000") && text(&receipt).contains("stat:UNDELIV err:027"));
    assert_eq!(receipt.tlvs.get(Tag::NETWORK_ERROR_CODE).map(|v| &v[..]), Some(&[3, 0, 27][..]));
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_175_whoever_asked_for_nothing_gets_nothing() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    for wish in [0x00, 0x02, 0x10] {
        let silent = SubmitSm { registered_delivery: RegisteredDelivery(wish), ..submit(TO, "x") };
        esme.try_submit(silent).await;
        gate.operate(State::Delivered, 0).await;
    }
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999997", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_040_deliveries_go_to_receivers_and_transceivers_only() {
    let gate = Gate::open(|_| {}).await;
    let mut transmitter = gate.bound_as(BindKind::Transmitter).await;
    transmitter.submit(TO, "x").await;
    gate.operate(State::Delivered, 0).await;
    transmitter.expect_quiet().await;
    assert_eq!(gate.owed(), 1);
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    receiver.expect_deliver().await;
    transmitter.expect_quiet().await;
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_209_a_client_of_3_3_gets_the_text_alone() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    let old = Bind { interface_version: InterfaceVersion::V3_3, ..bind("acme", "secret") };
    esme.bind_with(BindKind::Transceiver, old).await;
    let id = esme.submit(TO, "x").await;
    assert!(id.len() == 8 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    gate.operate(State::Undeliverable, 5).await;
    let receipt = esme.expect_deliver().await;
    assert!(receipt.tlvs.is_empty());
    assert!(text(&receipt).starts_with(&format!("id:{id} ")));
    let mut tlvs = Tlvs::new();
    tlvs.push(Tlv::new(Tag(0x1401), Bytes::from_static(b"vendor")));
    gate.mo(mo(b"\x05\0\x03\x07\x02\x01hi", tlvs)).await;
    let message = esme.expect_deliver().await;
    assert_eq!((&message.short_message[..], message.tlvs.len()), (&b"\x05\0\x03\x07\x02\x01hi"[..], 0));
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_164_a_message_from_a_phone_comes_octet_for_octet() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut tlvs = Tlvs::new();
    for tag in [0x1401, 0x1400, 0x020C] {
        tlvs.push(Tlv::new(Tag(tag), Bytes::from_static(b"\0\x01")));
    }
    let body = mo(b"\x05\0\x03\x07\x02\x01\xFF\x00\x1B", tlvs);
    gate.mo(body.clone()).await;
    let incoming = esme.expect_command(CommandId::DELIVER_SM).await;
    assert_eq!(incoming.frame.body, body);
    assert_eq!((incoming.header.status, incoming.header.sequence), (CommandStatus::ROK, 1));
    esme.answer_deliver(1, CommandStatus::ROK).await;
    esme.expect_quiet().await;
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn c_167_whoever_cannot_take_it_now_gets_it_again_after_a_growing_pause() {
    for status in [0x64, 0x14, 0x58, 0x08] {
        let gate = Gate::open(|_| {}).await;
        let mut esme = gate.bound().await;
        esme.submit(TO, "x").await;
        gate.operate(State::Delivered, 0).await;
        let mut last = gate.clock.monotonic();
        for pause in [5_000, 10_000, 20_000] {
            let (sequence, _) = esme.expect_deliver_unanswered().await;
            let waited = gate.clock.monotonic() - last;
            assert!(last == 0 || waited >= pause / 2, "{waited} ms before the next attempt");
            last = gate.clock.monotonic();
            esme.answer_deliver(sequence, CommandStatus(status)).await;
            esme.expect_quiet().await;
            let again = esme.expect_readable();
            gate.advance_until(Duration::from_secs(1), again).await;
            let waited = gate.clock.monotonic() - last;
            assert!((pause..pause + 3_000).contains(&waited), "0x{status:X}: {waited} ms instead of {pause}");
        }
        esme.expect_deliver().await;
        gate.ends_with("999999", "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_168_what_a_client_rejects_is_dropped() {
    for status in [0x66, 0x65] {
        let gate = Gate::open(|_| {}).await;
        let mut esme = gate.bound().await;
        esme.submit(TO, "x").await;
        gate.operate(State::Delivered, 0).await;
        let (sequence, _) = esme.expect_deliver_unanswered().await;
        esme.answer_deliver(sequence, CommandStatus(status)).await;
        esme.expect_quiet().await;
        gate.clock.advance(Duration::from_secs(3_600));
        esme.expect_quiet().await;
        assert_eq!(gate.owed(), 0);
        gate.ends_with("999999", "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_without_meaning_are_retried_a_few_times() {
    let gate = Gate::open(|plan| plan.esme.redelivery.unknown_attempts = 3).await;
    let mut esme = gate.bound().await;
    esme.submit(TO, "x").await;
    gate.operate(State::Delivered, 0).await;
    for status in [0xFF, 0x45, 0x4FF] {
        let next = esme.expect_deliver_unanswered();
        let (sequence, _) = gate.advance_until(FIRST_PAUSE, next).await;
        esme.answer_deliver(sequence, CommandStatus(status)).await;
        esme.expect_quiet().await;
    }
    gate.clock.advance(Duration::from_secs(3_600));
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_075_a_window_of_one_has_one_open() {
    let gate = Gate::open(|plan| plan.bounds.window = 1).await;
    let mut esme = gate.bound().await;
    for n in 0..5 {
        let silent = SubmitSm { short_message: Bytes::from(format!("message {n}")), ..submit(TO, "") };
        let sequence = esme.send(smpp_proto::Body::SubmitSm(silent)).await;
        // A receipt may come between; none does before the operator has worked.
        esme.expect_answer(sequence).await;
    }
    for _ in 0..5 {
        gate.operate(State::Delivered, 0).await;
    }
    for n in 0..5 {
        let (sequence, receipt) = esme.expect_deliver_unanswered().await;
        esme.expect_quiet().await;
        assert!(text(&receipt).ends_with(&format!("message {n}")), "{}", text(&receipt));
        esme.answer_deliver(sequence, CommandStatus::ROK).await;
    }
    esme.expect_quiet().await;
    gate.ends_with("999995", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_170_without_an_answer_it_goes_out_again() {
    let gate = Gate::open(|plan| plan.esme.enquire_link = None).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    gate.operate(State::Delivered, 0).await;
    let (first, receipt) = esme.expect_deliver_unanswered().await;
    let next = esme.expect_deliver_unanswered();
    let (second, again) = gate.advance_until(FIRST_PAUSE, next).await;
    assert!(gate.clock.monotonic() >= 65_000);
    assert_ne!(first, second);
    assert!(receipt == again && text(&again).contains(&id));
    // The late answer to the first finds nothing.
    esme.answer_deliver(first, CommandStatus::RX_R_APPN).await;
    esme.answer_deliver(second, CommandStatus::ROK).await;
    esme.expect_quiet().await;
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_171_what_a_lost_session_left_unanswered_goes_to_another() {
    let gate = Gate::open(|_| {}).await;
    let mut lost = gate.bound().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(lost.submit(TO, &n.to_string()).await);
    }
    for _ in 0..3 {
        gate.operate(State::Delivered, 0).await;
    }
    for id in &ids {
        let (_, receipt) = lost.expect_deliver_unanswered().await;
        assert!(text(&receipt).contains(id));
    }
    drop(lost);
    let mut other = gate.bound().await;
    for id in &ids {
        let receipt = other.expect_deliver().await;
        assert!(text(&receipt).contains(id), "not in order: {}", text(&receipt));
    }
    other.expect_quiet().await;
    gate.ends_with("999997", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_181_what_is_owed_waits_for_a_receiver_until_it_expires() {
    let gate = Gate::open(|_| {}).await;
    let mut transmitter = gate.bound_as(BindKind::Transmitter).await;
    let old = transmitter.submit(TO, "old").await;
    gate.operate(State::Delivered, 0).await;
    transmitter.unbind().await;
    // Receipts and messages are kept for three days.
    gate.clock.advance(Duration::from_secs(2 * 86_400));
    let mut transmitter = gate.bound_as(BindKind::Transmitter).await;
    let fresh = transmitter.submit(TO, "fresh").await;
    gate.operate(State::Delivered, 0).await;
    transmitter.unbind().await;
    gate.clock.advance(Duration::from_secs(86_400 + 60));
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    let receipt = receiver.expect_deliver().await;
    assert!(text(&receipt).contains(&fresh) && !text(&receipt).contains(&old));
    receiver.expect_quiet().await;
    gate.ends_with("999998", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_178_no_receipt_comes_before_the_response_to_its_submit() {
    let gate = std::sync::Arc::new(Gate::open(|_| {}).await);
    let operator = tokio::spawn({
        let gate = std::sync::Arc::clone(&gate);
        async move {
            for _ in 0..200 {
                gate.operate(State::Delivered, 0).await;
            }
        }
    });
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    for sequence in 1..=200 {
        submit(TO, "x").encode(&mut octets, sequence).unwrap();
    }
    esme.send_raw(&octets).await;
    let mut answered = std::collections::HashSet::new();
    let mut receipts = 0;
    while receipts < 200 {
        let incoming = esme.expect().await;
        match incoming.body() {
            smpp_proto::Body::SubmitSmResp(resp) => {
                answered.insert(resp.message_id.unwrap());
            }
            smpp_proto::Body::DeliverSm(deliver) => {
                receipts += 1;
                let id = deliver.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).unwrap();
                assert!(answered.contains(&id), "the receipt of {id} came first");
                esme.answer_deliver(incoming.header.sequence, CommandStatus::ROK).await;
            }
            other => panic!("{other:?}"),
        }
    }
    operator.await.unwrap();
    esme.expect_quiet().await;
    gate.ends_with("999800", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_166_every_shape_of_a_good_answer_counts() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let answers: [&[u8]; 3] = [b"\0", b"", b"some-id\0"];
    for body in answers {
        esme.submit(TO, "x").await;
        gate.operate(State::Delivered, 0).await;
        let (sequence, _) = esme.expect_deliver_unanswered().await;
        let mut octets = BytesMut::new();
        let length = u32::try_from(16 + body.len()).unwrap();
        for field in [length, CommandId::DELIVER_SM_RESP.0, 0, sequence] {
            octets.extend_from_slice(&field.to_be_bytes());
        }
        octets.extend_from_slice(body);
        esme.send_raw(&octets).await;
        esme.expect_quiet().await;
    }
    gate.clock.advance(Duration::from_secs(3_600));
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999997", "0");
}
