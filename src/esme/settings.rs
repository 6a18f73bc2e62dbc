//! How the door for clients behaves: listeners, timers, bounds; all of it with units and defaults.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use smpp_proto::codec::DEFAULT_MAX_LENGTH;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::session::TimersSettings;

use crate::account::{Manners, Secret, Throughput};
use crate::link::Limits;
use crate::link::tls::ServerIdentity;

/// Everything that [`super::listen`] must know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses for plain TCP; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// Addresses for TLS and who we are there.
    pub tls: Option<TlsListen>,
    /// Load balancers, which must begin each connection with a PROXY header of version 2; its address counts as the
    /// client's. From others a header is not believed. At most 1,000 networks, none by default.
    pub trusted_proxies: Vec<IpNet>,
    /// The name that bind responses give us; 1 to 15 octets.
    pub system_id: String,
    /// The highest version we speak; told to clients that bind with 3.4 or later.
    pub version: InterfaceVersion,
    /// What of clients' departures from the protocol is forgiven, unless a credential says otherwise.
    pub lenience: Manners,
    /// The command_status that tells a client before 5.0 that its data_coding is none; 1 to 0x4FF, 0x45
    /// (ESME_RSUBMITFAIL) by default.
    pub coding_status: u32,
    /// From the connection to a bind that is in order; 1 s to 5 min, 10 s by default.
    pub session_init: Duration,
    /// From the last PDU in either direction to an enquire_link of ours; 1 s to 1 h, 30 s by default; absent sends none.
    pub enquire_link: Option<Duration>,
    /// From the last transaction to an unbind of ours; 1 s to 1 d; absent by default: an idle session stays.
    pub inactivity: Option<Duration>,
    /// Whether enquire_link and its answer are transactions for `inactivity`; not by default (conformance C-060).
    pub enquire_link_is_activity: bool,
    /// How long an answer to a request of ours is waited for; 1 s to 10 min, 60 s by default.
    pub response: Duration,
    /// How long an idle bind may take to answer when another one wants its place; 100 ms to 30 s, 2 s by default.
    pub probe: Duration,
    /// From a last PDU to closing, for peers that do not close by themselves; 0 to 30 s, 2 s by default.
    pub linger: Duration,
    /// Connections at once, bound or not; 1 to 1,000,000, 20,000 by default.
    pub max_connections: usize,
    /// Connections at once that have not bound; 1 to 100,000, 4,096 by default.
    pub max_unbound: usize,
    /// Of these, from one address; 1 to 100,000, 1,024 by default.
    pub max_unbound_per_address: usize,
    /// PDUs that a connection may send before it is bound; 1 to 1,000, 32 by default.
    pub max_unbound_pdus: u32,
    /// Failed binds on one connection before it is closed; 1 to 100, 3 by default.
    pub bind_attempts: u32,
    /// The largest PDU of a bound session in octets; 1,024 to 1,048,576, 66 KiB by default.
    pub max_pdu: u32,
    /// The largest PDU of a connection that has not bound, in octets; 128 to 65,536, 1,024 by default.
    pub max_unbound_pdu: u32,
    /// From the first octet of a PDU to its last; 10 ms to 5 min, 10 s by default.
    pub partial_pdu: Duration,
    /// How long a client may take nothing of what is written; 10 ms to 10 min, 30 s by default.
    pub write_stall: Duration,
    /// Octets that may wait to be written before nothing more is read; 4,096 to 16 MiB, 256 KiB by default.
    pub write_backlog: usize,
    /// Faults in a row that a session survives: malformed bodies, unknown commands, floods; 1 to 1,000,000, 100 by
    /// default. Every good request makes up for one.
    pub fault_budget: u32,
    /// enquire_links that a session may send in a second; each one above is a fault; 1 to 10,000, 50 by default.
    pub max_enquire_links: u32,
    /// Passwords checked at the same time, each on a thread and with 19 MiB; 1 to 64, 2 by default.
    pub password_workers: usize,
    /// Binds a second from one address, and under one system_id, and how many may come at once; each 1 to 1,000,000,
    /// 100 and 5,000 by default; absent means no limit. Above it a bind is answered ESME_RTHROTTLED.
    pub bind_rate: Option<Throughput>,
    /// Whether sessions of 5.0 are told in their responses how near to its limits the gateway is (congestion_state,
    /// SMPP 5.0 §4.8.4.18). On by default: only clients that asked for 5.0 get it, and it costs them 5 octets.
    pub congestion_state: bool,
    /// What is done about data_sm from a receiver of 3.4.
    pub data_sm_on_receiver: DataSmOnReceiver,
    /// Clients that are called when something is owed to them.
    pub outbinds: Vec<Outbind>,
    /// What failed binds cost.
    pub failed_binds: FailedBinds,
    /// When a delivery that was put off is tried again.
    pub redelivery: Redelivery,
}

/// The TLS side of the door.
#[derive(Clone, Debug)]
pub struct TlsListen {
    /// Addresses; port 0 lets the system choose.
    pub listen: Vec<SocketAddr>,
    /// Our certificate and key, and the authorities of client certificates.
    pub identity: ServerIdentity,
}

/// SMPP 3.4 §2.3 lets a receiver send data_sm, 5.0 §2.4 does not; before 3.4 there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataSmOnReceiver {
    /// ESME_RINVBNDSTS: who has a bind that only receives is not charged by it.
    #[default]
    Refuse,
    /// It is a message like any other.
    Accept,
}

/// A client that does not come by itself: we connect, say outbind, and it binds on that connection (SMPP 3.4 §2.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbind {
    /// The system_id of the credential for whose account it is.
    pub credential: String,
    /// `host:port`; the name is resolved anew at each call.
    pub address: String,
    /// Who we say we are; at most 15 octets.
    pub system_id: String,
    /// How we prove it.
    pub password: Secret,
    /// The pause before it is called again, doubled by each call that nobody answered with a bind; 1 s to 1 h, 10 s by
    /// default.
    pub pause: Duration,
    /// The longest pause; 1 s to 1 d, 10 min by default.
    pub longest_pause: Duration,
}

/// Who fails to bind waits longer each time, by address and by system_id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedBinds {
    /// Failures that cost nothing; 0 to 1,000, 5 by default.
    pub free: u32,
    /// The delay of the next attempt, doubled by each failure; 0 to 10 s, 250 ms by default.
    pub first_delay: Duration,
    /// The longest delay; 0 to 60 s, 4 s by default.
    pub longest_delay: Duration,
    /// How long a failure is remembered; 1 s to 1 d, 10 min by default.
    pub memory: Duration,
    /// Addresses and, apart from them, names that are remembered; 16 to 1,000,000, 10,000 by default.
    pub entries: usize,
}

/// When a receipt or MO message that a client did not take is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivery {
    /// The pause after the first attempt, doubled by each; 1 s to 1 h, 5 s by default.
    pub first_pause: Duration,
    /// The longest pause; 1 s to 1 d, 15 min by default.
    pub longest_pause: Duration,
    /// Attempts that end with a status of no known meaning before the delivery is dropped; 1 to 1,000, 5 by default.
    pub unknown_attempts: u16,
    /// How long a session gets nothing after it said ESME_RTHROTTLED or ESME_RMSGQFUL; 0 to 60 s, 1 s by default.
    pub throttled_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            listen: Vec::new(),
            tls: None,
            trusted_proxies: Vec::new(),
            system_id: "tollgate".to_owned(),
            version: InterfaceVersion::V5_0,
            lenience: Manners::default(),
            coding_status: 0x45,
            session_init: seconds(10),
            enquire_link: Some(seconds(30)),
            inactivity: None,
            enquire_link_is_activity: false,
            response: seconds(60),
            probe: seconds(2),
            linger: seconds(2),
            max_connections: 20_000,
            max_unbound: 4_096,
            max_unbound_per_address: 1_024,
            max_unbound_pdus: 32,
            bind_attempts: 3,
            max_pdu: DEFAULT_MAX_LENGTH,
            max_unbound_pdu: 1_024,
            partial_pdu: seconds(10),
            write_stall: seconds(30),
            write_backlog: 256 * 1024,
            fault_budget: 100,
            max_enquire_links: 50,
            password_workers: 2,
            bind_rate: Some(Throughput { per_second: 100, burst: 5_000 }),
            congestion_state: true,
            data_sm_on_receiver: DataSmOnReceiver::default(),
            outbinds: Vec::new(),
            failed_binds: FailedBinds::default(),
            redelivery: Redelivery::default(),
        }
    }
}

impl Default for FailedBinds {
    fn default() -> Self {
        Self {
            free: 5,
            first_delay: Duration::from_millis(250),
            longest_delay: Duration::from_secs(4),
            memory: Duration::from_secs(600),
            entries: 10_000,
        }
    }
}

impl Default for Redelivery {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(900),
            unknown_attempts: 5,
            throttled_pause: Duration::from_secs(1),
        }
    }
}

impl Outbind {
    /// The shortest pause by default.
    pub const PAUSE: Duration = Duration::from_secs(10);
    /// The longest by default.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(600);

    /// The pause after so many calls in a row that led to no bind.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        self.pause.saturating_mul(1 << failures.min(16)).min(self.longest_pause)
    }
}

impl FailedBinds {
    /// How long the next attempt waits after `failures` failures.
    #[must_use]
    pub fn delay(&self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => self.first_delay.saturating_mul(1 << (over - 1).min(16)).min(self.longest_delay),
        }
    }
}

impl Redelivery {
    /// The pause before the next attempt when `attempts` were made before the one that failed.
    #[must_use]
    pub fn pause(&self, attempts: u16) -> Duration {
        self.first_pause.saturating_mul(1 << attempts.min(16)).min(self.longest_pause)
    }
}

/// A value that no door can be opened with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} must be {bounds}")]
pub struct OutOfBounds {
    /// The name of the field.
    pub key: &'static str,
    /// What it may be.
    pub bounds: &'static str,
}

impl Settings {
    /// Everything that is out of its bounds, at once.
    #[must_use]
    pub fn out_of_bounds(&self) -> Vec<OutOfBounds> {
        let ms = |least: u64, most: u64| Duration::from_millis(least)..=Duration::from_millis(most);
        let second = 1_000;
        let (minute, day) = (60 * second, 86_400 * second);
        let checks: [(bool, &'static str, &'static str); 16] = [
            ((1..=15).contains(&self.system_id.len()), "system_id", "1 to 15 octets long"),
            (ms(second, 5 * minute).contains(&self.session_init), "session_init", "1 s to 5 min"),
            (
                self.enquire_link.is_none_or(|t| ms(second, 60 * minute).contains(&t)),
                "enquire_link",
                "1 s to 1 h, or off",
            ),
            (
                self.inactivity.is_none_or(|t| ms(second, day).contains(&t)),
                "inactivity",
                "1 s to 1 d, or off",
            ),
            (ms(second, 10 * minute).contains(&self.response), "response", "1 s to 10 min"),
            (ms(100, 30 * second).contains(&self.probe), "probe", "100 ms to 30 s"),
            (ms(0, 30 * second).contains(&self.linger), "linger", "0 to 30 s"),
            ((1..=1_000_000).contains(&self.max_connections), "max_connections", "1 to 1000000"),
            ((1..=100_000).contains(&self.max_unbound), "max_unbound", "1 to 100000"),
            ((1..=100_000).contains(&self.max_unbound_per_address), "max_unbound_per_address", "1 to 100000"),
            ((1_024..=1_048_576).contains(&self.max_pdu), "max_pdu", "1024 to 1048576 octets"),
            ((128..=65_536).contains(&self.max_unbound_pdu), "max_unbound_pdu", "128 to 65536 octets"),
            ((4_096..=16 << 20).contains(&self.write_backlog), "write_backlog", "4096 octets to 16 MiB"),
            ((1..=64).contains(&self.password_workers), "password_workers", "1 to 64"),
            (ms(second, day).contains(&self.failed_binds.memory), "failed_binds.memory", "1 s to 1 d"),
            (ms(second, day).contains(&self.redelivery.first_pause), "redelivery.first_pause", "1 s to 1 h"),
        ];
        let failed = checks.into_iter().filter(|(fine, ..)| !fine);
        failed.map(|(_, key, bounds)| OutOfBounds { key, bounds }).collect()
    }

    /// Whether connections from there are passed on for others.
    pub(super) fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&address))
    }

    /// The bounds of a connection that has not bound yet.
    pub(super) fn link_limits(&self) -> Limits {
        Limits {
            pdu: self.max_unbound_pdu,
            outbound: self.write_backlog,
            partial_pdu: self.partial_pdu,
            write_stall: self.write_stall,
        }
    }

    /// The timers of a session.
    pub(super) fn timers(&self) -> TimersSettings {
        TimersSettings {
            session_init: self.session_init,
            enquire_link: self.enquire_link,
            inactivity: self.inactivity,
            enquire_link_is_activity: self.enquire_link_is_activity,
            response: self.response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_bounds_and_problems_are_told_at_once() {
        assert_eq!(Settings::default().out_of_bounds(), []);
        let wrong = Settings { system_id: String::new(), password_workers: 0, ..Settings::default() };
        let keys: Vec<_> = wrong.out_of_bounds().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["system_id", "password_workers"]);
    }

    #[test]
    fn delays_and_pauses_grow_to_their_bound() {
        let failed = FailedBinds { free: 2, ..FailedBinds::default() };
        let delays: Vec<_> = (0..=9).map(|n| failed.delay(n).as_millis()).collect();
        assert_eq!(delays, [0, 0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(Redelivery::default().pause(0), Duration::from_secs(5));
        assert_eq!(Redelivery::default().pause(u16::MAX), Duration::from_secs(900));
    }
}
