//! How many instructions the hot paths take, counted by callgrind: a figure that no other work on the machine changes.
//!
//! `.ci/bench` compares them with `benches/instructions.toml` and fails when one grew by more than 10 %; `.ci/bench
//! --record` writes that file anew. It uses the profile of the tests, because then nothing is compiled twice; `cargo
//! bench --bench instructions` shows the figures of the release profile, which are recorded apart (`-- --record`).
//!
//! A path is run so many times and then twice as often: the difference is the path alone, without what goes before it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{Address, CommandStatus, EsmClass, MessageState};
use smpp_proto::pdu::{DeliverSm, Pdu, SubmitSm, submit};
use smpp_proto::text::receipt::{Excerpt, Receipt, ReceiptValues, write};
use smpp_proto::{FrameCodec, Header};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Submission, admit};

/// Growth beyond this fails.
const MOST_GROWTH: f64 = 0.10;
/// Repetitions of the shorter of the two runs.
const REPETITIONS: u64 = 500;

type Figures = BTreeMap<String, u64>;
type Path = fn(u64);

/// Every path that is guarded.
const PATHS: [(&str, Path); 9] = [
    ("cut and decode submit_sm", cut_and_decode),
    ("decode submit_sm", decode_submit),
    ("encode submit_sm", encode_submit),
    ("encode submit_sm_resp", encode_resp),
    ("decode receipt", decode_receipt),
    ("encode receipt", encode_receipt),
    ("admit 160 characters", |times| admission(times, &stage::plain())),
    ("admit 400 characters in 3 parts", |times| admission(times, &stage::long())),
    ("admit 70 units of UCS2", |times| admission(times, &stage::ucs2())),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, times] => {
            let (_, path) = PATHS.iter().find(|(known, _)| *known == name).expect("a path");
            path(times.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        ["--record"] => record(),
        [] => compare(),
        _ => {
            eprintln!("usage: instructions [--record]");
            ExitCode::from(2)
        }
    }
}

/// The figures of this build, counted now.
fn counted() -> Figures {
    let figure = |name: &str| {
        let (once, twice) = (collected(name, REPETITIONS), collected(name, 2 * REPETITIONS));
        (twice - once) / REPETITIONS
    };
    PATHS.iter().map(|(name, _)| ((*name).to_owned(), figure(name))).collect()
}

/// Instructions of a whole run of this program.
fn collected(name: &str, times: u64) -> u64 {
    let this = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args([name, &times.to_string()])
        .output()
        .unwrap_or_else(|error| panic!("valgrind is needed (apt-get install valgrind): {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let line = told.lines().find_map(|line| line.split_once("Collected : ")).expect("a sum");
    line.1.trim().parse().expect("a number")
}

fn compare() -> ExitCode {
    let (recorded, figures) = (recorded(), counted());
    let Some(section) = recorded.get(profile()) else {
        println!("no figures are recorded for the profile {:?}: these are its", profile());
        figures.iter().for_each(|(name, count)| println!("{count:>9}  {name}"));
        return ExitCode::SUCCESS;
    };
    println!("{:>9} {:>9} {:>8}  instructions, profile {}", "recorded", "now", "", profile());
    let mut grown = Vec::new();
    for (name, now) in &figures {
        let before = section.get(name).and_then(toml::Value::as_integer).and_then(|n| u64::try_from(n).ok());
        let Some(before) = before else {
            println!("{:>9} {now:>9} {:>8}  {name}", "", "new");
            continue;
        };
        let growth = *now as f64 / before as f64 - 1.0;
        println!("{before:>9} {now:>9} {:>+7.1}%  {name}", growth * 100.0);
        if growth > MOST_GROWTH {
            grown.push(name.as_str());
        }
    }
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    let compiler = section.get("compiler").and_then(toml::Value::as_str).unwrap_or("unknown");
    println!("\ngrown by more than {:.0} %: {}", MOST_GROWTH * 100.0, grown.join(", "));
    println!(
        "recorded with {compiler}, now {}. If the growth is meant, or the compiler's:",
        self::compiler()
    );
    println!("  .ci/bench --record");
    ExitCode::FAILURE
}

fn record() -> ExitCode {
    let mut all = recorded();
    let mut section = toml::Table::new();
    section.insert("compiler".to_owned(), compiler().into());
    for (name, count) in counted() {
        println!("{count:>9}  {name}");
        section.insert(name, i64::try_from(count).expect("a number that fits").into());
    }
    all.insert(profile().to_owned(), section.into());
    let text = format!("{ABOUT}\n{}", toml::to_string_pretty(&all).expect("TOML"));
    std::fs::write(file(), text).expect("a file");
    println!("recorded in {}", file().display());
    ExitCode::SUCCESS
}

const ABOUT: &str = "# Instructions of one run of each path, by profile; written by `.ci/bench --record`, compared by `.ci/bench`.
";

fn recorded() -> toml::Table {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", file().display()))
}

fn file() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.toml")
}

/// The profile, as far as figures differ by it.
const fn profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("-V").output();
    output.map_or_else(
        |_| "an unknown compiler".to_owned(),
        |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
    )
}

fn cut_and_decode(times: u64) {
    let mut pdu = BytesMut::new();
    stage::plain().pdu.encode(&mut pdu, 1).expect("fields that fit");
    let (codec, mut buffer) = (FrameCodec::default(), BytesMut::with_capacity(64 * 1024));
    for _ in 0..times {
        buffer.extend_from_slice(&pdu);
        let frame = codec.cut(&mut buffer).expect("a frame").expect("a whole one");
        black_box(Pdu::decode(frame).expect("a PDU"));
    }
}

fn decode_submit(times: u64) {
    let body = stage::body(&stage::plain().pdu);
    for _ in 0..times {
        black_box(SubmitSm::decode(black_box(body.clone())).expect("a submit_sm"));
    }
}

fn encode_submit(times: u64) {
    let (pdu, mut out) = (stage::plain().pdu, BytesMut::with_capacity(1024));
    for _ in 0..times {
        out.clear();
        black_box(&pdu).encode(&mut out, 7).expect("fields that fit");
    }
}

fn encode_resp(times: u64) {
    let mut out = BytesMut::with_capacity(1024);
    for _ in 0..times {
        out.clear();
        black_box(submit::encode_resp(&mut out, 7, CommandStatus::ROK, black_box(b"1234567890123456789")))
            .expect("an id that fits");
    }
}

/// A receipt by the book (SMPP 3.4 Appendix B).
fn receipt() -> DeliverSm {
    let mut text = BytesMut::new();
    write(&values(), &mut text).expect("an id that fits");
    DeliverSm {
        source: Address::international("447700900123"),
        destination: Address::alphanumeric("Tollgate"),
        esm_class: EsmClass(0x04),
        short_message: text.freeze(),
        ..DeliverSm::default()
    }
}

fn values() -> ReceiptValues<'static> {
    ReceiptValues {
        id: b"1234567890123456789",
        submitted: 1,
        delivered: 1,
        submit_unix_ms: stage::NOW.millis(),
        done_unix_ms: stage::NOW.millis() + 4_000,
        offset: 0,
        state: MessageState::DELIVERED,
        err: 0,
        text: Excerpt::default(),
    }
}

fn decode_receipt(times: u64) {
    let mut out = BytesMut::new();
    receipt().encode(&mut out, 1).expect("fields that fit");
    let body: Bytes = out.split_off(Header::LENGTH).freeze();
    for _ in 0..times {
        let deliver = DeliverSm::decode(black_box(body.clone())).expect("a deliver_sm");
        black_box(Receipt::read(deliver.user_data()).state());
    }
}

fn encode_receipt(times: u64) {
    let (mut pdu, mut out) = (receipt(), BytesMut::with_capacity(1024));
    for _ in 0..times {
        let mut text = BytesMut::with_capacity(256);
        write(black_box(&values()), &mut text).expect("an id that fits");
        pdu.short_message = text.freeze();
        out.clear();
        pdu.encode(&mut out, 7).expect("fields that fit");
    }
}

fn admission(times: u64, submission: &Submission) {
    let (policy, account) = (stage::policy(5_000), stage::account());
    let mut desk = Desk::default();
    for _ in 0..times {
        let admitted = admit(
            &policy,
            policy.sender(&account),
            stage::again(black_box(submission)),
            stage::NOW,
            &mut desk,
        );
        black_box(admitted.expect("admitted"));
    }
}
