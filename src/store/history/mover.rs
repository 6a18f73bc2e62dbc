//! The writer's side of the move: collects what has ended and hands it over in bulk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::WeakSender;

use super::folder;
use super::historian::Historian;
use crate::clock::Timestamp;
use crate::message::MessageId;
use crate::store::command::Command;
use crate::store::journal::Row;
use crate::store::{Settings, Shared, StoreError};

/// Collects what may move.
pub(in crate::store) struct Mover {
    ids: VecDeque<MessageId>,
    rows: VecDeque<Row>,
    /// When what waits was first seen to wait.
    since: Option<Timestamp>,
    /// The day on which the Historian last had an order; with the first one of a day it looks at the retention.
    day: i64,
    /// An order that found the queue full.
    staged: Option<Order>,
    orders: Option<SyncSender<Order>>,
    failing: Arc<AtomicBool>,
}

/// What moves in one transaction of each day that it falls on.
#[derive(Default)]
pub(super) struct Order {
    /// Rows to copy from the hot file.
    pub(super) ids: Vec<MessageId>,
    /// Rows to write as they are; they have no rows in other tables.
    pub(super) rows: Vec<Row>,
}

/// Messages of an order at most, and so many make one worth it.
const BULK: usize = 8_192;
/// Orders that may wait for the Historian; what comes on top waits in the writer's memory: eight octets, or a row.
const ORDERS: usize = 2;
/// Rows that may wait in the writer's memory before it is said that the Historian is behind: with those in the queue
/// and in its hands 65,536.
const ROWS: usize = 65_536 - (ORDERS + 1) * BULK;
/// Fewer messages move after this long.
const SOON: Duration = Duration::from_secs(2);

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
        let failing = Arc::new(AtomicBool::new(false));
        let historian = Historian::new(settings, mailbox, shared, Arc::clone(&failing));
        std::thread::Builder::new()
            .name("store-history".to_owned())
            .spawn(move || historian.run(&inbox))
            .map_err(|e| StoreError::Open { path, why: e.to_string() })?;
        Ok(Self::new(orders, failing))
    }

    fn new(orders: SyncSender<Order>, failing: Arc<AtomicBool>) -> Self {
        Self {
            ids: VecDeque::new(),
            rows: VecDeque::new(),
            since: None,
            day: i64::MIN,
            staged: None,
            orders: Some(orders),
            failing,
        }
    }

    /// These have ended and stand in the hot file.
    pub(in crate::store) fn note(&mut self, ids: &[MessageId]) {
        self.ids.extend(ids);
    }

    /// These have ended and stand here. Until a `Forget` names them they are the writer's to keep: when the daemon
    /// stops or the file cannot be written, they have not moved.
    pub(in crate::store) fn note_rows(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// Whether rows should not be noted now: too many wait, or the last ones could not be written.
    pub(in crate::store) fn is_behind(&self) -> bool {
        self.rows.len() > ROWS || self.failing.load(Ordering::Relaxed)
    }

    /// When something waits long enough to be sent; the writer sees to it that it has something to do then.
    pub(in crate::store) fn due(&self) -> Timestamp {
        // What finds the queue full goes with the commit that forgets what is in it.
        let since = self.since.filter(|_| self.staged.is_none() && self.orders.is_some());
        since.map_or(Timestamp::NEVER, |since| since + SOON)
    }

    /// After each commit, and so with each tick.
    pub(in crate::store) fn send_when_worth_it(&mut self, now: Timestamp) {
        let Some(orders) = &self.orders else { return };
        loop {
            let waiting = self.ids.len() + self.rows.len();
            if waiting > 0 {
                // A clock that went back must not make them wait for the time it shows no more.
                self.since = Some(self.since.unwrap_or(now).min(now));
            }
            let order = if let Some(order) = self.staged.take() {
                order
            } else if waiting >= BULK
                || self.since.is_some_and(|since| now.since(since) >= SOON)
                || self.day != now.utc_day()
            {
                self.since = None;
                Order::next(&mut self.ids, &mut self.rows)
            } else {
                return;
            };
            match orders.try_send(order) {
                Ok(()) => self.day = now.utc_day(),
                Err(TrySendError::Full(order)) => {
                    self.staged = Some(order);
                    return;
                }
                // The Historian is gone, and nothing moves any more.
                Err(TrySendError::Disconnected(_)) => return self.stop(),
            }
        }
    }

    /// What was not handed over stays where it is.
    pub(in crate::store) fn stop(&mut self) {
        self.orders = None;
    }
}

impl Order {
    /// The next messages; what stands in memory first, since it takes most room.
    fn next(ids: &mut VecDeque<MessageId>, rows: &mut VecDeque<Row>) -> Self {
        let rows: Vec<_> = rows.drain(..rows.len().min(BULK)).collect();
        let ids = ids.drain(..ids.len().min(BULK - rows.len())).collect();
        Self { ids, rows }
    }

    pub(super) const fn len(&self) -> usize {
        self.ids.len() + self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_763_640_000_000);

    fn mover() -> (Mover, Receiver<Order>) {
        let (orders, inbox) = sync_channel(ORDERS);
        let mut mover = Mover::new(orders, Arc::default());
        mover.send_when_worth_it(NOON);
        assert_eq!(
            inbox.try_recv().map(|order| order.len()),
            Ok(0),
            "the first of a day looks at the retention"
        );
        (mover, inbox)
    }

    fn ids(count: usize) -> Vec<MessageId> {
        (0..).map(MessageId::from_raw).take(count).collect()
    }

    #[test]
    fn few_wait_until_it_is_time_and_many_do_not() {
        let (mut mover, inbox) = mover();
        assert_eq!(mover.due(), Timestamp::NEVER);
        mover.note(&ids(3));
        mover.send_when_worth_it(NOON);
        assert!(inbox.try_recv().is_err());
        assert_eq!(mover.due(), NOON + SOON);
        mover.send_when_worth_it(NOON + SOON);
        assert_eq!(inbox.try_recv().unwrap().ids, ids(3));
        assert_eq!(mover.due(), Timestamp::NEVER);
        mover.note(&ids(BULK + 1));
        mover.send_when_worth_it(NOON + SOON);
        assert_eq!(inbox.try_recv().unwrap().ids, ids(BULK));
        assert!(inbox.try_recv().is_err());
        // The clock goes back by a day: they do not wait for a day.
        mover.send_when_worth_it(NOON - Duration::from_secs(86_400));
        assert_eq!(inbox.try_recv().unwrap().ids.len(), 1);
    }

    #[test]
    fn what_finds_the_queue_full_goes_later_and_in_order() {
        let (mut mover, inbox) = mover();
        mover.note(&ids(5 * BULK));
        let mut moved = Vec::new();
        for _ in 0..5 {
            mover.send_when_worth_it(NOON);
            moved.extend(inbox.try_recv().unwrap().ids);
        }
        assert_eq!(moved, ids(5 * BULK));
        assert!(inbox.try_recv().is_err());
    }

    #[test]
    fn the_mover_is_behind_with_many_rows_or_after_a_failure() {
        let (mut mover, inbox) = mover();
        mover.note_rows(ids(ROWS).into_iter().map(Row::sample).collect());
        assert!(!mover.is_behind());
        mover.note_rows(vec![Row::sample(MessageId::from_raw(1))]);
        assert!(mover.is_behind());
        mover.send_when_worth_it(NOON);
        assert!(!mover.is_behind());
        assert_eq!(inbox.try_recv().unwrap().rows.len(), BULK);
        mover.failing.store(true, Ordering::Relaxed);
        assert!(mover.is_behind());
    }
}
