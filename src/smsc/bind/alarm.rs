//! One timer for a task that waits again and again: it is only made anew when something falls due sooner.

use std::future::{Future, pending};
use std::pin::Pin;

use smpp_proto::session::Moment;

use crate::clock::Clock;

/// Rings at a moment, or a little before the moment that was set last: whoever hears it looks what is due.
pub(super) struct Alarm {
    clock: Clock,
    armed: Option<(Moment, Sleep)>,
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Alarm {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, armed: None }
    }

    /// Makes sure that it rings at `due` or before. What falls due moves back with each PDU, so an earlier ring that
    /// nobody needs any more is cheaper than a new timer for each.
    pub(super) fn set(&mut self, due: Option<Moment>) {
        let Some(due) = due else { return };
        if self.armed.as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let clock = self.clock.clone();
        self.armed = Some((due, Box::pin(async move { clock.sleep_until_monotonic(due.0).await })));
    }

    /// Waits for the ring. May be dropped and called again.
    pub(super) async fn ring(&mut self) {
        match &mut self.armed {
            Some((_, sleep)) => sleep.as_mut().await,
            None => pending().await,
        }
        self.armed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use std::time::Duration;

    #[tokio::test]
    async fn it_rings_at_the_earliest_that_was_set() {
        let clock = Clock::manual(Timestamp::from_millis(0));
        let mut alarm = Alarm::new(clock.clone());
        alarm.set(Some(Moment(5_000)));
        alarm.set(Some(Moment(2_000)));
        alarm.set(Some(Moment(9_000)));
        clock.advance(Duration::from_secs(2));
        alarm.ring().await;
        alarm.set(None);
        assert!(alarm.armed.is_none());
    }
}
