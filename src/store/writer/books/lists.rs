//! Numbers that want nothing: each account's opt-outs, and the platform's blocklist. In memory as a set of numbers.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::policy::Denied;
use crate::store::StoreError;

/// The lists; 0 is the platform's. 13 to 26 octets for each number.
#[derive(Default)]
pub(in crate::store::writer) struct Lists {
    /// Owner, and the number in two halves.
    listed: HashSet<[u32; 3], RandomState>,
    /// How long each list is: most accounts have none, and are not looked up.
    lengths: HashMap<u32, u64, RandomState>,
    /// Whether this transaction changed them: who reads millions of numbers again should have to.
    touched: bool,
}

impl Lists {
    pub(super) fn read(db: &Connection) -> Result<Self, StoreError> {
        let mut lists = Self::default();
        let count: i64 = db.query_row("SELECT count(*) FROM listed_number", [], |row| row.get(0))?;
        lists.listed.reserve(usize::try_from(count).unwrap_or(0));
        let mut find = db.prepare("SELECT owner, number FROM listed_number")?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let (owner, number): (u32, i64) = (row.get(0)?, row.get(1)?);
            lists.insert(owner, number.unsigned_abs());
        }
        Ok(lists)
    }

    pub(super) const fn is_touched(&self) -> bool {
        self.touched
    }

    pub(super) const fn touch(&mut self) {
        self.touched = true;
    }

    /// The transaction is committed.
    pub(super) const fn keep(&mut self) {
        self.touched = false;
    }

    /// Whether any of these lists has a number on it.
    pub(in crate::store::writer) fn binds(&self, owners: &[u32]) -> bool {
        !self.lengths.is_empty() && owners.iter().any(|owner| self.lengths.contains_key(owner))
    }

    /// Why a number gets nothing from whoever has these lists, and by which of them, if it does.
    pub(in crate::store::writer) fn refusal(&self, owners: &[u32], number: &[u8]) -> Option<Denied> {
        if self.lengths.is_empty() {
            return None;
        }
        let number = packed(number)?;
        for owner in owners.iter().filter(|owner| self.lengths.contains_key(*owner)) {
            if self.listed.contains(&entry(*owner, number)) {
                return Some(Denied::listed(*owner));
            }
        }
        None
    }

    /// Puts a number on a list; `false` when it was there, or is no number.
    pub(in crate::store::writer) fn add(
        &mut self,
        db: &Connection,
        owner: u32,
        number: &[u8],
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(number) = packed(number) else { return Ok(false) };
        if !self.insert(owner, number) {
            return Ok(false);
        }
        self.touch();
        db.prepare_cached(
            "INSERT OR REPLACE INTO listed_number(owner, number, at, why) VALUES(?1, ?2, ?3, ?4)",
        )?
        .execute(params![owner, number as i64, now.millis(), why])?;
        Ok(true)
    }

    /// Takes a number off a list; `false` when it was not there.
    pub(in crate::store::writer) fn remove(
        &mut self,
        db: &Connection,
        owner: u32,
        number: &[u8],
    ) -> Result<bool, StoreError> {
        let Some(number) = packed(number) else { return Ok(false) };
        if !self.listed.remove(&entry(owner, number)) {
            return Ok(false);
        }
        self.touch();
        if let Some(length) = self.lengths.get_mut(&owner) {
            *length -= 1;
            if *length == 0 {
                self.lengths.remove(&owner);
            }
        }
        db.prepare_cached("DELETE FROM listed_number WHERE owner = ?1 AND number = ?2")?
            .execute(params![owner, number as i64])?;
        Ok(true)
    }

    /// Puts a number on a list, in memory alone.
    pub(super) fn hold(&mut self, owner: u32, number: &[u8]) -> bool {
        packed(number).is_some_and(|number| self.insert(owner, number))
    }

    fn insert(&mut self, owner: u32, number: u64) -> bool {
        let is_new = self.listed.insert(entry(owner, number));
        if is_new {
            *self.lengths.entry(owner).or_default() += 1;
        }
        is_new
    }
}

const fn entry(owner: u32, number: u64) -> [u32; 3] {
    [owner, number as u32, (number >> 32) as u32]
}

/// Up to 15 digits behind a 1, so that leading zeros count: 63 bits hold it.
pub(in crate::store) fn packed(number: &[u8]) -> Option<u64> {
    let is_number = (1..=15).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    is_number.then(|| number.iter().fold(1, |packed, digit| packed * 10 + u64::from(digit - b'0')))
}

/// The digits again.
pub(in crate::store) fn unpacked(number: i64) -> String {
    number.to_string().split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn a_number_on_a_list_gets_nothing_from_those_below_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let db = schema::open(&folder.path().join("gate.db")).unwrap();
        let mut lists = Lists::read(&db).unwrap();
        let now = Timestamp::from_millis(1);
        assert!(lists.add(&db, 7, b"34600111222", "STOP", now).unwrap());
        assert!(!lists.add(&db, 7, b"34600111222", "STOP", now).unwrap());
        assert!(lists.add(&db, 0, b"1900", "fraud", now).unwrap());
        assert!(!lists.add(&db, 0, b"+34", "no number", now).unwrap());
        let lists = &mut Lists::read(&db).unwrap();
        assert_eq!(lists.refusal(&[7, 0], b"34600111222"), Some(Denied::listed(7)));
        assert_eq!(lists.refusal(&[9, 7, 0], b"34600111222"), Some(Denied::listed(7)));
        assert_eq!(lists.refusal(&[9, 0], b"34600111222"), None);
        assert_eq!(lists.refusal(&[9, 0], b"1900"), Some(Denied::listed(0)));
        assert!(lists.remove(&db, 7, b"34600111222").unwrap());
        assert_eq!(Lists::read(&db).unwrap().refusal(&[7, 0], b"34600111222"), None);
    }

    #[test]
    fn numbers_keep_their_leading_zeros() {
        assert_eq!(packed(b"0012").map(|n| unpacked(n as i64)).as_deref(), Some("0012"));
        assert_eq!(
            packed(b"999999999999999").map(|n| unpacked(n as i64)).as_deref(),
            Some("999999999999999")
        );
        assert_eq!((packed(b""), packed(b"1234567890123456"), packed(b"12a")), (None, None, None));
    }
}
