//! A lane: what waits for one operator or one account. Its head is in memory, the rest of a long one in the store.
//!
//! Inside an operator's lane every account has a flow of its own, and flows take turns, so that one account's flood does
//! not delay another's message; one-time codes (priority 4) go before everything. In an account's lane there is a flow for
//! each credential that alone may take something, beside the one for anybody. The writer alone puts things in, after
//! the commit; consumers take from memory only and ask for a refill when a flow that has more on disk runs low.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc};

use super::command::Command;
use crate::account::{AccountId, CredentialId};
use crate::clock::Timestamp;
use crate::message::{Delivery, DeliveryKey, Message, MessageId, PRIORITIES, UpstreamId};

/// What can stand in a lane.
pub trait Laned {
    /// The flow that it belongs to.
    fn flow(&self) -> FlowId;
    /// 0 lowest to 4.
    fn priority(&self) -> usize;
    /// Its place in time, among those of its account and priority.
    fn id(&self) -> MessageId;
    /// Since when it exists.
    fn since(&self) -> Timestamp {
        self.id().accepted_at()
    }
    /// It is taken from a lane that was looked through so often.
    fn note_looks(&mut self, _looks: u32) {}
}

impl Laned for Message {
    fn flow(&self) -> FlowId {
        self.account.into()
    }
    fn priority(&self) -> usize {
        usize::from(self.priority).min(PRIORITIES - 1)
    }
    fn id(&self) -> MessageId {
        self.id
    }
    fn note_looks(&mut self, looks: u32) {
        self.looks = looks;
    }
}

impl Laned for Delivery {
    fn flow(&self) -> FlowId {
        self.receiver.into()
    }
    fn priority(&self) -> usize {
        0
    }
    fn id(&self) -> MessageId {
        match self.key {
            DeliveryKey::Receipt(id) | DeliveryKey::Inbound(id) => id,
        }
    }
}

/// Asks the writer to bring the next of a flow into memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refill {
    pub(super) lane: LaneName,
    pub(super) flow: FlowId,
}

/// A flow within a lane: of an operator's lane an account, of an account's lane whoever alone may take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowId(u32);

impl FlowId {
    /// Of an account's lane: what any of its credentials may take.
    pub const ANYBODY: Self = Self(0);

    /// The account, of a flow in an operator's lane.
    pub(super) const fn account(self) -> AccountId {
        AccountId(self.0)
    }

    /// The credential, of a flow in an account's lane.
    pub(super) const fn receiver(self) -> Option<CredentialId> {
        if self.0 == 0 { None } else { Some(CredentialId(self.0)) }
    }
}

impl From<AccountId> for FlowId {
    fn from(account: AccountId) -> Self {
        Self(account.0)
    }
}

impl From<Option<CredentialId>> for FlowId {
    /// The store's numbers of credentials begin with 1.
    fn from(receiver: Option<CredentialId>) -> Self {
        receiver.map_or(Self::ANYBODY, |credential| Self(credential.0))
    }
}

/// Which lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LaneName {
    Upstream(UpstreamId),
    Account(AccountId),
}

/// How many messages of each account no operator has taken yet: counted by the writer, read by sessions.
#[derive(Default)]
pub(super) struct Backlogs(RwLock<HashMap<AccountId, Backlog>>);

/// How many messages of one account no operator has taken yet.
pub type Backlog = Arc<AtomicU64>;

impl Backlogs {
    pub(super) fn of(&self, account: AccountId) -> Backlog {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&account).cloned();
        known.unwrap_or_else(|| {
            let mut backlogs = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(backlogs.entry(account).or_default())
        })
    }
}

/// How long a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// In memory.
    pub ready: u64,
    /// In the store only.
    pub spilled: u64,
    /// When the oldest in memory came to exist.
    pub oldest: Option<Timestamp>,
}

/// What waits for one operator or one account.
pub struct Lane<T> {
    name: LaneName,
    flows: Mutex<Flows<T>>,
    wake: Notify,
    refills: mpsc::WeakSender<Command>,
}

/// The lane with this key, made when it is first asked for.
pub(super) fn of<K: Copy + Eq + std::hash::Hash, T: Laned>(
    lanes: &RwLock<HashMap<K, Arc<Lane<T>>>>,
    key: K,
    name: LaneName,
    refills: &mpsc::WeakSender<Command>,
) -> Arc<Lane<T>> {
    if let Some(lane) = lanes.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Arc::clone(lane);
    }
    let mut lanes = lanes.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(lanes.entry(key).or_insert_with(|| Arc::new(Lane::new(name, refills.clone()))))
}

struct Flows<T> {
    by_id: HashMap<FlowId, Flow<T>>,
    /// Flows with something in memory, in the order of their turns.
    turns: VecDeque<FlowId>,
    ready: usize,
    /// Flows with more in the store whose refill could not be asked for yet.
    hungry: Vec<FlowId>,
    /// Things of the highest priority in memory; lets `pull` look for them only when there are some.
    urgent: usize,
    /// How often it was looked through for what may not go out.
    looks: u32,
}

struct Flow<T> {
    queues: [VecDeque<T>; PRIORITIES],
    ready: usize,
    spilled: u64,
    refilling: bool,
    in_turn: bool,
}

/// Things of one flow that a lane keeps in memory.
pub(super) const FLOW_ROOM: usize = 8_192;
/// Things that a lane keeps in memory for all ids.
pub(super) const LANE_ROOM: usize = 32_768;
/// Below this a flow that has more in the store asks for it.
const LOW_WATER: usize = FLOW_ROOM / 4;

impl<T: Laned> Lane<T> {
    pub(super) fn new(name: LaneName, refills: mpsc::WeakSender<Command>) -> Self {
        let flows = Flows {
            by_id: HashMap::new(),
            turns: VecDeque::new(),
            ready: 0,
            hungry: Vec::new(),
            urgent: 0,
            looks: 0,
        };
        Self { name, flows: Mutex::new(flows), wake: Notify::new(), refills }
    }

    /// Takes up to `most` things; returns how many it took. Flows take turns, one thing a turn.
    pub fn pull(&self, most: usize, into: &mut Vec<T>) -> usize {
        self.pull_where(most, into, |_| true)
    }

    /// The same of an account's lane for a receiver that is bound as `credential`: what is for others alone stays.
    pub fn pull_as(&self, credential: CredentialId, most: usize, into: &mut Vec<T>) -> usize {
        let own = FlowId::from(Some(credential));
        self.pull_where(most, into, |flow| flow == FlowId::ANYBODY || flow == own)
    }

    fn pull_where(&self, most: usize, into: &mut Vec<T>, takes: impl Fn(FlowId) -> bool) -> usize {
        let mut flows = self.lock();
        let mut low = std::mem::take(&mut flows.hungry);
        let mut taken = 0;
        while taken < most {
            let Some((mut thing, hungry)) = flows.next(&takes) else { break };
            thing.note_looks(flows.looks);
            into.push(thing);
            taken += 1;
            low.extend(hungry);
        }
        drop(flows);
        self.ask_refills(low);
        taken
    }

    /// Puts something back in front of all that came after it: it was taken and could not be sent.
    pub fn give_back(&self, thing: T) {
        self.lock().put(thing, true);
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// The same for several at once, the last of them first: nobody can take a later one in between.
    pub fn give_back_all(&self, things: impl IntoIterator<Item = T>) {
        let mut flows = self.lock();
        things.into_iter().for_each(|thing| flows.put(thing, true));
        drop(flows);
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Wakes when something may have come. Make it before a `pull` that finds nothing, then wait for it.
    pub fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// How long the lane is.
    pub fn depth(&self) -> Depth {
        let flows = self.lock();
        let spilled = flows.by_id.values().map(|flow| flow.spilled).sum();
        let oldest = flows.by_id.values().filter_map(Flow::oldest).min();
        Depth { ready: flows.ready as u64, spilled, oldest }
    }

    /// How long one flow is.
    pub fn depth_of(&self, id: FlowId) -> Depth {
        let flows = self.lock();
        let depth =
            |flow: &Flow<T>| Depth { ready: flow.ready as u64, spilled: flow.spilled, oldest: flow.oldest() };
        flows.by_id.get(&id).map(depth).unwrap_or_default()
    }

    /// Whether a flow with something in memory is one that `picks` names.
    pub(super) fn has(&self, picks: impl FnMut(&FlowId) -> bool) -> bool {
        self.lock().turns.iter().any(picks)
    }

    /// How many more things may go straight to memory.
    pub(super) fn room(&self) -> usize {
        LANE_ROOM.saturating_sub(self.lock().ready)
    }

    /// How many more of a flow may: none when some before them wait in the store.
    pub(super) fn room_of(&self, id: FlowId) -> usize {
        match self.lock().by_id.get(&id) {
            None => FLOW_ROOM,
            Some(flow) if flow.spilled == 0 => FLOW_ROOM.saturating_sub(flow.ready),
            Some(_) => 0,
        }
    }

    /// Puts committed things in and wakes the consumers.
    pub(super) fn push(&self, things: impl IntoIterator<Item = T>) {
        let mut flows = self.lock();
        for thing in things {
            flows.put(thing, false);
        }
        drop(flows);
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Notes at the start what of a flow waits in the store; the first consumer asks for it.
    pub(super) fn begin(&self, id: FlowId, count: u64) {
        let mut flows = self.lock();
        flows.flow(id).spilled += count;
        if flows.flow(id).wants_refill() {
            flows.hungry.push(id);
        }
    }

    /// Notes that things of a flow wait in the store only.
    pub(super) fn spill(&self, id: FlowId, count: u64) {
        let mut flows = self.lock();
        let flow = flows.flow(id);
        flow.spilled += count;
        // Not left to a consumer: one that is busy with other accounts' floods would never see that this one starves.
        let is_hungry = flow.wants_refill();
        drop(flows);
        if is_hungry {
            self.ask_refills(vec![id]);
        }
    }

    /// Things came from the store (or turned out to be gone: then `exhausted`).
    pub(super) fn refilled(&self, id: FlowId, things: Vec<T>, exhausted: bool) {
        let mut flows = self.lock();
        let count = things.len() as u64;
        let flow = flows.flow(id);
        flow.refilling = false;
        flow.spilled = if exhausted { 0 } else { flow.spilled.saturating_sub(count) };
        for thing in things {
            flows.put(thing, false);
        }
        if flows.flow(id).wants_refill() {
            flows.hungry.push(id);
        }
        drop(flows);
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Copies of what `picks` names in memory, because it may have to be taken out. Whoever holds things of this lane
    /// meanwhile does not put them back unseen: see [`Lane::give_back_seen`].
    pub(super) fn look(&self, picks: impl Fn(&T) -> bool) -> Vec<T>
    where
        T: Clone,
    {
        let mut flows = self.lock();
        flows.looks = flows.looks.wrapping_add(1);
        let queues = flows.by_id.values().flat_map(|flow| &flow.queues);
        queues.flatten().filter(|thing| picks(thing)).cloned().collect()
    }

    /// Takes out of memory what `picks` names. What was taken since the look before is not put back unseen either.
    pub(super) fn look_and_take(&self, picks: impl Fn(&T) -> bool) -> Vec<T> {
        let mut flows = self.lock();
        flows.looks = flows.looks.wrapping_add(1);
        flows.remove(picks)
    }

    /// Takes everything out of memory that `picks` names: cancelled, replaced.
    pub(super) fn remove(&self, picks: impl Fn(&T) -> bool) -> Vec<T> {
        self.lock().remove(picks)
    }

    /// Asks for the refill of flows that said they want one. When the mailbox is full the next pull asks again.
    fn ask_refills(&self, mut ids: Vec<FlowId>) {
        let Some(mailbox) = self.refills.upgrade().filter(|_| !ids.is_empty()) else { return };
        while let Some(id) = ids.last().copied() {
            if mailbox.try_send(Command::Refill(Refill { lane: self.name, flow: id })).is_err() {
                self.lock().hungry.append(&mut ids);
                self.wake.notify_one();
                return;
            }
            ids.pop();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Flows<T>> {
        // A panic while the lock is held leaves counters at worst one off; the queues stay whole.
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane<Message> {
    /// Gives back a message that was taken, unless the lane was looked through meanwhile for what may not go out: then
    /// it comes back, for the store to look at.
    #[must_use = "what comes back is nowhere else"]
    pub fn give_back_seen(&self, message: Message) -> Option<Message> {
        let mut flows = self.lock();
        // What is begun goes on, so nobody looks for it.
        if message.parts_sent == 0 && message.looks != flows.looks {
            return Some(message);
        }
        flows.put(message, true);
        drop(flows);
        self.wake.notify_waiters();
        self.wake.notify_one();
        None
    }
}

impl<T: Laned> Flows<T> {
    fn flow(&mut self, id: FlowId) -> &mut Flow<T> {
        self.by_id.entry(id).or_default()
    }

    fn put(&mut self, thing: T, front: bool) {
        let id = thing.flow();
        let priority = thing.priority();
        let flow = self.by_id.entry(id).or_default();
        if front {
            let queue = &mut flow.queues[priority];
            let place = queue.iter().position(|other| other.id() > thing.id()).unwrap_or(queue.len());
            queue.insert(place, thing);
        } else {
            flow.queues[priority].push_back(thing);
        }
        flow.ready += 1;
        if !flow.in_turn {
            flow.in_turn = true;
            self.turns.push_back(id);
        }
        self.ready += 1;
        self.urgent += usize::from(priority == PRIORITIES - 1);
    }

    /// The next thing, and its flow if that now runs low although it has more in the store.
    fn next(&mut self, takes: impl Fn(FlowId) -> bool) -> Option<(T, Option<FlowId>)> {
        let is_urgent =
            |id: &FlowId| self.by_id.get(id).is_some_and(|f| !f.queues[PRIORITIES - 1].is_empty());
        let urgent = || self.turns.iter().position(|id| takes(*id) && is_urgent(id));
        let first = || self.turns.iter().position(|id| takes(*id));
        let place = if self.urgent == 0 { first() } else { urgent().or_else(first) }?;
        let id = self.turns.remove(place)?;
        let flow = self.by_id.get_mut(&id)?;
        let (priority, queue) =
            flow.queues.iter_mut().enumerate().rev().find(|(_, queue)| !queue.is_empty())?;
        let thing = queue.pop_front()?;
        flow.ready -= 1;
        self.ready -= 1;
        self.urgent -= usize::from(priority == PRIORITIES - 1);
        flow.in_turn = flow.ready > 0;
        if flow.in_turn {
            self.turns.push_back(id);
        }
        let hungry = flow.wants_refill().then_some(id);
        if flow.is_idle() {
            self.by_id.remove(&id);
        }
        Some((thing, hungry))
    }

    fn remove(&mut self, picks: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        for (id, flow) in &mut self.by_id {
            for (priority, queue) in flow.queues.iter_mut().enumerate() {
                let mut at = 0;
                while at < queue.len() {
                    if queue.get(at).is_some_and(&picks) {
                        removed.extend(queue.remove(at));
                        flow.ready -= 1;
                        self.ready -= 1;
                        self.urgent -= usize::from(priority == PRIORITIES - 1);
                    } else {
                        at += 1;
                    }
                }
            }
            flow.in_turn = flow.ready > 0;
            self.hungry.extend(flow.wants_refill().then_some(*id));
        }
        let by_id = &self.by_id;
        self.turns.retain(|id| by_id.get(id).is_some_and(|flow| flow.in_turn));
        removed
    }
}

impl<T: Laned> Flow<T> {
    /// Each queue is in the order of time, but for what was given back, which is older still.
    fn oldest(&self) -> Option<Timestamp> {
        self.queues.iter().filter_map(|queue| queue.front().map(Laned::since)).min()
    }
}

impl<T> Flow<T> {
    fn wants_refill(&mut self) -> bool {
        let wants = self.spilled > 0 && !self.refilling && self.ready < LOW_WATER;
        self.refilling |= wants;
        wants
    }

    fn is_idle(&self) -> bool {
        self.ready == 0 && self.spilled == 0 && !self.refilling
    }
}

impl<T> Default for Flow<T> {
    fn default() -> Self {
        Self {
            queues: std::array::from_fn(|_| VecDeque::new()),
            ready: 0,
            spilled: 0,
            refilling: false,
            in_turn: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Credits;
    use crate::message::RouteId;

    fn message(id: i64, parts_sent: u8) -> Message {
        Message {
            id: MessageId::from_raw(id),
            shown: MessageId::from_raw(id),
            account: AccountId(1),
            credential: CredentialId(1),
            pdu: bytes::Bytes::new(),
            parts: 2,
            parts_sent,
            price: Credits::ZERO,
            route: RouteId(1),
            priority: 0,
            attempts: 0,
            in_doubt: false,
            expires: Timestamp::NEVER,
            tried: Vec::new(),
            looks: 0,
        }
    }

    #[test]
    fn what_was_taken_before_a_look_is_not_put_back_unseen() {
        let (mailbox, _) = mpsc::channel(1);
        let lane = Lane::new(LaneName::Upstream(UpstreamId(1)), mailbox.downgrade());
        lane.push([message(1, 0), message(2, 1), message(3, 0)]);
        let taken = |most| {
            let mut taken = Vec::new();
            lane.pull(most, &mut taken);
            taken
        };
        for message in taken(3) {
            assert!(lane.give_back_seen(message).is_none());
        }
        let begun_and_not = taken(2);
        assert_eq!(lane.look(|message| message.id.raw() < 3).len(), 0);
        assert_eq!(lane.look(|_| true).len(), 1);
        let back = begun_and_not.into_iter().filter_map(|message| lane.give_back_seen(message));
        assert_eq!(back.map(|message| message.id.raw()).collect::<Vec<_>>(), [1]);
        let between = taken(2);
        assert!(lane.look_and_take(|_| true).is_empty());
        let back = between.into_iter().filter_map(|message| lane.give_back_seen(message));
        assert_eq!(back.map(|message| message.id.raw()).collect::<Vec<_>>(), [3]);
    }
}
