//! What a message leaves behind where it was: its trace tells of it, and it is known again by the ids that it was given.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::message::{MessageId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::command::Report;
use crate::store::schema::event;
use crate::store::writer::effects::Effects;
use crate::store::writer::{Counters, Writer};

/// In `alias` the part of a name under which an operator knew a message that it has no longer.
pub(in crate::store::writer) const PAST: i16 = -1;

/// A part as an operator had it.
struct Part {
    part: u8,
    name: Vec<u8>,
    sent_at: Option<i64>,
    done_at: Option<i64>,
    state: i64,
    error: u32,
}

impl Part {
    fn may_be_at_the_phone(&self) -> bool {
        [State::Delivered, State::Accepted].map(State::code).contains(&self.state)
    }
}

impl Writer {
    /// Before a message leaves the lane that it was accepted in: trace has no other way to know which that was.
    pub(in crate::store::writer) fn note_first_operator(
        &mut self,
        id: MessageId,
        lane: UpstreamId,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        let key = params![id.raw(), self.now.millis(), event::FIRST_OPERATOR, self.operator_name(lane)];
        self.db.prepare_cached(FIRST)?.execute(key)?;
        Ok(())
    }

    /// Makes what `by` had of a message a thing of the past, so that another gets it whole: a phone joins nothing that
    /// comes over two. Says how many parts that were.
    pub(in crate::store::writer) fn leave_behind(
        &mut self,
        id: MessageId,
        by: UpstreamId,
        effects: &mut Effects,
    ) -> Result<usize, StoreError> {
        self.note_first_operator(id, by)?;
        let operator = self.operator_name(by);
        let parts = self.parts_of(id)?;
        for Part { part, name, sent_at, done_at, state, error } in &parts {
            if let Some(at) = sent_at {
                let what = format!("part {part} taken by {operator} as \"{}\"", name.escape_ascii());
                self.note_event_at(id, *at, "part_sent", &what)?;
            }
            if let Some(at) = done_at {
                let word = State::from_code(*state).unwrap_or(State::Unknown).word();
                self.note_event_at(id, *at, "part_ended", &format!("part {part} {word}, error {error}"))?;
            }
        }
        if let Some((name, at)) = self.sent_whole(id)?.filter(|_| parts.is_empty()) {
            let what = format!("operator {operator} took it as \"{}\"", name.escape_ascii());
            self.note_event_at(id, at, "sent", &what)?;
            self.add_alias(by, &name, id, PAST, effects)?;
        }
        // Else a later failure, with nothing of this part in sight, could bring it all to the phone once more.
        if parts.iter().any(Part::may_be_at_the_phone) {
            self.note_tried(id, &[by])?;
        }
        self.db.prepare_cached("UPDATE alias SET part = ?2 WHERE message = ?1")?.execute((id.raw(), PAST))?;
        self.db.prepare_cached("DELETE FROM part WHERE message = ?1")?.execute([id.raw()])?;
        self.db.prepare_cached(UNSENT)?.execute([id.raw()])?;
        Ok(parts.len())
    }

    /// An operator reports the end of a message that it has no longer: that changes nothing, and the same is told once.
    /// The name stays known: its next report would be taken for another message's.
    pub(in crate::store::writer) fn tell_late(
        &mut self,
        upstream: UpstreamId,
        id: MessageId,
        report: &Report,
    ) -> Result<(), StoreError> {
        Counters::add(&self.shared.counters.receipts_repeated, 1);
        if !report.state.is_end() {
            return Ok(());
        }
        let (operator, word) = (self.operator_name(upstream), report.state.word());
        let name = report.id.escape_ascii();
        let what =
            format!("{operator} says {word} of \"{name}\", error {}, and has it no longer", report.error);
        let is_told = self.db.prepare_cached(TOLD)?.exists(params![id.raw(), LATE, what])?;
        if is_told { Ok(()) } else { self.note_event(id, LATE, &what) }
    }

    fn parts_of(&self, id: MessageId) -> Result<Vec<Part>, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT part, upstream_id, sent_at, done_at, state, error FROM part WHERE message = ?1 ORDER BY part",
        )?;
        let rows = find.query_map([id.raw()], |row| {
            Ok(Part {
                part: row.get(0)?,
                name: row.get(1)?,
                sent_at: row.get(2)?,
                done_at: row.get(3)?,
                state: row.get(4)?,
                error: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn sent_whole(&self, id: MessageId) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT upstream_id, sent_at FROM message
               WHERE id = ?1 AND upstream_id IS NOT NULL AND sent_at IS NOT NULL",
        )?;
        let mut rows = find.query_map([id.raw()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.next().transpose()?)
    }

    fn note_event_at(&self, id: MessageId, at: i64, kind: &str, detail: &str) -> Result<(), StoreError> {
        let at = Timestamp::from_millis(at).min(self.now).millis();
        self.db.prepare_cached(event::NOTE)?.execute(params![id.raw(), at, kind, detail])?;
        Ok(())
    }

    /// What people call an operator.
    pub(in crate::store::writer) fn operator_name(&self, id: UpstreamId) -> String {
        self.shared.upstreams.load().name(id).unwrap_or("another operator").to_owned()
    }
}

const FIRST: &str = "INSERT INTO event(message, at, kind, detail) SELECT ?1, ?2, ?3, ?4
  WHERE NOT EXISTS (SELECT 1 FROM event WHERE message = ?1 AND kind = ?3)";
const LATE: &str = "late_receipt";
const TOLD: &str = "SELECT 1 FROM event WHERE message = ?1 AND kind = ?2 AND detail = ?3";
const UNSENT: &str = "UPDATE message SET upstream_id = NULL, sent_at = NULL WHERE id = ?1";
