//! Bad manners: what the practice operator, and a client that plays the rogue, can do wrong on purpose, by name.

pub mod client;
mod wire;

use std::fmt::{self, Write as _};
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

/// Declares the modes once: the variant, its word, and the line that explains it.
macro_rules! modes {
    ($(#[$meta:meta])* $name:ident: $($mode:ident $word:literal $line:literal,)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $line] $mode,)*
        }

        impl $name {
            /// All of them, in the order of the help text.
            pub const ALL: &[Self] = &[$(Self::$mode,)*];

            /// The word for it on the command line.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$mode => $word,)* }
            }

            /// What is done, in one line.
            #[must_use]
            pub const fn line(self) -> &'static str {
                match self { $(Self::$mode => $line,)* }
            }
        }
    };
}
pub(crate) use modes;

modes! {
    /// The kinds of misbehaviour of an operator.
    Mode:
    SilentBind "silent-bind" "takes the connection and says nothing, not even to a bind",
    AlreadyBound "already-bound" "answers every bind ESME_RALYBND",
    CloseAfterBind "close-after-bind" "accepts the bind and closes",
    NeverAnswer "never-answer" "never answers a submission",
    LoseAnswers "lose-answers" "loses every third answer",
    Late "late" "answers 75 s later, when nobody waits any more",
    Reverse "reverse" "answers what came together in reverse order",
    Duplicate "duplicate" "answers everything twice",
    WrongSequence "wrong-sequence" "answers with sequence numbers that nobody used",
    Nack "nack" "answers with generic_nack",
    UnknownStatus "unknown-status" "answers with a status that is in no table",
    ErrorWithBody "error-with-body" "answers with an error that has a message id all the same",
    NoMessageId "no-message-id" "answers with status 0 and no body, so no message id",
    TlvGarbage "tlv-garbage" "puts TLVs that cannot be read behind every message id",
    ThrottleStorm "throttle-storm" "throttles ten submissions, takes ten, and so on",
    EarlyReceipt "early-receipt" "sends the receipt before the answer to its submission",
    ReceiptTwice "receipt-twice" "sends every receipt twice",
    UnknownReceipt "unknown-receipt" "sends with every receipt another for an id that it never gave",
    NamelessReceipt "nameless-receipt" "sends with every receipt another that names no message",
    MalformedDeliver "malformed-deliver" "sends a deliver_sm that cannot be read",
    UnknownCommand "unknown-command" "sends a request with an unknown command id",
    OddSequence "odd-sequence" "sends requests numbered 0 and 0xFFFFFFFF",
    EnquireFlood "enquire-flood" "sends a thousand enquire_links at once",
    IgnoreEnquire "ignore-enquire" "answers, but never an enquire_link",
    SlowBytes "slow-bytes" "sends one octet at a time",
    StopReading "stop-reading" "stops reading",
    Unbind "unbind" "sends unbind",
    Drop "drop" "closes the connection without a word and without the answer",
    HalfPdu "half-pdu" "sends half of an answer and closes",
    Garbage "garbage" "sends octets that are no PDU",
    BadLength "bad-length" "sends a header with command_length 5",
}

impl FromStr for Hostile {
    type Err = UnknownMode;

    /// Reads `drop` or `drop:100`.
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let (word, after) = match text.split_once(':') {
            Some((word, count)) => (word, count.parse().map_err(|_| UnknownMode(text.to_owned()))?),
            None => (text, 0),
        };
        let mode =
            Mode::ALL.iter().find(|mode| mode.word() == word).ok_or_else(|| UnknownMode(text.to_owned()))?;
        Ok(Self { mode: *mode, after })
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
        f.write_str(&Mode::ALL.iter().map(|mode| mode.word()).collect::<Vec<_>>().join(", "))
    }
}

impl std::error::Error for UnknownMode {}

/// The modes with what they do, a line each, for help texts.
#[must_use]
pub fn lines<'a>(modes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    modes.fold(String::new(), |mut text, (word, line)| {
        // Writing into a String does not fail.
        let _ = writeln!(text, "  {word:<18} {line}");
        text
    })
}

/// The misbehaviour of one session.
#[derive(Debug, Clone, Default)]
pub(super) struct Manners(Vec<Hostile>);

impl Manners {
    pub(super) fn of(modes: &[Hostile]) -> Self {
        Self(modes.to_vec())
    }

    /// Whether `mode` has begun after `submits` submissions.
    pub(super) fn has(&self, mode: Mode, submits: u64) -> bool {
        self.since(mode, submits).is_some()
    }

    /// How many submissions ago `mode` has begun.
    pub(super) fn since(&self, mode: Mode, submits: u64) -> Option<u64> {
        self.0.iter().filter(|hostile| hostile.mode == mode).find_map(|one| submits.checked_sub(one.after))
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
        for mode in Mode::ALL.iter().copied() {
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
        assert_eq!(manners.since(Mode::Drop, 5), Some(3));
        assert!(!manners.has(Mode::Nack, 9));
    }

    #[test]
    fn help_has_a_line_a_mode() {
        let text = lines(Mode::ALL.iter().map(|mode| (mode.word(), mode.line())));
        assert_eq!(text.lines().count(), Mode::ALL.len());
        assert!(text.contains("  silent-bind        takes the connection"));
    }
}
