//! Writes a PDU: remembers the first fault and, when there was one, takes back everything it wrote.

use bytes::{BufMut, BytesMut};

use super::MESSAGE_ID_LIMIT;
use crate::error::EncodeError;
use crate::field::address::AddressFields;
use crate::field::time::TIME_LENGTH;
use crate::field::tlv::TLV_VALUE_LIMIT;
use crate::field::{Address, COctets, CommandId, CommandStatus, Tlvs};
use crate::frame::Header;

/// Writes one PDU. The first fault is kept; [`Writer::finish`] then takes back what was written.
pub(crate) struct Writer<'a> {
    out: &'a mut BytesMut,
    start: usize,
    fault: Option<EncodeError>,
}

impl<'a> Writer<'a> {
    /// Begins a request; its status is 0.
    pub(crate) fn request(out: &'a mut BytesMut, command: CommandId, sequence: u32) -> Writer<'a> {
        Writer::response(out, command, CommandStatus::ROK, sequence)
    }

    pub(crate) fn response(
        out: &'a mut BytesMut,
        command: CommandId,
        status: CommandStatus,
        sequence: u32,
    ) -> Writer<'a> {
        let start = out.len();
        Header { length: 0, command, status, sequence }.write(out);
        Writer { out, start, fault: None }
    }

    /// Asks the buffer once for what is to come.
    pub(crate) fn reserve(&mut self, octets: usize) {
        self.out.reserve(octets);
    }

    #[cold]
    fn fail(&mut self, fault: EncodeError) {
        self.fault.get_or_insert(fault);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.out.put_u8(value);
    }

    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.out.put_slice(octets);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.out.put_u32(value);
    }

    /// A C-octet string of at most `limit` octets with its NUL.
    pub(crate) fn c_octets(&mut self, field: &'static str, text: &COctets, limit: usize) {
        let length = text.len();
        if length >= limit {
            self.fail(EncodeError::TooLong { field, length, limit: limit - 1 });
            return;
        }
        self.out.put_slice(text.as_bytes());
        self.out.put_u8(0);
    }

    /// Octets that are to become a C-octet string.
    pub(crate) fn raw_c_octets(&mut self, field: &'static str, text: &[u8], limit: usize) {
        if text.len() >= limit {
            self.fail(EncodeError::TooLong { field, length: text.len(), limit: limit - 1 });
        } else if text.contains(&0) {
            self.fail(EncodeError::NulInside { field });
        } else {
            self.out.put_slice(text);
            self.out.put_u8(0);
        }
    }

    /// A time: empty or 16 characters.
    pub(crate) fn time(&mut self, field: &'static str, text: &COctets) {
        if !text.is_empty() && text.len() != TIME_LENGTH {
            self.fail(EncodeError::TimeLength { field, length: text.len() });
            return;
        }
        self.out.put_slice(text.as_bytes());
        self.out.put_u8(0);
    }

    pub(crate) fn address(&mut self, fields: &AddressFields, address: &Address) {
        self.out.put_slice(&[address.ton.0, address.npi.0]);
        self.c_octets(fields.digits, &address.digits, fields.limit);
    }

    /// The body that most responses have: message_id and TLVs. Without an id an error response has no body, and a
    /// good one an empty id, because a body is due there.
    pub(crate) fn message_id_response(
        &mut self,
        message_id: Option<&COctets>,
        tlvs: &Tlvs,
        status: CommandStatus,
    ) {
        if let Some(message_id) = message_id {
            self.c_octets("message_id", message_id, MESSAGE_ID_LIMIT);
        } else if status.is_ok() || !tlvs.is_empty() {
            self.u8(0);
        }
        self.tlvs(tlvs);
    }

    /// A count of one octet.
    pub(crate) fn count(&mut self, field: &'static str, entries: usize) {
        match u8::try_from(entries) {
            Ok(count) => self.out.put_u8(count),
            Err(_) => self.fail(EncodeError::TooLong { field, length: entries, limit: 255 }),
        }
    }

    /// sm_length and short_message.
    pub(crate) fn short_message(&mut self, message: &[u8]) {
        self.count("short_message", message.len());
        self.out.put_slice(message);
    }

    pub(crate) fn tlvs(&mut self, tlvs: &Tlvs) {
        if let Some(tlv) = tlvs.iter().find(|tlv| tlv.value.len() > TLV_VALUE_LIMIT) {
            let field = tlv.tag.name().unwrap_or("tlv");
            self.fail(EncodeError::TooLong { field, length: tlv.value.len(), limit: TLV_VALUE_LIMIT });
            return;
        }
        tlvs.encode(self.out);
    }

    /// Puts command_length in its place.
    pub(crate) fn finish(mut self) -> Result<(), EncodeError> {
        let length = self.out.len() - self.start;
        match (u32::try_from(length), self.out.get_mut(self.start..self.start + 4)) {
            (Ok(length), Some(place)) => place.copy_from_slice(&length.to_be_bytes()),
            _ => {
                self.fail(EncodeError::TooLong { field: "command_length", length, limit: u32::MAX as usize });
            }
        }
        match self.fault {
            None => Ok(()),
            Some(fault) => {
                self.out.truncate(self.start);
                Err(fault)
            }
        }
    }
}
