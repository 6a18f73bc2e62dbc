//! What judging messages needs room for: buffers that are used again, and what holds for all messages of one moment.

use std::sync::Arc;

use jiff::tz::TimeZone;
use smallvec::SmallVec;

use super::RuleId;
use super::rules::Ruled;
use crate::clock::Timestamp;
use crate::policy::hours::{DaySpan, Hours, MonthSpan, local_day, local_month};
use crate::policy::text::content::Scratch;

/// A session's own; begun anew for each batch of messages, which are all judged at one moment.
#[derive(Debug, Default)]
pub struct Desk {
    /// The text of a message, as characters.
    pub(in crate::policy) text: String,
    /// For the content rules.
    pub(in crate::policy) scratch: Scratch,
    now: Timestamp,
    days: SmallVec<[(usize, DaySpan); 2]>,
    months: SmallVec<[(usize, MonthSpan); 2]>,
    open: SmallVec<[(RuleId, Option<Timestamp>); 2]>,
    /// Rules that are not enforced and would have refused, since they were last taken.
    pub(in crate::policy) shadowed: Vec<RuleId>,
}

impl Desk {
    /// Messages of this moment come now; what was known of another policy or moment is forgotten.
    pub fn begin(&mut self, now: Timestamp) {
        self.now = now;
        self.days.clear();
        self.months.clear();
        self.open.clear();
    }

    /// The rules that would have refused and are not enforced, each as often as it would have.
    pub fn take_shadowed(&mut self) -> impl Iterator<Item = RuleId> + '_ {
        self.shadowed.drain(..)
    }

    /// The day in `zone`, since 1970.
    pub(in crate::policy) fn day(&mut self, zone: &Arc<TimeZone>) -> i32 {
        // A zone lives as long as its policy, and a batch no longer: its address names it.
        let name = Arc::as_ptr(zone) as usize;
        if let Some((_, span)) = self.days.iter().find(|(known, _)| *known == name) {
            return span.day;
        }
        let span = local_day(zone, self.now);
        self.days.push((name, span));
        span.day
    }

    /// The month in `zone`, since 1970.
    pub(in crate::policy) fn month(&mut self, zone: &Arc<TimeZone>) -> i32 {
        let name = Arc::as_ptr(zone) as usize;
        if let Some((_, span)) = self.months.iter().find(|(known, _)| *known == name) {
            return span.month;
        }
        let span = local_month(zone, self.now);
        self.months.push((name, span));
        span.month
    }

    /// When the hours of a rule open, if they are closed at the moment of the batch.
    pub(in crate::policy) fn closed_until(&mut self, rule: &Ruled<Hours>) -> Option<Timestamp> {
        if let Some((_, until)) = self.open.iter().find(|(known, _)| *known == rule.id) {
            return *until;
        }
        let until = rule.is.closed_until(self.now);
        self.open.push((rule.id, until));
        until
    }
}
