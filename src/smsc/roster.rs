//! How every operator and every bind stands, for whoever wants to know: failover, metrics, the console, the API.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use smpp_proto::pdu::BindKind;
use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::message::UpstreamId;
use crate::store::Up;

/// Every operator that is configured.
#[derive(Debug)]
pub struct Roster {
    operators: ArcSwap<HashMap<UpstreamId, Arc<Operator>>>,
    /// Counts the changes, so that they can be waited for.
    changes: watch::Sender<u64>,
    /// Told which operators can be sent to.
    up: Arc<Up>,
}

/// One operator.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) id: UpstreamId,
    name: String,
    binds: Vec<Arc<Bind>>,
    /// Binds that stand and submit.
    submitting: AtomicU32,
    /// Since when none does.
    down_since: Mutex<Timestamp>,
}

/// One bind: a place that is filled again whenever it falls empty.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) number: u16,
    pub(super) kind: BindKind,
    standing: Mutex<Standing>,
    in_flight: AtomicU32,
    /// Segments a second, 0 for no limit.
    adapted: AtomicU32,
}

#[derive(Clone, Debug)]
struct Standing {
    phase: Phase,
    since: Timestamp,
    peer: Option<SocketAddr>,
    /// Why it is not bound, or was not before.
    reason: String,
}

/// How far a bind has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between two dials.
    Waiting,
    /// Connecting, shaking hands, binding.
    Dialling,
    /// Bound.
    Bound,
    /// Finishes what is open; begins nothing.
    Draining,
    /// Will not be dialled again.
    Ended,
}

impl Phase {
    /// The word in logs, JSON and the console.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dialling => "dialling",
            Self::Bound => "bound",
            Self::Draining => "draining",
            Self::Ended => "ended",
        }
    }
}

/// An operator as it stands.
#[derive(Clone, Debug)]
pub struct UpstreamView {
    /// Its number.
    pub id: UpstreamId,
    /// Its name.
    pub name: String,
    /// Whether a bind stands that submits.
    pub up: bool,
    /// Since when not; absent while it is up.
    pub down_since: Option<Timestamp>,
    /// Its binds.
    pub binds: Vec<BindView>,
}

/// A bind as it stands.
#[derive(Clone, Debug)]
pub struct BindView {
    /// 1 and up.
    pub number: u16,
    /// What it is bound as.
    pub kind: BindKind,
    /// How far it has come.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// The other end, while it is connected.
    pub peer: Option<SocketAddr>,
    /// Why it is not bound, or why it was lost before; empty when neither ever happened.
    pub reason: String,
    /// Requests that wait for their answer.
    pub in_flight: u32,
    /// Segments a second that the operator's throttling left; absent while it does not throttle.
    pub adapted_rate: Option<u32>,
}

impl Roster {
    pub(super) fn new(up: Arc<Up>) -> Self {
        Self { operators: ArcSwap::default(), changes: watch::Sender::new(0), up }
    }

    /// Every operator with its binds, by name.
    #[must_use]
    pub fn view(&self) -> Vec<UpstreamView> {
        let mut views: Vec<_> = self.operators.load().values().map(|operator| operator.view()).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// Whether a bind of this operator stands that submits.
    #[must_use]
    pub fn is_up(&self, id: UpstreamId) -> bool {
        self.operators.load().get(&id).is_some_and(|operator| operator.is_up())
    }

    /// Whether this operator is configured.
    #[must_use]
    pub fn knows(&self, id: UpstreamId) -> bool {
        self.operators.load().contains_key(&id)
    }

    /// Counts the changes of standing: of any bind, of the operators themselves.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The next operator of `way` behind `from` that is up, around to it again; itself is not among them.
    pub(super) fn next_up(&self, way: &[UpstreamId], from: UpstreamId) -> Option<UpstreamId> {
        let place = way.iter().position(|id| *id == from);
        let start = place.map_or(0, |place| place + 1);
        let around = way.iter().cycle().skip(start).take(way.len());
        around.copied().find(|id| *id != from && self.is_up(*id))
    }

    pub(super) fn put(&self, operator: Arc<Operator>) {
        let id = operator.id;
        self.change(|operators| operators.insert(id, operator));
        self.up.tell(id, || self.is_up(id));
    }

    /// Takes an operator out, unless another of the same number has taken its place.
    pub(super) fn remove(&self, gone: &Arc<Operator>) {
        self.change(|operators| {
            if operators.get(&gone.id).is_some_and(|operator| Arc::ptr_eq(operator, gone)) {
                operators.remove(&gone.id);
            }
        });
        self.up.tell(gone.id, || self.is_up(gone.id));
    }

    /// Only one task changes the list: the one that holds what runs.
    fn change<T>(&self, act: impl FnOnce(&mut HashMap<UpstreamId, Arc<Operator>>) -> T) {
        let mut operators = HashMap::clone(&self.operators.load());
        act(&mut operators);
        self.operators.store(Arc::new(operators));
        self.tell();
    }

    fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A bind has come so far, and why.
    pub(super) fn note(
        &self,
        operator: &Operator,
        bind: &Bind,
        phase: Phase,
        reason: Option<String>,
        now: Timestamp,
    ) {
        let was = {
            let mut standing = bind.standing();
            let was = standing.phase;
            standing.phase = phase;
            standing.since = now;
            standing.reason = reason.unwrap_or_else(|| std::mem::take(&mut standing.reason));
            if matches!(phase, Phase::Waiting | Phase::Ended) {
                standing.peer = None;
            }
            was
        };
        if bind.submits() {
            operator.count(was == Phase::Bound, phase == Phase::Bound, now);
            self.up.tell(operator.id, || self.is_up(operator.id));
        }
        self.tell();
    }
}

impl Operator {
    pub(super) fn new(id: UpstreamId, name: &str, binds: Vec<Arc<Bind>>, now: Timestamp) -> Self {
        Self { id, name: name.to_owned(), binds, submitting: AtomicU32::new(0), down_since: Mutex::new(now) }
    }

    pub(super) fn is_up(&self) -> bool {
        self.submitting.load(Ordering::Acquire) > 0
    }

    /// Since when no bind submits; meaningless while one does.
    pub(super) fn down_since(&self) -> Timestamp {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, was: bool, is: bool, now: Timestamp) {
        match (was, is) {
            (false, true) => {
                self.submitting.fetch_add(1, Ordering::AcqRel);
            }
            (true, false) if self.submitting.fetch_sub(1, Ordering::AcqRel) == 1 => {
                *self.down_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
            _ => {}
        }
    }

    fn view(&self) -> UpstreamView {
        let up = self.is_up();
        UpstreamView {
            id: self.id,
            name: self.name.clone(),
            up,
            down_since: (!up).then(|| self.down_since()),
            binds: self.binds.iter().map(|bind| bind.view()).collect(),
        }
    }
}

impl Bind {
    pub(super) fn new(number: u16, kind: BindKind, now: Timestamp) -> Self {
        let standing = Standing { phase: Phase::Waiting, since: now, peer: None, reason: String::new() };
        Self {
            number,
            kind,
            standing: Mutex::new(standing),
            in_flight: AtomicU32::new(0),
            adapted: AtomicU32::new(0),
        }
    }

    /// Whether it may submit once it is bound.
    pub(super) fn submits(&self) -> bool {
        self.kind != BindKind::Receiver
    }

    pub(super) fn connected(&self, peer: SocketAddr) {
        self.standing().peer = Some(peer);
    }

    pub(super) fn show(&self, in_flight: usize, adapted: Option<u32>) {
        self.in_flight.store(u32::try_from(in_flight).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.adapted.store(adapted.unwrap_or(0), Ordering::Relaxed);
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> BindView {
        let standing = self.standing().clone();
        let adapted = self.adapted.load(Ordering::Relaxed);
        BindView {
            number: self.number,
            kind: self.kind,
            phase: standing.phase,
            since: standing.since,
            peer: standing.peer,
            reason: standing.reason,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            adapted_rate: (adapted > 0).then_some(adapted),
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BindKind::Transmitter => "transmitter",
            BindKind::Receiver => "receiver",
            BindKind::Transceiver => "transceiver",
        };
        write!(f, "{} {kind}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(names: &[(u32, bool)]) -> Roster {
        let roster = Roster::new(Arc::default());
        for (id, up) in names {
            let bind = Arc::new(Bind::new(1, BindKind::Transceiver, Timestamp::default()));
            let operator =
                Arc::new(Operator::new(UpstreamId(*id), "x", vec![Arc::clone(&bind)], Timestamp::default()));
            roster.put(Arc::clone(&operator));
            if *up {
                roster.note(&operator, &bind, Phase::Bound, None, Timestamp::default());
            }
        }
        roster
    }

    #[test]
    fn the_next_that_is_up_is_looked_for_around_the_way() {
        let roster = roster(&[(1, true), (2, false), (3, true)]);
        let way = [1, 2, 3].map(UpstreamId);
        let next = |from| roster.next_up(&way, UpstreamId(from));
        assert_eq!(
            (next(1), next(2), next(3)),
            (Some(UpstreamId(3)), Some(UpstreamId(3)), Some(UpstreamId(1)))
        );
        assert_eq!(roster.next_up(&way, UpstreamId(9)), Some(UpstreamId(1)), "one that left the way");
        assert_eq!(roster.next_up(&[UpstreamId(1)], UpstreamId(1)), None);
    }

    #[test]
    fn an_operator_is_up_while_a_bind_that_submits_stands() {
        let roster = Roster::new(Arc::default());
        let later = Timestamp::from_millis(5);
        let [tx, rx] = [BindKind::Transmitter, BindKind::Receiver]
            .map(|kind| Arc::new(Bind::new(1, kind, Timestamp::default())));
        let binds = vec![Arc::clone(&tx), Arc::clone(&rx)];
        let operator = Arc::new(Operator::new(UpstreamId(1), "north", binds, Timestamp::default()));
        roster.put(Arc::clone(&operator));
        roster.note(&operator, &rx, Phase::Bound, None, later);
        assert!(!roster.is_up(UpstreamId(1)));
        roster.note(&operator, &tx, Phase::Bound, None, later);
        assert!(roster.is_up(UpstreamId(1)));
        roster.note(&operator, &tx, Phase::Waiting, Some("lost".to_owned()), later);
        let view = roster.view().remove(0);
        assert_eq!((view.up, view.down_since), (false, Some(later)));
        assert_eq!(view.binds.first().map(|bind| bind.reason.as_str()), Some("lost"));
    }
}
