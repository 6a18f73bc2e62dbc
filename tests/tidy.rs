//! The house's order, held by a test: arrows between rooms, sizes, names, and what may be used where.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the daemon and which of the others each may import. `clock` is a leaf that any may.
const ARROWS: [(&str, &[&str]); 14] = [
    ("account", &[]),
    ("message", &["account"]),
    ("policy", &["account", "message"]),
    ("store", &["account", "message", "policy"]),
    ("link", &[]),
    ("esme", &["account", "message", "policy", "store", "link"]),
    ("smsc", &["account", "message", "policy", "store", "link"]),
    ("sim", &["link"]),
    ("admin", &["account", "message", "policy", "store"]),
    ("config", &["account", "message", "policy", "store", "link", "esme", "smsc", "admin"]),
    ("standing", &["store", "esme", "smsc", "admin"]),
    ("clock", &[]),
    ("cli", &EVERY),
    ("lib", &EVERY),
];

const EVERY: [&str; 12] = [
    "account", "message", "policy", "store", "link", "esme", "smsc", "sim", "admin", "config", "standing",
    "cli",
];

/// Rooms that decide and do no I/O.
const PURE: [&str; 3] = ["account", "message", "policy"];

/// Arrows inside the protocol crate.
const PROTO_ARROWS: [(&str, &[&str]); 8] = [
    ("field", &["error"]),
    ("error", &["field", "frame"]),
    ("frame", &["error", "field"]),
    ("wire", &["error", "field", "frame"]),
    ("pdu", &["error", "field", "frame", "wire"]),
    ("rules", &["field", "pdu"]),
    ("text", &["error", "field"]),
    ("session", &["error", "field", "frame", "pdu"]),
];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The code without its tests, comments and strings of documentation.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(number, line)| (number + 1, line))
    }

    /// `src/store/lane.rs` is in the room `store`; `src/clock.rs` is the room `clock`.
    fn room(&self) -> &str {
        let below = self.path.split("src/").nth(1).unwrap_or(&self.path);
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("_tests.rs") || self.path.ends_with("/tests.rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            if !["target", "node_modules"].iter().any(|name| entry.ends_with(name)) {
                files_below(&entry, into);
            }
        } else {
            into.push(entry);
        }
    }
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        files_below(&root().join(folder), &mut paths);
    }
    let rust = paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(root()).unwrap().display().to_string(),
        text: fs::read_to_string(&path).unwrap(),
    };
    let sources: Vec<_> = rust.map(read).collect();
    assert!(!sources.is_empty(), "no source was found in {folders:?}");
    sources
}

fn fail_if_any(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Every `crate::room` on a line, also inside `use crate::{a::b, c}`.
fn imported_rooms(line: &str) -> BTreeSet<&str> {
    let mut rooms = BTreeSet::new();
    for rest in line.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (at, character) in list.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        rooms.insert(first_word(&list[start..at]));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        rooms.insert(first_word(&list[start..at]));
                        start = at + 1;
                    }
                    _ => {}
                }
            }
        } else {
            rooms.insert(first_word(rest));
        }
    }
    rooms
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn broken_arrows(folder: &str, arrows: &[(&str, &[&str])]) -> Vec<String> {
    let arrows: BTreeMap<_, _> = arrows.iter().copied().collect();
    let mut broken = Vec::new();
    for source in sources(&[folder]) {
        let room = source.room();
        let Some(allowed) = arrows.get(room) else { continue };
        if source.is_test() {
            continue;
        }
        for (number, line) in source.code() {
            for imported in imported_rooms(line) {
                let known = arrows.contains_key(imported) && imported != "clock";
                if known && imported != room && !allowed.contains(&imported) {
                    broken.push(format!("{}:{number}: {room} imports {imported}", source.path));
                }
            }
        }
    }
    broken
}

#[test]
fn rooms_import_only_what_stands_before_them() {
    fail_if_any("arrows of the daemon", &broken_arrows("src", &ARROWS));
    fail_if_any("arrows of the protocol crate", &broken_arrows("proto/src", &PROTO_ARROWS));
}

#[test]
fn every_room_has_its_arrows_written_down() {
    let rooms: BTreeSet<String> = sources(&["src"]).iter().map(|source| source.room().to_owned()).collect();
    let known: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let new: Vec<_> = rooms.difference(&known).filter(|room| *room != "main").cloned().collect();
    fail_if_any("rooms without arrows", &new);
}

#[test]
fn only_the_store_knows_sql() {
    let mut broken = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| source.room() != "store") {
        for (number, line) in source.code().filter(|(_, line)| line.contains("rusqlite")) {
            broken.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    fail_if_any("rusqlite outside of the store", &broken);
}

#[test]
fn pure_rooms_do_no_io_and_never_ask_for_the_time() {
    let forbidden =
        ["tokio", "rusqlite", "axum", "Clock", "SystemTime::now", "Instant::now", "std::fs", "std::net::Tcp"];
    let mut broken = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| PURE.contains(&source.room())) {
        for (number, line) in source.code() {
            for word in forbidden.iter().filter(|word| line.contains(*word)) {
                broken.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    for source in sources(&["proto/src"]) {
        for (number, line) in source.code() {
            for word in ["tokio::", "std::net", "std::time::Instant", "SystemTime", "tracing"] {
                if line.contains(word) {
                    broken.push(format!("{}:{number}: {word}", source.path));
                }
            }
        }
    }
    fail_if_any("I/O or time in a pure room", &broken);
}

#[test]
fn files_and_folders_stay_small() {
    let mut broken = Vec::new();
    let all = sources(&["src", "proto/src", "proto/tests", "proto/benches", "tests", "benches"]);
    for source in &all {
        let lines = source.text.lines().count();
        let most =
            if source.path.ends_with("/mod.rs") || source.path.ends_with("src/lib.rs") { 300 } else { 600 };
        if lines > most {
            broken.push(format!("{} has {lines} lines, {most} are allowed", source.path));
        }
        if lines < 3 {
            broken.push(format!("{} is empty", source.path));
        }
        if !source.text.starts_with("//!") {
            broken.push(format!("{} does not say what it is for", source.path));
        }
    }
    let mut entries: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for source in all.iter().filter(|s| s.path.starts_with("src/") || s.path.starts_with("proto/src/")) {
        let path = Path::new(&source.path);
        for (below, above) in path.ancestors().zip(path.ancestors().skip(1)) {
            let name = below.file_name().unwrap().to_string_lossy().into_owned();
            // The door is the folder itself.
            if name != "mod.rs" {
                entries.entry(above.to_path_buf()).or_default().insert(name);
            }
        }
    }
    for (folder, names) in entries {
        let is_house = ["src", "proto/src", "proto", ""].iter().any(|house| folder == Path::new(house));
        // Ten operations, and the enum of them all.
        let most = if folder == Path::new("proto/src/pdu") { 11 } else { 10 };
        if names.len() > most && !is_house {
            broken.push(format!("{} has {} entries, {most} are allowed", folder.display(), names.len()));
        }
    }
    fail_if_any("sizes", &broken);
}

#[test]
fn names_say_something_and_channels_are_bounded() {
    let mut broken = Vec::new();
    for source in sources(&["src", "proto/src", "tests", "benches"]) {
        for part in Path::new(&source.path).iter().map(|part| part.to_string_lossy()) {
            if ["utils", "util", "common", "helpers", "helper", "manager", "misc"]
                .contains(&part.trim_end_matches(".rs"))
            {
                broken.push(format!("{}: {part} says nothing", source.path));
            }
        }
        if source.path == "tests/tidy.rs" {
            continue;
        }
        for (number, line) in source.code() {
            let line_is = |what: &str| line.contains(what);
            if line_is("unbounded_channel") || line_is("mpsc::channel()") || line_is("unbounded()") {
                broken.push(format!("{}:{number}: an unbounded channel", source.path));
            }
        }
    }
    fail_if_any("names and channels", &broken);
}

#[test]
fn imports_are_read_as_they_are_written() {
    let line = "use crate::{account::{A, b::C}, store::Store, clock};";
    assert_eq!(imported_rooms(line).into_iter().collect::<Vec<_>>(), ["account", "clock", "store"]);
    assert_eq!(
        imported_rooms("let x = crate::esme::Roster::new();").into_iter().collect::<Vec<_>>(),
        ["esme"]
    );
    assert!(imported_rooms("// nothing").is_empty());
}
