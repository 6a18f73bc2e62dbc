//! Section H, texts from phones: parts forwarded or joined, alphabets on the way to the client.

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{DataCoding, EsmClass, InterfaceVersion, Tag, Tlv};
use smpp_proto::pdu::{BindKind, DeliverSm};
use smpp_proto::text::Charset;
use smpp_proto::{Address, Body};
use tollgate::account::InboundParts;

use super::text::Talk;
use crate::support::{Esme, bind};

/// A message from a phone to the client's number.
fn mo(from: &str, user_data: &[u8]) -> DeliverSm {
    DeliverSm {
        source: Address::international(from),
        destination: Address::international("22000"),
        short_message: user_data.to_vec().into(),
        ..DeliverSm::default()
    }
}

/// One of `total` parts, joined by a header of 8 bits.
fn part(from: &str, reference: u8, total: u8, number: u8, text: &[u8]) -> DeliverSm {
    let user_data = [&[5, 0, 3, reference, total, number], text].concat();
    DeliverSm { esm_class: EsmClass(0x40), ..mo(from, &user_data) }
}

const ANA: &str = "34600000001";
const BEA: &str = "34600000002";

impl Talk {
    async fn joining() -> Talk {
        Talk::with(|plan, _| plan.terms.inbound_parts = InboundParts::Join).await
    }

    /// The operator sends it, and hears that it is kept.
    async fn sends(&mut self, pdu: DeliverSm) {
        let sequence = self.link.send(Body::DeliverSm(pdu)).await;
        self.link.expect_delivered(sequence).await;
    }

    /// The client gets a message; its header and text.
    async fn gets(&mut self) -> DeliverSm {
        self.esme.expect_deliver().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_from_a_phone_reaches_the_client_octet_for_octet_or_in_its_alphabet() {
    let mut talk = Talk::plain().await;
    for (coding, octets) in
        [(0, &[0x00, 0x1B, 0x65, 0x7F][..]), (4, &[0xFF, 0x80]), (0xF0, b"x"), (8, &[0xD8, 0x3D])]
    {
        let sent = DeliverSm { data_coding: DataCoding(coding), ..mo(ANA, octets) };
        talk.sends(sent.clone()).await;
        assert_eq!(talk.gets().await, sent);
    }
    let mut talk = Talk::with(|plan, north| {
        plan.terms.alphabet = Charset::Latin1;
        north.alphabet = Charset::Utf8;
    })
    .await;
    talk.sends(mo(ANA, "café".as_bytes())).await;
    assert_eq!(talk.gets().await.short_message, Bytes::from_static(b"caf\xE9"));
    talk.sends(mo(ANA, "5 €".as_bytes())).await;
    let euro = talk.gets().await;
    assert_eq!((euro.data_coding.0, &euro.short_message[..]), (8, &[0, b'5', 0, b' ', 0x20, 0xAC][..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_134_impossible_parts_are_messages_of_their_own() {
    let mut talk = Talk::joining().await;
    // Towards the operator: octet for octet, one segment each.
    for id in ["V-337", "V-338", "V-339"] {
        talk.passes_unchanged(id).await;
    }
    talk.gate.ends_with("999997", "3");
    // From the operator: none is kept for others.
    for (total, number) in [(2, 0), (2, 3), (0, 1)] {
        let sent = part(ANA, 1, total, number, b"hi");
        talk.sends(sent.clone()).await;
        assert_eq!(talk.gets().await, sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_135_parts_in_any_order_twice_and_interleaved_are_joined() {
    let mut talk = Talk::joining().await;
    talk.sends(part(ANA, 7, 3, 3, b"three")).await;
    talk.sends(part(BEA, 7, 3, 1, b"uno ")).await;
    talk.sends(part(ANA, 7, 3, 1, b"one ")).await;
    talk.sends(part(ANA, 7, 3, 3, b"three")).await;
    talk.sends(part(BEA, 7, 3, 3, b"tres")).await;
    // Another total, and another width: other messages.
    talk.sends(part(ANA, 7, 2, 2, b"other")).await;
    let wide = [&[6, 8, 4, 0, 7, 3, 2][..], b"wide"].concat();
    talk.sends(DeliverSm { esm_class: EsmClass(0x40), ..mo(ANA, &wide) }).await;
    talk.esme.expect_quiet().await;
    talk.gate.books_hold();
    talk.sends(part(ANA, 7, 3, 2, b"two ")).await;
    assert_eq!(talk.gets().await, mo(ANA, b"one two three"));
    talk.sends(part(BEA, 7, 3, 2, b"dos ")).await;
    assert_eq!(talk.gets().await, mo(BEA, b"uno dos tres"));
    // What the operator sends again, because our answer was lost, is no new message.
    talk.sends(part(BEA, 7, 3, 2, b"dos ")).await;
    talk.esme.expect_quiet().await;
    // The same reference for another text is one.
    talk.sends(part(BEA, 7, 3, 1, b"un ")).await;
    talk.sends(part(BEA, 7, 3, 2, b"deux ")).await;
    talk.sends(part(BEA, 7, 3, 3, b"trois")).await;
    assert_eq!(talk.gets().await, mo(BEA, b"un deux trois"));
    // A long one stands in message_payload, with the ports that all parts bear.
    let ports = |number: u8, fill: u8| {
        let header = [11, 0, 3, 9, 2, number, 5, 4, 0x0B, 0x84, 0x23, 0xF0];
        let user_data = [&header[..], &[fill; 128]].concat();
        DeliverSm { esm_class: EsmClass(0x40), data_coding: DataCoding(4), ..mo(ANA, &user_data) }
    };
    talk.sends(ports(2, 2)).await;
    talk.sends(ports(1, 1)).await;
    let whole = talk.gets().await;
    let expected = [&[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0][..], &[1; 128], &[2; 128]].concat();
    assert_eq!((whole.esm_class.0, whole.short_message.len()), (0x40, 0));
    assert_eq!(whole.tlvs.get(Tag::MESSAGE_PAYLOAD).map(|octets| octets.to_vec()), Some(expected));
    talk.gate.books_hold();
    // Without the setting each part goes on as it came.
    let mut talk = Talk::plain().await;
    for number in [2, 1] {
        talk.sends(part(ANA, 7, 2, number, b"x")).await;
        assert_eq!(talk.gets().await, part(ANA, 7, 2, number, b"x"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_136_parts_whose_others_never_come_are_delivered_as_they_came() {
    let mut talk = Talk::joining().await;
    talk.sends(part(ANA, 7, 3, 3, b"three")).await;
    talk.gate.clock.advance(Duration::from_secs(1_800));
    talk.sends(part(ANA, 7, 3, 1, b"one")).await;
    talk.esme.expect_quiet().await;
    // An hour after the first one.
    talk.gate.clock.advance(Duration::from_secs(1_800));
    assert_eq!(talk.gets().await, part(ANA, 7, 3, 1, b"one"));
    assert_eq!(talk.gets().await, part(ANA, 7, 3, 3, b"three"));
    talk.gate.books_hold();
    // The reference came round before the last part: neither message takes the other's.
    talk.sends(part(ANA, 7, 2, 1, b"old")).await;
    talk.sends(part(ANA, 7, 2, 1, b"new ")).await;
    assert_eq!(talk.gets().await, part(ANA, 7, 2, 1, b"old"));
    talk.sends(part(ANA, 7, 2, 2, b"text")).await;
    assert_eq!(talk.gets().await, mo(ANA, b"new text"));
    // What belongs to nothing any more is a part alone, after its time.
    talk.sends(part(ANA, 7, 3, 2, b"two")).await;
    talk.gate.clock.advance(Duration::from_secs(3_600));
    assert_eq!(talk.gets().await, part(ANA, 7, 3, 2, b"two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_by_tlvs_are_joined_and_3_3_gets_a_header_and_several_for_one() {
    let sar = |number: u8, text: &[u8]| DeliverSm {
        tlvs: vec![
            Tlv::u16(Tag::SAR_MSG_REF_NUM, 0x0102),
            Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, 2),
            Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, number),
        ]
        .into(),
        ..mo(ANA, text)
    };
    let mut talk = Talk::joining().await;
    talk.sends(sar(2, b"world")).await;
    talk.sends(sar(1, b"hello ")).await;
    assert_eq!(talk.gets().await, mo(ANA, b"hello world"));
    let old = smpp_proto::pdu::Bind { interface_version: InterfaceVersion(0x33), ..bind("acme", "secret") };
    talk.esme.finish_sending().await;
    talk.esme.expect_end().await;
    talk.esme = Esme::connect(talk.gate.address).await;
    talk.esme.bind_with(BindKind::Receiver, old).await;
    talk.sends(sar(1, &[b'a'; 150])).await;
    talk.sends(sar(2, &[b'b'; 150])).await;
    let first = talk.gets().await;
    let second = talk.gets().await;
    let [reference, ..] = first.short_message[3..] else { panic!("a header") };
    assert_eq!(first.short_message[..6], [5, 0, 3, reference, 2, 1]);
    assert_eq!(second.short_message[..6], [5, 0, 3, reference, 2, 2]);
    let text = [&first.short_message[6..], &second.short_message[6..]].concat();
    assert_eq!(text, [[b'a'; 150], [b'b'; 150]].concat());
}
