//! One end of a scripted conversation: sends PDUs or raw octets, expects PDUs within a deadline.

use std::future::Future;
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::pdu::encode_empty;
use smpp_proto::{Body, CommandId, CommandStatus, Frame, FrameCodec, Header, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take before the test fails. Generous: slow machines are not a fault.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One connection under the test's control.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
    last_sequence: u32,
    /// Answers enquire_link by itself and shows only the rest. On by default.
    pub answers_enquiries: bool,
}

/// A PDU that came, with its header and its raw body.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub header: Header,
    pub frame: Frame,
}

impl Incoming {
    /// The PDU, which must be readable.
    #[track_caller]
    pub fn pdu(&self) -> Pdu {
        Pdu::decode(self.frame.clone()).unwrap_or_else(|error| panic!("unreadable PDU: {error}"))
    }

    /// The body, which must be readable.
    #[track_caller]
    pub fn body(&self) -> Body {
        self.pdu().body
    }
}

impl Peer {
    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a live socket");
        Self { stream, buffer: BytesMut::new(), last_sequence: 0, answers_enquiries: true }
    }

    /// The bare connection; nothing may have come that was not looked at.
    pub fn into_stream(self) -> TcpStream {
        assert!(self.buffer.is_empty(), "left unread: {:?}", self.buffer);
        self.stream
    }

    /// The next sequence number of our own.
    pub fn next_sequence(&mut self) -> u32 {
        self.last_sequence += 1;
        self.last_sequence
    }

    /// Sends a request under the next sequence number, and gives that.
    pub async fn send(&mut self, body: Body) -> u32 {
        let sequence = self.next_sequence();
        self.send_pdu(&Pdu::request(sequence, body)).await;
        sequence
    }

    /// Sends a PDU as it is.
    pub async fn send_pdu(&mut self, pdu: &Pdu) {
        let mut out = BytesMut::new();
        pdu.encode(&mut out).expect("a PDU that can be written");
        self.send_raw(&out).await;
    }

    /// Sends a PDU of 16 octets.
    pub async fn send_empty(&mut self, command: CommandId, status: CommandStatus, sequence: u32) {
        let mut out = BytesMut::new();
        encode_empty(&mut out, command, status, sequence);
        self.send_raw(&out).await;
    }

    /// Sends any octets in one piece.
    pub async fn send_raw(&mut self, octets: &[u8]) {
        within("sending", self.stream.write_all(octets)).await.expect("the peer takes what is sent");
    }

    /// Sends any octets, if the other end still takes them.
    pub async fn try_send_raw(&mut self, octets: &[u8]) -> bool {
        within("sending", self.stream.write_all(octets)).await.is_ok()
    }

    /// Breaks the connection with RST instead of FIN.
    pub fn reset(self) {
        self.stream.set_zero_linger().expect("a live socket");
    }

    /// Closes our side; the other end may still send.
    pub async fn finish_sending(&mut self) {
        within("closing one side", self.stream.shutdown()).await.expect("a live socket");
    }

    /// The next PDU; `None` when the connection is closed first. Enquiries are answered on the way.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let incoming = self.next_of_any_kind().await?;
            if self.answers_enquiries && incoming.header.command == CommandId::ENQUIRE_LINK {
                let sequence = incoming.header.sequence;
                self.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence).await;
                continue;
            }
            return Some(incoming);
        }
    }

    /// The next PDU, which must come; enquiries are not answered.
    pub async fn next_raw(&mut self) -> Incoming {
        self.next_of_any_kind().await.expect("a PDU, not the end of the connection")
    }

    /// Waits until something more can be read, and leaves it where it is.
    pub async fn expect_readable(&mut self) {
        if self.buffer.is_empty() {
            let read = within("more octets", self.stream.read_buf(&mut self.buffer)).await;
            assert!(read.is_ok_and(|count| count > 0), "more octets were expected");
        }
    }

    async fn next_of_any_kind(&mut self) -> Option<Incoming> {
        loop {
            match FrameCodec::default().cut(&mut self.buffer) {
                Ok(Some(frame)) => return Some(Incoming { header: frame.header, frame }),
                Ok(None) => {}
                Err(error) => panic!("the peer sent what is no PDU: {error}"),
            }
            match within("a PDU", self.stream.read_buf(&mut self.buffer)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next PDU, which must come.
    pub async fn expect(&mut self) -> Incoming {
        self.next().await.expect("a PDU, not the end of the connection")
    }

    /// The next PDU, which must be of this command.
    pub async fn expect_command(&mut self, command: CommandId) -> Incoming {
        let incoming = self.expect().await;
        assert_eq!(incoming.header.command, command, "came: {incoming:?}");
        incoming
    }

    /// The next PDU, which must answer request `sequence`; generic_nack does too.
    pub async fn expect_answer(&mut self, sequence: u32) -> Incoming {
        let incoming = self.expect().await;
        assert!(incoming.header.command.is_response(), "a response was expected, not {incoming:?}");
        assert_eq!(incoming.header.sequence, sequence, "came: {incoming:?}");
        incoming
    }

    /// The next PDU, which must be this command with this status.
    pub async fn expect_status(&mut self, command: CommandId, status: CommandStatus) -> Incoming {
        let incoming = self.expect_command(command).await;
        assert_eq!(incoming.header.status, status, "came: {incoming:?}");
        incoming
    }

    /// Whether the other end closes, and says nothing more before.
    pub async fn expect_closed(&mut self) {
        if let Some(incoming) = self.next().await {
            panic!("the end of the connection was expected, not {incoming:?}");
        }
    }

    /// That the other end closes, whatever octets it says before.
    pub async fn expect_end(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = within("the end of the connection", self.stream.read_to_end(&mut rest)).await;
    }

    /// That nothing else is on its way: an enquiry is answered, and nothing comes before that answer.
    pub async fn expect_quiet(&mut self) {
        let sequence = self.next_sequence();
        self.send_empty(CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence).await;
        let incoming = self.expect_command(CommandId::ENQUIRE_LINK_RESP).await;
        assert_eq!(incoming.header.sequence, sequence);
    }

    /// Says unbind, and expects its answer and then the end.
    pub async fn unbind(mut self) {
        let sequence = self.next_sequence();
        self.send_empty(CommandId::UNBIND, CommandStatus::ROK, sequence).await;
        loop {
            let incoming = self.expect().await;
            if incoming.header.command == CommandId::UNBIND_RESP {
                assert_eq!(incoming.header.sequence, sequence);
                break;
            }
        }
        self.expect_closed().await;
    }
}

/// Waits, but not for ever.
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, wait).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("{what}: nothing within {PATIENCE:?}"),
    }
}
