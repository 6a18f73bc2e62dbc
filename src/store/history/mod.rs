//! What has ended: one file a day, filled in the background in bulk, dropped whole when its retention is over.
//!
//! A row is written to its day's file, that is committed, and only then is the original removed: a crash between the
//! two leaves both, and the next move writes over it. It does not know what a message's states mean.

mod day;
mod historian;
mod listing;
mod mover;

pub(super) use listing::{Candidates, Key, unlisted};
pub(super) use mover::Mover;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use crate::message::MessageId;

/// What happens to what has ended.
#[derive(Clone, Debug)]
pub struct HistorySettings {
    /// Days that are kept; 1 to 36,500; 365 by default.
    pub retention_days: u32,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self { retention_days: 365 }
    }
}

/// The folder of the day files.
pub(super) fn folder(hot: &Path) -> PathBuf {
    let mut name = hot.as_os_str().to_owned();
    name.push(".history");
    name.into()
}

/// Day files that are there, oldest first.
pub(super) fn files(hot: &Path) -> Result<BTreeMap<i64, PathBuf>, StoreError> {
    let folder = folder(hot);
    let failed = |e: std::io::Error| StoreError::Open { path: folder.clone(), why: e.to_string() };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if let Some(day) = day_of(&path) {
            files.insert(day, path);
        }
    }
    Ok(files)
}

/// The file of a day, which may not be there.
pub(super) fn file_of(hot: &Path, day: i64) -> PathBuf {
    let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(day.clamp(0, 1_000_000)));
    folder(hot).join(format!("{date}.db"))
}

/// Opens a day's file for reading; nothing when it is not there, or was only just begun.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    // WAL needs its shared memory file, which a read-only connection cannot make.
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(Duration::from_secs(5))?;
    let is_made = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'event_of_message'")?.exists([])?;
    Ok(is_made.then_some(db))
}

fn day_of(path: &Path) -> Option<i64> {
    let date: jiff::civil::Date = path.file_name()?.to_str()?.strip_suffix(".db")?.parse().ok()?;
    date.since(jiff::civil::date(1970, 1, 1)).ok().map(|span| i64::from(span.get_days()))
}

/// The greatest id in the newest day file.
pub(super) fn newest_id(hot: &Path) -> Result<Option<MessageId>, StoreError> {
    for path in files(hot)?.into_values().rev() {
        let Some(db) = open_to_read(&path)? else { continue };
        let id: Option<i64> = db.query_row("SELECT max(id) FROM message", [], |row| row.get(0))?;
        if id.is_some() {
            return Ok(id.map(MessageId::from_raw));
        }
    }
    Ok(None)
}

/// What stands in the history and may go from the hot file.
pub(super) struct Moved {
    /// Messages that were copied from the hot file.
    pub(super) ids: Vec<MessageId>,
    /// Those that have rows in other tables too.
    pub(super) with_more: Vec<MessageId>,
    /// Messages that were written from memory.
    pub(super) rows: Vec<MessageId>,
}

impl Moved {
    /// How many messages.
    pub(super) const fn len(&self) -> usize {
        self.ids.len() + self.rows.len()
    }
}

/// Removes from the hot file what stands in the history.
pub(super) fn forget(db: &Connection, moved: &Moved) -> Result<(), StoreError> {
    let mut message = db.prepare_cached("DELETE FROM message WHERE id = ?1 AND state >= 10")?;
    for id in &moved.ids {
        message.execute([id.raw()])?;
    }
    for table in ["part", "alias", "event", "tried", "waits_for_hours"] {
        let mut rows = db.prepare_cached(&format!("DELETE FROM {table} WHERE message = ?1"))?;
        for id in &moved.with_more {
            rows.execute([id.raw()])?;
        }
    }
    Ok(())
}
