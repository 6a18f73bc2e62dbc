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
/// SMPP 3.4 §5.3.2.32.
pub const DEFAULT_MAX_LENGTH: u32 = 66 * 1024;

/// Shortest command_length: a header alone, in octets (SMPP 3.4 §5.1.1).
pub const MIN_LENGTH: u32 = 16;

/// Cuts frames off a buffer (SMPP 3.4 §3.2).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::CommandId;
    use crate::pdu::{Body, encode_empty};

    fn stream(octets: &[u8]) -> BytesMut {
        BytesMut::from(octets)
    }

    #[test]
    fn a_length_is_refused_from_its_four_octets() {
        let codec = FrameCodec::default();
        assert_eq!(
            codec.cut(&mut stream(&[0, 0, 0, 15])),
            Err(FrameError::TooShort { length: 15, sequence: None })
        );
        assert_eq!(
            codec.cut(&mut stream(b"GET / HTTP/1.1\r\n\r\n")),
            Err(FrameError::TooLong {
                length: 0x4745_5420,
                limit: DEFAULT_MAX_LENGTH,
                sequence: Some(0x2E31_0D0A)
            })
        );
        assert_eq!(codec.cut(&mut stream(&[0xFF, 0xFF, 0xFF])), Ok(None));
    }

    #[test]
    fn the_ceiling_itself_is_taken() {
        let mut octets = vec![0; 32];
        octets[3] = 32;
        let exact = FrameCodec::new(32).cut(&mut stream(&octets)).unwrap().unwrap();
        assert_eq!(exact.body.len(), 16);
        assert!(FrameCodec::new(31).cut(&mut stream(&octets)).is_err());
    }

    #[test]
    fn what_is_not_whole_stays_in_the_buffer() {
        let mut out = BytesMut::new();
        encode_empty(&mut out, CommandId::ENQUIRE_LINK, crate::CommandStatus::ROK, 7);
        let whole = out.clone();
        out.truncate(15);
        assert_eq!(FrameCodec::default().cut(&mut out), Ok(None));
        assert_eq!(out.len(), 15);
        out.extend_from_slice(&whole[15..]);
        let frame = FrameCodec::default().cut(&mut out).unwrap().unwrap();
        assert_eq!((frame.header.sequence, out.len()), (7, 0));
    }

    #[test]
    fn bodies_are_slices_of_the_buffer() {
        let mut buffer =
            stream(b"\0\0\0\x34\x80\0\0\x04\0\0\0\0\0\0\0\x01an id that is too long to stay here\0");
        let place = buffer.as_ptr().wrapping_add(16);
        let frame = FrameCodec::default().cut(&mut buffer).unwrap().unwrap();
        assert_eq!(frame.body.as_ptr(), place);
        let Ok(Pdu { body: Body::SubmitSmResp(resp), .. }) = Pdu::decode(frame) else {
            panic!("not a submit_sm_resp");
        };
        assert_eq!(resp.message_id.unwrap().as_bytes().as_ptr(), place);
    }

    #[test]
    fn the_codec_traits_cut_and_write_the_same() {
        let mut codec = FrameCodec::default();
        let mut buffer = BytesMut::new();
        codec.encode(Pdu::enquire_link(9), &mut buffer).unwrap();
        codec.encode(&Pdu::unbind(10), &mut buffer).unwrap();
        let first = codec.decode(&mut buffer).unwrap().unwrap();
        assert_eq!(Pdu::decode(first), Ok(Pdu::enquire_link(9)));
        let last = codec.decode_eof(&mut buffer).unwrap().unwrap();
        assert_eq!(last.header.command, CommandId::UNBIND);
        assert!(codec.decode_eof(&mut stream(&[0, 0])).is_err());
    }
}
