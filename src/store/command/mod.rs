//! What can be asked of the writer, and in which order it is done.

mod admin;
mod ask;
mod turns;

pub(super) use admin::Admin;
pub use admin::{Counted, Listing, Probed};
pub(super) use ask::Command;
pub use ask::{
    Accept, Answered, Balance, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest,
    Delivered, Kept, Note, OperatorBatch, Replace, Report, Standing,
};
pub(super) use turns::Turns;
