//! The daemon between practice operators and clients of any kind, and the question whether all of it is at rest.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tollgate::account::credential::BindType;
use tollgate::account::{Credits, Secret};
use tollgate::sim::hostile::Hostile;
use tollgate::sim::{self, Operator};
use tollgate::smsc::{Phase, Upstream};

use super::good::Good;
use super::support::{Gate, Plan, within};

/// A gate, its operators, and a look into its store.
pub(crate) struct House {
    pub gate: Gate,
    pub operators: Vec<Operator>,
    store: Mutex<Connection>,
}

/// How messages stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Not yet ended.
    pub open: u64,
    /// Receipts and messages from phones that are still to be delivered.
    pub owed: u64,
}

impl House {
    /// With so many operators on one route; what makes a rogue wait is short.
    pub(crate) async fn open(operators: usize, change: impl FnOnce(&mut Plan)) -> Self {
        count_panics();
        let mut running = Vec::new();
        for _ in 0..operators {
            running.push(Operator::start(sim::Settings::default()).await.expect("an operator"));
        }
        let upstreams = running.iter().zip(["north", "south", "west"]).map(|(operator, name)| {
            let mut upstream =
                Upstream::new(name, &operator.address().to_string(), "gate", Secret::new("secret"));
            upstream.window = 5;
            upstream.patience.response = ANSWER_WITHIN;
            upstream
        });
        let upstreams: Vec<_> = upstreams.collect();
        let gate = Gate::open(|plan| {
            plan.upstreams = upstreams;
            plan.esme.partial_pdu = Duration::from_millis(150);
            plan.esme.write_stall = Duration::from_millis(200);
            plan.esme.linger = Duration::from_millis(100);
            plan.esme.write_backlog = 4_096;
            plan.esme.fault_budget = 50;
            plan.esme.failed_binds.free = 1_000;
            plan.bounds.max_binds = 50;
            change(plan);
        })
        .await;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(gate.store_path(), flags).expect("the store");
        Self { gate, operators: running, store: Mutex::new(store) }
    }

    /// All operators take these manners.
    pub(crate) fn behave(&self, hostile: &[Hostile]) {
        self.operators.iter().for_each(|operator| operator.behave(hostile.to_vec()));
    }

    pub(crate) fn standing(&self) -> Standing {
        let reader = self.gate.store.reader().expect("a reader");
        let (open, owed) = reader.under_way().expect("counts");
        Standing { open, owed }
    }

    /// Lets time pass until every message has ended and every delivery is taken, with a good client to take them;
    /// then nothing may be left anywhere. What is stuck is told with `seed`.
    pub(crate) async fn settle(&self, what: &str) {
        self.behave(&[]);
        let begun = Instant::now();
        let mut step = Duration::from_secs(2);
        // Who answers must have the time to do so: about a hundred milliseconds for the longest that anyone waits.
        assert!(LONGEST_STEP * 20 <= ANSWER_WITHIN);
        let mut collector = Good::receiver(self.gate.address);
        loop {
            if collector.is_over() {
                collector = Good::receiver(self.gate.address);
            }
            let is_alone = self.only_the_collector_is_there();
            if is_alone {
                // What its clients no longer heard may still be on its way into the store.
                self.all_written().await;
            }
            let standing = self.standing();
            let is_done = standing == Standing { open: 0, owed: 0 } && self.gate.owed() == 0;
            if is_alone && is_done && self.is_idle() {
                break;
            }
            assert!(begun.elapsed() < SETTLE_WITHIN, "{what}: stuck, {standing:?}, {}", self.describe());
            tokio::time::sleep(BETWEEN_STEPS).await;
            if begun.elapsed() > BEFORE_LEAPS && standing.owed == 0 && self.is_idle() {
                // Only receipts are missing that an operator will never send: days pass until they count as lost.
                self.gate.clock.advance(LEAP);
                tokio::time::sleep(BETWEEN_STEPS * 10).await;
            }
            self.gate.clock.advance(step);
            step = (step + step / 8).min(LONGEST_STEP);
        }
        collector.leave().await;
        self.gate.binds_are(0).await;
        within("the end of all connections", async {
            while self.gate.figure("connections") != 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(
            [self.gate.figure("submits_open"), self.gate.figure("deliveries_open")],
            [0, 0],
            "{what}: leaks"
        );
        self.gate.books_hold();
        assert_eq!(self.gate.balance().1, "0", "{what}: something is held");
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{what}: {}", first_panic());
    }

    /// The collector is bound, so every connection that was made before it was taken from the queue; and it is the only
    /// one. Nobody else binds as a receiver.
    fn only_the_collector_is_there(&self) -> bool {
        let binds = self.gate.running.as_ref().map_or(Vec::new(), |clients| clients.roster().binds());
        matches!(&binds[..], [one] if one.facts.kind == BindType::Receiver)
            && [self.gate.figure("connections"), self.gate.figure("submits_open")] == [1, 0]
    }

    /// Waits until the store has done all that was asked of it before: it answers in order, also what it refuses.
    async fn all_written(&self) {
        let account = self.gate.store.policy().credential("acme").expect("a credential").account;
        let nothing = self.gate.store.transfer(account, account, Credits::ZERO, String::new());
        assert!(within("an answer of the store", nothing).await.is_err(), "nothing is no amount");
    }

    /// No bind has anything open, and no lane holds anything.
    fn is_idle(&self) -> bool {
        let views = self.gate.binds.as_ref().expect("operators").roster().view();
        views.iter().all(|view| {
            let depth = self.gate.store.upstream_lane(view.id).depth();
            depth.ready + depth.spilled == 0 && view.binds.iter().all(|bind| bind.in_flight == 0)
        })
    }

    fn describe(&self) -> String {
        let views = self.gate.binds.as_ref().expect("operators").roster().view();
        let clients = self.gate.running.as_ref().map(|clients| clients.roster().binds());
        let store = self.store.lock().expect("the store");
        let mut find = store.prepare("SELECT id, state, due, expires, lane, owed, owed_due FROM message WHERE state < 10 OR owed IN (1, 2, 3) LIMIT 5").expect("a question");
        let rows = find.query_map([], |row| {
            let columns: Vec<Option<i64>> = (0..7).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok(format!("{columns:?}"))
        });
        let rows: Vec<String> = rows.expect("rows").flatten().collect();
        format!("now {:?}, held up {rows:?}, {views:#?}, {clients:#?}", self.gate.clock.now())
    }

    /// Waits until every operator is bound again, letting time pass.
    pub(crate) async fn all_bound(&self) {
        let begun = Instant::now();
        let views = || self.gate.binds.as_ref().expect("operators").roster().view();
        while views().iter().any(|view| view.binds.iter().any(|bind| bind.phase != Phase::Bound)) {
            assert!(begun.elapsed() < SETTLE_WITHIN, "not bound again: {}", self.describe());
            tokio::time::sleep(BETWEEN_STEPS).await;
            self.gate.clock.advance(Duration::from_secs(2));
        }
    }
}

/// How long operators and the gate wait for an answer of the other.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(600);
/// How far the clock moves at a time while everything comes to rest, and how long peers have in between.
const LONGEST_STEP: Duration = Duration::from_secs(30);
const BETWEEN_STEPS: Duration = Duration::from_millis(5);
/// When receipts are no longer hoped for, and how far the clock leaps then.
const BEFORE_LEAPS: Duration = Duration::from_secs(2);
const LEAP: Duration = Duration::from_secs(6 * 3_600);
/// How long everything may take to come to rest.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// Panics anywhere in this process: a task of the daemon that panics would else just end.
static PANICS: AtomicUsize = AtomicUsize::new(0);
static FIRST: Mutex<String> = Mutex::new(String::new());

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A test that fails panics too, and says so itself: only those of the daemon's own code are counted.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            if place.starts_with("src/") || place.starts_with("proto/") {
                PANICS.fetch_add(1, Ordering::Relaxed);
                FIRST.lock().unwrap_or_else(PoisonError::into_inner).push_str(&format!("{panic}\n"));
            }
            told(panic);
        }));
    });
}

fn first_panic() -> String {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
