//! What can be asked of administration and what is answered: one JSON object each, one a line on the socket.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::policy::{BoundBy, Changes, Explained, Listed, Numbers, NumbersChanged, Question, Usage};
use crate::account::{Credits, Surface, Terms, Throughput};
use crate::policy::filter::Filters;
use crate::store::{AccountView, EntryUse, StoreError, TimelineEntry};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Every account.
    AccountList,
    /// One account.
    AccountShow {
        /// Its name.
        name: String,
    },
    /// Makes an account with one credential.
    AccountCreate(NewAccount),
    /// Stops an account: it neither binds nor sends, what is owed to it is kept.
    AccountSuspend {
        /// Its name.
        name: String,
    },
    /// Lets it act again.
    AccountResume {
        /// Its name.
        name: String,
    },
    /// Grants credit, or takes it back with a negative amount.
    CreditAdd {
        /// The name of the account.
        account: String,
        /// How much.
        amount: Credits,
        /// Stands beside the entry.
        note: String,
    },
    /// Balance and newest entries.
    CreditShow {
        /// The name of the account.
        account: String,
        /// Entries at most; 0 to 10,000.
        entries: u32,
    },
    /// Moves credit.
    CreditTransfer {
        /// The name of the account that gives.
        from: String,
        /// The name of the account that gets.
        to: String,
        /// How much; more than 0.
        amount: Credits,
        /// Stands beside both entries.
        note: String,
    },
    /// The timeline of a message.
    Trace {
        /// Its id, decimal.
        message: String,
    },
    /// Whether the books are right.
    Audit,
    /// Copies the store to a new file.
    Backup {
        /// An absolute path: the daemon stands in another folder than its user.
        file: PathBuf,
    },
    /// What the daemon knows of itself.
    Status,
    /// Reads the daemon's configuration again.
    Reload {
        /// The file that is meant, absolute; refused when the daemon has another.
        file: PathBuf,
    },
    /// What would become of a message.
    Explain(Question),
    /// Every rule that binds an account and its credentials.
    AccountRules {
        /// Its name.
        name: String,
    },
    /// What an account and all below it sent and spent.
    AccountUsage {
        /// Its name.
        name: String,
        /// Days in UTC, today the last of them; 1 to 36,500.
        days: u32,
    },
    /// The numbers of a list.
    NumbersShow {
        /// Whose opt-outs; absent means the platform's blocklist.
        account: Option<String>,
        /// Numbers at most; 0 to 1,000,000.
        most: u32,
    },
    /// Puts numbers on a list, or takes them off it.
    NumbersChange(Numbers),
}

/// An account to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub parent: Option<String>,
    /// Granted at once; 0 or more.
    pub opening_credit: Credits,
    /// The name it binds with; made from the account's name when absent.
    pub system_id: Option<String>,
    /// Its password; made by chance when absent. Travels over the socket, which only its user can read.
    pub password: Option<String>,
    /// Networks it may come from; empty means any.
    pub allowed_ips: Vec<IpNet>,
    /// Segments a second; absent means no limit.
    pub throughput: Option<Throughput>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Of `AccountList`.
    Accounts(Vec<AccountLine>),
    /// Of `AccountShow`, `AccountSuspend`, `AccountResume`.
    Account(Box<AccountLine>),
    /// Of `AccountCreate`.
    Created(Created),
    /// Of `CreditAdd`, `CreditShow`, and of `CreditTransfer` (the account that gave).
    Credit(CreditLine),
    /// Of `Trace`.
    Trace(Box<MessageTrace>),
    /// Of `Audit`.
    Audit(Vec<AuditResult>),
    /// Of `Backup`: where the copy is.
    Backup(PathBuf),
    /// Of `Status`.
    Status(serde_json::Value),
    /// Of `Reload`: what it changed.
    Changed(Changes),
    /// Of `Explain`.
    Explained(Box<Explained>),
    /// Of `AccountRules`.
    Rules(Vec<BoundBy>),
    /// Of `AccountUsage`.
    Usage(Usage),
    /// Of `NumbersShow`.
    Listed(Listed),
    /// Of `NumbersChange`.
    NumbersChanged(NumbersChanged),
}

/// An account for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `file` or `store`: where it may be changed.
    pub origin: String,
    /// Whether it is stopped.
    pub suspended: bool,
    /// What can be spent.
    pub available: Credits,
    /// What is held for messages under way.
    pub held: Credits,
    /// What can be spent in the currency that it is shown in: `12.5 EUR`. Absent where amounts are shown in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<String>,
    /// How it differs from the defaults.
    pub terms: Terms,
    /// What it may send.
    #[serde(default, skip_serializing_if = "Filters::is_empty")]
    pub filters: Filters,
    /// Names it may bind with.
    pub system_ids: Vec<String>,
    /// The entries of its lists of addresses; only where one account is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessLine>,
}

/// An entry of a list of addresses, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLine {
    /// `smpp`, `api` or `console`.
    pub surface: Surface,
    /// The network.
    pub network: IpNet,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When it last let somebody in, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Why it may be superfluous: `never used`, `not used in 90 days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<EntryUse> for AccessLine {
    fn from(used: EntryUse) -> Self {
        let hint = match used.last {
            None => Some("never used"),
            Some(_) if used.is_stale => Some("not used in 90 days"),
            Some(_) => None,
        };
        Self {
            surface: used.surface,
            network: used.network,
            description: used.description,
            last_seen: used.last.map(|at| at.to_string()),
            hint: hint.map(str::to_owned),
        }
    }
}

impl From<AccountView> for AccountLine {
    fn from(view: AccountView) -> Self {
        Self {
            name: view.name,
            parent: view.parent,
            origin: view.origin,
            suspended: view.suspended,
            available: view.balance.available,
            held: view.balance.held,
            worth: None,
            terms: view.terms,
            filters: view.filters,
            system_ids: view.system_ids,
            access: Vec::new(),
        }
    }
}

/// An account that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Its name.
    pub name: String,
    /// The name it binds with.
    pub system_id: String,
    /// The password that was made by chance: shown this once. Absent when it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What can be spent.
    pub available: Credits,
}

/// An account's money for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditLine {
    /// Its name.
    pub account: String,
    /// What can be spent.
    pub available: Credits,
    /// What is held for messages under way.
    pub held: Credits,
    /// What can be spent in the currency in which the account's amounts are shown: `12.5 EUR`. Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<String>,
    /// What is held in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_worth: Option<String>,
    /// Newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<CreditEntry>,
}

/// One entry of an account's books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditEntry {
    /// RFC 3339.
    pub at: String,
    /// `opening`, `grant`, `withdrawal`, `transfer_in`, `transfer_out`.
    pub kind: String,
    /// Positive came in, negative went out.
    pub amount: Credits,
    /// The same in the currency in which the account's amounts are shown today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<String>,
    /// What somebody wrote beside it.
    pub note: String,
}

/// A message with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTrace {
    /// Our number, as the client knows it.
    pub message_id: String,
    /// What a client of SMPP 3.3 knows instead: 8 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_id: Option<String>,
    /// Who pays.
    pub account: String,
    /// Who sent.
    pub system_id: String,
    /// Source address.
    pub source: String,
    /// Destination address.
    pub destination: String,
    /// What it says; absent when its octets cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// data_coding (SMPP 3.4 §5.2.19).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_coding: Option<u8>,
    /// The word of its state.
    pub state: String,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The operator's error code; 0 when none.
    pub error: u32,
    /// Segments.
    pub parts: u8,
    /// What a segment costs.
    pub price: Credits,
    /// What was spent on it.
    pub posted: Credits,
    /// What a segment costs in the currency in which the account's amounts are shown today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_worth: Option<String>,
    /// What was spent on it in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_worth: Option<String>,
    /// Whether it may have reached an operator twice.
    pub in_doubt: bool,
    /// The operator that it is with or waits for.
    pub upstream: String,
    /// The operator's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_id: Option<String>,
    /// What happened, in the order of time.
    pub timeline: Vec<TraceEntry>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// When, RFC 3339.
    pub at: String,
    /// One word.
    pub what: String,
    /// The rest.
    pub detail: String,
}

impl From<TimelineEntry> for TraceEntry {
    fn from(entry: TimelineEntry) -> Self {
        Self { at: entry.at, what: entry.what, detail: entry.detail }
    }
}

/// One invariant and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditResult {
    /// What must hold.
    pub invariant: String,
    /// Whether it does.
    pub holds: bool,
    /// What was counted, or what is wrong.
    pub detail: String,
}

/// Why a request was not done. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// One word for scripts: `unknown`, `exists`, `read_only`, `insufficient_credit`, `above_ceiling`, `bad_request`,
    /// `bad_settings`, `no_daemon`, `store`.
    pub reason: String,
    /// For people.
    pub text: String,
}

impl Refused {
    pub(super) fn because(reason: &str, text: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), text: text.into() }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let reason = match &error {
            StoreError::Unknown { .. } => "unknown",
            StoreError::SystemIdTaken(_) => "exists",
            StoreError::InsufficientCredit(_) => "insufficient_credit",
            StoreError::AboveCeiling(_) => "above_ceiling",
            StoreError::BadAmount(_) | StoreError::Policy(_) => "bad_request",
            StoreError::Held(_)
            | StoreError::TooNew { .. }
            | StoreError::Open { .. }
            | StoreError::Failed(_)
            | StoreError::Closed => "store",
        };
        Self::because(reason, error.to_string())
    }
}
