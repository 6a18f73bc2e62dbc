//! Properties of the codec: what is written is read back, what is read is written back, and nothing that comes in can
//! break it. What the octets mean is held by the vectors, not here.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "support/pdus.rs"]
mod pdus;

use bytes::{Bytes, BytesMut};
use pdus::{pdu, string, tlvs};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use smpp_proto::field::{CommandId, CommandStatus, SmppTime, Tag, Tlv};
use smpp_proto::pdu::{Body, Frame, Header, Lenience, Pdu, Quirk, SubmitSm, SubmitSmResp, submit};
use smpp_proto::{FrameCodec, Tlvs};

fn written(pdu: &Pdu) -> BytesMut {
    let mut out = BytesMut::new();
    pdu.encode(&mut out).unwrap();
    out
}

fn frame_of(octets: &[u8]) -> Frame {
    FrameCodec::default().cut(&mut BytesMut::from(octets)).unwrap().unwrap()
}

/// One way in which octets change on their way: one set, some cut off, some put in, some taken out.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Cut(Index),
    Insert(Index, u8),
    Remove(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Damage::Set(at, octet)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), prop_oneof![Just(0), any::<u8>()]).prop_map(|(at, octet)| Damage::Insert(at, octet)),
        any::<Index>().prop_map(Damage::Remove),
    ]
}

fn damaged(mut body: Vec<u8>, damages: &[Damage]) -> Bytes {
    for damage in damages {
        match damage {
            Damage::Insert(at, octet) => body.insert(at.index(body.len() + 1), *octet),
            _ if body.is_empty() => {}
            Damage::Set(at, octet) => {
                let at = at.index(body.len());
                body[at] = *octet;
            }
            Damage::Cut(at) => body.truncate(at.index(body.len())),
            Damage::Remove(at) => {
                body.remove(at.index(body.len()));
            }
        }
    }
    Bytes::from(body)
}

/// What must hold for any frame at all.
fn frame_is_safe(frame: &Frame) -> Result<(), TestCaseError> {
    let strict = Pdu::decode_strict(frame.clone());
    let tolerant = Pdu::decode(frame.clone());
    if let Ok(pdu) = &strict {
        prop_assert_eq!(tolerant.as_ref(), Ok(pdu), "lenience reads what is well formed the same");
        let mut out = BytesMut::new();
        if pdu.encode(&mut out).is_ok() {
            prop_assert_eq!(&out[Header::LENGTH..], &frame.body[..]);
        } else {
            prop_assert!(out.is_empty());
        }
    }
    if let Ok(pdu) = &tolerant {
        let mut out = BytesMut::new();
        if pdu.encode(&mut out).is_ok() {
            let again = Pdu::decode_with(frame_of(&out), Lenience::STRICT.with(Quirk::LongPassword));
            prop_assert!(again.is_ok(), "what we write is well formed: {:?}", again);
        }
    }
    if let Err(error) = strict {
        prop_assert!(error.problem.offset <= frame.body.len());
        prop_assert!(error.answer().is_none_or(|(_, status)| !status.is_ok()));
        prop_assert!(!error.to_string().is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_back(pdu in pdu()) {
        let octets = written(&pdu);
        let frame = frame_of(&octets);
        prop_assert_eq!(frame.header.length as usize, octets.len());
        prop_assert_eq!(frame.header.command, pdu.command());
        let strict = Lenience::STRICT.with(Quirk::LongPassword);
        let read = Pdu::decode_with(frame.clone(), strict);
        prop_assert_eq!(read.as_ref(), Ok(&pdu));
        let tolerant = Pdu::decode(frame);
        prop_assert_eq!(tolerant.as_ref(), Ok(&pdu));
    }

    #[test]
    fn damage_never_breaks_the_reader(pdu in pdu(), damages in vec(damage(), 1..4)) {
        let frame = frame_of(&written(&pdu));
        let body = damaged(frame.body.to_vec(), &damages);
        frame_is_safe(&Frame { header: frame.header, body })?;
    }

    #[test]
    fn any_octets_under_any_command_are_safe(
        command in prop_oneof![1..=0x15u32, 0x21..=0x24u32, 0x102..=0x103u32, 0x111..=0x113u32, any::<u32>()],
        response in any::<bool>(),
        status in prop_oneof![Just(0), any::<u32>()],
        body in vec(prop_oneof![2 => Just(0u8), 3 => any::<u8>()], 0..200),
    ) {
        let command = if response { CommandId(command).response() } else { CommandId(command) };
        let header = Header { length: 16, command, status: CommandStatus(status), sequence: 1 };
        frame_is_safe(&Frame { header, body: Bytes::from(body) })?;
    }

    #[test]
    fn a_stream_gives_the_same_frames_however_it_is_cut(pdus in vec(pdu(), 1..5), cuts in vec(any::<Index>(), 0..6)) {
        let stream: Vec<u8> = pdus.iter().flat_map(|pdu| written(pdu).to_vec()).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for pair in cuts.windows(2) {
            buffer.extend_from_slice(&stream[pair[0]..pair[1]]);
            while let Some(frame) = FrameCodec::default().cut(&mut buffer).unwrap() {
                frames.push(frame);
            }
        }
        prop_assert!(buffer.is_empty());
        prop_assert_eq!(frames.len(), pdus.len());
        for (frame, pdu) in frames.into_iter().zip(pdus) {
            prop_assert_eq!(Pdu::decode(frame).unwrap(), pdu);
        }
    }

    #[test]
    fn any_stream_at_all_is_cut_or_refused(octets in vec(any::<u8>(), 0..64)) {
        let mut buffer = BytesMut::from(&octets[..]);
        while let Ok(Some(frame)) = FrameCodec::default().cut(&mut buffer) {
            frame_is_safe(&frame)?;
        }
    }

    #[test]
    fn what_does_not_fit_leaves_the_buffer_alone(before in vec(any::<u8>(), 0..40), id in string(90)) {
        let mut out = BytesMut::from(&before[..]);
        let resp = SubmitSmResp { message_id: Some(id.clone()), tlvs: Tlvs::EMPTY };
        let outcome = Pdu::response(1, CommandStatus::ROK, Body::SubmitSmResp(resp)).encode(&mut out);
        prop_assert_eq!(outcome.is_ok(), id.len() <= 64);
        let mut direct = BytesMut::from(&before[..]);
        let same = submit::encode_resp(&mut direct, 1, CommandStatus::ROK, id.as_bytes());
        prop_assert_eq!(outcome, same);
        prop_assert_eq!(&out, &direct);
        if outcome.is_err() {
            prop_assert_eq!(&out[..], &before[..]);
        }
    }

    #[test]
    fn a_row_of_tlvs_comes_back(tlvs in tlvs()) {
        let mut out = BytesMut::new();
        tlvs.encode(&mut out);
        prop_assert_eq!(out.len(), tlvs.wire_length());
        prop_assert_eq!(Tlvs::decode(&out.freeze()).unwrap(), tlvs);
    }

    #[test]
    fn times_in_utc_come_back(unix_ms in 0..4_102_444_800_000i64, away in -1_500_000_000_000..1_500_000_000_000i64) {
        let time = SmppTime::absolute_utc(unix_ms);
        prop_assert_eq!(time.to_unix_ms(unix_ms + away), unix_ms - unix_ms % 100);
        prop_assert_eq!(SmppTime::parse(&time.to_octets().unwrap()), Ok(time));
    }

    #[test]
    fn any_octets_are_a_time_or_none(octets in "[0-9]{15}[-+R]", now in -4_000_000_000_000..9_000_000_000_000i64) {
        if let Ok(time) = SmppTime::parse(octets.as_bytes()) {
            time.to_unix_ms(now);
            prop_assert_eq!(SmppTime::parse(&time.to_octets().unwrap()), Ok(time));
        }
    }
}

#[test]
fn a_value_over_65535_octets_is_refused_and_not_cut() {
    let mut message = SubmitSm::default();
    message.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, vec![0; 65_536]));
    let mut out = BytesMut::from(&b"before"[..]);
    assert!(message.encode(&mut out, 1).is_err());
    assert_eq!(&out[..], b"before");
}
