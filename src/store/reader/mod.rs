//! Reading without getting in the writer's way: accounts, messages, the books. Blocking.

mod audit;
mod flying;
mod listed;
mod policy;
mod search;
mod sightings;
mod stored;
mod trace;

pub use audit::AuditLine;
pub use listed::ListedNumber;
pub(super) use policy::policy_parts;
pub use search::Search;
pub use stored::StoredPolicy;
pub use trace::{TimelineEntry, Trace};

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::history::{self, HistorySettings};
use super::{Balance, StoreError};
use crate::account::{AccountId, Credits, Terms};
use crate::policy::filter::Filters;

/// A view of the store at one moment for each question.
pub struct Reader {
    db: Connection,
    hot: PathBuf,
}

/// An account with its money, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AccountView {
    /// The store's number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `file` or `store`.
    pub origin: String,
    /// Whether it is stopped.
    pub suspended: bool,
    /// Its money.
    #[serde(flatten)]
    pub balance: Balance,
    /// How it differs from the defaults.
    pub terms: Terms,
    /// What it may send.
    pub filters: Filters,
    /// Names it may bind with.
    pub system_ids: Vec<String>,
}

impl Reader {
    /// Opens the hot file for reading, beside a running daemon or without one.
    ///
    /// # Errors
    /// When there is no store at `hot` or it cannot be read.
    pub fn open(hot: &Path, _history: &HistorySettings) -> Result<Self, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::Open { path: hot.to_path_buf(), why: e.to_string() };
        // WAL needs its shared memory file, which a read-only connection cannot make: read-write, without CREATE.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(hot, flags).map_err(failed)?;
        db.pragma_update(None, "query_only", "ON")?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Self { db, hot: hot.to_path_buf() })
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountView>, StoreError> {
        let mut find = self.db.prepare(&format!("{ACCOUNT} ORDER BY a.name"))?;
        let rows = find.query_map([], |row| self.account_view(row))?;
        rows.map(|view| {
            view?.ok_or_else(|| StoreError::Failed("an account's terms cannot be read".to_owned()))
        })
        .collect()
    }

    /// The account with this name.
    ///
    /// # Errors
    /// When there is none, or the store cannot be read.
    pub fn account(&self, name: &str) -> Result<AccountView, StoreError> {
        let mut find = self.db.prepare(&format!("{ACCOUNT} WHERE a.name = ?1"))?;
        let found = find.query_row([name], |row| self.account_view(row)).optional()?;
        found.flatten().ok_or_else(|| StoreError::Unknown { what: "account", name: name.to_owned() })
    }

    /// How many messages have not ended, and how many deliveries to clients have not been taken.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn under_way(&self) -> Result<(u64, u64), StoreError> {
        self.at_one_moment(|reader| {
            let count = |sql| reader.db.query_row(sql, [], |row| row.get::<_, u32>(0)).map(u64::from);
            let owed = count("SELECT count(*) FROM message WHERE owed IN (1, 2, 3)")?;
            let others = count("SELECT count(*) FROM inbound WHERE owed IN (1, 2, 3)")?;
            Ok((count("SELECT count(*) FROM message WHERE state < 10")?, owed + others))
        })
    }

    /// What each account sent and spent since a day, in days since 1970 (UTC); those that did nothing are missing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn totals_since(&self, day: i64) -> Result<HashMap<AccountId, DayTotals>, StoreError> {
        let mut find = self.db.prepare(
            "SELECT account, sum(messages), sum(posted), sum(voided) FROM day_total WHERE day >= ?1 GROUP BY account",
        )?;
        let rows = find.query_map([day], |row| {
            let totals = DayTotals {
                messages: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                posted: Credits::from_micro(row.get(2)?),
                voided: Credits::from_micro(row.get(3)?),
            };
            Ok((AccountId(row.get(0)?), totals))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn account_view(&self, row: &Row<'_>) -> rusqlite::Result<Option<AccountView>> {
        let id: u32 = row.get(0)?;
        let terms: String = row.get(5)?;
        let filters: String = row.get(8)?;
        let (Ok(terms), Ok(filters)) = (serde_json::from_str(&terms), serde_json::from_str(&filters)) else {
            return Ok(None);
        };
        let mut find = self.db.prepare(
            "SELECT system_id FROM credential WHERE account = ?1 AND active = 1 ORDER BY system_id",
        )?;
        let system_ids = find.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Some(AccountView {
            id,
            name: row.get(1)?,
            parent: row.get(2)?,
            origin: row.get(3)?,
            suspended: row.get(4)?,
            terms,
            filters,
            balance: Balance {
                available: Credits::from_micro(row.get(6)?),
                held: Credits::from_micro(row.get(7)?),
            },
            system_ids,
        }))
    }

    /// An account's entries, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn entries(&self, account: AccountId, most: u32) -> Result<Vec<EntryView>, StoreError> {
        let mut find = self.db.prepare(
            "SELECT at, kind, amount, note FROM entry WHERE account = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = find.query_map(params![account.0, most], |row| {
            Ok(EntryView {
                at: crate::clock::Timestamp::from_millis(row.get(0)?).to_string(),
                kind: row.get(1)?,
                amount: Credits::from_micro(row.get(2)?),
                note: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What an account sent and spent on some days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayTotals {
    /// Messages that were accepted.
    pub messages: u64,
    /// What was spent.
    pub posted: Credits,
    /// What was given back.
    pub voided: Credits,
}

/// One entry of an account's books, for people.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EntryView {
    /// RFC 3339.
    pub at: String,
    /// `opening`, `grant`, `withdrawal`, `transfer_in`, `transfer_out`, `floor_raised`.
    pub kind: String,
    /// Positive came in, negative went out.
    pub amount: Credits,
    /// What somebody wrote beside it.
    pub note: String,
}

const ACCOUNT: &str =
    "SELECT a.id, a.name, p.name, a.origin, a.suspended, a.terms, a.available, a.held, a.filters
  FROM account a LEFT JOIN account p ON p.id = a.parent";

/// Copies hot file and history to `to` and `to.history/` as they stand at one moment each, the hot file first: what
/// moves meanwhile is in both, never in none.
pub(super) fn backup(hot: &Path, history: &HistorySettings, to: &Path) -> Result<(), StoreError> {
    let cannot = |path: &Path, e: &dyn std::fmt::Display| StoreError::Open {
        path: path.to_path_buf(),
        why: e.to_string(),
    };
    if to.exists() {
        return Err(cannot(to, &"there is a file already; a backup never writes over one"));
    }
    let reader = Reader::open(hot, history)?;
    reader.db.pragma_update(None, "query_only", "OFF")?;
    copy(&reader.db, to)?;
    let folder = history::folder(to);
    std::fs::create_dir_all(&folder).map_err(|e| cannot(&folder, &e))?;
    for (day, path) in history::files(hot)? {
        if let Some(db) = history::open_to_read(&path)? {
            copy(&db, &history::file_of(to, day))?;
        }
    }
    Ok(())
}

fn copy(db: &Connection, to: &Path) -> Result<(), StoreError> {
    // A reading transaction for the whole copy: the writer goes on beside it.
    db.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}
