//! Why a client is refused: one enum for the SMPP status, the reason word, the HTTP status and the metric label.

use smpp_proto::field::CommandStatus;

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
            Self::InvalidDestination | Self::CountryBlocked | Self::NoRoute => CommandStatus::RINVDSTADR,
            Self::InsufficientCredit
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
}
