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
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use clock::Clock;
use config::Config;
use standing::Standing;
use store::Store;

/// A running gateway.
pub struct Gate {
    store: Store,
    clients: esme::Running,
    operators: smsc::Running,
    admin: admin::Running,
    standing: Arc<Standing>,
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
        let store = Store::open(config.store.clone(), clock.clone())?;
        let change = config::policy_change(&config.policy, &store.policy()).await?;
        store.apply(change).await?;
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
        let standing = Arc::new(Standing::of(clients.roster(), operators.roster(), store.clone()));
        let daemon = Arc::clone(&standing) as Arc<dyn admin::Daemon>;
        let admin = admin::start(&config.admin, store.clone(), daemon, Arc::new(registry))?;
        Ok(Self { store, clients, operators, admin, standing, timekeeper, drain_within })
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
    /// the store's path) stays as it is and is named in the log. A change that the store refuses changes nothing.
    ///
    /// # Errors
    /// When the policy cannot be applied or an operator cannot be taken.
    pub async fn reload(&mut self, config: Config) -> anyhow::Result<()> {
        let change = config::policy_change(&config.policy, &self.store.policy()).await?;
        self.store.apply(change).await?;
        self.operators.reload(&config.smsc).await?;
        if let Some(tls) = &config.esme.tls {
            self.clients.renew_tls(&tls.identity)?;
        }
        info!("the configuration was read again and applied");
        Ok(())
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

/// Waits for SIGTERM or SIGINT; takes a changed configuration on SIGHUP.
///
/// # Errors
/// When the system gives no signals.
pub async fn run_until_told(
    mut gate: Gate,
    read: impl Fn() -> Result<Config, config::Problems>,
) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = stop.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match read() {
                Ok(config) => if let Err(error) = gate.reload(config).await {
                    warn!(%error, "the changed configuration was not applied");
                },
                Err(problems) => warn!(%problems, "the changed configuration is wrong; nothing was changed"),
            },
        }
    }
    info!("told to stop; draining");
    gate.drain().await;
    Ok(())
}
