//! A message that an operator failed goes to the next of its route instead of ending: nothing is settled, nobody is told,
//! and who failed it is written down, so that it comes to each operator at most once, also over a restart.

use rusqlite::{OptionalExtension, params};
use smpp_proto::pdu::SubmitSm;

use super::Standing;
use crate::clock::Timestamp;
use crate::message::{End, MessageId, Reason, RouteId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::writer::Writer;
use crate::store::writer::effects::Effects;

/// What decides whether a message goes on.
struct Course {
    route: RouteId,
    lane: UpstreamId,
    state: State,
    expires: Option<Timestamp>,
    /// What its operator calls it.
    name: Option<Vec<u8>>,
}

impl Writer {
    /// Sends a message on to the next operator, if its route wants that for this end and has one; whether it did. A message
    /// in parts goes on whole, and only if none of them was delivered. What an operator reports (`by`) that has it no longer,
    /// after a doubt or a retry, leaves it with the one that has.
    pub(in crate::store::writer) fn fail_over(
        &mut self,
        standing: &Standing,
        end: &End,
        by: Option<UpstreamId>,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let policy = self.shared.policy.load_full();
        if !policy.fails_over() || !end.is_by_operator() {
            return Ok(false);
        }
        let Some(course) = self.course_of(standing.id)? else { return Ok(false) };
        let Some(route) = policy.route(course.route) else { return Ok(false) };
        let heeds = route.failover.as_ref().is_some_and(|failover| failover.heeds(end));
        let valid = course.expires.unwrap_or(standing.id.accepted_at() + self.sweeps.default_validity);
        if !heeds || course.state.is_end() || valid <= self.now {
            return Ok(false);
        }
        let Ok(pdu) = SubmitSm::decode(standing.pdu.clone()) else { return Ok(false) };
        // Its route may have lost the number since: then those of the route are no way for it any more.
        if !route.reaches(pdu.destination.digits.as_bytes()) {
            return Ok(false);
        }
        let mut tried = self.tried(standing.id)?;
        if standing.parts > 1 {
            if self.is_in_part_done(standing.id)? {
                return Ok(false);
            }
            tried.extend(self.part_takers(standing.id)?);
        }
        if let Some(by) = by.filter(|by| *by != course.lane) {
            self.note_tried(standing.id, &[by])?;
            let what = format!("{} failed it and has it no longer; it stays", self.operator_name(by));
            self.note_event(standing.id, "failed_over", &what)?;
            return Ok(true);
        }
        tried.push(course.lane);
        tried.sort_unstable();
        tried.dedup();
        let is_up = |id| self.shared.up.is_up(id);
        let Some(next) = route.next_after(&tried, standing.account, &pdu, standing.price, is_up) else {
            return Ok(false);
        };
        // After a doubt it may stand in a lane once more. What a bind is writing right now cannot be stopped.
        let stands = course.state < State::Sent && end.reason == Reason::Receipt;
        if stands && !self.take_out(standing.id, effects)? {
            return Ok(false);
        }
        self.go_on(standing, &course, &tried, next, effects)?;
        effects.spill(&self.shared, next, standing.account);
        let what = match end.reason {
            Reason::Receipt => format!("{} with error {}", end.state.word(), end.error),
            _ => format!("status 0x{:02X}", end.error),
        };
        let name =
            course.name.map(|name| format!(", its id \"{}\"", name.escape_ascii())).unwrap_or_default();
        let (lane, next) = (self.operator_name(course.lane), self.operator_name(next));
        let detail = format!("{what} at {lane}{name}; it goes to {next}");
        self.note_event(standing.id, "failed_over", &detail)?;
        Ok(true)
    }

    /// Puts it in the lane of the next, as if nobody had had it. Ids that it was given mean it no longer: a second receipt
    /// of who failed it changes nothing.
    fn go_on(
        &mut self,
        standing: &Standing,
        course: &Course,
        tried: &[UpstreamId],
        next: UpstreamId,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let id = standing.id.raw();
        self.note_tried(standing.id, tried)?;
        self.leave_behind(standing.id, course.lane, effects)?;
        self.db.prepare_cached(ANEW)?.execute(params![id, State::Queued.code(), next.0])?;
        if course.state >= State::Sent {
            self.books.came_back(standing.account);
        }
        Ok(())
    }

    /// It comes to these no more.
    pub(super) fn note_tried(&mut self, id: MessageId, tried: &[UpstreamId]) -> Result<(), StoreError> {
        self.land(id)?;
        let mut note =
            self.db.prepare_cached("INSERT OR IGNORE INTO tried(message, upstream) VALUES(?1, ?2)")?;
        for upstream in tried {
            note.execute(params![id.raw(), upstream.0])?;
        }
        self.has_tried = true;
        Ok(())
    }

    /// Operators that a message has left for good.
    pub(in crate::store::writer) fn tried(&self, id: MessageId) -> Result<Vec<UpstreamId>, StoreError> {
        if !self.has_tried {
            return Ok(Vec::new());
        }
        let mut find = self.db.prepare_cached("SELECT upstream FROM tried WHERE message = ?1")?;
        let rows = find.query_map([id.raw()], |row| row.get(0).map(UpstreamId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn course_of(&self, id: MessageId) -> Result<Option<Course>, StoreError> {
        if let Some(row) = self.flights.get(id) {
            let route = RouteId(row.route);
            let name = row.sent.as_ref().map(|sent| sent.name.as_bytes().to_vec());
            return Ok(Some(Course { route, lane: row.lane, state: row.state, expires: row.expires, name }));
        }
        let mut find = self
            .db
            .prepare_cached("SELECT route, lane, state, expires, upstream_id FROM message WHERE id = ?1")?;
        let course = find.query_row([id.raw()], |row| {
            Ok(Course {
                route: RouteId(row.get(0)?),
                lane: UpstreamId(row.get(1)?),
                state: State::from_code(row.get(2)?).unwrap_or(State::Unknown),
                expires: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                name: row.get(4)?,
            })
        });
        Ok(course.optional()?)
    }

    /// Whether a part of it is with an operator still, was delivered, or ended otherwise than by an operator's word.
    fn is_in_part_done(&self, id: MessageId) -> Result<bool, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT 1 FROM part WHERE message = ?1
               AND (state < ?2 OR state IN (?3, ?4) OR reason NOT IN (?5, ?6)) LIMIT 1",
        )?;
        let (accepted, delivered) = (State::Accepted.code(), State::Delivered.code());
        let [receipt, refused] = [Reason::Receipt, Reason::OperatorRejected].map(Reason::code);
        Ok(find.exists(params![id.raw(), State::FIRST_END, accepted, delivered, receipt, refused])?)
    }

    fn part_takers(&self, id: MessageId) -> Result<Vec<UpstreamId>, StoreError> {
        let mut find = self
            .db
            .prepare_cached("SELECT DISTINCT upstream FROM part WHERE message = ?1 AND upstream > 0")?;
        let rows = find.query_map([id.raw()], |row| row.get(0).map(UpstreamId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

const ANEW: &str = "UPDATE message SET state = ?2, lane = ?3, upstream_id = NULL, sent_at = NULL, due = NULL,
  in_doubt = 0 WHERE id = ?1";
