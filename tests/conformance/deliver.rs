//! Section K, deliveries to clients and the receipts that we send.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{COctets, DataCoding, EsmClass, InterfaceVersion, MessageState, RegisteredDelivery};
use smpp_proto::pdu::{BindKind, CancelSm, DataSm, DeliverSm, Destination, Header, SubmitMulti, SubmitSm};
use smpp_proto::{Address, Body, CommandStatus, Tag, Tlv};
use tollgate::message::State;

use crate::support::{Esme, Gate, Smsc, submit, upstream};

const TO: &str = "34600111222";

fn text(deliver: &DeliverSm) -> String {
    String::from_utf8_lossy(&deliver.short_message).into_owned()
}

/// What stands behind a key of a receipt's text, up to the next blank.
fn field(deliver: &DeliverSm, key: &str) -> String {
    let text = text(deliver);
    let behind = text.split_once(key).unwrap_or_else(|| panic!("no {key} in {text}")).1;
    behind.split(' ').next().unwrap_or_default().to_owned()
}

fn told_id(deliver: &DeliverSm) -> String {
    deliver.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).expect("an id").to_text().into_owned()
}

/// The body of a message from a phone to one of our numbers.
fn mo(to: Address, text: &str) -> Bytes {
    let deliver = DeliverSm {
        source: Address::international("34699000111"),
        destination: to,
        short_message: Bytes::copy_from_slice(text.as_bytes()),
        ..DeliverSm::default()
    };
    let mut out = BytesMut::new();
    deliver.encode(&mut out, 1).expect("a deliver_sm");
    out.split_off(Header::LENGTH).freeze()
}

/// Sends a vector of submit_sm and gives the id of the answer.
async fn submit_vector(esme: &mut Esme, vector: &str) -> String {
    let sequence = esme.send_vector(vector).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(answer.header.status, CommandStatus::ROK, "{vector}");
    message_id(&answer.body())
}

fn message_id(body: &Body) -> String {
    let id = match body {
        Body::SubmitSmResp(resp) => &resp.message_id,
        Body::DataSmResp(resp) => &resp.message_id,
        Body::SubmitMultiResp(resp) => &resp.message_id,
        other => panic!("{other:?}"),
    };
    id.as_ref().expect("an id").to_text().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_165_what_is_owed_waits_for_a_bind_and_keeps_its_order() {
    let gate = Gate::open(|_| {}).await;
    let mut transmitter = gate.bound_as(BindKind::Transmitter).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(transmitter.submit(TO, &format!("message {n}")).await);
    }
    for n in 0..3 {
        gate.operate(State::Delivered, 0).await;
        gate.mo(mo(Address::international("22000"), &format!("from a phone {n}"))).await;
    }
    transmitter.unbind().await;
    gate.clock.advance(Duration::from_secs(3_600));
    assert_eq!(gate.owed(), 6);
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    let (mut receipts, mut messages) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let deliver = receiver.expect_deliver().await;
        if deliver.esm_class == EsmClass::DELIVERY_RECEIPT {
            receipts.push(told_id(&deliver));
        } else {
            messages.push(text(&deliver));
        }
    }
    assert_eq!(receipts, ids);
    assert_eq!(messages, ["from a phone 0", "from a phone 1", "from a phone 2"]);
    receiver.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    gate.ends_with("999997", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_169_an_address_that_a_client_gives_up_loses_all_that_waits_for_it() {
    let gate = Gate::open(|plan| plan.bounds.window = 1).await;
    let mut esme = gate.bound().await;
    let mut ids = Vec::new();
    for (from, said) in [("TEST", "0"), ("TEST", "1"), ("OTHER", "2"), ("TEST", "3")] {
        let message = SubmitSm { source: Address::alphanumeric(from), ..submit(TO, said) };
        ids.push(esme.try_submit(message).await.1);
    }
    for _ in 0..4 {
        gate.operate(State::Delivered, 0).await;
    }
    gate.mo(mo(Address::alphanumeric("TEST"), "to the same")).await;
    gate.mo(mo(Address::international("22000"), "to a number")).await;
    // The first is put off, the second gives the address up: the third is for another one.
    let (sequence, first) = esme.expect_deliver_unanswered().await;
    assert_eq!(told_id(&first), ids[0]);
    esme.answer_deliver(sequence, CommandStatus::RX_T_APPN).await;
    let (sequence, second) = esme.expect_deliver_unanswered().await;
    assert_eq!(told_id(&second), ids[1]);
    esme.answer_deliver(sequence, CommandStatus::RX_P_APPN).await;
    let (sequence, third) = esme.expect_deliver_unanswered().await;
    assert_eq!(told_id(&third), ids[2]);
    // Whatever is asked now is answered after the store has heard what the client said.
    let question = smpp_proto::pdu::QuerySm {
        message_id: COctets::from("1"),
        source: Address::alphanumeric("TEST"),
        ..Default::default()
    };
    let asked = esme.send(Body::QuerySm(question)).await;
    esme.expect_answer(asked).await;
    esme.answer_deliver(sequence, CommandStatus::ROK).await;
    let last = esme.expect_deliver().await;
    assert_eq!(text(&last), "to a number");
    esme.expect_quiet().await;
    gate.clock.advance(Duration::from_secs(3_600));
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    let dropped = gate.store.counters().address_gone.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(dropped, 3, "two receipts and a message from a phone");
    for place in [0, 3] {
        let id = ids[place].parse().expect("an id");
        let trace = gate.store.reader().and_then(|reader| reader.trace(id)).expect("a message");
        let told = trace.timeline.iter().find(|entry| entry.what == "told").expect("why it was dropped");
        assert!(told.detail.contains("ESME_RX_P_APPN"), "{}", told.detail);
    }
    gate.ends_with("999996", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_173_whoever_asks_for_failures_hears_of_failures_alone() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    submit_vector(&mut esme, "V-046").await;
    gate.operate(State::Delivered, 0).await;
    esme.expect_quiet().await;
    assert_eq!(gate.owed(), 0);
    let failures = [
        (State::Undeliverable, "UNDELIV"),
        (State::Expired, "EXPIRED"),
        (State::Rejected, "REJECTD"),
        (State::Deleted, "DELETED"),
    ];
    for (end, stat) in failures {
        let id = submit_vector(&mut esme, "V-046").await;
        gate.operate(end, 11).await;
        let receipt = esme.expect_deliver().await;
        assert_eq!((told_id(&receipt), field(&receipt, "stat:")), (id, stat.to_owned()));
    }
    // Cancelling counts as a failure too.
    let id = submit_vector(&mut esme, "V-046").await;
    let cancel = CancelSm {
        message_id: COctets::from(id.as_str()),
        source: Address::international("447700900000"),
        ..CancelSm::default()
    };
    let sequence = esme.send(Body::CancelSm(cancel)).await;
    assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
    let receipt = esme.expect_deliver().await;
    assert_eq!((told_id(&receipt), field(&receipt, "stat:")), (id, "DELETED".to_owned()));
    esme.expect_quiet().await;
    gate.ends_with("999995", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_174_on_5_0_both_bits_ask_for_success_alone() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound_at(InterfaceVersion::V5_0).await;
    let failures = [State::Undeliverable, State::Expired, State::Rejected, State::Deleted, State::Skipped];
    for end in failures {
        submit_vector(&mut esme, "V-047").await;
        gate.operate(end, 11).await;
        esme.expect_quiet().await;
        assert_eq!(gate.owed(), 0, "{end:?}");
    }
    let id = submit_vector(&mut esme, "V-047").await;
    gate.operate(State::Delivered, 0).await;
    let receipt = esme.expect_deliver().await;
    assert_eq!((told_id(&receipt), field(&receipt, "stat:")), (id, "DELIVRD".to_owned()));
    esme.expect_quiet().await;
    gate.ends_with("999994", "0");
}

/// A notification without text: the operator says no more than that.
fn notification(id: &str, state: MessageState) -> DeliverSm {
    DeliverSm {
        source: Address::international("447700900123"),
        destination: Address::international("447700900000"),
        esm_class: EsmClass::INTERMEDIATE_NOTIFICATION,
        tlvs: vec![
            Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from(id)),
            Tlv::u8(Tag::MESSAGE_STATE, state.0),
        ]
        .into(),
        ..DeliverSm::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_176_intermediate_notifications_go_to_whom_asks_and_are_no_receipts() {
    for (version, scheduled, skipped) in [(InterfaceVersion::V3_4, 1, 8), (InterfaceVersion::V5_0, 0, 9)] {
        let operator = Smsc::listen().await;
        let north = upstream("north", &operator);
        let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
        let mut link = operator.bound().await;
        let mut esme = gate.bound_at(version).await;
        let mut ids = Vec::new();
        let asked = [
            ("V-048", 0x11, "0ABCDEF0"),
            ("V-049", 0x11, "sch-1"),
            ("V-050", 0x0D, "a-1"),
            ("V-051", 0x1D, "skp-1"),
        ];
        for (vector, wish, id) in asked {
            ids.push(submit_vector(&mut esme, vector).await);
            let (sequence, submit) = link.expect_submit().await;
            assert_eq!(submit.registered_delivery.0, wish, "{vector}: what the operator is asked for");
            link.accept_submit(sequence, id).await;
            link.expect_quiet().await;
        }
        // ENROUTE in text and parameters.
        let sequence = link.send_vector("V-172").await;
        link.expect_delivered(sequence).await;
        let told = esme.expect_deliver().await;
        assert_eq!(told.esm_class, EsmClass::INTERMEDIATE_NOTIFICATION);
        assert_eq!((told.source, told.destination), swapped());
        let told = DeliverSm { source: Address::default(), destination: Address::default(), ..told };
        assert_eq!((told_id(&told), field(&told, "id:")), (ids[0].clone(), ids[0].clone()));
        assert_eq!(
            (field(&told, "stat:"), told.tlvs.u8(Tag::MESSAGE_STATE)),
            ("ENROUTE".to_owned(), Some(1))
        );
        // A clock that is a minute behind lets nothing happen before it was asked for.
        let early = DeliverSm {
            short_message: Bytes::from_static(b"id:0ABCDEF0 done date:2511201159 stat:ENROUTE"),
            ..notification("0ABCDEF0", MessageState::ENROUTE)
        };
        let sequence = link.send(Body::DeliverSm(early)).await;
        link.expect_delivered(sequence).await;
        assert_eq!(field(&esme.expect_deliver().await, "done date:"), "2511201200");
        // SCHEDULED, which 3.4 has no word for, in parameters alone.
        let sequence = link.send_vector("V-173").await;
        link.expect_delivered(sequence).await;
        let told = esme.expect_deliver().await;
        assert_eq!((told.esm_class.0, told_id(&told)), (0x20, ids[1].clone()));
        assert_eq!(told.tlvs.u8(Tag::MESSAGE_STATE), Some(scheduled));
        // Whoever did not ask hears nothing.
        let sequence = link.send(Body::DeliverSm(notification("a-1", MessageState::ENROUTE))).await;
        link.expect_delivered(sequence).await;
        esme.expect_quiet().await;
        // SKIPPED is an end, and a failure.
        let sequence = link.send_vector("V-174").await;
        link.expect_delivered(sequence).await;
        let told = esme.expect_deliver().await;
        assert_eq!((told.esm_class.0, told_id(&told)), (0x04, ids[3].clone()));
        assert_eq!(
            (field(&told, "stat:"), told.tlvs.u8(Tag::MESSAGE_STATE)),
            ("REJECTD".to_owned(), Some(skipped))
        );
        // The ends of the others: bit 4 alone asks for no receipt.
        for (id, expected) in [("0ABCDEF0", None), ("sch-1", Some(1)), ("a-1", Some(2))] {
            let sequence = link.send_receipt(&submit("447700900123", ""), id, "DELIVRD", 2).await;
            link.expect_delivered(sequence).await;
            match expected {
                Some(place) => assert_eq!(told_id(&esme.expect_deliver().await), ids[place]),
                None => esme.expect_quiet().await,
            }
        }
        esme.expect_quiet().await;
        gate.ends_with("999996", "0");
    }
}

/// The addresses of what is told about V-048 and its kind.
fn swapped() -> (Address, Address) {
    (Address::international("447700900123"), Address::international("447700900000"))
}

#[tokio::test(flavor = "multi_thread")]
async fn c_177_the_id_of_a_receipt_is_that_of_the_response() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let plain = submit(TO, "x");
    let data = DataSm {
        source: plain.source.clone(),
        destination: plain.destination.clone(),
        registered_delivery: RegisteredDelivery::RECEIPT,
        tlvs: vec![Tlv::new(Tag::MESSAGE_PAYLOAD, &b"x"[..])].into(),
        ..DataSm::default()
    };
    let multi = SubmitMulti {
        source: plain.source.clone(),
        destinations: [TO, "34600111333"].map(|to| Destination::Address(Address::international(to))).to_vec(),
        registered_delivery: RegisteredDelivery::RECEIPT,
        short_message: Bytes::from_static(b"x"),
        ..SubmitMulti::default()
    };
    let requests = [(Body::SubmitSm(plain), 1), (Body::DataSm(data), 1), (Body::SubmitMulti(multi), 2)];
    for (request, receipts) in requests {
        let sequence = esme.send(request).await;
        let answer = esme.expect_answer(sequence).await;
        let id = message_id(&answer.body());
        for _ in 0..receipts {
            gate.operate(State::Delivered, 0).await;
            let receipt = esme.expect_deliver().await;
            assert_eq!((field(&receipt, "id:"), told_id(&receipt)), (id.clone(), id.clone()));
            // With its NUL (SMPP 3.4 §5.3.2.12).
            let value = receipt.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).expect("an id");
            assert_eq!(value.len(), id.len() + 1);
        }
    }
    esme.expect_quiet().await;
    gate.ends_with("999996", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_179_the_text_of_a_receipt_has_the_widths_of_appendix_b() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let ucs2: Vec<u8> = "Ελληνικά: ζώο, 漢字, текст".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let texts: [(u8, Vec<u8>, &[u8]); 5] = [
        (0, b"short".to_vec(), b"short"),
        (0, vec![b'a'; 160], b"aaaaaaaaaaaaaaaaaaaa"),
        // An escape and its second half are never torn apart.
        (0, [&[b'a'; 19][..], b"\x1B\x65b"].concat(), b"aaaaaaaaaaaaaaaaaaa"),
        (4, vec![0xFF; 100], b""),
        (8, ucs2, b""),
    ];
    let errors = [(0, "000"), (5, "005"), (11, "011"), (999, "999"), (0x0400, "999")];
    for ((coding, said, shown), (error, err)) in texts.into_iter().zip(errors) {
        let message =
            SubmitSm { data_coding: DataCoding(coding), short_message: said.into(), ..submit(TO, "") };
        let (_, id) = esme.try_submit(message).await;
        gate.clock.advance(Duration::from_secs(3_600));
        gate.operate(if error == 0 { State::Delivered } else { State::Undeliverable }, error).await;
        let receipt = esme.expect_deliver().await;
        let whole = &receipt.short_message;
        assert_eq!((receipt.data_coding.0, receipt.esm_class.0), (0, 4));
        assert!(whole.len() <= 254 && whole.iter().all(|octet| *octet < 0x80), "{whole:?}");
        let (dlvrd, stat) = if error == 0 { ("001", "DELIVRD") } else { ("000", "UNDELIV") };
        let dates = [field(&receipt, "submit date:"), field(&receipt, "done date:")];
        assert!(
            dates.iter().all(|date| date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit())),
            "{dates:?}"
        );
        let [submitted, done] = dates;
        assert!(submitted < done, "{submitted} {done}");
        let head = format!(
            "id:{id} sub:001 dlvrd:{dlvrd} submit date:{submitted} done date:{done} stat:{stat} err:{err} text:"
        );
        assert!(whole.starts_with(head.as_bytes()), "{}", text(&receipt));
        let excerpt = &whole[head.len()..];
        assert!(excerpt.len() <= 20);
        if coding != 8 {
            assert_eq!(excerpt, shown);
        } else {
            // What the default alphabet does not hold is replaced; how, is the alphabet's business.
            assert!(!excerpt.is_empty());
        }
    }
    esme.expect_quiet().await;
    gate.ends_with("999995", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_180_one_receipt_answers_one_submit_and_the_worst_part_wins() {
    let operator = Smsc::listen().await;
    let north = upstream("north", &operator);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let mut link = operator.bound().await;
    let mut esme = gate.bound().await;
    // Three parts of ours are one submit_sm of the client.
    let id = {
        let payload = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 400]);
        let long = SubmitSm { tlvs: vec![payload].into(), ..submit(TO, "") };
        esme.try_submit(long).await.1
    };
    let mut parts = Vec::new();
    for part in 1..=3 {
        let (sequence, submit) = link.expect_submit().await;
        assert_eq!((submit.esm_class.udhi(), submit.short_message[5]), (true, part));
        link.accept_submit(sequence, &format!("op-{part}")).await;
        parts.push(submit);
    }
    for (place, stat, state) in [(2, "DELIVRD", 2), (0, "UNDELIV", 5), (1, "DELIVRD", 2)] {
        esme.expect_quiet().await;
        let sequence = link.send_receipt(&parts[place], &format!("op-{}", place + 1), stat, state).await;
        link.expect_delivered(sequence).await;
    }
    let receipt = esme.expect_deliver().await;
    assert_eq!((told_id(&receipt), field(&receipt, "stat:")), (id, "UNDELIV".to_owned()));
    assert_eq!(field(&receipt, "dlvrd:"), "000");
    esme.expect_quiet().await;
    // Parts that the client cut are submits of its own, and each has its receipt.
    let mut ids = Vec::new();
    for part in [1, 2] {
        let cut = [&[5, 0, 3, 0x77, 2, part][..], b"half"].concat();
        let half = SubmitSm { esm_class: EsmClass(0x40), short_message: cut.into(), ..submit(TO, "") };
        ids.push(esme.try_submit(half).await.1);
        let (sequence, _) = link.expect_submit().await;
        link.accept_submit(sequence, &format!("half-{part}")).await;
    }
    for (part, id) in [(2, &ids[1]), (1, &ids[0])] {
        let sequence = link.send_receipt(&parts[0], &format!("half-{part}"), "DELIVRD", 2).await;
        link.expect_delivered(sequence).await;
        assert_eq!(told_id(&esme.expect_deliver().await), **id);
    }
    esme.expect_quiet().await;
    gate.ends_with("999995", "0");
}
