//! Numbers that want nothing, as the lists have them: for people and scripts.

use rusqlite::params;

use super::Reader;
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::writer::unpacked;

/// A number on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNumber {
    /// Its digits.
    pub number: String,
    /// Since when.
    pub at: Timestamp,
    /// Why it is there.
    pub why: String,
}

impl Reader {
    /// The numbers of a list in their order, at most so many, and how many there are in all. Without an account it is the
    /// platform's blocklist.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn listed(
        &self,
        owner: Option<AccountId>,
        most: u32,
    ) -> Result<(Vec<ListedNumber>, u64), StoreError> {
        let owner = owner.map_or(0, |account| account.0);
        let count: u32 =
            self.db.query_row("SELECT count(*) FROM listed_number WHERE owner = ?1", [owner], |row| {
                row.get(0)
            })?;
        let mut find = self
            .db
            .prepare("SELECT number, at, why FROM listed_number WHERE owner = ?1 ORDER BY number LIMIT ?2")?;
        let rows = find.query_map(params![owner, most], |row| {
            Ok(ListedNumber {
                number: unpacked(row.get(0)?),
                at: Timestamp::from_millis(row.get(1)?),
                why: row.get(2)?,
            })
        })?;
        Ok((rows.collect::<Result<_, _>>()?, u64::from(count)))
    }
}
