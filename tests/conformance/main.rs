//! The conformance items of `fixtures/conformance.tsv`, a section a file: conversations of scripted peers with the daemon.
//!
//! Items that a test of another file holds, by its name `c_NNN_…`, are not repeated here. `tests/statement.rs` finds
//! them all and keeps `fixtures/conformance.md`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod abuse;
mod bind;
mod centre;
mod close;
mod data;
mod deliver;
mod fields;
mod framing;
mod lenience;
mod manage;
mod phones;
mod receipt;
mod state;
mod text;
mod timers;
mod times;
mod tlvs;
mod version;
mod window;
