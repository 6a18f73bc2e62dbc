//! Who may bind: every refusal of the contract, probes of full bind tables, and what grows slower.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::field::{COctets, InterfaceVersion, Tag};
use smpp_proto::pdu::{Bind, BindKind, encode_empty};
use smpp_proto::{Body, CommandId, CommandStatus, Pdu};
use support::{Esme, Gate, Incoming, bind, submit, within};
use tollgate::account::BindTypes;
use tollgate::account::credential::BindType;

const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

fn sc_version(answer: &Incoming) -> Option<u8> {
    match answer.body() {
        Body::BindTransmitterResp(resp) | Body::BindReceiverResp(resp) | Body::BindTransceiverResp(resp) => {
            resp.tlvs.u8(Tag::SC_INTERFACE_VERSION)
        }
        other => panic!("a bind_resp was expected, not {other:?}"),
    }
}

/// The bind is refused with this status in 16 octets.
fn refused(answer: &Incoming, status: CommandStatus) {
    assert_eq!((answer.header.status, answer.header.length), (status, 16), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_020_every_kind_of_bind_is_answered_in_kind_with_our_name_and_version() {
    let gate = Gate::open(|_| {}).await;
    for kind in KINDS {
        let mut esme = Esme::connect(gate.address).await;
        let answer = esme.bind(kind, "acme", "secret").await;
        assert_eq!(answer.header.command, kind.command().response());
        assert_eq!(answer.header.status, CommandStatus::ROK);
        assert_eq!(&answer.frame.body[..], b"tollgate\0\x02\x10\0\x01\x50");
        esme.unbind().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_022_a_client_of_3_3_gets_no_parameters() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    let old = Bind { interface_version: InterfaceVersion::V3_3, ..bind("acme", "secret") };
    let answer = esme.bind_with(BindKind::Transmitter, old).await;
    assert_eq!(&answer.frame.body[..], b"tollgate\0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_023_odd_versions_are_bound_as_the_version_below() {
    let gate = Gate::open(|_| {}).await;
    for version in [0x35, 0x51] {
        let mut esme = Esme::connect(gate.address).await;
        let odd = Bind { interface_version: InterfaceVersion(version), ..bind("acme", "secret") };
        let answer = esme.bind_with(BindKind::Transceiver, odd).await;
        assert_eq!((answer.header.status, sc_version(&answer)), (CommandStatus::ROK, Some(0x50)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_024_a_wrong_password_and_an_unknown_name_are_the_same() {
    let gate = Gate::open(|_| {}).await;
    let mut answers = Vec::new();
    for (name, password) in [("acme", "wrong"), ("nobody", "secret"), ("", ""), ("acme", "")] {
        let mut esme = Esme::connect(gate.address).await;
        let answer = esme.bind(BindKind::Transceiver, name, password).await;
        refused(&answer, CommandStatus::RINVPASWD);
        answers.push(answer.frame);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_036_a_second_attempt_counts_on_the_same_connection_up_to_the_limit() {
    let gate = Gate::open(|plan| plan.esme.bind_attempts = 2).await;
    let mut esme = Esme::connect(gate.address).await;
    refused(&esme.bind(BindKind::Transceiver, "acme", "wrong").await, CommandStatus::RINVPASWD);
    assert_eq!(esme.bind(BindKind::Transceiver, "acme", "secret").await.header.status, CommandStatus::ROK);

    let mut esme = Esme::connect(gate.address).await;
    refused(&esme.bind(BindKind::Transceiver, "acme", "wrong").await, CommandStatus::RINVPASWD);
    refused(&esme.bind(BindKind::Transceiver, "acme", "wrong").await, CommandStatus::RINVPASWD);
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_039_an_address_that_is_not_listed_is_refused_before_the_password_is_looked_at() {
    let gate = Gate::open(|plan| plan.bounds.allowed_ips = vec!["10.0.0.0/8".parse().unwrap()]).await;
    for password in ["secret", "wrong"] {
        let mut esme = Esme::connect(gate.address).await;
        refused(&esme.bind(BindKind::Transceiver, "acme", password).await, CommandStatus::RBINDFAIL);
        esme.expect_closed().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_does_not_bind() {
    let gate = Gate::open(|plan| plan.suspended = true).await;
    let mut esme = Esme::connect(gate.address).await;
    refused(&esme.bind(BindKind::Transceiver, "acme", "secret").await, CommandStatus::RBINDFAIL);
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_041_a_kind_of_bind_that_is_not_granted_is_refused() {
    let gate = Gate::open(|plan| {
        plan.bounds.bind_types = BindTypes::try_from(vec![BindType::Receiver]).unwrap();
    })
    .await;
    let mut esme = Esme::connect(gate.address).await;
    refused(&esme.bind(BindKind::Transmitter, "acme", "secret").await, CommandStatus::RBINDFAIL);
    esme.expect_closed().await;
    gate.bound_as(BindKind::Receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_035_a_second_bind_on_a_bound_session_changes_nothing() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let answer = esme.bind(BindKind::Receiver, "acme", "secret").await;
    refused(&answer, CommandStatus::RALYBND);
    assert_eq!(answer.header.command, CommandId::BIND_RECEIVER_RESP);
    esme.submit("34600111222", "still bound").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_037_one_bind_too_many_is_refused_when_the_others_live() {
    let gate = Gate::open(|plan| plan.bounds.max_binds = 1).await;
    let mut first = gate.bound().await;
    let mut second = Esme::connect(gate.address).await;
    // The first answers the probe by itself while it waits for quiet.
    let refusal = second.bind(BindKind::Transceiver, "acme", "secret");
    let (answer, ()) = tokio::join!(refusal, async {
        let probe = first.next_raw().await;
        assert_eq!(probe.header.command, CommandId::ENQUIRE_LINK);
        first.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, probe.header.sequence).await;
    });
    refused(&answer, CommandStatus::RALYBND);
    second.expect_closed().await;
    first.submit("34600111222", "alive").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_bind_makes_room_for_a_living_one() {
    let gate = Gate::open(|plan| plan.bounds.max_binds = 1).await;
    let mut ghost = gate.bound().await;
    let mut second = Esme::connect(gate.address).await;
    let bind = second.bind(BindKind::Transceiver, "acme", "secret");
    let answer = gate.advance_until(Duration::from_millis(500), bind).await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
    assert_eq!(ghost.next_raw().await.header.command, CommandId::ENQUIRE_LINK);
    ghost.expect_closed().await;
    second.submit("34600111222", "bound").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_042_what_is_pipelined_behind_a_bind_is_done_after_it() {
    let gate = Gate::open(|_| {}).await;
    let pipelined = |password: &str| {
        let mut octets = bytes::BytesMut::new();
        bind("acme", password).encode(&mut octets, BindKind::Transceiver, 1).unwrap();
        // Larger than what an unbound connection may send.
        let long = "x".repeat(255);
        let payload = smpp_proto::Tlv::new(Tag::MESSAGE_PAYLOAD, long.repeat(4).into_bytes());
        let mut message = submit("34600111222", "");
        message.tlvs.push(payload);
        message.encode(&mut octets, 2).unwrap();
        encode_empty(&mut octets, CommandId::ENQUIRE_LINK, CommandStatus::ROK, 3);
        octets
    };
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(&pipelined("secret")).await;
    esme.expect_status(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ROK).await;
    esme.expect_command(CommandId::ENQUIRE_LINK_RESP).await;
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
    gate.ends_with("999993", "7");

    let mut octets = bytes::BytesMut::new();
    bind("acme", "wrong").encode(&mut octets, BindKind::Transceiver, 1).unwrap();
    submit("34600111222", "too early").encode(&mut octets, 2).unwrap();
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(&octets).await;
    esme.expect_status(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::RINVPASWD).await;
    esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::RINVBNDSTS).await;
    gate.ends_with("999993", "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_043_nothing_is_submitted_before_the_bind_or_by_a_receiver() {
    let gate = Gate::open(|_| {}).await;
    let mut unbound = Esme::connect(gate.address).await;
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    for esme in [&mut unbound, &mut receiver] {
        let (status, _) = esme.try_submit(submit("34600111222", "no")).await;
        assert_eq!(status, CommandStatus::RINVBNDSTS);
        esme.expect_quiet().await;
    }
    let data = Body::DataSm(smpp_proto::pdu::DataSm::default());
    let sequence = receiver.send(data).await;
    let answer = receiver.expect_answer(sequence).await;
    assert_eq!(answer.header.status, CommandStatus::RINVBNDSTS);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_027_broken_binds_get_the_status_of_their_field() {
    let gate = Gate::open(|plan| plan.esme.bind_attempts = 100).await;
    let mut esme = Esme::connect(gate.address).await;
    let long = "x".repeat(16);
    for (body, status) in [
        (format!("{long}\0secret\0\0\x34\0\0\0"), CommandStatus::RINVSYSID),
        (format!("acme\0secret\0{long}\0\x34\0\0\0"), CommandStatus::RINVSYSTYP),
        (format!("acme\0secret\0\0\x34\0\0{}\0", "x".repeat(41)), CommandStatus::RBINDFAIL),
        ("acme".to_owned(), CommandStatus::RINVSYSID),
        (String::new(), CommandStatus::RINVCMDLEN),
    ] {
        let mut octets = Vec::new();
        for field in [u32::try_from(16 + body.len()).unwrap(), CommandId::BIND_TRANSMITTER.0, 0, 77] {
            octets.extend_from_slice(&field.to_be_bytes());
        }
        octets.extend_from_slice(body.as_bytes());
        esme.send_raw(&octets).await;
        let answer = esme.expect_answer(77).await;
        assert_eq!(answer.header.command, CommandId::BIND_TRANSMITTER_RESP);
        refused(&answer, status);
    }
    assert_eq!(esme.bind(BindKind::Transmitter, "acme", "secret").await.header.status, CommandStatus::ROK);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_gets_slower_and_the_owner_is_not_held_up() {
    let gate = Gate::open(|plan| {
        plan.esme.failed_binds.free = 2;
        plan.esme.failed_binds.first_delay = Duration::from_secs(3);
        plan.esme.bind_attempts = 100;
    })
    .await;
    // The owner proves himself once, before anybody guesses.
    gate.bound().await.unbind().await;
    let mut guesser = Esme::connect(gate.address).await;
    for _ in 0..3 {
        refused(&guesser.bind(BindKind::Transceiver, "acme", "wrong").await, CommandStatus::RINVPASWD);
    }
    let sequence = guesser.send(Body::BindTransceiver(bind("acme", "guess"))).await;
    // The guess waits; who is known binds at once.
    gate.bound().await.unbind().await;
    let answer = gate.advance_until(Duration::from_secs(1), guesser.expect_answer(sequence)).await;
    refused(&answer, CommandStatus::RINVPASWD);
    assert!(gate.clock.monotonic() >= 3_000, "{}", gate.clock.monotonic());
}

#[tokio::test(flavor = "multi_thread")]
async fn c_212_connections_that_do_not_bind_are_bounded() {
    let gate = Gate::open(|plan| plan.esme.max_unbound_per_address = 2).await;
    let mut silent = Esme::connect(gate.address).await;
    silent.expect_quiet().await;
    let mut bound = gate.bound().await;
    let mut other = Esme::connect(gate.address).await;
    other.expect_quiet().await;
    let mut third = Esme::connect(gate.address).await;
    third.expect_closed().await;
    drop(silent);
    other.bind(BindKind::Transceiver, "acme", "secret").await;
    gate.bound().await.expect_quiet().await;
    bound.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_talks_much_and_binds_not_is_closed() {
    let gate = Gate::open(|plan| plan.esme.max_unbound_pdus = 10).await;
    let mut esme = Esme::connect(gate.address).await;
    for _ in 0..10 {
        esme.expect_quiet().await;
    }
    let mut octets = bytes::BytesMut::new();
    encode_empty(&mut octets, CommandId::ENQUIRE_LINK, CommandStatus::ROK, 99);
    esme.send_raw(&octets).await;
    esme.expect_answer(99).await;
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_sessions_of_a_known_credential_bind_at_once() {
    let gate = Gate::open(|plan| plan.bounds.max_binds = 200).await;
    let binds = (0..100).map(|_| tokio::spawn(Esme::bound(gate.address, "acme", "secret")));
    let mut sessions = Vec::new();
    for bind in binds.collect::<Vec<_>>() {
        sessions.push(within("a bind", bind).await.unwrap());
    }
    let running = gate.running.as_ref().unwrap();
    assert_eq!(running.roster().count(), 100);
    drop(sessions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_is_unbound_within_a_second() {
    let mut gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit("34600111222", "before").await;
    gate.change(|plan| plan.suspended = true).await;
    // Not even within that second anything is accepted.
    let (status, _) = esme.try_submit(submit("34600111222", "after")).await;
    assert_eq!(status, CommandStatus::RBINDFAIL);
    let unbind = gate.advance_until(Duration::from_millis(100), esme.next()).await.expect("an unbind");
    assert_eq!(unbind.header.command, CommandId::UNBIND);
    assert!(gate.clock.monotonic() <= 1_000, "{}", gate.clock.monotonic());
    esme.send_pdu(&Pdu::response(
        unbind.header.sequence,
        CommandStatus::ROK,
        Body::UnbindResp(Default::default()),
    ))
    .await;
    esme.expect_closed().await;
    assert_eq!(gate.state(&id), "ready");
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_031_empty_names_and_long_passwords_do_no_harm() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    let long = Bind { password: "p".repeat(100).as_str().into(), ..bind("acme", "") };
    refused(&esme.bind_with(BindKind::Transceiver, long).await, CommandStatus::RINVPASWD);
    let nobody = Bind { system_id: COctets::EMPTY, ..bind("", "") };
    refused(&esme.bind_with(BindKind::Transceiver, nobody).await, CommandStatus::RINVPASWD);
}
