//! The inside of the gate between a client and its operators: a real store with one account, and binds to scripted
//! operators. Messages are accepted as a session would; time is the test's.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{Address, RegisteredDelivery};
use smpp_proto::pdu::SubmitSm;
use tokio::sync::mpsc;
use tollgate::account::{Origin, PasswordHash, Secret, Terms};
use tollgate::clock::Clock;
use tollgate::link::tls::ServerIdentity;
use tollgate::message::{Delivery, MessageId, UpstreamId};
use tollgate::policy::filter::Desk;
use tollgate::policy::{Price, Submission, admit};
use tollgate::smsc::{self, Metrics, Phase, Running, Upstream, UpstreamView};
use tollgate::store::{
    Accept, AccountDraft, Answered, ClientBatch, ClientOutcome, ClientRequest, CredentialDraft, Delivered,
    MoRouteDraft, PolicyChange, RouteDraft, Settings, Store, TrafficDraft, UpstreamDraft,
};

use super::gate::NOON;
use super::{Smsc, within};

/// A store with the account "acme" (credit 100, 1.5 a segment) and the binds to its operators.
pub struct Binds {
    pub store: Store,
    pub clock: Clock,
    pub running: Option<Running>,
    pub settings: smsc::Settings,
    folder: tempfile::TempDir,
}

/// An operator with every default but no enquire_link, so that a clock that jumps is not noticed by it.
pub fn upstream(name: &str, operator: &Smsc) -> Upstream {
    let mut upstream = Upstream::new(name, &operator.address.to_string(), "gate", Secret::new("secret"));
    upstream.patience.enquire_link = None;
    upstream
}

/// A submit_sm of "hello" that asks for a receipt.
pub fn hello(to: &str) -> SubmitSm {
    SubmitSm {
        source: Address::alphanumeric("ACME"),
        destination: Address::international(to),
        registered_delivery: RegisteredDelivery(1),
        short_message: Bytes::from_static(b"hello"),
        ..SubmitSm::default()
    }
}

/// A certificate for "localhost" that vouches for itself, as files.
pub fn certificate(folder: &Path) -> ServerIdentity {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let [certificate, private_key] = ["north.pem", "north.key"].map(|name| folder.join(name));
    std::fs::write(&certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&private_key, key.serialize_pem()).unwrap();
    ServerIdentity { certificate, private_key, client_ca: None }
}

impl Binds {
    /// Starts with these operators, all of them on the one route, in their order.
    pub async fn with(upstreams: Vec<Upstream>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = smsc::Settings { upstreams, ..smsc::Settings::default() };
        let clock = Clock::manual(NOON);
        let store = opened(&folder, &clock);
        let mut gate = Self { store, clock, running: None, settings, folder };
        gate.apply(&[""]).await;
        gate.connect();
        gate
    }

    /// Applies the policy with these prefixes on the route.
    pub async fn apply(&self, prefixes: &[&str]) {
        self.store.apply(policy(&self.settings.upstreams, prefixes)).await.unwrap();
    }

    pub fn connect(&mut self) {
        let running = smsc::connect(&self.settings, &self.store, &self.clock, &Metrics::default()).unwrap();
        self.running = Some(running);
    }

    /// Drains the binds.
    pub async fn drain(&mut self) {
        if let Some(running) = self.running.take() {
            within("the drain", running.drain()).await;
        }
    }

    /// The daemon drains, stops and starts again.
    pub async fn restart(mut self) -> Self {
        self.drain().await;
        self.store.close().await;
        let store = opened(&self.folder, &self.clock);
        let mut gate = Self { store, ..self };
        gate.connect();
        gate
    }

    /// The daemon is killed and starts again.
    pub async fn crash(mut self) -> Self {
        drop(self.running.take());
        self.store.close().await;
        let store = opened(&self.folder, &self.clock);
        let mut binds = Self { store, ..self };
        binds.connect();
        binds
    }

    pub fn id(&self, upstream: &str) -> UpstreamId {
        self.store.upstreams().id(upstream).unwrap()
    }

    /// Accepts "hello".
    pub async fn send(&self, to: &str) -> MessageId {
        self.accept(hello(to)).await
    }

    /// Accepts a message into the lane of the first operator.
    pub async fn accept(&self, pdu: SubmitSm) -> MessageId {
        self.accept_from(pdu, false).await
    }

    /// Accepts "hello" from a client of SMPP 3.3.
    pub async fn send_short(&self, to: &str) -> MessageId {
        self.accept_from(hello(to), true).await
    }

    async fn accept_from(&self, pdu: SubmitSm, short_id: bool) -> MessageId {
        let (reply, mut answers) = mpsc::channel(1);
        let request = {
            let policy = self.store.policy();
            let credential = policy.credential("acme").unwrap();
            let account = policy.account(credential.account).unwrap();
            let submission = Submission { pdu, body: None };
            let admitted =
                admit(&policy, policy.sender(account), submission, self.clock.now(), &mut Desk::default())
                    .unwrap();
            ClientRequest::Accept(Box::new(Accept {
                tag: 1,
                account: account.id,
                credential: credential.id,
                upstream: admitted.upstreams()[0],
                admitted,
                max_queued: account.terms.max_queued,
                short_id,
                follows: false,
                replaces_pending: false,
            }))
        };
        self.store.room().await.unwrap().client(ClientBatch { requests: vec![request], reply });
        match within("an answer to the accept", answers.recv()).await.unwrap().remove(0).outcome {
            ClientOutcome::Accepted(id) => id,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub fn state(&self, id: MessageId) -> &'static str {
        self.store.reader().unwrap().trace(id).unwrap().state
    }

    /// Waits until the message stands so.
    pub async fn reaches(&self, id: MessageId, state: &str) {
        let mut seen = "";
        let wait = async {
            while seen != state {
                seen = self.state(id);
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(super::PATIENCE, wait).await.is_err() {
            let trace = self.store.reader().unwrap().trace(id).unwrap();
            panic!("it should reach {state}: {trace:#?}");
        }
    }

    /// Why it ended, and with which error.
    pub fn reason(&self, id: MessageId) -> (&'static str, u32) {
        let trace = self.store.reader().unwrap().trace(id).unwrap();
        (trace.reason.unwrap_or(""), trace.error)
    }

    /// What happened to it, in one word each.
    pub fn timeline(&self, id: MessageId) -> Vec<String> {
        let trace = self.store.reader().unwrap().trace(id).unwrap();
        trace.timeline.into_iter().map(|entry| entry.what).collect()
    }

    /// What is owed to the client, answered at once.
    pub async fn owed(&self) -> Delivery {
        let account = self.store.policy().credential("acme").unwrap().account;
        let lane = self.store.account_lane(account);
        let mut taken = Vec::new();
        let wait = async {
            loop {
                let woken = lane.woken();
                if lane.pull(1, &mut taken) > 0 {
                    return taken.pop().unwrap();
                }
                woken.await;
            }
        };
        let delivery = within("something owed", wait).await;
        let outcome = Delivered::Done(self.clock.now());
        let answer = Answered { key: delivery.key, account, outcome };
        self.store.room().await.unwrap().answered(vec![answer]);
        delivery
    }

    /// An operator as it stands.
    pub fn view(&self, upstream: &str) -> UpstreamView {
        let running = self.running.as_ref().expect("it runs");
        let mut views = running.roster().view();
        let place = views.iter().position(|view| view.name == upstream).expect("an operator of that name");
        views.remove(place)
    }

    /// Waits until the first bind of an operator has come so far.
    pub async fn bind_is(&self, upstream: &str, phase: Phase) {
        let mut changes = self.running.as_ref().expect("it runs").roster().changes();
        let wait = async {
            while self.view(upstream).binds[0].phase != phase {
                changes.changed().await.unwrap();
            }
        };
        within("a change of the bind", wait).await;
    }

    /// Waits until the view of the first bind fits.
    pub async fn bind_shows(&self, upstream: &str, fits: impl Fn(&smsc::BindView) -> bool) {
        let wait = async {
            while !fits(&self.view(upstream).binds[0]) {
                tokio::task::yield_now().await;
            }
        };
        within("a change of the bind", wait).await;
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The store's file.
    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("gate.db")
    }

    /// What can be spent and what is held, after every invariant of the books was checked.
    pub fn books(&self) -> (String, String) {
        let reader = self.store.reader().unwrap();
        for line in reader.audit().unwrap() {
            assert!(line.holds, "{}: {}", line.invariant, line.detail);
        }
        let balance = reader.account("acme").unwrap().balance;
        (balance.available.to_string(), balance.held.to_string())
    }

    /// Waits until a counter has reached a value.
    pub async fn counted(&self, counter: impl Fn(&tollgate::store::Counters) -> u64, value: u64) {
        let wait = async {
            while counter(self.store.counters()) < value {
                tokio::task::yield_now().await;
            }
        };
        within("a counter", wait).await;
    }
}

fn opened(folder: &tempfile::TempDir, clock: &Clock) -> Store {
    let store = Store::open(Settings::at(folder.path().join("gate.db")), clock.clone()).unwrap();
    tokio::spawn({
        let store = store.clone();
        async move { store.keep_time().await }
    });
    store
}

fn policy(upstreams: &[Upstream], prefixes: &[&str]) -> PolicyChange {
    let names = || upstreams.iter().map(|upstream| upstream.name.as_str().into()).collect();
    PolicyChange {
        accounts: vec![AccountDraft {
            name: "acme".to_owned(),
            parent: None,
            opening_credit: "100".parse().unwrap(),
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
                name: "route".to_owned(),
                prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
                upstreams: names(),
                ..RouteDraft::default()
            }],
            mo_routes: vec![MoRouteDraft {
                prefixes: vec!["22000".to_owned()],
                account: "acme".to_owned(),
                ..MoRouteDraft::default()
            }],
            upstreams: upstreams
                .iter()
                .map(|upstream| UpstreamDraft { name: upstream.name.clone(), traits: upstream.traits() })
                .collect(),
            ..TrafficDraft::default()
        }),
    }
}
