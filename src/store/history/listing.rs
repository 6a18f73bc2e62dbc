//! How a day's file finds messages by number and account: each bulk lists its own, where they can be added cheaply.
//!
//! An index would touch a page at random for every message. Here the ids of a bulk are sorted by key (a hash of a
//! number or an account) and written as few blobs: what a key has few of goes into one of 64 buckets, each a range of
//! `few` that grows at its end; what it has many of becomes a row of `many`. Whoever searches reads one bucket and the
//! rows of one key, newest first, and looks at each message itself, since keys may collide and a bulk that was written
//! again lists its messages twice.

use std::collections::BinaryHeap;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::warn;

use crate::account::AccountId;
use crate::message::MessageId;
use crate::store::StoreError;

/// `bulk` numbers the bulks and says between which ids they lie; what is not `listed` (an older version wrote it) is
/// looked at row by row. The id of `few` is the bucket and the bulk, an entry four octets of the key and eight of an
/// id; `messages` are `count` ids of eight octets, and `last` is the greatest. All are little-endian and rise.
const TABLES: &str = "
CREATE TABLE bulk(
  id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, listed INTEGER NOT NULL) STRICT;
CREATE INDEX bulk_unlisted ON bulk(first, last) WHERE listed = 0;
CREATE TABLE few(id INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT;
CREATE TABLE many(
  id INTEGER PRIMARY KEY, key INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
  messages BLOB NOT NULL) STRICT;
CREATE INDEX many_of_key ON many(key, last, count);
INSERT INTO bulk(first, last, listed) SELECT first, last, 0
  FROM (SELECT (SELECT min(id) FROM message) AS first, (SELECT max(id) FROM message) AS last)
  WHERE first IS NOT NULL;
";

/// Messages of a key and a bulk that still count as few.
const FEW: usize = 32;
/// The topmost bits of a key are its bucket.
const BUCKET_BITS: u32 = 6;
/// Bits of a bulk's number in the ids of `few`.
const BULK_BITS: u32 = 40;
/// Octets of an entry of `few`: of its key, and with its id.
const TAG: usize = 4;
const ENTRY: usize = TAG + ID;
const ID: usize = 8;
/// Messages of an older version that are listed in one transaction.
const AT_ONCE: usize = 8_192;

/// Under what a message is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Key(u64);

impl Key {
    /// Of a source or destination address.
    pub(in crate::store) fn number(text: &str) -> Self {
        Self::of(b'n', text.as_bytes())
    }

    pub(in crate::store) fn account(account: AccountId) -> Self {
        Self::of(b'a', &account.0.to_le_bytes())
    }

    /// FNV-1a and the last step of MurmurHash3, which brings all octets to all bits. It stands in files: it stays.
    fn of(kind: u8, octets: &[u8]) -> Self {
        let step = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3);
        let hash = std::iter::once(&kind).chain(octets).fold(0xCBF2_9CE4_8422_2325, step);
        let hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        Self(hash ^ (hash >> 33))
    }

    const fn bucket(self) -> i64 {
        (self.0 >> (u64::BITS - BUCKET_BITS)).cast_signed()
    }

    /// What an entry says of it.
    const fn tag(self) -> [u8; TAG] {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        [a, b, c, d]
    }

    /// Its rows of `few`.
    const fn rows(self) -> Range<i64> {
        self.bucket() << BULK_BITS..(self.bucket() + 1) << BULK_BITS
    }
}

/// What a bulk lists.
pub(super) struct Listing {
    entries: Vec<(Key, i64)>,
}

impl Listing {
    pub(super) fn with_room(messages: usize) -> Self {
        Self { entries: Vec::with_capacity(3 * messages) }
    }

    pub(super) fn add(&mut self, id: MessageId, account: AccountId, source: &str, destination: &str) {
        for key in [Key::account(account), Key::number(source), Key::number(destination)] {
            self.entries.push((key, id.raw()));
        }
    }

    /// From `account, src, dst` at a place of a row.
    pub(super) fn add_row(&mut self, id: MessageId, row: &Row<'_>, at: usize) -> Result<(), StoreError> {
        let text = |place| row.get_ref(place)?.as_str().map_err(rusqlite::Error::from);
        self.add(id, AccountId(row.get(at)?), text(at + 1)?, text(at + 2)?);
        Ok(())
    }

    /// Writes a bulk of its own, in the transaction that writes the messages.
    pub(super) fn write(mut self, db: &Connection) -> Result<(), StoreError> {
        self.entries.sort_unstable();
        // A message to its own source is listed once.
        self.entries.dedup();
        let ids = || self.entries.iter().map(|(_, id)| *id);
        let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(()) };
        db.prepare_cached("INSERT INTO bulk(first, last, listed) VALUES(?1, ?2, 1)")?
            .execute([first, last])?;
        let bulk = db.last_insert_rowid();
        let mut few = db.prepare_cached("INSERT INTO few(id, entries) VALUES(?1, ?2)")?;
        let mut many =
            db.prepare_cached("INSERT INTO many(key, last, count, messages) VALUES(?1, ?2, ?3, ?4)")?;
        let mut octets = Vec::new();
        for bucket in self.entries.chunk_by(|(a, _), (b, _)| a.bucket() == b.bucket()) {
            let mut entries = Vec::with_capacity(bucket.len() * ENTRY);
            for run in bucket.chunk_by(|(a, _), (b, _)| a == b) {
                let Some((key, last)) = run.last() else { continue };
                if run.len() > FEW {
                    octets.clear();
                    octets.extend(run.iter().flat_map(|(_, id)| id.to_le_bytes()));
                    many.execute(params![key.0.cast_signed(), last, run.len() as i64, octets])?;
                } else {
                    for (_, id) in run {
                        entries.extend(key.tag());
                        entries.extend(id.to_le_bytes());
                    }
                }
            }
            if let Some((key, _)) = bucket.first().filter(|_| !entries.is_empty()) {
                few.execute(params![key.rows().start | bulk, entries])?;
            }
        }
        Ok(())
    }
}

/// Makes the tables, and lists what an older version wrote. What cannot be listed now is still found, row by row.
pub(super) fn begin(db: &mut Connection) -> Result<(), StoreError> {
    if !is_begun(db)? {
        db.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;"))?;
    }
    if let Err(failure) = list_rest(db) {
        warn!(%failure, "a day of the history cannot be listed, so searching in it is slow");
    }
    Ok(())
}

fn is_begun(db: &Connection) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM main.sqlite_master WHERE name = 'bulk'")?.exists([])?)
}

fn list_rest(db: &mut Connection) -> Result<(), StoreError> {
    loop {
        let rest = db.transaction()?;
        let mut find = rest.prepare_cached("SELECT id, first, last FROM bulk WHERE listed = 0 LIMIT 1")?;
        let found = find.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        drop(find);
        let Some((bulk, first, last)): Option<(i64, i64, i64)> = found else { return Ok(()) };
        let mut listing = Listing::with_room(AT_ONCE);
        let mut find = rest.prepare_cached(
            "SELECT id, account, src, dst FROM message WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = find.query(params![first, last, AT_ONCE as i64])?;
        let mut listed = None;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            listing.add_row(MessageId::from_raw(id), row, 1)?;
            listed = Some(id);
        }
        drop(rows);
        drop(find);
        match listed {
            Some(id) if id < last => {
                rest.execute("UPDATE bulk SET first = ?2 WHERE id = ?1", [bulk, id + 1])?;
            }
            _ => {
                rest.execute("DELETE FROM bulk WHERE id = ?1", [bulk])?;
            }
        }
        listing.write(&rest)?;
        rest.commit()?;
    }
}

/// What a day's file has not listed: ranges of ids, both ends in them; nothing when it lists nothing at all.
pub(in crate::store) fn unlisted(db: &Connection) -> Result<Option<Vec<(i64, i64)>>, StoreError> {
    if !is_begun(db)? {
        return Ok(None);
    }
    let mut find = db.prepare("SELECT first, last FROM bulk WHERE listed = 0")?;
    let ranges = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(ranges.collect::<Result<_, _>>()?))
}

/// Messages that a key may have, newest first.
pub(in crate::store) struct Candidates<'db> {
    db: &'db Connection,
    /// Ids that may be given.
    within: Range<i64>,
    ids: BinaryHeap<i64>,
    /// `last` and `id` of lists that were not read yet, the newest at the end.
    lists: Vec<(i64, i64)>,
    count: usize,
}

impl<'db> Candidates<'db> {
    pub(in crate::store) fn find(
        db: &'db Connection,
        key: Key,
        within: Range<i64>,
    ) -> Result<Self, StoreError> {
        let mut ids = BinaryHeap::new();
        let mut find = db.prepare_cached("SELECT entries FROM few WHERE id >= ?1 AND id < ?2")?;
        let mut rows = find.query([key.rows().start, key.rows().end])?;
        while let Some(row) = rows.next()? {
            let entries = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            let mine = entries.chunks_exact(ENTRY).filter(|entry| entry.starts_with(&key.tag()));
            ids.extend(
                mine.filter_map(|entry| entry.get(TAG..)).flat_map(ids_of).filter(|id| within.contains(id)),
            );
        }
        let mut lists = Vec::new();
        let mut count = ids.len();
        let mut find = db
            .prepare_cached("SELECT last, id, count FROM many WHERE key = ?1 AND last >= ?2 ORDER BY last")?;
        let mut rows = find.query([key.0.cast_signed(), within.start])?;
        while let Some(row) = rows.next()? {
            lists.push((row.get(0)?, row.get(1)?));
            count += usize::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        }
        Ok(Self { db, within, ids, lists, count })
    }

    /// How many were listed.
    pub(in crate::store) const fn count(&self) -> usize {
        self.count
    }

    /// Takes more.
    pub(in crate::store) fn add(&mut self, ids: impl IntoIterator<Item = MessageId>) {
        self.ids.extend(ids.into_iter().map(MessageId::raw));
    }

    /// The next; the same one may come several times, one after another.
    pub(in crate::store) fn next(&mut self) -> Result<Option<MessageId>, StoreError> {
        while let Some((_, list)) = self.lists.pop_if(|(last, _)| self.ids.peek().is_none_or(|id| id <= last))
        {
            let mut find = self.db.prepare_cached("SELECT messages FROM many WHERE id = ?1")?;
            let mut rows = find.query([list])?;
            while let Some(row) = rows.next()? {
                let messages = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                self.ids.extend(ids_of(messages).filter(|id| self.within.contains(id)));
            }
        }
        Ok(self.ids.pop().map(MessageId::from_raw))
    }
}

fn ids_of(octets: &[u8]) -> impl Iterator<Item = i64> {
    octets.chunks_exact(ID).filter_map(|id| id.try_into().ok()).map(i64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that were written hold these.
    #[test]
    fn keys_stay_what_they_are() {
        let (number, account) = (Key::number("34600000001"), Key::account(AccountId(1)));
        assert_eq!((number.0, account.0), (0xB55C_E3AF_05EE_8BA6, 0x12E6_85D8_1B59_D74A));
        assert_eq!((number.tag(), number.rows().start), ([0xA6, 0x8B, 0xEE, 0x05], 45 << 40));
    }
}
