//! The two buffers of a link, which grow under load and cost nothing while it is idle.

use bytes::{Buf, BytesMut};

/// Octets read and not yet cut into PDUs.
///
/// The room for a read doubles whenever a read fills it and halves when reads stay far below it. While a link waits
/// with nothing buffered it holds no memory at all: thousands of idle binds are cheap.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) octets: BytesMut,
    room: usize,
}

impl Inbound {
    pub(super) fn new() -> Self {
        Self { octets: BytesMut::new(), room: READ_ROOM_MIN }
    }

    /// Makes room for the next read and hands out the buffer.
    pub(super) fn with_room(&mut self) -> &mut BytesMut {
        if self.octets.capacity() - self.octets.len() < READ_ROOM_MIN / 2 {
            self.octets.reserve(self.room);
        }
        &mut self.octets
    }

    /// A read brought `count` octets; `spare` was the room it had.
    pub(super) fn filled(&mut self, count: usize, spare: usize) {
        if count >= spare {
            self.room = (self.room * 2).min(READ_ROOM_MAX);
        } else if count < self.room / 8 {
            self.room = (self.room / 2).max(READ_ROOM_MIN);
        }
    }

    /// Nothing came: an empty buffer is given back until something does.
    pub(super) fn idle(&mut self) {
        if self.octets.is_empty() && self.octets.capacity() > 0 {
            self.octets = BytesMut::new();
        }
    }
}

/// Encoded PDUs that wait for the socket.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) octets: BytesMut,
    /// The largest amount that lately went out between two empty moments, fading by half.
    peak: usize,
    since_empty: usize,
    in_pieces: bool,
}

impl Outbound {
    pub(super) fn new() -> Self {
        Self { octets: BytesMut::new(), peak: 0, since_empty: 0, in_pieces: false }
    }

    /// `count` octets are on their way; an emptied buffer that is far larger than of late needed is given back.
    pub(super) fn written(&mut self, count: usize) {
        self.since_empty = self.since_empty.saturating_add(count);
        if count < self.octets.len() {
            self.octets.advance(count);
            self.in_pieces = true;
            return;
        }
        self.peak = self.since_empty.max(self.peak / 2);
        self.since_empty = 0;
        // After an advance the buffer no longer tells how large it is.
        if self.in_pieces || self.octets.capacity() > WRITE_KEEP_MIN.max(self.peak.saturating_mul(4)) {
            self.octets = BytesMut::new();
            self.in_pieces = false;
        } else {
            self.octets.clear();
        }
    }
}

/// The least room a read gets, in octets: about ten submits.
const READ_ROOM_MIN: usize = 2 * 1024;
/// The most room a read gets, in octets: hundreds of submits in one system call.
const READ_ROOM_MAX: usize = 64 * 1024;
/// An empty write buffer up to this size is kept, in octets.
const WRITE_KEEP_MIN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_room_follows_the_load_and_idle_costs_nothing() {
        let mut inbound = Inbound::new();
        for _ in 0..10 {
            inbound.with_room();
            inbound.filled(READ_ROOM_MAX, inbound.room);
        }
        assert_eq!(inbound.room, READ_ROOM_MAX);
        assert!(inbound.with_room().capacity() >= READ_ROOM_MIN);
        for _ in 0..10 {
            inbound.filled(16, READ_ROOM_MAX);
        }
        assert_eq!(inbound.room, READ_ROOM_MIN);
        inbound.idle();
        assert_eq!(inbound.octets.capacity(), 0);
    }

    #[test]
    fn a_buffer_with_octets_in_it_stays() {
        let mut inbound = Inbound::new();
        inbound.with_room().extend_from_slice(b"abc");
        inbound.idle();
        assert_eq!(&inbound.octets[..], b"abc");
    }

    #[test]
    fn a_write_buffer_shrinks_after_a_burst() {
        let mut outbound = Outbound::new();
        outbound.octets.extend_from_slice(&[0; 50_000]);
        outbound.written(50_000);
        assert!(outbound.octets.capacity() >= 50_000, "kept while the burst is recent");
        for _ in 0..20 {
            outbound.octets.extend_from_slice(&[0; 16]);
            outbound.written(16);
        }
        assert!(outbound.octets.capacity() <= WRITE_KEEP_MIN);
    }
}
