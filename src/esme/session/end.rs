//! How a session ends: why, the word for it, and what is done before the connection closes.

use std::time::Duration;

use smpp_proto::field::{CommandId, CommandStatus};
use smpp_proto::pdu::{self, encode_empty};
use tracing::{debug, info};

use super::Session;
use crate::esme::deliver::millis;
use crate::esme::roster::Leave;
use crate::esme::settings::Outbind;
use crate::link::LinkError;
use crate::policy::Refusal;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum Ended {
    /// The client closed the connection.
    PeerClosed,
    /// The client said unbind.
    PeerUnbound,
    /// We said unbind.
    Ordered(Leave),
    /// No transaction for the inactivity time.
    Inactive,
    /// No bind within session_init.
    NotBound,
    /// A bind was refused.
    BindRefused(Refusal),
    /// Too much was said before the bind.
    Talkative,
    /// An enquire_link of ours was not answered.
    LinkDead,
    /// Not answered when another bind wanted the place.
    Ghost,
    /// More faults than anyone makes by accident.
    Faults,
    /// The stream is out of step, or something else than SMPP.
    Framing,
    /// The socket failed or overstepped a limit.
    Link(LinkError),
    /// The store is closed.
    StoreClosed,
    /// The daemon stops, and nothing was bound.
    Stopping,
}

impl Ended {
    /// The word in the log.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::PeerClosed => "peer_closed",
            Self::PeerUnbound => "unbound",
            Self::Ordered(leave) => leave.word(),
            Self::Inactive => "inactive",
            Self::NotBound => "session_init",
            Self::BindRefused(refusal) => refusal.word(),
            Self::Talkative => "too_many_pdus_before_bind",
            Self::LinkDead => "enquire_link_unanswered",
            Self::Ghost => "probe_unanswered",
            Self::Faults => "too_many_faults",
            Self::Framing => "bad_length",
            Self::Link(error) => match error {
                LinkError::PartialPdu(_) => "partial_pdu",
                LinkError::WriteStalled(_) => "write_stalled",
                _ => "connection_failed",
            },
            Self::StoreClosed => "store_closed",
            Self::Stopping => "draining",
        }
    }
}

/// Nothing more is read; what was asked is still answered, then the session ends.
#[derive(Debug)]
pub(super) struct Closing {
    pub(super) ended: Ended,
    /// The sequence number of the client's unbind, which is answered last (SMPP 3.4 §4.2).
    pub(super) unbind: Option<u32>,
    /// Monotonic time at which it ends whatever is open.
    pub(super) until: u64,
}

/// We have said unbind.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) ended: Ended,
    /// Monotonic time at which the client's unbind_resp is no longer waited for.
    pub(super) until: u64,
}

/// The sequence number of an outbind, which is the first PDU; it is never answered.
const FIRST_SEQUENCE: u32 = 1;

impl Session {
    /// Nothing more is read; the session ends when what is open was answered.
    pub(super) fn close(&mut self, ended: Ended) {
        if self.closing.is_none() {
            let until = self.after(self.shared.settings.response);
            self.closing = Some(Closing { ended, unbind: None, until });
        }
    }

    /// Says unbind; the session ends with the answer, or soon without one.
    pub(super) fn leave(&mut self, ended: Ended, patience: Duration) {
        if self.leaving.is_some() || self.closing.is_some() || self.rules.unbind_sent().is_err() {
            return;
        }
        self.request(CommandId::UNBIND);
        self.leaving = Some(Leaving { ended, until: self.after(patience) });
    }

    /// Asks the client to bind on this connection, which we made (SMPP 3.4 §4.1.7).
    pub(in crate::esme) fn call(&mut self, called: &Outbind) {
        let outbind = pdu::Outbind {
            system_id: called.system_id.as_str().into(),
            password: pdu::Password::new(called.password.expose()),
            ..pdu::Outbind::default()
        };
        // A connection that was just made; settings were checked.
        let _ = self.rules.outbound();
        let _ = outbind.encode(self.link.out(), FIRST_SEQUENCE);
    }

    /// Sends a request of ours that has no body and does not count against the window (conformance C-062).
    pub(super) fn request(&mut self, command: CommandId) {
        let Some(client) = self.client.as_deref_mut() else { return };
        let sequence = client.next_sequence();
        encode_empty(self.link.out(), command, CommandStatus::ROK, sequence);
    }

    pub(super) fn after(&self, span: Duration) -> u64 {
        self.shared.clock.monotonic().saturating_add(millis(span))
    }

    /// Ends the session when nothing holds it any more.
    pub(super) fn finish(&mut self) -> Result<(), Ended> {
        let open = self.client.as_ref().map_or(0, |client| client.open);
        if open > 0 || self.batch_waits.is_some() {
            return Ok(());
        }
        let Some(closing) = self.closing.take() else { return Ok(()) };
        if let Some(sequence) = closing.unbind {
            encode_empty(self.link.out(), CommandId::UNBIND_RESP, CommandStatus::ROK, sequence);
            // The session is over with this response, whatever its state was.
            let _ = self.rules.unbound();
        }
        Err(closing.ended)
    }

    /// Gives back what is not answered, frees the place, tells the store what was, and closes.
    pub(super) async fn end(mut self, ended: Ended) {
        let peer = self.link.peer();
        if let Some(mut client) = self.client.take() {
            // A batch that the store has no place for yet was not accepted, and will not be.
            self.batch_waits = None;
            let unheard = (client.open > 0).then(|| client.take_unheard());
            let facts = client.bound.facts();
            info!(account = facts.account_name, system_id = facts.system_id, kind = %facts.kind, %peer,
                accepted = client.accepted, reason = ended.word(), "unbound");
            let answered = client.leave();
            if let Some(errand) = self.answered_waits.take() {
                // A store that is closed keeps them owed: they go out again after a restart.
                let _ = errand.await;
            }
            if !answered.is_empty()
                && let Ok(room) = self.shared.store.room().await
            {
                room.answered(answered);
            }
            if let Some(unheard) = unheard {
                unheard.tell(peer).await;
            }
        } else {
            debug!(%peer, reason = ended.word(), "closed without a bind");
        }
        self.probes.clear();
        match ended {
            Ended::Link(error) => debug!(%peer, %error, "the link is lost"),
            _ => self.link.close(self.shared.settings.linger).await,
        }
    }
}
