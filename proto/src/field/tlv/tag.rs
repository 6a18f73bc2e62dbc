//! Tags of optional parameters and the lengths that belong to them (SMPP 3.4 §5.3.2, SMPP 5.0 §4.8).

use std::ops::RangeInclusive;

open_code! {
    /// Tag of an optional parameter (TLV). 0x1400–0x3FFF belong to vendors; unknown tags are kept and passed on.
    Tag(u16, "4") {
        /// dest_addr_subunit: 1 octet (SMPP 3.4 §5.3.2.1, 5.0 §4.8.4.23).
        DEST_ADDR_SUBUNIT = 0x0005, "dest_addr_subunit";
        /// dest_network_type: 1 octet (SMPP 3.4 §5.3.2.3, 5.0 §4.8.4.26).
        DEST_NETWORK_TYPE = 0x0006, "dest_network_type";
        /// dest_bearer_type: 1 octet (SMPP 3.4 §5.3.2.5, 5.0 §4.8.4.24).
        DEST_BEARER_TYPE = 0x0007, "dest_bearer_type";
        /// dest_telematics_id: 2 octets (SMPP 3.4 §5.3.2.7, 5.0 §4.8.4.29).
        DEST_TELEMATICS_ID = 0x0008, "dest_telematics_id";
        /// source_addr_subunit: 1 octet (SMPP 3.4 §5.3.2.2, 5.0 §4.8.4.54).
        SOURCE_ADDR_SUBUNIT = 0x000D, "source_addr_subunit";
        /// source_network_type: 1 octet (SMPP 3.4 §5.3.2.4, 5.0 §4.8.4.57).
        SOURCE_NETWORK_TYPE = 0x000E, "source_network_type";
        /// source_bearer_type: 1 octet (SMPP 3.4 §5.3.2.6, 5.0 §4.8.4.55).
        SOURCE_BEARER_TYPE = 0x000F, "source_bearer_type";
        /// source_telematics_id: 1–2 octets (SMPP 3.4 §5.3.2.8, 5.0 §4.8.4.61).
        SOURCE_TELEMATICS_ID = 0x0010, "source_telematics_id";
        /// qos_time_to_live: 4 octets (SMPP 3.4 §5.3.2.9, 5.0 §4.8.4.46).
        QOS_TIME_TO_LIVE = 0x0017, "qos_time_to_live";
        /// payload_type: 1 octet (SMPP 3.4 §5.3.2.10, 5.0 §4.8.4.44).
        PAYLOAD_TYPE = 0x0019, "payload_type";
        /// additional_status_info_text: 1–256 octets (SMPP 3.4 §5.3.2.11, 5.0 §4.8.4.1).
        ADDITIONAL_STATUS_INFO_TEXT = 0x001D, "additional_status_info_text";
        /// receipted_message_id: 1–65 octets (SMPP 3.4 §5.3.2.12, 5.0 §4.8.4.47).
        RECEIPTED_MESSAGE_ID = 0x001E, "receipted_message_id";
        /// ms_msg_wait_facilities: 1 octet (SMPP 3.4 §5.3.2.13, 5.0 §4.8.4.40).
        MS_MSG_WAIT_FACILITIES = 0x0030, "ms_msg_wait_facilities";
        /// privacy_indicator: 1 octet (SMPP 3.4 §5.3.2.14, 5.0 §4.8.4.45).
        PRIVACY_INDICATOR = 0x0201, "privacy_indicator";
        /// source_subaddress: 2–23 octets (SMPP 3.4 §5.3.2.15, 5.0 §4.8.4.60).
        SOURCE_SUBADDRESS = 0x0202, "source_subaddress";
        /// dest_subaddress: 2–23 octets (SMPP 3.4 §5.3.2.16, 5.0 §4.8.4.28).
        DEST_SUBADDRESS = 0x0203, "dest_subaddress";
        /// user_message_reference: 2 octets (SMPP 3.4 §5.3.2.17, 5.0 §4.8.4.62).
        USER_MESSAGE_REFERENCE = 0x0204, "user_message_reference";
        /// user_response_code: 1 octet (SMPP 3.4 §5.3.2.18, 5.0 §4.8.4.63).
        USER_RESPONSE_CODE = 0x0205, "user_response_code";
        /// source_port: 2 octets (SMPP 3.4 §5.3.2.20, 5.0 §4.8.4.59).
        SOURCE_PORT = 0x020A, "source_port";
        /// dest_port: 2 octets (SMPP 3.4 §5.3.2.21, 5.0 §4.8.4.30).
        DEST_PORT = 0x020B, "dest_port";
        /// sar_msg_ref_num: 2 octets (SMPP 3.4 §5.3.2.22, 5.0 §4.8.4.48).
        SAR_MSG_REF_NUM = 0x020C, "sar_msg_ref_num";
        /// language_indicator: 1 octet (SMPP 3.4 §5.3.2.19, 5.0 §4.8.4.35).
        LANGUAGE_INDICATOR = 0x020D, "language_indicator";
        /// sar_total_segments: 1 octet (SMPP 3.4 §5.3.2.23, 5.0 §4.8.4.50).
        SAR_TOTAL_SEGMENTS = 0x020E, "sar_total_segments";
        /// sar_segment_seqnum: 1 octet (SMPP 3.4 §5.3.2.24, 5.0 §4.8.4.49).
        SAR_SEGMENT_SEQNUM = 0x020F, "sar_segment_seqnum";
        /// sc_interface_version: 1 octet (SMPP 3.4 §5.3.2.25, 5.0 §4.8.4.51).
        SC_INTERFACE_VERSION = 0x0210, "sc_interface_version";
        /// callback_num_pres_ind: 1 octet (SMPP 3.4 §5.3.2.37, 5.0 §4.8.4.17).
        CALLBACK_NUM_PRES_IND = 0x0302, "callback_num_pres_ind";
        /// callback_num_atag: 0–65 octets (SMPP 3.4 §5.3.2.38, 5.0 §4.8.4.16).
        CALLBACK_NUM_ATAG = 0x0303, "callback_num_atag";
        /// number_of_messages: 1 octet (SMPP 3.4 §5.3.2.39, 5.0 §4.8.4.43).
        NUMBER_OF_MESSAGES = 0x0304, "number_of_messages";
        /// callback_num: 4–19 octets (SMPP 3.4 §5.3.2.36, 5.0 §4.8.4.15).
        CALLBACK_NUM = 0x0381, "callback_num";
        /// dpf_result: 1 octet (SMPP 3.4 §5.3.2.28, 5.0 §4.8.4.32).
        DPF_RESULT = 0x0420, "dpf_result";
        /// set_dpf: 1 octet (SMPP 3.4 §5.3.2.29, 5.0 §4.8.4.52).
        SET_DPF = 0x0421, "set_dpf";
        /// ms_availability_status: 1 octet (SMPP 3.4 §5.3.2.30, 5.0 §4.8.4.39).
        MS_AVAILABILITY_STATUS = 0x0422, "ms_availability_status";
        /// network_error_code: 3 octets (SMPP 3.4 §5.3.2.31, 5.0 §4.8.4.42).
        NETWORK_ERROR_CODE = 0x0423, "network_error_code";
        /// message_payload: 0–65535 octets (SMPP 3.4 §5.3.2.32, 5.0 §4.8.4.36).
        MESSAGE_PAYLOAD = 0x0424, "message_payload";
        /// delivery_failure_reason: 1 octet (SMPP 3.4 §5.3.2.33, 5.0 §4.8.4.19).
        DELIVERY_FAILURE_REASON = 0x0425, "delivery_failure_reason";
        /// more_messages_to_send: 1 octet (SMPP 3.4 §5.3.2.34, 5.0 §4.8.4.38).
        MORE_MESSAGES_TO_SEND = 0x0426, "more_messages_to_send";
        /// message_state: 1 octet (SMPP 3.4 §5.3.2.35, 5.0 §4.8.4.37).
        MESSAGE_STATE = 0x0427, "message_state";
        /// congestion_state: 1 octet (SMPP 5.0 §4.8.4.18).
        CONGESTION_STATE = 0x0428, "congestion_state";
        /// ussd_service_op: 1 octet (SMPP 3.4 §5.3.2.44, 5.0 §4.8.4.64).
        USSD_SERVICE_OP = 0x0501, "ussd_service_op";
        /// broadcast_channel_indicator: 1 octet (SMPP 5.0 §4.8.4.7).
        BROADCAST_CHANNEL_INDICATOR = 0x0600, "broadcast_channel_indicator";
        /// broadcast_content_type: 3 octets (SMPP 5.0 §4.8.4.8).
        BROADCAST_CONTENT_TYPE = 0x0601, "broadcast_content_type";
        /// broadcast_content_type_info: 1–255 octets (SMPP 5.0 §4.8.4.6).
        BROADCAST_CONTENT_TYPE_INFO = 0x0602, "broadcast_content_type_info";
        /// broadcast_message_class: 1 octet (SMPP 5.0 §4.8.4.12).
        BROADCAST_MESSAGE_CLASS = 0x0603, "broadcast_message_class";
        /// broadcast_rep_num: 2 octets (SMPP 5.0 §4.8.4.13).
        BROADCAST_REP_NUM = 0x0604, "broadcast_rep_num";
        /// broadcast_frequency_interval: 3 octets (SMPP 5.0 §4.8.4.11).
        BROADCAST_FREQUENCY_INTERVAL = 0x0605, "broadcast_frequency_interval";
        /// broadcast_area_identifier: 1–101 octets (SMPP 5.0 §4.8.4.4).
        BROADCAST_AREA_IDENTIFIER = 0x0606, "broadcast_area_identifier";
        /// broadcast_error_status: 4 octets (SMPP 5.0 §4.8.4.10).
        BROADCAST_ERROR_STATUS = 0x0607, "broadcast_error_status";
        /// broadcast_area_success: 1 octet (SMPP 5.0 §4.8.4.5).
        BROADCAST_AREA_SUCCESS = 0x0608, "broadcast_area_success";
        /// broadcast_end_time: 16–17 octets (SMPP 5.0 §4.8.4.9).
        BROADCAST_END_TIME = 0x0609, "broadcast_end_time";
        /// broadcast_service_group: 1–255 octets (SMPP 5.0 §4.8.4.14).
        BROADCAST_SERVICE_GROUP = 0x060A, "broadcast_service_group";
        /// billing_identification: 1–1024 octets (SMPP 5.0 §4.8.4.3).
        BILLING_IDENTIFICATION = 0x060B, "billing_identification";
        /// source_network_id: 7–65 octets (SMPP 5.0 §4.8.4.56).
        SOURCE_NETWORK_ID = 0x060D, "source_network_id";
        /// dest_network_id: 7–65 octets (SMPP 5.0 §4.8.4.25).
        DEST_NETWORK_ID = 0x060E, "dest_network_id";
        /// source_node_id: 6 octets (SMPP 5.0 §4.8.4.58).
        SOURCE_NODE_ID = 0x060F, "source_node_id";
        /// dest_node_id: 6 octets (SMPP 5.0 §4.8.4.27).
        DEST_NODE_ID = 0x0610, "dest_node_id";
        /// dest_addr_np_resolution: 1 octet (SMPP 5.0 §4.8.4.22).
        DEST_ADDR_NP_RESOLUTION = 0x0611, "dest_addr_np_resolution";
        /// dest_addr_np_information: 10 octets (SMPP 5.0 §4.8.4.21).
        DEST_ADDR_NP_INFORMATION = 0x0612, "dest_addr_np_information";
        /// dest_addr_np_country: 1–5 octets (SMPP 5.0 §4.8.4.20).
        DEST_ADDR_NP_COUNTRY = 0x0613, "dest_addr_np_country";
        /// display_time: 1 octet (SMPP 3.4 §5.3.2.26, 5.0 §4.8.4.31).
        DISPLAY_TIME = 0x1201, "display_time";
        /// sms_signal: 2 octets (SMPP 3.4 §5.3.2.40, 5.0 §4.8.4.53).
        SMS_SIGNAL = 0x1203, "sms_signal";
        /// ms_validity: 1–4 octets (SMPP 3.4 §5.3.2.27, 5.0 §4.8.4.41).
        MS_VALIDITY = 0x1204, "ms_validity";
        /// alert_on_message_delivery: 0–1 octets (SMPP 3.4 §5.3.2.41, 5.0 §4.8.4.2).
        ALERT_ON_MESSAGE_DELIVERY = 0x130C, "alert_on_message_delivery";
        /// its_reply_type: 1 octet (SMPP 3.4 §5.3.2.42, 5.0 §4.8.4.33).
        ITS_REPLY_TYPE = 0x1380, "its_reply_type";
        /// its_session_info: 2 octets (SMPP 3.4 §5.3.2.43, 5.0 §4.8.4.34).
        ITS_SESSION_INFO = 0x1383, "its_session_info";
    }
}

impl Tag {
    /// True for the range of the vendors (SMPP 3.4 §5.3.2).
    pub const fn is_vendor(self) -> bool {
        matches!(self.0, 0x1400..=0x3FFF)
    }

    /// True if the specification lets a PDU carry the tag more than once (SMPP 5.0 §4.8.4).
    pub const fn may_repeat(self) -> bool {
        matches!(
            self,
            Tag::CALLBACK_NUM
                | Tag::CALLBACK_NUM_PRES_IND
                | Tag::CALLBACK_NUM_ATAG
                | Tag::BROADCAST_AREA_IDENTIFIER
                | Tag::BROADCAST_ERROR_STATUS
                | Tag::BROADCAST_AREA_SUCCESS
        )
    }

    /// Octets that a value of this tag may have, or `None` for a tag without a name.
    ///
    /// source_telematics_id is given two octets besides its one, because most libraries write two;
    /// broadcast_end_time its 16 of the text or 17 of the libraries; ms_validity 1 (3.4) or 4 (5.0), not what lies
    /// between: see [`Tag::allows_length`].
    pub fn lengths(self) -> Option<RangeInclusive<usize>> {
        Some(match self {
            Tag::DEST_ADDR_SUBUNIT
            | Tag::DEST_NETWORK_TYPE
            | Tag::DEST_BEARER_TYPE
            | Tag::SOURCE_ADDR_SUBUNIT
            | Tag::SOURCE_NETWORK_TYPE
            | Tag::SOURCE_BEARER_TYPE
            | Tag::PAYLOAD_TYPE
            | Tag::MS_MSG_WAIT_FACILITIES
            | Tag::PRIVACY_INDICATOR
            | Tag::USER_RESPONSE_CODE
            | Tag::LANGUAGE_INDICATOR
            | Tag::SAR_TOTAL_SEGMENTS
            | Tag::SAR_SEGMENT_SEQNUM
            | Tag::SC_INTERFACE_VERSION
            | Tag::CALLBACK_NUM_PRES_IND
            | Tag::NUMBER_OF_MESSAGES
            | Tag::DPF_RESULT
            | Tag::SET_DPF
            | Tag::MS_AVAILABILITY_STATUS
            | Tag::DELIVERY_FAILURE_REASON
            | Tag::MORE_MESSAGES_TO_SEND
            | Tag::MESSAGE_STATE
            | Tag::CONGESTION_STATE
            | Tag::USSD_SERVICE_OP
            | Tag::BROADCAST_CHANNEL_INDICATOR
            | Tag::BROADCAST_MESSAGE_CLASS
            | Tag::BROADCAST_AREA_SUCCESS
            | Tag::DEST_ADDR_NP_RESOLUTION
            | Tag::DISPLAY_TIME
            | Tag::ITS_REPLY_TYPE => 1..=1,
            Tag::DEST_TELEMATICS_ID
            | Tag::USER_MESSAGE_REFERENCE
            | Tag::SOURCE_PORT
            | Tag::DEST_PORT
            | Tag::SAR_MSG_REF_NUM
            | Tag::BROADCAST_REP_NUM
            | Tag::SMS_SIGNAL
            | Tag::ITS_SESSION_INFO => 2..=2,
            Tag::SOURCE_TELEMATICS_ID => 1..=2,
            Tag::QOS_TIME_TO_LIVE | Tag::BROADCAST_ERROR_STATUS => 4..=4,
            Tag::ADDITIONAL_STATUS_INFO_TEXT => 1..=256,
            Tag::RECEIPTED_MESSAGE_ID => 1..=65,
            Tag::SOURCE_SUBADDRESS | Tag::DEST_SUBADDRESS => 2..=23,
            Tag::CALLBACK_NUM_ATAG => 0..=65,
            Tag::CALLBACK_NUM => 4..=19,
            Tag::NETWORK_ERROR_CODE | Tag::BROADCAST_CONTENT_TYPE | Tag::BROADCAST_FREQUENCY_INTERVAL => {
                3..=3
            }
            Tag::MESSAGE_PAYLOAD => 0..=65535,
            Tag::BROADCAST_CONTENT_TYPE_INFO | Tag::BROADCAST_SERVICE_GROUP => 1..=255,
            Tag::BROADCAST_AREA_IDENTIFIER => 1..=101,
            Tag::BROADCAST_END_TIME => 16..=17,
            Tag::BILLING_IDENTIFICATION => 1..=1024,
            Tag::SOURCE_NETWORK_ID | Tag::DEST_NETWORK_ID => 7..=65,
            Tag::SOURCE_NODE_ID | Tag::DEST_NODE_ID => 6..=6,
            Tag::DEST_ADDR_NP_INFORMATION => 10..=10,
            Tag::DEST_ADDR_NP_COUNTRY => 1..=5,
            Tag::MS_VALIDITY => 1..=4,
            Tag::ALERT_ON_MESSAGE_DELIVERY => 0..=1,
            _ => return None,
        })
    }

    /// True if a value of so many octets is well formed for the tag. Any length suits a tag without a name.
    pub fn allows_length(self, octets: usize) -> bool {
        match self {
            Tag::MS_VALIDITY => octets == 1 || octets == 4,
            _ => self.lengths().is_none_or(|lengths| lengths.contains(&octets)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_specification() {
        assert_eq!(Tag::RECEIPTED_MESSAGE_ID.0, 0x001E);
        assert_eq!(Tag::MESSAGE_PAYLOAD.0, 0x0424);
        assert_eq!(Tag::NETWORK_ERROR_CODE.0, 0x0423);
        assert_eq!(Tag::MESSAGE_STATE.0, 0x0427);
        assert_eq!(Tag::SAR_MSG_REF_NUM.0, 0x020C);
        assert_eq!(Tag::SAR_TOTAL_SEGMENTS.0, 0x020E);
        assert_eq!(Tag::SAR_SEGMENT_SEQNUM.0, 0x020F);
        assert_eq!(Tag::SC_INTERFACE_VERSION.0, 0x0210);
        assert_eq!(Tag::ITS_SESSION_INFO.0, 0x1383);
        assert_eq!(Tag(0x1401).to_string(), "0x1401");
        assert!(Tag(0x1401).is_vendor());
    }

    #[test]
    fn lengths_follow_the_table() {
        assert!(Tag::MS_VALIDITY.allows_length(4));
        assert!(!Tag::MS_VALIDITY.allows_length(2));
        assert!(Tag::ALERT_ON_MESSAGE_DELIVERY.allows_length(0));
        assert!(!Tag::DEST_PORT.allows_length(0));
        assert!(Tag(0x1400).allows_length(0));
        assert_eq!(Tag::BROADCAST_REP_NUM.lengths(), Some(2..=2));
    }
}
