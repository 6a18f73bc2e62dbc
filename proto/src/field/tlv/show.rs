//! Optional parameters as a person would read them: `network_error_code GSM 27 (absent subscriber)`.

use std::fmt::{self, Display, Formatter};

use super::Tlv;
use super::broadcast::{ContentNetwork, IntervalUnit};
use super::value::TlvValue;
use crate::field::octets::Plain;

/// Name and value. A tag without a name shows its number, and `vendor` if it is in their range.
impl Display for Tlv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.tag.name() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "0x{:04X}{}", self.tag.0, if self.tag.is_vendor() { " (vendor)" } else { "" })?,
        }
        let value = self.read();
        if matches!(value, TlvValue::Alert(None)) { Ok(()) } else { write!(f, " {value}") }
    }
}

impl Display for TlvValue<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            TlvValue::Subunit(code) => named(f, code.name(), code.0),
            TlvValue::Network(code) => named(f, code.name(), code.0),
            TlvValue::Bearer(code) => named(f, code.name(), code.0),
            TlvValue::Payload(code) => named(f, code.name(), code.0),
            TlvValue::Privacy(code) => named(f, code.name(), code.0),
            TlvValue::Language(code) => named(f, code.name(), code.0),
            TlvValue::DisplayTime(code) => named(f, code.name(), code.0),
            TlvValue::Flag(code) => named(f, code.name(), code.0),
            TlvValue::Availability(code) => named(f, code.name(), code.0),
            TlvValue::Failure(code) => named(f, code.name(), code.0),
            TlvValue::State(code) => named(f, code.name(), code.0),
            TlvValue::ItsReply(code) => named(f, code.name(), code.0),
            TlvValue::Ussd(code) => named(f, code.name(), code.0),
            TlvValue::Portability(code) => named(f, code.name(), code.0),
            TlvValue::BroadcastChannel(code) => named(f, code.name(), code.0),
            TlvValue::BroadcastClass(code) => named(f, code.name(), code.0),
            TlvValue::Version(version) => version.fmt(f),
            TlvValue::Status(status) => status.fmt(f),
            TlvValue::Seconds(seconds) => write!(f, "{seconds} s"),
            TlvValue::Number(number) => number.fmt(f),
            TlvValue::Port(port) => numbered(f, port, port_name(port)),
            TlvValue::Congestion(percent) => write!(f, "{percent} ({})", congestion(percent)),
            TlvValue::Country(code) => code.fmt(f),
            TlvValue::Repetitions(0) => f.write_str("until the validity ends"),
            TlvValue::Repetitions(times) => times.fmt(f),
            TlvValue::AreaSuccess(255) => f.write_str("unknown"),
            TlvValue::AreaSuccess(percent) => write!(f, "{percent} %"),
            TlvValue::Text(text) | TlvValue::Node(text) | TlvValue::RoutingNumber(text) => quoted(f, text),
            TlvValue::ErrorDigits(digits) => write!(f, "err {} (in digits)", Plain(digits)),
            TlvValue::UserData(data) => write!(f, "{} octets", data.len()),
            TlvValue::Octets(octets) | TlvValue::Unknown(octets) => open(f, octets),
            TlvValue::Malformed(octets) => {
                write!(f, "malformed: {} octets ", octets.len())?;
                hex(f, octets)
            }
            ref other => several(f, other),
        }
    }
}

/// Values of more than one field.
fn several(f: &mut Formatter<'_>, value: &TlvValue<'_>) -> fmt::Result {
    match *value {
        TlvValue::Telematics { protocol_id, reserved } => {
            write!(f, "protocol_id 0x{protocol_id:02X}")?;
            reserved.filter(|octet| *octet != 0).map_or(Ok(()), |octet| write!(f, ", reserved 0x{octet:02X}"))
        }
        TlvValue::MessageWaiting { active, kind } => {
            let kind = ["voicemail", "fax", "email", "other"].get(usize::from(kind)).unwrap_or(&"other");
            write!(f, "{kind} waiting: {}", if active { "on" } else { "off" })
        }
        TlvValue::Subaddress { kind, data } => {
            named(f, kind.name(), kind.0)?;
            f.write_str(": ")?;
            open(f, data)
        }
        TlvValue::Validity { kind, period } => {
            named(f, kind.name(), kind.0)?;
            let Some((unit, count)) = period else { return Ok(()) };
            write!(f, ", {count} ")?;
            named(f, unit.name(), unit.0)
        }
        TlvValue::NetworkError { network, code } => {
            named(f, network.name(), network.0)?;
            f.write_str(" ")?;
            numbered(f, code, network.cause(code))
        }
        TlvValue::Callback { mode, ton, npi, digits } => {
            quoted(f, digits)?;
            f.write_str(", TON ")?;
            named(f, ton.name(), ton.0)?;
            f.write_str(", NPI ")?;
            named(f, npi.name(), npi.0)?;
            f.write_str(", ")?;
            named(f, mode.name(), mode.0)
        }
        TlvValue::CallbackPresentation(presentation, screening) => {
            named(f, presentation.name(), presentation.0)?;
            f.write_str(", ")?;
            named(f, screening.name(), screening.0)
        }
        TlvValue::CallbackDisplay { coding, text } => {
            open(f, text)?;
            write!(f, ", data_coding {coding}")
        }
        TlvValue::Alert(None) => f.write_str("yes"),
        TlvValue::Alert(Some(priority)) => named(f, priority.name(), priority.0),
        TlvValue::ItsSession { session, sequence, ends } => {
            write!(f, "session {session}, unit {sequence}{}", if ends { ", ends" } else { "" })
        }
        TlvValue::Billing { format, data } => {
            write!(f, "{} 0x{format:02X}: ", if format & 0x80 == 0 { "format" } else { "vendor format" })?;
            open(f, data)
        }
        TlvValue::BroadcastContent { network, content } => {
            named(f, network.name(), network.0)?;
            let name = content.name().filter(|_| network == ContentNetwork::GENERIC);
            write!(f, " 0x{:04X}", content.0)?;
            name.map_or(Ok(()), |name| write!(f, " ({name})"))
        }
        TlvValue::BroadcastInterval { unit: IntervalUnit::AS_OFTEN_AS_POSSIBLE, .. } => {
            f.write_str("as often as possible")
        }
        TlvValue::BroadcastInterval { unit, count } => {
            write!(f, "every {count} ")?;
            named(f, unit.name(), unit.0)
        }
        TlvValue::BroadcastArea { format, data } => {
            named(f, format.name(), format.0)?;
            f.write_str(": ")?;
            open(f, data)
        }
        _ => Ok(()),
    }
}

fn named(f: &mut Formatter<'_>, name: Option<&str>, code: u8) -> fmt::Result {
    match name {
        Some(name) => f.write_str(name),
        None => write!(f, "reserved 0x{code:02X}"),
    }
}

fn numbered(f: &mut Formatter<'_>, number: u16, name: Option<&str>) -> fmt::Result {
    number.fmt(f)?;
    name.map_or(Ok(()), |name| write!(f, " ({name})"))
}

fn quoted(f: &mut Formatter<'_>, text: &[u8]) -> fmt::Result {
    write!(f, "\"{}\"", Plain(text))
}

/// Octets of which nobody said what they are: text if all but a last NUL can be shown, else hex digits.
fn open(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let text = octets.strip_suffix(&[0]).unwrap_or(octets);
    if !text.is_empty() && text.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        return quoted(f, text);
    }
    hex(f, octets)
}

fn hex(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    if octets.is_empty() {
        return f.write_str("(empty)");
    }
    octets.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
}

/// Ports that phones know (WAP-259 §4, Smart Messaging 3.0 §4).
fn port_name(port: u16) -> Option<&'static str> {
    Some(match port {
        2948 => "WAP push",
        2949 => "WAP push, secure",
        5505 => "ring tone",
        5506 => "operator logo",
        5507 => "group graphic",
        9200 => "WAP, connectionless",
        9201 => "WAP, connection oriented",
        9204 => "vCard",
        9205 => "vCalendar",
        _ => return None,
    })
}

/// The bands of congestion_state; 90 stands in two of them and is taken as the better one (SMPP 5.0 §4.8.4.18).
fn congestion(percent: u8) -> &'static str {
    match percent {
        0 => "idle",
        1..=29 => "low load",
        30..=49 => "medium load",
        50..=79 => "high load",
        80..=90 => "optimum load",
        91..=99 => "nearing congestion",
        100 => "congested",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tag;
    use super::*;

    fn shown(tag: u16, octets: &'static [u8]) -> String {
        Tlv::new(Tag(tag), octets).to_string()
    }

    #[test]
    fn standard_tags_read_like_sentences() {
        for (tag, octets, text) in [
            (0x0423, &b"\x03\0\x1B"[..], "network_error_code GSM 27 (absent subscriber)"),
            (0x0423, b"034", "network_error_code err 034 (in digits)"),
            (0x0423, b"\x08\x01\0", "network_error_code message centre 256"),
            (0x0005, b"\x01", "dest_addr_subunit MS display"),
            (0x000E, b"\x09", "source_network_type reserved 0x09"),
            (0x0007, b"\x08", "dest_bearer_type cell broadcast"),
            (0x0008, b"\x25\0", "dest_telematics_id protocol_id 0x25"),
            (0x0010, b"\x25", "source_telematics_id protocol_id 0x25"),
            (0x0017, b"\0\0\x0E\x10", "qos_time_to_live 3600 s"),
            (0x001E, b"abc\0", "receipted_message_id \"abc\""),
            (0x0030, b"\x81", "ms_msg_wait_facilities fax waiting: on"),
            (0x0202, b"\xA0user", "source_subaddress user specified: \"user\""),
            (0x020B, b"\x0B\x84", "dest_port 2948 (WAP push)"),
            (0x0210, b"\x34", "sc_interface_version 3.4 (0x34)"),
            (
                0x0302,
                b"\x05",
                "callback_num_pres_ind presentation restricted, user provided, verified and passed",
            ),
            (0x0427, b"\x02", "message_state DELIVERED"),
            (0x0428, b"\x5F", "congestion_state 95 (nearing congestion)"),
            (0x1204, b"\x04\x01\0\x30", "ms_validity relative, 48 minutes"),
            (0x130C, b"", "alert_on_message_delivery"),
            (0x130C, b"\x02", "alert_on_message_delivery medium priority"),
            (0x1383, b"\x01\x03", "its_session_info session 1, unit 1, ends"),
        ] {
            assert_eq!(shown(tag, octets), text);
        }
    }

    #[test]
    fn tags_of_5_0_read_like_sentences() {
        for (tag, octets, text) in [
            (0x0601, &b"\0\0\x33"[..], "broadcast_content_type generic 0x0033 (weather)"),
            (0x0601, b"\x01\0\x33", "broadcast_content_type GSM 0x0033"),
            (0x0604, b"\0\0", "broadcast_rep_num until the validity ends"),
            (0x0605, b"\x09\0\x0A", "broadcast_frequency_interval every 10 minutes"),
            (0x0605, b"\0\0\x0A", "broadcast_frequency_interval as often as possible"),
            (0x0606, b"\0North", "broadcast_area_identifier alias: \"North\""),
            (0x0606, b"\x01\x0A\x0B", "broadcast_area_identifier ellipsoid arc: 0A0B"),
            (0x0607, b"\0\0\x01\x09", "broadcast_error_status ESME_RINVBCASTAREAFMT (0x00000109)"),
            (0x0608, b"\x64", "broadcast_area_success 100 %"),
            (0x060B, b"\x80acct", "billing_identification vendor format 0x80: \"acct\""),
            (0x0611, b"\x02", "dest_addr_np_resolution ported"),
            (0x0613, b"\0\0\0\0\x2C", "dest_addr_np_country 44"),
        ] {
            assert_eq!(shown(tag, octets), text);
        }
    }

    #[test]
    fn what_has_no_name_or_the_wrong_length_is_shown_all_the_same() {
        assert_eq!(shown(0x1400, b"110100001352\0"), "0x1400 (vendor) \"110100001352\"");
        assert_eq!(shown(0x9000, b""), "0x9000 (empty)");
        assert_eq!(shown(0x020B, b""), "dest_port malformed: 0 octets (empty)");
        assert_eq!(shown(0x0423, b"\x03\x1B"), "network_error_code malformed: 2 octets 031B");
        assert_eq!(shown(0x0210, b"\0\0\0\x34"), "sc_interface_version 3.4 (0x34)");
    }
}
