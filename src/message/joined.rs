//! The parts of a message from a phone as one message (3GPP TS 23.040 §9.2.3.24.1).

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{Tag, Tlv};
use smpp_proto::pdu::{DeliverSm, Header};
use smpp_proto::text::{UdhError, UserData, Width, whole};

use super::wording::{self, LONGEST_SHORT};

/// A part of a message from a phone: what it shares with the others, and which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundPart {
    /// Source address.
    pub source: Bytes,
    /// Destination address.
    pub destination: Bytes,
    /// How its reference is written.
    pub width: Width,
    /// The number that all parts of the message share.
    pub reference: u16,
    /// How many parts the message has; at least 2.
    pub total: u8,
    /// Which of them this is, from 1.
    pub part: u8,
}

impl InboundPart {
    /// The part that a deliver_sm is, by its header or its sar_* TLVs; nothing if it is whole, or says of itself what
    /// cannot be (conformance C-134).
    #[must_use]
    pub fn of(pdu: &DeliverSm) -> Option<Self> {
        let data = read(pdu).ok()?;
        let stated = data.part().filter(|stated| stated.total > 1)?;
        Some(Self {
            source: pdu.source.digits.bytes(),
            destination: pdu.destination.digits.bytes(),
            width: stated.width,
            reference: stated.reference,
            total: stated.total,
            part: stated.part,
        })
    }
}

fn read(pdu: &DeliverSm) -> Result<UserData<'_>, UdhError> {
    wording::read(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs)
}

/// The body of the deliver_sm that says what these bodies say, which stand in the order of their parts.
///
/// Its fields are those of the first; the text stands in short_message if it fits, else in message_payload. Nothing when
/// a body cannot be read or the parts differ in alphabet or header: then they are better delivered each by itself.
#[must_use]
pub fn joined(bodies: &[Bytes]) -> Option<Bytes> {
    let pdus = bodies.iter().map(|body| DeliverSm::decode(body.clone()).ok()).collect::<Option<Vec<_>>>()?;
    let first = pdus.first()?;
    let alike = |pdu: &DeliverSm| pdu.data_coding == first.data_coding;
    if !pdus.iter().all(alike) {
        return None;
    }
    let data = pdus.iter().map(|pdu| read(pdu).ok()).collect::<Option<Vec<_>>>()?;
    let whole = whole(&data)?;
    let mut pdu = DeliverSm { esm_class: first.esm_class.with_udhi(whole.has_header), ..first.clone() };
    for tag in [Tag::MESSAGE_PAYLOAD, Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM]
    {
        pdu.tlvs.remove(tag);
    }
    if whole.user_data.len() <= LONGEST_SHORT {
        pdu.short_message = whole.user_data.into();
    } else {
        pdu.short_message = Bytes::new();
        pdu.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, whole.user_data));
    }
    let mut out = BytesMut::new();
    pdu.encode(&mut out, 0).ok()?;
    Some(out.split_off(Header::LENGTH).freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::field::{Address, DataCoding, EsmClass};

    fn part(number: u8, text: &[u8]) -> DeliverSm {
        DeliverSm {
            source: Address::international("34600000001"),
            destination: Address::international("22000"),
            esm_class: EsmClass(0x40),
            short_message: [&[5, 0, 3, 0xA5, 2, number], text].concat().into(),
            ..DeliverSm::default()
        }
    }

    fn body(pdu: &DeliverSm) -> Bytes {
        let mut out = BytesMut::new();
        pdu.encode(&mut out, 0).unwrap();
        out.split_off(Header::LENGTH).freeze()
    }

    fn whole_of(parts: &[DeliverSm]) -> Option<DeliverSm> {
        let bodies: Vec<Bytes> = parts.iter().map(body).collect();
        joined(&bodies).map(|body| DeliverSm::decode(body).unwrap())
    }

    #[test]
    fn a_short_whole_stands_in_short_message_and_a_long_one_in_the_payload() {
        let short = whole_of(&[part(1, b"hello "), part(2, b"world")]).unwrap();
        assert_eq!((&short.short_message[..], short.esm_class.0), (&b"hello world"[..], 0));
        let long = whole_of(&[part(1, &[b'a'; 153]), part(2, &[b'b'; 153])]).unwrap();
        assert!(long.short_message.is_empty());
        assert_eq!((long.user_data().len(), long.user_data()[153]), (306, b'b'));
    }

    #[test]
    fn tlvs_are_read_and_taken_away() {
        let sar = |number| DeliverSm {
            esm_class: EsmClass(0),
            short_message: "x".into(),
            tlvs: vec![
                Tlv::u16(Tag::SAR_MSG_REF_NUM, 9),
                Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, 2),
                Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, number),
                Tlv::u8(Tag(0x1400), 1),
            ]
            .into(),
            ..part(number, b"")
        };
        let stated = InboundPart::of(&sar(2)).unwrap();
        assert_eq!((stated.reference, stated.width, stated.total, stated.part), (9, Width::Sixteen, 2, 2));
        let whole = whole_of(&[sar(1), sar(2)]).unwrap();
        assert_eq!((&whole.short_message[..], whole.tlvs.len()), (&b"xx"[..], 1));
    }

    #[test]
    fn parts_that_differ_are_not_joined() {
        let wide = DeliverSm { data_coding: DataCoding::UCS2, ..part(2, b"\0a") };
        assert_eq!(whole_of(&[part(1, b"a"), wide]), None);
        assert_eq!(InboundPart::of(&part(3, b"beyond the total")), None);
        assert_eq!(joined(&[Bytes::from_static(b"\0\x01")]), None);
    }
}
