//! Section B, bind: who may bind, and what the answer says.

use std::time::Duration;

use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{Bind, BindKind};
use smpp_proto::{CommandId, CommandStatus};
use tollgate::account::Throughput;

use crate::support::{Esme, Gate, bind, octets, vector, vector_numbered};

#[tokio::test(flavor = "multi_thread")]
async fn c_021_a_client_of_3_4_or_later_is_told_our_highest_version() {
    for (ours, told) in [(InterfaceVersion::V5_0, "50"), (InterfaceVersion::V3_4, "34")] {
        let gate = Gate::open(|plan| plan.esme.version = ours).await;
        for theirs in [InterfaceVersion::V3_4, InterfaceVersion::V5_0] {
            let mut esme = Esme::connect(gate.address).await;
            let bind = Bind { interface_version: theirs, ..bind("acme", "secret") };
            let answer = esme.bind_with(BindKind::Transceiver, bind).await;
            assert_eq!(answer.header.status, CommandStatus::ROK);
            // "tollgate" and sc_interface_version.
            let expected = octets(&format!("746f6c6c67617465 00 0210 0001 {told}"));
            assert_eq!(answer.frame.body, expected, "{ours} to {theirs}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_025_a_refused_bind_is_answered_with_16_octets() {
    let gate = Gate::open(|plan| {
        plan.terms.status_detail = true;
        plan.esme.bind_attempts = 100;
    })
    .await;
    let mut esme = Esme::connect(gate.address).await;
    let wrong = esme.bind(BindKind::Receiver, "acme", "wrong").await.header;
    assert_eq!((wrong.command.0, wrong.status.0, wrong.length), (0x8000_0001, 0x0E, 16));
    for (too_long, status) in [("V-235", 0x0F), ("V-237", 0x53), ("V-238", 0x0D)] {
        esme.send_raw(&vector_numbered(too_long, 90)).await;
        let answer = esme.expect().await.header;
        assert_eq!((answer.status.0, answer.length, answer.sequence), (status, 16, 90), "{too_long}");
    }
    let mut bound = gate.bound().await;
    let again = bound.bind(BindKind::Transceiver, "acme", "secret").await.header;
    assert_eq!((again.command.0, again.status.0, again.length), (0x8000_0009, 0x05, 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_026_fields_at_their_maximum_are_accepted() {
    let gate = Gate::open(|plan| {
        plan.system_id = "ABCDEFGHIJKLMNO";
        plan.password = "12345678";
    })
    .await;
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(&vector("V-007")).await;
    let answer = esme.expect_status(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ROK).await;
    assert_eq!(answer.header.sequence, 7);
    esme.submit("34600111222", "bound").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_034_an_address_range_never_breaks_a_bind() {
    let gate = Gate::open(|_| {}).await;
    for range in ["^4477009[0-9]+", "([", "*", "\\", "(((((((((((a*)*)*)*)*)*)*)*)*)*)*", "\u{e9}\u{0}x"] {
        let mut esme = Esme::connect(gate.address).await;
        let range = range.split('\0').next().unwrap_or_default();
        let bind = Bind { address_range: range.into(), ..bind("acme", "secret") };
        let answer = esme.bind_with(BindKind::Transceiver, bind).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "{range:?}");
        // It chooses no deliveries either.
        let id = esme.submit("34600111222", "hello").await;
        gate.operate(tollgate::message::State::Delivered, 0).await;
        esme.expect_deliver().await;
        assert_eq!(gate.state(&id), "delivered");
        esme.unbind().await;
    }
    gate.ends_with("999994", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_038_binds_above_the_rate_are_throttled_and_later_ones_are_not() {
    let rate = Throughput { per_second: 1, burst: 2 };
    let gate = Gate::open(|plan| plan.esme.bind_rate = Some(rate)).await;
    let mut first = gate.bound().await;
    let _second = gate.bound().await;
    for password in ["secret", "wrong"] {
        let mut esme = Esme::connect(gate.address).await;
        let answer = esme.bind(BindKind::Transceiver, "acme", password).await.header;
        assert_eq!((answer.command.0, answer.status.0, answer.length), (0x8000_0009, 0x58, 16));
        esme.expect_closed().await;
    }
    gate.clock.advance(Duration::from_secs(1));
    let mut third = gate.bound().await;
    third.submit("34600111222", "in time").await;
    first.submit("34600111222", "undisturbed").await;
    gate.ends_with("999998", "2");
}
