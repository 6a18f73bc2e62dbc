//! How long to wait before a bind is dialled again, by what went wrong.

use std::time::Duration;

use super::DialError;
use crate::smsc::settings::Redial;

/// The pauses between the dials of one bind.
#[derive(Debug)]
pub(in crate::smsc) struct Backoff {
    settings: Redial,
    failures: u32,
    cause: Cause,
}

impl Backoff {
    pub(in crate::smsc) fn new(settings: Redial) -> Self {
        Self { settings, failures: 0, cause: Cause::Lost }
    }

    /// A bind held for `lived` and was lost. One that held longer than the longest pause starts anew.
    pub(in crate::smsc) fn after_loss(&mut self, lived: Duration, chance: f64) -> Duration {
        if lived >= self.settings.longest {
            self.failures = 0;
        }
        self.after(Cause::Lost, chance)
    }

    /// A bind could not be made. `chance` is a random number from 0 to 1.
    pub(in crate::smsc) fn after_failure(&mut self, error: &DialError, chance: f64) -> Duration {
        self.after(error.cause(), chance)
    }

    fn after(&mut self, cause: Cause, chance: f64) -> Duration {
        if cause != self.cause {
            self.failures = 0;
            self.cause = cause;
        }
        let Redial { first, longest, refused, refused_longest, already_bound } = self.settings;
        let (start, cap) = match cause {
            Cause::Lost => (first, longest),
            Cause::Refused => (refused, refused_longest),
            Cause::AlreadyBound => (already_bound, already_bound),
        };
        let whole = start.saturating_mul(1_u32 << self.failures.min(16)).min(cap);
        self.failures = self.failures.saturating_add(1);
        match cause {
            // Shorter would come before the operator has forgotten the session that is gone.
            Cause::AlreadyBound => whole,
            Cause::Lost | Cause::Refused => whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0),
        }
    }
}

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Lost,
    Refused,
    AlreadyBound,
}

#[cfg(test)]
mod tests {
    use smpp_proto::CommandStatus;

    use super::*;

    fn pauses(backoff: &mut Backoff, error: &DialError, count: usize) -> Vec<u64> {
        (0..count).map(|_| backoff.after_failure(error, 1.0).as_secs()).collect()
    }

    #[test]
    fn pauses_double_up_to_their_cap() {
        let mut backoff = Backoff::new(Redial::default());
        assert_eq!(pauses(&mut backoff, &DialError::Closed, 6), [4, 8, 16, 32, 60, 60]);
        let refused = DialError::Refused(CommandStatus::RINVPASWD);
        assert_eq!(pauses(&mut backoff, &refused, 5), [60, 120, 240, 480, 600]);
        let already = DialError::Refused(CommandStatus::RALYBND);
        assert_eq!(pauses(&mut backoff, &already, 2), [120, 120]);
        assert_eq!(pauses(&mut backoff, &DialError::Closed, 1), [4]);
    }

    #[test]
    fn chance_takes_up_to_half_away() {
        let mut backoff = Backoff::new(Redial::default());
        assert_eq!(backoff.after_failure(&DialError::Closed, 0.0), Duration::from_secs(2));
        assert_eq!(backoff.after_failure(&DialError::Closed, 0.5), Duration::from_secs(6));
    }

    #[test]
    fn only_a_bind_that_held_starts_anew() {
        let mut backoff = Backoff::new(Redial::default());
        let mut after = |lived| backoff.after_loss(Duration::from_secs(lived), 1.0).as_secs();
        assert_eq!([after(1), after(1), after(59), after(60)], [4, 8, 16, 4]);
    }
}
