//! Days and months of a place, and the moments at which its clocks read something.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, tz::Offset};

use crate::clock::Timestamp;

/// A day of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySpan {
    /// Its date, counted from 1970-01-01.
    pub day: i32,
    /// When the next day begins.
    pub ends: Timestamp,
}

/// A month of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthSpan {
    /// Counted from January 1970.
    pub month: i32,
    /// When the next month begins.
    pub ends: Timestamp,
}

/// The day that it is in a zone. A day begins when the clock last reads midnight: where clocks go back over midnight, the
/// day that was over does not come back. A date that the zone left out is no day.
#[must_use]
pub fn local_day(zone: &TimeZone, now: Timestamp) -> DaySpan {
    let begins = |date: Date| last_reading(zone, DateTime::from_parts(date, Time::midnight()));
    let found = civil(zone, now).and_then(|civil| {
        let date = (-2..=2).rev().filter_map(|days| shift(civil.date(), days));
        let date = date.filter(|date| begins(*date).is_some_and(|begins| begins <= now)).max()?;
        let ends = begins(shift(date, 1)?)?;
        Some(DaySpan { day: date.since(EPOCH).ok()?.get_days(), ends })
    });
    // Beyond the years that a calendar has, days are those of UTC.
    found.unwrap_or_else(|| {
        let day = now.utc_day();
        let ends = Timestamp::from_millis(day.saturating_add(1).saturating_mul(86_400_000));
        DaySpan { day: i32::try_from(day).unwrap_or(i32::MAX), ends }
    })
}

/// The month that it is in a zone; its first day begins as in [`local_day`].
#[must_use]
pub fn local_month(zone: &TimeZone, now: Timestamp) -> MonthSpan {
    let begins = |month: i32| {
        let first = EPOCH.checked_add(Span::new().try_months(month).ok()?).ok()?;
        last_reading(zone, DateTime::from_parts(first, Time::midnight()))
    };
    let found = civil(zone, now).and_then(|civil| {
        let here = (i32::from(civil.year()) - 1970) * 12 + i32::from(civil.month()) - 1;
        let month =
            (here - 1..=here + 1).rev().find(|month| begins(*month).is_some_and(|begins| begins <= now))?;
        Some(MonthSpan { month, ends: begins(month + 1)? })
    });
    found.unwrap_or(MonthSpan { month: i32::MAX, ends: Timestamp::NEVER })
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// What a clock in the zone reads; nothing beyond the years that a calendar has.
pub(super) fn civil(zone: &TimeZone, at: Timestamp) -> Option<DateTime> {
    jiff::Timestamp::from_millisecond(at.millis()).ok().map(|at| zone.to_datetime(at))
}

/// The date some days later, or earlier.
pub(super) fn shift(date: Date, days: i32) -> Option<Date> {
    date.checked_add(Span::new().days(days)).ok()
}

/// When the clock first reads this, or skips it.
pub(super) fn first_reading(zone: &TimeZone, reading: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            at(offset, reading)
        }
        AmbiguousOffset::Gap { before, after } => skip(zone, reading, before, after),
    }
}

/// When the clock last reads this, or skips it.
pub(super) fn last_reading(zone: &TimeZone, reading: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { after: offset, .. } => {
            at(offset, reading)
        }
        AmbiguousOffset::Gap { before, after } => skip(zone, reading, before, after),
    }
}

/// The moment of the skip: read with the offset that holds after it, a skipped reading lies before it.
fn skip(zone: &TimeZone, reading: DateTime, before: Offset, after: Offset) -> Option<Timestamp> {
    let earlier = after.to_timestamp(reading).ok()?;
    match zone.following(earlier).next() {
        Some(skip) => Some(Timestamp::from_millis(skip.timestamp().as_millisecond())),
        None => at(before, reading),
    }
}

fn at(offset: Offset, reading: DateTime) -> Option<Timestamp> {
    offset.to_timestamp(reading).ok().map(|at| Timestamp::from_millis(at.as_millisecond()))
}
