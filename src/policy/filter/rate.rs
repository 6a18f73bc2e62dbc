//! A token bucket in segments: exact integers, told the time, changed while in use.

use crate::account::Throughput;

/// What is left of a throughput. Counts in millisegments so that slow rates stay exact.
#[derive(Clone, Debug)]
pub struct Bucket {
    level: u64,
    filled_at: u64,
}

impl Bucket {
    /// A full bucket. `now` is monotonic milliseconds.
    #[must_use]
    pub fn full(throughput: Throughput, now: u64) -> Self {
        Self { level: u64::from(throughput.burst) * 1000, filled_at: now }
    }

    /// Takes `segments` out, or leaves it as it is and says after how many milliseconds they will be there.
    ///
    /// A request of more segments than the burst passes when the bucket is full and leaves it in debt to zero only,
    /// because otherwise it could never be sent.
    ///
    /// # Errors
    /// The milliseconds to wait.
    pub fn take(&mut self, throughput: Throughput, segments: u32, now: u64) -> Result<(), u64> {
        self.fill(throughput, now);
        let wanted = u64::from(segments.min(throughput.burst)) * 1000;
        match self.level.checked_sub(wanted) {
            Some(rest) => {
                self.level = rest;
                Ok(())
            }
            None => Err((wanted - self.level).div_ceil(u64::from(throughput.per_second.max(1)))),
        }
    }

    /// Puts back what was taken a moment ago.
    pub fn give_back(&mut self, throughput: Throughput, segments: u32) {
        let burst = u64::from(throughput.burst) * 1000;
        self.level = (self.level + u64::from(segments.min(throughput.burst)) * 1000).min(burst);
    }

    /// Whether so many segments could be taken now.
    #[must_use]
    pub fn covers(&mut self, throughput: Throughput, segments: u32, now: u64) -> bool {
        self.fill(throughput, now);
        self.level >= u64::from(segments.min(throughput.burst)) * 1000
    }

    /// Whole segments that could be taken now.
    pub fn available(&mut self, throughput: Throughput, now: u64) -> u32 {
        self.fill(throughput, now);
        u32::try_from(self.level / 1000).unwrap_or(u32::MAX)
    }

    fn fill(&mut self, throughput: Throughput, now: u64) {
        let elapsed = now.saturating_sub(self.filled_at);
        self.filled_at = now;
        // segments/s x ms = millisegments
        let gained = elapsed.saturating_mul(u64::from(throughput.per_second));
        self.level = self.level.saturating_add(gained).min(u64::from(throughput.burst) * 1000);
    }
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
    fn a_message_longer_than_the_burst_still_passes_when_the_bucket_is_full() {
        let rate = Throughput { per_second: 1, burst: 2 };
        let mut bucket = Bucket::full(rate, 0);
        assert_eq!(bucket.take(rate, 5, 0), Ok(()));
        assert_eq!(bucket.take(rate, 5, 1_000), Err(1_000));
    }
}
