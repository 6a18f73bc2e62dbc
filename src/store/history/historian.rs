//! The mover's side of the move: a thread with connections of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::mpsc::WeakSender;
use tracing::{error, info};

use super::{Moved, file_of, files};
use crate::message::MessageId;
use crate::store::command::Command;
use crate::store::{Settings, Shared, StoreError};

/// Copies to the files of the days, and drops files whose retention is over.
pub(super) struct Historian {
    hot: PathBuf,
    retention: u32,
    mailbox: WeakSender<Command>,
    shared: Arc<Shared>,
    dropped_on: i64,
}

impl Historian {
    pub(super) fn new(settings: &Settings, mailbox: WeakSender<Command>, shared: Arc<Shared>) -> Self {
        let (hot, retention) = (settings.path.clone(), settings.history.retention_days);
        Self { hot, retention, mailbox, shared, dropped_on: i64::MIN }
    }

    pub(super) fn run(mut self, inbox: &Receiver<Vec<MessageId>>) {
        let mut open: Option<(i64, Connection)> = None;
        while let Ok(mut ids) = inbox.recv() {
            ids.sort_unstable();
            match self.copy(&ids, &mut open) {
                Ok(with_more) => {
                    let Some(mailbox) = self.mailbox.upgrade() else { return };
                    if mailbox.blocking_send(Command::Forget(Moved { ids, with_more })).is_err() {
                        return;
                    }
                }
                // They stay in the hot file and move after the next start.
                Err(failure) => {
                    error!(%failure, rows = ids.len(), "ended messages could not move to the history");
                }
            }
            self.drop_old();
        }
    }

    fn copy(
        &self,
        ids: &[MessageId],
        open: &mut Option<(i64, Connection)>,
    ) -> Result<Vec<MessageId>, StoreError> {
        let mut with_more = Vec::new();
        for chunk in ids.chunk_by(|a, b| a.accepted_at().utc_day() == b.accepted_at().utc_day()) {
            let Some(first) = chunk.first() else { continue };
            let day = first.accepted_at().utc_day();
            if open.as_ref().is_none_or(|(known, _)| *known != day) {
                *open = Some((day, self.open(day)?));
            }
            if let Some((_, db)) = open {
                with_more.extend(copy_rows(db, chunk)?);
            }
        }
        Ok(with_more)
    }

    fn open(&self, day: i64) -> Result<Connection, StoreError> {
        let path = file_of(&self.hot, day);
        if !path.exists() {
            make(&path)?;
        }
        let opened = Connection::open(&path);
        let db = opened.map_err(|e| StoreError::Open { path, why: e.to_string() })?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.set_prepared_statement_cache_capacity(32);
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch(TABLES)?;
        db.execute("ATTACH DATABASE ?1 AS hot", [self.hot.to_string_lossy()])?;
        Ok(db)
    }

    /// Once a day: files whose retention is over go, whole.
    fn drop_old(&mut self) {
        let today = self.shared.clock.now().utc_day();
        if self.dropped_on == today {
            return;
        }
        self.dropped_on = today;
        let oldest = today - i64::from(self.retention);
        let files = match files(&self.hot) {
            Ok(files) => files,
            Err(failure) => return error!(%failure, "the history could not be looked through"),
        };
        for (_, path) in files.range(..oldest) {
            for ending in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(ending);
                match std::fs::remove_file(&name) {
                    Ok(()) if ending.is_empty() => {
                        info!(file = %path.display(), "retention is over, dropped");
                    }
                    Ok(()) => {}
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    Err(failure) => error!(%failure, file = %path.display(), "could not be dropped"),
                }
            }
        }
    }
}

/// Makes the file of a day beside its place and moves it there: nobody ever meets one without its tables.
fn make(path: &Path) -> Result<(), StoreError> {
    let failed =
        |e: &dyn std::fmt::Display| StoreError::Open { path: path.to_path_buf(), why: e.to_string() };
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(&e)),
        _ => {}
    }
    let db = Connection::open(&fresh).map_err(|e| failed(&e))?;
    db.pragma_update(None, "page_size", 8192)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.execute_batch(TABLES)?;
    // The last to close writes the log into the file, which is whole then.
    db.close().map_err(|(_, e)| failed(&e))?;
    std::fs::rename(&fresh, path).map_err(|e| failed(&e))
}

/// Copies rows; says which of them have rows in other tables too.
fn copy_rows(db: &mut Connection, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
    let copy = db.transaction()?;
    let mut with_more = Vec::new();
    {
        let mut message = copy
            .prepare_cached("INSERT OR REPLACE INTO main.message SELECT * FROM hot.message WHERE id = ?1")?;
        let mut part = copy
            .prepare_cached("INSERT OR REPLACE INTO main.part SELECT * FROM hot.part WHERE message = ?1")?;
        // The hot file uses the numbers of events that have moved again: here each gets one of its own.
        let mut forget = copy.prepare_cached("DELETE FROM main.event WHERE message = ?1")?;
        let mut event = copy.prepare_cached(
            "INSERT INTO main.event(message, at, kind, detail)
               SELECT message, at, kind, detail FROM hot.event WHERE message = ?1 ORDER BY id",
        )?;
        let mut alias = copy.prepare_cached("SELECT 1 FROM hot.alias WHERE message = ?1 LIMIT 1")?;
        for id in ids {
            message.execute([id.raw()])?;
            forget.execute([id.raw()])?;
            let rows = part.execute([id.raw()])? + event.execute([id.raw()])?;
            if rows > 0 || alias.exists([id.raw()])? {
                with_more.push(*id);
            }
        }
    }
    copy.commit()?;
    Ok(with_more)
}

/// The tables of a day's file: rows as they were in the hot file.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS message(
  id INTEGER PRIMARY KEY, shown INTEGER NOT NULL, account INTEGER NOT NULL, credential INTEGER NOT NULL,
  src TEXT NOT NULL, dst TEXT NOT NULL, pdu BLOB NOT NULL, wish INTEGER NOT NULL, parts INTEGER NOT NULL,
  price INTEGER NOT NULL, priority INTEGER NOT NULL, route INTEGER NOT NULL, lane INTEGER NOT NULL,
  state INTEGER NOT NULL, due INTEGER, expires INTEGER, attempts INTEGER NOT NULL, in_doubt INTEGER NOT NULL,
  upstream_id BLOB, sent_at INTEGER, done_at INTEGER, reason INTEGER, error INTEGER NOT NULL,
  posted INTEGER NOT NULL, owed INTEGER NOT NULL, owed_due INTEGER, owed_attempts INTEGER NOT NULL,
  answered_at INTEGER) STRICT;
CREATE INDEX IF NOT EXISTS message_of_account ON message(account, id);
CREATE INDEX IF NOT EXISTS message_to ON message(dst);
CREATE INDEX IF NOT EXISTS message_shown ON message(shown) WHERE shown <> id;
CREATE TABLE IF NOT EXISTS part(
  message INTEGER NOT NULL, part INTEGER NOT NULL, state INTEGER NOT NULL, upstream INTEGER NOT NULL,
  upstream_id BLOB NOT NULL, sent_at INTEGER, done_at INTEGER, reason INTEGER, error INTEGER NOT NULL,
  PRIMARY KEY(message, part)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(
  id INTEGER PRIMARY KEY, message INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
  detail TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS event_of_message ON event(message);
";
