//! What clients ask: accept, query, cancel, replace.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Statement, ToSql, params};
use smpp_proto::pdu::{Header, SubmitSm};

use super::Writer;
use super::effects::Effects;
use crate::account::{AccountId, Credits};
use crate::clock::Timestamp;
use crate::message::{End, Message, MessageId, Reason, RouteId, State, UpstreamId};
use crate::policy::filter::{Claim, Desk, RuleId, check_replacement};
use crate::policy::{Cause, Denied, Refusal};
use crate::store::StoreError;
use crate::store::command::{
    Accept, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest, Replace, Standing,
};
use crate::store::schema::{STANDING, standing_of, text_of};

/// An accepted message that becomes a row.
struct Fresh<'a> {
    accept: &'a Accept,
    id: MessageId,
    shown: MessageId,
    state: State,
}

/// Rows that one statement writes: starting a statement costs as much as a row.
const TOGETHER: usize = 16;
/// Columns of [`INSERT`].
const COLUMNS: usize = 16;
/// What accepting writes; the rows follow.
const INSERT: &str =
    "INSERT INTO message(id, shown, account, credential, src, dst, pdu, wish, parts, price, priority,
  route, lane, state, due, expires) VALUES ";

/// Statements that write one row, and several.
static INSERTS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    [1, TOGETHER].map(|rows| INSERT.to_owned() + &vec![row.as_str(); rows].join(", "))
});

/// A client's pending messages from one address to another.
const PENDING_PAIR: &str = "SELECT id, pdu FROM message
  WHERE account = ?1 AND src = ?2 AND dst = ?3 AND state IN (0, 1, 3) ORDER BY id";

impl Writer {
    pub(super) fn client(&mut self, batch: &ClientBatch, effects: &mut Effects) -> Result<(), StoreError> {
        let mut answers = Vec::with_capacity(batch.requests.len());
        let mut shown = None;
        let mut fresh = Vec::new();
        let accepts = batch.requests.iter().filter_map(|request| match request {
            ClientRequest::Accept(accept) => Some(accept),
            _ => None,
        });
        self.limits.fetch(accepts.flat_map(|accept| accept.admitted.claims()), self.now);
        for request in &batch.requests {
            let looks = !matches!(request, ClientRequest::Accept(a) if !a.replaces_pending && !a.short_id);
            if looks {
                self.write_fresh(&mut fresh)?;
            }
            answers.push(match request {
                ClientRequest::Accept(accept) => {
                    let shown_before = shown.filter(|_| accept.follows);
                    let outcome = self.accept(accept, shown_before, &mut fresh, effects)?;
                    match outcome {
                        ClientOutcome::Accepted(id) => shown = Some(id),
                        _ if !accept.follows => shown = None,
                        _ => {}
                    }
                    ClientAnswer { tag: accept.tag, outcome }
                }
                ClientRequest::Query { tag, account, id, source } => {
                    let standing = self.standing(*account, *id, source)?;
                    ClientAnswer { tag: *tag, outcome: ClientOutcome::Standing(standing) }
                }
                ClientRequest::Cancel { tag, account, target } => {
                    let count = self.cancel(*account, target, effects)?;
                    ClientAnswer { tag: *tag, outcome: ClientOutcome::Cancelled(count) }
                }
                ClientRequest::Replace(replace) => {
                    let outcome = self.replace(replace, effects)?;
                    ClientAnswer { tag: replace.tag, outcome }
                }
            });
        }
        self.write_fresh(&mut fresh)?;
        effects.answer(&batch.reply, answers);
        Ok(())
    }

    /// Writes the rows of accepted messages.
    fn write_fresh(&self, fresh: &mut Vec<Fresh<'_>>) -> Result<(), StoreError> {
        let [one, several] = &*INSERTS;
        let mut chunks = fresh.chunks_exact(TOGETHER);
        if fresh.len() >= TOGETHER {
            let mut insert = self.db.prepare_cached(several)?;
            for chunk in &mut chunks {
                write_rows(&mut insert, chunk)?;
            }
        }
        if !chunks.remainder().is_empty() {
            let mut insert = self.db.prepare_cached(one)?;
            for row in chunks.remainder().chunks(1) {
                write_rows(&mut insert, row)?;
            }
        }
        fresh.clear();
        Ok(())
    }

    /// Message, hold and place in a lane: all or nothing.
    fn accept<'a>(
        &mut self,
        accept: &'a Accept,
        shown: Option<MessageId>,
        fresh: &mut Vec<Fresh<'a>>,
        effects: &mut Effects,
    ) -> Result<ClientOutcome, StoreError> {
        let admitted = &accept.admitted;
        let shared = &self.shared;
        let shadowed = |rule| shared.counters.shadowed.count(&shared.policy.load(), accept.account, rule);
        match self.claim(accept, self.now, shadowed) {
            Ok(total) => {
                // It was asked a moment ago.
                if let Err(no) = self.books.hold(accept.account, total, accept.max_queued) {
                    return Ok(ClientOutcome::Refused(no.refusal().into()));
                }
                self.limits.take(admitted.claims(), self.now);
            }
            Err(denied) => return Ok(ClientOutcome::Refused(denied)),
        }
        if accept.replaces_pending {
            let pair = self.pending(accept.account, admitted.source(), admitted.destination(), |pdu| {
                pdu.service_type == *admitted.service_type()
            })?;
            self.end_pending(&pair, Reason::Replaced, effects)?;
        }
        let id = self.ids.next(self.now);
        let shown = match shown {
            Some(shown) => shown,
            None if accept.short_id => self.shorten(id)?,
            None => id,
        };
        let state = match admitted.due() {
            Some(_) => State::Deferred,
            None if effects.has_room(&self.shared, accept.upstream, accept.account) => State::Ready,
            None => State::Queued,
        };
        if shown == id && self.fly(accept, id, state)? {
            self.sweeps.heed(admitted.expires());
            effects.push(&self.shared, accept.upstream, lane_message(accept, id, shown));
            return Ok(ClientOutcome::Accepted(shown));
        }
        fresh.push(Fresh { accept, id, shown, state });
        if let Some(open) = admitted.due().filter(|_| admitted.held()) {
            self.note_event(id, "held", &format!("closed hours until {open}"))?;
            // One that its client scheduled may not go before that time, whatever becomes of the hours.
            if SubmitSm::decode(admitted.body().clone())
                .is_ok_and(|pdu| pdu.schedule_delivery_time.is_empty())
            {
                self.note_hours(id)?;
            }
        }
        self.sweeps.heed(admitted.due());
        self.sweeps.heed(admitted.expires());
        match state {
            State::Ready => effects.push(&self.shared, accept.upstream, lane_message(accept, id, shown)),
            State::Queued => effects.spill(&self.shared, accept.upstream, accept.account),
            _ => {}
        }
        Ok(ClientOutcome::Accepted(shown))
    }

    /// Asks whether a message may be accepted, in the order of refusals: filters, credit, way. Nothing is taken yet;
    /// answers what it costs. `shadowed` hears of rules that are not enforced and would refuse it.
    pub(super) fn claim(
        &self,
        accept: &Accept,
        now: Timestamp,
        shadowed: impl FnMut(RuleId),
    ) -> Result<Credits, Denied> {
        let admitted = &accept.admitted;
        self.limits.check(admitted, now, shadowed)?;
        let total = admitted.price().times(u32::from(admitted.parts()));
        let total = total.ok_or(Refusal::InsufficientCredit)?;
        if let Err(no) = self.books.could_hold(accept.account, total, accept.max_queued) {
            return Err(self.not_held(accept.account, no.refusal()));
        }
        if admitted.route().is_none() {
            let cause = Some(Cause::number(admitted.destination().as_bytes()));
            return Err(Denied { refusal: Refusal::NoRoute, cause });
        }
        Ok(total)
    }

    /// A refusal by the books, with what the account has.
    fn not_held(&self, account: AccountId, refusal: Refusal) -> Denied {
        let available = self.books.available_and_floor(account).map(|(available, _)| available);
        let cause = available.filter(|_| refusal == Refusal::InsufficientCredit).map(Cause::Available);
        Denied { refusal, cause }
    }

    /// Gives a message a short id. One that a message under way has is passed over; one whose message has ended 2^32
    /// short ids ago goes to the new message.
    fn shorten(&mut self, id: MessageId) -> Result<MessageId, StoreError> {
        loop {
            self.last_short = self.last_short.wrapping_add(1);
            let Some(short) = MessageId::short(self.last_short) else { continue };
            let holder: Option<i64> = self
                .db
                .prepare_cached(
                    "SELECT short_id.message FROM short_id JOIN message ON message.id = short_id.message
                       WHERE short = ?1",
                )?
                .query_row([short.raw()], |row| row.get(0))
                .optional()?;
            // An account has at most 100 million messages under way: the loop ends.
            if holder.is_none() {
                self.db
                    .prepare_cached("INSERT OR REPLACE INTO short_id(message, short) VALUES(?1, ?2)")?
                    .execute([id.raw(), short.raw()])?;
                return Ok(short);
            }
        }
    }

    /// The message that a client means: the one whose short id that is, or the one with this very id.
    fn meant(&self, id: MessageId) -> Result<MessageId, StoreError> {
        Ok(unshortened(&self.db, id)?.unwrap_or(id))
    }

    fn standing(
        &self,
        account: AccountId,
        id: MessageId,
        source: &[u8],
    ) -> Result<Option<Standing>, StoreError> {
        let id = self.meant(id)?;
        if let Some(row) = self.flights.get(id) {
            let fits = row.account == account && row.source.as_bytes() == source;
            return Ok(fits.then(|| Standing {
                state: row.state,
                scheduled: false,
                done_at: row.end.map(|end| end.at),
                error: row.end.map_or(0, |end| end.error),
            }));
        }
        let mut find = self.db.prepare_cached(STANDING)?;
        let key = params![id.raw(), account.0, text_of(source)];
        Ok(find.query_row(key, standing_of).optional()?)
    }

    fn cancel(
        &mut self,
        account: AccountId,
        target: &CancelTarget,
        effects: &mut Effects,
    ) -> Result<u32, StoreError> {
        let ids = match target {
            CancelTarget::Id { id, source } => {
                self.land_own(account, *id)?;
                let mut find = self.db.prepare_cached(
                    "SELECT id FROM message WHERE account = ?2 AND src = ?3 AND (id = ?1 OR (shown = ?1 AND shown <> id))
                       AND state IN (0, 1, 3)",
                )?;
                let rows = find.query_map(params![id.raw(), account.0, text_of(source)], |row| row.get(0))?;
                rows.map(|id| id.map(MessageId::from_raw)).collect::<Result<_, _>>()?
            }
            CancelTarget::Pair { source, destination, service_type } => {
                self.pending(account, source, destination, |pdu| {
                    service_type.is_empty() || pdu.service_type.as_bytes() == &service_type[..]
                })?
            }
        };
        self.end_pending(&ids, Reason::Cancelled, effects)
    }

    /// Pending messages of an account from one address to another that `picks` names.
    fn pending(
        &mut self,
        account: AccountId,
        source: impl AsRef<[u8]>,
        destination: impl AsRef<[u8]>,
        picks: impl Fn(&SubmitSm) -> bool,
    ) -> Result<Vec<MessageId>, StoreError> {
        if !self.books.is_waiting(account) {
            return Ok(Vec::new());
        }
        self.land_pair(account, source.as_ref(), destination.as_ref())?;
        let mut find = self.db.prepare_cached(PENDING_PAIR)?;
        let mut rows =
            find.query(params![account.0, text_of(source.as_ref()), text_of(destination.as_ref())])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let pdu: Vec<u8> = row.get(1)?;
            if SubmitSm::decode(pdu.into()).is_ok_and(|pdu| picks(&pdu)) {
                ids.push(MessageId::from_raw(row.get(0)?));
            }
        }
        Ok(ids)
    }

    /// Ends messages that no consumer has taken; says how many. One that a bind holds right now cannot be stopped.
    fn end_pending(
        &mut self,
        ids: &[MessageId],
        reason: Reason,
        effects: &mut Effects,
    ) -> Result<u32, StoreError> {
        let mut ended = 0;
        for id in ids {
            if !self.take_out(*id, effects)? {
                continue;
            }
            let end = End { state: State::Deleted, reason, error: 0, at: self.now };
            self.end_message(*id, end, effects)?;
            ended += 1;
        }
        Ok(ended)
    }

    /// Takes a pending message out of its lane's memory; `false` when somebody else has it.
    pub(super) fn take_out(&mut self, id: MessageId, effects: &mut Effects) -> Result<bool, StoreError> {
        self.land(id)?;
        let mut find = self.db.prepare_cached("SELECT state, lane FROM message WHERE id = ?1")?;
        let found: Option<(i64, u32)> =
            find.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(match found {
            Some((state, lane)) if state == State::Ready.code() => {
                let lane = UpstreamId(lane);
                let mut taken = self.shared.upstream_lane(lane).remove(|message| message.id == id);
                taken.pop().map(|message| effects.took_out(lane, message)).is_some()
            }
            Some((state, _)) => state == State::Queued.code() || state == State::Deferred.code(),
            None => false,
        })
    }

    /// Puts another text in the place of a pending message's (SMPP 3.4 §4.10); data_coding and price stay.
    fn replace(&mut self, replace: &Replace, effects: &mut Effects) -> Result<ClientOutcome, StoreError> {
        const NOT_DONE: ClientOutcome = ClientOutcome::Replaced(false);
        let id = self.meant(replace.id)?;
        self.land_own(replace.account, id)?;
        let mut find = self.db.prepare_cached(
            "SELECT pdu, parts, lane, due FROM message WHERE id = ?1 AND account = ?2 AND src = ?3 AND state IN (0, 1, 3)",
        )?;
        let key = params![id.raw(), replace.account.0, text_of(&replace.source)];
        let found: Option<(Vec<u8>, u8, u32, Option<i64>)> =
            find.query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
        drop(find);
        let Some((pdu, parts, lane, due)) = found else { return Ok(NOT_DONE) };
        let Some(Rewritten { pdu, body, is_same }) = rewritten(pdu, parts, replace) else {
            return Ok(NOT_DONE);
        };
        // Who only changes when it goes was judged before.
        let claims = match if is_same { Ok(Vec::new()) } else { self.judge_text(replace, &pdu) } {
            Ok(claims) => claims,
            Err(denied) => return Ok(ClientOutcome::Refused(denied)),
        };
        if !self.take_out(id, effects)? {
            return Ok(NOT_DONE);
        }
        self.limits.take(&claims, self.now);
        let due = replace.due.map(|due| due.millis()).or(due.filter(|due| *due > self.now.millis()));
        let state = if due.is_some() { State::Deferred } else { State::Queued };
        self.db
            .prepare_cached(
                "UPDATE message SET pdu = ?2, wish = ?3, due = ?4, expires = coalesce(?5, expires), state = ?6
                   WHERE id = ?1",
            )?
            .execute(params![
                id.raw(),
                body,
                replace.registered_delivery,
                due,
                replace.expires.map(|end| end.millis()),
                state.code()
            ])?;
        self.note_event(id, "replaced", "the client put another text in its place")?;
        if replace.due.is_some() {
            self.forget_hours(id)?;
        }
        self.sweeps.heed(replace.due);
        self.sweeps.heed(replace.expires);
        if state == State::Queued {
            effects.spill(&self.shared, UpstreamId(lane), replace.account);
        }
        Ok(ClientOutcome::Replaced(true))
    }

    /// Asks what a new text must please, and that it is no duplicate. Nothing is taken yet.
    fn judge_text(&self, replace: &Replace, pdu: &SubmitSm) -> Result<Vec<Claim>, Denied> {
        let shared = &self.shared;
        let mut shadowed =
            |rule| shared.counters.shadowed.count(&shared.policy.load(), replace.account, rule);
        let mut desk = Desk::default();
        let judged = check_replacement(&replace.rules, replace.account, pdu, &mut desk);
        desk.take_shadowed().for_each(&mut shadowed);
        let claims = judged?;
        self.limits.check_claims(&claims, self.now, shadowed)?;
        Ok(claims)
    }
}

/// Writes as many rows as the statement takes.
fn write_rows(insert: &mut Statement<'_>, rows: &[Fresh<'_>]) -> Result<(), StoreError> {
    for (at, Fresh { accept, id, shown, state }) in rows.iter().enumerate() {
        let admitted = &accept.admitted;
        let values: [&dyn ToSql; COLUMNS] = [
            &id.raw(),
            &shown.raw(),
            &accept.account.0,
            &accept.credential.0,
            &text_of(admitted.source().as_bytes()),
            &text_of(admitted.destination().as_bytes()),
            &&admitted.body()[..],
            &admitted.registered_delivery().0,
            &admitted.parts(),
            &admitted.price().micro(),
            &admitted.priority(),
            &admitted.route().map_or(0, |route| route.0),
            &accept.upstream.0,
            &state.code(),
            &admitted.due().map(|due| due.millis()),
            &admitted.expires().map(|end| end.millis()),
        ];
        for (column, value) in values.into_iter().enumerate() {
            insert.raw_bind_parameter(at * COLUMNS + column + 1, value)?;
        }
    }
    insert.raw_execute()?;
    Ok(())
}

/// A message with its new text.
struct Rewritten {
    pdu: SubmitSm,
    body: Vec<u8>,
    /// Whether the text is the one that it had.
    is_same: bool,
}

/// A message with its new text, if that takes exactly as many segments as were paid for.
fn rewritten(old: Vec<u8>, parts: u8, replace: &Replace) -> Option<Rewritten> {
    let mut pdu = SubmitSm::decode(old.into()).ok()?;
    let is_same = *pdu.user_data() == replace.short_message;
    pdu.short_message = replace.short_message.clone();
    pdu.tlvs.remove(smpp_proto::field::Tag::MESSAGE_PAYLOAD);
    pdu.registered_delivery = smpp_proto::field::RegisteredDelivery(replace.registered_delivery);
    let data = crate::policy::admit::user_data(&pdu).ok()?;
    let counted = smpp_proto::text::count(&data, smpp_proto::text::Width::Eight).ok()?;
    if counted.segments != parts {
        return None;
    }
    let mut out = bytes::BytesMut::new();
    pdu.encode(&mut out, 0).ok()?;
    let body = out.get(Header::LENGTH..)?.to_vec();
    Some(Rewritten { pdu, body, is_same })
}

fn lane_message(accept: &Accept, id: MessageId, shown: MessageId) -> Message {
    let admitted = &accept.admitted;
    Message {
        id,
        shown,
        account: accept.account,
        credential: accept.credential,
        pdu: admitted.body().clone(),
        parts: admitted.parts(),
        parts_sent: 0,
        price: admitted.price(),
        route: admitted.route().unwrap_or(RouteId(0)),
        priority: admitted.priority(),
        attempts: 0,
        in_doubt: false,
        expires: admitted.validity_end(),
        tried: Vec::new(),
        looks: 0,
    }
}

/// The message whose short id this is, wherever it stands; nothing for an id that is not short, or nobody's.
pub(in crate::store) fn unshortened(db: &Connection, id: MessageId) -> Result<Option<MessageId>, StoreError> {
    if !id.is_short() {
        return Ok(None);
    }
    let mut find = db.prepare_cached("SELECT message FROM short_id WHERE short = ?1")?;
    Ok(find.query_row([id.raw()], |row| row.get(0).map(MessageId::from_raw)).optional()?)
}

/// The store cannot write: every request of the batch hears so.
pub(super) fn refuse_all(batch: &ClientBatch) {
    let outcome = |request: &ClientRequest| match request {
        ClientRequest::Accept(a) => (a.tag, ClientOutcome::Refused(Refusal::StoreUnavailable.into())),
        ClientRequest::Query { tag, .. } | ClientRequest::Cancel { tag, .. } => {
            (*tag, ClientOutcome::Refused(Refusal::StoreUnavailable.into()))
        }
        ClientRequest::Replace(r) => (r.tag, ClientOutcome::Refused(Refusal::StoreUnavailable.into())),
    };
    let answers = batch.requests.iter().map(outcome).map(|(tag, outcome)| ClientAnswer { tag, outcome });
    // A session that has gone gets nothing.
    let _ = batch.reply.try_send(answers.collect());
}
