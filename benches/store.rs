//! How many whole messages a second the store alone carries: accept, taken, receipt, answered, moved to the history.
//!
//! `cargo bench --bench store` prints the rate for several batch sizes. Nothing but the store runs: no socket, no codec.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

use std::time::Instant;

use bytes::Bytes;
use smpp_proto::field::{Address, RegisteredDelivery};
use smpp_proto::pdu::SubmitSm;
use tokio::sync::mpsc;
use tollgate::account::{Origin, PasswordHash, Secret, Terms};
use tollgate::clock::Clock;
use tollgate::message::{State, UpstreamId};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Price, Submission, admit};
use tollgate::store::{
    Accept, AccountDraft, Answered, ClientBatch, ClientRequest, CredentialDraft, Delivered, Note,
    OperatorBatch, PolicyChange, Report, RouteDraft, Settings, Store, TrafficDraft, UpstreamDraft,
    UpstreamTraits,
};

/// Messages of one run.
const MESSAGES: u64 = 200_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{:>6}  {:>12}  {:>14}", "batch", "messages/s", "µs of writer");
    for batch in [1, 16, 256, 1024] {
        let (rate, busy) = runtime.block_on(run(batch, if batch == 1 { 5_000 } else { MESSAGES }));
        println!("{batch:>6}  {rate:>12.0}  {busy:>14.2}");
    }
}

async fn run(batch: u64, messages: u64) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(Settings::at(folder.path().join("gate.db")), Clock::system()).expect("a store");
    store.apply(policy()).await.expect("a policy");
    let upstream = store.upstreams().id("north").expect("the upstream");
    let began = Instant::now();
    let (reply, mut answers) = mpsc::channel(2);
    let (kept, mut durable) = mpsc::channel(2);
    let (mut owed, mut pulled) = (Vec::new(), Vec::new());
    for _ in 0..messages / batch {
        let requests = requests(&store, upstream, batch);
        store.room().await.expect("room").client(ClientBatch { requests, reply: reply.clone() });
        let _ = answers.recv().await;
        store.upstream_lane(upstream).pull(usize::MAX, &mut pulled);
        let notes = notes(&store, &mut pulled);
        let reply = Some(kept.clone());
        store.room().await.expect("room").operator(OperatorBatch { upstream, notes, reply });
        let _ = durable.recv().await;
        let account = store.policy().credential("acme").expect("acme").account;
        store.account_lane(account).pull(usize::MAX, &mut owed);
        let outcome = Delivered::Done(Clock::system().now());
        let done = owed.drain(..).map(|d| Answered { key: d.key, account, outcome }).collect();
        store.room().await.expect("room").answered(done);
    }
    store.close().await;
    let seconds = began.elapsed().as_secs_f64();
    let busy = store.counters().busy_micros.load(std::sync::atomic::Ordering::Relaxed) as f64;
    (messages as f64 / seconds, busy / messages as f64)
}

fn requests(store: &Store, upstream: UpstreamId, count: u64) -> Vec<ClientRequest> {
    let policy = store.policy();
    let credential = policy.credential("acme").expect("acme");
    let account = policy.account(credential.account).expect("acme");
    let one = |tag| {
        let pdu = SubmitSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international(format!("34600{tag:06}")),
            registered_delivery: RegisteredDelivery(1),
            short_message: Bytes::from_static(&[b'x'; 100]),
            ..SubmitSm::default()
        };
        let admitted = admit(
            &policy,
            policy.sender(account),
            Submission { pdu, body: None },
            Clock::system().now(),
            &mut Desk::default(),
        )
        .expect("admitted");
        ClientRequest::Accept(Box::new(Accept {
            tag,
            account: account.id,
            credential: credential.id,
            admitted,
            upstream,
            max_queued: u64::MAX,
            short_id: false,
            follows: false,
            replaces_pending: false,
        }))
    };
    (0..count).map(one).collect()
}

fn notes(store: &Store, pulled: &mut Vec<tollgate::message::Message>) -> Vec<Note> {
    let now = Clock::system().now();
    let _ = store;
    let mut notes = Vec::with_capacity(2 * pulled.len());
    let ids: Vec<_> =
        pulled.drain(..).map(|message| (message.id, Bytes::from(message.id.to_string()))).collect();
    for (message, id) in &ids {
        notes.push(Note::Taken {
            message: *message,
            part: 1,
            id: id.clone(),
            receipt_expected: true,
            at: now,
        });
    }
    for (tag, (_, id)) in (0..).zip(ids) {
        let report = Report { id, about: Bytes::new(), state: State::Delivered, error: 0, done_at: now };
        notes.push(Note::Receipt { tag, report });
    }
    notes
}

fn policy() -> PolicyChange {
    PolicyChange {
        accounts: vec![AccountDraft {
            name: "acme".to_owned(),
            parent: None,
            opening_credit: "1000000000".parse().expect("an amount"),
            suspended: false,
            origin: Origin::File,
            terms: Terms::default(),
            filters: Default::default(),
            credentials: vec![CredentialDraft {
                system_id: "acme".to_owned(),
                password: PasswordHash::of(&Secret::new("secret")).expect("a hash"),
                bounds: Default::default(),
                filters: Default::default(),
            }],
        }],
        replaces_files: true,
        traffic: Some(TrafficDraft {
            prices: vec![Price::of("", "1".parse().expect("an amount"))],
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
