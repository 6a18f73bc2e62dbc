//! Prices of the same numbers one after the other: which of them holds at a moment.

use smallvec::SmallVec;

use super::Price;
use crate::account::Credits;
use crate::clock::Timestamp;

/// Prices of the same numbers, the one that begins last first.
#[derive(Clone, Debug, Default)]
pub(super) struct Dated(SmallVec<[Term; 1]>);

#[derive(Clone, Copy, Debug)]
struct Term {
    from: Timestamp,
    until: Timestamp,
    credits: Credits,
}

impl Dated {
    /// Adds a price. Of two that begin at the same time the later one is asked first.
    pub(super) fn add(&mut self, price: &Price) {
        let from = price.from.unwrap_or(Timestamp::from_millis(i64::MIN));
        let term = Term { from, until: price.until.unwrap_or(Timestamp::NEVER), credits: price.credits };
        let place = self.0.iter().position(|known| known.from <= from).unwrap_or(self.0.len());
        self.0.insert(place, term);
    }

    /// The one that holds.
    pub(super) fn at(&self, now: Timestamp) -> Option<Credits> {
        self.0.iter().find(|term| term.from <= now && now < term.until).map(|term| term.credits)
    }
}

/// A moment as the store holds it: milliseconds since 1970.
pub(super) mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::clock::Timestamp;

    #[allow(clippy::ref_option, reason = "serde asks for it")]
    pub(in crate::policy) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::millis).serialize(out)
    }

    pub(in crate::policy) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(input)?.map(Timestamp::from_millis))
    }
}
