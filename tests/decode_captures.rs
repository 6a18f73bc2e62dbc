//! `tollgate decode` of captures and files. The captures were written octet by octet by another program than ours; what
//! is expected of them stands here by hand.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn fixture(name: &str) -> String {
    format!("{}/fixtures/pdu/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn decode(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("decode")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // It may end before it has read all.
    let _ = child.stdin.take().expect("its stdin").write_all(input);
    child.wait_with_output().expect("the command ends")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn objects(output: &Output) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

/// Ethernet with a VLAN tag, IPv4, nanoseconds. The sequence numbers of the client wrap, the halves of the submit_sm come
/// in the wrong order and one of them twice, and the receipt shares its segment with an enquire_link.
#[test]
fn a_session_is_put_together_from_its_segments() {
    let output = decode(&["--json", &fixture("talk.pcapng")], b"");
    let pdus = objects(&output);
    let seen: Vec<_> = pdus
        .iter()
        .map(|pdu| {
            let header = &pdu["header"];
            (
                pdu["time"].as_str().unwrap(),
                pdu["source"].as_str().unwrap(),
                pdu["offset"].as_u64().unwrap(),
                header["command"].as_str().unwrap(),
                header["sequence_number"].as_u64().unwrap(),
            )
        })
        .collect();
    let (client, centre) = ("10.0.0.1:40001", "10.0.0.2:2775");
    assert_eq!(
        seen,
        [
            ("2026-11-26T10:00:00.001000Z", client, 0, "bind_transceiver", 1),
            ("2026-11-26T10:00:00.003500Z", centre, 0, "bind_transceiver_resp", 1),
            ("2026-11-26T10:00:00.010500Z", client, 41, "submit_sm", 2),
            ("2026-11-26T10:00:00.012500Z", centre, 27, "submit_sm_resp", 2),
            ("2026-11-26T10:00:00.500000Z", centre, 48, "deliver_sm", 1),
            ("2026-11-26T10:00:00.500000Z", centre, 238, "enquire_link", 2),
            ("2026-11-26T10:00:00.501000Z", client, 112, "deliver_sm_resp", 1),
        ]
    );
    assert_eq!(pdus[0]["destination"], centre);
    assert_eq!(pdus[0]["body"]["password"], "********");
    assert_eq!(pdus[2]["derived"]["user_data"]["text"], "Hello world");
    assert_eq!(pdus[4]["derived"]["receipt"]["stat"], "EXPIRED");
    assert_eq!(output.status.code(), Some(0));
    let shown = objects(&decode(&["--json", "--show-secrets", &fixture("talk.pcapng")], b""));
    assert_eq!(shown[0]["body"]["password"], "passw0rd");
}

#[test]
fn people_see_the_talk_as_a_tree_with_pairs_and_figures() {
    let output = decode(&[&fixture("talk.pcapng")], b"");
    let text = text(&output);
    says(
        &text,
        &[
            "#1  2026-11-26T10:00:00.001000Z  10.0.0.1:40001 → 10.0.0.2:2775  offset 0\n",
            "bind_transceiver, sequence 1, 41 octets",
            "  0018  password                          ********",
            "answers #1 after 2.500 ms",
            "answers #3 after 2.000 ms",
            "..00 01..                       type: delivery receipt",
            "0423 network_error_code           3 octets                GSM 27 (absent subscriber)",
            "stat                            \"EXPIRED\"",
            "7 PDUs in 13 packets, 2 directions of TCP, within 500.000 ms",
            "  without an answer: #6\n",
            "  1 segment sent again, dropped",
        ],
    );
    assert!(!text.contains("passw0rd"));
}

#[test]
fn one_line_a_pdu_is_enough_for_an_overview() {
    let text = text(&decode(&["--brief", &fixture("talk.pcapng")], b""));
    assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 7);
    says(&text, &["#3  ", "submit_sm, sequence 2, 71 octets  source_addr 447700900000", "\"Hello world\""]);
}

/// Linux cooked v2, IPv6, no SYN, a port that nobody named. 63 octets of a submit_sm are lost, and the last one is cut.
#[test]
fn gaps_and_ends_are_named() {
    let output = decode(&[&fixture("holes.pcap")], b"");
    let text = text(&output);
    says(
        &text,
        &[
            "[2001:db8::1]:50000 → [2001:db8::2]:3550",
            "answers #1 after 2.000 ms",
            "63 octets were not captured",
            "enquire_link, sequence 3",
            "problem: PDU_INCOMPLETE in command_length: 71 announced, 30 present",
            "  0010  service_type                      \"CMT\"                   cellular messaging",
            "  1 gap, 63 octets not captured",
            "  2 PDUs malformed",
            "  without an answer: #2 #5\n",
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let other = decode(&["--port", "2775", &fixture("holes.pcap")], b"");
    assert!(complaint(&other).contains("no SMPP in 5 TCP segments on the named ports"));
}

#[test]
fn what_is_no_capture_of_smpp_says_what_it_is() {
    let no_tcp = decode(&[&fixture("other.pcap")], b"");
    assert!(complaint(&no_tcp).contains("no TCP in 1 packets"), "{}", complaint(&no_tcp));
    let talk = fs::read(fixture("talk.pcapng")).unwrap();
    let cut = decode(&["-"], &talk[..talk.len() - 5]);
    assert!(complaint(&cut).contains("the capture ends inside a packet"), "{}", complaint(&cut));
    assert!(text(&cut).contains("7 PDUs"));
    let packed = decode(&["-"], b"\x1F\x8B\x08\0");
    assert!(complaint(&packed).contains("gzip"));
    assert!([&no_tcp, &cut, &packed].iter().all(|output| output.status.code() == Some(1)));
}

fn scratch(name: &str, octets: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, octets).unwrap();
    (folder, path)
}

#[test]
fn files_are_hex_or_octets() {
    let pdu = b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01";
    let (_folder, raw) = scratch("pdus.bin", &pdu.repeat(4));
    assert_eq!(objects(&decode(&["--json", raw.to_str().unwrap()], b"")).len(), 4);
    assert_eq!(objects(&decode(&["--json", "-"], pdu)).len(), 1);
    let (_folder, hex) =
        scratch("0010", b"0000001000000015 0000000000000001\n\n00000010000000150000000000000002\n");
    assert_eq!(objects(&decode(&["--json", "--file", hex.to_str().unwrap()], b"")).len(), 2);
    let (_folder, empty) = scratch("empty", b"");
    assert!(complaint(&decode(&[empty.to_str().unwrap()], b"")).contains("is empty"));
}

#[test]
fn what_is_wrong_and_what_is_forgiven_is_told() {
    // A submit_sm whose sm_length is 20 with 11 octets behind it.
    let short = "0000003800000004000000000000000100000000010134343737303039303031323300000000000000000000\
                 1448656c6c6f20776f726c64";
    let text_of = |hex: &str| text(&decode(&[hex], b""));
    says(
        &text_of(short),
        &[
            "destination_addr                  \"447700900123\"",
            "problem: MSG_LENGTH in short_message at 002D: needs 20 octets, 11 left; answered with submit_sm_resp",
            "ESME_RINVMSGLEN",
            "48 65 6C 6C 6F 20 77 6F 72 6C 64",
        ],
    );
    // The same with a NUL behind the text, which old clients write.
    let padded = "0000003900000004000000000000000100000000010134343737303039303031323300000000000000000000\
                  0b48656c6c6f20776f726c6400";
    says(&text_of(padded), &["problem: TLV_STREAM", "tolerated: nul_after_message", "\"Hello world\""]);
}
