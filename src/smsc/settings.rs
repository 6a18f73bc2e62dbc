//! What must be known of an operator to bind to it: every key with its unit, bounds, default and reason.

use std::time::Duration;

use serde::Deserialize;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::text::Charset;
use smpp_proto::text::gsm7::Languages;

use crate::account::{Manners, Secret, Throughput};
use crate::link::tls::ClientIdentity;
use crate::message::IdForm;
use crate::message::retry::RetrySettings;
use crate::store::UpstreamTraits;

/// All operators, and what holds for all of them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The operators; each name must have been applied to the store before.
    pub upstreams: Vec<Upstream>,
    /// How long an operator may be without a bind that submits before its lane is emptied into those of other
    /// operators on the same routes; 0 to 1 h. Default 10 s: a bind that is dialled again is back sooner.
    pub failover_after: Duration,
    /// How long a drain waits for answers to what is already written; 0 to 10 min. Default 10 s.
    pub drain_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            upstreams: Vec::new(),
            failover_after: Duration::from_secs(10),
            drain_within: Duration::from_secs(10),
        }
    }
}

/// One operator's SMSC.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Its name in routes, logs and metrics.
    pub name: String,
    /// `host:port`; the name is resolved anew at each dial.
    pub address: String,
    /// Who we are there; at most 15 octets (SMPP 3.4 §5.2.1).
    pub system_id: String,
    /// How we prove it; 8 octets on paper, sent whole up to 256 because operators give out longer ones.
    pub password: Secret,
    /// Whether the password is cut to its first 8 octets (SMPP 3.4 §5.2.2); off by default. Some operators give out
    /// longer ones and compare what fits the field.
    pub password_cut: bool,
    /// Whether ESME_RALYBND in the answer to a bind means that we are bound; off by default. Some operators say so to
    /// the second bind of a pair and mean yes; everywhere else traffic would go to a session that is none.
    pub already_bound_is_success: bool,
    /// At most 12 octets (SMPP 3.4 §5.2.3); empty by default.
    pub system_type: String,
    /// The version that we speak: 0x33, 0x34 or 0x50. Default 0x34, which every operator takes.
    pub interface_version: InterfaceVersion,
    /// TON of the addresses that we serve (SMPP 3.4 §5.2.5); 0 by default.
    pub addr_ton: u8,
    /// NPI of the addresses that we serve (SMPP 3.4 §5.2.6); 0 by default.
    pub addr_npi: u8,
    /// The addresses that we serve (SMPP 3.4 §5.2.7), at most 40 octets; empty by default.
    pub address_range: String,
    /// What each connection is bound as; transceiver by default.
    pub bind_type: BindMode,
    /// Connections, or pairs of them, at once; 1 to 100, default 1.
    pub connections: u16,
    /// Unanswered submits a bind; 1 to 10,000. Default 100: at a round trip of 100 ms the 10 that SMPP 3.4 §2.9
    /// suggests would allow 100 messages a second.
    pub window: u16,
    /// Segments a second over all binds of this operator; absent (the default) means no limit.
    pub throughput: Option<Throughput>,
    /// TLS; absent (the default) means plain TCP.
    pub tls: Option<Tls>,
    /// Whether the operator calls us, instead of us dialling it; absent by default.
    pub outbind: Option<Called>,
    /// How its receipts write the ids of its responses.
    pub id_form: IdForm,
    /// How long a receipt for an id that nobody knows yet is kept; 1 s to 1 h, default 10 min.
    pub park: Duration,
    /// What happens to a submit that may or may not have arrived.
    pub in_doubt: InDoubt,
    /// How long such a submit waits for a receipt or for an answer to its query; 1 s to 24 h, default 10 min.
    pub in_doubt_wait: Duration,
    /// Which receipts are asked for.
    pub receipts: ReceiptsAsked,
    /// How a message of several parts travels.
    pub long: LongForm,
    /// What becomes of parts that a client made.
    pub client_parts: ClientParts,
    /// What it means by data_coding 0; GSM 7-bit, one septet an octet, by default.
    pub alphabet: Charset,
    /// National languages whose tables it passes on to phones; none by default, because few say so and phones that do
    /// not know a table show other letters.
    pub national_languages: Languages,
    /// Whether the operator is told how long a message is valid.
    pub validity: ValidityForm,
    /// Whether submits bear a user_message_reference (SMPP 3.4 §5.3.2.17) that is the same at every attempt, so that an
    /// operator can tell one that comes twice; off by default, because some refuse TLVs that they do not expect. A
    /// client's own reference is kept.
    pub stamps_reference: bool,
    /// Whether a deliver_sm of esm_class 0 whose text begins with `id:` is a receipt; off by default, because phones
    /// can send such a text too (SMPP 3.3 centres need it).
    pub sniff_receipts: bool,
    /// Whether a receipt that says ACCEPTED ends the message; on by default (SMPP 3.4 §5.2.28 counts it as an end).
    /// Some operators send one and let the real end follow.
    pub accepted_ends: bool,
    /// How far the clock in its receipts is ahead of UTC, in minutes; −720 to 840, default 0.
    pub receipt_zone: i16,
    /// TON that replaces the one of the source address (SMPP 3.4 §5.2.5); absent keeps it.
    pub source_ton: Option<u8>,
    /// NPI that replaces the one of the source address (SMPP 3.4 §5.2.6); absent keeps it.
    pub source_npi: Option<u8>,
    /// service_type that replaces the one of the message (SMPP 3.4 §5.2.11), at most 5 octets; absent keeps it.
    pub service_type: Option<String>,
    /// How long is waited for what.
    pub patience: Patience,
    /// What its statuses mean, and when to try again.
    pub retry: RetrySettings,
    /// The pauses before a bind is dialled again.
    pub redial: Redial,
    /// What of its departures from the protocol is forgiven.
    pub lenience: Manners,
}

impl Upstream {
    /// An operator with every default.
    #[must_use]
    pub fn new(name: &str, address: &str, system_id: &str, password: Secret) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            system_id: system_id.to_owned(),
            password,
            password_cut: false,
            already_bound_is_success: false,
            system_type: String::new(),
            interface_version: InterfaceVersion::V3_4,
            addr_ton: 0,
            addr_npi: 0,
            address_range: String::new(),
            bind_type: BindMode::default(),
            connections: 1,
            window: 100,
            throughput: None,
            tls: None,
            outbind: None,
            id_form: IdForm::default(),
            park: Duration::from_secs(600),
            in_doubt: InDoubt::default(),
            in_doubt_wait: Duration::from_secs(600),
            receipts: ReceiptsAsked::default(),
            long: LongForm::default(),
            client_parts: ClientParts::default(),
            alphabet: Charset::Gsm7,
            national_languages: Languages::NONE,
            validity: ValidityForm::default(),
            stamps_reference: false,
            sniff_receipts: false,
            accepted_ends: true,
            receipt_zone: 0,
            source_ton: None,
            source_npi: None,
            service_type: None,
            patience: Patience::default(),
            retry: RetrySettings::default(),
            redial: Redial::default(),
            lenience: Manners::default(),
        }
    }

    /// What the store must know of it.
    #[must_use]
    pub fn traits(&self) -> UpstreamTraits {
        UpstreamTraits {
            id_form: self.id_form,
            notes_sending: self.in_doubt.is_noted(),
            park: self.park,
            doubt_wait: if self.in_doubt == InDoubt::Wait { self.in_doubt_wait } else { Duration::ZERO },
            languages: self.national_languages.bits(),
        }
    }
}

/// How an operator calls that wants us to bind: it connects to us and says outbind (SMPP 3.4 §2.2.1). Without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// Where it is waited for; port 0 lets the system choose.
    pub listen: std::net::SocketAddr,
    /// Who it says it is; at most 15 octets.
    pub system_id: String,
    /// How it proves that; at most 256 octets.
    pub password: Secret,
    /// Whether we dial its address after a good call, for centres that close the connection behind their outbind
    /// (SMPPSim); by default we bind on the connection that it made.
    pub connect_back: bool,
}

/// TLS to an operator.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Whom we trust, and our own certificate. The files are read at each dial, so that renewed ones are taken.
    pub identity: ClientIdentity,
    /// The name that its certificate must bear; absent means the host of the address.
    pub server_name: Option<String>,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        // The identity has no equality of its own; what it shows of itself is all that it is.
        self.server_name == other.server_name
            && format!("{:?}", self.identity) == format!("{:?}", other.identity)
    }
}

/// What the connections of an operator are bound as (SMPP 3.4 §2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindMode {
    /// Both ways on one connection.
    #[default]
    Transceiver,
    /// Submits only; receipts come over another operator's entry or not at all.
    Transmitter,
    /// Deliveries only.
    Receiver,
    /// One transmitter and one receiver for each of `connections`.
    Pair,
}

/// What happens to a submit that was written and not answered before the link was lost or the response time was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// It is sent again: never lost, perhaps delivered twice. The only one that costs nothing while all goes well;
    /// with the others each submit is written down before it goes out.
    #[default]
    Resend,
    /// The operator is asked by query_sm with an empty message_id and the message's source address (SMPP 3.4 §4.8
    /// wants an id, so only operators that support this form answer it). A known id ends the doubt, else resend.
    Query,
    /// It waits for a receipt; only when none has come in time is it sent again.
    Wait,
    /// It ends as rejected: never delivered twice by us, perhaps lost.
    Fail,
}

impl InDoubt {
    /// Whether a submit must be durable as "about to be written" before it is.
    #[must_use]
    pub const fn is_noted(self) -> bool {
        !matches!(self, Self::Resend)
    }
}

/// Which receipts are asked of an operator (SMPP 3.4 §5.2.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptsAsked {
    /// One for every message, so that every message's end is known.
    #[default]
    Always,
    /// One for messages whose client wants any; the others end when the operator takes them.
    Asked,
}

/// How a message of several parts travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongForm {
    /// One submit_sm a part, joined by a header with a reference of 8 bits (3GPP TS 23.040 §9.2.3.24.1).
    #[default]
    Udh8,
    /// The same with 16 bits (3GPP TS 23.040 §9.2.3.24.8). Its header is one octet longer: a text that would take
    /// more parts than were charged goes with 8 bits.
    Udh16,
    /// One submit_sm a part, joined by the sar_* TLVs (SMPP 3.4 §5.3.2.22 to .24).
    Sar,
    /// One submit_sm with all of it in message_payload (SMPP 3.4 §5.3.2.32); the operator cuts it.
    Payload,
}

/// What becomes of parts that a client made, joined by a header or by the sar_* TLVs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientParts {
    /// TLVs become a header for an operator whose [`LongForm`] is one, and a header becomes TLVs where that is
    /// [`LongForm::Sar`]; a header keeps the width of its reference. With [`LongForm::Payload`] they stay as they are.
    #[default]
    Convert,
    /// They stay as they are; only an operator of 3.3, which takes no TLVs, gets a header in their place.
    Keep,
    /// As `Convert`, and references get the width of [`LongForm`] where there is room; 16 bits lose their upper half.
    Exact,
}

/// Whether an operator is told how long a message is valid (SMPP 3.4 §5.2.16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidityForm {
    /// What is left of it, as a relative time.
    #[default]
    Pass,
    /// Its end, as a point in time in UTC: SMPP 3.3 knows no relative form.
    Absolute,
    /// Not at all: the operator's own default holds.
    Omit,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the TCP connection and the TLS handshake, each; 1 s to 2 min, default 10 s.
    pub connect: Duration,
    /// For the answer to a bind; 1 s to 2 min, default 10 s.
    pub bind: Duration,
    /// For the answer to a request, and for life after an enquire_link; 1 s to 10 min, default 60 s.
    pub response: Duration,
    /// After that: an answer that comes this late still counts; 0 to 10 min, default 10 s.
    pub late: Duration,
    /// Silence in both directions before we send enquire_link; 1 s to 1 h, default 30 s, absent sends none.
    pub enquire_link: Option<Duration>,
    /// For open requests when the operator unbinds; 0 to 1 min, default 5 s.
    pub unbind: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(10),
            bind: seconds(10),
            response: seconds(60),
            late: seconds(10),
            enquire_link: Some(seconds(30)),
            unbind: seconds(5),
        }
    }
}

/// The pauses before a bind is dialled again. Each is doubled from one failure to the next up to its cap, and shortened
/// by chance to between half of it and all of it, so that many binds do not come back at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redial {
    /// The first after a lost link or a failed dial; 100 ms to 1 min, default 4 s (so 2 to 4 s).
    pub first: Duration,
    /// Its cap; default 60 s.
    pub longest: Duration,
    /// The first after refused credentials, which time alone seldom mends; default 60 s.
    pub refused: Duration,
    /// Its cap; default 10 min.
    pub refused_longest: Duration,
    /// After ESME_RALYBND: longer than the operator keeps a session whose link was lost; default 2 min.
    pub already_bound: Duration,
}

impl Default for Redial {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            first: seconds(4),
            longest: seconds(60),
            refused: seconds(60),
            refused_longest: seconds(600),
            already_bound: seconds(120),
        }
    }
}
