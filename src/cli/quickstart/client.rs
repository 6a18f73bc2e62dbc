//! The smallest client that does the whole job: bind, submit, take the receipt. It speaks to the gateway over TCP
//! like any other.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use smpp_proto::field::{Address, CommandStatus, InterfaceVersion, MessageState, RegisteredDelivery, Tag};
use smpp_proto::pdu::{Bind, Body, Pdu, SubmitSm};
use smpp_proto::{COctets, FrameCodec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::message::MessageId;

pub(super) struct Client {
    stream: TcpStream,
    buffer: BytesMut,
    sequence: u32,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        Ok(Self { stream, buffer: BytesMut::new(), sequence: 0 })
    }

    pub(super) async fn bind(&mut self, system_id: &str, password: &[u8]) -> anyhow::Result<()> {
        let bind = Bind {
            system_id: COctets::from(system_id.to_owned()),
            password: COctets::from(Bytes::copy_from_slice(password)).into(),
            interface_version: InterfaceVersion::V3_4,
            ..Bind::default()
        };
        let answer = self.ask(Body::BindTransceiver(bind)).await?;
        if answer.status != CommandStatus::ROK {
            bail!("the bind was refused: {}; was the password in tollgate.toml changed?", answer.status);
        }
        Ok(())
    }

    pub(super) async fn submit(&mut self, from: &str, to: &str, text: &str) -> anyhow::Result<MessageId> {
        let submit = SubmitSm {
            source: Address::alphanumeric(from.to_owned()),
            destination: Address::international(to.to_owned()),
            registered_delivery: RegisteredDelivery(1),
            short_message: Bytes::copy_from_slice(text.as_bytes()),
            ..SubmitSm::default()
        };
        let answer = self.ask(Body::SubmitSm(submit)).await?;
        let id = match answer.body {
            Body::SubmitSmResp(response) if answer.status == CommandStatus::ROK => response.message_id,
            _ => bail!("the message was refused: {}", answer.status),
        };
        let id = id.context("the answer has no message id")?;
        id.as_str().and_then(|id| id.parse().ok()).context("the message id is no number")
    }

    /// Waits for a delivery receipt, answers it, and says what it says.
    pub(super) async fn receipt(&mut self) -> anyhow::Result<String> {
        loop {
            let pdu = self.read().await?;
            let sequence = pdu.sequence;
            let Body::DeliverSm(deliver) = pdu.body else { continue };
            let mut out = BytesMut::new();
            smpp_proto::pdu::deliver::encode_resp(&mut out, sequence, CommandStatus::ROK);
            self.stream.write_all(&out).await?;
            let state = deliver.tlvs.u8(Tag::MESSAGE_STATE).map(MessageState);
            let text = String::from_utf8_lossy(&deliver.short_message).into_owned();
            return match state {
                Some(MessageState::DELIVERED) => Ok(text),
                _ => bail!("the receipt says that the message was not delivered: {text}"),
            };
        }
    }

    async fn ask(&mut self, body: Body) -> anyhow::Result<Pdu> {
        self.sequence += 1;
        let mut out = BytesMut::new();
        Pdu::request(self.sequence, body).encode(&mut out)?;
        self.stream.write_all(&out).await?;
        loop {
            let pdu = self.read().await?;
            if pdu.sequence == self.sequence && pdu.body.command().is_response() {
                return Ok(pdu);
            }
        }
    }

    async fn read(&mut self) -> anyhow::Result<Pdu> {
        let codec = FrameCodec::default();
        loop {
            if let Some(frame) = codec.cut(&mut self.buffer)? {
                return Ok(Pdu::decode(frame)?);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the gateway closed the connection");
            }
        }
    }
}
