//! The conformance statement: every item of `fixtures/conformance.tsv` with the test that holds it, or why it cannot hold.
//!
//! `fixtures/conformance.md` is made from the tests' names here. It is true of a commit whose tests pass: `.ci/run`
//! checks that each test named in it ran and passed. To write it anew: `TOLLGATE_STATEMENT=write cargo test --test statement`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Items that do not hold, or only in part, and why. An item here may have a test for the part that holds.
const DOES_NOT_HOLD: [(&str, &str); 1] = [(
    "C-204",
    "holds for what comes from centres and for 65 characters; a client's data_sm to an address of more than 20 characters \
     is refused with RINVDSTADR, because routes are prefixes of phone numbers",
)];

/// An item of the checklist.
struct Item {
    id: String,
    side: String,
    strength: String,
    stimulus: String,
}

#[test]
fn the_statement_names_a_test_or_a_reason_for_every_item() {
    let tests = tests_by_item();
    let items = items();
    let known = |id: &str| items.iter().any(|item| item.id == id);
    let strangers: Vec<_> = tests.keys().filter(|id| !known(id)).collect();
    assert!(strangers.is_empty(), "tests for items that are not on the list: {strangers:?}");
    let without: Vec<_> = (items.iter().map(|item| item.id.as_str()))
        .filter(|id| !tests.contains_key(*id) && reason(id).is_none())
        .collect();
    assert!(without.is_empty(), "{} items have neither a test nor a reason: {without:?}", without.len());

    let file = root().join("fixtures/conformance.md");
    let statement = statement(&items, &tests);
    if std::env::var_os("TOLLGATE_STATEMENT").is_some_and(|wish| wish == "write") {
        fs::write(&file, &statement).expect("the statement is written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == statement,
        "fixtures/conformance.md is not what the tests say; write it with TOLLGATE_STATEMENT=write"
    );
}

fn statement(items: &[Item], tests: &BTreeMap<String, Vec<String>>) -> String {
    let held = items.iter().filter(|item| reason(&item.id).is_none()).count();
    let mut out = format!(
        "# Conformance statement\n\n\
         Made by `tests/statement.rs`; do not edit. S: towards clients, C: towards centres, B: both. M: must, S: should,\n\
         L: must under the lenient profile. Every test named here drives the daemon over TCP with a scripted peer, and passes.\n\n\
         {held} of {} items hold.\n\n\
         | item | side | strength | stimulus | test | result |\n|---|---|---|---|---|---|\n",
        items.len()
    );
    for item in items {
        let names = tests.get(&item.id).map(|names| names.join("<br>")).unwrap_or_default();
        let result = reason(&item.id).unwrap_or("holds");
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {names} | {result} |",
            item.id, item.side, item.strength, item.stimulus
        );
    }
    out
}

fn reason(id: &str) -> Option<&'static str> {
    DOES_NOT_HOLD.iter().find(|(item, _)| *item == id).map(|(_, why)| *why)
}

fn items() -> Vec<Item> {
    let list = fs::read_to_string(root().join("fixtures/conformance.tsv")).expect("the checklist");
    let items: Vec<Item> = (list.lines().skip(1))
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let mut field = || fields.next().expect("five fields");
            Item { id: field(), side: field(), strength: field(), stimulus: field() }
        })
        .collect();
    assert_eq!(items.len(), 230);
    items
}

/// `module::test` for each item, in the order of the files.
fn tests_by_item() -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        files_below(&root().join(folder), &mut files);
    }
    files.sort();
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let stem = file.with_extension("");
        let stem = stem.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        for line in text.lines() {
            let Some(name) = test_name(line) else { continue };
            let item = format!("C-{}", &name[2..5]);
            tests.entry(item).or_default().push(format!("`{stem}` {name}"));
        }
    }
    tests
}

/// The name of a test that begins on this line and bears an item.
fn test_name(line: &str) -> Option<&str> {
    let name = line.trim_start().trim_start_matches("async ").strip_prefix("fn ")?.split('(').next()?;
    let number = name.strip_prefix("c_")?;
    let is_item = number.len() > 4 && number.bytes().take(3).all(|b| b.is_ascii_digit());
    (is_item && number.as_bytes()[3] == b'_').then_some(name)
}

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
