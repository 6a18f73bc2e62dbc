//! The window: requests that are sent and not yet answered (SMPP 3.4 §2.9), found by sequence number, oldest first.
//!
//! A ring of slots is indexed by the low bits of the sequence number. Because the numbers are our own, one whose slot
//! is taken is skipped, so a lookup is one comparison. The slots in use are chained in the order of sending, which is
//! the order of their deadlines too.

use std::time::Duration;

use super::moment::Moment;

/// Bounds of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSettings {
    /// Requests open at a time; 1 to [`WindowSettings::MOST`], other values are taken to the nearest. Default 10,
    /// what SMPP 3.4 §2.9 suggests.
    pub size: u16,
    /// How long a request waits for its response. Default 60 s.
    pub response: Duration,
}

impl WindowSettings {
    /// The largest window.
    pub const MOST: u16 = 16_384;
}

impl Default for WindowSettings {
    fn default() -> Self {
        WindowSettings { size: 10, response: Duration::from_secs(60) }
    }
}

/// Requests of one direction of one session. `T` is what is remembered of each (SMPP 3.4 §2.9).
#[derive(Debug)]
pub struct Window<T> {
    slots: Box<[Slot<T>]>,
    size: usize,
    used: usize,
    response: Duration,
    /// The number given last; 0 before the first.
    last: u32,
    oldest: u32,
    newest: u32,
}

#[derive(Debug)]
struct Slot<T> {
    /// Empty when nothing is in flight here.
    open: Option<T>,
    sequence: u32,
    sent: Moment,
    older: u32,
    newer: u32,
}

/// The window had no room; the request is handed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowFull<T>(pub T);

impl<T> Window<T> {
    /// An empty window. All its memory is taken now.
    #[must_use]
    pub fn new(settings: WindowSettings) -> Window<T> {
        let size = usize::from(settings.size.clamp(1, WindowSettings::MOST));
        let empty = || Slot { open: None, sequence: 0, sent: Moment(0), older: NOWHERE, newer: NOWHERE };
        Window {
            // Twice the room, so that a free slot is near even with old requests lying about.
            slots: std::iter::repeat_with(empty).take((size * 2).next_power_of_two()).collect(),
            size,
            used: 0,
            response: settings.response,
            last: 0,
            oldest: NOWHERE,
            newest: NOWHERE,
        }
    }

    /// Requests in flight.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// How many more requests may be sent now.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.size - self.used
    }

    /// Opens a request and gives its sequence number, 1 to 0x7FFFFFFF, unlike all others in flight.
    ///
    /// `now` must not lie before an earlier one; it would be taken as that.
    ///
    /// # Errors
    /// The window is full.
    pub fn open(&mut self, item: T, now: Moment) -> Result<u32, WindowFull<T>> {
        if self.used >= self.size {
            return Err(WindowFull(item));
        }
        let sequence = self.number();
        let place = self.place(sequence);
        let older = self.newest;
        let sent = self.slot(older).map_or(now, |newest| newest.sent.max(now));
        let Some(slot) = self.slots.get_mut(place as usize) else { return Err(WindowFull(item)) };
        *slot = Slot { open: Some(item), sequence, sent, older, newer: NOWHERE };
        match self.slots.get_mut(older as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
        self.used += 1;
        Ok(sequence)
    }

    /// The next sequence number, for a request that does not count against the window: a bind, enquire_link, unbind
    /// (conformance C-062). It is unlike those in flight.
    pub fn number(&mut self) -> u32 {
        loop {
            self.last = if self.last >= LAST_SEQUENCE { 1 } else { self.last + 1 };
            // At most half of the slots are taken, so this ends.
            if self.slot(self.place(self.last)).is_none_or(|slot| slot.open.is_none()) {
                return self.last;
            }
        }
    }

    /// Ends the request with this number, in whatever order. `None` if no such request is in flight: the response
    /// was not asked for, or comes too late (conformance C-054, C-063).
    pub fn complete(&mut self, sequence: u32) -> Option<T> {
        let place = self.place(sequence);
        let slot = self.slots.get_mut(place as usize).filter(|slot| slot.sequence == sequence)?;
        let item = slot.open.take()?;
        let (older, newer) = (slot.older, slot.newer);
        match self.slots.get_mut(older as usize) {
            Some(before) => before.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(behind) => behind.older = older,
            None => self.newest = older,
        }
        self.used -= 1;
        Some(item)
    }

    /// The request with this number, if it is in flight.
    #[must_use]
    pub fn peek(&self, sequence: u32) -> Option<&T> {
        let slot = self.slot(self.place(sequence)).filter(|slot| slot.sequence == sequence)?;
        slot.open.as_ref()
    }

    /// When the oldest request is to be given up.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.slot(self.oldest).map(|slot| slot.sent + self.response)
    }

    /// Ends the oldest request that has waited for the response time, with its number. Ask until there is none.
    pub fn expire(&mut self, now: Moment) -> Option<(u32, T)> {
        if self.deadline()? > now {
            return None;
        }
        self.take_oldest()
    }

    /// Ends all requests, oldest first: the session is lost and their outcome unknown (SMPP 3.4 §2.7).
    pub fn drain(&mut self) -> impl Iterator<Item = (u32, T)> + '_ {
        std::iter::from_fn(|| self.take_oldest())
    }

    /// The requests in flight, oldest first, with number and the moment of sending.
    pub fn in_flight(&self) -> impl Iterator<Item = (u32, Moment, &T)> {
        let mut next = self.oldest;
        std::iter::from_fn(move || {
            let slot = self.slot(next)?;
            next = slot.newer;
            slot.open.as_ref().map(|item| (slot.sequence, slot.sent, item))
        })
    }

    fn take_oldest(&mut self) -> Option<(u32, T)> {
        let sequence = self.slot(self.oldest)?.sequence;
        self.complete(sequence).map(|item| (sequence, item))
    }

    fn slot(&self, place: u32) -> Option<&Slot<T>> {
        self.slots.get(place as usize)
    }

    /// Where a sequence number lives. The number of slots is a power of two.
    fn place(&self, sequence: u32) -> u32 {
        sequence & (self.slots.len() as u32 - 1)
    }
}

/// The end of the chain; no window has so many slots.
const NOWHERE: u32 = u32::MAX;

/// The greatest sequence number (SMPP 3.4 §5.1.4).
const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: u16) -> Window<&'static str> {
        Window::new(WindowSettings { size, response: Duration::from_millis(100) })
    }

    #[test]
    fn numbers_begin_at_one_and_responses_come_in_any_order() {
        let mut window = window(3);
        let numbers = ["a", "b", "c"].map(|item| window.open(item, Moment(0)).unwrap());
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(window.open("d", Moment(0)), Err(WindowFull("d")));
        assert_eq!(window.number(), 4, "an enquire_link passes a full window");
        assert_eq!([2, 1, 3].map(|number| window.complete(number)), [Some("b"), Some("a"), Some("c")]);
        assert_eq!(window.complete(3), None, "a second response was not asked for");
        assert!(window.is_empty());
    }

    #[test]
    fn numbers_start_over_after_the_last_and_skip_those_in_flight() {
        let mut window = window(4);
        assert_eq!(window.open("old", Moment(0)), Ok(1));
        window.last = LAST_SEQUENCE - 1;
        assert_eq!(window.open("last", Moment(0)), Ok(LAST_SEQUENCE));
        assert_eq!(window.open("first", Moment(0)), Ok(2));
        assert_eq!(window.peek(1), Some(&"old"));
        // 8 slots: 9 would live where 1 still waits.
        window.last = 8;
        assert_eq!(window.open("next", Moment(0)), Ok(11), "2 is in the way of 10 too");
    }

    #[test]
    fn foreign_numbers_find_nothing() {
        let mut window = window(1);
        assert_eq!(window.open("a", Moment(0)), Ok(1));
        for number in [0, 3, 0x8000_0001, u32::MAX] {
            assert_eq!(window.complete(number), None);
        }
        assert_eq!(window.len(), 1);
    }

    #[test]
    fn requests_expire_alone_and_oldest_first() {
        let mut window = window(3);
        for (item, at) in [("a", 0), ("b", 10), ("c", 20)] {
            window.open(item, Moment(at)).unwrap();
        }
        assert_eq!(window.deadline(), Some(Moment(100)));
        assert_eq!(window.expire(Moment(99)), None);
        assert_eq!(window.complete(2), Some("b"));
        assert_eq!(window.expire(Moment(115)), Some((1, "a")));
        assert_eq!(window.expire(Moment(115)), None);
        assert_eq!(window.complete(1), None, "a late response finds nothing");
        assert_eq!(window.deadline(), Some(Moment(120)));
    }

    #[test]
    fn a_lost_session_gives_all_back_oldest_first() {
        let mut window = window(3);
        for (item, at) in [("a", 5), ("b", 3), ("c", 6)] {
            window.open(item, Moment(at)).unwrap();
        }
        let sent: Vec<u64> = window.in_flight().map(|(_, sent, _)| sent.0).collect();
        assert_eq!(sent, [5, 5, 6], "time does not run backwards");
        assert_eq!(window.drain().collect::<Vec<_>>(), [(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!((window.deadline(), window.room()), (None, 3));
        assert_eq!(window.open("d", Moment(7)), Ok(4));
    }

    #[test]
    fn sizes_out_of_bounds_are_taken_to_the_nearest() {
        assert_eq!((window(0).room(), window(u16::MAX).room()), (1, 16_384));
    }
}
