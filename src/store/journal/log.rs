//! Where the journal is written: what a transaction adds at its end, and what is removed at its beginning.

use rusqlite::{Connection, params};

use super::record::Record;
use crate::store::StoreError;

/// Octets that are removed at once.
pub(super) const TRIM: i64 = 1024 * 1024;

/// The two ends of the journal.
#[derive(Default)]
pub(in crate::store) struct Log {
    /// What this transaction adds.
    fresh: Vec<u8>,
    /// Octets written so far.
    written: i64,
    /// Octets removed so far.
    trimmed: i64,
}

impl Log {
    /// One that goes on behind what was read.
    pub(super) fn behind(written: i64) -> Self {
        Self { written, ..Self::default() }
    }

    /// Octets written so far: where this transaction's records will stand.
    pub(in crate::store) const fn written(&self) -> i64 {
        self.written
    }

    /// A first sending was counted.
    pub(in crate::store) fn first(&mut self, print: u64, until: u32) -> Result<(), StoreError> {
        self.note(&Record::First { print, until })
    }

    /// A sum is now so.
    pub(in crate::store) fn sum(&mut self, key: i64, period: i32, used: u64) -> Result<(), StoreError> {
        self.note(&Record::Sum { key, period, used })
    }

    /// What was counted before stands in the tables.
    pub(in crate::store) fn settled(&mut self) -> Result<(), StoreError> {
        self.note(&Record::Settled)
    }

    pub(super) fn note(&mut self, record: &Record<'_>) -> Result<(), StoreError> {
        self.fresh = postcard::to_extend(record, std::mem::take(&mut self.fresh))
            .map_err(|e| StoreError::Failed(format!("the journal cannot be written: {e}")))?;
        Ok(())
    }

    /// Writes what this transaction added.
    pub(super) fn write(&mut self, db: &Connection) -> Result<(), StoreError> {
        if !self.fresh.is_empty() {
            db.prepare_cached("INSERT INTO journal(at, records) VALUES(?1, ?2)")?
                .execute(params![self.written, &self.fresh[..]])?;
            self.written += i64::try_from(self.fresh.len()).unwrap_or(0);
            self.fresh.clear();
        }
        Ok(())
    }

    /// Removes what stands before `needed`, when that is worth it.
    pub(super) fn trim(&mut self, db: &Connection, needed: i64) -> Result<(), StoreError> {
        if needed - self.trimmed >= TRIM {
            db.prepare_cached("DELETE FROM journal WHERE at < ?1")?.execute([needed])?;
            self.trimmed = needed;
        }
        Ok(())
    }
}

/// Hears every record of the journal, the oldest first; gives the number of octets before its end.
pub(super) fn each(db: &Connection, mut hear: impl FnMut(i64, &Record<'_>)) -> Result<i64, StoreError> {
    let mut find = db.prepare("SELECT at, records FROM journal ORDER BY at")?;
    let mut rows = find.query([])?;
    let mut end = 0;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        let records = row.get_ref(1)?.as_blob().map_err(|e| StoreError::Failed(e.to_string()))?;
        let mut rest = records;
        while !rest.is_empty() {
            let (record, after) = postcard::take_from_bytes(rest)
                .map_err(|e| StoreError::Failed(format!("the journal cannot be read at {at}: {e}")))?;
            hear(at, &record);
            rest = after;
        }
        end = at.saturating_add(i64::try_from(records.len()).unwrap_or(i64::MAX));
    }
    Ok(end)
}
