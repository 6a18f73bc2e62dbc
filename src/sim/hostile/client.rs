//! The rogue: a client that does one thing wrong on purpose, and tells what the server did about it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use bytes::BytesMut;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use smpp_proto::field::{Address, COctets, InterfaceVersion, RegisteredDelivery};
use smpp_proto::pdu::{Bind, BindKind, Header, Password as Word, SubmitSm, encode_empty};
use smpp_proto::{CommandId, CommandStatus};
use tokio::time::{Instant, sleep, timeout};

use super::modes;
use super::wire::{Answers, Wire};
use crate::sim::password::Password;

modes! {
    /// The kinds of misbehaviour of a client.
    Rogue:
    Silent "silent" "connects and says nothing",
    SlowSender "slow-sender" "binds, then sends a submission at one octet a second",
    ConnectFlood "connect-flood" "opens connections and binds on none",
    BindFlood "bind-flood" "binds with wrong passwords, each on a connection of its own",
    BindAgain "bind-again" "binds again and again on a bound session",
    Garbage "garbage" "sends octets that are no PDU",
    Http "http" "sends an HTTP request",
    Tls "tls" "sends a TLS ClientHello to the plain port",
    Oversize "oversize" "announces a PDU of 16 MiB",
    Undersize "undersize" "announces a PDU of 5 octets",
    HalfPdu "half-pdu" "sends half a submission and closes",
    BadBodies "bad-bodies" "submits bodies that break off anywhere",
    NulQuirks "nul-quirks" "leaves the NUL of strings out, and puts one behind texts",
    UnknownCommands "unknown-commands" "sends requests and responses with command ids that nobody knows",
    IgnoreWindow "ignore-window" "submits without waiting for answers",
    NeverRead "never-read" "submits and never reads",
    NeverAnswer "never-answer" "answers no deliver_sm and no enquire_link",
    OddAnswers "odd-answers" "answers deliver_sm with ids, twice, with odd statuses and under other numbers",
    SameSequence "same-sequence" "gives every request the same sequence number",
    OddSequence "odd-sequence" "numbers its requests 0, 0x80000000 and 0xFFFFFFFF",
    EnquireFlood "enquire-flood" "sends enquire_links as fast as it can",
    AfterUnbind "after-unbind" "says unbind and goes on submitting",
    Reset "reset" "resets the connection in the middle of its submissions",
}

impl FromStr for Rogue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|mode| mode.word() == text);
        found.copied().ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|mode| mode.word()).collect();
            format!("{text:?} is none of {}", words.join(", "))
        })
    }
}

/// Whom the rogue meets, and how much of it there is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Host and port.
    pub connect: String,
    /// system_id to bind with.
    pub system_id: String,
    /// Its password.
    pub password: Password,
    /// Where submissions go.
    pub to: String,
    /// Submissions, connections or PDUs, whichever the mode makes many of.
    pub count: u32,
    /// Between two octets of a slow sender.
    pub pause: Duration,
    /// How long the rogue waits for the server to end it.
    pub patience: Duration,
    /// Repeats what is left to chance.
    pub seed: u64,
}

/// What the server did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Connections that were made.
    pub connections: u64,
    /// Octets that the server took.
    pub octets: u64,
    /// Submissions that were accepted.
    pub accepted: u64,
    /// What came, by command and status.
    pub came: BTreeMap<String, u64>,
    /// Whether the server ended the (last) connection.
    pub closed: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.closed { "the server closed" } else { "still open, or left by the rogue" };
        writeln!(f, "connections  {}", self.connections)?;
        writeln!(f, "octets       {}", self.octets)?;
        writeln!(f, "accepted     {}", self.accepted)?;
        for (what, count) in &self.came {
            writeln!(f, "came         {count} x {what}")?;
        }
        writeln!(f, "end          {ended} after {:.1} s", self.seconds)
    }
}

/// Plays one mode to its end.
///
/// # Errors
/// When there is no connection to begin with.
pub async fn play(settings: &Settings, mode: Rogue) -> io::Result<Report> {
    let begun = Instant::now();
    let mut play =
        Play { settings, random: SmallRng::seed_from_u64(settings.seed), report: Report::default() };
    play.run(mode).await?;
    play.report.seconds = begun.elapsed().as_secs_f64();
    Ok(play.report)
}

struct Play<'a> {
    settings: &'a Settings,
    random: SmallRng,
    report: Report,
}

impl Play<'_> {
    async fn run(&mut self, mode: Rogue) -> io::Result<()> {
        match mode {
            Rogue::ConnectFlood => return self.flood(None).await,
            Rogue::BindFlood => return self.flood(Some("wr0ng")).await,
            _ => {}
        }
        let mut wire = Wire::connect(&self.settings.connect).await?;
        self.report.connections += 1;
        let before_bind =
            matches!(mode, Rogue::Silent | Rogue::Garbage | Rogue::Http | Rogue::Tls | Rogue::Oversize);
        if !before_bind {
            wire.send(&self.bind(self.settings.password.octets(), 1)).await;
            wire.listen(1, self.settings.patience).await;
        }
        self.misbehave(mode, &mut wire).await;
        self.report.closed = wire.is_closed();
        self.gather(&wire);
        if mode == Rogue::Reset {
            wire.reset();
        }
        Ok(())
    }

    async fn misbehave(&mut self, mode: Rogue, wire: &mut Wire) {
        let (count, patience) = (self.settings.count, self.settings.patience);
        let octets: Vec<u8> = match mode {
            Rogue::Garbage => (0..count).map(|_| self.random.random()).collect(),
            Rogue::Http => {
                b"POST /v1/messages HTTP/1.1\r\nHost: gate\r\nContent-Length: 2\r\n\r\n{}".to_vec()
            }
            Rogue::Tls => {
                b"\x16\x03\x01\x00\xC4\x01\x00\x00\xC0\x03\x03rogue rogue rogue rogue rogue!!".to_vec()
            }
            Rogue::Oversize => header(16 << 20, CommandId::BIND_TRANSCEIVER, 1).to_vec(),
            Rogue::Undersize => header(5, CommandId::SUBMIT_SM, 2).to_vec(),
            Rogue::BindAgain => (0..count).flat_map(|n| self.bind(b"again", n + 2)).collect(),
            Rogue::UnknownCommands => self.unknown_commands(),
            Rogue::BadBodies => self.bad_bodies(),
            Rogue::NulQuirks => self.nul_quirks(),
            Rogue::EnquireFlood => {
                (0..count).flat_map(|n| header(16, CommandId::ENQUIRE_LINK, n + 2)).collect()
            }
            Rogue::SameSequence => (0..count).flat_map(|_| self.submit(7)).collect(),
            Rogue::OddSequence => {
                let numbers = [0, 0x8000_0000, u32::MAX, 0x7FFF_FFFF];
                (0..count as usize).flat_map(|n| self.submit(numbers[n % 4])).collect()
            }
            Rogue::Silent => Vec::new(),
            Rogue::HalfPdu | Rogue::SlowSender => self.submit(2).to_vec(),
            Rogue::NeverRead
            | Rogue::IgnoreWindow
            | Rogue::NeverAnswer
            | Rogue::OddAnswers
            | Rogue::AfterUnbind
            | Rogue::Reset
            | Rogue::ConnectFlood
            | Rogue::BindFlood => (0..count).flat_map(|n| self.submit(n + 2)).collect(),
        };
        match mode {
            Rogue::HalfPdu => {
                wire.send(&octets[..octets.len() / 2]).await;
            }
            Rogue::SlowSender => {
                // An answer in between would end up inside what is begun.
                wire.answers = Answers::Never;
                self.drip(wire, &octets).await;
            }
            Rogue::NeverRead => {
                let deaf = wire.write_until_closed(&octets);
                // A server that never ends it is not waited for.
                let _ = timeout(patience, deaf).await;
            }
            Rogue::Reset => {
                wire.send(&octets[..octets.len() * 2 / 3]).await;
            }
            Rogue::NeverAnswer | Rogue::OddAnswers => {
                wire.answers = if mode == Rogue::OddAnswers { Answers::Odd } else { Answers::Never };
                wire.send(&octets).await;
                wire.listen(usize::MAX, patience).await;
            }
            Rogue::AfterUnbind => {
                wire.send(&header(16, CommandId::UNBIND, 1_000_000)).await;
                wire.send(&octets).await;
                wire.listen(usize::MAX, patience).await;
            }
            Rogue::BindAgain
            | Rogue::BadBodies
            | Rogue::NulQuirks
            | Rogue::UnknownCommands
            | Rogue::IgnoreWindow
            | Rogue::SameSequence
            | Rogue::OddSequence => {
                wire.send(&octets).await;
                // A bound session stays, so it is the rogue who goes in the end.
                wire.send(&header(16, CommandId::UNBIND, 1_000_000)).await;
                wire.listen(usize::MAX, patience).await;
            }
            _ => {
                wire.send(&octets).await;
                wire.listen(usize::MAX, patience).await;
            }
        }
    }

    /// Sends all but the last octet, slowly.
    async fn drip(&self, wire: &mut Wire, octets: &[u8]) {
        let until = Instant::now() + self.settings.patience;
        for octet in octets.iter().take(octets.len().saturating_sub(1)) {
            if !wire.send(&[*octet]).await || Instant::now() >= until {
                return;
            }
            sleep(self.settings.pause).await;
        }
        wire.listen(usize::MAX, until.saturating_duration_since(Instant::now())).await;
    }

    /// Many connections at once, with a bind on each or none.
    async fn flood(&mut self, password: Option<&str>) -> io::Result<()> {
        let mut wires = Vec::new();
        for number in 0..self.settings.count {
            let mut wire = match Wire::connect(&self.settings.connect).await {
                Ok(wire) => wire,
                Err(error) if number == 0 => return Err(error),
                Err(_) => break,
            };
            self.report.connections += 1;
            if let Some(password) = password {
                wire.send(&self.bind(password.as_bytes(), 1)).await;
            }
            wires.push(wire);
        }
        let until = Instant::now() + self.settings.patience;
        for mut wire in wires {
            let most = if password.is_some() { 1 } else { usize::MAX };
            wire.listen(most, until.saturating_duration_since(Instant::now())).await;
            self.report.closed = wire.is_closed();
            self.gather(&wire);
        }
        Ok(())
    }

    fn gather(&mut self, wire: &Wire) {
        self.report.octets += wire.written;
        for (header, count) in &wire.came {
            let (command, status) = *header;
            *self.report.came.entry(format!("{command} {status}")).or_default() += count;
            if command == CommandId::SUBMIT_SM_RESP && status.is_ok() {
                self.report.accepted += count;
            }
        }
    }

    fn bind(&self, password: &[u8], sequence: u32) -> BytesMut {
        let bind = Bind {
            system_id: COctets::from(self.settings.system_id.as_str()),
            password: Word::new(password),
            interface_version: InterfaceVersion::V3_4,
            ..Bind::default()
        };
        let mut out = BytesMut::new();
        if bind.encode(&mut out, BindKind::Transceiver, sequence).is_err() {
            encode_empty(&mut out, CommandId::BIND_TRANSCEIVER, CommandStatus::ROK, sequence);
        }
        out
    }

    fn submit(&self, sequence: u32) -> BytesMut {
        let submit = SubmitSm {
            source: Address::alphanumeric("ROGUE"),
            destination: Address::international(self.settings.to.as_str()),
            registered_delivery: RegisteredDelivery::RECEIPT,
            short_message: bytes::Bytes::from_static(b"from a rogue"),
            ..SubmitSm::default()
        };
        let mut out = BytesMut::new();
        if submit.encode(&mut out, sequence).is_err() {
            encode_empty(&mut out, CommandId::SUBMIT_SM, CommandStatus::ROK, sequence);
        }
        out
    }

    fn unknown_commands(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in 0..self.settings.count {
            let command = CommandId(self.random.random::<u32>() | 0x0000_8000);
            out.extend_from_slice(&header(20, command, number + 2));
            out.extend_from_slice(b"what");
        }
        out
    }

    /// Submissions that end anywhere; the length says so, so that only the body is broken.
    fn bad_bodies(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in 0..self.settings.count {
            let mut submit = self.submit(number + 2);
            submit.truncate(self.random.random_range(Header::LENGTH..submit.len()));
            set_length(&mut submit);
            out.extend_from_slice(&submit);
        }
        out
    }

    /// A NUL behind the text; a source address without its NUL; a text one octet longer than it says.
    fn nul_quirks(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in 0..self.settings.count {
            let mut submit = self.submit(number + 2);
            match number % 3 {
                0 => submit.extend_from_slice(&[0]),
                1 => submit.truncate(Header::LENGTH + 1 + 2 + "ROGUE".len()),
                _ => submit.extend_from_slice(b"x"),
            }
            set_length(&mut submit);
            out.extend_from_slice(&submit);
        }
        out
    }
}

fn header(length: u32, command: CommandId, sequence: u32) -> [u8; 16] {
    let mut octets = [0; 16];
    for (place, word) in octets.chunks_exact_mut(4).zip([length, command.0, 0, sequence]) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    octets
}

fn set_length(pdu: &mut BytesMut) {
    let length = u32::try_from(pdu.len()).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = pdu.get_mut(..4) {
        place.copy_from_slice(&length);
    }
}
