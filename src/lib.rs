//! Tollgate: a carrier SMS gateway. This file wires the rooms; it is the only place that knows all of them.

pub mod account;
pub mod admin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod link;
pub mod message;
pub mod policy;
pub mod sim;
pub mod smsc;
pub mod store;
