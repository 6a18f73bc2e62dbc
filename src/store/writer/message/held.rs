//! Messages that may not leave now: their account is suspended, or its hours are closed.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::{Message, MessageId, State};
use crate::policy::{Hindrance, Snapshot};
use crate::store::StoreError;
use crate::store::writer::Writer;
use crate::store::writer::refill::MESSAGE;

/// Messages that one tick asks again whether their hours are closed.
const AT_ONCE: usize = 2_000;
/// How long after its end of validity a message falls due whose hours never open: by then it has expired.
const AFTER_THE_END: Duration = Duration::from_secs(60);

impl Writer {
    /// Keeps a message back: until its hours open, or without a time until its account may act again. No attempt is
    /// counted.
    pub(in crate::store::writer) fn hold_back(
        &mut self,
        id: MessageId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.land(id)?;
        let mut find =
            self.db.prepare_cached("SELECT account, expires FROM message WHERE id = ?1 AND state < 5")?;
        let found: Option<(u32, Option<i64>)> =
            find.query_row([id.raw()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(find);
        let Some((account, named)) = found else { return Ok(()) };
        let named = named.map(Timestamp::from_millis);
        let (due, expires) = match until {
            Some(until) => {
                let is_never = until == Timestamp::NEVER;
                let why = if is_never {
                    "its hours never open".to_owned()
                } else {
                    format!("closed hours until {until}")
                };
                self.note_event(id, "held", &why)?;
                self.note_hours(id)?;
                // The night is not taken off the default validity; admission sees it the same way.
                let from = if is_never { self.now } else { until };
                let expires = named.unwrap_or(from + self.sweeps.default_validity);
                (Some(until.min(expires.max(self.now) + AFTER_THE_END)), Some(expires))
            }
            None => {
                self.note_event(id, "held", "its account is suspended")?;
                self.forget_hours(id)?;
                // It may be let act again while the bind still saw it stopped.
                let is_free = !self.shared.policy.load().is_suspended(AccountId(account));
                (is_free.then_some(self.now), named)
            }
        };
        self.db
            .prepare_cached("UPDATE message SET state = ?2, due = ?3, expires = ?4 WHERE id = ?1")?
            .execute(params![
                id.raw(),
                State::Deferred.code(),
                due.map(|due| due.millis()),
                expires.map(|end| end.millis())
            ])?;
        self.sweeps.heed(due);
        self.sweeps.heed(expires);
        if due.is_none() && expires.is_none() {
            self.sweeps.look_again_at(id);
        }
        Ok(())
    }

    /// Remembers that a message waits for nothing but its hours, so that other hours may let it go earlier.
    pub(in crate::store::writer) fn note_hours(&self, id: MessageId) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO waits_for_hours(message) VALUES(?1)")?
            .execute([id.raw()])?;
        Ok(())
    }

    /// A message waits for its hours no longer, or not for them alone.
    pub(in crate::store::writer) fn forget_hours(&self, id: MessageId) -> Result<(), StoreError> {
        self.db.prepare_cached("DELETE FROM waits_for_hours WHERE message = ?1")?.execute([id.raw()])?;
        Ok(())
    }

    /// Lets go what was kept back for accounts that may act again; what waits for hours is looked at by the next ticks.
    pub(in crate::store::writer) fn release_held(&mut self, policy: &Snapshot) -> Result<(), StoreError> {
        let mut find = self
            .db
            .prepare_cached("SELECT DISTINCT account FROM message WHERE state IN (3, 4) AND due IS NULL")?;
        let accounts = find.query_map([], |row| row.get(0).map(AccountId))?.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        for account in accounts.into_iter().filter(|account| !policy.is_suspended(*account)) {
            self.db.prepare_cached(RELEASE)?.execute(params![account.0, self.now.millis()])?;
            self.sweeps.heed(Some(self.now));
        }
        let waits = "SELECT EXISTS (SELECT 1 FROM waits_for_hours)";
        if self.db.query_row(waits, [], |row| row.get(0))? {
            self.sweeps.hours_after = Some(MessageId::from_raw(0));
            self.sweeps.heed(Some(self.now));
        }
        Ok(())
    }

    /// After a change of the policy: messages whose hours open earlier than they did. Says whether there may be more.
    pub(in crate::store::writer) fn ask_hours_again(&mut self) -> Result<bool, StoreError> {
        let Some(after) = self.sweeps.hours_after else { return Ok(false) };
        let policy = self.shared.policy.load_full();
        let sql = format!(
            "SELECT {MESSAGE}, state, due FROM message WHERE id IN
               (SELECT message FROM waits_for_hours WHERE message > ?1 ORDER BY message LIMIT ?2) ORDER BY id"
        );
        let mut find = self.db.prepare_cached(&sql)?;
        let rows = find.query_map(params![after.raw(), AT_ONCE as i64], |row| {
            let due: Option<i64> = row.get(14)?;
            Ok((self.message_of(row)?, row.get(13)?, due.map_or(Timestamp::NEVER, Timestamp::from_millis)))
        })?;
        let waiting = rows.collect::<Result<Vec<(Message, i64, Timestamp)>, _>>()?;
        drop(find);
        let full = waiting.len() == AT_ONCE;
        self.sweeps.hours_after = waiting.last().map(|(message, ..)| message.id).filter(|_| full);
        for (mut message, state, due) in waiting {
            if state != State::Deferred.code() {
                continue;
            }
            self.complete(&mut message)?;
            let opens = match policy.hindrance(&message, self.now) {
                None => self.now,
                Some(Hindrance::Closed(until)) => until,
                Some(Hindrance::Suspended) => continue,
            };
            // Hours that open later are met when it would leave.
            if opens < due {
                self.db
                    .prepare_cached("UPDATE message SET due = ?2 WHERE id = ?1")?
                    .execute(params![message.id.raw(), opens.millis()])?;
                self.sweeps.heed(Some(opens));
            }
        }
        Ok(full)
    }
}

/// `state IN (3, 4)` is the condition of the index that finds them.
const RELEASE: &str =
    "UPDATE message SET due = ?2 WHERE state IN (3, 4) AND state = 3 AND due IS NULL AND account = ?1";
