//! What the gate says of a message, with the verdict of every rule: the same code as admission, with a witness that
//! writes down and goes on instead of stopping.

use std::collections::HashMap;

use super::{Claim, Desk, RuleId};
use crate::account::Credits;
use crate::clock::Timestamp;
use crate::message::{RouteId, UpstreamId};
use crate::policy::admit::{Sender, Submission, Witness, judge};
use crate::policy::{Admitted, Denied, Refusal, Snapshot};

/// What became of a message at the gate. Nothing was counted or charged.
#[derive(Debug, Default)]
pub struct Explanation {
    /// What was found: absent where the message cannot be judged at all, whatever the rules say.
    pub admitted: Option<Admitted>,
    /// Why it is refused, by the first rule that refuses it or because it cannot be judged.
    pub denied: Option<Denied>,
    /// The objection of each rule that was asked; absent where it has none. Rules that are not here were not reached, or
    /// had nothing to say about such a message.
    pub verdicts: Vec<Verdict>,
    /// What the store will be asked, when no rule refuses it.
    pub claims: Vec<Claim>,
    /// Price and way, each by itself: a message without one of them is refused, and the other is still worth knowing.
    pub found: Found,
}

/// Price and way of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What a segment costs; absent when its number has no price.
    pub price: Option<Credits>,
    /// The way; absent when no route takes it.
    pub route: Option<RouteId>,
    /// The operators of the way in the order in which they are tried.
    pub upstreams: Vec<UpstreamId>,
}

/// What a rule said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub rule: RuleId,
    /// What it objects.
    pub objection: Option<Refusal>,
}

/// Judges as [`crate::policy::admit()`] does, and asks every rule.
#[must_use]
pub fn explain(
    policy: &Snapshot,
    sender: Sender<'_>,
    submission: Submission,
    now: Timestamp,
    desk: &mut Desk,
) -> Explanation {
    let mut clerk = Clerk::default();
    let judged = judge(policy, sender, submission, now, desk, &mut clerk);
    let (admitted, stopped) = match judged {
        Ok(admitted) => (Some(admitted), None),
        Err(denied) => (None, Some(denied)),
    };
    // What was objected came before what stopped it.
    let denied = clerk.denied.or(stopped);
    Explanation { admitted, denied, verdicts: clerk.verdicts, claims: clerk.claims, found: clerk.found }
}

/// The witness that writes everything down.
#[derive(Default)]
struct Clerk {
    verdicts: Vec<Verdict>,
    places: HashMap<RuleId, usize>,
    claims: Vec<Claim>,
    denied: Option<Denied>,
    found: Found,
}

impl Witness for Clerk {
    fn verdict(&mut self, rule: RuleId, enforce: bool, objection: Option<Refusal>) -> Result<(), Denied> {
        let refusal = objection.filter(|_| enforce);
        self.denied = self.denied.or(refusal.map(|refusal| Denied::by(refusal, rule)));
        // Closed hours are asked once for each interval that a message is held over.
        let place = *self.places.entry(rule).or_insert(self.verdicts.len());
        match self.verdicts.get_mut(place) {
            Some(known) => known.objection = known.objection.or(objection),
            None => self.verdicts.push(Verdict { rule, objection }),
        }
        Ok(())
    }

    fn claims(&mut self, claim: &Claim) {
        self.claims.push(*claim);
    }

    fn found(&mut self, price: Option<Credits>, route: Option<RouteId>, upstreams: &[UpstreamId]) {
        self.found = Found { price, route, upstreams: upstreams.to_vec() };
    }

    fn refused(&mut self, _: Refusal) -> Result<(), Denied> {
        // The store says it, once filters and credit were asked.
        Ok(())
    }
}
