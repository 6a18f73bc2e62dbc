//! Times in PDUs: absolute with a two-digit year and a zone, or relative (SMPP 3.4 §7.1.1, Appendix C).
//!
//! The text is `YYMMDDhhmmsstnnp`. No clock is read here: what depends on the present takes it as an argument, in
//! milliseconds since 1970-01-01 00:00 UTC.

mod calendar;

use std::fmt;

use self::calendar::{date_of, days_of_month, days_since_1970, nearest_year};
use super::octets::COctets;

/// Characters of a time, without the NUL (SMPP 3.4 §7.1.1).
pub const TIME_LENGTH: usize = 16;

/// Characters of the local form that older centres report.
const LOCAL_LENGTH: usize = 12;

/// Quarter hours that a zone may be away from UTC.
const QUARTERS_LIMIT: u8 = 48;

const DAY_MS: i64 = 86_400_000;
const QUARTER_MS: i64 = 900_000;

/// A time of a PDU, checked: only real dates and clock times, and a zone within twelve hours (SMPP 3.4 §7.1).
///
/// Values are made by the parsers and by [`SmppTime::absolute_utc`], [`SmppTime::relative`]; fields that are set by
/// hand are checked again when the time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmppTime {
    /// A point in time.
    Absolute {
        /// Year of the century, 0–99.
        year: u8,
        /// 1–12.
        month: u8,
        /// 1–31, as the month has it.
        day: u8,
        /// 0–23.
        hour: u8,
        /// 0–59.
        minute: u8,
        /// 0–59.
        second: u8,
        /// Tenths of a second, 0–9.
        tenths: u8,
        /// Quarter hours by which the local time is ahead of UTC, −48–48.
        quarters: i8,
    },
    /// A span from now on.
    Relative {
        /// 0–99.
        years: u8,
        /// 0–12.
        months: u8,
        /// 0–31.
        days: u8,
        /// 0–23.
        hours: u8,
        /// 0–59.
        minutes: u8,
        /// 0–59.
        seconds: u8,
    },
}

/// Why some octets are no time. RINVSCHED or RINVEXPIRY to the peer, by field (SMPP 3.4 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeError {
    /// Neither 16 characters nor, where that is taken, 12.
    Length(usize),
    /// Something else than a digit among the first 15 characters.
    NotADigit,
    /// The last character is none of `+`, `-`, `R`.
    Sign,
    /// A month, day, hour, minute or second that does not exist.
    OutOfRange,
    /// More than 48 quarter hours away from UTC.
    Zone,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeError::Length(octets) => write!(f, "{octets} characters where a time has 16"),
            TimeError::NotADigit => f.write_str("not a digit"),
            TimeError::Sign => f.write_str("ends in none of + - R"),
            TimeError::OutOfRange => f.write_str("no such date or clock time"),
            TimeError::Zone => f.write_str("more than 48 quarter hours from UTC"),
        }
    }
}

impl std::error::Error for TimeError {}

impl SmppTime {
    /// Reads a time of 16 octets, or of 17 with the NUL. Tenths and zone of a relative time are ignored, whatever
    /// digits they are.
    pub fn parse(octets: &[u8]) -> Result<SmppTime, TimeError> {
        let octets = octets.strip_suffix(&[0]).unwrap_or(octets);
        let [digits @ .., sign] = octets else {
            return Err(TimeError::Length(0));
        };
        let Ok(digits) = <&[u8; TIME_LENGTH - 1]>::try_from(digits) else {
            return Err(TimeError::Length(octets.len()));
        };
        let [y0, y1, mo0, mo1, d0, d1, h0, h1, mi0, mi1, s0, s1, t, n0, n1] = *digits;
        let tenths = digit(t)?;
        let zone = two_digits(n0, n1)?;
        let [year, month, day] = [two_digits(y0, y1)?, two_digits(mo0, mo1)?, two_digits(d0, d1)?];
        let [hour, minute, second] = [two_digits(h0, h1)?, two_digits(mi0, mi1)?, two_digits(s0, s1)?];
        let time = match *sign {
            b'R' => SmppTime::Relative {
                years: year,
                months: month,
                days: day,
                hours: hour,
                minutes: minute,
                seconds: second,
            },
            b'+' | b'-' if zone > QUARTERS_LIMIT => return Err(TimeError::Zone),
            b'+' | b'-' => {
                let ahead = zone.cast_signed();
                let quarters = if *sign == b'+' { ahead } else { -ahead };
                SmppTime::Absolute { year, month, day, hour, minute, second, tenths, quarters }
            }
            _ => return Err(TimeError::Sign),
        };
        time.check()
    }

    /// Reads a time that a centre reports: as [`SmppTime::parse`], and `YYMMDDhhmmss` too, taken as UTC because the
    /// form has no zone. Not for what a client submits.
    pub fn parse_reported(octets: &[u8]) -> Result<SmppTime, TimeError> {
        let text = octets.strip_suffix(&[0]).unwrap_or(octets);
        if text.len() != LOCAL_LENGTH {
            return SmppTime::parse(octets);
        }
        let mut full = *b"000000000000000+";
        for (place, octet) in full.iter_mut().zip(text) {
            *place = *octet;
        }
        SmppTime::parse(&full)
    }

    /// Reads a field: `None` if it is empty, that is unset.
    pub fn from_field(field: &COctets) -> Result<Option<SmppTime>, TimeError> {
        if field.is_empty() { Ok(None) } else { SmppTime::parse(field.as_bytes()).map(Some) }
    }

    /// The point in time in UTC, cut to tenths of a second. The century is left out, as the text has none.
    pub fn absolute_utc(unix_ms: i64) -> SmppTime {
        let (year, month, day) = date_of(unix_ms.div_euclid(DAY_MS));
        let clock = unix_ms.rem_euclid(DAY_MS);
        SmppTime::Absolute {
            year: small(year.rem_euclid(100)),
            month: small(month),
            day: small(day),
            hour: small(clock / 3_600_000),
            minute: small(clock / 60_000 % 60),
            second: small(clock / 1000 % 60),
            tenths: small(clock / 100 % 10),
            quarters: 0,
        }
    }

    /// A span of days, hours, minutes and seconds; `None` if it is 32 days or more, which the form has no room for.
    pub fn relative(seconds: u32) -> Option<SmppTime> {
        let days = seconds / 86_400;
        if days > 31 {
            return None;
        }
        let clock = i64::from(seconds % 86_400);
        Some(SmppTime::Relative {
            years: 0,
            months: 0,
            days: small(i64::from(days)),
            hours: small(clock / 3600),
            minutes: small(clock / 60 % 60),
            seconds: small(clock % 60),
        })
    }

    /// The point in time that is meant, in milliseconds since 1970-01-01 00:00 UTC, seen from `now`, in the same unit
    /// and within some millions of years of 1970.
    ///
    /// An absolute time lies in the century that puts its year nearest to now. A relative time is added to now in
    /// UTC: years and months first, the day clipped to the last of its month, then days and clock time.
    pub fn to_unix_ms(&self, now: i64) -> i64 {
        let (now_year, now_month, now_day) = date_of(now.div_euclid(DAY_MS));
        match *self {
            SmppTime::Absolute { year, month, day, hour, minute, second, tenths, quarters } => {
                let year = nearest_year(i64::from(year), now_year);
                let month = i64::from(month);
                // 29 February of 00 exists in 2000, not in 2100.
                let day = i64::from(day).min(days_of_month(year, month));
                days_since_1970(year, month, day) * DAY_MS
                    + clock_ms(hour, minute, second)
                    + i64::from(tenths) * 100
                    - i64::from(quarters) * QUARTER_MS
            }
            SmppTime::Relative { years, months, days, hours, minutes, seconds } => {
                let month_count = (now_year + i64::from(years)) * 12 + now_month - 1 + i64::from(months);
                let (year, month) = (month_count.div_euclid(12), month_count.rem_euclid(12) + 1);
                let day = now_day.min(days_of_month(year, month));
                (days_since_1970(year, month, day) + i64::from(days)) * DAY_MS
                    + now.rem_euclid(DAY_MS)
                    + clock_ms(hours, minutes, seconds)
            }
        }
    }

    /// The 16 characters, without the NUL. Fails if a field set by hand is out of its range.
    pub fn to_octets(&self) -> Result<[u8; TIME_LENGTH], TimeError> {
        let (pairs, tenths, sign) = match self.check()? {
            SmppTime::Absolute { year, month, day, hour, minute, second, tenths, quarters } => {
                let sign = if quarters < 0 { b'-' } else { b'+' };
                ([year, month, day, hour, minute, second, quarters.unsigned_abs()], tenths, sign)
            }
            SmppTime::Relative { years, months, days, hours, minutes, seconds } => {
                ([years, months, days, hours, minutes, seconds, 0], 0, b'R')
            }
        };
        let [y, mo, d, h, mi, s, n] = pairs.map(|number| [b'0' + number / 10, b'0' + number % 10]);
        Ok([
            y[0],
            y[1],
            mo[0],
            mo[1],
            d[0],
            d[1],
            h[0],
            h[1],
            mi[0],
            mi[1],
            s[0],
            s[1],
            b'0' + tenths,
            n[0],
            n[1],
            sign,
        ])
    }

    /// The time as the field of a PDU.
    pub fn to_field(&self) -> Result<COctets, TimeError> {
        self.to_octets().map(|octets| COctets::from(&octets[..]))
    }

    fn check(self) -> Result<SmppTime, TimeError> {
        let (date_fits, [hour, minute, second]) = match self {
            SmppTime::Absolute { year, month, day, hour, minute, second, tenths, quarters } => {
                if quarters.unsigned_abs() > QUARTERS_LIMIT {
                    return Err(TimeError::Zone);
                }
                // Whether 00 is a leap year depends on the century, which is not known yet: 2000 was one.
                let last = days_of_month(2000 + i64::from(year), i64::from(month));
                let date = year <= 99 && (1..=12).contains(&month) && (1..=last).contains(&i64::from(day));
                (date && tenths <= 9, [hour, minute, second])
            }
            SmppTime::Relative { years, months, days, hours, minutes, seconds } => {
                (years <= 99 && months <= 12 && days <= 31, [hours, minutes, seconds])
            }
        };
        if date_fits && hour <= 23 && minute <= 59 && second <= 59 {
            Ok(self)
        } else {
            Err(TimeError::OutOfRange)
        }
    }
}

fn digit(octet: u8) -> Result<u8, TimeError> {
    if octet.is_ascii_digit() { Ok(octet - b'0') } else { Err(TimeError::NotADigit) }
}

fn two_digits(tens: u8, ones: u8) -> Result<u8, TimeError> {
    Ok(digit(tens)? * 10 + digit(ones)?)
}

/// A number that is known to be below 100.
fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

fn clock_ms(hour: u8, minute: u8, second: u8) -> i64 {
    (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1000
}

#[cfg(test)]
mod tests;
