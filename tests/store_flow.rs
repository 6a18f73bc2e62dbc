//! The way of a message through the store alone: accept, send, settle, owe, and the books after each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod support;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::Address;
use smpp_proto::pdu::DeliverSm;
use support::{Bench, NOON, one_of, policy, receipt, receipt_about, taken};
use tokio::sync::mpsc;
use tollgate::account::{Credits, UndeliveredCharge};
use tollgate::clock::{Clock, Timestamp};
use tollgate::message::{DeliveryKey, InboundPart, Owed, State};
use tollgate::policy::{Denied, Refusal, Taker};
use tollgate::store::{
    Answered, ClientAnswer, ClientOutcome, Delivered, Note, OperatorBatch, Settings, Store,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_held_sent_delivered_and_its_receipt_is_answered() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 1).await;
    assert_eq!(bench.balance(), ("8.5".to_owned(), "1.5".to_owned()));

    let message = bench.pull().await;
    assert_eq!((message.id, message.parts, message.in_doubt), (id, 1, false));
    bench.note(vec![taken(id, "op-1")]).await;
    assert_eq!(bench.state(id), "sent");

    let kept = bench.note(vec![receipt(42, "op-1", State::Delivered)]).await;
    assert_eq!((kept.tags, kept.durable), (vec![42], true));
    assert_eq!(bench.state(id), "delivered");
    assert_eq!(bench.balance(), ("8.5".to_owned(), "0".to_owned()));

    let owed = bench.owed().await;
    let answer =
        Answered { key: owed.key, account: owed.account, outcome: Delivered::Done(bench.clock.now()) };
    bench.store.room().await.unwrap().answered(vec![answer]);
    bench.books_hold();
    let bench = bench.restart().await;
    assert_eq!(bench.state(id), "delivered");
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bind_had_comes_back_in_doubt_and_what_stood_in_its_lane_does_not() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 1).await;
    bench.pull().await;
    let waiting = bench.send("34600000002", 0).await;
    let bench = bench.restart().await;
    let message = bench.pull().await;
    assert_eq!((message.id, message.in_doubt, message.attempts), (id, true, 1));
    let message = bench.pull().await;
    assert_eq!((message.id, message.in_doubt, message.attempts), (waiting, false, 0));
    bench.note(vec![taken(id, "op-1"), receipt(1, "op-1", State::Undeliverable)]).await;
    let bench = bench.restart().await;
    let owed = bench.owed().await;
    assert_eq!(owed.key, tollgate::message::DeliveryKey::Receipt(id));
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_overtakes_the_answer_waits_for_it_also_over_a_restart() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 1).await;
    bench.pull().await;
    bench.note(vec![receipt(1, "00b8be19", State::Delivered)]).await;
    assert_eq!(bench.state(id), "ready");
    let bench = bench.restart().await;
    bench.pull().await;
    bench.note(vec![taken(id, "12107289")]).await;
    assert_eq!(bench.state(id), "delivered");
    assert_eq!(bench.store.counters().parked_matched.load(std::sync::atomic::Ordering::Relaxed), 1);
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guessed_reading_of_an_id_never_ends_a_message_to_another_number() {
    let bench = Bench::with_credit("10").await;
    // 0x100 is 256 and 0x200 is 512: receipts for ids that nobody knows, to a number that neither message has.
    bench.note(vec![receipt_about("34600000009", 1, "100", State::Undeliverable)]).await;
    let early = bench.send("34600000001", 1).await;
    let late = bench.send("34600000002", 1).await;
    bench.note(vec![taken(early, "256"), taken(late, "512")]).await;
    bench.note(vec![receipt_about("34600000009", 2, "200", State::Undeliverable)]).await;
    assert_eq!((bench.state(early), bench.state(late)), ("sent", "sent"));
    // The same ids about their own numbers are meant.
    bench.note(vec![receipt_about("0600000001", 3, "100", State::Delivered)]).await;
    bench.note(vec![receipt_about("+34600000002", 4, "200", State::Delivered)]).await;
    assert_eq!((bench.state(early), bench.state(late)), ("delivered", "delivered"));
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_ends_exactly_where_the_balance_does() {
    let bench = Bench::with_credit("4.5").await;
    let requests = (0..5).map(|tag| bench.accept(tag, "34600000001", 0).unwrap()).collect();
    let answers = bench.ask(requests).await;
    let accepted = |answer: &&ClientAnswer| matches!(answer.outcome, ClientOutcome::Accepted(_));
    assert_eq!(answers.iter().filter(accepted).count(), 3);
    assert!(matches!(
        answers[4].outcome,
        ClientOutcome::Refused(Denied { refusal: Refusal::InsufficientCredit, .. })
    ));
    assert_eq!(bench.balance(), ("0".to_owned(), "4.5".to_owned()));
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_expires_in_its_lane_gives_its_hold_back() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 1).await;
    bench.clock.advance(Duration::from_secs(86_400 + 60));
    let owed = bench.owed().await;
    assert_eq!(owed.key, tollgate::message::DeliveryKey::Receipt(id));
    assert_eq!(bench.state(id), "expired");
    assert_eq!(bench.balance(), ("10".to_owned(), "0".to_owned()));
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_off_message_wakes_at_its_time() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 0).await;
    bench.pull().await;
    let due = bench.clock.now() + Duration::from_secs(5);
    let later = Note::Later { message: id, due, upstream: bench.upstream(), error: 8, in_doubt: false };
    bench.note(vec![later]).await;
    assert_eq!(bench.state(id), "deferred");
    bench.clock.advance(Duration::from_secs(5));
    let message = bench.pull().await;
    assert_eq!((message.id, message.attempts), (id, 1));
}

/// What is held for closed hours has the default validity from their end on, and one that names none does not expire
/// meanwhile; hours that never open end it.
#[tokio::test(flavor = "multi_thread")]
async fn closed_hours_take_nothing_off_the_default_validity_and_end_what_they_never_let_go() {
    let day = Duration::from_secs(86_400);
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 1).await;
    bench.pull().await;
    let until = bench.clock.now() + 3 * day;
    bench.note(vec![Note::Held { message: id, until: Some(until) }]).await;
    bench.clock.advance(3 * day);
    let message = bench.pull().await;
    assert_eq!((message.id, message.attempts, message.expires), (id, 0, until + day));
    bench.note(vec![Note::Held { message: id, until: Some(Timestamp::NEVER) }]).await;
    assert_eq!(bench.state(id), "deferred");
    bench.books_hold();
    bench.clock.advance(day);
    assert_eq!(bench.owed().await.key, DeliveryKey::Receipt(id));
    assert_eq!(bench.state(id), "expired");
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bind_saw_stopped_goes_at_once_when_its_account_may_act_again() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 0).await;
    bench.pull().await;
    bench.note(vec![Note::Held { message: id, until: None }]).await;
    assert_eq!(bench.pull().await.id, id);
}

/// The sweep by age passes what a bind holds; it comes to it again when the bind gives it back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_after_its_default_validity_expires_all_the_same() {
    let bench = Bench::with_credit("10").await;
    let held = bench.send("34600000001", 1).await;
    let swept = bench.send("34600000002", 1).await;
    bench.pull().await;
    bench.clock.advance(Duration::from_secs(86_400 + 60));
    assert_eq!(bench.owed().await.key, DeliveryKey::Receipt(swept));
    let mut change = policy("10");
    change.accounts[0].suspended = true;
    bench.store.apply(change).await.unwrap();
    bench.note(vec![Note::Held { message: held, until: None }]).await;
    assert_eq!(bench.state(held), "deferred");
    bench.clock.advance(Duration::from_secs(31));
    assert_eq!(bench.owed().await.key, DeliveryKey::Receipt(held));
    assert_eq!(bench.state(held), "expired");
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_messages_move_to_the_history_and_are_still_found() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 0).await;
    bench.pull().await;
    bench.note(vec![taken(id, "op-1"), receipt(1, "op-1", State::Delivered)]).await;
    bench.moved(1).await;
    let trace = bench.store.reader().unwrap().trace(id).unwrap();
    assert_eq!((trace.state, trace.posted.to_string()), ("delivered", "1.5".to_owned()));
    bench.books_hold();
}

/// More than a lane keeps in memory, pulled while it still comes in: refills and spills fall into the same
/// transactions.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_spills_and_every_message_still_comes_once_and_in_order() {
    const BATCHES: u64 = 60;
    const BATCH: u64 = 400;
    let bench = Bench::with_credit("100000").await;
    let lane = bench.store.upstream_lane(bench.upstream());
    let consumer = tokio::spawn(async move {
        let mut ids = Vec::new();
        while ids.len() < usize::try_from(BATCHES * BATCH).unwrap() {
            ids.push(one_of(&lane).await.id);
        }
        ids
    });
    let mut accepted = Vec::new();
    for _ in 0..BATCHES {
        let requests = (0..BATCH).map(|tag| bench.accept(tag, "34600000001", 0).unwrap()).collect();
        for answer in bench.ask(requests).await {
            match answer.outcome {
                ClientOutcome::Accepted(id) => accepted.push(id),
                other => panic!("not accepted: {other:?}"),
            }
        }
    }
    assert_eq!(consumer.await.unwrap(), accepted);
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_in_the_history_keeps_its_own_events() {
    let bench = Bench::with_credit("10").await;
    let mut ids = Vec::new();
    for (count, name) in [(1, "op-1"), (2, "op-2")] {
        let id = bench.send("34600000001", 0).await;
        // It is taken twice, which is worth an event.
        bench.note(vec![taken(id, name), taken(id, name), receipt(1, name, State::Delivered)]).await;
        bench.moved(count).await;
        ids.push(id);
    }
    for id in ids {
        let timeline = bench.store.reader().unwrap().trace(id).unwrap().timeline;
        assert_eq!(timeline.iter().filter(|entry| entry.what == "taken_again").count(), 1, "{timeline:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_the_history_that_a_crash_left_unfinished_is_made_anew() {
    let bench = Bench::with_credit("10").await;
    let day = bench.folder.path().join("gate.db.history/2025-11-20.new");
    std::fs::write(&day, "half a file").unwrap();
    let bench = bench.restart().await;
    let id = bench.send("34600000001", 0).await;
    bench.note(vec![taken(id, "op-1"), receipt(1, "op-1", State::Delivered)]).await;
    bench.moved(1).await;
    assert_eq!(bench.state(id), "delivered");
    assert!(!day.exists());
    bench.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_one_daemon() {
    let bench = Bench::with_credit("1").await;
    let path = bench.folder.path().join("gate.db");
    let second = Store::open(Settings::at(&path), Clock::system());
    let error = second.err().expect("the store was opened twice").to_string();
    assert!(error.contains("is in use by another tollgate"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_running_opens_as_a_store() {
    let bench = Bench::with_credit("10").await;
    bench.send("34600000001", 1).await;
    let copy = bench.folder.path().join("copy.db");
    bench.store.backup(&copy).await.unwrap();
    let again = bench.store.backup(&copy).await.unwrap_err().to_string();
    assert!(again.contains("never writes over"), "{again}");
    let restored = Store::open(Settings::at(&copy), Clock::manual(NOON)).unwrap();
    let account = restored.reader().unwrap().account("acme").unwrap();
    assert_eq!(account.balance.held, Credits::from_micro(1_500_000));
    assert_eq!(Path::new(&copy).parent(), Some(bench.folder.path()));
}

/// Somebody else holds the file: nothing is accepted, nothing is charged, and what operators said is not forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_write_refuses_and_forgets_nothing() {
    let bench = Bench::with_credit("10").await;
    let id = bench.send("34600000001", 0).await;
    bench.pull().await;
    let other = rusqlite::Connection::open(bench.folder.path().join("gate.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let batch = OperatorBatch { upstream: bench.upstream(), notes: vec![taken(id, "op-1")], reply: None };
    bench.store.room().await.unwrap().operator(batch);
    let answers = bench.ask(vec![bench.accept(1, "34600000002", 0).unwrap()]).await;
    assert!(matches!(
        answers[0].outcome,
        ClientOutcome::Refused(Denied { refusal: Refusal::StoreUnavailable, .. })
    ));
    assert!(bench.store.is_failing());
    let (reply, mut kept) = mpsc::channel(1);
    let notes = vec![receipt(5, "op-1", State::Delivered)];
    let batch = OperatorBatch { upstream: bench.upstream(), notes, reply: Some(reply) };
    bench.store.room().await.unwrap().operator(batch);
    assert!(!kept.recv().await.unwrap().durable);

    other.execute_batch("COMMIT").unwrap();
    bench.send("34600000003", 0).await;
    assert!(!bench.store.is_failing());
    assert_eq!(bench.state(id), "sent");
    assert_eq!(bench.balance(), ("7".to_owned(), "3".to_owned()));
    bench.books_hold();
}

/// What waits in the store alone for an address that its client gives up is dropped too: receipts, notifications and
/// messages from phones. What is for another address stays.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_given_up_is_dropped_from_the_store_too() {
    let bench = Bench::with_credit("10").await;
    let account = bench.store.policy().credential("acme").unwrap().account;
    let first = bench.send("34600000001", 0x11).await;
    let second = bench.send("34600000001", 0x11).await;
    for (id, name) in [(first, "op-1"), (second, "op-2")] {
        bench.pull().await;
        let on_its_way = receipt(1, name, State::Sent);
        assert!(
            bench.note(vec![taken(id, name), on_its_way, receipt(2, name, State::Delivered)]).await.durable
        );
    }
    let to = |number: &str| {
        let mo = DeliverSm { destination: Address::alphanumeric(number), ..DeliverSm::default() };
        let mut out = bytes::BytesMut::new();
        mo.encode(&mut out, 1).unwrap();
        out.split_off(smpp_proto::Header::LENGTH).freeze()
    };
    let taker = Taker { account, receiver: None };
    let mo = |number| Note::Mo { tag: 3, taker, pdu: to(number) };
    assert!(bench.note(vec![mo("ACME"), mo("OTHER")]).await.durable);
    // After a start everything waits in the store alone.
    let bench = bench.restart().await;
    let gone = Answered {
        key: DeliveryKey::Receipt(first),
        account,
        outcome: Delivered::AddressGone(bench.clock.now()),
    };
    bench.store.room().await.unwrap().answered(vec![gone]);
    let Owed::Mo { pdu } = bench.owed().await.content else {
        panic!("the message to OTHER, and nothing before it")
    };
    assert_eq!(DeliverSm::decode(pdu).unwrap().destination, Address::alphanumeric("OTHER"));
    assert_eq!(bench.store.account_lane(account).depth().ready, 0);
    // One receipt, two notifications and a message went with the one that was answered.
    assert_eq!(bench.store.counters().address_gone.load(std::sync::atomic::Ordering::Relaxed), 4);
    bench.moved(2).await;
    for id in [first, second] {
        let timeline = bench.store.reader().unwrap().trace(id).unwrap().timeline;
        assert!(timeline.iter().any(|entry| entry.what == "receipt" && entry.detail.contains("given up")));
    }
    assert_eq!(bench.balance(), ("7".to_owned(), "0".to_owned()));
    bench.books_hold();
}

/// Whether an undelivered message is paid for is the account's setting.
#[tokio::test(flavor = "multi_thread")]
async fn an_undelivered_message_is_paid_or_given_back_as_the_account_has_it() {
    for (charge, rest) in [(UndeliveredCharge::Post, "8.5"), (UndeliveredCharge::Void, "10")] {
        let bench = Bench::with_credit("10").await;
        let mut change = policy("10");
        change.accounts[0].terms.undelivered = charge;
        bench.store.apply(change).await.unwrap();
        let id = bench.send("34600000001", 0).await;
        bench.pull().await;
        bench.note(vec![taken(id, "op-1"), receipt(1, "op-1", State::Undeliverable)]).await;
        assert_eq!(bench.state(id), "undeliverable");
        assert_eq!(bench.balance(), (rest.to_owned(), "0".to_owned()));
        bench.books_hold();
    }
}

/// A floor above the balance stops sending and is no fault of the books, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_floor_that_rises_above_the_balance_stops_sending_and_the_books_hold() {
    let bench = Bench::with_credit("10").await;
    let mut change = policy("10");
    change.accounts[0].terms.floor = "20.000001".parse().unwrap();
    bench.store.apply(change).await.unwrap();
    let answers = bench.ask(vec![bench.accept(1, "34600000001", 0).unwrap()]).await;
    assert!(matches!(
        answers[0].outcome,
        ClientOutcome::Refused(Denied { refusal: Refusal::InsufficientCredit, .. })
    ));
    bench.books_hold();
    let bench = bench.restart().await;
    bench.books_hold();
    let path = bench.folder.path().join("gate.db");
    bench.store.close().await;
    let sunk = "UPDATE account SET available = available - 1";
    rusqlite::Connection::open(path).unwrap().execute(sunk, []).unwrap();
    let lines = bench.store.reader().unwrap().audit().unwrap();
    assert!(lines.iter().any(|line| !line.holds && line.invariant.contains("floor")));
}

/// A day's file goes whole when its retention is over; the books outlive it.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_history_is_dropped_after_its_retention() {
    let bench = Bench::with_credit("10").await;
    let end = async |to: &str, name: &'static str| {
        let id = bench.send(to, 0).await;
        bench.pull().await;
        bench.note(vec![taken(id, name), receipt(1, name, State::Delivered)]).await;
        id
    };
    let old = end("34600000001", "op-1").await;
    bench.moved(1).await;
    bench.clock.advance(Duration::from_secs(367 * 86_400));
    let new = end("34600000002", "op-2").await;
    bench.moved(2).await;
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while bench.store.reader().unwrap().trace(old).is_ok() {
            // Days are looked at now and then: the clock goes on.
            bench.clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    gone.await.expect("the old day is still there");
    assert_eq!(bench.state(new), "delivered");
    assert_eq!(bench.balance(), ("7".to_owned(), "0".to_owned()));
    bench.books_hold();
}

#[tokio::test]
async fn a_part_from_a_phone_waits_for_the_others_over_a_restart() {
    let bench = Bench::with_credit("10").await;
    let account = bench.store.policy().credential("acme").unwrap().account;
    let part = |number: u8, text: &str| {
        let pdu = DeliverSm {
            source: Address::international("34600000001"),
            destination: Address::international("22000"),
            esm_class: smpp_proto::field::EsmClass(0x40),
            short_message: [&[5, 0, 3, 9, 2, number], text.as_bytes()].concat().into(),
            ..DeliverSm::default()
        };
        let mut octets = bytes::BytesMut::new();
        pdu.encode(&mut octets, 1).unwrap();
        let part = Box::new(InboundPart::of(&pdu).unwrap());
        Note::MoPart { tag: 1, account: Some(account), part, pdu: octets.split_off(16).freeze() }
    };
    assert!(bench.note(vec![part(2, "world")]).await.durable);
    let bench = bench.restart().await;
    assert!(bench.note(vec![part(1, "hello ")]).await.durable);
    let Owed::Mo { pdu } = bench.owed().await.content else { panic!("a message from a phone") };
    assert_eq!(DeliverSm::decode(pdu).unwrap().short_message, Bytes::from_static(b"hello world"));
    bench.books_hold();
}
