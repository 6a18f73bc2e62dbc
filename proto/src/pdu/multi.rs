//! submit_multi and submit_multi_resp: one message to many destinations (SMPP 3.4 §4.5).

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::{DESTINATION, SOURCE};
use crate::field::{
    Address, COctets, CommandId, CommandStatus, DataCoding, EsmClass, RegisteredDelivery, Tag, Tlvs,
};
use crate::wire::{
    Fields, Lenience, MESSAGE_ID_LIMIT, Quirk, Reading, SERVICE_TYPE_LIMIT, TIME_LIMIT, USUAL_LENGTH, Writer,
    response,
};

/// Limit of dl_name, in octets with the NUL (SMPP 3.4 §5.2.27).
pub const DL_NAME_LIMIT: usize = 21;

/// Destinations that the count has room for. 3.4 allows 254, 5.0 allows 255 (SMPP 3.4 §5.2.24).
pub const DESTINATIONS_LIMIT: usize = 255;

/// Octets of the shortest dest_address, and below those of the shortest unsuccess_sme.
const SHORTEST_DESTINATION: usize = 2;

const FLAG_ADDRESS: u8 = 1;
const FLAG_LIST: u8 = 2;

/// One destination of a submit_multi (SMPP 3.4 §4.5.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An address, dest_flag 1.
    Address(Address),
    /// The name of a distribution list, dest_flag 2.
    List(COctets),
}

/// The body of submit_multi (SMPP 3.4 §4.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitMulti {
    /// Which service the message belongs to; empty for the default (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The sender (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// Where the message goes, at most 255 of them. The list may be empty when it was read, which is a matter for
    /// RINVNUMDESTS (SMPP 3.4 §5.2.24).
    pub destinations: Vec<Destination>,
    /// Mode, type and GSM features (SMPP 3.4 §5.2.12).
    pub esm_class: EsmClass,
    /// GSM TP-PID (SMPP 3.4 §5.2.13).
    pub protocol_id: u8,
    /// Priority: 0–3 in 3.4, 0–4 in 5.0 (SMPP 3.4 §5.2.14).
    pub priority_flag: u8,
    /// When to deliver, as it came (SMPP 3.4 §5.2.15).
    pub schedule_delivery_time: COctets,
    /// Until when to try, as it came (SMPP 3.4 §5.2.16).
    pub validity_period: COctets,
    /// Which receipts are wanted (SMPP 3.4 §5.2.17).
    pub registered_delivery: RegisteredDelivery,
    /// Reserved in 3.4, which sets it to 0 (SMPP 3.4 §5.2.18).
    pub replace_if_present_flag: u8,
    /// Alphabet and class (SMPP 3.4 §5.2.19).
    pub data_coding: DataCoding,
    /// Number of a canned text, 0 for none (SMPP 3.4 §5.2.20).
    pub sm_default_msg_id: u8,
    /// User data, at most 255 octets (254 in 3.4) (SMPP 3.4 §5.2.22).
    pub short_message: Bytes,
    /// Optional parameters (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl SubmitMulti {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<SubmitMulti, Problem> {
        SubmitMulti::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<SubmitMulti, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(SubmitMulti {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            source: fields.address(&SOURCE)?,
            destinations: destinations(&mut fields)?,
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

    /// The user data: short_message, or message_payload when short_message is empty.
    pub fn user_data(&self) -> &Bytes {
        if self.short_message.is_empty() {
            self.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(&self.short_message)
        } else {
            &self.short_message
        }
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::SUBMIT_MULTI, sequence);
        writer.reserve(USUAL_LENGTH + self.short_message.len() + self.destinations.len() * 24);
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.count("number_of_dests", self.destinations.len());
        for destination in &self.destinations {
            match destination {
                Destination::Address(address) => {
                    writer.u8(FLAG_ADDRESS);
                    writer.address(&DESTINATION, address);
                }
                Destination::List(name) => {
                    writer.u8(FLAG_LIST);
                    writer.c_octets("dl_name", name, DL_NAME_LIMIT);
                }
            }
        }
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

/// `number_of_dests *dest_address`
fn destinations(fields: &mut Fields<'_>) -> Result<Vec<Destination>, Problem> {
    let count = usize::from(fields.u8("number_of_dests")?);
    // A count alone must not make us allocate: no more than the body has room for.
    let mut destinations = Vec::with_capacity(count.min(fields.left() / SHORTEST_DESTINATION));
    for _ in 0..count {
        let is_list = fields.choice("dest_flag", |flag| match flag {
            FLAG_ADDRESS => Some(false),
            FLAG_LIST => Some(true),
            _ => None,
        })?;
        destinations.push(if is_list {
            Destination::List(fields.c_octets("dl_name", DL_NAME_LIMIT)?)
        } else {
            Destination::Address(fields.address(&DESTINATION)?)
        });
    }
    Ok(destinations)
}

/// A destination that was not accepted, and why (SMPP 3.4 §4.5.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuccessful {
    /// The destination (SMPP 3.4 §5.2.9).
    pub destination: Address,
    /// Why (SMPP 3.4 §5.1.3).
    pub status: CommandStatus,
}

/// The body of submit_multi_resp (SMPP 3.4 §4.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmitMultiResp {
    /// The one id of the whole submission; `None` if there was no body (SMPP 3.4 §5.2.23).
    pub message_id: Option<COctets>,
    /// The destinations that were not accepted, at most 255 (SMPP 3.4 §5.2.26).
    pub unsuccessful: Vec<Unsuccessful>,
    /// Optional parameters; from 5.0 (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl SubmitMultiResp {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes, status: CommandStatus) -> Result<SubmitMultiResp, Problem> {
        SubmitMultiResp::decode_with(body, status, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(
        body: Bytes,
        status: CommandStatus,
        reading: &mut Reading,
    ) -> Result<SubmitMultiResp, Problem> {
        response(body, status, reading, |mut fields| {
            Ok(SubmitMultiResp {
                message_id: Some(fields.c_octets("message_id", MESSAGE_ID_LIMIT)?),
                unsuccessful: unsuccessful(&mut fields)?,
                tlvs: fields.tlvs_of_response()?,
            })
        })
    }

    /// Appends the response, or nothing if it cannot be written. Without an id and failures an error response has no
    /// body.
    pub fn encode(
        &self,
        out: &mut BytesMut,
        status: CommandStatus,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::response(out, CommandId::SUBMIT_MULTI_RESP, status, sequence);
        let bare = self.message_id.is_none() && self.unsuccessful.is_empty() && self.tlvs.is_empty();
        if !bare || status.is_ok() {
            let message_id = self.message_id.as_ref().map_or(&[][..], COctets::as_bytes);
            writer.raw_c_octets("message_id", message_id, MESSAGE_ID_LIMIT);
            writer.count("no_unsuccess", self.unsuccessful.len());
            for failure in &self.unsuccessful {
                writer.address(&DESTINATION, &failure.destination);
                writer.u32(failure.status.0);
            }
            writer.tlvs(&self.tlvs);
        }
        writer.finish()
    }
}

/// `no_unsuccess *unsuccess_sme`; the count may be missing where that is forgiven.
fn unsuccessful(fields: &mut Fields<'_>) -> Result<Vec<Unsuccessful>, Problem> {
    if fields.is_at_end() && fields.forgive(Quirk::ShortResponse) {
        return Ok(Vec::new());
    }
    let count = usize::from(fields.u8("no_unsuccess")?);
    let mut list = Vec::with_capacity(count.min(fields.left() / SHORTEST_DESTINATION));
    for _ in 0..count {
        let destination = fields.address(&DESTINATION)?;
        let status = CommandStatus(fields.u32("error_status_code")?);
        list.push(Unsuccessful { destination, status });
    }
    Ok(list)
}
