//! The configuration that is shipped: it can be read, its defaults are the code's, and no key is missing in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tollgate::config::{self, Config};
use tollgate::policy::filter::Filters;

fn shipped() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/tollgate.toml")).unwrap()
}

/// The same with each example that follows in another form, `#| key = …`, in the place of the first one of its key.
fn other_forms(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for at in 0..lines.len() {
        let Some(other) = lines[at].strip_prefix("#| ") else { continue };
        let (key, _) = other.split_once(" = ").unwrap();
        let first = lines[..at].iter().rposition(|line| line.starts_with(&format!("#! {key} = "))).unwrap();
        lines[first] = other;
    }
    lines.join("\n")
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

/// A folder with the files that its examples name.
fn furnished() -> tempfile::TempDir {
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
    folder
}

#[test]
fn its_examples_can_be_read_too() {
    let folder = furnished();
    let config = load(folder.path(), &uncommented(&uncommented(&shipped(), "#! "), "#"));
    assert!(config.esme.tls.is_some() && config.smsc.upstreams[0].tls.is_some());
    assert_eq!(config.policy.traffic.mo_routes.len(), 2);
    let account = &config.policy.accounts[0];
    assert_eq!(account.parent.as_deref(), Some("reseller"));
    let Filters {
        zone,
        duplicate,
        hours,
        countries,
        country_caps,
        senders,
        numbers,
        velocity,
        content,
        unicode,
        max_per_day,
        max_per_month,
        spend_per_day,
        spend_per_month,
        max_per_request,
        throughput,
        certified,
        opt_outs,
    } = &account.filters;
    assert!(zone.is_some() && duplicate.is_some() && countries.is_some() && senders.is_some());
    assert!(numbers.is_some() && unicode.is_some() && max_per_day.is_some() && max_per_month.is_some());
    assert!(spend_per_day.is_some() && spend_per_month.is_some() && max_per_request.is_some());
    assert!(throughput.is_some() && certified.is_some() && opt_outs.is_some());
    assert_eq!((hours.len(), country_caps.len(), velocity.len(), content.len()), (1, 2, 2, 3));
}

#[test]
fn the_other_forms_of_its_examples_are_those_of_rules_in_shadow() {
    let folder = furnished();
    let text = other_forms(&shipped());
    let config = load(folder.path(), &uncommented(&uncommented(&text, "#! "), "#"));
    let filters = &config.policy.accounts[0].filters;
    assert!(!filters.duplicate.as_ref().unwrap().enforce && !filters.countries.as_ref().unwrap().enforce);
    assert_eq!(filters.opt_outs.as_ref().unwrap().is.start, ["ALTA"]);
    assert_eq!((filters.hours.len(), filters.hours[0].enforce, filters.hours[1].enforce), (2, true, false));
    assert!(!filters.throughput.as_ref().unwrap().enforce && !filters.certified.as_ref().unwrap().enforce);
}

#[test]
fn the_example_of_a_policy_can_be_read_and_binds_all_who_are_in_it() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/examples/policy.toml");
    let folder = tempfile::tempdir().unwrap();
    let config = load(folder.path(), &fs::read_to_string(example).unwrap());
    let policy = &config.policy;
    assert_eq!(policy.traffic.platform.protected.len(), 1);
    let [reseller, shop] = policy.accounts.as_slice() else { panic!("{:?}", policy.accounts) };
    assert_eq!(shop.parent.as_deref(), Some(reseller.name.as_str()));
    let [system, desk] = shop.credentials.as_slice() else { panic!("{:?}", shop.credentials) };
    assert!(system.filters.is_empty() && !desk.filters.is_empty());
}

#[test]
fn every_key_that_is_read_stands_in_it() {
    let text = uncommented(&uncommented(&shipped(), "#! "), "#");
    let mentioned: BTreeSet<&str> =
        text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    let mut read = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                read.extend(keys(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(read.len() > 90, "the keys are found in the code: {}", read.len());
    let missing: Vec<_> = read.iter().filter(|key| !mentioned.contains(key.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// The keys that a file of the configuration room asks for.
fn keys(code: &str) -> Vec<String> {
    let asks = [
        "put(",
        "need(",
        ".value(",
        ".section(",
        ".sections(",
        "rule(&mut section, ",
        "rules(&mut section, ",
    ];
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
