//! From octets to [`Meaning`]: header, body, TLVs, what they say, and the first problem.

use bytes::Bytes;
use smpp_proto::error::Detail;
use smpp_proto::{Body, Frame, Header, Pdu, Problem, ProblemClass, Tlvs};

use super::body::{Rows, rows_of};
use super::derived::derived_of;
use super::json::Json;
use super::tlv;

/// One PDU, as far as it can be read.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) header: Option<Header>,
    pub(super) body: Option<Rows>,
    pub(super) tlvs: Tlvs,
    pub(super) derived: Json,
    pub(super) problem: Option<Fault>,
}

/// The first thing that is wrong.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) class: &'static str,
    pub(super) field: Option<String>,
    pub(super) detail: String,
}

/// Reads PDU after PDU until the octets end or can no longer be cut.
pub(super) fn read_all(octets: &[u8]) -> Vec<Meaning> {
    let mut rest = octets;
    let mut meanings = Vec::new();
    loop {
        let (meaning, length) = read(rest);
        meanings.push(meaning);
        match length.and_then(|length| rest.get(length..)) {
            Some(behind) if !behind.is_empty() => rest = behind,
            _ => return meanings,
        }
    }
}

/// Reads the first PDU; its length is `None` where nothing can be cut behind it.
fn read(octets: &[u8]) -> (Meaning, Option<usize>) {
    let header = Header::read(octets);
    let present = octets.len();
    let Some(length) = octets.first_chunk::<4>().map(|length| u32::from_be_bytes(*length)) else {
        return (Meaning::cut_off(None, None, format!("{present} octets")), None);
    };
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        let detail = match (header, length) {
            (None, _) => format!("{length}, with {present} octets present"),
            (Some(_), ..LENGTH_MIN) => "below 16".to_owned(),
            (Some(_), _) => "above any sensible ceiling".to_owned(),
        };
        return (Meaning::faulty(header, "HEADER_LENGTH", Some("command_length"), detail), None);
    }
    let Some(header) = header else {
        return (Meaning::cut_off(None, None, format!("{present} octets")), None);
    };
    let length = length as usize;
    // The stated order: an unknown command is told before a PDU that is cut off.
    let Some(body) = octets.get(Header::LENGTH..length).map(Bytes::copy_from_slice) else {
        let (field, detail) = (Some("command_length"), format!("{length} announced, {present} present"));
        let meaning = if header.command.name().is_none() {
            Meaning::unknown_command(header)
        } else {
            Meaning::cut_off(Some(header), field, detail)
        };
        return (meaning, None);
    };
    (read_body(header, &body), Some(length))
}

fn read_body(header: Header, body: &Bytes) -> Meaning {
    match Pdu::decode_strict(Frame { header, body: body.clone() }) {
        Ok(pdu) => Meaning::of(header, &pdu.body, None),
        Err(error) if error.problem.class == ProblemClass::HeaderCommandId => {
            Meaning::unknown_command(header)
        }
        Err(error) => {
            let problem = error.problem;
            let fault = Fault::of(&problem);
            // What stands before a broken TLV is sound, so it is shown.
            let sound = (problem.class == ProblemClass::TlvStream)
                .then(|| Frame { header, body: body.slice(..problem.offset.min(body.len())) })
                .and_then(|frame| Pdu::decode_strict(frame).ok());
            match sound {
                Some(pdu) => Meaning::of(header, &pdu.body, Some(fault)),
                None => Meaning { problem: Some(fault), ..Meaning::bare(Some(header)) },
            }
        }
    }
}

impl Meaning {
    fn bare(header: Option<Header>) -> Self {
        Self { header, body: None, tlvs: Tlvs::EMPTY, derived: Json::Object(Vec::new()), problem: None }
    }

    fn of(header: Header, body: &Body, problem: Option<Fault>) -> Self {
        Self {
            header: Some(header),
            body: Some(rows_of(body)),
            tlvs: body.tlvs().clone(),
            derived: derived_of(body),
            problem,
        }
    }

    fn faulty(header: Option<Header>, class: &'static str, field: Option<&str>, detail: String) -> Self {
        Self { problem: Some(Fault { class, field: field.map(str::to_owned), detail }), ..Self::bare(header) }
    }

    fn cut_off(header: Option<Header>, field: Option<&str>, detail: String) -> Self {
        Self::faulty(header, "PDU_INCOMPLETE", field, detail)
    }

    fn unknown_command(header: Header) -> Self {
        Self::faulty(Some(header), "HEADER_COMMAND_ID", Some("command_id"), "unknown".to_owned())
    }

    /// A line that is no hex at all.
    pub(super) fn not_hex(detail: String) -> Self {
        Self::faulty(None, "NOT_HEX", None, detail)
    }

    /// The object that `--json` prints.
    pub(super) fn to_json(&self) -> Json {
        let mut object = Json::Object(Vec::new());
        if let Some(header) = &self.header {
            object.put("header", header_json(header));
        }
        if let Some(body) = &self.body {
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
        if self.derived != Json::Object(Vec::new()) {
            object.put("derived", self.derived.clone());
        }
        object
    }
}

fn header_json(header: &Header) -> Json {
    Json::Object(vec![
        ("command_length", header.length.into()),
        ("command_id", Json::code(header.command.0, 8)),
        ("command", header.command.name().into()),
        ("command_status", Json::code(header.status.0, 8)),
        ("status_name", header.status.name().into()),
        ("sequence_number", header.sequence.into()),
    ])
}

impl Fault {
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
        Self { class: problem.class.as_str(), field, detail }
    }
}

/// A header alone, in octets.
const LENGTH_MIN: u32 = 16;
/// command_length that nobody means, in octets: above 1 MiB.
const LENGTH_MAX: u32 = 1024 * 1024;
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
