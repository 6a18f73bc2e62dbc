//! What time it is: the wall clock for messages, a monotonic one for session timers, and one that a test moves.
//!
//! Only rooms that do I/O hold a [`Clock`]; the pure rooms get a [`Timestamp`] as an argument.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The end of time, for what never falls due.
    pub const NEVER: Self = Self(i64::MAX);

    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The day in UTC, counted from 1970-01-01: the name of a history file and of a row of daily totals.
    #[must_use]
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// The source of time that is handed to every room with I/O.
#[derive(Clone)]
pub struct Clock(Arc<Source>);

enum Source {
    System { started: Instant },
    Manual(watch::Sender<Hands>),
}

/// Where the hands of a manual clock stand.
#[derive(Clone, Copy, Debug)]
struct Hands {
    wall: Timestamp,
    monotonic: u64,
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Source::System { started: Instant::now() }))
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Source::Manual(watch::Sender::new(Hands { wall: start, monotonic: 0 }))))
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Source::System { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Manual(hands) => hands.borrow().wall,
        }
    }

    /// Milliseconds since this clock was made; never goes back, whatever happens to the wall clock.
    #[must_use]
    pub fn monotonic(&self) -> u64 {
        match &*self.0 {
            Source::System { started } => u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            Source::Manual(hands) => hands.borrow().monotonic,
        }
    }

    /// Moves a manual clock; a system clock stays as it is.
    pub fn advance(&self, span: Duration) {
        if let Source::Manual(hands) = &*self.0 {
            hands.send_modify(|hands| {
                hands.wall = hands.wall + span;
                let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                hands.monotonic = hands.monotonic.saturating_add(millis);
            });
        }
    }

    /// Sets the wall clock of a manual clock, as a person or NTP does; no time passes (conformance C-065). A system
    /// clock stays as it is.
    pub fn set_wall(&self, wall: Timestamp) {
        if let Source::Manual(hands) = &*self.0 {
            hands.send_modify(|hands| hands.wall = wall);
        }
    }

    /// Waits until the wall clock shows `due`.
    pub async fn sleep_until(&self, due: Timestamp) {
        match &*self.0 {
            Source::System { .. } => {
                let span = due.since(self.now());
                if !span.is_zero() {
                    tokio::time::sleep(span.min(LONGEST_SLEEP)).await;
                }
            }
            Source::Manual(hands) => reached(hands, |hands| hands.wall >= due).await,
        }
    }

    /// Waits until [`Clock::monotonic`] shows `due`.
    pub async fn sleep_until_monotonic(&self, due: u64) {
        match &*self.0 {
            Source::System { started } => {
                let until = started.checked_add(Duration::from_millis(due));
                let until = until.unwrap_or_else(|| Instant::now() + LONGEST_SLEEP);
                tokio::time::sleep_until(until.min(Instant::now() + LONGEST_SLEEP).into()).await;
            }
            Source::Manual(hands) => reached(hands, |hands| hands.monotonic >= due).await,
        }
    }
}

async fn reached(hands: &watch::Sender<Hands>, is_due: impl Fn(&Hands) -> bool) {
    // The sender lives as long as the clock, so the wait can only end when it is due.
    let _ = hands.subscribe().wait_for(is_due).await;
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Source::System { .. } => "Clock(system)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

/// A sleeper looks at the wall clock again after this long, so that a step of that clock is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_it_is_moved() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Timestamp::from_millis(3_000)).await }
        });
        clock.advance(Duration::from_secs(1));
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!(clock.monotonic(), 2_000);
    }

    #[tokio::test]
    async fn a_wall_clock_that_is_set_takes_no_time() {
        let clock = Clock::manual(Timestamp::from_millis(10_000));
        clock.advance(Duration::from_secs(1));
        clock.set_wall(Timestamp::from_millis(0));
        assert_eq!((clock.now().millis(), clock.monotonic()), (0, 1_000));
        clock.advance(Duration::from_secs(1));
        assert_eq!((clock.now().millis(), clock.monotonic()), (1_000, 2_000));
        clock.sleep_until_monotonic(2_000).await;
    }

    #[test]
    fn a_timestamp_reads_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_763_650_000_123).to_string(), "2025-11-20T14:46:40.123Z");
    }
}
