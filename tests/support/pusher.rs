//! A client without manners: submits as fast as the socket takes it and never waits for an answer.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{RegisteredDelivery, Tag, Tlv};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{CommandId, FrameCodec};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;

use super::esme::Esme;
use super::ledger::numbered;
use super::peer::within;

/// What clients push.
#[derive(Debug, Clone)]
pub struct Push {
    /// Serial numbers of its messages, none of which asks for a receipt.
    pub serials: Range<u32>,
    /// Octets that each carries in a TLV of a vendor.
    pub ballast: usize,
    /// Counts what was accepted, also for others to look at.
    pub accepted: Arc<AtomicU64>,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Pushed {
    /// Serial numbers of what was answered with ESME_ROK.
    pub accepted: Vec<u32>,
    /// How many had any other answer.
    pub refused: usize,
    /// The most messages that were written and not answered at a time.
    pub lead: u64,
}

impl Push {
    /// Binds and pushes; ends when all is answered.
    pub async fn run(self, address: SocketAddr) -> Pushed {
        let stream = Esme::bound(address, "acme", "secret").await.into_stream();
        let (reader, writer) = tokio::io::split(stream);
        let written = Arc::new(AtomicU64::new(0));
        let writing = tokio::spawn(self.clone().write(writer, Arc::clone(&written)));
        let pushed = self.read(reader, &written).await;
        // The half that writes lives until all is read: dropping it would close the connection.
        let _writer = writing.await.expect("no panic").expect("a connection that stays");
        pushed
    }

    async fn write(
        self,
        mut to: WriteHalf<TcpStream>,
        written: Arc<AtomicU64>,
    ) -> io::Result<WriteHalf<TcpStream>> {
        let mut out = BytesMut::new();
        let mut waiting = 0;
        for serial in self.serials.clone() {
            self.submit(serial).encode(&mut out, serial + 1).expect("a submit_sm");
            waiting += 1;
            if out.len() > AT_ONCE || serial + 1 == self.serials.end {
                to.write_all(&out.split()).await?;
                written.fetch_add(std::mem::take(&mut waiting), Ordering::Relaxed);
            }
        }
        Ok(to)
    }

    async fn read(&self, mut from: ReadHalf<TcpStream>, written: &AtomicU64) -> Pushed {
        let (mut pushed, mut buffer) = (Pushed::default(), BytesMut::new());
        let mut answered = 0;
        while answered < self.serials.len() {
            let count = within("answers", from.read_buf(&mut buffer)).await.expect("a connection that stays");
            assert_ne!(count, 0, "closed after {answered} answers");
            while let Some(frame) = FrameCodec::default().cut(&mut buffer).expect("PDUs") {
                if frame.header.command != CommandId::SUBMIT_SM_RESP {
                    continue;
                }
                answered += 1;
                if frame.header.status.is_ok() {
                    pushed.accepted.push(frame.header.sequence - 1);
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                } else {
                    pushed.refused += 1;
                }
            }
            let lead = written.load(Ordering::Relaxed).saturating_sub(answered as u64);
            pushed.lead = pushed.lead.max(lead);
        }
        pushed
    }

    /// One of its messages.
    pub fn submit(&self, serial: u32) -> SubmitSm {
        let mut submit = numbered(serial);
        if submit.short_message.is_empty() {
            submit.short_message = submit.user_data().slice(..9);
            submit.tlvs = Vec::new().into();
        }
        submit.registered_delivery = RegisteredDelivery::NONE;
        if self.ballast > 0 {
            submit.tlvs.push(Tlv::new(Tag(0x1400), Bytes::from(vec![b'b'; self.ballast])));
        }
        submit
    }
}

/// Octets that go to the socket at a time.
const AT_ONCE: usize = 32 * 1024;
