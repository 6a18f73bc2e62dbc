//! What clients ask about messages they sent: how they stand, to end them, to change them.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{COctets, DataCoding, MessageState};
use smpp_proto::pdu::{CancelSm, QuerySm, QuerySmResp, ReplaceSm, SubmitSm};
use smpp_proto::text::ucs2;
use smpp_proto::{Address, Body, CommandId, CommandStatus};
use support::{Esme, Gate, submit};
use tollgate::message::State;
use tollgate::policy::filter::{Rule, RuleKind, Unicode};
use tollgate::policy::text::content::{ContentMatch, ContentRule, WordRule};

const TO: &str = "34600111222";

fn sender() -> Address {
    Address::alphanumeric("TEST")
}

async fn query(esme: &mut Esme, id: &str, source: Address) -> Result<QuerySmResp, CommandStatus> {
    let question = QuerySm { message_id: COctets::from(id), source, ..QuerySm::default() };
    let sequence = esme.send(Body::QuerySm(question)).await;
    let answer = esme.expect_answer(sequence).await;
    match answer.body() {
        Body::QuerySmResp(resp) if answer.header.status == CommandStatus::ROK => Ok(resp),
        Body::QuerySmResp(_) => Err(answer.header.status),
        other => panic!("{other:?}"),
    }
}

async fn cancel(esme: &mut Esme, cancel: CancelSm) -> CommandStatus {
    let sequence = esme.send(Body::CancelSm(cancel)).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((answer.header.command, answer.header.length), (CommandId::CANCEL_SM_RESP, 16));
    answer.header.status
}

async fn replace(esme: &mut Esme, replace: ReplaceSm) -> CommandStatus {
    let sequence = esme.send(Body::ReplaceSm(replace)).await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((answer.header.command, answer.header.length), (CommandId::REPLACE_SM_RESP, 16));
    answer.header.status
}

fn one(id: &str) -> CancelSm {
    CancelSm { message_id: COctets::from(id), source: sender(), ..CancelSm::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_196_a_query_tells_state_date_and_error() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    let resp = query(&mut esme, &id, sender()).await.unwrap();
    assert_eq!(resp.message_id.unwrap().to_text(), id);
    assert_eq!((resp.message_state, resp.error_code), (MessageState::ENROUTE, 0));
    assert!(resp.final_date.is_empty());
    gate.operate(State::Undeliverable, 27).await;
    esme.expect_deliver().await;
    let resp = query(&mut esme, &id, sender()).await.unwrap();
    assert_eq!((resp.message_state, resp.error_code), (MessageState::UNDELIVERABLE, 27));
    assert_eq!(resp.final_date.to_text(), "251120120000000+");
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_moved_to_the_history_is_still_known() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    gate.operate(State::Delivered, 0).await;
    esme.expect_deliver().await;
    esme.expect_quiet().await;
    // What has ended moves in the background; wherever it is, the answer is the same.
    for _ in 0..20 {
        gate.clock.advance(Duration::from_secs(60));
        let resp = query(&mut esme, &id, sender()).await.unwrap();
        assert_eq!(resp.message_state, MessageState::DELIVERED);
    }
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_197_nothing_is_told_about_what_is_not_ones_own() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    let other = Address::alphanumeric("OTHER");
    assert_eq!(query(&mut esme, &id, other).await, Err(CommandStatus::RQUERYFAIL));
    let near = (id.parse::<u64>().unwrap() + 1).to_string();
    assert_eq!(query(&mut esme, &near, sender()).await, Err(CommandStatus::RQUERYFAIL));
    for malformed in ["", "abc", "0x1F", "-1"] {
        assert_eq!(query(&mut esme, malformed, sender()).await, Err(CommandStatus::RINVMSGID));
    }
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_queries_at_once_are_all_answered() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    let near = (id.parse::<u64>().unwrap() + 1).to_string();
    let mut expected = std::collections::HashMap::new();
    for n in 0..200 {
        let (id, status) = if n % 2 == 0 { (&id, 0) } else { (&near, 0x67) };
        let question =
            QuerySm { message_id: COctets::from(id.as_str()), source: sender(), ..QuerySm::default() };
        expected.insert(esme.send(Body::QuerySm(question)).await, status);
    }
    while !expected.is_empty() {
        let answer = esme.expect_command(CommandId::QUERY_SM_RESP).await;
        assert_eq!(expected.remove(&answer.header.sequence), Some(answer.header.status.0));
    }
    esme.expect_quiet().await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_199_a_pending_message_is_cancelled_and_an_ended_one_is_not() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "x").await;
    assert_eq!(
        cancel(&mut esme, CancelSm { source: Address::default(), ..one(&id) }).await,
        CommandStatus::RCANCELFAIL
    );
    gate.ends_with("999999", "1");
    let sequence = esme.send(Body::CancelSm(one(&id))).await;
    esme.expect_answer(sequence).await;
    let receipt = esme.expect_deliver().await;
    assert!(String::from_utf8_lossy(&receipt.short_message).contains("stat:DELETED"));
    assert_eq!(query(&mut esme, &id, sender()).await.unwrap().message_state, MessageState::DELETED);
    assert_eq!(cancel(&mut esme, one(&id)).await, CommandStatus::RCANCELFAIL);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_200_all_from_one_address_to_another_are_cancelled_together() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let silent = |to: &str, service: &str| SubmitSm {
        registered_delivery: Default::default(),
        service_type: COctets::from(service),
        ..submit(to, "x")
    };
    for (to, service) in [(TO, ""), (TO, "WAP"), ("34600999888", ""), (TO, "")] {
        assert_eq!(esme.try_submit(silent(to, service)).await.0, CommandStatus::ROK);
    }
    let pair = |to: &str, service: &str| CancelSm {
        source: sender(),
        destination: Address::international(to),
        service_type: COctets::from(service),
        ..CancelSm::default()
    };
    assert_eq!(cancel(&mut esme, pair("", "")).await, CommandStatus::RINVDSTADR);
    assert_eq!(cancel(&mut esme, pair("+34600111222", "WAP")).await, CommandStatus::ROK);
    gate.ends_with("999997", "3");
    assert_eq!(cancel(&mut esme, pair(TO, "")).await, CommandStatus::ROK);
    gate.ends_with("999999", "1");
    assert_eq!(cancel(&mut esme, pair(TO, "")).await, CommandStatus::RCANCELFAIL);
    assert_eq!(gate.sent().await.pdu[..], silent_body(&silent("34600999888", ""))[..]);
    gate.ends_with("999999", "1");
}

fn silent_body(pdu: &SubmitSm) -> Bytes {
    let mut out = bytes::BytesMut::new();
    pdu.encode(&mut out, 1).unwrap();
    out.split_off(16).freeze()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_201_a_pending_message_gets_another_text_under_its_id() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "before").await;
    let other = |text: &'static str| ReplaceSm {
        message_id: COctets::from(id.as_str()),
        source: sender(),
        short_message: Bytes::from_static(text.as_bytes()),
        ..ReplaceSm::default()
    };
    let late = ReplaceSm { validity_period: COctets::from("250101000000000+"), ..other("x") };
    assert_eq!(replace(&mut esme, late).await, CommandStatus::RINVEXPIRY);
    let soon = ReplaceSm { schedule_delivery_time: COctets::from("251332000000000+"), ..other("x") };
    assert_eq!(replace(&mut esme, soon).await, CommandStatus::RINVSCHED);
    assert_eq!(
        replace(&mut esme, ReplaceSm { sm_default_msg_id: 1, ..other("x") }).await,
        CommandStatus::RINVDFTMSGID
    );
    assert_eq!(replace(&mut esme, other("after")).await, CommandStatus::ROK);
    let message = gate.operate(State::Delivered, 0).await;
    assert_eq!((message.id.to_string(), message.pdu.ends_with(b"\x05after")), (id.clone(), true));
    assert_eq!(replace(&mut esme, other("too late")).await, CommandStatus::RREPLACEFAIL);
    esme.expect_quiet().await;
    gate.ends_with("999999", "0");
}

/// A rule that refuses a word.
fn no(word: &str, enforce: bool) -> Rule<ContentRule> {
    let matches = ContentMatch::Words(WordRule { words: vec![word.to_owned()], folded: false });
    Rule { enforce, ..Rule::of(ContentRule { name: word.to_owned(), matches }) }
}

fn another(id: &str, text: &[u8]) -> ReplaceSm {
    ReplaceSm {
        message_id: COctets::from(id),
        source: sender(),
        short_message: Bytes::copy_from_slice(text),
        ..ReplaceSm::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_must_please_what_the_first_one_did() {
    let gate = Gate::open(|plan| {
        plan.filters.content = vec![no("loan", true), no("crypto", false)];
        plan.filters.duplicate = Some(Rule::of(Duration::from_secs(3_600)));
    })
    .await;
    let mut esme = gate.bound().await;
    let id = esme.submit(TO, "before").await;
    let other = esme.submit(TO, "other").await;
    assert_eq!(replace(&mut esme, another(&id, b"a cheap loan")).await, CommandStatus::RREPLACEFAIL);
    // Each text by the alphabet of the message that waits.
    let wide = |text: &str| ucs2::encode(text);
    let unicode = SubmitSm {
        data_coding: DataCoding::UCS2,
        short_message: wide("hello").into(),
        registered_delivery: Default::default(),
        ..submit(TO, "")
    };
    let (_, in_unicode) = esme.try_submit(unicode).await;
    assert_eq!(replace(&mut esme, another(&in_unicode, &wide("a loan"))).await, CommandStatus::RREPLACEFAIL);
    assert_eq!(replace(&mut esme, another(&in_unicode, &wide("alone"))).await, CommandStatus::ROK);
    // The number got that one already, or will.
    assert_eq!(replace(&mut esme, another(&id, b"other")).await, CommandStatus::RREPLACEFAIL);
    assert_eq!(replace(&mut esme, another(&id, b"after crypto")).await, CommandStatus::ROK);
    let account = gate.store.policy().credential("acme").unwrap().account;
    assert_eq!(gate.store.counters().shadowed.of(account, RuleKind::Content), 1);
    assert_eq!(esme.try_submit(submit(TO, "after crypto")).await.0, CommandStatus(0x45));
    // The same text at another time is no other text.
    let later =
        ReplaceSm { schedule_delivery_time: COctets::from("251120130000000+"), ..another(&other, b"other") };
    assert_eq!(replace(&mut esme, later).await, CommandStatus::ROK);
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn unicode_rules_bind_another_text_too() {
    let mut gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    let wide: Bytes = ucs2::encode("привет").into();
    let unicode = SubmitSm { data_coding: DataCoding::UCS2, short_message: wide.clone(), ..submit(TO, "") };
    let (_, in_unicode) = esme.try_submit(unicode).await;
    let plain = esme.submit(TO, "plain").await;
    gate.change(|plan| plan.filters.unicode = Some(Rule::of(Unicode::Reject))).await;
    let other = ucs2::encode("здесь!");
    assert_eq!(replace(&mut esme, another(&in_unicode, &other)).await, CommandStatus::RREPLACEFAIL);
    assert_eq!(replace(&mut esme, another(&plain, b"plainer")).await, CommandStatus::ROK);
    // What waits may have been written in another alphabet than its client did, and the new text does not say which it
    // means.
    gate.change(|plan| plan.filters.unicode = Some(Rule::of(Unicode::Transliterate))).await;
    assert_eq!(replace(&mut esme, another(&plain, b"plainest")).await, CommandStatus::RREPLACEFAIL);
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_source_is_asked_for_without_source() {
    let gate = Gate::open(|plan| plan.terms.default_source = Some("ACME".to_owned())).await;
    let mut esme = gate.bound().await;
    let anonymous = SubmitSm { source: Address::default(), ..submit(TO, "x") };
    let (_, id) = esme.try_submit(anonymous).await;
    for source in [Address::default(), Address::alphanumeric("ACME")] {
        assert_eq!(query(&mut esme, &id, source).await.unwrap().message_state, MessageState::ENROUTE);
    }
    gate.ends_with("999999", "1");
}
