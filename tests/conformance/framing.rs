//! Section A, framing: what is cut from the stream, and what becomes of a stream that cannot be cut.

use std::collections::HashSet;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use smpp_proto::pdu::{BindKind, CancelSm, DataSm, DeliverSm, QuerySm, ReplaceSm, SubmitMulti};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use tollgate::message::State;

use crate::support::{Gate, Incoming, Smsc, SmscLink, submit, upstream, vector, vector_numbered, within};

const TO: &str = "34600111222";

/// A gate that binds to one scripted operator, and that operator's end of the bind.
async fn with_operator() -> (Gate, Smsc, SmscLink) {
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let link = smsc.bound().await;
    (gate, smsc, link)
}

/// A request of exactly `length` octets: a body, and a vendor parameter that fills the rest.
fn filled(command: u32, sequence: u32, body: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [u32::try_from(length).unwrap(), command, 0, sequence] {
        out.put_u32(word);
    }
    out.put_slice(body);
    out.put_u16(0x1400);
    let rest = length - out.len() - 2;
    out.put_u16(u16::try_from(rest).unwrap());
    out.resize(length, b'x');
    out
}

/// The body of a submit_sm, or deliver_sm, of "hello" by hand.
fn hello(from: &str, to: &str) -> Vec<u8> {
    let mut body = b"\0\x01\x01".to_vec();
    body.extend_from_slice(from.as_bytes());
    body.extend_from_slice(b"\0\x01\x01");
    body.extend_from_slice(to.as_bytes());
    body.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0\x05hello");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn c_005_an_unknown_response_is_neither_answered_nor_a_reason_to_close() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.send_empty(CommandId(0x8000_0ABC), CommandStatus::ROK, 77).await;
    esme.expect_quiet().await;
    esme.submit("34600111222", "still here").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_003_a_pdu_of_exactly_the_ceiling_is_processed() {
    let gate = Gate::open(|plan| plan.esme.max_pdu = 2_048).await;
    let mut esme = gate.bound().await;
    let body = hello("34600000000", TO);
    esme.send_raw(&filled(4, 9, &body, 2_048)).await;
    let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    assert_eq!(answer.header.sequence, 9);
    assert_eq!(gate.sent().await.pdu.len(), 2_048 - 16, "stored with its parameter");
    esme.send_raw(&filled(4, 10, &body, 2_049)).await;
    let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN).await;
    assert_eq!(nack.header.sequence, 10);
    esme.expect_closed().await;
    gate.ends_with("999999", "1");
    // The client side, with its ceiling of 66 KiB.
    let (gate, _smsc, mut link) = with_operator().await;
    let mut parts = hello("34600111222", "22000");
    parts.truncate(parts.len() - 6);
    parts.push(0);
    parts.extend_from_slice(b"\x04\x24\xFC\x00");
    parts.resize(parts.len() + 0xFC00, b'p');
    link.send_raw(&filled(5, 11, &parts, 67_584)).await;
    let answer = link.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::ROK).await;
    assert_eq!(answer.header.sequence, 11);
    assert_eq!(gate.owed(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_006_a_generic_nack_is_never_answered_and_fails_the_request_that_it_names() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    for unknown in ["V-025", "V-026", "V-312"] {
        esme.send_raw(&vector_numbered(unknown, 0x7777)).await;
        esme.send_raw(&vector(unknown)).await;
        esme.expect_quiet().await;
    }
    for nack in ["V-025", "V-312"] {
        gate.mo(Bytes::from(hello("34600111222", "22000"))).await;
        let (sequence, _) = esme.expect_deliver_unanswered().await;
        esme.send_raw(&vector_numbered(nack, sequence)).await;
        esme.expect_quiet().await;
        let again = gate.advance_until(Duration::from_secs(1), esme.expect_deliver()).await;
        assert_eq!(&again.short_message[..], b"hello", "it failed and comes again");
        esme.expect_quiet().await;
        assert_eq!(gate.owed(), 0);
    }
    // The client side.
    let (gate, _smsc, mut link) = with_operator().await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "refused").await;
    let (sequence, _) = link.expect_submit().await;
    link.send_raw(&vector_numbered("V-312", sequence + 1_000)).await;
    link.expect_quiet().await;
    assert_eq!(gate.state(&id), "ready", "the nack was of another request");
    link.send_raw(&vector_numbered("V-312", sequence)).await;
    link.expect_quiet().await;
    let receipt = esme.expect_deliver().await;
    assert!(receipt.short_message.windows(12).any(|text| text == b"stat:REJECTD"), "{receipt:?}");
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_008_many_pdus_in_one_segment_are_all_answered() {
    let gate = Gate::open(|plan| plan.terms.default_source = Some("ACME".to_owned())).await;
    let mut esme = gate.bound().await;
    esme.answers_enquiries = false;
    for (segment, expected) in [
        ("V-354", vec![(0x8000_0004, 0x1F), (0x8000_0015, 0x15)]),
        ("V-355", vec![(0x8000_0004, 0x1F5), (0x8000_0004, 0x1F6), (0x8000_0004, 0x1F7)]),
    ] {
        esme.send_raw(&vector(segment)).await;
        let mut answers = Vec::new();
        for _ in &expected {
            let answer = esme.next_raw().await.header;
            assert_eq!(answer.status, CommandStatus::ROK);
            answers.push((answer.command.0, answer.sequence));
        }
        answers.sort_unstable();
        assert_eq!(answers, expected, "{segment}");
    }
    gate.ends_with("999996", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_010_what_a_closed_connection_left_unfinished_is_discarded() {
    let gate = Gate::open(|plan| plan.terms.default_source = Some("ACME".to_owned())).await;
    let mut esme = gate.bound().await;
    esme.send_raw(&vector("V-356")).await;
    esme.finish_sending().await;
    esme.expect_end().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("1000000", "0");
    // The client side: half a message from a phone.
    let (gate, smsc, mut link) = with_operator().await;
    let mut whole = BytesMut::new();
    let mo = DeliverSm {
        source: Address::international(TO),
        destination: Address::international("22000"),
        short_message: Bytes::from_static(b"half"),
        ..DeliverSm::default()
    };
    mo.encode(&mut whole, 5).unwrap();
    link.send_raw(&whole[..whole.len() - 2]).await;
    link.finish_sending().await;
    link.expect_end().await;
    let mut link = gate.advance_until(Duration::from_secs(1), smsc.bound()).await;
    link.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_011_a_length_that_is_too_long_is_noticed_and_ends_the_connection() {
    let gate = Gate::open(|plan| {
        plan.esme.partial_pdu = Duration::from_millis(50);
        plan.terms.default_source = Some("ACME".to_owned());
    })
    .await;
    let mut esme = gate.bound().await;
    esme.send_raw(&vector("V-360")).await;
    let answer = esme.expect_command(CommandId::SUBMIT_SM_RESP).await;
    assert!([0xC0, 0x02].contains(&answer.header.status.0), "{answer:?}");
    esme.expect_end().await;
    gate.ends_with("1000000", "0");
}

/// That an answer belongs to its request.
fn answers(answer: &Incoming, request: CommandId, sequence: u32) {
    assert_eq!(answer.header.command.0, request.0 | 0x8000_0000);
    assert_eq!(answer.header.sequence, sequence);
    assert_eq!(answer.header.length as usize, 16 + answer.frame.body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn c_012_every_response_carries_the_number_of_its_request_and_its_own_length() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let source = Address::alphanumeric("TEST");
    let multi = SubmitMulti {
        source: source.clone(),
        destinations: vec![smpp_proto::pdu::Destination::Address(Address::international(TO))],
        ..SubmitMulti::default()
    };
    let payload = Tlv::new(Tag::MESSAGE_PAYLOAD, &b"data"[..]);
    let data = DataSm {
        source: source.clone(),
        destination: Address::international(TO),
        tlvs: vec![payload].into(),
        ..DataSm::default()
    };
    let bodies = [
        Body::SubmitSm(submit(TO, "one")),
        Body::SubmitMulti(multi),
        Body::DataSm(data),
        Body::QuerySm(QuerySm { message_id: "123".into(), source: source.clone(), ..QuerySm::default() }),
        Body::CancelSm(CancelSm { message_id: "123".into(), source: source.clone(), ..CancelSm::default() }),
        Body::ReplaceSm(ReplaceSm { message_id: "123".into(), source, ..ReplaceSm::default() }),
        Body::BindReceiver(crate::support::bind("acme", "secret")),
    ];
    for (body, sequence) in bodies.into_iter().zip([7, 3, 0x7FFF_FFFF, 1, 2, 500, 6]) {
        let command = body.command();
        esme.send_pdu(&smpp_proto::Pdu::request(sequence, body)).await;
        answers(&esme.expect().await, command, sequence);
    }
    esme.send_empty(CommandId::UNBIND, CommandStatus::ROK, 0x1234_5678).await;
    answers(&esme.expect().await, CommandId::UNBIND, 0x1234_5678);
    // The client side.
    let (_gate, _smsc, mut link) = with_operator().await;
    link.answers_enquiries = false;
    link.send_empty(CommandId::ENQUIRE_LINK, CommandStatus::ROK, 0x7FFF_FFFF).await;
    answers(&link.expect().await, CommandId::ENQUIRE_LINK, 0x7FFF_FFFF);
    link.send_raw(&filled(5, 77, &hello(TO, "22000"), 200)).await;
    answers(&link.expect().await, CommandId::DELIVER_SM, 77);
    link.send_empty(CommandId::UNBIND, CommandStatus::ROK, 3).await;
    answers(&link.expect().await, CommandId::UNBIND, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_013_our_requests_have_status_0_and_numbers_that_no_other_open_one_has() {
    let mut gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.answers_enquiries = false;
    let mut open = HashSet::new();
    let mut request = |incoming: Incoming, command: CommandId| {
        assert_eq!((incoming.header.command, incoming.header.status), (command, CommandStatus::ROK));
        assert!((1..=0x7FFF_FFFF).contains(&incoming.header.sequence));
        assert!(open.insert(incoming.header.sequence), "{incoming:?}");
    };
    for _ in 0..5 {
        gate.mo(Bytes::from(hello(TO, "22000"))).await;
        request(esme.expect().await, CommandId::DELIVER_SM);
    }
    gate.clock.advance(Duration::from_secs(31));
    request(esme.expect().await, CommandId::ENQUIRE_LINK);
    let running = gate.running.take().expect("it runs");
    let drain = tokio::spawn(running.drain(Duration::from_secs(5)));
    request(esme.expect().await, CommandId::UNBIND);
    drop(esme);
    within("the drain", drain).await.unwrap();
    // The client side: the bind is answered, the submits are not.
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let mut link = smsc.accept().await;
    let bind = link.expect().await;
    assert_eq!((bind.header.status, bind.header.sequence), (CommandStatus::ROK, 1));
    link.accept_bind(bind.header.sequence, BindKind::Transceiver).await;
    let mut esme = gate.bound().await;
    let mut open = HashSet::new();
    for n in 0..5 {
        esme.submit(TO, &format!("text {n}")).await;
        let submit = link.expect_command(CommandId::SUBMIT_SM).await.header;
        assert_eq!(submit.status, CommandStatus::ROK);
        assert!((1..=0x7FFF_FFFF).contains(&submit.sequence) && open.insert(submit.sequence), "{submit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_019_the_ids_of_smpp_4_are_nacked_and_the_session_stays() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    for command in [0x0001_0001, 0x0001_0004, 0x0001_0021] {
        esme.send_raw(&filled(command, 40, b"", 30)).await;
        let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
        assert_eq!((nack.header.sequence, nack.header.length), (40, 16));
    }
    let id = esme.submit(TO, "still here").await;
    gate.operate(State::Delivered, 0).await;
    esme.expect_deliver().await;
    assert_eq!(gate.state(&id), "delivered");
    // The client side answers a centre the same.
    let (_gate, _smsc, mut link) = with_operator().await;
    link.send_raw(&filled(0x0001_0005, 41, b"", 30)).await;
    let nack = link.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
    assert_eq!(nack.header.sequence, 41);
    link.expect_quiet().await;
}
