//! The SMPP and GSM documents as code.
//!
//! No socket, no clock, no log, and nothing of what a gateway decides.

pub mod error;
pub mod field;

mod frame;

pub use error::{BodyError, EncodeError, FrameError, Problem, ProblemClass};
pub use field::{Address, COctets, CommandId, CommandStatus, SmppTime, Tag, Tlv, Tlvs};
pub use frame::{Frame, Header};
