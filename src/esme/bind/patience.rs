//! Remembers who failed to bind, so that guessing gets slower: by address and by system_id, bounded and fading.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::esme::settings::FailedBinds;

/// Failures of late. Times are monotonic milliseconds.
pub(in crate::esme) struct Patience {
    settings: FailedBinds,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    by_address: Tally<IpAddr>,
    by_name: Tally<String>,
}

struct Tally<K>(HashMap<K, Count>);

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    last: u64,
}

impl Patience {
    pub(in crate::esme) fn new(settings: FailedBinds) -> Self {
        Self { settings, failures: Mutex::default() }
    }

    /// How long an attempt from `address` with `name` has to wait.
    pub(super) fn delay(&self, address: IpAddr, name: &str, now: u64) -> Duration {
        let forget = self.forget_before(now);
        let failures = self.lock();
        let most = failures.by_address.count(&address, forget).max(failures.by_name.count(name, forget));
        drop(failures);
        self.settings.delay(most)
    }

    /// An attempt failed.
    pub(super) fn failed(&self, address: IpAddr, name: &str, now: u64) {
        let forget = self.forget_before(now);
        let mut failures = self.lock();
        failures.by_address.add(address, now, forget, self.settings.entries);
        failures.by_name.add(name.to_owned(), now, forget, self.settings.entries);
    }

    /// `name` proved itself: failures with it were typing errors. Those of the address stay until they fade.
    pub(super) fn forgive(&self, name: &str) {
        self.lock().by_name.0.remove(name);
    }

    fn forget_before(&self, now: u64) -> u64 {
        now.saturating_sub(u64::try_from(self.settings.memory.as_millis()).unwrap_or(u64::MAX))
    }

    fn lock(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    fn count<Q: Eq + Hash + ?Sized>(&self, key: &Q, forget: u64) -> u32
    where
        K: Borrow<Q>,
    {
        self.0.get(key).filter(|count| count.last >= forget).map_or(0, |count| count.failures)
    }

    fn add(&mut self, key: K, now: u64, forget: u64, most: usize) {
        if self.0.len() >= most && !self.0.contains_key(&key) {
            self.0.retain(|_, count| count.last >= forget);
            // Somebody guesses from everywhere at once: any entry may go for the new one.
            if self.0.len() >= most
                && let Some(victim) = self.0.keys().next().cloned()
            {
                self.0.remove(&victim);
            }
        }
        let count = self.0.entry(key).or_insert(Count { failures: 0, last: now });
        count.failures = if count.last < forget { 1 } else { count.failures.saturating_add(1) };
        count.last = now;
    }
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn patience(entries: usize) -> Patience {
        Patience::new(FailedBinds { free: 1, entries, ..FailedBinds::default() })
    }

    #[test]
    fn failures_slow_down_the_address_and_the_name_and_fade() {
        let patience = patience(100);
        for _ in 0..3 {
            patience.failed(HOME, "acme", 0);
        }
        let elsewhere = IpAddr::from([10, 0, 0, 1]);
        let ms = |address, name, now| patience.delay(address, name, now).as_millis();
        assert_eq!(ms(HOME, "acme", 1), 500);
        assert_eq!((ms(HOME, "other", 1), ms(elsewhere, "acme", 1)), (500, 500));
        assert_eq!(ms(elsewhere, "other", 1), 0);
        assert_eq!(ms(HOME, "acme", 700_000), 0);
        patience.forgive("acme");
        assert_eq!((ms(elsewhere, "acme", 1), ms(HOME, "acme", 1)), (0, 500));
    }

    #[test]
    fn memory_is_bounded() {
        let patience = patience(10);
        for n in 0..100_u8 {
            patience.failed(IpAddr::from([10, 0, 0, n]), &n.to_string(), u64::from(n));
        }
        let failures = patience.lock();
        assert_eq!((failures.by_address.0.len(), failures.by_name.0.len()), (10, 10));
    }
}
