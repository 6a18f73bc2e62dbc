//! What stands in a file of PDUs: raw octets back to back, or their hex digits (SMPP 3.4 §3.2).
//!
//! `cargo run -p smpp-proto --example decode_capture -- FILE`

use std::fmt::Write;
use std::{env, fs, io};

use bytes::BytesMut;
use smpp_proto::text::UserData;
use smpp_proto::{Body, FrameCodec, Lenience, Pdu, Reading};

/// A line for each PDU, and one for each of its optional parameters; ends where the octets can no longer be cut.
pub(crate) fn describe(file: &[u8]) -> String {
    let mut buffer = BytesMut::from(&octets(file)[..]);
    let mut lines = String::new();
    let codec = FrameCodec::default();
    loop {
        let frame = match codec.cut(&mut buffer) {
            Ok(Some(frame)) => frame,
            Ok(None) if buffer.is_empty() => return lines,
            Ok(None) => return lines + &format!("{} octets of a PDU that is not whole\n", buffer.len()),
            Err(fault) => return lines + &format!("out of step: {fault}\n"),
        };
        let mut reading = Reading::new(Lenience::DEFAULT);
        match Pdu::decode_noting(frame, &mut reading) {
            Ok(pdu) => lines += &line(&pdu, &reading),
            Err(error) => lines += &format!("malformed: {error}\n"),
        }
    }
}

fn line(pdu: &Pdu, reading: &Reading) -> String {
    let mut line = format!("{} {} {}", pdu.sequence, pdu.command(), pdu.status);
    if let Body::SubmitSm(submit) = &pdu.body {
        let (alphabet, udhi) = (submit.data_coding.alphabet(), submit.esm_class.udhi());
        let text = UserData::read(alphabet, udhi, submit.user_data()).map(|data| data.decode());
        let _ = write!(line, " to {} {:?}", submit.destination.digits, text.unwrap_or_default());
    }
    for tlv in pdu.body.tlvs() {
        let _ = write!(line, "\n  {tlv}");
    }
    if !reading.met.is_empty() {
        let _ = write!(line, "\n  forgiven: {}", reading.met);
    }
    line + "\n"
}

/// Octets as they are, or those that the digits stand for.
fn octets(file: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = file
        .iter()
        .filter(|octet| !octet.is_ascii_whitespace())
        .map_while(|octet| char::from(*octet).to_digit(16).map(|digit| digit as u8))
        .collect();
    let is_hex = file.iter().all(|octet| octet.is_ascii_hexdigit() || octet.is_ascii_whitespace());
    let (pairs, _) = digits.as_chunks::<2>();
    if is_hex { pairs.iter().map(|[high, low]| high << 4 | low).collect() } else { file.to_vec() }
}

#[allow(dead_code, reason = "the test that includes this file has a main of its own")]
fn main() -> io::Result<()> {
    let file = env::args().nth(1).ok_or_else(|| io::Error::other("FILE"))?;
    print!("{}", describe(&fs::read(file)?));
    Ok(())
}
