//! Hours told as a clock on the wall of some place tells them: when an account's messages do not go out, and when a route
//! is open.
//!
//! What holds where clocks are put forward or back: an interval begins when the clock first reads its beginning, and ends
//! when it last reads its end, so that nothing goes out before the hour that people were promised. A reading that is
//! skipped counts as the moment of the skip. Zones come in as an argument: the room reads no files.

mod calendar;
mod kept;
mod written;

pub use calendar::{DaySpan, MonthSpan, local_day, local_month};
pub use written::{Action, ClosedHours, Days, Interval, NotATime, TimeOfDay};

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use smallvec::SmallVec;

use self::calendar::{civil, shift};
use self::kept::Kept;
use crate::clock::Timestamp;

/// Intervals by the clock of a zone. Those that meet are one.
#[derive(Clone, Debug)]
pub struct Hours {
    intervals: SmallVec<[Interval; 1]>,
    zone: TimeZone,
    /// Clones say the same, and so share it.
    kept: Arc<Kept>,
}

/// An answer, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// When they end; absent outside of them. [`Timestamp::NEVER`] if they leave nothing out.
    until: Option<Timestamp>,
    /// The answer is the same until then, that moment excluded.
    valid_until: Timestamp,
}

/// A zone that the database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zone is {0:?}: {advice}", advice = Self::ADVICE)]
pub struct UnknownZone(pub String);

impl UnknownZone {
    /// What to do about it.
    pub const ADVICE: &str = "write the name of a time zone, such as \"Europe/Madrid\" or \"UTC\"";
}

/// The zone of this name (IANA) in `zones`: the system's database, or the bundled one where there is none
/// (`jiff::tz::db()`).
///
/// # Errors
/// When it is not there.
pub fn zone(name: &str, zones: &TimeZoneDatabase) -> Result<TimeZone, UnknownZone> {
    zones.get(name).map_err(|_| UnknownZone(name.to_owned()))
}

/// What lasts longer than this does not end: hours repeat every week.
const LONGEST: Duration = Duration::from_secs(9 * 86_400);
/// How long an answer holds that never changes; asked again now and then, it costs nothing.
const A_WHILE: Duration = Duration::from_secs(86_400);
/// Days around today whose intervals are looked at: as many as show what lasts too long, where a zone leaves one out too.
const DAYS: RangeInclusive<i32> = -2..=11;

impl Hours {
    /// These intervals in this zone.
    #[must_use]
    pub fn new(intervals: impl IntoIterator<Item = Interval>, zone: TimeZone) -> Self {
        let mut intervals: SmallVec<_> = intervals.into_iter().collect();
        intervals.sort_unstable_by_key(Interval::readings);
        Self { intervals, zone, kept: Arc::default() }
    }

    /// Whether `now` is in them; as cheap as [`until_kept`](Self::until_kept).
    #[must_use]
    pub fn has(&self, now: Timestamp) -> bool {
        self.until_kept(now).is_some()
    }

    /// When they end, if `at` is in them. [`Timestamp::NEVER`] if they leave nothing out.
    #[must_use]
    pub fn until(&self, at: Timestamp) -> Option<Timestamp> {
        self.span(at).until
    }

    /// The same for the time that it is: the answer is kept for all who ask while it holds.
    #[must_use]
    pub fn until_kept(&self, now: Timestamp) -> Option<Timestamp> {
        self.kept.at(now).unwrap_or_else(|| {
            let span = self.span(now);
            self.kept.keep(now, span);
            span.until
        })
    }

    fn span(&self, at: Timestamp) -> Span {
        let (mut until, mut next) = (at, None);
        for (from, to) in self.around(at) {
            if from > until {
                next = Some(from);
                break;
            }
            until = until.max(to);
        }
        if until == at {
            return Span { until: None, valid_until: next.unwrap_or(at + A_WHILE) };
        }
        if until.since(at) > LONGEST {
            return Span { until: Some(Timestamp::NEVER), valid_until: at + A_WHILE };
        }
        Span { until: Some(until), valid_until: until }
    }

    /// The intervals of the days around `at`, in the order in which they begin.
    fn around(&self, at: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = civil(&self.zone, at).map(|reading| reading.date());
        let days = today.into_iter().flat_map(|today| DAYS.filter_map(move |days| shift(today, days)));
        days.flat_map(move |day| {
            self.intervals.iter().filter_map(move |interval| interval.on(day, &self.zone))
        })
    }
}

#[cfg(test)]
mod tests;
