//! What a transaction does to the world once it is committed, and not before: lanes, answers, the move to history.

use std::collections::HashMap;

use tokio::sync::mpsc;

use crate::account::AccountId;
use crate::message::{Delivery, Message, MessageId, UpstreamId};
use crate::store::command::{ClientAnswer, Kept};
use crate::store::journal::Row;
use crate::store::{Lane, Shared};

/// Something to do once the transaction is committed.
type Act = Box<dyn FnOnce(&Shared) + Send>;

/// Collected while a transaction runs; dropped when it fails.
#[derive(Default)]
pub(super) struct Effects {
    messages: HashMap<UpstreamId, Vec<Message>>,
    deliveries: HashMap<AccountId, Vec<Delivery>>,
    message_spills: HashMap<(UpstreamId, AccountId), u64>,
    delivery_spills: HashMap<AccountId, u64>,
    message_refills: Vec<(UpstreamId, AccountId, Vec<Message>, bool)>,
    delivery_refills: Vec<(AccountId, Vec<Delivery>, bool)>,
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

impl Effects {
    /// Whether a new message may go straight into its lane's memory.
    pub(super) fn has_room(&self, lane: &Lane<Message>, upstream: UpstreamId, account: AccountId) -> bool {
        let coming = self.messages.get(&upstream).map_or(0, Vec::len);
        !self.message_spills.contains_key(&(upstream, account)) && lane.has_room(account, coming)
    }

    /// Whether something newly owed may go straight into its lane's memory.
    pub(super) fn has_room_for_delivery(&self, lane: &Lane<Delivery>, account: AccountId) -> bool {
        let coming = self.deliveries.get(&account).map_or(0, Vec::len);
        !self.delivery_spills.contains_key(&account) && lane.has_room(account, coming)
    }

    pub(super) fn push(&mut self, upstream: UpstreamId, message: Message) {
        self.messages.entry(upstream).or_default().push(message);
    }

    pub(super) fn spill(&mut self, upstream: UpstreamId, account: AccountId) {
        *self.message_spills.entry((upstream, account)).or_default() += 1;
    }

    pub(super) fn owe(&mut self, delivery: Delivery) {
        self.deliveries.entry(delivery.account).or_default().push(delivery);
    }

    pub(super) fn spill_owed(&mut self, account: AccountId) {
        *self.delivery_spills.entry(account).or_default() += 1;
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

    pub(super) fn refill_owed(&mut self, account: AccountId, them: Vec<Delivery>, exhausted: bool) {
        self.delivery_refills.push((account, them, exhausted));
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
    pub(super) fn happen(self, shared: &Shared) {
        for act in self.after {
            act(shared);
        }
        // Answers first: a receipt must not overtake the answer to its submit (SMPP 3.4 §2.11).
        for (reply, answers) in self.answers {
            // A session that has gone, or one that broke its word to keep room, gets nothing.
            let _ = reply.try_send(answers);
        }
        for (upstream, messages) in self.messages {
            shared.upstream_lane(upstream).push(messages);
        }
        for (account, deliveries) in self.deliveries {
            shared.account_lane(account).push(deliveries);
        }
        // Refills first: one that found the store empty must not forget what this transaction spilled after it.
        for (upstream, account, messages, exhausted) in self.message_refills {
            shared.upstream_lane(upstream).refilled(account, messages, exhausted);
        }
        for (account, deliveries, exhausted) in self.delivery_refills {
            shared.account_lane(account).refilled(account, deliveries, exhausted);
        }
        for ((upstream, account), count) in self.message_spills {
            shared.upstream_lane(upstream).spill(account, count);
        }
        for (account, count) in self.delivery_spills {
            shared.account_lane(account).spill(account, count);
        }
        for (reply, kept) in self.kept {
            let _ = reply.try_send(kept);
        }
    }
}
