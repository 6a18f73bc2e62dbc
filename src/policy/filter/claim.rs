//! What a message demands of the counters that only the store can keep exactly: quotas, paces, first sendings.
//!
//! Policy says which and how much; the writer checks all of them and takes all or none, in the transaction that accepts
//! the message.

use smallvec::SmallVec;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::RuleId;
use crate::account::Credits;
use crate::policy::Refusal;

/// One demand, and what is said when it is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose rule it is.
    pub rule: RuleId,
    /// Whether it is enforced, or only counted when it is not met.
    pub enforce: bool,
    /// What its sender is answered.
    pub refusal: Refusal,
    /// What is demanded.
    pub demand: Demand,
}

/// What is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A sum of a period stays within its most.
    Quota {
        /// Whose sum.
        key: QuotaKey,
        /// Which period: days or months since 1970 in the zone. A later one begins at nothing.
        period: i32,
        /// What this message adds.
        adds: u64,
        /// The most.
        most: u64,
        /// Whether it is this claim that adds it; `false` where another of the same message adds to the same sum.
        counts: bool,
    },
    /// Messages to numbers that begin alike come no faster than so (a token bucket, as the time at which it is full).
    Pace {
        /// Which range of which rule.
        key: u64,
        /// Nanoseconds in which one message comes back.
        every: u64,
        /// Messages that may come at once.
        burst: u64,
    },
    /// It is the first of its kind within the window.
    First {
        /// Account, destination and text.
        print: u64,
        /// Seconds from the first sending on.
        window: u32,
    },
}

/// What is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Messages on a day.
    DayMessages,
    /// Credits on a day.
    DayCredits,
    /// Messages in a month.
    MonthMessages,
    /// Credits in a month.
    MonthCredits,
}

/// Names a sum in the store; stable over restarts and changes of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuotaKey(pub i64);

impl QuotaKey {
    /// That of a holder; `scope` is a country's number, 0 for everything.
    #[must_use]
    pub const fn of(holder: super::Holder, sum: Sum, scope: u16) -> Self {
        let (kind, id) = match holder {
            super::Holder::Platform => (0, 0),
            super::Holder::Account(id) => (1, id.0),
            super::Holder::Credential(id) => (2, id.0),
        };
        // 2 bits of kind, 2 of sum, 16 of scope, 32 of id: all above the sign stay 0.
        Self((kind as i64) << 50 | (sum as i64) << 48 | (scope as i64) << 32 | id as i64)
    }
}

impl QuotaKey {
    /// Whether it sums up credits, and not messages.
    #[must_use]
    pub const fn is_of_credits(self) -> bool {
        (self.0 >> 48) & 1 == Sum::DayCredits as i64 & 1
    }
}

/// The print of a first sending: account, destination, which part of it, and the text with its alphabet. Two different
/// messages have the same print once in 10^19, so among four million prints one message in 4 * 10^12 is taken for another. Stores have them.
#[must_use]
pub fn print(account: u32, destination: &[u8], data_coding: u8, part: u32, text: &[u8]) -> u64 {
    let mut all = SmallVec::<[u8; 256]>::new();
    all.extend_from_slice(&account.to_le_bytes());
    all.extend_from_slice(&part.to_le_bytes());
    all.extend_from_slice(&[u8::try_from(destination.len()).unwrap_or(u8::MAX), data_coding]);
    all.extend_from_slice(destination);
    all.extend_from_slice(text);
    // All at once: a state to be fed would be larger than most messages.
    xxh3_64(&all)
}

/// The print by which a rule in shadow knows a first sending, where another rule knows it by its own: each has its window.
#[must_use]
pub const fn shadow_print(print: u64) -> u64 {
    !print
}

/// Names the ranges of a rule of a holder; [`range`] tells one from the other. `twin` tells rules apart that differ in
/// `most` alone: the first has 0, the next 1. So what was sent still counts when `most` is changed.
#[must_use]
pub fn ranges(holder: super::Holder, rule: &super::Velocity, twin: u64) -> u64 {
    let QuotaKey(holder) = QuotaKey::of(holder, Sum::DayMessages, 0);
    let rule = [
        &holder.to_le_bytes()[..],
        &rule.per.as_nanos().to_le_bytes(),
        &twin.to_le_bytes(),
        &[rule.digits],
        rule.prefix.as_bytes(),
    ];
    xxh3_64(&rule.concat())
}

/// Names the range of a rule that `number` is in: as many of its first digits as the rule counts.
#[must_use]
pub fn range(ranges: u64, digits: u8, number: &[u8]) -> u64 {
    xxh3_64_with_seed(number.get(..usize::from(digits)).unwrap_or(number), ranges)
}

/// Credits as what a quota adds up: never negative.
#[must_use]
pub fn units(credits: Credits) -> u64 {
    u64::try_from(credits.micro()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountId, CredentialId};
    use crate::policy::filter::Holder;

    #[test]
    fn every_sum_has_a_key_of_its_own() {
        let holders = [
            Holder::Platform,
            Holder::Account(AccountId(1)),
            Holder::Credential(CredentialId(1)),
            Holder::Account(AccountId(u32::MAX)),
        ];
        let sums = [Sum::DayMessages, Sum::DayCredits, Sum::MonthMessages, Sum::MonthCredits];
        let mut keys = std::collections::HashSet::new();
        for holder in holders {
            for sum in sums {
                for scope in [0, 1, u16::MAX] {
                    let key = QuotaKey::of(holder, sum, scope);
                    assert!(key.0 >= 0 && keys.insert(key), "{holder:?} {sum:?} {scope}");
                }
            }
        }
    }

    #[test]
    fn a_print_tells_account_number_alphabet_and_text_apart() {
        let prints = [
            print(1, b"34600", 0, 0, b"hi"),
            print(2, b"34600", 0, 0, b"hi"),
            print(1, b"3460", 0, 0, b"0hi"),
            print(1, b"34600", 8, 0, b"hi"),
            print(1, b"34600", 0, 0, b"ho"),
            print(1, b"34600", 0, 1, b"hi"),
        ];
        let different: std::collections::HashSet<_> = prints.iter().collect();
        assert_eq!(different.len(), prints.len());
        assert_eq!(print(1, b"34600", 0, 0, b"hi"), prints[0]);
    }

    #[test]
    fn a_print_is_what_stores_have_of_the_same_message() {
        assert_eq!(print(7, b"34600111222", 8, 0x0102, "\u{1F44B} hello".as_bytes()), 0xd90b_eddd_9832_e552);
        let long = [b'x'; 1_000];
        assert_eq!(print(u32::MAX, b"1", 0, 0, &long), 0x4307_4800_303c_8167);
    }
}
