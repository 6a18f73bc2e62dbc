//! What may stand in a field: every submission among the vectors is judged as it says, strictly and leniently.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[allow(dead_code, reason = "this file needs a part of it")]
mod support;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use smpp_proto::field::{
    Address, CommandId, CommandStatus, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Tag, Tlv, Ton,
};
use smpp_proto::pdu::{Body, DeliverSm, Frame, Lenience, Pdu, Quirk, Quirks, Reading, SubmitSm};
use smpp_proto::rules::{self, Breach};
use smpp_proto::{COctets, FrameCodec};
use support::{hex_number, octets, text, vectors};

const V3_4: InterfaceVersion = InterfaceVersion::V3_4;
const V5_0: InterfaceVersion = InterfaceVersion::V5_0;

fn frames(octets: &[u8]) -> Vec<Frame> {
    let mut buffer = BytesMut::from(octets);
    let codec = FrameCodec::default();
    std::iter::from_fn(|| codec.cut(&mut buffer).ok().flatten()).collect()
}

fn version(vector: &Value) -> InterfaceVersion {
    match text(&vector["smpp_version"]) {
        "3.3" => InterfaceVersion::V3_3,
        "5.0" => V5_0,
        _ => V3_4,
    }
}

/// Reads a PDU and judges it if it is a submission: the status with which it is answered, or the PDU as it may be written.
fn judged(
    frame: Frame,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Option<Result<Pdu, CommandStatus>> {
    let mut pdu = match Pdu::decode_noting(frame, reading) {
        Ok(pdu) => pdu,
        Err(error) => return error.answer().map(|(_, status)| Err(status)),
    };
    let judged: Result<(), Breach> = match &mut pdu.body {
        Body::SubmitSm(body) => rules::submit_sm(body, version, reading),
        Body::SubmitMulti(body) => rules::submit_multi(body, version, reading),
        Body::DataSm(body) => rules::data_sm(body, version, reading),
        Body::ReplaceSm(body) => rules::replace_sm(body, version, reading),
        _ => Ok(()),
    };
    Some(judged.map(|()| pdu).map_err(|breach| breach.status))
}

const SUBMISSIONS: [CommandId; 4] =
    [CommandId::SUBMIT_SM, CommandId::SUBMIT_MULTI, CommandId::DATA_SM, CommandId::REPLACE_SM];

/// Faults that lie in what the store, the text or the present knows, or in no field of their own.
const ELSEWHERE: [&str; 11] = [
    "STATE",
    "TIME_PAST",
    "TIME_ORDER",
    "UDH_INVALID",
    "UDH_SEMANTIC",
    "ENCODING_INVALID",
    "TLV_MISSING",
    "SEQUENCE_UNKNOWN",
    "CONTENT_CONFLICT",
    "PDU_INCOMPLETE",
    "SEQUENCE_RANGE",
];

/// Faults of submissions that are judged by accounts: how long a sender may be, which canned texts there are, how many
/// destinations.
const BY_ACCOUNT: [&str; 3] = ["V-250", "V-270", "V-294"];

/// Submissions that the vectors call good and a strict reader refuses, with what a lenient one forgives.
const FORGIVEN: [(&str, Quirk); 7] = [
    ("V-036", Quirk::ServiceType),
    ("V-062", Quirk::DestinationSpelling),
    ("V-072", Quirk::RelativeTenths),
    ("V-087", Quirk::GsmCoding),
    ("V-089", Quirk::GsmCoding),
    ("V-092", Quirk::GsmCoding),
    ("V-129", Quirk::ForeignTlv),
];

/// Every submission that is judged here: id, PDU, version, statuses that the vector allows, whether a lenient reader
/// may take it.
fn submissions(mut judge: impl FnMut(&str, Frame, InterfaceVersion, &[u32], bool)) {
    for vector in vectors().iter().filter(|vector| vector["direction"] == "ESME->MC") {
        let expect = &vector["expect"];
        let id = text(&vector["id"]);
        let elsewhere = ELSEWHERE.contains(&text(&expect["class"])) || BY_ACCOUNT.contains(&id);
        if vector["category"] == "stream" || elsewhere {
            continue;
        }
        println!("{id} {}", text(&vector["name"]));
        let statuses: Vec<u32> =
            expect["command_status"].as_array().unwrap().iter().map(hex_number).collect();
        let lenient = statuses.contains(&0) || expect["lenient"].is_string();
        let of_a_message = |frame: &Frame| SUBMISSIONS.contains(&frame.header.command);
        for frame in frames(&octets(vector)).into_iter().filter(of_a_message) {
            judge(id, frame, version(vector), &statuses, lenient);
        }
    }
}

#[test]
fn strictly_every_submission_is_answered_as_its_vector_says() {
    let mut checked = 0;
    submissions(|id, frame, version, statuses, _| {
        let mut reading = Reading::new(Lenience::STRICT);
        let Some(judged) = judged(frame.clone(), version, &mut reading) else { return };
        let status = judged.err().unwrap_or(CommandStatus::ROK).0;
        if let Some((_, quirk)) = FORGIVEN.iter().find(|(known, _)| *known == id) {
            assert_ne!(status, 0);
            let mut reading = Reading::new(Lenience::STRICT.with(*quirk));
            assert!(matches!(self::judged(frame, version, &mut reading), Some(Ok(_))));
            assert_eq!(reading.met, Quirks::NONE.with(*quirk));
        } else {
            assert!(statuses.contains(&status), "{status:02x} is none of {statuses:x?}");
        }
        checked += 1;
    });
    assert!(checked > 130, "{checked}");
}

/// What the vectors let a lenient reader take and the default profile refuses: reserved types of esm_class, among them
/// receipts, which must not go to a phone; and data_codings that nobody defines.
const REFUSED_BY_DEFAULT: [&str; 3] = ["V-261", "V-262", "V-268"];

#[test]
fn leniently_every_submission_passes_that_its_vector_lets_pass() {
    let mut saved = 0;
    submissions(|id, frame, version, statuses, lenient| {
        let mut by_default = Reading::new(Lenience::DEFAULT);
        let Some(judged) = judged(frame.clone(), version, &mut by_default) else { return };
        let passes = lenient && !REFUSED_BY_DEFAULT.contains(&id);
        let mut permissive = Reading::new(Lenience::PERMISSIVE);
        let permitted = self::judged(frame, version, &mut permissive).expect("an answer");
        match judged {
            Ok(pdu) => {
                let known_better = by_default.met.iter().next();
                assert!(passes || known_better.is_some(), "taken, without a word");
                if !statuses.contains(&0) {
                    assert!(!by_default.met.is_empty(), "forgiven, without a word");
                    saved += 1;
                }
                assert_eq!(permitted.as_ref().ok(), Some(&pdu));
                assert!(pdu.encode(&mut BytesMut::new()).is_ok(), "mended PDUs may be written");
            }
            Err(status) => {
                assert!(!passes, "{status}");
                assert!(statuses.contains(&status.0), "{status}");
                assert!(permitted.is_ok() || !lenient, "the permissive profile takes it");
            }
        }
    });
    assert!(saved > 10, "{saved}");
}

/// Judges with the default profile: what was forgiven, or the field and status.
fn by_default(pdu: &mut SubmitSm, version: InterfaceVersion) -> Result<Quirks, (&'static str, u32)> {
    let mut reading = Reading::new(Lenience::DEFAULT);
    let judged = rules::submit_sm(pdu, version, &mut reading);
    judged.map(|()| reading.met).map_err(|breach| (breach.field, breach.status.0))
}

fn strictly(pdu: &SubmitSm, version: InterfaceVersion) -> Result<(), (&'static str, u32)> {
    let mut reading = Reading::new(Lenience::STRICT);
    let judged = rules::submit_sm(&mut pdu.clone(), version, &mut reading);
    judged.map_err(|breach| (breach.field, breach.status.0))
}

fn message() -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("ACME"),
        destination: Address::international("447700900123"),
        short_message: Bytes::from_static(b"hello"),
        ..SubmitSm::default()
    }
}

#[test]
fn a_good_message_passes_untouched() {
    let mut pdu = message();
    pdu.tlvs.push(Tlv::u16(Tag::USER_MESSAGE_REFERENCE, 7));
    pdu.tlvs.push(Tlv::c_octets(Tag(0x1400), &COctets::from_static("110100001352")));
    pdu.tlvs.push(Tlv::new(Tag(0x1400), &b"again"[..]));
    let before = pdu.clone();
    assert_eq!(by_default(&mut pdu, V3_4), Ok(Quirks::NONE));
    assert_eq!((strictly(&pdu, V3_4), &pdu), (Ok(()), &before));
}

#[test]
fn addresses_are_mended_or_refused_by_their_field() {
    let mut pdu = SubmitSm {
        source: Address::new(Ton(8), Npi(2), "ACME"),
        destination: Address::new(Ton::ALPHANUMERIC, Npi(99), "+44 7700-900123"),
        ..message()
    };
    assert_eq!(strictly(&pdu, V3_4), Err(("source_addr_ton", 0x48)));
    let met = by_default(&mut pdu, V3_4).unwrap();
    assert_eq!(met.to_string(), "ton_npi, letters_without_ton, destination_spelling");
    assert_eq!(pdu.source, Address::alphanumeric("ACME"));
    assert_eq!(pdu.destination, Address::new(Ton::UNKNOWN, Npi::UNKNOWN, "447700900123"));
    let zeros = SubmitSm { destination: Address::international("0034600000000"), ..message() };
    assert_eq!(strictly(&zeros, V3_4), Err(("destination_addr", 0x0B)));
    let named = SubmitSm { source: Address::new(Ton::ALPHANUMERIC, Npi::ISDN, "ACME"), ..message() };
    assert_eq!(strictly(&named, V3_4), Err(("source_addr_npi", 0x49)));
    let mut nowhere = SubmitSm { destination: Address::international("people"), ..message() };
    assert_eq!(by_default(&mut nowhere, V3_4), Err(("destination_addr", 0x0B)));
}

#[test]
fn flags_follow_the_version() {
    let mut pdu = SubmitSm {
        esm_class: EsmClass(0x42),
        priority_flag: 4,
        registered_delivery: RegisteredDelivery(0xE3),
        short_message: Bytes::from(vec![b'x'; 255]),
        ..message()
    };
    assert_eq!(strictly(&pdu, V3_4), Err(("esm_class", 0x43)));
    assert_eq!(strictly(&pdu, V5_0), Err(("registered_delivery", 0x07)), "the rest is of 5.0");
    let met = by_default(&mut pdu, V3_4).unwrap();
    assert_eq!(
        met.to_string(),
        "transaction_mode, priority_range, registered_bits, receipt_on_success, full_message"
    );
    assert_eq!((pdu.esm_class.0, pdu.priority_flag, pdu.registered_delivery.0), (0x43, 3, 0x01));
    let default = |id| SubmitSm { sm_default_msg_id: id, ..message() };
    assert_eq!(strictly(&default(255), V3_4), Err(("sm_default_msg_id", 0x63)));
    assert_eq!((strictly(&default(255), V5_0), strictly(&default(7), V3_4)), (Ok(()), Ok(())));
}

#[test]
fn times_are_written_in_their_one_form() {
    let timed = |text: &str| SubmitSm { validity_period: COctets::from(text), ..message() };
    for (given, written) in [("000001000000512R", "000001000000000R"), ("301231235959", "301231235959000+")] {
        let mut pdu = timed(given);
        assert_eq!(strictly(&pdu, V3_4), Err(("validity_period", 0x62)));
        assert_eq!(by_default(&mut pdu, V3_4).unwrap().iter().count(), 1);
        assert_eq!(pdu.validity_period, written);
    }
    let mut scheduled = SubmitSm { schedule_delivery_time: COctets::from("tomorrow"), ..message() };
    assert_eq!(by_default(&mut scheduled, V3_4), Err(("schedule_delivery_time", 0x61)));
}

#[test]
fn parameters_are_mended_one_by_one_and_keep_their_order() {
    let mut pdu = message();
    pdu.tlvs = [
        Tlv::new(Tag(0x1401), &b"first"[..]),
        Tlv::u32(Tag::USER_MESSAGE_REFERENCE, 42),
        Tlv::u8(Tag::PRIVACY_INDICATOR, 9),
        Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from("id")),
        Tlv::u16(Tag::SAR_MSG_REF_NUM, 1),
        Tlv::new(Tag::MESSAGE_PAYLOAD, &b"payload"[..]),
        Tlv::new(Tag::MESSAGE_PAYLOAD, &b"again"[..]),
        Tlv::u16(Tag::SOURCE_TELEMATICS_ID, 0),
        Tlv::u8(Tag::ALERT_ON_MESSAGE_DELIVERY, 1),
        Tlv::new(Tag::CALLBACK_NUM, &b"\x01\0\x013460"[..]),
        Tlv::new(Tag::CALLBACK_NUM, &b"\x01\0\x013461"[..]),
    ]
    .into_iter()
    .collect();
    let met = by_default(&mut pdu, V3_4).unwrap();
    assert_eq!(
        met.to_string(),
        "both_texts, foreign_tlv, repeated_tlv, tlv_width, telematics_width, alert_octet, tlv_value, sar_incomplete"
    );
    let tags: Vec<u16> = pdu.tlvs.iter().map(|tlv| tlv.tag.0).collect();
    assert_eq!(tags, [0x1401, 0x0204, 0x0424, 0x0010, 0x130C, 0x0381, 0x0381]);
    assert_eq!(pdu.tlvs.get(Tag::USER_MESSAGE_REFERENCE).unwrap().as_ref(), [0, 42]);
    assert_eq!(pdu.user_data().as_ref(), b"payload");
    assert!(pdu.short_message.is_empty());
}

#[test]
fn each_parameter_is_refused_with_its_own_status() {
    let with = |tlvs: &[Tlv]| SubmitSm { tlvs: tlvs.iter().cloned().collect(), ..message() };
    let sar = |total, part| {
        [
            Tlv::u16(Tag::SAR_MSG_REF_NUM, 1),
            Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, total),
            Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, part),
        ]
    };
    let strict = |tlvs: &[Tlv]| strictly(&with(tlvs), V3_4);
    assert_eq!(strict(&[Tlv::u8(Tag::MESSAGE_STATE, 2)]), Err(("message_state", 0xC1)));
    assert_eq!(strict(&[Tlv::u32(Tag::DEST_PORT, 7)]), Err(("dest_port", 0xC2)));
    assert_eq!(strict(&[Tlv::u8(Tag::PAYLOAD_TYPE, 2)]), Err(("payload_type", 0xC4)));
    assert_eq!(strict(&[Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, 1)]), Err(("sar_msg_ref_num", 0xC3)));
    for (total, part) in [(0, 1), (2, 0), (2, 3)] {
        assert_eq!(strict(&sar(total, part)), Err(("sar_segment_seqnum", 0xC4)));
        let mut pdu = with(&sar(total, part));
        assert_eq!(by_default(&mut pdu, V3_4), Ok(Quirks::NONE.with(Quirk::SarImpossible)));
        assert!(pdu.tlvs.is_empty());
    }
    assert_eq!(strict(&sar(2, 2)), Ok(()));
    // Nothing forgives what cannot be read by value.
    for tlv in [Tlv::new(Tag::DEST_PORT, Bytes::new()), Tlv::u32(Tag::SAR_TOTAL_SEGMENTS, 256)] {
        assert_eq!(by_default(&mut with(&[tlv]), V3_4).unwrap_err().1, 0xC2);
    }
}

#[test]
fn deliveries_have_fields_that_mean_nothing() {
    let mut pdu = DeliverSm {
        validity_period: COctets::from("000001000000000R"),
        sm_default_msg_id: 3,
        tlvs: [Tlv::new(Tag::RECEIPTED_MESSAGE_ID, &b"77"[..]), Tlv::u8(Tag::SOURCE_NETWORK_TYPE, 1)]
            .into_iter()
            .collect(),
        ..DeliverSm::default()
    };
    let mut strict = Reading::new(Lenience::STRICT);
    let breach = rules::deliver_sm(&mut pdu.clone(), V3_4, &mut strict).unwrap_err();
    assert_eq!((breach.status.0, breach.quirk), (0x62, Some(Quirk::DeliveryExtras)));
    let mut reading = Reading::new(Lenience::DEFAULT);
    assert_eq!(rules::deliver_sm(&mut pdu, V3_4, &mut reading), Ok(()));
    assert_eq!(reading.met.to_string(), "foreign_tlv, tlv_without_nul, delivery_extras");
    assert!(pdu.validity_period.is_empty() && pdu.sm_default_msg_id == 0);
    assert_eq!(pdu.tlvs.len(), 2, "a delivery is passed on with all that came");
}
