//! The octets of `fixtures/pdu/vectors.json`, by their number.

use std::collections::HashMap;
use std::sync::LazyLock;

static VECTORS: LazyLock<HashMap<String, Vec<u8>>> = LazyLock::new(|| {
    let text = include_str!("../../fixtures/pdu/vectors.json");
    let all: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let vectors = all["vectors"].as_array().expect("a list");
    let entry = |vector: &serde_json::Value| {
        Some((vector["id"].as_str()?.to_owned(), octets(vector["hex"].as_str()?)))
    };
    vectors.iter().filter_map(entry).collect()
});

/// The octets of a vector such as "V-005", all of its PDUs.
pub fn vector(id: &str) -> Vec<u8> {
    VECTORS.get(id).unwrap_or_else(|| panic!("there is no vector {id}")).clone()
}

/// The octets of a vector of one PDU, under another sequence number.
pub fn vector_as(id: &str, sequence: u32) -> Vec<u8> {
    let mut octets = vector(id);
    octets[12..16].copy_from_slice(&sequence.to_be_bytes());
    octets
}

/// Octets from their hexadecimal digits.
pub fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair =
        |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("a digit");
    digits.chunks(2).map(pair).collect()
}
