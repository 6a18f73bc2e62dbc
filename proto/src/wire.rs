//! One body, read and written field by field in the order of the specification; knows no PDU.
//!
//! The reader gives slices of the body and stops at the first fault. The writer remembers the first fault and, when
//! there was one, takes back everything it wrote.

use bytes::{BufMut, Bytes, BytesMut};
use nom::number::complete::{be_u8, be_u32};

use crate::error::{Detail, EncodeError, Problem, ProblemClass};
use crate::field::address::AddressFields;
use crate::field::octets::{Fault, c_octet_string};
use crate::field::time::TIME_LENGTH;
use crate::field::tlv::TLV_VALUE_LIMIT;
use crate::field::{Address, COctets, CommandId, CommandStatus, Npi, Tag, Tlvs, Ton};
use crate::frame::Header;

/// Which departures from the specification a reader forgives. Each is known from the field; writing forgives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenience {
    /// password and, in bind responses, system_id may have up to 256 octets instead of 8 and 15.
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

/// Reads the fields of one body.
pub(crate) struct Fields<'a> {
    body: &'a Bytes,
    rest: &'a [u8],
    pub(crate) lenience: Lenience,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: &'a Bytes, lenience: Lenience) -> Fields<'a> {
        Fields { body, rest: body, lenience }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// A place to go back to, so that a problem names the octet at which its field begins.
    pub(crate) fn mark(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn back_to(&mut self, mark: &'a [u8]) {
        self.rest = mark;
    }

    #[cold]
    pub(crate) fn problem(&self, class: ProblemClass, field: &'static str, detail: Detail) -> Problem {
        Problem { class, field, offset: self.body.len() - self.rest.len(), detail }
    }

    fn share(&self, octets: &[u8]) -> Bytes {
        if octets.is_empty() { Bytes::new() } else { self.body.slice_ref(octets) }
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, Problem> {
        match be_u8::<_, Fault>(self.rest) {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(_) => Err(self.truncated(field, 1)),
        }
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, Problem> {
        match be_u32::<_, Fault>(self.rest) {
            Ok((rest, value)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(_) => Err(self.truncated(field, 4)),
        }
    }

    #[cold]
    fn truncated(&self, field: &'static str, octets: usize) -> Problem {
        let detail = Detail::Needs { octets, left: self.rest.len() };
        self.problem(ProblemClass::BodyTruncated, field, detail)
    }

    /// A C-octet string of at most `limit` octets with its NUL.
    pub(crate) fn c_octets(&mut self, field: &'static str, limit: usize) -> Result<COctets, Problem> {
        let limit = limit + usize::from(self.lenience.one_over);
        match c_octet_string(self.rest, limit) {
            Ok((rest, text)) => {
                self.rest = rest;
                Ok(COctets::without_nul(self.share(text)))
            }
            Err(fault) => Err(self.broken_string(field, limit, &fault)),
        }
    }

    #[cold]
    fn broken_string(&self, field: &'static str, limit: usize, fault: &nom::Err<Fault>) -> Problem {
        let class = match fault {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => fault.0,
            nom::Err::Incomplete(_) => ProblemClass::BodyTruncated,
        };
        let detail = match class {
            ProblemClass::FieldTooLong => Detail::NoNulWithin(limit),
            ProblemClass::BodyTruncated => Detail::Needs { octets: 1, left: 0 },
            _ => Detail::None,
        };
        self.problem(class, field, detail)
    }

    /// The last string of a response: its NUL may be missing where that is forgiven.
    pub(crate) fn response_octets(&mut self, field: &'static str, limit: usize) -> Result<COctets, Problem> {
        let rest = self.rest;
        match self.c_octets(field, limit) {
            Err(problem)
                if problem.class == ProblemClass::FieldUnterminated && self.lenience.loose_response =>
            {
                self.rest = &[];
                Ok(COctets::without_nul(self.share(rest)))
            }
            read => read,
        }
    }

    pub(crate) fn address(&mut self, fields: &AddressFields) -> Result<Address, Problem> {
        let ton = Ton(self.u8(fields.ton)?);
        let npi = Npi(self.u8(fields.npi)?);
        let digits = self.c_octets(fields.digits, fields.limit)?;
        Ok(Address { ton, npi, digits })
    }

    /// sm_length and short_message.
    pub(crate) fn short_message(&mut self) -> Result<Bytes, Problem> {
        let length = usize::from(self.u8("sm_length")?);
        let Some((message, rest)) = self.rest.split_at_checked(length) else {
            let detail = Detail::Needs { octets: length, left: self.rest.len() };
            return Err(self.problem(ProblemClass::MsgLength, "short_message", detail));
        };
        self.rest = rest;
        Ok(self.share(message))
    }

    /// The TLVs up to the end of a request.
    pub(crate) fn tlvs(self) -> Result<Tlvs, Problem> {
        if self.rest.is_empty() {
            return Ok(Tlvs::EMPTY);
        }
        let (tlvs, problem) = Tlvs::read(self.body, self.rest);
        problem.map_or(Ok(tlvs), Err)
    }

    /// The TLVs behind a short_message.
    pub(crate) fn tlvs_after_message(self) -> Result<Tlvs, Problem> {
        if self.lenience.nul_after_message && self.rest == [0] { Ok(Tlvs::EMPTY) } else { self.tlvs() }
    }

    /// The TLVs of a delivery, the readable ones if that is forgiven.
    pub(crate) fn tlvs_of_delivery(self) -> Result<Tlvs, Problem> {
        if self.rest.is_empty() || (self.lenience.nul_after_message && self.rest == [0]) {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(self.body, self.rest) {
            (tlvs, None) => Ok(tlvs),
            (_, Some(problem))
                if !self.lenience.half_tlv || Tag::MESSAGE_PAYLOAD.name() == Some(problem.field) =>
            {
                Err(problem)
            }
            (tlvs, Some(_)) => Ok(tlvs),
        }
    }

    /// The TLVs of a response, the readable ones if that is forgiven.
    pub(crate) fn tlvs_of_response(self) -> Result<Tlvs, Problem> {
        if self.rest.is_empty() {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(self.body, self.rest) {
            (_, Some(problem)) if !self.lenience.loose_response => Err(problem),
            (tlvs, _) => Ok(tlvs),
        }
    }
}

/// Reads a PDU without mandatory fields: TLVs or nothing.
pub(crate) fn bare_tlvs(body: &Bytes, lenience: Lenience) -> Result<Tlvs, Problem> {
    let fields = Fields::of(body, lenience);
    if fields.is_at_end() {
        return Ok(Tlvs::EMPTY);
    }
    match Tlvs::read(body, body) {
        (tlvs, None) => Ok(tlvs),
        _ if lenience.stray_octets => Ok(Tlvs::EMPTY),
        _ => Err(fields.problem(ProblemClass::BodyTrailing, "body", Detail::Trailing(fields.left()))),
    }
}

/// Reads the body of a response with `read`, or `T::default()` where there is none: behind an error status, and
/// behind status 0 if that is forgiven. A body behind an error status that cannot be read counts as none, if forgiven.
pub(crate) fn response<T: Default>(
    body: &Bytes,
    status: CommandStatus,
    lenience: Lenience,
    read: impl FnOnce(Fields<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    if body.is_empty() && (!status.is_ok() || lenience.loose_response) {
        return Ok(T::default());
    }
    match read(Fields::of(body, lenience)) {
        Err(_) if !status.is_ok() && lenience.loose_response => Ok(T::default()),
        outcome => outcome,
    }
}

/// Reads the body that most responses have: message_id and TLVs.
pub(crate) fn message_id_response(
    body: &Bytes,
    status: CommandStatus,
    lenience: Lenience,
) -> Result<(Option<COctets>, Tlvs), Problem> {
    response(body, status, lenience, |mut fields| {
        let message_id = fields.response_octets("message_id", MESSAGE_ID_LIMIT)?;
        Ok((Some(message_id), fields.tlvs_of_response()?))
    })
}

/// Limit of message_id, in octets with the NUL (SMPP 3.4 §5.2.23).
pub const MESSAGE_ID_LIMIT: usize = 65;

/// Limit of service_type, in octets with the NUL (SMPP 3.4 §5.2.11).
pub const SERVICE_TYPE_LIMIT: usize = 6;

/// Limit of a time, in octets with the NUL (SMPP 3.4 §7.1.1).
pub(crate) const TIME_LIMIT: usize = TIME_LENGTH + 1;

/// Writes one PDU. The first fault is kept; [`Writer::finish`] then takes back what was written.
pub(crate) struct Writer<'a> {
    out: &'a mut BytesMut,
    start: usize,
    fault: Option<EncodeError>,
}

/// Octets of the mandatory fields of most PDUs with their header; asked of the buffer at once.
pub(crate) const USUAL_LENGTH: usize = 128;

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
