//! The short ids of clients of SMPP 3.3: they lead to their messages hot, over a crash, and in the history.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is the result")]

mod support;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use support::{Binds, NOON, Smsc, upstream};
use tollgate::message::{MessageId, Owed};

#[tokio::test(flavor = "multi_thread")]
async fn short_ids_lead_to_their_messages_wherever_they_stand() {
    let smsc = Smsc::listen().await;
    let gate = Binds::with(vec![upstream("north", &smsc)]).await;
    let mut link = smsc.bound().await;
    let (first, long) = (gate.send_short("34600000001").await, gate.send("34600000002").await);
    assert_eq!((first.to_string().as_str(), long.is_short()), ("00000001", false));
    let mut submits = Vec::new();
    for id in ["op-1", "op-2"] {
        let (sequence, submit) = link.expect_submit().await;
        link.accept_submit(sequence, id).await;
        submits.push(submit);
    }
    gate.reaches(first, "sent").await;
    let gate = gate.crash().await;
    let mut link = smsc.bound().await;
    let second = gate.send_short("34600000003").await;
    assert_eq!(second.to_string(), "00000002", "none is given out twice");
    gate.clock.advance(Duration::from_secs(60));
    // The receipt of the first, between the submits of the others.
    link.send_receipt(&submits[0], "op-1", "DELIVRD", 2).await;
    let Owed::Receipt { shown, accepted_at, .. } = gate.owed().await.content else { panic!("a receipt") };
    assert_eq!((shown, accepted_at), (first, NOON));
    let moved = async {
        while gate.store.counters().moved.load(Relaxed) < 1 {
            gate.advance(31);
            // A thread moves it; without a pause whole years pass meanwhile.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    support::within("the move to the history", moved).await;
    let reader = gate.store.reader().unwrap();
    let trace = reader.trace(first).unwrap();
    assert_eq!((trace.short_id.as_deref(), trace.state), (Some("00000001"), "delivered"));
    assert_eq!(reader.trace(trace.message_id.parse().unwrap()).unwrap().state, "delivered");
    assert!(reader.trace(MessageId::short(99).unwrap()).is_err());
}
