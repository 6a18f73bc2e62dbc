//! command_status: how a request ended (SMPP 3.4 §5.1.3, SMPP 5.0 §4.7.6), and which status answers which fault.

use crate::error::{Problem, ProblemClass};

open_code! {
    /// command_status. Constants are named as in SMPP 5.0 without `ESME_`; older names stand in brackets.
    ///
    /// 0x400–0x4FF belong to the vendors of message centres and mean what each of them likes.
    CommandStatus(u32, "8") {
        /// Success.
        ROK = 0x00, "ESME_ROK";
        /// Message length.
        RINVMSGLEN = 0x01, "ESME_RINVMSGLEN";
        /// command_length.
        RINVCMDLEN = 0x02, "ESME_RINVCMDLEN";
        /// Command id.
        RINVCMDID = 0x03, "ESME_RINVCMDID";
        /// Wrong bind state for the command.
        RINVBNDSTS = 0x04, "ESME_RINVBNDSTS";
        /// Already bound.
        RALYBND = 0x05, "ESME_RALYBND";
        /// priority_flag.
        RINVPRTFLG = 0x06, "ESME_RINVPRTFLG";
        /// registered_delivery.
        RINVREGDLVFLG = 0x07, "ESME_RINVREGDLVFLG";
        /// System error.
        RSYSERR = 0x08, "ESME_RSYSERR";
        /// Source address.
        RINVSRCADR = 0x0A, "ESME_RINVSRCADR";
        /// Destination address.
        RINVDSTADR = 0x0B, "ESME_RINVDSTADR";
        /// Message id.
        RINVMSGID = 0x0C, "ESME_RINVMSGID";
        /// Bind failed.
        RBINDFAIL = 0x0D, "ESME_RBINDFAIL";
        /// Password.
        RINVPASWD = 0x0E, "ESME_RINVPASWD";
        /// system_id.
        RINVSYSID = 0x0F, "ESME_RINVSYSID";
        /// cancel_sm failed.
        RCANCELFAIL = 0x11, "ESME_RCANCELFAIL";
        /// replace_sm failed.
        RREPLACEFAIL = 0x13, "ESME_RREPLACEFAIL";
        /// Queue full.
        RMSGQFUL = 0x14, "ESME_RMSGQFUL";
        /// service_type.
        RINVSERTYP = 0x15, "ESME_RINVSERTYP";
        /// number_of_dests.
        RINVNUMDESTS = 0x33, "ESME_RINVNUMDESTS";
        /// Distribution list name.
        RINVDLNAME = 0x34, "ESME_RINVDLNAME";
        /// dest_flag.
        RINVDESTFLAG = 0x40, "ESME_RINVDESTFLAG";
        /// Submit with replace failed / not supported.
        RINVSUBREP = 0x42, "ESME_RINVSUBREP";
        /// esm_class.
        RINVESMCLASS = 0x43, "ESME_RINVESMCLASS";
        /// Cannot submit to distribution list.
        RCNTSUBDL = 0x44, "ESME_RCNTSUBDL";
        /// Submission failed (general).
        RSUBMITFAIL = 0x45, "ESME_RSUBMITFAIL";
        /// Source TON.
        RINVSRCTON = 0x48, "ESME_RINVSRCTON";
        /// Source NPI.
        RINVSRCNPI = 0x49, "ESME_RINVSRCNPI";
        /// Destination TON.
        RINVDSTTON = 0x50, "ESME_RINVDSTTON";
        /// Destination NPI.
        RINVDSTNPI = 0x51, "ESME_RINVDSTNPI";
        /// system_type.
        RINVSYSTYP = 0x53, "ESME_RINVSYSTYP";
        /// replace_if_present_flag.
        RINVREPFLAG = 0x54, "ESME_RINVREPFLAG";
        /// Number of messages.
        RINVNUMMSGS = 0x55, "ESME_RINVNUMMSGS";
        /// Rate or window exceeded.
        RTHROTTLED = 0x58, "ESME_RTHROTTLED";
        /// schedule_delivery_time.
        RINVSCHED = 0x61, "ESME_RINVSCHED";
        /// validity_period.
        RINVEXPIRY = 0x62, "ESME_RINVEXPIRY";
        /// sm_default_msg_id unknown.
        RINVDFTMSGID = 0x63, "ESME_RINVDFTMSGID";
        /// Receiver: temporary.
        RX_T_APPN = 0x64, "ESME_RX_T_APPN";
        /// Receiver: permanent.
        RX_P_APPN = 0x65, "ESME_RX_P_APPN";
        /// Receiver: reject this message.
        RX_R_APPN = 0x66, "ESME_RX_R_APPN";
        /// query_sm failed.
        RQUERYFAIL = 0x67, "ESME_RQUERYFAIL";
        /// TLV part unreadable (3.4: RINVOPTPARSTREAM).
        RINVTLVSTREAM = 0xC0, "ESME_RINVTLVSTREAM";
        /// TLV not allowed here (3.4: ROPTPARNOTALLWD).
        RTLVNOTALLWD = 0xC1, "ESME_RTLVNOTALLWD";
        /// TLV length (3.4: RINVPARLEN).
        RINVTLVLEN = 0xC2, "ESME_RINVTLVLEN";
        /// Required TLV missing (3.4: RMISSINGOPTPARAM).
        RMISSINGTLV = 0xC3, "ESME_RMISSINGTLV";
        /// TLV value (3.4: RINVOPTPARAMVAL).
        RINVTLVVAL = 0xC4, "ESME_RINVTLVVAL";
        /// Transaction-mode delivery failed.
        RDELIVERYFAILURE = 0xFE, "ESME_RDELIVERYFAILURE";
        /// Unknown.
        RUNKNOWNERR = 0xFF, "ESME_RUNKNOWNERR";
        /// Not authorised for this service_type, from 5.0.
        RSERTYPUNAUTH = 0x100, "ESME_RSERTYPUNAUTH";
        /// Operation prohibited for this ESME, from 5.0.
        RPROHIBITED = 0x101, "ESME_RPROHIBITED";
        /// service_type unavailable, from 5.0.
        RSERTYPUNAVAIL = 0x102, "ESME_RSERTYPUNAVAIL";
        /// service_type denied, from 5.0.
        RSERTYPDENIED = 0x103, "ESME_RSERTYPDENIED";
        /// data_coding, from 5.0.
        RINVDCS = 0x104, "ESME_RINVDCS";
        /// source_addr_subunit, from 5.0.
        RINVSRCADDRSUBUNIT = 0x105, "ESME_RINVSRCADDRSUBUNIT";
        /// dest_addr_subunit, from 5.0.
        RINVDSTADDRSUBUNIT = 0x106, "ESME_RINVDSTADDRSUBUNIT";
        /// broadcast_frequency_interval, from 5.0.
        RINVBCASTFREQINT = 0x107, "ESME_RINVBCASTFREQINT";
        /// Area alias name, from 5.0.
        RINVBCASTALIAS_NAME = 0x108, "ESME_RINVBCASTALIAS_NAME";
        /// Area format, from 5.0.
        RINVBCASTAREAFMT = 0x109, "ESME_RINVBCASTAREAFMT";
        /// Number of areas, from 5.0.
        RINVNUMBCAST_AREAS = 0x10A, "ESME_RINVNUMBCAST_AREAS";
        /// broadcast_content_type, from 5.0.
        RINVBCASTCNTTYPE = 0x10B, "ESME_RINVBCASTCNTTYPE";
        /// broadcast_message_class, from 5.0.
        RINVBCASTMSGCLASS = 0x10C, "ESME_RINVBCASTMSGCLASS";
        /// broadcast_sm failed, from 5.0.
        RBCASTFAIL = 0x10D, "ESME_RBCASTFAIL";
        /// query_broadcast_sm failed, from 5.0.
        RBCASTQUERYFAIL = 0x10E, "ESME_RBCASTQUERYFAIL";
        /// cancel_broadcast_sm failed, from 5.0.
        RBCASTCANCELFAIL = 0x10F, "ESME_RBCASTCANCELFAIL";
        /// broadcast_rep_num, from 5.0.
        RINVBCAST_REP = 0x110, "ESME_RINVBCAST_REP";
        /// broadcast_service_group, from 5.0.
        RINVBCASTSRVGRP = 0x111, "ESME_RINVBCASTSRVGRP";
        /// broadcast_channel_indicator, from 5.0.
        RINVBCASTCHANIND = 0x112, "ESME_RINVBCASTCHANIND";
    }
}

impl CommandStatus {
    /// True for ESME_ROK.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// True for the range that each vendor of a message centre numbers as it likes (SMPP 3.4 §5.1.3).
    pub const fn is_vendor(self) -> bool {
        matches!(self.0, 0x400..=0x4FF)
    }
}

impl Problem {
    /// The command_status with which the fault is answered.
    pub fn status(&self) -> CommandStatus {
        match self.class {
            ProblemClass::HeaderLength
            | ProblemClass::PduIncomplete
            | ProblemClass::BodyTruncated
            | ProblemClass::BodyTrailing => CommandStatus::RINVCMDLEN,
            ProblemClass::HeaderCommandId => CommandStatus::RINVCMDID,
            ProblemClass::MsgLength => CommandStatus::RINVMSGLEN,
            ProblemClass::TlvStream => CommandStatus::RINVTLVSTREAM,
            ProblemClass::TlvLength => CommandStatus::RINVTLVLEN,
            ProblemClass::FieldUnterminated | ProblemClass::FieldTooLong | ProblemClass::ValueInvalid => {
                status_of_field(self.field).unwrap_or(CommandStatus::RINVCMDLEN)
            }
        }
    }
}

/// The status of a mandatory field that is broken. data_coding has one only from 5.0 on.
fn status_of_field(field: &str) -> Option<CommandStatus> {
    Some(match field {
        "system_id" => CommandStatus::RINVSYSID,
        "password" => CommandStatus::RINVPASWD,
        "system_type" => CommandStatus::RINVSYSTYP,
        "address_range" => CommandStatus::RBINDFAIL,
        "service_type" => CommandStatus::RINVSERTYP,
        "source_addr" => CommandStatus::RINVSRCADR,
        "source_addr_ton" => CommandStatus::RINVSRCTON,
        "source_addr_npi" => CommandStatus::RINVSRCNPI,
        "destination_addr" => CommandStatus::RINVDSTADR,
        "dest_addr_ton" => CommandStatus::RINVDSTTON,
        "dest_addr_npi" => CommandStatus::RINVDSTNPI,
        "esm_class" => CommandStatus::RINVESMCLASS,
        "priority_flag" => CommandStatus::RINVPRTFLG,
        "schedule_delivery_time" => CommandStatus::RINVSCHED,
        "validity_period" => CommandStatus::RINVEXPIRY,
        "registered_delivery" => CommandStatus::RINVREGDLVFLG,
        "replace_if_present_flag" => CommandStatus::RINVREPFLAG,
        "data_coding" => CommandStatus::RINVDCS,
        "sm_default_msg_id" => CommandStatus::RINVDFTMSGID,
        "sm_length" | "short_message" => CommandStatus::RINVMSGLEN,
        "message_id" => CommandStatus::RINVMSGID,
        "number_of_dests" => CommandStatus::RINVNUMDESTS,
        "dest_flag" => CommandStatus::RINVDESTFLAG,
        "dl_name" => CommandStatus::RINVDLNAME,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    fn problem(class: ProblemClass, field: &'static str) -> CommandStatus {
        Problem { class, field, offset: 0, detail: Detail::None }.status()
    }

    #[test]
    fn a_broken_field_has_its_own_status() {
        assert_eq!(problem(ProblemClass::FieldTooLong, "source_addr").0, 0x0A);
        assert_eq!(problem(ProblemClass::FieldTooLong, "validity_period").0, 0x62);
        assert_eq!(problem(ProblemClass::ValueInvalid, "dest_flag").0, 0x40);
        assert_eq!(problem(ProblemClass::FieldTooLong, "esme_addr").0, 0x02);
        assert_eq!(problem(ProblemClass::BodyTruncated, "source_addr").0, 0x02);
        assert_eq!(problem(ProblemClass::MsgLength, "short_message").0, 0x01);
        assert_eq!(problem(ProblemClass::TlvStream, "tlv").0, 0xC0);
    }

    #[test]
    fn names_are_those_of_the_specification() {
        assert_eq!(CommandStatus(0x58).name(), Some("ESME_RTHROTTLED"));
        assert_eq!(CommandStatus(0x58).to_string(), "ESME_RTHROTTLED (0x00000058)");
        assert_eq!(CommandStatus(0x400).to_string(), "0x00000400");
        assert!(CommandStatus(0x4FF).is_vendor());
        assert_eq!(CommandStatus::RINVDSTTON.0, 0x50);
        assert_eq!(CommandStatus::RINVBCASTCHANIND.0, 0x112);
    }
}
