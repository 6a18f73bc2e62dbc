//! data_sm and data_sm_resp: a message that travels in message_payload alone (SMPP 3.4 §4.7).

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::{LONG_DESTINATION, LONG_SOURCE};
use crate::field::{
    Address, COctets, CommandId, CommandStatus, DataCoding, EsmClass, RegisteredDelivery, Tag, Tlvs,
};
use crate::wire::{
    Fields, Lenience, Quirk, Reading, SERVICE_TYPE_LIMIT, USUAL_LENGTH, Writer, message_id_response,
};

/// The body of data_sm, in either direction (SMPP 3.4 §4.7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataSm {
    /// Which service the message belongs to; empty for the default (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The sender; up to 64 octets here (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Where the message goes; up to 64 octets here (SMPP 3.4 §5.2.9).
    pub destination: Address,
    /// Mode, type and GSM features (SMPP 3.4 §5.2.12).
    pub esm_class: EsmClass,
    /// Which receipts are wanted (SMPP 3.4 §5.2.17).
    pub registered_delivery: RegisteredDelivery,
    /// Alphabet and class (SMPP 3.4 §5.2.19).
    pub data_coding: DataCoding,
    /// Optional parameters, the user data among them (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl DataSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<DataSm, Problem> {
        DataSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<DataSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(DataSm {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            source: fields.address(&LONG_SOURCE)?,
            destination: fields.address(&LONG_DESTINATION)?,
            esm_class: EsmClass(fields.u8("esm_class")?),
            registered_delivery: RegisteredDelivery(fields.u8("registered_delivery")?),
            data_coding: DataCoding(fields.u8("data_coding")?),
            tlvs: fields.tlvs()?,
        })
    }

    /// The user data: message_payload, if it is there.
    pub fn user_data(&self) -> Option<&Bytes> {
        self.tlvs.get(Tag::MESSAGE_PAYLOAD)
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::DATA_SM, sequence);
        writer.reserve(USUAL_LENGTH + self.tlvs.wire_length());
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.address(&LONG_SOURCE, &self.source);
        writer.address(&LONG_DESTINATION, &self.destination);
        writer.octets(&[self.esm_class.0, self.registered_delivery.0, self.data_coding.0]);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of data_sm_resp (SMPP 3.4 §4.7.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataSmResp {
    /// The id of the message; `None` if there was no body (SMPP 3.4 §5.2.23).
    pub message_id: Option<COctets>,
    /// Optional parameters: why a delivery in transaction mode failed (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl DataSmResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<DataSmResp, Problem> {
        DataSmResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<DataSmResp, Problem> {
        let (message_id, tlvs) = message_id_response(body, status, reading)?;
        if status.is_ok() && message_id.as_ref().is_none_or(COctets::is_empty) {
            reading.forgive(Quirk::NoMessageId);
        }
        Ok(DataSmResp { message_id, tlvs })
    }

    /// Appends the response, or nothing if it cannot be written. Without an id an error response has no body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, CommandId::DATA_SM_RESP, status, sequence);
        writer.message_id_response(self.message_id.as_ref(), &self.tlvs, status);
        writer.finish()
    }
}
