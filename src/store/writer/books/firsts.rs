//! First sendings: which text went to which number within its window. In memory by print; on disk in the journal first,
//! then in blobs of those that end in the same minute, so that a restart knows them and those that end first are found
//! to be forgotten.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::journal::Log;

/// Prints with the second until which each is remembered. 13 to 26 octets each in memory, 12 on disk.
pub(in crate::store::writer) struct Firsts {
    until: HashMap<Print, u32, RandomState>,
    /// What this transaction adds.
    noted: Vec<(Print, u32)>,
    /// What this transaction forgets.
    forgotten: Vec<(Print, u32)>,
    /// What stands in the journal alone.
    pending: Blobs,
    /// Whether this transaction puts `pending` into the table.
    settles: bool,
    most: usize,
    /// Forgotten before their time, because there were too many.
    pub(super) dropped: u64,
}

/// A print as two halves, so that an entry takes 12 octets instead of 16.
type Print = [u32; 2];

/// Records by the minute in which they end: as many blobs as there are windows, and minutes since the last settling.
#[derive(Default)]
struct Blobs {
    blobs: BTreeMap<u32, Vec<u8>>,
    records: usize,
}

/// Seconds: what ends within them is forgotten together.
const MINUTE: u32 = 60;
/// Octets of a record: a print and a second.
const RECORD: usize = 12;
/// First sendings that stand in the journal alone, or a sixteenth of all that may be remembered; then they become blobs.
const PENDING: usize = 2_048;
/// Blobs that one look forgets.
const AT_ONCE: usize = 50;
/// First sendings for which room is made with the first: growing there step by step would move each of them twice.
const ROOM: usize = 900_000;

impl Firsts {
    pub(super) fn read(db: &Connection, most: usize, now: Timestamp) -> Result<Self, StoreError> {
        let mut firsts = Self::empty(most);
        let now = seconds(now);
        let mut find = db.prepare("SELECT prints FROM first_sending ORDER BY at")?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let prints = row.get_ref(0)?.as_blob().map_err(|e| StoreError::Failed(e.to_string()))?;
            for (print, until) in records(prints).filter(|(_, until)| *until > now) {
                firsts.until.insert(print, until);
            }
        }
        Ok(firsts)
    }

    /// None yet.
    pub(super) fn empty(most: usize) -> Self {
        Self {
            until: HashMap::default(),
            noted: Vec::new(),
            forgotten: Vec::new(),
            pending: Blobs::default(),
            settles: false,
            most,
            dropped: 0,
        }
    }

    /// How many are remembered.
    pub(in crate::store::writer) fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether it went out already, within its window.
    pub(super) fn has(&self, print: u64, now: Timestamp) -> bool {
        self.until.get(&halves(print)).is_some_and(|until| *until > seconds(now))
    }

    /// Remembers a first sending; one that is remembered keeps the window that began with it.
    pub(super) fn note(&mut self, print: u64, window: u32, now: Timestamp) {
        if self.until.capacity() == 0 {
            self.until.reserve(self.most.min(ROOM));
        }
        // Up to the next whole second: a window is never shorter than it is written.
        let until = seconds(now + std::time::Duration::from_millis(999)).saturating_add(window);
        let print = halves(print);
        match self.until.entry(print) {
            Entry::Occupied(known) if *known.get() > seconds(now) => return,
            Entry::Occupied(mut known) => {
                self.forgotten.push((print, known.insert(until)));
            }
            Entry::Vacant(free) => {
                free.insert(until);
            }
        }
        self.noted.push((print, until));
    }

    /// Whether so many came together that they should become blobs, or that some must be forgotten.
    pub(super) fn are_many(&self) -> bool {
        self.pending.records >= PENDING.min(self.most / 16) || self.until.len() > self.most
    }

    /// Puts into the table what former transactions noted in the journal, and forgets what is over or too much.
    pub(super) fn settle(&mut self, db: &Connection, now: Timestamp) -> Result<(), StoreError> {
        let written = self.pending.write(db)?;
        self.settles = true;
        while self.until.len() > self.most && self.forget_soonest(db, None)? {}
        // What is over leaves little by little, so that no transaction has to drop an hour at once; faster than it came.
        for _ in 0..=written {
            if !self.forget_soonest(db, Some(seconds(now)))? {
                break;
            }
        }
        Ok(())
    }

    /// Whether this transaction adds any.
    pub(super) const fn are_noted(&self) -> bool {
        !self.noted.is_empty()
    }

    /// Notes in the journal what this transaction adds.
    pub(super) fn write(&self, log: &mut Log) -> Result<(), StoreError> {
        self.noted.iter().try_for_each(|(print, until)| log.first(whole(*print), *until))
    }

    /// The transaction is committed.
    pub(super) fn keep(&mut self) {
        if std::mem::take(&mut self.settles) {
            self.pending = Blobs::default();
        }
        self.forgotten.clear();
        for (print, until) in self.noted.drain(..) {
            self.pending.add(print, until);
        }
    }

    /// The transaction was rolled back.
    pub(super) fn put_back(&mut self) {
        self.settles = false;
        for (print, _) in self.noted.drain(..) {
            self.until.remove(&print);
        }
        self.until.extend(self.forgotten.drain(..));
    }

    /// Forgets what is over, when nothing is sent any more; says whether there may be more.
    pub(in crate::store::writer) fn sweep(
        &mut self,
        db: &Connection,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for _ in 0..AT_ONCE {
            if !self.forget_soonest(db, Some(seconds(now)))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets the blob that ends first, if it is over by `now` (or in any case); `false` when there is none.
    fn forget_soonest(&mut self, db: &Connection, now: Option<u32>) -> Result<bool, StoreError> {
        let mut find = db.prepare_cached("SELECT at, until FROM first_sending ORDER BY until, at LIMIT 1")?;
        let soonest: Option<(i64, u32)> =
            find.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((at, until)) = soonest else { return Ok(false) };
        if now.is_some_and(|now| until > now) {
            return Ok(false);
        }
        let mut take = db.prepare_cached("DELETE FROM first_sending WHERE at = ?1 RETURNING prints")?;
        let prints: Vec<u8> = take.query_row([at], |row| row.get(0))?;
        for (print, until) in records(&prints) {
            // The same print may have begun a window of its own since.
            if self.until.get(&print) == Some(&until) {
                self.until.remove(&print);
                self.forgotten.push((print, until));
                self.dropped += u64::from(now.is_none());
            }
        }
        Ok(true)
    }
}

impl Blobs {
    fn add(&mut self, [low, high]: Print, until: u32) {
        let blob = self.blobs.entry(until / MINUTE).or_default();
        for word in [low, high, until] {
            blob.extend_from_slice(&word.to_le_bytes());
        }
        self.records += 1;
    }

    /// Gives how many there were.
    fn write(&self, db: &Connection) -> Result<usize, StoreError> {
        let mut put = db.prepare_cached("INSERT INTO first_sending(until, prints) VALUES(?1, ?2)")?;
        for prints in self.blobs.values() {
            let until = records(prints).map(|(_, until)| until).max().unwrap_or(0);
            put.execute(params![until, prints])?;
        }
        Ok(self.blobs.len())
    }
}

/// Puts into the table what the journal told.
pub(super) fn land(db: &Connection, firsts: &[(u64, u32)]) -> Result<(), StoreError> {
    let mut blobs = Blobs::default();
    firsts.iter().for_each(|(print, until)| blobs.add(halves(*print), *until));
    blobs.write(db).map(|_| ())
}

fn records(prints: &[u8]) -> impl Iterator<Item = (Print, u32)> + '_ {
    let (records, _) = prints.as_chunks::<RECORD>();
    records.iter().map(|record| {
        let word = |at: usize| {
            let octets = record.get(at..at + 4).and_then(|octets| octets.try_into().ok());
            u32::from_le_bytes(octets.unwrap_or_default())
        };
        ([word(0), word(4)], word(8))
    })
}

const fn halves(print: u64) -> Print {
    [print as u32, (print >> 32) as u32]
}

const fn whole([low, high]: Print) -> u64 {
    low as u64 | (high as u64) << 32
}

/// Seconds since 1970; the last one is in 2106.
fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.millis() / 1000).unwrap_or(if at.millis() < 0 { 0 } else { u32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn committed(firsts: &mut Firsts, db: &rusqlite::Connection, now: Timestamp) {
        if firsts.are_many() {
            firsts.settle(db, now).unwrap();
        }
        firsts.keep();
    }

    fn settled(firsts: &mut Firsts, db: &rusqlite::Connection, now: Timestamp) {
        firsts.keep();
        firsts.settle(db, now).unwrap();
        firsts.keep();
    }

    #[test]
    fn a_window_begins_with_the_first_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut firsts = Firsts::read(&db, 100, at(0)).unwrap();
        firsts.note(7, 3_600, at(1_000));
        firsts.note(7, 3_600, at(2_000));
        settled(&mut firsts, &db, at(2_000));
        let mut again = Firsts::read(&db, 100, at(4_599)).unwrap();
        assert!(again.has(7, at(4_599)) && !again.has(7, at(4_600)) && !again.has(8, at(2_000)));
        assert!(!again.sweep(&db, at(4_599)).unwrap());
        assert_eq!(again.len(), 1);
        again.sweep(&db, at(4_600)).unwrap();
        assert_eq!(again.len(), 0);
        assert_eq!(Firsts::read(&db, 100, at(0)).unwrap().len(), 0);
    }

    #[test]
    fn a_long_window_keeps_no_shorter_one_from_being_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut firsts = Firsts::read(&db, 3, at(0)).unwrap();
        firsts.note(1, 86_400, at(1_000));
        firsts.note(2, 600, at(1_000));
        settled(&mut firsts, &db, at(1_000));
        assert!(!firsts.sweep(&db, at(1_599)).unwrap());
        assert_eq!(firsts.len(), 2);
        firsts.sweep(&db, at(1_600)).unwrap();
        assert_eq!((firsts.len(), firsts.has(1, at(1_600)), firsts.dropped), (1, true, 0));
        assert_eq!(Firsts::read(&db, 3, at(0)).unwrap().len(), 1);
        // Too many: those go that would have gone first, also when they came last.
        for print in 3..6 {
            firsts.note(print, 600 + print as u32 * 60, at(2_000));
        }
        settled(&mut firsts, &db, at(2_000));
        assert_eq!((firsts.len(), firsts.dropped), (3, 1));
        assert!(firsts.has(1, at(2_000)) && !firsts.has(3, at(2_000)) && firsts.has(5, at(2_000)));
    }

    #[test]
    fn too_many_are_forgotten_from_the_oldest_on() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut firsts = Firsts::read(&db, 3, at(0)).unwrap();
        for print in 0..5 {
            firsts.note(print, 3_600, at(1_000));
            committed(&mut firsts, &db, at(1_000));
        }
        assert_eq!((firsts.len(), firsts.dropped), (3, 2));
        assert!(!firsts.has(1, at(1_000)) && firsts.has(2, at(1_000)) && firsts.has(4, at(1_000)));
    }

    #[test]
    fn a_transaction_that_fails_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut firsts = Firsts::read(&db, 100, at(0)).unwrap();
        for print in [1, 2] {
            firsts.note(print, 60, at(1_000));
        }
        settled(&mut firsts, &db, at(1_000));
        firsts.note(3, 60, at(1_050));
        firsts.keep();
        // The first two are over: one is sent anew, both are forgotten.
        db.execute_batch("BEGIN").unwrap();
        firsts.note(1, 3_600, at(1_060));
        firsts.note(4, 3_600, at(1_060));
        firsts.settle(&db, at(1_060)).unwrap();
        assert!(firsts.has(1, at(1_060)) && firsts.has(4, at(1_060)) && !firsts.has(2, at(1_059)));
        db.execute_batch("ROLLBACK").unwrap();
        firsts.put_back();
        let known = |firsts: &Firsts, now| [1, 2, 3, 4].map(|print| firsts.has(print, at(now)));
        assert_eq!(known(&firsts, 1_059), [true, true, true, false]);
        assert_eq!(known(&firsts, 1_060), [false, false, true, false]);
        // What had not become a blob still does.
        settled(&mut firsts, &db, at(1_060));
        assert_eq!(known(&Firsts::read(&db, 100, at(1_060)).unwrap(), 1_060), [false, false, true, false]);
    }
}
