//! Dates in receipts: the local time of some centre, in as many forms as there are centres.

/// A date as a receipt tells it, in the time of the centre that wrote it unless it names an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year, four digits; two digits are read as 20xx.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to the last of the month.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59; 0 if the form has none.
    pub second: u8,
    /// How far the time is ahead of UTC, in minutes, where the text says so.
    pub offset: Option<i16>,
}

impl Date {
    /// Reads YYMMDDhhmm (SMPP 3.4 Appendix B), the same with seconds or with a four-digit year, ISO 8601 with or
    /// without an offset, and the 16 characters of SMPP 3.4 §7.1.1.
    ///
    /// Twelve digits are YYMMDDhhmmss if that is a date, else YYYYMMDDhhmm.
    #[must_use]
    pub fn read(octets: &[u8]) -> Option<Date> {
        if let &[ref digits @ .., tens @ b'0'..=b'9', ones @ b'0'..=b'9', sign @ (b'+' | b'-')] = octets
            && digits.len() == 13
            && digits.iter().all(u8::is_ascii_digit)
        {
            let quarters = i16::from((tens - b'0') * 10 + ones - b'0');
            let offset = if sign == b'+' { quarters * 15 } else { -quarters * 15 };
            return Date::of_digits(digits.get(..12)?, Some(offset));
        }
        let mut digits = [0; 14];
        let mut count = 0;
        let mut rest = octets;
        while let Some((&octet, behind)) = rest.split_first() {
            match octet {
                b'0'..=b'9' => *digits.get_mut(count)? = octet,
                // In front of a time it separates, behind one it is an offset or a fraction.
                b'-' | b'.' if count >= 12 => break,
                b'-' | b'/' | b'.' | b':' | b'T' | b't' | b' ' => {}
                b'Z' | b'z' | b'+' => break,
                _ => return None,
            }
            count += usize::from(octet.is_ascii_digit());
            rest = behind;
        }
        Date::of_digits(digits.get(..count)?, offset(rest))
    }

    /// Milliseconds since 1970 in UTC. `offset` says how many minutes the centre is ahead of UTC where the date does
    /// not.
    #[must_use]
    pub fn unix_ms(&self, offset: i16) -> i64 {
        let days = days_of(i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let minutes = (days * 24 + i64::from(self.hour)) * 60 + i64::from(self.minute);
        let utc = minutes - i64::from(self.offset.unwrap_or(offset));
        (utc * 60 + i64::from(self.second)) * 1000
    }

    /// The local time `offset` minutes ahead of UTC. Times outside the years 1970 to 9999 are taken to the nearest.
    #[must_use]
    pub fn of_unix_ms(unix_ms: i64, offset: i16) -> Date {
        let local = unix_ms.div_euclid(1000).saturating_add(i64::from(offset) * 60).clamp(0, LAST_SECOND);
        let (days, second) = (local / 86_400, local % 86_400);
        let (year, month, day) = civil_of(days);
        Date {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            offset: Some(offset),
        }
    }

    fn of_digits(digits: &[u8], offset: Option<i16>) -> Option<Date> {
        let two_digit_year = |pairs: &[u8]| Date::of_pairs(20, pairs, offset);
        let four_digit_year = |pairs: &[u8]| match pairs.split_first() {
            Some((&century, pairs)) => Date::of_pairs(century, pairs, offset),
            None => None,
        };
        let mut pairs = [0; 7];
        for (pair, digits) in pairs.iter_mut().zip(digits.as_chunks::<2>().0) {
            *pair = (digits[0] - b'0') * 10 + (digits[1] - b'0');
        }
        match digits.len() {
            10 => two_digit_year(pairs.get(..5)?),
            12 => two_digit_year(pairs.get(..6)?).or_else(|| four_digit_year(pairs.get(..6)?)),
            14 => four_digit_year(&pairs),
            _ => None,
        }
    }

    fn of_pairs(century: u8, pairs: &[u8], offset: Option<i16>) -> Option<Date> {
        let (&[year, month, day, hour, minute], seconds) = pairs.split_first_chunk::<5>()?;
        let year = u16::from(century) * 100 + u16::from(year);
        // A leap second is shown as the one before it.
        let second = seconds.first().copied().unwrap_or(0);
        let second = if second == 60 { 59 } else { second };
        let valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && (hour < 24 && minute < 60 && second < 60);
        valid.then_some(Date { year, month, day, hour, minute, second, offset })
    }
}

/// The offset of ISO 8601 in minutes; a fraction of a second may stand before it.
fn offset(octets: &[u8]) -> Option<i16> {
    let start = octets.iter().position(|octet| matches!(octet, b'Z' | b'z' | b'+' | b'-'))?;
    let (&sign, rest) = octets.get(start..)?.split_first()?;
    if matches!(sign, b'Z' | b'z') {
        return Some(0);
    }
    let mut digits = rest.iter().filter(|octet| octet.is_ascii_digit()).map(|digit| i16::from(digit - b'0'));
    let hours = digits.next()? * 10 + digits.next()?;
    let minutes = digits.next().unwrap_or(0) * 10 + digits.next().unwrap_or(0);
    let ahead = hours * 60 + minutes;
    Some(if sign == b'-' { -ahead } else { ahead })
}

/// 9999-12-31 23:59:59.
const LAST_SECOND: i64 = 253_402_300_799;

const fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01. A year is counted from March, so that the leap day is its last.
const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// The reverse of [`days_of`].
const fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u16, u8, u8, u8, u8, u8)> {
        Date::read(text.as_bytes()).map(|d| (d.year, d.month, d.day, d.hour, d.minute, d.second))
    }

    #[test]
    fn the_forms_in_use_are_read() {
        assert_eq!(read("2506011200"), Some((2025, 6, 1, 12, 0, 0)));
        assert_eq!(read("250601120105"), Some((2025, 6, 1, 12, 1, 5)));
        assert_eq!(read("202506011201"), Some((2025, 6, 1, 12, 1, 0)));
        assert_eq!(read("20250601120105"), Some((2025, 6, 1, 12, 1, 5)));
        assert_eq!(read("2025-06-01T12:01:05"), Some((2025, 6, 1, 12, 1, 5)));
        assert_eq!(read("2025-06-01 12:01:05.250"), Some((2025, 6, 1, 12, 1, 5)));
        assert_eq!(read("2025/06/01 12:01"), Some((2025, 6, 1, 12, 1, 0)));
        assert_eq!(read("240229235960"), Some((2024, 2, 29, 23, 59, 59)));
        for wrong in
            ["", "2506", "2513011200", "2502291200", "0000000000", "25060112003", "soon", "202506011201051"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_offset_in_the_text_counts_before_the_one_of_the_centre() {
        // 2025-06-01 10:00:00 UTC.
        let expected = 1_748_772_000_000;
        let ms = |text: &str, offset| Date::read(text.as_bytes()).unwrap().unix_ms(offset);
        assert_eq!(ms("2506011200", 120), expected);
        assert_eq!(ms("2025-06-01T10:00:00Z", 120), expected);
        assert_eq!(ms("2025-06-01T12:00:00+02:00", 0), expected);
        assert_eq!(ms("2025-06-01T06:30:00.5-0330", 0), expected);
        assert_eq!(ms("250601120000008+", 0), expected);
        assert_eq!(ms("250601063000014-", 0), expected);
    }

    #[test]
    fn days_are_counted_both_ways() {
        assert_eq!(days_of(1970, 1, 1), 0);
        assert_eq!(days_of(2000, 2, 29), 11_016);
        for days in (0..2_932_896).step_by(97) {
            let (year, month, day) = civil_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
        assert_eq!(civil_of(2_932_896), (9999, 12, 31));
    }
}
