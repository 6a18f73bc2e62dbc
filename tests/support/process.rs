//! The real `tollgate` as a process of its own: started, killed, told to stop, looked at from outside.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};

use super::peer::{PATIENCE, within};

/// A process that is killed when the test ends, however it ends.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts `tollgate serve` in a folder and waits for nothing.
    pub fn serve(folder: &Folder) -> Self {
        Self::start(folder, "serve", &["serve", "--config", &folder.config()])
    }

    /// Starts `tollgate` with these arguments; what it logs goes to `NAME.log` in the folder.
    pub fn start(folder: &Folder, name: &str, arguments: &[&str]) -> Self {
        let log = folder.log(name);
        let child = command(arguments).stdout(Stdio::piped()).stderr(log).spawn();
        Self(child.expect("a process"))
    }

    /// Waits for its `ready` line and gives the first address in it.
    pub async fn ready(&mut self) -> SocketAddr {
        let stdout = self.0.stdout.take().expect("to be asked once");
        let line = tokio::task::spawn_blocking(move || BufReader::new(stdout).lines().next());
        let line = within("the line that says ready", line).await.expect("a line, not a panic");
        let Some(line) = line else { panic!("it ended before it was ready: {:?}", self.0.wait()) };
        let line = line.expect("a line of text");
        let first = line.strip_prefix("ready ").and_then(|rest| rest.split(' ').next());
        let address = first.map(|word| word.rsplit('=').next().unwrap_or(word));
        address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("no address in {line:?}"))
    }

    /// SIGKILL; it has ended when this returns.
    pub fn kill(&mut self) {
        self.0.kill().expect("a process of ours");
        self.0.wait().expect("its end");
    }

    /// Sends a signal by its name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let told = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.0.id())).status();
        assert!(told.expect("a shell").success(), "{name} to {}", self.0.id());
    }

    /// SIGTERM; waits for the end, which must be a good one.
    pub async fn terminate(mut self) {
        self.signal("TERM");
        let mut ended = None;
        until("the end after SIGTERM", PATIENCE, || {
            ended = self.0.try_wait().expect("a process of ours");
            ended.is_some()
        })
        .await;
        assert!(ended.is_some_and(|status| status.success()), "SIGTERM: {ended:?}");
    }

    /// Octets of memory that it has in RAM: the second field of statm, in pages of 4 KiB (proc_pid_statm(5)).
    pub fn resident(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.0.id())).expect("a live process");
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.expect("a number of pages") * 4_096
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `tollgate` to its end and gives its exit status and what it printed.
pub fn run(arguments: &[&str]) -> (ExitStatus, String) {
    let output = command(arguments).output().expect("a process");
    (output.status, String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// A folder with a configuration and a store. When the test fails it stays, and says where.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes the `tollgate.toml` in it.
    pub fn configure(&self, config: &str) {
        std::fs::write(self.path("tollgate.toml"), config).expect("a file");
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of its configuration, as an argument.
    pub fn config(&self) -> String {
        self.path("tollgate.toml").to_string_lossy().into_owned()
    }

    fn log(&self, name: &str) -> File {
        let path = self.path(&format!("{name}.log"));
        OpenOptions::new().create(true).append(true).open(path).expect("a log")
    }

    /// Copies the store as it lies there, write-ahead log and history included, so that looking at it changes nothing.
    pub fn copy_store(&self, store: &str) -> (tempfile::TempDir, PathBuf) {
        let copy = tempfile::tempdir().expect("a folder");
        for ending in ["", "-wal"] {
            copy_if_there(&self.path(&format!("{store}{ending}")), copy.path());
        }
        let history = format!("{store}.history");
        let days = copy.path().join(&history);
        std::fs::create_dir(&days).expect("a folder");
        for entry in std::fs::read_dir(self.path(&history)).expect("the history") {
            let path = entry.expect("a file").path();
            if !path.to_string_lossy().ends_with("-shm") {
                copy_if_there(&path, &days);
            }
        }
        let store = copy.path().join(store);
        (copy, store)
    }
}

fn copy_if_there(file: &Path, to: &Path) {
    if file.exists() {
        let name = file.file_name().expect("a name");
        std::fs::copy(file, to.join(name)).expect("a copy");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            eprintln!("what it left is in {}", self.0.path().display());
        }
    }
}

/// Waits until no other test of this file does the same: for tests that load the machine, or measure it.
pub async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Lets this process, and those that it starts from now on, have so many files open; the system may have to agree.
pub fn allow_open_files(count: u64) {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit of files");
    let soft = line.split_whitespace().nth(3).expect("a soft limit");
    if soft == "unlimited" || soft.parse::<u64>().is_ok_and(|soft| soft >= count) {
        return;
    }
    let (pid, limit) = (std::process::id().to_string(), format!("--nofile={count}:"));
    let raised = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    assert!(raised.is_ok_and(|status| status.success()), "{count} open files are needed; allowed: {line}");
}

/// Looks, a millisecond apart, until it is so: for what happens in another process, where nothing can be awaited.
pub async fn until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
