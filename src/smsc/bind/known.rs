//! The ids that one operator gave lately, to tell an answer about a message in doubt from one about another message.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Bounded; the oldest is forgotten first.
#[derive(Debug, Default)]
pub(in crate::smsc) struct KnownIds(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    order: VecDeque<Vec<u8>>,
    all: HashSet<Vec<u8>>,
}

/// How many are remembered.
const MOST: usize = 4_096;

impl KnownIds {
    /// Remembers an id; whether it was new.
    pub(super) fn add(&self, id: &[u8]) -> bool {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.all.insert(id.to_vec()) {
            return false;
        }
        ids.order.push_back(id.to_vec());
        if ids.order.len() > MOST
            && let Some(oldest) = ids.order.pop_front()
        {
            ids.all.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let known = KnownIds::default();
        assert!(known.add(b"first") && !known.add(b"first"));
        for number in 0..MOST {
            assert!(known.add(number.to_string().as_bytes()));
        }
        assert!(known.add(b"first"), "forgotten by now");
        assert!(!known.add(b"4095"));
    }
}
