//! broadcast_sm, query_broadcast_sm, cancel_broadcast_sm: cell broadcast (SMPP 5.0 §4.4, §4.6).
//!
//! Areas, content type, repetitions and interval are optional parameters by form, required by meaning; whether they are
//! there is not asked here.

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::SOURCE;
use crate::field::{Address, COctets, CommandId, CommandStatus, DataCoding, Tlvs};
use crate::wire::{
    Fields, Lenience, MESSAGE_ID_LIMIT, Reading, SERVICE_TYPE_LIMIT, TIME_LIMIT, Writer, message_id_response,
};

/// The body of broadcast_sm (SMPP 5.0 §4.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroadcastSm {
    /// Which service the message belongs to; empty for the default (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The sender (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// The message to be replaced; else empty (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// Priority: 0 normal, 1 immediate, 2 high, 4 background (SMPP 3.4 §5.2.14).
    pub priority_flag: u8,
    /// When to begin, as it came (SMPP 3.4 §5.2.15).
    pub schedule_delivery_time: COctets,
    /// Until when to go on, as it came (SMPP 3.4 §5.2.16).
    pub validity_period: COctets,
    /// 1: replaces an earlier broadcast (SMPP 3.4 §5.2.18).
    pub replace_if_present_flag: u8,
    /// Alphabet and class (SMPP 3.4 §5.2.19).
    pub data_coding: DataCoding,
    /// Number of a canned text, 0 for none (SMPP 3.4 §5.2.20).
    pub sm_default_msg_id: u8,
    /// Optional parameters, the text and the areas among them (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl BroadcastSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<BroadcastSm, Problem> {
        BroadcastSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<BroadcastSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(BroadcastSm {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            source: fields.address(&SOURCE)?,
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            priority_flag: fields.u8("priority_flag")?,
            schedule_delivery_time: fields.c_octets("schedule_delivery_time", TIME_LIMIT)?,
            validity_period: fields.c_octets("validity_period", TIME_LIMIT)?,
            replace_if_present_flag: fields.u8("replace_if_present_flag")?,
            data_coding: DataCoding(fields.u8("data_coding")?),
            sm_default_msg_id: fields.u8("sm_default_msg_id")?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::BROADCAST_SM, sequence);
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.u8(self.priority_flag);
        writer.time("schedule_delivery_time", &self.schedule_delivery_time);
        writer.time("validity_period", &self.validity_period);
        writer.octets(&[self.replace_if_present_flag, self.data_coding.0, self.sm_default_msg_id]);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of query_broadcast_sm (SMPP 5.0 §4.6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryBroadcastSm {
    /// The broadcast (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// The sender, which must be that of the submission (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Optional parameters: user_message_reference (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl QueryBroadcastSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<QueryBroadcastSm, Problem> {
        QueryBroadcastSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<QueryBroadcastSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(QueryBroadcastSm {
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            source: fields.address(&SOURCE)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::QUERY_BROADCAST_SM, sequence);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of cancel_broadcast_sm. Its response has none (SMPP 5.0 §4.6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancelBroadcastSm {
    /// Narrows a cancellation, if it is not empty (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The broadcast; empty to cancel by sender and content type (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// The sender, which must be that of the submission (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Optional parameters: broadcast_content_type, user_message_reference (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl CancelBroadcastSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<CancelBroadcastSm, Problem> {
        CancelBroadcastSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<CancelBroadcastSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(CancelBroadcastSm {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            source: fields.address(&SOURCE)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::CANCEL_BROADCAST_SM, sequence);
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of broadcast_sm_resp and query_broadcast_sm_resp (SMPP 5.0 §4.4.1, §4.6.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BroadcastResp {
    /// The id of the broadcast; `None` if there was no body (SMPP 3.4 §5.2.23).
    pub message_id: Option<COctets>,
    /// Optional parameters: failed areas, or the state, areas and their success (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl BroadcastResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<BroadcastResp, Problem> {
        BroadcastResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<BroadcastResp, Problem> {
        let (message_id, tlvs) = message_id_response(body, status, reading)?;
        Ok(BroadcastResp { message_id, tlvs })
    }

    /// Appends the response with this command, or nothing if it cannot be written. Without an id an error response
    /// has no body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        command: CommandId,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, command, status, sequence);
        writer.message_id_response(self.message_id.as_ref(), &self.tlvs, status);
        writer.finish()
    }
}
