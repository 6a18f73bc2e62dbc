//! What can be asked of the writer, and in which order it is done.

mod ask;
mod sightings;
mod turns;

pub use ask::{
    Accept, Answered, Balance, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest,
    Delivered, Kept, Note, OperatorBatch, Replace, Report, Standing,
};
pub(super) use ask::{Admin, Command};
pub use sightings::EntryUse;
pub(super) use sightings::{EntryKey, Sightings};
pub(super) use turns::Turns;
