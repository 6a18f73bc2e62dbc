//! A point in monotonic time, in milliseconds, given by whoever has a clock.

use std::ops::Add;
use std::time::Duration;

/// Milliseconds since some fixed point, never set back or forward with the wall clock (conformance C-065).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// The milliseconds since `earlier`; 0 if that is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    /// Whole milliseconds are added; the sum stays at the greatest moment rather than overflow.
    fn add(self, time: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_neither_overflow_nor_run_backwards() {
        assert_eq!(Moment(5) + Duration::from_secs(2), Moment(2005));
        assert_eq!(Moment(5) + Duration::MAX, Moment(u64::MAX));
        assert_eq!((Moment(7).since(Moment(5)), Moment(5).since(Moment(7))), (2, 0));
    }
}
