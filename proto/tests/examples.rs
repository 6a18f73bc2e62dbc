//! The examples do what they promise: a session against a scripted centre, and a file of PDUs in words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use smpp_proto::field::MessageState;

#[path = "../examples/client.rs"]
mod client;
#[path = "../examples/decode_capture.rs"]
mod decode_capture;

/// Reads one PDU, checks its first sixteen octets but the length, and writes the answer.
fn expect_then(socket: &mut TcpStream, header: &[u8; 12], answer: &[u8]) -> Vec<u8> {
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    socket.read_exact(&mut rest).unwrap();
    assert_eq!(&rest[..12], header);
    socket.write_all(answer).unwrap();
    rest.split_off(12)
}

fn centre(mut socket: TcpStream, answer_to_bind: &'static [u8]) {
    let bind = expect_then(&mut socket, b"\0\0\0\x09\0\0\0\0\0\0\0\x01", answer_to_bind);
    assert_eq!(bind, b"esme\0secret\0\0\x34\0\0\0");
    if answer_to_bind[11] != 0 {
        return;
    }
    // The receipt comes right behind the response.
    let receipt = b"\0\0\0\x41\0\0\0\x05\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\0\x20id:A1 err:000 stat:DELIVRD text:";
    let mut answer = b"\0\0\0\x13\x80\0\0\x04\0\0\0\0\0\0\0\x02A1\0".to_vec();
    answer.extend_from_slice(receipt);
    let submit = expect_then(&mut socket, b"\0\0\0\x04\0\0\0\0\0\0\0\x02", &answer);
    assert_eq!(submit, b"\0\0\0\0\x01\x01447700900123\0\0\0\0\0\0\x01\0\0\0\x05Hello");
    expect_then(&mut socket, b"\x80\0\0\x05\0\0\0\0\0\0\0\x07", b"");
    expect_then(&mut socket, b"\0\0\0\x06\0\0\0\0\0\0\0\x03", b"\0\0\0\x10\x80\0\0\x06\0\0\0\0\0\0\0\x03");
}

fn talk(answer_to_bind: &'static [u8]) -> std::io::Result<MessageState> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let centre = thread::spawn(move || centre(listener.accept().unwrap().0, answer_to_bind));
    let outcome = client::session(TcpStream::connect(address).unwrap(), "esme", "secret", "447700900123");
    centre.join().unwrap();
    outcome
}

#[test]
fn the_client_sends_a_message_and_waits_for_its_receipt() {
    let state = talk(b"\0\0\0\x11\x80\0\0\x09\0\0\0\0\0\0\0\x01\0").unwrap();
    assert_eq!(state, MessageState::DELIVERED);
}

#[test]
fn the_client_ends_where_its_bind_is_refused() {
    let error = talk(b"\0\0\0\x10\x80\0\0\x09\0\0\0\x0E\0\0\0\x01").unwrap_err();
    assert_eq!(error.to_string(), "bind_transceiver_resp (0x80000009): ESME_RINVPASWD (0x0000000E)");
}

#[test]
fn a_file_of_pdus_is_put_in_words() {
    let raw = b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x07";
    assert_eq!(decode_capture::describe(raw), "7 enquire_link (0x00000015) ESME_ROK (0x00000000)\n");
    // submit_sm to 4477, "Hello", with a network_error_code that has no place there, then half a header.
    let hex =
        b"00000031 00000004 00000000 00000002 0000000001013434373700 00000000000100000005 48656c6c6f \n\
        0423 0003 03001b 0000001000000015";
    assert_eq!(
        decode_capture::describe(hex),
        "2 submit_sm (0x00000004) ESME_ROK (0x00000000) to 4477 \"Hello\"\n  \
         network_error_code GSM 27 (absent subscriber)\n8 octets of a PDU that is not whole\n"
    );
    assert!(decode_capture::describe(b"GET / HTTP/1.1\r\n").contains("out of step"));
}
