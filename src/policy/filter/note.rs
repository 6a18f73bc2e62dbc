//! Whose rule it was: every refusal can name the rule, its limit and where it is written.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::account::{AccountId, CredentialId};

/// A rule's place among the notes of one snapshot; those of another do not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId {
    snapshot: u32,
    place: u32,
}

/// Who set a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The operator of the gateway: it binds everybody.
    Platform,
    /// An account: it binds all below.
    Account(AccountId),
    /// One credential.
    Credential(CredentialId),
}

/// What kind of rule it is; the words are those of the configuration keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// The same text again.
    Duplicate,
    /// Closed hours.
    Hours,
    /// Allowed countries.
    Countries,
    /// The most to a country.
    CountryCaps,
    /// Granted source addresses.
    Senders,
    /// Protected names.
    Registry,
    /// What a number must be like.
    Numbers,
    /// Numbers that want nothing.
    OptOuts,
    /// The most to a range of numbers.
    Velocity,
    /// Words, patterns, links.
    Content,
    /// Texts beyond the GSM alphabet.
    Unicode,
    /// Messages on a day.
    MaxPerDay,
    /// Messages in a month.
    MaxPerMonth,
    /// Credits on a day.
    SpendPerDay,
    /// Credits in a month.
    SpendPerMonth,
    /// Destinations of a request.
    MaxPerRequest,
    /// Segments a second.
    Throughput,
    /// Certified messages.
    Certified,
}

impl RuleKind {
    /// The word of its configuration key, and its metric label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Hours => "hours",
            Self::Countries => "countries",
            Self::CountryCaps => "country_caps",
            Self::Senders => "senders",
            Self::Registry => "protected_names",
            Self::Numbers => "numbers",
            Self::OptOuts => "opt_outs",
            Self::Velocity => "velocity",
            Self::Content => "content",
            Self::Unicode => "unicode",
            Self::MaxPerDay => "max_per_day",
            Self::MaxPerMonth => "max_per_month",
            Self::SpendPerDay => "spend_per_day",
            Self::SpendPerMonth => "spend_per_month",
            Self::MaxPerRequest => "max_per_request",
            Self::Throughput => "throughput",
            Self::Certified => "certified",
        }
    }
}

/// One rule, told for people: `30/s, throughput of account acme in accounts.d/acme.toml:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleNote {
    /// What kind it is.
    pub kind: RuleKind,
    /// Who set it.
    pub holder: Holder,
    /// The holder's name; empty for the platform.
    pub name: String,
    /// What it says, short.
    pub says: String,
    /// Where it is written; empty when in no file.
    pub place: String,
    /// Whether it is enforced.
    pub enforce: bool,
}

impl fmt::Display for RuleNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} of ", self.says, self.kind.word())?;
        match self.holder {
            Holder::Platform => f.write_str("the platform")?,
            Holder::Account(_) => write!(f, "account {}", self.name)?,
            Holder::Credential(_) => write!(f, "credential {}", self.name)?,
        }
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        if !self.enforce {
            f.write_str(" (not enforced)")?;
        }
        Ok(())
    }
}

/// Every rule of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleNotes {
    snapshot: u32,
    notes: Vec<RuleNote>,
}

/// Tells snapshots apart.
static SNAPSHOTS: AtomicU32 = AtomicU32::new(1);

impl RuleNotes {
    /// Those of a new snapshot: none yet.
    #[must_use]
    pub fn fresh() -> Self {
        Self { snapshot: SNAPSHOTS.fetch_add(1, Ordering::Relaxed), notes: Vec::new() }
    }

    /// Writes a rule down.
    pub fn add(&mut self, note: RuleNote) -> RuleId {
        let place = u32::try_from(self.notes.len()).unwrap_or(u32::MAX);
        self.notes.push(note);
        RuleId { snapshot: self.snapshot, place }
    }

    /// A rule.
    #[must_use]
    pub fn find(&self, id: RuleId) -> Option<&RuleNote> {
        self.notes.get(id.place as usize).filter(|_| id.snapshot == self.snapshot)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }
}
