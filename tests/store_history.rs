//! What has ended: it moves by itself, is found by number, account and state over all its days, and goes with its time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;
use smpp_proto::field::Address;
use smpp_proto::pdu::SubmitSm;
use tokio::sync::mpsc;
use tollgate::account::{Origin, PasswordHash, Secret, Terms};
use tollgate::clock::{Clock, Timestamp};
use tollgate::message::{End, MessageId, Reason, State, UpstreamId};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Price, Submission, admit};
use tollgate::store::{
    Accept, AccountDraft, ClientBatch, ClientOutcome, ClientRequest, CredentialDraft, Note, OperatorBatch,
    PolicyChange, RouteDraft, Search, Settings, Store, TrafficDraft, UpstreamDraft, UpstreamTraits,
};

/// 2025-11-20, 12:00 UTC.
const NOON: Timestamp = Timestamp::from_millis(1_763_640_000_000);
const DAY: Duration = Duration::from_secs(86_400);
/// The longest that an ended message stays when nothing else happens.
const SOON: Duration = Duration::from_secs(2);

/// A store with the accounts "acme" and "other", whose clock stands still.
struct House {
    store: Store,
    clock: Clock,
    folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let house = Self::open_in(tempfile::tempdir().unwrap(), Clock::manual(NOON));
        house.store.apply(policy()).await.unwrap();
        house
    }

    fn open_in(folder: tempfile::TempDir, clock: Clock) -> Self {
        let store = Store::open(Settings::at(folder.path().join("gate.db")), clock.clone()).unwrap();
        tokio::spawn({
            let store = store.clone();
            async move { store.keep_time().await }
        });
        Self { store, clock, folder }
    }

    /// It stops, `meanwhile` happens to its files, and it starts again.
    async fn restart(self, meanwhile: impl FnOnce(&PathBuf)) -> Self {
        self.store.close().await;
        // The thread that moves ends a little later; whoever closes last removes the log.
        let log = self.folder.path().join("gate.db-wal");
        within("the files are closed", || !log.exists()).await;
        meanwhile(&self.folder.path().join("gate.db"));
        Self::open_in(self.folder, self.clock)
    }

    fn upstream(&self) -> UpstreamId {
        self.store.upstreams().id("north").unwrap()
    }

    /// Accepts a message of an account for each pair of source and destination, and ends them all in one transaction.
    async fn end(&self, account: &str, pairs: &[(&str, &str)], state: State) -> Vec<MessageId> {
        let requests = pairs.iter().map(|(from, to)| self.accept(account, from, to)).collect();
        let (reply, mut answers) = mpsc::channel(1);
        self.store.room().await.unwrap().client(ClientBatch { requests, reply });
        let answers = answers.recv().await.unwrap();
        let ids = answers.into_iter().map(|answer| match answer.outcome {
            ClientOutcome::Accepted(id) => id,
            other => panic!("not accepted: {other:?}"),
        });
        let ids: Vec<_> = ids.collect();
        let end = End { state, reason: Reason::Receipt, error: 0, at: self.clock.now() };
        let notes = ids.iter().map(|id| Note::Ended { message: *id, part: 0, end }).collect();
        let mut pulled = Vec::new();
        self.store.upstream_lane(self.upstream()).pull(usize::MAX, &mut pulled);
        let batch = OperatorBatch { upstream: self.upstream(), notes, reply: None };
        self.store.room().await.unwrap().operator(batch);
        ids
    }

    fn accept(&self, account: &str, from: &str, to: &str) -> ClientRequest {
        let policy = self.store.policy();
        let credential = policy.credential(account).unwrap();
        let account = policy.account(credential.account).unwrap();
        let source = match from.starts_with(|first: char| first.is_ascii_digit()) {
            true => Address::international(from.to_owned()),
            false => Address::alphanumeric(from.to_owned()),
        };
        let destination = Address::international(to.to_owned());
        let pdu =
            SubmitSm { source, destination, short_message: Bytes::from_static(b"x"), ..SubmitSm::default() };
        let admitted = admit(
            &policy,
            policy.sender(account),
            Submission { pdu, body: None },
            self.clock.now(),
            &mut Desk::default(),
        )
        .unwrap();
        ClientRequest::Accept(Box::new(Accept {
            tag: 0,
            account: account.id,
            credential: credential.id,
            admitted,
            upstream: self.upstream(),
            max_queued: account.terms.max_queued,
            short_id: false,
            follows: false,
            replaces_pending: false,
        }))
    }

    /// What was handed in before is committed now.
    async fn settle(&self) {
        let account = self.store.policy().credential("acme").unwrap().account;
        self.store.credit(account, "1".parse().unwrap(), String::new()).await.unwrap();
    }

    /// Waits until so many messages have moved since the start; the clock is moved once, by no more than that takes.
    async fn moved(&self, count: u64) {
        self.settle().await;
        self.clock.advance(SOON);
        within(&format!("{count} messages in the history"), || {
            self.store.counters().moved.load(Relaxed) >= count
        })
        .await;
    }

    /// Messages that fit; nothing is left of them in the hot file.
    fn found(&self, search: &Search) -> Vec<String> {
        let found = self.store.reader().unwrap().search(search).unwrap();
        found.into_iter().map(|trace| trace.message_id).collect()
    }

    fn day_file(&self, date: &str) -> PathBuf {
        self.folder.path().join(format!("gate.db.history/{date}.db"))
    }

    fn books_hold(&self) {
        for line in self.store.reader().unwrap().audit().unwrap() {
            assert!(line.holds, "{}: {}", line.invariant, line.detail);
        }
    }
}

async fn within(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("not within 20 s: {what}"));
}

fn policy() -> PolicyChange {
    let account = |name: &str| AccountDraft {
        name: name.to_owned(),
        parent: None,
        opening_credit: "1000000".parse().unwrap(),
        suspended: false,
        origin: Origin::File,
        terms: Terms::default(),
        filters: Default::default(),
        credentials: vec![CredentialDraft {
            system_id: name.to_owned(),
            password: PasswordHash::of(&Secret::new("secret")).unwrap(),
            bounds: Default::default(),
            filters: Default::default(),
        }],
    };
    PolicyChange {
        accounts: vec![account("acme"), account("other")],
        replaces_files: true,
        traffic: Some(TrafficDraft {
            prices: vec![Price::of("", "1".parse().unwrap())],
            routes: vec![RouteDraft {
                name: "everywhere".to_owned(),
                prefixes: vec![String::new()],
                upstreams: vec!["north".into()],
                ..RouteDraft::default()
            }],
            mo_routes: Vec::new(),
            upstreams: vec![UpstreamDraft { name: "north".to_owned(), traits: UpstreamTraits::default() }],
            ..TrafficDraft::default()
        }),
    }
}

fn number(number: &str, most: usize) -> Search {
    Search { number: Some(number.to_owned()), most, ..Search::default() }
}

fn account(name: &str, most: usize) -> Search {
    Search { account: Some(name.to_owned()), most, ..Search::default() }
}

/// The texts of ids, newest first.
fn newest(ids: &[&[MessageId]], most: usize) -> Vec<String> {
    let mut ids = ids.concat();
    ids.sort_unstable();
    ids.iter().rev().take(most).map(MessageId::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_messages_of_an_idle_gateway_move_soon() {
    let house = House::open().await;
    house.end("acme", &[("ACME", "34600000001")], State::Delivered).await;
    house.moved(1).await;
    let hot = Connection::open(house.folder.path().join("gate.db")).unwrap();
    let left = || -> i64 { hot.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap() };
    within("it is forgotten", || left() == 0).await;
    house.books_hold();
}

/// Bulks of one message and of many, numbers and accounts of few and of many, and two days.
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_found_by_number_account_and_state_newest_first() {
    let house = House::open().await;
    let (mut count, mut common, mut rare, mut others, mut failed) = (0, vec![], vec![], vec![], vec![]);
    for day in 0..2 {
        if day > 0 {
            house.clock.advance(DAY);
        }
        for bulk in 0..4 {
            // More than a bulk lists as few.
            let pairs: Vec<_> = (0..40).map(|_| ("ACME", "34600000001")).collect();
            common.extend(house.end("acme", &pairs, State::Delivered).await);
            rare.extend(house.end("acme", &[("ACME", "34600000002")], State::Delivered).await);
            let source = house.end("other", &[("34600000002", "22000")], State::Delivered).await;
            rare.extend(&source);
            others.extend(source);
            let pair = [("ACME", "34600000001")];
            failed.extend(house.end("acme", &pair, State::Undeliverable).await);
            count += 43;
            if bulk % 2 == 1 {
                house.moved(count).await;
            }
        }
    }
    let all = [&common[..], &rare, &failed];
    for most in [1, 3, 50, 10_000] {
        assert_eq!(house.found(&number("34600000001", most)), newest(&[&common, &failed], most));
        assert_eq!(house.found(&number("34600000002", most)), newest(&[&rare], most));
        assert_eq!(house.found(&account("other", most)), newest(&[&others], most));
        assert_eq!(house.found(&Search { most, ..Search::default() }), newest(&all, most));
        let state = Some(State::Undeliverable);
        assert_eq!(house.found(&Search { state, most, ..Search::default() }), newest(&[&failed], most));
        let search = Search { state, ..number("34600000001", most) };
        assert_eq!(house.found(&search), newest(&[&failed], most));
        let search = Search { account: Some("other".to_owned()), ..number("34600000002", most) };
        assert_eq!(house.found(&search), newest(&[&others], most));
    }
    let until = Some(NOON + DAY);
    assert_eq!(house.found(&Search { until, ..number("34600000002", 100) }), newest(&[&rare[..8]], 100));
    assert_eq!(
        house.found(&Search { from: until, ..number("34600000002", 100) }),
        newest(&[&rare[8..]], 100)
    );
    assert_eq!(house.found(&number("346", 100)), Vec::<String>::new());
    assert!(house.store.reader().unwrap().search(&account("nobody", 1)).is_err());
    house.books_hold();
}

/// What ends late comes in a later bulk than what was accepted after it.
#[tokio::test(flavor = "multi_thread")]
async fn bulks_that_overlap_are_read_in_the_order_of_their_messages() {
    let house = House::open().await;
    let early = {
        let (reply, mut answers) = mpsc::channel(1);
        let requests = vec![house.accept("acme", "ACME", "34600000001")];
        house.store.room().await.unwrap().client(ClientBatch { requests, reply });
        match answers.recv().await.unwrap()[0].outcome {
            ClientOutcome::Accepted(id) => id,
            ref other => panic!("not accepted: {other:?}"),
        }
    };
    let pairs: Vec<_> = (0..50).map(|_| ("ACME", "34600000001")).collect();
    let middle = house.end("acme", &pairs, State::Delivered).await;
    house.moved(50).await;
    let end = End { state: State::Delivered, reason: Reason::Receipt, error: 0, at: house.clock.now() };
    let notes = vec![Note::Ended { message: early, part: 0, end }];
    let batch = OperatorBatch { upstream: house.upstream(), notes, reply: None };
    house.store.room().await.unwrap().operator(batch);
    let late = house.end("acme", &pairs, State::Delivered).await;
    house.moved(101).await;
    for most in [1, 50, 51, 100, 101, 1_000] {
        let expected = newest(&[&[early], &middle, &late], most);
        assert_eq!(house.found(&number("34600000001", most)), expected);
        assert_eq!(house.found(&account("acme", most)), expected);
    }
}

/// A message that still waits may be older than what has ended since.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_does_not_come_before_newer_ones_that_ended() {
    let house = House::open().await;
    let (reply, mut answers) = mpsc::channel(1);
    let requests = vec![house.accept("acme", "ACME", "34600000001")];
    house.store.room().await.unwrap().client(ClientBatch { requests, reply });
    answers.recv().await.unwrap();
    house.clock.advance(DAY);
    let ended = house.end("acme", &[("ACME", "34600000001")], State::Delivered).await;
    house.moved(1).await;
    assert_eq!(house.found(&number("34600000001", 1)), newest(&[&ended], 1));
}

/// A crash between the copy and its being forgotten: the hot file still has what the day's file has.
#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_that_is_copied_again_is_found_once() {
    let house = House::open().await;
    let pairs: Vec<_> = (0..50).map(|_| ("ACME", "34600000001")).collect();
    let mut ids = house.end("acme", &pairs, State::Delivered).await;
    ids.extend(house.end("other", &[("ACME", "34600000001")], State::Delivered).await);
    let mut before = PathBuf::new();
    let house = house
        .restart(|hot| {
            before = hot.with_extension("before");
            std::fs::copy(hot, &before).unwrap();
        })
        .await;
    house.moved(51).await;
    let house = house
        .restart(|hot| {
            std::fs::copy(&before, hot).unwrap();
        })
        .await;
    house.moved(51).await;
    assert_eq!(house.found(&number("34600000001", 1_000)), newest(&[&ids], 1_000));
    assert_eq!(house.found(&account("acme", 1_000)), newest(&[&ids[..50]], 1_000));
    assert_eq!(house.found(&account("other", 1_000)), newest(&[&ids[50..]], 1_000));
    house.books_hold();
}

/// Days of an older version list nothing: they are searched row by row, until something more moves into them.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_an_older_version_is_searched_too() {
    let house = House::open().await;
    let file = house.day_file("2025-11-20");
    let old = include_str!("../fixtures/store/history_1.sql");
    Connection::open(&file).unwrap().execute_batch(old).unwrap();
    let old =
        [779_133_911_040_000_000, 779_133_915_234_304_000, 779_133_919_428_608_000].map(MessageId::from_raw);
    let check = |house: &House, more: &[MessageId]| {
        assert_eq!(house.found(&number("34600000001", 10)), newest(&[&[old[0], old[2]], more], 10));
        assert_eq!(house.found(&number("34600000002", 10)), newest(&[&old[1..2]], 10));
        assert_eq!(house.found(&account("acme", 10)), newest(&[&old, more], 10));
        let state = Some(State::Undeliverable);
        assert_eq!(house.found(&Search { state, ..account("acme", 10) }), newest(&[&old[2..]], 10));
        assert!(old.iter().all(|id| house.store.reader().unwrap().trace(*id).is_ok()));
    };
    check(&house, &[]);
    let tables =
        |sql: &str| -> i64 { Connection::open(&file).unwrap().query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(tables("SELECT count(*) FROM sqlite_master WHERE name = 'bulk'"), 0);
    let more = house.end("acme", &[("ACME", "34600000001")], State::Delivered).await;
    house.moved(1).await;
    check(&house, &more);
    assert_eq!(tables("SELECT count(*) FROM bulk WHERE listed = 0"), 0);
    assert_eq!(tables("SELECT count(*) FROM bulk"), 2);

    // An older version that comes back in between leaves rows that nothing lists.
    Connection::open(&file)
        .unwrap()
        .execute_batch(
            "DELETE FROM few; UPDATE bulk SET listed = 0 WHERE id = 1; DELETE FROM bulk WHERE id > 1;
            UPDATE bulk SET last = (SELECT max(id) FROM message);",
        )
        .unwrap();
    check(&house, &more);
}

/// The retention is looked at with the first thing that the clock brings on a day, whether anything moves or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_goes_after_its_retention_also_when_nothing_happens() {
    let house = House::open().await;
    house.end("acme", &[("ACME", "34600000001")], State::Delivered).await;
    house.moved(1).await;
    let file = house.day_file("2025-11-20");
    assert!(file.exists());
    house.clock.advance(364 * DAY);
    house.settle().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(file.exists(), "it is kept for 365 days");
    house.clock.advance(2 * DAY);
    within("the day is gone", || !file.exists()).await;
    assert_eq!(house.found(&number("34600000001", 10)), Vec::<String>::new());
    house.books_hold();
}
