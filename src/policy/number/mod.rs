//! The world's numbering plans: whose a number is, what it is for, and whether it has as many digits as it should.
//!
//! Made from public metadata (see `plan.txt`), which is compiled into a trie when it is first asked. It knows nothing of
//! portability: a number says which country and what kind it was given out as, not which operator has it now.

mod country;
mod plan;
pub mod prefix;
mod written;

pub use country::{Continent, Country, NotACountry};
pub use plan::{NotAPlan, Plan};
pub use written::international;

use std::cell::OnceCell;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a plan says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose it is. Absent for what is nobody's: international services (+800, +870, …), calling codes that are not
    /// given out, and free ranges of a code that several countries share.
    pub country: Option<Country>,
    /// What it is for. [`Kind::Other`] for a range that is not given out.
    pub kind: Kind,
    /// Whether numbers of its range have as many digits.
    pub length: Length,
}

/// What the plan says of one number, found when it is first asked for: price, route and filters of a message ask alike.
#[derive(Debug, Default)]
pub struct Glance(OnceCell<Look>);

impl Glance {
    /// At `number`, always the same one.
    pub fn at(&self, number: &[u8]) -> Look {
        *self.0.get_or_init(|| Plan::known().look(number))
    }

    /// Its country as prices and routes name it, ISO 3166-1 alpha-2; nothing where the plan has none.
    pub fn country(&self, number: &[u8]) -> Option<[u8; 2]> {
        self.at(number).country?.code().as_bytes().try_into().ok()
    }
}

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A mobile phone.
    Mobile,
    /// A fixed line.
    Fixed,
    /// One of the two: North America does not tell them apart.
    FixedOrMobile,
    /// The caller pays more than for a call.
    Premium,
    /// The caller pays nothing.
    TollFree,
    /// Caller and called share.
    SharedCost,
    /// Telephony over the Internet.
    Voip,
    /// A pager.
    Pager,
    /// Follows a person from line to line.
    Personal,
    /// A company's number for all of its sites.
    Uan,
    /// Voice mail, and what no plan knows.
    Other,
}

/// How many digits a number has, compared with what its range should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As many as numbers of its range have.
    Fits,
    /// Fewer; or more than some of its range and fewer than others.
    TooShort,
    /// More than any of its range.
    TooLong,
}

/// A word that is no kind of number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write one of {}", Kind::ALL.map(Kind::word).join(", "))]
pub struct NotAKind;

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Mobile,
        Self::Fixed,
        Self::FixedOrMobile,
        Self::Premium,
        Self::TollFree,
        Self::SharedCost,
        Self::Voip,
        Self::Pager,
        Self::Personal,
        Self::Uan,
        Self::Other,
    ];

    /// Its word in configuration, logs and the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Fixed => "fixed",
            Self::FixedOrMobile => "fixed_or_mobile",
            Self::Premium => "premium",
            Self::TollFree => "toll_free",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::Pager => "pager",
            Self::Personal => "personal",
            Self::Uan => "uan",
            Self::Other => "other",
        }
    }
}

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(word: &str) -> Result<Self, NotAKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or(NotAKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written_and_kept_by_the_same_word() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.word()));
        }
        assert_eq!("fax".parse::<Kind>(), Err(NotAKind));
        assert!(NotAKind.to_string().contains("toll_free"));
    }
}
