//! May it? At what price? By which way? Pure: reads an immutable snapshot, is told the time, does no I/O.

pub mod admit;
pub mod hours;
pub mod number;
pub mod prefix;
pub mod rate;
pub mod refusal;
pub mod snapshot;
mod wording;

pub use admit::{Admitted, Submission, admit};
pub use rate::Bucket;
pub use refusal::Refusal;
pub use snapshot::{MoRoute, PastSchedule, Price, Route, Snapshot, SnapshotParts, TextLimits};
