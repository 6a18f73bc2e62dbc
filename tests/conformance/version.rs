//! Section P, versions: each peer is answered in its dialect, and what its version does not have never reaches it.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use smpp_proto::field::{COctets, InterfaceVersion};
use smpp_proto::pdu::{BindKind, CancelSm, QuerySm, ReplaceSm, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use tollgate::message::State;
use tollgate::smsc::BindMode;

use crate::support::{Esme, Gate, Smsc, SmscLink, octets, submit, upstream, vector, vector_numbered};

const TO: &str = "34600111222";
const V33: InterfaceVersion = InterfaceVersion::V3_3;
const V34: InterfaceVersion = InterfaceVersion::V3_4;
const V50: InterfaceVersion = InterfaceVersion::V5_0;

async fn transceiver(gate: &Gate, version: InterfaceVersion) -> Esme {
    Esme::of_version(version, BindKind::Transceiver, gate.address).await
}

/// A submit_sm_resp with congestion_state, as 5.0 has it.
async fn accept_congested(link: &mut SmscLink, sequence: u32, id: &str, state: u8) {
    let mut out = Vec::new();
    for word in [16 + u32::try_from(id.len()).unwrap() + 1 + 5, 0x8000_0004, 0, sequence] {
        out.put_u32(word);
    }
    out.put_slice(id.as_bytes());
    out.put_slice(&[0, 0x04, 0x28, 0, 1, state]);
    link.send_raw(&out).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_each_version_is_answered_in_its_dialect_at_once() {
    // With a window of 1 each of them gets one receipt, as long as none of them answers.
    let gate = Gate::open(|plan| plan.bounds.window = 1).await;
    let mut clients = Vec::new();
    for (version, to) in [(V33, "34600000033"), (V34, "34600000034"), (V50, "34600000050")] {
        clients.push((transceiver(&gate, version).await, version, to, String::new()));
    }
    for (esme, version, to, id) in &mut clients {
        let sequence = esme.send(Body::SubmitSm(submit(to, "in my words"))).await;
        let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
        assert_eq!(answer.header.sequence, sequence);
        let mut body = &answer.frame.body[..];
        if *version == V50 {
            // congestion_state: idle, with one or two of ten million waiting.
            body = body.strip_suffix(&octets("0428 0001 00")[..]).expect("congestion_state");
        }
        *id = String::from_utf8(body.strip_suffix(b"\0").expect("a message id").to_vec()).unwrap();
        assert!(id.bytes().all(|octet| octet.is_ascii_hexdigit()));
        assert_eq!(id.len(), if *version == V33 { 8 } else { 18 }, "{id}");
    }
    for _ in 0..3 {
        gate.operate(State::Delivered, 0).await;
    }
    let known: Vec<_> = clients.iter().map(|(_, _, to, id)| (*to, id.clone())).collect();
    let mut told = Vec::new();
    for (esme, version, ..) in &mut clients {
        let deliver = esme.expect_command(CommandId::DELIVER_SM).await;
        let (to, id) = known
            .iter()
            .find(|(to, _)| deliver.frame.body.windows(to.len()).any(|octets| octets == to.as_bytes()))
            .expect("a receipt about one of the three");
        let text = format!(
            "id:{id} sub:001 dlvrd:001 submit date:2511201200 done date:2511201200 stat:DELIVRD err:000 \
             text:in my words"
        );
        let mut expected = octets("00 01 01");
        expected.extend_from_slice(to.as_bytes());
        expected.extend(octets("00 05 00 54455354 00 04 00 00 00 00 00 00 00 00"));
        expected.push(u8::try_from(text.len()).unwrap());
        expected.extend_from_slice(text.as_bytes());
        if *version != V33 {
            expected.extend([0x00, 0x1E, 0x00, u8::try_from(id.len() + 1).unwrap()]);
            expected.extend_from_slice(id.as_bytes());
            expected.extend(octets("00 0427 0001 02"));
        }
        assert_eq!(deliver.frame.body, expected, "to the client of {version}");
        told.push((esme, deliver.header.sequence, *to));
    }
    let mut about: Vec<_> = told.iter().map(|(_, _, to)| *to).collect();
    about.sort_unstable();
    assert_eq!(about, ["34600000033", "34600000034", "34600000050"]);
    for (esme, sequence, _) in told {
        esme.answer_deliver(sequence, CommandStatus::ROK).await;
        esme.expect_quiet().await;
    }
    gate.ends_with("999997", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_077_an_operator_of_5_0_that_is_congested_gets_less() {
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| {
        let mut north = upstream("north", &smsc);
        north.interface_version = V50;
        plan.upstreams = vec![north];
    })
    .await;
    let mut link = smsc.accept().await;
    let (sequence, kind, bind) = link.expect_bind().await;
    assert_eq!(bind.interface_version, V50);
    link.accept_bind_as(sequence, kind, Some(V50)).await;
    let mut esme = gate.bound().await;
    for (state, adapted) in [(0, false), (85, false), (100, true)] {
        esme.submit(TO, "hello").await;
        let (sequence, _) = link.expect_submit().await;
        accept_congested(&mut link, sequence, &format!("op-{state}"), state).await;
        link.expect_quiet().await;
        assert_eq!(gate.adapted_rate("north").is_some(), adapted, "at {state}");
    }
    // Never needed for correctness: traffic goes on, only slower.
    let id = esme.submit(TO, "hello").await;
    let (sequence, submitted) = gate.advance_until(Duration::from_secs(1), link.expect_submit()).await;
    link.accept_submit(sequence, "op-last").await;
    link.send_receipt(&submitted, "op-last", "DELIVRD", 2).await;
    esme.expect_deliver().await;
    assert_eq!(gate.state(&id), "delivered");
}

fn named(id: &str, source: &str) -> (COctets, Address) {
    (COctets::from(id), Address::alphanumeric(source))
}

#[tokio::test(flavor = "multi_thread")]
async fn c_089_a_client_of_3_3_gets_ids_of_eight_hexadecimal_digits_that_name_its_messages() {
    let gate = Gate::open(|_| {}).await;
    for version in [InterfaceVersion(0x00), V33] {
        let mut esme = transceiver(&gate, version).await;
        let later = SubmitSm { schedule_delivery_time: "000000010000000R".into(), ..submit(TO, "later") };
        let mut ids = Vec::new();
        for _ in 0..3 {
            let sequence = esme.send(Body::SubmitSm(later.clone())).await;
            let answer = esme.expect_answer(sequence).await;
            // As V-134: 16 octets, 8 digits and a NUL.
            assert_eq!((answer.header.status, answer.frame.body.len()), (CommandStatus::ROK, 9));
            let id = String::from_utf8(answer.frame.body[..8].to_vec()).unwrap();
            assert!(id.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'A'..=b'F')), "{id}");
            assert!(!ids.contains(&id));
            ids.push(id);
        }
        let [asked, cancelled, replaced] = &ids[..] else { panic!("three") };
        for (text, source, status) in [
            (asked.clone(), "TEST", CommandStatus::ROK),
            (asked.to_lowercase(), "TEST", CommandStatus::ROK),
            (asked.clone(), "OTHER", CommandStatus::RQUERYFAIL),
            ("FFFFFFFF".to_owned(), "TEST", CommandStatus::RQUERYFAIL),
            ("FFFF".to_owned(), "TEST", CommandStatus::RQUERYFAIL),
        ] {
            let (message_id, source) = named(&text, source);
            let question = QuerySm { message_id, source, ..QuerySm::default() };
            let sequence = esme.send(Body::QuerySm(question)).await;
            let answer = esme.expect_answer(sequence).await;
            let known = answer.header.status == CommandStatus::RINVMSGID && text.len() < 8;
            assert!(answer.header.status == status || known, "{text}: {answer:?}");
            if status == CommandStatus::ROK {
                // The id, no final date, ENROUTE, no error, and no parameter.
                let expected = [text.as_bytes(), b"\0\0\x01\0"].concat();
                assert_eq!(answer.frame.body, expected);
            }
        }
        let (message_id, source) = named(cancelled, "TEST");
        let cancel = CancelSm { message_id, source, ..CancelSm::default() };
        let sequence = esme.send(Body::CancelSm(cancel)).await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
        assert_eq!(gate.state(cancelled), "deleted");
        let receipt = esme.expect_deliver().await;
        assert!(receipt.short_message.starts_with(format!("id:{cancelled} ").as_bytes()), "{receipt:?}");
        let (message_id, source) = named(replaced, "TEST");
        let short_message = Bytes::from_static(b"other");
        let replace = ReplaceSm { message_id, source, short_message, ..ReplaceSm::default() };
        let sequence = esme.send(Body::ReplaceSm(replace)).await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
        let trace = gate.store.reader().unwrap().trace(replaced.parse().unwrap()).unwrap();
        assert_eq!((trace.short_id.as_deref(), trace.state), (Some(replaced.as_str()), "deferred"));
        assert_eq!(trace.message_id.len(), 18);
        esme.unbind().await;
    }
    gate.ends_with("999996", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_206_cell_broadcast_is_unknown_to_a_session_of_3_4() {
    let gate = Gate::open(|_| {}).await;
    for version in [V33, V34] {
        let mut esme = transceiver(&gate, version).await;
        for request in ["V-308", "V-210", "V-213"] {
            esme.send_raw(&vector_numbered(request, 70)).await;
            let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
            assert_eq!((nack.header.sequence, nack.header.length), (70, 16), "{request} on {version}");
        }
        esme.expect_quiet().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_207_cell_broadcast_is_known_to_a_session_of_5_0_and_not_offered() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = transceiver(&gate, V50).await;
    let requests = ["V-206", "V-207", "V-210", "V-211", "V-213", "V-214", "V-218", "V-219", "V-305"];
    for request in requests {
        let octets = vector_numbered(request, 71);
        esme.send_raw(&octets).await;
        let answer = esme.expect().await.header;
        assert_eq!(
            (answer.command.0, answer.status.0),
            (0x8000_0100 | u32::from(octets[7]), 0x101),
            "{request}"
        );
        assert_eq!((answer.sequence, answer.length), (71, 16));
    }
    esme.submit(TO, "still here").await;
    gate.ends_with("999999", "1");
}

/// A deliver_sm with a short_message of 255 octets, by hand.
fn of_255_octets() -> Vec<u8> {
    let mut body = octets("00 01 01 3334363030 00 01 01 3232303030 00 00 00 00 00 00 00 00 04 00 FF");
    body.resize(body.len() + 255, b'y');
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn c_208_what_5_0_added_stays_on_sessions_of_5_0() {
    let gate = Gate::open(|_| {}).await;
    for version in [V34, V50] {
        let is_new = version == V50;
        let mut esme = transceiver(&gate, version).await;
        // SCHEDULED is ENROUTE before 5.0.
        let later = SubmitSm { schedule_delivery_time: "000000010000000R".into(), ..submit(TO, "later") };
        let sequence = esme.send(Body::SubmitSm(later)).await;
        let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
        assert_eq!(answer.header.sequence, sequence);
        assert_eq!(answer.frame.body.ends_with(&octets("0428 0001 00")), is_new);
        let id = String::from_utf8(answer.frame.body[..18].to_vec()).unwrap();
        assert_eq!(answer.frame.body.len(), if is_new { 18 + 1 + 5 } else { 18 + 1 });
        let (message_id, source) = named(&id, "TEST");
        let question = QuerySm { message_id, source, ..QuerySm::default() };
        let sequence = esme.send(Body::QuerySm(question)).await;
        let state = [id.as_bytes(), &[0, 0, u8::from(!is_new), 0]].concat();
        assert_eq!(esme.expect_answer(sequence).await.frame.body, state, "{version}");
        // A short_message of 255 octets is a message_payload before 5.0.
        gate.mo(Bytes::from(of_255_octets())).await;
        let deliver = esme.expect_command(CommandId::DELIVER_SM).await;
        let mut expected = of_255_octets();
        if !is_new {
            let text = expected.split_off(expected.len() - 255);
            expected.pop();
            expected.extend(octets("00 0424 00FF"));
            expected.extend(text);
        }
        assert_eq!(deliver.frame.body, expected, "{version}");
        esme.answer_deliver(deliver.header.sequence, CommandStatus::ROK).await;
        // RPROHIBITED is a status of 5.0.
        esme.send_raw(&vector("V-206")).await;
        assert_eq!(esme.expect().await.header.status.0, if is_new { 0x101 } else { 0x03 });
        esme.unbind().await;
    }
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn congestion_state_is_told_as_it_is_and_only_when_it_is_wished() {
    let gate = Gate::open(|plan| plan.terms.max_queued = 10).await;
    let mut esme = transceiver(&gate, V50).await;
    for waiting in 1..=10_u8 {
        let sequence = esme.send(Body::SubmitSm(submit(TO, "waits"))).await;
        let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
        assert_eq!(answer.header.sequence, sequence);
        assert_eq!(answer.frame.body.last(), Some(&(waiting * 10)));
    }
    let (status, _) = esme.try_submit(submit(TO, "one too many")).await;
    assert_eq!(status, CommandStatus::RMSGQFUL);
    gate.ends_with("999990", "10");
    let gate = Gate::open(|plan| plan.esme.congestion_state = false).await;
    let mut esme = transceiver(&gate, V50).await;
    let sequence = esme.send(Body::SubmitSm(submit(TO, "hello"))).await;
    assert_eq!(esme.expect_answer(sequence).await.frame.body.len(), 18 + 1);
}

/// A parameter of 3.4 that is passed on.
fn with_parameter() -> SubmitSm {
    SubmitSm { tlvs: vec![Tlv::u16(Tag::USER_MESSAGE_REFERENCE, 7)].into(), ..submit(TO, "hello") }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_210_a_centre_that_tells_no_version_is_one_of_3_4_unless_3_3_is_set() {
    for (ours, parameters) in [(V34, 1), (V33, 0), (V50, 1)] {
        let smsc = Smsc::listen().await;
        let gate = Gate::open(|plan| {
            let mut north = upstream("north", &smsc);
            north.interface_version = ours;
            north.bind_type = BindMode::Transmitter;
            plan.upstreams = vec![north];
        })
        .await;
        let mut link = smsc.accept().await;
        let (sequence, _, bind) = link.expect_bind().await;
        assert_eq!(bind.interface_version, ours);
        link.send_raw(&vector_numbered("V-011", sequence)).await;
        let mut esme = gate.bound().await;
        esme.try_submit(with_parameter()).await;
        let (sequence, submitted) = link.expect_submit().await;
        assert_eq!(submitted.tlvs.len(), parameters, "{ours}");
        accept_congested(&mut link, sequence, "op-1", 100).await;
        link.expect_quiet().await;
        assert_eq!(gate.adapted_rate("north"), None, "congestion_state is of 5.0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_211_a_centre_that_offers_more_than_we_asked_for_gets_what_we_asked_for() {
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let mut link = smsc.accept().await;
    let (sequence, kind, bind) = link.expect_bind().await;
    assert_eq!(bind.interface_version, V34);
    link.accept_bind_as(sequence, kind, Some(V50)).await;
    let mut esme = gate.bound().await;
    esme.try_submit(with_parameter()).await;
    let (sequence, submitted) = link.expect_submit().await;
    assert_eq!((submitted.tlvs.len(), submitted.short_message.len()), (1, 5));
    accept_congested(&mut link, sequence, "op-1", 100).await;
    link.expect_quiet().await;
    assert_eq!(gate.adapted_rate("north"), None, "congestion_state is of 5.0");
    let delivery = link.send_receipt(&submitted, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(delivery).await;
    esme.expect_deliver().await;
    gate.ends_with("999999", "0");
}
