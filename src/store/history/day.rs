//! The file of one day, as the Historian writes it.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection};
use tracing::warn;

use super::file_of;
use super::historian::Piece;
use super::listing::{self, Listing};
use crate::message::MessageId;
use crate::store::StoreError;
use crate::store::journal::Row;
use crate::store::schema::text_of;

/// The file of a day, open for writing, with the hot file beside it.
pub(super) struct Day {
    /// Days since 1970-01-01.
    pub(super) number: i64,
    path: PathBuf,
    db: Connection,
}

/// Rows as they were in the hot file. What finds messages by number and account is the listing.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS message(
  id INTEGER PRIMARY KEY, shown INTEGER NOT NULL, account INTEGER NOT NULL, credential INTEGER NOT NULL,
  src TEXT NOT NULL, dst TEXT NOT NULL, pdu BLOB NOT NULL, wish INTEGER NOT NULL, parts INTEGER NOT NULL,
  price INTEGER NOT NULL, priority INTEGER NOT NULL, route INTEGER NOT NULL, lane INTEGER NOT NULL,
  state INTEGER NOT NULL, due INTEGER, expires INTEGER, attempts INTEGER NOT NULL, in_doubt INTEGER NOT NULL,
  upstream_id BLOB, sent_at INTEGER, done_at INTEGER, reason INTEGER, error INTEGER NOT NULL,
  posted INTEGER NOT NULL, owed INTEGER NOT NULL, owed_due INTEGER, owed_attempts INTEGER NOT NULL,
  answered_at INTEGER) STRICT;
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

/// Page caches, in KiB: of the day's file, and of the hot one, whose pages each commit of the writer makes stale.
const CACHE: i64 = 8_192;
const HOT_CACHE: i64 = 2_048;
/// The log of a day's file is cut to this many octets once it is in the file.
const LOG: i64 = 32 << 20;

impl Day {
    /// Opens the file of a day of the hot file; makes it when it is not there.
    pub(super) fn open(hot: &Path, number: i64) -> Result<Self, StoreError> {
        let path = file_of(hot, number);
        if !path.exists() {
            make(&path)?;
        }
        let opened = Connection::open(&path);
        let mut db = opened.map_err(|e| StoreError::Open { path: path.clone(), why: e.to_string() })?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.set_prepared_statement_cache_capacity(32);
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "journal_size_limit", LOG)?;
        db.pragma_update(None, "cache_size", -CACHE)?;
        db.execute_batch(TABLES)?;
        listing::begin(&mut db)?;
        db.execute("ATTACH DATABASE ?1 AS hot", [hot.to_string_lossy()])?;
        db.execute_batch(&format!("PRAGMA hot.cache_size = -{HOT_CACHE}"))?;
        Ok(Self { number, path, db })
    }

    /// Writes messages, which come in the order of their ids, and lists them; says which have rows in other tables
    /// too. All of it or nothing.
    pub(super) fn write(&mut self, pieces: &[Piece<'_>]) -> Result<Vec<MessageId>, StoreError> {
        let bulk = self.db.transaction()?;
        let mut with_more = Vec::new();
        let mut listing = Listing::with_room(pieces.len());
        {
            let mut write = Row::writer(&bulk)?;
            let mut copy = Copy::new(&bulk)?;
            for piece in pieces {
                match piece {
                    Piece::Write(row) => {
                        row.write_with(&mut write)?;
                        let (source, destination) = (row.source.as_bytes(), row.destination.as_bytes());
                        listing.add(row.id, row.account, &text_of(source), &text_of(destination));
                    }
                    Piece::Copy(id) => {
                        if copy.one(*id, &mut listing)? {
                            with_more.push(*id);
                        }
                    }
                }
            }
        }
        listing.write(&bulk)?;
        bulk.commit()?;
        self.bound_log();
        Ok(with_more)
    }

    /// SQLite brings the log into the file by itself, but not past somebody who reads: the next order waits for them
    /// then, as long as the connection is patient, so that the log does not outgrow the traffic.
    fn bound_log(&self) {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-wal");
        if std::fs::metadata(&name).is_ok_and(|log| log.len() > LOG.cast_unsigned()) {
            let cut =
                self.db.query_row("PRAGMA main.wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
            if !matches!(cut, Ok(false)) {
                warn!(file = %self.path.display(), "somebody reads a day of the history for long; its log grows");
            }
        }
    }
}

/// Copies from the hot file.
struct Copy<'db> {
    message: CachedStatement<'db>,
    has_more: CachedStatement<'db>,
    more: [CachedStatement<'db>; 3],
}

impl<'db> Copy<'db> {
    fn new(db: &'db Connection) -> Result<Self, StoreError> {
        Ok(Self {
            message: db.prepare_cached(
                "INSERT OR REPLACE INTO main.message SELECT * FROM hot.message WHERE id = ?1
                   RETURNING account, src, dst",
            )?,
            has_more: db.prepare_cached(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM hot.part WHERE message = ?1)
                   OR EXISTS (SELECT 1 FROM hot.event WHERE message = ?1)
                   OR EXISTS (SELECT 1 FROM hot.alias WHERE message = ?1)",
            )?,
            more: [
                db.prepare_cached(
                    "INSERT OR REPLACE INTO main.part SELECT * FROM hot.part WHERE message = ?1",
                )?,
                db.prepare_cached("DELETE FROM main.event WHERE message = ?1")?,
                // The hot file uses the numbers of events that have moved again: here each gets one of its own.
                db.prepare_cached(
                    "INSERT INTO main.event(message, at, kind, detail)
                       SELECT message, at, kind, detail FROM hot.event WHERE message = ?1 ORDER BY id",
                )?,
            ],
        })
    }

    /// Says whether it has rows in other tables too.
    fn one(&mut self, id: MessageId, listing: &mut Listing) -> Result<bool, StoreError> {
        let mut copied = self.message.query([id.raw()])?;
        while let Some(row) = copied.next()? {
            listing.add_row(id, row, 0)?;
        }
        drop(copied);
        let has_more = self.has_more.exists([id.raw()])?;
        if has_more {
            for rows in &mut self.more {
                rows.execute([id.raw()])?;
            }
        }
        Ok(has_more)
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
    let mut db = Connection::open(&fresh).map_err(|e| failed(&e))?;
    db.pragma_update(None, "page_size", 8192)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.execute_batch(TABLES)?;
    listing::begin(&mut db)?;
    // The last to close writes the log into the file, which is whole then.
    db.close().map_err(|(_, e)| failed(&e))?;
    std::fs::rename(&fresh, path).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history::HistorySettings;
    use crate::store::schema;
    use crate::store::{Reader, Search};

    const FIRST: i64 = 779_133_911_040_000_000;

    fn rows(first: i64, count: i64) -> Vec<Row> {
        // As many as 16,000 a second.
        (first..)
            .map(|n| Row::sample(MessageId::from_raw(FIRST + n * 262_147)))
            .take(count as usize)
            .collect()
    }

    fn pieces(rows: &[Row]) -> Vec<Piece<'_>> {
        rows.iter().map(Piece::Write).collect()
    }

    #[test]
    fn rows_from_memory_are_found_once_also_when_they_are_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let hot = folder.path().join("gate.db");
        drop(schema::open(&hot).unwrap());
        std::fs::create_dir(crate::store::history::folder(&hot)).unwrap();
        let rows = rows(0, 100);
        let number = MessageId::from_raw(FIRST).accepted_at().utc_day();
        for _ in 0..2 {
            let mut day = Day::open(&hot, number).unwrap();
            assert_eq!(day.write(&pieces(&rows)).unwrap(), []);
            assert_eq!(day.write(&pieces(&rows[..10])).unwrap(), []);
        }
        let reader = Reader::open(&hot, &HistorySettings::default()).unwrap();
        let find = |number: &str| {
            let number = Some(number.to_owned());
            reader.search(&Search { number, most: 1_000, ..Search::default() }).unwrap()
        };
        assert_eq!(find("ACME").len(), 100);
        for row in &rows {
            let found = find(std::str::from_utf8(row.destination.as_bytes()).unwrap());
            assert_eq!(found.len(), 1);
            assert_eq!((&found[0].message_id, found[0].state), (&row.id.to_string(), "delivered"));
        }
    }
}
