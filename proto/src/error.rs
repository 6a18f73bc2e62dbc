//! What can be wrong with octets that come in, and with values that are to go out.
//!
//! Three kinds, by what can still be done: a [`FrameError`] ends the connection because the stream is out of step; a
//! [`BodyError`] keeps the header, so that the peer gets its answer and the session goes on; an [`EncodeError`] is
//! our own and leaves the buffer untouched. The parser library does not show in any of them.

use std::fmt;

pub use crate::frame::BodyError;

/// The stream cannot be cut into PDUs any further: answer generic_nack RINVCMDLEN and close (SMPP 3.4 §4.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// command_length is below the 16 octets of a header (SMPP 3.4 §3.2).
    TooShort {
        /// command_length as announced, in octets.
        length: u32,
        /// Sequence number, if all 16 octets of the header had come.
        sequence: Option<u32>,
    },
    /// command_length is above the ceiling of this connection.
    TooLong {
        /// command_length as announced, in octets.
        length: u32,
        /// The ceiling, in octets.
        limit: u32,
        /// Sequence number, if all 16 octets of the header had come.
        sequence: Option<u32>,
    },
}

impl FrameError {
    /// Sequence number for the generic_nack: that of the header if it was readable, else 0 (SMPP 3.4 §4.3.1).
    pub fn sequence(&self) -> u32 {
        match *self {
            FrameError::TooShort { sequence, .. } | FrameError::TooLong { sequence, .. } => {
                sequence.unwrap_or(0)
            }
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            FrameError::TooShort { length, .. } => write!(f, "command_length {length} is below 16"),
            FrameError::TooLong { length, limit, .. } => {
                write!(f, "command_length {length} is above the ceiling of {limit}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// Class of a fault in a PDU. The words of [`ProblemClass::as_str`] are those of the test vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemClass {
    /// command_length below 16 or above the ceiling.
    HeaderLength,
    /// command_id is of no known operation.
    HeaderCommandId,
    /// Fewer octets than command_length announces.
    PduIncomplete,
    /// No octet left where a field begins, or an integer cut off.
    BodyTruncated,
    /// A C-octet string has begun, and the body ends before its limit and without NUL.
    FieldUnterminated,
    /// No NUL within the limit of a C-octet string.
    FieldTooLong,
    /// A value with which the body cannot be read any further.
    ValueInvalid,
    /// Fewer octets left than sm_length.
    MsgLength,
    /// Stray octets after the last TLV, or a TLV that runs past the end.
    TlvStream,
    /// A TLV of a known tag with a length that the specification does not give it.
    TlvLength,
    /// Octets in a PDU without a body that are not a row of TLVs.
    BodyTrailing,
}

impl ProblemClass {
    /// The class as a fixed word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            ProblemClass::HeaderLength => "HEADER_LENGTH",
            ProblemClass::HeaderCommandId => "HEADER_COMMAND_ID",
            ProblemClass::PduIncomplete => "PDU_INCOMPLETE",
            ProblemClass::BodyTruncated => "BODY_TRUNCATED",
            ProblemClass::FieldUnterminated => "FIELD_UNTERMINATED",
            ProblemClass::FieldTooLong => "FIELD_TOO_LONG",
            ProblemClass::ValueInvalid => "VALUE_INVALID",
            ProblemClass::MsgLength => "MSG_LENGTH",
            ProblemClass::TlvStream => "TLV_STREAM",
            ProblemClass::TlvLength => "TLV_LENGTH",
            ProblemClass::BodyTrailing => "BODY_TRAILING",
        }
    }
}

impl fmt::Display for ProblemClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The figures behind a [`Problem`]; all counts are octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The class says it all.
    None,
    /// So many octets are needed, and so many are left.
    Needs {
        /// Octets that the field takes.
        octets: usize,
        /// Octets left in the body.
        left: usize,
    },
    /// No NUL within so many octets.
    NoNulWithin(usize),
    /// The value that cannot be read.
    Value(u32),
    /// So many octets are left over.
    Trailing(usize),
    /// A TLV announces a length that does not fit.
    TlvLength {
        /// Its tag.
        tag: u16,
        /// The length it announces.
        length: usize,
    },
}

/// The first fault found in a body, named as the specification names its fields (SMPP 3.4 §4).
///
/// `Problem::status` gives the command_status with which it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of fault it is.
    pub class: ProblemClass,
    /// Name of the field or TLV as in the specification; "tlv" for a TLV without a name.
    pub field: &'static str,
    /// Where the field begins, in octets from the start of the body.
    pub offset: usize,
    /// The figures.
    pub detail: Detail,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} at body octet {}", self.class, self.field, self.offset)?;
        match self.detail {
            Detail::None => Ok(()),
            Detail::Needs { octets, left } => write!(f, ": needs {octets} octets, {left} left"),
            Detail::NoNulWithin(limit) => write!(f, ": no NUL within {limit} octets"),
            Detail::Value(value) => write!(f, ": value {value}"),
            Detail::Trailing(octets) => write!(f, ": {octets} trailing octets"),
            Detail::TlvLength { tag, length } => write!(f, ": tag 0x{tag:04X} with length {length}"),
        }
    }
}

impl std::error::Error for Problem {}

/// A value that has no place on the wire (SMPP 3.4 §3.1). Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// More octets or entries than the field holds.
    TooLong {
        /// The field.
        field: &'static str,
        /// Octets or entries given, without a NUL.
        length: usize,
        /// Octets or entries that fit, without a NUL.
        limit: usize,
    },
    /// A time that is neither empty nor 16 characters (SMPP 3.4 §7.1.1).
    TimeLength {
        /// The field.
        field: &'static str,
        /// Octets given.
        length: usize,
    },
    /// NUL in a C-octet string.
    NulInside {
        /// The field.
        field: &'static str,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            EncodeError::TooLong { field, length, limit } => {
                write!(f, "{field} takes at most {limit}, not {length}")
            }
            EncodeError::TimeLength { field, length } => {
                write!(f, "{field} takes 0 or 16 octets, not {length}")
            }
            EncodeError::NulInside { field } => write!(f, "{field} has a NUL inside"),
        }
    }
}

impl std::error::Error for EncodeError {}
