//! Section C, session state: what may be said when, and outbind.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{BindKind, DataSm, DeliverSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv};
use tokio::net::TcpListener;
use tollgate::account::Secret;
use tollgate::esme::{DataSmOnReceiver, Outbind};
use tollgate::message::State;
use tollgate::smsc::{BindMode, Called};

use crate::support::{Esme, Gate, Smsc, upstream, vector, vector_numbered};

const TO: &str = "34600111222";

/// A message from a phone for the account.
fn mo(text: &'static [u8]) -> Bytes {
    let deliver = DeliverSm {
        source: Address::international(TO),
        destination: Address::international("22000"),
        short_message: Bytes::from_static(text),
        ..DeliverSm::default()
    };
    let mut out = BytesMut::new();
    deliver.encode(&mut out, 1).unwrap();
    out.split_off(16).freeze()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_044_a_receiver_sends_nothing_and_stays() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound_as(BindKind::Receiver).await;
    for (octets, response) in [
        (vector_numbered("V-348", 50), CommandId::SUBMIT_SM_RESP),
        (vector_numbered("V-353", 51), CommandId::QUERY_SM_RESP),
    ] {
        esme.send_raw(&octets).await;
        let answer = esme.expect_status(response, CommandStatus::RINVBNDSTS).await;
        assert_eq!((answer.header.length, answer.header.sequence), (16, u32::from(octets[15])));
    }
    for command in [CommandId::SUBMIT_MULTI, CommandId::CANCEL_SM, CommandId::REPLACE_SM] {
        esme.send_empty(command, CommandStatus::ROK, 52).await;
        esme.expect_status(command.response(), CommandStatus::RINVBNDSTS).await;
    }
    gate.mo(mo(b"to the receiver")).await;
    assert_eq!(&esme.expect_deliver().await.short_message[..], b"to the receiver");
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_045_what_only_a_centre_sends_is_delivered_nowhere() {
    let gate = Gate::open(|_| {}).await;
    for kind in [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver] {
        let mut esme = gate.bound_as(kind).await;
        esme.send_raw(&vector_numbered("V-349", 60)).await;
        let answer = esme.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::RINVBNDSTS).await;
        assert_eq!((answer.header.sequence, answer.header.length), (60, 16));
        esme.send_raw(&vector_numbered("V-027", 61)).await;
        let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
        assert_eq!(nack.header.sequence, 61);
        esme.expect_quiet().await;
        assert_eq!(gate.owed(), 0, "{kind:?}");
        esme.unbind().await;
    }
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_046_data_sm_from_a_receiver_is_refused_or_taken_as_set_and_never_on_5_0() {
    let (v34, v50) = (InterfaceVersion::V3_4, InterfaceVersion::V5_0);
    for (setting, version, status, spent) in [
        (DataSmOnReceiver::Refuse, v34, CommandStatus::RINVBNDSTS, "1000000"),
        (DataSmOnReceiver::Accept, v34, CommandStatus::ROK, "999999"),
        (DataSmOnReceiver::Accept, v50, CommandStatus::RINVBNDSTS, "1000000"),
    ] {
        let gate = Gate::open(|plan| plan.esme.data_sm_on_receiver = setting).await;
        let mut esme = Esme::of_version(version, BindKind::Receiver, gate.address).await;
        let data = DataSm {
            source: Address::alphanumeric("TEST"),
            destination: Address::international(TO),
            tlvs: vec![Tlv::new(Tag::MESSAGE_PAYLOAD, &b"data"[..])].into(),
            ..DataSm::default()
        };
        let sequence = esme.send(Body::DataSm(data)).await;
        let answer = esme.expect_status(CommandId::DATA_SM_RESP, status).await;
        assert_eq!(answer.header.sequence, sequence, "{setting:?} {version}");
        esme.expect_quiet().await;
        assert_eq!(gate.balance().0, spent, "{setting:?} {version}");
        gate.books_hold();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_047_enquire_link_before_the_bind_is_answered_and_wins_no_time() {
    let gate = Gate::open(|plan| plan.esme.session_init = Duration::from_secs(10)).await;
    let mut esme = Esme::connect(gate.address).await;
    for _ in 0..3 {
        esme.send_raw(&vector("V-352")).await;
        let answer = esme.expect_status(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK).await;
        assert_eq!((answer.header.sequence, answer.header.length), (0x15, 16));
        gate.clock.advance(Duration::from_secs(3));
    }
    gate.clock.advance(Duration::from_millis(1_001));
    esme.expect_closed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_048_a_generic_nack_before_the_bind_is_ignored() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = Esme::connect(gate.address).await;
    for nack in ["V-025", "V-026", "V-312"] {
        esme.send_raw(&vector(nack)).await;
    }
    esme.expect_quiet().await;
    let answer = esme.bind(BindKind::Transceiver, "acme", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_049_a_transmitter_gets_no_delivery() {
    let gate = Gate::open(|_| {}).await;
    let mut transmitter = gate.bound_as(BindKind::Transmitter).await;
    transmitter.submit(TO, "with a receipt").await;
    gate.operate(State::Delivered, 0).await;
    gate.mo(mo(b"from a phone")).await;
    transmitter.expect_quiet().await;
    assert_eq!(gate.owed(), 2);
    let mut receiver = gate.bound_as(BindKind::Receiver).await;
    let receipt = receiver.expect_deliver().await;
    assert_eq!((receipt.esm_class.0, receipt.source.digits.as_bytes()), (0x04, TO.as_bytes()));
    assert_eq!(&receiver.expect_deliver().await.short_message[..], b"from a phone");
    receiver.unbind().await;
    gate.mo(mo(b"one more")).await;
    transmitter.expect_quiet().await;
    let mut transceiver = gate.bound_as(BindKind::Transceiver).await;
    assert_eq!(&transceiver.expect_deliver().await.short_message[..], b"one more");
    transmitter.expect_quiet().await;
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_050_unbind_is_answered_in_every_bound_state_and_closes() {
    let gate = Gate::open(|_| {}).await;
    for kind in [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver] {
        let mut esme = gate.bound_as(kind).await;
        esme.send_raw(&vector("V-018")).await;
        let answer = esme.expect_status(CommandId::UNBIND_RESP, CommandStatus::ROK).await;
        assert_eq!((answer.header.sequence, answer.header.length), (0x13, 16), "{kind:?}");
        esme.expect_closed().await;
    }
    assert_eq!(gate.running.as_ref().map(|running| running.roster().count()), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_051_what_comes_behind_an_unbind_has_no_effect() {
    let gate = Gate::open(|plan| plan.terms.default_source = Some("ACME".to_owned())).await;
    let mut esme = gate.bound().await;
    esme.send_raw(&vector("V-358")).await;
    esme.expect_status(CommandId::UNBIND_RESP, CommandStatus::ROK).await;
    esme.expect_closed().await;
    let mut esme = gate.bound().await;
    let mut octets = vector("V-018");
    octets.extend_from_slice(&vector("V-351"));
    esme.send_raw(&octets).await;
    esme.expect_status(CommandId::UNBIND_RESP, CommandStatus::ROK).await;
    esme.expect_closed().await;
    gate.ends_with("1000000", "0");
}

fn called_at(listener: &TcpListener) -> Outbind {
    Outbind {
        credential: "acme".to_owned(),
        address: listener.local_addr().unwrap().to_string(),
        system_id: "tollgate".to_owned(),
        password: Secret::new("ob pass"),
        pause: Duration::from_secs(10),
        longest_pause: Duration::from_secs(40),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_052_a_client_that_is_owed_something_is_called_and_binds_on_that_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = Gate::open(|plan| plan.esme.outbinds = vec![called_at(&listener)]).await;
    // A transmitter is not enough, and a receiver is: nobody is called while one is bound.
    let _transmitter = gate.bound_as(BindKind::Transmitter).await;
    gate.mo(mo(b"first")).await;
    let (mut esme, outbind) = Esme::called(&listener).await;
    assert_eq!(
        (outbind.system_id.as_bytes(), outbind.password.expose()),
        (&b"tollgate"[..], &b"ob pass"[..])
    );
    // It does not bind in time.
    gate.clock.advance(Duration::from_millis(10_001));
    esme.expect_closed().await;
    // After a pause it is called again; a bind that cannot receive is refused.
    let (mut esme, _) = gate.advance_until(Duration::from_secs(1), Esme::called(&listener)).await;
    let answer = esme.bind(BindKind::Transmitter, "acme", "secret").await.header;
    assert_eq!((answer.command, answer.status), (CommandId::BIND_TRANSMITTER_RESP, CommandStatus::RBINDFAIL));
    esme.expect_closed().await;
    let (mut esme, _) = gate.advance_until(Duration::from_secs(1), Esme::called(&listener)).await;
    let answer = esme.bind(BindKind::Receiver, "acme", "secret").await.header;
    assert_eq!((answer.command, answer.status), (CommandId::BIND_RECEIVER_RESP, CommandStatus::ROK));
    assert_eq!(&esme.expect_deliver().await.short_message[..], b"first");
    // An ordinary session from now on.
    gate.mo(mo(b"second")).await;
    assert_eq!(&esme.expect_deliver().await.short_message[..], b"second");
    esme.unbind().await;
    assert_eq!(gate.owed(), 0);
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn c_053_an_operator_that_calls_with_the_right_outbind_gets_our_bind() {
    let nobody = Smsc::listen().await;
    let gate = Gate::open(|plan| {
        let mut north = upstream("north", &nobody);
        north.bind_type = BindMode::Receiver;
        north.outbind = Some(called("SMSC1", "ob pass", false));
        plan.upstreams = vec![north];
    })
    .await;
    let address = gate.called_at("north").await;
    // Another's outbind, a wrong password, and something else than an outbind.
    let mut wrong = vector("V-016");
    let place = wrong.len() - 2;
    wrong[place] = b'X';
    for stranger in [vector("V-031"), wrong, vector("V-018")] {
        Smsc::call(address, &stranger).await.expect_end().await;
    }
    let mut link = Smsc::call(address, &vector("V-016")).await;
    let (sequence, kind, bind) = link.expect_bind().await;
    assert_eq!((kind, bind.system_id.as_bytes()), (BindKind::Receiver, &b"gate"[..]));
    link.accept_bind(sequence, kind).await;
    let delivery = link.send_mo(TO, "22000", "hello").await;
    link.expect_delivered(delivery).await;
    assert_eq!(gate.owed(), 1);
    // The bind is lost, and the operator calls again: no pause lies between.
    drop(link);
    let mut link = Smsc::call(address, &vector("V-016")).await;
    let (sequence, kind, _) = link.expect_bind().await;
    link.accept_bind(sequence, kind).await;
    link.expect_quiet().await;
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn l_41_a_centre_that_closes_behind_its_outbind_is_called_back() {
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| {
        let mut north = upstream("north", &smsc);
        north.outbind = Some(called("SMSC1", "ob pass", true));
        plan.upstreams = vec![north];
    })
    .await;
    let address = gate.called_at("north").await;
    let mut call = Smsc::call(address, &vector("V-016")).await;
    call.finish_sending().await;
    let mut link = smsc.bound().await;
    call.expect_end().await;
    link.expect_quiet().await;
}

fn called(system_id: &str, password: &str, connect_back: bool) -> Called {
    let listen = ([127, 0, 0, 1], 0).into();
    Called { listen, system_id: system_id.to_owned(), password: Secret::new(password), connect_back }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_054_a_response_that_nobody_waits_for_is_ignored() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let mut late = vector("V-316");
    esme.send_raw(&late).await;
    for command in [CommandId::DELIVER_SM_RESP, CommandId::UNBIND_RESP, CommandId::ENQUIRE_LINK_RESP] {
        esme.send_empty(command, CommandStatus::RSYSERR, 0x00DE_AD01).await;
    }
    esme.expect_quiet().await;
    esme.submit(TO, "still here").await;
    gate.ends_with("999999", "1");
    // The client side: a response under another number is not the one that is waited for.
    let smsc = Smsc::listen().await;
    let gate = Gate::open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let mut link = smsc.bound().await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "waits").await;
    let (sequence, submitted) = link.expect_submit().await;
    late[12..16].copy_from_slice(&(sequence + 99).to_be_bytes());
    link.send_raw(&late).await;
    link.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, 3).await;
    link.expect_quiet().await;
    link.accept_submit(sequence, "op-1").await;
    let delivery = link.send_receipt(&submitted, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(delivery).await;
    assert_eq!(gate.state(&id), "delivered");
    esme.expect_deliver().await;
    gate.ends_with("999999", "0");
}
