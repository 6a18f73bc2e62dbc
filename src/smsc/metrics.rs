//! What is measured of operators: binds, windows, submits, responses, receipts, throttling, doubts.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use smpp_proto::field::CommandStatus;
use smpp_proto::pdu::{Quirk, Quirks};

use crate::message::State;

/// The families; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Families>);

#[derive(Debug)]
struct Families {
    bound: Family<BindLabels, Gauge>,
    in_flight: Family<BindLabels, Gauge>,
    adapted_rate: Family<BindLabels, Gauge>,
    losses: Family<ReasonLabels, Counter>,
    submits: Family<StatusLabels, Counter>,
    responses: Family<UpstreamLabels, Histogram>,
    throttled: Family<UpstreamLabels, Counter>,
    in_doubt: Family<UpstreamLabels, Counter>,
    late: Family<UpstreamLabels, Counter>,
    receipts: Family<StateLabels, Counter>,
    receipt_delay: Family<UpstreamLabels, Histogram>,
    unreadable: Family<UpstreamLabels, Counter>,
    inbound: Family<OutcomeLabels, Counter>,
    moved: Family<UpstreamLabels, Counter>,
    quirks: Family<QuirkLabels, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct UpstreamLabels {
    upstream: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BindLabels {
    upstream: String,
    bind: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    upstream: String,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabels {
    upstream: String,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    upstream: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    upstream: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct QuirkLabels {
    upstream: String,
    quirk: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Families {
            bound: Family::default(),
            in_flight: Family::default(),
            adapted_rate: Family::default(),
            losses: Family::default(),
            submits: Family::default(),
            responses: Family::new_with_constructor(response_histogram),
            throttled: Family::default(),
            in_doubt: Family::default(),
            late: Family::default(),
            receipts: Family::default(),
            receipt_delay: Family::new_with_constructor(receipt_histogram),
            unreadable: Family::default(),
            inbound: Family::default(),
            moved: Family::default(),
            quirks: Family::default(),
        }))
    }
}

impl Metrics {
    /// Names every family in `registry`. The names begin with `smsc_`; the registry may put more in front.
    pub fn register(&self, registry: &mut Registry) {
        let f = &self.0;
        registry.register("smsc_bound", "Whether a bind stands", f.bound.clone());
        registry.register("smsc_window_in_use", "Requests that wait for their answer", f.in_flight.clone());
        registry.register(
            "smsc_adapted_rate",
            "Segments a second that an operator's throttling left; 0 while it does not throttle",
            f.adapted_rate.clone(),
        );
        registry.register(
            "smsc_losses",
            "Binds that ended or could not be made, by reason",
            f.losses.clone(),
        );
        registry.register("smsc_submits", "Answers to submits, by status", f.submits.clone());
        registry.register("smsc_response_seconds", "From a submit to its answer", f.responses.clone());
        registry.register(
            "smsc_throttled",
            "Submits answered with RTHROTTLED or RMSGQFUL",
            f.throttled.clone(),
        );
        registry.register("smsc_in_doubt", "Submits whose answer never came", f.in_doubt.clone());
        registry.register(
            "smsc_late",
            "Answers that came after the response time and counted",
            f.late.clone(),
        );
        registry.register("smsc_receipts", "Receipts, by state", f.receipts.clone());
        registry.register(
            "smsc_receipt_delay_seconds",
            "From submit to end, as the operator's receipts date them",
            f.receipt_delay.clone(),
        );
        registry.register(
            "smsc_unreadable",
            "Receipts without an id, deliveries that cannot be read",
            f.unreadable.clone(),
        );
        registry.register("smsc_inbound", "Messages from phones, by what became of them", f.inbound.clone());
        registry.register(
            "smsc_quirks",
            "Departures from the protocol that were forgiven, one a PDU",
            f.quirks.clone(),
        );
        registry.register("smsc_moved", "Messages moved to another operator's lane", f.moved.clone());
    }

    /// The handles of one operator.
    pub(super) fn of_upstream(&self, upstream: &str) -> UpstreamMetrics {
        let f = &self.0;
        let labels = UpstreamLabels { upstream: upstream.to_owned() };
        let ok = StatusLabels { upstream: upstream.to_owned(), status: word_of(CommandStatus::ROK) };
        let delivered = StateLabels { upstream: upstream.to_owned(), state: State::Delivered.word() };
        UpstreamMetrics {
            families: Arc::clone(f),
            upstream: upstream.to_owned(),
            accepted: f.submits.get_or_create_owned(&ok),
            delivered: f.receipts.get_or_create_owned(&delivered),
            responses: f.responses.get_or_create_owned(&labels),
            throttled: f.throttled.get_or_create_owned(&labels),
            in_doubt: f.in_doubt.get_or_create_owned(&labels),
            late: f.late.get_or_create_owned(&labels),
            receipt_delay: f.receipt_delay.get_or_create_owned(&labels),
            unreadable: f.unreadable.get_or_create_owned(&labels),
            moved: f.moved.get_or_create_owned(&labels),
        }
    }
}

/// Handles of one operator, looked up once.
#[derive(Debug)]
pub(super) struct UpstreamMetrics {
    families: Arc<Families>,
    upstream: String,
    accepted: Counter,
    delivered: Counter,
    responses: Histogram,
    pub(super) throttled: Counter,
    pub(super) in_doubt: Counter,
    pub(super) late: Counter,
    receipt_delay: Histogram,
    pub(super) unreadable: Counter,
    pub(super) moved: Counter,
}

impl UpstreamMetrics {
    /// The handles of one of its binds; `bind` is its number and kind.
    pub(super) fn of_bind(&self, bind: &str) -> BindMetrics {
        let labels = BindLabels { upstream: self.upstream.clone(), bind: bind.to_owned() };
        BindMetrics {
            bound: self.families.bound.get_or_create_owned(&labels),
            in_flight: self.families.in_flight.get_or_create_owned(&labels),
            adapted_rate: self.families.adapted_rate.get_or_create_owned(&labels),
        }
    }

    /// A PDU had these, and they were forgiven.
    pub(super) fn forgave(&self, quirks: Quirks) {
        for quirk in quirks.iter().map(Quirk::as_str) {
            let labels = QuirkLabels { upstream: self.upstream.clone(), quirk };
            self.families.quirks.get_or_create(&labels).inc();
        }
    }

    /// A bind ended, or could not be made.
    pub(super) fn lost(&self, reason: &'static str) {
        self.families.losses.get_or_create(&ReasonLabels { upstream: self.upstream.clone(), reason }).inc();
    }

    /// A submit was answered after `waited` milliseconds.
    pub(super) fn answered(&self, status: CommandStatus, waited: u64) {
        self.responses.observe(Duration::from_millis(waited).as_secs_f64());
        if status.is_ok() {
            self.accepted.inc();
            return;
        }
        let labels = StatusLabels { upstream: self.upstream.clone(), status: word_of(status) };
        self.families.submits.get_or_create(&labels).inc();
    }

    /// A receipt came; `delay` in milliseconds is what lies between its two dates.
    pub(super) fn receipt(&self, state: State, delay: Option<u64>) {
        if let Some(delay) = delay {
            self.receipt_delay.observe(Duration::from_millis(delay).as_secs_f64());
        }
        if state == State::Delivered {
            self.delivered.inc();
            return;
        }
        let state = if state.is_end() { state.word() } else { "enroute" };
        self.families.receipts.get_or_create(&StateLabels { upstream: self.upstream.clone(), state }).inc();
    }

    /// A message from a phone came.
    pub(super) fn inbound(&self, outcome: &'static str) {
        self.families
            .inbound
            .get_or_create(&OutcomeLabels { upstream: self.upstream.clone(), outcome })
            .inc();
    }
}

/// Handles of one bind.
#[derive(Debug)]
pub(super) struct BindMetrics {
    pub(super) bound: Gauge,
    pub(super) in_flight: Gauge,
    pub(super) adapted_rate: Gauge,
}

/// Statuses without a name share a word: an operator may invent any number of them.
fn word_of(status: CommandStatus) -> &'static str {
    match status.name() {
        Some(name) => name,
        None if status.is_vendor() => "vendor",
        None => "unknown",
    }
}

/// 1 ms to 65 s.
fn response_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}

/// 1 s to 3 days.
fn receipt_histogram() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_show_by_name_and_upstream() {
        let (metrics, mut registry) = (Metrics::default(), Registry::default());
        metrics.register(&mut registry);
        let north = metrics.of_upstream("north");
        north.answered(CommandStatus::ROK, 12);
        north.answered(CommandStatus(0x0009_9999), 12);
        north.receipt(State::Delivered, Some(60_000));
        north.of_bind("1 transceiver").bound.set(1);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "smsc_submits_total{upstream=\"north\",status=\"ESME_ROK\"} 1",
            "smsc_submits_total{upstream=\"north\",status=\"unknown\"} 1",
            "smsc_receipts_total{upstream=\"north\",state=\"delivered\"} 1",
            "smsc_bound{upstream=\"north\",bind=\"1 transceiver\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
