//! The SMPP and GSM documents as code.
//!
//! PDUs of SMPP 3.3, 3.4 and 5.0 are cut from a stream ([`codec`]), read into types ([`pdu`], [`field`]), judged
//! ([`rules`]) and written back; [`text`] is what they carry, [`session`] who may say what when. No socket, no clock, no
//! log, and nothing of what a gateway decides.
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod codec;
pub mod error;
pub mod field;
pub mod pdu;
pub mod rules;
pub mod session;
pub mod text;

mod frame;
mod wire;

pub use codec::FrameCodec;
pub use error::{BodyError, EncodeError, FrameError, Problem, ProblemClass};
pub use field::{Address, COctets, CommandId, CommandStatus, SmppTime, Tag, Tlv, TlvValue, Tlvs};
pub use pdu::{Body, Frame, Header, Lenience, Pdu, Quirk, Quirks, Reading};
