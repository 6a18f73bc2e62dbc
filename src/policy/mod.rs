//! May it? At what price? By which way? Pure: reads an immutable snapshot, is told the time, does no I/O.

pub mod admit;
pub mod filter;
pub mod hours;
pub mod number;
pub mod price;
pub mod refusal;
pub mod route;
pub mod snapshot;
pub mod text;

pub use admit::{Admitted, Sender, Submission, admit};
pub use filter::explain::{Explanation, Verdict, explain};
pub use filter::rate::Bucket;
pub use price::{Billing, Network, Price, PriceList, Reach};
pub use refusal::{Cause, Denied, Refusal};
pub use route::{Asked, MoRoute, Route, Taker, Takers, WayTo};
pub use snapshot::{Hindrance, Incoherent, PastSchedule, Platform, Snapshot, SnapshotParts, TextLimits};
