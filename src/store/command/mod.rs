//! What can be asked of the writer, and in which order it is done.

mod ask;
mod turns;

pub use ask::{
    Accept, Answered, Balance, CancelTarget, ClientAnswer, ClientBatch, ClientOutcome, ClientRequest,
    Delivered, Kept, Note, OperatorBatch, Replace, Report, Standing,
};
pub(super) use ask::{Admin, Command};
pub(super) use turns::Turns;
