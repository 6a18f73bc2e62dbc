//! Where each optional parameter belongs: the PDUs and the versions (SMPP 3.4 §4.1 to §4.12, SMPP 5.0 §4.1 to §4.6).
//!
//! A parameter in another place is still read and passed on (SMPP 3.4 §3.2.4.1); it can be told from here.

use super::Tag;
use crate::field::{CommandId, InterfaceVersion};

impl Tag {
    /// The first version that has the parameter; `None` for a tag without a name.
    pub fn since(self) -> Option<InterfaceVersion> {
        let row = row_of(self)?;
        Some(if row.v3_4 == NOWHERE { InterfaceVersion::V5_0 } else { InterfaceVersion::V3_4 })
    }

    /// True if the text of `version` lets a PDU of this command carry the parameter. A tag without a name belongs
    /// everywhere, and nothing belongs into a PDU of 3.3.
    pub fn belongs_to(self, command: CommandId, version: InterfaceVersion) -> bool {
        if !version.takes_tlvs() {
            return false;
        }
        let Some(row) = row_of(self) else { return true };
        let places = if version >= InterfaceVersion::V5_0 { row.v5_0 } else { row.v3_4 };
        places & place_of(command) != 0
    }
}

fn row_of(tag: Tag) -> Option<&'static Row> {
    TABLE.binary_search_by_key(&tag.0, |row| row.tag.0).ok().and_then(|at| TABLE.get(at))
}

fn place_of(command: CommandId) -> u32 {
    match command {
        CommandId::SUBMIT_SM => S,
        CommandId::SUBMIT_MULTI => M,
        CommandId::DELIVER_SM => D,
        CommandId::DATA_SM => T,
        CommandId::SUBMIT_SM_RESP => SR,
        CommandId::SUBMIT_MULTI_RESP => MR,
        CommandId::DELIVER_SM_RESP => DR,
        CommandId::DATA_SM_RESP => TR,
        CommandId::BIND_RECEIVER_RESP
        | CommandId::BIND_TRANSMITTER_RESP
        | CommandId::BIND_TRANSCEIVER_RESP => BR,
        CommandId::ALERT_NOTIFICATION => A,
        CommandId::BROADCAST_SM => BC,
        CommandId::BROADCAST_SM_RESP => BCR,
        CommandId::QUERY_BROADCAST_SM => QB,
        CommandId::QUERY_BROADCAST_SM_RESP => QBR,
        CommandId::CANCEL_BROADCAST_SM => CB,
        CommandId::REPLACE_SM => REP,
        other if other.is_response() => OTHER_RESPONSE,
        _ => NOWHERE,
    }
}

/// The PDUs of one parameter, by version.
struct Row {
    tag: Tag,
    v3_4: u32,
    v5_0: u32,
}

const fn row(tag: Tag, v3_4: u32, v5_0: u32) -> Row {
    Row { tag, v3_4, v5_0 }
}

const NOWHERE: u32 = 0;
/// submit_sm.
const S: u32 = 1;
/// submit_multi.
const M: u32 = 1 << 1;
/// deliver_sm.
const D: u32 = 1 << 2;
/// data_sm, either way.
const T: u32 = 1 << 3;
const SR: u32 = 1 << 4;
const MR: u32 = 1 << 5;
const DR: u32 = 1 << 6;
const TR: u32 = 1 << 7;
/// The responses to the three binds.
const BR: u32 = 1 << 8;
/// alert_notification.
const A: u32 = 1 << 9;
const BC: u32 = 1 << 10;
const BCR: u32 = 1 << 11;
const QB: u32 = 1 << 12;
const QBR: u32 = 1 << 13;
const CB: u32 = 1 << 14;
const REP: u32 = 1 << 15;
/// Any response that has no bit of its own, generic_nack among them.
const OTHER_RESPONSE: u32 = 1 << 16;
/// 5.0: the request TLVs of message submission (SMPP 5.0 §4.2.4).
const SUB: u32 = S | M | T;
/// 5.0: the response TLVs of message submission (SMPP 5.0 §4.2.5).
const SUBR: u32 = SR | MR | TR;
/// 5.0: the request TLVs of message delivery (SMPP 5.0 §4.3).
const DEL: u32 = D | T;
/// 5.0: the response TLVs of message delivery (SMPP 5.0 §4.3).
const DELR: u32 = DR | TR;
const ANYR: u32 = SR | MR | DR | TR | BR | BCR | QBR | OTHER_RESPONSE;

/// Rising by tag.
const TABLE: [Row; 64] = [
    row(Tag::DEST_ADDR_SUBUNIT, S | M | T, SUB | DEL | BC),
    row(Tag::DEST_NETWORK_TYPE, T, SUB),
    row(Tag::DEST_BEARER_TYPE, T, SUB),
    row(Tag::DEST_TELEMATICS_ID, T, SUB),
    row(Tag::SOURCE_ADDR_SUBUNIT, S | M | T, SUB | DEL | BC),
    row(Tag::SOURCE_NETWORK_TYPE, T, SUB),
    row(Tag::SOURCE_BEARER_TYPE, T, SUB),
    row(Tag::SOURCE_TELEMATICS_ID, T, SUB),
    row(Tag::QOS_TIME_TO_LIVE, T, SUB),
    row(Tag::PAYLOAD_TYPE, S | M | D | T, SUB | DEL | BC),
    row(Tag::ADDITIONAL_STATUS_INFO_TEXT, TR, SUBR | DELR),
    row(Tag::RECEIPTED_MESSAGE_ID, D | T, DEL),
    row(Tag::MS_MSG_WAIT_FACILITIES, S | M | T, SUB),
    row(Tag::PRIVACY_INDICATOR, S | M | D | T, SUB | DEL | BC),
    row(Tag::SOURCE_SUBADDRESS, S | M | D | T, SUB | DEL | BC),
    // 3.4 lists it for submit_multi and excludes that by its definition; 5.0 leaves it out.
    row(Tag::DEST_SUBADDRESS, S | M | D | T, S | T | DEL | BC),
    row(Tag::USER_MESSAGE_REFERENCE, S | M | D | T, SUB | DEL | BC | QB | QBR | CB),
    row(Tag::USER_RESPONSE_CODE, S | D | T, SUB | DEL),
    row(Tag::SOURCE_PORT, S | M | D | T, SUB | DEL | BC),
    row(Tag::DEST_PORT, S | M | D | T, SUB | DEL | BC),
    row(Tag::SAR_MSG_REF_NUM, S | M | D | T, SUB | DEL),
    row(Tag::LANGUAGE_INDICATOR, S | M | D | T, SUB | DEL | BC),
    row(Tag::SAR_TOTAL_SEGMENTS, S | M | D | T, SUB | DEL),
    row(Tag::SAR_SEGMENT_SEQNUM, S | M | D | T, SUB | DEL),
    row(Tag::SC_INTERFACE_VERSION, BR, BR),
    row(Tag::CALLBACK_NUM_PRES_IND, S | M | T, SUB | DEL | BC),
    row(Tag::CALLBACK_NUM_ATAG, S | M | T, SUB | DEL | BC),
    row(Tag::NUMBER_OF_MESSAGES, S | T, SUB),
    row(Tag::CALLBACK_NUM, S | M | D | T, SUB | DEL | BC),
    row(Tag::DPF_RESULT, TR, SUBR | DEL),
    row(Tag::SET_DPF, T, SUB),
    row(Tag::MS_AVAILABILITY_STATUS, A, A),
    row(Tag::NETWORK_ERROR_CODE, D | T | TR, DEL | SUBR | DELR),
    row(Tag::MESSAGE_PAYLOAD, S | M | D | T, SUB | DEL | BC | REP),
    row(Tag::DELIVERY_FAILURE_REASON, TR, SUBR | DELR),
    row(Tag::MORE_MESSAGES_TO_SEND, S | T, SUB),
    row(Tag::MESSAGE_STATE, D | T, DEL | QBR),
    row(Tag::CONGESTION_STATE, NOWHERE, ANYR),
    row(Tag::USSD_SERVICE_OP, S, SUB | DEL),
    row(Tag::BROADCAST_CHANNEL_INDICATOR, NOWHERE, BC),
    row(Tag::BROADCAST_CONTENT_TYPE, NOWHERE, BC | CB),
    row(Tag::BROADCAST_CONTENT_TYPE_INFO, NOWHERE, BC),
    row(Tag::BROADCAST_MESSAGE_CLASS, NOWHERE, BC),
    row(Tag::BROADCAST_REP_NUM, NOWHERE, BC),
    row(Tag::BROADCAST_FREQUENCY_INTERVAL, NOWHERE, BC),
    row(Tag::BROADCAST_AREA_IDENTIFIER, NOWHERE, BC | QBR | BCR),
    row(Tag::BROADCAST_ERROR_STATUS, NOWHERE, BCR),
    row(Tag::BROADCAST_AREA_SUCCESS, NOWHERE, QBR),
    row(Tag::BROADCAST_END_TIME, NOWHERE, QBR),
    row(Tag::BROADCAST_SERVICE_GROUP, NOWHERE, BC),
    row(Tag::BILLING_IDENTIFICATION, NOWHERE, SUB),
    row(Tag::SOURCE_NETWORK_ID, NOWHERE, SUB | DEL),
    row(Tag::DEST_NETWORK_ID, NOWHERE, SUB | DEL),
    row(Tag::SOURCE_NODE_ID, NOWHERE, SUB | DEL),
    row(Tag::DEST_NODE_ID, NOWHERE, SUB | DEL),
    row(Tag::DEST_ADDR_NP_RESOLUTION, NOWHERE, SUB | DEL),
    row(Tag::DEST_ADDR_NP_INFORMATION, NOWHERE, SUB | DEL),
    row(Tag::DEST_ADDR_NP_COUNTRY, NOWHERE, SUB | DEL),
    row(Tag::DISPLAY_TIME, S | M | T, SUB | BC),
    row(Tag::SMS_SIGNAL, S | M | T, SUB | BC),
    row(Tag::MS_VALIDITY, S | M | T, SUB | BC),
    row(Tag::ALERT_ON_MESSAGE_DELIVERY, S | M | T, SUB | BC),
    row(Tag::ITS_REPLY_TYPE, S | T, SUB | DEL),
    row(Tag::ITS_SESSION_INFO, S | D | T, SUB | DEL),
];

#[cfg(test)]
mod tests {
    use super::*;

    const V3_4: InterfaceVersion = InterfaceVersion::V3_4;
    const V5_0: InterfaceVersion = InterfaceVersion::V5_0;

    #[test]
    fn every_named_tag_has_its_row_and_the_rows_rise() {
        let named: Vec<u16> = (0..=u16::MAX).filter(|tag| Tag(*tag).name().is_some()).collect();
        assert_eq!(TABLE.iter().map(|row| row.tag.0).collect::<Vec<_>>(), named);
        assert!(TABLE.iter().all(|row| row.v5_0 != NOWHERE));
    }

    #[test]
    fn places_are_those_of_the_text() {
        assert!(Tag::RECEIPTED_MESSAGE_ID.belongs_to(CommandId::DELIVER_SM, V3_4));
        assert!(!Tag::RECEIPTED_MESSAGE_ID.belongs_to(CommandId::SUBMIT_SM, V3_4));
        assert!(!Tag::DEST_NETWORK_TYPE.belongs_to(CommandId::SUBMIT_SM, V3_4));
        assert!(Tag::DEST_NETWORK_TYPE.belongs_to(CommandId::SUBMIT_SM, V5_0));
        assert!(Tag::CONGESTION_STATE.belongs_to(CommandId::ENQUIRE_LINK_RESP, V5_0));
        assert!(Tag::CONGESTION_STATE.belongs_to(CommandId::GENERIC_NACK, V5_0));
        assert!(!Tag::CONGESTION_STATE.belongs_to(CommandId::SUBMIT_SM_RESP, V3_4));
        assert!(Tag::MESSAGE_PAYLOAD.belongs_to(CommandId::REPLACE_SM, V5_0));
        assert!(!Tag::MESSAGE_PAYLOAD.belongs_to(CommandId::SUBMIT_SM, InterfaceVersion::V3_3));
        assert!(!Tag::DEST_SUBADDRESS.belongs_to(CommandId::SUBMIT_MULTI, V5_0));
        assert!(Tag(0x1400).belongs_to(CommandId::SUBMIT_SM, V3_4));
    }

    #[test]
    fn what_a_client_never_submits_is_what_centres_say() {
        let never: Vec<u16> = TABLE
            .iter()
            .map(|row| row.tag)
            .filter(|tag| ![V3_4, V5_0].iter().any(|version| tag.belongs_to(CommandId::SUBMIT_SM, *version)))
            .map(|tag| tag.0)
            .collect();
        let expected =
            [0x1D, 0x1E, 0x210, 0x420, 0x422, 0x423, 0x425, 0x427, 0x428].into_iter().chain(0x600..=0x60A);
        assert_eq!(never, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_tag_knows_its_first_version() {
        assert_eq!(Tag::MS_VALIDITY.since(), Some(V3_4));
        assert_eq!(Tag::BILLING_IDENTIFICATION.since(), Some(V5_0));
        assert_eq!(Tag(0x1400).since(), None);
    }
}
