//! Reads a body: slices of it, in order, up to the first fault.

use std::mem;

use bytes::{Buf, Bytes};
use nom::number::complete::{be_u8, be_u32};

use super::{LONG_LIMIT, MESSAGE_ID_LIMIT, Quirk, Reading};
use crate::error::{Detail, Problem, ProblemClass};
use crate::field::address::AddressFields;
use crate::field::octets::{Fault, c_octet_string};
use crate::field::{Address, COctets, CommandStatus, Npi, Tag, Tlvs, Ton};

/// Reads the fields of one body.
pub(crate) struct Fields<'a> {
    body: Bytes,
    /// Octets read so far, never more than the body has.
    at: usize,
    reading: &'a mut Reading,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: Bytes, reading: &'a mut Reading) -> Fields<'a> {
        Fields { body, at: 0, reading }
    }

    /// Notes the quirk if it is forgiven, and says whether it is.
    pub(crate) fn forgive(&mut self, quirk: Quirk) -> bool {
        self.reading.forgive(quirk)
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

    /// The next octets, which are known to be there, as a slice of the body. Nothing shares for an empty one, and the
    /// last ones take the body over.
    fn share(&mut self, octets: usize) -> Bytes {
        let start = self.at;
        self.at += octets;
        if octets == 0 {
            Bytes::new()
        } else if self.at == self.body.len() {
            let mut last = mem::take(&mut self.body);
            last.advance(start);
            last
        } else {
            self.body.slice(start..self.at)
        }
    }

    /// The next octets, of which none is NUL, as a string.
    fn string(&mut self, octets: usize) -> COctets {
        let text = self.rest().get(..octets).and_then(COctets::here);
        match text {
            Some(text) => {
                self.at += octets;
                text
            }
            None => COctets::without_nul(self.share(octets)),
        }
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
        let length = match c_octet_string(self.rest(), limit) {
            Ok((_, text)) => text.len(),
            Err(fault) => self.one_over(field, limit, class_of(&fault))?,
        };
        let text = self.string(length);
        self.at += 1;
        Ok(text)
    }

    /// The length of a string that has its NUL one octet too late, if that is forgiven.
    #[cold]
    fn one_over(&mut self, field: &'static str, limit: usize, class: ProblemClass) -> Result<usize, Problem> {
        if class == ProblemClass::FieldTooLong
            && let Ok((_, text)) = c_octet_string(self.rest(), limit + 1)
        {
            let length = text.len();
            if self.forgive(Quirk::OneOver) {
                return Ok(length);
            }
        }
        Err(self.broken_string(field, limit, class))
    }

    /// A C-octet string of at most `limit` octets with its NUL, or of 257 if the quirk is forgiven.
    pub(crate) fn long_c_octets(
        &mut self,
        field: &'static str,
        limit: usize,
        quirk: Quirk,
    ) -> Result<COctets, Problem> {
        let long = matches!(c_octet_string(self.rest(), LONG_LIMIT), Ok((_, text)) if text.len() >= limit);
        let limit = if long && self.forgive(quirk) { LONG_LIMIT } else { limit };
        self.c_octets(field, limit)
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

    /// The last string of a response: its NUL may be missing, or come late, where that is forgiven.
    pub(crate) fn response_octets(
        &mut self,
        field: &'static str,
        limit: usize,
        long: Option<Quirk>,
    ) -> Result<COctets, Problem> {
        let read = match long {
            Some(quirk) => self.long_c_octets(field, limit, quirk),
            None => self.c_octets(field, limit),
        };
        match read {
            Err(problem)
                if problem.class == ProblemClass::FieldUnterminated && self.forgive(Quirk::OpenResponse) =>
            {
                let octets = self.left();
                Ok(self.string(octets))
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

    /// The TLVs of a bind, without octets behind them that are too few for another if that is forgiven.
    pub(crate) fn tlvs_of_bind(mut self) -> Result<Tlvs, Problem> {
        if self.is_at_end() {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(&self.body, self.at) {
            (tlvs, None) => Ok(tlvs),
            (tlvs, Some(problem))
                if matches!(problem.detail, Detail::Trailing(_)) && self.forgive(Quirk::StrayOctets) =>
            {
                Ok(tlvs)
            }
            (_, Some(problem)) => Err(problem),
        }
    }

    /// The TLVs behind a short_message.
    pub(crate) fn tlvs_after_message(mut self) -> Result<Tlvs, Problem> {
        if self.rest() == [0] && self.forgive(Quirk::NulAfterMessage) { Ok(Tlvs::EMPTY) } else { self.tlvs() }
    }

    /// The TLVs of a delivery, the readable ones if that is forgiven.
    pub(crate) fn tlvs_of_delivery(mut self) -> Result<Tlvs, Problem> {
        if self.is_at_end() || self.rest() == [0] && self.forgive(Quirk::NulAfterMessage) {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(&self.body, self.at) {
            (tlvs, None) => Ok(tlvs),
            (_, Some(problem)) if Tag::MESSAGE_PAYLOAD.name() == Some(problem.field) => Err(problem),
            (tlvs, Some(_)) if self.forgive(Quirk::HalfTlv) => Ok(tlvs),
            (_, Some(problem)) => Err(problem),
        }
    }

    /// The TLVs of a response, the readable ones if that is forgiven.
    pub(crate) fn tlvs_of_response(mut self) -> Result<Tlvs, Problem> {
        if self.is_at_end() {
            return Ok(Tlvs::EMPTY);
        }
        match Tlvs::read(&self.body, self.at) {
            (_, Some(problem)) if !self.forgive(Quirk::HalfTlv) => Err(problem),
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
pub(crate) fn bare_tlvs(body: Bytes, reading: &mut Reading) -> Result<Tlvs, Problem> {
    let mut fields = Fields::of(body, reading);
    if fields.is_at_end() {
        return Ok(Tlvs::EMPTY);
    }
    match Tlvs::read(&fields.body, 0) {
        (tlvs, None) => Ok(tlvs),
        _ if fields.forgive(Quirk::StrayOctets) => Ok(Tlvs::EMPTY),
        _ => Err(fields.problem(ProblemClass::BodyTrailing, "body", Detail::Trailing(fields.left()))),
    }
}

/// Reads the body of a response with `read`, or `T::default()` where there is none: behind an error status, and
/// behind status 0 if that is forgiven. A body behind an error status that cannot be read counts as none, if forgiven.
pub(crate) fn response<T: Default>(
    body: Bytes,
    status: CommandStatus,
    reading: &mut Reading,
    read: impl FnOnce(Fields<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    if body.is_empty() && (!status.is_ok() || reading.forgive(Quirk::ShortResponse)) {
        return Ok(T::default());
    }
    match read(Fields::of(body, reading)) {
        Err(_) if !status.is_ok() && reading.forgive(Quirk::ErrorBody) => Ok(T::default()),
        outcome => outcome,
    }
}

/// Reads the body that most responses have: message_id and TLVs.
pub(crate) fn message_id_response(
    body: Bytes,
    status: CommandStatus,
    reading: &mut Reading,
) -> Result<(Option<COctets>, Tlvs), Problem> {
    response(body, status, reading, |mut fields| {
        let message_id = fields.response_octets("message_id", MESSAGE_ID_LIMIT, None)?;
        Ok((Some(message_id), fields.tlvs_of_response()?))
    })
}
