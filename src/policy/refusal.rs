//! Why a client is refused: one enum for the SMPP status, the reason word, the HTTP status and the metric label.

use smpp_proto::field::CommandStatus;
use smpp_proto::rules::Breach;

use super::filter::RuleId;
use crate::account::{Credits, StatusCodes, Terms};

/// A refusal. It never costs credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Unknown system_id or wrong password; which of them is not told.
    AuthInvalid,
    /// The client's address is not on its IP list.
    IpNotAllowed,
    /// The account is suspended.
    AccountSuspended,
    /// This kind of bind is not granted.
    BindTypeNotAllowed,
    /// The credential must come over TLS.
    TlsRequired,
    /// The credential has all its binds.
    TooManyBinds,
    /// The session is bound already.
    AlreadyBound,
    /// The operation does not fit the session's bind.
    WrongBindState,
    /// No such command.
    UnknownCommand,
    /// The operation is known and not offered here.
    NotOffered,
    /// The command_length cannot be true.
    BadLength,
    /// Above the throughput.
    RateLimited,
    /// Too much waits already.
    QueueFull,
    /// The balance does not cover it.
    InsufficientCredit,
    /// The source address is not granted.
    SenderNotAllowed,
    /// The destination is no number.
    InvalidDestination,
    /// The destination's country is not granted.
    CountryBlocked,
    /// No route or no price for the destination.
    NoRoute,
    /// The destination wants nothing from this sender any more.
    OptedOut,
    /// The destination is on a list, or of a kind, that gets nothing.
    DestinationBlocked,
    /// Too many to the same number, or the same range of numbers.
    VelocityLimit,
    /// The sender's own limit or pool is used up.
    UserLimit,
    /// Something that is switched off for the account was asked for.
    FeatureDisabled,
    /// The same message was sent within the window.
    Duplicate,
    /// Within closed hours.
    HoursClosed,
    /// The day's maximum is reached.
    DailyLimit,
    /// Too many destinations in one request.
    TooManyRecipients,
    /// Unicode is not granted.
    UnicodeDisabled,
    /// A content rule objects.
    ContentBlocked,
    /// validity_period is malformed or over.
    InvalidValidity,
    /// schedule_delivery_time is malformed or out of range.
    InvalidSchedule,
    /// A field is malformed; the status says which.
    Malformed(CommandStatus),
    /// The store cannot write.
    StoreUnavailable,
}

impl Refusal {
    /// The SMPP status (the contract's table of refusals).
    #[must_use]
    pub const fn status(self) -> CommandStatus {
        match self {
            Self::AuthInvalid => CommandStatus::RINVPASWD,
            Self::IpNotAllowed | Self::AccountSuspended | Self::BindTypeNotAllowed | Self::TlsRequired => {
                CommandStatus::RBINDFAIL
            }
            Self::TooManyBinds | Self::AlreadyBound => CommandStatus::RALYBND,
            Self::WrongBindState => CommandStatus::RINVBNDSTS,
            Self::UnknownCommand => CommandStatus::RINVCMDID,
            Self::NotOffered => CommandStatus::RPROHIBITED,
            Self::BadLength => CommandStatus::RINVCMDLEN,
            Self::RateLimited => CommandStatus::RTHROTTLED,
            Self::QueueFull => CommandStatus::RMSGQFUL,
            Self::SenderNotAllowed => CommandStatus::RINVSRCADR,
            Self::InvalidDestination
            | Self::CountryBlocked
            | Self::OptedOut
            | Self::DestinationBlocked
            | Self::NoRoute => CommandStatus::RINVDSTADR,
            Self::InsufficientCredit
            | Self::VelocityLimit
            | Self::UserLimit
            | Self::FeatureDisabled
            | Self::Duplicate
            | Self::HoursClosed
            | Self::DailyLimit
            | Self::UnicodeDisabled => CommandStatus::RSUBMITFAIL,
            Self::TooManyRecipients => CommandStatus::RINVNUMDESTS,
            Self::ContentBlocked => CommandStatus::RX_R_APPN,
            Self::InvalidValidity => CommandStatus::RINVEXPIRY,
            Self::InvalidSchedule => CommandStatus::RINVSCHED,
            Self::Malformed(status) => status,
            Self::StoreUnavailable => CommandStatus::RSYSERR,
        }
    }

    /// The reason word: log, metric label, API code, additional_status_info_text.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AuthInvalid => "auth_invalid",
            Self::IpNotAllowed => "ip_not_allowed",
            Self::AccountSuspended => "account_suspended",
            Self::BindTypeNotAllowed => "bind_type_not_allowed",
            Self::TlsRequired => "tls_required",
            Self::TooManyBinds => "too_many_binds",
            Self::AlreadyBound => "already_bound",
            Self::WrongBindState => "wrong_bind_state",
            Self::UnknownCommand => "unknown_command",
            Self::NotOffered => "not_offered",
            Self::BadLength => "bad_length",
            Self::RateLimited => "rate_limited",
            Self::QueueFull => "queue_full",
            Self::InsufficientCredit => "insufficient_credit",
            Self::SenderNotAllowed => "sender_not_allowed",
            Self::InvalidDestination => "invalid_destination",
            Self::CountryBlocked => "country_blocked",
            Self::NoRoute => "no_route",
            Self::OptedOut => "opted_out",
            Self::DestinationBlocked => "destination_blocked",
            Self::VelocityLimit => "velocity_limit",
            Self::UserLimit => "user_limit",
            Self::FeatureDisabled => "feature_disabled",
            Self::Duplicate => "duplicate",
            Self::HoursClosed => "hours_closed",
            Self::DailyLimit => "daily_limit",
            Self::TooManyRecipients => "too_many_recipients",
            Self::UnicodeDisabled => "unicode_disabled",
            Self::ContentBlocked => "content_blocked",
            Self::InvalidValidity => "invalid_validity",
            Self::InvalidSchedule => "invalid_schedule",
            Self::Malformed(_) => "malformed",
            Self::StoreUnavailable => "store_unavailable",
        }
    }

    /// The status from the range that SMPP leaves to vendors (3.4 §5.1.3, 0x400 to 0x4FF), for accounts that asked for it;
    /// what is no decision of policy keeps the standard one.
    #[must_use]
    pub const fn vendor_status(self) -> CommandStatus {
        CommandStatus(match self {
            Self::CountryBlocked => 0x402,
            Self::InsufficientCredit => 0x403,
            Self::DailyLimit | Self::UserLimit => 0x404,
            Self::UnicodeDisabled => 0x405,
            Self::HoursClosed => 0x406,
            Self::ContentBlocked => 0x407,
            Self::VelocityLimit => 0x408,
            Self::Duplicate => 0x409,
            Self::SenderNotAllowed => 0x40A,
            Self::OptedOut => 0x40B,
            Self::DestinationBlocked => 0x40C,
            Self::NoRoute => 0x40D,
            Self::TooManyRecipients => 0x40E,
            Self::FeatureDisabled => 0x40F,
            other => return other.status(),
        })
    }

    /// The status that an account chose for it, if it did.
    #[must_use]
    pub fn chosen_by(self, terms: &Terms) -> Option<CommandStatus> {
        if let Some(status) = terms.statuses.get(self.word()) {
            return Some(CommandStatus(*status));
        }
        let status = self.vendor_status();
        let is_own = terms.status_codes == StatusCodes::Vendor && status != self.status();
        is_own.then_some(status)
    }

    /// The refusals whose status an account may choose, by their words: all but a wrong password, which is answered alike
    /// for everybody, and a malformed field, whose status says which.
    pub const CHOSEN: [Self; 31] = [
        Self::IpNotAllowed,
        Self::AccountSuspended,
        Self::BindTypeNotAllowed,
        Self::TlsRequired,
        Self::TooManyBinds,
        Self::AlreadyBound,
        Self::WrongBindState,
        Self::UnknownCommand,
        Self::NotOffered,
        Self::BadLength,
        Self::RateLimited,
        Self::QueueFull,
        Self::InsufficientCredit,
        Self::SenderNotAllowed,
        Self::InvalidDestination,
        Self::CountryBlocked,
        Self::NoRoute,
        Self::OptedOut,
        Self::DestinationBlocked,
        Self::VelocityLimit,
        Self::UserLimit,
        Self::FeatureDisabled,
        Self::Duplicate,
        Self::HoursClosed,
        Self::DailyLimit,
        Self::TooManyRecipients,
        Self::UnicodeDisabled,
        Self::ContentBlocked,
        Self::InvalidValidity,
        Self::InvalidSchedule,
        Self::StoreUnavailable,
    ];
}

/// The refusal of a value that may not stand where it does.
impl From<Breach> for Refusal {
    fn from(breach: Breach) -> Self {
        match breach.status {
            CommandStatus::RINVDSTADR => Self::InvalidDestination,
            CommandStatus::RINVSCHED => Self::InvalidSchedule,
            CommandStatus::RINVEXPIRY => Self::InvalidValidity,
            status => Self::Malformed(status),
        }
    }
}

/// A refusal with what it follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What is answered.
    pub refusal: Refusal,
    /// What it follows from; absent where the message alone is at fault, or the refusal says all.
    pub cause: Option<Cause>,
}

/// What a refusal follows from. [`super::Snapshot::told`] has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A rule.
    Rule(RuleId),
    /// A list of numbers: that of an account, or the platform's (0).
    List(u32),
    /// This is all that the account can spend.
    Available(Credits),
    /// The number that nobody reaches: its digits behind a 1.
    Number(u64),
}

impl Cause {
    /// A destination, at most 15 digits.
    #[must_use]
    pub fn number(digits: &[u8]) -> Self {
        let digits = digits.iter().take(15).filter(|octet| octet.is_ascii_digit());
        Self::Number(digits.fold(1, |packed, digit| packed * 10 + u64::from(digit - b'0')))
    }
}

impl Denied {
    /// By a rule.
    #[must_use]
    pub const fn by(refusal: Refusal, rule: RuleId) -> Self {
        Self { refusal, cause: Some(Cause::Rule(rule)) }
    }

    /// By the list of an account, or the platform's (0).
    #[must_use]
    pub const fn listed(owner: u32) -> Self {
        let refusal = if owner == 0 { Refusal::DestinationBlocked } else { Refusal::OptedOut };
        Self { refusal, cause: Some(Cause::List(owner)) }
    }

    /// The rule that it follows from, if it is one.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        match self.cause {
            Some(Cause::Rule(rule)) => Some(rule),
            _ => None,
        }
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, cause: None }
    }
}
