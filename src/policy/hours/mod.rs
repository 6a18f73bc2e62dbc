//! Closed hours: when an account's messages do not go out, told as a clock on the wall of some place tells it.
//!
//! What holds where clocks are put forward or back: an interval begins when the clock first reads its beginning, and ends
//! when it last reads its end, so that nothing goes out before the hour that people were promised. A reading that is
//! skipped counts as the moment of the skip. Zones come in as an argument: the room reads no files.

mod calendar;
mod written;

pub use calendar::{DaySpan, MonthSpan, local_day, local_month};
pub use written::{Action, ClosedHours, Days, NotATime, TimeOfDay};

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use self::calendar::{civil, first_reading, last_reading};
use crate::clock::Timestamp;

/// Closed hours with their zone.
#[derive(Clone, Debug)]
pub struct Hours {
    written: ClosedHours,
    zone: TimeZone,
}

/// An answer, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it opens; absent if it is open. [`Timestamp::NEVER`] if the hours leave no time open.
    pub closed_until: Option<Timestamp>,
    /// The answer is the same until then, that moment excluded.
    pub valid_until: Timestamp,
}

/// A zone that the database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone; write a name of the IANA database, such as \"Europe/Madrid\"")]
pub struct UnknownZone(pub String);

/// Who is closed for longer than this does not open: hours repeat every week.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(9 * 86_400);
/// Days after today on which the next interval is looked for: a week, and one that a zone left out.
const AHEAD: i32 = 9;

impl Hours {
    /// With the zone from `zones`: the system's database, or the bundled one where there is none (`jiff::tz::db()`).
    ///
    /// # Errors
    /// When the zone is not there.
    pub fn compile(written: &ClosedHours, zones: &TimeZoneDatabase) -> Result<Self, UnknownZone> {
        let zone = zones.get(&written.zone).map_err(|_| UnknownZone(written.zone.clone()))?;
        Ok(Self { written: written.clone(), zone })
    }

    /// What becomes of a message while it is closed.
    #[must_use]
    pub fn action(&self) -> Action {
        self.written.action
    }

    /// As it was written down.
    #[must_use]
    pub fn written(&self) -> &ClosedHours {
        &self.written
    }

    /// When it opens, if it is closed at `now`. Intervals that meet are one.
    #[must_use]
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        closed_until_all(std::slice::from_ref(self), now)
    }

    /// Whether it is closed, and how long that answer holds; for callers that keep it.
    #[must_use]
    pub fn span(&self, now: Timestamp) -> Span {
        span_all(std::slice::from_ref(self), now)
    }

    /// The end of one interval that has `now` in it.
    fn interval_ends(&self, now: Timestamp) -> Option<Timestamp> {
        let today = civil(&self.zone, now)?.date();
        let intervals = (-2..=1).filter_map(|days| self.interval(calendar::shift(today, days)?));
        intervals.filter(|(from, to)| (*from..*to).contains(&now)).map(|(_, to)| to).max()
    }

    /// The beginning of the next interval after `now`, as far as it is looked for.
    fn next_interval(&self, now: Timestamp) -> Option<Timestamp> {
        let today = civil(&self.zone, now)?.date();
        let intervals = (-2..=AHEAD).filter_map(|days| self.interval(calendar::shift(today, days)?));
        intervals.map(|(from, _)| from).filter(|from| *from > now).min()
    }

    /// The interval that begins on a date, if there is one and it is not skipped.
    fn interval(&self, begins: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.written.days.contains(begins.weekday()) {
            return None;
        }
        let (from, to) = (self.written.from, self.written.to);
        // From 22:00 to 22:00 would be a day less nothing: that means the day itself.
        let (from, ends, to) = if from == to {
            (TimeOfDay::MIDNIGHT, calendar::shift(begins, 1)?, TimeOfDay::MIDNIGHT)
        } else if from < to {
            (from, begins, to)
        } else {
            (from, calendar::shift(begins, 1)?, to)
        };
        let from = first_reading(&self.zone, DateTime::from_parts(begins, from.civil()))?;
        let to = last_reading(&self.zone, DateTime::from_parts(ends, to.civil()))?;
        (from < to).then_some((from, to))
    }
}

/// When all of them are open, if one is closed at `now`. [`Timestamp::NEVER`] if together they leave no time open.
#[must_use]
pub fn closed_until_all(hours: &[Hours], now: Timestamp) -> Option<Timestamp> {
    let ends = |at| hours.iter().filter_map(|hours| hours.interval_ends(at)).max();
    let mut open = ends(now)?;
    // Each turn ends another interval, of which there are few in nine days.
    while let Some(later) = ends(open) {
        if later.since(now) > LONGEST {
            return Some(Timestamp::NEVER);
        }
        open = later;
    }
    Some(open)
}

/// Whether one of them is closed, and how long that answer holds.
#[must_use]
pub fn span_all(hours: &[Hours], now: Timestamp) -> Span {
    match closed_until_all(hours, now) {
        // Never is a long time: asked again in a while, it costs nothing.
        Some(Timestamp::NEVER) => {
            Span { closed_until: Some(Timestamp::NEVER), valid_until: now + LONGEST / 9 }
        }
        Some(open) => Span { closed_until: Some(open), valid_until: open },
        None => {
            let next = hours.iter().filter_map(|hours| hours.next_interval(now)).min();
            Span { closed_until: None, valid_until: next.unwrap_or(now + LONGEST / 9) }
        }
    }
}

#[cfg(test)]
mod tests;
