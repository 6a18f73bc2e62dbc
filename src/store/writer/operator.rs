//! What happens at operators: messages taken, put off, refused, in doubt; receipts that come back.

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use smpp_proto::field::COctets;

use super::effects::Effects;
use super::inbound::UNDECIDED;
use super::message::{PAST, Standing};
use super::{Counters, Writer};
use crate::clock::Timestamp;
use crate::message::{End, IdForm, MessageId, Owed, Reason, State, UpstreamId, receipt};
use crate::store::StoreError;
use crate::store::command::{Kept, Note, OperatorBatch, Report};
use crate::store::journal::Sent;
use crate::store::schema::{inbound, text_of};

/// Where a message was found that an operator's id names.
struct Found {
    standing: Standing,
    /// 0 for a message of one part.
    part: u8,
    /// Whether the operator has it no longer.
    is_past: bool,
}

impl Writer {
    pub(super) fn operator(
        &mut self,
        batch: &OperatorBatch,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut tags = Vec::new();
        for note in &batch.notes {
            match note {
                Note::Sending { message, tag } => {
                    self.set_state(*message, State::Sending)?;
                    tags.push(*tag);
                }
                Note::Taken { message, part, id, receipt_expected, at } => {
                    let taken =
                        Taken { message: *message, part: *part, id, expected: *receipt_expected, at: *at };
                    self.taken(batch.upstream, &taken, effects)?;
                }
                Note::Later { message, due, upstream, error, in_doubt } => {
                    self.put_off(batch.upstream, *message, *due, *upstream, *error, *in_doubt)?;
                }
                Note::Held { message, until } => self.hold_back(*message, *until)?,
                Note::Move { message, upstream } => {
                    self.move_lane(*message, batch.upstream, *upstream, effects)?;
                }
                Note::Doubt { message, until } => self.doubt(*message, *until)?,
                Note::Ended { message, part, end } => self.ended(*message, *part, *end, effects)?,
                Note::Receipt { tag, report } => {
                    self.receipt(batch.upstream, report, effects)?;
                    tags.push(*tag);
                }
                Note::Mo { tag, taker, pdu } => {
                    self.store_mo(*taker, Owed::Mo { pdu: pdu.clone() }, effects)?;
                    tags.push(*tag);
                }
                Note::MoData { tag, taker, pdu } => {
                    self.store_mo(*taker, Owed::MoData { pdu: pdu.clone() }, effects)?;
                    tags.push(*tag);
                }
                Note::MoPart { tag, account, part, pdu } => {
                    let account = account.unwrap_or(UNDECIDED);
                    self.store_mo_part(batch.upstream, account, part, pdu, effects)?;
                    tags.push(*tag);
                }
            }
        }
        if let Some(reply) = &batch.reply {
            effects.keep(reply, tags);
        }
        Ok(())
    }

    fn set_state(&mut self, id: MessageId, state: State) -> Result<(), StoreError> {
        self.land(id)?;
        self.db
            .prepare_cached("UPDATE message SET state = ?2 WHERE id = ?1 AND state < 5")?
            .execute(params![id.raw(), state.code()])?;
        Ok(())
    }

    fn taken(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let Some((parts, account)) = self.open_message(taken.message)? else {
            return self.taken_again(upstream, taken, effects);
        };
        let sent = Sent { name: COctets::from(Bytes::copy_from_slice(taken.id)), at: taken.at };
        if !self.take_flight(taken.message, upstream, sent)? {
            self.db.prepare_cached(TAKEN)?.execute(params![
                taken.message.raw(),
                upstream.0,
                taken.id,
                taken.at.millis()
            ])?;
        }
        if parts > 1 && taken.part > 0 {
            self.part_taken(upstream, taken, parts, account, effects)?;
        } else {
            if parts > 1 {
                // All parts went in one PDU: the look-up by id leaves long messages to their aliases.
                self.add_alias(upstream, taken.id, taken.message, 0, effects)?;
            }
            self.books.left(crate::account::AccountId(account));
        }
        self.give_names(upstream, taken, u8::from(parts > 1) * taken.part, effects)?;
        if !taken.expected {
            let end = End { state: State::Accepted, reason: Reason::NoReceiptAsked, error: 0, at: taken.at };
            self.ended(taken.message, if parts > 1 { taken.part } else { 0 }, end, effects)?;
        }
        self.match_parked(upstream, taken, effects)
    }

    /// Parts and account of a message that no operator has; RETURNING would cost a temporary table for each.
    fn open_message(&self, id: MessageId) -> Result<Option<(u8, u32)>, StoreError> {
        if let Some(row) = self.flights.get(id) {
            return Ok((row.state < State::Sent).then_some((1, row.account.0)));
        }
        let mut find =
            self.db.prepare_cached("SELECT parts, account FROM message WHERE id = ?1 AND state < 5")?;
        Ok(find.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// A part of a long message: the message itself is sent when its last part is.
    fn part_taken(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        parts: u8,
        account: u32,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO part(message, part, state, upstream, upstream_id, sent_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT(message, part) DO UPDATE SET upstream = excluded.upstream,
                   upstream_id = excluded.upstream_id, sent_at = excluded.sent_at",
            )?
            .execute(params![
                taken.message.raw(),
                taken.part,
                State::Sent.code(),
                upstream.0,
                taken.id,
                taken.at.millis()
            ])?;
        self.add_alias(upstream, taken.id, taken.message, taken.part.into(), effects)?;
        let mut count = self.db.prepare_cached("SELECT count(*) FROM part WHERE message = ?1")?;
        let sent: u8 = count.query_row([taken.message.raw()], |row| row.get(0))?;
        if sent < parts {
            // Not all are with the operator yet: it stays where it is.
            self.db
                .prepare_cached("UPDATE message SET state = ?2, upstream_id = NULL WHERE id = ?1")?
                .execute(params![taken.message.raw(), State::Ready.code()])?;
        } else {
            self.books.left(crate::account::AccountId(account));
        }
        Ok(())
    }

    /// It was taken although it stood as sent or ended: a duplicate after a doubt. Its new id is remembered.
    fn taken_again(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let Some(standing) = self.find_standing(taken.message)? else { return Ok(()) };
        let part = if standing.parts > 1 { taken.part } else { 0 };
        self.add_alias(upstream, taken.id, taken.message, part.into(), effects)?;
        self.note_event(taken.message, "taken_again", &format!("as {}", taken.id.escape_ascii()))
    }

    /// Other names under which a receipt may come for it.
    fn give_names(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        part: u8,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let form = self.shared.upstreams.load().traits(upstream).id_form;
        if let Some(folded) = form.folded_response(taken.id) {
            self.add_alias(upstream, &folded, taken.message, part.into(), effects)?;
        }
        Ok(())
    }

    pub(super) fn add_alias(
        &mut self,
        upstream: UpstreamId,
        name: &[u8],
        message: MessageId,
        part: i16,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if name.is_empty() {
            return Ok(());
        }
        self.land(message)?;
        // An operator that gives the same id twice means the newer message.
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO alias(upstream, name, message, part) VALUES(?1, ?2, ?3, ?4)",
            )?
            .execute(params![upstream.0, name, message.raw(), part])?;
        effects.aliases += 1;
        // Within this transaction too.
        self.aliases = self.aliases.max(1);
        Ok(())
    }

    /// Ends one part (from 1) or everything that is open (0).
    fn ended(&mut self, id: MessageId, part: u8, end: End, effects: &mut Effects) -> Result<(), StoreError> {
        let Some(standing) = self.find_standing(id)? else { return Ok(()) };
        if standing.state.is_end() {
            return Ok(());
        }
        if part == 0 || standing.parts == 1 {
            if self.fail_over(&standing, &end, None, effects)? {
                return Ok(());
            }
            self.end_standing(&standing, end, effects)
        } else {
            self.end_part(&standing, part, end, effects).map(|_| ())
        }
    }

    fn receipt(
        &mut self,
        upstream: UpstreamId,
        report: &Report,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let found = match self.find_by_operator_id(upstream, report)? {
            Some(found) => Some(found),
            None => self.find_in_doubt(upstream, report, effects)?,
        };
        match found {
            Some(found) => self.apply_report(upstream, &found, report, effects),
            None => self.park(upstream, report, effects),
        }
    }

    fn apply_report(
        &mut self,
        upstream: UpstreamId,
        found: &Found,
        report: &Report,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let standing = &found.standing;
        if found.is_past {
            return self.tell_late(upstream, standing.id, report);
        }
        if standing.state.is_end() {
            Counters::add(&self.shared.counters.receipts_repeated, 1);
            return Ok(());
        }
        // Receipts tell time by the minute, and clocks differ: what cannot be is now.
        let possible = standing.id.accepted_at()..=self.now;
        let at = if possible.contains(&report.done_at) { report.done_at } else { self.now };
        let state = report.state;
        if !state.is_end() {
            if standing.wish.intermediate() {
                self.owe_inbound(standing, inbound::INTERMEDIATE, state, report.error, at, effects)?;
            }
            let shown = state.on_the_way();
            return self.note_event(standing.id, "intermediate", shown.name().unwrap_or("ENROUTE"));
        }
        let end = End { state, reason: Reason::Receipt, error: report.error, at };
        if found.part == 0 {
            if self.fail_over(standing, &end, Some(upstream), effects)? {
                return Ok(());
            }
            self.end_standing(standing, end, effects)
        } else {
            self.end_part(standing, found.part, end, effects).map(|_| ())
        }
    }

    /// Exactly as it stands first, then under the readings that the operator's id form allows.
    fn find_by_operator_id(
        &self,
        upstream: UpstreamId,
        report: &Report,
    ) -> Result<Option<Found>, StoreError> {
        if let Some(found) = self.find_by_name(upstream, &report.id)? {
            return Ok(Some(found));
        }
        let form = self.shared.upstreams.load().traits(upstream).id_form;
        for name in form.other_readings(&report.id) {
            if let Some(found) = self.find_by_name(upstream, &name)?
                && self.is_meant(form, found.standing.id, &report.about)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether a receipt may be a message's whose id it bears in another reading only. A guessed reading can be the
    /// id of another message: the number must be the message's too. Operators that do not swap the addresses show
    /// its source instead.
    fn is_meant(&self, form: IdForm, message: MessageId, about: &[u8]) -> Result<bool, StoreError> {
        if form != IdForm::Auto || about.is_empty() {
            return Ok(true);
        }
        let about = text_of(about);
        let fits = |to: &str, from: &str| receipt::is_same_number(&about, to) || from == about;
        if let Some(row) = self.flights.get(message) {
            return Ok(fits(&text_of(row.destination.as_bytes()), &text_of(row.source.as_bytes())));
        }
        let mut find = self.db.prepare_cached("SELECT dst, src FROM message WHERE id = ?1")?;
        let found: Option<(String, String)> =
            find.query_row([message.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found.is_some_and(|(to, from)| fits(&to, &from)))
    }

    fn find_by_name(&self, upstream: UpstreamId, name: &[u8]) -> Result<Option<Found>, StoreError> {
        let flying = self.flights.named(upstream, name).map(Standing::from);
        if flying.as_ref().is_some_and(|standing| standing.state == State::Sent) {
            return Ok(flying.map(|standing| Found { standing, part: 0, is_past: false }));
        }
        let mut find = self.db.prepare_cached(AT_OPERATOR)?;
        let whole = find.query_row(params![name, upstream.0], Standing::read).optional()?.or(flying);
        // A long message bears the id of its last part too; the parts are found by their aliases below.
        if let Some(standing) = whole.filter(|standing| standing.parts == 1) {
            return Ok(Some(Found { standing, part: 0, is_past: false }));
        }
        if self.aliases == 0 {
            return Ok(None);
        }
        let mut find =
            self.db.prepare_cached("SELECT message, part FROM alias WHERE upstream = ?1 AND name = ?2")?;
        let found: Option<(i64, i16)> =
            find.query_row(params![upstream.0, name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((message, part)) = found else { return Ok(None) };
        let standing = self.find_standing(MessageId::from_raw(message))?;
        let found =
            |standing| Found { standing, part: u8::try_from(part).unwrap_or(0), is_past: part == PAST };
        Ok(standing.map(found))
    }

    /// The one message in doubt at this operator that went to the receipt's number: it did arrive. With two of them
    /// nobody can say which it was.
    fn find_in_doubt(
        &mut self,
        upstream: UpstreamId,
        report: &Report,
        effects: &mut Effects,
    ) -> Result<Option<Found>, StoreError> {
        let mut find = self.db.prepare_cached(IN_DOUBT_AT)?;
        let found = find.query_map(params![upstream.0, text_of(&report.about)], Standing::read)?;
        let mut candidates = found.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        if candidates.len() != 1 {
            return Ok(None);
        }
        let Some(standing) = candidates.pop() else { return Ok(None) };
        let taken = Taken { message: standing.id, part: 1, id: &report.id, expected: true, at: self.now };
        self.note_event(standing.id, "doubt_ended", "a receipt for its number came: it had arrived")?;
        self.taken(upstream, &taken, effects)?;
        Ok(self.find_standing(standing.id)?.map(|standing| Found { standing, part: 0, is_past: false }))
    }

    /// Keeps a receipt whose submit was not answered yet.
    fn park(
        &mut self,
        upstream: UpstreamId,
        report: &Report,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let until = self.now + self.shared.upstreams.load().traits(upstream).park;
        self.db
            .prepare_cached(
                "INSERT INTO parked(upstream, name, about, until, ends, error, done_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                upstream.0,
                &report.id[..],
                &report.about[..],
                until.millis(),
                report.state.code(),
                report.error,
                report.done_at.millis()
            ])?;
        effects.parked += 1;
        self.parked = self.parked.max(1);
        self.sweeps.heed(Some(until));
        Ok(())
    }

    /// Receipts that came before the answer to this submit.
    fn match_parked(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if self.parked == 0 {
            return Ok(());
        }
        for report in self.unpark(upstream, taken, effects)? {
            let Some(found) = self.find_by_operator_id(upstream, &report)? else { continue };
            Counters::add(&self.shared.counters.parked_matched, 1);
            self.note_event(
                taken.message,
                "early_receipt",
                &format!("the receipt of {} came before the answer to its submit", report.id.escape_ascii()),
            )?;
            self.apply_report(upstream, &found, &report, effects)?;
        }
        Ok(())
    }

    /// Takes out parked receipts whose id, in any reading of the operator's form, is that of the message.
    fn unpark(
        &mut self,
        upstream: UpstreamId,
        taken: &Taken<'_>,
        effects: &mut Effects,
    ) -> Result<Vec<Report>, StoreError> {
        let id = taken.id;
        let form = self.shared.upstreams.load().traits(upstream).id_form;
        let folded = form.folded_response(id);
        let mut find = self.db.prepare_cached(
            "SELECT id, name, about, ends, error, done_at FROM parked WHERE upstream = ?1 AND name = ?2 ORDER BY id",
        )?;
        let (mut reports, mut places) = (Vec::new(), Vec::<i64>::new());
        for name in form.early_names(id) {
            let meant = name == id
                || form.other_readings(&name).iter().any(|r| r == id || Some(r) == folded.as_ref());
            let mut rows = find.query(params![upstream.0, name])?;
            while let Some(row) = rows.next()?.filter(|_| meant) {
                let about: Vec<u8> = row.get(2)?;
                if name != id && !self.is_meant(form, taken.message, &about)? {
                    continue;
                }
                places.push(row.get(0)?);
                let end: Option<i64> = row.get(3)?;
                reports.push(Report {
                    id: Bytes::from(row.get::<_, Vec<u8>>(1)?),
                    about: about.into(),
                    state: end.and_then(State::from_code).unwrap_or(State::Sent),
                    error: row.get(4)?,
                    done_at: Timestamp::from_millis(row.get(5)?),
                });
            }
        }
        drop(find);
        for place in places {
            self.db.prepare_cached("DELETE FROM parked WHERE id = ?1")?.execute([place])?;
            effects.parked -= 1;
        }
        Ok(reports)
    }
}

/// An operator's answer to a submit.
struct Taken<'a> {
    message: MessageId,
    part: u8,
    id: &'a [u8],
    expected: bool,
    at: Timestamp,
}

/// The store cannot write: for what has a tag the operator hears "later" and sends it again. The rest, which nobody
/// else remembers, is given back.
pub(super) fn refuse(mut batch: OperatorBatch) -> OperatorBatch {
    let mut tags = Vec::new();
    batch.notes.retain(|note| match note {
        Note::Sending { tag, .. }
        | Note::Receipt { tag, .. }
        | Note::Mo { tag, .. }
        | Note::MoPart { tag, .. }
        | Note::MoData { tag, .. } => {
            tags.push(*tag);
            false
        }
        _ => true,
    });
    if let Some(reply) = batch.reply.take() {
        // A bind that has gone gets nothing.
        let _ = reply.try_send(Kept { tags, durable: false });
    }
    batch
}

const TAKEN: &str = "UPDATE message SET state = 5, lane = ?2, upstream_id = ?3, sent_at = ?4, due = NULL
  WHERE id = ?1";
const AT_OPERATOR: &str = "SELECT id, shown, account, credential, pdu, wish, parts, price, state FROM message
  WHERE upstream_id = ?1 AND lane = ?2 ORDER BY state = 5 DESC, id DESC LIMIT 1";
/// Long messages are left out: a receipt does not say which of their parts it means.
const IN_DOUBT_AT: &str = "SELECT id, shown, account, credential, pdu, wish, parts, price, state FROM message
  WHERE state = 4 AND lane = ?1 AND dst = ?2 AND parts = 1 LIMIT 2";
