//! How the daemon stands, for the admin room, which knows neither sessions nor operators.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::admin::{Changes, Refused, Reloading};
use crate::store::Store;
use crate::{admin, esme, smsc};

/// The rosters of both sides and the store.
pub(crate) struct Standing {
    clients: esme::Roster,
    operators: Arc<smsc::Roster>,
    store: Store,
    reloads: mpsc::Sender<ReloadAsked>,
    is_draining: AtomicBool,
}

/// Somebody asks at the socket that the configuration is read again.
pub(crate) struct ReloadAsked {
    /// The file that is meant.
    pub(crate) file: PathBuf,
    /// What came of it.
    pub(crate) reply: oneshot::Sender<Result<Changes, Refused>>,
}

impl Standing {
    pub(crate) fn of(
        clients: esme::Roster,
        operators: Arc<smsc::Roster>,
        store: Store,
        reloads: mpsc::Sender<ReloadAsked>,
    ) -> Self {
        Self { clients, operators, store, reloads, is_draining: AtomicBool::new(false) }
    }

    /// From now on the daemon is not ready.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    fn client(bind: &esme::BindView) -> Value {
        json!({
            "number": bind.number,
            "account": bind.facts.account_name,
            "system_id": bind.facts.system_id,
            "kind": bind.facts.kind.to_string(),
            "peer": bind.facts.peer.to_string(),
            "tls": bind.facts.tls,
            "since": bind.since.to_string(),
            "quiet_seconds": bind.quiet_for.as_secs(),
        })
    }

    fn operator(&self, view: &smsc::UpstreamView) -> Value {
        let depth = self.store.upstream_lane(view.id).depth();
        let bind = |bind: &smsc::BindView| {
            json!({
                "number": bind.number,
                "kind": format!("{:?}", bind.kind).to_lowercase(),
                "phase": bind.phase.word(),
                "since": bind.since.to_string(),
                "peer": bind.peer.map(|peer| peer.to_string()),
                "reason": bind.reason,
                "in_flight": bind.in_flight,
                "adapted_rate": bind.adapted_rate,
            })
        };
        json!({
            "name": view.name,
            "up": view.up,
            "down_since": view.down_since.map(|at| at.to_string()),
            "waiting_in_memory": depth.ready,
            "waiting_in_store": depth.spilled,
            "oldest": depth.oldest.map(|at| at.to_string()),
            "binds": view.binds.iter().map(bind).collect::<Vec<_>>(),
        })
    }
}

impl admin::Daemon for Standing {
    fn status(&self) -> Value {
        let clients: Vec<_> = self.clients.binds().iter().map(Self::client).collect();
        let operators: Vec<_> = self.operators.view().iter().map(|view| self.operator(view)).collect();
        json!({ "clients": clients, "operators": operators })
    }

    fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.is_draining.load(Ordering::Relaxed) {
            reasons.push("the gateway is draining".to_owned());
        }
        if self.store.is_failing() {
            reasons.push("the store cannot write".to_owned());
        }
        reasons
    }

    fn reload(&self, file: PathBuf) -> Reloading<'_> {
        Box::pin(async move {
            let (reply, changed) = oneshot::channel();
            let ended =
                || Refused { reason: "no_daemon".to_owned(), text: "the daemon is ending".to_owned() };
            self.reloads.send(ReloadAsked { file, reply }).await.map_err(|_| ended())?;
            changed.await.map_err(|_| ended())?
        })
    }
}
