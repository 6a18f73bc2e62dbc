//! May it? At what price? By which way? Pure: reads an immutable snapshot, is told the time, does no I/O.

pub mod admit;
pub mod prefix;
pub mod price;
pub mod rate;
pub mod refusal;
pub mod route;
pub mod snapshot;
mod wording;

pub use admit::{Admitted, Submission, admit};
pub use price::{Billing, Network, Price, PriceList, Reach};
pub use rate::Bucket;
pub use refusal::Refusal;
pub use route::{Asked, MoRoute, Route, Taker, Takers, WayTo};
pub use snapshot::{Incoherent, PastSchedule, Snapshot, SnapshotParts, TextLimits};
