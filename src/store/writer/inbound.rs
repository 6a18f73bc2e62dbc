//! What is owed to clients besides final receipts, and what their receivers answered.

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};

use super::Writer;
use super::effects::Effects;
use super::settle::Standing;
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, MessageId, Owed, State};
use crate::store::StoreError;
use crate::store::command::{Answered, Delivered};
use crate::store::schema::{inbound, owed};

impl Writer {
    /// Stores a message from a phone for its account.
    pub(super) fn store_mo(
        &mut self,
        account: AccountId,
        pdu: &Bytes,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let id = self.ids.next(self.now);
        let owes = self.place_owed(account, effects);
        self.db
            .prepare_cached("INSERT INTO inbound(id, account, kind, pdu, owed) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute(params![id.raw(), account.0, inbound::MO, &pdu[..], owes])?;
        if owes == owed::READY {
            effects.owe(Delivery {
                key: DeliveryKey::Inbound(id),
                account,
                attempts: 0,
                expires: self.now + self.shared.settings.owed_for,
                content: Owed::Mo { pdu: pdu.clone() },
            });
        }
        Ok(())
    }

    /// Stores the receipt of one part or an intermediate notification.
    pub(super) fn owe_inbound(
        &mut self,
        standing: &Standing,
        kind: i64,
        state: State,
        error: u32,
        at: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let id = self.ids.next(self.now);
        let owes = self.place_owed(standing.account, effects);
        self.db
            .prepare_cached(
                "INSERT INTO inbound(id, account, kind, about, credential, pdu, state, error, done_at, owed, shown)
                   VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                id.raw(),
                standing.account.0,
                kind,
                standing.id.raw(),
                standing.credential.0,
                standing.pdu,
                state.code(),
                error,
                at.millis(),
                owes,
                (standing.shown != standing.id).then_some(standing.shown.raw())
            ])?;
        if owes == owed::READY {
            effects.owe(Delivery {
                key: DeliveryKey::Inbound(id),
                account: standing.account,
                attempts: 0,
                expires: self.now + self.shared.settings.owed_for,
                content: Owed::Receipt {
                    shown: standing.shown,
                    accepted_at: standing.id.accepted_at(),
                    credential: standing.credential,
                    pdu: standing.pdu.clone().into(),
                    state,
                    error,
                    done_at: at,
                    is_final: kind == inbound::RECEIPT,
                },
            });
        }
        Ok(())
    }

    fn place_owed(&self, account: AccountId, effects: &mut Effects) -> i64 {
        if effects.has_room_for_delivery(&self.shared.account_lane(account), account) {
            owed::READY
        } else {
            effects.spill_owed(account);
            owed::SPILLED
        }
    }

    /// What receivers answered to what was owed.
    pub(super) fn answered(&mut self, answers: &[Answered], effects: &mut Effects) -> Result<(), StoreError> {
        for answer in answers {
            match answer.outcome {
                Delivered::Done(at) => self.owed_ends(answer.key, owed::ANSWERED, at, effects)?,
                Delivered::Dropped(at) => self.owed_ends(answer.key, owed::DROPPED, at, effects)?,
                Delivered::Again { due } => self.owe_again(answer.key, due)?,
            }
        }
        Ok(())
    }

    fn owed_ends(
        &mut self,
        key: DeliveryKey,
        how: i64,
        at: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        match key {
            DeliveryKey::Receipt(id) => {
                let changed =
                    self.db.prepare_cached(RECEIPT_ENDS)?.execute(params![id.raw(), how, at.millis()])?;
                if changed > 0 {
                    effects.move_to_history(id);
                }
            }
            DeliveryKey::Inbound(id) => self.inbound_ends(id, how)?,
        }
        Ok(())
    }

    fn inbound_ends(&self, id: MessageId, how: i64) -> Result<(), StoreError> {
        let mut remove = self.db.prepare_cached("DELETE FROM inbound WHERE id = ?1 RETURNING about, kind")?;
        let gone: Option<(Option<i64>, i64)> =
            remove.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((Some(about), kind)) = gone {
            let what = if kind == inbound::RECEIPT {
                "the receipt of a part"
            } else {
                "an intermediate notification"
            };
            let word = if how == owed::ANSWERED { "was taken by the client" } else { "was dropped" };
            self.note_event(MessageId::from_raw(about), "told", &format!("{what} {word}"))?;
        }
        Ok(())
    }

    fn owe_again(&mut self, key: DeliveryKey, due: Timestamp) -> Result<(), StoreError> {
        let (sql, id) = match key {
            DeliveryKey::Receipt(id) => (RECEIPT_AGAIN, id),
            DeliveryKey::Inbound(id) => (INBOUND_AGAIN, id),
        };
        self.db.prepare_cached(sql)?.execute(params![id.raw(), owed::LATER, due.millis()])?;
        self.sweeps.heed(Some(due));
        Ok(())
    }
}

const RECEIPT_ENDS: &str =
    "UPDATE message SET owed = ?2, answered_at = ?3 WHERE id = ?1 AND owed IN (1, 2, 3)";
const RECEIPT_AGAIN: &str = "UPDATE message SET owed = ?2, owed_due = ?3, owed_attempts = owed_attempts + 1
  WHERE id = ?1 AND owed IN (1, 2, 3)";
const INBOUND_AGAIN: &str = "UPDATE inbound SET owed = ?2, owed_due = ?3, owed_attempts = owed_attempts + 1
  WHERE id = ?1";
