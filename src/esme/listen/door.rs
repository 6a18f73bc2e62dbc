//! One listener: it takes connections and is never held up by one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::entrance::{Entrance, Visitor};
use super::proxy::{self, NoHeader, Origin};
use super::{SharedAcceptor, stopped};
use crate::esme::Shared;
use crate::esme::session::Session;
use crate::link::{Link, LinkError, tls};

/// One listener and what its connections need.
pub(super) struct Door {
    pub(super) shared: Arc<Shared>,
    pub(super) entrance: Arc<Entrance>,
    pub(super) tls: Option<SharedAcceptor>,
}

impl Door {
    pub(super) async fn accept_all(self, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        let mut stopping = self.shared.stopping.subscribe();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, &mut sessions),
                    Err(error) => {
                        warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                    }
                },
                // Only keeps the set small.
                Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
                () = stopped(&mut stopping) => break,
            }
        }
        drop(listener);
        while sessions.join_next().await.is_some() {}
    }

    /// Everything that a client can delay happens in a task of its own.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, sessions: &mut JoinSet<()>) {
        let is_proxy = self.shared.settings.is_trusted_proxy(peer.ip());
        let entered = if is_proxy { self.entrance.enter_unnamed() } else { self.entrance.enter(peer.ip()) };
        match entered {
            Ok(visitor) => {
                let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
                let arrival = Arrival { stream, peer, visitor, is_proxy, is_check: false };
                sessions.spawn(serve(shared, arrival, tls));
            }
            Err(bound) => turn_away(&self.shared, peer, bound),
        }
    }
}

fn turn_away(shared: &Shared, peer: SocketAddr, bound: &'static str) {
    shared.metrics.turned_away(bound);
    debug!(%peer, bound, "a connection was turned away");
}

/// A connection that was let in.
struct Arrival {
    stream: TcpStream,
    /// Whose it is: the client's address, once a proxy has told it.
    peer: SocketAddr,
    visitor: Visitor,
    is_proxy: bool,
    /// A proxy only wants to see whether we live: it is no fault that it leaves.
    is_check: bool,
}

/// When the system has no more file descriptors, trying again at once would only spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// One connection from its first octet to its last.
async fn serve(shared: Arc<Shared>, mut arrival: Arrival, tls: Option<SharedAcceptor>) {
    if arrival.is_proxy && !learn_origin(&shared, &mut arrival).await {
        return;
    }
    let Arrival { stream, peer, visitor, is_check, .. } = arrival;
    match connect(&shared, stream, tls).await {
        // Boxed once: the task is as small as the session needs, not as large as all of its farewells.
        Ok(link) => {
            Box::pin(Session::new(shared, link.from_peer(peer), visitor).run()).await;
        }
        Err(error) => {
            if !is_check {
                shared.metrics.turned_away("handshake");
            }
            debug!(%peer, %error, "a connection ended before it began");
        }
    }
}

/// Reads what the proxy says of the connection; answers whether it may go on.
async fn learn_origin(shared: &Shared, arrival: &mut Arrival) -> bool {
    let proxy = arrival.peer;
    match proxy::read(&mut arrival.stream, shared.settings.session_init).await {
        Ok(Origin::Client(client)) => arrival.peer = client,
        Ok(Origin::Proxy) => arrival.is_check = true,
        Err(NoHeader::Silent) => {
            debug!(%proxy, "a proxy looked whether the port is open");
            return false;
        }
        Err(error) => {
            shared.metrics.turned_away("proxy_header");
            debug!(%proxy, %error, "a connection was turned away");
            return false;
        }
    }
    match arrival.visitor.named(arrival.peer.ip()) {
        Ok(()) => true,
        Err(bound) => {
            turn_away(shared, arrival.peer, bound);
            false
        }
    }
}

async fn connect(shared: &Shared, stream: TcpStream, tls: Option<SharedAcceptor>) -> Result<Link, LinkError> {
    let limits = shared.settings.link_limits();
    match tls {
        None => Ok(Link::plain(stream, limits)?),
        Some(acceptor) => {
            let acceptor = acceptor.load_full();
            let stream = tls::accept(&acceptor, stream, shared.settings.session_init).await?;
            Ok(Link::tls(stream, limits)?)
        }
    }
}
