//! What travels: a message, its states, its ends, its receipts, its retries. Pure: knows no socket, clock or SQL.

pub mod delivery;
pub mod end;
pub mod id;
pub mod joined;
pub mod receipt;
pub mod retry;
pub mod state;
pub mod wording;

pub use delivery::{Delivery, DeliveryKey, Owed};
pub use end::{End, Reason, Settlement};
pub use id::{IdSource, MessageId, NodeNumber};
pub use joined::{InboundPart, joined};
pub use receipt::IdForm;
pub use state::State;
pub use wording::Wording;

use bytes::Bytes;

use crate::account::{AccountId, CredentialId, Credits};
use crate::clock::Timestamp;

/// The store's number of an operator's SMSC that we bind to; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamId(pub u32);

/// The store's number of a route; it stays with the route's name, also while there is no such route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u32);

/// A message on its way to an operator, as a lane hands it out.
#[derive(Clone, Debug)]
pub struct Message {
    /// Our number of it.
    pub id: MessageId,
    /// The id that its client knows: the same, or that of the submit_multi it came with.
    pub shown: MessageId,
    /// Who pays.
    pub account: AccountId,
    /// Who sent.
    pub credential: CredentialId,
    /// The body of the submit_sm that carries it (SMPP 3.4 §4.4.1), addresses normalised; never empty.
    pub pdu: Bytes,
    /// Segments, as counted and charged at admission; 1 to 255.
    pub parts: u8,
    /// Parts that an operator took already, when it was interrupted between two of them.
    pub parts_sent: u8,
    /// What one segment costs.
    pub price: Credits,
    /// The way it may take.
    pub route: RouteId,
    /// 0 lowest to 3 highest (SMPP 3.4 §5.2.14), 4 for one-time codes.
    pub priority: u8,
    /// Attempts that ended without a decision so far.
    pub attempts: u16,
    /// Whether an earlier attempt may have reached an operator.
    pub in_doubt: bool,
    /// When it must have ended.
    pub expires: Timestamp,
    /// Operators that failed it and that it left for good, as the failover of its route says; mostly none.
    pub tried: Vec<UpstreamId>,
    /// How often its lane had been looked through for what may not go out when it was last taken from there.
    pub looks: u32,
}

/// Priorities that a lane keeps apart.
pub const PRIORITIES: usize = 5;
