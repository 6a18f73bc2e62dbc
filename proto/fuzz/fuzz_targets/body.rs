//! Any octets as the body of any command: what reads strictly reads the same with lenience, and is written back octet for
//! octet.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use smpp_proto::field::{CommandId, CommandStatus};
use smpp_proto::{Frame, Header, Pdu};

const COMMANDS: [u32; 18] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0B, 0x15, 0x21, 0x102, 0x103, 0x111, 0x112, 0x113, 0x8000_0000];

fuzz_target!(|octets: &[u8]| {
    let [choice, rest @ ..] = octets else { return };
    let command = CommandId(COMMANDS[usize::from(choice & 0x1F) % COMMANDS.len()]);
    let command = if choice & 0x80 != 0 { command.response() } else { command };
    let status = CommandStatus(u32::from(choice >> 5 & 1) * 0x45);
    let body = Bytes::copy_from_slice(rest);
    let header = Header { length: 16, command, status, sequence: 1 };
    let tolerant = Pdu::decode(Frame { header, body: body.clone() });
    if let Ok(pdu) = Pdu::decode_strict(Frame { header, body: body.clone() }) {
        assert_eq!(tolerant.as_ref(), Ok(&pdu));
        let mut out = BytesMut::new();
        if pdu.encode(&mut out).is_ok() {
            assert_eq!(&out[Header::LENGTH..], &body[..]);
        }
        let _ = format!("{pdu:?}");
    }
});
