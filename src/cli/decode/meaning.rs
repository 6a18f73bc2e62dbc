//! From octets to [`Meaning`]: header, body, TLVs, what they say, and the first problem.

use bytes::Bytes;
use smpp_proto::error::Detail;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::rules::{self, Breach};
use smpp_proto::{
    Body, CommandId, CommandStatus, Frame, Header, Lenience, Pdu, Problem, ProblemClass, Quirks, Reading,
    Tlvs,
};

use super::body::{Rows, rows_of};
use super::derived::derived_of;
use super::json::Json;
use super::tlv;

/// One PDU, as far as it can be read.
#[derive(Debug)]
pub(super) struct Meaning {
    /// All of its octets that are there.
    pub(super) octets: Bytes,
    pub(super) header: Option<Header>,
    /// The PDU, read strictly or with what is forgiven.
    pub(super) pdu: Option<Pdu>,
    pub(super) body: Option<Rows>,
    /// False where the fields are those of a reading that forgives, or only those before the problem.
    pub(super) is_strict: bool,
    pub(super) tlvs: Tlvs,
    pub(super) derived: Json,
    pub(super) problem: Option<Fault>,
    /// A value that may not stand where it stands, in a PDU that can be read.
    pub(super) breach: Option<Breach>,
    /// What a reader forgives by default.
    pub(super) tolerated: Quirks,
}

/// The first thing that is wrong.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) class: &'static str,
    pub(super) field: Option<String>,
    pub(super) detail: String,
    /// Where, in octets from the beginning of the PDU.
    pub(super) offset: Option<usize>,
    /// With what it is answered.
    pub(super) answer: Option<(CommandId, CommandStatus)>,
}

/// Reads PDU after PDU until the octets end or can no longer be cut.
pub(super) fn read_all(octets: &Bytes) -> Vec<Meaning> {
    let mut rest = octets.clone();
    let mut meanings = Vec::new();
    loop {
        let (meaning, length) = read(&rest, InterfaceVersion::V5_0);
        meanings.push(meaning);
        match length.and_then(|length| rest.get(length..).map(|_| rest.slice(length..))) {
            Some(behind) if !behind.is_empty() => rest = behind,
            _ => return meanings,
        }
    }
}

/// Reads the first PDU, of a session of this version.
pub(super) fn read_one(octets: &Bytes, version: InterfaceVersion) -> Meaning {
    read(octets, version).0
}

/// Reads the first PDU; its length is `None` where nothing can be cut behind it.
fn read(octets: &Bytes, version: InterfaceVersion) -> (Meaning, Option<usize>) {
    let header = Header::read(octets);
    let present = octets.len();
    let Some(length) = octets.first_chunk::<4>().map(|length| u32::from_be_bytes(*length)) else {
        return (Meaning::cut_off(octets, None, None, format!("{present} octets")), None);
    };
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        let detail = match (header, length) {
            (None, _) => format!("{length}, with {present} octets present"),
            (Some(_), ..LENGTH_MIN) => "below 16".to_owned(),
            (Some(_), _) => "above any sensible ceiling".to_owned(),
        };
        let mut fault = Fault::new("HEADER_LENGTH", Some("command_length"), detail);
        fault.answer = Some((CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN));
        return (Meaning::faulty(octets, header, fault), None);
    }
    let Some(header) = header else {
        return (Meaning::cut_off(octets, None, None, format!("{present} octets")), None);
    };
    let length = length as usize;
    // The stated order: an unknown command is told before a PDU that is cut off.
    if octets.len() < length {
        let meaning = if !header.command.is_read() {
            Meaning::unknown_command(octets, header)
        } else {
            let (field, detail) = (Some("command_length"), format!("{length} announced, {present} present"));
            Meaning::cut_off(octets, Some(header), field, detail).with_fields_up_to(present)
        };
        return (meaning, None);
    }
    (read_body(header, &octets.slice(..length), version), Some(length))
}

fn read_body(header: Header, octets: &Bytes, version: InterfaceVersion) -> Meaning {
    let body = octets.slice(Header::LENGTH..);
    let frame = |body: Bytes| Frame { header, body };
    let mut reading = Reading::new(Lenience::DEFAULT);
    let forgiving = Pdu::decode_noting(frame(body.clone()), &mut reading);
    let error = match Pdu::decode_strict(frame(body.clone())) {
        Ok(pdu) => {
            let breach = breach_of(&pdu.body, version, &mut reading);
            return Meaning { breach, tolerated: reading.met, ..Meaning::of(octets, header, pdu) };
        }
        Err(error) if error.problem.class == ProblemClass::HeaderCommandId => {
            return Meaning::unknown_command(octets, header);
        }
        Err(error) => error,
    };
    let problem = error.problem;
    let fault = Fault { answer: error.answer(), ..Fault::of(&problem) };
    // What stands before a broken TLV is sound, so it is shown.
    let sound = (problem.class == ProblemClass::TlvStream)
        .then(|| Pdu::decode_strict(frame(body.slice(..problem.offset.min(body.len())))).ok())
        .flatten();
    let tolerated = if forgiving.is_ok() { reading.met } else { Quirks::NONE };
    let meaning = match (sound, forgiving) {
        (Some(pdu), _) => Meaning::of(octets, header, pdu),
        (None, Ok(pdu)) => Meaning { is_strict: false, ..Meaning::of(octets, header, pdu) },
        (None, Err(_)) => {
            Meaning::bare(octets, Some(header)).with_fields_up_to(Header::LENGTH + problem.offset)
        }
    };
    Meaning { problem: Some(fault), tolerated, ..meaning }
}

/// The first value that may not stand where it stands; what is forgiven is noted.
fn breach_of(body: &Body, version: InterfaceVersion, reading: &mut Reading) -> Option<Breach> {
    match body.clone() {
        Body::SubmitSm(mut pdu) => rules::submit_sm(&mut pdu, version, reading).err(),
        Body::SubmitMulti(mut pdu) => rules::submit_multi(&mut pdu, version, reading).err(),
        Body::ReplaceSm(mut pdu) => rules::replace_sm(&mut pdu, version, reading).err(),
        Body::DeliverSm(mut pdu) => rules::deliver_sm(&mut pdu, version, reading).err(),
        _ => None,
    }
}

impl Meaning {
    fn bare(octets: &Bytes, header: Option<Header>) -> Self {
        Self {
            octets: octets.clone(),
            header,
            pdu: None,
            body: None,
            is_strict: true,
            tlvs: Tlvs::EMPTY,
            derived: Json::Object(Vec::new()),
            problem: None,
            breach: None,
            tolerated: Quirks::NONE,
        }
    }

    fn of(octets: &Bytes, header: Header, pdu: Pdu) -> Self {
        Self {
            body: Some(rows_of(&pdu.body)),
            tlvs: pdu.body.tlvs().clone(),
            derived: derived_of(&pdu.body),
            pdu: Some(pdu),
            ..Self::bare(octets, Some(header))
        }
    }

    /// Adds the fields that end within so many octets of the PDU. They are read by putting zeros in the place of the rest,
    /// so that every later field is empty.
    fn with_fields_up_to(mut self, octets: usize) -> Self {
        let Some((header, sound)) = self.header.zip(self.octets.get(Header::LENGTH..octets)) else {
            return self;
        };
        let padded = |zeros: usize| {
            let body = Bytes::from([sound, vec![0; zeros].as_slice()].concat());
            Pdu::decode_strict(Frame { header, body }).ok()
        };
        // Zeros behind the last field have to make whole TLVs.
        let Some(pdu) = (PADDING..PADDING + 4).find_map(padded) else { return self };
        let mut rows = rows_of(&pdu.body);
        let mut end = 0;
        rows.0.retain(|row| {
            end += row.octets;
            end <= sound.len()
        });
        self.body = Some(rows);
        self.is_strict = false;
        self
    }

    fn faulty(octets: &Bytes, header: Option<Header>, fault: Fault) -> Self {
        Self { problem: Some(fault), ..Self::bare(octets, header) }
    }

    fn cut_off(octets: &Bytes, header: Option<Header>, field: Option<&str>, detail: String) -> Self {
        Self::faulty(octets, header, Fault::new("PDU_INCOMPLETE", field, detail))
    }

    fn unknown_command(octets: &Bytes, header: Header) -> Self {
        let mut fault = Fault::new("HEADER_COMMAND_ID", Some("command_id"), "unknown".to_owned());
        if !header.command.is_response() {
            fault.answer = Some((CommandId::GENERIC_NACK, CommandStatus::RINVCMDID));
        }
        Self::faulty(octets, Some(header), fault)
    }

    /// A line that is no hex at all.
    pub(super) fn not_hex(detail: String) -> Self {
        Self::faulty(&Bytes::new(), None, Fault::new("NOT_HEX", None, detail))
    }

    /// The object that `--json` prints.
    pub(super) fn to_json(&self) -> Json {
        let mut object = Json::Object(Vec::new());
        if let Some(header) = &self.header {
            object.put("header", header_json(header));
        }
        if let Some(body) = self.body.as_ref().filter(|_| self.is_strict) {
            object.put("body", body.to_json());
            if self.problem.is_none() {
                object.put("tlvs", Json::List(self.tlvs.iter().map(tlv::to_json).collect()));
            }
        }
        if let Some(fault) = &self.problem {
            object.put(
                "problem",
                Json::Object(vec![
                    ("class", fault.class.into()),
                    ("field", fault.field.as_deref().into()),
                    ("detail", fault.detail.as_str().into()),
                ]),
            );
        }
        if self.is_strict && self.derived != Json::Object(Vec::new()) {
            object.put("derived", self.derived.clone());
        }
        object
    }
}

fn header_json(header: &Header) -> Json {
    Json::Object(vec![
        ("command_length", header.length.into()),
        ("command_id", Json::code(header.command.0, 8)),
        ("command", header.command.name().filter(|_| header.command.is_read()).into()),
        ("command_status", Json::code(header.status.0, 8)),
        ("status_name", header.status.name().into()),
        ("sequence_number", header.sequence.into()),
    ])
}

impl Fault {
    fn new(class: &'static str, field: Option<&str>, detail: String) -> Self {
        Self { class, field: field.map(str::to_owned), detail, offset: None, answer: None }
    }

    fn of(problem: &Problem) -> Self {
        let field = match (problem.class, problem.detail) {
            (ProblemClass::BodyTrailing, _) | (ProblemClass::TlvStream, Detail::Trailing(_)) => None,
            (ProblemClass::TlvStream, Detail::TlvLength { tag, .. }) => {
                Some(smpp_proto::Tag(tag).name().map_or_else(|| format!("0x{tag:04X}"), str::to_owned))
            }
            _ => Some(problem.field.to_owned()),
        };
        let detail = match problem.detail {
            Detail::None => "body ends before NUL".to_owned(),
            Detail::Needs { left: 0, .. } if STRINGS.contains(&problem.field) => "no octets left".to_owned(),
            Detail::Needs { octets, left } => format!("needs {octets} octets, {left} left"),
            Detail::NoNulWithin(limit) => format!("no NUL within {limit} octets"),
            Detail::Value(value) => format!("{} {value}", problem.field),
            Detail::Trailing(count) if problem.class == ProblemClass::BodyTrailing => {
                format!("{count} octets in a PDU without a body")
            }
            Detail::Trailing(count) => format!("{count} trailing octets"),
            Detail::TlvLength { length, .. } => format!("length {length} runs past the end"),
        };
        let offset = Some(Header::LENGTH + problem.offset);
        Self { class: problem.class.as_str(), field, detail, offset, answer: None }
    }
}

/// A header alone, in octets.
const LENGTH_MIN: u32 = 16;
/// command_length that nobody means, in octets: above 1 MiB.
pub(super) const LENGTH_MAX: u32 = 1024 * 1024;
/// Zeros that are more than the fields of any PDU take.
const PADDING: usize = 400;
/// The C-octet strings among the mandatory fields: of these any number of octets may be needed.
const STRINGS: &[&str] = &[
    "system_id",
    "password",
    "system_type",
    "address_range",
    "service_type",
    "source_addr",
    "destination_addr",
    "esme_addr",
    "dl_name",
    "message_id",
    "schedule_delivery_time",
    "validity_period",
    "final_date",
];
