//! What one credential alone could take, once that credential is withdrawn or is another account's: then anybody of the
//! account may have it.

use std::sync::PoisonError;

use rusqlite::{Connection, params};

use crate::account::{AccountId, CredentialId};
use crate::message::{Delivery, DeliveryKey};
use crate::policy::Snapshot;
use crate::store::schema::owed;
use crate::store::writer::Writer;
use crate::store::writer::effects::Effects;
use crate::store::{FlowId, StoreError};

impl Writer {
    /// Frees what is stored for credentials that were lost, and what stands in memory for them. Reads all that is owed.
    pub(in crate::store::writer) fn free_inbound(
        &mut self,
        policy: &Snapshot,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut find = self.db.prepare(&format!(
            "SELECT account, count(*) FROM inbound WHERE owed = {} AND {LOST} GROUP BY account",
            owed::SPILLED
        ))?;
        let spilled = find
            .query_map([], |row| Ok((AccountId(row.get(0)?), row.get(1)?)))?
            .collect::<Result<Vec<(_, i64)>, _>>()?;
        drop(find);
        free_rows(&self.db)?;
        for (account, count) in spilled {
            (0..count).for_each(|_| effects.spill_owed(&self.shared, account, None));
        }
        self.free_lanes(policy, effects)
    }

    /// Frees what stands in memory for a credential that its account does not have: also what came after it was lost,
    /// or was given back by its last receiver.
    pub(in crate::store::writer) fn free_lanes(
        &mut self,
        policy: &Snapshot,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let is_lost =
            |account, flow: &FlowId| flow.receiver().is_some_and(|who| !is_of(policy, account, who));
        let lanes: Vec<_> = {
            let lanes = self.shared.account_lanes.read().unwrap_or_else(PoisonError::into_inner);
            let lost = lanes.iter().filter(|(account, lane)| lane.has(|flow| is_lost(**account, flow)));
            lost.map(|(account, lane)| (*account, std::sync::Arc::clone(lane))).collect()
        };
        let mut free = self.db.prepare_cached("UPDATE inbound SET owed = ?2, receiver = 0 WHERE id = ?1")?;
        // What this transaction stored or brought from the store is not in memory yet.
        let is_for_lost = |delivery: &Delivery| is_lost(delivery.account, &delivery.receiver.into());
        for delivery in effects.withhold_owed(is_for_lost) {
            if let DeliveryKey::Inbound(id) = delivery.key {
                free.execute(params![id.raw(), owed::SPILLED])?;
            }
            effects.spill_owed(&self.shared, delivery.account, None);
        }
        for (account, lane) in lanes {
            let picks = |delivery: &Delivery| is_lost(account, &delivery.receiver.into());
            for delivery in lane.remove(picks) {
                if let DeliveryKey::Inbound(id) = delivery.key {
                    free.execute(params![id.raw(), owed::SPILLED])?;
                }
                effects.spill_owed(&self.shared, account, None);
                effects.took_out_owed(delivery);
            }
        }
        Ok(())
    }

    /// Whether a message from a phone may be for this credential of the account alone.
    pub(super) fn may_be_for(&self, account: AccountId, receiver: CredentialId) -> bool {
        is_of(&self.shared.policy.load(), account, receiver)
    }
}

fn is_of(policy: &Snapshot, account: AccountId, receiver: CredentialId) -> bool {
    policy.credential_by_id(receiver).is_some_and(|known| known.account == account)
}

/// Rows that only a lost credential could take are anybody's.
pub(in crate::store::writer) fn free_rows(db: &Connection) -> rusqlite::Result<usize> {
    db.execute(&format!("UPDATE inbound SET receiver = 0 WHERE {LOST}"), [])
}

const LOST: &str =
    "receiver > 0 AND NOT EXISTS(SELECT 1 FROM credential WHERE credential.id = inbound.receiver
  AND credential.account = inbound.account AND credential.active = 1)";
