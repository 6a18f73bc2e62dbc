//! A store alone: what sessions, binds and receivers would ask of it, asked by hand.

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{Address, RegisteredDelivery};
use smpp_proto::pdu::SubmitSm;
use tokio::sync::mpsc;
use tollgate::account::{Origin, PasswordHash, Secret, Terms};
use tollgate::clock::Clock;
use tollgate::message::{Delivery, Message, MessageId, State, UpstreamId};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Price, Refusal, Submission, admit};
use tollgate::store::{
    Accept, AccountDraft, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest, CredentialDraft, Kept,
    Note, OperatorBatch, PolicyChange, Report, RouteDraft, Settings, Store, TrafficDraft, UpstreamDraft,
    UpstreamTraits,
};

use super::{NOON, one_of};

/// A store with the account "acme", to whom a segment costs 1.5, and the operator "north"; its clock stands still.
pub struct Bench {
    pub store: Store,
    pub clock: Clock,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub async fn with_credit(credit: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self::open(folder, Clock::manual(NOON));
        bench.store.apply(policy(credit)).await.unwrap();
        bench
    }

    pub fn open(folder: tempfile::TempDir, clock: Clock) -> Self {
        let store = Store::open(Settings::at(folder.path().join("gate.db")), clock.clone()).unwrap();
        tokio::spawn({
            let store = store.clone();
            async move { store.keep_time().await }
        });
        Self { store, clock, folder }
    }

    /// The daemon stops cleanly and starts again.
    pub async fn restart(self) -> Self {
        self.store.close().await;
        Self::open(self.folder, self.clock)
    }

    /// The daemon is killed here and now: another one finds the files as they stand.
    pub fn killed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The file first: what a checkpoint brings into it meanwhile stands in the log too.
        for name in ["gate.db", "gate.db-wal"] {
            std::fs::copy(self.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        Self::open(folder, self.clock.clone())
    }

    pub fn upstream(&self) -> UpstreamId {
        self.store.upstreams().id("north").unwrap()
    }

    pub fn accept(&self, tag: u64, to: &str, wish: u8) -> Result<ClientRequest, Refusal> {
        let policy = self.store.policy();
        let credential = policy.credential("acme").unwrap();
        let account = policy.account(credential.account).unwrap();
        let pdu = SubmitSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international(to.to_owned()),
            registered_delivery: RegisteredDelivery(wish),
            short_message: Bytes::from_static(b"hello"),
            ..SubmitSm::default()
        };
        let admitted = admit(
            &policy,
            policy.sender(account),
            Submission { pdu, body: None },
            self.clock.now(),
            &mut Desk::default(),
        )
        .map_err(|denied| denied.refusal)?;
        Ok(ClientRequest::Accept(Box::new(Accept {
            tag,
            account: account.id,
            credential: credential.id,
            admitted,
            upstream: self.upstream(),
            max_queued: account.terms.max_queued,
            short_id: false,
            follows: false,
            replaces_pending: false,
        })))
    }

    pub async fn ask(&self, requests: Vec<ClientRequest>) -> Vec<ClientAnswer> {
        let (reply, mut answers) = mpsc::channel(1);
        self.store.room().await.unwrap().client(ClientBatch { requests, reply });
        answers.recv().await.unwrap()
    }

    pub async fn send(&self, to: &str, wish: u8) -> MessageId {
        let answers = self.ask(vec![self.accept(7, to, wish).unwrap()]).await;
        match answers[0].outcome {
            ClientOutcome::Accepted(id) => id,
            ref other => panic!("not accepted: {other:?}"),
        }
    }

    pub async fn note(&self, notes: Vec<Note>) -> Kept {
        let (reply, mut kept) = mpsc::channel(1);
        let batch = OperatorBatch { upstream: self.upstream(), notes, reply: Some(reply) };
        self.store.room().await.unwrap().operator(batch);
        kept.recv().await.unwrap()
    }

    pub async fn pull(&self) -> Message {
        let lane = self.store.upstream_lane(self.upstream());
        one_of(&lane).await
    }

    pub async fn owed(&self) -> Delivery {
        let account = self.store.policy().credential("acme").unwrap().account;
        one_of(&self.store.account_lane(account)).await
    }

    pub fn balance(&self) -> (String, String) {
        let account = self.store.reader().unwrap().account("acme").unwrap();
        (account.balance.available.to_string(), account.balance.held.to_string())
    }

    pub fn state(&self, id: MessageId) -> &'static str {
        self.store.reader().unwrap().trace(id).unwrap().state
    }

    /// So many messages have moved to the history. Anything written carries the move with it once its time has come.
    pub async fn moved(&self, count: u64) {
        let moved = tokio::time::timeout(Duration::from_secs(10), async {
            while self.store.counters().moved.load(std::sync::atomic::Ordering::Relaxed) < count {
                self.clock.advance(Duration::from_secs(31));
                // A thread moves them; without a pause whole years pass meanwhile, and with them the retention.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        moved.await.expect("nothing moved");
    }

    pub fn books_hold(&self) {
        for line in self.store.reader().unwrap().audit().unwrap() {
            assert!(line.holds, "{}: {}", line.invariant, line.detail);
        }
    }
}

/// The policy of a bench, with so much credit.
pub fn policy(credit: &str) -> PolicyChange {
    PolicyChange {
        accounts: vec![AccountDraft {
            name: "acme".to_owned(),
            parent: None,
            opening_credit: credit.parse().unwrap(),
            suspended: false,
            origin: Origin::File,
            terms: Terms::default(),
            filters: Default::default(),
            credentials: vec![CredentialDraft {
                system_id: "acme".to_owned(),
                password: PasswordHash::of(&Secret::new("secret")).unwrap(),
                bounds: Default::default(),
                filters: Default::default(),
            }],
        }],
        replaces_files: true,
        traffic: Some(TrafficDraft {
            prices: vec![Price::of("", "1.5".parse().unwrap())],
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

pub fn taken(message: MessageId, id: &'static str) -> Note {
    Note::Taken { message, part: 1, id: Bytes::from_static(id.as_bytes()), receipt_expected: true, at: NOON }
}

pub fn receipt(tag: u64, id: &'static str, end: State) -> Note {
    receipt_about("34600000001", tag, id, end)
}

pub fn receipt_about(about: &'static str, tag: u64, id: &'static str, end: State) -> Note {
    let report = Report {
        id: Bytes::from_static(id.as_bytes()),
        about: Bytes::from_static(about.as_bytes()),
        state: end,
        error: 0,
        done_at: NOON,
    };
    Note::Receipt { tag, report }
}
