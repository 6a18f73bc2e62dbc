//! What the fields say together: the text behind header and alphabet, the receipt, times, and bits by name.

use smpp_proto::field::flags::MessageType;
use smpp_proto::field::time::SmppTime;
use smpp_proto::field::{Alphabet, COctets, DataCoding, EsmClass, RegisteredDelivery};
use smpp_proto::text::parts::count;
use smpp_proto::text::receipt::Receipt;
use smpp_proto::text::udh::{Element, Width};
use smpp_proto::text::{Udh, UdhError, UserData};
use smpp_proto::{Body, Tag, Tlvs};

use super::json::Json;

/// The readings of a body; an empty object where there is none.
pub(super) fn derived_of(body: &Body) -> Json {
    let mut derived = Json::Object(Vec::new());
    let facts = Facts::of(body);
    if let Some((source, octets)) = facts.octets {
        let udhi = facts.esm_class.is_some_and(EsmClass::udhi);
        derived.put("user_data", user_data(source, octets, facts.coding, udhi));
    }
    if let Some(receipt) = receipt(&facts) {
        derived.put("receipt", receipt);
    }
    let times: Vec<_> = facts
        .times
        .iter()
        .filter(|(_, time)| !time.is_empty())
        .map(|(name, time)| (*name, time_json(time)))
        .collect();
    if !times.is_empty() {
        derived.put("times", Json::Object(times));
    }
    if let Some(class) = facts.esm_class {
        derived.put(
            "esm_class",
            Json::Object(vec![
                ("mode", (class.0 & EsmClass::MODE_MASK).into()),
                ("type", ((class.0 & EsmClass::TYPE_MASK) >> 2).into()),
                ("udhi", class.udhi().into()),
                ("reply_path", class.reply_path().into()),
            ]),
        );
    }
    if let Some(wish) = facts.registered_delivery {
        derived.put(
            "registered_delivery",
            Json::Object(vec![
                ("mc_receipt", (wish.0 & 3).into()),
                ("sme_ack", (wish.0 >> 2 & 3).into()),
                ("intermediate", wish.intermediate().into()),
            ]),
        );
    }
    derived
}

/// The fields that readings are made of, whatever the operation.
#[derive(Default)]
struct Facts<'a> {
    octets: Option<(&'static str, &'a [u8])>,
    coding: DataCoding,
    esm_class: Option<EsmClass>,
    registered_delivery: Option<RegisteredDelivery>,
    times: Vec<(&'static str, &'a COctets)>,
}

impl<'a> Facts<'a> {
    fn of(body: &'a Body) -> Self {
        let both =
            |schedule, validity| vec![("schedule_delivery_time", schedule), ("validity_period", validity)];
        match body {
            Body::SubmitSm(submit) => Self {
                octets: octets(&submit.short_message, &submit.tlvs),
                coding: submit.data_coding,
                esm_class: Some(submit.esm_class),
                registered_delivery: Some(submit.registered_delivery),
                times: both(&submit.schedule_delivery_time, &submit.validity_period),
            },
            Body::DeliverSm(deliver) => Self {
                octets: octets(&deliver.short_message, &deliver.tlvs),
                coding: deliver.data_coding,
                esm_class: Some(deliver.esm_class),
                registered_delivery: Some(deliver.registered_delivery),
                times: both(&deliver.schedule_delivery_time, &deliver.validity_period),
            },
            Body::SubmitMulti(multi) => Self {
                octets: octets(&multi.short_message, &multi.tlvs),
                coding: multi.data_coding,
                esm_class: Some(multi.esm_class),
                registered_delivery: Some(multi.registered_delivery),
                times: both(&multi.schedule_delivery_time, &multi.validity_period),
            },
            Body::DataSm(data) => Self {
                octets: octets(&[], &data.tlvs),
                coding: data.data_coding,
                esm_class: Some(data.esm_class),
                registered_delivery: Some(data.registered_delivery),
                times: Vec::new(),
            },
            Body::ReplaceSm(replace) => Self {
                octets: octets(&replace.short_message, &replace.tlvs),
                registered_delivery: Some(replace.registered_delivery),
                times: both(&replace.schedule_delivery_time, &replace.validity_period),
                ..Self::default()
            },
            Body::BroadcastSm(broadcast) => Self {
                octets: octets(&[], &broadcast.tlvs),
                coding: broadcast.data_coding,
                times: both(&broadcast.schedule_delivery_time, &broadcast.validity_period),
                ..Self::default()
            },
            Body::QuerySmResp(resp) => {
                Self { times: vec![("final_date", &resp.final_date)], ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

/// short_message, or message_payload when that is empty (SMPP 3.4 §5.3.2.32).
fn octets<'a>(short_message: &'a [u8], tlvs: &'a Tlvs) -> Option<(&'static str, &'a [u8])> {
    if !short_message.is_empty() {
        return Some(("short_message", short_message));
    }
    tlvs.all(Tag::MESSAGE_PAYLOAD)
        .last()
        .filter(|payload| !payload.is_empty())
        .map(|payload| ("message_payload", &payload[..]))
}

fn user_data(source: &'static str, octets: &[u8], coding: DataCoding, udhi: bool) -> Json {
    let mut object = Json::Object(vec![("source", source.into()), ("octets", octets.len().into())]);
    let alphabet = coding.alphabet();
    let data = match UserData::read(alphabet, udhi, octets) {
        Ok(data) => data,
        Err(error) => {
            object.put(
                "error",
                Json::Object(vec![("class", "UDH_INVALID".into()), ("detail", udh_words(&error).into())]),
            );
            return object;
        }
    };
    if let Some(udh) = data.udh() {
        object.put("udh", udh_json(&udh));
    }
    object.put("charset", alphabet.as_str());
    let text = data.text();
    match alphabet {
        Alphabet::Binary
        | Alphabet::Compressed
        | Alphabet::Reserved
        | Alphabet::Pictogram
        | Alphabet::Jis
        | Alphabet::Iso2022Jp
        | Alphabet::JisX0212
        | Alphabet::KsC5601 => object.put("data_hex", Json::hex(text)),
        Alphabet::Gsm7 => {
            object.put("text", data.decode());
            object.put("septets", text.len());
            if text.iter().any(|octet| *octet > 0x7F) {
                object.put("note", "octets above 0x7F are not septets");
            }
        }
        Alphabet::Ucs2 => {
            object.put("text", data.decode());
            object.put("code_units", text.len() / 2);
            if text.len() % 2 == 1 {
                object.put("note", "odd number of octets");
            }
        }
        Alphabet::Ascii | Alphabet::Latin1 | Alphabet::Iso8859_5 | Alphabet::Iso8859_8 => {
            object.put("text", data.decode());
        }
    }
    object
}

fn udh_words(error: &UdhError) -> String {
    match error {
        UdhError::BeyondMessage { announced, .. } => format!("UDHL {announced} beyond the message"),
        UdhError::BeyondHeader { .. } => "information element beyond UDHL".to_owned(),
        other => other.to_string(),
    }
}

fn udh_json(udh: &Udh<'_>) -> Json {
    Json::Object(vec![
        ("udhl", udh.octets().len().into()),
        ("elements", Json::List(udh.elements().map(|element| element_json(&element)).collect())),
    ])
}

/// One element of a header, with its reading, whether its values are possible or not (3GPP TS 23.040 §9.2.3.24).
fn element_json(element: &Element<'_>) -> Json {
    let mut object = Json::Object(vec![
        ("iei", Json::code(u32::from(element.id), 2)),
        ("length", element.data.len().into()),
        ("data_hex", Json::hex(element.data)),
    ]);
    let concat = |reference: u16, total: u8, part: u8, bits: u8| {
        Json::Object(vec![
            ("ref", reference.into()),
            ("total", total.into()),
            ("part", part.into()),
            ("ref_bits", bits.into()),
        ])
    };
    let ports = |destination: u16, source: u16, bits: u8| {
        Json::Object(vec![
            ("destination", destination.into()),
            ("source", source.into()),
            ("bits", bits.into()),
        ])
    };
    match (element.id, element.data) {
        (0x00, &[reference, total, part]) => {
            object.put("concat", concat(u16::from(reference), total, part, 8));
        }
        (0x08, &[high, low, total, part]) => {
            object.put("concat", concat(u16::from_be_bytes([high, low]), total, part, 16));
        }
        (0x04, &[destination, source]) => {
            object.put("ports", ports(u16::from(destination), u16::from(source), 8));
        }
        (0x05, &[a, b, c, d]) => {
            object.put("ports", ports(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 16));
        }
        (0x24, &[language]) => object.put("single_shift_language", language),
        (0x25, &[language]) => object.put("locking_shift_language", language),
        _ => {}
    }
    object
}

/// The fields of a receipt's text, if the PDU says it is one.
fn receipt(facts: &Facts<'_>) -> Option<Json> {
    let kind = facts.esm_class?.message_type();
    if !matches!(kind, MessageType::DeliveryReceipt | MessageType::IntermediateNotification) {
        return None;
    }
    let receipt = Receipt::read(facts.octets?.1);
    let fields = [
        ("id", receipt.id),
        ("sub", receipt.sub),
        ("dlvrd", receipt.dlvrd),
        ("submit_date", receipt.submit_date),
        ("done_date", receipt.done_date),
        ("stat", receipt.stat),
        ("err", receipt.err),
        ("text", receipt.text),
    ];
    let found: Vec<_> =
        fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, Json::text(value)))).collect();
    (receipt.is_receipt() && !found.is_empty()).then_some(Json::Object(found))
}

/// A time for people: in UTC, as a span from now on, or why it is none.
pub(super) fn time_words(field: &COctets) -> String {
    match SmppTime::from_field(field) {
        Ok(None) => String::new(),
        Ok(Some(time @ SmppTime::Absolute { .. })) => utc(time.to_unix_ms(PIVOT_MS)),
        Ok(Some(SmppTime::Relative { years, months, days, hours, minutes, seconds })) => {
            let parts = [
                (years, "years"),
                (months, "months"),
                (days, "days"),
                (hours, "hours"),
                (minutes, "minutes"),
                (seconds, "seconds"),
            ];
            let named: Vec<_> = parts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, unit)| {
                    format!("{count} {}", if *count == 1 { unit.trim_end_matches('s') } else { unit })
                })
                .collect();
            if named.is_empty() { "at once".to_owned() } else { format!("in {}", named.join(" ")) }
        }
        Err(error) => format!("no time: {error}"),
    }
}

/// How many short messages the text takes, as it is.
pub(super) fn segments_of(body: &Body) -> Option<u8> {
    let facts = Facts::of(body);
    let (_, octets) = facts.octets?;
    let udhi = facts.esm_class.is_some_and(EsmClass::udhi);
    let data = UserData::read(facts.coding.alphabet(), udhi, octets).ok()?;
    count(&data, Width::Eight).ok().map(|parts| parts.segments)
}

fn time_json(field: &COctets) -> Json {
    let invalid = || Json::Object(vec![("kind", "invalid".into())]);
    let Ok(Some(time)) = SmppTime::from_field(field) else { return invalid() };
    match time {
        SmppTime::Absolute { quarters, .. } => Json::Object(vec![
            ("kind", "absolute".into()),
            ("utc", utc(time.to_unix_ms(PIVOT_MS)).into()),
            ("offset_minutes", (i16::from(quarters) * 15).into()),
        ]),
        SmppTime::Relative { years, months, days, hours, minutes, seconds } => {
            let mut object = Json::Object(vec![
                ("kind", "relative".into()),
                ("years", years.into()),
                ("months", months.into()),
                ("days", days.into()),
                ("hours", hours.into()),
                ("minutes", minutes.into()),
                ("seconds", seconds.into()),
            ]);
            if field.as_bytes().get(12..15).is_some_and(|rest| rest != b"000") {
                object.put("note", "tenths/offset digits not zero");
            }
            object
        }
    }
}

fn utc(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).map_or_else(|_| unix_ms.to_string(), |at| format!("{at:.3}"))
}

/// Two-digit years are those nearest to this moment, 1988-01-01: 1938 to 2037, as SMPP 3.4 Appendix C has it. A decoder
/// that depended on the present would read the same octets differently next year.
const PIVOT_MS: i64 = 567_993_600_000;
