//! The codes inside optional parameters, by name (SMPP 3.4 §5.3.2, SMPP 5.0 §4.8.4).

open_code! {
    /// dest_addr_subunit and source_addr_subunit: which part of the phone is meant (SMPP 3.4 §5.3.2.1, §5.3.2.2).
    Subunit(u8, "2") {
        /// Unknown, the default.
        UNKNOWN = 0, "unknown";
        /// The display: a message of class 0.
        MS_DISPLAY = 1, "MS display";
        /// The phone itself.
        MOBILE_EQUIPMENT = 2, "mobile equipment";
        /// The SIM, as a rule.
        SMART_CARD_1 = 3, "smart card 1";
        /// What is connected to the phone.
        EXTERNAL_UNIT_1 = 4, "external unit 1";
    }
}

open_code! {
    /// dest_network_type and source_network_type (SMPP 3.4 §5.3.2.3, §5.3.2.4).
    NetworkType(u8, "2") {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// GSM.
        GSM = 1, "GSM";
        /// ANSI-136, TDMA.
        TDMA = 2, "TDMA";
        /// IS-95, CDMA.
        CDMA = 3, "CDMA";
        /// PDC.
        PDC = 4, "PDC";
        /// PHS.
        PHS = 5, "PHS";
        /// iDEN.
        IDEN = 6, "iDEN";
        /// AMPS.
        AMPS = 7, "AMPS";
        /// A paging network.
        PAGING = 8, "paging network";
    }
}

open_code! {
    /// dest_bearer_type and source_bearer_type (SMPP 3.4 §5.3.2.5, §5.3.2.6).
    BearerType(u8, "2") {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// SMS.
        SMS = 1, "SMS";
        /// Circuit switched data.
        CSD = 2, "circuit switched data";
        /// Packet data.
        PACKET_DATA = 3, "packet data";
        /// USSD.
        USSD = 4, "USSD";
        /// CDPD.
        CDPD = 5, "CDPD";
        /// DataTAC.
        DATATAC = 6, "DataTAC";
        /// FLEX and ReFLEX.
        FLEX = 7, "FLEX/ReFLEX";
        /// Cell broadcast.
        CELL_BROADCAST = 8, "cell broadcast";
    }
}

open_code! {
    /// payload_type: who reads the payload (SMPP 3.4 §5.3.2.10).
    PayloadType(u8, "2") {
        /// The default; with ports it is a WDP message.
        DEFAULT = 0, "default (WDP)";
        /// A WCMP message.
        WCMP = 1, "WCMP";
    }
}

open_code! {
    /// privacy_indicator (SMPP 3.4 §5.3.2.14).
    Privacy(u8, "2") {
        /// Level 0, the default.
        NOT_RESTRICTED = 0, "not restricted";
        /// Level 1.
        RESTRICTED = 1, "restricted";
        /// Level 2.
        CONFIDENTIAL = 2, "confidential";
        /// Level 3.
        SECRET = 3, "secret";
    }
}

open_code! {
    /// First octet of a subaddress (SMPP 3.4 §5.3.2.15).
    SubaddressKind(u8, "2") {
        /// NSAP, an even number of digits.
        NSAP_EVEN = 0x80, "NSAP, even";
        /// NSAP, an odd number of digits.
        NSAP_ODD = 0x88, "NSAP, odd";
        /// User specified.
        USER = 0xA0, "user specified";
    }
}

open_code! {
    /// language_indicator (SMPP 3.4 §5.3.2.19).
    Language(u8, "2") {
        /// Unspecified, the default.
        UNSPECIFIED = 0, "unspecified";
        /// English.
        ENGLISH = 1, "English";
        /// French.
        FRENCH = 2, "French";
        /// Spanish.
        SPANISH = 3, "Spanish";
        /// German.
        GERMAN = 4, "German";
        /// Portuguese; from 5.0.
        PORTUGUESE = 5, "Portuguese";
    }
}

open_code! {
    /// First octet of callback_num: how its digits are written (SMPP 3.4 §5.3.2.36).
    DigitMode(u8, "2") {
        /// DTMF digits, two an octet.
        TBCD = 0, "TBCD";
        /// One character an octet.
        ASCII = 1, "ASCII";
    }
}

open_code! {
    /// Bits 3–2 of callback_num_pres_ind (SMPP 3.4 §5.3.2.37).
    Presentation(u8, "2") {
        /// May be shown.
        ALLOWED = 0, "presentation allowed";
        /// Is not to be shown.
        RESTRICTED = 1, "presentation restricted";
        /// There is no number.
        NOT_AVAILABLE = 2, "number not available";
    }
}

open_code! {
    /// Bits 1–0 of callback_num_pres_ind (SMPP 3.4 §5.3.2.37).
    Screening(u8, "2") {
        /// From the user, not screened.
        NOT_SCREENED = 0, "user provided, not screened";
        /// From the user, verified and passed.
        PASSED = 1, "user provided, verified and passed";
        /// From the user, verified and failed.
        FAILED = 2, "user provided, verified and failed";
        /// From the network.
        NETWORK = 3, "network provided";
    }
}

open_code! {
    /// A yes or no of one octet: dpf_result, set_dpf, more_messages_to_send (SMPP 3.4 §5.3.2.28, §5.3.2.29, §5.3.2.34).
    Flag(u8, "2") {
        /// No.
        NO = 0, "no";
        /// Yes.
        YES = 1, "yes";
    }
}

open_code! {
    /// ms_availability_status (SMPP 3.4 §5.3.2.30).
    Availability(u8, "2") {
        /// Within reach.
        AVAILABLE = 0, "available";
        /// Denied, for example by a suspended subscription.
        DENIED = 1, "denied";
        /// Out of reach.
        UNAVAILABLE = 2, "unavailable";
    }
}

open_code! {
    /// First octet of network_error_code: whose codes they are (SMPP 3.4 §5.3.2.31, SMPP 5.0 §4.8.4.42).
    ErrorNetwork(u8, "2") {
        /// Access denied reason of ANSI-136.
        ANSI_136_ACCESS_DENIED = 1, "ANSI-136 access denied";
        /// Access denied reason of IS-95.
        IS_95_ACCESS_DENIED = 2, "IS-95 access denied";
        /// GSM.
        GSM = 3, "GSM";
        /// Cause code of ANSI-136; from 5.0.
        ANSI_136 = 4, "ANSI-136";
        /// Cause code of IS-95; from 5.0.
        IS_95 = 5, "IS-95";
        /// ANSI-41; from 5.0.
        ANSI_41 = 6, "ANSI-41";
        /// A command_status; from 5.0.
        SMPP = 7, "SMPP";
        /// Of this message centre; from 5.0.
        MESSAGE_CENTRE = 8, "message centre";
    }
}

impl ErrorNetwork {
    /// Name of an error that is known in this network: the MAP and TP causes that GSM networks give (3GPP TS 29.002
    /// §17.6.6, 3GPP TS 23.040 §3.3).
    pub const fn cause(self, code: u16) -> Option<&'static str> {
        match (self, code) {
            (_, 0) => Some("no error"),
            (ErrorNetwork::GSM, 1) => Some("unknown subscriber"),
            (ErrorNetwork::GSM, 6) => Some("absent subscriber for SM"),
            (ErrorNetwork::GSM, 11) => Some("teleservice not provisioned"),
            (ErrorNetwork::GSM, 13) => Some("call barred"),
            (ErrorNetwork::GSM, 21) => Some("facility not supported"),
            (ErrorNetwork::GSM, 27) => Some("absent subscriber"),
            (ErrorNetwork::GSM, 31) => Some("subscriber busy"),
            (ErrorNetwork::GSM, 32) => Some("delivery failure"),
            (ErrorNetwork::GSM, 34) => Some("system failure"),
            _ => None,
        }
    }
}

open_code! {
    /// delivery_failure_reason (SMPP 3.4 §5.3.2.33).
    FailureReason(u8, "2") {
        /// The destination is out of reach.
        UNAVAILABLE = 0, "destination unavailable";
        /// The destination address is invalid.
        INVALID_ADDRESS = 1, "destination address invalid";
        /// The network fails for good.
        PERMANENT = 2, "permanent network error";
        /// The network fails for now.
        TEMPORARY = 3, "temporary network error";
    }
}

open_code! {
    /// ussd_service_op (SMPP 3.4 §5.3.2.44).
    UssdOperation(u8, "2") {
        /// PSSD indication.
        PSSD_INDICATION = 0, "PSSD indication";
        /// PSSR indication.
        PSSR_INDICATION = 1, "PSSR indication";
        /// USSR request.
        USSR_REQUEST = 2, "USSR request";
        /// USSN request.
        USSN_REQUEST = 3, "USSN request";
        /// PSSD response.
        PSSD_RESPONSE = 16, "PSSD response";
        /// PSSR response.
        PSSR_RESPONSE = 17, "PSSR response";
        /// USSR confirm.
        USSR_CONFIRM = 18, "USSR confirm";
        /// USSN confirm.
        USSN_CONFIRM = 19, "USSN confirm";
    }
}

open_code! {
    /// dest_addr_np_resolution: what is known of number portability (SMPP 5.0 §4.8.4.22).
    Portability(u8, "2") {
        /// Nobody asked.
        NOT_QUERIED = 0, "not queried";
        /// Asked: the number is not ported.
        NOT_PORTED = 1, "not ported";
        /// Asked: the number is ported.
        PORTED = 2, "ported";
    }
}

open_code! {
    /// display_time (SMPP 3.4 §5.3.2.26).
    DisplayTime(u8, "2") {
        /// For a while.
        TEMPORARY = 0, "temporary";
        /// As the phone likes.
        DEFAULT = 1, "default";
        /// Until the user does something.
        INVOKE = 2, "invoke";
    }
}

open_code! {
    /// First octet of ms_validity: when the phone forgets the message (SMPP 3.4 §5.3.2.27, SMPP 5.0 §4.8.4.41).
    ValidityKind(u8, "2") {
        /// Never, the default.
        INDEFINITE = 0, "store indefinitely";
        /// When it is switched off.
        POWER_DOWN = 1, "until power down";
        /// When it leaves the area.
        AREA = 2, "until the area changes";
        /// At once: it is only shown.
        DISPLAY_ONLY = 3, "display only";
        /// After some time, counted from the reception; from 5.0.
        RELATIVE = 4, "relative";
    }
}

open_code! {
    /// Second octet of ms_validity (SMPP 5.0 §4.8.4.41).
    ValidityUnit(u8, "2") {
        /// Seconds.
        SECONDS = 0, "seconds";
        /// Minutes.
        MINUTES = 1, "minutes";
        /// Hours.
        HOURS = 2, "hours";
        /// Days.
        DAYS = 3, "days";
        /// Weeks.
        WEEKS = 4, "weeks";
        /// Months.
        MONTHS = 5, "months";
        /// Years.
        YEARS = 6, "years";
    }
}

open_code! {
    /// alert_on_message_delivery, where it has a value (SMPP 5.0 §4.8.4.2).
    AlertPriority(u8, "2") {
        /// The default alert.
        DEFAULT = 0, "default";
        /// Low priority.
        LOW = 1, "low priority";
        /// Medium priority.
        MEDIUM = 2, "medium priority";
        /// High priority.
        HIGH = 3, "high priority";
    }
}

open_code! {
    /// its_reply_type: what the user may answer (SMPP 3.4 §5.3.2.42).
    ItsReply(u8, "2") {
        /// One digit.
        DIGIT = 0, "digit";
        /// A number.
        NUMBER = 1, "number";
        /// A telephone number.
        TELEPHONE_NUMBER = 2, "telephone number";
        /// A password.
        PASSWORD = 3, "password";
        /// A line of characters.
        CHARACTER_LINE = 4, "character line";
        /// An entry of a menu.
        MENU = 5, "menu";
        /// A date.
        DATE = 6, "date";
        /// A time.
        TIME = 7, "time";
        /// That it may go on.
        CONTINUE = 8, "continue";
    }
}
