//! Bad manners: what the practice operator can do wrong on purpose, by name.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// One kind of misbehaviour, and after how many submissions of a session it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hostile {
    /// What is done.
    pub mode: Mode,
    /// It begins with the submission after this many.
    pub after: u64,
}

/// The kinds of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Takes the connection and says nothing, not even to a bind.
    SilentBind,
    /// Never answers a submission.
    NeverAnswer,
    /// Answers, but never an enquire_link.
    IgnoreEnquire,
    /// Closes the connection without a word and without the answer.
    Drop,
    /// Sends unbind.
    Unbind,
    /// Sends half of an answer and closes.
    HalfPdu,
    /// Sends octets that are no PDU.
    Garbage,
    /// Sends a header with command_length 5.
    BadLength,
    /// Answers with sequence numbers that nobody used.
    WrongSequence,
    /// Answers everything twice.
    Duplicate,
    /// Answers what came together in reverse order.
    Reverse,
    /// Answers with generic_nack.
    Nack,
    /// Answers with a status that is in no table.
    UnknownStatus,
    /// Answers with status 0 and no body, so no message id.
    NoMessageId,
    /// Sends one octet at a time.
    SlowBytes,
    /// Stops reading.
    StopReading,
    /// Sends a deliver_sm that cannot be read.
    MalformedDeliver,
    /// Sends a request with an unknown command id.
    UnknownCommand,
}

impl Mode {
    /// All of them, in the order of the help text.
    pub const ALL: [Self; 18] = [
        Self::SilentBind,
        Self::NeverAnswer,
        Self::IgnoreEnquire,
        Self::Drop,
        Self::Unbind,
        Self::HalfPdu,
        Self::Garbage,
        Self::BadLength,
        Self::WrongSequence,
        Self::Duplicate,
        Self::Reverse,
        Self::Nack,
        Self::UnknownStatus,
        Self::NoMessageId,
        Self::SlowBytes,
        Self::StopReading,
        Self::MalformedDeliver,
        Self::UnknownCommand,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SilentBind => "silent-bind",
            Self::NeverAnswer => "never-answer",
            Self::IgnoreEnquire => "ignore-enquire",
            Self::Drop => "drop",
            Self::Unbind => "unbind",
            Self::HalfPdu => "half-pdu",
            Self::Garbage => "garbage",
            Self::BadLength => "bad-length",
            Self::WrongSequence => "wrong-sequence",
            Self::Duplicate => "duplicate",
            Self::Reverse => "reverse",
            Self::Nack => "nack",
            Self::UnknownStatus => "unknown-status",
            Self::NoMessageId => "no-message-id",
            Self::SlowBytes => "slow-bytes",
            Self::StopReading => "stop-reading",
            Self::MalformedDeliver => "malformed-deliver",
            Self::UnknownCommand => "unknown-command",
        }
    }
}

impl FromStr for Hostile {
    type Err = UnknownMode;

    /// Reads `drop` or `drop:100`.
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let (word, after) = match text.split_once(':') {
            Some((word, count)) => (word, count.parse().map_err(|_| UnknownMode(text.to_owned()))?),
            None => (text, 0),
        };
        let mode = Mode::ALL
            .into_iter()
            .find(|mode| mode.word() == word)
            .ok_or_else(|| UnknownMode(text.to_owned()))?;
        Ok(Self { mode, after })
    }
}

impl TryFrom<String> for Hostile {
    type Error = UnknownMode;
    fn try_from(text: String) -> Result<Self, UnknownMode> {
        text.parse()
    }
}

/// A word that names no misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMode(String);

impl fmt::Display for UnknownMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of the modes, which are MODE or MODE:AFTER with MODE one of ", self.0)?;
        for (at, mode) in Mode::ALL.into_iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, mode.word())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownMode {}

/// The misbehaviour of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Manners(Vec<Hostile>);

impl Manners {
    pub(super) fn of(modes: &[Hostile]) -> Self {
        Self(modes.to_vec())
    }

    /// Whether `mode` has begun after `submits` submissions.
    pub(super) fn has(&self, mode: Mode, submits: u64) -> bool {
        self.0.iter().any(|hostile| hostile.mode == mode && submits >= hostile.after)
    }

    /// Whether the submission that makes `submits` of them is the one at which `mode` strikes once.
    pub(super) fn strikes(&self, mode: Mode, submits: u64) -> bool {
        self.0.iter().any(|hostile| hostile.mode == mode && submits == hostile.after + 1)
    }

    pub(super) fn is_polite(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_mode() {
        for mode in Mode::ALL {
            assert_eq!(mode.word().parse(), Ok(Hostile { mode, after: 0 }));
            assert_eq!(format!("{}:7", mode.word()).parse(), Ok(Hostile { mode, after: 7 }));
        }
        assert!("rude".parse::<Hostile>().is_err_and(|error| error.to_string().contains("never-answer")));
        assert!("drop:x".parse::<Hostile>().is_err());
    }

    #[test]
    fn begins_when_it_shall() {
        let manners = Manners::of(&["drop:2".parse().expect("a mode")]);
        assert!(!manners.has(Mode::Drop, 1) && manners.has(Mode::Drop, 2));
        assert!(!manners.strikes(Mode::Drop, 2) && manners.strikes(Mode::Drop, 3));
        assert!(!manners.has(Mode::Nack, 9));
    }
}
