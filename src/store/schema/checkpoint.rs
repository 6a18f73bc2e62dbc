//! Copying the write-ahead log into the hot file, beside the writer: it would stand still for a tenth of a second.
//!
//! A checkpoint that runs beside a writer never catches up with it, and a log that is not copied whole is never begun
//! anew. So a thread copies nearly all of it, and the writer copies the last pages itself, after a commit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tracing::error;

use crate::store::StoreError;

/// Pages in the log before it is copied: 8,000 pages of 8 KiB.
const PAGES: i32 = 8_000;
/// While something keeps it from being copied whole, it is tried again after so many pages more.
const AGAIN: i32 = 1_000;
/// So few pages the writer copies itself.
const REST: i64 = 200;
/// How often the thread goes after the writer.
const ROUNDS: usize = 4;

/// Copies the log of this connection from now on, instead of SQLite's own checkpoints.
pub(in crate::store) fn beside(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let (ask, asked) = sync_channel(1);
    let is_nearly_done = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&is_nearly_done);
    let failed = |e: std::io::Error| StoreError::Open { path: path.to_path_buf(), why: e.to_string() };
    let other = Connection::open(path)?;
    other.pragma_update(None, "synchronous", "FULL")?;
    std::thread::Builder::new()
        .name("store-log".to_owned())
        .spawn(move || copy(&other, &asked, &done))
        .map_err(failed)?;
    let mut next = PAGES;
    Ok(db.wal_hook(Some(move |log: &mut Wal, pages: std::ffi::c_int| {
        if pages < PAGES {
            next = PAGES;
            // What was said of a log that has begun anew since would let the writer copy the next one whole.
            is_nearly_done.store(false, Ordering::Relaxed);
        } else if is_nearly_done.swap(false, Ordering::Acquire) {
            if let Err(failure) = log.checkpoint() {
                error!(%failure, "the last pages of the write-ahead log could not be copied");
            }
        } else if pages >= next {
            next = pages.saturating_add(AGAIN);
            // It is at it already: that is fine.
            let _ = ask.try_send(());
        }
        Ok(())
    }))?)
}

/// Runs until the connection of the writer closes.
fn copy(db: &Connection, asked: &Receiver<()>, is_nearly_done: &AtomicBool) {
    while asked.recv().is_ok() {
        for _ in 0..ROUNDS {
            let round = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            match round {
                Ok((pages, copied)) if pages - copied > REST => {}
                Ok(_) => break,
                Err(failure) => {
                    error!(%failure, "the write-ahead log could not be copied into the store's file");
                    break;
                }
            }
        }
        is_nearly_done.store(true, Ordering::Release);
    }
}
