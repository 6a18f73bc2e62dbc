//! What an operator's answer to a submit means, and when to try again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_proto::field::CommandStatus;

/// What a command_status of a submit_sm_resp means for the message and for the bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The operator has it.
    Taken,
    /// Too fast or full: the bind slows down, the message goes back to its lane at once.
    SlowDown,
    /// Not now: the message waits and is tried again, maybe elsewhere.
    Later,
    /// Never: the message ends.
    Refused,
    /// The operator does not take us for bound: the message goes back, the bind starts anew.
    SessionBroken,
}

/// When a message that was put off is tried again: first pause, doubled each time, up to a cap, until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// Seconds before the second attempt; 1 to 3,600.
    pub first_pause_seconds: u32,
    /// The longest pause in seconds; 1 to 86,400.
    pub longest_pause_seconds: u32,
    /// More statuses that mean "later", as numbers.
    pub temporary: Vec<u32>,
    /// Statuses that mean "never", also when the defaults say "later".
    pub permanent: Vec<u32>,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            first_pause_seconds: 5,
            longest_pause_seconds: 900,
            temporary: Vec::new(),
            permanent: Vec::new(),
        }
    }
}

impl RetrySettings {
    /// Reads an answer (SMPP 3.4 §5.1.3 and what the field made of it).
    #[must_use]
    pub fn read(&self, status: CommandStatus) -> Answer {
        if self.permanent.contains(&status.0) {
            return Answer::Refused;
        }
        match status {
            CommandStatus::ROK => Answer::Taken,
            CommandStatus::RTHROTTLED | CommandStatus::RMSGQFUL => Answer::SlowDown,
            CommandStatus::RINVBNDSTS => Answer::SessionBroken,
            CommandStatus::RSYSERR | CommandStatus::RX_T_APPN | CommandStatus::RDELIVERYFAILURE => {
                Answer::Later
            }
            other if self.temporary.contains(&other.0) => Answer::Later,
            _ => Answer::Refused,
        }
    }

    /// The pause after `attempts` attempts without a decision; at least one was made.
    #[must_use]
    pub fn pause(&self, attempts: u16) -> Duration {
        let doublings = u32::from(attempts.saturating_sub(1)).min(20);
        let seconds = u64::from(self.first_pause_seconds) << doublings;
        Duration::from_secs(seconds.min(u64::from(self.longest_pause_seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_the_field_means_them() {
        let settings = RetrySettings { temporary: vec![0x45], permanent: vec![0x64], ..Default::default() };
        let read = |status: u32| settings.read(CommandStatus(status));
        assert_eq!(read(0), Answer::Taken);
        assert_eq!((read(0x58), read(0x14)), (Answer::SlowDown, Answer::SlowDown));
        assert_eq!((read(0x08), read(0x45)), (Answer::Later, Answer::Later));
        assert_eq!(
            (read(0x64), read(0x0B), read(0x412)),
            (Answer::Refused, Answer::Refused, Answer::Refused)
        );
        assert_eq!(read(0x04), Answer::SessionBroken);
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        let settings = RetrySettings::default();
        let seconds: Vec<u64> = (1..=9).map(|n| settings.pause(n).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900]);
        assert_eq!(settings.pause(u16::MAX).as_secs(), 900);
    }
}
