//! What a segment costs: prices by network, prefix and country, each with the time for which it holds, in price lists.
//!
//! Which price is meant: the account's list goes before the general one, and within a list the closer a price knows the
//! number the sooner it is taken: a network (its longest prefix) before a prefix (the longest) before a country before
//! every number. Of prices for the same numbers that hold now the one that began last is taken, so that a new price is
//! written beside the old one, and a price that has ended lets the next wider one through.

mod billing;
mod dated;
mod table;

pub use billing::{Billing, Currency, PriceList};
pub use table::PriceTable;

use serde::{Deserialize, Serialize};

use crate::account::Credits;
use crate::clock::Timestamp;

/// What a segment to some numbers costs, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The numbers.
    #[serde(flatten)]
    pub reach: Reach,
    /// A segment; 0 or more.
    pub credits: Credits,
    /// The name of the price list that it stands in; absent is the general list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Holds from then on; absent from always.
    #[serde(default, with = "dated::millis", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Holds until then, itself excluded; absent for ever.
    #[serde(default, with = "dated::millis", skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The numbers that a price is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Those that begin so; an empty prefix reaches every number.
    Prefix(String),
    /// Those of a country, ISO 3166-1 alpha-2 in capitals.
    Country(String),
    /// Those of a network, by its name.
    Network(String),
}

/// A network: the prefixes of its numbers under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its name, or its MCC and MNC.
    pub name: String,
    /// The prefixes of its numbers; none of them empty.
    pub prefixes: Vec<String>,
}

impl Price {
    /// What a segment to numbers that begin with `prefix` costs, at all times and for everybody.
    #[must_use]
    pub fn of(prefix: &str, credits: Credits) -> Self {
        Self { reach: Reach::Prefix(prefix.to_owned()), credits, list: None, from: None, until: None }
    }
}
