//! An operator at the shell: the admin socket, and the listener for health and metrics.
//!
//! Knows the store and what may be asked of it. It knows no configuration file, no SMPP and no session: what the other
//! rooms can tell comes through [`Daemon`].

mod account;
mod client;
mod http;
mod perform;
mod policy;
mod request;
mod restore;
mod socket;

pub use account::is_name;
pub use client::{ClientError, Reached, ask, reach};
pub use perform::perform;
pub use policy::{
    BalanceLine, BoundBy, Change, Changes, Encoding, Explained, How, KeyChange, Listed, Numbers,
    NumbersChanged, OperatorChange, OperatorLine, PriceLine, Question, RouteLine, RuleLine, Says, TextLine,
    Usage, UsageLine, number_of,
};
pub use request::{
    AccessLine, AccountLine, Answer, AuditResult, Created, CreditEntry, CreditLine, MessageTrace, NewAccount,
    Refused, Request, TraceEntry,
};
pub use restore::{RestoreError, Restored, restore};

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::store::Store;

/// Where administration listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Unix socket of the command line; only the daemon's own user may use it.
    pub socket: PathBuf,
    /// Addresses that serve `/metrics`, `/healthz` and `/readyz`; empty means none. `127.0.0.1:2780` by default.
    pub listen: Vec<SocketAddr>,
}

impl Settings {
    /// The defaults, with the socket at `socket`.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), listen: vec![SocketAddr::from(([127, 0, 0, 1], 2780))] }
    }
}

/// What the running daemon knows of itself; the rooms are asked, nothing is kept here.
pub trait Daemon: Send + Sync + 'static {
    /// Binds, lanes, operators: for people and scripts.
    fn status(&self) -> serde_json::Value;

    /// Why the daemon is not ready; empty when it is.
    fn not_ready(&self) -> Vec<String>;

    /// Reads the configuration again, as SIGHUP does, and says what that changed. `file` is the one that is meant: one
    /// that is not the daemon's is refused.
    fn reload(&self, file: PathBuf) -> Reloading<'_> {
        let text = format!("this daemon has no configuration file; {} was not read", file.display());
        Box::pin(std::future::ready(Err(Refused { reason: "bad_request".to_owned(), text })))
    }
}

/// What comes of a configuration that is read again.
pub type Reloading<'a> = Pin<Box<dyn Future<Output = Result<Changes, Refused>> + Send + 'a>>;

/// How long the end of the daemon waits for requests of administration that are under way.
pub const LONGEST_DRAIN: Duration = Duration::from_secs(5);

/// Administration could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The Unix socket could not be made.
    #[error("cannot open the admin socket {path}: {why}")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for health and metrics: {why}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        why: io::Error,
    },
}

/// Open administration. Dropping it closes it at once.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    socket: PathBuf,
    stopping: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Opens the socket and the listeners. Call it when the store is open: its lock says that no other daemon has the
/// socket, so one that is left from before is replaced.
///
/// # Errors
/// When the socket cannot be made or an address is taken.
pub fn start(
    settings: &Settings,
    store: Store,
    daemon: Arc<dyn Daemon>,
    registry: Arc<Registry>,
) -> Result<Running, AdminError> {
    let stopping = watch::Sender::new(false);
    let mut tasks = JoinSet::new();
    let mut addresses = Vec::with_capacity(settings.listen.len());
    let app = http::router(Arc::clone(&daemon), registry);
    for address in &settings.listen {
        let (listener, bound) =
            http::open(*address).map_err(|why| AdminError::Address { address: *address, why })?;
        addresses.push(bound);
        tasks.spawn(http::serve(listener, app.clone(), stopping.subscribe()));
    }
    let path = settings.socket.clone();
    let listener = socket::open(&path).map_err(|why| AdminError::Socket { path: path.clone(), why })?;
    tasks.spawn(socket::serve(listener, store, daemon, stopping.subscribe()));
    tracing::info!(socket = %path.display(), ?addresses, "listening for administration");
    Ok(Running { addresses, socket: path, stopping, tasks })
}

impl Running {
    /// Where health and metrics are served, ports filled in.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes nothing new, lets requests under way end, for [`LONGEST_DRAIN`] at most, and removes the socket.
    pub async fn drain(mut self) {
        self.stopping.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LONGEST_DRAIN, ended).await.is_err() {
            tracing::warn!("requests of administration were cut off");
        }
        // Whoever comes next finds no socket and looks at the store's lock.
        let _ = std::fs::remove_file(&self.socket);
    }
}
