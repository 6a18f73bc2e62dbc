//! What is owed to clients besides final receipts, and what their receivers answered.

mod parts;
mod wishes;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use smpp_proto::pdu::{DataSm, DeliverSm, SubmitSm};

use super::effects::Effects;
use super::message::Standing;
use super::{Counters, Writer};
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, MessageId, Owed, State};
use crate::store::StoreError;
use crate::store::command::{Answered, Delivered};
use crate::store::schema::{inbound, owed, text_of};

impl Writer {
    /// Stores a message from a phone for its account.
    pub(in crate::store::writer) fn store_mo(
        &mut self,
        account: AccountId,
        content: Owed,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let (kind, pdu) = match &content {
            Owed::Mo { pdu } => (inbound::MO, pdu),
            Owed::MoData { pdu } => (inbound::MO_DATA, pdu),
            // What is told about a message of the client goes another way.
            Owed::Receipt { .. } => return Ok(()),
        };
        if kind == inbound::MO {
            self.heed_wish(account, pdu)?;
        }
        let id = self.ids.next(self.now);
        let owes = self.place_owed(account, effects);
        self.db
            .prepare_cached("INSERT INTO inbound(id, account, kind, pdu, owed) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute(params![id.raw(), account.0, kind, &pdu[..], owes])?;
        if owes == owed::READY {
            effects.owe(
                &self.shared,
                Delivery {
                    key: DeliveryKey::Inbound(id),
                    account,
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

    fn place_owed(&self, account: AccountId, effects: &mut Effects) -> i64 {
        if effects.has_room_for_delivery(&self.shared, account) {
            owed::READY
        } else {
            effects.spill_owed(&self.shared, account);
            owed::SPILLED
        }
    }

    /// What receivers answered to what was owed.
    pub(in crate::store::writer) fn answered(
        &mut self,
        answers: &[Answered],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut gone: HashMap<AccountId, HashSet<String>> = HashMap::new();
        for answer in answers {
            match answer.outcome {
                Delivered::Done(at) => self.owed_ends(answer.key, owed::ANSWERED, at, effects)?,
                Delivered::Dropped(at) => self.owed_ends(answer.key, owed::DROPPED, at, effects)?,
                Delivered::AddressGone(at) => {
                    gone.entry(answer.account).or_default().extend(self.address_owed(answer.key)?);
                    self.owed_ends(answer.key, owed::DROPPED, at, effects)?;
                }
                Delivered::Again { due } => self.owe_again(answer.key, due)?,
            }
        }
        // Together, so that the lanes are looked through once a batch and not once an answer.
        gone.iter().try_for_each(|(account, addresses)| self.drop_owed(*account, addresses, effects))
    }

    /// The address that a delivery is for.
    fn address_owed(&mut self, key: DeliveryKey) -> Result<Option<String>, StoreError> {
        match key {
            DeliveryKey::Receipt(id) => {
                self.land(id)?;
                let mut find = self.db.prepare_cached("SELECT src FROM message WHERE id = ?1")?;
                Ok(find.query_row([id.raw()], |row| row.get(0)).optional()?)
            }
            DeliveryKey::Inbound(id) => {
                let mut find = self.db.prepare_cached("SELECT kind, pdu FROM inbound WHERE id = ?1")?;
                let found = find.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                Ok(found.and_then(|(kind, pdu): (i64, Vec<u8>)| address_in(kind, pdu.into())))
            }
        }
    }

    /// Gives up what waits for addresses that their client has given up (SMPP 3.4 §5.1.3, ESME_RX_P_APPN). What is with
    /// a receiver has its own answer. Of what is in the store the oldest are looked at; later ones are offered, and
    /// refused, in their turn.
    fn drop_owed(
        &mut self,
        account: AccountId,
        addresses: &HashSet<String>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut keys = self.owed_in_store(account, addresses)?;
        for delivery in self.shared.account_lane(account).remove(|delivery| is_for(addresses, delivery)) {
            keys.push(delivery.key);
            effects.took_out_owed(delivery);
        }
        for key in &keys {
            if let DeliveryKey::Receipt(id) = key {
                self.note_event(*id, "told", "its receipt was dropped: ESME_RX_P_APPN for its address")?;
            }
            self.owed_ends(*key, owed::DROPPED, self.now, effects)?;
        }
        if !keys.is_empty() {
            Counters::add(&self.shared.counters.address_gone, keys.len() as u64);
            tracing::info!(account = account.0, dropped = keys.len(), "a client gave up an address");
        }
        Ok(())
    }

    /// What waits in the store for one of these addresses.
    fn owed_in_store(
        &self,
        account: AccountId,
        addresses: &HashSet<String>,
    ) -> Result<Vec<DeliveryKey>, StoreError> {
        let mut keys = Vec::new();
        let mut find = self.db.prepare_cached(WAITING_RECEIPTS)?;
        let mut rows = find.query(params![account.0, LOOKED_AT])?;
        while let Some(row) = rows.next()? {
            if addresses.contains(&row.get::<_, String>(1)?) {
                keys.push(DeliveryKey::Receipt(MessageId::from_raw(row.get(0)?)));
            }
        }
        let mut find = self.db.prepare_cached(WAITING_INBOUND)?;
        let mut rows = find.query(params![account.0, LOOKED_AT])?;
        while let Some(row) = rows.next()? {
            let pdu: Vec<u8> = row.get(2)?;
            let address = address_in(row.get(1)?, pdu.into());
            if address.is_some_and(|address| addresses.contains(&address)) {
                keys.push(DeliveryKey::Inbound(MessageId::from_raw(row.get(0)?)));
            }
        }
        Ok(keys)
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

fn is_for(addresses: &HashSet<String>, delivery: &Delivery) -> bool {
    let address = match &delivery.content {
        Owed::Receipt { pdu, .. } => address_in(inbound::RECEIPT, pdu.clone()),
        Owed::Mo { pdu } => address_in(inbound::MO, pdu.clone()),
        Owed::MoData { pdu } => address_in(inbound::MO_DATA, pdu.clone()),
    };
    address.is_some_and(|address| addresses.contains(&address))
}

/// The address that a message from a phone goes to, or the one that a receipt goes back to.
fn address_in(kind: i64, pdu: Bytes) -> Option<String> {
    let address = match kind {
        inbound::MO => DeliverSm::decode(pdu).ok()?.destination,
        inbound::MO_DATA => DataSm::decode(pdu).ok()?.destination,
        _ => SubmitSm::decode(pdu).ok()?.source,
    };
    Some(text_of(address.digits.as_bytes()).into_owned())
}

/// Rows of each kind that are looked through for addresses that were given up.
const LOOKED_AT: i64 = 10_000;
/// Receipts that wait in the store, the oldest of the account and those that are tried again first.
const WAITING_RECEIPTS: &str = "SELECT id, src FROM (SELECT id, src FROM message WHERE owed = 1 AND account = ?1
    ORDER BY id LIMIT ?2)
  UNION ALL SELECT id, src FROM (SELECT id, src, account FROM message WHERE owed = 3 ORDER BY owed_due LIMIT ?2)
    WHERE account = ?1";
/// The same of everything else.
const WAITING_INBOUND: &str = "SELECT id, kind, pdu FROM (SELECT id, kind, pdu FROM inbound
    WHERE owed = 1 AND account = ?1 ORDER BY id LIMIT ?2)
  UNION ALL SELECT id, kind, pdu FROM (SELECT id, kind, pdu, account FROM inbound WHERE owed = 3
    ORDER BY owed_due LIMIT ?2) WHERE account = ?1";
const RECEIPT_ENDS: &str =
    "UPDATE message SET owed = ?2, answered_at = ?3 WHERE id = ?1 AND owed IN (1, 2, 3)";
const RECEIPT_AGAIN: &str = "UPDATE message SET owed = ?2, owed_due = ?3, owed_attempts = owed_attempts + 1
  WHERE id = ?1 AND owed IN (1, 2, 3)";
const INBOUND_AGAIN: &str = "UPDATE inbound SET owed = ?2, owed_due = ?3, owed_attempts = owed_attempts + 1
  WHERE id = ?1";
