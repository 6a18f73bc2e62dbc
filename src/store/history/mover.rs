//! The writer's side of the move: collects what has ended and hands it over in bulk.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::WeakSender;

use super::folder;
use super::historian::Historian;
use crate::clock::Timestamp;
use crate::message::MessageId;
use crate::store::command::Command;
use crate::store::{Settings, Shared, StoreError};

/// Collects what may move.
pub(in crate::store) struct Mover {
    waiting: Vec<MessageId>,
    since: Timestamp,
    orders: Option<SyncSender<Vec<MessageId>>>,
}

/// Rows that are moved at once.
const BULK: usize = 2_000;
/// Orders that may wait for the mover; above it ids wait in the writer's memory, eight octets each.
const ORDERS: usize = 8;
/// Fewer rows move after this long.
const SOON: Duration = Duration::from_millis(500);

impl Mover {
    pub(in crate::store) fn start(
        settings: &Settings,
        mailbox: WeakSender<Command>,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let path = folder(&settings.path);
        std::fs::create_dir_all(&path)
            .map_err(|e| StoreError::Open { path: path.clone(), why: e.to_string() })?;
        let (orders, inbox) = sync_channel(ORDERS);
        let historian = Historian::new(settings, mailbox, shared);
        std::thread::Builder::new()
            .name("store-history".to_owned())
            .spawn(move || historian.run(&inbox))
            .map_err(|e| StoreError::Open { path, why: e.to_string() })?;
        Ok(Self { waiting: Vec::new(), since: Timestamp::default(), orders: Some(orders) })
    }

    pub(in crate::store) fn note(&mut self, ids: &[MessageId]) {
        self.waiting.extend_from_slice(ids);
    }

    pub(in crate::store) fn send_when_worth_it(&mut self, now: Timestamp) {
        if self.waiting.len() < BULK && now.since(self.since) < SOON {
            return;
        }
        self.since = now;
        let Some(orders) = &self.orders else { return };
        while !self.waiting.is_empty() {
            let rest = self.waiting.split_off(self.waiting.len().min(BULK));
            let bulk = std::mem::replace(&mut self.waiting, rest);
            if let Err(TrySendError::Full(bulk) | TrySendError::Disconnected(bulk)) = orders.try_send(bulk) {
                self.waiting.extend(bulk);
                return;
            }
        }
    }

    pub(in crate::store) fn stop(&mut self) {
        self.orders = None;
    }
}
