//! One listener: it takes connections and is never held up by one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::entrance::{Entrance, Visitor};
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
        match self.entrance.enter(peer.ip()) {
            Ok(visitor) => {
                let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
                sessions.spawn(serve(shared, stream, peer, tls, visitor));
            }
            Err(bound) => {
                self.shared.metrics.turned_away(bound);
                debug!(%peer, bound, "a connection was turned away");
            }
        }
    }
}

/// When the system has no more file descriptors, trying again at once would only spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// One connection from its first octet to its last.
async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<SharedAcceptor>,
    visitor: Visitor,
) {
    match connect(&shared, stream, tls).await {
        // Boxed once: the task is as small as the session needs, not as large as all of its farewells.
        Ok(link) => {
            Box::pin(Session::new(shared, link, visitor).run()).await;
        }
        Err(error) => {
            shared.metrics.turned_away("handshake");
            debug!(%peer, %error, "a connection ended before it began");
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
