//! What has ended: one file a day, filled in the background in bulk, dropped whole when its retention is over.
//!
//! A row is copied to its day's file, the copy is committed, and only then is the original removed: a crash between
//! the two leaves both, and the next move copies again over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc::WeakSender;
use tracing::{error, info};

use super::command::Command;
use super::journal::Row;
use super::{Settings, Shared, StoreError};
use crate::clock::Timestamp;
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

/// The writer's side: collects what may move and hands it over in bulk.
pub(super) struct Mover {
    waiting: Vec<MessageId>,
    rows: Vec<Row>,
    since: Timestamp,
    orders: Option<SyncSender<Order>>,
}

/// Rows that are moved at once.
const BULK: usize = 2_000;
/// Orders that may wait for the mover; above it ids wait in the writer's memory, eight octets each.
const ORDERS: usize = 8;
/// Fewer rows move after this long.
const SOON: Duration = Duration::from_millis(500);

impl Mover {
    pub(super) fn start(
        settings: &Settings,
        mailbox: WeakSender<Command>,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let path = folder(&settings.path);
        std::fs::create_dir_all(&path)
            .map_err(|e| StoreError::Open { path: path.clone(), why: e.to_string() })?;
        let (orders, inbox) = sync_channel(ORDERS);
        let hot = settings.path.clone();
        let retention = settings.history.retention_days;
        let historian = Historian { hot, retention, mailbox, shared, dropped_on: i64::MIN };
        std::thread::Builder::new()
            .name("store-history".to_owned())
            .spawn(move || historian.run(&inbox))
            .map_err(|e| StoreError::Open { path, why: e.to_string() })?;
        Ok(Self { waiting: Vec::new(), rows: Vec::new(), since: Timestamp::default(), orders: Some(orders) })
    }

    pub(super) fn note(&mut self, ids: &[MessageId]) {
        self.waiting.extend_from_slice(ids);
    }

    pub(super) fn note_rows(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    pub(super) fn send_when_worth_it(&mut self, now: Timestamp) {
        if self.waiting.len() + self.rows.len() < BULK && now.since(self.since) < SOON {
            return;
        }
        self.since = now;
        let Some(orders) = &self.orders else { return };
        if !self.rows.is_empty() {
            let order = Order { ids: Vec::new(), rows: std::mem::take(&mut self.rows) };
            if let Err(TrySendError::Full(order) | TrySendError::Disconnected(order)) = orders.try_send(order)
            {
                self.rows = order.rows;
            }
        }
        while !self.waiting.is_empty() {
            let rest = self.waiting.split_off(self.waiting.len().min(BULK));
            let bulk = std::mem::replace(&mut self.waiting, rest);
            let order = Order { ids: bulk, rows: Vec::new() };
            if let Err(TrySendError::Full(order) | TrySendError::Disconnected(order)) = orders.try_send(order)
            {
                self.waiting.extend(order.ids);
                return;
            }
        }
    }

    pub(super) fn stop(&mut self) {
        self.orders = None;
    }
}

/// The mover's side: a thread with connections of its own.
struct Historian {
    hot: PathBuf,
    retention: u32,
    mailbox: WeakSender<Command>,
    shared: Arc<Shared>,
    dropped_on: i64,
}

impl Historian {
    fn run(mut self, inbox: &Receiver<Order>) {
        let mut open: Option<(i64, Connection)> = None;
        while let Ok(order) = inbox.recv() {
            let Order { mut ids, rows } = order;
            if let Some(first) = rows.first() {
                let day = first.id.accepted_at().utc_day();
                if open.as_ref().is_none_or(|(known, _)| *known != day) {
                    open = self.open(day).ok().map(|db| (day, db));
                }
                if let Some((_, db)) = &mut open {
                    let tx = db.transaction().unwrap();
                    for row in &rows {
                        row.write(&tx).unwrap();
                    }
                    tx.commit().unwrap();
                }
                let Some(mailbox) = self.mailbox.upgrade() else { return };
                let rows = rows.iter().map(|r| r.id).collect();
                if mailbox
                    .blocking_send(Command::Forget(Moved { ids: Vec::new(), with_more: Vec::new(), rows }))
                    .is_err()
                {
                    return;
                }
            }
            ids.sort_unstable();
            match self.copy(&ids, &mut open) {
                Ok(with_more) => {
                    let Some(mailbox) = self.mailbox.upgrade() else { return };
                    if mailbox
                        .blocking_send(Command::Forget(Moved { ids, with_more, rows: Vec::new() }))
                        .is_err()
                    {
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

/// What stands in the history and may go from the hot file.
pub(super) struct Moved {
    /// Ended messages.
    pub(super) ids: Vec<MessageId>,
    /// Those that have rows in other tables too.
    pub(super) with_more: Vec<MessageId>,
    pub(super) rows: Vec<MessageId>,
}

impl Moved {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.ids.len() + self.rows.len()
    }
}

struct Order {
    ids: Vec<MessageId>,
    rows: Vec<Row>,
}

/// Removes from the hot file what stands in the history.
pub(super) fn forget(db: &Connection, moved: &Moved) -> Result<(), StoreError> {
    let mut message = db.prepare_cached("DELETE FROM message WHERE id = ?1 AND state >= 10")?;
    for id in &moved.ids {
        message.execute([id.raw()])?;
    }
    for table in ["part", "alias", "event"] {
        let mut rows = db.prepare_cached(&format!("DELETE FROM {table} WHERE message = ?1"))?;
        for id in &moved.with_more {
            rows.execute([id.raw()])?;
        }
    }
    Ok(())
}
