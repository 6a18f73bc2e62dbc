//! The reading for people: a tree of offsets, names, values and what they mean, then what is wrong and what was forgiven.

use std::io::{self, Write};

use smpp_proto::field::InterfaceVersion;
use smpp_proto::{CommandId, Header, Tlv, TlvValue};

use super::body::{Row, Rows};
use super::capture::{Event, Place, Sighting, span};
use super::derived::segments_of;
use super::json::Json;
use super::meaning::Meaning;
use super::words::{bits_of, meaning_of};

/// How it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Passwords as they came, not as asterisks.
    pub(super) show_secrets: bool,
    /// One line a PDU.
    pub(super) brief: bool,
}

/// Writes one PDU that came without a time and a place.
pub(super) fn write(meaning: &Meaning, style: Style, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}{}", title(meaning), if style.brief { brief(meaning) } else { String::new() })?;
    if style.brief { Ok(()) } else { tree(meaning, style, out) }
}

/// Writes what a capture gives.
pub(super) fn write_event(event: &Event, style: Style, out: &mut impl Write) -> io::Result<()> {
    match event {
        Event::Pdu(sighting) => {
            let Sighting { number, place, answers, meaning } = &**sighting;
            let answers = match answers {
                Some(answers) => {
                    let after =
                        answers.after.map(|after| format!(" after {}", span(after))).unwrap_or_default();
                    format!("  answers #{}{after}", answers.number)
                }
                None => String::new(),
            };
            let (place, title) = (heading(place), title(meaning));
            if style.brief {
                return writeln!(out, "#{number}  {place}  {title}{}{answers}", brief(meaning));
            }
            writeln!(out, "#{number}  {place}  offset {}{answers}\n{title}", event_offset(event))?;
            tree(meaning, style, out)
        }
        Event::Gap(place, octets) => {
            writeln!(out, "gap  {}  {octets} octets were not captured{}", heading(place), end(style))
        }
        Event::Skipped(place, octets) => {
            writeln!(
                out,
                "skipped  {}  {octets} octets until a header made sense{}",
                heading(place),
                end(style)
            )
        }
    }
}

fn event_offset(event: &Event) -> u64 {
    match event {
        Event::Pdu(sighting) => sighting.place.offset,
        Event::Gap(place, _) | Event::Skipped(place, _) => place.offset,
    }
}

fn end(style: Style) -> &'static str {
    if style.brief { "" } else { "\n" }
}

fn heading(place: &Place) -> String {
    let time = place.time_text().unwrap_or_else(|| "no time".to_owned());
    format!("{time}  {} → {}", place.from, place.to)
}

fn title(meaning: &Meaning) -> String {
    let Some(header) = &meaning.header else {
        return format!("{} octets", meaning.octets.len());
    };
    let name = header.command.name().unwrap_or("unknown command");
    let status = match (header.command.is_response(), header.status.name()) {
        (false, _) => String::new(),
        (true, Some(name)) => format!(", {name}"),
        (true, None) => format!(", status {}", header.status),
    };
    format!("{name}, sequence {}{status}, {} octets", header.sequence, meaning.octets.len())
}

/// The fields that tell most, for one line.
fn brief(meaning: &Meaning) -> String {
    const TELLING: &[&str] = &["system_id", "source_addr", "destination_addr", "message_id"];
    let mut words = String::new();
    for row in meaning.body.iter().flat_map(|body| &body.0).filter(|row| TELLING.contains(&row.name)) {
        if row.value != Json::Text(String::new()) {
            words.push_str(&format!("  {} {}", row.name, shown(&row.value)));
        }
    }
    if let Some(text) = meaning.derived.entry("user_data").and_then(|data| data.entry("text")) {
        let text: String = shown(text).chars().take(BRIEF_CHARACTERS).collect();
        words.push_str(&format!("  {text:?}"));
    }
    if let Some(fault) = &meaning.problem {
        words.push_str(&format!("  problem: {}", fault.class));
    }
    words
}

/// Everything of one PDU, with an empty line behind it.
fn tree(meaning: &Meaning, style: Style, out: &mut impl Write) -> io::Result<()> {
    if let Some(header) = &meaning.header {
        header_lines(header, out)?;
    }
    let mut offset = Header::LENGTH;
    if let Some(rows) = &meaning.body {
        offset = field_lines(rows, offset, 0, style, out)?;
    }
    for tlv in meaning.tlvs.iter() {
        tlv_lines(tlv, offset, meaning.header.as_ref(), out)?;
        offset += 4 + tlv.value.len();
    }
    unread_lines(meaning, offset, out)?;
    reading_lines(meaning, out)?;
    verdict_lines(meaning, out)?;
    writeln!(out)
}

fn header_lines(header: &Header, out: &mut impl Write) -> io::Result<()> {
    line(out, 0, 0, "command_length", &header.length.to_string(), "")?;
    let name = header.command.name().unwrap_or("unknown");
    line(out, 4, 0, "command_id", &format!("0x{:08X}", header.command.0), name)?;
    let status = match (header.command.is_response(), header.status.name()) {
        (false, _) if !header.status.is_ok() => "means nothing in a request",
        (_, name) => name.unwrap_or(if header.status.is_vendor() { "of the vendor" } else { "reserved" }),
    };
    line(out, 8, 0, "command_status", &format!("0x{:08X}", header.status.0), status)?;
    line(out, 12, 0, "sequence_number", &header.sequence.to_string(), "")
}

/// The fields from `offset` on; gives where they end.
fn field_lines(
    rows: &Rows,
    mut offset: usize,
    depth: usize,
    style: Style,
    out: &mut impl Write,
) -> io::Result<usize> {
    for row in &rows.0 {
        if let Json::List(_) = row.value {
            let mut at = offset;
            for (entry, number) in row.entries.iter().zip(1..) {
                line(out, at, depth, &format!("{} {number}", row.name), "", "")?;
                at = field_lines(entry, at, depth + 1, style, out)?;
            }
        } else {
            line(out, offset, depth, row.name, &value_of(row, style), &meaning_of(row))?;
            for (picture, words) in bits_of(row) {
                line(out, NO_OFFSET, depth + 1, &picture, &words, "")?;
            }
            if let (Json::Text(hex), "short_message") = (&row.value, row.name) {
                dump(&unhex(hex), out)?;
            }
        }
        offset += row.octets;
    }
    Ok(offset)
}

fn value_of(row: &Row, style: Style) -> String {
    match (&row.value, row.name) {
        (Json::Text(_), "short_message") => counted(row.octets, "octet"),
        (Json::Text(secret), "password") if !style.show_secrets && !secret.is_empty() => MASK.to_owned(),
        (Json::Text(code), "error_status_code") => code.clone(),
        (Json::Text(text), _) => format!("{text:?}"),
        (Json::Number(number), "esm_class" | "registered_delivery" | "data_coding" | "protocol_id") => {
            format!("0x{number:02X}")
        }
        (value, _) => shown(value),
    }
}

fn tlv_lines(tlv: &Tlv, offset: usize, header: Option<&Header>, out: &mut impl Write) -> io::Result<()> {
    let name = match tlv.tag.name() {
        Some(name) => name,
        None if tlv.tag.is_vendor() => "(vendor)",
        None => "(unknown)",
    };
    let length = counted(tlv.value.len(), "octet");
    line(out, offset, 0, &format!("{:04X} {name}", tlv.tag.0), &length, &tlv.read().to_string())?;
    if let Some(hint) = tlv.tag.hint() {
        line(out, NO_OFFSET, 1, "seen as", hint, "")?;
    }
    let versions = [InterfaceVersion::V3_4, InterfaceVersion::V5_0];
    if let Some(command) = header.map(|header| header.command)
        && !versions.iter().any(|version| tlv.tag.belongs_to(command, *version))
    {
        let command = command.name().unwrap_or("this PDU");
        line(out, NO_OFFSET, 1, "note", &format!("not meant for {command}"), "")?;
    }
    if matches!(tlv.read(), TlvValue::UserData(_)) { dump(&tlv.value, out) } else { Ok(()) }
}

/// The octets behind the last field that could be read.
fn unread_lines(meaning: &Meaning, offset: usize, out: &mut impl Write) -> io::Result<()> {
    let offset = if meaning.header.is_some() { offset } else { 0 };
    let Some(rest) = meaning.octets.get(offset..).filter(|rest| !rest.is_empty()) else { return Ok(()) };
    line(out, offset, 0, "(not read)", &counted(rest.len(), "octet"), "")?;
    dump(rest, out)
}

/// The text, its header, the receipt.
fn reading_lines(meaning: &Meaning, out: &mut impl Write) -> io::Result<()> {
    if let Some(data) = meaning.derived.entry("user_data") {
        let of = |name: &str| data.entry(name).map(shown);
        let source = of("source").unwrap_or_default();
        line(
            out,
            NO_OFFSET,
            0,
            "user data",
            &format!("{} octets", of("octets").unwrap_or_default()),
            &source,
        )?;
        for element in data.entry("udh").and_then(|udh| udh.entry("elements")).into_iter().flat_map(entries) {
            element_line(element, out)?;
        }
        let size = ["septets", "code_units"]
            .iter()
            .find_map(|unit| of(unit).map(|count| format!("{count} {}", unit.replace('_', " "))))
            .unwrap_or_default();
        if let Some(charset) = of("charset") {
            line(out, NO_OFFSET, 1, "alphabet", &charset, &size)?;
        }
        if let Some(segments) = meaning.pdu.as_ref().and_then(|pdu| segments_of(&pdu.body)) {
            line(out, NO_OFFSET, 1, "short messages", &segments.to_string(), "")?;
        }
        for name in ["text", "note", "error"] {
            if let Some(value) = of(name) {
                let value = if name == "text" { format!("\"{value}\"") } else { value };
                line(out, NO_OFFSET, 1, name, &value, "")?;
            }
        }
    }
    if let Some(Json::Object(fields)) = meaning.derived.entry("receipt") {
        line(out, NO_OFFSET, 0, "receipt", "", "")?;
        for (name, value) in fields {
            line(out, NO_OFFSET, 1, name, &format!("\"{}\"", shown(value)), "")?;
        }
    }
    Ok(())
}

fn entries(list: &Json) -> &[Json] {
    if let Json::List(entries) = list { entries } else { &[] }
}

/// An information element of a user data header (3GPP TS 23.040 §9.2.3.24).
fn element_line(element: &Json, out: &mut impl Write) -> io::Result<()> {
    let id = element.entry("iei").map(shown).unwrap_or_default();
    let number = |object: &Json, name: &str| object.entry(name).map(shown).unwrap_or_default();
    let words = if let Some(concat) = element.entry("concat") {
        let [reference, total, part] = ["ref", "total", "part"].map(|name| number(concat, name));
        format!("part {part} of {total}, reference {reference}, {} bits", number(concat, "ref_bits"))
    } else if let Some(ports) = element.entry("ports") {
        format!("ports: destination {}, source {}", number(ports, "destination"), number(ports, "source"))
    } else if let Some(language) = element.entry("single_shift_language") {
        format!("national single shift, language {}", shown(language))
    } else if let Some(language) = element.entry("locking_shift_language") {
        format!("national locking shift, language {}", shown(language))
    } else {
        number(element, "data_hex")
    };
    line(out, NO_OFFSET, 1, &format!("header element {id}"), &words, "")
}

/// What is wrong, where, and with what it is answered; and what a reader forgives.
fn verdict_lines(meaning: &Meaning, out: &mut impl Write) -> io::Result<()> {
    if let Some(fault) = &meaning.problem {
        let field = fault.field.as_deref().map(|field| format!(" in {field}")).unwrap_or_default();
        let at = fault.offset.map(|offset| format!(" at {offset:04X}")).unwrap_or_default();
        let answer = match fault.answer {
            Some((command, status)) => format!("; answered with {} {}", name_of(command), status),
            None => String::new(),
        };
        writeln!(out, "  problem: {}{field}{at}: {}{answer}", fault.class, fault.detail)?;
    }
    if let Some(breach) = &meaning.breach {
        writeln!(out, "  problem: {breach}")?;
    }
    if !meaning.tolerated.is_empty() {
        writeln!(out, "  tolerated: {}", meaning.tolerated)?;
    }
    Ok(())
}

fn name_of(command: CommandId) -> &'static str {
    command.name().unwrap_or("a response")
}

/// Octets in lines of sixteen, with the characters that can be shown.
fn dump(octets: &[u8], out: &mut impl Write) -> io::Result<()> {
    for row in octets.chunks(16).take(DUMP_LINES) {
        let hex: Vec<_> = row.iter().map(|octet| format!("{octet:02X}")).collect();
        let text: String = row
            .iter()
            .map(|octet| if matches!(octet, b' '..=b'~') { char::from(*octet) } else { '.' })
            .collect();
        writeln!(out, "          {:<48}  {text}", hex.join(" "))?;
    }
    let more = octets.len().saturating_sub(16 * DUMP_LINES);
    if more > 0 { writeln!(out, "          … {more} more octets") } else { Ok(()) }
}

fn unhex(hex: &str) -> Vec<u8> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    let digit = |character: u8| char::from(character).to_digit(16).unwrap_or(0) as u8;
    pairs.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}

/// A count with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
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
    offset: usize,
    depth: usize,
    name: &str,
    value: &str,
    remark: &str,
) -> io::Result<()> {
    let offset = if offset == NO_OFFSET { String::new() } else { format!("{offset:04X}") };
    let name = format!("{:indent$}{name}", "", indent = depth * 2);
    let line = format!("  {offset:>4}  {name:<34}{value:<22}  {remark}");
    writeln!(out, "{}", line.trim_end())
}

/// A line that is a reading of what stands above it.
const NO_OFFSET: usize = usize::MAX;
/// What stands for a password.
const MASK: &str = "********";
/// Lines of a dump, of sixteen octets each.
const DUMP_LINES: usize = 64;
/// Characters of a text on one line.
const BRIEF_CHARACTERS: usize = 60;
