//! What two ends say to each other: requests with their responses and how long those took, and the figures at the end.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::net::SocketAddr;

use smpp_proto::field::InterfaceVersion;
use smpp_proto::{Body, CommandStatus, Header, Pdu};

/// One PDU on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'a> {
    pub(super) number: u64,
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    pub(super) time: Option<i64>,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) header: &'a Header,
}

/// The request that a PDU answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::decode) struct Answers {
    /// Number of the request in the capture.
    pub(in crate::cli::decode) number: u64,
    /// How long it took, in nanoseconds.
    pub(in crate::cli::decode) after: Option<i64>,
}

/// All that was said.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Requests without a response yet, by who asked, who was asked, and the sequence number.
    open: HashMap<(SocketAddr, SocketAddr, u32), Open>,
    /// The version of each pair, lower address first.
    versions: HashMap<(SocketAddr, SocketAddr), InterfaceVersion>,
    commands: BTreeMap<u32, Figures>,
    times: Option<(i64, i64)>,
}

#[derive(Debug)]
struct Open {
    number: u64,
    time: Option<i64>,
    command: u32,
}

#[derive(Debug, Default)]
struct Figures {
    name: &'static str,
    requests: u64,
    statuses: BTreeMap<u32, u64>,
    latencies: Vec<i64>,
}

impl Talk {
    /// Notes a PDU, and finds the request that it answers.
    pub(super) fn hear(&mut self, heard: Heard<'_>) -> Option<Answers> {
        let Heard { number, time, from, to, header } = heard;
        if let Some(time) = time {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        if !header.command.is_response() {
            let figures = self.commands.entry(header.command.0).or_default();
            figures.name = header.command.name().unwrap_or("unknown command");
            figures.requests += 1;
            if header.command.has_response() && self.open.len() < OPEN_MAX {
                let open = Open { number, time, command: header.command.0 };
                self.open.insert((from, to, header.sequence), open);
            }
            return None;
        }
        let open = self.open.remove(&(to, from, header.sequence))?;
        let after = time.zip(open.time).map(|(now, then)| now.saturating_sub(then));
        let figures = self.commands.entry(open.command).or_default();
        *figures.statuses.entry(header.status.0).or_default() += 1;
        if let Some(after) = after.filter(|_| figures.latencies.len() < LATENCIES_MAX) {
            figures.latencies.push(after);
        }
        Some(Answers { number: open.number, after })
    }

    /// The version that a bind names is that of what follows.
    pub(super) fn note_version(&mut self, from: SocketAddr, to: SocketAddr, pdu: &Pdu) {
        if let Body::BindReceiver(bind) | Body::BindTransmitter(bind) | Body::BindTransceiver(bind) =
            &pdu.body
        {
            self.versions.insert(pair(from, to), bind.interface_version);
        }
    }

    /// The version that these two speak, if their bind was seen.
    pub(super) fn version(&self, from: SocketAddr, to: SocketAddr) -> Option<InterfaceVersion> {
        self.versions.get(&pair(from, to)).copied()
    }

    /// A line for each command, and those without an answer.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for figures in self.commands.values() {
            write!(out, "  {:<24}{:>8}", figures.name, figures.requests)?;
            for (status, count) in &figures.statuses {
                let status = CommandStatus(*status);
                match status.name() {
                    Some(name) => write!(out, "  {name} {count}")?,
                    None => write!(out, "  {status} {count}")?,
                }
            }
            if let Some((median, most)) = median_and_most(&figures.latencies) {
                write!(out, "  answered after {} (median), {} (most)", span(median), span(most))?;
            }
            writeln!(out)?;
        }
        let mut unanswered: Vec<_> = self.open.values().map(|open| open.number).collect();
        if !unanswered.is_empty() {
            unanswered.sort_unstable();
            let shown: Vec<_> =
                unanswered.iter().take(NUMBERS_SHOWN).map(|number| format!("#{number}")).collect();
            let more = unanswered.len().saturating_sub(NUMBERS_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(out, "  without an answer: {}{more}", shown.join(" "))?;
        }
        Ok(())
    }

    /// From the first PDU to the last, in nanoseconds.
    pub(super) fn duration(&self) -> Option<i64> {
        self.times.map(|(first, last)| last.saturating_sub(first))
    }
}

fn pair(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    (one.min(other), one.max(other))
}

fn median_and_most(latencies: &[i64]) -> Option<(i64, i64)> {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
}

/// A span of time as people say it.
pub(in crate::cli::decode) fn span(nanoseconds: i64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    if seconds.abs() < 1.0 { format!("{:.3} ms", seconds * 1e3) } else { format!("{seconds:.3} s") }
}

/// Requests that are remembered until their response comes.
const OPEN_MAX: usize = 1_000_000;
/// Latencies of one command from which the median is taken.
const LATENCIES_MAX: usize = 1_000_000;
/// Requests without an answer that are named.
const NUMBERS_SHOWN: usize = 10;
