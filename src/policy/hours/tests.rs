//! Hours and days against a clock that is read minute by minute, where clocks are put forward and back.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn hours(name: &str, from: &str, to: &str, days: &[&str]) -> Hours {
    let days = Days::of(days.iter().copied()).unwrap();
    Hours::new([Interval { from: from.parse().unwrap(), to: to.parse().unwrap(), days }], zone(name))
}

/// As the configuration of a route says it.
fn open(name: &str, spans: &[&str]) -> Hours {
    Hours::new(spans.iter().map(|span| span.parse().unwrap()), zone(name))
}

fn utc(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn opens(hours: &Hours, at: &str) -> String {
    hours.until(utc(at)).map(|at| at.to_string().replace(":00.000Z", "")).unwrap_or_default()
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
    assert_eq!(always.until(utc("2026-01-03T12:00:00Z")), Some(Timestamp::NEVER));
    assert!(always.span(utc("2026-01-03T12:00:00Z")).valid_until < Timestamp::NEVER);
}

#[test]
fn hours_that_meet_are_one_and_may_leave_nothing_open() {
    let night = hours("Europe/Madrid", "22:00", "08:00", &[]);
    let morning = hours("UTC", "08:00", "10:00", &["mon"]);
    let noon = hours("UTC", "09:30", "10:30", &["mon"]);
    let all = [noon, morning, night.clone()].into_iter().flat_map(|hours| hours.intervals);
    let set = Hours::new(all, night.zone);
    assert_eq!(set.until(utc("2026-01-04T22:00:00Z")), Some(utc("2026-01-05T09:30:00Z")));
    assert_eq!(set.until(utc("2026-01-05T22:00:00Z")), Some(utc("2026-01-06T07:00:00Z")));
    assert_eq!(open("UTC", &[]).until(utc("2026-01-05T22:00:00Z")), None);
    let both = open("UTC", &["08:00-20:00", "20:00-08:00"]);
    assert_eq!(both.until(utc("2026-01-05T22:00:00Z")), Some(Timestamp::NEVER));
    // Whatever clocks do in the days that are looked at.
    for (name, year, month, day) in CHANGES {
        let halves = open(name, &["12:00-24:00", "00:00-12:00"]);
        for (at, reading) in readings(&halves.zone, date(year, month, day)).iter().step_by(30) {
            assert_eq!(halves.until(*at), Some(Timestamp::NEVER), "{name} {reading}");
        }
    }
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
    // St. John's read 00:00:30 of the 7th, and then once more 23:01 of the 6th.
    let long = hours("America/St_Johns", "23:50", "23:10", &["fri"]);
    assert_eq!(opens(&long, "2010-11-07T02:30:30Z"), "2010-11-07T02:40");
}

#[test]
fn a_route_is_open_by_the_clock_of_its_zone() {
    let madrid = open("Europe/Madrid", &["08:00-20:00"]);
    for (time, is_open) in [
        ("2026-01-15T06:59:59Z", false),
        ("2026-01-15T07:00:00Z", true),
        ("2026-01-15T18:59:59Z", true),
        ("2026-01-15T19:00:00Z", false),
        // Summer: two hours ahead.
        ("2026-07-15T06:00:00Z", true),
        ("2026-07-15T18:00:00Z", false),
    ] {
        assert_eq!(madrid.has(utc(time)), is_open, "{time}");
    }
}

#[test]
fn a_route_may_be_open_over_midnight_and_more_than_once_a_day() {
    let hours = open("UTC", &["22:00-06:00", "12:00-13:00"]);
    let is_open = |time: &str| hours.has(utc(&format!("2026-01-15T{time}:00Z")));
    assert_eq!(
        ["21:59", "22:00", "00:00", "05:59", "06:00", "12:30", "13:00"].map(is_open),
        [false, true, true, true, false, true, false]
    );
    let all_day = open("UTC", &["00:00-24:00"]);
    assert!(all_day.has(utc("2026-01-15T23:59:59Z")) && all_day.has(utc("2026-01-15T00:00:00Z")));
    let evening = open("UTC", &["22:00 - 24:00"]);
    assert!(evening.has(utc("2026-01-15T23:59:59Z")) && !evening.has(utc("2026-01-16T00:00:00Z")));
}

#[test]
fn a_route_opens_at_the_skip_of_its_time_and_closes_at_the_last_of_two_readings() {
    let shown = |hours: &Hours, day: &str, times: &[&str]| -> Vec<bool> {
        times.iter().map(|time| hours.has(utc(&format!("{day}T{time}Z")))).collect()
    };
    // 2026-03-29 in Madrid: at 01:00 UTC the clock goes from 02:00 to 03:00.
    let (from_gap, into_gap) =
        (open("Europe/Madrid", &["02:30-05:00"]), open("Europe/Madrid", &["00:00-02:30"]));
    let times = ["00:59:59", "01:00:00", "02:59:59", "03:00:00"];
    assert_eq!(shown(&from_gap, "2026-03-29", &times), [false, true, true, false]);
    assert_eq!(shown(&into_gap, "2026-03-29", &times), [true, false, false, false]);
    assert_eq!(shown(&open("Europe/Madrid", &["02:10-02:50"]), "2026-03-29", &times), [false; 4]);
    // 2026-10-25: at 01:00 UTC it goes back from 03:00 to 02:00.
    let (from_fold, into_fold) =
        (open("Europe/Madrid", &["02:30-05:00"]), open("Europe/Madrid", &["00:00-02:30"]));
    let times = ["00:29:59", "00:30:00", "01:00:00", "01:29:59", "01:30:00", "03:59:59", "04:00:00"];
    assert_eq!(shown(&from_fold, "2026-10-25", &times), [false, true, true, true, true, true, false]);
    assert_eq!(shown(&into_fold, "2026-10-25", &times), [true, true, true, true, false, false, false]);
}

#[test]
fn a_zone_that_is_none_is_named_and_times_beyond_the_calendar_are_outside() {
    let error = super::zone("Europe/Gotham", &TimeZoneDatabase::bundled()).unwrap_err();
    assert!(error.to_string().contains("Europe/Gotham"), "{error}");
    let always = open("UTC", &["00:00-24:00"]);
    for end in [Timestamp::NEVER, Timestamp::from_millis(i64::MIN)] {
        assert_eq!((always.until(end), always.until_kept(end)), (None, None));
        let _ = (local_day(&zone("UTC"), end), local_month(&zone("UTC"), end));
    }
}

#[test]
fn what_is_kept_of_an_answer_is_told_only_while_it_holds() {
    let night = hours("Europe/Madrid", "22:00", "08:00", &[]);
    let always = open("UTC", &["00:00-24:00"]);
    // Back and forth, and where an answer has no room to be kept in.
    for at in [
        "2026-01-05T20:59:59.999Z",
        "2026-01-05T21:00:00Z",
        "2026-01-06T06:59:59.999Z",
        "2026-01-05T20:59:59.999Z",
        "2026-01-06T07:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00Z",
        "2026-01-05T21:00:00Z",
        "2106-02-07T23:00:00Z",
        "2262-01-01T23:00:00Z",
        "2026-01-05T12:00:00Z",
    ] {
        for hours in [&night, &night.clone(), &always] {
            assert_eq!(hours.until_kept(utc(at)), hours.until(utc(at)), "{at}");
        }
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

fn interval() -> impl Strategy<Value = Interval> {
    let days = prop::collection::vec(0..7_usize, 0..4);
    (time(), time(), prop::bool::weighted(0.1), days).prop_map(|(from, to, same, days)| {
        let days = Days::of(days.into_iter().map(|day| Days::WORDS[day])).unwrap();
        Interval { from, to: if same { from } else { to }, days }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clock_on_the_wall_says_the_same(
        change in 0..CHANGES.len(), written in prop::collection::vec(interval(), 1..4),
    ) {
        let (name, year, month, day) = CHANGES[change];
        let around = date(year, month, day);
        let hours = Hours::new(written.clone(), zone(name));
        let readings = readings(&hours.zone, around);
        let mut intervals = Vec::new();
        for begins in (-4..=3).filter_map(|days| calendar::shift(around, days)) {
            let next = begins.tomorrow().unwrap();
            for Interval { from, to, days } in &written {
                let (first, last) = match from.cmp(to) {
                    _ if !days.contains(begins.weekday()) => continue,
                    Ordering::Equal => (begins.at(0, 0, 0, 0), next.at(0, 0, 0, 0)),
                    Ordering::Less => (begins.to_datetime(from.0), begins.to_datetime(to.0)),
                    Ordering::Greater => (begins.to_datetime(from.0), next.to_datetime(to.0)),
                };
                intervals.extend(first_seen(&readings, first).zip(last_seen(&readings, last)));
            }
        }
        // The days at both ends have neighbours that were not read.
        let inner = &readings[2 * 24 * 60..6 * 24 * 60];
        let closed = |at: Timestamp| intervals.iter().any(|(from, to)| (*from..*to).contains(&at));
        let mut known: Option<Span> = None;
        for (at, reading) in inner {
            let at = *at;
            let until = hours.until(at);
            prop_assert_eq!(until.is_some(), closed(at), "{} reads {} with {:?}", at, reading, written);
            prop_assert_eq!(hours.until_kept(at), until);
            if let Some(until) = until.filter(|until| *until != Timestamp::NEVER) {
                prop_assert!(until > at && hours.until(until).is_none());
            }
            match known.filter(|span| at < span.valid_until) {
                Some(span) => prop_assert_eq!(span.until, until),
                None => known = Some(hours.span(at)),
            }
        }
        // A clock that is set back asks again for what is over.
        for (at, _) in inner.iter().rev().step_by(7) {
            prop_assert_eq!(hours.has(*at), closed(*at));
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
