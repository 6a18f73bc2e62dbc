//! How often may be bound: a bucket for each address and each system_id, in a bounded memory (conformance C-038).

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::account::Throughput;
use crate::policy::Bucket;

/// The buckets. Times are monotonic milliseconds.
pub(in crate::esme) struct Rates {
    rate: Option<Throughput>,
    /// Addresses and, apart from them, names that are remembered.
    entries: usize,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    by_address: HashMap<IpAddr, Bucket>,
    by_name: HashMap<String, Bucket>,
}

impl Rates {
    pub(in crate::esme) fn new(rate: Option<Throughput>, entries: usize) -> Self {
        Self { rate, entries, buckets: Mutex::default() }
    }

    /// Counts an attempt from `address` with `name`, or says that it comes too soon. One that comes too soon counts
    /// for nobody.
    pub(super) fn allows(&self, address: IpAddr, name: &str, now: u64) -> bool {
        let Some(rate) = self.rate else { return true };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { by_address, by_name } = &mut *buckets;
        let from = bucket(by_address, &address, rate, self.entries, now);
        let named = bucket(by_name, name, rate, self.entries, now);
        from.available(rate, now) > 0
            && named.available(rate, now) > 0
            && from.take(rate, 1, now).is_ok()
            && named.take(rate, 1, now).is_ok()
    }
}

fn bucket<'a, K, Q>(
    buckets: &'a mut HashMap<K, Bucket>,
    key: &Q,
    rate: Throughput,
    most: usize,
    now: u64,
) -> &'a mut Bucket
where
    K: Eq + Hash + Clone + Borrow<Q>,
    Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
{
    if buckets.len() >= most && !buckets.contains_key(key) {
        // A full bucket remembers nothing.
        buckets.retain(|_, bucket| bucket.available(rate, now) < rate.burst);
        // Somebody comes from everywhere at once: any entry may go for the new one.
        if buckets.len() >= most
            && let Some(victim) = buckets.keys().next().cloned()
        {
            buckets.remove(victim.borrow());
        }
    }
    buckets.entry(key.to_owned()).or_insert_with(|| Bucket::full(rate, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn addresses_and_names_have_buckets_of_their_own() {
        let rates = Rates::new(Some(Throughput { per_second: 1, burst: 2 }), 10);
        let elsewhere = IpAddr::from([10, 0, 0, 1]);
        assert!(rates.allows(HOME, "acme", 0) && rates.allows(HOME, "acme", 0));
        assert!(!rates.allows(HOME, "other", 0) && !rates.allows(elsewhere, "acme", 0));
        assert!(rates.allows(elsewhere, "other", 0));
        assert!(rates.allows(HOME, "acme", 1_000) && !rates.allows(HOME, "acme", 1_500));
        assert!(Rates::new(None, 10).allows(HOME, "acme", 0));
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::new(Some(Throughput { per_second: 1, burst: 2 }), 10);
        for n in 0..100_u8 {
            rates.allows(IpAddr::from([10, 0, 0, n]), &n.to_string(), 0);
        }
        let buckets = rates.buckets.lock().unwrap();
        assert_eq!((buckets.by_address.len(), buckets.by_name.len()), (10, 10));
    }
}
