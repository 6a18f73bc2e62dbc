//! Any PDU that a caller can put together: refused without a trace, or written and read back as it was.
#![no_main]

mod any;

use bytes::BytesMut;
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use smpp_proto::{FrameCodec, Pdu};

fuzz_target!(|octets: &[u8]| {
    let Ok(pdu) = any::pdu(&mut Unstructured::new(octets)) else { return };
    let mut out = BytesMut::new();
    if pdu.encode(&mut out).is_err() {
        assert!(out.is_empty(), "what cannot be written leaves nothing behind");
        return;
    }
    let mut unread = out.clone();
    let frame = FrameCodec::default().cut(&mut unread).ok().flatten().expect("we write whole frames");
    assert!(unread.is_empty());
    let read = match Pdu::decode(frame.clone()) {
        Ok(read) => read,
        // A time of another length than 1 or 17 octets can be put together, and is no time.
        Err(error) => {
            assert!(error.problem.offset <= frame.body.len());
            return;
        }
    };
    let mut again = BytesMut::new();
    read.encode(&mut again).expect("what was read can be written");
    assert_eq!(again, out);
    assert_eq!(read, pdu);
    let _ = format!("{pdu:?}");
});
