//! How many connections there may be: in all, without a bind, and of these from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::esme::{Metrics, Settings};

/// Counts connections. No address stays in memory that has no connection without a bind.
pub(in crate::esme) struct Entrance {
    max: usize,
    max_unbound: usize,
    max_unbound_per_address: usize,
    metrics: Metrics,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    unbound: usize,
    unbound_by_address: HashMap<IpAddr, usize>,
}

/// One connection, counted until it is dropped.
pub(in crate::esme) struct Visitor {
    entrance: Arc<Entrance>,
    /// Absent as long as only a proxy knows it.
    address: Option<IpAddr>,
    bound: bool,
}

impl Entrance {
    pub(super) fn new(settings: &Settings, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            max: settings.max_connections,
            max_unbound: settings.max_unbound,
            max_unbound_per_address: settings.max_unbound_per_address,
            metrics,
            counts: Mutex::default(),
        })
    }

    /// Lets a connection in, or says which bound is reached.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Visitor, &'static str> {
        let mut visitor = self.enter_unnamed()?;
        visitor.named(address)?;
        Ok(visitor)
    }

    /// Lets a connection in whose client's address a proxy is still to tell.
    pub(super) fn enter_unnamed(self: &Arc<Self>) -> Result<Visitor, &'static str> {
        let mut counts = self.lock();
        if counts.all >= self.max {
            return Err("max_connections");
        }
        if counts.unbound >= self.max_unbound {
            return Err("max_unbound");
        }
        counts.all += 1;
        counts.unbound += 1;
        self.metrics.connected();
        Ok(Visitor { entrance: Arc::clone(self), address: None, bound: false })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn leave_unbound(&mut self, address: Option<IpAddr>) {
        self.unbound = self.unbound.saturating_sub(1);
        let Some(address) = address else { return };
        if let Some(here) = self.unbound_by_address.get_mut(&address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                self.unbound_by_address.remove(&address);
            }
        }
    }
}

impl Visitor {
    /// Its address is known now; says so if too many are there from it that have not bound.
    pub(super) fn named(&mut self, address: IpAddr) -> Result<(), &'static str> {
        let address = address.to_canonical();
        let mut counts = self.entrance.lock();
        let here = counts.unbound_by_address.get(&address).copied().unwrap_or(0);
        if here >= self.entrance.max_unbound_per_address {
            return Err("max_unbound_per_address");
        }
        counts.unbound_by_address.insert(address, here + 1);
        self.address = Some(address);
        Ok(())
    }

    /// It has bound: it no longer counts among those who have not.
    pub(in crate::esme) fn bound(&mut self) {
        if !std::mem::replace(&mut self.bound, true) {
            self.entrance.lock().leave_unbound(self.address);
        }
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let mut counts = self.entrance.lock();
        counts.all = counts.all.saturating_sub(1);
        if !self.bound {
            counts.leave_unbound(self.address);
        }
        self.entrance.metrics.disconnected();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_bound_makes_room_for_others() {
        let settings = Settings {
            max_connections: 3,
            max_unbound: 2,
            max_unbound_per_address: 1,
            ..Settings::default()
        };
        let entrance = Entrance::new(&settings, Metrics::default());
        let [a, b, c] = [1, 2, 3].map(|n| IpAddr::from([10, 0, 0, n]));
        let mut first = entrance.enter(a).expect("let in");
        assert_eq!(entrance.enter(a).err(), Some("max_unbound_per_address"));
        let second = entrance.enter(b).expect("let in");
        assert_eq!(entrance.enter(c).err(), Some("max_unbound"));
        first.bound();
        first.bound();
        let third = entrance.enter(a).expect("let in");
        drop(second);
        let _fourth = entrance.enter(b).expect("let in");
        assert_eq!(entrance.enter(c).err(), Some("max_connections"));
        drop(third);
        assert!(!entrance.lock().unbound_by_address.contains_key(&a));
    }
}
