//! The way around an operator that is down: what waits in its lane goes to the next of its route that is up.
//!
//! Without it a message would wait for the one operator in whose lane it was accepted, however many others can reach
//! its number.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::{Order, Shared};
use crate::account::ReceiptWish;
use crate::message::{End, Message, Reason, State, UpstreamId};
use crate::policy::Snapshot;
use crate::policy::route::way_of;
use crate::store::{Note, OperatorBatch};

/// Watches over one operator's lane until it is told to leave.
pub(super) async fn watch_over(shared: Arc<Shared>, mut orders: watch::Receiver<Order>) {
    let mut changes = shared.roster.changes();
    while *orders.borrow_and_update() == Order::Run {
        changes.mark_unchanged();
        let woken = shared.lane.woken();
        let rest = if shared.operator.is_up() {
            Rest::Change
        } else {
            let due = shared.operator.down_since() + shared.failover_after;
            if due > shared.clock.now() {
                Rest::Until(due)
            } else {
                match sweep(&shared).await {
                    Some(rest) => rest,
                    None => return,
                }
            }
        };
        tokio::select! {
            _ = orders.changed() => {}
            _ = changes.changed() => {}
            () = woken, if rest == Rest::Lane => {}
            () = shared.clock.sleep_until(rest.until(&shared)) => {}
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Somebody's standing changes.
    Change,
    /// The same, or a moment.
    Until(crate::clock::Timestamp),
    /// The same, or something new in the lane.
    Lane,
}

impl Rest {
    fn until(self, shared: &Shared) -> crate::clock::Timestamp {
        match self {
            Self::Until(due) => due,
            Self::Change | Self::Lane => shared.clock.now() + EVERY,
        }
    }
}

/// How often a lane is looked at that nobody else can empty: a changed route tells nobody, nor does a validity.
const EVERY: Duration = Duration::from_secs(30);
/// Messages in one batch.
const AT_ONCE: usize = 256;
/// Messages that are looked at and stay, in one sweep; about what a lane keeps in memory.
const MOST_STAY: usize = 40_000;

/// Empties the lane as far as others can take it. Nothing when the store is closed.
async fn sweep(shared: &Shared) -> Option<Rest> {
    let (mut stay, mut pulled, mut moved) = (Vec::new(), Vec::with_capacity(AT_ONCE), 0_u64);
    while stay.len() < MOST_STAY && shared.lane.pull(AT_ONCE, &mut pulled) > 0 {
        let policy = shared.store.policy();
        let mut notes = Vec::with_capacity(pulled.len());
        for message in pulled.drain(..) {
            match next_of(shared, &policy, &message) {
                Place::Move(upstream) => {
                    moved += 1;
                    notes.push(Note::Move { message: message.id, upstream });
                }
                Place::Stay => stay.push(message),
                Place::Nowhere => {
                    warn!(upstream = %shared.settings.name, message = %message.id, "a message has no route any more");
                    end_rest(&message, end(shared, State::Rejected, Reason::NoRoute), &mut notes);
                }
                Place::Over => {
                    end_rest(&message, end(shared, State::Expired, Reason::ExpiredInQueue), &mut notes);
                }
            }
        }
        if !notes.is_empty() {
            let room = shared.store.room().await.ok()?;
            room.operator(OperatorBatch { upstream: shared.id, notes, reply: None });
        }
    }
    let all_gone = stay.is_empty();
    while !stay.is_empty() {
        let mut notes = Vec::new();
        while notes.len() < AT_ONCE
            && let Some(message) = stay.pop()
        {
            give_back(shared, message, &mut notes);
        }
        if !notes.is_empty() {
            let room = shared.store.room().await.ok()?;
            room.operator(OperatorBatch { upstream: shared.id, notes, reply: None });
        }
    }
    if moved > 0 {
        shared.metrics.moved.inc_by(moved);
        info!(upstream = %shared.settings.name, moved, "is down; its messages go around it");
    }
    Some(if all_gone { Rest::Lane } else { Rest::Until(shared.clock.now() + EVERY) })
}

enum Place {
    Move(UpstreamId),
    Stay,
    Nowhere,
    Over,
}

fn next_of(shared: &Shared, policy: &Snapshot, message: &Message) -> Place {
    if message.expires <= shared.clock.now() {
        return Place::Over;
    }
    // Who was told of a part cannot be told of it anew; whatever else is begun goes on whole.
    if message.parts_sent > 0 && receipt_wish(policy, message) == ReceiptWish::Every {
        return if shared.is_configured { Place::Stay } else { Place::Nowhere };
    }
    let Some(way) = way_of(policy, message, shared.clock.now()) else { return Place::Nowhere };
    if let Some(next) = shared.roster.next_up(&way, shared.id) {
        return Place::Move(next);
    }
    if shared.is_configured {
        return Place::Stay;
    }
    // Nobody will ever empty this lane again. Those of its way that are left have all failed it: it ends.
    if way.is_empty() {
        return Place::Nowhere;
    }
    // Else any operator that is configured will do better; one that is only about to be known is waited for.
    match way.iter().find(|id| **id != shared.id && shared.roster.knows(**id)) {
        Some(next) => Place::Move(*next),
        None => Place::Stay,
    }
}

fn receipt_wish(policy: &Snapshot, message: &Message) -> ReceiptWish {
    policy.credential_by_id(message.credential).map(|found| found.bounds.receipts).unwrap_or_default()
}

fn end(shared: &Shared, state: State, reason: Reason) -> End {
    End { state, reason, error: 0, at: shared.clock.now() }
}

/// Puts a message that was taken back to the front of the lane. When its number may have come on a list meanwhile it
/// goes by the store, which ends it then.
pub(super) fn give_back(shared: &Shared, message: Message, notes: &mut Vec<Note>) {
    if let Some(message) = shared.lane.give_back_seen(message) {
        notes.push(Note::Move { message: message.id, upstream: shared.id });
    }
}

/// Ends what of a message no operator has: all of it, or the parts that were not taken.
pub(super) fn end_rest(message: &Message, end: End, notes: &mut Vec<Note>) {
    let mut note = |part| notes.push(Note::Ended { message: message.id, part, end });
    if message.parts_sent == 0 {
        note(0);
    } else {
        (message.parts_sent + 1..=message.parts).for_each(&mut note);
    }
}
