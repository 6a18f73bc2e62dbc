//! Closed hours as they are written down and kept.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

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

/// A time on a clock of 24 hours, to the minute: `00:00` to `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

/// A text that is no time of a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a time as HH:MM, from 00:00 to 23:59")]
pub struct NotATime;

impl TimeOfDay {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self { hour: 0, minute: 0 };

    pub(super) fn civil(self) -> Time {
        // Both are in bounds, or the value would not exist.
        Time::new(self.hour, self.minute, 0, 0).unwrap_or(Time::midnight())
    }
}

impl FromStr for TimeOfDay {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (hour, minute) = text.split_once(':').ok_or(NotATime)?;
        let number = |text: &str, below: i8| {
            let is_written_out = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|n| is_written_out && *n < below).ok_or(NotATime)
        };
        Ok(Self { hour: number(hour, 24)?, minute: number(minute, 60)? })
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
        write!(f, "{:02}:{:02}", self.hour, self.minute)
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
            assert_eq!(text.parse::<TimeOfDay>(), Err(NotATime), "{text}");
        }
        assert_eq!("00:00".parse(), Ok(TimeOfDay::MIDNIGHT));
        assert!(Days::of(["monday"]).unwrap_err().contains("mon, tue"));
    }
}
