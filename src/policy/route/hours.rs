//! Times of day at which a route is open, by the clock of a zone.

use std::str::FromStr;

use jiff::tz::TimeZone;
use smallvec::SmallVec;

use crate::clock::Timestamp;

/// Spans of a day in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    spans: SmallVec<[Span; 2]>,
    zone: TimeZone,
}

/// From a minute of the day until another, that one excluded; over midnight where it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: u16,
    until: u16,
}

/// Why a text is no span of a day, or a name no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHours {
    /// Not `HH:MM-HH:MM`.
    #[error(
        "write times of a day such as \"08:00-20:00\"; \"22:00-06:00\" is over midnight, \"00:00-24:00\" all day"
    )]
    Span,
    /// No such zone.
    #[error("write the name of a time zone, such as \"Europe/Madrid\" or \"UTC\"")]
    Zone,
}

impl Hours {
    /// Reads spans such as `08:00-20:00` and the name of a zone (IANA).
    ///
    /// # Errors
    /// When one of them is none.
    pub fn read<'t>(spans: impl IntoIterator<Item = &'t str>, zone: &str) -> Result<Self, NotHours> {
        let spans = spans.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { spans, zone: TimeZone::get(zone).map_err(|_| NotHours::Zone)? })
    }

    /// Whether a moment is within them.
    #[must_use]
    pub fn has(&self, at: Timestamp) -> bool {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.millis()) else { return false };
        let time = self.zone.to_datetime(at).time();
        let minute = u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        self.spans.iter().any(|span| span.has(minute))
    }
}

impl Span {
    const fn has(self, minute: u16) -> bool {
        if self.from < self.until {
            self.from <= minute && minute < self.until
        } else {
            self.from <= minute || minute < self.until
        }
    }
}

impl FromStr for Span {
    type Err = NotHours;

    fn from_str(text: &str) -> Result<Self, NotHours> {
        let (from, until) = text.split_once('-').ok_or(NotHours::Span)?;
        let (from, until) = (minute(from)?, minute(until)?);
        if from == until || from == DAY { Err(NotHours::Span) } else { Ok(Self { from, until }) }
    }
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

fn minute(text: &str) -> Result<u16, NotHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(NotHours::Span)?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits).ok_or(NotHours::Span)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    if minute < 60 && all <= DAY { Ok(all) } else { Err(NotHours::Span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn a_span_holds_by_the_clock_of_its_zone() {
        let madrid = Hours::read(["08:00-20:00"], "Europe/Madrid").unwrap();
        for (time, open) in [
            ("2026-01-15T06:59:59Z", false),
            ("2026-01-15T07:00:00Z", true),
            ("2026-01-15T18:59:59Z", true),
            ("2026-01-15T19:00:00Z", false),
            // Summer: two hours ahead.
            ("2026-07-15T06:00:00Z", true),
            ("2026-07-15T18:00:00Z", false),
        ] {
            assert_eq!(madrid.has(at(time)), open, "{time}");
        }
    }

    #[test]
    fn spans_may_go_over_midnight_and_be_several() {
        let hours = Hours::read(["22:00-06:00", "12:00-13:00"], "UTC").unwrap();
        let open = |time: &str| hours.has(at(&format!("2026-01-15T{time}:00Z")));
        assert_eq!(
            ["21:59", "22:00", "00:00", "05:59", "06:00", "12:30", "13:00"].map(open),
            [false, true, true, true, false, true, false]
        );
        assert!(Hours::read(["00:00-24:00"], "UTC").unwrap().has(at("2026-01-15T23:59:59Z")));
    }

    #[test]
    fn what_is_no_span_or_zone_is_refused() {
        for text in
            ["", "8-20", "08:00", "08:00-08:00", "24:00-06:00", "08:60-09:00", "+8:00-09:00", "08:00-24:01"]
        {
            assert_eq!(Hours::read([text], "UTC"), Err(NotHours::Span), "{text:?}");
        }
        assert_eq!(Hours::read(["08:00-09:00"], "Europe/Nowhere"), Err(NotHours::Zone));
    }
}
