//! For practice and for tests: an operator's SMSC that behaves or misbehaves as told, and a client that makes load.
//!
//! Both are built on [`crate::link`] and the protocol crate alone. They know nothing of accounts, prices, routes or the
//! store, so what they report about the gateway is an outside view.

pub mod delay;
pub mod hostile;
pub mod ident;
pub mod load;
mod message;
pub mod operator;
pub mod password;
mod receipt;
pub mod settings;

pub use operator::{Operator, Stats};
pub use settings::Settings;
