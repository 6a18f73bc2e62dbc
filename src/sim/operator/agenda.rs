//! What a session has to do later: answers and receipts, by the time they fall due.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tokio::time::Instant;

/// Things in the order of their time; those of one time in the order in which they were added.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Entry<T>>,
    added: u64,
}

#[derive(Debug)]
struct Entry<T> {
    due: Instant,
    order: u64,
    what: T,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), added: 0 }
    }

    pub(super) fn add(&mut self, due: Instant, what: T) {
        self.added += 1;
        self.heap.push(Entry { due, order: self.added, what });
    }

    /// When the next thing falls due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.due)
    }

    /// The next thing, if it is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.what)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Everything, due or not, in order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = T> {
        let mut entries = std::mem::take(&mut self.heap).into_sorted_vec();
        entries.reverse();
        entries.into_iter().map(|entry| entry.what)
    }
}

// The heap gives its greatest entry first, and the earliest shall come first: the order is turned round.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.order).cmp(&(self.due, self.order))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn gives_the_earliest_first_and_nothing_too_early() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut agenda = Agenda::new();
        for (millis, what) in [(30, "d"), (10, "a"), (20, "b"), (20, "c")] {
            agenda.add(at(millis), what);
        }
        assert_eq!(agenda.next_due(), Some(at(10)));
        assert_eq!(agenda.take_due(at(9)), None);
        assert_eq!(agenda.take_due(at(25)), Some("a"));
        assert_eq!(agenda.take_due(at(25)), Some("b"));
        assert_eq!(agenda.len(), 2);
        assert_eq!(agenda.take_all().collect::<Vec<_>>(), ["c", "d"]);
        assert_eq!(agenda.next_due(), None);
    }
}
