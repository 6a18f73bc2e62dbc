//! How a message ends: its state, its money and its receipt change together.

use bytes::Bytes;
use rusqlite::{OptionalExtension, Row, params};
use smpp_proto::field::RegisteredDelivery;

use crate::account::{AccountId, CredentialId, Credits, ReceiptWish};
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, End, MessageId, Owed, Reason, Settlement, State, receipt};
use crate::store::StoreError;
use crate::store::journal::Ended;
use crate::store::schema::{event, inbound, owed};
use crate::store::writer::Writer;
use crate::store::writer::effects::Effects;

/// What settling needs to know of a message.
pub(in crate::store::writer) struct Standing {
    pub(in crate::store::writer) id: MessageId,
    pub(in crate::store::writer) shown: MessageId,
    pub(in crate::store::writer) account: AccountId,
    pub(in crate::store::writer) credential: CredentialId,
    pub(in crate::store::writer) pdu: Bytes,
    pub(in crate::store::writer) wish: RegisteredDelivery,
    pub(in crate::store::writer) parts: u8,
    pub(in crate::store::writer) price: Credits,
    pub(in crate::store::writer) state: State,
}

impl Standing {
    pub(in crate::store::writer) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: MessageId::from_raw(row.get(0)?),
            shown: MessageId::from_raw(row.get(1)?),
            account: AccountId(row.get(2)?),
            credential: CredentialId(row.get(3)?),
            pdu: row.get::<_, Vec<u8>>(4)?.into(),
            wish: RegisteredDelivery(row.get(5)?),
            parts: row.get(6)?,
            price: Credits::from_micro(row.get(7)?),
            state: State::from_code(row.get(8)?).unwrap_or(State::Unknown),
        })
    }
}

impl Writer {
    pub(in crate::store::writer) fn find_standing(
        &self,
        id: MessageId,
    ) -> Result<Option<Standing>, StoreError> {
        if let Some(row) = self.flights.get(id) {
            return Ok(Some(row.into()));
        }
        let mut find = self.db.prepare_cached(BY_ID)?;
        Ok(find.query_row([id.raw()], Standing::read).optional()?)
    }

    /// Ends a message whole. Nothing happens to one that has ended already.
    pub(in crate::store::writer) fn end_message(
        &mut self,
        id: MessageId,
        end: End,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        match self.find_standing(id)? {
            Some(standing) if !standing.state.is_end() => {
                self.end_standing(&standing, end, effects)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Ends a message that was just read. When parts of it ended before, their ends count.
    pub(in crate::store::writer) fn end_standing(
        &mut self,
        standing: &Standing,
        end: End,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if standing.parts > 1 && self.has_parts(standing.id)? {
            for part in 1..=standing.parts {
                if self.end_part(standing, part, end, effects)? {
                    break;
                }
            }
            return Ok(());
        }
        let held = standing.price.times(u32::from(standing.parts)).unwrap_or_default();
        let settlement = end.settle(held, self.books.undelivered(standing.account));
        self.finish(standing, end, settlement, effects)
    }

    /// Ends one part, and the message when it was the last. Nothing happens to a part that has ended already. Says whether
    /// the message goes on instead: then its parts are none any more.
    pub(in crate::store::writer) fn end_part(
        &mut self,
        standing: &Standing,
        part: u8,
        end: End,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let changed = self
            .db
            .prepare_cached(
                "INSERT INTO part(message, part, state, upstream, upstream_id, done_at, reason, error)
                   VALUES(?1, ?2, ?3, 0, x'', ?4, ?5, ?6)
                 ON CONFLICT(message, part) DO UPDATE SET state = excluded.state, done_at = excluded.done_at,
                   reason = excluded.reason, error = excluded.error WHERE state < ?7",
            )?
            .execute(params![
                standing.id.raw(),
                part,
                end.state.code(),
                end.at.millis(),
                end.reason.code(),
                end.error,
                State::FIRST_END
            ])?;
        if changed == 0 {
            return Ok(false);
        }
        let wish = self.receipt_wish(standing.credential);
        if wish == ReceiptWish::Every && receipt::is_due(standing.wish, end.state) {
            self.owe_inbound(standing, inbound::RECEIPT, end.state, end.error, end.at, effects)?;
        }
        match self.sum_of_parts(standing, end, wish)? {
            // Who was told of each part cannot be told of them anew; and what was cancelled or is too late goes nowhere,
            // whatever an operator said of the other parts.
            Some((whole, _))
                if wish != ReceiptWish::Every
                    && end.is_by_operator()
                    && self.fail_over(standing, &whole, None, effects)? =>
            {
                return Ok(true);
            }
            Some((whole, settlement)) => self.finish(standing, whole, settlement, effects)?,
            None => self.decide_parts(standing)?,
        }
        Ok(false)
    }

    /// When every part is with the operator or ended, nothing of the message waits for its turn any more.
    fn decide_parts(&mut self, standing: &Standing) -> Result<(), StoreError> {
        let changed =
            self.db.prepare_cached(DECIDED)?.execute(params![standing.id.raw(), State::Sent.code()])?;
        if changed > 0 {
            self.books.left(standing.account);
        }
        Ok(())
    }

    /// The end of the whole message, when no part is open any more: the worst of them, or the last to come.
    fn sum_of_parts(
        &self,
        standing: &Standing,
        last: End,
        wish: ReceiptWish,
    ) -> Result<Option<(End, Settlement)>, StoreError> {
        let charge = self.books.undelivered(standing.account);
        let mut find =
            self.db.prepare_cached("SELECT state, reason, error, done_at FROM part WHERE message = ?1")?;
        let mut rows = find.query([standing.id.raw()])?;
        let (mut ended, mut worst) = (0_u8, last);
        let mut sum = Settlement { post: Credits::ZERO, void: Credits::ZERO };
        while let Some(row) = rows.next()? {
            let state = State::from_code(row.get(0)?).unwrap_or(State::Unknown);
            if !state.is_end() {
                return Ok(None);
            }
            let reason = Reason::from_code(row.get(1)?).unwrap_or(Reason::Receipt);
            let end = End { state, reason, error: row.get(2)?, at: Timestamp::from_millis(row.get(3)?) };
            let one = end.settle(standing.price, charge);
            sum.post = sum.post.plus(one.post).unwrap_or_default();
            sum.void = sum.void.plus(one.void).unwrap_or_default();
            if wish != ReceiptWish::Last && end.state.badness() > worst.state.badness() {
                worst = end;
            }
            ended += 1;
        }
        Ok((ended >= standing.parts).then_some((End { at: last.at, ..worst }, sum)))
    }

    /// State, money and receipt, in one go.
    fn finish(
        &mut self,
        standing: &Standing,
        end: End,
        settlement: Settlement,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let every = standing.parts > 1 && self.receipt_wish(standing.credential) == ReceiptWish::Every;
        let had_parts = every && self.has_parts(standing.id)?;
        let due = receipt::is_due(standing.wish, end.state) && !had_parts;
        let owes = match due {
            false => owed::NOTHING,
            true if effects.has_room_for_delivery(&self.shared, standing.account, None) => owed::READY,
            true => owed::SPILLED,
        };
        if owes == owed::SPILLED {
            self.land(standing.id)?;
        }
        if self.flights.get(standing.id).is_some() {
            let ended =
                Ended { at: end.at, reason: end.reason.code(), error: end.error, posted: settlement.post };
            self.flights.ended(standing.id, end.state, ended, owes)?;
        } else {
            self.db.prepare_cached(FINISH)?.execute(params![
                standing.id.raw(),
                end.state.code(),
                end.at.millis(),
                end.reason.code(),
                end.error,
                settlement.post.micro(),
                owes
            ])?;
        }
        self.books.settle(standing.account, settlement)?;
        if standing.state < State::Sent {
            self.books.left(standing.account);
        }
        match owes {
            owed::READY => effects.owe(
                &self.shared,
                Delivery {
                    key: DeliveryKey::Receipt(standing.id),
                    account: standing.account,
                    receiver: None,
                    attempts: 0,
                    expires: end.at + self.shared.settings.owed_for,
                    content: Owed::Receipt {
                        shown: standing.shown,
                        accepted_at: standing.id.accepted_at(),
                        credential: standing.credential,
                        pdu: standing.pdu.clone(),
                        state: end.state,
                        error: end.error,
                        done_at: end.at,
                        is_final: true,
                    },
                },
            ),
            owed::SPILLED => effects.spill_owed(&self.shared, standing.account, None),
            _ => self.may_move(standing.id, effects)?,
        }
        Ok(())
    }

    pub(super) fn has_parts(&self, id: MessageId) -> Result<bool, StoreError> {
        let mut find = self.db.prepare_cached("SELECT 1 FROM part WHERE message = ?1 LIMIT 1")?;
        Ok(find.exists([id.raw()])?)
    }

    pub(in crate::store::writer) fn receipt_wish(&self, credential: CredentialId) -> ReceiptWish {
        let policy = self.shared.policy.load();
        policy.credential_by_id(credential).map(|c| c.bounds.receipts).unwrap_or_default()
    }

    /// Writes down something abnormal for the trace.
    pub(in crate::store::writer) fn note_event(
        &mut self,
        id: MessageId,
        kind: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        self.db.prepare_cached(event::NOTE)?.execute(params![id.raw(), self.now.millis(), kind, detail])?;
        Ok(())
    }
}

const BY_ID: &str =
    "SELECT id, shown, account, credential, pdu, wish, parts, price, state FROM message WHERE id = ?1";
const FINISH: &str =
    "UPDATE message SET state = ?2, done_at = ?3, reason = ?4, error = ?5, posted = ?6, owed = ?7,
  due = NULL WHERE id = ?1";
const DECIDED: &str = "UPDATE message SET state = ?2, due = NULL WHERE id = ?1 AND state < ?2
  AND (SELECT count(*) FROM part WHERE part.message = ?1) >= parts";
