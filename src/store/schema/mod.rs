//! The hot file's tables and how older files become newer ones.

mod checkpoint;

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};

use super::{Standing, StoreError};
use crate::clock::Timestamp;
use crate::message::State;

/// Steps from each version to the next; `user_version` counts how many were taken.
const STEPS: [&str; 5] = [FIRST, PARTS_OF_PHONES, SHORT_IDS, JOURNAL, ADDRESSES];

/// Version 1.
///
/// `message` holds what is in flight; its `lane` is the operator in whose lane it stands or who took it. `owed` says
/// how its receipt stands. Amounts are micro-credits, times milliseconds since 1970. Addresses are Latin-1 read as
/// text, so that every octet survives and a person can read them.
const FIRST: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE upstream(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, traits TEXT NOT NULL) STRICT;
CREATE TABLE account(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, parent INTEGER REFERENCES account(id),
  origin TEXT NOT NULL, suspended INTEGER NOT NULL, terms TEXT NOT NULL,
  available INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0 CHECK(held >= 0)) STRICT;
CREATE TABLE credential(
  id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL REFERENCES account(id),
  system_id TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, bounds TEXT NOT NULL,
  active INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE price(prefix TEXT PRIMARY KEY, credits INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE route(
  place INTEGER PRIMARY KEY, name TEXT NOT NULL, prefixes TEXT NOT NULL, upstreams TEXT NOT NULL) STRICT;
CREATE TABLE mo_route(place INTEGER PRIMARY KEY, prefixes TEXT NOT NULL, account INTEGER NOT NULL) STRICT;

CREATE TABLE entry(
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id), at INTEGER NOT NULL,
  kind TEXT NOT NULL, amount INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE INDEX entry_of_account ON entry(account, id);
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entry_is_never_removed BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TABLE day_total(
  account INTEGER NOT NULL, day INTEGER NOT NULL, messages INTEGER NOT NULL, held INTEGER NOT NULL,
  posted INTEGER NOT NULL, voided INTEGER NOT NULL, PRIMARY KEY(account, day)) STRICT, WITHOUT ROWID;

CREATE TABLE message(
  id INTEGER PRIMARY KEY, shown INTEGER NOT NULL, account INTEGER NOT NULL, credential INTEGER NOT NULL,
  src TEXT NOT NULL, dst TEXT NOT NULL, pdu BLOB NOT NULL, wish INTEGER NOT NULL, parts INTEGER NOT NULL,
  price INTEGER NOT NULL, priority INTEGER NOT NULL, route INTEGER NOT NULL, lane INTEGER NOT NULL,
  state INTEGER NOT NULL, due INTEGER, expires INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
  in_doubt INTEGER NOT NULL DEFAULT 0, upstream_id BLOB, sent_at INTEGER, done_at INTEGER, reason INTEGER,
  error INTEGER NOT NULL DEFAULT 0, posted INTEGER NOT NULL DEFAULT 0, owed INTEGER NOT NULL DEFAULT 0,
  owed_due INTEGER, owed_attempts INTEGER NOT NULL DEFAULT 0, answered_at INTEGER) STRICT;
CREATE INDEX message_waiting ON message(lane, account, priority DESC, id) WHERE state = 0;
CREATE INDEX message_due ON message(due) WHERE state IN (3, 4);
CREATE INDEX message_expiring ON message(expires) WHERE expires IS NOT NULL AND state < 10;
CREATE INDEX message_at_operator ON message(upstream_id, lane) WHERE upstream_id IS NOT NULL;
CREATE INDEX message_shown ON message(shown) WHERE shown <> id;
CREATE INDEX message_owed ON message(account, id) WHERE owed = 1;
CREATE INDEX message_owed_due ON message(owed_due) WHERE owed = 3;

CREATE TABLE part(
  message INTEGER NOT NULL, part INTEGER NOT NULL, state INTEGER NOT NULL, upstream INTEGER NOT NULL,
  upstream_id BLOB NOT NULL, sent_at INTEGER, done_at INTEGER, reason INTEGER, error INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(message, part)) STRICT, WITHOUT ROWID;
CREATE TABLE alias(
  upstream INTEGER NOT NULL, name BLOB NOT NULL, message INTEGER NOT NULL, part INTEGER NOT NULL,
  PRIMARY KEY(upstream, name)) STRICT, WITHOUT ROWID;
CREATE INDEX alias_of_message ON alias(message);
CREATE TABLE event(
  id INTEGER PRIMARY KEY, message INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
  detail TEXT NOT NULL) STRICT;
CREATE INDEX event_of_message ON event(message);
CREATE TABLE parked(
  id INTEGER PRIMARY KEY, upstream INTEGER NOT NULL, name BLOB NOT NULL, about BLOB NOT NULL,
  until INTEGER NOT NULL, ends INTEGER, error INTEGER NOT NULL, done_at INTEGER NOT NULL) STRICT;
CREATE INDEX parked_by_name ON parked(upstream, name);
CREATE INDEX parked_until ON parked(until);
CREATE TABLE inbound(
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL, kind INTEGER NOT NULL, about INTEGER, credential INTEGER,
  pdu BLOB NOT NULL, state INTEGER, error INTEGER NOT NULL DEFAULT 0, done_at INTEGER, owed INTEGER NOT NULL,
  owed_due INTEGER, owed_attempts INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX inbound_owed ON inbound(account, id) WHERE owed = 1;
CREATE INDEX inbound_owed_due ON inbound(owed_due) WHERE owed = 3;
";

/// Version 2: parts of messages from phones wait for the others, each `until` its own time; the first to expire releases
/// all. Part 0 stands for a message that was joined: its `pdu` holds marks by which its parts are known again.
const PARTS_OF_PHONES: &str = "
CREATE TABLE mo_part(
  upstream INTEGER NOT NULL, account INTEGER NOT NULL, src BLOB NOT NULL, dst BLOB NOT NULL, width INTEGER NOT NULL,
  reference INTEGER NOT NULL, total INTEGER NOT NULL, part INTEGER NOT NULL, until INTEGER NOT NULL,
  pdu BLOB NOT NULL, PRIMARY KEY(upstream, account, src, dst, width, reference, total, part)) STRICT, WITHOUT ROWID;
CREATE INDEX mo_part_until ON mo_part(until);
";

/// Version 3.
///
/// `short_id` leads from the ids that clients of SMPP 3.3 know to their messages, hot or in the history; a message's
/// `shown` is such an id then. An `inbound` receipt is about one message and shows an id that may be another's.
const SHORT_IDS: &str = "
CREATE TABLE short_id(message INTEGER PRIMARY KEY, short INTEGER NOT NULL UNIQUE) STRICT;
ALTER TABLE inbound ADD COLUMN shown INTEGER;
";

/// Version 4: plain messages are told of in the journal and have no row while they fly; see [`super::journal`].
const JOURNAL: &str = "CREATE TABLE journal(at INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT;";

/// Version 5: when an entry of an account's list of addresses last let somebody in.
const ADDRESSES: &str = "
CREATE TABLE address_seen(
  account INTEGER NOT NULL, surface TEXT NOT NULL, network TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(account, surface, network)) STRICT, WITHOUT ROWID;
";

/// How a delivery stands; the `owed` columns.
pub(super) mod owed {
    /// Nothing is owed.
    pub(in crate::store) const NOTHING: i64 = 0;
    /// Waits in the store only.
    pub(in crate::store) const SPILLED: i64 = 1;
    /// Stands in its lane's memory or is with a receiver.
    pub(in crate::store) const READY: i64 = 2;
    /// Waits for its next attempt.
    pub(in crate::store) const LATER: i64 = 3;
    /// The client has it.
    pub(in crate::store) const ANSWERED: i64 = 4;
    /// Given up.
    pub(in crate::store) const DROPPED: i64 = 5;
}

/// What an `inbound` row is.
pub(super) mod inbound {
    /// A message from a phone, as deliver_sm.
    pub(in crate::store) const MO: i64 = 0;
    /// The receipt of one part.
    pub(in crate::store) const RECEIPT: i64 = 1;
    /// An intermediate notification.
    pub(in crate::store) const INTERMEDIATE: i64 = 2;
    /// A message from a phone, as data_sm.
    pub(in crate::store) const MO_DATA: i64 = 3;
}

/// Opens the hot file for writing: WAL, every commit on disk before it returns.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    // One thread uses it: SQLite's own mutex would only cost.
    let opened = Connection::open_with_flags(path, OpenFlags::default() | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let mut db = opened.map_err(|e| StoreError::Open { path: path.to_path_buf(), why: e.to_string() })?;
    db.set_prepared_statement_cache_capacity(128);
    // Nobody else writes; a tool that does anyway must not hold every session up for long.
    db.busy_timeout(Duration::from_millis(500))?;
    // Without this guarantee a statement is planned anew whenever a bound value could change its plan: each time.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "page_size", 8192)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    migrate(&db, path)?;
    checkpoint::beside(&mut db, path)?;
    Ok(db)
}

fn migrate(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreError::TooNew { path: path.to_path_buf(), found, known });
    }
    for (step, version) in STEPS.iter().zip(1_i64..).skip(usize::try_from(found).unwrap_or(0)) {
        db.execute_batch(&format!("BEGIN IMMEDIATE; {step} PRAGMA user_version = {version}; COMMIT;"))?;
    }
    Ok(())
}

/// A message of an account, for [`standing_of`]. One that was never tried and waits, waits for its client's time.
pub(super) const STANDING: &str =
    "SELECT state, done_at, error, attempts = 0 FROM message WHERE id = ?1 AND account = ?2 AND src = ?3";

pub(super) fn standing_of(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let state = State::from_code(row.get(0)?).unwrap_or(State::Unknown);
    let done_at: Option<i64> = row.get(1)?;
    Ok(Standing {
        state,
        scheduled: state == State::Deferred && row.get(3)?,
        done_at: done_at.map(Timestamp::from_millis),
        error: row.get(2)?,
    })
}

/// An address as the tables hold it: each octet is the character with its number.
pub(super) fn text_of(octets: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => octets.iter().map(|b| char::from(*b)).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_from_a_newer_tollgate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        drop(open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open(&path), Err(StoreError::TooNew { found: 99, .. })));
    }

    /// A file as version 1 made it, with something in it, becomes one of today: nothing in it changes.
    #[test]
    fn a_file_of_version_1_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("../../../fixtures/store/version_1.sql")).unwrap();
        drop(old);
        let db = open(&path).unwrap();
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), STEPS.len() as i64);
        assert_eq!(
            (number("SELECT count(*) FROM message"), number("SELECT sum(available) FROM account")),
            (1, 98)
        );
        assert_eq!((number("SELECT count(*) FROM inbound"), number("SELECT count(*) FROM mo_part")), (1, 0));
    }

    #[test]
    fn a_file_of_version_2_becomes_one_of_today() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(include_str!("../../../fixtures/store/version_2.sql"))
            .unwrap();
        for _ in 0..2 {
            let db = open(&path).unwrap();
            let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(version, STEPS.len() as i64);
            let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(count("SELECT shown FROM message WHERE state = 11"), 911_947_214_123_696_128);
            assert_eq!(count("SELECT available + held FROM account"), 999_000_000);
            assert_eq!(count("SELECT count(*) FROM short_id"), 0);
            assert_eq!(count("SELECT count(shown) FROM inbound"), 0);
        }
    }

    #[test]
    fn a_file_of_version_3_becomes_one_of_today() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("../../../fixtures/store/version_3.sql")).unwrap();
        drop(old);
        let db = open(&path).unwrap();
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), STEPS.len() as i64);
        assert_eq!(number("SELECT count(*) FROM message WHERE state = 11 AND owed = 4"), 3);
        assert_eq!(number("SELECT available FROM account WHERE name = 'bench'"), 999_955_415_000_000);
        assert_eq!(number("SELECT count(*) FROM journal"), 0);
    }

    #[test]
    fn entries_cannot_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("gate.db")).unwrap();
        db.execute_batch(
            "INSERT INTO account(name, origin, suspended, terms) VALUES('a', 'file', 0, '{}');
             INSERT INTO entry(account, at, kind, amount, note) VALUES(1, 0, 'grant', 5, '');",
        )
        .unwrap();
        assert!(db.execute("UPDATE entry SET amount = 6", []).is_err());
        assert!(db.execute("DELETE FROM entry", []).is_err());
    }

    #[test]
    fn addresses_keep_every_octet() {
        assert_eq!(text_of(b"34600"), "34600");
        let text = text_of(&[0x43, 0xE9, 0x00]);
        assert_eq!(text.chars().map(|c| c as u32).collect::<Vec<_>>(), [0x43, 0xE9, 0x00]);
    }
}
