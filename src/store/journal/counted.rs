//! What was counted and stands in the journal alone: a restart puts it into the tables.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::log::each;
use super::record::Record;
use crate::store::StoreError;

/// First sendings and sums that the tables do not know.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Counted {
    /// Prints, and the second until which each is remembered.
    pub(in crate::store) firsts: Vec<(u64, u32)>,
    /// Periods and what was used in them, by key.
    pub(in crate::store) sums: BTreeMap<i64, (i32, u64)>,
}

impl Counted {
    /// What the journal tells.
    pub(in crate::store) fn read(db: &Connection) -> Result<Self, StoreError> {
        let mut counted = Self::default();
        each(db, |_, record| match *record {
            Record::First { print, until } => counted.firsts.push((print, until)),
            Record::Sum { key, period, used } => {
                counted.sums.insert(key, (period, used));
            }
            Record::Settled => counted = Self::default(),
            _ => {}
        })?;
        Ok(counted)
    }
}
