//! The settings of the rooms that are still being built; they move there with them.

pub mod esme;
pub mod smsc;
