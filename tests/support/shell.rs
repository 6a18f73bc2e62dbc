//! The command line in a folder of its own, on a store that no daemon has or beside one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder with a configuration, and the command in it; a daemon, if one was started, is killed when the test ends.
pub struct Shell {
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

/// What a command printed and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// What stands before the policy of a test.
pub const HEAD: &str = r#"
[store]
path = "gate.db"
[smpp]
listen = ["127.0.0.1:0"]
[admin]
listen = []
[[upstream]]
name = "north"
address = "127.0.0.1:9"
system_id = "gate"
password = "secret"
[[upstream]]
name = "south"
address = "127.0.0.1:9"
system_id = "gate"
password = "secret"
"#;

impl Shell {
    pub fn new(rest: &str) -> Self {
        let shell = Self { folder: tempfile::tempdir().unwrap(), daemon: None };
        shell.write("tollgate.toml", &format!("{HEAD}{rest}"));
        shell
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub fn configure(&self, rest: &str) {
        self.write("tollgate.toml", &format!("{HEAD}{rest}"));
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.current_dir(self.path()).env_remove("TOLLGATE_CONFIG").env_remove("RUST_LOG");
        command
    }

    pub fn start(&mut self) {
        let log = std::fs::File::create(self.path().join("log")).unwrap();
        let mut child = self.command().arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready "), "{ready:?}");
        self.daemon = Some(child);
    }

    pub fn run(&self, words: &str) -> Said {
        self.run_all(&words.split(' ').collect::<Vec<_>>())
    }

    pub fn run_all(&self, words: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.command().args(words).output().unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    pub fn json(&self, words: &str) -> Value {
        let said = self.run(&format!("{words} --json"));
        assert_eq!(said.code, 0, "{words}: {}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // It may have ended already.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}
