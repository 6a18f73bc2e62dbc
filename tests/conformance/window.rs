//! Section E, pipelining and windows: many at a time, answered in any order, each to its own request.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use smpp_proto::field::COctets;
use smpp_proto::pdu::QuerySm;
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use tollgate::smsc::Upstream;

use crate::support::{Gate, Smsc, SmscLink, submit, upstream};

const TO: &str = "34600111222";

async fn with_operator(change: impl FnOnce(&mut Upstream)) -> (Smsc, Gate, SmscLink) {
    let smsc = Smsc::listen().await;
    let mut north = upstream("north", &smsc);
    change(&mut north);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let link = smsc.bound().await;
    (smsc, gate, link)
}

#[tokio::test(flavor = "multi_thread")]
async fn c_066_as_many_as_the_window_holds_are_all_answered() {
    let gate = Gate::open(|plan| plan.bounds.window = 50).await;
    let mut esme = gate.bound().await;
    let mut octets = BytesMut::new();
    let numbers: BTreeSet<u32> = (1_000..1_050).collect();
    for sequence in &numbers {
        submit(TO, "x").encode(&mut octets, *sequence).unwrap();
    }
    esme.send_raw(&octets).await;
    let (mut answered, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..50 {
        let answer = esme.expect_status(CommandId::SUBMIT_SM_RESP, CommandStatus::ROK).await;
        assert!(answered.insert(answer.header.sequence), "answered twice: {answer:?}");
        assert!(ids.insert(answer.frame.body), "an id for each");
    }
    assert_eq!(answered, numbers);
    esme.expect_quiet().await;
    gate.ends_with("999950", "50");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_068_answers_in_another_order_reach_their_requests() {
    let (_smsc, gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    let mut ids = Vec::new();
    for to in ["34600000001", "34600000002", "34600000003"] {
        ids.push(esme.submit(to, "x").await);
    }
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(link.expect_submit().await);
    }
    // The last one first; the one in the middle is refused.
    link.accept_submit(sent[2].0, "op-3").await;
    link.refuse_submit(sent[1].0, CommandStatus::RINVDSTADR).await;
    link.accept_submit(sent[0].0, "op-1").await;
    for (id, state) in ids.iter().zip(["sent", "rejected", "sent"]) {
        gate.reaches(id, state).await;
    }

    // Towards the client: three receipts wait for their answers, and the answers come last first.
    let (refused, receipt) = esme.expect_deliver_unanswered().await;
    assert_eq!(receipt.source.digits, "34600000002");
    let first = link.send_receipt(&sent[0].1, "op-1", "DELIVRD", 2).await;
    link.expect_delivered(first).await;
    let second = link.send_receipt(&sent[2].1, "op-3", "DELIVRD", 2).await;
    link.expect_delivered(second).await;
    let (one, _) = esme.expect_deliver_unanswered().await;
    let (three, last) = esme.expect_deliver_unanswered().await;
    assert_eq!(last.source.digits, "34600000003");
    esme.answer_deliver(three, CommandStatus::ROK).await;
    esme.answer_deliver(one, CommandStatus::RX_T_APPN).await;
    esme.answer_deliver(refused, CommandStatus::ROK).await;
    esme.expect_quiet().await;
    // Only the one that was put off comes again.
    let (_, again) = gate.advance_until(Duration::from_secs(1), esme.expect_deliver_unanswered()).await;
    assert_eq!(again.source.digits, "34600000001");
    esme.expect_quiet().await;
    gate.ends_with("999998", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_069_the_ids_of_an_operator_that_answers_2_1_3_go_where_they_belong() {
    let (_smsc, gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(esme.submit(TO, text).await);
    }
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(link.expect_submit().await.0);
    }
    for place in [1, 0, 2] {
        link.accept_submit(numbers[place], &format!("op-{place}")).await;
    }
    for (place, id) in ids.iter().enumerate() {
        gate.reaches(id, "sent").await;
        assert_eq!(gate.trace(id).upstream_id, Some(format!("op-{place}")));
    }
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_070_what_is_answered_fast_does_not_wait_for_what_is_slow() {
    let (_smsc, gate, mut link) = with_operator(|north| north.window = 1).await;
    let mut esme = gate.bound().await;
    // The operator takes the first and says nothing; a question about a message that only the history may know; one
    // with a broken address; then good ones.
    let stuck = esme.submit(TO, "to an operator that says nothing").await;
    link.expect_submit().await;
    let query = QuerySm { message_id: COctets::from("1"), source: Address::default(), ..QuerySm::default() };
    let mut numbers = BTreeSet::from([esme.send(Body::QuerySm(query)).await]);
    numbers.insert(esme.send(Body::SubmitSm(submit("", "nowhere"))).await);
    for _ in 0..20 {
        numbers.insert(esme.send(Body::SubmitSm(submit(TO, "good"))).await);
    }
    let mut accepted = 0;
    while !numbers.is_empty() {
        let answer = esme.expect().await;
        assert!(numbers.remove(&answer.header.sequence), "came: {answer:?}");
        accepted += u32::from(answer.header.status.is_ok());
    }
    assert_eq!(accepted, 20);
    assert_eq!(gate.state(&stuck), "ready", "the operator has still not answered");
    gate.ends_with("999979", "21");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_076_an_operator_with_a_window_of_one_has_one_at_a_time() {
    let (_smsc, gate, mut link) = with_operator(|north| north.window = 1).await;
    let mut esme = gate.bound().await;
    let mut ids = Vec::new();
    for text in ["1", "2", "3", "4", "5"] {
        ids.push(esme.submit(TO, text).await);
    }
    for place in 0..5 {
        let (sequence, submit) = link.expect_submit().await;
        assert_eq!(submit.short_message, (place + 1).to_string());
        // Nothing else comes before the answer, whatever it is.
        link.expect_quiet().await;
        match place {
            3 => link.refuse_submit(sequence, CommandStatus::RINVDSTADR).await,
            _ => link.accept_submit(sequence, &format!("op-{place}")).await,
        }
    }
    gate.reaches(&ids[4], "sent").await;
    gate.ends_with("999996", "4");
}
