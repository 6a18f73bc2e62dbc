//! The TLS door: binds over it, credentials that must come over it, renewed certificates, strangers on either port.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use smpp_proto::pdu::{BindKind, Frame};
use smpp_proto::{CommandId, CommandStatus};
use support::{Esme, Gate, bind, submit, within};
use tokio::net::TcpStream;
use tollgate::esme::TlsListen;
use tollgate::link::tls::{self, ClientIdentity, ServerIdentity, Trust};
use tollgate::link::{Io, Limits, Link};

fn certificate(folder: &Path) -> ServerIdentity {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let made = params.self_signed(&key).expect("signed");
    let identity = ServerIdentity {
        certificate: folder.join("gate.pem"),
        private_key: folder.join("gate.key"),
        client_ca: None,
    };
    std::fs::write(&identity.certificate, made.pem()).expect("written");
    std::fs::write(&identity.private_key, key.serialize_pem()).expect("written");
    identity
}

async fn gate(identity: &ServerIdentity) -> (Gate, SocketAddr) {
    let tls = TlsListen { listen: vec![([127, 0, 0, 1], 0).into()], identity: identity.clone() };
    let gate = Gate::open(|plan| {
        plan.esme.tls = Some(tls);
        plan.bounds.tls_required = true;
    })
    .await;
    let address = gate.running.as_ref().expect("it runs").tls_addresses()[0];
    (gate, address)
}

async fn secured(address: SocketAddr) -> Link {
    let client = ClientIdentity { trust: Trust::InsecureAnyone, certificate: None };
    let connector = tls::connector(&client).expect("a connector");
    let name = tls::server_name("localhost").expect("a name");
    let stream = TcpStream::connect(address).await.expect("connected");
    let stream = tls::connect(&connector, name, stream, Duration::from_secs(10)).await.expect("a handshake");
    Link::tls(stream, Limits::default()).expect("a link")
}

async fn next(link: &mut Link) -> Frame {
    loop {
        if let Some(frame) = link.next_frame().expect("framed") {
            return frame;
        }
        let moved = within("a PDU", link.io(true)).await.expect("a live link");
        assert_ne!(moved, Io::Closed, "a PDU was expected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f_151_a_credential_that_must_come_over_tls_binds_there_and_only_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (gate, address) = gate(&certificate(folder.path())).await;
    let mut plain = Esme::connect(gate.address).await;
    let answer = plain.bind(BindKind::Transceiver, "acme", "secret").await;
    assert_eq!((answer.header.status, answer.header.length), (CommandStatus::RBINDFAIL, 16));
    plain.expect_closed().await;

    let mut link = secured(address).await;
    bind("acme", "secret").encode(link.out(), BindKind::Transceiver, 1).expect("encoded");
    for sequence in 2..=101 {
        submit("34600111222", "hello").encode(link.out(), sequence).expect("encoded");
    }
    let bound = next(&mut link).await.header;
    assert_eq!((bound.command, bound.status), (CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ROK));
    for _ in 2..=101 {
        assert_eq!(next(&mut link).await.header.status, CommandStatus::ROK);
    }
    let roster = gate.running.as_ref().expect("it runs").roster();
    assert!(roster.binds().iter().all(|bind| bind.facts.tls) && roster.count() == 1);
    gate.ends_with("999900", "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_152_a_renewed_certificate_is_served_and_standing_links_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let (gate, address) = gate(&certificate(folder.path())).await;
    let mut old = secured(address).await;
    let before = old.tls_facts().expect("TLS").peer_certificate;
    let renewed = certificate(folder.path());
    let running = gate.running.as_ref().expect("it runs");
    running.renew_tls(&renewed).expect("renewed");
    let new = secured(address).await;
    assert_ne!(new.tls_facts().expect("TLS").peer_certificate, before);
    std::fs::write(&renewed.private_key, "no key").expect("written");
    assert!(running.renew_tls(&renewed).is_err(), "a bad file changes nothing");
    secured(address).await;
    bind("acme", "secret").encode(old.out(), BindKind::Transmitter, 1).expect("encoded");
    assert_eq!(next(&mut old).await.header.status, CommandStatus::ROK);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_215_plain_on_the_tls_port_and_tls_on_the_plain_one_are_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (gate, address) = gate(&certificate(folder.path())).await;
    let mut plain = Esme::connect(address).await;
    let mut octets = bytes::BytesMut::new();
    bind("acme", "secret").encode(&mut octets, BindKind::Transceiver, 1).expect("encoded");
    plain.send_raw(&octets).await;
    plain.expect_end().await;
    let mut hello = Esme::connect(gate.address).await;
    hello.send_raw(b"\x16\x03\x01\0\xA5\x01\0\0\xA1\x03\x03").await;
    hello.expect_closed().await;
}
