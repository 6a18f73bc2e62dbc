//! Stub.
use crate::clock::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedHours {
    pub from: String,
    pub to: String,
    pub zone: String,
    pub days: Days,
    pub action: HoursAction,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days(u8);
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoursAction {
    Hold,
    Reject,
}
#[derive(Clone, Debug)]
pub struct Hours;
#[derive(Clone, Copy, Debug)]
pub struct DaySpan {
    pub day: i32,
    pub ends: Timestamp,
}
#[derive(Clone, Copy, Debug)]
pub struct MonthSpan {
    pub month: i32,
    pub ends: Timestamp,
}
impl Hours {
    pub fn compile(_: &ClosedHours) -> Result<Self, String> {
        Ok(Self)
    }
    pub fn closed_until(&self, _: Timestamp) -> Option<Timestamp> {
        None
    }
    pub fn rejects(&self) -> bool {
        false
    }
}
impl std::fmt::Display for ClosedHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("")
    }
}
impl FromIterator<String> for Days {
    fn from_iter<I: IntoIterator<Item = String>>(_: I) -> Self {
        Self(0)
    }
}
pub fn local_day(_: &TimeZone, now: Timestamp) -> DaySpan {
    DaySpan { day: 0, ends: now }
}
pub fn local_month(_: &TimeZone, now: Timestamp) -> MonthSpan {
    MonthSpan { month: 0, ends: now }
}
