//! What the door for clients counts. Counted once a batch, not once a message, where that is possible.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use smpp_proto::pdu::{Quirk, Quirks};

use super::roster::Facts;
use crate::policy::Refusal;

/// The figures; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    connections: Gauge,
    turned_away: Family<Reason, Counter>,
    binds: Family<BindLabels, Gauge>,
    bind_refusals: Family<Reason, Counter>,
    submits: Family<Outcome, Counter>,
    deliveries: Family<Outcome, Counter>,
    refused_pdus: Family<Reason, Counter>,
    quirks: Family<QuirkLabels, Counter>,
    submits_open: Gauge,
    deliveries_open: Gauge,
    accept_latency: Histogram,
    batch_size: Histogram,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// Whose bind, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BindLabels {
    account: String,
    kind: String,
}

/// Whose message, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    account: String,
    outcome: &'static str,
}

/// Whose PDUs, and how they depart from the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuirkLabels {
    account: String,
    quirk: &'static str,
}

/// The counters of one bound session, looked up once.
pub(super) struct SessionMetrics {
    all: Metrics,
    account: String,
    bind: Gauge,
    accepted: Counter,
    delivered: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            connections: Gauge::default(),
            turned_away: Family::default(),
            binds: Family::default(),
            bind_refusals: Family::default(),
            submits: Family::default(),
            deliveries: Family::default(),
            refused_pdus: Family::default(),
            quirks: Family::default(),
            submits_open: Gauge::default(),
            deliveries_open: Gauge::default(),
            // 50 µs to 26 s.
            accept_latency: Histogram::new(exponential_buckets(0.000_05, 2.0, 20)),
            // 1 to 4,096 requests.
            batch_size: Histogram::new(exponential_buckets(1.0, 4.0, 7)),
        }
    }
}

impl Metrics {
    /// Puts all figures on a registry.
    pub fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("tollgate_esme");
        r.register("connections", "Client connections, bound or not", self.connections.clone());
        r.register("turned_away", "Connections closed before a bind, by reason", self.turned_away.clone());
        r.register("binds", "Bound sessions by account and kind", self.binds.clone());
        r.register("bind_refusals", "Refused binds by reason", self.bind_refusals.clone());
        r.register("submits", "Messages submitted by account and outcome", self.submits.clone());
        r.register("deliveries", "deliver_sm by account and outcome", self.deliveries.clone());
        r.register(
            "refused_pdus",
            "PDUs refused before they were a request, by reason",
            self.refused_pdus.clone(),
        );
        r.register(
            "quirks",
            "Departures from the protocol that were forgiven, one a PDU",
            self.quirks.clone(),
        );
        r.register("submits_open", "Requests of clients that wait for the store", self.submits_open.clone());
        r.register("deliveries_open", "deliver_sm that wait for an answer", self.deliveries_open.clone());
        r.register(
            "accept_seconds",
            "From the socket read to the response in the write buffer, one value a batch",
            self.accept_latency.clone(),
        );
        r.register("batch_requests", "Requests in one batch to the store", self.batch_size.clone());
    }

    pub(super) fn connected(&self) {
        self.connections.inc();
    }

    pub(super) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(super) fn turned_away(&self, reason: &'static str) {
        self.turned_away.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn bind_refused(&self, refusal: Refusal) {
        self.bind_refusals.get_or_create(&Reason { reason: refusal.word() }).inc();
    }

    pub(super) fn pdu_refused(&self, reason: &'static str) {
        self.refused_pdus.get_or_create(&Reason { reason }).inc();
    }

    pub(super) fn session(&self, facts: &Facts) -> SessionMetrics {
        let labels = BindLabels { account: facts.account_name.clone(), kind: facts.kind.to_string() };
        let bind = self.binds.get_or_create_owned(&labels);
        bind.inc();
        let outcome = |outcome| Outcome { account: facts.account_name.clone(), outcome };
        SessionMetrics {
            bind,
            accepted: self.submits.get_or_create_owned(&outcome("accepted")),
            delivered: self.deliveries.get_or_create_owned(&outcome("delivered")),
            account: facts.account_name.clone(),
            all: self.clone(),
        }
    }
}

impl SessionMetrics {
    pub(super) fn submitted(&self, requests: usize) {
        self.all.submits_open.inc_by(signed(requests));
        self.all.batch_size.observe(f64::from(u32::try_from(requests).unwrap_or(u32::MAX)));
    }

    /// Answers of one batch are in the write buffer.
    pub(super) fn answered(&self, answers: usize, accepted: u64, took: Option<Duration>) {
        self.all.submits_open.dec_by(signed(answers));
        self.accepted.inc_by(accepted);
        if let Some(took) = took {
            self.all.accept_latency.observe(took.as_secs_f64());
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        let labels = Outcome { account: self.account.clone(), outcome: refusal.word() };
        self.all.submits.get_or_create(&labels).inc();
    }

    /// A PDU had these, and they were forgiven.
    pub(super) fn forgave(&self, quirks: Quirks) {
        for quirk in quirks.iter().map(Quirk::as_str) {
            self.all.quirks.get_or_create(&QuirkLabels { account: self.account.clone(), quirk }).inc();
        }
    }

    pub(super) fn pdu_refused(&self, reason: &'static str) {
        self.all.pdu_refused(reason);
    }

    pub(super) fn delivering(&self, count: usize) {
        self.all.deliveries_open.inc_by(signed(count));
    }

    /// `count` deliveries are no longer open; `outcome` is what came of them.
    pub(super) fn delivered(&self, count: usize, outcome: &'static str) {
        self.all.deliveries_open.dec_by(signed(count));
        if outcome == "delivered" {
            self.delivered.inc_by(count as u64);
        } else {
            self.undelivered(count, outcome);
        }
    }

    /// What never went out.
    pub(super) fn undelivered(&self, count: usize, outcome: &'static str) {
        let labels = Outcome { account: self.account.clone(), outcome };
        self.all.deliveries.get_or_create(&labels).inc_by(count as u64);
    }

    /// The session ends with requests open.
    pub(super) fn abandoned(&self, requests: usize) {
        self.all.submits_open.dec_by(signed(requests));
    }
}

impl Drop for SessionMetrics {
    fn drop(&mut self) {
        self.bind.dec();
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_on_the_registry_under_their_names() {
        let metrics = Metrics::default();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        metrics.bind_refused(Refusal::AuthInvalid);
        metrics.connected();
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        assert!(text.contains("tollgate_esme_bind_refusals_total{reason=\"auth_invalid\"} 1"), "{text}");
        assert!(text.contains("tollgate_esme_connections 1"), "{text}");
    }
}
