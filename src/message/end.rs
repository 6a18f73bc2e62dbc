//! How a message ends, why, and what that does to its money.

use super::State;
use crate::account::{Credits, UndeliveredCharge};
use crate::clock::Timestamp;

/// The end of a message or of one of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// A state that is an end.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// The operator's error code or command status; 0 when there is none.
    pub error: u32,
    /// When.
    pub at: Timestamp,
}

/// Why a message ended: one word for log, metric, trace and JSON. The numbers are the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// A receipt of the operator said so.
    Receipt = 1,
    /// The operator took it and no receipt was asked for.
    NoReceiptAsked = 2,
    /// The operator took it and the receipt never came.
    ReceiptTimeout = 3,
    /// The operator refused it for good.
    OperatorRejected = 4,
    /// Its validity ran out before an operator took it.
    ExpiredInQueue = 5,
    /// Its route no longer exists.
    NoRoute = 6,
    /// Its client cancelled it.
    Cancelled = 7,
    /// It was in doubt, and its upstream says `in_doubt = "fail"`.
    InDoubt = 8,
    /// A newer message of its client took its place (replace_if_present_flag).
    Replaced = 9,
    /// What is stored of it cannot be sent.
    Unsendable = 10,
    /// While it waited its phone said STOP, or was put on the opt-out list of its account or of one above it.
    OptedOut = 11,
    /// While it waited its number was put on the platform's blocklist.
    DestinationBlocked = 12,
}

impl Reason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 12] = [
        Self::Receipt,
        Self::NoReceiptAsked,
        Self::ReceiptTimeout,
        Self::OperatorRejected,
        Self::ExpiredInQueue,
        Self::NoRoute,
        Self::Cancelled,
        Self::InDoubt,
        Self::Replaced,
        Self::Unsendable,
        Self::OptedOut,
        Self::DestinationBlocked,
    ];

    /// From the store's number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| i64::from(*reason as u8) == code)
    }

    /// The store's number.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::NoReceiptAsked => "no_receipt_asked",
            Self::ReceiptTimeout => "receipt_timeout",
            Self::OperatorRejected => "operator_rejected",
            Self::ExpiredInQueue => "expired_in_queue",
            Self::NoRoute => "no_route",
            Self::Cancelled => "cancelled",
            Self::InDoubt => "in_doubt",
            Self::Replaced => "replaced",
            Self::Unsendable => "unsendable",
            Self::OptedOut => "opted_out",
            Self::DestinationBlocked => "destination_blocked",
        }
    }

    /// Whether the message had left us: an operator may have worked for it.
    #[must_use]
    const fn had_left(self) -> bool {
        match self {
            Self::Receipt | Self::NoReceiptAsked | Self::ReceiptTimeout => true,
            Self::OperatorRejected
            | Self::ExpiredInQueue
            | Self::NoRoute
            | Self::Cancelled
            | Self::InDoubt
            | Self::Replaced
            | Self::Unsendable
            | Self::OptedOut
            | Self::DestinationBlocked => false,
        }
    }
}

/// What becomes of a hold. `post` and `void` add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Spent.
    pub post: Credits,
    /// Given back.
    pub void: Credits,
}

impl End {
    /// Whether it is the word of an operator that had it: only then may another do better.
    #[must_use]
    pub const fn is_by_operator(&self) -> bool {
        matches!(self.reason, Reason::Receipt | Reason::OperatorRejected)
    }

    /// What becomes of what was held for the message (or for one part of it).
    #[must_use]
    pub fn settle(&self, held: Credits, undelivered: UndeliveredCharge) -> Settlement {
        let delivered = matches!(self.state, State::Delivered | State::Accepted);
        let posts = self.reason.had_left() && (delivered || undelivered == UndeliveredCharge::Post);
        if posts {
            Settlement { post: held, void: Credits::ZERO }
        } else {
            Settlement { post: Credits::ZERO, void: held }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_left_is_given_back_and_what_left_is_paid() {
        let held = Credits::from_micro(7);
        let end = |state, reason| End { state, reason, error: 0, at: Timestamp::default() };
        let posted = |end: End, charge| end.settle(held, charge).post == held;
        use UndeliveredCharge::{Post, Void};
        assert!(posted(end(State::Delivered, Reason::Receipt), Void));
        assert!(posted(end(State::Accepted, Reason::NoReceiptAsked), Void));
        assert!(posted(end(State::Undeliverable, Reason::Receipt), Post));
        assert!(!posted(end(State::Undeliverable, Reason::Receipt), Void));
        for reason in [Reason::OperatorRejected, Reason::ExpiredInQueue, Reason::NoRoute, Reason::Cancelled] {
            assert_eq!(end(State::Rejected, reason).settle(held, Post).void, held);
        }
    }
}
