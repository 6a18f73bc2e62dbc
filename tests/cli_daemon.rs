//! The administration commands beside a running daemon, and the daemon with changed and broken configurations.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A daemon in a folder of its own; killed when the test ends.
struct Daemon {
    folder: tempfile::TempDir,
    child: Child,
    ready: String,
}

const CONFIG: &str = r#"
[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:0"]
[admin]
listen = ["127.0.0.1:0"]
[[account]]
name = "acme"
opening_credit = "100"
[[account.smpp]]
system_id = "acme"
password = "secret"
"#;

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(folder).env_remove("TOLLGATE_CONFIG");
    command
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), CONFIG).unwrap();
        let mut child =
            command(folder.path()).arg("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready "), "{ready:?}");
        Self { folder, child, ready }
    }

    fn run(&self, words: &str) -> (i32, String, String) {
        let Output { status, stdout, stderr } =
            command(self.folder.path()).args(words.split(' ')).output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    fn json(&self, words: &str) -> Value {
        let (code, out, err) = self.run(&format!("{words} --json"));
        assert_eq!(code, 0, "{words}: {err}");
        serde_json::from_str(&out).unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Writes another configuration, asks for a reload and waits until `account` is there.
    fn reload(&self, text: &str, account: &str) {
        std::fs::write(self.folder.path().join("tollgate.toml"), text).unwrap();
        self.signal("-HUP");
        for _ in 0..200 {
            if self.run(&format!("account show {account}")).0 == 0 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("account {account} did not appear");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already, as the test wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn commands_reach_the_running_daemon() {
    let daemon = Daemon::start();
    assert!(daemon.ready.contains(" smpp=127.0.0.1:") && daemon.ready.contains(" admin=127.0.0.1:"));
    assert!(daemon.json("status").is_object());
    assert_eq!(daemon.json("account show acme")["origin"], "file");
    assert_eq!(daemon.json("credit add acme 0.5")["available"], "100.5");
    assert_eq!(daemon.json("account create sub --parent acme --credit 1")["available"], "1");
    assert_eq!(daemon.json("credit transfer acme sub 100.5")["available"], "0");
    assert_eq!(daemon.json("account suspend sub")["suspended"], true);
    let (code, _, err) = daemon.run("account suspend acme");
    assert_eq!(code, 1);
    assert!(err.contains("is from a configuration file: set suspended = true there"), "{err}");
    assert_eq!(daemon.json("audit")["holds"], true);

    daemon.json("backup copy.db");
    let (code, _, err) = daemon.run("restore copy.db --force");
    assert_eq!(code, 1);
    assert!(err.contains("is in use by another tollgate"), "{err}");
}

#[test]
fn a_changed_file_is_taken_and_a_broken_one_changes_nothing() {
    let daemon = Daemon::start();
    let more = format!("{CONFIG}[[account]]\nname = \"later\"\nopening_credit = \"3\"\n");
    daemon.reload(&more, "later");
    assert_eq!(daemon.json("credit show later")["available"], "3");
    assert_eq!(daemon.json("credit show acme")["available"], "100", "granted once");

    std::fs::write(daemon.folder.path().join("tollgate.toml"), format!("{CONFIG}nonsense = 1\n")).unwrap();
    daemon.signal("-HUP");
    assert_eq!(
        daemon.json("account show later")["suspended"],
        false,
        "administration works beside a broken file"
    );

    let fewer = format!("{CONFIG}[[account]]\nname = \"last\"\n");
    daemon.reload(&fewer, "last");
    assert_eq!(daemon.json("account show later")["suspended"], true, "its books stay, its rights do not");
}

#[test]
fn an_apply_says_what_the_daemon_did_not_take() {
    let daemon = Daemon::start();
    let north = "[[upstream]]\nname = \"north\"\naddress = \"127.0.0.1:9\"\nsystem_id = \"gate\"\npassword = \"secret\"\n";
    let text = format!("{}{north}", CONFIG.replace("[admin]", "enquire_link = \"9s\"\n[admin]"));
    std::fs::write(daemon.folder.path().join("tollgate.toml"), text).unwrap();
    let (code, out, err) = daemon.run("apply");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("operator north: taken\n"), "{out}");
    assert!(out.ends_with("takes a restart: smpp.enquire_link\n"), "{out}");
    let again = daemon.json("apply");
    assert_eq!(again["takes_restart"], serde_json::json!(["smpp.enquire_link"]));
    assert_eq!(again["operators"], Value::Null, "it is there already");
}

#[test]
fn after_the_end_the_commands_work_on_the_store_itself() {
    let mut daemon = Daemon::start();
    daemon.json("credit add acme 1");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success());
    assert!(!daemon.folder.path().join("gate.db.sock").exists());
    assert_eq!(daemon.json("credit add acme 1")["available"], "102");
    assert_eq!(daemon.run("status").0, 1);
    assert_eq!(daemon.json("audit")["holds"], true);
}

#[test]
fn a_daemon_that_was_killed_leaves_a_socket_that_misleads_nobody() {
    let mut daemon = Daemon::start();
    daemon.json("credit add acme 1");
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    assert!(daemon.folder.path().join("gate.db.sock").exists());
    assert_eq!(daemon.json("credit show acme")["available"], "101");
}

#[test]
fn a_bad_configuration_ends_serve_with_64_and_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tollgate.toml"), format!("{CONFIG}a = 1\nb = 2\n")).unwrap();
    let said = command(folder.path()).arg("serve").output().unwrap();
    assert_eq!(said.status.code(), Some(64));
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(err.matches("unknown key").count(), 2, "{err}");
    assert!(!folder.path().join("gate.db").exists(), "nothing was opened");
}
