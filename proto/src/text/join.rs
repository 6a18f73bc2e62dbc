//! Parts that come in any order, joined again (3GPP TS 23.040 §9.2.3.24.1).
//!
//! The octets are joined first and read after, because others cut escapes and surrogate pairs. Time comes in: any
//! monotonic count of milliseconds. Everything is bounded by [`Bounds`].

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::udh::{Concatenation, Width};

/// Joins parts of many messages at once. `K` says where a part came from and where it goes: peer, source address and
/// destination address; two phones may use one reference at the same time.
#[derive(Debug)]
pub struct Joiner<K> {
    bounds: Bounds,
    /// Which message each key's parts are for.
    open: HashMap<Key<K>, u64>,
    /// The unfinished messages, the oldest first.
    messages: BTreeMap<u64, Message<K>>,
    octets: usize,
    last: u64,
}

/// What a joiner may hold, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Unfinished messages at once; 10,000 by default.
    pub messages: usize,
    /// Octets of text in all of them; 16 MiB by default.
    pub octets: usize,
    /// Milliseconds from the first part to the last; 1 h by default.
    pub patience: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { messages: 10_000, octets: 16 << 20, patience: 3_600_000 }
    }
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// Others are missing.
    Waiting,
    /// This part was there already; the first one stays.
    Repeated,
    /// It was the last: the text of the whole message.
    Whole(Vec<u8>),
    /// It says of itself what cannot be (part 0, part beyond the total, total 0): a message of its own.
    Unsplit,
    /// There is no room for it: it is not kept.
    Full,
}

/// A message whose other parts did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished<K> {
    /// Where it came from.
    pub from: K,
    /// How many parts it has.
    pub total: u8,
    /// The parts that came, by their numbers.
    pub parts: BTreeMap<u8, Vec<u8>>,
}

impl<K> Unfinished<K> {
    /// What came, in order.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        self.parts.values().flatten().copied().collect()
    }
}

/// Parts with the same key belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key<K> {
    from: K,
    width: Width,
    reference: u16,
    total: u8,
}

#[derive(Debug)]
struct Message<K> {
    key: Key<K>,
    until: u64,
    parts: BTreeMap<u8, Vec<u8>>,
}

impl<K: Clone + Eq + Hash> Joiner<K> {
    /// An empty one.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Joiner { bounds, open: HashMap::new(), messages: BTreeMap::new(), octets: 0, last: 0 }
    }

    /// How many unfinished messages it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A part came: `text` is what stands behind its header.
    pub fn add(&mut self, from: K, part: Concatenation, text: &[u8], now: u64) -> Added {
        let Concatenation { reference, width, total, part } = part;
        if part == 0 || part > total {
            return Added::Unsplit;
        }
        if total == 1 {
            return Added::Whole(text.to_vec());
        }
        let key = Key { from, width, reference, total };
        let known = self.open.get(&key).copied();
        let kept = known.and_then(|number| self.messages.get(&number));
        if kept.is_some_and(|message| message.parts.contains_key(&part)) {
            return Added::Repeated;
        }
        if self.octets + text.len() > self.bounds.octets
            || known.is_none() && self.messages.len() >= self.bounds.messages
        {
            return Added::Full;
        }
        let number = known.unwrap_or(self.last + 1);
        self.last = self.last.max(number);
        let message = self.messages.entry(number).or_insert_with(|| {
            let until = now.saturating_add(self.bounds.patience);
            Message { key: key.clone(), until, parts: BTreeMap::new() }
        });
        message.parts.insert(part, text.to_vec());
        self.octets += text.len();
        if message.parts.len() < usize::from(total) {
            self.open.insert(key, number);
            return Added::Waiting;
        }
        self.take(number).map_or(Added::Waiting, |message| Added::Whole(message.text()))
    }

    /// The oldest message whose other parts did not come in time, if there is one. Call it until there is none.
    pub fn expire(&mut self, now: u64) -> Option<Unfinished<K>> {
        let (&number, oldest) = self.messages.first_key_value()?;
        if oldest.until > now {
            return None;
        }
        self.take(number)
    }

    /// When the oldest message expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        self.messages.first_key_value().map(|(_, oldest)| oldest.until)
    }

    fn take(&mut self, number: u64) -> Option<Unfinished<K>> {
        let message = self.messages.remove(&number)?;
        self.open.remove(&message.key);
        self.octets -= message.parts.values().map(Vec::len).sum::<usize>();
        Some(Unfinished { from: message.key.from, total: message.key.total, parts: message.parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(reference: u16, total: u8, part: u8) -> Concatenation {
        Concatenation { reference, width: Width::Eight, total, part }
    }

    #[test]
    fn parts_come_in_any_order_and_more_than_once() {
        let mut joiner = Joiner::new(Bounds::default());
        assert_eq!(joiner.add("a", part(7, 3, 3), b"c", 0), Added::Waiting);
        assert_eq!(joiner.add("a", part(7, 3, 1), b"a", 1), Added::Waiting);
        assert_eq!(joiner.add("a", part(7, 3, 3), b"x", 2), Added::Repeated);
        assert_eq!(joiner.add("a", part(7, 3, 2), b"b", 3), Added::Whole(b"abc".to_vec()));
        assert!(joiner.is_empty());
        assert_eq!(joiner.add("a", part(0, 1, 1), b"alone", 3), Added::Whole(b"alone".to_vec()));
    }

    #[test]
    fn what_differs_in_anything_is_another_message() {
        let mut joiner = Joiner::new(Bounds::default());
        let others = [
            ("b", part(7, 2, 1)),
            ("a", part(8, 2, 1)),
            ("a", part(7, 3, 1)),
            ("a", Concatenation { width: Width::Sixteen, ..part(7, 2, 1) }),
        ];
        joiner.add("a", part(7, 2, 1), b"1", 0);
        for (from, part) in others {
            assert_eq!(joiner.add(from, part, b"other", 0), Added::Waiting);
        }
        assert_eq!(joiner.add("a", part(7, 2, 2), b"2", 0), Added::Whole(b"12".to_vec()));
        assert_eq!(joiner.len(), 4);
    }

    #[test]
    fn impossible_parts_are_messages_of_their_own() {
        let mut joiner = Joiner::new(Bounds::default());
        for (total, number) in [(2, 0), (2, 3), (0, 0), (0, 1)] {
            assert_eq!(joiner.add("a", part(1, total, number), b"hi", 0), Added::Unsplit);
        }
        assert!(joiner.is_empty());
    }

    #[test]
    fn the_oldest_expires_first_and_hands_out_what_came() {
        let mut joiner = Joiner::new(Bounds { patience: 10, ..Bounds::default() });
        joiner.add("a", part(1, 3, 3), b"c", 0);
        joiner.add("a", part(1, 3, 1), b"a", 9);
        joiner.add("b", part(1, 3, 1), b"x", 5);
        assert_eq!((joiner.expire(9), joiner.next_expiry()), (None, Some(10)));
        let first = joiner.expire(10).unwrap();
        assert_eq!((first.from, first.total, first.text()), ("a", 3, b"ac".to_vec()));
        assert_eq!((joiner.expire(14), joiner.len()), (None, 1));
        assert_eq!(joiner.expire(15).unwrap().from, "b");
        // What comes late begins anew.
        assert_eq!(joiner.add("a", part(1, 3, 2), b"b", 20), Added::Waiting);
    }

    #[test]
    fn a_full_joiner_takes_no_more_and_forgets_nothing() {
        let mut joiner = Joiner::new(Bounds { messages: 1, octets: 4, patience: 10 });
        assert_eq!(joiner.add("a", part(1, 3, 1), b"aa", 0), Added::Waiting);
        assert_eq!(joiner.add("b", part(1, 3, 1), b"b", 0), Added::Full);
        assert_eq!(joiner.add("a", part(1, 3, 2), b"bbb", 0), Added::Full);
        assert_eq!(joiner.add("a", part(1, 3, 2), b"b", 0), Added::Waiting);
        assert_eq!(joiner.add("a", part(1, 3, 3), b"c", 0), Added::Whole(b"aabc".to_vec()));
        assert_eq!(joiner.add("b", part(1, 3, 1), b"bbbb", 0), Added::Waiting);
    }
}
