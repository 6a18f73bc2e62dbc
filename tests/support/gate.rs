//! The daemon over a real store: clients on its socket, and operators either scripted behind real binds or played by the
//! test through the store's lanes.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::registry::Registry;
use smpp_proto::CommandStatus;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{Bind, BindKind};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tollgate::account::credential::Bounds;
use tollgate::account::{Origin, PasswordHash, Secret, Terms};
use tollgate::clock::{Clock, Timestamp};
use tollgate::esme::{self, Metrics, Running};
use tollgate::message::{Message, State, UpstreamId};
use tollgate::policy::filter::Filters;
use tollgate::policy::{Platform, Price, Taker, TextLimits};
use tollgate::smsc::{self, Upstream};
use tollgate::store::{
    AccountDraft, CredentialDraft, Kept, MoRouteDraft, Note, OperatorBatch, PolicyChange, Report, RouteDraft,
    Settings, Store, Trace, TrafficDraft, UpstreamDraft, UpstreamTraits,
};

use super::{Esme, PATIENCE, bind, within};

/// What the gate is like. The account is "acme", and a segment costs 1 credit.
pub struct Plan {
    pub esme: esme::Settings,
    /// The one credential: "acme" and "secret".
    pub system_id: &'static str,
    pub password: &'static str,
    pub credit: &'static str,
    pub bounds: Bounds,
    pub terms: Terms,
    /// What the account may send.
    pub filters: Filters,
    /// What binds everybody.
    pub platform: Platform,
    pub suspended: bool,
    /// Places in the store's mailbox.
    pub mailbox: usize,
    /// Bounds of every message.
    pub limits: TextLimits,
    /// Prefixes that have a route.
    pub prefixes: Vec<&'static str>,
    /// Operators that the gate binds to, all of them on the one route, in their order. Without any the test plays one
    /// named "north" through the store.
    pub upstreams: Vec<Upstream>,
    /// Numbers of the account: messages from phones to them are its own.
    pub numbers: Vec<&'static str>,
    /// What else is different about the policy that all this makes.
    pub shape: fn(&mut PolicyChange),
}

impl Default for Plan {
    fn default() -> Self {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        Self {
            esme: esme::Settings { listen, ..esme::Settings::default() },
            system_id: "acme",
            password: "secret",
            credit: "1000000",
            bounds: Bounds::default(),
            terms: Terms::default(),
            filters: Filters::default(),
            platform: Platform::default(),
            suspended: false,
            mailbox: 1_024,
            limits: TextLimits::default(),
            prefixes: vec![""],
            upstreams: Vec::new(),
            numbers: vec!["22000"],
            shape: |_| (),
        }
    }
}

/// A gate that runs.
pub struct Gate {
    pub store: Store,
    pub clock: Clock,
    pub running: Option<Running>,
    /// What the door counts.
    pub metrics: Metrics,
    /// What the binds to operators count.
    pub operators: smsc::Metrics,
    /// The binds to scripted operators, if there are any.
    pub binds: Option<smsc::Running>,
    pub address: SocketAddr,
    plan: Plan,
    hash: PasswordHash,
    folder: tempfile::TempDir,
}

impl Gate {
    /// Opens one as the defaults have it, changed by `change`. Its clock stands still.
    pub async fn open(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::default();
        change(&mut plan);
        let folder = tempfile::tempdir().expect("a folder");
        let password = plan.bounds.counted(plan.password.as_bytes());
        let hash = PasswordHash::of(&Secret::new(password)).expect("a hash");
        Self::run(plan, hash, folder, Clock::manual(NOON)).await
    }

    /// The daemon drains, stops and starts again.
    pub async fn restart(mut self) -> Self {
        if let Some(running) = self.running.take() {
            within("the drain of the clients", running.drain(Duration::from_millis(100))).await;
        }
        if let Some(binds) = self.binds.take() {
            within("the drain of the operators", binds.drain()).await;
        }
        self.store.close().await;
        Self::run(self.plan, self.hash, self.folder, self.clock).await
    }

    async fn run(plan: Plan, hash: PasswordHash, folder: tempfile::TempDir, clock: Clock) -> Self {
        let settings = Settings { mailbox: plan.mailbox, ..Settings::at(folder.path().join("gate.db")) };
        let store = Store::open(settings, clock.clone()).expect("a store");
        tokio::spawn({
            let store = store.clone();
            async move { store.keep_time().await }
        });
        store.apply(policy(&plan, &hash)).await.expect("a policy");
        let metrics = Metrics::default();
        let running = esme::listen(plan.esme.clone(), store.clone(), clock.clone(), metrics.clone());
        let running = running.unwrap_or_else(|error| panic!("{error}"));
        let address = running.addresses().first().copied().unwrap_or(([127, 0, 0, 1], 0).into());
        let operators = smsc::Metrics::default();
        let binds = (!plan.upstreams.is_empty()).then(|| {
            let settings = smsc::Settings { upstreams: plan.upstreams.clone(), ..smsc::Settings::default() };
            smsc::connect(&settings, &store, &clock, &operators).expect("operators")
        });
        Self { store, clock, running: Some(running), metrics, operators, binds, address, plan, hash, folder }
    }

    /// Changes the policy while the gate runs.
    pub async fn change(&mut self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan);
        self.store.apply(policy(&self.plan, &self.hash)).await.expect("a policy");
    }

    /// A number out of the store's file, as it stands on the disk.
    pub fn stored(&self, sql: &str) -> i64 {
        let db = rusqlite::Connection::open(self.folder.path().join("gate.db")).expect("the file");
        db.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// A bound transceiver.
    pub async fn bound(&self) -> Esme {
        Esme::bound(self.address, "acme", "secret").await
    }

    /// A bound transceiver of this version.
    pub async fn bound_at(&self, version: InterfaceVersion) -> Esme {
        let mut esme = Esme::connect(self.address).await;
        let asked = Bind { interface_version: version, ..bind("acme", "secret") };
        let answer = esme.bind_with(BindKind::Transceiver, asked).await;
        assert_eq!(answer.header.status, CommandStatus::ROK, "the bind as {version:?}");
        esme
    }

    /// A bound session of this kind.
    pub async fn bound_as(&self, kind: BindKind) -> Esme {
        Esme::bound_as(kind, self.address, "acme", "secret").await
    }

    /// Where an operator may call, once the gate listens there.
    pub async fn called_at(&self, upstream: &str) -> SocketAddr {
        let binds = self.binds.as_ref().expect("operators");
        within("a listener for calls", async {
            loop {
                match binds.called_at(upstream) {
                    Some(address) => return address,
                    None => tokio::task::yield_now().await,
                }
            }
        })
        .await
    }

    /// The rate to which the first bind of an operator was adapted, if it was.
    pub fn adapted_rate(&self, upstream: &str) -> Option<u32> {
        let views = self.binds.as_ref().expect("operators").roster().view();
        let view = views.iter().find(|view| view.name == upstream).expect("an operator of that name");
        view.binds.first().and_then(|bind| bind.adapted_rate)
    }

    /// How many PDUs of clients were forgiven this.
    pub fn forgiven(&self, quirk: &str) -> u64 {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        counted(&registry, &format!("tollgate_esme_quirks_total{{account=\"acme\",quirk=\"{quirk}\"}} "))
    }

    /// How many PDUs of the operator "north" were forgiven this.
    pub fn forgiven_north(&self, quirk: &str) -> u64 {
        let mut registry = Registry::default();
        self.operators.register(&mut registry);
        counted(&registry, &format!("smsc_quirks_total{{upstream=\"north\",quirk=\"{quirk}\"}} "))
    }

    /// A figure of the door without labels, such as `connections` or `submits_open`.
    pub fn figure(&self, name: &str) -> i64 {
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        let begins = format!("tollgate_esme_{name} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&begins));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no figure {name} in {text}"))
    }

    /// Waits until so many clients are bound.
    pub async fn binds_are(&self, count: usize) {
        let roster = self.running.as_ref().expect("it runs").roster();
        let wait = async {
            while roster.count() != count {
                tokio::task::yield_now().await;
            }
        };
        within("a change of the roster", wait).await;
    }

    /// Waits until a message stands so.
    pub async fn reaches(&self, id: &str, state: &str) {
        let mut seen = "";
        let wait = async {
            while seen != state {
                seen = self.state(id);
                tokio::task::yield_now().await;
            }
        };
        within(&format!("{id} in state {state}"), wait).await;
    }

    /// Everything the store knows of a message.
    pub fn trace(&self, id: &str) -> Trace {
        let id = id.parse().expect("a message id");
        self.store.reader().and_then(|reader| reader.trace(id)).expect("a message")
    }

    /// Drives the clock in steps until `what` is done: for what depends on time that begins behind the test's back.
    pub async fn advance_until<T>(&self, step: Duration, what: impl Future<Output = T>) -> T {
        let mut what = pin!(what);
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(done) = timeout(Duration::from_millis(20), &mut what).await {
                return done;
            }
            assert!(tokio::time::Instant::now() < until, "nothing within {PATIENCE:?} of waiting");
            self.clock.advance(step);
        }
    }

    /// The next message that the operator gets.
    pub async fn sent(&self) -> Message {
        one_of(&self.store.upstream_lane(self.upstream())).await
    }

    /// The operator takes the next message and delivers it, or not, with this end.
    pub async fn operate(&self, end: State, error: u32) -> Message {
        let message = self.sent().await;
        let id = Bytes::from(format!("op-{}", message.id));
        let taken = Note::Taken {
            message: message.id,
            part: 1,
            id: id.clone(),
            receipt_expected: true,
            at: self.clock.now(),
        };
        let about = Bytes::new();
        let report = Report { id, about, state: end, error, done_at: self.clock.now() };
        let kept = self.note(vec![taken, Note::Receipt { tag: 1, report }]).await;
        assert!(kept.durable);
        message
    }

    /// The operator cannot take a message now: it is tried again after the pause.
    pub async fn put_off(&self, message: &Message, pause: Duration) {
        let due = self.clock.now() + pause;
        let later =
            Note::Later { message: message.id, due, upstream: self.upstream(), error: 8, in_doubt: false };
        // A note without a tag is answered with none; the batch is done all the same.
        self.note(vec![later]).await;
    }

    /// A message from a phone comes for the account.
    pub async fn mo(&self, pdu: Bytes) {
        let account = self.store.policy().credential("acme").expect("a credential").account;
        assert!(
            self.note(vec![Note::Mo { tag: 1, taker: Taker { account, receiver: None }, pdu }]).await.durable
        );
    }

    async fn note(&self, notes: Vec<Note>) -> Kept {
        let (reply, mut kept) = mpsc::channel(1);
        let batch = OperatorBatch { upstream: self.upstream(), notes, reply: Some(reply) };
        self.store.room().await.expect("an open store").operator(batch);
        within("a commit", kept.recv()).await.expect("an answer")
    }

    fn upstream(&self) -> UpstreamId {
        self.store.upstreams().id("north").expect("an upstream")
    }

    /// Where the store lies.
    pub fn store_path(&self) -> PathBuf {
        self.folder.path().join("gate.db")
    }

    /// What can be spent and what is held, as text.
    pub fn balance(&self) -> (String, String) {
        let account = self.store.reader().and_then(|reader| reader.account("acme")).expect("an account");
        (account.balance.available.to_string(), account.balance.held.to_string())
    }

    /// Where a message stands.
    pub fn state(&self, id: &str) -> &'static str {
        let id = id.parse().expect("a message id");
        self.store.reader().and_then(|reader| reader.trace(id)).expect("a message").state
    }

    /// How many receipts and messages wait for the account.
    pub fn owed(&self) -> u64 {
        let account = self.store.policy().credential("acme").expect("a credential").account;
        let depth = self.store.account_lane(account).depth();
        depth.ready + depth.spilled
    }

    /// Every invariant of the books holds.
    pub fn books_hold(&self) {
        for line in self.store.reader().and_then(|reader| reader.audit()).expect("an audit") {
            assert!(line.holds, "{}: {}", line.invariant, line.detail);
        }
    }

    /// That the books hold, and the account has this to spend and this held.
    pub fn ends_with(&self, available: &str, held: &str) {
        assert_eq!(self.balance(), (available.to_owned(), held.to_owned()));
        self.books_hold();
    }
}

/// One thing out of a lane, which must come.
pub async fn one_of<T: tollgate::store::Laned>(lane: &tollgate::store::Lane<T>) -> T {
    let mut taken = Vec::new();
    within("something in the lane", async {
        loop {
            let woken = lane.woken();
            if lane.pull(1, &mut taken) > 0 {
                return taken.pop().expect("what was pulled");
            }
            woken.await;
        }
    })
    .await
}

/// The figure behind this name and labels; 0 if nothing was counted.
fn counted(registry: &Registry, begins: &str) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).expect("text");
    let value = text.lines().find_map(|line| line.strip_prefix(begins));
    value.map_or(0, |value| value.parse().expect("a number"))
}

fn policy(plan: &Plan, hash: &PasswordHash) -> PolicyChange {
    let drafts =
        |upstream: &Upstream| UpstreamDraft { name: upstream.name.clone(), traits: upstream.traits() };
    let mut upstreams: Vec<_> = plan.upstreams.iter().map(drafts).collect();
    if upstreams.is_empty() {
        upstreams.push(UpstreamDraft { name: "north".to_owned(), traits: UpstreamTraits::default() });
    }
    let mut change = PolicyChange {
        accounts: vec![AccountDraft {
            name: "acme".to_owned(),
            parent: None,
            opening_credit: plan.credit.parse().expect("an amount"),
            suspended: plan.suspended,
            origin: Origin::File,
            terms: plan.terms.clone(),
            filters: plan.filters.clone(),
            credentials: vec![CredentialDraft {
                system_id: plan.system_id.to_owned(),
                password: hash.clone(),
                bounds: plan.bounds.clone(),
                filters: Default::default(),
            }],
        }],
        replaces_files: true,
        traffic: Some(TrafficDraft {
            prices: vec![Price::of("", "1".parse().expect("an amount"))],
            routes: vec![RouteDraft {
                name: "everywhere".to_owned(),
                prefixes: plan.prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
                upstreams: upstreams.iter().map(|upstream| upstream.name.as_str().into()).collect(),
                ..RouteDraft::default()
            }],
            mo_routes: vec![MoRouteDraft {
                prefixes: plan.numbers.iter().map(|number| (*number).to_owned()).collect(),
                account: "acme".to_owned(),
                ..MoRouteDraft::default()
            }],
            upstreams,
            limits: plan.limits,
            platform: plan.platform.clone(),
            ..TrafficDraft::default()
        }),
    };
    (plan.shape)(&mut change);
    change
}

/// Where the clock of a gate stands at first: 2025-11-20T12:00:00Z.
pub const NOON: Timestamp = Timestamp::from_millis(1_763_640_000_000);
