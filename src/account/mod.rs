//! Who a client is, how it proves that, what it owns and owes. Pure: knows no socket, no clock, no SQL.

pub mod access;
pub mod credential;
pub mod lenience;
pub mod money;
pub mod password;
pub mod secret;
pub mod text;
pub mod throughput;

pub use access::{Access, AccessEntry, AccessList, Surface};
pub use credential::{BindTypes, Credential, CredentialId, ReceiptWish};
pub use lenience::{Manners, Profile};
pub use money::Credits;
pub use password::{KnownProofs, PasswordHash};
pub use secret::Secret;
pub use text::{DataCoding1, HighOctets, InboundParts};
pub use throughput::Throughput;

use std::collections::BTreeMap;
use std::fmt;

use smpp_proto::text::Charset;

/// The store's number of an account; never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Somebody who sends: owns credit, credentials and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The store's number.
    pub id: AccountId,
    /// The name in configuration, logs and metrics; unique.
    pub name: String,
    /// Who answers for it; the parent's rules bind it too.
    pub parent: Option<AccountId>,
    /// A suspended account neither binds nor sends; what is owed to it is kept.
    pub suspended: bool,
    /// Where it was written down.
    pub origin: Origin,
    /// How it differs from the defaults.
    pub terms: Terms,
}

/// Where an account was written down, and so who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A configuration file; read-only elsewhere.
    File,
    /// The command line, the API or the console.
    Store,
}

/// What an account may set for itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Adds `additional_status_info_text` with the reason word to refusals.
    pub status_detail: bool,
    /// How many messages may wait for operators; 1 to 100,000,000. Above it a submit is answered ESME_RMSGQFUL.
    pub max_queued: u64,
    /// Whether it may send submit_multi, one PDU of which can cost 255 messages; if not, ESME_RINVCMDID.
    pub submit_multi: bool,
    /// The least the balance may reach, in micro-credits; negative is an overdraft.
    pub floor: Credits,
    /// The source address of a message that comes without one (SMPP 3.4 §5.2.8).
    pub default_source: Option<String>,
    /// Whether a message that an operator took and could not deliver is paid for.
    pub undelivered: UndeliveredCharge,
    /// The most that it may own, held credit included; absent means no bound. Grants and transfers above it are refused.
    pub ceiling: Option<Credits>,
    /// Which statuses refusals are answered with.
    pub status_codes: StatusCodes,
    /// Statuses in the place of others, by the word of the refusal.
    pub statuses: BTreeMap<String, u32>,
    /// What becomes of a name of more than 11 characters as a source address (3GPP TS 23.040 §9.1.2.5).
    pub long_senders: LongSenders,
    /// Whether a message without a text is taken (SMPP 3.4 §5.2.21 allows sm_length 0).
    pub empty_text: EmptyText,
    /// Error responses have their mandatory fields, all empty, instead of the header alone.
    pub error_bodies: bool,
    /// Texts that sm_default_msg_id stands for (SMPP 3.4 §5.2.20); at most 254, each id once.
    pub canned: Vec<Canned>,
    /// What its clients mean by data_coding 0, and get; GSM 7-bit by default.
    #[serde(with = "text::charset")]
    pub alphabet: Charset,
    /// What its clients mean by data_coding 1.
    pub dcs1: DataCoding1,
    /// What becomes of octets without a meaning in data_coding 0.
    pub high_octets: HighOctets,
    /// Whether a text of UCS2 is written in an alphabet in which it takes fewer segments, where there is one.
    pub reencode: bool,
    /// What becomes of messages from phones that come in parts.
    pub inbound_parts: InboundParts,
    /// The name of the price list by which it pays; absent means that of the account above it.
    pub price_list: Option<String>,
    /// From where it may be used. Those above it bind it too.
    pub access: Access,
}

/// A text with a number.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Canned {
    /// sm_default_msg_id, 1 to 254.
    pub id: u8,
    /// What it stands for, 1 to 1,000 characters.
    pub text: String,
}

/// What becomes of a name that is too long for a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongSenders {
    /// The message is refused.
    #[default]
    Refuse,
    /// It is cut to 11 characters.
    Cut,
}

/// Which statuses refusals of policy are answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusCodes {
    /// Those of SMPP 3.4 §5.1.3.
    #[default]
    Standard,
    /// Those of the range for vendors, 0x400 to 0x4FF: each refusal has its own.
    Vendor,
}

/// Whether a message without a text is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyText {
    /// It is.
    #[default]
    Accept,
    /// It is refused.
    Refuse,
}

impl Terms {
    /// Whether texts of its clients are stored as they came.
    #[must_use]
    pub fn keeps_texts(&self) -> bool {
        self.alphabet == Charset::Gsm7
            && self.high_octets != HighOctets::Latin1
            && self.high_octets != HighOctets::Guess
            && !self.reencode
    }
}

/// Whether a message that left but was not delivered is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndeliveredCharge {
    /// It is: the operator charges for it too.
    #[default]
    Post,
    /// It is not: the hold goes back.
    Void,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            status_detail: false,
            max_queued: 10_000_000,
            submit_multi: true,
            floor: Credits::ZERO,
            default_source: None,
            undelivered: UndeliveredCharge::Post,
            ceiling: None,
            status_codes: StatusCodes::Standard,
            statuses: BTreeMap::new(),
            long_senders: LongSenders::Refuse,
            empty_text: EmptyText::Accept,
            error_bodies: false,
            canned: Vec::new(),
            alphabet: Charset::Gsm7,
            dcs1: DataCoding1::Ascii,
            high_octets: HighOctets::Pass,
            reencode: false,
            inbound_parts: InboundParts::Forward,
            price_list: None,
            access: Access::default(),
        }
    }
}
