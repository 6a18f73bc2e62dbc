//! `[[upstream]]` and `[delivery]`: the operators that we bind to.

use std::time::Duration;

use smpp_proto::text::Charset;
use smpp_proto::text::gsm7::Language;

use super::read::{Names, Section, Value, lenience, secret};
use super::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, smpp};
use crate::account::Secret;
use crate::link::tls::{self, ClientIdentity, Trust};
use crate::message::IdForm;
use crate::smsc::{
    BindMode, Called, ClientParts, InDoubt, LongForm, Patience, ReceiptsAsked, Redial, Settings, Tls,
    Upstream, ValidityForm,
};

/// Reads what holds for all operators.
pub(super) fn read_delivery(root: &mut Section<'_>) -> Settings {
    let mut table = root.section("delivery", "[delivery]");
    let mut settings = Settings::default();
    table.put("failover_after", &mut settings.failover_after, |v| v.duration(Duration::ZERO..=HOUR));
    table.put("drain_within", &mut settings.drain_within, |v| v.duration(Duration::ZERO..=10 * MINUTE));
    table.finish();
    settings
}

/// Reads one operator. Nothing comes back when what it needs is missing or wrong.
pub(super) fn read(mut table: Section<'_>, names: &mut Names) -> Option<Upstream> {
    let name = table.need("name", "\"north\"", |v| names.claim(v, v.name()?));
    let address = table.need("address", "\"127.0.0.1:2776\"", address);
    let system_id = table.need("system_id", "\"gate\"", |v| v.text_of(0..=15));
    let password = secret::need(&mut table, 0..=256);
    let mut upstream = Upstream::new(
        name.as_deref().unwrap_or_default(),
        address.as_deref().unwrap_or_default(),
        system_id.as_deref().unwrap_or_default(),
        password.clone().unwrap_or_else(|| Secret::new("")),
    );
    read_bind(&mut table, &mut upstream);
    read_flow(&mut table, &mut upstream);
    read_form(&mut table, &mut upstream);
    read_patience(&mut table, &mut upstream.patience);
    read_retry(&mut table, &mut upstream);
    read_redial(&mut table, &mut upstream.redial);
    read_tls(&mut table, &mut upstream);
    upstream.outbind = read_outbind(&mut table);
    table.refuse(
        "profile",
        "is not available in this version",
        "set the keys of the quirk itself, such as id_form, receipts, long or retry",
    );
    table.finish();
    name.and(address).and(system_id).and(password).map(|_| upstream)
}

/// How the operator calls us, if it does.
fn read_outbind(table: &mut Section<'_>) -> Option<Called> {
    let mut table = table.section("outbind", "[upstream.outbind]");
    if !table.is_written() {
        return None;
    }
    let listen = table.need("listen", "\"0.0.0.0:2777\"", smpp::address);
    let system_id = table.need("system_id", "\"SMSC1\"", |v| v.text_of(0..=15));
    let password = secret::need(&mut table, 0..=256);
    let mut connect_back = false;
    table.put("connect_back", &mut connect_back, Value::flag);
    table.finish();
    Some(Called { listen: listen?, system_id: system_id?, password: password?, connect_back })
}

/// `host:port`, where the host may be a name.
pub(super) fn address(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let fits = text.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host_fits = match bare {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '/', ' ', '@']),
        };
        host_fits && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if fits { Some(text) } else { value.refuse("write host:port, such as \"smsc.example.com:2775\"") }
}

fn read_bind(table: &mut Section<'_>, upstream: &mut Upstream) {
    table.put("password_cut", &mut upstream.password_cut, Value::flag);
    table.put("already_bound_is_success", &mut upstream.already_bound_is_success, Value::flag);
    table.put("system_type", &mut upstream.system_type, |v| v.text_of(0..=12));
    table.put("version", &mut upstream.interface_version, smpp::version);
    table.put("addr_ton", &mut upstream.addr_ton, |v| v.number(0..=255));
    table.put("addr_npi", &mut upstream.addr_npi, |v| v.number(0..=255));
    table.put("address_range", &mut upstream.address_range, |v| v.text_of(0..=40));
    table.put("bind_type", &mut upstream.bind_type, |v| {
        v.one_of(&[
            ("transceiver", BindMode::Transceiver),
            ("transmitter", BindMode::Transmitter),
            ("receiver", BindMode::Receiver),
            ("pair", BindMode::Pair),
        ])
    });
    table.put("connections", &mut upstream.connections, |v| v.number(1..=100));
    table.put("lenience", &mut upstream.lenience, lenience::read);
}

fn read_flow(table: &mut Section<'_>, upstream: &mut Upstream) {
    table.put("window", &mut upstream.window, |v| v.number(1..=10_000));
    table.put("throughput", &mut upstream.throughput, |v| v.parsed().map(Some));
    table.put("park", &mut upstream.park, |v| v.duration(SECOND..=HOUR));
    table.put("in_doubt", &mut upstream.in_doubt, |v| {
        v.one_of(&[
            ("resend", InDoubt::Resend),
            ("query", InDoubt::Query),
            ("wait", InDoubt::Wait),
            ("fail", InDoubt::Fail),
        ])
    });
    table.put("in_doubt_wait", &mut upstream.in_doubt_wait, |v| v.duration(SECOND..=DAY));
}

fn read_form(table: &mut Section<'_>, upstream: &mut Upstream) {
    table.put("id_form", &mut upstream.id_form, |v| {
        v.one_of(&[
            ("auto", IdForm::Auto),
            ("exact", IdForm::Exact),
            ("hex-to-decimal", IdForm::HexToDecimal),
            ("decimal-to-hex", IdForm::DecimalToHex),
            ("fold-case", IdForm::FoldCase),
            ("strip-zeros", IdForm::StripZeros),
        ])
    });
    table.put("receipts", &mut upstream.receipts, |v| {
        v.one_of(&[("always", ReceiptsAsked::Always), ("asked", ReceiptsAsked::Asked)])
    });
    table.put("long", &mut upstream.long, |v| {
        v.one_of(&[
            ("udh8", LongForm::Udh8),
            ("udh16", LongForm::Udh16),
            ("sar", LongForm::Sar),
            ("payload", LongForm::Payload),
        ])
    });
    table.put("client_parts", &mut upstream.client_parts, |v| {
        v.one_of(&[
            ("convert", ClientParts::Convert),
            ("keep", ClientParts::Keep),
            ("exact", ClientParts::Exact),
        ])
    });
    table.put("alphabet", &mut upstream.alphabet, |v| v.one_of(&Charset::ALL));
    table.put("national_languages", &mut upstream.national_languages, |v| {
        let known = Language::ALL.map(|(language, word)| (word, language));
        Some(v.list(|v| v.one_of(&known))?.into_iter().collect())
    });
    table.put("validity", &mut upstream.validity, |v| {
        v.one_of(&[
            ("pass", ValidityForm::Pass),
            ("absolute", ValidityForm::Absolute),
            ("omit", ValidityForm::Omit),
        ])
    });
    table.put("stamps_reference", &mut upstream.stamps_reference, Value::flag);
    table.put("sniff_receipts", &mut upstream.sniff_receipts, Value::flag);
    table.put("accepted_ends", &mut upstream.accepted_ends, Value::flag);
    table.put("receipt_zone", &mut upstream.receipt_zone, |v| v.number(-720..=840));
    table.put("source_ton", &mut upstream.source_ton, |v| v.number(0..=255).map(Some));
    table.put("source_npi", &mut upstream.source_npi, |v| v.number(0..=255).map(Some));
    table.put("service_type", &mut upstream.service_type, |v| v.text_of(0..=5).map(Some));
}

fn read_patience(table: &mut Section<'_>, patience: &mut Patience) {
    let mut table = table.section("patience", "[upstream.patience]");
    table.put("connect", &mut patience.connect, |v| v.duration(SECOND..=2 * MINUTE));
    table.put("bind", &mut patience.bind, |v| v.duration(SECOND..=2 * MINUTE));
    table.put("response", &mut patience.response, |v| v.duration(SECOND..=10 * MINUTE));
    table.put("late", &mut patience.late, |v| v.duration(Duration::ZERO..=10 * MINUTE));
    table.put("enquire_link", &mut patience.enquire_link, |v| v.duration_or_off(SECOND..=HOUR));
    table.put("unbind", &mut patience.unbind, |v| v.duration(Duration::ZERO..=MINUTE));
    table.finish();
}

fn read_retry(table: &mut Section<'_>, upstream: &mut Upstream) {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).ok();
    let statuses = |v: &Value<'_>| v.list(|v| v.number(1..=u32::MAX));
    let mut table = table.section("retry", "[upstream.retry]");
    let retry = &mut upstream.retry;
    table.put("first_pause", &mut retry.first_pause_seconds, |v| seconds(v.duration(SECOND..=HOUR)?));
    table.put("longest_pause", &mut retry.longest_pause_seconds, |v| seconds(v.duration(SECOND..=DAY)?));
    table.put("temporary", &mut retry.temporary, statuses);
    table.put("permanent", &mut retry.permanent, statuses);
    table.finish();
}

fn read_redial(table: &mut Section<'_>, redial: &mut Redial) {
    let mut table = table.section("redial", "[upstream.redial]");
    table.put("first", &mut redial.first, |v| v.duration(100 * MILLISECOND..=MINUTE));
    table.put("longest", &mut redial.longest, |v| v.duration(100 * MILLISECOND..=HOUR));
    table.put("refused", &mut redial.refused, |v| v.duration(SECOND..=HOUR));
    table.put("refused_longest", &mut redial.refused_longest, |v| v.duration(SECOND..=DAY));
    table.put("already_bound", &mut redial.already_bound, |v| v.duration(SECOND..=HOUR));
    table.finish();
}

fn read_tls(table: &mut Section<'_>, upstream: &mut Upstream) {
    let mut table = table.section("tls", "[upstream.tls]");
    let authorities = table.value("authorities").and_then(|v| v.file());
    let pinned = table.value("pinned").and_then(|v| fingerprint(&v));
    let anyone = table.value("insecure_anyone").and_then(|v| v.flag()).unwrap_or(false);
    let certificate = table.value("certificate").and_then(|v| v.file());
    let private_key = table.value("private_key").and_then(|v| v.file());
    let server_name = table.value("server_name").and_then(|v| match tls::server_name(&v.text()?) {
        Ok(_) => v.text(),
        Err(_) => v.refuse("write a host name or an IP address"),
    });
    if certificate.is_some() != private_key.is_some() {
        table.report(
            "[upstream.tls] has a certificate or a private_key without the other".to_owned(),
            "write both, or none".to_owned(),
        );
    }
    if usize::from(authorities.is_some()) + usize::from(pinned.is_some()) + usize::from(anyone) > 1 {
        table.report(
            "[upstream.tls] says in more than one way whom to trust".to_owned(),
            "keep one of authorities, pinned and insecure_anyone; without any the system's authorities count"
                .to_owned(),
        );
    }
    let trust = match (authorities, pinned) {
        (Some(file), _) => Trust::Authorities(file),
        (None, Some(fingerprint)) => Trust::Pinned(fingerprint),
        (None, None) if anyone => Trust::InsecureAnyone,
        (None, None) => Trust::System,
    };
    if table.is_written() {
        let identity = ClientIdentity { trust, certificate: certificate.zip(private_key) };
        if let Err(why) = tls::connector(&identity) {
            table.report(why.to_string(), "write PEM files that can be used".to_owned());
        }
        upstream.tls = Some(Tls { identity, server_name });
    }
    table.finish();
}

/// A SHA-256 fingerprint: 64 hexadecimal digits, colons allowed.
fn fingerprint(value: &Value<'_>) -> Option<[u8; 32]> {
    let advice = "write the SHA-256 fingerprint of the certificate: 64 hexadecimal digits, colons allowed";
    let digits: Vec<u8> = value.text()?.bytes().filter(|b| *b != b':').collect();
    let mut octets = [0; 32];
    if digits.len() != 64 {
        return value.refuse(advice);
    }
    for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
        let Some(read) = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        else {
            return value.refuse(advice);
        };
        *octet = read;
    }
    Some(octets)
}
