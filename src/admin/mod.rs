//! An operator at the shell: the admin socket, and the listener for health and metrics.
//!
//! Knows the store and what may be asked of it. It knows no configuration file, no SMPP and no session.

use std::net::SocketAddr;
use std::path::PathBuf;

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
