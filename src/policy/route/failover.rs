//! When a message that one operator failed goes to the next of its route, and to which: each operator at most once, so
//! many of them at most, and none that costs too much.

use serde::{Deserialize, Serialize};
use smpp_proto::pdu::SubmitSm;

use super::Route;
use crate::account::{AccountId, Credits};
use crate::message::{End, Message, Reason, State, UpstreamId};
use crate::policy::Snapshot;

/// What sends a message on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Failover {
    /// Statuses of a submit_sm_resp (SMPP 3.4 §5.1.3), whatever they mean beside. Temporary ones lead to the next anyway,
    /// and back again.
    pub statuses: Vec<u32>,
    /// Ends that a receipt tells.
    pub on_receipt: Vec<Negative>,
    /// What a segment may cost at an operator that is not the first, by whatever way a message comes to it; absent means
    /// what the client pays for it. An operator without a cost is never too dear.
    pub max_cost: Option<Credits>,
    /// Operators that a message is given to, the first among them; 1 to 16.
    pub max_attempts: u8,
}

/// An end that is no delivery, as a receipt writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Negative {
    /// The operator could not deliver it.
    #[serde(rename = "UNDELIV")]
    Undeliverable,
    /// The operator refused it.
    #[serde(rename = "REJECTD")]
    Rejected,
    /// It was too late for it.
    #[serde(rename = "EXPIRED")]
    Expired,
    /// The operator does not know.
    #[serde(rename = "UNKNOWN")]
    Unknown,
    /// The operator dropped it.
    #[serde(rename = "DELETED")]
    Deleted,
}

impl Negative {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("UNDELIV", Self::Undeliverable),
        ("REJECTD", Self::Rejected),
        ("EXPIRED", Self::Expired),
        ("UNKNOWN", Self::Unknown),
        ("DELETED", Self::Deleted),
    ];

    const fn state(self) -> State {
        match self {
            Self::Undeliverable => State::Undeliverable,
            Self::Rejected => State::Rejected,
            Self::Expired => State::Expired,
            Self::Unknown => State::Unknown,
            Self::Deleted => State::Deleted,
        }
    }
}

impl Default for Failover {
    fn default() -> Self {
        Self { statuses: Vec::new(), on_receipt: Vec::new(), max_cost: None, max_attempts: 3 }
    }
}

impl Failover {
    /// Whether an end sends a message on instead.
    #[must_use]
    pub fn heeds(&self, end: &End) -> bool {
        match end.reason {
            Reason::Receipt => self.on_receipt.iter().any(|negative| negative.state() == end.state),
            Reason::OperatorRejected => self.statuses.contains(&end.error),
            _ => false,
        }
    }
}

impl Route {
    /// Whether an operator costs more than one may that is not the first. Without failover there is no such bound.
    pub(super) fn is_too_dear(&self, upstream: UpstreamId, price: Option<Credits>) -> bool {
        let most = self.failover.as_ref().and_then(|failover| failover.max_cost.or(price));
        let Some(most) = most else { return false };
        let way = self.ways.iter().find(|way| way.upstream == upstream);
        way.and_then(|way| way.cost).is_some_and(|cost| cost > most)
    }

    /// The operator that a message goes to which those in `tried` failed; nothing when it ends. One that is up goes first;
    /// when none is, as after a start, the message waits for the first in the order. `price` is what the client pays for
    /// a segment.
    #[must_use]
    pub fn next_after(
        &self,
        tried: &[UpstreamId],
        account: AccountId,
        pdu: &SubmitSm,
        price: Credits,
        is_up: impl Fn(UpstreamId) -> bool,
    ) -> Option<UpstreamId> {
        let failover = self.failover.as_ref()?;
        if tried.len() >= usize::from(failover.max_attempts) {
            return None;
        }
        let mut order = self.order(account, pdu, Some(price));
        order.retain(|id| !tried.contains(id) && !self.is_too_dear(*id, Some(price)));
        order.iter().copied().find(|id| is_up(*id)).or_else(|| order.first().copied())
    }
}

/// Whether the route of a message sends it on when `at` refuses it with this status, whatever that says beside, and has
/// an operator left for it. One that is begun stays: parts of a message come over one operator.
#[must_use]
pub fn sends_on(policy: &Snapshot, message: &Message, at: UpstreamId, status: u32) -> bool {
    let Some(route) = policy.route(message.route) else { return false };
    let is_named = route.failover.as_ref().is_some_and(|failover| failover.statuses.contains(&status));
    if !is_named || message.parts_sent > 0 {
        return false;
    }
    let Ok(pdu) = SubmitSm::decode(message.pdu.clone()) else { return false };
    let mut tried = message.tried.clone();
    tried.push(at);
    route.reaches(pdu.destination.digits.as_bytes())
        && route.next_after(&tried, message.account, &pdu, message.price, |_| false).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::WayTo;
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn only_what_is_named_sends_a_message_on() {
        let failover = Failover {
            statuses: vec![0x45],
            on_receipt: vec![Negative::Undeliverable, Negative::Expired],
            ..Failover::default()
        };
        let heeds =
            |state, reason, error| failover.heeds(&End { state, reason, error, at: Timestamp::default() });
        assert!(heeds(State::Undeliverable, Reason::Receipt, 7));
        assert!(heeds(State::Rejected, Reason::OperatorRejected, 0x45));
        for (state, reason, error) in [
            (State::Delivered, Reason::Receipt, 0),
            (State::Rejected, Reason::Receipt, 0x45),
            (State::Rejected, Reason::OperatorRejected, 0x0B),
            (State::Expired, Reason::ExpiredInQueue, 0),
            (State::Deleted, Reason::Cancelled, 0),
        ] {
            assert!(!heeds(state, reason, error), "{state:?} {reason:?}");
        }
    }

    #[test]
    fn each_operator_is_tried_once_within_number_and_cost() {
        let way = |id, cost: Option<&str>| WayTo {
            upstream: UpstreamId(id),
            weight: 1,
            cost: cost.map(|cost| cost.parse().unwrap()),
        };
        let mut route = Route {
            ways: vec![way(1, None), way(2, Some("0.6")), way(3, Some("0.5")), way(4, None), way(5, None)],
            failover: Some(Failover::default()),
            ..Route::default()
        };
        let next = |route: &Route, tried: &[u32], price: &str| {
            let tried: Vec<_> = tried.iter().copied().map(UpstreamId).collect();
            let up = |id: UpstreamId| id.0 != 4;
            let next =
                route.next_after(&tried, AccountId(1), &SubmitSm::default(), price.parse().unwrap(), up);
            next.map(|id| id.0)
        };
        assert_eq!(next(&route, &[1], "1"), Some(2));
        assert_eq!(next(&route, &[1], "0.5"), Some(3), "the second costs more than the client pays");
        assert_eq!(next(&route, &[1, 3], "0.1"), Some(5), "the fourth is down");
        assert_eq!(next(&route, &[1, 3, 5], "0.1"), None, "three are enough");
        route.failover = Some(Failover { max_attempts: 9, ..Failover::default() });
        assert_eq!(next(&route, &[1, 2, 3, 5], "1"), Some(4), "it is down, and the last that is left");
        assert_eq!(next(&route, &[1, 2, 3, 4, 5], "1"), None);
        route.failover = Some(Failover {
            max_cost: Some("0.55".parse().unwrap()),
            max_attempts: 9,
            ..Failover::default()
        });
        assert_eq!(next(&route, &[1], "0.1"), Some(3));
        assert_eq!(next(&route, &[1, 3, 4, 5], "9"), None, "the second costs more than the most");
        route.failover = None;
        assert_eq!(next(&route, &[], "1"), None);
    }

    #[test]
    fn the_first_is_there_whatever_it_costs_and_none_behind_it_above_the_cap() {
        let way = |(id, cost): (u32, &str)| WayTo {
            upstream: UpstreamId(id),
            weight: 1,
            cost: Some(cost.parse().unwrap()),
        };
        let mut route = Route {
            ways: [(1, "5"), (2, "0.3"), (3, "2.000001"), (4, "2")].into_iter().map(way).collect(),
            ..Route::default()
        };
        let order = |route: &Route, price: &str| {
            let order = route.order(AccountId(1), &SubmitSm::default(), Some(price.parse().unwrap()));
            order.iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(order(&route, "1"), [1, 2, 3, 4], "nothing is said of costs");
        route.failover = Some(Failover::default());
        assert_eq!(order(&route, "1"), [1, 2]);
        route.failover = Some(Failover { max_cost: Some("2".parse().unwrap()), ..Failover::default() });
        assert_eq!(order(&route, "1"), [1, 2, 4]);
    }
}
