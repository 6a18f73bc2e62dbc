//! Calls clients that wait to be called: when something is owed to them and none of their receivers is bound
//! (SMPP 3.4 §2.2.1, §4.1.7, conformance C-052).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tracing::{debug, info, warn};

use super::entrance::Entrance;
use crate::esme::deliver::millis;
use crate::esme::session::Session;
use crate::esme::settings::Outbind;
use crate::esme::{Shared, stopped};
use crate::link::Link;
use crate::store::FlowId;

/// Watches over what is owed to one client.
pub(super) struct Caller {
    shared: Arc<Shared>,
    entrance: Arc<Entrance>,
    called: Outbind,
}

impl Caller {
    pub(super) fn new(shared: &Arc<Shared>, entrance: &Arc<Entrance>, called: &Outbind) -> Self {
        Self { shared: Arc::clone(shared), entrance: Arc::clone(entrance), called: called.clone() }
    }

    /// Runs until the daemon stops. A session that came about ends by itself then, as any other.
    pub(super) async fn run(self) {
        let mut stopping = self.shared.stopping.subscribe();
        let mut failures = 0;
        loop {
            tokio::select! {
                () = self.needed() => {}
                () = stopped(&mut stopping) => return,
            }
            let came_about = self.call().await;
            let pause = self.called.pause(failures);
            failures = if came_about { 0 } else { failures + 1 };
            tokio::select! {
                () = self.sleep(pause) => {}
                () = stopped(&mut stopping) => return,
            }
        }
    }

    /// Waits until something is owed that nobody takes.
    async fn needed(&self) {
        loop {
            let policy = self.shared.store.policy();
            let Some(known) = policy.credential(&self.called.credential) else {
                self.sleep(LOOK).await;
                continue;
            };
            let (account, credential) = (known.account, known.id);
            let roster = &self.shared.roster;
            let (anybody, itself) = (roster.receives(account), roster.receives_as(credential));
            let lane = self.shared.store.account_lane(account);
            let woken = lane.woken();
            let waits = |flow| {
                let depth = lane.depth_of(flow);
                depth.ready + depth.spilled > 0
            };
            // What is for it alone nobody else can take.
            if !itself && (waits(Some(credential).into()) || (!anybody && waits(FlowId::ANYBODY))) {
                return;
            }
            if anybody {
                self.sleep(LOOK).await;
                continue;
            }
            tokio::select! {
                () = woken => {}
                () = self.sleep(LOOK) => {}
            }
        }
    }

    /// Calls once; whether the client bound.
    async fn call(&self) -> bool {
        let Outbind { address, credential, .. } = &self.called;
        let link = tokio::select! {
            link = self.reach() => link,
            () = self.sleep(self.shared.settings.session_init) => Err(io::ErrorKind::TimedOut.into()),
        };
        let link = match link {
            Ok(link) => link,
            Err(error) => {
                warn!(system_id = credential, address, %error, "a client that is owed something cannot be reached");
                return false;
            }
        };
        let visitor = match self.entrance.enter(link.peer().ip()) {
            Ok(visitor) => visitor,
            Err(bound) => {
                debug!(address, bound, "no room to call a client");
                return false;
            }
        };
        info!(system_id = credential, address, "calling a client that is owed something");
        let mut session = Session::new(Arc::clone(&self.shared), link, visitor);
        session.call(&self.called);
        Box::pin(session.run()).await
    }

    async fn reach(&self) -> io::Result<Link> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in lookup_host(&self.called.address).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Link::plain(stream, self.shared.settings.link_limits()),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn sleep(&self, span: Duration) {
        let until = self.shared.clock.monotonic().saturating_add(millis(span));
        self.shared.clock.sleep_until_monotonic(until).await;
    }
}

/// How often is looked whether the client still has a receiver.
const LOOK: Duration = Duration::from_secs(1);
