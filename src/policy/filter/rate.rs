//! A token bucket in segments: exact integers, told the time, changed while in use.

use crate::account::Throughput;

/// What is left of a throughput. Counts in millisegments so that slow rates stay exact.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Below zero after a request that was longer than the burst.
    level: i64,
    filled_at: u64,
}

impl Bucket {
    /// A full bucket. `now` is monotonic milliseconds.
    #[must_use]
    pub fn full(throughput: Throughput, now: u64) -> Self {
        Self { level: millis(throughput.burst), filled_at: now }
    }

    /// Takes `segments` out, or leaves it as it is and says after how many milliseconds they will be there.
    ///
    /// A request of more segments than the burst passes when the bucket is full, because otherwise it could never be
    /// sent. It is taken whole: what comes next waits until the debt is paid, so that the rate holds.
    ///
    /// # Errors
    /// The milliseconds to wait.
    pub fn take(&mut self, throughput: Throughput, segments: u32, now: u64) -> Result<(), u64> {
        self.fill(throughput, now);
        let missing = needed(throughput, segments) - self.level;
        if missing > 0 {
            return Err(missing.unsigned_abs().div_ceil(u64::from(throughput.per_second.max(1))));
        }
        self.level -= millis(segments);
        Ok(())
    }

    /// Puts back what was taken a moment ago.
    pub fn give_back(&mut self, throughput: Throughput, segments: u32) {
        self.level = (self.level + millis(segments)).min(millis(throughput.burst));
    }

    /// Whether so many segments could be taken now.
    #[must_use]
    pub fn covers(&mut self, throughput: Throughput, segments: u32, now: u64) -> bool {
        self.fill(throughput, now);
        self.level >= needed(throughput, segments)
    }

    /// Whole segments that could be taken now.
    pub fn available(&mut self, throughput: Throughput, now: u64) -> u32 {
        self.fill(throughput, now);
        u32::try_from(self.level.max(0) / 1000).unwrap_or(u32::MAX)
    }

    fn fill(&mut self, throughput: Throughput, now: u64) {
        let elapsed = now.saturating_sub(self.filled_at);
        self.filled_at = now;
        // segments/s x ms = millisegments
        let gained = elapsed.saturating_mul(u64::from(throughput.per_second));
        let gained = i64::try_from(gained).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(gained).min(millis(throughput.burst));
    }
}

/// Millisegments: four million million at most.
fn millis(segments: u32) -> i64 {
    i64::from(segments) * 1000
}

/// What must be in the bucket for so many segments to pass.
fn needed(throughput: Throughput, segments: u32) -> i64 {
    millis(segments.min(throughput.burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Throughput { per_second: 10, burst: 20 };
        let mut bucket = Bucket::full(rate, 0);
        assert_eq!(bucket.take(rate, 20, 0), Ok(()));
        assert_eq!(bucket.take(rate, 1, 0), Err(100));
        assert_eq!(bucket.take(rate, 1, 99), Err(1));
        assert_eq!(bucket.take(rate, 1, 100), Ok(()));
        assert_eq!(bucket.available(rate, 1_100), 10);
        assert_eq!(bucket.available(rate, 1_000_000), 20);
    }

    #[test]
    fn a_message_longer_than_the_burst_passes_when_the_bucket_is_full_and_is_paid_whole() {
        let rate = Throughput { per_second: 5, burst: 5 };
        let mut bucket = Bucket::full(rate, 0);
        assert!(bucket.covers(rate, 10, 0));
        assert_eq!(bucket.take(rate, 10, 0), Ok(()));
        assert_eq!((bucket.covers(rate, 1, 1_000), bucket.available(rate, 1_000)), (false, 0));
        assert_eq!(bucket.take(rate, 10, 1_000), Err(1_000));
        assert_eq!(bucket.take(rate, 10, 2_000), Ok(()));
        assert_eq!(bucket.take(rate, 1, 2_000), Err(1_200));
        bucket.give_back(rate, 10);
        assert_eq!(bucket.available(rate, 2_000), 5);
    }

    #[test]
    fn however_long_the_messages_are_no_more_segments_pass_than_the_rate_and_one_message_allow() {
        let rate = Throughput { per_second: 5, burst: 5 };
        for parts in [1, 3, 5, 6, 10, 255] {
            let mut bucket = Bucket::full(rate, 0);
            let mut passed = 0;
            for now in 0..600_000 {
                passed += if bucket.take(rate, parts, now).is_ok() { parts } else { 0 };
            }
            assert!((2_990..=3_000 + parts.max(5)).contains(&passed), "{passed} segments in {parts}s");
        }
    }
}
