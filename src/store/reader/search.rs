//! Finding messages by number, account, state and time.

use rusqlite::{Connection, params_from_iter};

use super::{Reader, Trace};
use crate::clock::Timestamp;
use crate::message::{MessageId, State};
use crate::store::{StoreError, history};

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
        let most = search.most.clamp(1, 10_000);
        let mut found = self.search_in(&self.db, search, most)?;
        for (day, path) in history::files(&self.hot)?.into_iter().rev() {
            let outside = search.from.is_some_and(|from| day < from.utc_day())
                || search.until.is_some_and(|until| day > until.utc_day());
            if found.len() >= most || outside {
                continue;
            }
            let Some(db) = history::open_to_read(&path)? else { continue };
            for trace in self.search_in(&db, search, most - found.len())? {
                if !found.iter().any(|known| known.message_id == trace.message_id) {
                    found.push(trace);
                }
            }
        }
        Ok(found)
    }

    fn search_in(&self, db: &Connection, search: &Search, most: usize) -> Result<Vec<Trace>, StoreError> {
        use rusqlite::types::Value;
        let mut clauses = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut narrow = |clause: &str, value: Value| {
            values.push(value);
            clauses.push(clause.replace('?', &format!("?{}", values.len())));
        };
        if let Some(name) = &search.account {
            narrow("account = ?", Value::from(self.account(name)?.id));
        }
        if let Some(number) = &search.number {
            narrow("(dst = ? OR src = ?)", Value::from(number.clone()));
        }
        if let Some(state) = search.state {
            narrow("state = ?", Value::from(state.code()));
        }
        if let Some(from) = search.from {
            narrow("id >= ?", Value::from(MessageId::first_at(from).raw()));
        }
        if let Some(until) = search.until {
            narrow("id < ?", Value::from(MessageId::first_at(until).raw()));
        }
        let sql =
            format!("SELECT id FROM message WHERE {} ORDER BY id DESC LIMIT {most}", clauses.join(" AND "));
        let mut find = db.prepare(&sql)?;
        let ids = find.query_map(params_from_iter(values), |row| row.get(0).map(MessageId::from_raw))?;
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        ids.into_iter().filter_map(|id| self.trace_in(db, id).transpose()).collect()
    }
}
