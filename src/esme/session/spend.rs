//! Rates of what clients send: the credential's own bucket, and those of every level above that names one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;

use super::{Batch, Client, Tag};
use crate::policy::filter::{Holder, RuleId, Rules};
use crate::policy::{Bucket, Cause, Denied, Refusal};
use crate::store::{ClientRequest, Store};

/// The buckets of accounts and of the platform: everybody below takes from the same one. There are no more of them than
/// levels with a throughput.
#[derive(Debug, Default)]
pub(in crate::esme) struct Levels(Mutex<HashMap<Holder, Bucket>>);

impl Levels {
    /// Takes `segments` at every level, or nothing and says whose rate does not allow it.
    fn take(
        &self,
        rules: &Rules,
        segments: u32,
        now: u64,
        mut shadowed: impl FnMut(RuleId),
    ) -> Result<(), Denied> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for rule in &rules.throughput {
            let (holder, throughput) = rule.is;
            let bucket = buckets.entry(holder).or_insert_with(|| Bucket::full(throughput, now));
            if bucket.covers(throughput, segments, now) {
                continue;
            }
            if rule.enforce {
                return Err(Denied::by(Refusal::RateLimited, rule.id));
            }
            shadowed(rule.id);
        }
        for rule in &rules.throughput {
            let (holder, throughput) = rule.is;
            if let Some(bucket) = buckets.get_mut(&holder) {
                // Only one that is not enforced can be too empty.
                let _ = bucket.take(throughput, segments, now);
            }
        }
        Ok(())
    }
}

impl Batch {
    /// Takes what the requests cost out of all buckets and refuses those for which nothing is left.
    pub(super) fn spend(&mut self, client: &mut Client, store: &Store, out: &mut BytesMut, monotonic: u64) {
        let credential = client.bound.facts().credential;
        let own = self.policy.credential_by_id(credential).and_then(|known| known.bounds.throughput);
        if own.is_none() && self.rules.throughput.is_empty() {
            return;
        }
        let (policy, rules) = (Arc::clone(&self.policy), Arc::clone(&self.rules));
        let (share, levels) = (Arc::clone(&client.bound.place.share), Arc::clone(&client.levels));
        let account = client.bound.facts().account;
        let counters = store.counters();
        // When the head of a submit_multi goes, the next of its destinations becomes the head.
        let mut headless = None;
        // Of the submit_multi that is gone through: how many of its destinations go on to the store.
        let mut kept = (0, 0);
        self.requests.retain_mut(|request| {
            let ClientRequest::Accept(accept) = request else { return true };
            let segments = u32::from(accept.admitted.parts());
            let take =
                |own| share.bucket(own, monotonic, |bucket| bucket.take(own, segments, monotonic).is_ok());
            let shadowed = |rule| counters.shadowed.count(&policy, account, rule);
            let denied = if own.is_none_or(take) {
                levels.take(&rules, segments, monotonic, shadowed).err().inspect(|_| {
                    // What a level above does not let through is not spent here.
                    if let Some(own) = own {
                        share.bucket(own, monotonic, |bucket| bucket.give_back(own, segments));
                    }
                })
            } else {
                let cause = policy.own_rate(credential).map(Cause::Rule);
                Some(Denied { refusal: Refusal::RateLimited, cause })
            };
            if kept.0 != accept.tag {
                kept = (accept.tag, 0);
            }
            if let Some(denied) = denied {
                headless = if accept.follows { headless } else { Some(accept.tag) };
                client.refuse_accept_at(Tag::unpack(accept.tag), kept.1, denied, out);
                return false;
            }
            kept.1 += 1;
            if headless.take() == Some(accept.tag) {
                accept.follows = false;
            }
            true
        });
    }
}
