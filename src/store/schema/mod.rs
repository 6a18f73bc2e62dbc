//! The hot file's tables and how older files become newer ones.

mod checkpoint;
pub(super) mod part;

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};

use super::{Standing, StoreError};
use crate::clock::Timestamp;
use crate::message::State;

/// Steps from each version to the next; `user_version` counts how many were taken.
pub(super) const STEPS: [&str; 8] =
    [FIRST, PARTS_OF_PHONES, SHORT_IDS, JOURNAL, POLICY_PARTS, LIMITS, ADDRESSES, LISTED];

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

/// Version 5.
///
/// `policy_part` holds what a policy is made of; see [`part`]. A message's `route` is the place of its route's name. What
/// an `inbound` row says may be for one `receiver` alone, a credential; 0 for any of the account. `tried` names the
/// operators that a message left for the next of its route, for good.
const POLICY_PARTS: &str = "
CREATE TABLE policy_part(
  kind TEXT NOT NULL, place INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, place)) STRICT, WITHOUT ROWID;
INSERT INTO policy_part(kind, place, body)
  SELECT 'price', row_number() OVER (ORDER BY prefix) - 1, json_object('prefix', prefix, 'credits',
    printf('%s%d.%06d', iif(credits < 0, '-', ''), abs(credits) / 1000000, abs(credits) % 1000000)) FROM price;
INSERT INTO policy_part(kind, place, body)
  SELECT 'route', row_number() OVER (ORDER BY place) - 1,
    json_object('name', name, 'prefixes', json(prefixes), 'upstreams', json(upstreams)) FROM route;
INSERT INTO policy_part(kind, place, body) SELECT 'route_name', place, json_quote(name) FROM route;
INSERT INTO policy_part(kind, place, body)
  SELECT 'mo_route', row_number() OVER (ORDER BY place) - 1,
    json_object('prefixes', json(prefixes), 'account', account.name)
    FROM mo_route JOIN account ON account.id = mo_route.account;
DROP TABLE price;
DROP TABLE route;
DROP TABLE mo_route;
ALTER TABLE inbound ADD COLUMN receiver INTEGER NOT NULL DEFAULT 0;
DROP INDEX inbound_owed;
CREATE INDEX inbound_owed ON inbound(account, receiver, id) WHERE owed = 1;
CREATE TABLE tried(
  message INTEGER NOT NULL, upstream INTEGER NOT NULL, PRIMARY KEY(message, upstream)) STRICT, WITHOUT ROWID;
";

/// Version 6: filters of accounts and credentials, and what they count.
///
/// `quota` has a row for each sum, that of its latest period; the journal has what changed since. `first_sending` holds
/// prints in the order of their coming, those of one blob forgotten together.
/// `listed_number` has an account's opt-outs, and the platform's blocklist under owner 0; a number is its digits behind
/// a 1. Senders were terms of an account and are a filter now. `waits_for_hours` names messages that nothing but closed
/// hours keeps back.
const LIMITS: &str = "
ALTER TABLE account ADD COLUMN filters TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credential ADD COLUMN filters TEXT NOT NULL DEFAULT '{}';
UPDATE account SET filters = json_object('senders', json_object('is', json_extract(terms, '$.senders')))
  WHERE json_type(terms, '$.senders') = 'array';
UPDATE account SET terms = json_remove(terms, '$.senders');
CREATE TABLE quota(key INTEGER PRIMARY KEY, period INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;
CREATE TABLE first_sending(at INTEGER PRIMARY KEY, until INTEGER NOT NULL, prints BLOB NOT NULL) STRICT;
CREATE INDEX first_sending_until ON first_sending(until);
CREATE TABLE listed_number(
  owner INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY(owner, number)) STRICT, WITHOUT ROWID;
CREATE INDEX credential_of_account ON credential(account);
CREATE TABLE waits_for_hours(message INTEGER PRIMARY KEY) STRICT;
";

/// Version 7: when an entry of an account's list of addresses last let somebody in.
const ADDRESSES: &str = "
CREATE TABLE address_seen(
  account INTEGER NOT NULL, surface TEXT NOT NULL, network TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(account, surface, network)) STRICT, WITHOUT ROWID;
";

/// Version 8: numbers on lists that were taken with the `00` before them, and so never met a destination.
const LISTED: &str = "
INSERT OR IGNORE INTO listed_number(owner, number, at, why)
  SELECT owner, CAST('1' || substr(number, 4) AS INTEGER), at, why FROM listed_number
    WHERE number LIKE '100%' AND length(number) >= 6;
DELETE FROM listed_number WHERE number LIKE '100%';
";

/// What happened to a message beside the usual.
pub(super) mod event {
    /// Not a thing that happened: the operator in whose lane the message was accepted, once it stands in another.
    pub(in crate::store) const FIRST_OPERATOR: &str = "first_operator";
    /// Writes one: message, time, kind, detail.
    pub(in crate::store) const NOTE: &str =
        "INSERT INTO event(message, at, kind, detail) VALUES(?1, ?2, ?3, ?4)";
}

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
mod tests;
