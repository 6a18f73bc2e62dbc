//! A client that never gives up: submits numbered messages, answers receipts, and binds again whenever it is called.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use smpp_proto::field::Tag;
use smpp_proto::pdu::{BindKind, deliver, encode_empty};
use smpp_proto::{Body, CommandId, CommandStatus, Frame, FrameCodec, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::esme::bind;
use super::ledger::{Ledger, numbered};

/// Where to bind now.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Counts the lives of the daemon.
    pub round: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What kind of client.
#[derive(Debug, Clone, Copy)]
pub struct Sender {
    /// A receiver submits nothing.
    pub kind: BindKind,
    /// Unanswered submissions at most.
    pub window: usize,
}

/// One connection of it.
struct Talk<'a> {
    sender: Sender,
    round: u32,
    ledger: &'a Ledger,
    out: BytesMut,
    is_bound: bool,
    last_sequence: u32,
    /// Serial numbers of what is not answered, by sequence number.
    open: HashMap<u32, u32>,
}

impl Sender {
    /// Binds at every call and works until the connection ends; ends itself when nobody can call any more.
    pub async fn run(self, ledger: Arc<Ledger>, mut calls: watch::Receiver<Option<Call>>) {
        while calls.changed().await.is_ok() {
            let Some(call) = *calls.borrow_and_update() else { continue };
            // How it ended does not matter: what was answered counts.
            let _ = self.talk(call, &ledger).await;
        }
    }

    async fn talk(self, call: Call, ledger: &Ledger) -> io::Result<()> {
        let mut stream = TcpStream::connect(call.address).await?;
        stream.set_nodelay(true)?;
        let mut talk = Talk {
            sender: self,
            round: call.round,
            ledger,
            out: BytesMut::new(),
            is_bound: false,
            last_sequence: 0,
            open: HashMap::new(),
        };
        talk.bind();
        let mut read = BytesMut::new();
        loop {
            stream.write_all(&talk.out.split()).await?;
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
            while let Some(frame) = FrameCodec::default().cut(&mut read).expect("PDUs") {
                talk.heed(frame);
            }
            talk.submit();
        }
    }
}

impl Talk<'_> {
    fn bind(&mut self) {
        let bind = bind("acme", "secret");
        let body = match self.sender.kind {
            BindKind::Receiver => Body::BindReceiver(bind),
            BindKind::Transmitter => Body::BindTransmitter(bind),
            BindKind::Transceiver => Body::BindTransceiver(bind),
        };
        self.last_sequence += 1;
        Pdu::request(self.last_sequence, body).encode(&mut self.out).expect("a bind");
    }

    /// Fills the window.
    fn submit(&mut self) {
        while self.is_bound
            && self.sender.kind != BindKind::Receiver
            && self.open.len() < self.sender.window
            && let Some(serial) = self.ledger.take(self.round)
        {
            self.last_sequence += 1;
            numbered(serial).encode(&mut self.out, self.last_sequence).expect("a submit_sm");
            self.open.insert(self.last_sequence, serial);
        }
    }

    fn heed(&mut self, frame: Frame) {
        let (status, sequence) = (frame.header.status, frame.header.sequence);
        match Pdu::decode(frame).expect("what we understand").body {
            Body::BindReceiverResp(_) | Body::BindTransmitterResp(_) | Body::BindTransceiverResp(_) => {
                assert_eq!(status, CommandStatus::ROK, "the bind in round {}", self.round);
                self.is_bound = true;
            }
            Body::SubmitSmResp(resp) => {
                let serial = self.open.remove(&sequence).expect("an answer to a submission of ours");
                let id = resp.message_id.map(|id| id.to_text().into_owned());
                self.ledger.answered(serial, status, &id.unwrap_or_default());
            }
            Body::DeliverSm(receipt) => {
                assert_eq!(receipt.tlvs.u8(Tag::MESSAGE_STATE), Some(DELIVERED), "{receipt:?}");
                let id = receipt.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).expect("an id");
                let id = std::str::from_utf8(id).expect("digits").trim_end_matches('\0');
                self.ledger.received(id, self.round);
                deliver::encode_resp(&mut self.out, sequence, CommandStatus::ROK);
            }
            Body::EnquireLink(_) => self.answer(CommandId::ENQUIRE_LINK_RESP, sequence),
            Body::Unbind(_) => self.answer(CommandId::UNBIND_RESP, sequence),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, command: CommandId, sequence: u32) {
        encode_empty(&mut self.out, command, CommandStatus::ROK, sequence);
    }
}

/// message_state (SMPP 3.4 §5.2.28).
const DELIVERED: u8 = 2;
