//! What the value of an optional parameter says, for every tag of 3.4 and 5.0 (SMPP 3.4 §5.3.2, SMPP 5.0 §4.8.4).
//!
//! A reading borrows the octets and never fails: a value of the wrong length is [`TlvValue::Malformed`], a code without
//! a name stays a number. Integers are read by value from 1–4 octets, because centres write other widths.

use super::broadcast::{
    AreaFormat, BroadcastChannel, BroadcastClass, ContentNetwork, ContentType, IntervalUnit,
};
use super::codes::{
    AlertPriority, Availability, BearerType, DigitMode, DisplayTime, ErrorNetwork, FailureReason, Flag,
    ItsReply, Language, NetworkType, PayloadType, Portability, Presentation, Privacy, Screening,
    SubaddressKind, Subunit, UssdOperation, ValidityKind, ValidityUnit,
};
use super::one::number_of;
use super::{Tag, Tlv, Tlvs};
use crate::field::{CommandStatus, DataCoding, InterfaceVersion, MessageState, Npi, Ton};

/// The value of an optional parameter, read (SMPP 3.4 §5.3.2, SMPP 5.0 §4.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlvValue<'a> {
    /// dest_addr_subunit, source_addr_subunit (SMPP 3.4 §5.3.2.1, §5.3.2.2).
    Subunit(Subunit),
    /// dest_network_type, source_network_type (SMPP 3.4 §5.3.2.3, §5.3.2.4).
    Network(NetworkType),
    /// dest_bearer_type, source_bearer_type (SMPP 3.4 §5.3.2.5, §5.3.2.6).
    Bearer(BearerType),
    /// dest_telematics_id, source_telematics_id (SMPP 3.4 §5.3.2.7, §5.3.2.8).
    Telematics {
        /// The protocol identifier, as protocol_id.
        protocol_id: u8,
        /// The second octet, reserved. Libraries that write a number of 16 bits have the identifier here.
        reserved: Option<u8>,
    },
    /// qos_time_to_live, in seconds (SMPP 3.4 §5.3.2.9).
    Seconds(u32),
    /// payload_type (SMPP 3.4 §5.3.2.10).
    Payload(PayloadType),
    /// A C-octet string without its NUL: additional_status_info_text, receipted_message_id, broadcast_end_time,
    /// source_network_id, dest_network_id (SMPP 3.4 §5.3.2.11, §5.3.2.12; SMPP 5.0 §4.8.4.9, §4.8.4.25, §4.8.4.56).
    Text(&'a [u8]),
    /// ms_msg_wait_facilities (SMPP 3.4 §5.3.2.13).
    MessageWaiting {
        /// Set the indication, or clear it.
        active: bool,
        /// Bits 1–0: 0 voicemail, 1 fax, 2 email, 3 other.
        kind: u8,
    },
    /// privacy_indicator (SMPP 3.4 §5.3.2.14).
    Privacy(Privacy),
    /// source_subaddress, dest_subaddress (SMPP 3.4 §5.3.2.15, §5.3.2.16).
    Subaddress {
        /// How the rest is written.
        kind: SubaddressKind,
        /// The subaddress.
        data: &'a [u8],
    },
    /// A number without further meaning: references, counts and sequence numbers (SMPP 3.4 §5.3.2.17, §5.3.2.18,
    /// §5.3.2.22 to §5.3.2.24, §5.3.2.39, §5.3.2.40).
    Number(u32),
    /// language_indicator (SMPP 3.4 §5.3.2.19).
    Language(Language),
    /// source_port, dest_port (SMPP 3.4 §5.3.2.20, §5.3.2.21).
    Port(u16),
    /// sc_interface_version (SMPP 3.4 §5.3.2.25).
    Version(InterfaceVersion),
    /// display_time (SMPP 3.4 §5.3.2.26).
    DisplayTime(DisplayTime),
    /// ms_validity (SMPP 3.4 §5.3.2.27, SMPP 5.0 §4.8.4.41).
    Validity {
        /// When the phone forgets the message.
        kind: ValidityKind,
        /// Unit and count, where four octets were given (5.0).
        period: Option<(ValidityUnit, u16)>,
    },
    /// dpf_result, set_dpf, more_messages_to_send (SMPP 3.4 §5.3.2.28, §5.3.2.29, §5.3.2.34).
    Flag(Flag),
    /// ms_availability_status (SMPP 3.4 §5.3.2.30).
    Availability(Availability),
    /// network_error_code (SMPP 3.4 §5.3.2.31).
    NetworkError {
        /// Whose codes they are.
        network: ErrorNetwork,
        /// The code.
        code: u16,
    },
    /// network_error_code whose three octets are the ASCII digits of the `err` of a receipt, as some centres write it.
    ErrorDigits(&'a [u8]),
    /// message_payload: user data (SMPP 3.4 §5.3.2.32).
    UserData(&'a [u8]),
    /// delivery_failure_reason (SMPP 3.4 §5.3.2.33).
    Failure(FailureReason),
    /// message_state (SMPP 3.4 §5.3.2.35).
    State(MessageState),
    /// callback_num (SMPP 3.4 §5.3.2.36).
    Callback {
        /// How the digits are written.
        mode: DigitMode,
        /// Type of number.
        ton: Ton,
        /// Numbering plan.
        npi: Npi,
        /// The digits.
        digits: &'a [u8],
    },
    /// callback_num_pres_ind (SMPP 3.4 §5.3.2.37).
    CallbackPresentation(Presentation, Screening),
    /// callback_num_atag (SMPP 3.4 §5.3.2.38).
    CallbackDisplay {
        /// The alphabet of the text.
        coding: DataCoding,
        /// What is shown for the number.
        text: &'a [u8],
    },
    /// alert_on_message_delivery: its presence is what it says; from 5.0 it may have a priority (SMPP 3.4 §5.3.2.41,
    /// SMPP 5.0 §4.8.4.2).
    Alert(Option<AlertPriority>),
    /// its_reply_type (SMPP 3.4 §5.3.2.42).
    ItsReply(ItsReply),
    /// its_session_info (SMPP 3.4 §5.3.2.43).
    ItsSession {
        /// Number of the session.
        session: u8,
        /// Number of the dialogue unit in the session, 0–127.
        sequence: u8,
        /// The session ends here.
        ends: bool,
    },
    /// ussd_service_op (SMPP 3.4 §5.3.2.44).
    Ussd(UssdOperation),
    /// congestion_state in percent, 0–100 (SMPP 5.0 §4.8.4.18).
    Congestion(u8),
    /// billing_identification (SMPP 5.0 §4.8.4.3).
    Billing {
        /// Bit 7 set: a format of the vendor.
        format: u8,
        /// The billing information.
        data: &'a [u8],
    },
    /// source_node_id, dest_node_id: six digits (SMPP 5.0 §4.8.4.27, §4.8.4.58).
    Node(&'a [u8]),
    /// dest_addr_np_resolution (SMPP 5.0 §4.8.4.22).
    Portability(Portability),
    /// dest_addr_np_information: the routing number (SMPP 5.0 §4.8.4.21).
    RoutingNumber(&'a [u8]),
    /// dest_addr_np_country: a country code in 1–5 octets (SMPP 5.0 §4.8.4.20).
    Country(u64),
    /// broadcast_channel_indicator (SMPP 5.0 §4.8.4.7).
    BroadcastChannel(BroadcastChannel),
    /// broadcast_content_type (SMPP 5.0 §4.8.4.8).
    BroadcastContent {
        /// Whose types they are.
        network: ContentNetwork,
        /// The type; the names are those of the generic network.
        content: ContentType,
    },
    /// broadcast_message_class (SMPP 5.0 §4.8.4.12).
    BroadcastClass(BroadcastClass),
    /// broadcast_rep_num; 0 means until the validity ends (SMPP 5.0 §4.8.4.13).
    Repetitions(u16),
    /// broadcast_frequency_interval (SMPP 5.0 §4.8.4.11).
    BroadcastInterval {
        /// The unit.
        unit: IntervalUnit,
        /// How many of it.
        count: u16,
    },
    /// broadcast_area_identifier, failed_broadcast_area_identifier (SMPP 5.0 §4.8.4.4).
    BroadcastArea {
        /// How the rest is written.
        format: AreaFormat,
        /// The area.
        data: &'a [u8],
    },
    /// broadcast_error_status (SMPP 5.0 §4.8.4.10).
    Status(CommandStatus),
    /// broadcast_area_success in percent, 0–100; 255 means unknown (SMPP 5.0 §4.8.4.5).
    AreaSuccess(u8),
    /// Octets as they are: broadcast_content_type_info, broadcast_service_group (SMPP 5.0 §4.8.4.6, §4.8.4.14).
    Octets(&'a [u8]),
    /// A tag of a vendor, or without a name.
    Unknown(&'a [u8]),
    /// A value of a length that the tag does not have.
    Malformed(&'a [u8]),
}

impl<'a> TlvValue<'a> {
    /// Reads the value of a parameter with this tag.
    pub fn read(tag: Tag, octets: &'a [u8]) -> TlvValue<'a> {
        if tag.name().is_none() {
            return TlvValue::Unknown(octets);
        }
        structure(tag, octets)
            .or_else(|| code(tag, number_of(octets)?))
            .unwrap_or(TlvValue::Malformed(octets))
    }
}

impl Tlv {
    /// What the value says.
    pub fn read(&self) -> TlvValue<'_> {
        TlvValue::read(self.tag, &self.value)
    }
}

impl Tlvs {
    /// What the first parameter with this tag says.
    pub fn read_value(&self, tag: Tag) -> Option<TlvValue<'_>> {
        self.find(tag).map(Tlv::read)
    }

    /// The callback numbers, each with its presentation and display, which are matched by their order
    /// (SMPP 3.4 §5.3.2.36 to §5.3.2.38).
    pub fn callbacks(&self) -> impl Iterator<Item = Callback<'_>> {
        let mut presentations = self.all(Tag::CALLBACK_NUM_PRES_IND);
        let mut displays = self.all(Tag::CALLBACK_NUM_ATAG);
        self.all(Tag::CALLBACK_NUM).map(move |number| Callback {
            number: TlvValue::read(Tag::CALLBACK_NUM, number),
            presentation: presentations
                .next()
                .map(|octets| TlvValue::read(Tag::CALLBACK_NUM_PRES_IND, octets)),
            display: displays.next().map(|octets| TlvValue::read(Tag::CALLBACK_NUM_ATAG, octets)),
        })
    }
}

/// One number to call back, with what goes with it (SMPP 3.4 §5.3.2.36 to §5.3.2.38).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback<'a> {
    /// callback_num.
    pub number: TlvValue<'a>,
    /// callback_num_pres_ind of the same place in the order.
    pub presentation: Option<TlvValue<'a>>,
    /// callback_num_atag of the same place in the order.
    pub display: Option<TlvValue<'a>>,
}

/// Values of several fields, and those that are no numbers.
fn structure(tag: Tag, octets: &[u8]) -> Option<TlvValue<'_>> {
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    Some(match (tag, octets) {
        (Tag::DEST_TELEMATICS_ID | Tag::SOURCE_TELEMATICS_ID, &[protocol_id, ref rest @ ..])
            if rest.len() < 2 =>
        {
            TlvValue::Telematics { protocol_id, reserved: rest.first().copied() }
        }
        (
            Tag::ADDITIONAL_STATUS_INFO_TEXT
            | Tag::RECEIPTED_MESSAGE_ID
            | Tag::BROADCAST_END_TIME
            | Tag::SOURCE_NETWORK_ID
            | Tag::DEST_NETWORK_ID,
            text,
        ) => TlvValue::Text(text.split(|octet| *octet == 0).next().unwrap_or_default()),
        (Tag::SOURCE_SUBADDRESS | Tag::DEST_SUBADDRESS, [kind, data @ ..]) => {
            TlvValue::Subaddress { kind: SubaddressKind(*kind), data }
        }
        (Tag::MS_VALIDITY, [kind]) => TlvValue::Validity { kind: ValidityKind(*kind), period: None },
        (Tag::MS_VALIDITY, [kind, unit, high, low]) => TlvValue::Validity {
            kind: ValidityKind(*kind),
            period: Some((ValidityUnit(*unit), word(*high, *low))),
        },
        (Tag::NETWORK_ERROR_CODE, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9']) => TlvValue::ErrorDigits(octets),
        (Tag::NETWORK_ERROR_CODE, [network, high, low]) => {
            TlvValue::NetworkError { network: ErrorNetwork(*network), code: word(*high, *low) }
        }
        (Tag::MESSAGE_PAYLOAD, data) => TlvValue::UserData(data),
        (Tag::CALLBACK_NUM, [mode, ton, npi, digits @ ..]) => {
            TlvValue::Callback { mode: DigitMode(*mode), ton: Ton(*ton), npi: Npi(*npi), digits }
        }
        (Tag::CALLBACK_NUM_ATAG, [coding, text @ ..]) => {
            TlvValue::CallbackDisplay { coding: DataCoding(*coding), text }
        }
        (Tag::ALERT_ON_MESSAGE_DELIVERY, []) => TlvValue::Alert(None),
        (Tag::ITS_SESSION_INFO, [session, rest]) => {
            TlvValue::ItsSession { session: *session, sequence: rest >> 1, ends: rest & 1 == 1 }
        }
        (Tag::BILLING_IDENTIFICATION, [format, data @ ..]) => TlvValue::Billing { format: *format, data },
        (Tag::SOURCE_NODE_ID | Tag::DEST_NODE_ID, digits) => TlvValue::Node(digits),
        (Tag::DEST_ADDR_NP_INFORMATION, digits) => TlvValue::RoutingNumber(digits),
        (Tag::DEST_ADDR_NP_COUNTRY, [_, ..]) if octets.len() <= 5 => {
            TlvValue::Country(octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
        }
        (Tag::BROADCAST_CONTENT_TYPE, [network, high, low]) => TlvValue::BroadcastContent {
            network: ContentNetwork(*network),
            content: ContentType(word(*high, *low)),
        },
        (Tag::BROADCAST_FREQUENCY_INTERVAL, [unit, high, low]) => {
            TlvValue::BroadcastInterval { unit: IntervalUnit(*unit), count: word(*high, *low) }
        }
        (Tag::BROADCAST_AREA_IDENTIFIER, [format, data @ ..]) => {
            TlvValue::BroadcastArea { format: AreaFormat(*format), data }
        }
        (Tag::BROADCAST_CONTENT_TYPE_INFO | Tag::BROADCAST_SERVICE_GROUP, octets) => TlvValue::Octets(octets),
        _ => return None,
    })
}

/// Values that are one number. One that the field cannot hold is none.
fn code(tag: Tag, number: u32) -> Option<TlvValue<'static>> {
    let octet = u8::try_from(number);
    let word = u16::try_from(number);
    Some(match tag {
        Tag::DEST_ADDR_SUBUNIT | Tag::SOURCE_ADDR_SUBUNIT => TlvValue::Subunit(Subunit(octet.ok()?)),
        Tag::DEST_NETWORK_TYPE | Tag::SOURCE_NETWORK_TYPE => TlvValue::Network(NetworkType(octet.ok()?)),
        Tag::DEST_BEARER_TYPE | Tag::SOURCE_BEARER_TYPE => TlvValue::Bearer(BearerType(octet.ok()?)),
        Tag::QOS_TIME_TO_LIVE => TlvValue::Seconds(number),
        Tag::PAYLOAD_TYPE => TlvValue::Payload(PayloadType(octet.ok()?)),
        Tag::MS_MSG_WAIT_FACILITIES => {
            let octet = octet.ok()?;
            TlvValue::MessageWaiting { active: octet & 0x80 != 0, kind: octet & 0x03 }
        }
        Tag::PRIVACY_INDICATOR => TlvValue::Privacy(Privacy(octet.ok()?)),
        Tag::LANGUAGE_INDICATOR => TlvValue::Language(Language(octet.ok()?)),
        Tag::SOURCE_PORT | Tag::DEST_PORT => TlvValue::Port(word.ok()?),
        Tag::SC_INTERFACE_VERSION => TlvValue::Version(InterfaceVersion(octet.ok()?)),
        Tag::DISPLAY_TIME => TlvValue::DisplayTime(DisplayTime(octet.ok()?)),
        Tag::DPF_RESULT | Tag::SET_DPF | Tag::MORE_MESSAGES_TO_SEND => TlvValue::Flag(Flag(octet.ok()?)),
        Tag::MS_AVAILABILITY_STATUS => TlvValue::Availability(Availability(octet.ok()?)),
        Tag::DELIVERY_FAILURE_REASON => TlvValue::Failure(FailureReason(octet.ok()?)),
        Tag::MESSAGE_STATE => TlvValue::State(MessageState(octet.ok()?)),
        Tag::CALLBACK_NUM_PRES_IND => {
            let octet = octet.ok()?;
            TlvValue::CallbackPresentation(Presentation(octet >> 2 & 0x03), Screening(octet & 0x03))
        }
        Tag::ALERT_ON_MESSAGE_DELIVERY => TlvValue::Alert(Some(AlertPriority(octet.ok()?))),
        Tag::ITS_REPLY_TYPE => TlvValue::ItsReply(ItsReply(octet.ok()?)),
        Tag::USSD_SERVICE_OP => TlvValue::Ussd(UssdOperation(octet.ok()?)),
        Tag::CONGESTION_STATE => TlvValue::Congestion(octet.ok()?),
        Tag::DEST_ADDR_NP_RESOLUTION => TlvValue::Portability(Portability(octet.ok()?)),
        Tag::BROADCAST_CHANNEL_INDICATOR => TlvValue::BroadcastChannel(BroadcastChannel(octet.ok()?)),
        Tag::BROADCAST_MESSAGE_CLASS => TlvValue::BroadcastClass(BroadcastClass(octet.ok()?)),
        Tag::BROADCAST_REP_NUM => TlvValue::Repetitions(word.ok()?),
        Tag::BROADCAST_ERROR_STATUS => TlvValue::Status(CommandStatus(number)),
        Tag::BROADCAST_AREA_SUCCESS => TlvValue::AreaSuccess(octet.ok()?),
        Tag::USER_MESSAGE_REFERENCE | Tag::SAR_MSG_REF_NUM | Tag::SMS_SIGNAL => {
            TlvValue::Number(word.ok()?.into())
        }
        Tag::USER_RESPONSE_CODE
        | Tag::SAR_TOTAL_SEGMENTS
        | Tag::SAR_SEGMENT_SEQNUM
        | Tag::NUMBER_OF_MESSAGES => TlvValue::Number(octet.ok()?.into()),
        _ => return None,
    })
}
