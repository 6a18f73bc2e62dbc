//! Test vectors made by other implementations, and a body as they describe one: fields by name.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use smpp_proto::field::address::Address;
use smpp_proto::field::{COctets, Tlvs};
use smpp_proto::pdu::{Bind, BindResp, Body, BroadcastResp, Destination};

/// All vectors, in order.
pub(crate) fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/pdu/vectors.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// The octets of a vector.
pub(crate) fn octets(vector: &Value) -> Vec<u8> {
    unhex(text(&vector["hex"]))
}

/// What the vector decodes to: one PDU, or the PDUs of a stream.
pub(crate) fn decoded(vector: &Value) -> Vec<Value> {
    match &vector["decoded"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

/// A string of the file, empty for null.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number that the file writes as "0x0000000A".
pub(crate) fn hex_number(value: &Value) -> u32 {
    u32::from_str_radix(text(value).trim_start_matches("0x"), 16).unwrap()
}

/// Octets of a row of hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Hexadecimal digits of octets.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The optional parameters as the file lists them: tag, name, length and value.
pub(crate) fn describe_tlvs(tlvs: &Tlvs) -> Vec<(String, Option<&'static str>, usize, String)> {
    tlvs.iter()
        .map(|tlv| (format!("0x{:04X}", tlv.tag.0), tlv.tag.name(), tlv.value.len(), hex(&tlv.value)))
        .collect()
}

/// The mandatory fields by name.
pub(crate) fn describe(body: &Body) -> Value {
    let mut map = Map::new();
    match body {
        Body::BindReceiver(bind) | Body::BindTransmitter(bind) | Body::BindTransceiver(bind) => {
            describe_bind(&mut map, bind);
        }
        Body::BindReceiverResp(resp) | Body::BindTransmitterResp(resp) | Body::BindTransceiverResp(resp) => {
            let BindResp { system_id, .. } = resp;
            optional(&mut map, "system_id", system_id.as_ref());
        }
        Body::Outbind(outbind) => {
            string(&mut map, "system_id", &outbind.system_id);
            map.insert("password".into(), lossy(outbind.password.expose()));
        }
        Body::AlertNotification(alert) => {
            address(&mut map, ["source_addr_ton", "source_addr_npi", "source_addr"], &alert.source);
            address(&mut map, ["esme_addr_ton", "esme_addr_npi", "esme_addr"], &alert.esme);
        }
        Body::SubmitSmResp(resp) => optional(&mut map, "message_id", resp.message_id.as_ref()),
        Body::DeliverSmResp(resp) => optional(&mut map, "message_id", resp.message_id.as_ref()),
        Body::DataSmResp(resp) => optional(&mut map, "message_id", resp.message_id.as_ref()),
        Body::BroadcastSmResp(resp) | Body::QueryBroadcastSmResp(resp) => {
            let BroadcastResp { message_id, .. } = resp;
            optional(&mut map, "message_id", message_id.as_ref());
        }
        Body::SubmitSm(_) | Body::DeliverSm(_) | Body::SubmitMulti(_) | Body::DataSm(_) => {
            describe_message(&mut map, body);
        }
        _ => describe_management(&mut map, body),
    }
    Value::Object(map)
}

fn describe_bind(map: &mut Map<String, Value>, bind: &Bind) {
    string(map, "system_id", &bind.system_id);
    map.insert("password".into(), lossy(bind.password.expose()));
    string(map, "system_type", &bind.system_type);
    number(map, "interface_version", bind.interface_version.0);
    number(map, "addr_ton", bind.addr_ton.0);
    number(map, "addr_npi", bind.addr_npi.0);
    string(map, "address_range", &bind.address_range);
}

macro_rules! message_fields {
    ($map:ident, $sm:ident) => {
        number($map, "protocol_id", $sm.protocol_id);
        number($map, "priority_flag", $sm.priority_flag);
        string($map, "schedule_delivery_time", &$sm.schedule_delivery_time);
        string($map, "validity_period", &$sm.validity_period);
        number($map, "replace_if_present_flag", $sm.replace_if_present_flag);
        number($map, "sm_default_msg_id", $sm.sm_default_msg_id);
        message($map, &$sm.short_message);
    };
}

macro_rules! common_fields {
    ($map:ident, $sm:ident) => {
        string($map, "service_type", &$sm.service_type);
        source($map, &$sm.source);
        number($map, "esm_class", $sm.esm_class.0);
        number($map, "registered_delivery", $sm.registered_delivery.0);
        number($map, "data_coding", $sm.data_coding.0);
    };
}

fn describe_message(map: &mut Map<String, Value>, body: &Body) {
    match body {
        Body::SubmitSm(sm) => {
            common_fields!(map, sm);
            message_fields!(map, sm);
            destination(map, &sm.destination);
        }
        Body::DeliverSm(sm) => {
            common_fields!(map, sm);
            message_fields!(map, sm);
            destination(map, &sm.destination);
        }
        Body::SubmitMulti(sm) => {
            common_fields!(map, sm);
            message_fields!(map, sm);
            map.insert("number_of_dests".into(), json!(sm.destinations.len()));
            let list: Vec<Value> = sm.destinations.iter().map(describe_destination).collect();
            map.insert("dest_address".into(), json!(list));
        }
        Body::DataSm(sm) => {
            common_fields!(map, sm);
            destination(map, &sm.destination);
        }
        _ => {}
    }
}

fn describe_destination(entry: &Destination) -> Value {
    let mut map = Map::new();
    match entry {
        Destination::Address(address) => {
            number(&mut map, "dest_flag", 1);
            destination(&mut map, address);
        }
        Destination::List(name) => {
            number(&mut map, "dest_flag", 2);
            string(&mut map, "dl_name", name);
        }
    }
    Value::Object(map)
}

fn describe_management(map: &mut Map<String, Value>, body: &Body) {
    match body {
        Body::SubmitMultiResp(resp) => {
            optional(map, "message_id", resp.message_id.as_ref());
            if resp.message_id.is_some() {
                map.insert("no_unsuccess".into(), json!(resp.unsuccessful.len()));
                let failures = resp.unsuccessful.iter().map(|failure| {
                    let mut entry = Map::new();
                    destination(&mut entry, &failure.destination);
                    entry.insert("error_status_code".into(), json!(format!("0x{:08X}", failure.status.0)));
                    Value::Object(entry)
                });
                map.insert("unsuccess_sme".into(), failures.collect());
            }
        }
        Body::QuerySm(query) => {
            string(map, "message_id", &query.message_id);
            source(map, &query.source);
        }
        Body::QuerySmResp(resp) => {
            optional(map, "message_id", resp.message_id.as_ref());
            if resp.message_id.is_some() {
                string(map, "final_date", &resp.final_date);
                number(map, "message_state", resp.message_state.0);
                number(map, "error_code", resp.error_code);
            }
        }
        Body::CancelSm(cancel) => {
            string(map, "service_type", &cancel.service_type);
            string(map, "message_id", &cancel.message_id);
            source(map, &cancel.source);
            destination(map, &cancel.destination);
        }
        Body::ReplaceSm(replace) => {
            string(map, "message_id", &replace.message_id);
            source(map, &replace.source);
            string(map, "schedule_delivery_time", &replace.schedule_delivery_time);
            string(map, "validity_period", &replace.validity_period);
            number(map, "registered_delivery", replace.registered_delivery.0);
            number(map, "sm_default_msg_id", replace.sm_default_msg_id);
            message(map, &replace.short_message);
        }
        _ => describe_broadcast(map, body),
    }
}

fn describe_broadcast(map: &mut Map<String, Value>, body: &Body) {
    match body {
        Body::BroadcastSm(sm) => {
            string(map, "service_type", &sm.service_type);
            source(map, &sm.source);
            string(map, "message_id", &sm.message_id);
            number(map, "priority_flag", sm.priority_flag);
            string(map, "schedule_delivery_time", &sm.schedule_delivery_time);
            string(map, "validity_period", &sm.validity_period);
            number(map, "replace_if_present_flag", sm.replace_if_present_flag);
            number(map, "data_coding", sm.data_coding.0);
            number(map, "sm_default_msg_id", sm.sm_default_msg_id);
        }
        Body::QueryBroadcastSm(query) => {
            string(map, "message_id", &query.message_id);
            source(map, &query.source);
        }
        Body::CancelBroadcastSm(cancel) => {
            string(map, "service_type", &cancel.service_type);
            string(map, "message_id", &cancel.message_id);
            source(map, &cancel.source);
        }
        _ => {}
    }
}

fn lossy(octets: &[u8]) -> Value {
    json!(String::from_utf8_lossy(octets))
}

fn string(map: &mut Map<String, Value>, name: &str, octets: &COctets) {
    map.insert(name.into(), lossy(octets.as_bytes()));
}

fn optional(map: &mut Map<String, Value>, name: &str, octets: Option<&COctets>) {
    if let Some(octets) = octets {
        string(map, name, octets);
    }
}

fn number(map: &mut Map<String, Value>, name: &str, value: u8) {
    map.insert(name.into(), json!(value));
}

fn message(map: &mut Map<String, Value>, message: &Bytes) {
    map.insert("sm_length".into(), json!(message.len()));
    map.insert("short_message".into(), json!(hex(message)));
}

fn address(map: &mut Map<String, Value>, [ton, npi, digits]: [&str; 3], address: &Address) {
    number(map, ton, address.ton.0);
    number(map, npi, address.npi.0);
    string(map, digits, &address.digits);
}

fn source(map: &mut Map<String, Value>, source: &Address) {
    address(map, ["source_addr_ton", "source_addr_npi", "source_addr"], source);
}

fn destination(map: &mut Map<String, Value>, destination: &Address) {
    address(map, ["dest_addr_ton", "dest_addr_npi", "destination_addr"], destination);
}
