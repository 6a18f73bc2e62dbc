//! The mover's side of the move: a thread with connections of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::WeakSender;
use tracing::{error, info};

use super::day::Day;
use super::mover::Order;
use super::{Moved, file_of, files};
use crate::message::MessageId;
use crate::store::command::Command;
use crate::store::journal::Row;
use crate::store::{Settings, Shared, StoreError};

/// Writes orders into the files of their days, and drops files whose retention is over.
pub(super) struct Historian {
    hot: PathBuf,
    retention: u32,
    mailbox: WeakSender<Command>,
    shared: Arc<Shared>,
    failing: Arc<AtomicBool>,
    /// The day written last.
    open: Option<Day>,
    dropped_on: i64,
}

/// One message of an order.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    /// To copy from the hot file.
    Copy(MessageId),
    /// To write as it is.
    Write(&'a Row),
}

impl Piece<'_> {
    pub(super) const fn id(&self) -> MessageId {
        match self {
            Self::Copy(id) => *id,
            Self::Write(row) => row.id,
        }
    }

    fn day(&self) -> i64 {
        self.id().accepted_at().utc_day()
    }
}

impl Historian {
    pub(super) fn new(
        settings: &Settings,
        mailbox: WeakSender<Command>,
        shared: Arc<Shared>,
        failing: Arc<AtomicBool>,
    ) -> Self {
        Self {
            hot: settings.path.clone(),
            retention: settings.history.retention_days,
            mailbox,
            shared,
            failing,
            open: None,
            dropped_on: i64::MIN,
        }
    }

    pub(super) fn run(mut self, inbox: &Receiver<Order>) {
        self.open_today();
        while let Ok(order) = inbox.recv() {
            if order.len() > 0 && !self.carry_out(order) {
                return;
            }
            self.drop_old();
        }
    }

    /// What an older version wrote today is listed before anything moves.
    fn open_today(&mut self) {
        let today = self.shared.clock.now().utc_day();
        if file_of(&self.hot, today).exists() {
            match Day::open(&self.hot, today) {
                Ok(day) => self.open = Some(day),
                Err(failure) => error!(%failure, "the history of today cannot be opened"),
            }
        }
    }

    /// Writes an order and has it forgotten; gives whether there is still a writer.
    fn carry_out(&mut self, order: Order) -> bool {
        let written = self.write(&order);
        self.failing.store(written.is_err(), Ordering::Relaxed);
        match written {
            Ok(with_more) => {
                let Some(mailbox) = self.mailbox.upgrade() else { return false };
                let rows = order.rows.iter().map(|row| row.id).collect();
                mailbox.blocking_send(Command::Forget(Moved { ids: order.ids, with_more, rows })).is_ok()
            }
            // They stay where they are and move after the next start.
            Err(failure) => {
                error!(%failure, messages = order.len(), "ended messages could not move to the history");
                // What is wrong may be the connection.
                self.open = None;
                true
            }
        }
    }

    /// Gives those that have rows in other tables too.
    fn write(&mut self, order: &Order) -> Result<Vec<MessageId>, StoreError> {
        let copies = order.ids.iter().map(|id| Piece::Copy(*id));
        let mut pieces: Vec<_> = copies.chain(order.rows.iter().map(Piece::Write)).collect();
        pieces.sort_unstable_by_key(Piece::id);
        let mut with_more = Vec::new();
        for pieces in pieces.chunk_by(|a, b| a.day() == b.day()) {
            let Some(number) = pieces.first().map(Piece::day) else { continue };
            let day = match self.open.take().filter(|day| day.number == number) {
                Some(day) => day,
                None => Day::open(&self.hot, number)?,
            };
            with_more.extend(self.open.insert(day).write(pieces)?);
        }
        Ok(with_more)
    }

    /// Once a day: files whose retention is over go, whole.
    fn drop_old(&mut self) {
        let today = self.shared.clock.now().utc_day();
        if self.dropped_on == today {
            return;
        }
        self.dropped_on = today;
        let oldest = today - i64::from(self.retention);
        // Nothing may be written into a file that is gone.
        self.open.take_if(|day| day.number < oldest);
        let files = match files(&self.hot) {
            Ok(files) => files,
            Err(failure) => return error!(%failure, "the history could not be looked through"),
        };
        for (_, path) in files.range(..oldest) {
            for ending in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(ending);
                match std::fs::remove_file(&name) {
                    Ok(()) if ending.is_empty() => {
                        info!(file = %path.display(), "retention is over, dropped");
                    }
                    Ok(()) => {}
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    Err(failure) => error!(%failure, file = %path.display(), "could not be dropped"),
                }
            }
        }
    }
}
