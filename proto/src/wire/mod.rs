//! One body, read and written field by field in the order of the specification; knows no PDU.

mod fields;
mod lenience;
mod quirk;
mod writer;

use crate::field::time::TIME_LENGTH;

pub(crate) use fields::{Fields, bare_tlvs, message_id_response, response};
pub use lenience::{Lenience, Reading};
pub use quirk::{Quirk, Quirks};
pub(crate) use writer::Writer;

/// Limit of message_id, in octets with the NUL (SMPP 3.4 §5.2.23).
pub const MESSAGE_ID_LIMIT: usize = 65;

/// What is read of a string that is known to come longer than its limit, in octets with the NUL.
pub(crate) const LONG_LIMIT: usize = 257;

/// Limit of service_type, in octets with the NUL (SMPP 3.4 §5.2.11).
pub const SERVICE_TYPE_LIMIT: usize = 6;

/// Limit of a time, in octets with the NUL (SMPP 3.4 §7.1.1).
pub(crate) const TIME_LIMIT: usize = TIME_LENGTH + 1;

/// Octets of the mandatory fields of most PDUs with their header; asked of the buffer at once.
pub(crate) const USUAL_LENGTH: usize = 128;
