//! How fast a bind may submit: the throughput that was agreed, and what the operator lets through at present.
//!
//! An operator that answers ESME_RTHROTTLED or ESME_RMSGQFUL has the rate halved, at once and once for all that was
//! under way at that moment; each second without such an answer adds a fixed step (additive increase, multiplicative
//! decrease). An operator of 5.0 may say in every answer how congested it is: above 90 the rate sinks by an eighth a round,
//! from 80 to 90 it stays where it is, below it comes back twice as fast (SMPP 5.0 §4.8.4.18: the sender aims at 80 to 90).
//! Told the time, so that a test needs no sleep.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smpp_proto::session::Moment;

use crate::account::Throughput;
use crate::policy::Bucket;

/// The agreed throughput of an operator, shared by all of its binds; it may change while they are bound.
#[derive(Clone, Debug, Default)]
pub(in crate::smsc) struct Agreed(Arc<Mutex<Option<(Throughput, Bucket)>>>);

impl Agreed {
    /// Agrees on another one, or on none. What a bucket had stays in it, as far as the new burst holds it. Says whether
    /// it is another one than before.
    pub(in crate::smsc) fn agree(&self, throughput: Option<Throughput>, now: Moment) -> bool {
        let mut agreed = self.lock();
        let before = agreed.as_ref().map(|(throughput, _)| *throughput);
        *agreed = throughput.map(|throughput| match agreed.take() {
            Some((_, bucket)) => (throughput, bucket),
            None => (throughput, Bucket::full(throughput, now.0)),
        });
        before != throughput
    }

    fn with<T>(&self, act: impl FnOnce(&mut Bucket, Throughput) -> T) -> Option<T> {
        self.lock().as_mut().map(|(throughput, bucket)| act(bucket, *throughput))
    }

    fn per_second(&self) -> Option<u32> {
        self.with(|_, throughput| throughput.per_second)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Throughput, Bucket)>> {
        // A bucket is whole at every instant: a panic elsewhere cannot have left it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pace of one bind.
#[derive(Debug)]
pub(in crate::smsc) struct Pace {
    agreed: Agreed,
    adapted: Option<Adapted>,
    measured: Measured,
    /// Answers to what was sent before this moment tell nothing new.
    halved_at: Option<Moment>,
    /// Objections that were news since the operator last took something.
    in_vain: u32,
}

/// What the operator lets through at present.
#[derive(Debug)]
struct Adapted {
    rate: u32,
    /// Added each second.
    step: u32,
    /// Here the limit has proved unnecessary.
    enough: u32,
    grown_at: Moment,
    /// The operator has said that it can take more: the next step is a double one.
    is_brisk: bool,
    bucket: Bucket,
}

/// Segments that the operator took in this second and in the one before.
#[derive(Debug, Default)]
struct Measured {
    second: u64,
    now: u32,
    before: u32,
}

/// The least rate, in segments a second: slower would be standing still.
const FLOOR: u32 = 1;
/// Each second gives back this share of the rate at which the operator objected.
const STEPS_TO_FULL: u32 = 20;
/// At this multiple of that rate the limit is lifted, when no throughput was agreed.
const LIFTED_AT: u32 = 2;
/// An adapted rate lets through a tenth of a second's worth at once.
const BURSTS_A_SECOND: u32 = 10;
/// congestion_state of an operator that can take nothing more (SMPP 5.0 §4.8.4.18).
const CONGESTED: u8 = 100;
const SECOND: u64 = 1000;

impl Pace {
    pub(in crate::smsc) fn new(agreed: Agreed) -> Self {
        Self { agreed, adapted: None, measured: Measured::default(), halved_at: None, in_vain: 0 }
    }

    /// Segments that may be sent now.
    pub(in crate::smsc) fn room(&mut self, now: Moment) -> u32 {
        self.recover(now);
        let agreed = self.agreed.with(|bucket, rate| bucket.available(rate, now.0));
        let adapted =
            self.adapted.as_mut().map(|adapted| adapted.bucket.available(adapted.throughput(), now.0));
        agreed.unwrap_or(u32::MAX).min(adapted.unwrap_or(u32::MAX))
    }

    /// Takes `segments` for one submit, or says that they are not there yet.
    pub(in crate::smsc) fn take(&mut self, segments: u32, now: Moment) -> bool {
        if let Some(adapted) = &mut self.adapted
            && adapted.bucket.take(adapted.throughput(), segments, now.0).is_err()
        {
            return false;
        }
        let agreed = self.agreed.with(|bucket, rate| bucket.take(rate, segments, now.0).is_ok());
        if agreed == Some(false)
            && let Some(adapted) = &mut self.adapted
        {
            // What is not sent is not spent.
            adapted.bucket.give_back(adapted.throughput(), segments);
        }
        agreed != Some(false)
    }

    /// When to ask again for `segments` that were not there.
    pub(in crate::smsc) fn next(&self, segments: u32, now: Moment) -> Moment {
        let wait = |bucket: &Bucket, rate: Throughput| {
            // A copy is asked, so that nothing is taken.
            bucket.clone().take(rate, segments, now.0).err().unwrap_or(0)
        };
        let agreed = self.agreed.with(|bucket, rate| wait(bucket, rate)).unwrap_or(0);
        let adapted = self.adapted.as_ref().map_or(0, |it| wait(&it.bucket, it.throughput()));
        Moment(now.0.saturating_add(agreed.max(adapted).max(1)))
    }

    /// The operator took a segment.
    pub(in crate::smsc) fn taken(&mut self, now: Moment) {
        self.measured.count(now);
        self.in_vain = 0;
    }

    /// How often in a row the rate was halved and the operator still took nothing.
    pub(in crate::smsc) fn rounds_in_vain(&self) -> u32 {
        self.in_vain
    }

    /// The operator said "too fast" to what was sent at `sent`; whether that was news.
    pub(in crate::smsc) fn throttled(&mut self, sent: Moment, now: Moment) -> bool {
        if self.halved_at.is_some_and(|halved| sent <= halved) {
            return false;
        }
        self.recover(now);
        let objected = match &self.adapted {
            Some(adapted) => adapted.rate,
            None => self.measured.rate(now).max(self.agreed.per_second().unwrap_or(0)),
        };
        self.halved_at = Some(now);
        self.in_vain = self.in_vain.saturating_add(1);
        self.adapted = Some(Adapted::below(objected, now));
        true
    }

    /// The operator of a session of 5.0 said how congested it is, in answer to what was sent at `sent`.
    pub(in crate::smsc) fn congestion(&mut self, state: u8, sent: Moment, now: Moment) {
        match state {
            CONGESTED.. => {
                self.throttled(sent, now);
            }
            91.. => self.ease(sent, now),
            // Without a limit of ours there is nothing to hold or to raise.
            80.. => {
                if let Some(adapted) = &mut self.adapted {
                    adapted.grown_at = now;
                }
            }
            _ => {
                if let Some(adapted) = &mut self.adapted {
                    adapted.is_brisk = true;
                }
            }
        }
    }

    /// Sinks by an eighth, once for all that is under way.
    fn ease(&mut self, sent: Moment, now: Moment) {
        let rate = self.adapted.as_ref().map_or_else(|| self.measured.rate(now), |adapted| adapted.rate);
        if self.throttled(sent, now)
            && let Some(adapted) = &mut self.adapted
        {
            adapted.rate = (rate - rate / 8).max(FLOOR);
        }
    }

    /// The rate that the operator's objections left, in segments a second; nothing while it does not object.
    pub(in crate::smsc) fn adapted(&self) -> Option<u32> {
        self.adapted.as_ref().map(|adapted| adapted.rate)
    }

    fn recover(&mut self, now: Moment) {
        let Some(adapted) = &mut self.adapted else { return };
        adapted.grow(now);
        let enough = self.agreed.per_second().unwrap_or(adapted.enough);
        if adapted.rate >= enough {
            self.adapted = None;
        }
    }
}

impl Adapted {
    fn below(objected: u32, now: Moment) -> Self {
        let objected = objected.max(2 * FLOOR);
        let mut adapted = Self {
            rate: (objected / 2).max(FLOOR),
            step: (objected / STEPS_TO_FULL).max(1),
            enough: objected.saturating_mul(LIFTED_AT),
            grown_at: now,
            is_brisk: false,
            bucket: Bucket::full(Throughput { per_second: 1, burst: 1 }, now.0),
        };
        // It starts empty: the operator has just been given too much.
        let rate = adapted.throughput();
        let _ = adapted.bucket.take(rate, 1, now.0);
        adapted
    }

    fn grow(&mut self, now: Moment) {
        let seconds = now.since(self.grown_at) / SECOND;
        if seconds > 0 {
            let gained = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(self.step);
            let gained = if self.is_brisk { gained.saturating_mul(2) } else { gained };
            self.is_brisk = false;
            self.rate = self.rate.saturating_add(gained);
            self.grown_at = Moment(self.grown_at.0 + seconds * SECOND);
        }
    }

    fn throughput(&self) -> Throughput {
        Throughput { per_second: self.rate, burst: (self.rate / BURSTS_A_SECOND).max(1) }
    }
}

impl Measured {
    fn count(&mut self, now: Moment) {
        self.turn(now);
        self.now = self.now.saturating_add(1);
    }

    fn rate(&mut self, now: Moment) -> u32 {
        self.turn(now);
        self.now.max(self.before)
    }

    fn turn(&mut self, now: Moment) {
        let second = now.0 / SECOND;
        if second != self.second {
            self.before = if second == self.second + 1 { self.now } else { 0 };
            self.now = 0;
            self.second = second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment(millis)
    }

    /// A bind that has had `rate` segments taken in its first second.
    fn running(rate: u32) -> Pace {
        let mut pace = Pace::new(Agreed::default());
        for _ in 0..rate {
            pace.taken(at(500));
        }
        pace
    }

    #[test]
    fn an_objection_halves_once_for_all_that_was_under_way() {
        let mut pace = running(100);
        assert_eq!((pace.room(at(600)), pace.adapted()), (u32::MAX, None));
        assert!(pace.throttled(at(590), at(600)));
        assert_eq!((pace.adapted(), pace.room(at(600))), (Some(50), 0));
        assert!(!pace.throttled(at(595), at(700)), "sent before the halving");
        assert_eq!(pace.adapted(), Some(50));
        assert!(pace.throttled(at(650), at(700)), "sent after it");
        assert_eq!(pace.adapted(), Some(25));
    }

    #[test]
    fn rounds_are_in_vain_until_something_is_taken() {
        let mut pace = running(100);
        for (sent, now) in [(590, 600), (595, 610), (700, 710), (800, 810)] {
            pace.throttled(at(sent), at(now));
        }
        assert_eq!(pace.rounds_in_vain(), 3, "one was under way");
        pace.taken(at(900));
        assert_eq!(pace.rounds_in_vain(), 0);
    }

    #[test]
    fn the_rate_recovers_by_steps_and_the_limit_is_lifted_in_the_end() {
        let mut pace = running(100);
        pace.throttled(at(590), at(600));
        pace.room(at(1_600));
        assert_eq!(pace.adapted(), Some(55));
        pace.room(at(10_600));
        assert_eq!(pace.adapted(), Some(100));
        pace.room(at(29_600));
        assert_eq!(pace.adapted(), Some(195));
        assert_eq!((pace.room(at(30_600)), pace.adapted()), (u32::MAX, None));
    }

    #[test]
    fn an_agreed_throughput_is_the_most_and_ends_the_recovery() {
        let agreed = Agreed::default();
        agreed.agree(Some(Throughput { per_second: 40, burst: 10 }), at(0));
        let (mut one, mut other) = (Pace::new(agreed.clone()), Pace::new(agreed));
        assert!((0..7).all(|_| one.take(1, at(0))) && (0..3).all(|_| other.take(1, at(0))));
        assert_eq!((one.room(at(0)), one.take(1, at(0)), one.next(1, at(0))), (0, false, at(25)));
        assert_eq!(other.room(at(50)), 2, "the binds share it");
        one.throttled(at(50), at(60));
        assert_eq!(one.adapted(), Some(20));
        one.room(at(10_060));
        assert_eq!(one.adapted(), None);
    }

    #[test]
    fn a_text_of_more_segments_than_the_burst_is_paid_whole_and_what_is_not_sent_is_not_spent() {
        let agreed = Agreed::default();
        agreed.agree(Some(Throughput { per_second: 40, burst: 10 }), at(0));
        let (mut one, mut other) = (Pace::new(agreed.clone()), Pace::new(agreed));
        assert!(one.take(30, at(0)));
        assert_eq!((one.room(at(250)), one.next(1, at(250))), (0, at(525)));
        // Half of 40 of its own; the binds' common bucket is in debt until 500, and full at 750.
        other.throttled(at(0), at(1));
        assert!(!other.take(1, at(500)) && !other.take(1, at(500)) && other.take(2, at(600)));
    }

    #[test]
    fn an_operator_that_tells_its_congestion_is_kept_between_80_and_90() {
        let mut pace = running(100);
        pace.congestion(85, at(590), at(600));
        pace.congestion(10, at(590), at(600));
        assert_eq!(pace.adapted(), None, "nothing to hold or raise");
        pace.congestion(95, at(590), at(600));
        pace.congestion(95, at(590), at(610));
        assert_eq!(pace.adapted(), Some(88), "an eighth, once for all that was under way");
        pace.congestion(85, at(620), at(1_500));
        pace.room(at(2_400));
        assert_eq!(pace.adapted(), Some(88), "it stays");
        pace.room(at(2_500));
        assert_eq!(pace.adapted(), Some(93), "and recovers when nothing is said");
        pace.congestion(40, at(2_400), at(2_600));
        pace.room(at(3_500));
        assert_eq!(pace.adapted(), Some(103), "twice as fast below");
        pace.congestion(100, at(3_400), at(3_500));
        assert_eq!(pace.adapted(), Some(51), "as if it had said ESME_RTHROTTLED");
    }

    #[test]
    fn it_never_stands_still() {
        let mut pace = Pace::new(Agreed::default());
        for step in 0..10 {
            pace.throttled(at(step * 10 + 1), at(step * 10 + 5));
        }
        assert_eq!(pace.adapted(), Some(FLOOR));
        let next = pace.next(1, at(100));
        assert!(next <= at(1_100) && pace.room(next) == 1);
    }
}
