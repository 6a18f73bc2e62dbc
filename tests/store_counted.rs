//! What messages are counted by stands in the journal first and in tables later. Wherever it stands, a restart knows it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod support;

use std::ops::Range;
use std::time::Duration;

use support::{Bench, policy};
use tollgate::policy::Refusal;
use tollgate::policy::filter::{Filters, Rule};
use tollgate::store::ClientOutcome;

/// Messages that the account may send on a day.
const MOST: u32 = 6_000;
/// Messages of one batch: several come together in the journal before they are put into tables.
const BATCH: usize = 500;

/// A gateway whose account may send so many messages on a day, each once within an hour.
async fn counting() -> Bench {
    let bench = Bench::with_credit("100000").await;
    let mut change = policy("100000");
    change.accounts[0].filters = Filters {
        max_per_day: Some(Rule::of(u64::from(MOST))),
        duplicate: Some(Rule::of(Duration::from_secs(3_600))),
        ..Filters::default()
    };
    bench.store.apply(change).await.unwrap();
    bench
}

/// What becomes of messages to these numbers: how many are accepted, refused as doubles, refused for the day's sake.
async fn send(bench: &Bench, numbers: Range<u32>) -> [usize; 3] {
    let mut counts = [0; 3];
    let numbers: Vec<_> = numbers.collect();
    for batch in numbers.chunks(BATCH) {
        let asked = batch.iter().map(|n| bench.accept(1, &format!("346{n:08}"), 0).unwrap());
        for answer in bench.ask(asked.collect()).await {
            let place = match answer.outcome {
                ClientOutcome::Accepted(_) => 0,
                ClientOutcome::Refused(denied) if denied.refusal == Refusal::Duplicate => 1,
                ClientOutcome::Refused(denied) if denied.refusal == Refusal::DailyLimit => 2,
                other => panic!("{other:?}"),
            };
            counts[place] += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_counts_on_where_it_was() {
    let bench = counting().await;
    let mut sent = 0;
    // Little in the journal alone; some in tables and some behind it; more of both.
    for until in [3, 2_400, 2_403, 5_600] {
        assert_eq!(send(&bench, sent..until).await, [(until - sent) as usize, 0, 0]);
        sent = until;
        let killed = bench.killed();
        assert_eq!(send(&killed, 0..sent).await, [0, sent as usize, 0], "each went out already");
        assert_eq!(send(&killed, sent..MOST).await, [(MOST - sent) as usize, 0, 0], "the day's rest");
        assert_eq!(send(&killed, MOST..MOST + 2).await, [0, 0, 2], "the day is full");
        // Whoever is killed twice knows what both lives counted.
        let again = killed.killed();
        assert_eq!(send(&again, 0..MOST).await, [0, MOST as usize, 0]);
        assert_eq!(send(&again, MOST..MOST + 2).await, [0, 0, 2]);
        again.books_hold();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stopped_counts_on_where_it_was() {
    let mut bench = counting().await;
    for (from, until) in [(0, 5), (5, 2_600)] {
        assert_eq!(send(&bench, from..until).await, [(until - from) as usize, 0, 0]);
        bench = bench.restart().await;
        assert_eq!(send(&bench, 0..until).await, [0, until as usize, 0]);
    }
    // The window of an hour ends; the day does not.
    bench.clock.advance(Duration::from_secs(3_601));
    assert_eq!(send(&bench, 0..MOST - 2_600).await, [(MOST - 2_600) as usize, 0, 0]);
    assert_eq!(send(&bench, MOST..MOST + 1).await, [0, 0, 1]);
    bench.books_hold();
}
