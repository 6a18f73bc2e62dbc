//! What was accepted before its number came on a list: it ends where it would move on. What a bind
//! holds goes out, or is looked at when it comes back.

use std::sync::PoisonError;
use std::time::Duration;

use smpp_proto::pdu::SubmitSm;

use crate::clock::Timestamp;
use crate::message::{End, Message, Reason, State};
use crate::policy::{Refusal, Snapshot};
use crate::store::StoreError;
use crate::store::writer::Writer;
use crate::store::writer::effects::Effects;

/// How often the lanes are looked at while numbers come on lists.
const EVERY: Duration = Duration::from_secs(1);

/// When what stands in lanes is compared with the lists; what waits in the store is when it leaves that.
#[derive(Debug, Default)]
pub(in crate::store::writer) struct ListsGrown {
    look_at: Option<Timestamp>,
    looked_at: Timestamp,
}

impl ListsGrown {
    /// Numbers came on a list.
    pub(in crate::store::writer) fn grow(&mut self, now: Timestamp) {
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
        self.sweeps.lists = ListsGrown { look_at: None, looked_at: self.now };
        let policy = self.shared.policy.load_full();
        let lanes: Vec<_> = {
            let lanes = self.shared.upstream_lanes.read().unwrap_or_else(PoisonError::into_inner);
            lanes.iter().map(|(id, lane)| (*id, lane.clone())).collect()
        };
        for (id, lane) in lanes {
            let taken = lane.look(|message| self.why_listed(&policy, message).is_some());
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
        let pdu = SubmitSm::decode(message.pdu.clone()).ok()?;
        match self.limits.lists.refusal(lineage, pdu.destination.digits.as_bytes())?.refusal {
            Refusal::OptedOut => Some(Reason::OptedOut),
            _ => Some(Reason::DestinationBlocked),
        }
    }
}
