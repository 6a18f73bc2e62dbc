//! Closed hours and days against a clock that is read minute by minute, where clocks are put forward and back.

use std::time::Duration;

use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn hours(zone: &str, from: &str, to: &str, days: &[&str]) -> Hours {
    let written = ClosedHours {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: zone.to_owned(),
        days: Days::of(days.iter().copied()).unwrap(),
        action: Action::Hold,
    };
    Hours::compile(&written, &TimeZoneDatabase::bundled()).unwrap()
}

fn utc(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn opens(hours: &Hours, at: &str) -> String {
    hours.closed_until(utc(at)).map(|at| at.to_string().replace(":00.000Z", "")).unwrap_or_default()
}

#[test]
fn a_night_ends_in_the_morning_and_begins_on_the_days_that_are_named() {
    // Madrid is an hour ahead of UTC in January. 2026-01-05 is a Monday.
    let night = hours("Europe/Madrid", "22:00", "08:00", &["mon", "fri"]);
    assert_eq!(opens(&night, "2026-01-05T20:59:59Z"), "");
    assert_eq!(opens(&night, "2026-01-05T21:00:00Z"), "2026-01-06T07:00");
    assert_eq!(opens(&night, "2026-01-06T06:59:59Z"), "2026-01-06T07:00");
    assert_eq!(opens(&night, "2026-01-06T07:00:00Z"), "");
    assert_eq!(opens(&night, "2026-01-06T22:00:00Z"), "");
    assert_eq!(opens(&night, "2026-01-05T03:00:00Z"), "");
    assert_eq!(night.span(utc("2026-01-06T07:00:00Z")).valid_until, utc("2026-01-09T21:00:00Z"));
}

#[test]
fn the_same_time_twice_means_the_whole_day() {
    let sunday = hours("Europe/Madrid", "09:00", "09:00", &["sun"]);
    assert_eq!(opens(&sunday, "2026-01-03T23:00:00Z"), "2026-01-04T23:00");
    assert_eq!(opens(&sunday, "2026-01-04T23:00:00Z"), "");
    let weekend = hours("Europe/Madrid", "00:00", "00:00", &["sat", "sun"]);
    assert_eq!(opens(&weekend, "2026-01-03T12:00:00Z"), "2026-01-04T23:00");
    let always = hours("Europe/Madrid", "00:00", "00:00", &[]);
    assert_eq!(always.closed_until(utc("2026-01-03T12:00:00Z")), Some(Timestamp::NEVER));
    assert!(always.span(utc("2026-01-03T12:00:00Z")).valid_until < Timestamp::NEVER);
}

#[test]
fn hours_that_meet_are_one_and_may_leave_nothing_open() {
    let set = [
        hours("Europe/Madrid", "22:00", "08:00", &[]),
        hours("Europe/Madrid", "08:00", "10:00", &["mon"]),
        hours("Europe/London", "08:30", "09:30", &["mon"]),
    ];
    assert_eq!(closed_until_all(&set, utc("2026-01-04T22:00:00Z")), Some(utc("2026-01-05T09:30:00Z")));
    assert_eq!(closed_until_all(&set, utc("2026-01-05T22:00:00Z")), Some(utc("2026-01-06T07:00:00Z")));
    assert_eq!(closed_until_all(&[], utc("2026-01-05T22:00:00Z")), None);
    let both = [hours("UTC", "08:00", "20:00", &[]), hours("UTC", "20:00", "08:00", &[])];
    assert_eq!(closed_until_all(&both, utc("2026-01-05T22:00:00Z")), Some(Timestamp::NEVER));
}

#[test]
fn what_a_clock_skips_counts_as_the_skip_and_what_it_reads_twice_opens_late_and_closes_early() {
    // 2026-03-29 in Madrid: 02:00 to 03:00 does not exist; it is skipped at 01:00 UTC.
    let gap = hours("Europe/Madrid", "02:30", "05:00", &[]);
    assert_eq!(opens(&gap, "2026-03-29T00:59:59Z"), "");
    assert_eq!(opens(&gap, "2026-03-29T01:00:00Z"), "2026-03-29T03:00");
    assert_eq!(
        opens(&hours("Europe/Madrid", "23:00", "02:30", &[]), "2026-03-29T00:30:00Z"),
        "2026-03-29T01:00"
    );
    assert_eq!(opens(&hours("Europe/Madrid", "02:10", "02:50", &[]), "2026-03-29T01:00:00Z"), "");
    // 2026-10-25: 02:00 to 03:00 is read twice, at 00:00 and at 01:00 UTC.
    assert_eq!(
        opens(&hours("Europe/Madrid", "23:00", "02:30", &[]), "2026-10-25T00:45:00Z"),
        "2026-10-25T01:30"
    );
    assert_eq!(
        opens(&hours("Europe/Madrid", "02:30", "04:00", &[]), "2026-10-25T00:30:00Z"),
        "2026-10-25T03:00"
    );
}

#[test]
fn a_zone_that_is_none_is_named_and_times_beyond_the_calendar_are_open() {
    let written = hours("UTC", "00:00", "01:00", &[]).written().clone();
    let odd = ClosedHours { zone: "Europe/Gotham".to_owned(), ..written };
    let error = Hours::compile(&odd, &TimeZoneDatabase::bundled()).unwrap_err();
    assert!(error.to_string().contains("Europe/Gotham"), "{error}");
    let night = hours("UTC", "00:00", "00:00", &[]);
    for end in [Timestamp::NEVER, Timestamp::from_millis(i64::MIN)] {
        assert_eq!(night.closed_until(end), None);
        let _ = (night.span(end), local_day(&zone("UTC"), end), local_month(&zone("UTC"), end));
    }
}

#[test]
fn a_day_that_a_zone_left_out_is_none_and_one_that_was_over_does_not_come_back() {
    // Samoa went from 2011-12-29 to 2011-12-31, at 10:00 UTC.
    let apia = zone("Pacific/Apia");
    let day = |text: &str| i32::try_from(utc(text).utc_day()).unwrap();
    let last = local_day(&apia, utc("2011-12-30T09:59:59Z"));
    assert_eq!((last.day, last.ends), (day("2011-12-29T00:00:00Z"), utc("2011-12-30T10:00:00Z")));
    assert_eq!(local_day(&apia, utc("2011-12-30T10:00:00Z")).day, day("2011-12-31T00:00:00Z"));
    assert_eq!(local_month(&apia, utc("2011-12-30T10:00:00Z")).month, 41 * 12 + 11);
    // St. John's put its clocks back at 00:01, so that 23:01 to 00:01 was read twice.
    let john = zone("America/St_Johns");
    let eve = local_day(&john, utc("2010-11-07T02:30:30Z"));
    assert_eq!((eve.day, eve.ends), (day("2010-11-06T00:00:00Z"), utc("2010-11-07T03:30:00Z")));
    assert_eq!(local_day(&zone("UTC"), utc("1969-12-31T23:00:00Z")).day, -1);
    assert_eq!(local_month(&zone("UTC"), utc("1969-12-31T23:00:00Z")).month, -1);
    assert_eq!(local_month(&zone("Europe/Madrid"), utc("2026-02-28T23:00:00Z")).month, 56 * 12 + 2);
}

/// Days on which clocks were put forward or back.
const CHANGES: [(&str, i16, i8, i8); 14] = [
    ("Europe/Madrid", 2026, 3, 29),
    ("Europe/Madrid", 2026, 10, 25),
    ("America/New_York", 2026, 3, 8),
    ("America/New_York", 2026, 11, 1),
    ("Australia/Lord_Howe", 2026, 4, 5),
    ("Australia/Lord_Howe", 2026, 10, 4),
    ("Asia/Tehran", 2022, 3, 22),
    ("Asia/Tehran", 2021, 9, 22),
    ("America/Sao_Paulo", 2018, 11, 4),
    ("America/Sao_Paulo", 2018, 2, 18),
    ("Pacific/Apia", 2011, 12, 30),
    ("Pacific/Apia", 2012, 4, 1),
    ("America/St_Johns", 2010, 11, 7),
    ("America/St_Johns", 2010, 3, 14),
];

/// Every minute of some days, with what the clock reads.
fn readings(zone: &TimeZone, around: Date) -> Vec<(Timestamp, DateTime)> {
    let middle = around.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond();
    let begin = Timestamp::from_millis(middle) - Duration::from_secs(4 * 86_400);
    let at = |minute: u32| begin + MINUTE * minute;
    (0..8 * 24 * 60).map(|minute| (at(minute), civil(zone, at(minute)).unwrap())).collect()
}

/// When the clock first reads this or more.
fn first_seen(readings: &[(Timestamp, DateTime)], wanted: DateTime) -> Option<Timestamp> {
    readings.iter().find(|(_, reading)| *reading >= wanted).map(|(at, _)| *at)
}

/// When the clock last reads this; if never, when it no longer reads less.
fn last_seen(readings: &[(Timestamp, DateTime)], wanted: DateTime) -> Option<Timestamp> {
    let exactly = readings.iter().rfind(|(_, reading)| *reading == wanted).map(|(at, _)| *at);
    exactly.or_else(|| readings.iter().rfind(|(_, reading)| *reading < wanted).map(|(at, _)| *at + MINUTE))
}

fn time() -> impl Strategy<Value = TimeOfDay> {
    // Mostly the small hours, in which clocks are changed.
    let hour = prop_oneof![3 => 0..4_u8, 1 => 0..24_u8, 1 => Just(23)];
    (hour, 0..60_u8).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}").parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clock_on_the_wall_says_the_same(
        change in 0..CHANGES.len(), from in time(), to in time(), same in prop::bool::weighted(0.1),
        days in prop::collection::vec(0..7_usize, 0..4),
    ) {
        let (zone, year, month, day) = CHANGES[change];
        let around = date(year, month, day);
        let to = if same { from } else { to };
        let days = Days::of(days.into_iter().map(|day| Days::WORDS[day])).unwrap();
        let written = ClosedHours { from, to, zone: zone.to_owned(), days, action: Action::Hold };
        let hours = Hours::compile(&written, &TimeZoneDatabase::bundled()).unwrap();
        let readings = readings(&hours.zone, around);
        let mut intervals = Vec::new();
        for begins in (-4..=3).filter_map(|days| calendar::shift(around, days)) {
            let next = begins.tomorrow().unwrap();
            let (first, last) = match from.cmp(&to) {
                _ if !days.contains(begins.weekday()) => continue,
                std::cmp::Ordering::Equal => (begins.at(0, 0, 0, 0), next.at(0, 0, 0, 0)),
                std::cmp::Ordering::Less => (begins.to_datetime(from.civil()), begins.to_datetime(to.civil())),
                std::cmp::Ordering::Greater => (begins.to_datetime(from.civil()), next.to_datetime(to.civil())),
            };
            intervals.extend(first_seen(&readings, first).zip(last_seen(&readings, last)));
        }
        // The days at both ends have neighbours that were not read.
        let inner = &readings[2 * 24 * 60..6 * 24 * 60];
        let closed = |at: Timestamp| intervals.iter().any(|(from, to)| (*from..*to).contains(&at));
        let mut kept: Option<Span> = None;
        for (at, reading) in inner {
            let at = *at;
            let until = hours.closed_until(at);
            prop_assert_eq!(until.is_some(), closed(at), "{} reads {} with {:?}", at, reading, written);
            if let Some(until) = until.filter(|until| *until != Timestamp::NEVER) {
                prop_assert!(until > at && hours.closed_until(until).is_none());
            }
            match kept.filter(|span| at < span.valid_until) {
                Some(span) => prop_assert_eq!(span.closed_until, until),
                None => kept = Some(hours.span(at)),
            }
        }
    }

    #[test]
    fn days_and_months_follow_each_other(change in 0..CHANGES.len()) {
        let (name, year, month, day) = CHANGES[change];
        let zone = zone(name);
        let readings = readings(&zone, date(year, month, day));
        let mut before: Option<(DaySpan, MonthSpan)> = None;
        for (at, reading) in &readings {
            let (day, month) = (local_day(&zone, *at), local_month(&zone, *at));
            prop_assert!(day.ends > *at && month.ends >= day.ends);
            let read = reading.date().since(date(1970, 1, 1)).unwrap().get_days();
            // The clock may have read the next day already, once.
            prop_assert!(day.day == read || (day.day + 1 == read && name == "America/St_Johns"), "{} {}", at, reading);
            if let Some((last, last_month)) = before {
                prop_assert_eq!(day == last, *at < last.ends);
                prop_assert!(day.day >= last.day);
                prop_assert_eq!(month == last_month, *at < last_month.ends);
            }
            before = Some((day, month));
        }
    }
}
