//! How often reading and writing ask for memory, counted: not at all where the data allows it.
//!
//! The buffer of the stream itself is there before, as it is for a socket.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

#[allow(dead_code, reason = "this file needs a part of it")]
mod support;

use allocation_counter::measure;
use bytes::BytesMut;
use smpp_proto::field::MessageState;
use smpp_proto::text::Receipt;
use smpp_proto::{Body, FrameCodec, Pdu, Tag, TlvValue};
use support::{octets, vectors};

/// The octets of a vector twice: the second PDU is the one that is counted, because the first cut of a buffer makes it
/// shared.
fn stream(id: &str) -> BytesMut {
    let vectors = vectors();
    let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
    let mut buffer = BytesMut::from(&octets(vector).repeat(2)[..]);
    buffer.reserve(1);
    let first = FrameCodec::default().cut(&mut buffer).unwrap().unwrap();
    drop(Pdu::decode(first).unwrap());
    buffer
}

/// Allocations of cutting and reading the second PDU, and what was read.
fn read(id: &str) -> (u64, Pdu) {
    let mut buffer = stream(id);
    let mut pdu = None;
    let counted = measure(|| {
        let frame = FrameCodec::default().cut(&mut buffer).unwrap().unwrap();
        pdu = Some(Pdu::decode(frame).unwrap());
    });
    (counted.count_total, pdu.unwrap())
}

#[test]
fn a_message_without_tlvs_is_read_without_an_allocation() {
    for id in ["V-035", "V-001", "V-010"] {
        let (count, pdu) = read(id);
        // A row of TLVs is a list, which is the only thing that is asked for.
        let lists = u64::from(!pdu.body.tlvs().is_empty());
        assert_eq!(count, lists, "{id}");
    }
}

#[test]
fn a_receipt_is_read_with_one_allocation_for_its_tlvs_and_none_for_its_text() {
    let (count, pdu) = read("V-166");
    assert_eq!((count, pdu.body.tlvs().len()), (1, 3));
    let Body::DeliverSm(deliver) = &pdu.body else { panic!("{pdu:?}") };
    let counted = measure(|| {
        let receipt = Receipt::read(deliver.user_data());
        assert_eq!(receipt.state(), Some(MessageState::EXPIRED));
        assert!(matches!(
            deliver.tlvs.read_value(Tag::NETWORK_ERROR_CODE),
            Some(TlvValue::NetworkError { code: 27, .. })
        ));
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn writing_into_a_buffer_with_room_allocates_nothing() {
    let (_, pdu) = read("V-166");
    let mut out = BytesMut::with_capacity(1024);
    assert_eq!(measure(|| pdu.encode(&mut out).unwrap()).count_total, 0);
}
