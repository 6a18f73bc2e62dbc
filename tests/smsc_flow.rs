//! The way of a message to an operator and of its receipt back, as conversations with a scripted operator.

mod support;

use smpp_proto::field::{COctets, EsmClass};
use smpp_proto::pdu::{BindKind, DataSm, DeliverSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use support::{Binds, Smsc, certificate, hello, upstream};
use tollgate::link::tls::{ClientIdentity, Trust};
use tollgate::message::{DeliveryKey, IdForm, Owed, State};
use tollgate::sim;
use tollgate::smsc::{BindMode, LongForm, Phase, Tls, Upstream};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_submitted_taken_delivered_and_its_receipt_answered() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.accept().await;
    let (sequence, kind, bind) = link.expect_bind().await;
    assert_eq!(
        (kind, bind.system_id, bind.password.expose()),
        (BindKind::Transceiver, "gate".into(), &b"secret"[..])
    );
    link.accept_bind(sequence, kind).await;

    let id = gate.send("34600000001").await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(
        (submit.destination.digits.clone(), &submit.short_message[..]),
        ("34600000001".into(), &b"hello"[..])
    );
    assert_eq!(
        (submit.registered_delivery.0, submit.validity_period.clone()),
        (1, "000001000000000R".into())
    );
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;

    let receipt = link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    assert_eq!(gate.state(id), "delivered", "answered only when it is durable");
    assert_eq!(gate.owed().await.key, DeliveryKey::Receipt(id));
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
    link.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_kept_and_answers_come_in_any_order() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.window = 3;
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.bound().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(gate.send(&format!("3460000000{number}")).await);
    }
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(link.expect_submit().await);
    }
    link.expect_quiet().await;
    for place in [1, 0, 2] {
        let (sequence, submit) = &open[place];
        link.accept_submit(*sequence, &format!("to-{}", submit.destination.digits)).await;
    }
    let (sequence, last) = link.expect_submit().await;
    link.accept_submit(sequence, &format!("to-{}", last.destination.digits)).await;
    for (id, number) in ids.into_iter().zip(0..) {
        gate.reaches(id, "sent").await;
        let trace = gate.store.reader().unwrap().trace(id).unwrap();
        assert_eq!(trace.upstream_id, Some(format!("to-3460000000{number}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_of_one_has_one_outstanding() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.window = 1;
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.bound().await;
    for _ in 0..3 {
        gate.send("34600000001").await;
    }
    for number in 0..3 {
        let (sequence, _) = link.expect_submit().await;
        link.expect_quiet().await;
        link.accept_submit(sequence, &number.to_string()).await;
    }
    link.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_221_an_answer_without_an_id_is_taken_without_a_receipt() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    // V-313 has no body; others have an empty id in it.
    for (left, with_body) in [("98.5", false), ("97", true)] {
        let id = gate.send("34600000001").await;
        let (sequence, _) = link.expect_submit().await;
        if with_body {
            link.accept_submit(sequence, "").await;
        } else {
            link.answer_vector("V-313", sequence).await;
        }
        gate.reaches(id, "accepted").await;
        assert_eq!(gate.reason(id), ("no_receipt_asked", 0));
        assert_eq!(gate.books(), (left.to_owned(), "0".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_matched_under_every_form_of_id() {
    let wide = ("ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455");
    let cases = [
        (IdForm::Auto, "00B8BE19", "12107289"),
        (IdForm::HexToDecimal, "00B8BE19", "12107289"),
        (IdForm::DecimalToHex, "12107289", "b8be19"),
        (IdForm::Auto, wide.0, wide.1),
        (IdForm::FoldCase, "AB-cd", "ab-CD"),
        (IdForm::StripZeros, "000123", "123"),
        (IdForm::Exact, "3F2504E0-4F89-41D3-9A0C-0305E82C3301", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"),
    ];
    for (form, given, told) in cases {
        let operator = Smsc::listen().await;
        let mut north = upstream("north", &operator);
        north.id_form = form;
        let gate = Binds::with(vec![north]).await;
        let mut link = operator.bound().await;
        let id = gate.send("34600000001").await;
        let (sequence, submit) = link.expect_submit().await;
        link.accept_submit(sequence, given).await;
        let receipt = link.send_receipt_text(&submit, &format!("id:{told} stat:UNDELIV err:027")).await;
        link.expect_delivered(receipt).await;
        assert_eq!(
            (gate.state(id), gate.reason(id)),
            ("undeliverable", ("receipt", 27)),
            "{form:?} {given} {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_186_a_receipt_that_overtakes_its_answer_is_kept_and_matched() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    let id = gate.send("34600000001").await;
    let (sequence, submit) = link.expect_submit().await;
    let receipt = link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "delivered").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_187_a_receipt_without_a_known_id_is_acknowledged() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    let submit = hello("34600000001");
    for text in ["id:nobody stat:DELIVRD", "stat:DELIVRD err:000", ""] {
        let receipt = link.send_receipt_text(&submit, text).await;
        link.expect_delivered(receipt).await;
    }
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_from_a_phone_is_stored_before_it_is_answered() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    let sequence = link.send_mo("34600000009", "22000", "STOP").await;
    link.expect_delivered(sequence).await;
    let Owed::Mo { pdu } = gate.owed().await.content else { panic!("an MO") };
    let mo = DeliverSm::decode(pdu).unwrap();
    assert_eq!((mo.source.digits, &mo.short_message[..]), ("34600000009".into(), &b"STOP"[..]));

    let data = DataSm {
        source: Address::international("34600000009"),
        destination: Address::international("22000"),
        tlvs: vec![Tlv::new(Tag::MESSAGE_PAYLOAD, &b"by data_sm"[..])].into(),
        ..DataSm::default()
    };
    link.send(Body::DataSm(data)).await;
    link.expect_status(CommandId::DATA_SM_RESP, CommandStatus::ROK).await;
    let Owed::Mo { pdu } = gate.owed().await.content else { panic!("an MO") };
    assert_eq!(&DeliverSm::decode(pdu).unwrap().user_data()[..], b"by data_sm");

    link.send_mo("34600000009", "33000", "nobody has this number").await;
    link.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::RX_R_APPN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_cannot_be_read_is_refused_and_the_bind_stays() {
    let operator = Smsc::listen().await;
    let _gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    link.send_raw(b"\0\0\0\x12\0\0\0\x05\0\0\0\0\0\0\0\x63\0\x01").await;
    let answer = link.expect_command(CommandId::DELIVER_SM_RESP).await;
    assert_eq!((answer.header.sequence, answer.header.status.is_ok()), (0x63, false));
    link.send_empty(CommandId(0x0001_0201), CommandStatus::ROK, 7).await;
    link.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
    link.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_submits_on_one_bind_and_receives_on_the_other() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.bind_type = BindMode::Pair;
    let gate = Binds::with(vec![north]).await;
    let (mut tx, mut rx) = (None, None);
    for _ in 0..2 {
        let mut link = operator.accept().await;
        let (sequence, kind, _) = link.expect_bind().await;
        link.accept_bind(sequence, kind).await;
        *(if kind == BindKind::Receiver { &mut rx } else { &mut tx }) = Some(link);
    }
    let (mut tx, mut rx) = (tx.expect("a transmitter"), rx.expect("a receiver"));
    let id = gate.send("34600000001").await;
    let (sequence, submit) = tx.expect_submit().await;
    tx.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    let receipt = rx.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    rx.expect_delivered(receipt).await;
    assert_eq!(gate.state(id), "delivered");
    tx.send_mo("34600000009", "22000", "wrong bind").await;
    tx.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::RINVBNDSTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_goes_part_by_part_and_ends_with_its_last_receipt() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    let mut pdu = hello("34600000001");
    pdu.short_message = vec![b'a'; 200].into();
    let id = gate.accept(pdu).await;
    assert_eq!(gate.books(), ("97".to_owned(), "3".to_owned()));
    let mut references = Vec::new();
    for part in 1..=2 {
        let (sequence, submit) = link.expect_submit().await;
        assert_eq!((submit.esm_class, submit.short_message[5]), (EsmClass(0x40), part));
        references.push(submit.short_message[3]);
        link.expect_quiet().await;
        link.accept_submit(sequence, &format!("op-{part}")).await;
    }
    assert_eq!(references[0], references[1]);
    gate.reaches(id, "sent").await;
    let submit = hello("34600000001");
    for part in [2, 1] {
        assert_eq!(gate.state(id), "sent");
        let receipt = link.send_receipt(&submit, &format!("op-{part}"), "DELIVRD", 2).await;
        link.expect_delivered(receipt).await;
    }
    assert_eq!(gate.state(id), "delivered");
    assert_eq!(gate.books(), ("97".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_carries_a_long_message_at_once() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.long = LongForm::Payload;
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.bound().await;
    let mut pdu = hello("34600000001");
    pdu.short_message = vec![b'a'; 200].into();
    let id = gate.accept(pdu).await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!((submit.short_message.len(), submit.user_data().len()), (0, 200));
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    let receipt = link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(receipt).await;
    assert_eq!(gate.state(id), "delivered");
    assert_eq!(gate.books(), ("97".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_goes_whole_costs_the_throughput_all_its_segments() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.throughput = Some("1/s burst 2".parse().unwrap());
    north.long = LongForm::Payload;
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.bound().await;
    let mut five = hello("34600000001");
    five.short_message = bytes::Bytes::new();
    five.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 5 * 153]));
    gate.accept(five).await;
    gate.accept(hello("34600000001")).await;
    link.expect_submit().await;
    // Five segments with two in the bucket: three are owed.
    gate.advance(3);
    link.expect_quiet().await;
    gate.advance(1);
    link.expect_submit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intermediate_notification_is_passed_on_and_ends_nothing() {
    let operator = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &operator)]).await;
    let mut link = operator.bound().await;
    let mut pdu = hello("34600000001");
    pdu.registered_delivery.0 = 0x11;
    let id = gate.accept(pdu).await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.registered_delivery.0, 0x11);
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    let notification = DeliverSm {
        source: submit.destination.clone(),
        destination: submit.source.clone(),
        esm_class: EsmClass::INTERMEDIATE_NOTIFICATION,
        tlvs: vec![
            Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from("op-1")),
            Tlv::u8(Tag::MESSAGE_STATE, 1),
        ]
        .into(),
        ..DeliverSm::default()
    };
    let sequence = link.send(Body::DeliverSm(notification)).await;
    link.expect_delivered(sequence).await;
    assert_eq!(gate.state(id), "sent");
    let Owed::Receipt { is_final, state, .. } = gate.owed().await.content else { panic!("a receipt") };
    assert_eq!((is_final, state), (false, State::Sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_bind_is_probed_and_a_silent_one_is_given_up() {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    north.patience.enquire_link = Some(std::time::Duration::from_secs(30));
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.bound().await;
    link.answers_enquiries = false;
    gate.bind_is("north", Phase::Bound).await;
    gate.advance(30);
    let probe = link.expect_command(CommandId::ENQUIRE_LINK).await;
    link.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::RSYSERR, probe.header.sequence).await;
    link.expect_quiet().await;
    gate.advance(30);
    link.expect_command(CommandId::ENQUIRE_LINK).await;
    gate.advance(60);
    link.expect_command(CommandId::UNBIND).await;
    link.expect_closed().await;
    gate.bind_is("north", Phase::Waiting).await;
    assert!(gate.view("north").binds[0].reason.contains("enquire_link"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_reaches_who_is_trusted_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let identity = certificate(folder.path());
    let settings = sim::Settings { tls: Some(identity.clone()), ..sim::Settings::default() };
    let operator = sim::Operator::start(settings).await.expect("an operator");
    let plain = Smsc::listen().await;
    let tls = |trust| Tls { identity: ClientIdentity { trust, certificate: None }, server_name: None };
    let address = format!("localhost:{}", operator.address().port());
    let mut north = Upstream { address: address.clone(), ..upstream("north", &plain) };
    north.tls = Some(tls(Trust::Authorities(identity.certificate)));
    let mut south = Upstream { address, ..upstream("south", &plain) };
    south.tls = Some(tls(Trust::Pinned([0; 32])));
    let gate = Binds::with(vec![north, south]).await;
    gate.bind_is("north", Phase::Bound).await;
    gate.bind_shows("south", |bind| bind.reason.contains("TLS")).await;
    let id = gate.send("34600000001").await;
    gate.reaches(id, "delivered").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
}
