//! What it costs to move ended messages into a day's file that holds many already, and how long searching takes in it.
//!
//! `cargo bench --bench history -- 1000000` fills the file with so many messages first. Whole messages then run through
//! the store; what counts is the processor time of the thread that moves them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::{Connection, params};
use smpp_proto::field::Address;
use smpp_proto::pdu::SubmitSm;
use tokio::sync::mpsc;
use tollgate::clock::{Clock, Timestamp};
use tollgate::message::{Message, MessageId, State};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Submission, admit};
use tollgate::store::{
    Accept, ClientBatch, ClientRequest, Note, OperatorBatch, Report, Search, Settings, Store,
};

/// Messages that are moved while it is measured.
const MOVED: u64 = 100_000;
/// Messages of a client's batch.
const BATCH: u64 = 500;
/// Clock ticks of Linux a second, in which it counts processor time.
const TICKS: f64 = 100.0;

fn main() {
    let filled = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(filled));
}

async fn run(filled: i64) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = stage::store(folder.path()).await;
    pass(&store, 1).await;
    store.close().await;
    let hot = folder.path().join("gate.db");
    let first = fill(&day_file(&hot), filled);
    let store = Store::open(Settings::at(&hot), Clock::system()).expect("a store");
    // The first move waits until what was filled in is listed.
    pass(&store, 10_000).await;

    let (began, before) = (Instant::now(), spent());
    pass(&store, MOVED).await;
    let seconds = spent() - before;
    println!("{filled} messages in the file");
    println!(
        "moved {:.0} rows/s of one core, in {:.1} s",
        MOVED as f64 / seconds,
        began.elapsed().as_secs_f64()
    );
    search(&store, "a number that one has", "34700000000042", None, 1);
    search(&store, "a number that nobody has", "34999", None, 0);
    search(&store, "a number that one in 1,000 has", "34711111", None, 100);
    search(&store, "the source of all", "Tollgate", None, 100);
    search(&store, "an account of one in 100,000", "", Some("other"), 10);
    search(&store, "the account of all", "", Some("acme"), 100);
    search(&store, "that account and the number of one", "34700000000042", Some("acme"), 1);
    assert!(store.reader().expect("a reader").trace(first).is_ok());
    store.close().await;
}

/// Accepts, sends and ends so many messages, and waits until they have moved.
async fn pass(store: &Store, messages: u64) {
    let upstream = store.upstreams().id("north").expect("the upstream");
    let until = store.counters().moved.load(Relaxed) + messages;
    let (reply, mut answers) = mpsc::channel(2);
    let (kept, mut durable) = mpsc::channel(2);
    let mut pulled = Vec::new();
    let mut left = messages;
    while left > 0 {
        let count = left.min(BATCH);
        left -= count;
        let requests = (0..count).map(|tag| request(store, tag)).collect();
        store.room().await.expect("room").client(ClientBatch { requests, reply: reply.clone() });
        let _ = answers.recv().await;
        // Answers go out before lanes are filled.
        while (pulled.len() as u64) < count {
            store.upstream_lane(upstream).pull(usize::MAX, &mut pulled);
            tokio::task::yield_now().await;
        }
        let notes = pulled.drain(..).flat_map(|message| notes(&message)).collect();
        let reply = Some(kept.clone());
        store.room().await.expect("room").operator(OperatorBatch { upstream, notes, reply });
        let _ = durable.recv().await;
    }
    while store.counters().moved.load(Relaxed) < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Whatever is committed takes what waits along.
        let notes = Vec::new();
        store.room().await.expect("room").operator(OperatorBatch { upstream, notes, reply: None });
    }
}

fn request(store: &Store, tag: u64) -> ClientRequest {
    let policy = store.policy();
    let credential = policy.credential("acme").expect("acme");
    let account = policy.account(credential.account).expect("acme");
    let pdu = SubmitSm {
        source: Address::alphanumeric("Tollgate"),
        destination: Address::international(format!("346{:09}", rand::random::<u32>() % 1_000_000_000)),
        short_message: Bytes::from_static(&[b'x'; 100]),
        ..SubmitSm::default()
    };
    let admitted = admit(
        &policy,
        policy.sender(account),
        Submission { pdu, body: None },
        Clock::system().now(),
        &mut Desk::default(),
    )
    .expect("admitted");
    ClientRequest::Accept(Box::new(Accept {
        tag,
        account: account.id,
        credential: credential.id,
        admitted,
        upstream: store.upstreams().id("north").expect("the upstream"),
        max_queued: u64::MAX,
        short_id: false,
        follows: false,
        replaces_pending: false,
    }))
}

fn notes(message: &Message) -> [Note; 2] {
    let at = Clock::system().now();
    let id = Bytes::from(message.id.to_string());
    let report =
        Report { id: id.clone(), about: Bytes::new(), state: State::Delivered, error: 0, done_at: at };
    let taken = Note::Taken { message: message.id, part: 1, id, receipt_expected: true, at };
    [taken, Note::Receipt { tag: 0, report }]
}

/// Seconds of processor time that the thread which moves has taken.
fn spent() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
    let ticks = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        let (name, rest) = text.split_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        name.ends_with("store-history")
            .then(|| fields[11].parse::<f64>().unwrap_or(0.0) + fields[12].parse::<f64>().unwrap_or(0.0))
    });
    ticks.sum::<f64>() / TICKS
}

fn day_file(hot: &Path) -> PathBuf {
    let folder = PathBuf::from(format!("{}.history", hot.display()));
    let entries = std::fs::read_dir(folder).expect("the history").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "db")).max().expect("a day")
}

/// Copies of the one message, from midnight on: gives the first.
fn fill(file: &Path, count: i64) -> MessageId {
    let db = Connection::open(file).expect("the day");
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN;").expect("a setting");
    let known: i64 = db.query_row("SELECT max(id) FROM message", [], |row| row.get(0)).expect("one message");
    let day = MessageId::from_raw(known).accepted_at().utc_day();
    let first = MessageId::first_at(Timestamp::from_millis(day * 86_400_000)).raw();
    let step = (known - first) / (count + 1);
    let mut find = db.prepare("SELECT name FROM pragma_table_info('message')").expect("columns");
    let names = find.query_map([], |row| row.get::<_, String>(0)).expect("columns");
    let names: Vec<String> = names.flatten().collect();
    let values = names.iter().map(|column| match column.as_str() {
        "id" | "shown" => "?1 + n.k * ?4".to_owned(),
        "dst" => "iif(n.k % 1000 = 7, '34711111', printf('347%011d', n.k))".to_owned(),
        "account" => "iif(n.k % 100000 = 5, 2, m.account)".to_owned(),
        "posted" | "price" => "0".to_owned(),
        other => format!("m.{other}"),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n LIMIT ?2)
         INSERT INTO message({}) SELECT {values} FROM n, (SELECT * FROM message WHERE id = ?3) m",
        names.join(", ")
    );
    db.execute(&sql, params![first, count, known, step]).expect("copies");
    // The store lists them when it opens; the layout before this one has no such table.
    let is_new = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'bulk'").expect("a look").exists([]);
    if is_new.expect("a look") {
        let listed = "INSERT INTO bulk(first, last, listed) SELECT min(id), max(id), 0 FROM message";
        db.execute(listed, []).expect("a bulk");
    }
    db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);").expect("the end");
    MessageId::from_raw(first)
}

/// Says how long it takes to find; a second time, since the first one reads from the disk.
fn search(store: &Store, what: &str, number: &str, account: Option<&str>, least: usize) {
    let number = (!number.is_empty()).then(|| number.to_owned());
    let search = Search { account: account.map(str::to_owned), number, most: 100, ..Search::default() };
    let mut took = [0.0; 2];
    for took in &mut took {
        let began = Instant::now();
        let found = store.reader().expect("a reader").search(&search).expect("a result");
        *took = began.elapsed().as_secs_f64() * 1_000.0;
        assert!(found.len() >= least, "{what}: {} found", found.len());
    }
    println!("search by {what:<36} {:>9.1} ms, again {:>9.1} ms", took[0], took[1]);
}
