//! Lets an operator call: it connects, says outbind, and the call goes to the next bind that waits for one
//! (SMPP 3.4 §2.2.1, §4.1.7, conformance C-053).

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use smpp_proto::pdu::{Outbind, encode_empty};
use smpp_proto::{CommandId, CommandStatus};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::{DialError, FAREWELL, within};
use crate::account::Secret;
use crate::link::{Io, Limits, Link};
use crate::smsc::settings::Called;
use crate::smsc::{Order, Shared};

/// Calls on their way to the binds that wait for them.
#[derive(Debug)]
pub(in crate::smsc) struct Doorbell {
    ring: mpsc::Sender<Link>,
    calls: Mutex<mpsc::Receiver<Link>>,
    address: OnceLock<SocketAddr>,
}

/// Calls that wait for a bind; what comes when so many wait is closed.
const CALLS: usize = 4;
/// Connections at once that have not said who they are.
const CALLERS: usize = 16;
/// The pause before the address is tried again, in milliseconds.
const PAUSE_MS: u64 = 5_000;
/// When the system has no more file descriptors, trying again at once would only spin.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

impl Default for Doorbell {
    fn default() -> Self {
        let (ring, calls) = mpsc::channel(CALLS);
        Self { ring, calls: Mutex::new(calls), address: OnceLock::new() }
    }
}

impl Doorbell {
    /// Where calls are taken, once they are.
    pub(in crate::smsc) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Waits for a call. The caller has said who it is, and waits for a bind.
    pub(super) async fn next(&self) -> Link {
        match self.calls.lock().await.recv().await {
            Some(link) => link,
            // The sender stands beside the receiver: both live as long.
            None => std::future::pending().await,
        }
    }
}

/// Listens for the calls of one operator until it is told to leave.
pub(in crate::smsc) async fn answer_calls(shared: Arc<Shared>, mut orders: watch::Receiver<Order>) {
    let Some(called) = shared.settings.outbind.clone() else { return };
    let told = async move {
        // Without a sender there is nobody left to call for.
        let _ = orders.wait_for(|order| *order == Order::Leave).await;
    };
    tokio::select! {
        () = told => {}
        () = listen(&shared, &called) => {}
    }
}

async fn listen(shared: &Arc<Shared>, called: &Called) {
    let upstream = &shared.settings.name;
    let listener = loop {
        match TcpListener::bind(called.listen).await {
            Ok(listener) => break listener,
            Err(error) => {
                error!(%upstream, address = %called.listen, %error, "cannot listen for the operator's calls");
            }
        }
        let again = shared.clock.monotonic().saturating_add(PAUSE_MS);
        shared.clock.sleep_until_monotonic(again).await;
    };
    if let Ok(address) = listener.local_addr() {
        let address = shared.doorbell.address.get_or_init(|| address);
        info!(%upstream, %address, "listening for the operator's calls");
    }
    let mut callers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if callers.len() < CALLERS => match accepted {
                Ok((stream, _)) => {
                    callers.spawn(screen(Arc::clone(shared), called.clone(), stream));
                }
                Err(error) => {
                    warn!(%upstream, %error, "a call could not be taken");
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                }
            },
            Some(_) = callers.join_next(), if !callers.is_empty() => {}
        }
    }
}

/// Lets a caller through that says the right outbind in time; anybody else is closed without a word.
async fn screen(shared: Arc<Shared>, called: Called, stream: TcpStream) {
    let limits = Limits { pdu: LARGEST, ..Limits::default() };
    let Ok(mut link) = Link::plain(stream, limits) else { return };
    let (upstream, peer) = (&shared.settings.name, link.peer());
    let heard = within(&shared.clock, shared.settings.patience.bind, "outbind", hear(&mut link)).await;
    let outbind = match heard.and_then(|heard| heard) {
        Ok(outbind) => outbind,
        Err(error) => {
            warn!(%upstream, %peer, %error, "a call came to nothing");
            return link.close(FAREWELL).await;
        }
    };
    let is_known = outbind.system_id.as_bytes() == called.system_id.as_bytes()
        && Secret::new(outbind.password.expose()) == called.password;
    if !is_known {
        warn!(%upstream, %peer, system_id = %outbind.system_id.to_text(), "a caller is not the operator");
        return link.close(FAREWELL).await;
    }
    link.limit_pdu(Limits::default().pdu);
    info!(%upstream, %peer, "the operator called");
    if let Err(mpsc::error::TrySendError::Full(link) | mpsc::error::TrySendError::Closed(link)) =
        shared.doorbell.ring.try_send(link)
    {
        warn!(%upstream, %peer, "every bind stands, the call is not needed");
        link.close(FAREWELL).await;
    }
}

/// The largest PDU of a caller in octets, until it is known: an outbind has 290 at most.
const LARGEST: u32 = 1_024;

/// The outbind of a caller. An enquire_link before it is answered; anything else ends the call.
async fn hear(link: &mut Link) -> Result<Outbind, DialError> {
    loop {
        link.write().await?;
        while let Some(frame) = link.next_frame()? {
            let sequence = frame.header.sequence;
            match frame.header.command {
                CommandId::OUTBIND => {
                    return Outbind::decode(frame.body).map_err(|_| DialError::Uncalled(CommandId::OUTBIND));
                }
                CommandId::ENQUIRE_LINK => {
                    encode_empty(link.out(), CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence);
                }
                other => return Err(DialError::Uncalled(other)),
            }
        }
        if link.io(true).await? == Io::Closed {
            return Err(DialError::Closed);
        }
    }
}
