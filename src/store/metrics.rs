//! The store's figures for Prometheus: read when they are asked for, so that the writer pays nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::{Backlog, Depth, Shared, Store};
use crate::account::AccountId;
use crate::policy::Snapshot;
use crate::policy::filter::{RuleId, RuleKind};

impl Store {
    /// Puts the store's figures into a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Figures(Arc::clone(&self.shared))));
    }

    /// How many messages of an account no operator has taken yet; the handle shows it from now on.
    #[must_use]
    pub fn backlog(&self, account: AccountId) -> Backlog {
        self.shared.backlogs.of(account)
    }

    /// How full the mailbox is, 0 to 100.
    #[must_use]
    pub fn mailbox_fill(&self) -> u8 {
        let most = self.mailbox.max_capacity();
        u8::try_from((most - self.mailbox.capacity()) * 100 / most).unwrap_or(100)
    }
}

/// What rules that are not enforced would have refused, by account and kind of rule.
#[derive(Debug, Default)]
pub struct Shadowed(Mutex<BTreeMap<(AccountId, RuleKind), u64>>);

impl Shadowed {
    /// Counts one; the first of its kind is told in the log.
    pub fn count(&self, policy: &Snapshot, account: AccountId, rule: RuleId) {
        let Some(note) = policy.notes().find(rule) else { return };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((account, note.kind)).or_default();
        *count += 1;
        if *count == 1 {
            let account = policy.account(account).map_or("", |account| &account.name);
            let would =
                if note.kind == RuleKind::OptOuts { "put a phone on the list" } else { "refused a message" };
            tracing::info!(account, rule = %note, "would have {would}; further ones are counted, not logged");
        }
    }

    /// How often a kind of rule would have refused an account's messages.
    #[must_use]
    pub fn of(&self, account: AccountId, kind: RuleKind) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&(account, kind)).copied().unwrap_or(0)
    }
}

struct Figures(Arc<Shared>);

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures")
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counters = &self.0.counters;
        let rows: [(&str, &str, &AtomicU64); 12] = [
            ("tollgate_store_commits", "Transactions", &counters.commits),
            ("tollgate_store_items", "Messages, notes and answers in transactions", &counters.items),
            ("tollgate_store_busy_microseconds", "Time spent in transactions", &counters.busy_micros),
            ("tollgate_store_failures", "Transactions that could not be committed", &counters.failures),
            ("tollgate_in_doubt", "Submits that may have reached an operator twice", &counters.in_doubt),
            (
                "tollgate_receipts_early",
                "Receipts that overtook the answer to their submit",
                &counters.parked_matched,
            ),
            (
                "tollgate_receipts_unknown",
                "Receipts for ids that no submit was given",
                &counters.parked_expired,
            ),
            ("tollgate_receipts_repeated", "Receipts for ended messages", &counters.receipts_repeated),
            (
                "tollgate_owed_address_gone",
                "Deliveries dropped because their client gave up the address",
                &counters.address_gone,
            ),
            ("tollgate_history_moved", "Messages moved to the history", &counters.moved),
            (
                "tollgate_messages_landed",
                "Messages that went from the journal to a row of their own",
                &counters.landed,
            ),
            (
                "tollgate_first_sendings_dropped",
                "First sendings forgotten before their window ended",
                &counters.firsts_dropped,
            ),
        ];
        for (name, help, counter) in rows {
            let counter = ConstCounter::new(counter.load(Ordering::Relaxed));
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        self.encode_shadowed(&mut encoder)?;
        self.encode_lanes(&mut encoder)
    }
}

impl Figures {
    /// What rules in shadow would have refused.
    fn encode_shadowed(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let policy = self.0.policy.load();
        let counts = self.0.counters.shadowed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = ConstCounter::new(0_u64);
        let help = "Messages that a rule which is not enforced would have refused, and phones that one would have listed";
        let mut family =
            encoder.encode_descriptor("tollgate_policy_shadowed", help, None, counter.metric_type())?;
        for ((account, kind), count) in counts.iter() {
            let account = policy.account(*account).map_or("", |account| &account.name);
            let labels = [("account", account), ("rule", kind.word())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        drop(counts);
        let gauge = ConstGauge::new(
            i64::try_from(self.0.counters.firsts.load(Ordering::Relaxed)).unwrap_or(i64::MAX),
        );
        let help = "First sendings that the duplicate filter remembers";
        gauge.encode(encoder.encode_descriptor("tollgate_first_sendings", help, None, gauge.metric_type())?)
    }

    /// One gauge a lane: the operator's or the account's name, and where its things stand.
    fn encode_lanes(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let upstreams = self.0.upstreams.load();
        let lanes = self.0.upstream_lanes.read().unwrap_or_else(PoisonError::into_inner);
        let named =
            lanes.iter().map(|(id, lane)| (upstreams.name(*id).unwrap_or("").to_owned(), lane.depth()));
        let named: Vec<_> = named.collect();
        let ages = self.ages(&named);
        let help = "Messages waiting for an operator";
        encode_depths(encoder, "tollgate_upstream_queue", help, "upstream", named)?;
        let help = "Age of the oldest message waiting for an operator";
        encode_ages(encoder, "tollgate_upstream_queue_age_seconds", help, "upstream", ages)?;
        let policy = self.0.policy.load();
        let lanes = self.0.account_lanes.read().unwrap_or_else(PoisonError::into_inner);
        let name = |id| policy.account(id).map(|account| account.name.clone()).unwrap_or_default();
        let named: Vec<_> = lanes.iter().map(|(id, lane)| (name(*id), lane.depth())).collect();
        let ages = self.ages(&named);
        let help = "Receipts and messages from phones owed to an account";
        encode_depths(encoder, "tollgate_account_owed", help, "account", named)?;
        let help = "Age of the message whose receipt has waited longest for its client";
        encode_ages(encoder, "tollgate_account_owed_age_seconds", help, "account", ages)
    }

    fn ages(&self, depths: &[(String, Depth)]) -> Vec<(String, f64)> {
        let now = self.0.clock.now();
        let age = |depth: &Depth| depth.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        depths.iter().map(|(owner, depth)| (owner.clone(), age(depth))).collect()
    }
}

fn encode_depths(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    depths: Vec<(String, Depth)>,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(0_i64);
    let mut family = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    for (owner, depth) in depths {
        for (place, count) in [("memory", depth.ready), ("store", depth.spilled)] {
            let labels = [(label, owner.as_str()), ("place", place)];
            let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            gauge.encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_ages(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    ages: Vec<(String, f64)>,
) -> Result<(), std::fmt::Error> {
    let gauge = ConstGauge::new(0_f64);
    let mut family = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    for (owner, age) in ages {
        ConstGauge::new(age).encode(family.encode_family(&[(label, owner.as_str())])?)?;
    }
    Ok(())
}
