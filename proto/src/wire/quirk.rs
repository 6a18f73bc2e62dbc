//! Departures from the specification that readers know, each with a name, and sets of them.

use std::fmt;

macro_rules! quirks {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// A departure from the specification that is known from the field.
        ///
        /// The doc of each says what it is, who is known to do it, and what a reader that does not forgive it answers.
        /// Reading and [`rules`](crate::rules) note those they meet; writing has none of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Quirk {
            $($(#[$doc])* $name,)*
        }

        impl Quirk {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Quirk] = &[$(Quirk::$name,)*];

            /// The quirk as a fixed word for settings, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Quirk::$name => $word,)*
                }
            }
        }
    };
}

quirks! {
    /// A sequence number of 0 or above 0x7FFFFFFF (L-07): smscsim users, clients that run for years. Always echoed.
    SequenceRange = "sequence_range";
    /// A request with a command_status (SMPP 3.4 §3.2 sets it to null). Always ignored.
    StatusInRequest = "status_in_request";
    /// Octets, not a row of TLVs, in a PDU without a body (L-05): php-smpp writes one NUL; and 1–3 of them behind a bind.
    /// Else RINVCMDLEN, and for a bind RINVTLVSTREAM.
    StrayOctets = "stray_octets";
    /// password of more than 8 octets (L-01): Infobip prescribes them; smpplib, jsmpp send them. Else RINVPASWD.
    LongPassword = "long_password";
    /// A bind that ends before address_range, read as an empty one. Else RINVCMDLEN.
    MissingAddressRange = "missing_address_range";
    /// A C-octet string one octet over its limit (L-21): centres seen by Kannel. Else the status of the field. Off by
    /// default.
    OneOver = "one_over";
    /// TON or NPI outside the tables, or a destination with TON alphanumeric (L-11): most clients. The octet counts as
    /// unknown. Else RINVSRCTON, RINVSRCNPI, RINVDSTTON, RINVDSTNPI.
    TonNpi = "ton_npi";
    /// A sender of letters whose TON is not alphanumeric, taken for alphanumeric. Else RINVSRCADR.
    LettersWithoutTon = "letters_without_ton";
    /// An alphanumeric sender with another NPI than 0 (L-13, 3GPP TS 23.040 §9.1.2.5): Vonage's documentation. Set to
    /// 0. Else RINVSRCNPI.
    AlphanumericNpi = "alphanumeric_npi";
    /// A leading `+` or `00`, blanks or hyphens in a destination (L-12): most clients. Taken away. Else RINVDSTADR.
    DestinationSpelling = "destination_spelling";
    /// service_type of no known name. Taken for the default by who does not know it. Else RINVSERTYP.
    ServiceType = "service_type";
    /// esm_class of a client with a reserved type, or one that only centres send. Read as an ordinary message. Else
    /// RINVESMCLASS. Off by default: a receipt must not go to a phone as a message.
    EsmClassType = "esm_class_type";
    /// Transaction mode in a submit_sm before 5.0. Sent as store and forward. Else RINVESMCLASS.
    TransactionMode = "transaction_mode";
    /// priority_flag above the range of the version. Lowered to its highest. Else RINVPRTFLG.
    PriorityRange = "priority_range";
    /// A relative time whose tenths or zone are not zero (L-38): Infobip's example. Ignored. Else RINVSCHED, RINVEXPIRY.
    RelativeTenths = "relative_tenths";
    /// A time of 12 digits, without tenths and zone: stacks of 3.3. Read as UTC. Else RINVSCHED, RINVEXPIRY.
    ShortTime = "short_time";
    /// Reserved bits of registered_delivery (L-15): LINK Mobility sends 0x21. Cleared. Else RINVREGDLVFLG.
    RegisteredBits = "registered_bits";
    /// registered_delivery asking for receipts on success only, before 5.0. Read as: every receipt. Else RINVREGDLVFLG.
    ReceiptOnSuccess = "receipt_on_success";
    /// data_coding 0x10–0x7F and 0xE0–0xEF, which SMPP reserves and GSM defines (L-18): flash as 0x10, 0x18, by Infobip
    /// and many clients. Read as 3GPP TS 23.038 §4. Else RINVDCS.
    GsmCoding = "gsm_coding";
    /// data_coding 0x0B, 0x0C, 0x0F, 0x80–0xBF, which nobody defines. Else RINVDCS. Off by default.
    ReservedCoding = "reserved_coding";
    /// sm_length 255 before 5.0, which ends at 254. Else RINVMSGLEN.
    FullMessage = "full_message";
    /// One zero octet behind short_message, with nothing after it (L-06): old python-smpp. Dropped. Else RINVTLVSTREAM.
    NulAfterMessage = "nul_after_message";
    /// short_message and message_payload both filled. The payload wins. Else RINVMSGLEN.
    BothTexts = "both_texts";
    /// A broken row of TLVs at the end of a delivery or a response, unless the text itself is in it (L-23): centres
    /// reported against jsmpp. Read as far as it goes. Else RINVTLVSTREAM.
    HalfTlv = "half_tlv";
    /// A known TLV that is not listed for the PDU (L-22): several centres; receipt TLVs in submissions. Left out. Else
    /// RTLVNOTALLWD.
    ForeignTlv = "foreign_tlv";
    /// A TLV that may come once comes again. The first counts. Else RTLVNOTALLWD.
    RepeatedTlv = "repeated_tlv";
    /// An integer TLV of 1–4 octets with another width than specified (L-20), and in a delivery a TLV of any wrong
    /// length: centres seen by Kannel. Read by value where it can be. Else RINVTLVLEN.
    TlvWidth = "tlv_width";
    /// source_telematics_id of two octets (L-44): node-smpp, smpplib, smpp.pdu. Else RINVTLVLEN.
    TelematicsWidth = "telematics_width";
    /// alert_on_message_delivery with an octet before 5.0 (L-45): jsmpp, node-smpp. Else RINVTLVLEN.
    AlertOctet = "alert_octet";
    /// A C-octet TLV without its NUL: many centres in receipted_message_id. Always read.
    TlvWithoutNul = "tlv_without_nul";
    /// A TLV with a value that is reserved. Left out. Else RINVTLVVAL.
    TlvValue = "tlv_value";
    /// Part of a sar group only. Left out. Else RMISSINGTLV.
    SarIncomplete = "sar_incomplete";
    /// A sar group that cannot be: part 0, no parts, a part beyond the last. Left out. Else RINVTLVVAL.
    SarImpossible = "sar_impossible";
    /// A response with status 0 that ends before its body, or before a count in it (L-03): clients and centres reported
    /// against cloudhopper and jsmpp. Counts as empty.
    ShortResponse = "short_response";
    /// A good response to a submission with an empty message_id (L-03). Always accepted; it cannot be tracked.
    NoMessageId = "no_message_id";
    /// The last string of a response without its NUL. Ends where the body ends.
    OpenResponse = "open_response";
    /// Behind an error status a body that cannot be read (L-04): many centres. Counts as none.
    ErrorBody = "error_body";
    /// system_id of a bind response over its limit (L-46): centres.
    LongSystemId = "long_system_id";
    /// deliver_sm_resp with a message_id (L-02): many clients. Always ignored.
    IdInDeliveryResponse = "id_in_delivery_response";
    /// Fields of deliver_sm that are unused there and filled: validity_period, schedule_delivery_time,
    /// replace_if_present_flag, sm_default_msg_id (L-37): several centres. Ignored. Else the status of the field.
    DeliveryExtras = "delivery_extras";
}

impl Quirk {
    /// The quirk of this word.
    pub fn of(word: &str) -> Option<Quirk> {
        Quirk::ALL.iter().copied().find(|quirk| quirk.as_str() == word)
    }

    /// True if no profile refuses it: nothing in the specification lets a reader answer it with an error.
    pub const fn is_always_forgiven(self) -> bool {
        Quirks::ALWAYS.has(self)
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of quirks: one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Quirks(u64);

impl Quirks {
    /// None.
    pub const NONE: Quirks = Quirks(0);

    /// Every one.
    pub const ALL: Quirks = Quirks((1 << Quirk::ALL.len()) - 1);

    /// Those that no profile refuses.
    pub const ALWAYS: Quirks = Quirks::NONE
        .with(Quirk::SequenceRange)
        .with(Quirk::StatusInRequest)
        .with(Quirk::TlvWithoutNul)
        .with(Quirk::NoMessageId)
        .with(Quirk::IdInDeliveryResponse);

    /// The set and this one.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Quirks {
        Quirks(self.0 | 1 << quirk as u8)
    }

    /// The set without this one.
    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Quirks {
        Quirks(self.0 & !(1 << quirk as u8))
    }

    /// What is in one of the two or in both.
    #[must_use]
    pub const fn and(self, other: Quirks) -> Quirks {
        Quirks(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn minus(self, other: Quirks) -> Quirks {
        Quirks(self.0 & !other.0)
    }

    /// True if it is in the set.
    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u8 != 0
    }

    /// True if none is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in the set, in the order of [`Quirk::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.iter().copied().filter(move |quirk| self.has(*quirk))
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Quirks {
        quirks.into_iter().fold(Quirks::NONE, Quirks::with)
    }
}

/// The words, with commas between them.
impl fmt::Display for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, quirk) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            f.write_str(quirk.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_has_a_bit_and_a_word_of_its_own() {
        assert!(Quirk::ALL.len() < 64);
        for quirk in Quirk::ALL {
            assert_eq!(Quirk::of(quirk.as_str()), Some(*quirk));
            assert!(Quirks::ALL.has(*quirk));
            assert_eq!(Quirks::NONE.with(*quirk).iter().collect::<Vec<_>>(), [*quirk]);
        }
        assert_eq!(Quirks::ALL.iter().count(), Quirk::ALL.len());
        assert_eq!(Quirk::of("sequence"), None);
    }

    #[test]
    fn sets_are_sets() {
        let two = Quirks::NONE.with(Quirk::OneOver).with(Quirk::HalfTlv).with(Quirk::OneOver);
        assert_eq!(two.to_string(), "one_over, half_tlv");
        assert_eq!(two.without(Quirk::OneOver), Quirks::NONE.with(Quirk::HalfTlv));
        assert!(two.minus(Quirks::ALL).is_empty());
        assert_eq!([Quirk::HalfTlv, Quirk::OneOver].into_iter().collect::<Quirks>(), two);
    }
}
