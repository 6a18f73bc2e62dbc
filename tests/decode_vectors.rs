//! `tollgate decode --json` against PDUs that other implementations wrote: every header, body, TLV, reading and problem.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const VECTORS: &str = include_str!("../fixtures/pdu/vectors.json");

fn decode(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("decode")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("its stdin");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the command ends");
    // It reads stdin only when no argument is given.
    let _ = writer.join().expect("the writer ends");
    output
}

/// The PDUs that a vector is decoded into.
fn expected(vector: &Value) -> Vec<&Value> {
    match &vector["decoded"] {
        Value::Array(pdus) => pdus.iter().collect(),
        pdu => vec![pdu],
    }
}

fn vectors() -> Vec<Value> {
    let all: Value = serde_json::from_str(VECTORS).expect("JSON");
    all["vectors"].as_array().expect("a list").clone()
}

#[test]
fn every_vector_reads_as_it_was_meant() {
    let vectors = vectors();
    let lines: String =
        vectors.iter().map(|vector| format!("{}\n", vector["hex"].as_str().expect("hex"))).collect();
    let output = decode(&["--json"], &lines);
    assert_eq!(output.status.code(), Some(1), "some vectors are malformed");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut decoded =
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON object a line"));
    let mut differences = Vec::new();
    for vector in &vectors {
        for pdu in expected(vector) {
            let ours = decoded.next().expect("as many objects as PDUs");
            let id = vector["id"].as_str().expect("an id");
            for part in ["header", "body", "tlvs", "derived", "problem"] {
                if ours.get(part) != pdu.get(part) {
                    differences.push(format!(
                        "{id} {part}\n  is    {}\n  meant {}",
                        show(&ours, part),
                        show(pdu, part)
                    ));
                }
            }
        }
    }
    assert!(decoded.next().is_none(), "no more objects than PDUs");
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    assert_eq!(vectors.len(), 360);
}

fn show(object: &Value, part: &str) -> String {
    object.get(part).map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[test]
fn the_exit_code_tells_whether_all_was_well_formed() {
    let good = "00000010000000150000000000000001";
    assert_eq!(decode(&[good], "").status.code(), Some(0));
    assert_eq!(decode(&["--json", "0000001000000099000000000000 0001"], "").status.code(), Some(1));
    assert_eq!(decode(&["not hex"], "").status.code(), Some(1));
    assert_eq!(decode(&[], &format!("{good}\n\n{good}\n")).status.code(), Some(0));
}

#[test]
fn people_get_names_values_and_meaning() {
    let vectors = vectors();
    let receipt = vectors.iter().find(|vector| vector["id"] == "V-166").expect("V-166");
    let output = decode(&[receipt["hex"].as_str().expect("hex")], "");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for part in [
        "deliver_sm",
        "ESME_ROK",
        "delivery receipt",
        "receipt",
        "EXPIRED",
        "id",
        "1234567801",
        "message_state",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
