//! The texts, headers and receipts of the vectors made by other implementations, and the tables of the alphabets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a vector that cannot be read fails its test")]

use serde_json::Value;
use smpp_proto::field::{Alphabet, DataCoding};
use smpp_proto::text::gsm7::{ESC, Tables, national};
use smpp_proto::text::{Receipt, Udh, UserData, Width, decode};

const VECTORS: &str = include_str!("../../fixtures/pdu/vectors.json");
const DEFAULT: &str = include_str!("../../fixtures/gsm/default.tsv");
const NATIONAL: &str = include_str!("../../fixtures/gsm/national.tsv");

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Every decoded PDU of every vector, with the name of the vector.
fn each_pdu(mut see: impl FnMut(&str, &Value)) {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for vector in vectors["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        match &vector["decoded"] {
            Value::Array(pdus) => pdus.iter().for_each(|pdu| see(id, pdu)),
            pdu => see(id, pdu),
        }
    }
}

/// short_message, or the last message_payload if that is empty or not there.
fn user_data(pdu: &Value) -> Vec<u8> {
    let short = pdu["body"]["short_message"].as_str().unwrap_or("");
    if !short.is_empty() {
        return octets(short);
    }
    let tlvs = pdu["tlvs"].as_array().map_or(&[][..], Vec::as_slice);
    let payload = tlvs.iter().rfind(|tlv| tlv["name"] == "message_payload");
    payload.map_or(vec![], |tlv| octets(tlv["value_hex"].as_str().unwrap()))
}

#[test]
fn user_data_reads_as_other_implementations_wrote_it() {
    let mut seen = 0;
    each_pdu(|id, pdu| {
        let Some(expected) = pdu["derived"].get("user_data") else { return };
        let octets = user_data(pdu);
        // replace_sm has neither: it is read as the default alphabet.
        let coding = DataCoding(pdu["body"]["data_coding"].as_u64().unwrap_or(0) as u8);
        let has_udh = pdu["body"]["esm_class"].as_u64().unwrap_or(0) & 0x40 != 0;
        let read = UserData::read(coding.alphabet(), has_udh, &octets);
        seen += 1;
        if expected.get("error").is_some() {
            assert!(read.is_err(), "{id}");
            return;
        }
        let read = read.unwrap();
        check_header(id, read.udh(), expected);
        check_text(id, coding.alphabet(), &read, expected);
    });
    assert!(seen > 200, "{seen}");
}

fn check_header(id: &str, udh: Option<Udh<'_>>, expected: &Value) {
    let expected = expected["udh"]["elements"].as_array().map_or(&[][..], Vec::as_slice);
    let elements: Vec<_> = udh.iter().flat_map(Udh::elements).collect();
    assert_eq!(elements.len(), expected.len(), "{id}");
    for (element, expected) in elements.iter().zip(expected) {
        assert_eq!(format!("0x{:02x}", element.id), expected["iei"].as_str().unwrap().to_lowercase(), "{id}");
        assert_eq!(element.data, octets(expected["data_hex"].as_str().unwrap()), "{id}");
        if let Some(stated) = expected.get("concat") {
            let (part, total) = (stated["part"].as_u64().unwrap(), stated["total"].as_u64().unwrap());
            let possible = 1 <= part && part <= total;
            assert_eq!(element.concatenation().is_some(), possible, "{id}");
            if let Some(read) = element.concatenation() {
                let bits = if read.width == Width::Eight { 8 } else { 16 };
                let read = [u64::from(read.reference), read.total.into(), read.part.into(), bits];
                assert_eq!(
                    read,
                    ["ref", "total", "part", "ref_bits"].map(|key| stated[key].as_u64().unwrap()),
                    "{id}"
                );
            }
        }
        if let Some(stated) = expected.get("ports") {
            let read = element.ports().unwrap();
            assert_eq!(u64::from(read.destination), stated["destination"], "{id}");
            assert_eq!(u64::from(read.source), stated["source"], "{id}");
        }
    }
}

fn check_text(id: &str, alphabet: Alphabet, read: &UserData<'_>, expected: &Value) {
    assert_eq!(alphabet.as_str(), expected["charset"], "{id}");
    if let Some(text) = expected.get("text") {
        assert_eq!(read.decode(), text.as_str().unwrap(), "{id}");
    }
    if let Some(septets) = expected.get("septets") {
        assert_eq!(read.text().len() as u64, *septets, "{id}");
    }
    if let Some(units) = expected.get("code_units") {
        assert_eq!(read.text().len() as u64 / 2, *units, "{id}");
    }
    if let Some(hex) = expected.get("data_hex") {
        assert_eq!(read.text(), octets(hex.as_str().unwrap()), "{id}");
    }
}

#[test]
fn receipts_read_as_other_implementations_wrote_them() {
    let mut seen = 0;
    each_pdu(|id, pdu| {
        let Some(expected) = pdu["derived"].get("receipt") else { return };
        let octets = user_data(pdu);
        let receipt = Receipt::read(&octets);
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
        for (name, value) in fields {
            let value = value.map(|value| String::from_utf8_lossy(value).into_owned());
            assert_eq!(value.as_deref(), expected[name].as_str(), "{id} {name}");
        }
        seen += 1;
    });
    assert!(seen >= 15, "{seen}");
}

fn number(text: &str) -> u32 {
    u32::from_str_radix(text.trim_start_matches("0x").trim_start_matches("U+"), 16).unwrap()
}

#[test]
fn the_default_tables_are_those_of_the_standard() {
    let mut seen = [0, 0];
    for row in DEFAULT.lines().skip(1) {
        let [code, extension, character] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let code = number(code) as u8;
        let septets = if extension == "1" { vec![ESC, code] } else { vec![code] };
        let character = char::from_u32(number(character)).unwrap();
        assert_eq!(decode(Alphabet::Gsm7, &septets), character.to_string(), "{row}");
        seen[usize::from(extension == "1")] += 1;
    }
    let tables = Tables::default();
    let held = [tables.locking, tables.single]
        .map(|table| (0..=255).filter_map(|code| table.character(code)).count());
    assert_eq!((held, seen), ([127, 10], [127, 10]));
}

#[test]
fn the_national_tables_are_those_of_the_standard() {
    let mut seen = std::collections::BTreeMap::new();
    for row in NATIONAL.lines().skip(1) {
        let columns: Vec<_> = row.split('\t').collect();
        let language = columns[0].parse().unwrap();
        let tables = national::tables(Some(language), Some(language));
        let table = if columns[2] == "locking" { tables.locking } else { tables.single };
        let character = char::from_u32(number(columns[4])).unwrap();
        assert_eq!(table.character(number(columns[3]) as u8), Some(character), "{row}");
        assert!(table.code(character).is_some_and(|code| table.character(code) == Some(character)), "{row}");
        *seen.entry((language, columns[2])).or_insert(0) += 1;
    }
    for ((language, name), expected) in seen {
        let tables = national::tables(Some(language), Some(language));
        let table = if name == "locking" { tables.locking } else { tables.single };
        assert_eq!((0..128).filter_map(|code| table.character(code)).count(), expected, "{language} {name}");
    }
}
