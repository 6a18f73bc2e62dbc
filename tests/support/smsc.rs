//! A scripted operator's SMSC.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{COctets, EsmClass, InterfaceVersion};
use smpp_proto::pdu::submit::encode_resp;
use smpp_proto::pdu::{Bind, BindKind, BindResp, DeliverSm, SubmitSm};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag, Tlv, Tlvs};
use tokio::net::{TcpListener, TcpStream};

use super::peer::{Peer, within};

/// A listener on loopback that takes one connection after the other.
#[derive(Debug)]
pub struct Smsc {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Smsc {
    /// Listens on a free port.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        Self { listener, address }
    }

    /// Takes the next connection.
    pub async fn accept(&self) -> SmscLink {
        let (stream, _) = within("a connection", self.listener.accept()).await.expect("a connection");
        SmscLink(Peer::over(stream))
    }

    /// Calls a gate that waits for outbind, with these octets.
    pub async fn call(address: SocketAddr, outbind: &[u8]) -> SmscLink {
        let stream = within("connecting", TcpStream::connect(address)).await.expect("a listener");
        let mut link = SmscLink(Peer::over(stream));
        link.send_raw(outbind).await;
        link
    }

    /// Takes the next connection and accepts its bind, whatever it is.
    pub async fn bound(&self) -> SmscLink {
        let mut link = self.accept().await;
        let (sequence, kind, _) = link.expect_bind().await;
        link.accept_bind(sequence, kind).await;
        link
    }
}

/// One connection to the scripted SMSC.
#[derive(Debug)]
pub struct SmscLink(Peer);

impl SmscLink {
    /// The bare connection.
    pub fn into_stream(self) -> TcpStream {
        self.0.into_stream()
    }

    /// The next PDU must be a bind.
    pub async fn expect_bind(&mut self) -> (u32, BindKind, Bind) {
        let incoming = self.expect().await;
        let (kind, bind) = match incoming.body() {
            Body::BindReceiver(bind) => (BindKind::Receiver, bind),
            Body::BindTransmitter(bind) => (BindKind::Transmitter, bind),
            Body::BindTransceiver(bind) => (BindKind::Transceiver, bind),
            other => panic!("a bind was expected, not {other:?}"),
        };
        (incoming.header.sequence, kind, bind)
    }

    /// Answers a bind with ESME_ROK as an SMSC of version 3.4.
    pub async fn accept_bind(&mut self, sequence: u32, kind: BindKind) {
        self.accept_bind_as(sequence, kind, Some(InterfaceVersion::V3_4)).await;
    }

    /// Answers a bind with ESME_ROK as an SMSC that tells this version, or none.
    pub async fn accept_bind_as(&mut self, sequence: u32, kind: BindKind, version: Option<InterfaceVersion>) {
        let mut tlvs = Tlvs::new();
        if let Some(version) = version {
            tlvs.push(Tlv::u8(Tag::SC_INTERFACE_VERSION, version.0));
        }
        let resp = BindResp { system_id: Some(COctets::from("smsc")), tlvs };
        let mut out = BytesMut::new();
        resp.encode(&mut out, kind, CommandStatus::ROK, sequence).expect("a bind_resp");
        self.send_raw(&out).await;
    }

    /// Refuses a bind.
    pub async fn refuse_bind(&mut self, sequence: u32, kind: BindKind, status: CommandStatus) {
        self.send_empty(kind.command().response(), status, sequence).await;
    }

    /// The next PDU must be a submit_sm.
    pub async fn expect_submit(&mut self) -> (u32, SubmitSm) {
        let incoming = self.expect_command(CommandId::SUBMIT_SM).await;
        match incoming.body() {
            Body::SubmitSm(submit) => (incoming.header.sequence, submit),
            other => panic!("{other:?}"),
        }
    }

    /// Nothing comes but the answers to a few questions, one after the other.
    pub async fn is_silent(&mut self) {
        for sequence in 900..905 {
            self.send_empty(CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence).await;
            let incoming = self.expect().await;
            let header = incoming.header;
            assert_eq!((header.command, header.sequence), (CommandId::ENQUIRE_LINK_RESP, sequence));
        }
    }

    /// Accepts a submission under `id`.
    pub async fn accept_submit(&mut self, sequence: u32, id: &str) {
        let mut out = BytesMut::new();
        encode_resp(&mut out, sequence, CommandStatus::ROK, id.as_bytes()).expect("a submit_sm_resp");
        self.send_raw(&out).await;
    }

    /// Refuses a submission.
    pub async fn refuse_submit(&mut self, sequence: u32, status: CommandStatus) {
        self.send_empty(CommandId::SUBMIT_SM_RESP, status, sequence).await;
    }

    /// Sends the receipt of a submission with text and TLVs, and gives its sequence number.
    pub async fn send_receipt(&mut self, submit: &SubmitSm, id: &str, stat: &str, state: u8) -> u32 {
        let mut deliver = receipt(submit, id, stat);
        deliver.tlvs.push(Tlv::c_octets(Tag::RECEIPTED_MESSAGE_ID, &COctets::from(id)));
        deliver.tlvs.push(Tlv::u8(Tag::MESSAGE_STATE, state));
        self.send(Body::DeliverSm(deliver)).await
    }

    /// Sends a receipt with exactly this text, and no TLVs.
    pub async fn send_receipt_text(&mut self, submit: &SubmitSm, text: &str) -> u32 {
        let mut deliver = receipt(submit, "", "");
        deliver.short_message = Bytes::copy_from_slice(text.as_bytes());
        self.send(Body::DeliverSm(deliver)).await
    }

    /// Sends a message from a mobile.
    pub async fn send_mo(&mut self, source: &str, destination: &str, text: &str) -> u32 {
        self.send(Body::DeliverSm(DeliverSm {
            source: Address::international(source),
            destination: Address::international(destination),
            short_message: Bytes::copy_from_slice(text.as_bytes()),
            ..DeliverSm::default()
        }))
        .await
    }

    /// The next PDU must answer delivery `sequence` with ESME_ROK.
    pub async fn expect_delivered(&mut self, sequence: u32) {
        let incoming = self.expect_status(CommandId::DELIVER_SM_RESP, CommandStatus::ROK).await;
        assert_eq!(incoming.header.sequence, sequence);
    }
}

fn receipt(submit: &SubmitSm, id: &str, stat: &str) -> DeliverSm {
    let text = format!(
        "id:{id} sub:001 dlvrd:001 submit date:2506011200 done date:2506011201 stat:{stat} err:000 text:Hello"
    );
    DeliverSm {
        source: submit.destination.clone(),
        destination: submit.source.clone(),
        esm_class: EsmClass::DELIVERY_RECEIPT,
        short_message: Bytes::from(text),
        ..DeliverSm::default()
    }
}

impl Deref for SmscLink {
    type Target = Peer;
    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl DerefMut for SmscLink {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.0
    }
}
