//! The administration commands of the real binary, on a store that no daemon has.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder with a configuration, and the command in it.
struct Shell(tempfile::TempDir);

/// What a command printed and how it ended.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "[store]\npath = \"gate.db\"\n[smpp]\nlisten = [\"127.0.0.1:0\"]\n";
        std::fs::write(folder.path().join("tollgate.toml"), text).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, words: &str) -> Said {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(words.split(' '))
            .current_dir(self.path())
            .env_remove("TOLLGATE_CONFIG")
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    fn json(&self, words: &str) -> Value {
        let said = self.run(&format!("{words} --json"));
        assert_eq!(said.code, 0, "{words}: {}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

#[test]
fn an_account_is_made_shown_stopped_and_resumed() {
    let shell = Shell::new();
    let made = shell.run("account create acme --credit 10.5");
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(
        made.out.starts_with("made account acme with 10.5 credits\nsystem_id  acme\npassword   "),
        "{}",
        made.out
    );

    let second = shell.json("account create bureau --password given --system-id b1 --allow 192.0.2.0/24");
    assert_eq!(second["system_id"], "b1");
    assert!(second["password"].is_null(), "a password that was given is not repeated");

    let list = shell.run("account list");
    assert_eq!(
        list.out,
        "NAME    PARENT  STATE   ORIGIN  AVAILABLE  HELD  SYSTEM_IDS\n\
         acme    -       active  store        10.5     0  acme\n\
         bureau  -       active  store           0     0  b1\n"
    );

    assert_eq!(shell.run("account suspend acme").out, "account acme is suspended\n");
    assert_eq!(shell.json("account show acme")["suspended"], true);
    assert_eq!(shell.json("account show acme")["system_ids"][0], "acme", "it keeps its credentials");
    assert_eq!(shell.json("account resume acme")["suspended"], false);
    assert_eq!(shell.json("account show acme")["available"], "10.5", "and its money");
}

#[test]
fn what_cannot_be_done_says_why_and_ends_with_1() {
    let shell = Shell::new();
    let none = shell.run("account list");
    assert_eq!(none.code, 1);
    assert!(none.err.contains("there is no store at gate.db"), "{}", none.err);

    shell.json("account create acme");
    for (words, why) in [
        ("account create acme", "there is an account \"acme\" already"),
        ("account create other --system-id acme", "system_id \"acme\" belongs to another account already"),
        ("account create a/b", "a name has 1 to 64 letters"),
        ("account create sub --parent nobody", "there is no account \"nobody\""),
        ("account show nobody", "there is no account \"nobody\""),
        ("credit add nobody 1", "there is no account \"nobody\""),
        ("credit add acme -1", "account \"acme\" has not enough credit for that"),
        ("credit transfer acme acme 1", "an account cannot give credit to itself"),
        ("trace 7", "there is no message \"7\""),
        ("trace seven", "\"seven\" is no message id: they are decimal numbers"),
        ("status", "no daemon runs on this store"),
    ] {
        let said = shell.run(words);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{words}");
        assert!(said.err.contains(why), "{words}: {}", said.err);
    }
    assert_eq!(shell.run("credit add acme 1,5").code, 2, "wrong usage");
    assert_eq!(shell.run("--config nowhere.toml account list").code, 64, "bad settings");
    assert_eq!(shell.json("account list").as_array().unwrap().len(), 1, "nothing of that left a trace");
}

#[test]
fn credit_moves_exactly_and_the_books_say_so() {
    let shell = Shell::new();
    shell.json("account create acme --credit 100");
    shell.json("account create bureau");
    assert_eq!(shell.json("credit add acme 0.000001 --note top")["available"], "100.000001");
    assert_eq!(shell.json("credit add acme -0.5")["available"], "99.500001");
    assert_eq!(shell.json("credit transfer acme bureau 9.25")["available"], "90.250001");
    assert_eq!(shell.json("credit show bureau")["available"], "9.25");
    let too_much = shell.run("credit transfer bureau acme 9.250001");
    assert_eq!(too_much.code, 1);

    let shown = shell.json("credit show acme");
    let entries: Vec<_> = shown["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap(), entry["amount"].as_str().unwrap()))
        .collect();
    assert_eq!(
        entries,
        [("transfer_out", "-9.25"), ("withdrawal", "-0.5"), ("grant", "0.000001"), ("opening", "100")]
    );
    let audit = shell.run("audit");
    assert_eq!(audit.code, 0, "{}", audit.out);
    assert!(
        audit.out.lines().count() >= 8 && audit.out.lines().all(|line| line.starts_with("ok ")),
        "{}",
        audit.out
    );
    assert_eq!(shell.json("audit")["holds"], true);
}

#[test]
fn an_account_is_shown_with_its_lists_of_addresses() {
    let shell = Shell::new();
    shell.json("account create acme");
    assert!(shell.json("account show acme")["access"].is_null(), "nothing is shown where there is no list");
    let db = rusqlite::Connection::open(shell.path().join("gate.db")).unwrap();
    let access = r#"{"smpp":{"restricted":true,"entries":[{"network":"192.0.2.0/24","description":"office"},
        {"network":"2001:db8::/32"}]}}"#;
    db.execute("UPDATE account SET terms = json_set(terms, '$.access', json(?1))", [access]).unwrap();
    db.execute("INSERT INTO address_seen VALUES(1, 'smpp', '192.0.2.0/24', 1577836800000)", []).unwrap();
    drop(db);
    let shown = shell.run("account show acme").out;
    let table = "restricted      smpp\n\n\
                 SURFACE  NETWORK        LAST_SEEN                 HINT                 DESCRIPTION\n\
                 smpp     192.0.2.0/24   2020-01-01T00:00:00.000Z  not used in 90 days  office\n\
                 smpp     2001:db8::/32  -                         never used           \n";
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert!(lines(&shown).ends_with(&lines(table)), "{shown}");
    let json = shell.json("account show acme");
    assert_eq!(json["access"][0]["last_seen"], "2020-01-01T00:00:00.000Z");
    assert_eq!(json["access"][1]["hint"], "never used");
}

#[test]
fn broken_books_end_with_1() {
    let shell = Shell::new();
    shell.json("account create acme --credit 5");
    let db = rusqlite::Connection::open(shell.path().join("gate.db")).unwrap();
    db.execute("UPDATE account SET available = available + 1", []).unwrap();
    drop(db);
    let audit = shell.run("audit");
    assert_eq!(audit.code, 1);
    assert!(audit.out.contains("BROKEN  "), "{}", audit.out);
}

#[test]
fn a_backup_comes_back_and_what_was_there_is_kept() {
    let shell = Shell::new();
    shell.json("account create acme --credit 5");
    assert_eq!(shell.run("backup copy.db").code, 0);
    let again = shell.run("backup copy.db");
    assert_eq!(again.code, 1, "a backup never writes over a file");
    shell.json("credit add acme 7");

    let refused = shell.run("restore copy.db");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    assert_eq!(shell.json("credit show acme")["available"], "12");

    let restored = shell.json("restore copy.db --force");
    assert_eq!(shell.json("credit show acme")["available"], "5");
    assert_eq!(shell.run("audit").code, 0);

    let kept = restored["kept"].as_str().unwrap();
    assert_eq!(shell.json(&format!("restore {kept} --force"))["days"], 0);
    assert_eq!(shell.json("credit show acme")["available"], "12", "and back again");

    std::fs::write(shell.path().join("noise.db"), "no store").unwrap();
    let noise = shell.run("restore noise.db --force");
    assert_eq!(noise.code, 1);
    assert!(noise.err.contains("is no backup of a store"), "{}", noise.err);
    assert_eq!(shell.json("credit show acme")["available"], "12", "what is no backup changes nothing");
}

#[test]
fn a_store_that_is_gone_is_restored_without_force() {
    let shell = Shell::new();
    shell.json("account create acme --credit 5");
    assert_eq!(shell.run("backup copy.db").code, 0);
    std::fs::remove_file(shell.path().join("gate.db")).unwrap();
    std::fs::remove_dir_all(shell.path().join("gate.db.history")).unwrap();
    assert_eq!(shell.run("restore copy.db").code, 0);
    assert_eq!(shell.json("credit show acme")["available"], "5");
}

#[test]
fn check_tells_all_problems_and_ends_with_64() {
    let shell = Shell::new();
    let good = shell.run("check");
    assert_eq!(good.code, 0);
    assert!(good.out.starts_with("tollgate.toml is in order: 1 file, 0 accounts"), "{}", good.out);

    std::fs::write(shell.path().join("bad.toml"), "[store]\npat = \"x\"\n[smpp]\nlisten = [1]\n").unwrap();
    let bad = shell.run("check --config bad.toml");
    assert_eq!(bad.code, 64);
    assert_eq!(
        bad.out,
        "bad.toml:1:1: [store] path is missing: add path = \"gate.db\"\n\
         bad.toml:2:1: unknown key \"pat\" in [store]: did you mean \"path\"?\n\
         bad.toml:4:11: listen is 1: write a string in quotes\n"
    );
    let json: Value = serde_json::from_str(&shell.run("check --json --config bad.toml").out).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["problems"][1]["line"], 2);
    assert_eq!(json["problems"][1]["column"], 1);
}
