//! One body, read and written field by field in the order of the specification; knows no PDU.

mod fields;
mod writer;

use crate::field::time::TIME_LENGTH;

pub(crate) use fields::{Fields, bare_tlvs, message_id_response, response};
pub(crate) use writer::Writer;

/// Which departures from the specification a reader forgives. Each is known from the field; writing forgives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenience {
    /// password may have up to 256 octets instead of 8.
    pub long_password: bool,
    /// address_range may be missing at the end of a bind: read as empty.
    pub missing_address_range: bool,
    /// One zero octet behind short_message, with nothing after it, is dropped.
    pub nul_after_message: bool,
    /// deliver_sm: a broken row of TLVs is read as far as it goes, unless the text itself is in the broken one.
    pub half_tlv: bool,
    /// Octets in a PDU that has no body are dropped.
    pub stray_octets: bool,
    /// Responses are read as far as they go: no body in spite of status 0, a last string without NUL, a bind
    /// response's system_id over its limit, a broken row of TLVs; and any body behind an error status.
    pub loose_response: bool,
    /// C-octet strings may be one octet over their limit.
    pub one_over: bool,
}

impl Lenience {
    /// Forgives nothing.
    pub const STRICT: Lenience = Lenience {
        long_password: false,
        missing_address_range: false,
        nul_after_message: false,
        half_tlv: false,
        stray_octets: false,
        loose_response: false,
        one_over: false,
    };

    /// The default: forgives what does no harm. Strings over the limit stay refused.
    pub const TOLERANT: Lenience = Lenience {
        long_password: true,
        missing_address_range: true,
        nul_after_message: true,
        half_tlv: true,
        stray_octets: true,
        loose_response: true,
        one_over: false,
    };
}

impl Default for Lenience {
    fn default() -> Lenience {
        Lenience::TOLERANT
    }
}

/// Limit of message_id, in octets with the NUL (SMPP 3.4 §5.2.23).
pub const MESSAGE_ID_LIMIT: usize = 65;

/// Limit of service_type, in octets with the NUL (SMPP 3.4 §5.2.11).
pub const SERVICE_TYPE_LIMIT: usize = 6;

/// Limit of a time, in octets with the NUL (SMPP 3.4 §7.1.1).
pub(crate) const TIME_LIMIT: usize = TIME_LENGTH + 1;

/// Octets of the mandatory fields of most PDUs with their header; asked of the buffer at once.
pub(crate) const USUAL_LENGTH: usize = 128;
