//! What the load client does.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::pattern::Pattern;
use crate::link::tls::ClientIdentity;
use crate::sim::password::Password;

/// One run of the load client.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Host and port.
    pub connect: String,
    /// system_id to bind with.
    pub system_id: String,
    /// Its password.
    pub password: Password,
    /// system_type of the binds.
    pub system_type: String,
    /// interface_version of the binds.
    pub interface_version: u8,
    /// Kind of the binds.
    pub bind_type: BindType,
    /// Connections, or pairs of them.
    pub connections: usize,
    /// Unanswered submissions a connection.
    pub window: usize,
    /// When to stop.
    pub amount: Amount,
    /// Submissions a second over all connections; `None` = as fast as the window allows.
    pub rate: Option<u32>,
    /// Asks for receipts and waits for them.
    pub receipts: bool,
    /// Asks for receipts that come to other binds: none is waited for.
    pub receipts_elsewhere: bool,
    /// How long to wait for the last receipts with none coming in.
    pub receipt_patience: Duration,
    /// How long to wait for answers with none coming in.
    pub answer_patience: Duration,
    /// Source addresses.
    pub from: Pattern,
    /// Destination addresses.
    pub to: Pattern,
    /// What is sent.
    pub text: Text,
    /// TLS with this identity, and the name to ask for.
    pub tls: Option<(ClientIdentity, String)>,
    /// Stops at the first answer that is not ESME_ROK.
    pub stop_at_refusal: bool,
    /// A file that gets one line for every accepted message id.
    pub record: Option<PathBuf>,
}

/// When a run stops submitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// After so many whole messages, over all connections.
    Messages(u64),
    /// After this time.
    Time(Duration),
    /// After so many final receipts, or when none has come for `receipt_patience`; for receivers.
    Receipts(u64),
}

/// Kind of bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum BindType {
    /// Both ways on one connection.
    #[default]
    Transceiver,
    /// Submissions only; receipts would have nowhere to go.
    Transmitter,
    /// Receives only; submits nothing.
    Receiver,
    /// A transmitter and a receiver for each connection asked for.
    Pair,
}

/// What messages say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text; `None` makes one of `length` characters.
    pub text: Option<String>,
    /// Characters of a made text.
    pub length: usize,
    /// As UCS2, with characters outside of the default alphabet if the text is made.
    pub ucs2: bool,
    /// At least this many parts: a made text is lengthened until it takes them.
    pub parts: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { text: None, length: 40, ucs2: false, parts: 1 }
    }
}

impl Settings {
    /// A run against `connect` with every other knob at its default.
    #[must_use]
    pub fn against(connect: impl Into<String>, system_id: &str, password: &str) -> Self {
        let pattern = |text: &str| text.parse().unwrap_or_else(|_| Pattern::empty());
        Self {
            connect: connect.into(),
            system_id: system_id.to_owned(),
            password: password.into(),
            system_type: String::new(),
            interface_version: 0x34,
            bind_type: BindType::Transceiver,
            connections: 1,
            window: 100,
            amount: Amount::Messages(1000),
            rate: None,
            receipts: false,
            receipts_elsewhere: false,
            receipt_patience: Duration::from_secs(30),
            answer_patience: Duration::from_secs(30),
            from: pattern("TOLLGATE"),
            to: pattern("34600######"),
            text: Text::default(),
            tls: None,
            stop_at_refusal: false,
            record: None,
        }
    }

    /// What cannot be as it is set; empty when all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |bad: bool, text: &str| {
            if bad {
                problems.push(text.to_owned());
            }
        };
        check(self.connections == 0 || self.connections > CONNECTIONS_MAX, "connections: 1 to 10000");
        check(self.window == 0 || self.window > WINDOW_MAX, "window: 1 to 16384");
        check(self.rate == Some(0), "rate: at least 1 a second");
        check(self.text.parts == 0 || self.text.parts > 255, "parts: 1 to 255");
        check(
            self.receipts && self.bind_type == BindType::Transmitter,
            "receipts cannot come back to a transmitter: use --bind-type transceiver or pair",
        );
        check(
            self.bind_type == BindType::Receiver && matches!(self.amount, Amount::Messages(_)),
            "a receiver submits nothing: give it a --duration or a --receipt-count",
        );
        check(
            matches!(self.amount, Amount::Receipts(_)) && self.bind_type != BindType::Receiver,
            "receipts are counted by a receiver: use --bind-type receiver",
        );
        problems
    }
}

/// Most connections of one run.
const CONNECTIONS_MAX: usize = 10_000;
/// Largest window, in submissions.
const WINDOW_MAX: usize = 16_384;
