//! query_sm and query_sm_resp: what has become of a message (SMPP 3.4 §4.8).

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::SOURCE;
use crate::field::{Address, COctets, CommandId, CommandStatus, MessageState, Tlvs};
use crate::wire::{Fields, Lenience, MESSAGE_ID_LIMIT, Reading, TIME_LIMIT, Writer, response};

/// The body of query_sm (SMPP 3.4 §4.8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuerySm {
    /// The id that the centre gave the message (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// The sender of the message, which must be that of the submission (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Optional parameters; none is defined here (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl QuerySm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<QuerySm, Problem> {
        QuerySm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<QuerySm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(QuerySm {
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            source: fields.address(&SOURCE)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::QUERY_SM, sequence);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of query_sm_resp (SMPP 3.4 §4.8.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuerySmResp {
    /// The id that was asked for; `None` if there was no body, and then the other fields mean nothing.
    /// (SMPP 3.4 §5.2.23).
    pub message_id: Option<COctets>,
    /// When the message came to its end, as it came; empty before. `SmppTime::parse_reported` reads it.
    /// (SMPP 3.4 §4.8.2).
    pub final_date: COctets,
    /// How far it has come (SMPP 3.4 §5.2.28).
    pub message_state: MessageState,
    /// Error of the network, 0 for none (SMPP 3.4 §4.8.2).
    pub error_code: u8,
    /// Optional parameters; none is defined here (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl QuerySmResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<QuerySmResp, Problem> {
        QuerySmResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<QuerySmResp, Problem> {
        response(body, status, reading, |mut fields| {
            Ok(QuerySmResp {
                message_id: Some(fields.c_octets("message_id", MESSAGE_ID_LIMIT)?),
                final_date: fields.c_octets("final_date", TIME_LIMIT)?,
                message_state: MessageState(fields.u8("message_state")?),
                error_code: fields.u8("error_code")?,
                tlvs: fields.tlvs_of_response()?,
            })
        })
    }

    /// Appends the response, or nothing if it cannot be written. Without an id an error response has no body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, CommandId::QUERY_SM_RESP, status, sequence);
        if self.message_id.is_some() || status.is_ok() || !self.tlvs.is_empty() {
            let message_id = self.message_id.as_ref().map_or(&[][..], COctets::as_bytes);
            writer.raw_c_octets("message_id", message_id, MESSAGE_ID_LIMIT);
            writer.time("final_date", &self.final_date);
            writer.octets(&[self.message_state.0, self.error_code]);
            writer.tlvs(&self.tlvs);
        }
        writer.finish()
    }
}
