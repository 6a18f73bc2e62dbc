//! `[smpp]`: the door for clients that bind to us.

use std::time::Duration;

use smpp_proto::field::InterfaceVersion;

use super::account::access;
use super::read::{Section, Value, lenience};
use super::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};
use crate::esme::{DataSmOnReceiver, FailedBinds, Redelivery, Settings, TlsListen};
use crate::link::tls::{self, ServerIdentity};

/// Reads the table.
pub(super) fn read(root: &mut Section<'_>) -> Settings {
    let mut table = root.section("smpp", "[smpp]");
    let mut settings = Settings::default();
    let listen = table.value("listen");
    if let Some(addresses) = listen.and_then(|v| v.list(address)) {
        settings.listen = addresses;
    }
    let over_tls = read_tls(&mut table, &mut settings);
    if listen.is_none() && !over_tls {
        table.miss("listen is missing", "add listen = [\"127.0.0.1:2775\"] under [smpp]");
    }
    table.put("trusted_proxies", &mut settings.trusted_proxies, |v| access::networks(v, 1_000));
    table.put("system_id", &mut settings.system_id, |v| v.text_of(1..=15));
    table.put("version", &mut settings.version, version);
    table.put("congestion_state", &mut settings.congestion_state, Value::flag);
    table.put("data_sm_on_receiver", &mut settings.data_sm_on_receiver, |v| {
        v.one_of(&[("refuse", DataSmOnReceiver::Refuse), ("accept", DataSmOnReceiver::Accept)])
    });
    table.put("bind_rate", &mut settings.bind_rate, |v| match v.text()?.as_str() {
        "off" => Some(None),
        _ => v.parsed().map(Some),
    });
    table.put("lenience", &mut settings.lenience, lenience::read);
    table.put("coding_status", &mut settings.coding_status, |v| v.number(1..=0x4FF));
    read_timers(&mut table, &mut settings);
    read_bounds(&mut table, &mut settings);
    read_failed_binds(&mut table, &mut settings.failed_binds);
    read_redelivery(&mut table, &mut settings.redelivery);
    table.finish();
    settings
}

/// An address to listen on. A name would have to be resolved, and may be more than one address.
pub(super) fn address(value: &Value<'_>) -> Option<std::net::SocketAddr> {
    value.parsed_as("write an IP address and a port, such as \"0.0.0.0:2775\" or \"[::]:2775\"")
}

/// A version of the protocol.
pub(super) fn version(value: &Value<'_>) -> Option<InterfaceVersion> {
    value.one_of(&[
        ("3.3", InterfaceVersion::V3_3),
        ("3.4", InterfaceVersion::V3_4),
        ("5.0", InterfaceVersion::V5_0),
    ])
}

fn read_timers(table: &mut Section<'_>, settings: &mut Settings) {
    table.put("session_init", &mut settings.session_init, |v| v.duration(SECOND..=5 * MINUTE));
    table.put("enquire_link", &mut settings.enquire_link, |v| v.duration_or_off(SECOND..=HOUR));
    table.put("inactivity", &mut settings.inactivity, |v| v.duration_or_off(SECOND..=DAY));
    table.put("enquire_link_is_activity", &mut settings.enquire_link_is_activity, Value::flag);
    table.put("response", &mut settings.response, |v| v.duration(SECOND..=10 * MINUTE));
    table.put("probe", &mut settings.probe, |v| v.duration(100 * MILLISECOND..=30 * SECOND));
    table.put("linger", &mut settings.linger, |v| v.duration(Duration::ZERO..=30 * SECOND));
    table.put("partial_pdu", &mut settings.partial_pdu, |v| v.duration(10 * MILLISECOND..=5 * MINUTE));
    table.put("write_stall", &mut settings.write_stall, |v| v.duration(10 * MILLISECOND..=10 * MINUTE));
}

fn read_bounds(table: &mut Section<'_>, settings: &mut Settings) {
    table.put("max_connections", &mut settings.max_connections, |v| v.number(1..=1_000_000));
    table.put("max_unbound", &mut settings.max_unbound, |v| v.number(1..=100_000));
    table.put("max_unbound_per_address", &mut settings.max_unbound_per_address, |v| v.number(1..=100_000));
    table.put("max_unbound_pdus", &mut settings.max_unbound_pdus, |v| v.number(1..=1_000));
    table.put("bind_attempts", &mut settings.bind_attempts, |v| v.number(1..=100));
    table.put("max_pdu", &mut settings.max_pdu, |v| v.number(1_024..=1_048_576));
    table.put("max_unbound_pdu", &mut settings.max_unbound_pdu, |v| v.number(128..=65_536));
    table.put("write_backlog", &mut settings.write_backlog, |v| v.number(4_096..=16 << 20));
    table.put("fault_budget", &mut settings.fault_budget, |v| v.number(1..=1_000_000));
    table.put("max_enquire_links", &mut settings.max_enquire_links, |v| v.number(1..=10_000));
    table.put("password_workers", &mut settings.password_workers, |v| v.number(1..=64));
}

fn read_failed_binds(table: &mut Section<'_>, failed: &mut FailedBinds) {
    let mut table = table.section("failed_binds", "[smpp.failed_binds]");
    table.put("free", &mut failed.free, |v| v.number(0..=1_000));
    table.put("first_delay", &mut failed.first_delay, |v| v.duration(Duration::ZERO..=10 * SECOND));
    table.put("longest_delay", &mut failed.longest_delay, |v| v.duration(Duration::ZERO..=MINUTE));
    table.put("memory", &mut failed.memory, |v| v.duration(SECOND..=DAY));
    table.put("entries", &mut failed.entries, |v| v.number(16..=1_000_000));
    table.finish();
}

fn read_redelivery(table: &mut Section<'_>, redelivery: &mut Redelivery) {
    let mut table = table.section("redelivery", "[smpp.redelivery]");
    table.put("first_pause", &mut redelivery.first_pause, |v| v.duration(SECOND..=HOUR));
    table.put("longest_pause", &mut redelivery.longest_pause, |v| v.duration(SECOND..=DAY));
    table.put("unknown_attempts", &mut redelivery.unknown_attempts, |v| v.number(1..=1_000));
    table.put("throttled_pause", &mut redelivery.throttled_pause, |v| v.duration(Duration::ZERO..=MINUTE));
    table.finish();
}

/// Reads the TLS listener; answers whether one was meant to be there.
fn read_tls(table: &mut Section<'_>, settings: &mut Settings) -> bool {
    let mut table = table.section("tls", "[smpp.tls]");
    if !table.is_written() {
        return false;
    }
    let listen = table.need("listen", "[\"0.0.0.0:3550\"]", |v| v.list(address));
    let certificate = table.need("certificate", "\"server.pem\"", |v| v.file());
    let private_key = table.need("private_key", "\"server.key\"", |v| v.file());
    let client_ca = table.value("client_ca").and_then(|v| v.file());
    if let (Some(listen), Some(certificate), Some(private_key)) = (listen, certificate, private_key) {
        let identity = ServerIdentity { certificate, private_key, client_ca };
        // Whether the files hold what they should is better known now than when the listener opens.
        if let Err(why) = tls::acceptor(&identity) {
            table.report(why.to_string(), "write PEM files that belong together".to_owned());
        }
        settings.tls = Some(TlsListen { listen, identity });
    }
    table.finish();
    true
}
