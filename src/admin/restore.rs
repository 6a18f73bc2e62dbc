//! Putting a backup in the place of the store while no daemon runs. What was there is kept aside.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::store::{self, Reader, StoreError};

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// The store.
    pub store: PathBuf,
    /// Where the files are that stood there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<PathBuf>,
    /// Days of history that came along.
    pub days: usize,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup is none.
    #[error("{path} is no backup of a store: {why}")]
    NotABackup {
        /// What was named.
        path: PathBuf,
        /// What was found.
        why: StoreError,
    },
    /// A daemon has the store.
    #[error(transparent)]
    Held(StoreError),
    /// There is a store already.
    #[error("there is a store at {} already; with --force it is kept aside and the backup takes its place", .0.display())]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
}

/// What belongs to a store beside its hot file.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".history"];

/// Restores. `force` puts the backup in the place of a store that is there.
///
/// # Errors
/// When a daemon runs, the backup cannot be read, or there is a store and no `force`. Before the last file is in its
/// place there is no store at all, rather than half of one.
pub fn restore(
    backup: &Path,
    settings: &store::Settings,
    force: bool,
    now: Timestamp,
) -> Result<Restored, RestoreError> {
    let not = |why| RestoreError::NotABackup { path: backup.to_path_buf(), why };
    Reader::open(backup, &settings.history).and_then(|reader| reader.accounts()).map_err(not)?;
    let hot = &settings.path;
    // Held until the end: neither a daemon nor another command opens the store meanwhile.
    let _lock = lock(hot)?;
    let there = hot.exists() || with(hot, ".history").exists();
    if there && !force {
        return Err(RestoreError::Exists(hot.clone()));
    }
    let kept = if there { Some(set_aside(hot, now)?) } else { None };
    let days = copy_history(&with(backup, ".history"), &with(hot, ".history"))?;
    copy(backup, hot)?;
    Ok(Restored { store: hot.clone(), kept, days })
}

/// The lock that an open store holds.
fn lock(hot: &Path) -> Result<File, RestoreError> {
    let path = with(hot, ".lock");
    let failed = |why| RestoreError::File { path: path.clone(), why };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(RestoreError::Held(StoreError::Held(hot.to_path_buf()))),
        Err(fs::TryLockError::Error(why)) => Err(failed(why)),
    }
}

/// Moves what stands there to names of its own.
fn set_aside(hot: &Path, now: Timestamp) -> Result<PathBuf, RestoreError> {
    let kept = with(hot, &format!(".before-{}", now.millis()));
    // The hot file first: without it there is no store for anybody who looks.
    for (from, to) in std::iter::once((hot.to_path_buf(), kept.clone()))
        .chain(BESIDE.map(|s| (with(hot, s), with(&kept, s))))
    {
        if from.exists() {
            fs::rename(&from, &to).map_err(|why| RestoreError::File { path: from, why })?;
        }
    }
    Ok(kept)
}

fn copy_history(from: &Path, to: &Path) -> Result<usize, RestoreError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |why| RestoreError::File { path, why }
    };
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(why) => return Err(RestoreError::File { path: from.to_path_buf(), why }),
    };
    fs::create_dir_all(to).map_err(failed(to))?;
    let mut days = 0;
    for entry in entries {
        let path = entry.map_err(failed(from))?.path();
        if let (Some("db"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_name()) {
            copy(&path, &to.join(name))?;
            days += 1;
        }
    }
    Ok(days)
}

/// Copies under another name, makes it durable, and gives it its name.
fn copy(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let fresh = with(to, ".new");
    let done = || {
        fs::copy(from, &fresh)?;
        File::open(&fresh)?.sync_all()?;
        fs::rename(&fresh, to)?;
        match to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    };
    done().map_err(|why| RestoreError::File { path: to.to_path_buf(), why })
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
