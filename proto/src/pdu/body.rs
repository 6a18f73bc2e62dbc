//! What a PDU carries: one variant for each command (SMPP 3.4 §4, SMPP 5.0 §4).

use bytes::{Bytes, BytesMut};

use super::alert::AlertNotification;
use super::bind::{Bind, BindKind, BindResp, Outbind};
use super::broadcast::{BroadcastResp, BroadcastSm, CancelBroadcastSm, QueryBroadcastSm};
use super::cancel::CancelSm;
use super::data::{DataSm, DataSmResp};
use super::deliver::{DeliverSm, DeliverSmResp};
use super::multi::{SubmitMulti, SubmitMultiResp};
use super::query::{QuerySm, QuerySmResp};
use super::replace::ReplaceSm;
use super::submit::{SubmitSm, SubmitSmResp};
use crate::error::{Detail, EncodeError, Problem, ProblemClass};
use crate::field::{CommandId, CommandStatus, Tlvs};
use crate::wire::{Reading, Writer, bare_tlvs};

/// The body of a PDU. Those without mandatory fields carry optional parameters at most, such as congestion_state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// bind_receiver (SMPP 3.4 §4.1.3).
    BindReceiver(Bind),
    /// bind_transmitter (SMPP 3.4 §4.1.1).
    BindTransmitter(Bind),
    /// bind_transceiver (SMPP 3.4 §4.1.5).
    BindTransceiver(Bind),
    /// outbind (SMPP 3.4 §4.1.7).
    Outbind(Outbind),
    /// submit_sm (SMPP 3.4 §4.4.1).
    SubmitSm(SubmitSm),
    /// submit_multi (SMPP 3.4 §4.5.1).
    SubmitMulti(SubmitMulti),
    /// deliver_sm (SMPP 3.4 §4.6.1).
    DeliverSm(DeliverSm),
    /// data_sm (SMPP 3.4 §4.7.1).
    DataSm(DataSm),
    /// query_sm (SMPP 3.4 §4.8.1).
    QuerySm(QuerySm),
    /// cancel_sm (SMPP 3.4 §4.9.1).
    CancelSm(CancelSm),
    /// replace_sm (SMPP 3.4 §4.10.1).
    ReplaceSm(ReplaceSm),
    /// alert_notification (SMPP 3.4 §4.12.1).
    AlertNotification(AlertNotification),
    /// broadcast_sm (SMPP 5.0 §4.4.1).
    BroadcastSm(BroadcastSm),
    /// query_broadcast_sm (SMPP 5.0 §4.6.1).
    QueryBroadcastSm(QueryBroadcastSm),
    /// cancel_broadcast_sm (SMPP 5.0 §4.6.2).
    CancelBroadcastSm(CancelBroadcastSm),
    /// bind_receiver_resp (SMPP 3.4 §4.1.4).
    BindReceiverResp(BindResp),
    /// bind_transmitter_resp (SMPP 3.4 §4.1.2).
    BindTransmitterResp(BindResp),
    /// bind_transceiver_resp (SMPP 3.4 §4.1.6).
    BindTransceiverResp(BindResp),
    /// submit_sm_resp (SMPP 3.4 §4.4.2).
    SubmitSmResp(SubmitSmResp),
    /// submit_multi_resp (SMPP 3.4 §4.5.2).
    SubmitMultiResp(SubmitMultiResp),
    /// deliver_sm_resp (SMPP 3.4 §4.6.2).
    DeliverSmResp(DeliverSmResp),
    /// data_sm_resp (SMPP 3.4 §4.7.2).
    DataSmResp(DataSmResp),
    /// query_sm_resp (SMPP 3.4 §4.8.2).
    QuerySmResp(QuerySmResp),
    /// broadcast_sm_resp (SMPP 5.0 §4.4.1).
    BroadcastSmResp(BroadcastResp),
    /// query_broadcast_sm_resp (SMPP 5.0 §4.6.1).
    QueryBroadcastSmResp(BroadcastResp),
    /// enquire_link (SMPP 3.4 §4.11.1).
    EnquireLink(Tlvs),
    /// enquire_link_resp (SMPP 3.4 §4.11.2).
    EnquireLinkResp(Tlvs),
    /// unbind (SMPP 3.4 §4.2.1).
    Unbind(Tlvs),
    /// unbind_resp (SMPP 3.4 §4.2.2).
    UnbindResp(Tlvs),
    /// cancel_sm_resp (SMPP 3.4 §4.9.2).
    CancelSmResp(Tlvs),
    /// replace_sm_resp (SMPP 3.4 §4.10.2).
    ReplaceSmResp(Tlvs),
    /// cancel_broadcast_sm_resp (SMPP 5.0 §4.6.2).
    CancelBroadcastSmResp(Tlvs),
    /// generic_nack (SMPP 3.4 §4.3.1).
    GenericNack(Tlvs),
}

impl Body {
    /// The command of the PDU.
    pub const fn command(&self) -> CommandId {
        match self {
            Body::BindReceiver(_) => CommandId::BIND_RECEIVER,
            Body::BindTransmitter(_) => CommandId::BIND_TRANSMITTER,
            Body::BindTransceiver(_) => CommandId::BIND_TRANSCEIVER,
            Body::Outbind(_) => CommandId::OUTBIND,
            Body::SubmitSm(_) => CommandId::SUBMIT_SM,
            Body::SubmitMulti(_) => CommandId::SUBMIT_MULTI,
            Body::DeliverSm(_) => CommandId::DELIVER_SM,
            Body::DataSm(_) => CommandId::DATA_SM,
            Body::QuerySm(_) => CommandId::QUERY_SM,
            Body::CancelSm(_) => CommandId::CANCEL_SM,
            Body::ReplaceSm(_) => CommandId::REPLACE_SM,
            Body::AlertNotification(_) => CommandId::ALERT_NOTIFICATION,
            Body::BroadcastSm(_) => CommandId::BROADCAST_SM,
            Body::QueryBroadcastSm(_) => CommandId::QUERY_BROADCAST_SM,
            Body::CancelBroadcastSm(_) => CommandId::CANCEL_BROADCAST_SM,
            Body::BindReceiverResp(_) => CommandId::BIND_RECEIVER_RESP,
            Body::BindTransmitterResp(_) => CommandId::BIND_TRANSMITTER_RESP,
            Body::BindTransceiverResp(_) => CommandId::BIND_TRANSCEIVER_RESP,
            Body::SubmitSmResp(_) => CommandId::SUBMIT_SM_RESP,
            Body::SubmitMultiResp(_) => CommandId::SUBMIT_MULTI_RESP,
            Body::DeliverSmResp(_) => CommandId::DELIVER_SM_RESP,
            Body::DataSmResp(_) => CommandId::DATA_SM_RESP,
            Body::QuerySmResp(_) => CommandId::QUERY_SM_RESP,
            Body::BroadcastSmResp(_) => CommandId::BROADCAST_SM_RESP,
            Body::QueryBroadcastSmResp(_) => CommandId::QUERY_BROADCAST_SM_RESP,
            Body::EnquireLink(_) => CommandId::ENQUIRE_LINK,
            Body::EnquireLinkResp(_) => CommandId::ENQUIRE_LINK_RESP,
            Body::Unbind(_) => CommandId::UNBIND,
            Body::UnbindResp(_) => CommandId::UNBIND_RESP,
            Body::CancelSmResp(_) => CommandId::CANCEL_SM_RESP,
            Body::ReplaceSmResp(_) => CommandId::REPLACE_SM_RESP,
            Body::CancelBroadcastSmResp(_) => CommandId::CANCEL_BROADCAST_SM_RESP,
            Body::GenericNack(_) => CommandId::GENERIC_NACK,
        }
    }

    /// The optional parameters.
    pub const fn tlvs(&self) -> &Tlvs {
        match self {
            Body::BindReceiver(body) | Body::BindTransmitter(body) | Body::BindTransceiver(body) => {
                &body.tlvs
            }
            Body::Outbind(body) => &body.tlvs,
            Body::SubmitSm(body) => &body.tlvs,
            Body::SubmitMulti(body) => &body.tlvs,
            Body::DeliverSm(body) => &body.tlvs,
            Body::DataSm(body) => &body.tlvs,
            Body::QuerySm(body) => &body.tlvs,
            Body::CancelSm(body) => &body.tlvs,
            Body::ReplaceSm(body) => &body.tlvs,
            Body::AlertNotification(body) => &body.tlvs,
            Body::BroadcastSm(body) => &body.tlvs,
            Body::QueryBroadcastSm(body) => &body.tlvs,
            Body::CancelBroadcastSm(body) => &body.tlvs,
            Body::BindReceiverResp(body)
            | Body::BindTransmitterResp(body)
            | Body::BindTransceiverResp(body) => &body.tlvs,
            Body::SubmitSmResp(body) => &body.tlvs,
            Body::SubmitMultiResp(body) => &body.tlvs,
            Body::DeliverSmResp(body) => &body.tlvs,
            Body::DataSmResp(body) => &body.tlvs,
            Body::QuerySmResp(body) => &body.tlvs,
            Body::BroadcastSmResp(body) | Body::QueryBroadcastSmResp(body) => &body.tlvs,
            Body::EnquireLink(tlvs)
            | Body::EnquireLinkResp(tlvs)
            | Body::Unbind(tlvs)
            | Body::UnbindResp(tlvs)
            | Body::CancelSmResp(tlvs)
            | Body::ReplaceSmResp(tlvs)
            | Body::CancelBroadcastSmResp(tlvs)
            | Body::GenericNack(tlvs) => tlvs,
        }
    }

    /// Reads the body of this command.
    pub(super) fn decode(
        command: CommandId,
        status: CommandStatus,
        body: Bytes,
        reading: &mut Reading,
    ) -> Result<Body, Problem> {
        if command.is_response() {
            return Body::decode_response(command, status, body, reading);
        }
        Ok(match command {
            CommandId::BIND_RECEIVER => Body::BindReceiver(Bind::decode_with(body, reading)?),
            CommandId::BIND_TRANSMITTER => Body::BindTransmitter(Bind::decode_with(body, reading)?),
            CommandId::BIND_TRANSCEIVER => Body::BindTransceiver(Bind::decode_with(body, reading)?),
            CommandId::OUTBIND => Body::Outbind(Outbind::decode_with(body, reading)?),
            CommandId::SUBMIT_SM => Body::SubmitSm(SubmitSm::decode_with(body, reading)?),
            CommandId::SUBMIT_MULTI => Body::SubmitMulti(SubmitMulti::decode_with(body, reading)?),
            CommandId::DELIVER_SM => Body::DeliverSm(DeliverSm::decode_with(body, reading)?),
            CommandId::DATA_SM => Body::DataSm(DataSm::decode_with(body, reading)?),
            CommandId::QUERY_SM => Body::QuerySm(QuerySm::decode_with(body, reading)?),
            CommandId::CANCEL_SM => Body::CancelSm(CancelSm::decode_with(body, reading)?),
            CommandId::REPLACE_SM => Body::ReplaceSm(ReplaceSm::decode_with(body, reading)?),
            CommandId::ALERT_NOTIFICATION => {
                Body::AlertNotification(AlertNotification::decode_with(body, reading)?)
            }
            CommandId::BROADCAST_SM => Body::BroadcastSm(BroadcastSm::decode_with(body, reading)?),
            CommandId::QUERY_BROADCAST_SM => {
                Body::QueryBroadcastSm(QueryBroadcastSm::decode_with(body, reading)?)
            }
            CommandId::CANCEL_BROADCAST_SM => {
                Body::CancelBroadcastSm(CancelBroadcastSm::decode_with(body, reading)?)
            }
            CommandId::ENQUIRE_LINK => Body::EnquireLink(bare_tlvs(body, reading)?),
            CommandId::UNBIND => Body::Unbind(bare_tlvs(body, reading)?),
            unknown => return Err(unknown_command(unknown)),
        })
    }

    fn decode_response(
        command: CommandId,
        status: CommandStatus,
        body: Bytes,
        reading: &mut Reading,
    ) -> Result<Body, Problem> {
        Ok(match command {
            CommandId::BIND_RECEIVER_RESP => {
                Body::BindReceiverResp(BindResp::decode_with(body, status, reading)?)
            }
            CommandId::BIND_TRANSMITTER_RESP => {
                Body::BindTransmitterResp(BindResp::decode_with(body, status, reading)?)
            }
            CommandId::BIND_TRANSCEIVER_RESP => {
                Body::BindTransceiverResp(BindResp::decode_with(body, status, reading)?)
            }
            CommandId::SUBMIT_SM_RESP => {
                Body::SubmitSmResp(SubmitSmResp::decode_with(body, status, reading)?)
            }
            CommandId::SUBMIT_MULTI_RESP => {
                Body::SubmitMultiResp(SubmitMultiResp::decode_with(body, status, reading)?)
            }
            CommandId::DELIVER_SM_RESP => {
                Body::DeliverSmResp(DeliverSmResp::decode_with(body, status, reading)?)
            }
            CommandId::DATA_SM_RESP => Body::DataSmResp(DataSmResp::decode_with(body, status, reading)?),
            CommandId::QUERY_SM_RESP => Body::QuerySmResp(QuerySmResp::decode_with(body, status, reading)?),
            CommandId::BROADCAST_SM_RESP => {
                Body::BroadcastSmResp(BroadcastResp::decode_with(body, status, reading)?)
            }
            CommandId::QUERY_BROADCAST_SM_RESP => {
                Body::QueryBroadcastSmResp(BroadcastResp::decode_with(body, status, reading)?)
            }
            CommandId::ENQUIRE_LINK_RESP => Body::EnquireLinkResp(bare_tlvs(body, reading)?),
            CommandId::UNBIND_RESP => Body::UnbindResp(bare_tlvs(body, reading)?),
            CommandId::CANCEL_SM_RESP => Body::CancelSmResp(bare_tlvs(body, reading)?),
            CommandId::REPLACE_SM_RESP => Body::ReplaceSmResp(bare_tlvs(body, reading)?),
            CommandId::CANCEL_BROADCAST_SM_RESP => Body::CancelBroadcastSmResp(bare_tlvs(body, reading)?),
            CommandId::GENERIC_NACK => Body::GenericNack(bare_tlvs(body, reading)?),
            unknown => return Err(unknown_command(unknown)),
        })
    }

    /// Appends the whole PDU, or nothing if it cannot be written.
    pub(super) fn encode(
        &self,
        out: &mut BytesMut,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        match self {
            Body::BindReceiver(body) => body.encode(out, BindKind::Receiver, sequence),
            Body::BindTransmitter(body) => body.encode(out, BindKind::Transmitter, sequence),
            Body::BindTransceiver(body) => body.encode(out, BindKind::Transceiver, sequence),
            Body::Outbind(body) => body.encode(out, sequence),
            Body::SubmitSm(body) => body.encode(out, sequence),
            Body::SubmitMulti(body) => body.encode(out, sequence),
            Body::DeliverSm(body) => body.encode(out, sequence),
            Body::DataSm(body) => body.encode(out, sequence),
            Body::QuerySm(body) => body.encode(out, sequence),
            Body::CancelSm(body) => body.encode(out, sequence),
            Body::ReplaceSm(body) => body.encode(out, sequence),
            Body::AlertNotification(body) => body.encode(out, sequence),
            Body::BroadcastSm(body) => body.encode(out, sequence),
            Body::QueryBroadcastSm(body) => body.encode(out, sequence),
            Body::CancelBroadcastSm(body) => body.encode(out, sequence),
            Body::BindReceiverResp(body) => body.encode(out, BindKind::Receiver, status, sequence),
            Body::BindTransmitterResp(body) => body.encode(out, BindKind::Transmitter, status, sequence),
            Body::BindTransceiverResp(body) => body.encode(out, BindKind::Transceiver, status, sequence),
            Body::SubmitSmResp(body) => body.encode(out, status, sequence),
            Body::SubmitMultiResp(body) => body.encode(out, status, sequence),
            Body::DeliverSmResp(body) => body.encode(out, status, sequence),
            Body::DataSmResp(body) => body.encode(out, status, sequence),
            Body::QuerySmResp(body) => body.encode(out, status, sequence),
            Body::BroadcastSmResp(body) => body.encode(out, self.command(), status, sequence),
            Body::QueryBroadcastSmResp(body) => body.encode(out, self.command(), status, sequence),
            Body::EnquireLink(tlvs) | Body::Unbind(tlvs) => {
                encode_bare(out, self.command(), CommandStatus::ROK, sequence, tlvs)
            }
            Body::EnquireLinkResp(tlvs)
            | Body::UnbindResp(tlvs)
            | Body::CancelSmResp(tlvs)
            | Body::ReplaceSmResp(tlvs)
            | Body::CancelBroadcastSmResp(tlvs)
            | Body::GenericNack(tlvs) => encode_bare(out, self.command(), status, sequence, tlvs),
        }
    }
}

#[cold]
fn unknown_command(command: CommandId) -> Problem {
    Problem {
        class: ProblemClass::HeaderCommandId,
        field: "command_id",
        offset: 0,
        detail: Detail::Value(command.0),
    }
}

fn encode_bare(
    out: &mut BytesMut,
    command: CommandId,
    status: CommandStatus,
    sequence: u32,
    tlvs: &Tlvs,
) -> Result<(), EncodeError> {
    let mut writer = Writer::response(out, command, status, sequence);
    writer.tlvs(tlvs);
    writer.finish()
}
