//! Two ends of a link over loopback: batches, limits, back pressure, farewell and TLS.

use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::pdu::encode_empty;
use smpp_proto::{CommandId, CommandStatus, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::sniff::Foreign;
use super::{Io, Limits, Link, LinkError};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (dialled, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (dialled.expect("dialled"), accepted.expect("accepted").0)
}

async fn link_and_peer(limits: Limits) -> (Link, TcpStream) {
    let (ours, peer) = pair().await;
    (Link::plain(ours, limits).expect("a link"), peer)
}

fn enquire_links(count: u32) -> BytesMut {
    let mut octets = BytesMut::new();
    for sequence in 1..=count {
        encode_empty(&mut octets, CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence);
    }
    octets
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.expect("it takes no 20 s")
}

async fn next(link: &mut Link) -> Result<Frame, LinkError> {
    loop {
        if let Some(frame) = link.next_frame()? {
            return Ok(frame);
        }
        if soon(link.io(true)).await? == Io::Closed {
            return Err(LinkError::ClosedInsidePdu(link.pending_in()));
        }
    }
}

#[tokio::test]
async fn cuts_what_one_read_brought_and_answers_in_one_write() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(&enquire_links(100)).await.expect("written");
    for sequence in 1..=100 {
        let frame = next(&mut link).await.expect("a frame");
        assert_eq!(frame.header.sequence, sequence);
        encode_empty(link.out(), CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence);
    }
    soon(link.write()).await.expect("written");
    assert!(!link.wants_write());
    let mut answers = vec![0; 1600];
    soon(peer.read_exact(&mut answers)).await.expect("all answers");
    let traffic = link.traffic();
    assert_eq!((traffic.pdus_in, traffic.octets_in, traffic.octets_out), (100, 1600, 1600));
    assert!(traffic.reads < 20 && traffic.writes == 1, "{traffic:?}");
}

#[tokio::test]
async fn a_pdu_may_come_octet_by_octet() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    for (at, octet) in enquire_links(1).iter().enumerate() {
        assert!(link.next_frame().expect("no fault").is_none());
        assert_eq!(link.partial_since().is_some(), at > 0);
        peer.write_all(&[*octet]).await.expect("written");
        soon(link.io(true)).await.expect("moved");
    }
    assert!(link.next_frame().expect("no fault").is_some());
    assert!(link.next_frame().expect("no fault").is_none());
    assert!(link.partial_since().is_none());
}

#[tokio::test]
async fn an_unfinished_pdu_has_a_deadline() {
    let limits = Limits { partial_pdu: Duration::from_secs(10), ..Limits::default() };
    let (mut link, mut peer) = link_and_peer(limits).await;
    assert_eq!(link.deadline(), None);
    peer.write_all(&[0, 0, 0, 16, 0]).await.expect("written");
    soon(link.io(true)).await.expect("moved");
    assert!(link.next_frame().expect("no fault").is_none());
    let deadline = link.deadline().expect("a deadline");
    assert!(link.check_limits(Instant::now()).is_ok());
    assert!(matches!(link.check_limits(deadline), Err(LinkError::PartialPdu(_))));
}

#[tokio::test]
async fn an_impossible_length_ends_the_link_and_keeps_the_sequence() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(&[0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 77]).await.expect("written");
    match next(&mut link).await {
        Err(LinkError::Framing { error, foreign }) => assert_eq!((error.sequence(), foreign), (77, None)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn http_on_the_port_is_named() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    let error = next(&mut link).await.expect_err("no frame");
    assert!(matches!(error, LinkError::Framing { foreign: Some(Foreign::Http), .. }));
    assert!(error.to_string().contains("HTTP"), "{error}");
}

#[tokio::test]
async fn a_small_ceiling_before_the_bind_can_be_raised() {
    let (mut link, mut peer) = link_and_peer(Limits { pdu: 64, ..Limits::default() }).await;
    let mut large = vec![0; 100];
    large[3] = 100;
    peer.write_all(&large).await.expect("written");
    assert!(matches!(next(&mut link).await, Err(LinkError::Framing { .. })));
    link.limit_pdu(1000);
    assert_eq!(next(&mut link).await.expect("a frame").body.len(), 84);
}

#[tokio::test]
async fn a_peer_that_never_reads_stalls_the_link_and_stops_its_own_input() {
    let limits = Limits { outbound: 64 * 1024, ..Limits::default() };
    let (mut link, mut peer) = link_and_peer(limits).await;
    peer.write_all(&enquire_links(10)).await.expect("written");
    link.out().extend_from_slice(&vec![0; 64 * 1024 * 1024]);
    // Fills the kernel's buffers; afterwards nothing moves, in either direction.
    while timeout(Duration::from_millis(200), link.io(true)).await.is_ok() {}
    assert!(link.is_backlogged());
    assert_eq!(link.traffic().octets_in, 0, "a backlogged link does not read");
    let deadline = link.deadline().expect("a deadline");
    assert!(matches!(link.check_limits(deadline), Err(LinkError::WriteStalled(_))));
}

#[tokio::test]
async fn without_the_wish_to_read_nothing_is_read() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(&enquire_links(1)).await.expect("written");
    assert!(timeout(Duration::from_millis(100), link.io(false)).await.is_err());
    assert_eq!(soon(link.io(true)).await.expect("moved"), Io::Moved { read: 16, written: 0 });
}

#[tokio::test]
async fn the_last_answer_survives_a_close_with_unread_input() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(&enquire_links(1000)).await.expect("written");
    soon(link.io(true)).await.expect("moved");
    encode_empty(link.out(), CommandId::UNBIND_RESP, CommandStatus::ROK, 1);
    let farewell = tokio::spawn(link.close(Duration::from_secs(10)));
    let mut answer = Vec::new();
    soon(peer.read_to_end(&mut answer)).await.expect("no reset");
    assert_eq!(answer.len(), 16);
    drop(peer);
    soon(farewell).await.expect("closed");
}

#[tokio::test]
async fn an_end_inside_a_pdu_is_seen() {
    let (mut link, mut peer) = link_and_peer(Limits::default()).await;
    peer.write_all(&[0, 0, 0]).await.expect("written");
    drop(peer);
    assert!(matches!(next(&mut link).await, Err(LinkError::ClosedInsidePdu(3))));
}
