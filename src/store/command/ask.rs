//! What can be asked of the writer: typed commands that travel in batches, and the answers after the commit.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::Admin;
use crate::account::{AccountId, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{DeliveryKey, InboundPart, MessageId, State, UpstreamId};
use crate::policy::filter::Rules;
use crate::policy::{Admitted, Denied, Taker};
use crate::store::history::Moved;
use crate::store::lane;

/// One command; the writer does many in one transaction.
pub(in crate::store) enum Command {
    Client(ClientBatch),
    Operator(OperatorBatch),
    Answered(Vec<Answered>),
    Refill(lane::Refill),
    Tick,
    Forget(Moved),
    Admin(Admin),
    Stop(oneshot::Sender<()>),
}

/// What a client asked on one session, in the order in which it came.
pub struct ClientBatch {
    /// The requests.
    pub requests: Vec<ClientRequest>,
    /// Where all answers of the batch go, at once, after the commit. The asker keeps room for one batch of
    /// answers for each batch under way; answers for an asker who has gone are dropped.
    pub reply: mpsc::Sender<Vec<ClientAnswer>>,
}

/// One request of a client. `tag` comes back in the answer.
pub enum ClientRequest {
    /// Accept a message: store it, hold its price, put it into a lane.
    Accept(Box<Accept>),
    /// How does it stand (SMPP 3.4 §4.8)?
    Query {
        /// Comes back.
        tag: u64,
        /// Who asks; others' messages do not exist for it.
        account: AccountId,
        /// The id that the client knows.
        id: MessageId,
        /// The source address that the message must have.
        source: Bytes,
    },
    /// End it before it is sent (SMPP 3.4 §4.9).
    Cancel {
        /// Comes back.
        tag: u64,
        /// Who asks.
        account: AccountId,
        /// Which.
        target: CancelTarget,
    },
    /// Put another text in its place before it is sent (SMPP 3.4 §4.10).
    Replace(Box<Replace>),
}

/// A message to accept.
pub struct Accept {
    /// Comes back.
    pub tag: u64,
    /// Who pays.
    pub account: AccountId,
    /// Who sends.
    pub credential: CredentialId,
    /// The proof that policy let it pass, with what it found.
    pub admitted: Admitted,
    /// The operator in whose lane it starts.
    pub upstream: UpstreamId,
    /// How many messages the account may have waiting.
    pub max_queued: u64,
    /// The client has room for 8 hexadecimal digits only (SMPP 3.3): it is shown a short id.
    pub short_id: bool,
    /// Belongs to the same submission as the item before it in the batch and shows that one's id (submit_multi).
    pub follows: bool,
    /// Takes the place of a pending message with the same source, destination and service_type
    /// (SMPP 3.4 §5.2.18).
    pub replaces_pending: bool,
}

/// What a cancel_sm names.
pub enum CancelTarget {
    /// One message.
    Id {
        /// The id that the client knows.
        id: MessageId,
        /// The source address that the message must have.
        source: Bytes,
    },
    /// Every pending message from one address to another.
    Pair {
        /// Source address.
        source: Bytes,
        /// Destination address.
        destination: Bytes,
        /// Only this service_type; empty means any.
        service_type: Bytes,
    },
}

/// A replace_sm whose text was checked; times and wishes that are absent stay as they were.
pub struct Replace {
    /// Comes back.
    pub tag: u64,
    /// Who asks.
    pub account: AccountId,
    /// What binds it.
    pub rules: Arc<Rules>,
    /// The id that the client knows.
    pub id: MessageId,
    /// The source address that the message must have.
    pub source: Bytes,
    /// The new text.
    pub short_message: Bytes,
    /// The new registered_delivery.
    pub registered_delivery: u8,
    /// The new time of sending.
    pub due: Option<Timestamp>,
    /// The new end of validity.
    pub expires: Option<Timestamp>,
}

/// The answer to one request.
#[derive(Debug)]
pub struct ClientAnswer {
    /// The tag of the request.
    pub tag: u64,
    /// What came of it.
    pub outcome: ClientOutcome,
}

/// What came of a request.
#[derive(Debug)]
pub enum ClientOutcome {
    /// Durable and charged; the id that the client is shown.
    Accepted(MessageId),
    /// Nothing happened and nothing was charged.
    Refused(Denied),
    /// The answer to a query; nothing when there is no such message in the hot store.
    Standing(Option<Standing>),
    /// How many messages were cancelled; 0 is a failure.
    Cancelled(u32),
    /// Whether the text was replaced.
    Replaced(bool),
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Whether it waits for the time that its client named, and was never tried.
    pub scheduled: bool,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// The operator's error code; 0 when none.
    pub error: u32,
}

/// What came from one operator's bind, in the order in which it came.
pub struct OperatorBatch {
    /// Which operator.
    pub upstream: UpstreamId,
    /// The notes.
    pub notes: Vec<Note>,
    /// Where the tags of what is now durable go; absent when nothing in the batch has one.
    pub reply: Option<mpsc::Sender<Kept>>,
}

/// Which deliver_sm of a batch may be answered, and how.
#[derive(Debug)]
pub struct Kept {
    /// The tags, in the order of the batch.
    pub tags: Vec<u64>,
    /// `false` when the store could not write: answer ESME_RX_T_APPN.
    pub durable: bool,
}

/// One thing that happened at an operator.
#[derive(Debug)]
pub enum Note {
    /// Says that the message is about to be written, for upstreams that must know (`in_doubt` is not `resend`).
    Sending {
        /// Which.
        message: MessageId,
        /// Comes back in [`Kept::tags`].
        tag: u64,
    },
    /// The operator took a part.
    Taken {
        /// Which.
        message: MessageId,
        /// Which part of it, from 1; 0 when all of several parts went in one PDU.
        part: u8,
        /// The id that the operator gave; empty when it gave none.
        id: Bytes,
        /// Whether a receipt will come.
        receipt_expected: bool,
        /// When.
        at: Timestamp,
    },
    /// It waits and is tried again in this upstream's or another's lane.
    Later {
        /// Which.
        message: MessageId,
        /// When to try again.
        due: Timestamp,
        /// In whose lane.
        upstream: UpstreamId,
        /// Why, for the trace: a command_status, or 0 for a lost link.
        error: u32,
        /// It may have reached the operator: a duplicate is possible, and counted.
        in_doubt: bool,
    },
    /// It may not leave now: its account is suspended, or its hours are closed until then.
    Held {
        /// Which.
        message: MessageId,
        /// When its hours open; absent while its account is suspended.
        until: Option<Timestamp>,
    },
    /// The operator of a lane is down: move it to another operator's lane, as it stands. To its own lane: it was
    /// about to be written and is not.
    Move {
        /// Which.
        message: MessageId,
        /// To whose lane.
        upstream: UpstreamId,
    },
    /// Written, and the link was lost before the answer: it waits for a receipt until `until`.
    Doubt {
        /// Which.
        message: MessageId,
        /// Then it is sent again.
        until: Timestamp,
    },
    /// It ends here: refused, expired, unsendable, in doubt and given up.
    Ended {
        /// Which.
        message: MessageId,
        /// Which part of it, from 1; 0 means all that have not ended.
        part: u8,
        /// How.
        end: crate::message::End,
    },
    /// A receipt came.
    Receipt {
        /// Comes back in [`Kept::tags`].
        tag: u64,
        /// What it says.
        report: Report,
    },
    /// A message from a phone came; the policy named the account, or nobody.
    Mo {
        /// Comes back in [`Kept::tags`].
        tag: u64,
        /// Who gets it.
        taker: Taker,
        /// The body of the deliver_sm.
        pdu: Bytes,
    },
    /// A part of a message from a phone that is needed whole: it is kept until all are there.
    MoPart {
        /// Comes back in [`Kept::tags`].
        tag: u64,
        /// The account that wants it whole; absent when the first word of the whole decides who gets it.
        account: Option<AccountId>,
        /// Which part of which message.
        part: Box<InboundPart>,
        /// The body of the deliver_sm.
        pdu: Bytes,
    },
    /// The same as data_sm, because an address is too long for a deliver_sm.
    MoData {
        /// Comes back in [`Kept::tags`].
        tag: u64,
        /// Who gets it.
        taker: Taker,
        /// The body of the data_sm.
        pdu: Bytes,
    },
}

/// What a receipt of an operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The operator's id, as the receipt wrote it.
    pub id: Bytes,
    /// The number that the message went to: the source address of the receipt.
    pub about: Bytes,
    /// How the message stands: an end, or on its way: [`State::Sent`], or [`State::Deferred`] while the operator waits
    /// for its time.
    pub state: State,
    /// Error code of the network; 0 when none.
    pub error: u32,
    /// When the message came to stand so, as the operator says, else when the receipt came.
    pub done_at: Timestamp,
}

/// What a client's receiver said to something owed.
#[derive(Debug)]
pub struct Answered {
    /// What it was.
    pub key: DeliveryKey,
    /// Whose it was.
    pub account: AccountId,
    /// What became of it.
    pub outcome: Delivered,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The client has it.
    Done(Timestamp),
    /// The client will never take it (ESME_RX_R_APPN), or it is too old.
    Dropped(Timestamp),
    /// The client will never take anything for this address (ESME_RX_P_APPN): what waits for the same one goes too.
    AddressGone(Timestamp),
    /// Later.
    Again {
        /// When to try again.
        due: Timestamp,
    },
}

/// An account's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Balance {
    /// What can be spent.
    pub available: Credits,
    /// What is held for messages under way.
    pub held: Credits,
}

impl ClientBatch {
    /// Whose it is: a session acts for one account.
    pub(in crate::store) fn account(&self) -> Option<AccountId> {
        self.requests.first().map(|request| match request {
            ClientRequest::Accept(accept) => accept.account,
            ClientRequest::Query { account, .. } | ClientRequest::Cancel { account, .. } => *account,
            ClientRequest::Replace(replace) => replace.account,
        })
    }
}

impl Command {
    /// How many things it has: for the size of a transaction.
    pub(in crate::store) fn weight(&self) -> usize {
        match self {
            Self::Client(batch) => batch.requests.len(),
            Self::Operator(batch) => batch.notes.len(),
            Self::Answered(answers) => answers.len(),
            Self::Forget(moved) => moved.len() / 4,
            Self::Refill(_) | Self::Tick => 1_000,
            Self::Admin(_) | Self::Stop(_) => 1,
        }
    }

    pub(in crate::store) const fn word(&self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Operator(_) => "operator",
            Self::Answered(_) => "answered",
            Self::Refill(_) => "refill",
            Self::Tick => "tick",
            Self::Forget(_) => "forget",
            Self::Admin(_) => "admin",
            Self::Stop(_) => "stop",
        }
    }
}
