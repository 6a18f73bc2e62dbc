//! One timer for all that can fall due in a session. It is set anew only when something is due earlier than before:
//! traffic that puts timers off costs nothing.

use std::pin::Pin;

use crate::clock::Clock;

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Goes off at the time it was set to, or before.
#[derive(Default)]
pub(super) struct Alarm(Option<(u64, Sleep)>);

impl Alarm {
    /// Goes off at monotonic time `due` at the latest.
    pub(super) fn set(&mut self, due: Option<u64>, clock: &Clock) {
        let Some(due) = due else { return };
        if self.0.as_ref().is_none_or(|(set, _)| due < *set) {
            let clock = clock.clone();
            self.0 = Some((due, Box::pin(async move { clock.sleep_until_monotonic(due).await })));
        }
    }

    /// Waits until it goes off; for ever when it was not set.
    pub(super) async fn rings(&mut self) {
        match &mut self.0 {
            Some((_, sleep)) => sleep.await,
            None => std::future::pending().await,
        }
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use std::time::Duration;

    #[tokio::test]
    async fn an_earlier_time_moves_it_and_a_later_one_does_not() {
        let clock = Clock::manual(Timestamp::default());
        let mut alarm = Alarm::default();
        alarm.set(Some(500), &clock);
        alarm.set(Some(900), &clock);
        alarm.set(None, &clock);
        clock.advance(Duration::from_millis(500));
        alarm.rings().await;
        alarm.set(Some(900), &clock);
        alarm.set(Some(600), &clock);
        clock.advance(Duration::from_millis(100));
        alarm.rings().await;
        assert!(alarm.0.is_none());
    }
}
