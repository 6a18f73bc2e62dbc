//! What was accepted before its number came on a list: it ends where it would move on. What a bind
//! holds goes out, or is looked at when it comes back.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use foldhash::fast::RandomState;

use crate::clock::Timestamp;
use crate::message::{End, Message, MessageId, Reason, State};
use crate::policy::{Refusal, Snapshot};
use crate::store::StoreError;
use crate::store::writer::Writer;
use crate::store::writer::books::packed;
use crate::store::writer::effects::Effects;

/// How often the lanes are looked at while numbers come on lists.
const EVERY: Duration = Duration::from_secs(1);
/// Numbers that are looked for one by one; of more, the lists themselves are asked of every message. 16 octets each.
const MOST_NUMBERS: usize = 1_024;

/// When what stands in lanes is compared with the lists; what waits in the store is when it leaves that.
#[derive(Debug, Default)]
pub(in crate::store::writer) struct ListsGrown {
    look_at: Option<Timestamp>,
    looked_at: Timestamp,
    by: Grown,
}

/// What came on lists since the last look.
#[derive(Debug)]
enum Grown {
    /// These numbers, packed.
    These(HashSet<u64, RandomState>),
    /// More than that, or nobody knows what.
    Any,
}

impl Default for Grown {
    fn default() -> Self {
        Self::These(HashSet::default())
    }
}

impl Grown {
    fn add(&mut self, number: &[u8]) {
        let Self::These(numbers) = self else { return };
        numbers.extend(packed(number));
        if numbers.len() > MOST_NUMBERS {
            *self = Self::Any;
        }
    }

    /// Whether a message's number may be one of them.
    fn may_mean(&self, message: &Message) -> bool {
        match self {
            Self::Any => true,
            Self::These(numbers) => {
                destination(&message.pdu).and_then(packed).is_some_and(|number| numbers.contains(&number))
            }
        }
    }
}

impl ListsGrown {
    /// A number came on a list.
    pub(in crate::store::writer) fn grow(&mut self, number: &[u8], now: Timestamp) {
        self.by.add(number);
        self.look(now);
    }

    /// Nobody knows what came on lists.
    pub(in crate::store::writer) fn grow_unseen(&mut self, now: Timestamp) {
        self.by = Grown::Any;
        self.look(now);
    }

    fn look(&mut self, now: Timestamp) {
        self.look_at.get_or_insert(now.max(self.looked_at + EVERY));
    }

    /// When to look.
    pub(in crate::store::writer) fn due(&self) -> Timestamp {
        self.look_at.unwrap_or(Timestamp::NEVER)
    }
}

impl Writer {
    /// Ends those of a lane's messages whose number came on a list.
    pub(in crate::store::writer) fn end_listed_in_lanes(
        &mut self,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if self.sweeps.lists.due() > self.now {
            return Ok(());
        }
        let grown = std::mem::take(&mut self.sweeps.lists.by);
        self.sweeps.lists = ListsGrown { look_at: None, looked_at: self.now, by: Grown::default() };
        let policy = self.shared.policy.load_full();
        let lanes: Vec<_> = {
            let lanes = self.shared.upstream_lanes.read().unwrap_or_else(PoisonError::into_inner);
            lanes.iter().map(|(id, lane)| (*id, lane.clone())).collect()
        };
        for (id, lane) in lanes {
            // Binds wait for the lane meanwhile: the lists are asked when it is free again.
            let lists = &self.limits.lists;
            let has_bound = lane.has(|flow| lists.binds(&policy.account_rules(flow.account()).lineage));
            let meant = lane.look(|message| has_bound && message.parts_sent == 0 && grown.may_mean(message));
            let listed: HashSet<MessageId, RandomState> = meant
                .iter()
                .filter(|message| self.why_listed(&policy, message).is_some())
                .map(|message| message.id)
                .collect();
            if listed.is_empty() {
                continue;
            }
            let taken = lane.look_and_take(|message| listed.contains(&message.id));
            for message in &taken {
                effects.took_out(id, message.clone());
            }
            for message in taken {
                self.end_listed(&policy, &message, effects)?;
            }
        }
        Ok(())
    }

    /// Ends a message that moves on although its number came on a list; whether it did.
    pub(in crate::store::writer) fn end_listed(
        &mut self,
        policy: &Snapshot,
        message: &Message,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let Some(reason) = self.why_listed(policy, message) else { return Ok(false) };
        let end = End { state: State::Rejected, reason, error: 0, at: self.now };
        self.end_message(message.id, end, effects)
    }

    /// Half a message is worse than one too many: what is begun goes on.
    fn why_listed(&self, policy: &Snapshot, message: &Message) -> Option<Reason> {
        let lineage = &policy.account_rules(message.account).lineage;
        if message.parts_sent > 0 || !self.limits.lists.binds(lineage) {
            return None;
        }
        match self.limits.lists.refusal(lineage, destination(&message.pdu)?)?.refusal {
            Refusal::OptedOut => Some(Reason::OptedOut),
            _ => Some(Reason::DestinationBlocked),
        }
    }
}

/// The destination's digits in the body of a submit_sm (SMPP 3.4 §4.4.1): lanes are long, and to read all of each message
/// for them would take long too.
fn destination(body: &[u8]) -> Option<&[u8]> {
    let after_service_type = cut(body)?.1;
    let after_source = cut(after_service_type.get(TON_AND_NPI..)?)?.1;
    Some(cut(after_source.get(TON_AND_NPI..)?)?.0)
}

/// Octets before the digits of an address.
const TON_AND_NPI: usize = 2;

/// A C-Octet String and what comes after its end.
fn cut(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = octets.iter().position(|octet| *octet == 0)?;
    Some((octets.get(..end)?, octets.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destination_of_a_submit_is_found_without_reading_the_rest() {
        let body = b"CMT\0\x05\0ACME\0\x01\x0134600111222\0\0\0\0";
        assert_eq!(destination(body), Some(&b"34600111222"[..]));
        assert_eq!(destination(b"\0\0\0\0\x01\x01346\0"), Some(&b"346"[..]));
        for cut in [&b""[..], b"\0", b"\0\0\0", b"\0\0\0\0", b"\0\0\0\0\x01\x01346"] {
            assert_eq!(destination(cut), None);
        }
    }

    #[test]
    fn up_to_so_many_numbers_are_looked_for_and_then_all_are() {
        let mut grown = Grown::default();
        for number in 0..MOST_NUMBERS {
            grown.add(number.to_string().as_bytes());
            grown.add(b"0");
        }
        assert!(matches!(&grown, Grown::These(numbers) if numbers.len() == MOST_NUMBERS));
        grown.add(b"34600111222");
        assert!(matches!(grown, Grown::Any));
    }
}
