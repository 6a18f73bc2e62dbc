//! The peers that bind to us: listeners, binds, what clients submit, what is delivered to them.
//!
//! The room knows links, policy's verdicts and the store's door. It does not know operators, SQL or HTTP: messages go
//! into the store and come out of an account's lane, and which operator takes them is nobody's business here.
//!
//! One task owns one session and its link. All PDUs of one socket read become one batch to the store, and all answers
//! of one batch one write. The window of a client that asks for more than it may is kept by not reading its socket:
//! nothing is refused that only came too early (SMPP 3.4 §2.9, conformance C-067).

mod bind;
mod deliver;
mod listen;
mod metrics;
mod query;
mod roster;
mod session;
mod settings;
mod submit;

pub use listen::{ListenError, Running, listen};
pub use metrics::Metrics;
pub use roster::{BindView, Facts, Leave, Roster};
pub use settings::{DataSmOnReceiver, FailedBinds, OutOfBounds, Outbind, Redelivery, Settings, TlsListen};

use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::store::Store;

/// What all sessions share.
struct Shared {
    settings: Settings,
    store: Store,
    clock: Clock,
    metrics: Metrics,
    roster: Roster,
    proofs: bind::Proofs,
    patience: bind::Patience,
    rates: bind::Rates,
    /// What the log knows of refused binds.
    told: bind::Told,
    /// The buckets of accounts and of the platform.
    levels: Arc<session::Levels>,
    /// Set once, when the daemon stops.
    stopping: watch::Sender<bool>,
    /// Protocols that were taken for SMPP already, one bit each: the log names each once.
    foreign_seen: AtomicU8,
}

/// Waits until the daemon stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is nobody left who could go on.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
