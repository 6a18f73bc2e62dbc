//! TLVs: tag, name, length, octets, and a reading of the value where it has a simple one (SMPP 3.4 §5.3.2).

use smpp_proto::Tlv;
use smpp_proto::field::TlvValue;

use super::json::Json;

/// One TLV as an object.
pub(super) fn to_json(tlv: &Tlv) -> Json {
    let mut object = Json::Object(vec![
        ("tag", Json::code(u32::from(tlv.tag.0), 4)),
        ("name", tlv.tag.name().into()),
        ("length", tlv.value.len().into()),
        ("value_hex", Json::hex(&tlv.value)),
    ]);
    if let Some(value) = value_of(tlv) {
        object.put("value", value);
    }
    object
}

/// The value's reading; `None` for texts of unknown alphabet, unknown tags, and lengths that cannot be read.
fn value_of(tlv: &Tlv) -> Option<Json> {
    let entries = match tlv.read() {
        TlvValue::Text(text) => return Some(Json::text(text)),
        // Its presence is what it says.
        TlvValue::Alert(None) => return Some(Json::Null),
        TlvValue::Country(code) => return u32::try_from(code).ok().map(Json::from),
        TlvValue::UserData(_)
        | TlvValue::Node(_)
        | TlvValue::RoutingNumber(_)
        | TlvValue::Octets(_)
        | TlvValue::Unknown(_) => return None,
        TlvValue::Subaddress { kind, data } => vec![("type", kind.0.into()), ("data_hex", Json::hex(data))],
        TlvValue::Callback { mode, ton, npi, digits } => vec![
            ("digit_mode", mode.0.into()),
            ("ton", ton.0.into()),
            ("npi", npi.0.into()),
            ("digits", Json::text(digits)),
        ],
        TlvValue::CallbackDisplay { coding, text } => {
            vec![("data_coding", coding.0.into()), ("display_hex", Json::hex(text))]
        }
        TlvValue::NetworkError { network, code } => {
            vec![("network_type", network.0.into()), ("error_code", code.into())]
        }
        // As three digits it has the same fields, which say nothing then.
        TlvValue::ErrorDigits(&[first, second, third]) => {
            vec![("network_type", first.into()), ("error_code", u16::from_be_bytes([second, third]).into())]
        }
        TlvValue::BroadcastContent { network, content } => {
            vec![("network", network.0.into()), ("content_type", content.0.into())]
        }
        TlvValue::BroadcastInterval { unit, count } => {
            vec![("unit", unit.0.into()), ("interval", count.into())]
        }
        TlvValue::BroadcastArea { format, data } => {
            vec![("format", format.0.into()), ("data_hex", Json::hex(data))]
        }
        TlvValue::Billing { format, data } => vec![("format", format.into()), ("data_hex", Json::hex(data))],
        TlvValue::Validity { kind, period } => {
            let mut entries = vec![("behaviour", kind.0.into())];
            if let Some((unit, count)) = period {
                entries.extend([("unit", unit.0.into()), ("count", count.into())]);
            }
            entries
        }
        TlvValue::ItsSession { session, sequence, ends } => vec![
            ("session_number", session.into()),
            ("sequence", sequence.into()),
            ("end_of_session", u8::from(ends).into()),
        ],
        // Everything else is a number, also where its length is another than it should be.
        _ => return tlv.integer().map(Json::from),
    };
    Some(Json::Object(entries))
}
