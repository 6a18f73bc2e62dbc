//! What is owed to clients besides final receipts, and what their receivers answered.

mod freed;
mod gone;
mod parts;
mod wishes;

pub(super) use freed::free_rows;
pub(super) use parts::UNDECIDED;

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use gone::Whose;

use super::Writer;
use super::effects::Effects;
use super::message::Standing;
use crate::account::{AccountId, CredentialId};
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, MessageId, Owed, State};
use crate::policy::Taker;
use crate::store::StoreError;
use crate::store::command::{Answered, Delivered};
use crate::store::schema::{inbound, owed};

impl Writer {
    /// Stores a message from a phone for who is to have it.
    pub(in crate::store::writer) fn store_mo(
        &mut self,
        taker: Taker,
        content: Owed,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let (kind, pdu) = match &content {
            Owed::Mo { pdu } => (inbound::MO, pdu),
            Owed::MoData { pdu } => (inbound::MO_DATA, pdu),
            // What is told about a message of the client goes another way.
            Owed::Receipt { .. } => return Ok(()),
        };
        let Taker { account, receiver } = taker;
        let receiver = receiver.filter(|who| self.may_be_for(account, *who));
        if kind == inbound::MO {
            self.heed_wish(account, pdu)?;
        }
        let id = self.ids.next(self.now);
        let owes = self.place_owed(account, receiver, effects);
        self.db
            .prepare_cached(
                "INSERT INTO inbound(id, account, kind, pdu, owed, receiver) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id.raw(),
                account.0,
                kind,
                &pdu[..],
                owes,
                receiver.map_or(0, |credential| credential.0)
            ])?;
        if owes == owed::READY {
            effects.owe(
                &self.shared,
                Delivery {
                    key: DeliveryKey::Inbound(id),
                    account,
                    receiver,
                    attempts: 0,
                    expires: self.now + self.shared.settings.owed_for,
                    content,
                },
            );
        }
        Ok(())
    }

    /// Stores the receipt of one part or an intermediate notification.
    pub(in crate::store::writer) fn owe_inbound(
        &mut self,
        standing: &Standing,
        kind: i64,
        state: State,
        error: u32,
        at: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let id = self.ids.next(self.now);
        let owes = self.place_owed(standing.account, None, effects);
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
                &standing.pdu[..],
                state.code(),
                error,
                at.millis(),
                owes,
                (standing.shown != standing.id).then_some(standing.shown.raw())
            ])?;
        if owes == owed::READY {
            effects.owe(
                &self.shared,
                Delivery {
                    key: DeliveryKey::Inbound(id),
                    account: standing.account,
                    receiver: None,
                    attempts: 0,
                    expires: self.now + self.shared.settings.owed_for,
                    content: Owed::Receipt {
                        shown: standing.shown,
                        accepted_at: standing.id.accepted_at(),
                        credential: standing.credential,
                        pdu: standing.pdu.clone(),
                        state,
                        error,
                        done_at: at,
                        is_final: kind == inbound::RECEIPT,
                    },
                },
            );
        }
        Ok(())
    }

    fn place_owed(&self, account: AccountId, receiver: Option<CredentialId>, effects: &mut Effects) -> i64 {
        if effects.has_room_for_delivery(&self.shared, account, receiver) {
            owed::READY
        } else {
            effects.spill_owed(&self.shared, account, receiver);
            owed::SPILLED
        }
    }

    /// What receivers answered to what was owed.
    pub(in crate::store::writer) fn answered(
        &mut self,
        answers: &[Answered],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut gone: HashMap<Whose, HashSet<String>> = HashMap::new();
        for answer in answers {
            match answer.outcome {
                Delivered::Done(at) => self.owed_ends(answer.key, owed::ANSWERED, at, effects)?,
                Delivered::Dropped(at) => self.owed_ends(answer.key, owed::DROPPED, at, effects)?,
                Delivered::AddressGone(at) => {
                    if let Some((address, receiver)) = self.address_owed(answer.key)? {
                        gone.entry((answer.account, receiver)).or_default().insert(address);
                    }
                    self.owed_ends(answer.key, owed::DROPPED, at, effects)?;
                }
                Delivered::Again { due } => self.owe_again(answer.key, due)?,
            }
        }
        // Together, so that the lanes are looked through once a batch and not once an answer.
        gone.iter().try_for_each(|(whose, addresses)| self.drop_owed(*whose, addresses, effects))
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
                if self.answer_flight(id, how, at, effects)? {
                    return Ok(());
                }
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

    fn inbound_ends(&mut self, id: MessageId, how: i64) -> Result<(), StoreError> {
        let mut remove = self.db.prepare_cached("DELETE FROM inbound WHERE id = ?1 RETURNING about, kind")?;
        let gone: Option<(Option<i64>, i64)> =
            remove.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(remove);
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
        self.land_delivery(key)?;
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
