//! Clients behind a load balancer: the PROXY header says whose connection it is, if it comes from whom we trust.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use prometheus_client::registry::Registry;
use smpp_proto::pdu::BindKind;
use smpp_proto::{CommandId, CommandStatus};
use support::{Esme, Gate, Plan, bind, submit, within};
use tollgate::esme::TlsListen;
use tollgate::link::tls::{self, ClientIdentity, ServerIdentity, Trust};
use tollgate::link::{Io, Limits, Link};

/// The signature of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, PROXY, TCP over IPv4: 198.51.100.7 port 40000 to 192.0.2.1 port 2775.
const IPV4: &[u8] = b"\x21\x11\x00\x0C\xC6\x33\x64\x07\xC0\x00\x02\x01\x9C\x40\x0A\xD7";
/// The same, with a TLV of 5 octets (PP2_TYPE_NOOP) and one of 3 (of a type that nobody knows).
const WITH_TLVS: &[u8] =
    b"\x21\x11\x00\x17\xC6\x33\x64\x07\xC0\x00\x02\x01\x9C\x40\x0A\xD7\x04\x00\x05abcde\xE7\x00\x00";
/// Version 2, PROXY, TCP over IPv6: 2001:db8::7 port 40000 to 2001:db8::1 port 2775.
const IPV6: &[u8] = b"\x21\x21\x00\x24\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x9C\x40\x0A\xD7";
/// Version 2, LOCAL, no family.
const LOCAL: &[u8] = b"\x20\x00\x00\x00";

fn header(after_signature: &[u8]) -> Vec<u8> {
    [SIGNATURE, after_signature].concat()
}

/// A gate that trusts 127.0.0.1 and nobody else.
async fn gate(change: impl FnOnce(&mut Plan)) -> Gate {
    Gate::open(|plan| {
        plan.esme.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        change(plan);
    })
    .await
}

async fn came(gate: &Gate, octets: &[u8]) -> Esme {
    let mut esme = Esme::connect(gate.address).await;
    esme.send_raw(octets).await;
    esme
}

fn peers(gate: &Gate) -> Vec<SocketAddr> {
    let binds = gate.running.as_ref().expect("it runs").roster().binds();
    binds.iter().map(|bind| bind.facts.peer).collect()
}

fn turned_away(gate: &Gate, reason: &str) -> u64 {
    let mut registry = Registry::default();
    gate.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let begins = format!("tollgate_esme_turned_away_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&begins)).map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_in_the_header_is_the_clients() {
    let gate = gate(|_| {}).await;
    for (octets, peer) in
        [(IPV4, "198.51.100.7:40000"), (WITH_TLVS, "198.51.100.7:40000"), (IPV6, "[2001:db8::7]:40000")]
    {
        let mut esme = came(&gate, &header(octets)).await;
        assert_eq!(
            esme.bind(BindKind::Transceiver, "acme", "secret").await.header.status,
            CommandStatus::ROK
        );
        assert_eq!(peers(&gate), [peer.parse().unwrap()]);
        esme.submit("34600111222", "hello").await;
        esme.unbind().await;
        gate.binds_are(0).await;
    }
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn header_and_bind_may_come_in_one_segment_or_octet_by_octet() {
    let gate = gate(|_| {}).await;
    let mut octets = bytes::BytesMut::new();
    bind("acme", "secret").encode(&mut octets, BindKind::Transceiver, 1).expect("encoded");
    let mut together = came(&gate, &[&header(IPV4)[..], &octets].concat()).await;
    assert_eq!(together.expect().await.header.status, CommandStatus::ROK);
    together.unbind().await;

    let mut slow = Esme::connect(gate.address).await;
    for octet in header(WITH_TLVS) {
        slow.send_raw(&[octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(slow.bind(BindKind::Transceiver, "acme", "secret").await.header.status, CommandStatus::ROK);
    assert_eq!(turned_away(&gate, "proxy_header"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_addresses_see_the_client_and_not_the_proxy() {
    let gate = gate(|plan| plan.bounds.allowed_ips = vec!["198.51.100.0/24".parse().unwrap()]).await;
    let mut listed = came(&gate, &header(IPV4)).await;
    assert_eq!(listed.bind(BindKind::Transceiver, "acme", "secret").await.header.status, CommandStatus::ROK);
    let mut other = came(&gate, &header(IPV6)).await;
    let answer = other.bind(BindKind::Transceiver, "acme", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::RBINDFAIL);
    other.expect_closed().await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bound_of_one_address_is_that_of_the_client() {
    let gate = gate(|plan| plan.esme.max_unbound_per_address = 1).await;
    let mut first = came(&gate, &header(IPV4)).await;
    first.send_empty(CommandId::ENQUIRE_LINK, CommandStatus::ROK, 1).await;
    first.expect().await;
    came(&gate, &header(IPV4)).await.expect_end().await;
    assert_eq!(turned_away(&gate, "max_unbound_per_address"), 1);
    let mut other = came(&gate, &header(IPV6)).await;
    assert_eq!(other.bind(BindKind::Transceiver, "acme", "secret").await.header.status, CommandStatus::ROK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_keeps_the_proxys_address_and_is_no_fault() {
    let gate = gate(|_| {}).await;
    // LOCAL says nothing of a client, whatever stands after it.
    let with_addresses = [b"\x20\x11\x00\x0C", &IPV4[4..]].concat();
    for octets in [header(LOCAL), header(&with_addresses)] {
        let mut check = came(&gate, &octets).await;
        assert_eq!(
            check.bind(BindKind::Transceiver, "acme", "secret").await.header.status,
            CommandStatus::ROK
        );
        assert_eq!(peers(&gate)[0].ip(), std::net::IpAddr::from([127, 0, 0, 1]));
        check.unbind().await;
        gate.binds_are(0).await;
    }
    let mut left = came(&gate, &header(LOCAL)).await;
    left.finish_sending().await;
    left.expect_end().await;
    let mut silent = Esme::connect(gate.address).await;
    silent.finish_sending().await;
    silent.expect_end().await;
    assert_eq!(turned_away(&gate, "proxy_header"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_header_is_closed_and_counted() {
    let gate = gate(|_| {}).await;
    let unix = [b"\x21\x31\x00\xD8", &[b'/'; 216][..]].concat();
    let too_long = [b"\x21\x11\x02\x09", &[0; 521][..]].concat();
    let mut pdu = bytes::BytesMut::new();
    bind("acme", "secret").encode(&mut pdu, BindKind::Transceiver, 1).expect("encoded");
    let wrong: [Vec<u8>; 10] = [
        pdu.to_vec(),
        b"PROXY TCP4 198.51.100.7 192.0.2.1 40000 2775\r\n".to_vec(),
        // Another version, another command, another family, a datagram, no family.
        header(b"\x31\x11\x00\x0C"),
        header(b"\x22\x11\x00\x00"),
        header(b"\x21\x41\x00\x00"),
        header(&[b"\x21\x12\x00\x0C", &IPV4[4..]].concat()),
        header(b"\x21\x00\x00\x00"),
        header(&unix),
        header(&too_long),
        // Too short for its addresses.
        header(b"\x21\x11\x00\x04\xC6\x33\x64\x07"),
    ];
    for (count, octets) in (1..).zip(&wrong) {
        came(&gate, octets).await.expect_end().await;
        assert_eq!(turned_away(&gate, "proxy_header"), count, "{octets:x?}");
    }
    let mut cut = came(&gate, &header(&IPV4[..9])).await;
    cut.finish_sending().await;
    cut.expect_end().await;
    assert_eq!(turned_away(&gate, "proxy_header"), 11);
    assert_eq!((gate.figure("connections"), peers(&gate).len()), (0, 0));
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_trusted_is_not_believed() {
    let gate = gate(|plan| plan.bounds.allowed_ips = vec!["198.51.100.0/24".parse().unwrap()]).await;
    let mut liar = Esme::connect_from([127, 0, 0, 2], gate.address).await;
    liar.send_raw(&header(IPV4)).await;
    liar.expect_end().await;
    let mut direct = Esme::connect_from([127, 0, 0, 2], gate.address).await;
    let answer = direct.bind(BindKind::Transceiver, "acme", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::RBINDFAIL);
    assert_eq!(turned_away(&gate, "proxy_header"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_says_nothing_is_not_waited_for_longer_than_a_client() {
    let gate = gate(|plan| plan.esme.session_init = Duration::from_secs(1)).await;
    came(&gate, &SIGNATURE[..5]).await.expect_end().await;
    assert_eq!(turned_away(&gate, "proxy_header"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_stands_before_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = identity(folder.path());
    let listen = TlsListen { listen: vec![([127, 0, 0, 1], 0).into()], identity };
    let gate = gate(|plan| plan.esme.tls = Some(listen)).await;
    let address = gate.running.as_ref().expect("it runs").tls_addresses()[0];

    let mut esme = Esme::connect(address).await;
    esme.send_raw(&header(IPV4)).await;
    let client = ClientIdentity { trust: Trust::InsecureAnyone, certificate: None };
    let connector = tls::connector(&client).expect("a connector");
    let name = tls::server_name("localhost").expect("a name");
    let secured = tls::connect(&connector, name, esme.into_stream(), Duration::from_secs(10)).await;
    let mut link = Link::tls(secured.expect("a handshake"), Limits::default()).expect("a link");
    bind("acme", "secret").encode(link.out(), BindKind::Transceiver, 1).expect("encoded");
    submit("34600111222", "hello").encode(link.out(), 2).expect("encoded");
    for _ in 0..2 {
        let frame = loop {
            if let Some(frame) = link.next_frame().expect("framed") {
                break frame;
            }
            assert_ne!(within("a PDU", link.io(true)).await.expect("a live link"), Io::Closed);
        };
        assert_eq!(frame.header.status, CommandStatus::ROK);
    }
    assert_eq!(peers(&gate), ["198.51.100.7:40000".parse().unwrap()]);

    let mut check = Esme::connect(address).await;
    check.send_raw(&header(LOCAL)).await;
    check.finish_sending().await;
    check.expect_end().await;
    assert_eq!(turned_away(&gate, "handshake"), 0);
    gate.ends_with("999999", "1");
}

fn identity(folder: &std::path::Path) -> ServerIdentity {
    let (certificate, private_key) = (folder.join("gate.pem"), folder.join("gate.key"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&private_key, made.signing_key.serialize_pem()).expect("written");
    ServerIdentity { certificate, private_key, client_ca: None }
}
