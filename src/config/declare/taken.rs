//! What a daemon took of a changed configuration, and what of it only a start can change.

use crate::admin::{How, OperatorChange};
use crate::config::{Config, LogSettings};
use crate::esme::TlsListen;
use crate::smsc::{Turn, Upstream};
use crate::{admin, esme, smsc, store};

/// The settings with which a daemon runs, its policy left out: that is in the store.
#[derive(Clone, Debug)]
pub struct RunningSettings {
    store: store::Settings,
    esme: esme::Settings,
    smsc: smsc::Settings,
    admin: admin::Settings,
    log: LogSettings,
}

/// The keys in which two values of a type differ. All fields are named, so that whoever adds one decides what it is
/// called; `_` before those that are not compared here.
macro_rules! differing {
    ($type:path, $running:expr, $wanted:expr; $($field:ident => $key:literal),* ; $($other:ident),*) => {{
        let $type { $($field: _,)* $($other: _,)* } = $running;
        let mut keys: Vec<&'static str> = Vec::new();
        $(if $running.$field != $wanted.$field {
            keys.push($key);
        })*
        keys
    }};
}

impl RunningSettings {
    /// Those of a configuration with which a daemon starts.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let Config { files: _, store, esme, smsc, policy: _, admin, log } = config;
        Self {
            store: store.clone(),
            esme: esme.clone(),
            smsc: smsc.clone(),
            admin: admin.clone(),
            log: log.clone(),
        }
    }

    /// The operators of a configuration, with what holds for all of them as it is.
    #[must_use]
    pub fn operators_of(&self, wanted: &Config) -> smsc::Settings {
        smsc::Settings { upstreams: wanted.smsc.upstreams.clone(), ..self.smsc.clone() }
    }

    /// Keys that are written otherwise and take a restart, such as `smpp.listen`.
    #[must_use]
    pub fn untaken(&self, wanted: &Config) -> Vec<String> {
        let mut keys = self.store_keys(&wanted.store);
        keys.extend(self.smpp_keys(&wanted.esme));
        keys.extend(differing!(smsc::Settings, &self.smsc, &wanted.smsc;
            failover_after => "delivery.failover_after", drain_within => "delivery.drain_within"; upstreams));
        keys.extend(differing!(admin::Settings, &self.admin, &wanted.admin;
            socket => "admin.socket", listen => "admin.listen";));
        keys.extend(
            differing!(LogSettings, &self.log, &wanted.log; format => "log.format", filter => "log.filter";),
        );
        keys.extend(tls_key(self.esme.tls.as_ref(), wanted.esme.tls.as_ref()));
        keys.into_iter().map(str::to_owned).chain(self.outbinds(&wanted.esme)).collect()
    }

    fn store_keys(&self, wanted: &store::Settings) -> Vec<&'static str> {
        let mut keys = differing!(store::Settings, &self.store, wanted;
            path => "store.path", node => "store.node", mailbox => "store.mailbox", batch => "store.batch",
            owed_for => "store.owed_for", join_within => "store.join_within",
            receipt_timeout => "store.receipt_timeout", first_sendings => "store.first_sendings"; history);
        if self.store.history.retention_days != wanted.history.retention_days {
            keys.push("store.retention_days");
        }
        keys
    }

    fn smpp_keys(&self, wanted: &esme::Settings) -> Vec<&'static str> {
        differing!(esme::Settings, &self.esme, wanted;
            listen => "smpp.listen", trusted_proxies => "smpp.trusted_proxies", system_id => "smpp.system_id",
            version => "smpp.version", lenience => "smpp.lenience", coding_status => "smpp.coding_status",
            session_init => "smpp.session_init", enquire_link => "smpp.enquire_link",
            inactivity => "smpp.inactivity", enquire_link_is_activity => "smpp.enquire_link_is_activity",
            response => "smpp.response", probe => "smpp.probe", linger => "smpp.linger",
            max_connections => "smpp.max_connections", max_unbound => "smpp.max_unbound",
            max_unbound_per_address => "smpp.max_unbound_per_address",
            max_unbound_pdus => "smpp.max_unbound_pdus", bind_attempts => "smpp.bind_attempts",
            max_pdu => "smpp.max_pdu", max_unbound_pdu => "smpp.max_unbound_pdu",
            partial_pdu => "smpp.partial_pdu", write_stall => "smpp.write_stall",
            write_backlog => "smpp.write_backlog", fault_budget => "smpp.fault_budget",
            max_enquire_links => "smpp.max_enquire_links", password_workers => "smpp.password_workers",
            bind_rate => "smpp.bind_rate", congestion_state => "smpp.congestion_state",
            data_sm_on_receiver => "smpp.data_sm_on_receiver", failed_binds => "smpp.failed_binds",
            redelivery => "smpp.redelivery"; tls, outbinds)
    }

    /// Credentials whose clients are called in another way, or no more.
    fn outbinds(&self, wanted: &esme::Settings) -> Vec<String> {
        let (running, wanted) = (&self.esme.outbinds, &wanted.outbinds);
        let apart = |one: &[esme::Outbind], other: &[esme::Outbind]| -> Vec<String> {
            one.iter().filter(|known| !other.contains(known)).map(|known| known.credential.clone()).collect()
        };
        let mut names = apart(running, wanted);
        names.extend(apart(wanted, running));
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| format!("account.smpp.outbind of {name}")).collect()
    }

    /// Notes that operators were taken as `wanted` has them, and tells what that changed.
    pub fn take_operators(&mut self, wanted: &Config, turns: Vec<(String, Turn)>) -> Vec<OperatorChange> {
        let of = |settings: &smsc::Settings, name: &str| {
            settings.upstreams.iter().find(|upstream| upstream.name == name).cloned()
        };
        let told = turns.into_iter().map(|(name, turn)| {
            let pair = of(&self.smsc, &name).zip(of(&wanted.smsc, &name));
            let keys = pair.map(|(running, wanted)| operator_keys(&running, &wanted)).unwrap_or_default();
            let how = match turn {
                Turn::Taken => How::Add,
                Turn::Paced | Turn::Rebound => How::Change,
                Turn::Left => How::Remove,
            };
            let keys = keys.into_iter().map(str::to_owned).collect();
            OperatorChange { how, name, keys, rebound: turn == Turn::Rebound }
        });
        let told = told.collect();
        self.smsc.upstreams.clone_from(&wanted.smsc.upstreams);
        told
    }
}

/// Certificates are renewed while it runs; where it listens over TLS, and whether, is not changed.
fn tls_key(running: Option<&TlsListen>, wanted: Option<&TlsListen>) -> Option<&'static str> {
    match (running, wanted) {
        (None, None) => None,
        (Some(running), Some(wanted)) => (running.listen != wanted.listen).then_some("smpp.tls.listen"),
        _ => Some("smpp.tls"),
    }
}

/// The keys in which an operator differs.
fn operator_keys(running: &Upstream, wanted: &Upstream) -> Vec<&'static str> {
    differing!(Upstream, running, wanted;
        address => "address", system_id => "system_id", password => "password", password_cut => "password_cut",
        already_bound_is_success => "already_bound_is_success", system_type => "system_type",
        interface_version => "version", addr_ton => "addr_ton", addr_npi => "addr_npi",
        address_range => "address_range", bind_type => "bind_type", connections => "connections",
        window => "window", throughput => "throughput", tls => "tls", outbind => "outbind", id_form => "id_form",
        park => "park", in_doubt => "in_doubt", in_doubt_wait => "in_doubt_wait", receipts => "receipts",
        long => "long", client_parts => "client_parts", alphabet => "alphabet",
        national_languages => "national_languages", validity => "validity",
        stamps_reference => "stamps_reference", sniff_receipts => "sniff_receipts",
        accepted_ends => "accepted_ends", receipt_zone => "receipt_zone", source_ton => "source_ton",
        source_npi => "source_npi", service_type => "service_type", patience => "patience", retry => "retry",
        redial => "redial", lenience => "lenience"; name)
}
