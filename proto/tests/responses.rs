//! Responses in every shape seen in the field, and departures of requests that do no harm. Octets by hand.

use bytes::{Bytes, BytesMut};
use smpp_proto::COctets;
use smpp_proto::error::{EncodeError, ProblemClass};
use smpp_proto::field::{Address, CommandId, CommandStatus, InterfaceVersion, MessageState, Tag, Tlv};
use smpp_proto::pdu::{
    Bind, BindKind, BindResp, DeliverSm, DeliverSmResp, Lenience, QuerySm, QuerySmResp, Quirk, Reading,
    ReplaceSm, SubmitMultiResp, SubmitSm, SubmitSmResp, deliver, encode_empty, submit,
};

const OK: CommandStatus = CommandStatus::ROK;
const THROTTLED: CommandStatus = CommandStatus::RTHROTTLED;

fn body(octets: &'static [u8]) -> Bytes {
    Bytes::from_static(octets)
}

#[test]
fn an_error_response_is_read_with_and_without_a_body() {
    assert_eq!(SubmitSmResp::decode(body(b""), THROTTLED), Ok(SubmitSmResp::default()));
    let empty = SubmitSmResp::decode(body(b"\0"), THROTTLED).unwrap();
    assert_eq!(empty.message_id, Some(COctets::EMPTY));
    let named = BindResp::decode(body(b"SMSC1\0"), CommandStatus::RALYBND).unwrap();
    assert_eq!(named.system_id, Some(COctets::from("SMSC1")));
    assert_eq!(QuerySmResp::decode(body(b""), CommandStatus::RQUERYFAIL), Ok(QuerySmResp::default()));
    assert_eq!(SubmitMultiResp::decode(body(b""), THROTTLED), Ok(SubmitMultiResp::default()));
}

#[test]
fn an_unreadable_body_behind_an_error_status_counts_as_none() {
    let garbage = b"\xFF\xFF";
    assert_eq!(QuerySmResp::decode(body(garbage), CommandStatus::RQUERYFAIL), Ok(QuerySmResp::default()));
    assert!(QuerySmResp::decode(body(garbage), OK).is_err());
    let strict = QuerySmResp::decode_with(
        body(garbage),
        CommandStatus::RQUERYFAIL,
        &mut Reading::new(Lenience::STRICT),
    );
    assert_eq!(strict.unwrap_err().class, ProblemClass::FieldUnterminated);
}

#[test]
fn a_good_response_without_a_body_is_read_unless_strict() {
    assert_eq!(DeliverSmResp::decode(body(b""), OK).unwrap().message_id, None);
    assert_eq!(SubmitSmResp::decode(body(b""), OK).unwrap().message_id, None);
    assert_eq!(BindResp::decode(body(b""), OK).unwrap().system_id, None);
    let strict = SubmitSmResp::decode_with(body(b""), OK, &mut Reading::new(Lenience::STRICT)).unwrap_err();
    assert_eq!((strict.class, strict.field), (ProblemClass::BodyTruncated, "message_id"));
}

#[test]
fn deliver_sm_resp_may_carry_a_message_id() {
    let resp = DeliverSmResp::decode_with(body(b"4F2A\0"), OK, &mut Reading::new(Lenience::STRICT)).unwrap();
    assert_eq!(resp.message_id, Some(COctets::from("4F2A")));
}

#[test]
fn a_last_string_without_its_nul_is_read() {
    assert_eq!(SubmitSmResp::decode(body(b"4F2A"), OK).unwrap().message_id, Some(COctets::from("4F2A")));
    assert!(SubmitSmResp::decode_with(body(b"4F2A"), OK, &mut Reading::new(Lenience::STRICT)).is_err());
    let too_long = Bytes::from(vec![b'7'; 65]);
    assert_eq!(SubmitSmResp::decode(too_long, OK).unwrap_err().class, ProblemClass::FieldTooLong);
}

#[test]
fn a_bind_response_is_read_with_a_long_name_and_a_wide_version() {
    let long = body(b"a-centre-with-a-very-long-name\0\x02\x10\0\x04\0\0\0\x34");
    let resp = BindResp::decode(long.clone(), OK).unwrap();
    assert_eq!(resp.sc_interface_version(), Some(InterfaceVersion::V3_4));
    assert!(BindResp::decode_with(long, OK, &mut Reading::new(Lenience::STRICT)).is_err());
    assert_eq!(BindResp::decode(body(b"\0"), OK).unwrap().sc_interface_version(), None);
}

#[test]
fn a_broken_row_of_tlvs_behind_a_response_keeps_what_was_read() {
    let resp = SubmitSmResp::decode(body(b"id\0\x04\x28\0\x01\x50\x04\x20"), OK).unwrap();
    assert_eq!(resp.tlvs.u8(Tag::CONGESTION_STATE), Some(80));
    assert_eq!(resp.tlvs.len(), 1);
}

#[test]
fn hot_responses_have_the_octets_of_the_specification() {
    let mut out = BytesMut::new();
    submit::encode_resp(&mut out, 0x0102_0304, OK, b"42").unwrap();
    assert_eq!(&out[..], b"\0\0\0\x13\x80\0\0\x04\0\0\0\0\x01\x02\x03\x0442\0");
    out.clear();
    submit::encode_resp(&mut out, 1, THROTTLED, b"").unwrap();
    assert_eq!(&out[..], b"\0\0\0\x10\x80\0\0\x04\0\0\0\x58\0\0\0\x01");
    out.clear();
    assert_eq!(
        submit::encode_resp(&mut out, 1, OK, b"4\x002"),
        Err(EncodeError::NulInside { field: "message_id" })
    );
    deliver::encode_resp(&mut out, 2, OK);
    assert_eq!(&out[..], b"\0\0\0\x11\x80\0\0\x05\0\0\0\0\0\0\0\x02\0");
    out.clear();
    deliver::encode_resp(&mut out, 3, CommandStatus::RX_T_APPN);
    assert_eq!(&out[..], b"\0\0\0\x10\x80\0\0\x05\0\0\0\x64\0\0\0\x03");
    out.clear();
    encode_empty(&mut out, CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, 9);
    assert_eq!(&out[..], b"\0\0\0\x10\x80\0\0\0\0\0\0\x03\0\0\0\x09");
}

#[test]
fn a_good_response_is_never_written_without_its_body() {
    let mut out = BytesMut::new();
    SubmitSmResp::default().encode(&mut out, OK, 1).unwrap();
    assert_eq!(&out[16..], b"\0");
    out.clear();
    BindResp::default().encode(&mut out, BindKind::Receiver, OK, 1).unwrap();
    assert_eq!(&out[16..], b"\0");
    out.clear();
    let state = QuerySmResp { message_state: MessageState::ENROUTE, ..QuerySmResp::default() };
    state.encode(&mut out, OK, 1).unwrap();
    assert_eq!(&out[16..], b"\0\0\x01\0");
    out.clear();
    SubmitMultiResp::default().encode(&mut out, OK, 1).unwrap();
    assert_eq!(&out[16..], b"\0\0");
    out.clear();
    let mut congested = SubmitSmResp::default();
    congested.tlvs.push(Tlv::u8(Tag::CONGESTION_STATE, 99));
    congested.encode(&mut out, THROTTLED, 1).unwrap();
    assert_eq!(&out[16..], b"\0\x04\x28\0\x01\x63");
}

/// A submit_sm up to short_message "Hi", by hand.
const SUBMIT: &[u8] = b"\0\x05\0Shop\0\x01\x01447700900123\0\0\0\0\0\0\x01\0\0\0\x02Hi";

fn submit_with(tail: &[u8]) -> Bytes {
    Bytes::from([SUBMIT, tail].concat())
}

#[test]
fn a_request_is_read_field_by_field() {
    let message = SubmitSm::decode(submit_with(b"\x02\x04\0\x02\0\x07")).unwrap();
    assert_eq!(message.source, Address::alphanumeric("Shop"));
    assert_eq!(message.destination, Address::international("447700900123"));
    assert_eq!(message.registered_delivery.0, 1);
    assert_eq!(message.user_data().as_ref(), b"Hi");
    assert_eq!(message.tlvs.u16(Tag::USER_MESSAGE_REFERENCE), Some(7));
    let mut out = BytesMut::new();
    message.encode(&mut out, 5).unwrap();
    assert_eq!(&out[16..], &submit_with(b"\x02\x04\0\x02\0\x07")[..]);
    assert_eq!(&out[..16], b"\0\0\0\x39\0\0\0\x04\0\0\0\0\0\0\0\x05");
}

#[test]
fn one_zero_octet_behind_the_message_is_dropped_and_nothing_else() {
    assert!(SubmitSm::decode(submit_with(b"\0")).unwrap().tlvs.is_empty());
    assert!(DeliverSm::decode(submit_with(b"\0")).unwrap().tlvs.is_empty());
    assert!(SubmitSm::decode_with(submit_with(b"\0"), &mut Reading::new(Lenience::STRICT)).is_err());
    assert!(SubmitSm::decode(submit_with(b"\x01")).is_err());
    assert!(SubmitSm::decode(submit_with(b"\0\0")).is_err());
    let replace = b"id\0\0\0\0\0\0\0\0\x02Hi\0";
    assert!(ReplaceSm::decode(body(replace)).is_ok());
    assert!(ReplaceSm::decode_with(body(replace), &mut Reading::new(Lenience::STRICT)).is_err());
}

#[test]
fn a_delivery_keeps_what_was_read_of_its_tlvs_but_never_loses_its_text() {
    let half = submit_with(b"\x04\x27\0\x01\x02\x04\x23\0\x03\x03");
    let delivery = DeliverSm::decode(half.clone()).unwrap();
    assert_eq!(delivery.tlvs.u8(Tag::MESSAGE_STATE), Some(2));
    assert!(SubmitSm::decode(half).is_err());
    let text_cut = DeliverSm::decode(submit_with(b"\x04\x24\0\x09half")).unwrap_err();
    assert_eq!((text_cut.class, text_cut.field), (ProblemClass::TlvStream, "message_payload"));
}

#[test]
fn the_payload_is_the_user_data_when_there_is_no_short_message() {
    let mut message = SubmitSm::default();
    message.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, "long"));
    message.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, "second"));
    assert_eq!(message.user_data().as_ref(), b"long");
    message.short_message = Bytes::from_static(b"short");
    assert_eq!(message.user_data().as_ref(), b"short");
}

#[test]
fn strings_one_over_the_limit_need_their_own_switch() {
    let six = body(b"123456\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert!(SubmitSm::decode(six.clone()).is_err());
    let forgiving = Lenience::DEFAULT.with(Quirk::OneOver);
    let message = SubmitSm::decode_with(six, &mut Reading::new(forgiving)).unwrap();
    let mut out = BytesMut::new();
    let refused = message.encode(&mut out, 1).unwrap_err();
    assert_eq!(refused, EncodeError::TooLong { field: "service_type", length: 6, limit: 5 });
    assert!(out.is_empty());
}

#[test]
fn passwords_are_read_in_full_and_never_shown() {
    let octets = [&b"acme\0"[..], &[b'p'; 256], b"\0\0\x34\0\0\0"].concat();
    let bind = Bind::decode(Bytes::from(octets.clone())).unwrap();
    assert_eq!(bind.password.expose(), [b'p'; 256]);
    assert!(!format!("{bind:?}").contains("pp"));
    let mut out = BytesMut::new();
    bind.encode(&mut out, BindKind::Transceiver, 1).unwrap();
    assert_eq!(&out[16..], octets);
    let over = [&b"acme\0"[..], &[b'p'; 257], b"\0\0\x34\0\0\0"].concat();
    assert_eq!(Bind::decode(Bytes::from(over)).unwrap_err().class, ProblemClass::FieldTooLong);
}

#[test]
fn an_offset_names_the_octet_at_which_the_field_begins() {
    let problem = QuerySm::decode(body(b"id\0\x01\x01447700900123")).unwrap_err();
    assert_eq!((problem.field, problem.offset), ("source_addr", 5));
    assert_eq!(problem.to_string(), "FIELD_UNTERMINATED in source_addr at body octet 5");
}

#[test]
fn times_are_written_whole_or_not_at_all() {
    let message = SubmitSm { validity_period: COctets::from("0000"), ..SubmitSm::default() };
    let mut out = BytesMut::new();
    assert_eq!(
        message.encode(&mut out, 1),
        Err(EncodeError::TimeLength { field: "validity_period", length: 4 })
    );
}

#[test]
fn no_empty_field_shares_the_buffer() {
    let body = Bytes::from(vec![0; 17]);
    let message = SubmitSm::decode(body.clone()).unwrap();
    assert!(body.is_unique());
    drop(message);
    let named = DeliverSmResp::decode(body.clone(), OK).unwrap();
    assert!(named.message_id.is_some_and(|id| id.is_empty()) && body.is_unique());
    let body = submit_with(b"");
    let message = SubmitSm::decode(body.clone()).unwrap();
    assert!(!body.is_unique());
    drop(message);
    assert!(body.is_unique());
}
