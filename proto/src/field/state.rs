//! message_state: how far a message has come (SMPP 3.4 §5.2.28, SMPP 5.0 §4.7.15).

open_code! {
    /// State of a message in the message centre.
    MessageState(u8, "2") {
        /// Scheduled for later; from 5.0.
        SCHEDULED = 0, "SCHEDULED";
        /// On its way.
        ENROUTE = 1, "ENROUTE";
        /// Delivered to its destination.
        DELIVERED = 2, "DELIVERED";
        /// Validity period has expired.
        EXPIRED = 3, "EXPIRED";
        /// Deleted, by cancel_sm or by an operator.
        DELETED = 4, "DELETED";
        /// Cannot be delivered.
        UNDELIVERABLE = 5, "UNDELIVERABLE";
        /// Accepted: read by hand on the subscriber's behalf.
        ACCEPTED = 6, "ACCEPTED";
        /// Unknown.
        UNKNOWN = 7, "UNKNOWN";
        /// Rejected; from 3.4.
        REJECTED = 8, "REJECTED";
        /// Skipped; from 5.0.
        SKIPPED = 9, "SKIPPED";
    }
}

impl MessageState {
    /// True if the message has ended and its state never changes again. UNKNOWN and unknown codes are not final.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            MessageState::DELIVERED
                | MessageState::EXPIRED
                | MessageState::DELETED
                | MessageState::UNDELIVERABLE
                | MessageState::ACCEPTED
                | MessageState::REJECTED
                | MessageState::SKIPPED
        )
    }

    /// The state as a 3.4 peer knows it: SCHEDULED shows as ENROUTE, SKIPPED as REJECTED.
    pub const fn for_3_4(self) -> MessageState {
        match self {
            MessageState::SCHEDULED => MessageState::ENROUTE,
            MessageState::SKIPPED => MessageState::REJECTED,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_5_0_stay_hidden_from_3_4() {
        assert_eq!(MessageState(0).for_3_4(), MessageState::ENROUTE);
        assert_eq!(MessageState(9).for_3_4(), MessageState::REJECTED);
        assert_eq!(MessageState(5).for_3_4().name(), Some("UNDELIVERABLE"));
    }

    #[test]
    fn final_states_are_final() {
        let open: Vec<u8> = (0..=255).filter(|state| !MessageState(*state).is_final()).collect();
        assert_eq!(open.get(..3), Some(&[0, 1, 7][..]));
        assert_eq!(open.len(), 249);
    }
}
