//! Captures: from packets to the PDUs of every connection, each with its time, ends and place.
//!
//! Files are read as a stream, so a capture may be larger than the memory.

mod flow;
mod link;
mod packets;
mod talk;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use smpp_proto::field::InterfaceVersion;

use super::json::Json;
use super::meaning::{Meaning, read_one};
use super::table::counted;
use flow::{Flow, Piece};
use link::{Content, Segment};
use talk::{Heard, Talk};

pub(super) use packets::{CaptureError, is_capture};
pub(super) use talk::{Answers, span};

/// One PDU of a capture.
#[derive(Debug)]
pub(super) struct Sighting {
    /// Counted from 1, in the order in which they were complete.
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) answers: Option<Answers>,
    pub(super) meaning: Meaning,
}

/// Where and when something was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Nanoseconds since 1970-01-01 00:00 UTC, of the packet that completed it.
    pub(super) time: Option<i64>,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    /// Octets from the first of this direction that was seen.
    pub(super) offset: u64,
}

/// What a capture gives, in order.
#[derive(Debug)]
pub(super) enum Event {
    Pdu(Box<Sighting>),
    /// Octets that were not captured.
    Gap(Place, u64),
    /// Octets passed over until a header made sense.
    Skipped(Place, u64),
}

/// A capture as it is read.
#[derive(Debug)]
pub(super) struct Capture<'a> {
    /// Ports on which SMPP is spoken; none: 2775, and wherever it looks like it.
    ports: &'a [u16],
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
    talk: Talk,
    packets: u64,
    pdus: u64,
    malformed: u64,
    segments: u64,
    unknown_links: u64,
    gaps: u64,
    missing: u64,
    left_out: u64,
}

impl<'a> Capture<'a> {
    pub(super) fn new(ports: &'a [u16]) -> Self {
        Self {
            ports,
            flows: HashMap::new(),
            talk: Talk::default(),
            packets: 0,
            pdus: 0,
            malformed: 0,
            segments: 0,
            unknown_links: 0,
            gaps: 0,
            missing: 0,
            left_out: 0,
        }
    }

    /// Reads a file and gives all that is in it to `each`. The inner result tells how the file ended; what came before
    /// that is good.
    ///
    /// # Errors
    /// Those of `each`.
    pub(super) fn read(
        &mut self,
        file: impl Read + Send,
        each: &mut dyn FnMut(Event) -> io::Result<()>,
    ) -> io::Result<Result<(), CaptureError>> {
        let mut pieces = Vec::new();
        let mut last = None;
        let end = packets::read(file, |packet| {
            self.packets += 1;
            last = packet.time.or(last);
            match link::content(packet.link, packet.octets) {
                Content::Tcp(segment) => self.take(&segment, packet.time, &mut pieces, each),
                Content::Other => Ok(()),
                Content::UnknownLink => {
                    self.unknown_links += 1;
                    Ok(())
                }
            }
        })?;
        self.finish(last, each)?;
        Ok(end)
    }

    fn take(
        &mut self,
        segment: &Segment<'_>,
        time: Option<i64>,
        pieces: &mut Vec<Piece>,
        each: &mut dyn FnMut(Event) -> io::Result<()>,
    ) -> io::Result<()> {
        self.segments += 1;
        let ends = (segment.from, segment.to);
        if !self.flows.contains_key(&ends) {
            let named =
                |ports: &[u16]| [ends.0.port(), ends.1.port()].iter().any(|port| ports.contains(port));
            if !self.ports.is_empty() && !named(self.ports) {
                return Ok(());
            }
            if self.flows.len() >= FLOWS_MAX {
                self.left_out += 1;
                return Ok(());
            }
            let is_smpp = if self.ports.is_empty() { named(&[SMPP_PORT]) } else { true };
            self.flows.insert(ends, Flow::new(is_smpp));
        }
        if let Some(flow) = self.flows.get_mut(&ends) {
            if segment.syn {
                flow.begin(segment.sequence, pieces);
            } else {
                flow.take(segment.sequence, segment.payload, pieces);
            }
        }
        self.give(pieces, ends, time, each)
    }

    fn finish(&mut self, time: Option<i64>, each: &mut dyn FnMut(Event) -> io::Result<()>) -> io::Result<()> {
        let mut all: Vec<_> = self.flows.keys().copied().collect();
        all.sort_unstable();
        for ends in all {
            let mut pieces = Vec::new();
            if let Some(flow) = self.flows.get_mut(&ends) {
                flow.finish(&mut pieces);
            }
            self.give(&mut pieces, ends, time, each)?;
        }
        Ok(())
    }

    fn give(
        &mut self,
        pieces: &mut Vec<Piece>,
        (from, to): (SocketAddr, SocketAddr),
        time: Option<i64>,
        each: &mut dyn FnMut(Event) -> io::Result<()>,
    ) -> io::Result<()> {
        for piece in pieces.drain(..) {
            let place = |offset| Place { time, from, to, offset };
            match piece {
                Piece::Octets { offset, octets } => {
                    let version = self.talk.version(from, to).unwrap_or(InterfaceVersion::V5_0);
                    let meaning = read_one(&octets, version);
                    self.pdus += 1;
                    self.malformed += u64::from(meaning.problem.is_some());
                    let number = self.pdus;
                    let is_whole =
                        meaning.problem.as_ref().is_none_or(|fault| fault.class != "PDU_INCOMPLETE");
                    let answers = meaning
                        .header
                        .as_ref()
                        .filter(|_| is_whole)
                        .and_then(|header| self.talk.hear(Heard { number, time, from, to, header }));
                    if let Some(pdu) = &meaning.pdu {
                        self.talk.note_version(from, to, pdu);
                    }
                    let place = place(offset);
                    each(Event::Pdu(Box::new(Sighting { number, place, answers, meaning })))?;
                }
                Piece::Gap { offset, octets } => {
                    self.gaps += 1;
                    self.missing += octets;
                    each(Event::Gap(place(offset), octets))?;
                }
                Piece::Skipped { offset, octets } => each(Event::Skipped(place(offset), octets))?,
            }
        }
        Ok(())
    }

    /// True if every PDU is whole and well formed.
    pub(super) fn is_good(&self) -> bool {
        self.malformed == 0
    }

    /// Why there is no PDU in it, if there is none.
    pub(super) fn emptiness(&self) -> Option<String> {
        if self.pdus > 0 {
            return None;
        }
        let packets = self.packets;
        Some(if packets == 0 {
            "the capture has no packets".to_owned()
        } else if self.unknown_links == packets {
            format!("the link layer of the {packets} packets is not known here")
        } else if self.segments == 0 {
            format!("no TCP in {packets} packets")
        } else if self.ports.is_empty() {
            format!("no SMPP in {} TCP segments; name its port with --port", self.segments)
        } else {
            format!("no SMPP in {} TCP segments on the named ports", self.segments)
        })
    }

    /// The figures at the end.
    pub(super) fn write_summary(&self, out: &mut impl Write) -> io::Result<()> {
        let smpp = self.flows.values().filter(|flow| flow.is_smpp()).count();
        let again: u64 = self.flows.values().map(|flow| flow.retransmissions).sum();
        write!(out, "{} PDUs in {} packets, {smpp} directions of TCP", self.pdus, self.packets)?;
        match self.talk.duration() {
            Some(duration) => writeln!(out, ", within {}", span(duration))?,
            None => writeln!(out)?,
        }
        self.talk.write(out)?;
        let count = |count: u64, noun: &str| counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
        for (number, words) in [
            (self.malformed, format!("{} malformed", count(self.malformed, "PDU"))),
            (
                self.gaps,
                format!("{}, {} not captured", count(self.gaps, "gap"), count(self.missing, "octet")),
            ),
            (again, format!("{} sent again, dropped", count(again, "segment"))),
            (self.unknown_links, format!("{} of an unknown link layer", count(self.unknown_links, "packet"))),
            (self.left_out, format!("{} of connections beyond the limit", count(self.left_out, "segment"))),
        ] {
            if number > 0 {
                writeln!(out, "  {words}")?;
            }
        }
        Ok(())
    }
}

impl Place {
    /// The entries that a capture adds to the object of a PDU.
    pub(super) fn entries(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("time", self.time_text().into()),
            ("source", self.from.to_string().into()),
            ("destination", self.to.to_string().into()),
            ("offset", self.offset.into()),
        ]
    }

    /// When it was, in UTC.
    pub(super) fn time_text(&self) -> Option<String> {
        let at = jiff::Timestamp::from_nanosecond(i128::from(self.time?)).ok()?;
        Some(format!("{at:.6}"))
    }
}

/// The registered port.
const SMPP_PORT: u16 = 2775;
/// Directions of connections that are followed at once.
const FLOWS_MAX: usize = 65_536;

#[cfg(test)]
mod tests;
