//! The messages that fly, in memory, each change noted for the journal.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

use bytes::Bytes;
use foldhash::fast::RandomState;
use rusqlite::Connection;
use smpp_proto::field::COctets;

use super::log::{Log, each};
use super::record::Record;
use super::{Ended, Row, Sent};
use crate::account::{AccountId, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{MessageId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::schema::owed;

/// Messages that fly at once; more become rows from the start. About 700 octets of memory each.
const MOST: usize = 65_536;
/// Octets of the journal that are kept for the oldest flight; then it lands.
const LONGEST: i64 = 64 * 1024 * 1024;

/// The messages that fly, and the journal of what happens to them.
#[derive(Default)]
pub(in crate::store) struct Flights {
    rows: HashMap<MessageId, Flight, RandomState>,
    /// By a hash of the operator and its id: the newest flight that was given it.
    names: HashMap<u64, MessageId, RandomState>,
    hasher: RandomState,
    /// Oldest first; some have left.
    order: VecDeque<MessageId>,
    log: Log,
}

struct Flight {
    row: Row,
    /// Where in the journal it begins.
    begun: i64,
}

impl Flights {
    /// What the journal tells.
    pub(in crate::store) fn read(db: &Connection) -> Result<Self, StoreError> {
        let mut flights = Self::default();
        let end = each(db, |at, record| flights.replay(at, record))?;
        flights.log = Log::behind(end);
        Ok(flights)
    }

    /// What is told of a message that left before is passed over: its beginning may be gone.
    fn replay(&mut self, at: i64, record: &Record<'_>) {
        match *record {
            Record::Accepted {
                id,
                account,
                credential,
                source,
                destination,
                pdu,
                wish,
                price,
                priority,
                route,
                lane,
                expires,
            } => {
                let row = Row {
                    id: MessageId::from_raw(id),
                    account: AccountId(account),
                    credential: CredentialId(credential),
                    source: COctets::from(Bytes::copy_from_slice(source)),
                    destination: COctets::from(Bytes::copy_from_slice(destination)),
                    pdu: Bytes::copy_from_slice(pdu),
                    wish,
                    price: Credits::from_micro(price),
                    priority,
                    route,
                    lane: UpstreamId(lane),
                    expires: expires.map(Timestamp::from_millis),
                    state: State::Ready,
                    sent: None,
                    end: None,
                    owed: owed::NOTHING,
                    answered_at: None,
                };
                self.begin(row, at);
            }
            Record::Taken { id, lane, name, at } => {
                let sent = Sent {
                    name: COctets::from(Bytes::copy_from_slice(name)),
                    at: Timestamp::from_millis(at),
                };
                self.take(MessageId::from_raw(id), UpstreamId(lane), sent);
            }
            Record::Ended { id, state, at, reason, error, posted, owed } => {
                let at = Timestamp::from_millis(at);
                let end = Ended { at, reason, error, posted: Credits::from_micro(posted) };
                let state = State::from_code(i64::from(state)).unwrap_or(State::Unknown);
                self.finish(MessageId::from_raw(id), state, end, owed);
            }
            Record::Answered { id, owed, at } => {
                self.answer(MessageId::from_raw(id), owed, Timestamp::from_millis(at));
            }
            Record::Left { id } => {
                self.remove(MessageId::from_raw(id));
            }
            Record::First { .. } | Record::Sum { .. } | Record::Settled => {}
        }
    }

    /// The rows of all that fly, the oldest first.
    pub(in crate::store) fn into_rows(self) -> Vec<Row> {
        let mut rows: Vec<_> = self.rows.into_values().map(|flight| flight.row).collect();
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }

    /// Whether one more may fly.
    pub(in crate::store) fn has_room(&self) -> bool {
        self.rows.len() < MOST
    }

    pub(in crate::store) fn get(&self, id: MessageId) -> Option<&Row> {
        self.rows.get(&id).map(|flight| &flight.row)
    }

    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|flight| &flight.row)
    }

    /// The message that an operator gave this id.
    pub(in crate::store) fn named(&self, lane: UpstreamId, name: &[u8]) -> Option<&Row> {
        let row = self.get(*self.names.get(&self.key(lane, name))?)?;
        let fits = row.lane == lane && row.sent.as_ref().is_some_and(|sent| sent.name.as_bytes() == name);
        fits.then_some(row)
    }

    /// The flight that would be found no more by its operator's id if another were given this one.
    pub(in crate::store) fn supplanted(
        &self,
        by: MessageId,
        lane: UpstreamId,
        name: &[u8],
    ) -> Option<MessageId> {
        self.names.get(&self.key(lane, name)).copied().filter(|other| *other != by)
    }

    /// A message was accepted.
    pub(in crate::store) fn accepted(&mut self, row: Row) -> Result<(), StoreError> {
        self.log.note(&Record::Accepted {
            id: row.id.raw(),
            account: row.account.0,
            credential: row.credential.0,
            source: row.source.as_bytes(),
            destination: row.destination.as_bytes(),
            pdu: &row.pdu,
            wish: row.wish,
            price: row.price.micro(),
            priority: row.priority,
            route: row.route,
            lane: row.lane.0,
            expires: row.expires.map(Timestamp::millis),
        })?;
        self.begin(row, self.log.written());
        Ok(())
    }

    /// An operator took it.
    pub(in crate::store) fn taken(
        &mut self,
        id: MessageId,
        lane: UpstreamId,
        sent: Sent,
    ) -> Result<(), StoreError> {
        let (name, at) = (sent.name.as_bytes(), sent.at.millis());
        self.log.note(&Record::Taken { id: id.raw(), lane: lane.0, name, at })?;
        self.take(id, lane, sent);
        Ok(())
    }

    /// It ended.
    pub(in crate::store) fn ended(
        &mut self,
        id: MessageId,
        state: State,
        end: Ended,
        owed: i64,
    ) -> Result<(), StoreError> {
        self.log.note(&Record::Ended {
            id: id.raw(),
            state: state as u8,
            at: end.at.millis(),
            reason: end.reason,
            error: end.error,
            posted: end.posted.micro(),
            owed,
        })?;
        self.finish(id, state, end, owed);
        Ok(())
    }

    /// Its receipt came to an end.
    pub(in crate::store) fn answered(
        &mut self,
        id: MessageId,
        owed: i64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.log.note(&Record::Answered { id: id.raw(), owed, at: at.millis() })?;
        self.answer(id, owed, at);
        Ok(())
    }

    /// It flies no longer; the caller has put it elsewhere.
    pub(in crate::store) fn left(&mut self, id: MessageId) -> Result<Option<Row>, StoreError> {
        let row = self.remove(id);
        if row.is_some() {
            self.log.note(&Record::Left { id: id.raw() })?;
        }
        Ok(row)
    }

    /// The oldest, when the journal has become too long for its sake.
    pub(in crate::store) fn too_long(&mut self) -> Option<MessageId> {
        let begun = self.oldest()?;
        let length = self.log.written() - begun;
        (length > LONGEST).then(|| self.order.front().copied()).flatten()
    }

    /// Where more can be noted of this transaction.
    pub(in crate::store) const fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    /// Writes what this transaction added, and removes what nobody needs any more: neither a flight nor whoever noted
    /// something at `noted` or later.
    pub(in crate::store) fn write(&mut self, db: &Connection, noted: Option<i64>) -> Result<(), StoreError> {
        self.log.write(db)?;
        let needed = self.oldest().unwrap_or(self.log.written());
        self.log.trim(db, noted.map_or(needed, |noted| noted.min(needed)))
    }

    /// Where the oldest begins.
    fn oldest(&mut self) -> Option<i64> {
        while let Some(id) = self.order.front() {
            if let Some(flight) = self.rows.get(id) {
                return Some(flight.begun);
            }
            self.order.pop_front();
        }
        None
    }

    fn begin(&mut self, row: Row, begun: i64) {
        self.order.push_back(row.id);
        self.rows.insert(row.id, Flight { row, begun });
    }

    fn take(&mut self, id: MessageId, lane: UpstreamId, sent: Sent) {
        let key = self.key(lane, sent.name.as_bytes());
        let Some(flight) = self.rows.get_mut(&id) else { return };
        if !sent.name.as_bytes().is_empty() {
            self.names.insert(key, id);
        }
        flight.row.lane = lane;
        flight.row.state = State::Sent;
        flight.row.sent = Some(sent);
    }

    fn finish(&mut self, id: MessageId, state: State, end: Ended, owed: i64) {
        let Some(flight) = self.rows.get_mut(&id) else { return };
        flight.row.state = state;
        flight.row.end = Some(end);
        flight.row.owed = owed;
    }

    fn answer(&mut self, id: MessageId, owed: i64, at: Timestamp) {
        let Some(flight) = self.rows.get_mut(&id) else { return };
        flight.row.owed = owed;
        flight.row.answered_at = Some(at);
    }

    fn remove(&mut self, id: MessageId) -> Option<Row> {
        let Flight { row, .. } = self.rows.remove(&id)?;
        if let Some(sent) = &row.sent {
            let key = self.key(row.lane, sent.name.as_bytes());
            if self.names.get(&key) == Some(&id) {
                self.names.remove(&key);
            }
        }
        Some(row)
    }

    fn key(&self, lane: UpstreamId, name: &[u8]) -> u64 {
        self.hasher.hash_one((lane.0, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: UpstreamId = UpstreamId(1);

    fn hot() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE journal(at INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT")
            .unwrap();
        db
    }

    fn id(number: i64) -> MessageId {
        MessageId::from_raw(number)
    }

    fn accepted(number: i64) -> Row {
        let row = Row::sample(id(number));
        Row { state: State::Ready, sent: None, end: None, ..row }
    }

    fn sent(name: &'static str) -> Sent {
        Sent { name: COctets::from_static(name), at: Timestamp::from_millis(7) }
    }

    fn blobs(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM journal", [], |row| row.get(0)).unwrap()
    }

    /// Whatever was written is read again as it stood, each message at the step it had come to.
    #[test]
    fn what_is_written_is_read_again() {
        let db = hot();
        let mut flights = Flights::default();
        for number in 1..=5 {
            flights.accepted(Row { expires: Some(Timestamp::from_millis(99)), ..accepted(number) }).unwrap();
        }
        flights.write(&db, None).unwrap();
        for number in 2..=5 {
            flights
                .taken(id(number), UpstreamId(9), sent(["b", "c", "d", "e"][number as usize - 2]))
                .unwrap();
        }
        let end = Ended {
            at: Timestamp::from_millis(8),
            reason: 3,
            error: 70_000,
            posted: Credits::from_micro(-1),
        };
        for number in 3..=5 {
            flights.ended(id(number), State::Undeliverable, end, owed::READY).unwrap();
        }
        flights.write(&db, None).unwrap();
        flights.answered(id(4), owed::ANSWERED, Timestamp::from_millis(9)).unwrap();
        flights.left(id(5)).unwrap();
        flights.write(&db, None).unwrap();
        // A transaction in which nothing happened writes nothing.
        flights.write(&db, None).unwrap();
        assert_eq!(blobs(&db), 3);
        let shown = |flights: Flights| format!("{:#?}", flights.into_rows());
        let read = Flights::read(&db).unwrap();
        assert_eq!((read.log.written(), read.rows.len()), (flights.log.written(), 4));
        assert_eq!(read.named(UpstreamId(9), b"d").map(|row| row.id), Some(id(4)));
        assert_eq!(shown(read), shown(flights));
    }

    #[test]
    fn what_nobody_needs_is_removed_and_nothing_else() {
        let db = hot();
        let mut flights = Flights::default();
        let long = Bytes::from(vec![b'x'; 400_000]);
        for number in 1..=6 {
            flights.accepted(Row { pdu: long.clone(), ..accepted(number) }).unwrap();
            flights.write(&db, None).unwrap();
        }
        flights.left(id(2)).unwrap();
        flights.write(&db, None).unwrap();
        assert_eq!(blobs(&db), 7, "the first still flies");
        for number in [1, 3, 4] {
            flights.left(id(number)).unwrap();
        }
        flights.write(&db, None).unwrap();
        assert_eq!(blobs(&db), 4, "two flights and what was told since");
        let rows = Flights::read(&db).unwrap().into_rows();
        assert_eq!(rows.iter().map(|row| row.id.raw()).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn the_oldest_is_named_when_the_journal_grows_too_long_for_it() {
        let db = hot();
        let mut flights = Flights::default();
        flights.accepted(accepted(1)).unwrap();
        let long = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
        for number in 2..=9 {
            assert_eq!(flights.too_long(), None);
            flights.accepted(Row { pdu: long.clone(), ..accepted(number) }).unwrap();
            flights.write(&db, None).unwrap();
        }
        assert_eq!(flights.too_long(), Some(id(1)));
        flights.left(id(1)).unwrap();
        flights.left(id(2)).unwrap();
        assert_eq!(flights.too_long(), None);
    }

    #[test]
    fn an_operators_id_means_the_newest_that_was_given_it() {
        let mut flights = Flights::default();
        for number in [1, 2] {
            flights.accepted(accepted(number)).unwrap();
        }
        flights.taken(id(1), LANE, sent("same")).unwrap();
        assert_eq!(flights.supplanted(id(2), LANE, b"same"), Some(id(1)));
        flights.taken(id(2), LANE, sent("same")).unwrap();
        assert_eq!(flights.named(LANE, b"same").map(|row| row.id), Some(id(2)));
        assert!(flights.named(UpstreamId(2), b"same").is_none() && flights.named(LANE, b"").is_none());
        flights.left(id(1)).unwrap();
        assert_eq!(flights.named(LANE, b"same").map(|row| row.id), Some(id(2)));
    }

    #[test]
    fn a_journal_that_cannot_be_read_says_where() {
        let db = hot();
        db.execute("INSERT INTO journal VALUES(0, x''), (40, x'ff00')", []).unwrap();
        let failure = Flights::read(&db).err().map(|failure| failure.to_string()).unwrap();
        assert!(failure.contains("the journal cannot be read at 40"), "{failure}");
    }
}
