//! The same PDUs for both codecs, written by hand.

/// submit_sm: alphanumeric sender, receipt wanted, 140 octets of text.
pub fn submit_sm() -> Vec<u8> {
    let mut body = b"\0\x05\0Tollgate\0\x01\x01447700900123\0\0\0\0\0\0\x01\0\0\0\x8C".to_vec();
    body.extend_from_slice(&[b'x'; 140]);
    pdu(4, &body)
}

/// submit_sm_resp with an id of 19 digits.
pub fn submit_sm_resp() -> Vec<u8> {
    pdu(0x8000_0004, b"1234567890123456789\0")
}

/// deliver_sm: a receipt with its three TLVs.
pub fn receipt() -> Vec<u8> {
    let text = b"id:1234567801 sub:001 dlvrd:000 submit date:2506011200 done date:2506011201 stat:EXPIRED err:027 text:Hello world";
    let mut body = b"\0\x01\x01447700900123\0\x03\x0062442\0\x04\0\0\0\0\0\0\0\0".to_vec();
    body.push(text.len() as u8);
    body.extend_from_slice(text);
    body.extend_from_slice(b"\0\x1E\0\x0B1234567801\0\x04\x27\0\x01\x03\x04\x23\0\x03\x03\0\x1B");
    pdu(5, &body)
}

fn pdu(command: u32, body: &[u8]) -> Vec<u8> {
    let length = 16 + body.len() as u32;
    let header = [length, command, 0, 7].map(u32::to_be_bytes).concat();
    [&header, body].concat()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use smpp_proto::{FrameCodec, Pdu};
    use tokio_util::codec::{Decoder, Encoder};

    #[test]
    fn both_read_them_and_write_them_again() {
        for octets in [super::submit_sm(), super::submit_sm_resp(), super::receipt()] {
            let mut out = BytesMut::new();
            let frame = FrameCodec::default().decode(&mut BytesMut::from(&octets[..])).unwrap().unwrap();
            Pdu::decode_strict(frame).unwrap().encode(&mut out).unwrap();
            assert_eq!(out, octets);
            out.clear();
            let mut other = rusmpp::tokio_codec::CommandCodec::new();
            let command = other.decode(&mut BytesMut::from(&octets[..])).unwrap().unwrap();
            other.encode(&command, &mut out).unwrap();
            assert_eq!(out, octets);
        }
    }
}
