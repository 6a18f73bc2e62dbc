//! The Gregorian calendar in integers, and the century of a two-digit year.

/// The year ending in these two digits that lies nearest to now; of two that are equally far, the later one.
pub(super) fn nearest_year(of_century: i64, now_year: i64) -> i64 {
    let distance = (of_century - now_year).rem_euclid(100);
    if distance <= 50 { now_year + distance } else { now_year + distance - 100 }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March, so that the leap day ends one.
pub(super) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a count of days since 1970-01-01.
pub(super) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (19_723, (2024, 1, 1)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (-719_468, (0, 3, 1)),
        ] {
            assert_eq!(date_of(days), date, "{days}");
            assert_eq!(days_since_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_day_before() {
        let mut day = (1600, 1, 1);
        for days in days_since_1970(1600, 1, 1)..days_since_1970(2400, 1, 1) {
            assert_eq!(date_of(days), day);
            assert_eq!(days_since_1970(day.0, day.1, day.2), days);
            day = match day {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, last) if last == days_of_month(year, month) => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn the_century_slides_with_the_present() {
        assert_eq!(nearest_year(37, 2025), 2037);
        assert_eq!(nearest_year(38, 2025), 2038);
        assert_eq!(nearest_year(75, 2025), 2075);
        assert_eq!(nearest_year(76, 2025), 1976);
        assert_eq!(nearest_year(99, 2025), 1999);
        assert_eq!(nearest_year(0, 2099), 2100);
        assert_eq!(nearest_year(60, 1999), 1960);
    }
}
