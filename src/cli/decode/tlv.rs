//! TLVs: tag, name, length, octets, and a reading of the value where it has a simple one (SMPP 3.4 §5.3.2).

use smpp_proto::{Tag, Tlv};

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
pub(super) fn value_of(tlv: &Tlv) -> Option<Json> {
    tlv.tag.name()?;
    let octets = &tlv.value[..];
    match tlv.tag {
        Tag::ADDITIONAL_STATUS_INFO_TEXT
        | Tag::RECEIPTED_MESSAGE_ID
        | Tag::BROADCAST_END_TIME
        | Tag::SOURCE_NETWORK_ID
        | Tag::DEST_NETWORK_ID => Some((&tlv.text()).into()),
        Tag::MESSAGE_PAYLOAD
        | Tag::SOURCE_NODE_ID
        | Tag::DEST_NODE_ID
        | Tag::DEST_ADDR_NP_INFORMATION
        | Tag::BROADCAST_CONTENT_TYPE_INFO
        | Tag::BROADCAST_SERVICE_GROUP => None,
        // Its presence is what it says; from 5.0 it may have a value.
        Tag::ALERT_ON_MESSAGE_DELIVERY if octets.is_empty() => Some(Json::Null),
        Tag::DEST_ADDR_NP_COUNTRY => {
            let number = octets.iter().try_fold(0_u32, |number, octet| {
                number.checked_mul(256).and_then(|number| number.checked_add(u32::from(*octet)))
            });
            number.map(Json::from)
        }
        _ => structure_of(tlv.tag, octets)
            .or_else(|| tlv.integer().map(Json::from))
            .filter(|_| !octets.is_empty()),
    }
}

/// Values of several fields.
fn structure_of(tag: Tag, octets: &[u8]) -> Option<Json> {
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    let entries = match (tag, octets) {
        (Tag::SOURCE_SUBADDRESS | Tag::DEST_SUBADDRESS, [kind, rest @ ..]) => {
            vec![("type", (*kind).into()), ("data_hex", Json::hex(rest))]
        }
        (Tag::CALLBACK_NUM, [mode, ton, npi, digits @ ..]) => vec![
            ("digit_mode", (*mode).into()),
            ("ton", (*ton).into()),
            ("npi", (*npi).into()),
            ("digits", Json::text(digits)),
        ],
        (Tag::CALLBACK_NUM_ATAG, [coding, display @ ..]) => {
            vec![("data_coding", (*coding).into()), ("display_hex", Json::hex(display))]
        }
        (Tag::NETWORK_ERROR_CODE, [network, high, low]) => {
            vec![("network_type", (*network).into()), ("error_code", word(*high, *low).into())]
        }
        (Tag::BROADCAST_CONTENT_TYPE, [network, high, low]) => {
            vec![("network", (*network).into()), ("content_type", word(*high, *low).into())]
        }
        (Tag::BROADCAST_FREQUENCY_INTERVAL, [unit, high, low]) => {
            vec![("unit", (*unit).into()), ("interval", word(*high, *low).into())]
        }
        (Tag::BROADCAST_AREA_IDENTIFIER | Tag::BILLING_IDENTIFICATION, [format, rest @ ..]) => {
            vec![("format", (*format).into()), ("data_hex", Json::hex(rest))]
        }
        (Tag::MS_VALIDITY, [behaviour]) => vec![("behaviour", (*behaviour).into())],
        (Tag::MS_VALIDITY, [behaviour, unit, high, low]) => vec![
            ("behaviour", (*behaviour).into()),
            ("unit", (*unit).into()),
            ("count", word(*high, *low).into()),
        ],
        (Tag::ITS_SESSION_INFO, [session, rest]) => vec![
            ("session_number", (*session).into()),
            ("sequence", (rest >> 1).into()),
            ("end_of_session", (rest & 1).into()),
        ],
        _ => return None,
    };
    Some(Json::Object(entries))
}
