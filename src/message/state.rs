//! What may become of a message: its states, and which of them are ends.

use smpp_proto::field::MessageState;

/// Where a message stands. The numbers are the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Waits in the store for its turn.
    Queued = 0,
    /// Stands in a lane's memory. After a crash it may have been written to an operator.
    Ready = 1,
    /// Written down as about to be written to an operator (upstreams that do not resend in doubt).
    Sending = 2,
    /// Waits for its time: scheduled, held, or to be tried again.
    Deferred = 3,
    /// Written, and the link was lost before the answer; it waits for what its upstream's `in_doubt` says.
    InDoubt = 4,
    /// An operator took it; a receipt is expected.
    Sent = 5,
    /// The operator took it and no receipt will come. An end.
    Accepted = 10,
    /// On the phone. An end.
    Delivered = 11,
    /// The operator could not deliver it. An end.
    Undeliverable = 12,
    /// Its validity ran out. An end.
    Expired = 13,
    /// Cancelled. An end.
    Deleted = 14,
    /// Refused by an operator or without a route. An end.
    Rejected = 15,
    /// The operator does not know what became of it, or never said. An end.
    Unknown = 16,
    /// The operator passed it over on purpose (SMPP 5.0 §4.7.15). An end.
    Skipped = 17,
}

/// Every state, in the order of its number.
pub const ALL: [State; 14] = [
    State::Queued,
    State::Ready,
    State::Sending,
    State::Deferred,
    State::InDoubt,
    State::Sent,
    State::Accepted,
    State::Delivered,
    State::Undeliverable,
    State::Expired,
    State::Deleted,
    State::Rejected,
    State::Unknown,
    State::Skipped,
];

impl State {
    /// The least number of an end.
    pub const FIRST_END: u8 = 10;

    /// From the store's number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        ALL.into_iter().find(|state| i64::from(*state as u8) == code)
    }

    /// The store's number.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// Whether nothing more can happen to it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        self as u8 >= Self::FIRST_END
    }

    /// The word in logs, metrics and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Deferred => "deferred",
            Self::InDoubt => "in_doubt",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Undeliverable => "undeliverable",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }

    /// As a query_sm or a receipt shows it (SMPP 3.4 §5.2.28).
    #[must_use]
    pub const fn to_smpp(self) -> MessageState {
        match self {
            Self::Queued | Self::Ready | Self::Sending | Self::Deferred | Self::InDoubt | Self::Sent => {
                MessageState::ENROUTE
            }
            Self::Accepted => MessageState::ACCEPTED,
            Self::Delivered => MessageState::DELIVERED,
            Self::Undeliverable => MessageState::UNDELIVERABLE,
            Self::Expired => MessageState::EXPIRED,
            Self::Deleted => MessageState::DELETED,
            Self::Rejected => MessageState::REJECTED,
            Self::Unknown => MessageState::UNKNOWN,
            Self::Skipped => MessageState::SKIPPED,
        }
    }

    /// As an intermediate notification shows it (SMPP 5.0 §4.7.15).
    #[must_use]
    pub const fn on_the_way(self) -> MessageState {
        match self {
            Self::Deferred => MessageState::SCHEDULED,
            other => other.to_smpp(),
        }
    }

    /// The end that a receipt of this state means; nothing for a state that is none (SMPP 5.0 §4.7.15).
    #[must_use]
    pub fn from_receipt(state: MessageState) -> Option<Self> {
        Some(match state {
            MessageState::DELIVERED => Self::Delivered,
            MessageState::EXPIRED => Self::Expired,
            MessageState::DELETED => Self::Deleted,
            MessageState::UNDELIVERABLE => Self::Undeliverable,
            MessageState::ACCEPTED => Self::Accepted,
            MessageState::REJECTED => Self::Rejected,
            MessageState::SKIPPED => Self::Skipped,
            MessageState::UNKNOWN => Self::Unknown,
            _ => return None,
        })
    }

    /// How bad an end is, to find the worst of several parts.
    #[must_use]
    pub const fn badness(self) -> u8 {
        match self {
            Self::Delivered => 0,
            Self::Accepted => 1,
            Self::Unknown => 2,
            Self::Deleted => 3,
            Self::Expired => 4,
            Self::Undeliverable => 5,
            Self::Skipped => 6,
            Self::Rejected => 7,
            _ => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_to_their_state() {
        for state in ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert_eq!(state.is_end(), State::from_receipt(state.to_smpp()).is_some());
        }
        assert_eq!(State::from_code(6), None);
    }
}
