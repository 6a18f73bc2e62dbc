//! What judging messages needs room for: buffers that are used again, and what holds for all messages of one moment.

use std::sync::Arc;

use jiff::tz::TimeZone;
use smallvec::SmallVec;

use super::RuleId;
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
    days: Kept<Arc<TimeZone>, DaySpan>,
    months: Kept<Arc<TimeZone>, MonthSpan>,
    /// Rules that are not enforced and would have refused, since they were last taken.
    pub(in crate::policy) shadowed: Vec<RuleId>,
}

/// What was found of a few things, each from when on it was known to hold.
type Kept<K, T> = SmallVec<[(K, Timestamp, T); 2]>;

/// Things of one kind that are kept: zones and hours of a session change only with the policy.
const KEPT: usize = 8;

impl Desk {
    /// Messages of this moment come now.
    pub fn begin(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The rules that would have refused and are not enforced, each as often as it would have.
    pub fn take_shadowed(&mut self) -> impl Iterator<Item = RuleId> + '_ {
        self.shadowed.drain(..)
    }

    /// The day in `zone`, since 1970.
    pub(in crate::policy) fn day(&mut self, zone: &Arc<TimeZone>) -> i32 {
        // The zone that is kept lives on, so no other one can come to stand at its address.
        let is_it = |known: &Arc<TimeZone>| Arc::ptr_eq(known, zone);
        let find = |now| (Arc::clone(zone), local_day(zone, now));
        kept(&mut self.days, self.now, is_it, |span| span.ends, find).day
    }

    /// The month in `zone`, since 1970.
    pub(in crate::policy) fn month(&mut self, zone: &Arc<TimeZone>) -> i32 {
        let is_it = |known: &Arc<TimeZone>| Arc::ptr_eq(known, zone);
        let find = |now| (Arc::clone(zone), local_month(zone, now));
        kept(&mut self.months, self.now, is_it, |span| span.ends, find).month
    }

    /// When closed hours end, if they have the moment of the batch.
    pub(in crate::policy) fn closed_until(&self, hours: &Hours) -> Option<Timestamp> {
        hours.until_kept(self.now)
    }
}

/// What is kept of a thing, if it still holds; else it is found again.
fn kept<K, T: Copy>(
    kept: &mut Kept<K, T>,
    now: Timestamp,
    is_it: impl Fn(&K) -> bool,
    ends: impl Fn(&T) -> Timestamp,
    find: impl FnOnce(Timestamp) -> (K, T),
) -> T {
    let place = kept.iter().position(|(known, ..)| is_it(known));
    if let Some((_, since, span)) = place.and_then(|place| kept.get(place))
        && (*since..ends(span)).contains(&now)
    {
        return *span;
    }
    let (key, span) = find(now);
    match place.and_then(|place| kept.get_mut(place)) {
        Some(known) => *known = (key, now, span),
        None => {
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.push((key, now, span));
        }
    }
    span
}
