//! One SMPP connection, either role: a socket, two buffers, and PDUs cut whole from the octets.
//!
//! The room knows sockets, TLS, framing and limits. It does not know sessions, accounts, messages or what a PDU
//! is for: whoever owns a [`Link`] decides that.
//!
//! One task owns one link and runs one `select!` loop over it:
//!
//! ```ignore
//! loop {
//!     tokio::select! {
//!         io = link.io(wants_more_input) => match io? {
//!             Io::Closed => break,
//!             Io::Moved { .. } => while let Some(frame) = link.next_frame()? { /* answers go to link.out() */ }
//!         },
//!         order = orders.recv() => { /* requests go to link.out() */ }
//!         () = sleep_until(link.deadline_or(far_away)) => link.check_limits(Instant::now())?,
//!     }
//! }
//! ```
//!
//! [`Link::io`] reads and writes in the same call, so there is no lock, no second task and no channel in between. One
//! read brings many PDUs, one write carries many answers.

mod buffer;
mod connection;
mod error;
pub mod sniff;
mod socket;
pub mod tls;
pub mod trace;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

pub use connection::{Io, Limits, Link, Traffic};
pub use error::LinkError;
pub use socket::TlsFacts;
