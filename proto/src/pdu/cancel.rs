//! cancel_sm: take back what is not delivered yet (SMPP 3.4 §4.9). cancel_sm_resp has no body.

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::{DESTINATION, SOURCE};
use crate::field::{Address, COctets, CommandId, Tlvs};
use crate::wire::{Fields, Lenience, MESSAGE_ID_LIMIT, Reading, SERVICE_TYPE_LIMIT, Writer};

/// The body of cancel_sm (SMPP 3.4 §4.9.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancelSm {
    /// Narrows a cancellation by addresses, if it is not empty (SMPP 3.4 §5.2.11).
    pub service_type: COctets,
    /// The message; empty to cancel all that wait with these addresses (SMPP 3.4 §5.2.23).
    pub message_id: COctets,
    /// The sender, which must be that of the submission (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// The destination; may be empty if message_id is not (SMPP 3.4 §5.2.9).
    pub destination: Address,
    /// Optional parameters; none is defined here (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl CancelSm {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<CancelSm, Problem> {
        CancelSm::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<CancelSm, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(CancelSm {
            service_type: fields.c_octets("service_type", SERVICE_TYPE_LIMIT)?,
            message_id: fields.c_octets("message_id", MESSAGE_ID_LIMIT)?,
            source: fields.address(&SOURCE)?,
            destination: fields.address(&DESTINATION)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::CANCEL_SM, sequence);
        writer.c_octets("service_type", &self.service_type, SERVICE_TYPE_LIMIT);
        writer.c_octets("message_id", &self.message_id, MESSAGE_ID_LIMIT);
        writer.address(&SOURCE, &self.source);
        writer.address(&DESTINATION, &self.destination);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}
