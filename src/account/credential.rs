//! One credential that may bind: a system_id with its password and its bounds.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{AccountId, Manners, PasswordHash, Throughput};

/// The store's number of a credential; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(pub u32);

/// A system_id that may bind for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The store's number.
    pub id: CredentialId,
    /// Whose credit it spends.
    pub account: AccountId,
    /// The name it binds with; unique over all accounts; 1 to 15 octets on paper, up to 64 here.
    pub system_id: String,
    /// What its password must match.
    pub password: PasswordHash,
    /// Its bounds.
    pub bounds: Bounds,
}

/// What a credential may do, and how fast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Addresses it may come from; empty means any.
    pub allowed_ips: Vec<IpNet>,
    /// Sessions at once; 1 to 10,000.
    pub max_binds: u32,
    /// Kinds of bind it may use.
    pub bind_types: BindTypes,
    /// Unanswered requests in each direction; 1 to 10,000.
    pub window: u32,
    /// Segments a second; absent means no limit.
    pub throughput: Option<Throughput>,
    /// Where that is written, `accounts.d/acme.toml:12`; empty for what was made elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub throughput_place: String,
    /// Whether it must come over TLS.
    pub tls_required: bool,
    /// Which receipts a message of several parts gets.
    pub receipts: ReceiptWish,
    /// What of its departures from the protocol is forgiven; absent means what the listener forgives.
    pub lenience: Option<Manners>,
    /// Whether only the first 8 octets of its password count, because its client cuts longer ones.
    pub first_8: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            allowed_ips: Vec::new(),
            max_binds: 8,
            bind_types: BindTypes::ALL,
            window: 1000,
            throughput: None,
            throughput_place: String::new(),
            tls_required: false,
            receipts: ReceiptWish::Final,
            lenience: None,
            first_8: false,
        }
    }
}

impl Bounds {
    /// What counts of a password: all of it, or its first 8 octets (SMPP 3.4 §5.2.2 allows no more).
    #[must_use]
    pub fn counted<'p>(&self, password: &'p [u8]) -> &'p [u8] {
        if self.first_8 { password.get(..8).unwrap_or(password) } else { password }
    }

    /// Whether a client at `address` may use the credential.
    #[must_use]
    pub fn allows_ip(&self, address: IpAddr) -> bool {
        self.allowed_ips.is_empty()
            || self.allowed_ips.iter().any(|net| net.contains(&address.to_canonical()))
    }
}

/// A set of bind kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<BindType>", into = "Vec<BindType>")]
pub struct BindTypes(u8);

/// A kind of bind (SMPP 3.4 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindType {
    /// Submits only.
    Transmitter,
    /// Gets deliveries only.
    Receiver,
    /// Both on one session.
    Transceiver,
}

impl BindTypes {
    /// Every kind.
    pub const ALL: Self = Self(0b111);

    /// Whether the set has `kind`.
    #[must_use]
    pub fn contains(self, kind: BindType) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl TryFrom<Vec<BindType>> for BindTypes {
    type Error = &'static str;
    fn try_from(kinds: Vec<BindType>) -> Result<Self, Self::Error> {
        match kinds.into_iter().fold(0, |set, kind| set | (1 << kind as u8)) {
            0 => Err("bind_types names at least one of transmitter, receiver, transceiver"),
            set => Ok(Self(set)),
        }
    }
}

impl From<BindTypes> for Vec<BindType> {
    fn from(set: BindTypes) -> Self {
        let all = [BindType::Transmitter, BindType::Receiver, BindType::Transceiver];
        all.into_iter().filter(|kind| set.contains(*kind)).collect()
    }
}

impl fmt::Display for BindType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transmitter => "transmitter",
            Self::Receiver => "receiver",
            Self::Transceiver => "transceiver",
        })
    }
}

/// Which receipts a client gets for a message that we cut into parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptWish {
    /// One, when every part has ended; the worst state wins.
    #[default]
    #[serde(alias = "aggregate")]
    Final,
    /// One for each part, as they come.
    Every,
    /// One, with the state of the last part to end.
    Last,
}
