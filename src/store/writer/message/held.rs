//! Messages that may not leave now: their account is suspended, or its hours are closed.

use rusqlite::{OptionalExtension, params};

use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{MessageId, State};
use crate::policy::Snapshot;
use crate::store::StoreError;
use crate::store::writer::Writer;

impl Writer {
    /// Keeps a message back: until its hours open, or without a time until its account may act again. No attempt is
    /// counted.
    pub(in crate::store::writer) fn hold_back(
        &mut self,
        id: MessageId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        let account: Option<u32> = self
            .db
            .prepare_cached(
                "UPDATE message SET state = ?2, due = ?3 WHERE id = ?1 AND state < 5 RETURNING account",
            )?
            .query_row(params![id.raw(), State::Deferred.code(), until.map(|until| until.millis())], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(account) = account else { return Ok(()) };
        match until {
            Some(until) => self.note_event(id, "held", &format!("closed hours until {until}"))?,
            None => self.note_event(id, "held", "its account is suspended")?,
        }
        let policy = self.shared.policy.load_full();
        if until.is_none() && !policy.is_suspended(AccountId(account)) {
            // It was let act again while the bind still saw it stopped.
            return self.release_held(&policy);
        }
        self.sweeps.heed(until);
        Ok(())
    }

    /// Lets go what was kept back for accounts that may act again.
    pub(in crate::store::writer) fn release_held(&mut self, policy: &Snapshot) -> Result<(), StoreError> {
        let mut find = self
            .db
            .prepare_cached("SELECT DISTINCT account FROM message WHERE state IN (3, 4) AND due IS NULL")?;
        let accounts = find.query_map([], |row| row.get(0).map(AccountId))?.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        for account in accounts.into_iter().filter(|account| !policy.is_suspended(*account)) {
            self.db
                .prepare_cached(
                    "UPDATE message SET due = ?2 WHERE state = 3 AND due IS NULL AND account = ?1",
                )?
                .execute(params![account.0, self.now.millis()])?;
            self.sweeps.heed(Some(self.now));
        }
        Ok(())
    }
}
