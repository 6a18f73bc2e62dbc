//! replace_sm: put another text in place of one that waits (SMPP 3.4 §4.10). replace_sm_resp has no body.

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::SOURCE;
use crate::field::{Address, COctets, CommandId, RegisteredDelivery, Tag, Tlvs};
use crate::wire::{Fields, Lenience, MESSAGE_ID_LIMIT, Reading, TIME_LIMIT, Writer};

/// The body of replace_sm (SMPP 3.4 §4.10.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplaceSm {
    /// The message (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// The sender, which must be that of the submission (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// When to deliver, as it came; empty keeps the old time (SMPP 3.4 §5.2.15).
    pub schedule_delivery_time: COctets,
    /// Until when to try, as it came; empty keeps the old time (SMPP 3.4 §5.2.16).
    pub validity_period: COctets,
    /// Which receipts are wanted (SMPP 3.4 §5.2.17).
    pub registered_delivery: RegisteredDelivery,
    /// Number of a canned text, 0 for none (SMPP 3.4 §5.2.20).
    pub sm_default_msg_id: u8,
    /// The new user data, in the data_coding of the old (SMPP 3.4 §5.2.22).
    pub short_message: Bytes,
    /// Optional parameters; message_payload from 5.0 on (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl ReplaceSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<ReplaceSm, Problem> {
        ReplaceSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<ReplaceSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(ReplaceSm {
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            source: fields.address(&SOURCE)?,
            schedule_delivery_time: fields.c_octets("schedule_delivery_time", TIME_LIMIT)?,
            validity_period: fields.c_octets("validity_period", TIME_LIMIT)?,
            registered_delivery: RegisteredDelivery(fields.u8("registered_delivery")?),
            sm_default_msg_id: fields.u8("sm_default_msg_id")?,
            short_message: fields.short_message()?,
            tlvs: fields.tlvs_after_message()?,
        })
    }

    /// The user data: short_message, or message_payload when short_message is empty (SMPP 5.0 §4.5.3.1).
    pub fn user_data(&self) -> &Bytes {
        if self.short_message.is_empty() {
            self.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(&self.short_message)
        } else {
            &self.short_message
        }
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::REPLACE_SM, sequence);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.time("schedule_delivery_time", &self.schedule_delivery_time);
        writer.time("validity_period", &self.validity_period);
        writer.octets(&[self.registered_delivery.0, self.sm_default_msg_id]);
        writer.short_message(&self.short_message);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}
