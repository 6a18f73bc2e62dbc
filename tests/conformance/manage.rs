//! Sections M and N, submit_multi and what clients ask about messages, as far as `tests/esme_submit.rs` and
//! `tests/esme_query.rs` do not have them.

use smpp_proto::{CommandId, CommandStatus};

use crate::support::Gate;

#[tokio::test(flavor = "multi_thread")]
async fn c_194_an_unknown_list_refuses_the_whole_and_nobody_gets_anything() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    // Two numbers and the list FRIENDS, which nobody knows.
    let sequence = esme.send_vector("V-146").await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(
        (answer.header.command, answer.header.status, answer.header.length),
        (CommandId::SUBMIT_MULTI_RESP, CommandStatus::RINVDLNAME, 16)
    );
    let north = gate.store.upstreams().id("north").expect("an upstream");
    assert_eq!(gate.store.upstream_lane(north).depth().ready, 0, "nothing is sent to the numbers beside it");
    esme.submit("34600111222", "the session stays").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_195_where_it_is_not_offered_submit_multi_is_no_command() {
    let gate = Gate::open(|plan| plan.terms.submit_multi = false).await;
    let mut esme = gate.bound().await;
    // More often than a session may make mistakes.
    for _ in 0..150 {
        let sequence = esme.send_vector("V-147").await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(
            (answer.header.command, answer.header.status, answer.header.length),
            (CommandId::SUBMIT_MULTI_RESP, CommandStatus::RINVCMDID, 16)
        );
    }
    esme.submit("34600111222", "the session stays").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_198_an_empty_or_overlong_id_is_none() {
    let gate = Gate::open(|_| {}).await;
    let mut esme = gate.bound().await;
    esme.submit("34600111222", "x").await;
    for vector in ["V-299", "V-300"] {
        let sequence = esme.send_vector(vector).await;
        let answer = esme.expect_answer(sequence).await;
        assert_eq!(
            (answer.header.command, answer.header.status, answer.header.length),
            (CommandId::QUERY_SM_RESP, CommandStatus::RINVMSGID, 16),
            "{vector}"
        );
    }
    esme.expect_quiet().await;
    gate.ends_with("999999", "1");
}
