//! Too much of everything: an operator that stands still, clients that push, clients that idle, a client that never
//! reads. Memory stays where it is, everybody else goes on, and nothing that was accepted is lost.
//!
//! The daemon is the real binary, so that its memory is its own.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use smpp_proto::pdu::BindKind;
use support::{
    Esme, Folder, PATIENCE, Process, Push, Pushed, Taken, allow_open_files, alone, run, until, within,
};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tollgate::store::{HistorySettings, Reader};

const MIB: u64 = 1 << 20;

/// A practice operator as a process of its own, and the daemon bound to it.
struct House {
    folder: Folder,
    operator: Process,
    daemon: Process,
    address: SocketAddr,
}

impl House {
    async fn open(smpp: &str, credential: &str) -> Self {
        let folder = Folder::new();
        let record = folder.path(RECORD);
        let mut operator = Process::start(
            &folder,
            "sim",
            &[
                "sim",
                "--listen",
                "127.0.0.1:0",
                "--track-distinct",
                "0",
                "--record",
                &record.to_string_lossy(),
            ],
        );
        folder.configure(&config(operator.ready().await, smpp, credential));
        let mut daemon = Process::serve(&folder);
        let address = daemon.ready().await;
        let house = Self { folder, operator, daemon, address };
        // The operator is bound when the first message is there.
        house.push(0..1, 0).await;
        house.arrived(1).await;
        house
    }

    async fn push(&self, serials: Range<u32>, ballast: usize) -> Pushed {
        Push { serials, ballast, accepted: Arc::default() }.run(self.address).await
    }

    /// Waits until so many lines stand in the operator's record.
    async fn arrived(&self, count: usize) {
        let record = self.folder.path(RECORD);
        until(&format!("{count} messages at the operator"), DRAIN_WITHIN, || {
            std::fs::read(&record)
                .is_ok_and(|lines| lines.iter().filter(|octet| **octet == b'\n').count() >= count)
        })
        .await;
    }

    /// How long it takes to have these accepted.
    async fn timed_push(&self, serials: Range<u32>) -> Duration {
        let began = Instant::now();
        let count = serials.len();
        assert_eq!(self.push(serials, 0).await.accepted.len(), count);
        began.elapsed()
    }

    fn taken(&self) -> Taken {
        Taken::read(&self.folder.path(RECORD))
    }

    /// The daemon ends well, its books are right, and it was paid for so many messages.
    async fn close(self, messages: u32) {
        let Self { folder, operator, daemon, .. } = self;
        daemon.terminate().await;
        let (status, lines) = run(&["audit", "--config", &folder.config()]);
        assert!(status.success(), "{lines}");
        let reader = Reader::open(&folder.path("gate.db"), &HistorySettings::default()).expect("a store");
        let balance = reader.account("acme").expect("an account").balance;
        assert_eq!((CREDIT - i64::from(messages)) * 1_000_000, balance.available.micro());
        assert_eq!(balance.held.micro(), 0);
        drop(operator);
    }

    /// What is in the store is at the operator, these among it; then it closes.
    async fn close_with_all(self, serials: Range<u32>) {
        let mut messages = 0;
        until("an end of every message", DRAIN_WITHIN, || {
            let reader = Reader::open(&self.folder.path("gate.db"), &HistorySettings::default());
            let balance = reader.and_then(|reader| reader.account("acme")).expect("an account").balance;
            messages = CREDIT - balance.available.micro() / 1_000_000;
            balance.held.micro() == 0
        })
        .await;
        let taken = self.taken();
        assert!(serials.into_iter().all(|serial| taken.has(serial, 1)));
        let messages = u32::try_from(messages).expect("a number of messages");
        assert_eq!(taken.serials().count(), messages as usize);
        self.close(messages).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_operator_stopped_memory_stays_flat_and_nothing_is_lost() {
    let _turn = alone().await;
    let house = House::open("", "").await;
    house.operator.signal("STOP");
    let began = Instant::now();
    let accepted = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let serials = 1 + client * EACH..1 + (client + 1) * EACH;
        let push = Push { serials, ballast: BALLAST, accepted: Arc::clone(&accepted) };
        clients.spawn(push.run(house.address));
    }
    let all = CLIENTS * EACH;
    let mut resident = Vec::new();
    for share in 4..=8 {
        let goal = u64::from(all * share / 8);
        until("more accepted", PATIENCE, || accepted.load(Ordering::Relaxed) >= goal).await;
        resident.push(house.daemon.resident());
    }
    let pushed = clients.join_all().await;
    let pushing = began.elapsed();
    // By the half the lane's share of memory is full (8,192 messages), and so is SQLite's cache of 64 MiB; the other
    // half is as large again, and must leave no trace.
    let growth = resident.iter().max().unwrap_or(&0) - resident.first().unwrap_or(&0);
    let content = u64::from(all / 2) * BALLAST as u64;
    assert!(growth < content / 4, "{growth} octets more for {content} of messages: {resident:?}");
    // Who pushes is held back: what is written and not answered lies in the buffers of its socket.
    let lead = pushed.iter().map(|pushed| pushed.lead).max().unwrap_or(0);
    assert!(lead < u64::from(EACH / 2), "a client was {lead} messages ahead of its answers");
    assert!(pushed.iter().all(|pushed| pushed.refused == 0), "{pushed:?}");

    house.operator.signal("CONT");
    house.arrived(1 + all as usize).await;
    let taken = house.taken();
    let everything = (0..=all).collect::<HashSet<u32>>();
    assert!(pushed.iter().flat_map(|pushed| &pushed.accepted).all(|serial| taken.has(*serial, 1)));
    assert_eq!(taken.serials().collect::<HashSet<_>>(), everything);
    assert_eq!(everything.iter().map(|serial| taken.duplicates(*serial)).sum::<usize>(), 0);
    let drained = began.elapsed() - pushing;
    println!(
        "overload: {all} messages of 1 KB accepted in {:.1} s with the operator stopped, {} MiB resident, {} KiB more \
         in the second half, at most {lead} ahead of the answers; all at the operator {:.1} s later",
        pushing.as_secs_f64(),
        resident[0] / MIB,
        growth / 1024,
        drained.as_secs_f64()
    );
    house.close(1 + all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_idle_binds_change_nothing_for_the_rest() {
    let _turn = alone().await;
    allow_open_files(u64::from(IDLE) * 2);
    let house = House::open("", &format!("max_binds = {}", IDLE + 100)).await;
    let alone_for = house.timed_push(1..WORK).await;
    let before = house.daemon.resident();
    let mut idle = Vec::new();
    while idle.len() < IDLE as usize {
        let binds: JoinSet<Esme> = (0..100)
            .map(|_| Esme::bound_as(BindKind::Transceiver, house.address, "acme", "secret"))
            .collect();
        idle.extend(binds.join_all().await);
    }
    let each = house.daemon.resident().saturating_sub(before) / u64::from(IDLE);
    let began = Instant::now();
    Esme::bound(house.address, "acme", "secret").await.unbind().await;
    let bound_after = began.elapsed();
    let among_them_for = house.timed_push(WORK..2 * WORK).await;
    house.arrived(2 * WORK as usize).await;
    for esme in &mut idle {
        esme.expect_quiet().await;
    }
    println!(
        "overload: {IDLE} idle binds of {each} octets each; {WORK} messages in {alone_for:?} without them, in \
         {among_them_for:?} among them; a bind and an unbind in {bound_after:?}"
    );
    assert!(each < 32 * 1024, "{each} octets an idle bind");
    // The bounds leave room for a machine that does other things too; a cost for each idle bind would pass them.
    assert!(
        among_them_for < alone_for * 3 + Duration::from_secs(1),
        "{alone_for:?}, then {among_them_for:?}"
    );
    assert!(bound_after < Duration::from_secs(1), "a bind took {bound_after:?}");
    drop(idle);
    house.close(2 * WORK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_held_back_and_closed_and_harms_nobody() {
    let _turn = alone().await;
    let house = House::open("write_stall = \"1s\"\nwrite_backlog = 4096", "").await;
    // What the daemon keeps for any traffic at all is there before: caches, and what flies.
    house.push(1..5 * WORK, 0).await;
    let before = house.daemon.resident();
    let deaf = tokio::spawn(submit_until_closed(house.address));
    let others_for = house.timed_push(5 * WORK..6 * WORK).await;
    let written = within("the end of who never reads", deaf).await.expect("no panic");
    let growth = house.daemon.resident().saturating_sub(before);
    // Another round, now that it has gone.
    house.push(6 * WORK..7 * WORK, 0).await;
    println!(
        "overload: a client that never read got {written} octets out before it was closed, {} KiB more resident; \
         {WORK} messages of another meanwhile in {others_for:?}",
        growth / 1024
    );
    assert!(growth < 32 * MIB, "{growth} octets more");
    house.close_with_all(0..7 * WORK).await;
}

/// Submits and reads nothing, until the daemon has closed; says how many octets the daemon let it write.
async fn submit_until_closed(address: SocketAddr) -> u64 {
    let mut stream = Esme::bound(address, "acme", "secret").await.into_stream();
    let push = Push { serials: DEAF..u32::MAX, ballast: 0, accepted: Arc::default() };
    let (mut out, mut written) = (BytesMut::new(), 0);
    for serial in push.serials.clone() {
        push.submit(serial).encode(&mut out, serial).expect("a submit_sm");
        if out.len() > 32 * 1024 {
            written += out.len() as u64;
            if within("room, or the end", stream.write_all(&out.split())).await.is_err() {
                break;
            }
        }
    }
    written
}

fn config(operator: SocketAddr, smpp: &str, credential: &str) -> String {
    format!(
        r#"
[store]
path = "gate.db"

[smpp]
listen = ["127.0.0.1:0"]
{smpp}

[admin]
listen = []

[log]
filter = "warn"

[[upstream]]
name = "north"
address = "{operator}"
system_id = "gate"
password = "secret"
receipts = "asked"

[[route]]
name = "everywhere"
prefixes = [""]
upstreams = ["north"]

[[price]]
prefix = ""
credits = "1"

[[account]]
name = "acme"
opening_credit = "{CREDIT}"
[[account.smpp]]
system_id = "acme"
password = "secret"
{credential}
"#
    )
}

const RECORD: &str = "taken.jsonl";
/// Credits that the account begins with; a message costs one.
const CREDIT: i64 = 1_000_000;
/// Clients that push, and what each of them pushes.
const CLIENTS: u32 = 4;
const EACH: u32 = 37_500;
/// Octets that a pushed message carries beside its text.
const BALLAST: usize = 1_000;
/// Binds that do nothing.
const IDLE: u32 = 2_000;
/// Messages of a client that works meanwhile.
const WORK: u32 = 20_000;
/// Where the serial numbers of the client begin that never reads.
const DEAF: u32 = 1_000_000;
/// How long the operator may take to get what waits.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);
