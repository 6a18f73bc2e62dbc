//! Messages that fly: plain ones, kept in memory and in the journal. Here they take off, are found, and land.

use rusqlite::Connection;

use super::settle::Standing;
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{DeliveryKey, MessageId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::command::Accept;
use crate::store::journal::Flights;
use crate::store::journal::{Row, Sent};
use crate::store::schema::owed;
use crate::store::writer::books::land_counted;
use crate::store::writer::effects::Effects;
use crate::store::writer::{Counters, Writer};

/// What still flies after this long has something special to it: it lands at the next look.
const LONG: std::time::Duration = std::time::Duration::from_secs(60);

impl Writer {
    /// Lets a message that was just accepted fly, if it is plain; `false` when it must be a row.
    pub(in crate::store::writer) fn fly(
        &mut self,
        accept: &Accept,
        id: MessageId,
        state: State,
    ) -> Result<bool, StoreError> {
        let admitted = &accept.admitted;
        if state != State::Ready || admitted.parts() != 1 || !self.flights.has_room() {
            return Ok(false);
        }
        self.flights.accepted(Row {
            id,
            account: accept.account,
            credential: accept.credential,
            source: admitted.source().clone(),
            destination: admitted.destination().clone(),
            pdu: admitted.body().clone(),
            wish: admitted.registered_delivery().0,
            price: admitted.price(),
            priority: admitted.priority(),
            route: admitted.route().map_or(0, |route| route.0),
            lane: accept.upstream,
            expires: admitted.expires(),
            state,
            sent: None,
            end: None,
            owed: owed::NOTHING,
            answered_at: None,
        })?;
        Ok(true)
    }

    /// Makes a flight a row of `message`; nothing happens to a message that is one.
    pub(in crate::store::writer) fn land(&mut self, id: MessageId) -> Result<(), StoreError> {
        if let Some(row) = self.flights.left(id)? {
            row.write(&self.db)?;
            Counters::add(&self.shared.counters.landed, 1);
        }
        Ok(())
    }

    /// The same, for a client that names a message: others' do not exist for it.
    pub(in crate::store::writer) fn land_own(
        &mut self,
        account: AccountId,
        id: MessageId,
    ) -> Result<(), StoreError> {
        match self.flights.get(id) {
            Some(row) if row.account == account => self.land(id),
            _ => Ok(()),
        }
    }

    /// Lands what the rest of the writer must find in the table: what waits for long, and what is due to expire.
    pub(in crate::store::writer) fn land_due(&mut self) -> Result<(), StoreError> {
        let old = MessageId::first_at(self.now - LONG);
        let is_due = |row: &&Row| row.id < old || row.expires.is_some_and(|end| end <= self.now);
        let due: Vec<_> = self.flights.rows().filter(is_due).map(|row| row.id).collect();
        due.into_iter().try_for_each(|id| self.land(id))
    }

    /// Lands what waits and goes from one address to another.
    pub(in crate::store::writer) fn land_pair(
        &mut self,
        account: AccountId,
        source: &[u8],
        destination: &[u8],
    ) -> Result<(), StoreError> {
        let fits = |row: &&Row| {
            row.account == account
                && row.state < State::Sent
                && row.source.as_bytes() == source
                && row.destination.as_bytes() == destination
        };
        let pair: Vec<_> = self.flights.rows().filter(fits).map(|row| row.id).collect();
        pair.into_iter().try_for_each(|id| self.land(id))
    }

    /// A flight stands in the history. One that landed meanwhile goes once more, as a row does, with whatever was
    /// written down about it since.
    pub(in crate::store::writer) fn left_for_history(
        &mut self,
        id: MessageId,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if self.flights.left(id)?.is_none() {
            effects.move_to_history(id);
        }
        Ok(())
    }

    /// Lands everything: who reads the file of a daemon that stopped finds rows.
    pub(in crate::store::writer) fn land_all(&mut self) -> Result<(), StoreError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        land_journal(&self.db)?;
        Ok(self.db.execute_batch("COMMIT")?)
    }

    /// Lands the oldest while the journal is too long for their sake.
    pub(in crate::store::writer) fn land_oldest(&mut self) -> Result<(), StoreError> {
        while let Some(id) = self.flights.too_long() {
            self.land(id)?;
        }
        Ok(())
    }

    /// Notes that an operator took a flight; `false` when it does not fly.
    pub(in crate::store::writer) fn take_flight(
        &mut self,
        id: MessageId,
        upstream: UpstreamId,
        sent: Sent,
    ) -> Result<bool, StoreError> {
        if self.flights.get(id).is_none() {
            return Ok(false);
        }
        // An operator that gives the same id twice means the newer message; the older is still found in the table.
        if let Some(older) = self.flights.supplanted(id, upstream, sent.name.as_bytes()) {
            self.land(older)?;
        }
        self.flights.taken(id, upstream, sent)?;
        Ok(true)
    }

    /// Notes that the receipt of a flight came to an end; `false` when it does not fly.
    pub(in crate::store::writer) fn answer_flight(
        &mut self,
        id: MessageId,
        how: i64,
        at: Timestamp,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let Some(row) = self.flights.get(id) else { return Ok(false) };
        if row.owed == owed::READY {
            self.flights.answered(id, how, at)?;
            self.may_move(id, effects)?;
        }
        Ok(true)
    }

    /// It has ended and nothing more is owed: it may move to the history, from memory if it flies. While the history
    /// is behind it lands first, so that memory stays small.
    pub(in crate::store::writer) fn may_move(
        &mut self,
        id: MessageId,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if self.mover.is_behind() {
            self.land(id)?;
        }
        match self.flights.get(id) {
            Some(row) => effects.fly_to_history(row.clone()),
            None => effects.move_to_history(id),
        }
        Ok(())
    }

    /// Lands the flight that a delivery is about.
    pub(in crate::store::writer) fn land_delivery(&mut self, key: DeliveryKey) -> Result<(), StoreError> {
        match key {
            DeliveryKey::Receipt(id) => self.land(id),
            DeliveryKey::Inbound(_) => Ok(()),
        }
    }
}

/// Makes rows of all that the journal tells of, within a transaction.
pub(in crate::store::writer) fn land_journal(db: &Connection) -> Result<(), StoreError> {
    land_counted(db)?;
    for row in Flights::read(db)?.into_rows() {
        row.write(db)?;
    }
    db.execute("DELETE FROM journal", [])?;
    Ok(())
}

impl From<&Row> for Standing {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id,
            shown: row.id,
            account: row.account,
            credential: row.credential,
            pdu: row.pdu.clone(),
            wish: smpp_proto::field::RegisteredDelivery(row.wish),
            parts: 1,
            price: row.price,
            state: row.state,
        }
    }
}
