//! Times by hand: expectations are counted on the calendar, not read back.

use super::*;

/// 2025-06-01 12:00:00 UTC.
const NOW: i64 = 1_748_779_200_000;

fn unix_ms(text: &str) -> i64 {
    SmppTime::parse(text.as_bytes()).unwrap().to_unix_ms(NOW)
}

#[test]
fn absolute_times_are_brought_to_utc() {
    // 2030-02-28 12:00:00 one hour ahead of UTC.
    assert_eq!(unix_ms("300228120000004+"), 1_898_506_800_000);
    // 2030-01-01 00:00:00.7 five hours behind UTC.
    assert_eq!(unix_ms("300101000000720-"), 1_893_474_000_700);
    assert_eq!(unix_ms("700101000000000+"), 3_155_760_000_000);
    assert_eq!(SmppTime::parse(b"760101000000000+").unwrap().to_unix_ms(NOW), 189_302_400_000);
}

#[test]
fn relative_times_add_the_calendar_first() {
    assert_eq!(unix_ms("000007000000000R"), NOW + 7 * 86_400_000);
    assert_eq!(unix_ms("000000001000000R"), NOW + 600_000);
    // 2025-06-01 + 2 years 6 months = 2027-12-01, + 10 days 23:34:29 = 2027-12-12 11:34:29.
    assert_eq!(unix_ms("020610233429000R"), 1_828_611_269_000);
    // 2024-01-31 + 1 month is 2024-02-29.
    let january = 1_706_659_200_000;
    assert_eq!(SmppTime::parse(b"000100000000000R").unwrap().to_unix_ms(january), 1_709_164_800_000);
    // Tenths and zone mean nothing here.
    assert_eq!(unix_ms("000000001000799R"), NOW + 600_000);
}

#[test]
fn what_is_no_time_says_why() {
    let refused = |text: &str| SmppTime::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), TimeError::Length(0));
    assert_eq!(refused("30123123595900+"), TimeError::Length(15));
    assert_eq!(refused("3012312359590000+"), TimeError::Length(17));
    assert_eq!(refused("301231235959000Z"), TimeError::Sign);
    assert_eq!(refused("301301000000000+"), TimeError::OutOfRange);
    assert_eq!(refused("300230000000000+"), TimeError::OutOfRange);
    assert_eq!(refused("310229000000000+"), TimeError::OutOfRange);
    assert_eq!(refused("300101240000000+"), TimeError::OutOfRange);
    assert_eq!(refused("300101006000000+"), TimeError::OutOfRange);
    assert_eq!(refused("300101000000049+"), TimeError::Zone);
    assert_eq!(refused("30010100000A000+"), TimeError::NotADigit);
    assert_eq!(refused("001300000000000R"), TimeError::OutOfRange);
    assert_eq!(refused("301231235959"), TimeError::Length(12));
}

#[test]
fn the_local_form_is_read_only_where_a_centre_reports() {
    let reported = SmppTime::parse_reported(b"250601115959\0").unwrap();
    assert_eq!(reported.to_unix_ms(NOW), NOW - 1000);
    assert_eq!(SmppTime::parse_reported(b"250601115959000+"), SmppTime::parse(b"250601115959000+"));
    assert_eq!(SmppTime::parse_reported(b"25060111595"), Err(TimeError::Length(11)));
    assert_eq!(SmppTime::parse_reported(b"250631115959"), Err(TimeError::OutOfRange));
}

#[test]
fn a_field_is_unset_or_a_time() {
    assert_eq!(SmppTime::from_field(&COctets::EMPTY), Ok(None));
    let nul_ended = SmppTime::parse(b"300101000000000+\0").unwrap();
    assert_eq!(SmppTime::from_field(&COctets::from("300101000000000+")), Ok(Some(nul_ended)));
}

#[test]
fn times_are_written_as_the_specification_draws_them() {
    assert_eq!(SmppTime::absolute_utc(NOW + 1234).to_octets(), Ok(*b"250601120001200+"));
    assert_eq!(SmppTime::absolute_utc(-100).to_octets(), Ok(*b"691231235959900+"));
    assert_eq!(SmppTime::relative(90_061).and_then(|time| time.to_octets().ok()), Some(*b"000001010101000R"));
    assert_eq!(SmppTime::relative(32 * 86_400), None);
    let behind = SmppTime::parse(b"361231235959912-").unwrap();
    assert_eq!(behind.to_octets(), Ok(*b"361231235959912-"));
    assert_eq!(SmppTime::parse(b"070605040302142R").unwrap().to_octets(), Ok(*b"070605040302000R"));
}

#[test]
fn a_time_set_by_hand_is_checked_when_written() {
    let Ok(SmppTime::Relative { years, days, hours, minutes, seconds, .. }) =
        SmppTime::parse(b"000001000000000R")
    else {
        panic!("not relative");
    };
    let wrong = SmppTime::Relative { years, months: 13, days, hours, minutes, seconds };
    assert_eq!(wrong.to_octets(), Err(TimeError::OutOfRange));
}

#[test]
fn the_leap_day_of_a_century_year_is_clipped() {
    // 00-02-29 seen from 2099 is 2100, which has no such day: 2100-02-28.
    let now = 4_070_908_800_000;
    assert_eq!(SmppTime::parse(b"000229000000000+").unwrap().to_unix_ms(now), 4_107_456_000_000);
}
