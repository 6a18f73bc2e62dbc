//! Scripted peers for tests from outside: an ESME and an SMSC that say exactly what the test says, well or badly.
//!
//! They are written on plain sockets, apart from the daemon's own link, so that a fault there shows. Nothing sleeps;
//! every wait is bounded and fails with what was awaited.

#![allow(dead_code, unused_imports, reason = "each test binary uses some of it")]
#![allow(unreachable_pub, reason = "shared by several test binaries")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod binds;
mod esme;
mod evidence;
mod gate;
mod house;
mod ledger;
mod logs;
mod peer;
mod process;
mod pusher;
mod sender;
mod shell;
mod smsc;
mod vectors;
mod ways;

pub use bench::{Bench, policy, receipt, receipt_about, taken};
pub use binds::{Binds, certificate, hello, upstream};
pub use esme::{Esme, bind, submit};
pub use evidence::{Story, Taken, stories};
pub use gate::{Gate, NOON, Plan, one_of};
pub use house::House;
pub use ledger::{Fate, Ledger, numbered, parts, serial_in};
pub use logs::Logs;
pub use peer::{Incoming, PATIENCE, Peer, within};
pub use process::{Folder, Process, allow_open_files, alone, run, until};
pub use pusher::{Push, Pushed};
pub use sender::{Call, Sender};
pub use shell::{HEAD, Said, Shell};
pub use smsc::{Smsc, SmscLink};
pub use vectors::{octets, vector, vector_numbered};
pub use ways::{Ways, route, routed};
