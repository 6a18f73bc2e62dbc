//! Filters as they are written down: what an account, or one of its credentials, may send, to whom, when and how much.
//!
//! Every filter is optional, and every level (the platform, each account above, the account, the credential) has its
//! own: all of them bind, so a child can only tighten what its parent set. What they come to is compiled into [`Rules`].

pub(super) mod check;
pub mod claim;
pub mod desk;
pub mod explain;
pub mod note;
pub mod rate;
mod replacement;
pub mod rules;

pub use check::check_recipients;
pub use claim::{Claim, Demand, QuotaKey, Sum};
pub use desk::Desk;
pub use note::{Holder, RuleId, RuleKind, RuleNote, RuleNotes};
pub use replacement::check_replacement;
pub use rules::Rules;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hours::ClosedHours;
use super::number::{Country, Kind};
use super::text::content::ContentRule;
use super::text::sender::SenderPattern;
use crate::account::{Credits, Throughput};

/// One rule as it is written: what it says, whether it is enforced, and where it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<T> {
    /// What it says.
    pub is: T,
    /// Whether it is enforced; one that is not runs in shadow: counted and logged, never refused.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enforce: bool,
    /// Where it is written, `accounts.d/acme.toml:12`; empty for what was made elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

impl<T> Rule<T> {
    /// An enforced rule that stands in no file.
    pub const fn of(is: T) -> Self {
        Self { is, enforce: true, place: String::new() }
    }
}

/// Where a rule is written does not change what it says.
impl<T: PartialEq> PartialEq for Rule<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is == other.is && self.enforce == other.enforce
    }
}

impl<T: Eq> Eq for Rule<T> {}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_yes(flag: &bool) -> bool {
    *flag
}

/// The filters of one level. All are absent by default: nothing is filtered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filters {
    /// The IANA time zone whose days and months limits are counted in; absent means the parent's, and UTC at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The same text to the same number within this time of the first sending is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<Rule<Duration>>,
    /// Hours in which nothing is sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Rule<ClosedHours>>,
    /// Destination countries that are allowed; others are refused. Empty is every country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub countries: Option<Rule<Vec<Country>>>,
    /// The most to a country on one day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub country_caps: Vec<Rule<CountryCap>>,
    /// Source addresses that are granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<Rule<Vec<SenderPattern>>>,
    /// Which kinds of numbers are refused, and whether the length must fit the country's plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Rule<NumberSense>>,
    /// The most messages to one number, or to one range of numbers, in a time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub velocity: Vec<Rule<Velocity>>,
    /// Words, patterns and links that are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<Rule<ContentRule>>,
    /// What becomes of texts beyond the GSM alphabet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unicode: Option<Rule<Unicode>>,
    /// Messages on one day of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_day: Option<Rule<u64>>,
    /// Messages in one month of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_month: Option<Rule<u64>>,
    /// Credits on one day of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_per_day: Option<Rule<Credits>>,
    /// Credits in one month of the zone: the pool of a sub-account or of a user inside an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_per_month: Option<Rule<Credits>>,
    /// Destinations of one request; 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_request: Option<Rule<u32>>,
    /// Segments a second of everybody below together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Rule<Throughput>>,
    /// Whether certified messages may be asked for; nobody may unless every level that speaks of it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified: Option<Rule<bool>>,
    /// Whether STOP and its kin from phones put the number on the account's opt-out list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_outs: Option<Rule<OptOuts>>,
}

/// What becomes of texts that the GSM alphabet (3GPP TS 23.038 §6.2.1) does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unicode {
    /// They go as they are, 70 or 67 characters a segment.
    #[default]
    Allow,
    /// They are written in the GSM alphabet where a human would read the same; refused where not.
    Transliterate,
    /// They are refused.
    Reject,
}

/// The most to a country on one day of the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountryCap {
    /// Which; absent means each country for itself.
    pub country: Option<Country>,
    /// Messages.
    pub messages: Option<u64>,
    /// Credits.
    pub credits: Option<Credits>,
}

impl fmt::Display for CountryCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = self.country.map_or_else(|| "each country".to_owned(), |country| country.to_string());
        let messages = self.messages.map(|most| format!("{most} messages"));
        let credits = self.credits.map(|most| format!("{most} credits"));
        let most: Vec<_> = messages.into_iter().chain(credits).collect();
        write!(f, "{} a day to {whose}", most.join(" and "))
    }
}

/// What a destination must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberSense {
    /// Kinds that are refused, such as premium numbers.
    pub refuse: Vec<Kind>,
    /// Whether the length must be one that the country's numbering plan has.
    pub check_length: bool,
}

/// The most messages to numbers that begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Velocity {
    /// Only numbers that begin so; empty means all.
    #[serde(default)]
    pub prefix: String,
    /// How many digits of a number make its range; 15 is the number itself.
    pub digits: u8,
    /// Messages at once; they come back evenly over `per`.
    pub most: u32,
    /// In this time; 1 s to 31 days.
    pub per: Duration,
}

/// How wishes of phones to get nothing more are honoured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptOuts {
    /// Words that mean "no more", in the place of the usual ones; empty means the usual ones.
    pub stop: Vec<String>,
    /// Words that mean "again".
    pub start: Vec<String>,
}

impl Filters {
    /// Whether nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
