//! How a session ends, and the word for it.

use crate::esme::roster::Leave;
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
