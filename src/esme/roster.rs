//! Who is bound: the places of credentials, orders to sessions, and what all binds of a credential share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smpp_proto::field::InterfaceVersion;
use tokio::sync::{Notify, mpsc};

use crate::account::credential::BindType;
use crate::account::{AccountId, CredentialId, Surface, Throughput};
use crate::clock::{Clock, Timestamp};
use crate::policy::{Bucket, Snapshot};

/// The list of bound sessions; clones share one list.
#[derive(Clone)]
pub struct Roster(Arc<Inner>);

struct Inner {
    clock: Clock,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    last: u64,
    by_credential: HashMap<CredentialId, Row>,
}

/// The binds of one credential. The row stays when the last has gone, so that a reconnect does not refill the bucket;
/// there are no more rows than credentials.
struct Row {
    share: Arc<Share>,
    seats: Vec<Arc<Seat>>,
}

/// What all binds of a credential share.
#[derive(Debug, Default)]
pub(super) struct Share(Mutex<Option<Bucket>>);

/// What is known about a bind.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whose it is.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// What it is bound with.
    pub credential: CredentialId,
    /// The name of that.
    pub system_id: String,
    /// What for.
    pub kind: BindType,
    /// What both sides speak.
    pub version: InterfaceVersion,
    /// From where.
    pub peer: SocketAddr,
    /// Whether it came over TLS.
    pub tls: bool,
}

/// A bound session as administration sees it.
#[derive(Clone, Debug)]
pub struct BindView {
    /// Its number; never reused while the daemon runs.
    pub number: u64,
    /// What is known about it.
    pub facts: Facts,
    /// Since when.
    pub since: Timestamp,
    /// How long nothing came from it.
    pub quiet_for: Duration,
}

/// Why a session is told to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// The account, or one that answers for it, was suspended.
    Suspended,
    /// The credential is gone, or no longer allows such a bind from there.
    Withdrawn,
    /// An administrator said so.
    Dismissed,
    /// The daemon stops.
    Draining,
}

impl Leave {
    /// The word in the log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspended => "account_suspended",
            Self::Withdrawn => "credential_withdrawn",
            Self::Dismissed => "dismissed",
            Self::Draining => "draining",
        }
    }
}

/// A place on the roster: given back when dropped.
pub(super) struct Place {
    roster: Roster,
    pub(super) seat: Arc<Seat>,
    pub(super) share: Arc<Share>,
}

/// One bound session.
pub(super) struct Seat {
    pub(super) facts: Facts,
    number: u64,
    since: Timestamp,
    /// Monotonic milliseconds of the last octets that came.
    heard: AtomicU64,
    orders: Mutex<Orders>,
    ordered: Notify,
}

/// What a session is to do.
#[derive(Default)]
pub(super) struct Orders {
    /// Unbind and go.
    pub(super) leave: Option<Leave>,
    /// Show that you live; each is dropped when that is seen.
    pub(super) probes: Vec<Probe>,
}

/// Held by a session that is to show that it lives; whoever asked waits until all are dropped.
pub(super) type Probe = mpsc::Sender<()>;

/// All places of a credential are taken.
pub(super) struct Full {
    /// Those that were quiet for longest.
    quietest: Vec<Arc<Seat>>,
}

impl Roster {
    pub(super) fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, seats: Mutex::default() }))
    }

    /// How many sessions are bound.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_credential.values().map(|row| row.seats.len()).sum()
    }

    /// Every bound session, in no order.
    #[must_use]
    pub fn binds(&self) -> Vec<BindView> {
        let now = self.0.clock.monotonic();
        let seats = self.lock();
        let all = seats.by_credential.values().flat_map(|row| &row.seats);
        all.map(|seat| seat.view(now)).collect()
    }

    /// Whether somebody is bound who takes what is owed to the account.
    pub(super) fn receives(&self, account: AccountId) -> bool {
        let takes =
            |seat: &Arc<Seat>| seat.facts.account == account && seat.facts.kind != BindType::Transmitter;
        self.lock().by_credential.values().flat_map(|row| &row.seats).any(takes)
    }

    /// Whether somebody is bound with this credential who takes what is owed.
    pub(super) fn receives_as(&self, credential: CredentialId) -> bool {
        let takes = |seat: &Arc<Seat>| {
            seat.facts.credential == credential && seat.facts.kind != BindType::Transmitter
        };
        self.lock().by_credential.values().flat_map(|row| &row.seats).any(takes)
    }

    /// Tells one session to unbind; `false` when there is none with this number.
    #[must_use]
    pub fn dismiss(&self, number: u64) -> bool {
        let seats = self.lock();
        let found =
            seats.by_credential.values().flat_map(|row| &row.seats).find(|seat| seat.number == number);
        found.map(|seat| seat.order(Leave::Dismissed)).is_some()
    }

    /// Tells every session that `policy` no longer allows to unbind; says how many. Happens by itself within a second
    /// after a policy was swapped.
    pub fn recheck(&self, policy: &Snapshot) -> usize {
        self.order_all(|facts| facts.leave_under(policy))
    }

    pub(super) fn drain(&self) {
        self.order_all(|_| Some(Leave::Draining));
    }

    fn order_all(&self, why: impl Fn(&Facts) -> Option<Leave>) -> usize {
        let seats = self.lock();
        let all = seats.by_credential.values().flat_map(|row| &row.seats);
        let mut ordered = 0;
        for seat in all {
            if let Some(leave) = why(&seat.facts) {
                seat.order(leave);
                ordered += 1;
            }
        }
        ordered
    }

    /// Takes a place, if the credential has one left of `most`.
    pub(super) fn claim(&self, facts: &Facts, most: u32) -> Result<Place, Full> {
        let mut seats = self.lock();
        seats.last += 1;
        let number = seats.last;
        let row = seats.by_credential.entry(facts.credential).or_insert_with(Row::empty);
        if row.seats.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(Full { quietest: row.quietest() });
        }
        let seat = Arc::new(Seat {
            facts: facts.clone(),
            number,
            since: self.0.clock.now(),
            heard: AtomicU64::new(self.0.clock.monotonic()),
            orders: Mutex::default(),
            ordered: Notify::new(),
        });
        row.seats.push(Arc::clone(&seat));
        Ok(Place { roster: self.clone(), seat, share: Arc::clone(&row.share) })
    }

    fn release(&self, seat: &Arc<Seat>) {
        if let Some(row) = self.lock().by_credential.get_mut(&seat.facts.credential) {
            row.seats.retain(|other| !Arc::ptr_eq(other, seat));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        // A panic while the lock is held leaves a list that is whole: every change is one call.
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    /// Why such a bind may not stay under `policy`.
    fn leave_under(&self, policy: &Snapshot) -> Option<Leave> {
        if policy.is_suspended(self.account) {
            return Some(Leave::Suspended);
        }
        let allowed = policy.credential_by_id(self.credential).is_some_and(|credential| {
            let bounds = &credential.bounds;
            credential.account == self.account
                && bounds.bind_types.contains(self.kind)
                && bounds.allows_ip(self.peer.ip())
                && policy.admits_address(self.account, Surface::Smpp, self.peer.ip())
                && (self.tls || !bounds.tls_required)
        });
        (!allowed).then_some(Leave::Withdrawn)
    }
}

impl Full {
    /// Asks those that were quiet for longest whether they live, and waits until each has answered or is gone.
    pub(super) async fn probe(self, clock: &Clock, within: Duration) {
        let (probe, mut resolved) = mpsc::channel(1);
        for seat in self.quietest {
            seat.probe(probe.clone());
        }
        drop(probe);
        // A session resolves its probe in time by itself; the sleep is for one that cannot.
        let late =
            clock.monotonic().saturating_add(2 * u64::try_from(within.as_millis()).unwrap_or(u64::MAX / 4));
        tokio::select! {
            _ = resolved.recv() => {}
            () = clock.sleep_until_monotonic(late) => {}
        }
    }
}

impl Row {
    fn empty() -> Self {
        Self { share: Arc::default(), seats: Vec::new() }
    }

    fn quietest(&self) -> Vec<Arc<Seat>> {
        let mut seats = self.seats.clone();
        seats.sort_by_key(|seat| seat.heard.load(Ordering::Relaxed));
        seats.truncate(PROBED_AT_ONCE);
        seats
    }
}

/// Binds that are asked for a sign of life when one more wants a place.
const PROBED_AT_ONCE: usize = 4;
/// Probes that one session holds at a time; more find it still being asked.
const PROBES_HELD: usize = 16;

impl Seat {
    /// Octets came.
    pub(super) fn heard(&self, now: u64) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Waits for orders, and takes them.
    pub(super) async fn orders(&self) -> Orders {
        loop {
            let ordered = self.ordered.notified();
            let orders = std::mem::take(&mut *self.lock());
            if orders.leave.is_some() || !orders.probes.is_empty() {
                return orders;
            }
            ordered.await;
        }
    }

    fn order(&self, leave: Leave) {
        self.lock().leave.get_or_insert(leave);
        self.ordered.notify_one();
    }

    fn probe(&self, probe: Probe) {
        let mut orders = self.lock();
        if orders.probes.len() < PROBES_HELD {
            orders.probes.push(probe);
        }
        drop(orders);
        self.ordered.notify_one();
    }

    fn view(&self, now: u64) -> BindView {
        BindView {
            number: self.number,
            facts: self.facts.clone(),
            since: self.since,
            quiet_for: Duration::from_millis(now.saturating_sub(self.heard.load(Ordering::Relaxed))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Runs `with` on the bucket of the credential. `now` is monotonic milliseconds.
    pub(super) fn bucket<T>(
        &self,
        throughput: Throughput,
        now: u64,
        with: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        with(bucket.get_or_insert_with(|| Bucket::full(throughput, now)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.roster.release(&self.seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(credential: u32) -> Facts {
        Facts {
            account: AccountId(1),
            account_name: "acme".to_owned(),
            credential: CredentialId(credential),
            system_id: "acme".to_owned(),
            kind: BindType::Transceiver,
            version: InterfaceVersion::V3_4,
            peer: SocketAddr::from(([127, 0, 0, 1], 4000)),
            tls: false,
        }
    }

    #[tokio::test]
    async fn places_are_counted_by_credential_and_given_back() {
        let roster = Roster::new(Clock::manual(Timestamp::default()));
        let first = roster.claim(&facts(1), 1).unwrap_or_else(|_| panic!("a place"));
        assert!(roster.claim(&facts(1), 1).is_err());
        let other = roster.claim(&facts(2), 1).unwrap_or_else(|_| panic!("a place"));
        assert_eq!(roster.count(), 2);
        drop(first);
        assert!(roster.claim(&facts(1), 1).is_ok());
        assert_eq!(roster.binds().len(), 1);
        assert!(roster.dismiss(other.seat.number) && !roster.dismiss(99));
        assert_eq!(other.seat.orders().await.leave, Some(Leave::Dismissed));
    }

    #[tokio::test]
    async fn whoever_waits_for_probes_goes_on_when_all_are_dropped() {
        let clock = Clock::manual(Timestamp::default());
        let roster = Roster::new(clock.clone());
        let bound = roster.claim(&facts(1), 1).unwrap_or_else(|_| panic!("a place"));
        let full = roster.claim(&facts(1), 1).err().expect("full");
        let waiter = tokio::spawn(async move { full.probe(&clock, Duration::from_secs(2)).await });
        let orders = bound.seat.orders().await;
        assert_eq!(orders.probes.len(), 1);
        assert!(!waiter.is_finished());
        drop(orders);
        waiter.await.expect("no panic");
    }
}
