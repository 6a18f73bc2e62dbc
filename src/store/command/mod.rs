//! What can be asked of the writer, and in which order it is done.

mod admin;
mod ask;
mod sightings;
mod turns;

pub(super) use admin::Admin;
pub use admin::{Counted, Listing, Probed};
pub(super) use ask::Command;
pub use ask::{
    Accept, Answered, Balance, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest,
    Delivered, Kept, Note, OperatorBatch, Replace, Report, Standing,
};
pub use sightings::EntryUse;
pub(super) use sightings::{EntryKey, Sightings};
pub(super) use turns::Turns;
