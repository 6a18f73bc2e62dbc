//! One direction of a TCP connection: segments into an unbroken row of octets, and those into PDUs.
//!
//! Retransmissions are dropped, segments out of order wait for what lies before them, and what never comes is a gap with
//! a length. Behind a gap, or where a capture begins in the midst of a connection, the next header that makes sense is
//! looked for.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use smpp_proto::Header;

use super::super::meaning::LENGTH_MAX;

/// What comes out of a direction, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A PDU, or what is left of one: at this offset of the stream.
    Octets { offset: u64, octets: Bytes },
    /// So many octets were not captured.
    Gap { offset: u64, octets: u64 },
    /// So many octets were passed over until a header made sense.
    Skipped { offset: u64, octets: u64 },
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Sequence number of the next octet; `None` before the first segment.
    next: Option<u32>,
    /// Segments beyond it, by their distance from the beginning of the stream.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_octets: usize,
    buffer: BytesMut,
    /// Where the buffer begins, in octets from the first that was seen.
    offset: u64,
    /// Octets passed over since the last header that made sense.
    skipped: u64,
    is_lost: bool,
    speech: Speech,
    /// Segments that had come before.
    pub(super) retransmissions: u64,
}

/// Whether it is SMPP that is spoken.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Speech {
    #[default]
    Unknown,
    Smpp,
    Other,
}

impl Flow {
    /// `is_smpp`: the port says so. Otherwise the first header has to.
    pub(super) fn new(is_smpp: bool) -> Self {
        let speech = if is_smpp { Speech::Smpp } else { Speech::Unknown };
        Self { speech, ..Self::default() }
    }

    pub(super) fn is_smpp(&self) -> bool {
        self.speech == Speech::Smpp
    }

    /// A connection begins: the octet behind `sequence` is its first.
    pub(super) fn begin(&mut self, sequence: u32, out: &mut Vec<Piece>) {
        let first = sequence.wrapping_add(1);
        if self.next.is_some_and(|next| next != first) {
            let is_smpp = self.is_smpp();
            self.finish(out);
            *self = Self { retransmissions: self.retransmissions, ..Self::new(is_smpp) };
        }
        self.next = Some(first);
    }

    /// Takes a segment.
    pub(super) fn take(&mut self, sequence: u32, payload: &[u8], out: &mut Vec<Piece>) {
        if payload.is_empty() || self.speech == Speech::Other {
            return;
        }
        let next = *self.next.get_or_insert_with(|| {
            // In the midst of a connection, which need not be the beginning of a PDU.
            self.is_lost = true;
            sequence
        });
        let ahead = sequence.wrapping_sub(next).cast_signed();
        if ahead > 0 {
            let place = self.end() + u64::from(ahead.unsigned_abs());
            self.waiting_octets += payload.len();
            if let Some(before) = self.waiting.insert(place, payload.to_vec()) {
                self.waiting_octets -= before.len();
            }
            if self.waiting_octets > WAITING_OCTETS_MAX {
                self.jump(out);
            }
            return;
        }
        let known = usize::try_from(ahead.unsigned_abs()).unwrap_or(usize::MAX);
        match payload.get(known..) {
            Some(fresh) if !fresh.is_empty() => self.append(fresh, out),
            _ => self.retransmissions += 1,
        }
    }

    /// No more will come.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        while !self.waiting.is_empty() {
            self.jump(out);
        }
        if self.is_smpp() && !self.buffer.is_empty() {
            self.leave_buffer(out);
        }
        self.report_skipped(out);
    }

    /// Gives what is left of a PDU, or passes it over where its beginning is not known.
    fn leave_buffer(&mut self, out: &mut Vec<Piece>) {
        let octets = self.buffer.split().freeze();
        let length = octets.len() as u64;
        if self.is_lost {
            self.skipped += length;
        } else {
            self.report_skipped(out);
            out.push(Piece::Octets { offset: self.offset, octets });
        }
        self.offset += length;
        self.report_skipped(out);
    }

    /// Where the buffer ends.
    fn end(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    fn append(&mut self, fresh: &[u8], out: &mut Vec<Piece>) {
        self.buffer.extend_from_slice(fresh);
        self.advance(fresh.len());
        while let Some((place, _)) = self.waiting.first_key_value() {
            let Some(known) = self.end_if_reached(*place) else { break };
            let Some((_, payload)) = self.waiting.pop_first() else { break };
            self.waiting_octets -= payload.len();
            match payload.get(known..) {
                Some(fresh) if !fresh.is_empty() => {
                    self.buffer.extend_from_slice(fresh);
                    self.advance(fresh.len());
                }
                _ => self.retransmissions += 1,
            }
        }
        self.cut(out);
    }

    /// How many octets of a segment at `place` are there already; `None` if some are missing before it.
    fn end_if_reached(&self, place: u64) -> Option<usize> {
        self.end().checked_sub(place).map(|known| usize::try_from(known).unwrap_or(usize::MAX))
    }

    fn advance(&mut self, octets: usize) {
        // A segment has at most 65 535 octets.
        self.next = self.next.map(|next| next.wrapping_add(u32::try_from(octets).unwrap_or(0)));
    }

    /// Gives up what lies before the first segment that waits.
    fn jump(&mut self, out: &mut Vec<Piece>) {
        let Some((place, payload)) = self.waiting.pop_first() else { return };
        self.waiting_octets -= payload.len();
        let gap = place.saturating_sub(self.end());
        if gap > 0 {
            if self.is_smpp() {
                if !self.buffer.is_empty() {
                    self.leave_buffer(out);
                }
                out.push(Piece::Gap { offset: self.end(), octets: gap });
            }
            self.offset = place;
            self.buffer.clear();
            self.advance(usize::try_from(gap).unwrap_or(0));
            self.is_lost = true;
        }
        let known = self.end_if_reached(place).unwrap_or(0);
        if let Some(fresh) = payload.get(known..) {
            self.append(fresh, out);
        }
    }

    fn cut(&mut self, out: &mut Vec<Piece>) {
        if self.speech == Speech::Unknown {
            match plausible(&self.buffer) {
                None => return,
                Some(true) => self.speech = Speech::Smpp,
                Some(false) => {
                    *self = Self { speech: Speech::Other, ..Self::default() };
                    return;
                }
            }
        }
        loop {
            if self.is_lost && !self.find_header(out) {
                return;
            }
            let Some(length) = self.buffer.first_chunk().map(|octets| u32::from_be_bytes(*octets)) else {
                return;
            };
            if (16..=LENGTH_MAX).contains(&length) {
                let length = length as usize;
                if self.buffer.len() < length {
                    return;
                }
                let octets = self.buffer.split_to(length).freeze();
                out.push(Piece::Octets { offset: self.offset, octets });
                self.offset += length as u64;
            } else {
                // Told once, with its header, and then passed over.
                if self.buffer.len() < Header::LENGTH {
                    return;
                }
                let octets = self.buffer.split_to(Header::LENGTH).freeze();
                out.push(Piece::Octets { offset: self.offset, octets });
                self.offset += Header::LENGTH as u64;
                self.is_lost = true;
            }
        }
    }

    /// Passes over octets up to a header that makes sense. The last 15 stay, because one may begin in them.
    fn find_header(&mut self, out: &mut Vec<Piece>) -> bool {
        let places = (self.buffer.len() + 1).saturating_sub(Header::LENGTH);
        let found = (0..places).find(|at| self.buffer.get(*at..).and_then(plausible) == Some(true));
        let passed = self.buffer.split_to(found.unwrap_or(places)).len() as u64;
        self.offset += passed;
        self.skipped += passed;
        self.is_lost = found.is_none();
        if found.is_some() {
            self.report_skipped(out);
        }
        found.is_some()
    }

    fn report_skipped(&mut self, out: &mut Vec<Piece>) {
        if self.skipped > 0 && self.is_smpp() {
            out.push(Piece::Skipped {
                offset: self.offset - self.skipped.min(self.offset),
                octets: self.skipped,
            });
        }
        self.skipped = 0;
    }
}

/// Whether octets begin like a PDU: a sensible length, a known command, a status that exists. `None` if too few came.
fn plausible(octets: &[u8]) -> Option<bool> {
    let header = Header::read(octets)?;
    Some(
        (16..=PLAUSIBLE_MAX).contains(&header.length)
            && header.command.name().is_some()
            && header.status.0 < 0x500,
    )
}

/// Octets of one direction that wait for what lies before them; beyond it what is missing counts as lost.
const WAITING_OCTETS_MAX: usize = 1024 * 1024;
/// command_length of a header that is looked for, in octets.
const PLAUSIBLE_MAX: u32 = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const ENQUIRE: &[u8] = b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x07";

    fn whole(offset: u64) -> Piece {
        Piece::Octets { offset, octets: Bytes::from_static(ENQUIRE) }
    }

    fn flow(begin: u32) -> Flow {
        let mut flow = Flow::new(true);
        flow.begin(begin, &mut Vec::new());
        flow
    }

    #[test]
    fn segments_are_put_in_order_also_over_the_end_of_the_numbers() {
        let mut out = Vec::new();
        let mut flow = flow(u32::MAX - 4);
        flow.take(4, &ENQUIRE[8..], &mut out);
        assert!(out.is_empty());
        flow.take(u32::MAX - 3, &ENQUIRE[..8], &mut out);
        flow.take(u32::MAX - 3, &ENQUIRE[..8], &mut out);
        assert_eq!((out, flow.retransmissions), (vec![whole(0)], 1));
    }

    #[test]
    fn what_overlaps_counts_once() {
        let mut out = Vec::new();
        let mut flow = flow(0);
        flow.take(1, &ENQUIRE[..10], &mut out);
        flow.take(6, &ENQUIRE[5..], &mut out);
        flow.take(17, ENQUIRE, &mut out);
        assert_eq!(out, [whole(0), whole(16)]);
    }

    #[test]
    fn a_gap_has_its_length_and_what_follows_is_found_again() {
        let mut out = Vec::new();
        let mut flow = flow(0);
        flow.take(1, &ENQUIRE[..4], &mut out);
        flow.take(25, &[b"\x15\0\0", ENQUIRE].concat(), &mut out);
        flow.finish(&mut out);
        assert_eq!(
            out,
            [
                Piece::Octets { offset: 0, octets: Bytes::from_static(b"\0\0\0\x10") },
                Piece::Gap { offset: 4, octets: 20 },
                Piece::Skipped { offset: 24, octets: 3 },
                whole(27),
            ]
        );
    }

    #[test]
    fn a_capture_may_begin_in_the_midst() {
        let mut out = Vec::new();
        let mut flow = Flow::new(true);
        flow.take(1000, &[&ENQUIRE[9..], ENQUIRE].concat(), &mut out);
        assert_eq!(out, [Piece::Skipped { offset: 0, octets: 7 }, whole(7)]);
    }

    #[test]
    fn a_bad_length_is_told_once_and_passed_over() {
        let mut out = Vec::new();
        let mut flow = flow(0);
        flow.take(1, b"GET / HTTP/1.1\r\n\r\n", &mut out);
        flow.take(19, ENQUIRE, &mut out);
        assert_eq!(out.len(), 3);
        assert_eq!(out.last(), Some(&whole(18)));
    }

    #[test]
    fn another_protocol_is_left_alone() {
        let mut out = Vec::new();
        let mut flow = Flow::new(false);
        flow.take(1, b"GET / HTTP/1.1\r\n\r\n", &mut out);
        flow.take(19, ENQUIRE, &mut out);
        flow.finish(&mut out);
        assert!(out.is_empty() && !flow.is_smpp());
    }
}
