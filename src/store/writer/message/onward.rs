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
        by: UpstreamId,
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
            let what = format!(
                "the link to {} was lost before the answer; it is sent again",
                self.operator_name(by)
            );
            self.note_event(id, "in_doubt", &what)?;
        } else {
            let next =
                if upstream == by { String::new() } else { format!(" at {}", self.operator_name(upstream)) };
            let what = format!("status 0x{error:02X} at {}, again at {due}{next}", self.operator_name(by));
            self.note_event(id, "later", &what)?;
        }
        if upstream != by {
            self.note_first_operator(id, by)?;
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
            let begun = if self.has_parts(id)? { self.leave_behind(id, from, effects)? } else { 0 };
            let whole =
                if begun > 0 { format!(", whole: parts that were taken: {begun}") } else { String::new() };
            self.note_moved(id, from, to, &whole)?;
        }
        Ok(())
    }

    /// Tells in whose lane it waits now.
    pub(in crate::store::writer) fn note_moved(
        &mut self,
        id: MessageId,
        from: UpstreamId,
        to: UpstreamId,
        how: &str,
    ) -> Result<(), StoreError> {
        self.note_first_operator(id, from)?;
        let what = format!("from {} to {}{how}", self.operator_name(from), self.operator_name(to));
        self.note_event(id, "moved", &what)
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
