//! From files to the store and back: what to apply, what it would change, and what the store holds as a file.

mod apply;
mod compare;
mod export;
mod taken;
mod written;

pub use apply::{HashingFailed, NotApplied, apply, policy_change, policy_change_knowing};
pub use compare::compare;
pub use export::{ExportForm, export};
pub use taken::RunningSettings;
pub use written::filters as written_filters;
