//! Cuts a stream of octets into frames by their command_length, and refuses a bad one at once (SMPP 3.4 §3.2).
//!
//! Bodies are not read here: a body that is broken does not break the stream.

use std::{fmt, io};

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::error::{EncodeError, FrameError};
use crate::frame::{Frame, Header};
use crate::pdu::Pdu;

/// Default ceiling of command_length, in octets: 66 KiB, which holds a submit_sm with the longest message_payload.
pub const DEFAULT_MAX_LENGTH: u32 = 66 * 1024;

/// Shortest command_length: a header alone, in octets.
pub const MIN_LENGTH: u32 = 16;

/// Cuts frames off a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCodec {
    /// Ceiling of command_length, in octets.
    pub max_length: u32,
}

impl Default for FrameCodec {
    fn default() -> FrameCodec {
        FrameCodec { max_length: DEFAULT_MAX_LENGTH }
    }
}

impl FrameCodec {
    /// A codec with this ceiling of command_length, in octets.
    pub const fn new(max_length: u32) -> FrameCodec {
        FrameCodec { max_length }
    }

    /// Cuts the first frame off the buffer without copying it; `None` if it is not there as a whole yet.
    ///
    /// A command_length below 16 or above the ceiling is refused as soon as its four octets are there. The buffer is
    /// then left as it is; nothing behind that point can be trusted.
    pub fn cut(&self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(length) = buffer.first_chunk().map(|octets| u32::from_be_bytes(*octets)) else {
            return Ok(None);
        };
        if length < MIN_LENGTH || length > self.max_length {
            return Err(self.refuse(length, buffer));
        }
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        if buffer.len() < whole {
            return Ok(None);
        }
        let Some(header) = Header::read(buffer) else {
            return Ok(None);
        };
        buffer.advance(Header::LENGTH);
        let body = match whole - Header::LENGTH {
            0 => Bytes::new(),
            rest => buffer.split_to(rest).freeze(),
        };
        Ok(Some(Frame { header, body }))
    }

    #[cold]
    fn refuse(&self, length: u32, buffer: &BytesMut) -> FrameError {
        let sequence = Header::read(buffer).map(|header| header.sequence);
        if length < MIN_LENGTH {
            FrameError::TooShort { length, sequence }
        } else {
            FrameError::TooLong { length, limit: self.max_length, sequence }
        }
    }
}

/// What can happen to a framed socket.
#[derive(Debug)]
pub enum CodecError {
    /// The stream is out of step.
    Frame(FrameError),
    /// A PDU of our own cannot be written.
    Encode(EncodeError),
    /// The socket.
    Io(io::Error),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodecError::Frame(error) => error.fmt(f),
            CodecError::Encode(error) => error.fmt(f),
            CodecError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CodecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            CodecError::Frame(error) => error,
            CodecError::Encode(error) => error,
            CodecError::Io(error) => error,
        })
    }
}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> CodecError {
        CodecError::Io(error)
    }
}

impl From<FrameError> for CodecError {
    fn from(error: FrameError) -> CodecError {
        CodecError::Frame(error)
    }
}

impl From<EncodeError> for CodecError {
    fn from(error: EncodeError) -> CodecError {
        CodecError::Encode(error)
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        Ok(self.cut(buffer)?)
    }
}

impl Encoder<&Pdu> for FrameCodec {
    type Error = CodecError;

    fn encode(&mut self, pdu: &Pdu, buffer: &mut BytesMut) -> Result<(), CodecError> {
        Ok(pdu.encode(buffer)?)
    }
}

impl Encoder<Pdu> for FrameCodec {
    type Error = CodecError;

    fn encode(&mut self, pdu: Pdu, buffer: &mut BytesMut) -> Result<(), CodecError> {
        Ok(pdu.encode(buffer)?)
    }
}
