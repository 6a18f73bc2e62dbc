//! SIGKILL at random instants under load: nothing that was answered is lost, and the books balance.
//!
//! The daemon is the real binary; clients and operator outlive it and remember what they were told. A kill ends a
//! process, not the machine: what the kernel was given is on the disk afterwards, so this proves the order of commits
//! and answers, and the recovery; that a commit reaches the disk itself is `synchronous=FULL` and SQLite's own proof.
//!
//! `TOLLGATE_CRASH_ROUNDS` sets the number of kills (50), `TOLLGATE_CRASH_SEED` repeats the draws of a run.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use smpp_proto::pdu::BindKind;
use support::{
    Call, Fate, Folder, Ledger, PATIENCE, Process, Sender, Story, Taken, alone, parts, run, stories, until,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tollgate::clock::{Clock, Timestamp};
use tollgate::sim::{self, Operator};
use tollgate::store::{HistorySettings, Reader};

/// Kills when nothing else is asked for.
const ROUNDS: u32 = 50;
/// Submissions that clients may make in one life of the daemon: enough that windows are full when it is killed.
const A_ROUND: u32 = 800;
/// Rounds between two looks into the store that a kill left.
const LOOK_EVERY: u32 = 10;
/// Micro-credits of a segment: no round number, so that nothing can balance by chance.
const PRICE: i64 = 1_234_567;
/// Micro-credits that the account begins with.
const OPENING: i64 = 1_000_000_000_001;

/// What the kill waits for: so much of it must still happen in this life.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Not even to be ready.
    Start,
    /// Submissions answered to clients.
    Accept,
    /// Submissions taken by the operator.
    Submit,
    /// Receipts answered to the operator.
    Receipt,
    /// Receipts come to clients.
    Delivery,
}

/// Everybody who outlives the daemon.
struct Trial {
    folder: Folder,
    operator: Operator,
    ledger: Arc<Ledger>,
    calls: watch::Sender<Option<Call>>,
    clients: JoinSet<()>,
    random: SmallRng,
    began: Timestamp,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_when_the_daemon_is_killed() {
    kill_again_and_again("resend", rounds()).await;
}

/// Every submit is written down before it is sent, and what a kill left in doubt waits for its receipt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_either_where_doubts_wait_for_receipts() {
    kill_again_and_again("wait", rounds().div_ceil(5)).await;
}

async fn kill_again_and_again(in_doubt: &str, rounds: u32) {
    let _turn = alone().await;
    let seed = number_in("TOLLGATE_CRASH_SEED").unwrap_or_else(rand::random);
    println!("TOLLGATE_CRASH_SEED={seed} TOLLGATE_CRASH_ROUNDS={rounds}");
    let began = Instant::now();
    let mut trial = Trial::begin(seed, in_doubt).await;
    for round in 1..=rounds {
        let phase = trial.live_and_be_killed(round).await;
        if round % LOOK_EVERY == 0 {
            trial.look(&format!("after round {round}, killed in {phase:?}"));
        }
    }
    trial.drain(rounds + 1).await;
    let found = trial.settle().await;
    let seconds = began.elapsed().as_secs_f64();
    println!("crash: in doubt {in_doubt}, seed {seed}, {rounds} kills, {found}, {seconds:.1} s");
}

fn rounds() -> u32 {
    let asked = number_in("TOLLGATE_CRASH_ROUNDS").map(u32::try_from);
    asked.map_or(ROUNDS, |rounds| rounds.expect("a number of rounds that ends"))
}

fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

impl Trial {
    async fn begin(seed: u64, in_doubt: &str) -> Self {
        let folder = Folder::new();
        let operator = Operator::start(sim::Settings {
            response_delay: "50%:0ms,50%:0ms..4ms".parse().expect("a delay"),
            receipt_delay: "5ms..40ms".parse().expect("a delay"),
            record: Some(folder.path(RECORD)),
            ..sim::Settings::default()
        });
        let operator = operator.await.expect("an operator");
        folder.configure(&config(&operator.address().to_string(), in_doubt));
        let ledger = Arc::new(Ledger::default());
        let (calls, called) = watch::channel(None);
        let mut clients = JoinSet::new();
        for (kind, window) in [
            (BindKind::Transceiver, 50),
            (BindKind::Transceiver, 7),
            (BindKind::Transmitter, 100),
            (BindKind::Receiver, 0),
        ] {
            clients.spawn(Sender { kind, window }.run(Arc::clone(&ledger), called.clone()));
        }
        let began = Clock::system().now();
        Self { folder, operator, ledger, calls, clients, random: SmallRng::seed_from_u64(seed), began }
    }

    /// One life of the daemon, and its end.
    async fn live_and_be_killed(&mut self, round: u32) -> Phase {
        let phase = match self.random.random_range(0..13_u32) {
            0 => Phase::Start,
            1..=3 => Phase::Accept,
            4..=6 => Phase::Submit,
            7..=9 => Phase::Receipt,
            _ => Phase::Delivery,
        };
        let more = self.random.random_range(1..A_ROUND * 3 / 4);
        let jitter = Duration::from_micros(self.random.random_range(0..1_000));
        let mut daemon = Process::serve(&self.folder);
        if matches!(phase, Phase::Start) {
            // Any instant will do, also one before the store is open.
            std::thread::sleep(jitter * self.random.random_range(0..100));
            daemon.kill();
            return phase;
        }
        self.call(round, &mut daemon).await;
        let goal = self.so_far(phase) + u64::from(more);
        until(&format!("{more} more of {phase:?} in round {round}"), PATIENCE, || self.so_far(phase) >= goal)
            .await;
        std::thread::sleep(jitter);
        daemon.kill();
        phase
    }

    /// Lets clients bind to a daemon that is ready.
    async fn call(&self, round: u32, daemon: &mut Process) {
        let address = daemon.ready().await;
        self.ledger.allow(A_ROUND);
        self.calls.send_replace(Some(Call { round, address }));
    }

    fn so_far(&self, phase: Phase) -> u64 {
        match phase {
            Phase::Start => 0,
            Phase::Accept => self.ledger.accepted(),
            Phase::Submit => self.operator.stats().accepted,
            Phase::Receipt => self.operator.stats().receipts_answered,
            Phase::Delivery => self.ledger.receipts(),
        }
    }

    fn taken(&self) -> Taken {
        Taken::read(&self.folder.path(RECORD))
    }

    /// Looks into a copy of the store that a kill left: what was accepted is at the operator or still there.
    fn look(&self, when: &str) {
        let (_copy, store) = self.folder.copy_store(STORE);
        let stories = stories(&store, self.began);
        let taken = self.taken();
        for (serial, fate) in (0..).zip(&self.ledger.promises().fates) {
            let Fate::Accepted(id) = *fate else { continue };
            let Some(story) = stories.get(&serial) else { panic!("{when}: {serial} ({id}) is lost") };
            assert_eq!(story.id, id, "{when}: {serial} has another id");
            let is_out = taken.has(serial, parts(serial));
            assert!(is_out || !story.has_ended(), "{when}: {serial} ended at nobody's: {story:?}");
        }
        for line in Reader::open(&store, &HistorySettings::default()).and_then(|r| r.audit()).expect("books")
        {
            assert!(line.holds, "{when}: {}: {}", line.invariant, line.detail);
        }
    }

    /// A life that nobody ends before everything has come to its end.
    async fn drain(&mut self, round: u32) {
        let mut daemon = Process::serve(&self.folder);
        self.call(round, &mut daemon).await;
        let (ledger, operator) = (&self.ledger, &self.operator);
        until("the receipts of everything that was accepted", DRAIN_WITHIN, || {
            let promises = ledger.promises();
            ledger.is_spent()
                && promises.fates.iter().all(|fate| match fate {
                    Fate::Accepted(id) => promises.receipts.contains_key(id),
                    Fate::Open { round: asked } => *asked < round,
                    Fate::Refused(_) => true,
                })
        })
        .await;
        until("the answers to all receipts", DRAIN_WITHIN, || {
            let stats = operator.stats();
            stats.receipts_answered == stats.accepted
        })
        .await;
        until("the receipts of what was never answered", DRAIN_WITHIN, || {
            let stories = stories(&self.folder.path(STORE), self.began);
            let promises = ledger.promises();
            stories.values().all(|story| promises.receipts.contains_key(&story.id))
        })
        .await;
        daemon.terminate().await;
    }

    /// Everything is at rest: what clients and operator know must be what the store says.
    async fn settle(mut self) -> String {
        drop(self.calls);
        while let Some(client) = self.clients.join_next().await {
            client.expect("a client without complaints");
        }
        let stories = stories(&self.folder.path(STORE), self.began);
        let taken = Taken::read(&self.folder.path(RECORD));
        for story in &stories {
            check_end(story, &taken);
        }
        for serial in taken.serials() {
            assert!(
                stories.contains_key(&serial),
                "the operator has {serial}, and the store does not know it"
            );
        }
        check_books(&self.folder, &stories);
        let promises = self.ledger.promises();
        let [mut accepted, mut unanswered, mut kept] = [0, 0, 0];
        for (serial, fate) in (0..).zip(&promises.fates) {
            match (*fate, stories.get(&serial)) {
                (Fate::Accepted(id), Some(story)) if story.id == id => accepted += 1,
                (Fate::Accepted(id), other) => panic!("{serial} was accepted as {id}: {other:?}"),
                (Fate::Refused(status), _) => panic!("{serial} was refused with {status}"),
                (Fate::Open { .. }, story) => {
                    unanswered += 1;
                    kept += usize::from(story.is_some());
                }
            }
        }
        let mut repeated = 0;
        for story in stories.values() {
            let mut rounds = promises.receipts.get(&story.id).expect("a receipt").clone();
            rounds.sort_unstable();
            repeated += rounds.len() - 1;
            let times = rounds.len();
            rounds.dedup();
            assert_eq!(rounds.len(), times, "a receipt came twice in one life: {story:?}");
        }
        let duplicates: usize = stories.keys().map(|serial| taken.duplicates(*serial)).sum();
        let in_doubt: usize = stories.values().map(|story| story.times("in_doubt")).sum();
        let doubtful = stories.values().filter(|story| story.trace.in_doubt).count();
        format!(
            "{accepted} accepted, {unanswered} never answered of which {kept} exist, {duplicates} duplicates at the \
             operator among {doubtful} messages {in_doubt} times in doubt, {repeated} receipts repeated to clients"
        )
    }
}

/// A message came to its end, at the operator and for the client; if twice, its doubts say why.
fn check_end((serial, story): (&u32, &Story), taken: &Taken) {
    let trace = &story.trace;
    assert_eq!(trace.state, "delivered", "{story:?}");
    assert_eq!(trace.parts, parts(*serial), "{story:?}");
    assert!(taken.has(*serial, trace.parts), "never came to the operator: {story:?}");
    let known = taken.ids(*serial, trace.parts);
    let given = trace.upstream_id.as_ref().expect("the operator's id");
    assert!(known.contains(given), "the operator gave {known:?}: {story:?}");
    // A receipt on one bind may be read before the answer on the other, but it must name an id of this message.
    let own = |detail: &str| {
        (1..=trace.parts).any(|part| taken.ids(*serial, part).iter().any(|id| named(detail) == id))
    };
    for early in trace.timeline.iter().filter(|entry| entry.what == "early_receipt") {
        assert!(own(&early.detail), "ended by a receipt that is not its own: {story:?}");
    }
    for part in 1..=trace.parts {
        let copies = taken.ids(*serial, part).len();
        assert!(copies == 1 || trace.in_doubt, "{copies} copies without a doubt: {story:?}");
        assert!(copies <= 1 + story.times("in_doubt"), "{copies} copies of part {part}: {story:?}");
    }
}

/// The operator's id in the note of an early receipt.
fn named(detail: &str) -> &str {
    detail.strip_prefix("the receipt of ").and_then(|rest| rest.split(' ').next()).unwrap_or(detail)
}

/// The account paid for each message that exists once, to the last micro-credit, and the audit agrees.
fn check_books(folder: &Folder, stories: &BTreeMap<u32, Story>) {
    let reader = Reader::open(&folder.path(STORE), &HistorySettings::default()).expect("a store");
    let balance = reader.account("acme").expect("an account").balance;
    let segments: i64 = stories.keys().map(|serial| i64::from(parts(*serial))).sum();
    assert_eq!(balance.available.micro(), OPENING - PRICE * segments, "{segments} segments");
    assert_eq!(balance.held.micro(), 0);
    let (status, lines) = run(&["audit", "--config", &folder.config()]);
    assert!(status.success(), "{lines}");
}

fn config(operator: &str, in_doubt: &str) -> String {
    format!(
        r#"
[store]
path = "{STORE}"

[smpp]
listen = ["127.0.0.1:0"]

[admin]
listen = []

[log]
filter = "warn"

[[upstream]]
name = "north"
address = "{operator}"
system_id = "gate"
password = "secret"
connections = 2
window = 50
in_doubt = "{in_doubt}"
in_doubt_wait = "1s"
[upstream.redial]
first = "100ms"

[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["north"]

[[price]]
prefix = ""
credits = "{price}"

[[account]]
name = "acme"
opening_credit = "{opening}"
[[account.smpp]]
system_id = "acme"
password = "secret"
"#,
        price = decimal(PRICE),
        opening = decimal(OPENING),
    )
}

fn decimal(micro: i64) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

const STORE: &str = "gate.db";
const RECORD: &str = "taken.jsonl";
/// How long the last life may take to end everything.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);
