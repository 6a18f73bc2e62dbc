//! `tollgate sim` and `tollgate load` as commands: the scenario file, the ready line, exit codes, JSON, TLS, the record.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

/// A running `tollgate sim` that is stopped when the test ends.
struct Sim {
    child: Child,
    address: String,
}

impl Sim {
    fn start(arguments: &[&str]) -> Self {
        let mut child = tollgate(&["sim", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("ready ").expect("the ready line").to_owned();
        Self { child, address }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tollgate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments);
    command
}

fn load(address: &str, arguments: &[&str]) -> (i32, Value) {
    let output =
        tollgate(&["load", "--connect", address, "--json"]).args(arguments).output().expect("it runs");
    let code = output.status.code().expect("an exit code");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (code, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}{}", stderr(&output))))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_scenario_from_a_file_and_a_flag_over_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = file(
        folder.path(),
        "scenario.toml",
        "id-format = \"uuid\"\nreceipt-delay = \"50%:1ms,50%:5ms..20ms\"\nthrottle = 1\nerror = [\"0x14:100%\"]\n\
         deliver-timeout = \"5s\"\nhostile = []\n",
    );
    let sim =
        Sim::start(&["--scenario", &scenario, "--throttle", "1000000", "--error", "ESME_RSUBMITFAIL:0%"]);
    let (code, report) = load(&sim.address, &["-n", "200", "--receipts"]);
    assert_eq!((code, &report["accepted"], &report["receipts"]["received"]), (0, &200.into(), &200.into()));
    assert_eq!(report["refused"], serde_json::json!({}));
    assert!(report["answer_latency"]["p999"].as_f64().is_some_and(|latency| latency > 0.0));
}

#[test]
fn a_bad_scenario_is_told_with_its_line_and_exit_64() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str, parts: &[&str]| {
        let scenario = file(folder.path(), "bad.toml", text);
        let output = tollgate(&["sim", "--scenario", &scenario]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
        for part in parts {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
    };
    check("window = 5\nthrotle = 9\n", &["bad.toml", "line 2", "throtle", "throttle"]);
    check("receipt-delay = \"10\"\n", &["line 1", "needs a unit"]);
    check("window = 0\nthrottle = 0\n", &["window", "throttle"]);
    let output = tollgate(&["sim", "--hostile", "rude"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("never-answer"), "the modes are listed: {}", stderr(&output));
}

#[test]
fn refusals_fail_the_run_unless_they_are_allowed() {
    let sim = Sim::start(&["--error", "ESME_RMSGQFUL:100%"]);
    let (code, report) = load(&sim.address, &["-n", "20"]);
    assert_eq!((code, report["refused"].as_object().map(serde_json::Map::len)), (1, Some(1)));
    let (code, _) = load(&sim.address, &["-n", "20", "--allow-refusals"]);
    assert_eq!(code, 0);
    let output = tollgate(&["load", "--connect", &sim.address, "--window", "0"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn both_records_name_the_same_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let (theirs, ours) = (folder.path().join("operator.jsonl"), folder.path().join("client.txt"));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let sim = Sim::start(&["--record", &path(&theirs)]);
    let arguments = ["-n", "300", "-c", "3", "--to", "34600++++++", "--record", &path(&ours)];
    assert_eq!(load(&sim.address, &arguments).0, 0);
    let mut of_client: Vec<String> =
        std::fs::read_to_string(&ours).expect("the record").lines().map(str::to_owned).collect();
    let mut of_operator: Vec<String> = std::fs::read_to_string(&theirs)
        .expect("the record")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| {
            format!("{} {}", line["id"].as_str().expect("id"), line["destination"].as_str().expect("to"))
        })
        .collect();
    of_client.sort();
    of_operator.sort();
    assert_eq!(of_client.len(), 300);
    assert_eq!(of_client, of_operator);
}

#[test]
fn over_tls_with_a_name_that_must_match() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = file(folder.path(), "cert.pem", &params.self_signed(&key).expect("signed").pem());
    let key = file(folder.path(), "key.pem", &key.serialize_pem());
    let sim = Sim::start(&["--tls-certificate", &certificate, "--tls-key", &key]);
    let tls = ["--tls", "--tls-ca", &certificate, "-n", "500", "--receipts"];
    let (code, report) = load(&sim.address, &[&tls[..], &["--tls-name", "localhost"]].concat());
    assert_eq!((code, &report["receipts"]["received"]), (0, &500.into()));
    let refused = tollgate(&["load", "--connect", &sim.address]).args(tls).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("certificate"), "{}", stderr(&refused));
}

#[test]
fn a_rogue_tells_what_the_server_did_and_help_lists_every_mode() {
    let sim = Sim::start(&[]);
    let (code, report) =
        load(&sim.address, &["--hostile", "undersize", "-n", "1", "--answer-patience", "20s"]);
    assert_eq!((code, &report["closed"], &report["connections"]), (0, &true.into(), &1.into()));
    let nacks = report["came"].as_object().expect("what came").iter().find(|(what, _)| what.contains("nack"));
    assert!(nacks.is_some_and(|(what, count)| what.contains("ESME_RINVCMDLEN") && *count == 1), "{report}");
    let (code, report) = load(&sim.address, &["--hostile", "same-sequence", "-n", "50"]);
    assert_eq!((code, &report["accepted"]), (0, &50.into()));

    let output =
        tollgate(&["load", "--connect", &sim.address, "--hostile", "rude"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("never-read"), "the modes are listed: {}", stderr(&output));
    for (command, modes) in
        [("load", ["bind-again", "nul-quirks"]), ("sim", ["tlv-garbage", "receipt-twice"])]
    {
        let output = tollgate(&[command, "--help"]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("Hostile modes:") && modes.iter().all(|mode| text.contains(mode)), "{text}");
    }
}
