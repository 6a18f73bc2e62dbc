//! Bounds of every message: validities, schedules, segments.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::policy::Refusal;

/// Bounds of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Validity of a message that names none; 24 h by default.
    pub default_validity: Duration,
    /// The longest validity; longer ones are shortened; 7 days by default (SMPP 5.0 §4.7.23.1).
    pub max_validity: Duration,
    /// How far ahead a message may be scheduled; farther is refused; 14 days by default.
    pub max_schedule: Duration,
    /// Segments of one message; 1 to 255, 10 by default.
    pub max_parts: u8,
    /// What a schedule_delivery_time in the past means; refused by default.
    pub past_schedule: PastSchedule,
}

/// What a schedule_delivery_time in the past means (SMPP 3.4 §5.2.15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastSchedule {
    /// A mistake: ESME_RINVSCHED.
    #[default]
    Refuse,
    /// At once: clients whose clocks are behind mean that.
    Now,
}

impl Default for TextLimits {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            default_validity: day,
            max_validity: 7 * day,
            max_schedule: 14 * day,
            max_parts: 10,
            past_schedule: PastSchedule::default(),
        }
    }
}

impl TextLimits {
    /// When a message with this schedule is due: at its time, or at once.
    ///
    /// # Errors
    /// The schedule is too far ahead, or in the past where that is a mistake.
    pub fn due(&self, named: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        match named {
            Some(due) if due > now + self.max_schedule => Err(Refusal::InvalidSchedule),
            Some(due) if due > now => Ok(Some(due)),
            Some(_) if self.past_schedule == PastSchedule::Refuse => Err(Refusal::InvalidSchedule),
            Some(_) | None => Ok(None),
        }
    }
}
