//! The way to the store and back: a batch goes in, one answer with all outcomes comes out, one write carries them.

use std::time::Instant;

use bytes::BytesMut;
use smpp_proto::session::Traffic;
use tokio::task::spawn_blocking;

use super::{Batch, Client, Kind, Session, Tag};
use crate::esme::query;
use crate::store::{Answered, ClientAnswer, ClientBatch, ClientOutcome, Store};

impl Session {
    /// Sends a batch to the store; when its mailbox is full the batch waits, and the socket is not read meanwhile.
    pub(super) fn submit(&mut self, mut batch: Batch) {
        let Some(client) = self.client.as_deref_mut() else { return };
        batch.spend(client, &self.shared.store, self.link.out(), self.shared.clock.monotonic());
        client.tell_shadowed(&batch, &self.shared.store);
        if batch.requests.is_empty() {
            return;
        }
        let requests = batch.requests.len();
        client.faults = client.faults.saturating_sub(u32::try_from(requests).unwrap_or(u32::MAX));
        client.open += requests;
        client.batches.push_back(self.read_at);
        client.metrics.submitted(requests);
        let batch = ClientBatch { requests: batch.requests, reply: client.reply.clone() };
        match self.shared.store.try_room() {
            Some(room) => room.client(batch),
            None => {
                let store = self.shared.store.clone();
                self.batch_waits = Some(Box::pin(async move {
                    store.room().await?.client(batch);
                    Ok(())
                }));
            }
        }
    }

    /// Takes every answer that is there, before anything else is written.
    pub(super) fn take_answers(&mut self) {
        while let Some(Ok(answers)) = self.client.as_deref_mut().map(|client| client.answers.try_recv()) {
            self.answered(answers);
        }
    }

    /// Puts all responses of one answer into the write buffer.
    pub(super) fn answered(&mut self, answers: Vec<ClientAnswer>) {
        let Some(client) = self.client.as_deref_mut() else { return };
        let count = answers.len();
        let from_store = answers.first().is_some_and(|answer| Tag::unpack(answer.tag).kind != Kind::History);
        let read_at = if from_store { client.batches.pop_front() } else { None };
        client.looking_up &= from_store;
        let (waiting, accepted) = (client.lookups.len(), client.accepted);
        client.feel_pressure(&self.shared.store);
        for answer in answers {
            client.outcome(&answer, self.link.out());
        }
        // What goes on to the history stays open.
        let done = count - (client.lookups.len() - waiting);
        client.open = client.open.saturating_sub(done);
        client.metrics.answered(done, client.accepted - accepted, read_at.map(|at| Instant::now() - at));
        client.look_up(&self.shared.store);
        self.sent(Traffic::Transaction);
    }

    /// Tells the store what clients said to deliveries.
    pub(super) fn flush_answered(&mut self) {
        let Some(receiving) = self.client.as_deref_mut().and_then(|client| client.receiving.as_mut()) else {
            return;
        };
        if receiving.answered.is_empty() || self.answered_waits.is_some() {
            return;
        }
        let answered: Vec<Answered> = std::mem::take(&mut receiving.answered);
        match self.shared.store.try_room() {
            Some(room) => room.answered(answered),
            None => {
                let store = self.shared.store.clone();
                self.answered_waits = Some(Box::pin(async move {
                    store.room().await?.answered(answered);
                    Ok(())
                }));
            }
        }
    }
}

impl Client {
    fn outcome(&mut self, answer: &ClientAnswer, out: &mut BytesMut) {
        let tag = Tag::unpack(answer.tag);
        match answer.outcome {
            ClientOutcome::Accepted(id) => {
                self.accepted += 1;
                self.accepted(tag, id, out);
            }
            ClientOutcome::Refused(denied) => match tag.kind {
                Kind::Submit | Kind::Data | Kind::Multi => self.refuse_accept(tag, denied, out),
                _ => self.question_refused(tag, denied, out),
            },
            ClientOutcome::Standing(standing) => self.standing(tag, standing, out),
            ClientOutcome::Cancelled(count) => self.changed(tag, count > 0, out),
            ClientOutcome::Replaced(done) => self.changed(tag, done, out),
        }
    }

    /// Takes what the hot store did not know to the history: one look at a time, off the async threads.
    fn look_up(&mut self, store: &Store) {
        if self.looking_up || self.lookups.is_empty() {
            return;
        }
        self.looking_up = true;
        let (store, reply) = (store.clone(), self.reply.clone());
        let lookups = std::mem::take(&mut self.lookups);
        // The channel keeps room for this answer; a session that has gone gets none.
        drop(spawn_blocking(move || reply.try_send(query::look_up(&store, &lookups))));
    }
}
