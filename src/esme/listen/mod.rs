//! The listeners: plain and TLS, never held up by a slow client; and the way out, which is to drain.

mod door;
mod entrance;
mod outbind;
mod proxy;

pub(super) use entrance::Visitor;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use self::door::Door;
use self::entrance::Entrance;
use super::{Metrics, OutOfBounds, Roster, Settings, Shared, bind, stopped};
use crate::clock::Clock;
use crate::link::tls::{self, ServerIdentity, TlsError};
use crate::store::Store;

/// Why the door could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Settings that no door can have; all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Settings(Vec<OutOfBounds>),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        why: io::Error,
    },
    /// Certificate or key are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The open door.
pub struct Running {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    acceptor: Option<SharedAcceptor>,
    tasks: Vec<JoinHandle<()>>,
}

/// The certificate can be renewed while links stand.
type SharedAcceptor = Arc<ArcSwap<TlsAcceptor>>;

/// Opens the listeners and answers clients from now on. Needs a tokio runtime.
///
/// # Errors
/// When settings are out of bounds, an address is taken, or certificate and key do not fit.
pub fn listen(
    settings: Settings,
    store: Store,
    clock: Clock,
    metrics: Metrics,
) -> Result<Running, ListenError> {
    let wrong = settings.out_of_bounds();
    if !wrong.is_empty() {
        return Err(ListenError::Settings(wrong));
    }
    let plain = settings.listen.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let secured = settings.tls.iter().flat_map(|tls| &tls.listen).map(open).collect::<Result<Vec<_>, _>>()?;
    let acceptor = match &settings.tls {
        Some(tls) => Some(Arc::new(ArcSwap::from_pointee(tls::acceptor(&tls.identity)?))),
        None => None,
    };
    let entrance = Entrance::new(&settings, metrics.clone());
    let shared = Arc::new(Shared {
        roster: Roster::new(clock.clone()),
        proofs: bind::Proofs::new(settings.password_workers),
        patience: bind::Patience::new(settings.failed_binds),
        rates: bind::Rates::new(settings.bind_rate, settings.failed_binds.entries),
        told: bind::Told::default(),
        levels: Arc::default(),
        stopping: watch::Sender::new(false),
        foreign_seen: AtomicU8::new(0),
        settings,
        store,
        clock,
        metrics,
    });
    let addresses: Vec<_> = plain.iter().map(|(_, address)| *address).collect();
    let tls_addresses: Vec<_> = secured.iter().map(|(_, address)| *address).collect();
    let mut tasks = vec![tokio::spawn(watch_policy(Arc::clone(&shared)))];
    for (listener, tls) in plain
        .into_iter()
        .map(|(listener, _)| (listener, None))
        .chain(secured.into_iter().map(|(listener, _)| (listener, acceptor.clone())))
    {
        let door = Door { shared: Arc::clone(&shared), entrance: Arc::clone(&entrance), tls };
        tasks.push(tokio::spawn(door.accept_all(listener)));
    }
    for called in &shared.settings.outbinds {
        let caller = outbind::Caller::new(&shared, &entrance, called);
        tasks.push(tokio::spawn(caller.run()));
    }
    info!(?addresses, ?tls_addresses, "listening for clients");
    Ok(Running { addresses, tls_addresses, shared, acceptor, tasks })
}

fn open(address: &SocketAddr) -> Result<(TcpListener, SocketAddr), ListenError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart must not wait until the last daemon's connections have faded.
        socket.set_reuseaddr(true)?;
        // Accepted sockets inherit it. Left to itself the system keeps megabytes for each client that does not read.
        socket.set_send_buffer_size(SEND_ROOM)?;
        socket.bind(*address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    open().map_err(|why| ListenError::Address { address: *address, why })
}

/// Octets that the system keeps for a client that has not read them yet; Linux takes it twice. Over a round trip of
/// 100 ms that is room for tens of thousands of responses a second.
const SEND_ROOM: u32 = 128 * 1024;
/// Connections that the system keeps for us while we accept others.
const BACKLOG: u32 = 4_096;

impl Running {
    /// Where clients reach us in the clear, ports filled in.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where clients reach us over TLS.
    #[must_use]
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Who is bound.
    #[must_use]
    pub fn roster(&self) -> Roster {
        self.shared.roster.clone()
    }

    /// Takes renewed certificate files; links that stand keep what they have. Nothing happens without TLS listeners.
    ///
    /// # Errors
    /// When the files are not usable; the old ones stay in use.
    pub fn renew_tls(&self, identity: &ServerIdentity) -> Result<(), TlsError> {
        if let Some(acceptor) = &self.acceptor {
            acceptor.store(Arc::new(tls::acceptor(identity)?));
        }
        Ok(())
    }

    /// Stops accepting, unbinds everybody, waits at most `within` for them, and closes (conformance C-084).
    pub async fn drain(mut self, within: Duration) {
        let until = self.shared.clock.monotonic().saturating_add(super::deliver::millis(within));
        // Connections that are not bound end at once, listeners too.
        self.shared.stopping.send_replace(true);
        self.shared.roster.drain();
        let clock = self.shared.clock.clone();
        let everybody = async {
            for task in &mut self.tasks {
                // A task that panicked has ended, which is all that is asked here.
                let _ = task.await;
            }
        };
        tokio::select! {
            () = everybody => {}
            () = clock.sleep_until_monotonic(until) => {
                warn!(bound = self.shared.roster.count(), "clients did not leave in time; their connections are closed");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The sessions of a listener end with its task.
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Sends away whom a changed policy no longer wants.
async fn watch_policy(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    let mut known = shared.store.policy();
    loop {
        let next = shared.clock.monotonic().saturating_add(super::deliver::millis(POLICY_TICK));
        tokio::select! {
            () = shared.clock.sleep_until_monotonic(next) => {}
            () = stopped(&mut stopping) => return,
        }
        let now = shared.store.policy();
        if !Arc::ptr_eq(&known, &now) {
            let leaving = shared.roster.recheck(&now);
            debug!(leaving, "the policy changed");
            known = now;
        }
    }
}

/// How often the policy is compared: suspending an account takes effect on its binds within a second.
const POLICY_TICK: Duration = Duration::from_millis(250);
