//! Addresses that a client has given up: what waits for them goes too (SMPP 3.4 §5.1.3, ESME_RX_P_APPN).

use std::collections::HashSet;

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use smpp_proto::pdu::{DataSm, DeliverSm, SubmitSm};

use super::super::effects::Effects;
use super::super::{Counters, Writer};
use crate::account::{AccountId, CredentialId};
use crate::message::{Delivery, DeliveryKey, MessageId, Owed};
use crate::store::StoreError;
use crate::store::schema::{inbound, owed, text_of};

impl Writer {
    /// The address that a delivery is for, and the credential that alone may take it.
    pub(super) fn address_owed(
        &mut self,
        key: DeliveryKey,
    ) -> Result<Option<(String, Option<CredentialId>)>, StoreError> {
        match key {
            DeliveryKey::Receipt(id) => {
                self.land(id)?;
                let mut find = self.db.prepare_cached("SELECT src FROM message WHERE id = ?1")?;
                Ok(find.query_row([id.raw()], |row| Ok((row.get(0)?, None))).optional()?)
            }
            DeliveryKey::Inbound(id) => {
                let mut find =
                    self.db.prepare_cached("SELECT kind, pdu, receiver FROM inbound WHERE id = ?1")?;
                let found = find
                    .query_row([id.raw()], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))
                    .optional()?;
                let Some((kind, pdu, receiver)) = found else { return Ok(None) };
                let receiver = Some(receiver).filter(|number| *number > 0).map(CredentialId);
                Ok(address_in(kind, pdu.into()).map(|address| (address, receiver)))
            }
        }
    }

    /// Gives up what waits for addresses that their client has given up (SMPP 3.4 §5.1.3, ESME_RX_P_APPN). What is with
    /// a receiver has its own answer. Of what is in the store the oldest are looked at; later ones are offered, and
    /// refused, in their turn.
    pub(super) fn drop_owed(
        &mut self,
        whose: Whose,
        addresses: &HashSet<String>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let (account, receiver) = whose;
        let mut keys = self.owed_in_store(whose, addresses)?;
        let picks = |delivery: &Delivery| delivery.receiver == receiver && is_for(addresses, delivery);
        for delivery in self.shared.account_lane(account).remove(picks) {
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
        (account, receiver): Whose,
        addresses: &HashSet<String>,
    ) -> Result<Vec<DeliveryKey>, StoreError> {
        let mut keys = Vec::new();
        // Receipts are for anybody.
        if receiver.is_none() {
            let mut find = self.db.prepare_cached(WAITING_RECEIPTS)?;
            let mut rows = find.query(params![account.0, LOOKED_AT])?;
            while let Some(row) = rows.next()? {
                if addresses.contains(&row.get::<_, String>(1)?) {
                    keys.push(DeliveryKey::Receipt(MessageId::from_raw(row.get(0)?)));
                }
            }
        }
        let mut find = self.db.prepare_cached(WAITING_INBOUND)?;
        let mut rows = find.query(params![account.0, LOOKED_AT, receiver.map_or(0, |r| r.0)])?;
        while let Some(row) = rows.next()? {
            let pdu: Vec<u8> = row.get(2)?;
            let address = address_in(row.get(1)?, pdu.into());
            if address.is_some_and(|address| addresses.contains(&address)) {
                keys.push(DeliveryKey::Inbound(MessageId::from_raw(row.get(0)?)));
            }
        }
        Ok(keys)
    }
}

/// An account, and the credential that alone may take something.
pub(super) type Whose = (AccountId, Option<CredentialId>);

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
    WHERE owed = 1 AND account = ?1 AND receiver = ?3 ORDER BY id LIMIT ?2)
  UNION ALL SELECT id, kind, pdu FROM (SELECT id, kind, pdu, account, receiver FROM inbound WHERE owed = 3
    ORDER BY owed_due LIMIT ?2) WHERE account = ?1 AND receiver = ?3";
