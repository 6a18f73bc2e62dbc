//! What becomes of one message in the store: it flies, lands as a row, ends.

mod failover;
mod flight;
mod held;
mod listed;
mod onward;
mod past;
mod settle;

pub(super) use flight::land_journal;
pub(super) use listed::ListsGrown;
pub(super) use past::PAST;
pub(super) use settle::Standing;
