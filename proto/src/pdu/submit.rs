//! submit_sm and submit_sm_resp: a message from an ESME to the centre (SMPP 3.4 §4.4).

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::{DESTINATION, SOURCE};
use crate::field::{
    Address, COctets, CommandId, CommandStatus, DataCoding, EsmClass, RegisteredDelivery, Tag, Tlvs,
};
use crate::wire::{
    Fields, Lenience, MESSAGE_ID_LIMIT, Quirk, Reading, SERVICE_TYPE_LIMIT, TIME_LIMIT, USUAL_LENGTH, Writer,
    message_id_response,
};

/// The body of submit_sm (SMPP 3.4 §4.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitSm {
    /// Which service the message belongs to; empty for the default (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The sender; empty digits ask for the default of the account (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Where the message goes (SMPP 3.4 §5.2.9).
    pub destination: Address,
    /// Mode, type and GSM features (SMPP 3.4 §5.2.12).
    pub esm_class: EsmClass,
    /// GSM TP-PID (SMPP 3.4 §5.2.13).
    pub protocol_id: u8,
    /// Priority: 0–3 in 3.4, 0–4 in 5.0 (SMPP 3.4 §5.2.14).
    pub priority_flag: u8,
    /// When to deliver, as it came; `SmppTime::from_field` reads it (SMPP 3.4 §5.2.15).
    pub schedule_delivery_time: COctets,
    /// Until when to try, as it came; `SmppTime::from_field` reads it (SMPP 3.4 §5.2.16).
    pub validity_period: COctets,
    /// Which receipts are wanted (SMPP 3.4 §5.2.17).
    pub registered_delivery: RegisteredDelivery,
    /// 1: replaces a waiting message of the same service, sender and destination (SMPP 3.4 §5.2.18).
    pub replace_if_present_flag: u8,
    /// Alphabet and class (SMPP 3.4 §5.2.19).
    pub data_coding: DataCoding,
    /// Number of a canned text, 0 for none (SMPP 3.4 §5.2.20).
    pub sm_default_msg_id: u8,
    /// User data, at most 255 octets (254 in 3.4); with a header in front if esm_class says so (SMPP 3.4 §5.2.22).
    pub short_message: Bytes,
    /// Optional parameters (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl SubmitSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<SubmitSm, Problem> {
        SubmitSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<SubmitSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(SubmitSm {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            source: fields.address(&SOURCE)?,
            destination: fields.address(&DESTINATION)?,
            esm_class: EsmClass(fields.u8("esm_class")?),
            protocol_id: fields.u8("protocol_id")?,
            priority_flag: fields.u8("priority_flag")?,
            schedule_delivery_time: fields.c_octets("schedule_delivery_time", TIME_LIMIT)?,
            validity_period: fields.c_octets("validity_period", TIME_LIMIT)?,
            registered_delivery: RegisteredDelivery(fields.u8("registered_delivery")?),
            replace_if_present_flag: fields.u8("replace_if_present_flag")?,
            data_coding: DataCoding(fields.u8("data_coding")?),
            sm_default_msg_id: fields.u8("sm_default_msg_id")?,
            short_message: fields.short_message()?,
            tlvs: fields.tlvs_after_message()?,
        })
    }

    /// The user data: short_message, or message_payload when short_message is empty (SMPP 3.4 §5.3.2.32).
    pub fn user_data(&self) -> &Bytes {
        if self.short_message.is_empty() {
            self.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(&self.short_message)
        } else {
            &self.short_message
        }
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::SUBMIT_SM, sequence);
        writer.reserve(USUAL_LENGTH + self.short_message.len() + self.tlvs.wire_length());
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.address(&DESTINATION, &self.destination);
        writer.octets(&[self.esm_class.0, self.protocol_id, self.priority_flag]);
        writer.time("schedule_delivery_time", &self.schedule_delivery_time);
        writer.time("validity_period", &self.validity_period);
        writer.octets(&[
            self.registered_delivery.0,
            self.replace_if_present_flag,
            self.data_coding.0,
            self.sm_default_msg_id,
        ]);
        writer.short_message(&self.short_message);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}

/// The body of submit_sm_resp (SMPP 3.4 §4.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitSmResp {
    /// The id that the centre gave the message; `None` if there was no body (SMPP 3.4 §5.2.23).
    pub message_id: Option<COctets>,
    /// Optional parameters; none is defined here in 3.4 (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl SubmitSmResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<SubmitSmResp, Problem> {
        SubmitSmResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<SubmitSmResp, Problem> {
        let (message_id, tlvs) = message_id_response(body, status, reading)?;
        if status.is_ok() && message_id.as_ref().is_none_or(COctets::is_empty) {
            reading.forgive(Quirk::NoMessageId);
        }
        Ok(SubmitSmResp { message_id, tlvs })
    }

    /// Appends the response, or nothing if it cannot be written. Without an id an error response has no body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, CommandId::SUBMIT_SM_RESP, status, sequence);
        writer.message_id_response(self.message_id.as_ref(), &self.tlvs, status);
        writer.finish()
    }
}

/// Appends a submit_sm_resp without building one: 16 octets for an error without an id, else the id with its NUL.
///
/// Fails, and writes nothing, if the id has more than 64 octets or a NUL.
pub fn encode_resp(
    out: &mut BytesMut,
    sequence: u32,
    status: CommandStatus,
    message_id: &[u8],
) -> Result<(), EncodeError> {
    let mut writer = Writer::response(out, CommandId::SUBMIT_SM_RESP, status, sequence);
    if status.is_ok() || !message_id.is_empty() {
        writer.raw_c_octets("message_id", message_id, MESSAGE_ID_LIMIT);
    }
    writer.finish()
}
