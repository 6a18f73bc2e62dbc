//! The configuration that is shipped: it can be read, its defaults are the code's, and no key is missing in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tollgate::config::{self, Config};

fn shipped() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/tollgate.toml")).unwrap()
}

fn load(folder: &Path, text: &str) -> Config {
    fs::write(folder.join("tollgate.toml"), text).unwrap();
    config::load(&folder.join("tollgate.toml"), &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every line that begins with `mark`, without it; the others as they are.
fn uncommented(text: &str, mark: &str) -> String {
    let line = |line: &str| match line.strip_prefix(mark) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_default_in_it_is_the_default_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let bare = shipped();
    let spelled_out = uncommented(&bare, "#");
    assert!(bare.lines().zip(spelled_out.lines()).filter(|(a, b)| a != b).count() > 80, "defaults are found");
    let (bare, spelled_out) = (load(folder.path(), &bare), load(folder.path(), &spelled_out));
    assert_eq!(format!("{spelled_out:#?}"), format!("{bare:#?}"));
}

#[test]
fn its_examples_can_be_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for name in ["server.pem", "clients.pem", "operator-ca.pem", "gate.pem"] {
        fs::write(folder.path().join(name), &certificate).unwrap();
    }
    for name in ["server.key", "gate.key"] {
        fs::write(folder.path().join(name), &key).unwrap();
    }
    fs::create_dir(folder.path().join("accounts.d")).unwrap();
    fs::write(folder.path().join("accounts.d/reseller.toml"), "[[account]]\nname = \"reseller\"\n").unwrap();
    let config = load(folder.path(), &uncommented(&uncommented(&shipped(), "#! "), "#"));
    assert!(config.esme.tls.is_some() && config.smsc.upstreams[0].tls.is_some());
    assert_eq!(config.policy.traffic.mo_routes.len(), 2);
    assert_eq!(config.policy.accounts[0].parent.as_deref(), Some("reseller"));
}

#[test]
fn every_key_that_is_read_stands_in_it() {
    let text = uncommented(&uncommented(&shipped(), "#! "), "#");
    let mentioned: BTreeSet<&str> =
        text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    let mut read = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            read.extend(keys(&fs::read_to_string(path).unwrap()));
        }
    }
    assert!(read.len() > 90, "the keys are found in the code: {}", read.len());
    let missing: Vec<_> = read.iter().filter(|key| !mentioned.contains(key.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// The keys that a file of the configuration room asks for.
fn keys(code: &str) -> Vec<String> {
    let asks = ["put(", "need(", ".value(", ".section(", ".sections("];
    let mut keys = Vec::new();
    for (ask, rest) in asks.iter().flat_map(|ask| code.split(ask).skip(1).map(move |rest| (ask, rest))) {
        let rest = rest.trim_start();
        if let Some((key, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            assert!(!key.is_empty(), "{ask}");
            keys.push(key.to_owned());
        }
    }
    keys
}

#[test]
fn the_unit_waits_longer_for_the_end_than_the_daemon_takes() {
    let unit =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/tollgate.service")).unwrap();
    let seconds = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let config = load(tempfile::tempdir().unwrap().path(), &shipped());
    // Clients and operators are drained one after the other, each within drain_within.
    assert!(seconds.parse::<u64>().unwrap() > 2 * config.smsc.drain_within.as_secs() + 10);
}
