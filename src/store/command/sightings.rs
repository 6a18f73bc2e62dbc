//! When an entry of a list of addresses last let somebody in: in memory at once, in the file once a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use crate::account::{Access, AccountId, Surface};
use crate::clock::Timestamp;
use crate::store::{Reader, Store, StoreError};

/// What was seen and is not in the file yet.
#[derive(Default)]
pub(in crate::store) struct Sightings(Mutex<Unwritten>);

#[derive(Default)]
struct Unwritten {
    seen: HashMap<EntryKey, Timestamp>,
    /// When they are written next.
    next: Timestamp,
}

/// An entry of an account's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::store) struct EntryKey {
    pub(in crate::store) account: AccountId,
    pub(in crate::store) surface: Surface,
    pub(in crate::store) network: IpNet,
}

/// An entry of an account's list, and when it was last of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryUse {
    /// For which way in.
    pub surface: Surface,
    /// The network.
    pub network: IpNet,
    /// What it is, for people.
    pub description: String,
    /// When it last let somebody in; absent if it never did.
    pub last: Option<Timestamp>,
    /// Whether that is 90 days ago or more.
    pub is_stale: bool,
}

/// Entries that wait to be written; what is seen above it is seen again.
const MOST: usize = 65_536;
/// How often they are written.
const EVERY: Duration = Duration::from_secs(60);
/// After this a list should be looked through.
const STALE: Duration = Duration::from_secs(90 * 86_400);

impl Store {
    /// Somebody was let in from `address`: the entries that he met, of the account and of those above it, were of use.
    pub fn saw_address(&self, account: AccountId, surface: Surface, address: IpAddr) {
        let now = self.shared.clock.now();
        let policy = self.policy();
        let met = policy.entries_met(account, surface, address);
        self.shared.sightings.note(met.map(|(account, network)| EntryKey { account, surface, network }), now);
    }

    /// When each entry of an account's lists was last of use. Blocking, as `reader` is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn entry_uses(
        &self,
        reader: &Reader,
        account: AccountId,
        access: &Access,
    ) -> Result<Vec<EntryUse>, StoreError> {
        let now = self.shared.clock.now();
        let mut seen = reader.sightings(account)?;
        // What is in memory is younger.
        seen.extend(self.shared.sightings.lock().seen.iter());
        let mut uses = Vec::new();
        for surface in Surface::ALL {
            for entry in &access.list(surface).entries {
                let key = EntryKey { account, surface, network: entry.network };
                let last = seen.get(&key).copied();
                uses.push(EntryUse {
                    surface,
                    network: entry.network,
                    description: entry.description.clone(),
                    last,
                    is_stale: last.is_some_and(|last| now.since(last) >= STALE),
                });
            }
        }
        Ok(uses)
    }
}

impl Sightings {
    fn note(&self, keys: impl Iterator<Item = EntryKey>, now: Timestamp) {
        let mut keys = keys.peekable();
        // Most accounts have no lists.
        if keys.peek().is_none() {
            return;
        }
        let mut unwritten = self.lock();
        for key in keys {
            if unwritten.seen.len() < MOST || unwritten.seen.contains_key(&key) {
                unwritten.seen.insert(key, now);
            }
        }
    }

    /// What is to be written now, if it is time.
    pub(in crate::store) fn due(&self, now: Timestamp) -> Vec<(EntryKey, Timestamp)> {
        if self.lock().next <= now { self.all() } else { Vec::new() }
    }

    /// What is to be written.
    pub(in crate::store) fn all(&self) -> Vec<(EntryKey, Timestamp)> {
        self.lock().seen.iter().map(|(key, at)| (*key, *at)).collect()
    }

    /// These are in the file. What was seen since is not.
    pub(in crate::store) fn written(&self, written: &[(EntryKey, Timestamp)], now: Timestamp) {
        let mut unwritten = self.lock();
        for (key, at) in written {
            if unwritten.seen.get(key) == Some(at) {
                unwritten.seen.remove(key);
            }
        }
        unwritten.next = now + EVERY;
    }

    fn lock(&self) -> MutexGuard<'_, Unwritten> {
        // Every change is one call: a panic leaves a map that is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_while_others_are_written_is_written_next_time() {
        let sightings = Sightings::default();
        let key = |last: u8| EntryKey {
            account: AccountId(1),
            surface: Surface::Smpp,
            network: IpAddr::from([10, 0, 0, last]).into(),
        };
        let at = Timestamp::from_millis;
        sightings.note([key(1), key(2)].into_iter(), at(1_000));
        let first = sightings.due(at(1_000));
        assert_eq!(first.len(), 2);
        sightings.note([key(1)].into_iter(), at(2_000));
        sightings.written(&first, at(2_000));
        assert_eq!(sightings.due(at(61_999)), []);
        assert_eq!(sightings.due(at(62_000)), [(key(1), at(2_000))]);
    }
}
