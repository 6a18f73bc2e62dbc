//! Plain messages fly: they live in memory and in the journal. Whatever befalls them, or the daemon, nothing is lost, and
//! nobody can tell them from others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod support;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use support::{Bench, receipt, taken};
use tollgate::account::AccountId;
use tollgate::message::{MessageId, State};
use tollgate::store::{
    Answered, CancelTarget, ClientOutcome, ClientRequest, Delivered, Note, Replace, Search, Standing,
};

/// What anybody can see of a message.
fn seen(bench: &Bench, id: MessageId) -> (String, Vec<String>) {
    let trace = bench.store.reader().unwrap().trace(id).unwrap();
    (trace.state.to_owned(), trace.timeline.into_iter().map(|entry| entry.what).collect())
}

fn acme(bench: &Bench) -> AccountId {
    bench.store.policy().credential("acme").unwrap().account
}

fn landed(bench: &Bench) -> u64 {
    bench.store.counters().landed.load(Relaxed)
}

async fn standing(bench: &Bench, id: MessageId, source: &'static [u8]) -> Option<Standing> {
    let query = ClientRequest::Query { tag: 1, account: acme(bench), id, source: Bytes::from_static(source) };
    match bench.ask(vec![query]).await.pop().unwrap().outcome {
        ClientOutcome::Standing(standing) => standing,
        other => panic!("{other:?}"),
    }
}

async fn answer(bench: &Bench) {
    let owed = bench.owed().await;
    let outcome = Delivered::Done(bench.clock.now());
    let answer = Answered { key: owed.key, account: owed.account, outcome };
    bench.store.room().await.unwrap().answered(vec![answer]);
}

/// One message at each step. The daemon is killed; its successor knows each of them as it was, and the books.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_finds_every_flight_at_its_step() {
    let bench = Bench::with_credit("100").await;
    let mut ids = Vec::new();
    for to in ["34600000001", "34600000002", "34600000003", "34600000004", "34600000005"] {
        ids.push(bench.send(to, 1).await);
    }
    let [waits, sent, ended, told, lost] = ids[..] else { panic!("five") };
    for _ in 0..5 {
        bench.pull().await;
    }
    bench
        .note(vec![taken(sent, "op-2"), taken(ended, "op-3"), taken(told, "op-4"), taken(lost, "op-5")])
        .await;
    // The first receipt is answered before the others are there.
    bench.note(vec![receipt(1, "op-4", State::Delivered)]).await;
    answer(&bench).await;
    bench.note(vec![receipt(2, "op-3", State::Delivered), receipt(3, "op-5", State::Undeliverable)]).await;
    assert_eq!(landed(&bench), 0, "all of it was plain");
    let before: Vec<_> = ids.iter().map(|id| seen(&bench, *id)).collect();
    assert_eq!(before[0], ("ready".to_owned(), vec!["accepted".to_owned()]));
    assert_eq!(before[3].1, ["accepted", "sent", "delivered", "receipt"]);
    bench.books_hold();

    let bench = bench.killed();
    bench.books_hold();
    assert_eq!(bench.balance(), ("92.5".to_owned(), "3".to_owned()));
    for (id, before) in ids[1..].iter().zip(&before[1..]) {
        assert_eq!(seen(&bench, *id), *before);
    }
    assert_eq!(seen(&bench, waits).1, ["accepted", "in_doubt"]);
    // It goes on where it was: one is sent again, a receipt finds its message, two receipts are owed.
    let again = bench.pull().await;
    assert_eq!((again.id, again.in_doubt), (waits, true));
    bench.note(vec![taken(waits, "op-1"), receipt(4, "op-2", State::Delivered)]).await;
    bench.note(vec![receipt(5, "op-1", State::Delivered)]).await;
    for _ in 0..4 {
        answer(&bench).await;
    }
    bench.moved(5).await;
    assert_eq!(bench.balance(), ("92.5".to_owned(), "0".to_owned()));
    bench.books_hold();
}

/// Query, cancel and replace see a flight as they see a row, and only its owner does.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_tell_a_flight_from_a_row() {
    let bench = Bench::with_credit("100").await;
    let [queried, cancelled, replaced] = [
        bench.send("34600000001", 0).await,
        bench.send("34600000002", 0).await,
        bench.send("34600000003", 0).await,
    ];
    assert_eq!(standing(&bench, queried, b"ACME").await.map(|it| it.state), Some(State::Ready));
    assert!(standing(&bench, queried, b"OTHER").await.is_none());
    let cancel = |account, id| ClientRequest::Cancel {
        tag: 2,
        account,
        target: CancelTarget::Id { id, source: Bytes::from_static(b"ACME") },
    };
    let answers = bench.ask(vec![cancel(AccountId(77), cancelled)]).await;
    assert!(matches!(answers[0].outcome, ClientOutcome::Cancelled(0)));
    assert_eq!(landed(&bench), 0, "nobody else moves it");
    let replace = Replace {
        tag: 3,
        account: acme(&bench),
        rules: bench.store.policy().account_rules(acme(&bench)).clone(),
        id: replaced,
        source: Bytes::from_static(b"ACME"),
        short_message: Bytes::from_static(b"another"),
        registered_delivery: 1,
        due: None,
        expires: None,
    };
    let requests = vec![cancel(acme(&bench), cancelled), ClientRequest::Replace(Box::new(replace))];
    let answers = bench.ask(requests).await;
    assert!(matches!(answers[0].outcome, ClientOutcome::Cancelled(1)));
    assert!(matches!(answers[1].outcome, ClientOutcome::Replaced(true)));
    assert_eq!(landed(&bench), 2);
    let one_pair = ClientRequest::Cancel {
        tag: 4,
        account: acme(&bench),
        target: CancelTarget::Pair {
            source: Bytes::from_static(b"ACME"),
            destination: Bytes::from_static(b"34600000001"),
            service_type: Bytes::new(),
        },
    };
    assert!(matches!(bench.ask(vec![one_pair]).await[0].outcome, ClientOutcome::Cancelled(1)));
    let message = bench.pull().await;
    assert_eq!(message.id, replaced);
    assert!(message.pdu.windows(7).any(|octets| octets == b"another"));
    assert_eq!(seen(&bench, queried).0, "deleted");
    bench.books_hold();
}

/// An operator that gives an id twice means the newer message; when that has ended, the older.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_given_twice_finds_both_messages() {
    let bench = Bench::with_credit("100").await;
    let older = bench.send("34600000001", 1).await;
    let newer = bench.send("34600000002", 1).await;
    bench.pull().await;
    bench.pull().await;
    bench.note(vec![taken(older, "op-1"), taken(newer, "op-1")]).await;
    bench.note(vec![receipt(1, "op-1", State::Delivered)]).await;
    assert_eq!((bench.state(older), bench.state(newer)), ("sent", "delivered"));
    bench.note(vec![receipt(2, "op-1", State::Undeliverable)]).await;
    assert_eq!((bench.state(older), bench.state(newer)), ("undeliverable", "delivered"));
    bench.books_hold();
}

/// What is put off, or waits for its receipt for long, lands, and goes its way from there.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_long_lands() {
    let bench = Bench::with_credit("100").await;
    let slow = bench.send("34600000001", 1).await;
    let put_off = bench.send("34600000002", 1).await;
    bench.pull().await;
    bench.pull().await;
    let due = bench.clock.now() + Duration::from_secs(10);
    let upstream = bench.upstream();
    let later = Note::Later { message: put_off, due, upstream, error: 0x58, in_doubt: false };
    // Its note has no answer: the receipt of nobody is answered after it.
    bench.note(vec![taken(slow, "op-1"), later, receipt(9, "nobody", State::Delivered)]).await;
    assert_eq!((landed(&bench), bench.state(put_off)), (1, "deferred"));
    bench.clock.advance(Duration::from_secs(95));
    assert_eq!(bench.pull().await.id, put_off);
    bench.note(vec![taken(put_off, "op-2"), receipt(1, "op-1", State::Delivered)]).await;
    bench.note(vec![receipt(2, "op-2", State::Delivered)]).await;
    assert_eq!(landed(&bench), 2);
    answer(&bench).await;
    answer(&bench).await;
    bench.moved(2).await;
    let delivered = Search { state: Some(State::Delivered), most: 10, ..Search::default() };
    assert_eq!(bench.store.reader().unwrap().search(&delivered).unwrap().len(), 2);
    bench.books_hold();
}

/// What is written down about a message while it is on its way to the history is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_the_way_to_the_history_goes_with_it() {
    let bench = Bench::with_credit("100").await;
    let id = bench.send("34600000001", 0).await;
    bench.pull().await;
    bench.note(vec![taken(id, "op-1"), receipt(1, "op-1", State::Delivered)]).await;
    assert_eq!(landed(&bench), 0, "it waits in memory for its move");
    bench.note(vec![taken(id, "op-2"), receipt(2, "op-2", State::Delivered)]).await;
    assert_eq!(landed(&bench), 1);
    bench.moved(2).await;
    assert_eq!(seen(&bench, id).1, ["accepted", "sent", "delivered", "taken_again"]);
    let bench = bench.restart().await;
    let db = rusqlite::Connection::open(bench.folder.path().join("gate.db")).unwrap();
    for table in ["message", "event", "alias", "journal"] {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    bench.books_hold();
}
