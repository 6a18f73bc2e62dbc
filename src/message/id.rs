//! Message ids: 63 bits, ordered by time, with room for a node number; decimal digits on the wire.
//!
//! `41 bits milliseconds since 2020 | 6 bits node | 16 bits counter`: good until 2089, 64 nodes, 65 million a second.
//! A client of SMPP 3.3 has room for 8 hexadecimal digits only: its messages are shown under a short id, a number of 32
//! bits that the store gives out. No other id is that small, so a short one is known by its size and by its text.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;

/// Our number of a message; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(i64);

/// Which of several Tollgate nodes made an id; 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeNumber(u8);

/// 2020-01-01T00:00:00Z in milliseconds.
const EPOCH: i64 = 1_577_836_800_000;
const COUNTER_BITS: u32 = 16;
const NODE_BITS: u32 = 6;
/// Characters of a message_id in SMPP 3.3, without its NUL.
const SHORT_DIGITS: usize = 8;

impl NodeNumber {
    /// A number from 0 to 63.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 1 << NODE_BITS { Some(Self(number)) } else { None }
    }
}

impl MessageId {
    /// From the store's integer.
    #[must_use]
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// For the store.
    #[must_use]
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// When the message was accepted.
    #[must_use]
    pub const fn accepted_at(self) -> Timestamp {
        Timestamp::from_millis((self.0 >> (COUNTER_BITS + NODE_BITS)) + EPOCH)
    }

    /// The short id with this number; nothing for 0, which is none.
    #[must_use]
    pub const fn short(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number as i64)) }
    }

    /// Whether this is a short id: it has no time in it, and only the store knows whose it is.
    #[must_use]
    pub const fn is_short(self) -> bool {
        0 < self.0 && self.0 <= u32::MAX as i64
    }

    /// The least id that a message accepted at `at` or later can have.
    #[must_use]
    pub const fn first_at(at: Timestamp) -> Self {
        Self(at.millis().saturating_sub(EPOCH) << (COUNTER_BITS + NODE_BITS))
    }
}

impl fmt::Display for MessageId {
    /// Decimal digits, or the 8 hexadecimal digits of a short id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_short() { write!(f, "{:08X}", self.0) } else { self.0.fmt(f) }
    }
}

impl FromStr for MessageId {
    type Err = std::num::ParseIntError;
    /// Exactly 8 hexadecimal digits, of either case, are a short id; any other id is longer, in decimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == SHORT_DIGITS && text.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return i64::from_str_radix(text, 16).map(Self);
        }
        text.parse::<u64>().and_then(|_| text.parse()).map(Self)
    }
}

/// Makes ids: always greater than the last, also when the clock goes back.
#[derive(Debug)]
pub struct IdSource {
    node: NodeNumber,
    last: i64,
}

impl IdSource {
    /// Continues after the greatest id ever given out.
    #[must_use]
    pub const fn after(last: Option<MessageId>, node: NodeNumber) -> Self {
        Self {
            node,
            last: match last {
                Some(id) => id.0,
                None => 0,
            },
        }
    }

    /// The next id.
    pub fn next(&mut self, now: Timestamp) -> MessageId {
        let node = i64::from(self.node.0) << COUNTER_BITS;
        let fresh = MessageId::first_at(now).0 | node;
        self.last = if fresh > self.last {
            fresh
        } else if (self.last + 1) & ((1 << COUNTER_BITS) - 1) != 0 {
            self.last + 1
        } else {
            // The counter of this millisecond is used up: borrow the next millisecond.
            (((self.last >> (COUNTER_BITS + NODE_BITS)) + 1) << (COUNTER_BITS + NODE_BITS)) | node
        };
        MessageId(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_whatever_the_clock_does() {
        let mut ids = IdSource::after(None, NodeNumber::new(5).unwrap());
        let noon = Timestamp::from_millis(1_763_650_000_000);
        let first = ids.next(noon);
        assert_eq!(first.accepted_at(), noon);
        let mut last = first;
        for _ in 0..70_000 {
            let next = ids.next(Timestamp::from_millis(1_763_649_000_000));
            assert!(next > last);
            last = next;
        }
        assert_eq!(last.accepted_at(), Timestamp::from_millis(1_763_650_000_001));
        assert!(IdSource::after(Some(last), NodeNumber::default()).next(noon) > last);
        assert_eq!(first.to_string().parse(), Ok(first));
    }

    #[test]
    fn short_ids_have_eight_hexadecimal_digits() {
        let short = MessageId::short(0x00A1_B2C3).unwrap();
        assert_eq!((short.to_string().as_str(), short.is_short()), ("00A1B2C3", true));
        for text in ["00A1B2C3", "00a1b2c3"] {
            assert_eq!(text.parse(), Ok(short));
        }
        assert_eq!(MessageId::short(u32::MAX).unwrap().to_string(), "FFFFFFFF");
        assert_eq!((MessageId::short(0), MessageId::from_raw(0).is_short()), (None, false));
        let first = MessageId::first_at(Timestamp::from_millis(EPOCH + 1025));
        assert!(!first.is_short() && !MessageId::from_raw(-5).is_short());
        for text in ["", "+0A1B2C3", "0xA1B2C3", "00A1B2C"] {
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }
}
