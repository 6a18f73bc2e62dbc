//! First sendings: which text went to which number within its window. In memory by print, and on disk in blobs of those
//! that end in the same minute, so that a restart knows them and those that end first are found to be forgotten.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Timestamp;
use crate::store::StoreError;

/// Prints with the second until which each is remembered. 13 to 26 octets each in memory, 12 on disk.
pub(in crate::store::writer) struct Firsts {
    until: HashMap<Print, u32, RandomState>,
    /// What this transaction adds: prints and seconds by the minute in which they end, as many as there are windows.
    fresh: BTreeMap<u32, Vec<u8>>,
    most: usize,
    /// Forgotten before their time, because there were too many.
    pub(super) dropped: u64,
}

/// A print as two halves, so that an entry takes 12 octets instead of 16.
type Print = [u32; 2];

/// Seconds: what ends within them is forgotten together.
const MINUTE: u32 = 60;
/// Octets of a record: a print and a second.
const RECORD: usize = 12;
/// Blobs that one look forgets.
const AT_ONCE: usize = 2_000;

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
        Self { until: HashMap::default(), fresh: BTreeMap::new(), most, dropped: 0 }
    }

    pub(super) const fn most(&self) -> usize {
        self.most
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
        if self.has(print, now) {
            return;
        }
        // Up to the next whole second: a window is never shorter than it is written.
        let until = seconds(now + std::time::Duration::from_millis(999)).saturating_add(window);
        let print = halves(print);
        self.until.insert(print, until);
        let fresh = self.fresh.entry(until / MINUTE).or_default();
        for word in [print[0], print[1], until] {
            fresh.extend_from_slice(&word.to_le_bytes());
        }
    }

    pub(super) fn write(&mut self, db: &Connection, now: Timestamp) -> Result<(), StoreError> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let mut put = db.prepare_cached("INSERT INTO first_sending(until, prints) VALUES(?1, ?2)")?;
        let written = self.fresh.len();
        for prints in self.fresh.values() {
            let until = records(prints).map(|(_, until)| until).max().unwrap_or(0);
            put.execute(params![until, prints])?;
        }
        self.fresh.clear();
        while self.until.len() > self.most && self.forget_soonest(db, None)? {}
        // What is over leaves little by little, so that no transaction has to drop an hour at once; faster than it came.
        for _ in 0..=written {
            if !self.forget_soonest(db, Some(seconds(now)))? {
                break;
            }
        }
        Ok(())
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
        let mut find =
            db.prepare_cached("SELECT at, until, prints FROM first_sending ORDER BY until, at LIMIT 1")?;
        let soonest: Option<(i64, u32, Vec<u8>)> =
            find.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((at, until, prints)) = soonest else { return Ok(false) };
        if now.is_some_and(|now| until > now) {
            return Ok(false);
        }
        for (print, until) in records(&prints) {
            // The same print may have begun a window of its own since.
            if self.until.get(&print) == Some(&until) {
                self.until.remove(&print);
                self.dropped += u64::from(now.is_none());
            }
        }
        db.prepare_cached("DELETE FROM first_sending WHERE at = ?1")?.execute([at])?;
        Ok(true)
    }
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

    #[test]
    fn a_window_begins_with_the_first_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut firsts = Firsts::read(&db, 100, at(0)).unwrap();
        firsts.note(7, 3_600, at(1_000));
        firsts.note(7, 3_600, at(2_000));
        firsts.write(&db, at(2_000)).unwrap();
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
        firsts.write(&db, at(1_000)).unwrap();
        assert!(!firsts.sweep(&db, at(1_599)).unwrap());
        assert_eq!(firsts.len(), 2);
        firsts.sweep(&db, at(1_600)).unwrap();
        assert_eq!((firsts.len(), firsts.has(1, at(1_600)), firsts.dropped), (1, true, 0));
        assert_eq!(Firsts::read(&db, 3, at(0)).unwrap().len(), 1);
        // Too many: those go that would have gone first, also when they came last.
        for print in 3..6 {
            firsts.note(print, 600 + print as u32 * 60, at(2_000));
        }
        firsts.write(&db, at(2_000)).unwrap();
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
            firsts.write(&db, at(1_000)).unwrap();
        }
        assert_eq!((firsts.len(), firsts.dropped), (3, 2));
        assert!(!firsts.has(1, at(1_000)) && firsts.has(2, at(1_000)) && firsts.has(4, at(1_000)));
    }
}
