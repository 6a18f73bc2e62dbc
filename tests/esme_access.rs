//! Lists of addresses: who may bind from where, and when each entry was last of use.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::pdu::BindKind;
use smpp_proto::{CommandId, CommandStatus};
use support::{Esme, Gate};
use tollgate::account::{AccessEntry, AccessList, Origin, Terms};
use tollgate::admin::{AccessLine, Answer, Request, perform};
use tollgate::store::{AccountDraft, CredentialDraft, PolicyChange};

fn list(restricted: bool, networks: &[&str]) -> AccessList {
    let entry = |network: &&str| AccessEntry {
        network: network.parse().unwrap(),
        description: format!("what {network} is"),
    };
    AccessList { restricted, entries: networks.iter().map(entry).collect() }
}

async fn bind_from(gate: &Gate, from: [u8; 4]) -> (Esme, CommandStatus) {
    let mut esme = Esme::connect_from(from, gate.address).await;
    let answer = esme.bind(BindKind::Transceiver, "acme", "secret").await;
    (esme, answer.header.status)
}

async fn refused_from(gate: &Gate, from: [u8; 4]) {
    let (mut esme, status) = bind_from(gate, from).await;
    assert_eq!(status, CommandStatus::RBINDFAIL);
    esme.expect_closed().await;
}

async fn entries(gate: &Gate) -> Vec<AccessLine> {
    match perform(&gate.store, Request::AccountShow { name: "acme".to_owned() }).await {
        Ok(Answer::Account(line)) => line.access,
        other => panic!("{other:?}"),
    }
}

/// Network, when last seen, and hint of each entry.
async fn told(gate: &Gate) -> Vec<(String, String, String)> {
    let line = |line: AccessLine| {
        (line.network.to_string(), line.last_seen.unwrap_or_default(), line.hint.unwrap_or_default())
    };
    entries(gate).await.into_iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f_162_a_bind_from_an_address_that_is_not_listed_is_refused_and_costs_nothing() {
    let mut gate = Gate::open(|_| {}).await;
    let (esme, status) = bind_from(&gate, [127, 0, 0, 9]).await;
    assert_eq!(status, CommandStatus::ROK, "without a list from anywhere");
    esme.unbind().await;
    gate.change(|plan| plan.terms.access.smpp = list(true, &["127.0.0.1/32", "2001:db8::/32"])).await;
    refused_from(&gate, [127, 0, 0, 9]).await;
    // Before the password is looked at.
    let mut guess = Esme::connect_from([127, 0, 0, 9], gate.address).await;
    let answer = guess.bind(BindKind::Transceiver, "acme", "wrong").await;
    assert_eq!(answer.header.status, CommandStatus::RBINDFAIL);
    guess.expect_closed().await;
    gate.ends_with("1000000", "0");

    let (mut esme, status) = bind_from(&gate, [127, 0, 0, 1]).await;
    assert_eq!(status, CommandStatus::ROK);
    esme.submit("34600111222", "hello").await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_162_credentials_and_sub_accounts_may_only_tighten_a_list() {
    let mut gate = Gate::open(|plan| {
        plan.terms.access.smpp = list(true, &["127.0.0.0/30"]);
        plan.bounds.allowed_ips = vec!["127.0.0.2/32".parse().unwrap(), "127.0.0.9/32".parse().unwrap()];
    })
    .await;
    refused_from(&gate, [127, 0, 0, 1]).await;
    refused_from(&gate, [127, 0, 0, 9]).await;
    let (esme, status) = bind_from(&gate, [127, 0, 0, 2]).await;
    assert_eq!(status, CommandStatus::ROK);
    esme.unbind().await;

    // A list of the account itself that lets all in does not help against that of the one above.
    gate.change(|plan| {
        plan.terms.access.smpp = AccessList::default();
        plan.bounds.allowed_ips.clear();
    })
    .await;
    let known = gate.store.policy().credential("acme").expect("a credential").as_ref().clone();
    let mut above = Terms::default();
    above.access.smpp = list(true, &["127.0.0.9/32"]);
    let draft = |name: &str, parent: Option<&str>, terms: Terms, credentials| AccountDraft {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        opening_credit: "0".parse().unwrap(),
        suspended: false,
        origin: Origin::File,
        terms,
        filters: Default::default(),
        credentials,
    };
    let credential = CredentialDraft {
        system_id: known.system_id,
        password: known.password,
        bounds: known.bounds,
        filters: Default::default(),
    };
    let accounts = vec![
        draft("bureau", None, above, Vec::new()),
        draft("acme", Some("bureau"), Terms::default(), vec![credential]),
    ];
    let change = PolicyChange { accounts, replaces_files: false, traffic: None };
    gate.store.apply(change).await.expect("a policy");
    refused_from(&gate, [127, 0, 0, 2]).await;
    let (_esme, status) = bind_from(&gate, [127, 0, 0, 9]).await;
    assert_eq!(status, CommandStatus::ROK);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_162_a_changed_list_sends_away_within_a_second_whom_it_no_longer_lets_in() {
    let mut gate = Gate::open(|_| {}).await;
    let (mut leaves, _) = bind_from(&gate, [127, 0, 0, 9]).await;
    let (mut stays, _) = bind_from(&gate, [127, 0, 0, 1]).await;
    gate.change(|plan| plan.terms.access.smpp = list(true, &["127.0.0.1/32"])).await;
    gate.clock.advance(Duration::from_secs(1));
    let unbind = leaves.expect_command(CommandId::UNBIND).await;
    leaves.send_empty(CommandId::UNBIND_RESP, CommandStatus::ROK, unbind.header.sequence).await;
    leaves.expect_end().await;
    stays.submit("34600111222", "hello").await;
    gate.binds_are(1).await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_163_an_entry_shows_when_it_last_let_a_bind_in() {
    let known = list(false, &["127.0.0.1/32", "127.0.0.0/8", "10.0.0.0/8"]);
    let mut gate = Gate::open(|plan| plan.terms.access.smpp = known).await;
    let row = |network: &str, last: &str, hint: &str| (network.to_owned(), last.to_owned(), hint.to_owned());
    let never = |network| row(network, "", "never used");
    let noon = "2025-11-20T12:00:00.000Z";
    assert_eq!(told(&gate).await, [never("127.0.0.1/32"), never("127.0.0.0/8"), never("10.0.0.0/8")]);
    assert_eq!(entries(&gate).await[0].description, "what 127.0.0.1/32 is");

    // The narrowest entry counts, at once and also on a list that keeps nobody out.
    bind_from(&gate, [127, 0, 0, 1]).await.0.unbind().await;
    let seen = [row("127.0.0.1/32", noon, ""), never("127.0.0.0/8"), never("10.0.0.0/8")];
    assert_eq!(told(&gate).await, seen);

    // It is written lazily, and found again by who opens the store later.
    gate = gate.restart().await;
    assert_eq!(told(&gate).await, seen);
    gate.clock.advance(Duration::from_secs(90 * 86_400));
    bind_from(&gate, [127, 0, 0, 9]).await.0.unbind().await;
    let later = [
        row("127.0.0.1/32", noon, "not used in 90 days"),
        row("127.0.0.0/8", "2026-02-18T12:00:00.000Z", ""),
        never("10.0.0.0/8"),
    ];
    assert_eq!(told(&gate).await, later);

    // An entry that was taken off and comes back has not been of use yet.
    gate.change(|plan| plan.terms.access.smpp = list(false, &["127.0.0.0/8"])).await;
    bind_from(&gate, [127, 0, 0, 9]).await.0.unbind().await;
    gate = gate.restart().await;
    gate.change(|plan| plan.terms.access.smpp = list(false, &["127.0.0.1/32"])).await;
    assert_eq!(told(&gate).await, [never("127.0.0.1/32")]);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_163_what_was_seen_is_in_the_file_after_a_minute_also_if_the_gateway_is_killed_then() {
    let gate = Gate::open(|plan| plan.terms.access.smpp = list(true, &["127.0.0.0/8"])).await;
    let at =
        "SELECT coalesce(max(at), 0) FROM address_seen WHERE network = '127.0.0.0/8' AND surface = 'smpp'";
    bind_from(&gate, [127, 0, 0, 1]).await.0.unbind().await;
    let seen = |since: i64| {
        let gate = &gate;
        async move {
            while gate.stored(at) <= since {
                tokio::task::yield_now().await;
            }
            gate.stored(at)
        }
    };
    let first = gate.advance_until(Duration::from_secs(30), seen(0)).await;
    let now = gate.clock.now().millis();
    bind_from(&gate, [127, 0, 0, 2]).await.0.unbind().await;
    let second = gate.advance_until(Duration::from_secs(30), seen(first)).await;
    assert!(first < second && second >= now, "{first} {second}");
}
