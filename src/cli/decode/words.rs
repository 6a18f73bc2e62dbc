//! What the octets of a field mean, in words: codes by name, and bits one by one.

use smpp_proto::field::flags::{InterfaceVersion, MessageType, Mode, ReceiptWish};
use smpp_proto::field::{COctets, DataCoding, EsmClass, MessageState, Npi, RegisteredDelivery, Ton};

use super::body::Row;
use super::derived::time_words;
use super::json::Json;

/// What the value of a field means; empty where it says no more than itself.
pub(super) fn meaning_of(row: &Row) -> String {
    match &row.value {
        Json::Number(number) => {
            u8::try_from(*number).map(|octet| octet_words(row.name, octet)).unwrap_or_default()
        }
        Json::Text(text) => match row.name {
            "schedule_delivery_time" | "validity_period" | "final_date" => {
                time_words(&COctets::from(text.as_str()))
            }
            "service_type" => service_words(text).to_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

fn octet_words(field: &str, octet: u8) -> String {
    match field {
        "interface_version" => match InterfaceVersion(octet) {
            version if version.name().is_some() => format!("SMPP {}", version.name().unwrap_or_default()),
            InterfaceVersion(..0x34) => "SMPP 3.3 or older".to_owned(),
            _ => RESERVED.to_owned(),
        },
        "message_state" => named(MessageState(octet).name()),
        "data_coding" => coding_words(DataCoding(octet)),
        "protocol_id" => protocol_words(octet),
        "priority_flag" => match octet {
            0 => "lowest".to_owned(),
            1..=3 => String::new(),
            4 => "from 5.0".to_owned(),
            _ => RESERVED.to_owned(),
        },
        "replace_if_present_flag" => ["no", "yes"].get(usize::from(octet)).unwrap_or(&RESERVED).to_string(),
        "sm_default_msg_id" if octet == 0 => "none".to_owned(),
        "dest_flag" => {
            ["", "SME address", "distribution list"].get(usize::from(octet)).unwrap_or(&RESERVED).to_string()
        }
        name if name.ends_with("_ton") => named(Ton(octet).name()),
        name if name.ends_with("_npi") => named(Npi(octet).name()),
        _ => String::new(),
    }
}

fn named(name: Option<&str>) -> String {
    name.unwrap_or(RESERVED).to_owned()
}

/// service_type (SMPP 3.4 §5.2.11).
fn service_words(service: &str) -> &'static str {
    match service {
        "" => "default",
        "CMT" => "cellular messaging",
        "CPT" => "cellular paging",
        "VMN" => "voice mail notification",
        "VMA" => "voice mail alerting",
        "WAP" => "wireless application protocol",
        "USSD" => "unstructured supplementary services",
        "CBS" => "cell broadcast",
        "GUTS" => "generic UDP transport",
        _ => "",
    }
}

/// data_coding (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4).
fn coding_words(coding: DataCoding) -> String {
    let mut words = coding.alphabet().as_str().to_owned();
    if let Some(class) = coding.class() {
        let class = ["class 0, flash", "class 1, mobile", "class 2, SIM", "class 3, terminal"]
            .get(usize::from(class))
            .unwrap_or(&"");
        words.push_str(", ");
        words.push_str(class);
    }
    if coding.is_message_waiting() {
        let kind = ["voicemail", "fax", "email", "other"].get(usize::from(coding.0 & 3)).unwrap_or(&"other");
        let state = if coding.0 & 0x08 == 0 { "off" } else { "on" };
        words.push_str(&format!(", {kind} waiting: {state}"));
    }
    words
}

/// protocol_id: TP-PID (3GPP TS 23.040 §9.2.3.9).
fn protocol_words(octet: u8) -> String {
    match octet {
        0x00 => "plain".to_owned(),
        0x20..=0x3F => "telematic interworking".to_owned(),
        0x40 => "type 0, silent".to_owned(),
        0x41..=0x47 => format!("replaces type {}", octet - 0x40),
        0x5F => "return call".to_owned(),
        0x7D => "terminal data download".to_owned(),
        0x7E => "terminal depersonalization".to_owned(),
        0x7F => "SIM data download".to_owned(),
        _ => String::new(),
    }
}

/// The fields of bits one by one: a picture of the bits, and what they say.
pub(super) fn bits_of(row: &Row) -> Vec<(String, String)> {
    let Json::Number(number) = row.value else { return Vec::new() };
    let Ok(octet) = u8::try_from(number) else { return Vec::new() };
    match row.name {
        "esm_class" => esm_class_bits(EsmClass(octet)),
        "registered_delivery" => registered_delivery_bits(RegisteredDelivery(octet)),
        _ => Vec::new(),
    }
}

/// esm_class (SMPP 3.4 §5.2.12).
fn esm_class_bits(class: EsmClass) -> Vec<(String, String)> {
    let mode = match class.mode() {
        Mode::Default => "default",
        Mode::Datagram => "datagram",
        Mode::Transaction => "forward (transaction)",
        Mode::StoreAndForward => "store and forward",
    };
    let kind = match class.message_type() {
        MessageType::Normal => "normal message",
        MessageType::DeliveryReceipt => "delivery receipt",
        MessageType::DeliveryAcknowledgement => "delivery acknowledgement",
        MessageType::UserAcknowledgement => "manual or user acknowledgement",
        MessageType::ConversationAbort => "conversation abort",
        MessageType::IntermediateNotification => "intermediate notification",
        MessageType::Reserved(_) => RESERVED,
    };
    let udhi = if class.udhi() { "user data begins with a header" } else { "no user data header" };
    let reply = if class.reply_path() { "reply path set" } else { "no reply path" };
    vec![
        (picture(class.0, EsmClass::MODE_MASK), format!("mode: {mode}")),
        (picture(class.0, EsmClass::TYPE_MASK), format!("type: {kind}")),
        (picture(class.0, EsmClass::UDHI), udhi.to_owned()),
        (picture(class.0, EsmClass::REPLY_PATH), reply.to_owned()),
    ]
}

/// registered_delivery (SMPP 3.4 §5.2.17).
fn registered_delivery_bits(wish: RegisteredDelivery) -> Vec<(String, String)> {
    let receipt = match wish.receipt() {
        ReceiptWish::Never => "no receipt",
        ReceiptWish::Always => "receipt on success and failure",
        ReceiptWish::OnFailure => "receipt on failure only",
        ReceiptWish::OnSuccess => "receipt on success only (5.0)",
    };
    let acknowledgement = match (wish.delivery_acknowledgement(), wish.user_acknowledgement()) {
        (false, false) => "no acknowledgement of the SME",
        (true, false) => "delivery acknowledgement of the SME",
        (false, true) => "user acknowledgement of the SME",
        (true, true) => "both acknowledgements of the SME",
    };
    let intermediate =
        if wish.intermediate() { "intermediate notifications" } else { "no intermediate notifications" };
    let mut bits = vec![
        (picture(wish.0, 0x03), receipt.to_owned()),
        (picture(wish.0, 0x0C), acknowledgement.to_owned()),
        (picture(wish.0, 0x10), intermediate.to_owned()),
    ];
    if wish.0 & !RegisteredDelivery::MEANINGFUL != 0 {
        bits.push((picture(wish.0, !RegisteredDelivery::MEANINGFUL), RESERVED.to_owned()));
    }
    bits
}

/// The bits of a mask as they stand, all others as dots: `..00 01..`.
fn picture(octet: u8, mask: u8) -> String {
    let bit = |place: u8| match (mask >> place & 1, octet >> place & 1) {
        (0, _) => '.',
        (_, 0) => '0',
        _ => '1',
    };
    let half = |places: [u8; 4]| places.map(bit).iter().collect::<String>();
    format!("{} {}", half([7, 6, 5, 4]), half([3, 2, 1, 0]))
}

const RESERVED: &str = "reserved";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_drawn_where_they_stand() {
        let shown: Vec<_> = esm_class_bits(EsmClass(0x44)).into_iter().map(|(picture, _)| picture).collect();
        assert_eq!(shown, [".... ..00", "..00 01..", ".1.. ....", "0... ...."]);
        assert_eq!(registered_delivery_bits(RegisteredDelivery(0x21)).len(), 4);
    }

    #[test]
    fn codings_say_alphabet_class_and_indication() {
        assert_eq!(coding_words(DataCoding(0x18)), "ucs2, class 0, flash");
        assert_eq!(coding_words(DataCoding(0xC8)), "gsm, voicemail waiting: on");
        assert_eq!(coding_words(DataCoding(0xF6)), "binary, class 2, SIM");
    }
}
