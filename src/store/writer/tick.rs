//! What falls due by itself: retries, schedules, validities, receipts that never came.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use rusqlite::params;

use super::effects::Effects;
use super::message::{ListsGrown, Standing};
use super::refill::{INBOUND, MESSAGE, RECEIPT};
use super::{Counters, Writer};
use crate::account::{AccountId, Surface};
use crate::clock::Timestamp;
use crate::message::{End, Message, MessageId, Reason, State, UpstreamId};
use crate::policy::Snapshot;
use crate::policy::route::way_of;
use crate::store::StoreError;
use crate::store::command::EntryKey;
use crate::store::schema::owed;

/// When the writer has something to do by itself.
pub(super) struct Sweeps {
    /// The next retry, schedule, validity or parked receipt; it may be too early, never too late.
    next: Timestamp,
    /// The next look at what is due by its age.
    next_by_age: Timestamp,
    /// Messages up to here were looked at when their default validity was over.
    expired_to: MessageId,
    /// Messages up to here were looked at when their receipt was overdue.
    overdue_to: MessageId,
    /// The policy changed: what waits for hours and comes after this message is still to be asked again.
    pub(super) hours_after: Option<MessageId>,
    /// Numbers came on lists.
    pub(super) lists: ListsGrown,
    /// Validity of a message that names none.
    pub(super) default_validity: Duration,
}

/// Things that one tick does of each kind, so that traffic is not held up; the rest follows at once.
const AT_ONCE: usize = 2_000;
/// How often ages are looked at.
const BY_AGE_EVERY: Duration = Duration::from_secs(30);
/// The least pause between two looks at what is due by its time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Sweeps {
    pub(super) fn new(default_validity: Duration) -> Self {
        let start = MessageId::from_raw(0);
        Self {
            next: Timestamp::default(),
            next_by_age: Timestamp::default(),
            expired_to: start,
            overdue_to: start,
            hours_after: None,
            lists: ListsGrown::default(),
            default_validity,
        }
    }

    /// Something will be due then.
    pub(super) fn heed(&mut self, due: Option<Timestamp>) {
        self.next = due.map_or(self.next, |due| self.next.min(due));
    }

    /// A tick may have been rolled back: what it passed is looked at again from `at` on.
    pub(super) fn begin_anew(&mut self, at: Timestamp) {
        self.lists.grow_unseen(at);
        *self = Self {
            next: self.next.min(at),
            next_by_age: self.next_by_age.min(at),
            hours_after: Some(MessageId::from_raw(0)),
            lists: std::mem::take(&mut self.lists),
            ..Self::new(self.default_validity)
        };
    }

    /// A message waits again without any time of its own: its default validity may be over, and it was passed then.
    pub(super) fn look_again_at(&mut self, id: MessageId) {
        self.expired_to = self.expired_to.min(MessageId::from_raw(id.raw().saturating_sub(1)));
    }
}

impl Writer {
    /// Tells the time keeper when to call again.
    pub(super) fn publish_next_due(&self) {
        let due = self.due();
        self.shared.next_due.send_if_modified(|known| std::mem::replace(known, due) != due);
    }

    fn due(&self) -> Timestamp {
        self.sweeps.next.min(self.sweeps.next_by_age).min(self.sweeps.lists.due()).min(self.mover.due())
    }

    pub(super) fn tick(&mut self, effects: &mut Effects) -> Result<(), StoreError> {
        self.land_due()?;
        self.end_listed_in_lanes(effects)?;
        if self.sweeps.next <= self.now {
            let more = self.ask_hours_again()?
                | self.wake_messages(effects)?
                | self.expire_named(effects)?
                | self.wake_owed(effects)?
                | self.expire_mo_parts(effects)?
                | self.drop_parked(effects)?;
            // What is due and was left alone is with a bind: it is looked at again, not at once.
            self.sweeps.next = if more { self.now } else { self.next_due()?.max(self.now + LOOK_AGAIN) };
        }
        if self.sweeps.next_by_age <= self.now {
            let more = self.expire_by_age(effects)?
                | self.end_overdue(effects)?
                | self.drop_unclaimed(effects)?
                | self.drop_short_ids()?
                | self.limits.firsts.sweep(&self.db, self.now)?;
            let policy = self.shared.policy.load_full();
            self.free_lanes(&policy, effects)?;
            let seen = self.shared.sightings.due(self.now);
            if !seen.is_empty() {
                self.write_sightings(&seen)?;
                let now = self.now;
                effects.after(move |shared| shared.sightings.written(&seen, now));
            }
            self.sweeps.next_by_age = if more { self.now } else { self.now + BY_AGE_EVERY };
        }
        // The keeper waits for a change even if the value is the same.
        self.shared.next_due.send_replace(self.due());
        Ok(())
    }

    /// When entries of lists of addresses were last of use. What stands in the file about entries that are no longer on
    /// the lists of these accounts goes.
    pub(super) fn write_sightings(&self, seen: &[(EntryKey, Timestamp)]) -> Result<(), StoreError> {
        let policy = self.shared.policy.load();
        let mut put = self.db.prepare_cached("INSERT OR REPLACE INTO address_seen VALUES(?1, ?2, ?3, ?4)")?;
        let mut find =
            self.db.prepare_cached("SELECT surface, network FROM address_seen WHERE account = ?1")?;
        let mut forget = self.db.prepare_cached(
            "DELETE FROM address_seen WHERE account = ?1 AND surface = ?2 AND network = ?3",
        )?;
        for (key, at) in seen {
            put.execute(params![key.account.0, key.surface.word(), key.network.to_string(), at.millis()])?;
        }
        let accounts: BTreeSet<AccountId> = seen.iter().map(|(key, _)| key.account).collect();
        for account in accounts {
            let access = policy.account(account).map(|account| &account.terms.access);
            // As the file writes them: lists are long, and so may be what stands in the file.
            let entries =
                |surface| access.map(|access| access.list(surface).entries.iter()).into_iter().flatten();
            let listed: HashSet<(Surface, String)> = Surface::ALL
                .into_iter()
                .flat_map(|surface| entries(surface).map(move |entry| (surface, entry.network.to_string())))
                .collect();
            let rows = find.query_map([account.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (surface, network) in rows.collect::<Result<Vec<(String, String)>, _>>()? {
                let key = Surface::of(&surface).map(|surface| (surface, network.clone()));
                if key.is_none_or(|key| !listed.contains(&key)) {
                    forget.execute(params![account.0, surface, network])?;
                }
            }
        }
        Ok(())
    }

    fn next_due(&self) -> Result<Timestamp, StoreError> {
        let mut find = self.db.prepare_cached(NEXT_DUE)?;
        let due: Option<i64> = find.query_row([], |row| row.get(0))?;
        let flying = self.flights.rows().filter_map(|row| row.expires).min().unwrap_or(Timestamp::NEVER);
        Ok(due.map_or(Timestamp::NEVER, Timestamp::from_millis).min(flying))
    }

    /// Messages whose time has come go into their lanes.
    fn wake_messages(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let sql = format!(
            "SELECT {MESSAGE} FROM message WHERE state IN (3, 4) AND due <= ?1 ORDER BY due LIMIT ?2"
        );
        let mut find = self.db.prepare_cached(&sql)?;
        let rows = find.query_map(params![self.now.millis(), AT_ONCE as i64], |row| {
            Ok((self.message_of(row)?, UpstreamId(row.get(12)?)))
        })?;
        let due = rows.collect::<Result<Vec<(Message, UpstreamId)>, _>>()?;
        drop(find);
        let full = due.len() == AT_ONCE;
        let policy = self.shared.policy.load_full();
        for (mut message, lane) in due {
            self.complete(&mut message)?;
            if self.end_listed(&policy, &message, effects)? {
                continue;
            }
            let Some(upstream) = self.lane_now(&policy, lane, &message) else {
                let end = End { state: State::Rejected, reason: Reason::NoRoute, error: 0, at: self.now };
                self.end_message(message.id, end, effects)?;
                continue;
            };
            let room = effects.has_room(&self.shared, upstream, message.account);
            let state = if room { State::Ready } else { State::Queued };
            self.db
                .prepare_cached("UPDATE message SET state = ?2, lane = ?3, due = NULL WHERE id = ?1")?
                .execute(params![message.id.raw(), state.code(), upstream.0])?;
            self.forget_hours(message.id)?;
            if upstream != lane {
                self.note_moved(message.id, lane, upstream, "")?;
            }
            if room {
                effects.push(&self.shared, upstream, message);
            } else {
                effects.spill(&self.shared, upstream, message.account);
            }
        }
        Ok(full)
    }

    /// The lane for a message whose time has come: its own while that operator is on its way still and up, else that of
    /// the first of its way that is up. Nothing when it has no way any more. One that is begun stays where it is.
    fn lane_now(&self, policy: &Snapshot, lane: UpstreamId, message: &Message) -> Option<UpstreamId> {
        if message.parts_sent > 0 {
            return Some(lane);
        }
        let way = way_of(policy, message, self.now)?;
        let own = way.iter().find(|upstream| **upstream == lane);
        let is_up = |upstream: &&UpstreamId| self.shared.up.is_up(**upstream);
        own.filter(is_up).or(way.iter().find(is_up)).or(own).or(way.first()).copied()
    }

    /// Messages whose own end of validity has passed.
    fn expire_named(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let mut find = self.db.prepare_cached(EXPIRED_NAMED)?;
        let rows = find.query_map(params![self.now.millis(), AT_ONCE as i64], Standing::read)?;
        let expired = rows.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        let full = expired.len() == AT_ONCE;
        for standing in expired {
            self.expire(&standing, effects)?;
        }
        Ok(full)
    }

    /// Messages without an end of validity of their own: ids are in the order of time.
    fn expire_by_age(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let until = MessageId::first_at(self.now - self.sweeps.default_validity);
        let mut find = self.db.prepare_cached(EXPIRED_BY_AGE)?;
        let rows = find
            .query_map(params![self.sweeps.expired_to.raw(), until.raw(), AT_ONCE as i64], Standing::read)?;
        let expired = rows.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        let full = expired.len() == AT_ONCE;
        let last = expired.last().map(|standing| standing.id);
        for standing in expired {
            self.expire(&standing, effects)?;
        }
        self.sweeps.expired_to = if full { last.unwrap_or(until) } else { until };
        Ok(full)
    }

    /// Ends what nobody holds. What a bind holds right now is the bind's to end; what stands in a lane's memory is
    /// taken out first.
    fn expire(&mut self, standing: &Standing, effects: &mut Effects) -> Result<(), StoreError> {
        if standing.state == State::Ready && !self.take_out(standing.id, effects)? {
            return Ok(());
        }
        let end = End { state: State::Expired, reason: Reason::ExpiredInQueue, error: 0, at: self.now };
        self.end_standing(standing, end, effects)
    }

    /// Messages whose receipt never came.
    fn end_overdue(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let patience = self.sweeps.default_validity + self.shared.settings.receipt_timeout;
        let until = MessageId::first_at(self.now - patience);
        let mut find = self.db.prepare_cached(OVERDUE)?;
        let named = (self.now - self.shared.settings.receipt_timeout).millis();
        let rows = find.query_map(
            params![self.sweeps.overdue_to.raw(), until.raw(), named, AT_ONCE as i64],
            Standing::read,
        )?;
        let overdue = rows.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        let full = overdue.len() == AT_ONCE;
        for standing in overdue {
            let end = End { state: State::Unknown, reason: Reason::ReceiptTimeout, error: 0, at: self.now };
            self.end_standing(&standing, end, effects)?;
        }
        if !full {
            self.sweeps.overdue_to = until;
        }
        Ok(full)
    }

    /// Deliveries whose next attempt has come go into their lanes.
    fn wake_owed(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let receipts = format!("SELECT {RECEIPT} FROM message WHERE owed = 3 AND owed_due <= ?1 LIMIT ?2");
        let inbound = format!("SELECT {INBOUND} FROM inbound WHERE owed = 3 AND owed_due <= ?1 LIMIT ?2");
        let mut due = Vec::new();
        let limits = params![self.now.millis(), AT_ONCE as i64];
        for delivery in self.db.prepare_cached(&receipts)?.query_map(limits, |row| self.receipt_of(row))? {
            due.push(delivery?);
        }
        for delivery in self.db.prepare_cached(&inbound)?.query_map(limits, |row| self.inbound_of(row))? {
            due.push(delivery?);
        }
        let full = due.len() >= AT_ONCE;
        for delivery in due {
            let room = effects.has_room_for_delivery(&self.shared, delivery.account, delivery.receiver);
            let owes = if room { owed::READY } else { owed::SPILLED };
            let (table, id) = match delivery.key {
                crate::message::DeliveryKey::Receipt(id) => ("message", id),
                crate::message::DeliveryKey::Inbound(id) => ("inbound", id),
            };
            self.db
                .prepare_cached(&format!("UPDATE {table} SET owed = ?2 WHERE id = ?1"))?
                .execute(params![id.raw(), owes])?;
            if room {
                effects.owe(&self.shared, delivery);
            } else {
                effects.spill_owed(&self.shared, delivery.account, delivery.receiver);
            }
        }
        Ok(full)
    }

    /// Deliveries that nobody fetched in time. What stands in memory is dropped by the receiver that takes it.
    fn drop_unclaimed(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        let until = (self.now - self.shared.settings.owed_for).millis();
        let oldest = MessageId::first_at(self.now - self.shared.settings.owed_for);
        let mut receipts = self.db.prepare_cached(UNCLAIMED_RECEIPTS)?;
        let rows = receipts
            .query_map(params![oldest.raw(), until, self.now.millis(), AT_ONCE as i64], |row| {
                Ok((MessageId::from_raw(row.get(0)?), AccountId(row.get(1)?)))
            })?;
        let gone = rows.collect::<Result<Vec<_>, _>>()?;
        drop(receipts);
        let mut inbound = self.db.prepare_cached("DELETE FROM inbound WHERE owed IN (1, 3) AND id < ?1")?;
        let dropped = inbound.execute([oldest.raw()])?;
        let full = gone.len() == AT_ONCE;
        for (id, _) in &gone {
            effects.move_to_history(*id);
        }
        if !gone.is_empty() || dropped > 0 {
            tracing::warn!(
                receipts = gone.len(),
                others = dropped,
                "deliveries were not fetched in time and are dropped"
            );
        }
        Ok(full)
    }

    /// Short ids of messages whose history is gone.
    fn drop_short_ids(&self) -> Result<bool, StoreError> {
        let days = u64::from(self.shared.settings.history.retention_days) + 1;
        let kept = MessageId::first_at(self.now - Duration::from_secs(days * 86_400));
        let dropped = self.db.prepare_cached(OLD_SHORT_IDS)?.execute(params![kept.raw(), AT_ONCE as i64])?;
        Ok(dropped == AT_ONCE)
    }

    /// Receipts for ids that nobody ever knew.
    fn drop_parked(&mut self, effects: &mut Effects) -> Result<bool, StoreError> {
        if self.parked == 0 {
            return Ok(false);
        }
        let mut drop =
            self.db.prepare_cached("DELETE FROM parked WHERE until <= ?1 RETURNING upstream, name")?;
        let mut rows = drop.query([self.now.millis()])?;
        let mut count = 0_u64;
        while let Some(row) = rows.next()? {
            let upstream: u32 = row.get(0)?;
            let name: Vec<u8> = row.get(1)?;
            tracing::info!(upstream, id = %name.escape_ascii(), "a receipt named an id that no submit was ever given");
            count += 1;
        }
        effects.parked -= i64::try_from(count).unwrap_or(0);
        Counters::add(&self.shared.counters.parked_expired, count);
        Ok(false)
    }
}

const OLD_SHORT_IDS: &str = "DELETE FROM short_id WHERE message IN (SELECT message FROM short_id
  WHERE message < ?1 AND NOT EXISTS (SELECT 1 FROM message WHERE id = short_id.message) ORDER BY message LIMIT ?2)";
const NEXT_DUE: &str = "SELECT min(at) FROM (
  SELECT min(due) AS at FROM message WHERE state IN (3, 4)
  UNION ALL SELECT expires FROM (SELECT expires FROM message INDEXED BY message_expiring
    WHERE expires IS NOT NULL AND state < 10 AND state <> 5 ORDER BY expires LIMIT 1)
  UNION ALL SELECT min(owed_due) FROM message WHERE owed = 3
  UNION ALL SELECT min(owed_due) FROM inbound WHERE owed = 3
  UNION ALL SELECT min(until) FROM mo_part
  UNION ALL SELECT min(until) FROM parked)";
const EXPIRED_NAMED: &str = "SELECT id, shown, account, credential, pdu, wish, parts, price, state
  FROM message WHERE expires IS NOT NULL AND state < 10 AND expires <= ?1 AND state IN (0, 1, 3, 4)
  ORDER BY expires LIMIT ?2";
const EXPIRED_BY_AGE: &str = "SELECT id, shown, account, credential, pdu, wish, parts, price, state
  FROM message WHERE id > ?1 AND id < ?2 AND expires IS NULL AND state IN (0, 1, 3, 4) ORDER BY id LIMIT ?3";
const OVERDUE: &str = "SELECT id, shown, account, credential, pdu, wish, parts, price, state
  FROM message WHERE (id > ?1 AND id < ?2 AND expires IS NULL AND state = 5)
    OR (expires IS NOT NULL AND state < 10 AND expires < ?3 AND state = 5) LIMIT ?4";
const UNCLAIMED_RECEIPTS: &str = "UPDATE message SET owed = 5, answered_at = ?3 WHERE id IN
  (SELECT id FROM message WHERE id < ?1 AND owed IN (1, 3) AND done_at < ?2 LIMIT ?4) RETURNING id, account";
