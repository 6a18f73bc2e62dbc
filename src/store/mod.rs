//! What must survive a crash. The only room that knows SQL; it does not know sockets, PDUs under way or sessions.
//!
//! One writer thread owns the only writing connection. It drains a bounded mailbox of batched commands, does them all
//! in one transaction, commits (`synchronous=FULL`), and only then answers and fills lanes. Readers have connections
//! of their own. What has ended moves in the background to one history file a day.

mod command;
mod error;
mod history;
mod journal;
mod lane;
mod metrics;
mod policy;
mod reader;
mod schema;
mod writer;

pub use command::{
    Accept, Answered, Balance, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest,
    Counted, Delivered, EntryUse, Kept, Listing, Note, OperatorBatch, Probed, Replace, Report, Standing,
};
pub use error::StoreError;
pub use history::HistorySettings;
pub use lane::{Backlog, Depth, FlowId, Lane, Laned};
pub use policy::{
    AccountDraft, CredentialDraft, MoRouteDraft, PolicyChange, RouteDraft, TrafficDraft, Up, UpstreamDraft,
    UpstreamTraits, Upstreams, WayDraft,
};
pub use reader::{
    AccountView, AuditLine, DayTotals, ListedNumber, Reader, Search, StoredPolicy, TimelineEntry, Trace,
};
pub use writer::{Counters, Limits};

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};

use command::{Command, Sightings};
use lane::{Backlogs, LaneName};

use crate::account::AccountId;
use crate::clock::{Clock, Timestamp};
use crate::message::{Delivery, Message, NodeNumber, UpstreamId};
use crate::policy::Snapshot;

/// Where the store lives and how it behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The hot file; `-wal`, `-shm`, `.lock` and the history folder stand beside it.
    pub path: PathBuf,
    /// Which node of several this is; 0 to 63.
    pub node: NodeNumber,
    /// Commands that may wait for the writer; 16 to 65,536. When they do, sessions stop reading their sockets.
    pub mailbox: usize,
    /// Messages and notes in one transaction at most; 1 to 65,536.
    pub batch: usize,
    /// How long receipts and MO messages wait for their client; 3 days by default.
    pub owed_for: Duration,
    /// How long parts of a message from a phone wait for the others, from the first one on; 1 h by default.
    pub join_within: Duration,
    /// How long after its validity a message waits for a receipt before it ends as unknown; 3 days by default.
    pub receipt_timeout: Duration,
    /// First sendings that the duplicate filter remembers; 1,000 to 100,000,000. Beyond it the oldest are forgotten early.
    pub first_sendings: usize,
    /// What happens to what has ended.
    pub history: HistorySettings,
}

impl Settings {
    /// The defaults, for a hot file at `path`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        Self {
            path: path.into(),
            node: NodeNumber::default(),
            mailbox: 16_384,
            batch: 512,
            owed_for: days(3),
            join_within: Duration::from_secs(3_600),
            receipt_timeout: days(3),
            first_sendings: 4_000_000,
            history: HistorySettings::default(),
        }
    }
}

/// The handle; clones share one store.
#[derive(Clone)]
pub struct Store {
    mailbox: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// What writer and handles share.
struct Shared {
    settings: Settings,
    clock: Clock,
    policy: ArcSwap<Snapshot>,
    upstreams: ArcSwap<Upstreams>,
    up: Arc<Up>,
    backlogs: Backlogs,
    upstream_lanes: RwLock<HashMap<UpstreamId, Arc<Lane<Message>>>>,
    account_lanes: RwLock<HashMap<AccountId, Arc<Lane<Delivery>>>>,
    counters: Counters,
    sightings: Sightings,
    /// When the writer next has something to do by itself.
    next_due: watch::Sender<Timestamp>,
    refills: mpsc::WeakSender<Command>,
}

/// A place in the writer's mailbox.
pub struct Room<'a>(mpsc::Permit<'a, Command>);

impl Room<'_> {
    /// Hands a client's batch in.
    pub fn client(self, batch: ClientBatch) {
        self.0.send(Command::Client(batch));
    }

    /// Hands an operator's batch in.
    pub fn operator(self, batch: OperatorBatch) {
        self.0.send(Command::Operator(batch));
    }

    /// Hands receivers' answers in.
    pub fn answered(self, answers: Vec<Answered>) {
        self.0.send(Command::Answered(answers));
    }
}

impl Store {
    /// Opens (and makes or migrates) the store, takes its lock, brings back what was under way, starts the writer.
    ///
    /// # Errors
    /// When another process has it, it is from a newer Tollgate, or its files cannot be used.
    #[allow(clippy::needless_pass_by_value, reason = "the store keeps both; callers give them away")]
    pub fn open(settings: Settings, clock: Clock) -> Result<Self, StoreError> {
        writer::start(&settings, &clock)
    }

    /// A free place in the mailbox, if there is one now. The batch goes in by [`Room`].
    #[must_use]
    pub fn try_room(&self) -> Option<Room<'_>> {
        self.mailbox.try_reserve().ok().map(Room)
    }

    /// Waits for a place in the mailbox. May be dropped and called again without loss: the batch is not in it.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn room(&self) -> Result<Room<'_>, StoreError> {
        self.mailbox.reserve().await.map(Room).map_err(|_| StoreError::Closed)
    }

    /// The policy now. Cheap; take it once a batch.
    #[must_use]
    pub fn policy(&self) -> Arc<Snapshot> {
        self.shared.policy.load_full()
    }

    /// Operators by name and number, as last applied.
    #[must_use]
    pub fn upstreams(&self) -> Arc<Upstreams> {
        self.shared.upstreams.load_full()
    }

    /// Which operators can be sent to.
    #[must_use]
    pub fn up(&self) -> &Arc<Up> {
        &self.shared.up
    }

    /// What waits for an operator.
    #[must_use]
    pub fn upstream_lane(&self, upstream: UpstreamId) -> Arc<Lane<Message>> {
        self.shared.upstream_lane(upstream)
    }

    /// What is owed to an account.
    #[must_use]
    pub fn account_lane(&self, account: AccountId) -> Arc<Lane<Delivery>> {
        self.shared.account_lane(account)
    }

    /// Figures of the writer.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Whether the last transaction could not be committed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.shared.counters.is_failing.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// The time by the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Reads without getting in the writer's way. Blocking: not on an async thread.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.shared.settings.path, &self.shared.settings.history)
    }

    /// Wakes the writer whenever something falls due: retries, schedules, validities. Runs until the store closes.
    pub async fn keep_time(&self) {
        let mut next_due = self.shared.next_due.subscribe();
        loop {
            let due = *next_due.borrow_and_update();
            tokio::select! {
                () = self.shared.clock.sleep_until(due) => {
                    if self.shared.clock.now() < due {
                        continue;
                    }
                    if self.mailbox.send(Command::Tick).await.is_err() || next_due.changed().await.is_err() {
                        return;
                    }
                }
                changed = next_due.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Commits what is in the mailbox, closes the files and ends the writer. Later commands find it closed.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.mailbox.send(Command::Stop(done)).await.is_ok() {
            // An error means that the writer is gone already, which is what was asked for.
            let _ = closed.await;
        }
    }
}

impl Shared {
    fn upstream_lane(&self, upstream: UpstreamId) -> Arc<Lane<Message>> {
        lane::of(&self.upstream_lanes, upstream, LaneName::Upstream(upstream), &self.refills)
    }

    fn account_lane(&self, account: AccountId) -> Arc<Lane<Delivery>> {
        lane::of(&self.account_lanes, account, LaneName::Account(account), &self.refills)
    }
}
