//! A client session in thirty lines: bind, submit, wait for the receipt, unbind (SMPP 3.4 §2.2, §4.1, §4.2, §4.4, §4.6).
//!
//! `cargo run -p smpp-proto --example client -- 127.0.0.1:2775 SYSTEM_ID PASSWORD 447700900123`

use std::io::{self, Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use smpp_proto::field::{InterfaceVersion, MessageState, RegisteredDelivery};
use smpp_proto::pdu::{Bind, DeliverSmResp, SubmitSm};
use smpp_proto::text::Receipt;
use smpp_proto::{Address, Body, CommandStatus, FrameCodec, Pdu};

/// Sends one message over a connected socket and gives the state in which it ended.
pub(crate) fn session(
    socket: impl Read + Write,
    id: &str,
    password: &str,
    to: &str,
) -> io::Result<MessageState> {
    let mut link = Link { socket, buffer: BytesMut::new() };
    let version = InterfaceVersion::V3_4;
    let bind = Bind {
        system_id: id.into(),
        password: password.into(),
        interface_version: version,
        ..Bind::default()
    };
    link.send(&Pdu::request(1, Body::BindTransceiver(bind)))?;
    refuse_errors(&link.receive()?)?;
    let message = SubmitSm {
        destination: Address::international(to),
        registered_delivery: RegisteredDelivery::RECEIPT,
        short_message: "Hello".into(),
        ..SubmitSm::default()
    };
    link.send(&Pdu::request(2, Body::SubmitSm(message)))?;
    let state = loop {
        let pdu = link.receive()?;
        match &pdu.body {
            Body::SubmitSmResp(_) => refuse_errors(&pdu)?,
            Body::EnquireLink(tlvs) => {
                link.send(&Pdu::response(
                    pdu.sequence,
                    CommandStatus::ROK,
                    Body::EnquireLinkResp(tlvs.clone()),
                ))?;
            }
            Body::DeliverSm(receipt) => {
                let answer = Body::DeliverSmResp(DeliverSmResp::default());
                link.send(&Pdu::response(pdu.sequence, CommandStatus::ROK, answer))?;
                break Receipt::read(receipt.user_data()).state().unwrap_or(MessageState::UNKNOWN);
            }
            _ => {}
        }
    };
    link.send(&Pdu::unbind(3))?;
    link.receive().map(|_| state)
}

/// A socket that speaks PDUs.
struct Link<S> {
    socket: S,
    buffer: BytesMut,
}

impl<S: Read + Write> Link<S> {
    fn send(&mut self, pdu: &Pdu) -> io::Result<()> {
        let mut out = BytesMut::new();
        pdu.encode(&mut out).map_err(io::Error::other)?;
        self.socket.write_all(&out)
    }

    fn receive(&mut self) -> io::Result<Pdu> {
        loop {
            if let Some(frame) = FrameCodec::default().cut(&mut self.buffer).map_err(io::Error::other)? {
                return Pdu::decode(frame).map_err(io::Error::other);
            }
            let mut octets = [0; 4096];
            match self.socket.read(&mut octets)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.buffer.extend_from_slice(octets.get(..read).unwrap_or_default()),
            }
        }
    }
}

fn refuse_errors(pdu: &Pdu) -> io::Result<()> {
    if pdu.status.is_ok() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{}: {}", pdu.command(), pdu.status)))
    }
}

#[allow(dead_code, reason = "the test that includes this file has a main of its own")]
fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, id, password, to] = arguments.as_slice() else {
        return Err(io::Error::other("ADDRESS SYSTEM_ID PASSWORD TO"));
    };
    println!("{}", session(TcpStream::connect(address)?, id, password, to)?);
    Ok(())
}
