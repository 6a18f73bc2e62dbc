//! The practice operator: an SMSC that anyone may bind to.
//!
//! One task a connection does everything for it. What sessions of one system_id share lies in its account: receipts for
//! messages that a transmitter sent, or whose session has gone, wait there for the next receiver.

mod account;
mod agenda;
mod counters;
mod deliver;
mod manage;
mod record;
mod session;
mod spoil;
mod submit;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::hostile::Hostile;
use super::settings::Settings;
use crate::link::tls::{self, TlsError};
use crate::link::{Limits, Link};
use account::Account;
use counters::Counters;
pub use counters::Stats;
use record::Record;
use session::Session;

/// A running practice operator. Dropping it stops it without farewell; [`Operator::stop`] unbinds everyone first.
#[derive(Debug)]
pub struct Operator {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

/// What all sessions share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// Its manners now; those of the settings at first.
    hostile: ArcSwap<Vec<Hostile>>,
    counters: Counters,
    accounts: Mutex<HashMap<String, Arc<Account>>>,
    next_id: AtomicU64,
    mo_sent: AtomicU64,
    record: Option<Record>,
}

impl Operator {
    /// Opens the listeners on the running tokio runtime and returns at once.
    ///
    /// # Errors
    /// When an address cannot be listened on, the TLS files are not usable, or the record cannot be opened.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let acceptor = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let record = match &settings.record {
            Some(path) => {
                Some(Record::open(path).map_err(|source| StartError::Record { path: path.clone(), source })?)
            }
            None => None,
        };
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            next_id: AtomicU64::new(settings.first_id),
            hostile: ArcSwap::from_pointee(settings.hostile.clone()),
            settings,
            counters: Counters::default(),
            accounts: Mutex::default(),
            mo_sent: AtomicU64::new(0),
            record,
        });
        let mut operator = Self { addresses: Vec::new(), shared, stop, listeners: Vec::new() };
        for address in operator.shared.settings.listen.clone() {
            let failed = |error| StartError::Listen(address, error);
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            operator.addresses.push(listener.local_addr().map_err(failed)?);
            let task = listen(listener, acceptor.clone(), Arc::clone(&operator.shared), stopped.clone());
            operator.listeners.push(tokio::spawn(task));
        }
        Ok(operator)
    }

    /// The first address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Every address that it listens on, with the ports that were taken.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Changes its manners while it runs, on the connections that stand too; submissions are counted anew from there.
    pub fn behave(&self, hostile: Vec<Hostile>) {
        self.shared.hostile.store(Arc::new(hostile));
    }

    /// What it has seen and done so far. A submission is counted before its answer leaves.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.read()
    }

    /// Takes no more connections, unbinds everyone, and waits for that, but not longer than 2 s.
    pub async fn stop(mut self) -> Stats {
        self.stop.send_replace(true);
        let listeners = std::mem::take(&mut self.listeners);
        for mut listener in listeners {
            if timeout(STOP_WITHIN, &mut listener).await.is_err() {
                listener.abort();
            }
        }
        self.stats()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

/// Why a practice operator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The TLS settings are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The record cannot be written.
    #[error("cannot write the record {path}: {source}", path = .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Takes connections. The sessions live in its set, so they end with it.
async fn listen(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if sessions.len() < SESSIONS_MAX => match accepted {
                Ok((stream, peer)) => {
                    tracing::debug!(%peer, "connected");
                    shared.counters.connections.add(1);
                    sessions.spawn(serve(stream, acceptor.clone(), Arc::clone(&shared), stopped.clone()));
                }
                // Out of descriptors, most likely; some will come back.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = sessions.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    while sessions.join_next().await.is_some() {}
}

async fn serve(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) {
    let link = match acceptor {
        None => Link::plain(stream, Limits::default()).map_err(Into::into),
        Some(acceptor) => tls::accept(&acceptor, stream, HANDSHAKE_WITHIN)
            .await
            .and_then(|stream| Ok(Link::tls(stream, Limits::default())?)),
    };
    match link {
        Ok(link) => Session::new(link, shared).run(stopped).await,
        Err(error) => tracing::info!(%error, "no link"),
    }
}

impl Shared {
    fn account(&self, system_id: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        match accounts.get(system_id) {
            Some(account) => Arc::clone(account),
            None => {
                let account = Arc::new(Account::new(system_id, &self.settings));
                accounts.insert(system_id.to_owned(), Arc::clone(&account));
                account
            }
        }
    }
}

/// Sessions of one listener at a time.
const SESSIONS_MAX: usize = 20_000;
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time for a TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long [`Operator::stop`] waits for each listener's sessions.
const STOP_WITHIN: Duration = Duration::from_secs(2);
