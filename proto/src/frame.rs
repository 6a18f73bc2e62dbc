//! The header of 16 octets, and a PDU that is cut from the stream but not read yet (SMPP 3.4 §3.2).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use nom::number::complete::be_u32;
use nom::{IResult, Parser};

use crate::error::{Problem, ProblemClass};
use crate::field::octets::Fault;
use crate::field::{CommandId, CommandStatus};

/// The header of a PDU (SMPP 3.4 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// command_length: octets of the whole PDU, these 16 included.
    pub length: u32,
    /// command_id.
    pub command: CommandId,
    /// command_status; means nothing in a request (SMPP 3.4 §5.1.3).
    pub status: CommandStatus,
    /// sequence_number; echoed bit for bit, also outside of 1–0x7FFFFFFF (SMPP 3.4 §5.1.4).
    pub sequence: u32,
}

impl Header {
    /// Octets of a header.
    pub const LENGTH: usize = 16;

    /// Reads a header from the first 16 octets; `None` if there are fewer. Judges nothing.
    pub fn read(octets: &[u8]) -> Option<Header> {
        header(octets).ok().map(|(_, header)| header)
    }

    /// Appends the header.
    pub fn write(&self, out: &mut BytesMut) {
        let mut octets = [0; Header::LENGTH];
        let fields = [self.length, self.command.0, self.status.0, self.sequence];
        for (place, field) in octets.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        out.put_slice(&octets);
    }
}

/// `header = command_length command_id command_status sequence_number`, four octets each.
fn header(input: &[u8]) -> IResult<&[u8], Header, Fault> {
    (be_u32, be_u32, be_u32, be_u32)
        .map(|(length, command, status, sequence)| Header {
            length,
            command: CommandId(command),
            status: CommandStatus(status),
            sequence,
        })
        .parse(input)
}

/// A PDU with its body unread: a slice of the buffer into which the socket was read (SMPP 3.4 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The header.
    pub header: Header,
    /// Everything behind the header, command_length − 16 octets.
    pub body: Bytes,
}

/// A frame whose body cannot be read. The framing is sound, so it is answered and the session goes on.
/// SMPP 3.4 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyError {
    /// The header of the frame.
    pub header: Header,
    /// The first fault.
    pub problem: Problem,
}

impl BodyError {
    /// The PDU with which the fault is answered: generic_nack for an unknown command, else the response of the
    /// operation; `None` for a response, outbind and alert_notification, which are never answered (SMPP 3.4 §4.3).
    pub fn answer(&self) -> Option<(CommandId, CommandStatus)> {
        let command = self.header.command;
        if command.is_response() {
            None
        } else if self.problem.class == ProblemClass::HeaderCommandId {
            Some((CommandId::GENERIC_NACK, self.problem.status()))
        } else if command.has_response() {
            Some((command.response(), self.problem.status()))
        } else {
            None
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, sequence {}: {}", self.header.command, self.header.sequence, self.problem)
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    fn fault(command: CommandId, class: ProblemClass) -> BodyError {
        let header = Header { length: 16, command, status: CommandStatus::ROK, sequence: 7 };
        BodyError { header, problem: Problem { class, field: "message_id", offset: 0, detail: Detail::None } }
    }

    #[test]
    fn the_header_is_four_big_endian_integers() {
        let octets = b"\0\0\0\x10\x80\0\0\x15\0\0\0\x58\xFE\xDC\xBA\x98";
        let header = Header::read(octets).unwrap();
        assert_eq!(header.command, CommandId::ENQUIRE_LINK_RESP);
        assert_eq!(header.status, CommandStatus::RTHROTTLED);
        assert_eq!((header.length, header.sequence), (16, 0xFEDC_BA98));
        let mut out = BytesMut::new();
        header.write(&mut out);
        assert_eq!(&out[..], octets);
        assert_eq!(Header::read(octets.split_at(15).0), None);
    }

    #[test]
    fn a_fault_is_answered_in_kind() {
        let answer = |command, class| fault(command, class).answer();
        assert_eq!(
            answer(CommandId::QUERY_SM, ProblemClass::FieldTooLong),
            Some((CommandId::QUERY_SM_RESP, CommandStatus::RINVMSGID))
        );
        assert_eq!(
            answer(CommandId(0x99), ProblemClass::HeaderCommandId),
            Some((CommandId::GENERIC_NACK, CommandStatus::RINVCMDID))
        );
        assert_eq!(answer(CommandId(0x8000_0099), ProblemClass::HeaderCommandId), None);
        assert_eq!(answer(CommandId::SUBMIT_SM_RESP, ProblemClass::BodyTruncated), None);
        assert_eq!(answer(CommandId::ALERT_NOTIFICATION, ProblemClass::BodyTruncated), None);
    }
}
