//! How often in a row one operator said of a message that it is too much, whichever bind it was said on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::MessageId;

/// Bounded: when there are too many, all counts begin anew.
#[derive(Debug, Default)]
pub(in crate::smsc) struct Objections(Mutex<HashMap<MessageId, u32>>);

/// Messages that are counted at once.
const MOST: usize = 4_096;

impl Objections {
    /// Once more; how often that makes.
    pub(super) fn count(&self, message: MessageId) -> u32 {
        let mut counts = self.lock();
        if counts.len() >= MOST && !counts.contains_key(&message) {
            counts.clear();
        }
        let count = counts.entry(message).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// It goes elsewhere: should it come back, it begins anew.
    pub(super) fn forget(&self, message: MessageId) {
        self.lock().remove(&message);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MessageId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_counted_for_itself_and_the_number_of_them_is_bounded() {
        let objections = Objections::default();
        let [one, other] = [1, 2].map(MessageId::from_raw);
        assert_eq!([one, one, other, one].map(|id| objections.count(id)), [1, 2, 1, 3]);
        objections.forget(one);
        assert_eq!([one, other].map(|id| objections.count(id)), [1, 2]);
        for number in 3..=MOST as i64 + 1 {
            objections.count(MessageId::from_raw(number));
        }
        assert_eq!(objections.count(other), 1);
    }
}
