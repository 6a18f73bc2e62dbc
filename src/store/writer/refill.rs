//! The way between the store and a lane's memory.

use std::sync::PoisonError;

use rusqlite::{Row, params};
use tracing::info;

use super::Writer;
use super::effects::Effects;
use crate::account::{AccountId, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, Message, MessageId, Owed, RouteId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::lane::{FLOW_ROOM, LaneName, Refill};
use crate::store::schema::{inbound, owed};

impl Writer {
    pub(super) fn refill(&mut self, refill: Refill, effects: &mut Effects) -> Result<(), StoreError> {
        match refill.lane {
            LaneName::Upstream(upstream) => {
                let account = refill.flow.account();
                let waiting = self.waiting(upstream, account)?;
                let exhausted = waiting.len() < AT_ONCE;
                let policy = self.shared.policy.load_full();
                let mut messages = Vec::with_capacity(waiting.len());
                for message in waiting {
                    if !self.end_listed(&policy, &message, effects)? {
                        messages.push(message);
                    }
                }
                effects.refill(upstream, account, messages, exhausted);
            }
            LaneName::Account(account) => {
                let receiver = refill.flow.receiver();
                let deliveries = self.owed_to(account, receiver)?;
                let exhausted = deliveries.len() < AT_ONCE;
                effects.refill_owed(account, receiver, deliveries, exhausted);
            }
        }
        Ok(())
    }

    /// A clean end: what still stands in a lane's memory is on no wire, and is not in doubt after the next start.
    pub(super) fn clear_lanes(&self) {
        let waiting: Vec<_> = {
            let lanes = self.shared.upstream_lanes.read().unwrap_or_else(PoisonError::into_inner);
            lanes.values().flat_map(|lane| lane.remove(|_| true)).map(|message| message.id).collect()
        };
        let clear = || -> Result<(), StoreError> {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            let mut queue = self.db.prepare("UPDATE message SET state = ?2 WHERE id = ?1 AND state = ?3")?;
            for id in &waiting {
                queue.execute((id.raw(), State::Queued.code(), State::Ready.code()))?;
            }
            Ok(self.db.execute_batch("COMMIT")?)
        };
        if let Err(failure) = clear() {
            // They come back as in doubt, which is safe.
            info!(%failure, "what waits could not be marked as never sent");
        }
    }

    /// Nothing could be read: the flow asks again.
    pub(super) fn refill_failed(&self, refill: Refill) {
        match refill.lane {
            LaneName::Upstream(id) => {
                self.shared.upstream_lane(id).refilled(refill.flow, Vec::new(), false);
            }
            LaneName::Account(id) => self.shared.account_lane(id).refilled(refill.flow, Vec::new(), false),
        }
    }

    fn waiting(&self, upstream: UpstreamId, account: AccountId) -> Result<Vec<Message>, StoreError> {
        let mut find = self.db.prepare_cached(WAITING)?;
        let rows =
            find.query_map(params![upstream.0, account.0, AT_ONCE as i64], |row| self.message_of(row))?;
        let mut messages = rows.collect::<Result<Vec<_>, _>>()?;
        let mut ready = self.db.prepare_cached("UPDATE message SET state = ?2 WHERE id = ?1")?;
        for message in &mut messages {
            ready.execute(params![message.id.raw(), State::Ready.code()])?;
            self.complete(message)?;
        }
        Ok(messages)
    }

    /// What of a message stands in other tables: how many of its parts were taken, and who failed it.
    pub(super) fn complete(&self, message: &mut Message) -> Result<(), StoreError> {
        if message.parts > 1 {
            message.parts_sent = self.parts_sent(message.id)?;
        }
        message.tried = self.tried(message.id)?;
        Ok(())
    }

    fn parts_sent(&self, id: MessageId) -> Result<u8, StoreError> {
        let mut count = self.db.prepare_cached("SELECT count(*) FROM part WHERE message = ?1")?;
        Ok(count.query_row([id.raw()], |row| row.get(0))?)
    }

    /// A row of [`MESSAGE`].
    pub(super) fn message_of(&self, row: &Row<'_>) -> rusqlite::Result<Message> {
        let id = MessageId::from_raw(row.get(0)?);
        let expires: Option<i64> = row.get(10)?;
        let default = id.accepted_at() + self.sweeps.default_validity;
        Ok(Message {
            id,
            shown: MessageId::from_raw(row.get(1)?),
            account: AccountId(row.get(2)?),
            credential: CredentialId(row.get(3)?),
            pdu: row.get::<_, Vec<u8>>(4)?.into(),
            parts: row.get(5)?,
            parts_sent: 0,
            price: Credits::from_micro(row.get(6)?),
            priority: row.get(7)?,
            route: RouteId(row.get(8)?),
            attempts: row.get::<_, i64>(9)?.try_into().unwrap_or(u16::MAX),
            expires: expires.map_or(default, Timestamp::from_millis),
            in_doubt: row.get(11)?,
            tried: Vec::new(),
            looks: 0,
        })
    }

    /// What anybody of an account may take, or one credential alone: receipts are for anybody.
    fn owed_to(
        &self,
        account: AccountId,
        receiver: Option<CredentialId>,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut deliveries = Vec::new();
        if receiver.is_none() {
            let mut find = self.db.prepare_cached(OWED_RECEIPTS)?;
            for delivery in find.query_map(params![account.0, AT_ONCE as i64], |row| self.receipt_of(row))? {
                deliveries.push(delivery?);
            }
        }
        let mut find = self.db.prepare_cached(OWED_INBOUND)?;
        let rest = (AT_ONCE - deliveries.len()) as i64;
        let key = params![account.0, rest, receiver.map_or(0, |credential| credential.0)];
        for delivery in find.query_map(key, |row| self.inbound_of(row))? {
            deliveries.push(delivery?);
        }
        let mut receipt = self.db.prepare_cached("UPDATE message SET owed = ?2 WHERE id = ?1")?;
        let mut inbound = self.db.prepare_cached("UPDATE inbound SET owed = ?2 WHERE id = ?1")?;
        for delivery in &deliveries {
            match delivery.key {
                DeliveryKey::Receipt(id) => receipt.execute(params![id.raw(), owed::READY])?,
                DeliveryKey::Inbound(id) => inbound.execute(params![id.raw(), owed::READY])?,
            };
        }
        Ok(deliveries)
    }

    /// A row of [`RECEIPT`].
    pub(super) fn receipt_of(&self, row: &Row<'_>) -> rusqlite::Result<Delivery> {
        let id = MessageId::from_raw(row.get(0)?);
        let done_at = Timestamp::from_millis(row.get::<_, Option<i64>>(7)?.unwrap_or_default());
        Ok(Delivery {
            key: DeliveryKey::Receipt(id),
            account: AccountId(row.get(2)?),
            receiver: None,
            attempts: row.get::<_, i64>(8)?.try_into().unwrap_or(u16::MAX),
            expires: done_at + self.shared.settings.owed_for,
            content: Owed::Receipt {
                shown: MessageId::from_raw(row.get(1)?),
                accepted_at: id.accepted_at(),
                credential: CredentialId(row.get(3)?),
                pdu: row.get::<_, Vec<u8>>(4)?.into(),
                state: State::from_code(row.get(5)?).unwrap_or(State::Unknown),
                error: row.get(6)?,
                done_at,
                is_final: true,
            },
        })
    }

    /// A row of [`INBOUND`].
    pub(super) fn inbound_of(&self, row: &Row<'_>) -> rusqlite::Result<Delivery> {
        let id = MessageId::from_raw(row.get(0)?);
        let kind: i64 = row.get(2)?;
        let pdu = row.get::<_, Vec<u8>>(5)?.into();
        let about = MessageId::from_raw(row.get::<_, Option<i64>>(3)?.unwrap_or_default());
        let content = match kind {
            inbound::MO => Owed::Mo { pdu },
            inbound::MO_DATA => Owed::MoData { pdu },
            _ => Owed::Receipt {
                shown: row.get::<_, Option<i64>>(10)?.map_or(about, MessageId::from_raw),
                accepted_at: about.accepted_at(),
                credential: CredentialId(row.get::<_, Option<u32>>(4)?.unwrap_or_default()),
                pdu,
                state: State::from_code(row.get::<_, Option<i64>>(6)?.unwrap_or_default())
                    .unwrap_or(State::Unknown),
                error: row.get(7)?,
                done_at: Timestamp::from_millis(row.get::<_, Option<i64>>(8)?.unwrap_or_default()),
                is_final: kind == inbound::RECEIPT,
            },
        };
        Ok(Delivery {
            key: DeliveryKey::Inbound(id),
            account: AccountId(row.get(1)?),
            receiver: Some(row.get(11)?).filter(|number| *number > 0).map(CredentialId),
            attempts: row.get::<_, i64>(9)?.try_into().unwrap_or(u16::MAX),
            expires: id.accepted_at() + self.shared.settings.owed_for,
            content,
        })
    }
}

/// Things that one refill brings.
pub(super) const AT_ONCE: usize = FLOW_ROOM / 2;

/// Columns of a message for a lane.
pub(super) const MESSAGE: &str =
    "id, shown, account, credential, pdu, parts, price, priority, route, attempts, expires, in_doubt, lane";
/// Columns of a receipt for a lane.
pub(super) const RECEIPT: &str = "id, shown, account, credential, pdu, state, error, done_at, owed_attempts";
/// Columns of anything else owed.
pub(super) const INBOUND: &str =
    "id, account, kind, about, credential, pdu, state, error, done_at, owed_attempts, shown, receiver";

const WAITING: &str = "SELECT id, shown, account, credential, pdu, parts, price, priority, route, attempts, expires,
  in_doubt, lane FROM message WHERE state = 0 AND lane = ?1 AND account = ?2 ORDER BY priority DESC, id LIMIT ?3";
const OWED_RECEIPTS: &str = "SELECT id, shown, account, credential, pdu, state, error, done_at, owed_attempts
  FROM message WHERE owed = 1 AND account = ?1 ORDER BY id LIMIT ?2";
const OWED_INBOUND: &str =
    "SELECT id, account, kind, about, credential, pdu, state, error, done_at, owed_attempts, shown, receiver
  FROM inbound WHERE owed = 1 AND account = ?1 AND receiver = ?3 ORDER BY id LIMIT ?2";
