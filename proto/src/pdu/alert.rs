//! alert_notification: a subscriber is within reach again (SMPP 3.4 §4.12). It is never answered.

use bytes::{Bytes, BytesMut};

use crate::error::{EncodeError, Problem};
use crate::field::address::{ESME, LONG_SOURCE};
use crate::field::{Address, CommandId, Tlvs};
use crate::wire::{Fields, Lenience, Reading, Writer};

/// The body of alert_notification (SMPP 3.4 §4.12.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertNotification {
    /// The subscriber; up to 64 octets here (SMPP 3.4 §5.2.8).
    pub source: Address,
    /// The ESME that wanted to know; up to 64 octets here (SMPP 3.4 §5.2.10).
    pub esme: Address,
    /// Optional parameters: ms_availability_status (SMPP 3.4 §5.3).
    pub tlvs: Tlvs,
}

impl AlertNotification {
    /// Reads a body tolerantly.
    pub fn decode(body: Bytes) -> Result<AlertNotification, Problem> {
        AlertNotification::decode_with(body, &mut Reading::new(Lenience::DEFAULT))
    }

    /// Reads a body with the lenience of `reading`, which notes what it forgave.
    pub fn decode_with(body: Bytes, reading: &mut Reading) -> Result<AlertNotification, Problem> {
        let mut fields = Fields::of(body, reading);
        Ok(AlertNotification {
            source: fields.address(&LONG_SOURCE)?,
            esme: fields.address(&ESME)?,
            tlvs: fields.tlvs()?,
        })
    }

    /// Appends the request, or nothing if it cannot be written.
    pub fn encode(&self, out: &mut BytesMut, sequence: u32) -> Result<(), EncodeError> {
        let mut writer = Writer::request(out, CommandId::ALERT_NOTIFICATION, sequence);
        writer.address(&LONG_SOURCE, &self.source);
        writer.address(&ESME, &self.esme);
        writer.tlvs(&self.tlvs);
        writer.finish()
    }
}
