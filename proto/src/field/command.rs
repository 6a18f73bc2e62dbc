//! Command ids: which operation a PDU belongs to (SMPP 3.4 §5.1.2.1, SMPP 5.0 §4.7.5).

/// Bit 31, set in every response.
const RESPONSE: u32 = 0x8000_0000;

open_code! {
    /// command_id (SMPP 3.4 §5.1.2). The response to a request has the same id with bit 31 set.
    CommandId(u32, "8") {
        /// generic_nack, the response to what could not be read (SMPP 3.4 §4.3.1).
        GENERIC_NACK = 0x8000_0000, "generic_nack";
        /// bind_receiver (SMPP 3.4 §4.1.3).
        BIND_RECEIVER = 0x0000_0001, "bind_receiver";
        /// bind_receiver_resp (SMPP 3.4 §4.1.4).
        BIND_RECEIVER_RESP = 0x8000_0001, "bind_receiver_resp";
        /// bind_transmitter (SMPP 3.4 §4.1.1).
        BIND_TRANSMITTER = 0x0000_0002, "bind_transmitter";
        /// bind_transmitter_resp (SMPP 3.4 §4.1.2).
        BIND_TRANSMITTER_RESP = 0x8000_0002, "bind_transmitter_resp";
        /// query_sm (SMPP 3.4 §4.8.1).
        QUERY_SM = 0x0000_0003, "query_sm";
        /// query_sm_resp (SMPP 3.4 §4.8.2).
        QUERY_SM_RESP = 0x8000_0003, "query_sm_resp";
        /// submit_sm (SMPP 3.4 §4.4.1).
        SUBMIT_SM = 0x0000_0004, "submit_sm";
        /// submit_sm_resp (SMPP 3.4 §4.4.2).
        SUBMIT_SM_RESP = 0x8000_0004, "submit_sm_resp";
        /// deliver_sm (SMPP 3.4 §4.6.1).
        DELIVER_SM = 0x0000_0005, "deliver_sm";
        /// deliver_sm_resp (SMPP 3.4 §4.6.2).
        DELIVER_SM_RESP = 0x8000_0005, "deliver_sm_resp";
        /// unbind (SMPP 3.4 §4.2.1).
        UNBIND = 0x0000_0006, "unbind";
        /// unbind_resp (SMPP 3.4 §4.2.2).
        UNBIND_RESP = 0x8000_0006, "unbind_resp";
        /// replace_sm (SMPP 3.4 §4.10.1).
        REPLACE_SM = 0x0000_0007, "replace_sm";
        /// replace_sm_resp (SMPP 3.4 §4.10.2).
        REPLACE_SM_RESP = 0x8000_0007, "replace_sm_resp";
        /// cancel_sm (SMPP 3.4 §4.9.1).
        CANCEL_SM = 0x0000_0008, "cancel_sm";
        /// cancel_sm_resp (SMPP 3.4 §4.9.2).
        CANCEL_SM_RESP = 0x8000_0008, "cancel_sm_resp";
        /// bind_transceiver, from 3.4 (SMPP 3.4 §4.1.5).
        BIND_TRANSCEIVER = 0x0000_0009, "bind_transceiver";
        /// bind_transceiver_resp, from 3.4 (SMPP 3.4 §4.1.6).
        BIND_TRANSCEIVER_RESP = 0x8000_0009, "bind_transceiver_resp";
        /// outbind, from 3.4; has no response (SMPP 3.4 §4.1.7).
        OUTBIND = 0x0000_000B, "outbind";
        /// enquire_link (SMPP 3.4 §4.11.1).
        ENQUIRE_LINK = 0x0000_0015, "enquire_link";
        /// enquire_link_resp (SMPP 3.4 §4.11.2).
        ENQUIRE_LINK_RESP = 0x8000_0015, "enquire_link_resp";
        /// submit_multi (SMPP 3.4 §4.5.1).
        SUBMIT_MULTI = 0x0000_0021, "submit_multi";
        /// submit_multi_resp (SMPP 3.4 §4.5.2).
        SUBMIT_MULTI_RESP = 0x8000_0021, "submit_multi_resp";
        /// param_retrieve, of 3.3 alone. Its id is the one that implementations use: the document prints none.
        PARAM_RETRIEVE = 0x0000_0022, "param_retrieve";
        /// param_retrieve_resp, of 3.3 alone.
        PARAM_RETRIEVE_RESP = 0x8000_0022, "param_retrieve_resp";
        /// query_last_msgs, of 3.3 alone.
        QUERY_LAST_MSGS = 0x0000_0023, "query_last_msgs";
        /// query_last_msgs_resp, of 3.3 alone.
        QUERY_LAST_MSGS_RESP = 0x8000_0023, "query_last_msgs_resp";
        /// query_msg_details, of 3.3 alone.
        QUERY_MSG_DETAILS = 0x0000_0024, "query_msg_details";
        /// query_msg_details_resp, of 3.3 alone.
        QUERY_MSG_DETAILS_RESP = 0x8000_0024, "query_msg_details_resp";
        /// alert_notification, from 3.4; has no response (SMPP 3.4 §4.12.1).
        ALERT_NOTIFICATION = 0x0000_0102, "alert_notification";
        /// data_sm, from 3.4 (SMPP 3.4 §4.7.1).
        DATA_SM = 0x0000_0103, "data_sm";
        /// data_sm_resp, from 3.4 (SMPP 3.4 §4.7.2).
        DATA_SM_RESP = 0x8000_0103, "data_sm_resp";
        /// broadcast_sm, from 5.0 (SMPP 5.0 §4.4.1).
        BROADCAST_SM = 0x0000_0111, "broadcast_sm";
        /// broadcast_sm_resp, from 5.0 (SMPP 5.0 §4.4.1).
        BROADCAST_SM_RESP = 0x8000_0111, "broadcast_sm_resp";
        /// query_broadcast_sm, from 5.0 (SMPP 5.0 §4.6.1).
        QUERY_BROADCAST_SM = 0x0000_0112, "query_broadcast_sm";
        /// query_broadcast_sm_resp, from 5.0 (SMPP 5.0 §4.6.1).
        QUERY_BROADCAST_SM_RESP = 0x8000_0112, "query_broadcast_sm_resp";
        /// cancel_broadcast_sm, from 5.0 (SMPP 5.0 §4.6.2).
        CANCEL_BROADCAST_SM = 0x0000_0113, "cancel_broadcast_sm";
        /// cancel_broadcast_sm_resp, from 5.0 (SMPP 5.0 §4.6.2).
        CANCEL_BROADCAST_SM_RESP = 0x8000_0113, "cancel_broadcast_sm_resp";
    }
}

impl CommandId {
    /// True if bit 31 is set: a response, or generic_nack. Holds for unknown ids too.
    pub const fn is_response(self) -> bool {
        self.0 & RESPONSE != 0
    }

    /// The id of the response to this id: bit 31 set. A response is its own.
    ///
    /// outbind and alert_notification have none on paper; see [`CommandId::has_response`].
    pub const fn response(self) -> CommandId {
        CommandId(self.0 | RESPONSE)
    }

    /// The id of the request that this id answers, or `None` for a request and for generic_nack.
    pub const fn request(self) -> Option<CommandId> {
        match self {
            CommandId::GENERIC_NACK => None,
            _ if self.is_response() => Some(CommandId(self.0 & !RESPONSE)),
            _ => None,
        }
    }

    /// True for a request of a known operation that is answered with a PDU of its own.
    pub const fn has_response(self) -> bool {
        match self {
            CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION => false,
            _ => !self.is_response() && self.name().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_have_bit_31() {
        assert_eq!(CommandId::SUBMIT_SM.response(), CommandId::SUBMIT_SM_RESP);
        assert_eq!(CommandId::DATA_SM.response().0, 0x8000_0103);
        assert_eq!(CommandId::DATA_SM_RESP.request(), Some(CommandId::DATA_SM));
        assert_eq!(CommandId::GENERIC_NACK.request(), None);
        assert!(CommandId::GENERIC_NACK.is_response());
        assert!(CommandId(0x8000_0222).is_response());
    }

    #[test]
    fn alert_and_outbind_are_never_answered() {
        assert!(!CommandId::ALERT_NOTIFICATION.has_response());
        assert!(!CommandId::OUTBIND.has_response());
        assert!(!CommandId(0x0000_000A).has_response());
        assert!(!CommandId::SUBMIT_SM_RESP.has_response());
        assert!(CommandId::UNBIND.has_response());
    }

    #[test]
    fn unknown_ids_are_values() {
        assert_eq!(CommandId(0x0001_0201).name(), None);
        assert_eq!(CommandId(0x0001_0201).to_string(), "0x00010201");
        assert_eq!(CommandId(4).to_string(), "submit_sm (0x00000004)");
    }
}
