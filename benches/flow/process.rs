//! The programs of a run: started in its folder, told to end, and killed if the bench ends before them.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Set by Ctrl-C: whatever waits gives up.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The gateway's own program, from the same build as this bench.
pub const TOLLGATE: &str = env!("CARGO_BIN_EXE_tollgate");

/// A running program; its output lies in files of the run's folder.
pub struct Process {
    child: Child,
    name: String,
    folder: PathBuf,
    /// How it was started, as a person would write it.
    pub command: String,
}

impl Process {
    /// Starts `tollgate` with these arguments. `name` is for its files: `NAME.out` and `NAME.log`.
    pub fn tollgate(folder: &Path, name: &str, arguments: &[String]) -> Result<Self> {
        Self::start(folder, name, Path::new(TOLLGATE), "tollgate", arguments)
    }

    /// Starts a program that is shown as `shown`.
    pub fn start(
        folder: &Path,
        name: &str,
        program: &Path,
        shown: &str,
        arguments: &[String],
    ) -> Result<Self> {
        let file = |ending: &str| File::create(folder.join(format!("{name}.{ending}")));
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(file("out")?)
            .stderr(file("log")?)
            // Ctrl-C is for the bench, which then ends them in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let words = arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let command = format!("{shown} {words}");
        Ok(Self { child, name: name.to_owned(), folder: folder.to_path_buf(), command })
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of its output that begins with `prefix`; gives the rest of it.
    pub fn line(&mut self, prefix: &str, patience: Duration) -> Result<String> {
        let begun = Instant::now();
        loop {
            let output = self.output()?;
            // A line counts when its end is there.
            let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(rest) = whole.lines().find_map(|line| line.strip_prefix(prefix)) {
                return Ok(rest.to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it said {prefix:?}: {}", self.name, self.last_words());
            }
            ensure!(begun.elapsed() < patience, "{} did not say {prefix:?} within {patience:?}", self.name);
            pause(Duration::from_millis(1))?;
        }
    }

    /// What it printed so far.
    pub fn output(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.join(format!("{}.out", self.name)))?)
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join(format!("{}.log", self.name))).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// SIGTERM; waits for the end, which must be a good one.
    pub fn terminate(&mut self, patience: Duration) -> Result<()> {
        self.signal("TERM")?;
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "{} ended with {status}: {}", self.name, self.last_words());
                return Ok(());
            }
            ensure!(begun.elapsed() < patience, "{} did not end within {patience:?}", self.name);
            pause(Duration::from_millis(2))?;
        }
    }

    /// SIGKILL; it has ended when this returns.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, name: &str) -> Result<()> {
        let told = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status()?;
        ensure!(told.success(), "{} cannot be told {name}", self.name);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sleeps, unless the bench was interrupted.
pub fn pause(time: Duration) -> Result<()> {
    ensure!(!INTERRUPTED.load(Ordering::Relaxed), Interrupted);
    std::thread::sleep(time);
    Ok(())
}

/// Ctrl-C came.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

fn quoted(word: &str) -> String {
    if word.contains([' ', '#', '*', '$']) { format!("'{word}'") } else { word.to_owned() }
}
