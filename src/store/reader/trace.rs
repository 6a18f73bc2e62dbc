//! The timeline of one message.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Reader;
use crate::account::Credits;
use crate::clock::Timestamp;
use crate::message::{MessageId, Reason, State};
use crate::store::schema::{STANDING, event, owed, standing_of};
use crate::store::writer::unshortened;
use crate::store::{Standing, StoreError, history};

/// A message with everything that happened to it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Trace {
    /// Our number, as the client knows it.
    pub message_id: String,
    /// What a client of SMPP 3.3 knows instead: 8 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_id: Option<String>,
    /// Who pays.
    pub account: String,
    /// Who sent.
    pub system_id: String,
    /// Source address.
    pub source: String,
    /// Destination address.
    pub destination: String,
    /// The word of its state.
    pub state: &'static str,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The operator's error code; 0 when none.
    pub error: u32,
    /// Segments.
    pub parts: u8,
    /// What a segment costs.
    pub price: Credits,
    /// What was spent on it.
    pub posted: Credits,
    /// Whether it may have reached an operator twice.
    pub in_doubt: bool,
    /// The name of the operator that it is with or waits for.
    pub upstream: String,
    /// The operator's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<String>,
    /// What happened, in the order of time.
    pub timeline: Vec<TimelineEntry>,
    /// The body of its submit_sm.
    #[serde(skip)]
    pub pdu: Bytes,
}

/// One thing that happened.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TimelineEntry {
    /// When, RFC 3339.
    pub at: String,
    /// One word.
    pub what: String,
    /// The rest.
    pub detail: String,
    #[serde(skip)]
    millis: i64,
}

impl Reader {
    /// The timeline of a message, hot or in the history; `named` may be a short id.
    ///
    /// # Errors
    /// When there is no such message or the store cannot be read.
    pub fn trace(&self, named: MessageId) -> Result<Trace, StoreError> {
        let id = unshortened(&self.db, named)?.unwrap_or(named);
        if let Some(trace) = self.at_one_moment(|reader| reader.trace_in(&reader.db, id))? {
            return Ok(trace);
        }
        let found = self.day_of(id)?.map(|db| self.trace_in(&db, id)).transpose()?.flatten();
        found.ok_or_else(|| StoreError::Unknown { what: "message", name: named.to_string() })
    }

    /// How a message of an account stands, hot or in the history.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn standing(
        &self,
        account: u32,
        id: MessageId,
        source: &[u8],
    ) -> Result<Option<Standing>, StoreError> {
        let id = unshortened(&self.db, id)?.unwrap_or(id);
        let source = crate::store::schema::text_of(source);
        let key = params![id.raw(), account, source];
        let look = |db: &Connection| db.query_row(STANDING, key, standing_of).optional();
        if let Some(found) = look(&self.db)? {
            return Ok(Some(found));
        }
        Ok(self.day_of(id)?.map(|db| look(&db)).transpose()?.flatten())
    }

    fn day_of(&self, id: MessageId) -> Result<Option<Connection>, StoreError> {
        let path = history::file_of(&self.hot, id.accepted_at().utc_day());
        history::open_to_read(&path)
    }

    pub(super) fn trace_in(&self, db: &Connection, id: MessageId) -> Result<Option<Trace>, StoreError> {
        let mut found = None;
        let mut find = db.prepare_cached(TRACE)?;
        let mut rows = find.query([id.raw()])?;
        if let Some(row) = rows.next()? {
            found = Some(self.trace_of(db, row, id)?);
        }
        Ok(found)
    }

    fn trace_of(&self, db: &Connection, row: &Row<'_>, id: MessageId) -> Result<Trace, StoreError> {
        let state = State::from_code(row.get(6)?).unwrap_or(State::Unknown);
        let upstream = self.name("SELECT name FROM upstream WHERE id = ?1", row.get(10)?)?;
        let upstream_id: Option<Vec<u8>> = row.get(11)?;
        let shown = MessageId::from_raw(row.get(0)?);
        let mut trace = Trace {
            message_id: if shown.is_short() { id } else { shown }.to_string(),
            short_id: shown.is_short().then(|| shown.to_string()),
            account: self.name("SELECT name FROM account WHERE id = ?1", row.get(1)?)?,
            system_id: self.name("SELECT system_id FROM credential WHERE id = ?1", row.get(2)?)?,
            source: row.get(3)?,
            destination: row.get(4)?,
            pdu: row.get::<_, Vec<u8>>(5)?.into(),
            state: state.word(),
            reason: row.get::<_, Option<i64>>(7)?.and_then(Reason::from_code).map(Reason::word),
            parts: row.get(8)?,
            price: Credits::from_micro(row.get(9)?),
            upstream,
            upstream_id: upstream_id.map(|id| id.escape_ascii().to_string()),
            in_doubt: row.get(14)?,
            error: row.get(15)?,
            posted: Credits::from_micro(row.get(16)?),
            timeline: Vec::new(),
        };
        let first = first_operator(db, id)?;
        trace.tell(id, state, row, first.as_deref())?;
        trace.tell_parts(db, id)?;
        trace.tell_events(db, id)?;
        trace.timeline.sort_by_key(|entry| entry.millis);
        Ok(trace)
    }

    fn name(&self, sql: &str, id: i64) -> Result<String, StoreError> {
        let found = self.db.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or_else(|| format!("#{id}")))
    }
}

impl Trace {
    fn add(&mut self, at: Timestamp, what: &str, detail: String) {
        self.timeline.push(TimelineEntry {
            at: at.to_string(),
            what: what.to_owned(),
            detail,
            millis: at.millis(),
        });
    }

    /// What the row itself tells.
    fn tell(
        &mut self,
        id: MessageId,
        state: State,
        row: &Row<'_>,
        first: Option<&str>,
    ) -> Result<(), StoreError> {
        let held = self.price.times(u32::from(self.parts)).unwrap_or_default();
        let parts = if self.parts == 1 { "1 part".to_owned() } else { format!("{} parts", self.parts) };
        let route: i64 = row.get(17)?;
        self.add(
            id.accepted_at(),
            "accepted",
            format!(
                "from {}, {parts}, {held} held, route {}, operator {}",
                self.system_id,
                route + 1,
                first.unwrap_or(&self.upstream)
            ),
        );
        let time = |at: Option<i64>| at.map(Timestamp::from_millis);
        // Of a message that was taken in part the parts tell.
        if let (Some(at), Some(id)) = (time(row.get(12)?), self.upstream_id.clone()) {
            self.add(at, "sent", format!("operator {} took it as {id:?}", self.upstream));
        }
        if let Some(at) = time(row.get(13)?) {
            let reason = self.reason.unwrap_or("unknown");
            let back = held.minus(self.posted).unwrap_or_default();
            self.add(
                at,
                state.word(),
                format!("{reason}, error {}, {} posted, {back} given back", self.error, self.posted),
            );
        }
        let (owes, answered): (i64, Option<i64>) = (row.get(18)?, row.get(19)?);
        match (owes, time(answered)) {
            (owed::ANSWERED, Some(at)) => self.add(at, "receipt", "the client has its receipt".to_owned()),
            (owed::DROPPED, Some(at)) => {
                self.add(at, "receipt", "given up: the client never took it".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn tell_parts(&mut self, db: &Connection, id: MessageId) -> Result<(), StoreError> {
        let mut find = db.prepare_cached(
            "SELECT part, upstream_id, sent_at, done_at, state, error FROM part WHERE message = ?1 ORDER BY part",
        )?;
        let mut rows = find.query([id.raw()])?;
        while let Some(row) = rows.next()? {
            let (part, name): (u8, Vec<u8>) = (row.get(0)?, row.get(1)?);
            if let Some(at) = row.get::<_, Option<i64>>(2)? {
                let name = name.escape_ascii();
                let what = format!("part {part} taken by {} as \"{name}\"", self.upstream);
                self.add(Timestamp::from_millis(at), "part_sent", what);
            }
            if let Some(at) = row.get::<_, Option<i64>>(3)? {
                let state = State::from_code(row.get(4)?).unwrap_or(State::Unknown).word();
                let error: u32 = row.get(5)?;
                self.add(
                    Timestamp::from_millis(at),
                    "part_ended",
                    format!("part {part} {state}, error {error}"),
                );
            }
        }
        Ok(())
    }

    fn tell_events(&mut self, db: &Connection, id: MessageId) -> Result<(), StoreError> {
        let mut find = db.prepare_cached(
            "SELECT at, kind, detail FROM event WHERE message = ?1 AND kind <> ?2 ORDER BY id",
        )?;
        let mut rows = find.query(params![id.raw(), event::FIRST_OPERATOR])?;
        while let Some(row) = rows.next()? {
            let what: String = row.get(1)?;
            self.add(Timestamp::from_millis(row.get(0)?), &what, row.get(2)?);
        }
        Ok(())
    }
}

/// The operator in whose lane a message was accepted, if it left that.
fn first_operator(db: &Connection, id: MessageId) -> Result<Option<String>, StoreError> {
    let mut find = db.prepare_cached("SELECT detail FROM event WHERE message = ?1 AND kind = ?2")?;
    Ok(find.query_row(params![id.raw(), event::FIRST_OPERATOR], |row| row.get(0)).optional()?)
}

const TRACE: &str =
    "SELECT shown, account, credential, src, dst, pdu, state, reason, parts, price, lane, upstream_id,
  sent_at, done_at, in_doubt, error, posted, route, owed, answered_at FROM message WHERE id = ?1";
