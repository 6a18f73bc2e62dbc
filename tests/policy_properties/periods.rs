//! Days and months in which limits are counted, for moments and zones drawn by chance, against a clock on the wall.

use std::collections::HashMap;

use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use smpp_proto::field::DataCoding;
use tollgate::account::AccountId;
use tollgate::clock::Timestamp;
use tollgate::policy::filter::{Demand, Desk, Filters, Rule};
use tollgate::policy::{Snapshot, SnapshotParts, Submission, admit};

use super::{account, message};

fn reading(zone: &TimeZone, millis: i64) -> Date {
    zone.to_datetime(jiff::Timestamp::from_millisecond(millis).unwrap()).date()
}

/// The date that a clock reads; the day before it while that comes back within three hours.
fn lasting_date(zone: &TimeZone, millis: i64) -> Date {
    let now = reading(zone, millis);
    let later = (1..=180).map(|minutes| reading(zone, millis + minutes * 60_000));
    later.filter(|later| *later < now).min().unwrap_or(now)
}

/// From 1970 to 2037.
const MOMENTS: std::ops::Range<i64> = 86_400_000..2_145_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_limit_s_day_and_month_are_those_of_the_zone(zone in any::<prop::sample::Index>(), millis in MOMENTS) {
        let zones = TimeZoneDatabase::bundled();
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        let name = zone.get(&names);
        let filters = Filters {
            zone: Some(name.clone()),
            max_per_day: Some(Rule::of(1)),
            max_per_month: Some(Rule::of(1)),
            ..Filters::default()
        };
        let parts = SnapshotParts {
            accounts: vec![account(1, None)],
            filters: HashMap::from([(AccountId(1), filters)]),
            zones: Some(zones.clone()),
            ..SnapshotParts::default()
        };
        let policy = Snapshot::compile(parts).unwrap();
        let now = Timestamp::from_millis(millis);
        let mut desk = Desk::default();
        desk.begin(now);
        let sender = policy.account(AccountId(1)).unwrap();
        let submission = Submission { pdu: message(DataCoding::DEFAULT, b"x".to_vec()), body: None };
        let admitted = admit(&policy, policy.sender(sender), submission, now, &mut desk).unwrap();
        let periods: Vec<i32> = admitted.claims().iter().map(|claim| match claim.demand {
            Demand::Quota { period, .. } => period,
            other => panic!("{other:?}"),
        }).collect();
        let date_there = lasting_date(&zones.get(name).unwrap(), millis);
        let day = date_there.since(date(1970, 1, 1)).unwrap().get_days();
        let month = (i32::from(date_there.year()) - 1970) * 12 + i32::from(date_there.month()) - 1;
        prop_assert_eq!(periods, vec![day, month], "{} at {}", name, now);
    }
}
