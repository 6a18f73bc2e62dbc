//! May it? At what price? By which way? Pure: reads an immutable snapshot, is told the time, does no I/O.

pub mod admit;
pub mod filter;
pub mod hours;
pub mod number;
pub mod prefix;
pub mod rate;
pub mod refusal;
pub mod snapshot;
pub mod text;
mod wording;

pub use admit::{Admitted, Sender, Submission, admit};
pub use filter::explain::{Explanation, Verdict, explain};
pub use rate::Bucket;
pub use refusal::{Denied, Refusal};
pub use snapshot::{
    Hindrance, MoRoute, PastSchedule, Platform, PolicyFault, Price, Route, Snapshot, SnapshotParts,
    TextLimits,
};
