//! Reads a body: slices of it, in order, up to the first fault.

use bytes::Bytes;
use nom::number::complete::{be_u8, be_u32};

use super::{Lenience, MESSAGE_ID_LIMIT};
use crate::error::{Detail, Problem, ProblemClass};
use crate::field::address::AddressFields;
use crate::field::octets::{Fault, c_octet_string};
use crate::field::{Address, COctets, CommandStatus, Npi, Tag, Tlvs, Ton};

/// Reads the fields of one body.
pub(crate) struct Fields {
    body: Bytes,
    /// Octets read so far, never more than the body has.
    at: usize,
    pub(crate) lenience: Lenience,
}

impl Fields {
    pub(crate) fn of(body: Bytes, lenience: Lenience) -> Fields {
        Fields { body, at: 0, lenience }
    }

    fn rest(&self) -> &[u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn left(&self) -> usize {
        self.rest().len()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.left() == 0
    }

    /// A fault in the field that begins where the reader stands.
    #[cold]
    pub(crate) fn problem(&self, class: ProblemClass, field: &'static str, detail: Detail) -> Problem {
        Problem { class, field, offset: self.at, detail }
    }

    /// The next octets, which are known to be there, as a slice of the body. Nothing shares for an empty one.
    fn share(&mut self, octets: usize) -> Bytes {
        let start = self.at;
        self.at += octets;
        if octets == 0 { Bytes::new() } else { self.body.slice(start..self.at) }
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, Problem> {
        match be_u8::<_, Fault>(self.rest()) {
            Ok((_, value)) => {
                self.at += 1;
                Ok(value)
            }
            Err(_) => Err(self.truncated(field, 1)),
        }
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, Problem> {
        match be_u32::<_, Fault>(self.rest()) {
            Ok((_, value)) => {
                self.at += 4;
                Ok(value)
            }
            Err(_) => Err(self.truncated(field, 4)),
        }
    }

    /// An octet that decides how to go on: it is read only if `read` knows it.
    pub(crate) fn choice<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, Problem> {
        let value = self.u8(field)?;
        read(value).ok_or_else(|| {
            self.at -= 1;
            self.problem(ProblemClass::ValueInvalid, field, Detail::Value(u32::from(value)))
        })
    }

    #[cold]
    fn truncated(&self, field: &'static str, octets: usize) -> Problem {
        let detail = Detail::Needs { octets, left: self.left() };
        self.problem(ProblemClass::BodyTruncated, field, detail)
    }

    /// A C-octet string of at most `limit` octets with its NUL.
    pub(crate) fn c_octets(&mut self, field: &'static str, limit: usize) -> Result<COctets, Problem> {
        let limit = limit + usize::from(self.lenience.one_over);
        let length = match c_octet_string(self.rest(), limit) {
            Ok((_, text)) => text.len(),
            Err(fault) => return Err(self.broken_string(field, limit, class_of(&fault))),
        };
        let text = self.share(length);
        self.at += 1;
        Ok(COctets::without_nul(text))
    }

    #[cold]
    fn broken_string(&self, field: &'static str, limit: usize, class: ProblemClass) -> Problem {
        let detail = match class {
            ProblemClass::FieldTooLong => Detail::NoNulWithin(limit),
            ProblemClass::BodyTruncated => Detail::Needs { octets: 1, left: 0 },
            _ => Detail::None,
        };
        self.problem(class, field, detail)
    }

    /// The last string of a response: its NUL may be missing where that is forgiven.
    pub(crate) fn response_octets(&mut self, field: &'static str, limit: usize) -> Result<COctets, Problem> {
        match self.c_octets(field, limit) {
            Err(problem)
                if problem.class == ProblemClass::FieldUnterminated && self.lenience.loose_response =>
            {
                let octets = self.left();
                Ok(COctets::without_nul(self.share(octets)))
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
        let left = self.left();
        if length > left {
            let detail = Detail::Needs { octets: length, left };
            return Err(self.problem(ProblemClass::MsgLength, "short_message", detail));
        }
        Ok(self.share(length))
    }

    /// The TLVs up to the end of a request.
    pub(crate) fn tlvs(self) -> Result<Tlvs, Problem> {
        if self.is_at_end() {
            return Ok(Tlvs::EMPTY);
        }
        let (tlvs, problem) = Tlvs::read(&self.body, self.at);
        problem.map_or(Ok(tlvs), Err)
    }

    /// The TLVs behind a short_message.
    pub(crate) fn tlvs_after_message(self) -> Result<Tlvs, Problem> {
        if self.lenience.nul_after_message && self.rest() == [0] { Ok(Tlvs::EMPTY) } else { self.tlvs() }
    }

    /// The TLVs of a delivery, the readable ones if that is forgiven.
    pub(crate) fn tlvs_of_delivery(self) -> Result<Tlvs, Problem> {
        if self.is_at_end() || (self.lenience.nul_after_message && self.rest() == [0]) {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(&self.body, self.at) {
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
        if self.is_at_end() {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(&self.body, self.at) {
            (_, Some(problem)) if !self.lenience.loose_response => Err(problem),
            (tlvs, _) => Ok(tlvs),
        }
    }
}

fn class_of(fault: &nom::Err<Fault>) -> ProblemClass {
    match fault {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => fault.0,
        nom::Err::Incomplete(_) => ProblemClass::BodyTruncated,
    }
}

/// Reads a PDU without mandatory fields: TLVs or nothing.
pub(crate) fn bare_tlvs(body: Bytes, lenience: Lenience) -> Result<Tlvs, Problem> {
    let fields = Fields::of(body, lenience);
    if fields.is_at_end() {
        return Ok(Tlvs::EMPTY);
    }
    match Tlvs::read(&fields.body, 0) {
        (tlvs, None) => Ok(tlvs),
        _ if lenience.stray_octets => Ok(Tlvs::EMPTY),
        _ => Err(fields.problem(ProblemClass::BodyTrailing, "body", Detail::Trailing(fields.left()))),
    }
}

/// Reads the body of a response with `read`, or `T::default()` where there is none: behind an error status, and
/// behind status 0 if that is forgiven. A body behind an error status that cannot be read counts as none, if forgiven.
pub(crate) fn response<T: Default>(
    body: Bytes,
    status: CommandStatus,
    lenience: Lenience,
    read: impl FnOnce(Fields) -> Result<T, Problem>,
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
    body: Bytes,
    status: CommandStatus,
    lenience: Lenience,
) -> Result<(Option<COctets>, Tlvs), Problem> {
    response(body, status, lenience, |mut fields| {
        let message_id = fields.response_octets("message_id", MESSAGE_ID_LIMIT)?;
        Ok((Some(message_id), fields.tlvs_of_response()?))
    })
}
