//! PDUs: one operation a file, request and response together (SMPP 3.4 §4, SMPP 5.0 §4).
//!
//! Bodies are slices of the buffer into which the socket was read. Reading forgives what is known from the field and does
//! no harm ([`Lenience`]); writing forgives nothing. Sessions, windows and texts are not known here.

pub mod alert;
pub mod bind;
pub mod broadcast;
pub mod cancel;
pub mod data;
pub mod deliver;
pub mod multi;
pub mod query;
pub mod replace;
pub mod submit;

mod body;

use bytes::BytesMut;

use crate::error::EncodeError;
use crate::field::{CommandId, CommandStatus, Tlvs};

pub use crate::frame::{BodyError, Frame, Header};
pub use crate::wire::{Lenience, MESSAGE_ID_LIMIT, Quirk, Quirks, Reading, SERVICE_TYPE_LIMIT};
pub use alert::AlertNotification;
pub use bind::{Bind, BindKind, BindResp, Outbind, Password};
pub use body::Body;
pub use broadcast::{BroadcastResp, BroadcastSm, CancelBroadcastSm, QueryBroadcastSm};
pub use cancel::CancelSm;
pub use data::{DataSm, DataSmResp};
pub use deliver::{DeliverSm, DeliverSmResp};
pub use multi::{Destination, SubmitMulti, SubmitMultiResp, Unsuccessful};
pub use query::{QuerySm, QuerySmResp};
pub use replace::ReplaceSm;
pub use submit::{SubmitSm, SubmitSmResp};

impl Header {
    /// Notes what is odd in the header and always forgiven: a sequence number outside of 1–0x7FFFFFFF, except in a
    /// generic_nack, and a status in a request.
    pub fn note(&self, reading: &mut Reading) {
        if !(1..=0x7FFF_FFFF).contains(&self.sequence) && self.command != CommandId::GENERIC_NACK {
            reading.forgive(Quirk::SequenceRange);
        }
        if !self.status.is_ok() && !self.command.is_response() {
            reading.forgive(Quirk::StatusInRequest);
        }
    }
}

/// A whole PDU. command_length and command_id follow from the body (SMPP 3.4 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// command_status as it came; requests are written with 0 whatever stands here (SMPP 3.4 §5.1.3).
    pub status: CommandStatus,
    /// sequence_number, bit for bit (SMPP 3.4 §5.1.4).
    pub sequence: u32,
    /// Everything behind the header.
    pub body: Body,
}

impl Pdu {
    /// A request.
    pub fn request(sequence: u32, body: Body) -> Pdu {
        Pdu { status: CommandStatus::ROK, sequence, body }
    }

    /// A response.
    pub fn response(sequence: u32, status: CommandStatus, body: Body) -> Pdu {
        Pdu { status, sequence, body }
    }

    /// An enquire_link without parameters.
    pub fn enquire_link(sequence: u32) -> Pdu {
        Pdu::request(sequence, Body::EnquireLink(Tlvs::EMPTY))
    }

    /// An unbind without parameters.
    pub fn unbind(sequence: u32) -> Pdu {
        Pdu::request(sequence, Body::Unbind(Tlvs::EMPTY))
    }

    /// The command of the PDU.
    pub const fn command(&self) -> CommandId {
        self.body.command()
    }

    /// Reads a frame tolerantly. An unknown command is a problem of class HEADER_COMMAND_ID.
    pub fn decode(frame: Frame) -> Result<Pdu, BodyError> {
        Pdu::decode_with(frame, Lenience::DEFAULT)
    }

    /// Reads a frame as the specification wants it.
    pub fn decode_strict(frame: Frame) -> Result<Pdu, BodyError> {
        Pdu::decode_with(frame, Lenience::STRICT)
    }

    /// Reads a frame with the given lenience.
    pub fn decode_with(frame: Frame, lenience: Lenience) -> Result<Pdu, BodyError> {
        Pdu::decode_noting(frame, &mut Reading::new(lenience))
    }

    /// Reads a frame with the lenience of `reading`, which notes what it forgave, in the header too.
    pub fn decode_noting(frame: Frame, reading: &mut Reading) -> Result<Pdu, BodyError> {
        let Frame { header, body } = frame;
        header.note(reading);
        match Body::decode(header.command, header.status, body, reading) {
            Ok(body) => Ok(Pdu { status: header.status, sequence: header.sequence, body }),
            Err(problem) => Err(BodyError { header, problem }),
        }
    }

    /// Appends the PDU. Fails, and leaves the buffer as it was, if a field has no place on the wire.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.body.encode(out, self.status, self.sequence)
    }
}

/// Appends a PDU of 16 octets: enquire_link and its response, unbind, generic_nack, or any error response.
pub fn encode_empty(out: &mut BytesMut, command: CommandId, status: CommandStatus, sequence: u32) {
    let length = 16;
    Header { length, command, status, sequence }.write(out);
}
