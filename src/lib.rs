//! Tollgate: a carrier SMS gateway. This file wires the rooms; it is the only place that knows all of them.

pub mod account;
pub mod admin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod esme;
pub mod link;
pub mod message;
pub mod policy;
pub mod sim;
pub mod smsc;
pub mod store;

mod standing;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use account::KnownProofs;
use admin::{Changes, Refused};
use clock::Clock;
use config::{Config, RunningSettings};
use standing::{ReloadAsked, Standing};
use store::Store;

/// A running gateway.
pub struct Gate {
    store: Store,
    clients: esme::Running,
    operators: smsc::Running,
    admin: admin::Running,
    standing: Arc<Standing>,
    reloads: mpsc::Receiver<ReloadAsked>,
    /// Passwords of the files that were matched to the store's hashes.
    proofs: Mutex<KnownProofs>,
    /// What it was started with, and the operators that it took since.
    settings: RunningSettings,
    timekeeper: JoinHandle<()>,
    drain_within: Duration,
}

/// Where a gateway can be reached.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Addresses {
    /// SMPP over TCP.
    pub smpp: Vec<SocketAddr>,
    /// SMPP over TLS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smpp_tls: Vec<SocketAddr>,
    /// `/metrics`, `/healthz`, `/readyz`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admin: Vec<SocketAddr>,
}

impl Gate {
    /// Opens the store, applies the configured policy, binds to the operators, opens every listener: in this order, so
    /// that nobody is served before everything behind is ready. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When any of it cannot be done; what was started is ended again.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let settings = RunningSettings::of(&config);
        let store = Store::open(config.store.clone(), clock.clone())?;
        let proofs = Mutex::default();
        config::apply(&store, &config.policy, &proofs).await?;
        let timekeeper = tokio::spawn({
            let store = store.clone();
            async move { store.keep_time().await }
        });
        let mut registry = Registry::default();
        store.register(&mut registry);
        let (to_clients, to_operators) = (esme::Metrics::default(), smsc::Metrics::default());
        to_clients.register(&mut registry);
        to_operators.register(registry.sub_registry_with_prefix("tollgate"));
        let drain_within = config.smsc.drain_within;
        let operators = smsc::connect(&config.smsc, &store, &clock, &to_operators)?;
        let clients = esme::listen(config.esme, store.clone(), clock.clone(), to_clients)?;
        let (ask, reloads) = mpsc::channel(RELOADS);
        let standing = Arc::new(Standing::of(clients.roster(), operators.roster(), store.clone(), ask));
        let daemon = Arc::clone(&standing) as Arc<dyn admin::Daemon>;
        let admin = admin::start(&config.admin, store.clone(), daemon, Arc::new(registry))?;
        Ok(Self {
            store,
            clients,
            operators,
            admin,
            standing,
            reloads,
            proofs,
            settings,
            timekeeper,
            drain_within,
        })
    }

    /// Where it can be reached.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        Addresses {
            smpp: self.clients.addresses().to_vec(),
            smpp_tls: self.clients.tls_addresses().to_vec(),
            admin: self.admin.addresses().to_vec(),
        }
    }

    /// The store, for who runs the gateway inside its own process.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Takes a changed configuration: policy, operators and certificates. What only a start can change (listeners,
    /// the store's path, bounds of sessions) stays as it is and is named in the log. A change that the store refuses
    /// changes nothing. Says what it changed in the store and at the operators, and what takes a restart.
    ///
    /// # Errors
    /// When the policy cannot be applied or an operator cannot be taken.
    pub async fn reload(&mut self, config: Config) -> anyhow::Result<Changes> {
        let mut changes = config::apply(&self.store, &config.policy, &self.proofs).await?;
        let turns = self.operators.reload(&self.settings.operators_of(&config)).await?;
        changes.operators = self.settings.take_operators(&config, turns);
        if let Some(tls) = &config.esme.tls {
            self.clients.renew_tls(&tls.identity)?;
        }
        changes.takes_restart = self.settings.untaken(&config);
        if !changes.takes_restart.is_empty() {
            let keys = changes.takes_restart.join(", ");
            warn!(
                keys,
                "these settings take a restart: the gateway goes on with those that it was started with"
            );
        }
        let operators = changes.operators_shown();
        info!(changes = changes.summary(true), operators, "the configuration was read again and applied");
        Ok(changes)
    }

    /// The same, asked for at the admin socket by the name of a file, which must be the daemon's own.
    async fn reload_asked(&mut self, own: &Path, file: &Path) -> Result<Changes, Refused> {
        let refused = |reason: &str, text: String| Refused { reason: reason.to_owned(), text };
        let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        };
        if !same(own, file) {
            let own = std::path::absolute(own).unwrap_or_else(|_| own.to_path_buf());
            let (own, file) = (own.display(), file.display());
            let text = format!("the daemon runs with {own}, not with {file}: nothing was applied");
            return Err(refused("bad_request", text));
        }
        let read = config::load(own, &config::process_environment);
        let config = read.map_err(|problems| refused("bad_settings", problems.to_string()))?;
        self.reload(config).await.map_err(|error| match error.downcast::<config::NotApplied>() {
            Ok(config::NotApplied::Store(why)) => why.into(),
            Ok(other) => refused("store", other.to_string()),
            Err(other) => {
                refused("store", format!("the policy was applied, the operators were not: {other:#}"))
            }
        })
    }

    /// Stops taking, lets go what is under way (bounded), and closes the store last.
    pub async fn drain(self) {
        self.standing.drain();
        // Clients first: what they were answered is durable, what they were not they send again.
        self.clients.drain(self.drain_within).await;
        self.operators.drain().await;
        self.store.close().await;
        self.timekeeper.abort();
        self.admin.drain().await;
        info!("drained");
    }
}

/// Requests to reload that wait for the one before them.
const RELOADS: usize = 4;

/// The signals that a gateway heeds. Until they are, each of them ends the process: who says that it is ready, and may be
/// told to read its configuration again the next instant, heeds them before.
#[derive(Debug)]
pub struct Signals {
    stop: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Heeds them from now on. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn heed() -> std::io::Result<Self> {
        let stop = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { stop, interrupt, hangup: signal(SignalKind::hangup())? })
    }
}

/// Waits for SIGTERM or SIGINT; reads the configuration at `path` again on SIGHUP, and when the admin socket asks.
pub async fn run_until_told(mut gate: Gate, path: &Path, mut signals: Signals) {
    loop {
        tokio::select! {
            _ = signals.stop.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hangup.recv() => match config::load(path, &config::process_environment) {
                Ok(config) => if let Err(error) = gate.reload(config).await {
                    warn!(%error, "the changed configuration was not applied");
                },
                Err(problems) => warn!(%problems, "the changed configuration is wrong; nothing was changed"),
            },
            Some(ReloadAsked { file, reply }) = gate.reloads.recv() => {
                // Who asked may have gone.
                let _ = reply.send(gate.reload_asked(path, &file).await);
            },
        }
    }
    info!("told to stop; draining");
    gate.drain().await;
}
