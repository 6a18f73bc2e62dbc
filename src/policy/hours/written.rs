//! Hours as they are written down and kept.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::calendar::{first_reading, last_reading, shift};
use crate::clock::Timestamp;

/// An interval of every day, or of some days of the week, in which nothing goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedHours {
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends, that minute excluded; on the next day if it is before `from`. The same time as `from` means the whole
    /// day, from midnight to midnight.
    pub to: TimeOfDay,
    /// A name of the IANA time zone database; empty means that of whoever sets the hours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The days on which it begins; every day by default.
    #[serde(default)]
    pub days: Days,
    /// What becomes of a message meanwhile.
    #[serde(default)]
    pub action: Action,
}

/// What becomes of a message in closed hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is accepted, and waits until they end.
    #[default]
    Hold,
    /// It is refused.
    Reject,
}

impl ClosedHours {
    /// When it is closed.
    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval { from: self.from, to: self.to, days: self.days }
    }
}

/// From one time of a day to another, as it is [`ClosedHours`]; every day where it is read from a text such as
/// `08:00-20:00` or `00:00-24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends, excluded; the next day if it is before `from`, and the whole day if it is the same.
    pub to: TimeOfDay,
    /// The days on which it begins.
    pub days: Days,
}

impl Interval {
    /// What the clock reads when it begins and when it ends.
    pub(super) fn readings(&self) -> (Time, Time) {
        // From 22:00 to 22:00 would be a day less nothing: that means the day itself.
        if self.from == self.to { Default::default() } else { (self.from.0, self.to.0) }
    }

    /// When the one begins and ends that begins on `day`, if there is one and it is not skipped.
    pub(super) fn on(&self, day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(day.weekday()) {
            return None;
        }
        let (from, to) = self.readings();
        let ends = if from < to { day } else { shift(day, 1)? };
        let begins = first_reading(zone, day.to_datetime(from))?;
        let ends = last_reading(zone, ends.to_datetime(to))?;
        (begins < ends).then_some((begins, ends))
    }
}

impl FromStr for Interval {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (from, to) = text.split_once('-').ok_or(NotATime::Interval)?;
        let time = |text: &str| text.parse().map_err(|_| NotATime::Interval);
        let from = time(from.trim())?;
        // A day ends when the next one begins. Only what is written so means a whole one.
        let to = match to.trim() {
            "24:00" => TimeOfDay::MIDNIGHT,
            to => Some(time(to)?).filter(|to| *to != from).ok_or(NotATime::Interval)?,
        };
        Ok(Self { from, to, days: Days::EVERY })
    }
}

/// A time on a clock of 24 hours, to the minute: `00:00` to `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(pub(super) Time);

/// A text that is no time of a day, or no two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATime {
    /// Not `HH:MM`.
    #[error("write a time as HH:MM, from 00:00 to 23:59")]
    Time,
    /// Not `HH:MM-HH:MM`.
    #[error(
        "write times of a day such as \"08:00-20:00\"; \"22:00-06:00\" is over midnight, \"00:00-24:00\" all day"
    )]
    Interval,
}

impl TimeOfDay {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self(Time::midnight());
}

impl FromStr for TimeOfDay {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let number = |text: &str| {
            let is_written_out = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| is_written_out)
        };
        let time = text
            .split_once(':')
            .and_then(|(hour, minute)| Time::new(number(hour)?, number(minute)?, 0, 0).ok());
        time.map(Self).ok_or(NotATime::Time)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// Days of the week; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<&'static str>")]
pub struct Days(
    /// Bit 0 for Monday.
    u8,
);

/// The words for days, from Monday.
const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    /// All seven.
    pub const EVERY: Self = Self(0x7F);
    /// What a day may be called, from Monday.
    pub const WORDS: [&str; 7] = WORDS;

    /// The days that `words` name; none named means every day.
    ///
    /// # Errors
    /// The first word that is no day.
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, String> {
        let mut set = 0;
        for word in words {
            let day = WORDS.iter().position(|known| *known == word);
            set |= 1 << day.ok_or_else(|| format!("{word:?} is no day; write {}", WORDS.join(", ")))?;
        }
        Ok(if set == 0 { Self::EVERY } else { Self(set) })
    }

    /// Whether the day is one of them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        self.0 >> day.to_monday_zero_offset() & 1 == 1
    }
}

impl Default for Days {
    fn default() -> Self {
        Self::EVERY
    }
}

impl TryFrom<Vec<String>> for Days {
    type Error = String;

    fn try_from(words: Vec<String>) -> Result<Self, String> {
        Self::of(words.iter().map(String::as_str))
    }
}

impl From<Days> for Vec<&'static str> {
    fn from(days: Days) -> Self {
        (0..7).filter(|day| days.0 >> day & 1 == 1).map(|day| WORDS[day]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_kept_as_they_are_written() {
        let text =
            r#"{"from":"22:00","to":"08:00","zone":"Europe/Madrid","days":["mon","sun"],"action":"reject"}"#;
        let hours: ClosedHours = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&hours).unwrap(), text);
        assert!(hours.days.contains(Weekday::Sunday) && !hours.days.contains(Weekday::Tuesday));
        let short: ClosedHours =
            serde_json::from_str(r#"{"from":"22:00","to":"08:00","zone":"UTC","days":[]}"#).unwrap();
        assert_eq!((short.days, short.action), (Days::EVERY, Action::Hold));
    }

    #[test]
    fn what_is_no_time_or_no_day_is_refused() {
        for text in ["", "8:00", "08:0", "24:00", "08:60", "0800", "08:00:00", "+8:00", "-1:00", "\u{e9}:00"]
        {
            assert_eq!(text.parse::<TimeOfDay>(), Err(NotATime::Time), "{text}");
        }
        for text in
            ["", "8-20", "08:00", "08:00-08:00", "24:00-06:00", "08:60-09:00", "+8:00-09:00", "08:00-24:01"]
        {
            assert_eq!(text.parse::<Interval>(), Err(NotATime::Interval), "{text:?}");
        }
        assert_eq!("00:00".parse(), Ok(TimeOfDay::MIDNIGHT));
        assert!(Days::of(["monday"]).unwrap_err().contains("mon, tue"));
    }
}
