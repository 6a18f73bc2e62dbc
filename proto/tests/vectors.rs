//! Every PDU in `fixtures/pdu/vectors.json` was made by another implementation: it must decode to the fields, TLVs and
//! problems written there, and encode to the same octets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod support;

use bytes::BytesMut;
use serde_json::Value;
use smpp_proto::error::{Detail, EncodeError, FrameError, Problem, ProblemClass};
use smpp_proto::field::{DataCoding, SmppTime};
use smpp_proto::pdu::{Body, Frame, Pdu};
use smpp_proto::{COctets, FrameCodec, Header, TlvValue};
use support::{decoded, describe, describe_tlvs, hex, hex_number, octets, text, vectors};

/// Above this the vectors call a command_length absurd.
const CEILING: u32 = 1024 * 1024;

/// 2025-06-01 12:00:00 UTC: times of the vectors lie from 2020 to 2037.
const NOW: i64 = 1_748_779_200_000;

/// Well-formed PDUs whose octets are not those that we would write: no conforming sender may write them.
const NOT_CANONICAL: [&str; 3] = ["V-234", "V-319", "V-333"];

/// What the codec gives for a stream: frames, then perhaps a fault, and octets that are left over.
struct Cut {
    frames: Vec<Frame>,
    fault: Option<FrameError>,
    left: usize,
}

fn cut(octets: &[u8]) -> Cut {
    let codec = FrameCodec::new(CEILING);
    let mut buffer = BytesMut::from(octets);
    let mut frames = Vec::new();
    loop {
        match codec.cut(&mut buffer) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return Cut { frames, fault: None, left: buffer.len() },
            Err(fault) => return Cut { frames, fault: Some(fault), left: buffer.len() },
        }
    }
}

fn header_matches(expected: &Value, header: &Header) {
    assert_eq!(expected["command_length"], header.length);
    assert_eq!(hex_number(&expected["command_id"]), header.command.0);
    // The vectors name what a decoder reads; 3.3-only commands have a name here and are not read.
    assert_eq!(expected["command"].as_str(), header.command.name().filter(|_| header.command.is_read()));
    assert_eq!(hex_number(&expected["command_status"]), header.status.0);
    assert_eq!(expected["sequence_number"], header.sequence);
    if !header.status.is_vendor() {
        assert_eq!(expected["status_name"].as_str(), header.status.name());
    }
}

fn pdu_matches(expected: &Value, pdu: &Pdu) {
    assert_eq!(expected["body"], describe(&pdu.body));
    let tlvs: Vec<_> = expected["tlvs"].as_array().unwrap().iter().map(tlv_of).collect();
    assert_eq!(tlvs, describe_tlvs(pdu.body.tlvs()));
}

fn tlv_of(tlv: &Value) -> (String, Option<&str>, usize, String) {
    let length = usize::try_from(tlv["length"].as_u64().unwrap()).unwrap();
    (text(&tlv["tag"]).to_owned(), tlv["name"].as_str(), length, text(&tlv["value_hex"]).to_owned())
}

/// The vectors name a TLV without a name by its tag, and stray octets not at all.
fn field_of(problem: &Problem) -> Option<String> {
    match (problem.field, problem.detail) {
        ("tlv", Detail::TlvLength { tag, .. }) => Some(format!("0x{tag:04X}")),
        ("tlv" | "body", _) => None,
        (field, _) => Some(field.to_owned()),
    }
}

#[test]
fn every_vector_decodes_to_its_header_body_tlvs_and_problem() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 360);
    for vector in &vectors {
        println!("{} {}", text(&vector["id"]), text(&vector["name"]));
        let cut = cut(&octets(vector));
        let mut frames = cut.frames.into_iter();
        for expected in decoded(vector) {
            let problem = &expected["problem"];
            match text(&problem["class"]) {
                "HEADER_LENGTH" => assert!(cut.fault.is_some()),
                "PDU_INCOMPLETE" => assert!(cut.fault.is_none() && cut.left > 0),
                class => {
                    let frame = frames.next().expect("a frame");
                    header_matches(&expected["header"], &frame.header);
                    match Pdu::decode_strict(frame) {
                        Ok(pdu) => {
                            assert_eq!(class, "", "a problem is missing");
                            pdu_matches(&expected, &pdu);
                        }
                        Err(error) => {
                            assert_eq!(class, error.problem.class.as_str());
                            assert_eq!(problem["field"].as_str(), field_of(&error.problem).as_deref());
                        }
                    }
                }
            }
        }
        assert!(frames.next().is_none(), "a frame too many");
    }
}

#[test]
fn every_well_formed_pdu_reads_the_same_with_lenience_and_encodes_to_its_octets() {
    let mut checked = 0;
    for vector in vectors().iter().filter(|vector| vector["well_formed"] == true) {
        let id = text(&vector["id"]);
        println!("{id} {}", text(&vector["name"]));
        let mut written = BytesMut::new();
        let mut refused = false;
        for frame in cut(&octets(vector)).frames {
            let pdu = Pdu::decode(frame.clone()).unwrap();
            assert_eq!(Pdu::decode_strict(frame).as_ref(), Ok(&pdu));
            refused |= pdu.encode(&mut written).is_err();
        }
        if !NOT_CANONICAL.contains(&id) {
            assert!(!refused);
            assert_eq!(hex(&written), text(&vector["hex"]));
            checked += 1;
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn a_broken_body_is_answered_as_the_vector_expects() {
    for vector in vectors().iter().filter(|vector| vector["category"] != "stream") {
        println!("{} {}", text(&vector["id"]), text(&vector["name"]));
        for frame in cut(&octets(vector)).frames {
            let Err(error) = Pdu::decode_strict(frame) else { continue };
            let expect = &vector["expect"];
            let responses = expect["response"].as_array().unwrap();
            match error.answer() {
                None => assert!(responses.is_empty() || responses.iter().any(|name| name == "none")),
                Some((command, status)) => {
                    assert!(responses.iter().any(|name| name.as_str() == command.name()), "{command}");
                    let statuses = expect["command_status"].as_array().unwrap();
                    assert!(statuses.iter().any(|good| hex_number(good) == status.0), "{status}");
                }
            }
        }
    }
}

#[test]
fn a_bad_command_length_is_refused_with_the_sequence_number_that_was_read() {
    for (id, sequence) in [("V-220", 0x15), ("V-221", 0x15), ("V-222", 0), ("V-223", 0x15), ("V-224", 0x15)] {
        let vectors = vectors();
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        let fault = cut(&octets(vector)).fault.expect(id);
        assert_eq!(fault.sequence(), sequence, "{id}");
    }
}

#[test]
fn wrong_lengths_of_known_tlvs_are_found_on_demand() {
    for vector in vectors() {
        println!("{}", text(&vector["id"]));
        let expects_length = vector["expect"]["class"] == "TLV_LENGTH";
        for frame in cut(&octets(&vector)).frames {
            let Ok(pdu) = Pdu::decode_strict(frame) else { continue };
            match pdu.body.tlvs().check_lengths() {
                Ok(()) => assert!(!expects_length),
                Err(problem) => {
                    assert_eq!(problem.class, ProblemClass::TlvLength);
                    assert!(expects_length || vector["expect"]["class"] == "OK_IGNORE", "{problem}");
                    if expects_length {
                        assert_eq!(vector["expect"]["field"].as_str(), Some(problem.field));
                    }
                }
            }
        }
    }
}

#[test]
fn data_codings_name_the_alphabet_that_the_vector_names() {
    let mut checked = 0;
    for vector in vectors() {
        for expected in decoded(&vector) {
            let charset = &expected["derived"]["user_data"]["charset"];
            let (Some(charset), Some(octet)) = (charset.as_str(), expected["body"]["data_coding"].as_u64())
            else {
                continue;
            };
            let coding = DataCoding(u8::try_from(octet).unwrap());
            assert_eq!(coding.alphabet().as_str(), charset, "{}", text(&vector["id"]));
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn times_read_as_the_vector_reads_them() {
    let mut checked = 0;
    for vector in vectors() {
        for expected in decoded(&vector) {
            for (field, reading) in expected["derived"]["times"].as_object().into_iter().flatten() {
                println!("{} {field}", text(&vector["id"]));
                time_matches(reading, &COctets::from(text(&expected["body"][field])));
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

fn time_matches(reading: &Value, field: &COctets) {
    let time = SmppTime::from_field(field);
    match (text(&reading["kind"]), time) {
        ("invalid", time) => assert!(time.is_err()),
        ("absolute", Ok(Some(time))) => {
            let SmppTime::Absolute { quarters, .. } = time else { panic!("{time:?}") };
            assert_eq!(reading["offset_minutes"], i64::from(quarters) * 15);
            let utc = SmppTime::absolute_utc(time.to_unix_ms(NOW)).to_octets().unwrap();
            assert_eq!(compact(text(&reading["utc"])).as_bytes(), utc);
        }
        ("relative", Ok(Some(SmppTime::Relative { years, months, days, hours, minutes, seconds }))) => {
            let parts = [years, months, days, hours, minutes, seconds];
            let names = ["years", "months", "days", "hours", "minutes", "seconds"];
            for (name, part) in names.iter().zip(parts) {
                assert_eq!(reading[name], part, "{name}");
            }
        }
        (kind, time) => panic!("{kind}: {time:?}"),
    }
}

/// "2030-02-28T11:00:00.000Z" as a time of a PDU in UTC.
fn compact(utc: &str) -> String {
    let digits: String = utc.chars().filter(char::is_ascii_digit).collect();
    format!("{}00+", &digits[2..15])
}

#[test]
fn lenience_saves_what_the_vectors_say_can_be_saved() {
    let all = vectors();
    let read = |id: &str| {
        let vector = all.iter().find(|vector| vector["id"] == id).unwrap();
        let frame = cut(&octets(vector)).frames.remove(0);
        Pdu::decode(frame).unwrap_or_else(|error| panic!("{id}: {error}")).body
    };
    assert!(matches!(read("V-236"), Body::BindTransmitter(bind) if bind.password.expose().len() > 8));
    assert!(matches!(read("V-240"), Body::BindTransceiver(bind) if bind.address_range.is_empty()));
    assert!(
        matches!(read("V-276"), Body::SubmitSm(sm) if sm.tlvs.is_empty() && !sm.short_message.is_empty())
    );
    assert!(matches!(read("V-309"), Body::EnquireLink(tlvs) if tlvs.is_empty()));
    assert!(matches!(read("V-311"), Body::EnquireLinkResp(_)));
    assert!(matches!(read("V-312"), Body::GenericNack(_)));
    assert!(matches!(read("V-313"), Body::SubmitSmResp(resp) if resp.message_id.is_none()));
    assert!(matches!(read("V-314"), Body::DeliverSmResp(resp) if resp.message_id.is_none()));
    assert!(matches!(read("V-315"), Body::BindTransceiverResp(resp) if resp.system_id.is_none()));
    assert!(matches!(read("V-318"), Body::DeliverSm(sm) if !sm.short_message.is_empty()));
}

#[test]
fn lenience_saves_no_other_broken_request() {
    let saved = ["V-236", "V-240", "V-276", "V-309", "V-311", "V-312", "V-313", "V-314", "V-315", "V-318"];
    for vector in vectors().iter().filter(|vector| vector["well_formed"] == false) {
        let id = text(&vector["id"]);
        if vector["category"] == "stream" || saved.contains(&id) {
            continue;
        }
        for frame in cut(&octets(vector)).frames {
            assert!(Pdu::decode(frame).is_err(), "{id}");
        }
    }
}

#[test]
fn what_is_not_written_again_may_not_be_written() {
    let all = vectors();
    let encode = |id: &str| {
        let octets = octets(all.iter().find(|vector| vector["id"] == id).unwrap());
        let pdu = Pdu::decode_strict(cut(&octets).frames.remove(0)).unwrap();
        let mut written = BytesMut::new();
        let outcome = pdu.encode(&mut written);
        (octets, written, outcome)
    };
    // command_status of a request is 0 (SMPP 3.4 §5.1.3): that is the only difference.
    let (mut octets, written, outcome) = encode("V-234");
    assert_eq!(octets[8..12], [0, 0, 0, 0x0B]);
    octets[8..12].fill(0);
    assert_eq!((&written[..], outcome), (&octets[..], Ok(())));
    // A time is empty or 16 characters (SMPP 3.4 §7.1.1).
    let refused = |field, length| Err(EncodeError::TimeLength { field, length });
    assert_eq!(encode("V-319").2, refused("schedule_delivery_time", 15));
    assert_eq!(encode("V-333").2, refused("validity_period", 12));
}

#[test]
fn every_tlv_of_the_vectors_has_a_reading_unless_its_length_is_wrong() {
    let mut read = 0;
    for vector in vectors() {
        for frame in cut(&octets(&vector)).frames {
            let Ok(pdu) = Pdu::decode_strict(frame) else { continue };
            for tlv in pdu.body.tlvs() {
                let shown = format!("{} {tlv}", text(&vector["id"]));
                match tlv.read() {
                    TlvValue::Malformed(_) => assert!(!tlv.tag.allows_length(tlv.value.len()), "{shown}"),
                    TlvValue::Unknown(_) => assert!(tlv.tag.name().is_none(), "{shown}"),
                    _ => assert!(tlv.tag.name().is_some(), "{shown}"),
                }
                read += 1;
            }
        }
    }
    assert!(read > 150, "{read}");
}

#[test]
fn callback_numbers_keep_what_goes_with_them_by_order() {
    let all = vectors();
    let vector = all.iter().find(|vector| vector["id"] == "V-117").unwrap();
    let pdu = Pdu::decode_strict(cut(&octets(vector)).frames.remove(0)).unwrap();
    let shown: Vec<_> = pdu
        .body
        .tlvs()
        .callbacks()
        .map(|callback| {
            let optional =
                |value: Option<TlvValue<'_>>| value.map(|value| value.to_string()).unwrap_or_default();
            (callback.number.to_string(), optional(callback.presentation), optional(callback.display))
        })
        .collect();
    let expected = [
        (
            "\"07700900888\", TON national, NPI national, ASCII",
            "presentation restricted, user provided, verified and passed",
            "\"Office\", data_coding 0x03 (latin1)",
        ),
        (
            "\"447700900999\", TON international, NPI ISDN, ASCII",
            "presentation allowed, user provided, not screened",
            "",
        ),
    ];
    assert_eq!(shown, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
}
