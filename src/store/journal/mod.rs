//! What happens to plain messages, written down as it happens: one blob a transaction instead of a row a message.
//!
//! A plain message is of one part and goes the straight way: accepted, taken by an operator, ended, its receipt taken
//! by the client. It lives in the writer's memory ([`Flights`]), and the journal alone makes it durable, until it moves
//! to the history. Whatever else befalls it, it *lands*: it becomes a row of `message` as any other, and the journal
//! says that it left. Memory, journal and the time to read it back are bounded: the oldest land.
//!
//! What messages are counted by stands here too, until enough has come together to be put into the tables of counters.
//!
//! A row of `journal` stands at the number of octets before it. What lies before the oldest flight is removed.

mod counted;
mod flights;
mod log;
mod record;
mod row;

pub(super) use counted::Counted;
pub(super) use flights::Flights;
pub(super) use log::Log;
pub(super) use row::{Ended, Row, Sent, WRITE};
