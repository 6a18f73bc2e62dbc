//! Any octets as a stream: cut into frames or refused, and every frame read or answered.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use smpp_proto::{FrameCodec, Pdu};

fuzz_target!(|octets: &[u8]| {
    let codec = FrameCodec::default();
    let mut buffer = BytesMut::from(octets);
    let mut left = buffer.len();
    while let Ok(Some(frame)) = codec.cut(&mut buffer) {
        assert_eq!(left - buffer.len(), frame.header.length as usize);
        left = buffer.len();
        let (header, body) = (frame.header, frame.body.clone());
        match Pdu::decode(frame) {
            Ok(pdu) => {
                assert_eq!(pdu.command(), header.command);
                let mut out = BytesMut::new();
                if pdu.encode(&mut out).is_ok() {
                    let again = codec.cut(&mut out).ok().flatten().expect("we write whole frames");
                    assert_eq!(
                        Pdu::decode(again).expect("we can read what we write").body.command(),
                        pdu.command()
                    );
                } else {
                    assert!(out.is_empty());
                }
            }
            Err(error) => {
                assert!(error.problem.offset <= body.len());
                assert!(error.answer().is_none_or(|(_, status)| !status.is_ok()));
            }
        }
    }
});
