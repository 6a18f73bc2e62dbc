//! What a transaction does to the world once it is committed, and not before: lanes, answers, the move to history.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tokio::sync::mpsc;

use crate::account::{AccountId, CredentialId};
use crate::message::{Delivery, Message, MessageId, UpstreamId};
use crate::store::command::{ClientAnswer, Kept};
use crate::store::journal::Row;
use crate::store::{FlowId, Lane, Laned, Shared};

/// Something to do once the transaction is committed.
type Act = Box<dyn FnOnce(&Shared) + Send>;

/// Collected while a transaction runs; dropped when it fails.
#[derive(Default)]
pub(super) struct Effects {
    upstreams: HashMap<UpstreamId, Coming<Message>, RandomState>,
    accounts: HashMap<AccountId, Coming<Delivery>, RandomState>,
    message_refills: Vec<(UpstreamId, AccountId, Vec<Message>, bool)>,
    delivery_refills: Vec<(AccountId, FlowId, Vec<Delivery>, bool)>,
    answers: Vec<(mpsc::Sender<Vec<ClientAnswer>>, Vec<ClientAnswer>)>,
    kept: Vec<(mpsc::Sender<Kept>, Kept)>,
    movable: Vec<MessageId>,
    movable_rows: Vec<Row>,
    /// Taken out of memory already; goes back when the transaction fails.
    taken_out: Vec<(UpstreamId, Message)>,
    owed_taken_out: Vec<Delivery>,
    after: Vec<Act>,
    /// Change of the number of parked receipts.
    pub(super) parked: i64,
    /// Change of the number of parts of messages from phones.
    pub(super) mo_parts: i64,
    /// Change of the number of aliases.
    pub(super) aliases: i64,
}

/// What a transaction puts into one lane.
struct Coming<T> {
    lane: Arc<Lane<T>>,
    things: Vec<T>,
    /// How many more the lane takes into memory; what consumers take meanwhile is not counted.
    room: usize,
    flows: HashMap<FlowId, Place, RandomState>,
}

/// What it puts into one flow.
struct Place {
    /// How many more it takes into memory.
    room: usize,
    spilled: u64,
}

impl<T: Laned> Coming<T> {
    fn to(lane: Arc<Lane<T>>) -> Self {
        let room = lane.room();
        Self { lane, things: Vec::new(), room, flows: HashMap::default() }
    }

    fn place(&mut self, flow: FlowId) -> &mut Place {
        let lane = &self.lane;
        self.flows.entry(flow).or_insert_with(|| Place { room: lane.room_of(flow), spilled: 0 })
    }

    fn has_room(&mut self, flow: FlowId) -> bool {
        self.room > 0 && self.place(flow).room > 0
    }

    fn push(&mut self, thing: T) {
        self.room = self.room.saturating_sub(1);
        let place = self.place(thing.flow());
        place.room = place.room.saturating_sub(1);
        self.things.push(thing);
    }

    /// What comes after something that waits in the store waits there too.
    fn spill(&mut self, flow: FlowId) {
        let place = self.place(flow);
        place.room = 0;
        place.spilled += 1;
    }

    fn arrive(&mut self) {
        if !self.things.is_empty() {
            self.lane.push(self.things.drain(..));
        }
    }

    fn tell_spills(self) {
        for (flow, place) in self.flows {
            if place.spilled > 0 {
                self.lane.spill(flow, place.spilled);
            }
        }
    }
}

impl Effects {
    /// Whether a new message may go straight into its lane's memory.
    pub(super) fn has_room(&mut self, shared: &Shared, upstream: UpstreamId, account: AccountId) -> bool {
        self.coming(shared, upstream).has_room(account.into())
    }

    /// Whether something newly owed may go straight into its lane's memory.
    pub(super) fn has_room_for_delivery(
        &mut self,
        shared: &Shared,
        account: AccountId,
        receiver: Option<CredentialId>,
    ) -> bool {
        self.owed(shared, account).has_room(receiver.into())
    }

    pub(super) fn push(&mut self, shared: &Shared, upstream: UpstreamId, message: Message) {
        self.coming(shared, upstream).push(message);
    }

    pub(super) fn spill(&mut self, shared: &Shared, upstream: UpstreamId, account: AccountId) {
        self.coming(shared, upstream).spill(account.into());
    }

    pub(super) fn owe(&mut self, shared: &Shared, delivery: Delivery) {
        self.owed(shared, delivery.account).push(delivery);
    }

    pub(super) fn spill_owed(&mut self, shared: &Shared, account: AccountId, receiver: Option<CredentialId>) {
        self.owed(shared, account).spill(receiver.into());
    }

    fn coming(&mut self, shared: &Shared, upstream: UpstreamId) -> &mut Coming<Message> {
        self.upstreams.entry(upstream).or_insert_with(|| Coming::to(shared.upstream_lane(upstream)))
    }

    fn owed(&mut self, shared: &Shared, account: AccountId) -> &mut Coming<Delivery> {
        self.accounts.entry(account).or_insert_with(|| Coming::to(shared.account_lane(account)))
    }

    pub(super) fn refill(
        &mut self,
        upstream: UpstreamId,
        account: AccountId,
        them: Vec<Message>,
        exhausted: bool,
    ) {
        self.message_refills.push((upstream, account, them, exhausted));
    }

    pub(super) fn refill_owed(
        &mut self,
        account: AccountId,
        receiver: Option<CredentialId>,
        them: Vec<Delivery>,
        exhausted: bool,
    ) {
        self.delivery_refills.push((account, receiver.into(), them, exhausted));
    }

    /// Takes out what this transaction would put into accounts' lanes and `picks` names.
    pub(super) fn withhold_owed(&mut self, picks: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        let coming = self.accounts.values_mut().map(|coming| &mut coming.things);
        let refills = self.delivery_refills.iter_mut().map(|(_, _, deliveries, _)| deliveries);
        coming.chain(refills).flat_map(|list| list.extract_if(.., |delivery| picks(delivery))).collect()
    }

    pub(super) fn answer(&mut self, reply: &mpsc::Sender<Vec<ClientAnswer>>, answers: Vec<ClientAnswer>) {
        self.answers.push((reply.clone(), answers));
    }

    pub(super) fn keep(&mut self, reply: &mpsc::Sender<Kept>, tags: Vec<u64>) {
        self.kept.push((reply.clone(), Kept { tags, durable: true }));
    }

    /// Ended, and nothing more is owed: it may move to the history.
    pub(super) fn move_to_history(&mut self, id: MessageId) {
        self.movable.push(id);
    }

    /// The same of a flight.
    pub(super) fn fly_to_history(&mut self, row: Row) {
        self.movable_rows.push(row);
    }

    pub(super) fn took_out(&mut self, upstream: UpstreamId, message: Message) {
        self.taken_out.push((upstream, message));
    }

    pub(super) fn took_out_owed(&mut self, delivery: Delivery) {
        self.owed_taken_out.push(delivery);
    }

    /// The transaction failed: memory is as it was.
    pub(super) fn undo(self, shared: &Shared) {
        for (upstream, message) in self.taken_out {
            shared.upstream_lane(upstream).give_back(message);
        }
        for delivery in self.owed_taken_out {
            shared.account_lane(delivery.account).give_back(delivery);
        }
    }

    pub(super) fn after(&mut self, act: impl FnOnce(&Shared) + Send + 'static) {
        self.after.push(Box::new(act));
    }

    pub(super) fn movable(&self) -> &[MessageId] {
        &self.movable
    }

    pub(super) fn movable_rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.movable_rows)
    }

    /// Makes it so.
    pub(super) fn happen(mut self, shared: &Shared) {
        for act in self.after {
            act(shared);
        }
        // Answers first: a receipt must not overtake the answer to its submit (SMPP 3.4 §2.11).
        for (reply, answers) in self.answers {
            // A session that has gone, or one that broke its word to keep room, gets nothing.
            let _ = reply.try_send(answers);
        }
        for coming in self.upstreams.values_mut() {
            coming.arrive();
        }
        for owed in self.accounts.values_mut() {
            owed.arrive();
        }
        // Refills first: one that found the store empty must not forget what this transaction spilled after it.
        for (upstream, account, messages, exhausted) in self.message_refills {
            shared.upstream_lane(upstream).refilled(account.into(), messages, exhausted);
        }
        for (account, flow, deliveries, exhausted) in self.delivery_refills {
            shared.account_lane(account).refilled(flow, deliveries, exhausted);
        }
        self.upstreams.into_values().for_each(Coming::tell_spills);
        self.accounts.into_values().for_each(Coming::tell_spills);
        for (reply, kept) in self.kept {
            let _ = reply.try_send(kept);
        }
    }
}
