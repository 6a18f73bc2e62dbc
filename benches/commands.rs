//! How long one command of the store takes, its commit included: accept by batches, taken, receipt, answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

mod stage;

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tollgate::account::AccountId;
use tollgate::clock::Clock;
use tollgate::message::{Message, MessageId, State, UpstreamId};
use tollgate::policy::{self, admit};
use tollgate::store::{
    Accept, Answered, ClientAnswer, ClientBatch, ClientRequest, Delivered, Kept, Note, OperatorBatch, Report,
    Store,
};

/// The steps of a message, in their order.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Accept,
    Taken,
    Receipt,
    Answered,
}

/// A store, and the ends of the channels that its answers come by.
struct Desk {
    store: Store,
    account: AccountId,
    upstream: UpstreamId,
    reply: mpsc::Sender<Vec<ClientAnswer>>,
    answers: mpsc::Receiver<Vec<ClientAnswer>>,
    kept_reply: mpsc::Sender<Kept>,
    kept: mpsc::Receiver<Kept>,
    pulled: Vec<Message>,
}

impl Desk {
    async fn new(folder: &std::path::Path) -> Self {
        let store = stage::store(folder).await;
        let account = store.policy().credential("acme").expect("acme").account;
        let upstream = store.upstreams().id("north").expect("north");
        let (reply, answers) = mpsc::channel(2);
        let (kept_reply, kept) = mpsc::channel(2);
        Self { store, account, upstream, reply, answers, kept_reply, kept, pulled: Vec::new() }
    }

    /// Takes `batch` messages through all steps, and gives the time of the one that is asked about.
    async fn round(&mut self, batch: u64, measured: Step) -> Duration {
        let mut spent = Duration::ZERO;
        let mut note = |step, began: Instant| {
            if step == measured {
                spent = began.elapsed();
            }
        };
        let requests = self.requests(batch);
        let began = Instant::now();
        let reply = self.reply.clone();
        self.store.room().await.expect("room").client(ClientBatch { requests, reply });
        self.answers.recv().await.expect("answers");
        note(Step::Accept, began);

        self.store.upstream_lane(self.upstream).pull(usize::MAX, &mut self.pulled);
        let ids: Vec<_> = self.pulled.drain(..).map(|message| message.id).collect();
        for (step, notes) in [(Step::Taken, taken(&ids)), (Step::Receipt, receipts(&ids))] {
            let began = Instant::now();
            // Only what has a tag is answered: an answer nobody waits for would be taken for the next.
            let reply = (step == Step::Receipt).then(|| self.kept_reply.clone());
            let batch = OperatorBatch { upstream: self.upstream, notes, reply };
            self.store.room().await.expect("room").operator(batch);
            if step == Step::Receipt {
                self.kept.recv().await.expect("what is durable");
            } else {
                self.settled().await;
            }
            note(step, began);
        }

        let mut owed = Vec::new();
        self.store.account_lane(self.account).pull(usize::MAX, &mut owed);
        let outcome = Delivered::Done(Clock::system().now());
        let account = self.account;
        let done = owed.drain(..).map(|delivery| Answered { key: delivery.key, account, outcome }).collect();
        let began = Instant::now();
        self.store.room().await.expect("room").answered(done);
        self.settled().await;
        note(Step::Answered, began);
        spent
    }

    /// Waits for the commit of all that was handed in, by a request that is answered and changes nothing.
    async fn settled(&mut self) {
        let nobody = MessageId::from_raw(1);
        let query = ClientRequest::Query { tag: 0, account: self.account, id: nobody, source: Bytes::new() };
        let reply = self.reply.clone();
        self.store.room().await.expect("room").client(ClientBatch { requests: vec![query], reply });
        self.answers.recv().await.expect("an answer");
    }

    fn requests(&self, count: u64) -> Vec<ClientRequest> {
        let policy = self.store.policy();
        let credential = policy.credential("acme").expect("acme");
        let account = policy.account(credential.account).expect("acme");
        let one = |tag| {
            let admitted = admit(
                &policy,
                policy.sender(account),
                stage::plain(),
                Clock::system().now(),
                &mut policy::filter::Desk::default(),
            )
            .expect("admitted");
            ClientRequest::Accept(Box::new(Accept {
                tag,
                account: account.id,
                credential: credential.id,
                admitted,
                upstream: self.upstream,
                max_queued: u64::MAX,
                short_id: false,
                follows: false,
                replaces_pending: false,
            }))
        };
        (0..count).map(one).collect()
    }
}

fn taken(ids: &[MessageId]) -> Vec<Note> {
    let at = Clock::system().now();
    let note = |message: &MessageId| Note::Taken {
        message: *message,
        part: 1,
        id: Bytes::from(message.to_string()),
        receipt_expected: true,
        at,
    };
    ids.iter().map(note).collect()
}

fn receipts(ids: &[MessageId]) -> Vec<Note> {
    let done_at = Clock::system().now();
    let note = |(tag, message): (u64, &MessageId)| {
        let id = Bytes::from(message.to_string());
        let report = Report { id, about: Bytes::new(), state: State::Delivered, error: 0, done_at };
        Note::Receipt { tag, report }
    };
    (0..).zip(ids).map(note).collect()
}

fn commands(c: &mut Criterion) {
    let runtime: Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = runtime.block_on(Desk::new(folder.path()));
    let mut group = c.benchmark_group("store");
    group.measurement_time(Duration::from_secs(3)).sample_size(20);
    for (name, step, batches) in [
        ("accept", Step::Accept, &[1, 16, 256][..]),
        ("taken by the operator", Step::Taken, &[256]),
        ("receipt, settled", Step::Receipt, &[256]),
        ("receipt answered", Step::Answered, &[256]),
    ] {
        for batch in batches {
            group.throughput(Throughput::Elements(*batch));
            group.bench_function(format!("{name}, {batch} in a batch"), |b| {
                b.iter_custom(|rounds| {
                    runtime.block_on(async {
                        let mut all = Duration::ZERO;
                        for _ in 0..rounds {
                            all += desk.round(*batch, step).await;
                        }
                        all
                    })
                });
            });
        }
    }
    group.finish();
    runtime.block_on(desk.store.close());
}

criterion_group!(benches, commands);
criterion_main!(benches);
