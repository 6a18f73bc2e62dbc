//! The last answer about hours, kept for all threads that ask about the same time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Span;
use crate::clock::Timestamp;

/// An answer in one word, so that it is never half of another: the second since 1970 from which on it holds (32 bits),
/// for how many (24 bits; none, and it holds never), and what it says (8 bits).
#[derive(Debug, Default)]
pub(super) struct Kept(AtomicU64);

/// The longest that an answer is kept, in seconds: half a year.
const LONGEST: u64 = 0xFF_FFFF;
/// Outside of the hours.
const OUTSIDE: u64 = 0;
/// Within them, as long as the answer holds.
const WITHIN: u64 = 1;
/// Within them for ever.
const ALWAYS: u64 = 2;

impl Kept {
    /// When the hours end that `now` is in, if there are any; nothing if that is not kept.
    pub(super) fn at(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        // One word tells everything: nothing else must be seen with it.
        let word = self.0.load(Ordering::Relaxed);
        let (since, length) = (word >> 32, word >> 8 & LONGEST);
        (since..since + length).contains(&second(now)?).then(|| match word & 0xFF {
            OUTSIDE => None,
            WITHIN => Some(Timestamp::default() + Duration::from_secs(since + length)),
            _ => Some(Timestamp::NEVER),
        })
    }

    /// Keeps what was found for `now`; what does not fit is found again each time.
    pub(super) fn keep(&self, now: Timestamp, span: Span) {
        let says = match span.until {
            None => OUTSIDE,
            Some(Timestamp::NEVER) => ALWAYS,
            Some(_) => WITHIN,
        };
        // Clocks are changed at whole seconds, so what holds at a moment holds throughout its second.
        let (Some(since), Some(ends)) = (second(now), second(span.valid_until)) else { return };
        let length = ends.saturating_sub(since);
        if since <= u64::from(u32::MAX) && length <= LONGEST {
            self.0.store(since << 32 | length << 8 | says, Ordering::Relaxed);
        }
    }
}

/// Seconds since 1970.
fn second(at: Timestamp) -> Option<u64> {
    u64::try_from(at.millis()).ok().map(|millis| millis / 1_000)
}
