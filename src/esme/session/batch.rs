//! Requests of one read on their way to the store, and the tags by which their answers are known again.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use smpp_proto::field::{Address, COctets};
use smpp_proto::pdu::Unsuccessful;

use super::Client;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::message::MessageId;
use crate::policy::filter::Rules;
use crate::policy::{Refusal, Snapshot};
use crate::store::{ClientRequest, Store};

/// What one read brought, with the policy that all of it is judged by.
pub(in crate::esme) struct Batch {
    pub(in crate::esme) policy: Arc<Snapshot>,
    pub(in crate::esme) account: Option<Arc<Account>>,
    /// What binds the credential.
    pub(in crate::esme) rules: Arc<Rules>,
    pub(in crate::esme) now: Timestamp,
    pub(in crate::esme) requests: Vec<ClientRequest>,
}

impl Batch {
    pub(super) fn new(store: &Store, client: &mut Client, now: Timestamp) -> Self {
        let policy = store.policy();
        let facts = client.bound.facts();
        // A credential that was withdrawn, or moved, speaks for nobody until its session has left.
        let is_its =
            policy.credential_by_id(facts.credential).is_some_and(|known| known.account == facts.account);
        let account = policy.account(facts.account).filter(|_| is_its).cloned();
        client.suit(&policy, account.as_ref());
        client.desk.begin(now);
        client.policy = Arc::clone(&policy);
        let rules = Arc::clone(policy.rules_of(client.bound.facts().credential));
        Self { policy, account, rules, now, requests: Vec::new() }
    }
}

/// Names a request in the store's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::esme) struct Tag {
    pub(in crate::esme) kind: Kind,
    /// Where more is known about it; 24 bits, 0 when there is nothing more.
    pub(in crate::esme) aside: u32,
    /// The sequence number to echo.
    pub(in crate::esme) sequence: u32,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::esme) enum Kind {
    Submit = 0,
    Data = 1,
    Multi = 2,
    Query = 3,
    /// A query that the hot store could not answer.
    History = 4,
    Cancel = 5,
    Replace = 6,
}

impl Tag {
    pub(in crate::esme) const fn plain(kind: Kind, sequence: u32) -> Self {
        Self { kind, aside: 0, sequence }
    }

    pub(in crate::esme) const fn pack(self) -> u64 {
        (self.kind as u64) << 56 | ((self.aside & ASIDE_MASK) as u64) << 32 | self.sequence as u64
    }

    pub(in crate::esme) const fn unpack(packed: u64) -> Self {
        let kind = match packed >> 56 {
            0 => Kind::Submit,
            1 => Kind::Data,
            2 => Kind::Multi,
            3 => Kind::Query,
            4 => Kind::History,
            5 => Kind::Cancel,
            _ => Kind::Replace,
        };
        Self { kind, aside: (packed >> 32) as u32 & ASIDE_MASK, sequence: packed as u32 }
    }
}

const ASIDE_MASK: u32 = 0x00FF_FFFF;

/// What must be remembered of a request beyond its sequence number.
pub(in crate::esme) enum Aside {
    /// A submit_multi whose destinations are answered one by one.
    Multi(Multi),
    /// A query_sm: what the answer echoes, and what the history is asked for.
    Query { message_id: COctets, id: MessageId, source: Bytes },
}

/// A submit_multi under way (SMPP 3.4 §4.5).
#[derive(Default)]
pub(in crate::esme) struct Multi {
    /// Destinations that wait for their answers, each with its place, in the order of asking.
    pub(in crate::esme) waiting: VecDeque<(usize, Address)>,
    /// The one id of all.
    pub(in crate::esme) shown: Option<MessageId>,
    /// Those that were refused, each with its place and why.
    pub(in crate::esme) unsuccessful: Vec<(usize, Refusal, Unsuccessful)>,
}

/// The asides of a session: as many as requests under way, so its window bounds them.
#[derive(Default)]
pub(in crate::esme) struct Asides {
    last: u32,
    open: HashMap<u32, Aside>,
}

impl Asides {
    /// Keeps something; says where.
    pub(in crate::esme) fn keep(&mut self, aside: Aside) -> u32 {
        // 16 million numbers for at most 10,000 requests under way: a free one is near.
        loop {
            self.last = (self.last + 1) & ASIDE_MASK;
            if self.last != 0 && !self.open.contains_key(&self.last) {
                self.open.insert(self.last, aside);
                return self.last;
            }
        }
    }

    pub(in crate::esme) fn find(&mut self, place: u32) -> Option<&mut Aside> {
        self.open.get_mut(&place)
    }

    pub(in crate::esme) fn take(&mut self, place: u32) -> Option<Aside> {
        let aside = self.open.remove(&place);
        if self.open.is_empty() {
            self.open = HashMap::new();
        }
        aside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_as_they_went() {
        let kinds =
            [Kind::Submit, Kind::Data, Kind::Multi, Kind::Query, Kind::History, Kind::Cancel, Kind::Replace];
        for kind in kinds {
            for (aside, sequence) in [(0, 0), (1, 0xFFFF_FFFF), (ASIDE_MASK, 0x8000_0000)] {
                let tag = Tag { kind, aside, sequence };
                assert_eq!(Tag::unpack(tag.pack()), tag);
            }
        }
    }

    #[test]
    fn asides_get_numbers_of_their_own() {
        let mut asides = Asides { last: ASIDE_MASK - 1, ..Asides::default() };
        let places = [(); 3].map(|()| asides.keep(Aside::Multi(Multi::default())));
        assert_eq!(places, [ASIDE_MASK, 1, 2]);
        assert!(asides.take(1).is_some() && asides.take(1).is_none() && asides.find(2).is_some());
    }
}
