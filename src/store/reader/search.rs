//! Finding messages by number, account, state and time: in the hot file row by row, in a day's file by what it lists.

use std::cmp::Reverse;
use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{Reader, Trace};
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{MessageId, State};
use crate::store::StoreError;
use crate::store::history::{self, Candidates, Key};

/// What to look for; every field narrows.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The name of an account.
    pub account: Option<String>,
    /// A source or destination address.
    pub number: Option<String>,
    /// A state.
    pub state: Option<State>,
    /// Accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
    /// Messages at most; 1 to 10,000.
    pub most: usize,
}

impl Reader {
    /// Messages that fit, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn search(&self, search: &Search) -> Result<Vec<Trace>, StoreError> {
        let wanted = Wanted::of(self, search)?;
        let mut found = Vec::new();
        self.at_one_moment(|reader| {
            let ids = wanted.scan(&reader.db, None)?;
            reader.trace_more(&reader.db, ids, &mut found, wanted.most)
        })?;
        for (day, path) in history::files(&self.hot)?.into_iter().rev() {
            let outside = search.from.is_some_and(|from| day < from.utc_day())
                || search.until.is_some_and(|until| day > until.utc_day());
            let is_older = |(id, _): &(MessageId, Trace)| id.accepted_at().utc_day() > day;
            if outside || (found.len() == wanted.most && found.last().is_some_and(is_older)) {
                continue;
            }
            if let Some(db) = history::open_to_read(&path)? {
                self.trace_more(&db, wanted.look_up(&db)?, &mut found, wanted.most)?;
            }
        }
        Ok(found.into_iter().map(|(_, trace)| trace).collect())
    }

    /// Adds those that are not there yet, and keeps the newest. What has moved meanwhile is found where it is now.
    fn trace_more(
        &self,
        db: &Connection,
        ids: Vec<MessageId>,
        found: &mut Vec<(MessageId, Trace)>,
        most: usize,
    ) -> Result<(), StoreError> {
        let known = found.len();
        for id in ids {
            let is_known = found.get(..known).is_some_and(|known| {
                known.binary_search_by_key(&Reverse(id), |(known, _)| Reverse(*known)).is_ok()
            });
            if let Some(trace) = (!is_known).then(|| self.trace_in(db, id)).transpose()?.flatten() {
                found.push((id, trace));
            }
        }
        found.sort_unstable_by_key(|(id, _)| Reverse(*id));
        found.truncate(most);
        Ok(())
    }
}

/// A search as SQL has it, and as the history lists it.
struct Wanted {
    clauses: String,
    values: Vec<Value>,
    keys: Vec<Key>,
    /// Ids that may be found.
    within: Range<i64>,
    most: usize,
}

impl Wanted {
    fn of(reader: &Reader, search: &Search) -> Result<Self, StoreError> {
        let at = |time: Option<Timestamp>| time.map(|time| MessageId::first_at(time).raw());
        let within = at(search.from).unwrap_or(i64::MIN)..at(search.until).unwrap_or(i64::MAX);
        let mut clauses = vec!["id >= ?1 AND id < ?2".to_owned()];
        let mut values = vec![Value::from(within.start), Value::from(within.end)];
        let mut narrow = |clause: &str, value: Value| {
            values.push(value);
            clauses.push(clause.replace('?', &format!("?{}", values.len())));
        };
        let mut keys = Vec::new();
        if let Some(name) = &search.account {
            let account = reader.account(name)?.id;
            narrow("account = ?", Value::from(account));
            keys.push(Key::account(AccountId(account)));
        }
        if let Some(number) = &search.number {
            narrow("(dst = ? OR src = ?)", Value::from(number.clone()));
            keys.push(Key::number(number));
        }
        if let Some(state) = search.state {
            narrow("state = ?", Value::from(state.code()));
        }
        Ok(Self { clauses: clauses.join(" AND "), values, keys, within, most: search.most.clamp(1, 10_000) })
    }

    /// Looks at every row, or at those between two ids.
    fn scan(&self, db: &Connection, between: Option<(i64, i64)>) -> Result<Vec<MessageId>, StoreError> {
        let between = between.map(|(first, last)| format!(" AND id BETWEEN {first} AND {last}"));
        let mut find = db.prepare(&format!(
            "SELECT id FROM message WHERE {}{} ORDER BY id DESC LIMIT {}",
            self.clauses,
            between.unwrap_or_default(),
            self.most
        ))?;
        let ids =
            find.query_map(params_from_iter(&self.values), |row| row.get(0).map(MessageId::from_raw))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Looks at the rows that a day's file lists for the rarer of account and number, and at those not listed.
    fn look_up(&self, db: &Connection) -> Result<Vec<MessageId>, StoreError> {
        // One moment of the file: what was not listed may be meanwhile.
        let moment = db.unchecked_transaction()?;
        let Some(unlisted) = history::unlisted(&moment)?.filter(|_| !self.keys.is_empty()) else {
            return self.scan(&moment, None);
        };
        let find = |key: &Key| Candidates::find(&moment, *key, self.within.clone());
        let candidates = self.keys.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let Some(mut candidates) = candidates.into_iter().min_by_key(Candidates::count) else {
            return Ok(Vec::new());
        };
        for between in unlisted {
            candidates.add(self.scan(&moment, Some(between))?);
        }
        let sql = format!("SELECT 1 FROM message WHERE {} AND id = ?{}", self.clauses, self.values.len() + 1);
        let mut fits = moment.prepare(&sql)?;
        let mut found = Vec::new();
        while found.len() < self.most
            && let Some(id) = candidates.next()?
        {
            let values = self.values.iter().cloned().chain([Value::from(id.raw())]);
            if found.last() != Some(&id) && fits.exists(params_from_iter(values))? {
                found.push(id);
            }
        }
        Ok(found)
    }
}
