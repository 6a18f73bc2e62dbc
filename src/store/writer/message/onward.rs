//! Messages that no operator took: put off, moved to another lane, in doubt.

use rusqlite::{OptionalExtension, params};

use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{MessageId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::writer::effects::Effects;
use crate::store::writer::{Counters, Writer};

impl Writer {
    pub(in crate::store::writer) fn put_off(
        &mut self,
        id: MessageId,
        due: Timestamp,
        upstream: UpstreamId,
        error: u32,
        in_doubt: bool,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        // An id that an earlier attempt was given stays a name of the message.
        let changed = self.db.prepare_cached(PUT_OFF)?.execute(params![
            id.raw(),
            State::Deferred.code(),
            due.millis(),
            upstream.0,
            in_doubt
        ])?;
        if changed == 0 {
            return Ok(());
        }
        if in_doubt {
            Counters::add(&self.shared.counters.in_doubt, 1);
            self.note_event(id, "in_doubt", "the link was lost before the answer; it is sent again")?;
        } else {
            self.note_event(id, "later", &format!("status 0x{error:02X}, again at {due}"))?;
        }
        self.sweeps.heed(Some(due));
        Ok(())
    }

    pub(in crate::store::writer) fn move_lane(
        &mut self,
        id: MessageId,
        from: UpstreamId,
        to: UpstreamId,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        let changed = self
            .db
            .prepare_cached(
                "UPDATE message SET lane = ?2, state = ?3 WHERE id = ?1 AND state < 5 RETURNING account",
            )?
            .query_row(params![id.raw(), to.0, State::Queued.code()], |row| row.get(0))
            .optional()?;
        if let Some(account) = changed {
            effects.spill(&self.shared, to, AccountId(account));
            if from == to {
                // Back into the lane it was taken from.
                return Ok(());
            }
            let upstreams = self.shared.upstreams.load_full();
            let name = upstreams.name(to).unwrap_or("another operator");
            let begun = self.begin_whole(id)?;
            let whole =
                if begun > 0 { format!(", whole: parts that were taken: {begun}") } else { String::new() };
            self.note_event(id, "moved", &format!("to {name}{whole}"))?;
        }
        Ok(())
    }

    pub(in crate::store::writer) fn doubt(
        &mut self,
        id: MessageId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        let changed = self
            .db
            .prepare_cached(
                "UPDATE message SET state = ?2, due = ?3, in_doubt = 1 WHERE id = ?1 AND state < 5",
            )?
            .execute(params![id.raw(), State::InDoubt.code(), until.millis()])?;
        if changed > 0 {
            Counters::add(&self.shared.counters.in_doubt, 1);
            self.note_event(
                id,
                "in_doubt",
                &format!("the link was lost before the answer; it waits until {until}"),
            )?;
            self.sweeps.heed(Some(until));
        }
        Ok(())
    }
}

const PUT_OFF: &str = "UPDATE message SET state = ?2, due = ?3, lane = ?4, in_doubt = in_doubt OR ?5,
  attempts = attempts + 1 WHERE id = ?1 AND state < 5";
