//! The operators' SMSCs that we bind to: one task a bind pulls from the operator's lane, submits, and brings receipts
//! and messages from phones back.
//!
//! The room does not know clients, accounts' money or SQL: it meets the rest of the house in the store, by lanes on
//! the way out and notes on the way back.

mod bind;
mod deliver;
mod detour;
mod dial;
mod metrics;
mod roster;
mod settings;
mod slot;
mod submit;
mod wording;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smpp_proto::pdu::BindKind;
use smpp_proto::session::Moment;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use metrics::Metrics;
pub use roster::{BindView, Phase, Roster, UpstreamView};
pub use settings::{
    BindMode, Called, ClientParts, InDoubt, LongForm, Patience, ReceiptsAsked, Redial, Settings, Tls,
    Upstream, ValidityForm,
};

use self::bind::known::KnownIds;
use self::bind::objections::Objections;
use self::bind::pace::Agreed;
use self::deliver::Complaints;
use self::dial::Doorbell;
use self::metrics::UpstreamMetrics;
use crate::account::Secret;
use crate::clock::Clock;
use crate::message::{Message, UpstreamId};
use crate::store::{Lane, Store};

/// An operator that the store does not know: its policy must be applied first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream {0:?} is not applied to the store")]
pub struct UnknownUpstream(pub String);

/// What the binds of one operator share.
struct Shared {
    id: UpstreamId,
    settings: Upstream,
    /// Whether binds stand for it; else its lane is only emptied.
    is_configured: bool,
    failover_after: Duration,
    drain_within: Duration,
    store: Store,
    clock: Clock,
    lane: Arc<Lane<Message>>,
    roster: Arc<Roster>,
    operator: Arc<roster::Operator>,
    metrics: UpstreamMetrics,
    agreed: Agreed,
    known_ids: KnownIds,
    objections: Objections,
    doorbell: Doorbell,
    complaints: Complaints,
}

/// What the tasks of one operator are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Run,
    Leave,
}

/// What becomes of an operator when settings are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is new.
    Taken,
    /// Its rate is another one; its binds stand.
    Paced,
    /// It is bound anew.
    Rebound,
    /// It is named no more.
    Left,
}

/// The operators at work.
pub struct Running {
    store: Store,
    clock: Clock,
    metrics: Metrics,
    roster: Arc<Roster>,
    operators: Vec<AtWork>,
}

/// One operator at work.
struct AtWork {
    shared: Arc<Shared>,
    orders: watch::Sender<Order>,
    tasks: JoinSet<()>,
}

/// Starts binding to every operator. Must be called within a Tokio runtime.
///
/// # Errors
/// When the store does not know one of them; then nothing was started.
pub fn connect(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<Running, UnknownUpstream> {
    let mut running = Running {
        store: store.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        roster: Arc::new(Roster::new(Arc::clone(store.up()))),
        operators: Vec::new(),
    };
    let numbers = running.numbers(settings)?;
    for (id, upstream) in numbers {
        running.start(id, upstream, settings);
    }
    running.start_detours(settings);
    Ok(running)
}

impl Running {
    /// How every operator and every bind stands.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster)
    }

    /// Where an operator may call us; nothing when it does not, or the address cannot be listened on yet.
    #[must_use]
    pub fn called_at(&self, upstream: &str) -> Option<SocketAddr> {
        let operator = self.operators.iter().find(|operator| operator.shared.settings.name == upstream)?;
        operator.shared.doorbell.address()
    }

    /// Takes new settings: starts what is new, drains what is gone, does both for what is changed. Operators that
    /// stay as they are keep their binds. Says by name of each other one what became of it.
    ///
    /// # Errors
    /// When the store does not know one of them; then nothing was changed.
    pub async fn reload(&mut self, settings: &Settings) -> Result<Vec<(String, Turn)>, UnknownUpstream> {
        let numbers = self.numbers(settings)?;
        let mut turns = Vec::new();
        let mut leaving = Vec::new();
        let mut staying = Vec::new();
        for operator in self.operators.drain(..) {
            let same = |(id, upstream): &(UpstreamId, Upstream)| {
                // A rate is changed while bound; everything else needs a new bind.
                let throughput = operator.shared.settings.throughput;
                *id == operator.shared.id
                    && Upstream { throughput, ..upstream.clone() } == operator.shared.settings
                    && operator.shared.is_configured
            };
            if let Some((_, upstream)) = numbers.iter().find(|known| same(known)) {
                let now = Moment(self.clock.monotonic());
                if operator.shared.agreed.agree(upstream.throughput, now) {
                    turns.push((upstream.name.clone(), Turn::Paced));
                }
                staying.push(operator);
            } else {
                if operator.shared.is_configured {
                    let stays = numbers.iter().any(|(id, _)| *id == operator.shared.id);
                    let turn = if stays { Turn::Rebound } else { Turn::Left };
                    turns.push((operator.shared.settings.name.clone(), turn));
                }
                leaving.push(operator);
            }
        }
        self.operators = staying;
        leave(leaving, &self.roster).await;
        for (id, upstream) in numbers {
            if !self.operators.iter().any(|operator| operator.shared.id == id) {
                if !turns.iter().any(|(name, _)| *name == upstream.name) {
                    turns.push((upstream.name.clone(), Turn::Taken));
                }
                self.start(id, upstream, settings);
            }
        }
        self.start_detours(settings);
        Ok(turns)
    }

    /// Stops pulling, waits for what is open (at most `Settings::drain_within`), unbinds, closes. What was not
    /// sent stays in the store.
    pub async fn drain(self) {
        leave(self.operators, &self.roster).await;
    }

    fn numbers(&self, settings: &Settings) -> Result<Vec<(UpstreamId, Upstream)>, UnknownUpstream> {
        let known = self.store.upstreams();
        let number = |upstream: &Upstream| {
            let id = known.id(&upstream.name).ok_or_else(|| UnknownUpstream(upstream.name.clone()))?;
            Ok((id, upstream.clone()))
        };
        settings.upstreams.iter().map(number).collect()
    }

    fn start(&mut self, id: UpstreamId, upstream: Upstream, settings: &Settings) {
        let now = self.clock.now();
        let kinds: &[BindKind] = match upstream.bind_type {
            BindMode::Transceiver => &[BindKind::Transceiver],
            BindMode::Transmitter => &[BindKind::Transmitter],
            BindMode::Receiver => &[BindKind::Receiver],
            BindMode::Pair => &[BindKind::Transmitter, BindKind::Receiver],
        };
        let places: Vec<_> = (1..=upstream.connections.max(1))
            .flat_map(|number| kinds.iter().map(move |kind| Arc::new(roster::Bind::new(number, *kind, now))))
            .collect();
        let operator = Arc::new(roster::Operator::new(id, &upstream.name, places.clone(), now));
        self.roster.put(Arc::clone(&operator));
        let shared = self.shared(id, upstream, operator, settings, true);
        let orders = watch::Sender::new(Order::Run);
        let mut tasks = JoinSet::new();
        for place in places {
            tasks.spawn(slot::keep(Arc::clone(&shared), place, orders.subscribe()));
        }
        tasks.spawn(detour::watch_over(Arc::clone(&shared), orders.subscribe()));
        tasks.spawn(dial::answer_calls(Arc::clone(&shared), orders.subscribe()));
        self.operators.push(AtWork { shared, orders, tasks });
    }

    /// Operators that are no longer configured may have messages in their lanes.
    fn start_detours(&mut self, settings: &Settings) {
        let at_work: HashSet<UpstreamId> = self.operators.iter().map(|operator| operator.shared.id).collect();
        let known = self.store.upstreams();
        for (id, name) in known.iter().filter(|(id, _)| !at_work.contains(id)) {
            let operator = Arc::new(roster::Operator::new(id, name, Vec::new(), self.clock.now()));
            let gone = Upstream::new(name, "", "", Secret::new(""));
            let settings = Settings { failover_after: Duration::ZERO, ..settings.clone() };
            let shared = self.shared(id, gone, operator, &settings, false);
            let orders = watch::Sender::new(Order::Run);
            let mut tasks = JoinSet::new();
            tasks.spawn(detour::watch_over(Arc::clone(&shared), orders.subscribe()));
            self.operators.push(AtWork { shared, orders, tasks });
        }
    }

    fn shared(
        &self,
        id: UpstreamId,
        upstream: Upstream,
        operator: Arc<roster::Operator>,
        settings: &Settings,
        is_configured: bool,
    ) -> Arc<Shared> {
        let agreed = Agreed::default();
        agreed.agree(upstream.throughput, Moment(self.clock.monotonic()));
        Arc::new(Shared {
            id,
            is_configured,
            failover_after: settings.failover_after,
            drain_within: settings.drain_within,
            store: self.store.clone(),
            clock: self.clock.clone(),
            lane: self.store.upstream_lane(id),
            roster: Arc::clone(&self.roster),
            operator,
            metrics: self.metrics.of_upstream(&upstream.name),
            agreed,
            known_ids: KnownIds::default(),
            objections: Objections::default(),
            doorbell: Doorbell::default(),
            complaints: Complaints::default(),
            settings: upstream,
        })
    }
}

/// Tells all of them first, so that they leave side by side, then waits for each.
async fn leave(operators: Vec<AtWork>, roster: &Roster) {
    for operator in &operators {
        operator.orders.send_replace(Order::Leave);
    }
    for mut operator in operators {
        while operator.tasks.join_next().await.is_some() {}
        roster.remove(&operator.shared.operator);
    }
}
