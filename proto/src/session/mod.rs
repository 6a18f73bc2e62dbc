//! Who may say what, and when: bind states, the window of open requests, and the timers of a session.
//!
//! Everything here is state and rules. It knows no socket and no clock: the present [`Moment`] is an argument, and
//! what falls due is asked for. Accounts, passwords and messages are not known either.

pub mod moment;
pub mod state;
pub mod timers;
pub mod window;

pub use crate::pdu::BindKind;
pub use moment::Moment;
pub use state::{IllegalTransition, Role, Session, State, Verdict, allowed, may};
pub use timers::{Event, Timers, TimersSettings, Traffic};
pub use window::{Window, WindowFull, WindowSettings};
