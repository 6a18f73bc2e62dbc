//! A scripted client.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use smpp_proto::field::{COctets, InterfaceVersion, RegisteredDelivery};
use smpp_proto::pdu::{Bind, BindKind, DeliverSm, Outbind, SubmitSm, deliver};
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use tokio::net::{TcpListener, TcpStream};

use super::peer::{Incoming, Peer, within};

/// A client that says what the test says.
#[derive(Debug)]
pub struct Esme(Peer);

impl Esme {
    /// Connects and says nothing yet.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within("connecting", TcpStream::connect(address)).await;
        Self(Peer::over(stream.unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))))
    }

    /// Over a connection that the test made.
    pub fn over(stream: TcpStream) -> Self {
        Self(Peer::over(stream))
    }

    /// Connects from this address of our own and says nothing yet.
    pub async fn connect_from(from: [u8; 4], address: SocketAddr) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((from, 0))).expect("an address of the loopback");
        Self::over(within("connecting", socket.connect(address)).await.expect("a connection"))
    }

    /// Connects and binds as a transceiver; the bind must be accepted.
    pub async fn bound(address: SocketAddr, system_id: &str, password: &str) -> Self {
        let mut esme = Self::connect(address).await;
        let answer = esme.bind(BindKind::Transceiver, system_id, password).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "the bind of {system_id}");
        esme
    }

    /// Connects and binds as a transmitter; the bind must be accepted.
    pub async fn bound_as(kind: BindKind, address: SocketAddr, system_id: &str, password: &str) -> Self {
        let mut esme = Self::connect(address).await;
        let answer = esme.bind(kind, system_id, password).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "the bind of {system_id}");
        esme
    }

    /// Connects and binds as a client of this version; the bind must be accepted.
    pub async fn of_version(version: InterfaceVersion, kind: BindKind, address: SocketAddr) -> Self {
        let mut esme = Self::connect(address).await;
        let bind = Bind { interface_version: version, ..bind("acme", "secret") };
        let answer = esme.bind_with(kind, bind).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "the bind of version {version}");
        esme
    }

    /// Binds with version 3.4 and gives the answer, whatever it is.
    pub async fn bind(&mut self, kind: BindKind, system_id: &str, password: &str) -> Incoming {
        self.bind_with(kind, bind(system_id, password)).await
    }

    /// Binds with exactly this body and gives the answer, whatever it is.
    pub async fn bind_with(&mut self, kind: BindKind, bind: Bind) -> Incoming {
        let body = match kind {
            BindKind::Receiver => Body::BindReceiver(bind),
            BindKind::Transmitter => Body::BindTransmitter(bind),
            BindKind::Transceiver => Body::BindTransceiver(bind),
        };
        let sequence = self.send(body).await;
        self.expect_answer(sequence).await
    }

    /// Submits a text that asks for a receipt, and gives the message id; it must be accepted.
    pub async fn submit(&mut self, destination: &str, text: &str) -> String {
        let (status, id) = self.try_submit(submit(destination, text)).await;
        assert_eq!(status, CommandStatus::ROK, "the submission to {destination}");
        id
    }

    /// Submits and gives status and message id of the answer. A delivery may not come in between.
    pub async fn try_submit(&mut self, submit: SubmitSm) -> (CommandStatus, String) {
        let sequence = self.send(Body::SubmitSm(submit)).await;
        let answer = self.expect_answer(sequence).await;
        (answer.header.status, message_id(&answer))
    }

    /// The next PDU must be a deliver_sm; it is answered with ESME_ROK.
    pub async fn expect_deliver(&mut self) -> DeliverSm {
        let (sequence, deliver) = self.expect_deliver_unanswered().await;
        self.answer_deliver(sequence, CommandStatus::ROK).await;
        deliver
    }

    /// The next PDU must be a deliver_sm; the test answers it, or does not.
    pub async fn expect_deliver_unanswered(&mut self) -> (u32, DeliverSm) {
        let incoming = self.expect_command(CommandId::DELIVER_SM).await;
        match incoming.body() {
            Body::DeliverSm(deliver) => (incoming.header.sequence, deliver),
            other => panic!("{other:?}"),
        }
    }

    /// Answers a deliver_sm.
    pub async fn answer_deliver(&mut self, sequence: u32, status: CommandStatus) {
        let mut out = bytes::BytesMut::new();
        deliver::encode_resp(&mut out, sequence, status);
        self.send_raw(&out).await;
    }

    /// Waits for outbind on this listener, and gives the connection and what it says.
    pub async fn called(listener: &TcpListener) -> (Self, Outbind) {
        let (stream, _) = within("a call", listener.accept()).await.expect("a connection");
        let mut esme = Self(Peer::over(stream));
        let incoming = esme.expect_command(CommandId::OUTBIND).await;
        match incoming.body() {
            Body::Outbind(outbind) => (esme, outbind),
            other => panic!("{other:?}"),
        }
    }

    /// The bare connection.
    pub fn into_stream(self) -> TcpStream {
        self.0.into_stream()
    }

    /// Breaks the connection with RST instead of FIN.
    pub fn reset(self) {
        self.0.reset();
    }

    /// Unbinds, and expects answer and end.
    pub async fn unbind(self) {
        self.0.unbind().await;
    }
}

/// A bind of version 3.4.
pub fn bind(system_id: &str, password: &str) -> Bind {
    Bind {
        system_id: COctets::from(system_id),
        password: password.into(),
        interface_version: InterfaceVersion::V3_4,
        ..Bind::default()
    }
}

/// A submission from "TEST" that asks for a receipt.
pub fn submit(destination: &str, text: &str) -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("TEST"),
        destination: Address::international(destination),
        registered_delivery: RegisteredDelivery::RECEIPT,
        short_message: Bytes::copy_from_slice(text.as_bytes()),
        ..SubmitSm::default()
    }
}

fn message_id(answer: &Incoming) -> String {
    match answer.body() {
        Body::SubmitSmResp(resp) => resp.message_id.map(|id| id.to_text().into_owned()).unwrap_or_default(),
        Body::GenericNack(_) => String::new(),
        other => panic!("submit_sm_resp was expected, not {other:?}"),
    }
}

impl Deref for Esme {
    type Target = Peer;
    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl DerefMut for Esme {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.0
    }
}
