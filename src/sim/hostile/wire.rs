//! The rogue's end of a connection: a bare socket, because the link of the house has manners.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::pdu::{Header, deliver, encode_empty};
use smpp_proto::{CommandId, CommandStatus, FrameCodec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until, timeout};

/// What the rogue answers to requests of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// As one should.
    Good,
    /// Nothing.
    Never,
    /// Anything but.
    Odd,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    read: BytesMut,
    out: BytesMut,
    closed: bool,
    pub(super) answers: Answers,
    /// Octets that the server took.
    pub(super) written: u64,
    /// What came, by command and status.
    pub(super) came: HashMap<(CommandId, CommandStatus), u64>,
    odd: u32,
}

impl Wire {
    pub(super) async fn connect(address: &str) -> io::Result<Self> {
        let address = lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Who does not read shall be full soon, and not when megabytes of answers lie here.
        socket.set_recv_buffer_size(RECEIVE_ROOM)?;
        let stream = timeout(CONNECT_WITHIN, socket.connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: BytesMut::new(),
            out: BytesMut::new(),
            closed: false,
            answers: Answers::Good,
            written: 0,
            came: HashMap::new(),
            odd: 0,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends, and reads what comes meanwhile; false when the server has closed.
    pub(super) async fn send(&mut self, octets: &[u8]) -> bool {
        self.out.extend_from_slice(octets);
        while !self.closed && !self.out.is_empty() {
            let (mut reader, mut writer) = self.stream.split();
            tokio::select! {
                written = writer.write(&self.out) => match written {
                    Ok(count) if count > 0 => {
                        self.written += count as u64;
                        let _ = self.out.split_to(count);
                    }
                    _ => self.closed = true,
                },
                read = reader.read_buf(&mut self.read) => match read {
                    Ok(count) if count > 0 => { self.take(); }
                    _ => self.closed = true,
                },
            }
        }
        !self.closed
    }

    /// Reads until so many PDUs came, the server closes, or the time is over.
    pub(super) async fn listen(&mut self, most: usize, patience: Duration) {
        let until = Instant::now() + patience;
        let mut came = self.take();
        while !self.closed && came < most {
            if !self.out.is_empty() && !self.send(&[]).await {
                return;
            }
            tokio::select! {
                read = self.stream.read_buf(&mut self.read) => match read {
                    Ok(count) if count > 0 => came += self.take(),
                    _ => self.closed = true,
                },
                () = sleep_until(until) => return,
            }
        }
    }

    /// Writes the same again and again and reads nothing, until the server closes.
    pub(super) async fn write_until_closed(&mut self, octets: &[u8]) {
        while !octets.is_empty() {
            match self.stream.write(octets).await {
                Ok(count) if count > 0 => self.written += count as u64,
                _ => break,
            }
        }
        self.closed = true;
    }

    /// Breaks the connection with RST.
    pub(super) fn reset(self) {
        // A socket that is dead already needs no reset.
        let _ = self.stream.set_zero_linger();
    }

    /// Counts what came and answers requests, each in its manner.
    fn take(&mut self) -> usize {
        let mut count = 0;
        while let Ok(Some(frame)) = FrameCodec::default().cut(&mut self.read) {
            count += 1;
            *self.came.entry((frame.header.command, frame.header.status)).or_default() += 1;
            if !frame.header.command.is_response() {
                self.answer(frame.header);
            }
        }
        count
    }

    fn answer(&mut self, header: Header) {
        let (command, sequence) = (header.command, header.sequence);
        match (self.answers, command) {
            (Answers::Never, _) => {}
            (Answers::Odd, CommandId::DELIVER_SM) => self.answer_oddly(sequence),
            (_, CommandId::DELIVER_SM) => deliver::encode_resp(&mut self.out, sequence, CommandStatus::ROK),
            _ => encode_empty(&mut self.out, command.response(), CommandStatus::ROK, sequence),
        }
    }

    /// With an id, without a body, under another number, with a status that nobody knows and a body, and right but twice.
    fn answer_oddly(&mut self, sequence: u32) {
        self.odd += 1;
        let ok = CommandStatus::ROK;
        let with_id = |out: &mut BytesMut, status: u32, number: u32| {
            for word in [23, CommandId::DELIVER_SM_RESP.0, status, number] {
                out.extend_from_slice(&word.to_be_bytes());
            }
            out.extend_from_slice(b"my-id\0\0");
        };
        match self.odd % 5 {
            0 => with_id(&mut self.out, 0, sequence),
            1 => encode_empty(&mut self.out, CommandId::DELIVER_SM_RESP, ok, sequence),
            2 => encode_empty(&mut self.out, CommandId::DELIVER_SM_RESP, ok, sequence ^ 0x0F0F_0F0F),
            3 => with_id(&mut self.out, 0x0000_0999, sequence),
            _ => {
                deliver::encode_resp(&mut self.out, sequence, ok);
                encode_empty(&mut self.out, CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, sequence);
            }
        }
    }
}

/// Octets that the system keeps for a rogue that does not read.
const RECEIVE_ROOM: u32 = 8 * 1024;
/// Time to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
