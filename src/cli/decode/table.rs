//! The reading for people: offset, name, value and what it means, in columns.

use std::io::{self, Write};

use smpp_proto::field::flags::InterfaceVersion;
use smpp_proto::field::{DataCoding, EsmClass, MessageState, Npi, RegisteredDelivery, Tag, Ton};

use super::body::Row;
use super::json::Json;
use super::meaning::Meaning;
use super::tlv;

/// Writes one PDU.
pub(super) fn write(meaning: &Meaning, out: &mut impl Write) -> io::Result<()> {
    if let Some(header) = &meaning.header {
        writeln!(out, "{}", header.command.name().unwrap_or("unknown command"))?;
        line(out, Some(0), "command_length", &header.length.to_string(), "")?;
        line(out, Some(4), "command_id", &format!("0x{:08X}", header.command.0), "")?;
        let status = header.status.name().unwrap_or_default();
        line(out, Some(8), "command_status", &format!("0x{:08X}", header.status.0), status)?;
        line(out, Some(12), "sequence_number", &header.sequence.to_string(), "")?;
    }
    let mut offset = 16;
    for row in meaning.body.iter().flat_map(|body| &body.0) {
        field(out, offset, row)?;
        offset += row.octets;
    }
    for tlv in meaning.tlvs.iter() {
        let name = tlv.tag.name().unwrap_or("(no name)");
        let value = match (tlv.tag, &tlv.value[..]) {
            (Tag::MESSAGE_STATE, [state]) => named(MessageState(*state).name()),
            _ => tlv::value_of(tlv).map(|value| shown(&value)).unwrap_or_default(),
        };
        let hex = shown(&Json::hex(&tlv.value));
        line(out, Some(offset), &format!("{:04X} {name}", tlv.tag.0), &hex, &value)?;
        offset += 4 + tlv.value.len();
    }
    if let Json::Object(readings) = &meaning.derived {
        for (name, value) in readings {
            reading(out, name, value)?;
        }
    }
    if let Some(fault) = &meaning.problem {
        let place = fault.field.as_deref().map(|field| format!(" in {field}")).unwrap_or_default();
        writeln!(out, "  MALFORMED: {}{place}: {}", fault.class, fault.detail)?;
    }
    writeln!(out)
}

fn field(out: &mut impl Write, offset: usize, row: &Row) -> io::Result<()> {
    if let Json::List(entries) = &row.value {
        for (at, entry) in entries.iter().enumerate() {
            let offset = (at == 0).then_some(offset);
            line(out, offset, row.name, &shown(entry), "")?;
        }
        return Ok(());
    }
    let value = match (&row.value, row.name) {
        (Json::Text(hex), "short_message") => hex.clone(),
        (Json::Text(text), _) => format!("{text:?}"),
        (value, _) => shown(value),
    };
    line(out, Some(offset), row.name, &value, &remark(row))
}

/// What a number means.
fn remark(row: &Row) -> String {
    let Json::Number(number) = row.value else { return String::new() };
    let Ok(octet) = u8::try_from(number) else { return String::new() };
    match row.name {
        "esm_class" => format!("{:?}", EsmClass(octet)),
        "registered_delivery" => format!("{:?}", RegisteredDelivery(octet)),
        "data_coding" => DataCoding(octet).alphabet().as_str().to_owned(),
        "interface_version" => named(InterfaceVersion(octet).name()),
        "message_state" => named(MessageState(octet).name()),
        name if name.ends_with("_ton") => named(Ton(octet).name()),
        name if name.ends_with("_npi") => named(Npi(octet).name()),
        _ => String::new(),
    }
}

fn named(name: Option<&str>) -> String {
    name.unwrap_or("reserved").to_owned()
}

/// One reading: objects field by field, beneath their name.
fn reading(out: &mut impl Write, name: &str, value: &Json) -> io::Result<()> {
    // Their bits are beside the fields already.
    if matches!(name, "esm_class" | "registered_delivery") {
        return Ok(());
    }
    match value {
        Json::Object(entries) => {
            writeln!(out, "  {name}")?;
            for (name, value) in entries {
                line(out, None, name, &shown(value), "")?;
            }
            Ok(())
        }
        other => line(out, None, name, &shown(other), ""),
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Text(text) => text
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect(),
        Json::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(" · "),
        Json::Object(entries) => entries
            .iter()
            .map(|(name, value)| format!("{name} {}", shown(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn line(
    out: &mut impl Write,
    offset: Option<usize>,
    name: &str,
    value: &str,
    remark: &str,
) -> io::Result<()> {
    let offset = offset.map(|offset| offset.to_string()).unwrap_or_default();
    let line = format!("  {offset:>5}  {name:<28}{value:<24}  {remark}");
    writeln!(out, "{}", line.trim_end())
}
