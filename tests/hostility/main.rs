//! Everybody misbehaves: rogues as clients, rogues as operators, and thousands of drawn conversations of both. The
//! daemon stands, who is good is served, every message comes to its end, and the books balance.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod conversations;
mod good;
mod house;
mod operators;
