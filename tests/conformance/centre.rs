//! Section R, what we do as the client of a centre. C-221 is in `tests/smsc_flow.rs`.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use smpp_proto::field::{COctets, EsmClass, InterfaceVersion};
use smpp_proto::pdu::{BindKind, DeliverSm, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use tokio::time::timeout;
use tollgate::account::Secret;
use tollgate::message::{MessageId, Owed};
use tollgate::smsc::{BindMode, Phase, Upstream};

use crate::support::{Binds, Smsc, SmscLink, hello, upstream, vector_numbered, within};

const TO: &str = "447700900123";

/// An operator that has not answered our bind yet.
async fn asked(change: impl FnOnce(&mut Upstream)) -> (Smsc, Binds, SmscLink, u32, BindKind) {
    let operator = Smsc::listen().await;
    let mut north = upstream("north", &operator);
    change(&mut north);
    let gate = Binds::with(vec![north]).await;
    let mut link = operator.accept().await;
    let (sequence, kind, _) = link.expect_bind().await;
    (operator, gate, link, sequence, kind)
}

async fn bound(change: impl FnOnce(&mut Upstream)) -> (Smsc, Binds, SmscLink) {
    let (operator, gate, mut link, sequence, kind) = asked(change).await;
    link.accept_bind(sequence, kind).await;
    (operator, gate, link)
}

/// The next message, taken under this id.
async fn take(link: &mut SmscLink, id: &str) -> SubmitSm {
    let (sequence, submit) = link.expect_submit().await;
    link.accept_submit(sequence, id).await;
    submit
}

#[tokio::test(flavor = "multi_thread")]
async fn c_218_a_good_answer_to_a_bind_needs_no_body() {
    let (_operator, gate, mut link, sequence, kind) = asked(|_| {}).await;
    assert_eq!(kind, BindKind::Transceiver);
    link.answer_vector("V-315", sequence).await;
    gate.bind_is("north", Phase::Bound).await;
    let id = gate.send(TO).await;
    take(&mut link, "op-1").await;
    gate.reaches(id, "sent").await;
    let (_operator, gate, mut link) = bound(|_| {}).await;
    gate.bind_is("north", Phase::Bound).await;
    gate.send(TO).await;
    take(&mut link, "op-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_219_an_error_to_a_bind_is_one_with_or_without_body() {
    let refusals = [
        (BindMode::Transceiver, "V-013", "ESME_RBINDFAIL"),
        (BindMode::Transmitter, "V-014", "ESME_RINVPASWD"),
        (BindMode::Receiver, "V-015", "ESME_RALYBND"),
    ];
    for (mode, vector, status) in refusals {
        let (_operator, gate, mut link, sequence, _) = asked(|north| north.bind_type = mode).await;
        gate.send(TO).await;
        link.answer_vector(vector, sequence).await;
        link.expect_closed().await;
        gate.bind_is("north", Phase::Waiting).await;
        let reason = gate.view("north").binds[0].reason.clone();
        assert!(reason.contains(status), "{vector}: {reason}");
        assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
    }
    // Where the operator is known to mean yes, and says so in the settings, it is taken at its word.
    for (status, stands) in [(CommandStatus::RALYBND, true), (CommandStatus::RBINDFAIL, false)] {
        let (_operator, gate, mut link, sequence, kind) =
            asked(|north| north.already_bound_is_success = true).await;
        let id = gate.send(TO).await;
        link.refuse_bind(sequence, kind, status).await;
        if stands {
            take(&mut link, "op-1").await;
            gate.reaches(id, "sent").await;
        } else {
            link.expect_closed().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_220_a_version_of_odd_length_is_read_by_its_value() {
    // As the vector has it, 3.4; and the same with 3.3, whose centres take no optional parameters.
    for (version, tlvs) in [(0x34, 1), (0x33, 0)] {
        let (_operator, gate, mut link, sequence, _) = asked(|_| {}).await;
        let mut octets = vector_numbered("V-317", sequence);
        *octets.last_mut().expect("the version") = version;
        link.send_raw(&octets).await;
        let vendor = Tlv::new(Tag(0x1400), &b"dlt"[..]);
        gate.accept(SubmitSm { tlvs: vec![vendor].into(), ..hello(TO) }).await;
        assert_eq!(take(&mut link, "op-1").await.tlvs.len(), tlvs, "0x{version:X}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_222_an_error_counts_by_its_status_whatever_its_body() {
    let (_operator, gate, mut link) = bound(|north| north.interface_version = InterfaceVersion::V5_0).await;
    // Never: the message ends and its hold is given back.
    for (vector, error) in [("V-137", 0x0B), ("V-138", 0x0400)] {
        let id = gate.send(TO).await;
        let (sequence, _) = link.expect_submit().await;
        link.answer_vector(vector, sequence).await;
        gate.reaches(id, "rejected").await;
        assert_eq!(gate.reason(id), ("operator_rejected", error), "{vector}");
        assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
        gate.owed().await;
    }
    // Taken, with all that 5.0 may say about it.
    let taken = gate.send(TO).await;
    let (sequence, _) = link.expect_submit().await;
    link.answer_vector("V-139", sequence).await;
    gate.reaches(taken, "sent").await;
    assert_eq!(upstream_id(&gate, taken), "a1");
    // Not so fast, twice in two forms: the message goes again.
    let id = gate.send(TO).await;
    for vector in ["V-135", "V-136"] {
        let (sequence, _) = again(&gate, &mut link).await;
        link.answer_vector(vector, sequence).await;
        link.expect_quiet().await;
        assert_eq!(gate.state(id), "ready", "{vector}");
    }
    let (sequence, submit) = again(&gate, &mut link).await;
    assert_eq!(&submit.short_message[..], b"hello");
    link.accept_submit(sequence, "op-2").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("97".to_owned(), "3".to_owned()));
}

/// The next submit, which may come only when the clock has moved.
async fn again(gate: &Binds, link: &mut SmscLink) -> (u32, SubmitSm) {
    moving_on(gate, link.expect_submit()).await
}

/// Drives the clock in steps of a second until `what` is done.
async fn moving_on<T>(gate: &Binds, what: impl Future<Output = T>) -> T {
    let mut what = pin!(what);
    loop {
        match timeout(Duration::from_millis(20), &mut what).await {
            Ok(done) => return done,
            Err(_) => gate.advance(1),
        }
    }
}

fn upstream_id(gate: &Binds, id: MessageId) -> String {
    let trace = gate.store.reader().unwrap().trace(id).unwrap();
    trace.upstream_id.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_223_a_throttled_operator_gets_less_and_in_order() {
    for status in [CommandStatus::RTHROTTLED, CommandStatus::RMSGQFUL] {
        // A window of one keeps the order also when a message comes back.
        let (_operator, gate, mut link) = bound(|north| north.window = 1).await;
        let mut ids = Vec::new();
        for number in 0..4_u8 {
            let text = vec![b'0' + number];
            ids.push(gate.accept(SubmitSm { short_message: text.into(), ..hello(TO) }).await);
        }
        let (sequence, first) = link.expect_submit().await;
        assert_eq!(&first.short_message[..], b"0");
        link.refuse_submit(sequence, status).await;
        gate.bind_shows("north", |bind| bind.adapted_rate.is_some()).await;
        link.expect_quiet().await;
        for (number, id) in ids.iter().enumerate() {
            let (sequence, submit) = again(&gate, &mut link).await;
            assert_eq!(submit.short_message[..], [b'0' + u8::try_from(number).unwrap()], "{status}");
            link.accept_submit(sequence, &number.to_string()).await;
            gate.reaches(*id, "sent").await;
        }
        assert_eq!(gate.books(), ("94".to_owned(), "6".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_224_a_nack_fails_the_submit_and_a_bad_length_the_session() {
    let (operator, gate, mut link) = bound(|_| {}).await;
    let id = gate.send(TO).await;
    let (sequence, _) = link.expect_submit().await;
    link.send_empty(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, sequence).await;
    gate.reaches(id, "rejected").await;
    assert_eq!(gate.reason(id), ("operator_rejected", 3));
    assert_eq!(gate.books(), ("100".to_owned(), "0".to_owned()));
    link.expect_quiet().await;

    let id = gate.send(TO).await;
    let (sequence, _) = link.expect_submit().await;
    link.send_empty(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, sequence).await;
    link.expect_command(CommandId::UNBIND).await;
    link.expect_closed().await;
    gate.bind_is("north", Phase::Waiting).await;
    gate.reaches(id, "deferred").await;
    // Bound again, and the pause over, it is tried again.
    let mut link = moving_on(&gate, operator.bound()).await;
    let (sequence, _) = again(&gate, &mut link).await;
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(id, "sent").await;
    assert_eq!(gate.books(), ("98.5".to_owned(), "1.5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_225_an_alert_is_not_answered() {
    let (_operator, gate, mut link) = bound(|_| {}).await;
    for vector in ["V-027", "V-028", "V-029", "V-030"] {
        link.send_vector(vector).await;
        link.expect_quiet().await;
    }
    let id = gate.send(TO).await;
    take(&mut link, "op-1").await;
    gate.reaches(id, "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_226_a_delivery_is_answered_at_once_when_it_is_stored() {
    let (_operator, gate, mut link) = bound(|_| {}).await;
    let id = gate.send(TO).await;
    let submit = take(&mut link, "op-1").await;
    gate.reaches(id, "sent").await;
    let account = gate.store.policy().credential("acme").unwrap().account;
    let lane = gate.store.account_lane(account);
    let deliveries: [(Body, u64); 2] = [
        (receipt(&submit, "op-1"), 1),
        (
            Body::DeliverSm(DeliverSm {
                source: Address::international(TO),
                destination: Address::international("22000"),
                short_message: "STOP".into(),
                ..DeliverSm::default()
            }),
            2,
        ),
    ];
    for (delivery, owed) in deliveries {
        let sequence = link.send(delivery).await;
        let answer = link.expect_command(CommandId::DELIVER_SM_RESP).await;
        assert_eq!((answer.header.status, answer.header.sequence), (CommandStatus::ROK, sequence));
        assert_eq!(answer.frame.body[..], b"\0"[..], "message_id is one NUL");
        assert_eq!(lane.depth().ready, owed, "what was answered is there");
    }
    assert_eq!(gate.state(id), "delivered");
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
}

fn receipt(submit: &SubmitSm, id: &str) -> Body {
    Body::DeliverSm(DeliverSm {
        source: submit.destination.clone(),
        destination: submit.source.clone(),
        esm_class: EsmClass::DELIVERY_RECEIPT,
        tlvs: vec![
            Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from(id)),
            Tlv::u8(Tag::MESSAGE_STATE, 2),
        ]
        .into(),
        ..DeliverSm::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn c_227_what_cannot_be_stored_is_asked_for_again() {
    let (_operator, gate, mut link) = bound(|_| {}).await;
    let id = gate.send(TO).await;
    let submit = take(&mut link, "op-1").await;
    gate.reaches(id, "sent").await;
    // Somebody else holds the file: the store cannot write.
    let other = rusqlite::Connection::open(gate.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sequence = link.send(receipt(&submit, "op-1")).await;
    let answer = link.expect_command(CommandId::DELIVER_SM_RESP).await;
    assert_eq!((answer.header.status, answer.header.sequence), (CommandStatus::RX_T_APPN, sequence));
    link.send_mo(TO, "22000", "STOP").await;
    link.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::RX_T_APPN).await;
    link.send_vector("V-181").await;
    link.expect_status(CommandId::DATA_SM_RESP, CommandStatus::RX_T_APPN).await;
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(gate.state(id), "sent");
    // The operator does as it was told, and now it is taken.
    let sequence = link.send(receipt(&submit, "op-1")).await;
    link.expect_delivered(sequence).await;
    assert_eq!(gate.state(id), "delivered");
    let Owed::Receipt { shown, .. } = gate.owed().await.content else { panic!("the receipt, and once") };
    assert_eq!(shown, id);
    assert_eq!(gate.books(), ("98.5".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_228_long_ids_are_kept_whole() {
    let (_operator, gate, mut link) = bound(|_| {}).await;
    let ids = [
        ("V-132", "3f2b8c1e-9d4a-4f6b-8a55-0c1d2e3f4a5b".to_owned()),
        ("V-133", "0123456789abcdef".repeat(4)),
    ];
    for (vector, given) in ids {
        let id = gate.send(TO).await;
        let (sequence, submit) = link.expect_submit().await;
        link.answer_vector(vector, sequence).await;
        gate.reaches(id, "sent").await;
        assert_eq!(upstream_id(&gate, id), given);
        // An id that differs in its last character is another one.
        let mut other = given.clone();
        other.pop();
        other.push('x');
        for (told, state) in [(other, "sent"), (given, "delivered")] {
            let sequence = link.send_receipt(&submit, &told, "DELIVRD", 2).await;
            link.expect_delivered(sequence).await;
            assert_eq!(gate.state(id), state, "{told}");
        }
    }
    assert_eq!(gate.books(), ("97".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_229_what_is_too_long_is_never_cut_and_never_sent() {
    let long: [fn(&mut Upstream); 3] = [
        |north| north.system_id = "sixteen-letters!".to_owned(),
        |north| north.system_type = "thirteen-long".to_owned(),
        |north| north.address_range = "1".repeat(41),
    ];
    for change in long {
        let operator = Smsc::listen().await;
        let mut north = upstream("north", &operator);
        change(&mut north);
        let gate = Binds::with(vec![north]).await;
        let mut link = operator.accept().await;
        link.expect_closed().await;
        gate.bind_is("north", Phase::Waiting).await;
        let reason = gate.view("north").binds[0].reason.clone();
        assert!(reason.contains("cannot be written"), "{reason}");
    }
    // A configuration says so before anything starts.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.toml");
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/etc/tollgate.toml")).unwrap();
    let upstream = "address = \"127.0.0.1:2776\"\n";
    assert!(shipped.contains(upstream));
    let keys = [
        ("system_type", "thirteen-long"),
        ("service_type", "sixsix"),
        ("address_range", "11111111111111111111111111111111111111111"),
    ];
    for (key, value) in keys {
        let text = shipped.replace(upstream, &format!("{upstream}{key} = \"{value}\"\n"));
        std::fs::write(&file, text).unwrap();
        let problems = tollgate::config::load(&file, &|_| None).map(drop).unwrap_err().to_string();
        assert!(problems.contains(" octets"), "{key}: {problems}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_230_a_long_password_goes_whole_or_cut_as_the_operator_wants_it() {
    for (cut, sent) in [(false, "correct horse battery"), (true, "correct ")] {
        let operator = Smsc::listen().await;
        let mut north = upstream("north", &operator);
        north.password = Secret::new("correct horse battery");
        north.password_cut = cut;
        let gate = Binds::with(vec![north]).await;
        let mut link = operator.accept().await;
        let (sequence, kind, bind) = link.expect_bind().await;
        assert_eq!(bind.password.expose(), sent.as_bytes());
        link.accept_bind(sequence, kind).await;
        within("the bind", gate.bind_is("north", Phase::Bound)).await;
    }
}
