//! The PDUs of `fixtures/pdu/vectors.json` as octets: other implementations wrote them, so what they mean does not
//! depend on ours.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Peer;

/// The octets of a vector, such as `vector("V-165")`.
pub fn vector(id: &str) -> Vec<u8> {
    static ALL: OnceLock<HashMap<String, Vec<u8>>> = OnceLock::new();
    ALL.get_or_init(read).get(id).unwrap_or_else(|| panic!("no vector {id}")).clone()
}

/// The octets of a vector under another sequence number.
pub fn vector_numbered(id: &str, sequence: u32) -> Vec<u8> {
    let mut octets = vector(id);
    octets[12..16].copy_from_slice(&sequence.to_be_bytes());
    octets
}

impl Peer {
    /// Sends a vector under the next sequence number, and gives that.
    pub async fn send_vector(&mut self, id: &str) -> u32 {
        let sequence = self.next_sequence();
        self.send_raw(&vector_numbered(id, sequence)).await;
        sequence
    }

    /// Sends a vector as the answer to a request.
    pub async fn answer_vector(&mut self, id: &str, sequence: u32) {
        self.send_raw(&vector_numbered(id, sequence)).await;
    }
}

fn read() -> HashMap<String, Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pdu/vectors.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list of vectors").iter();
    let entry = |vector: &serde_json::Value| {
        (vector["id"].as_str().expect("an id").to_owned(), octets(vector["hex"].as_str().expect("octets")))
    };
    vectors.map(entry).collect()
}

/// Octets from their hexadecimal digits; blanks between them are for the eye.
pub fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.chars().filter(|digit| !digit.is_whitespace()).collect();
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(pair).collect()
}
