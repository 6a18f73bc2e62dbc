//! Section D, link and timers: who is quiet is asked, who does not answer is dead, and only the monotonic clock counts.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use smpp_proto::{Body, CommandId, CommandStatus};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tollgate::smsc::Upstream;

use crate::support::{Esme, Gate, NOON, Smsc, SmscLink, submit, upstream, vector, within};

const TO: &str = "34600111222";
const SECOND: Duration = Duration::from_secs(1);

/// A gate with one operator that asks whether anyone is there, as by default; and what else is changed.
async fn with_operator(change: impl FnOnce(&mut Upstream)) -> (Smsc, Gate, SmscLink) {
    let smsc = Smsc::listen().await;
    let mut north = upstream("north", &smsc);
    north.patience.enquire_link = Some(Duration::from_secs(30));
    change(&mut north);
    let gate = Gate::open(|plan| plan.upstreams = vec![north]).await;
    let link = smsc.bound().await;
    (smsc, gate, link)
}

#[tokio::test(flavor = "multi_thread")]
async fn c_057_an_enquiry_is_answered_within_a_second_whatever_is_open() {
    let (_smsc, gate, mut link) = with_operator(|north| north.window = 1).await;
    let mut stranger = Esme::connect(gate.address).await;
    let mut esme = gate.bound().await;
    // Our window towards the operator is full, and the client has asked for more than its own window lets in.
    esme.submit(TO, "open").await;
    link.expect_submit().await;
    let mut octets = BytesMut::new();
    for sequence in 100..400 {
        submit(TO, "x").encode(&mut octets, sequence).unwrap();
    }
    // V-020 is enquire_link number 21, V-021 has the highest number there is.
    octets.extend_from_slice(&vector("V-020"));
    octets.extend_from_slice(&vector("V-021"));
    let asked = Instant::now();
    esme.send_raw(&octets).await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let incoming = esme.expect().await;
        if incoming.header.command != CommandId::SUBMIT_SM_RESP {
            answers.push((incoming.header, incoming.frame.body.len()));
        }
    }
    assert!(asked.elapsed() < SECOND, "{:?}", asked.elapsed());
    for ((header, body), sequence) in answers.into_iter().zip([0x15, 0x7FFF_FFFF]) {
        assert_eq!((header.command, header.status), (CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK));
        assert_eq!((header.sequence, body), (sequence, 0));
    }
    for peer in [&mut *stranger, &mut *link] {
        let asked = Instant::now();
        peer.send_raw(&vector("V-020")).await;
        let answer = peer.expect_status(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK).await;
        assert_eq!((answer.header.sequence, answer.header.length), (0x15, 16));
        assert!(asked.elapsed() < SECOND);
    }
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn c_058_a_peer_that_answers_no_enquiry_is_closed_and_what_it_had_is_free_again() {
    let (smsc, gate, mut link) = with_operator(|_| ()).await;
    link.answers_enquiries = false;
    let enquiry = gate.advance_until(SECOND, link.next_raw()).await;
    assert_eq!(enquiry.header.command, CommandId::ENQUIRE_LINK);
    let asked = gate.clock.monotonic();
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "first").await;
    link.expect_submit().await;
    esme.unbind().await;
    gate.advance_until(SECOND, link.expect_command(CommandId::UNBIND)).await;
    link.expect_closed().await;
    assert!((55_000..=62_000).contains(&(gate.clock.monotonic() - asked)));
    // What was with it goes out again over the next bind.
    let mut link = gate.advance_until(SECOND, smsc.bound()).await;
    let (sequence, submit) = link.expect_submit().await;
    assert_eq!(submit.short_message, "first");
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(&id, "sent").await;

    // The other side: a client with a delivery that it does not answer.
    let mut esme = gate.bound().await;
    link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    esme.expect_deliver_unanswered().await;
    esme.answers_enquiries = false;
    gate.advance_until(SECOND, esme.expect_command(CommandId::ENQUIRE_LINK)).await;
    // It goes out again before, and then the session is over.
    gate.advance_until(SECOND, esme.expect_end()).await;
    gate.binds_are(0).await;
    let mut next = gate.bound().await;
    gate.advance_until(SECOND, next.expect_deliver()).await;
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_059_an_answer_with_an_error_status_is_a_sign_of_life() {
    let (_smsc, gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    for _ in 0..4 {
        // Both are asked at about the same time, and say that they are unwell.
        for peer in [&mut *link, &mut *esme] {
            let asked = gate.advance_until(SECOND, peer.next_raw()).await;
            assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
            let (resp, status) = (CommandId::ENQUIRE_LINK_RESP, CommandStatus::RSYSERR);
            peer.send_empty(resp, status, asked.header.sequence).await;
        }
    }
    assert!(gate.clock.monotonic() > 100_000, "longer than anyone lives without an answer");
    link.expect_quiet().await;
    esme.expect_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_061_a_peer_that_has_vanished_is_found_within_both_times() {
    let (smsc, gate, link) = with_operator(|_| ()).await;
    let esme = gate.bound().await;
    let since = gate.clock.monotonic();
    // Neither says anything any more: this is what a host looks like that lost its power. The sockets stay open.
    let [mut operator, mut client] = [link.into_stream(), esme.into_stream()];
    let found = async |stream: &mut TcpStream| {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.len() >= 16, "it was asked whether it is there");
        gate.clock.monotonic() - since
    };
    let both = async { tokio::join!(found(&mut operator), found(&mut client)) };
    let (operator, client) = gate.advance_until(SECOND, both).await;
    // 30 s without a PDU, and 60 s without an answer.
    assert!((85_000..=95_000).contains(&client), "the client after {client} ms");
    assert!((85_000..=95_000).contains(&operator), "the operator after {operator} ms");
    gate.binds_are(0).await;
    gate.advance_until(SECOND, smsc.bound()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_062_enquiries_pass_a_full_window() {
    let (_smsc, gate, mut link) = with_operator(|north| north.window = 1).await;
    let mut esme = {
        let mut esme = gate.bound().await;
        esme.submit(TO, "one").await;
        esme.submit(TO, "two").await;
        esme
    };
    let (sequence, submit) = link.expect_submit().await;
    let asked = gate.advance_until(SECOND, link.next_raw()).await;
    assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
    assert_ne!(asked.header.sequence, sequence, "a number of its own");
    link.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, asked.header.sequence).await;
    link.expect_quiet().await;
    link.accept_submit(sequence, "op-1").await;
    link.expect_submit().await;

    // The same towards a client whose window for deliveries is full.
    link.send_receipt(&submit, "op-1", "DELIVRD", 2).await;
    link.expect_command(CommandId::DELIVER_SM_RESP).await;
    let (delivered, _) = esme.expect_deliver_unanswered().await;
    let asked = gate.advance_until(SECOND, esme.next_raw()).await;
    assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
    assert_ne!(asked.header.sequence, delivered);
    esme.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, asked.header.sequence).await;
    esme.expect_quiet().await;
    gate.books_hold();
}

#[tokio::test(flavor = "multi_thread")]
async fn c_063_a_request_without_an_answer_fails_alone() {
    let (_smsc, gate, mut link) = with_operator(|north| north.patience.enquire_link = None).await;
    let mut esme = gate.bound().await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(esme.submit(TO, text).await);
    }
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(link.expect_submit().await.0);
    }
    link.accept_submit(numbers[0], "op-1").await;
    link.accept_submit(numbers[2], "op-3").await;
    gate.reaches(&ids[2], "sent").await;
    // 60 s for the answer and 10 s in which a late one still counts.
    gate.clock.advance(Duration::from_secs(69));
    link.expect_quiet().await;
    assert_eq!(gate.state(&ids[1]), "ready");
    let (again, submit) = gate.advance_until(SECOND, link.expect_submit()).await;
    assert_eq!(submit.short_message, "two");
    assert_ne!(again, numbers[1]);
    // The answer to the first attempt comes after all, and is nobody's.
    link.accept_submit(numbers[1], "op-late").await;
    link.expect_quiet().await;
    assert_eq!(gate.state(&ids[1]), "ready");
    link.accept_submit(again, "op-2").await;
    gate.reaches(&ids[1], "sent").await;
    assert_eq!(gate.trace(&ids[1]).upstream_id.as_deref(), Some("op-2"));
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_065_a_wall_clock_that_is_set_wakes_nobody() {
    let (_smsc, gate, mut link) = with_operator(|_| ()).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "under way").await;
    let (sequence, pdu) = link.expect_submit().await;
    let day = Duration::from_secs(86_400);
    for wall in [NOON + day, NOON - day * 30, NOON + day / 24] {
        gate.clock.set_wall(wall);
        for peer in [&mut *link, &mut *esme] {
            peer.answers_enquiries = false;
            peer.expect_quiet().await;
        }
    }
    // Since those enquiries 29 s may pass, and then one more: the wall clock has no part in it.
    gate.clock.advance(Duration::from_secs(29));
    gate.clock.set_wall(NOON - day);
    assert_eq!(gate.running.as_ref().unwrap().roster().count(), 1);
    for peer in [&mut *link, &mut *esme] {
        let asked = gate.advance_until(SECOND, peer.next_raw()).await;
        assert_eq!(asked.header.command, CommandId::ENQUIRE_LINK);
        peer.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, asked.header.sequence).await;
        peer.expect_quiet().await;
    }
    assert!(gate.clock.monotonic() < 35_000, "{} ms", gate.clock.monotonic());
    link.accept_submit(sequence, "op-1").await;
    gate.reaches(&id, "sent").await;
    link.send_receipt(&pdu, "op-1", "DELIVRD", 2).await;
    let receipt = within("the receipt", esme.expect_deliver()).await;
    assert!(String::from_utf8_lossy(&receipt.short_message).contains(&id));
    // And what comes now is taken as ever.
    let sequence = esme.send(Body::SubmitSm(submit(TO, "next"))).await;
    assert!(esme.expect_answer(sequence).await.header.status.is_ok());
    gate.ends_with("999998", "1");
}
