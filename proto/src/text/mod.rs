//! What a message says: alphabets, user data headers, parts and delivery receipts.
//!
//! This room knows octets and characters. It does not know PDUs, sessions, accounts or routes: which alphabet a peer
//! means by a data_coding, and whether a text may be split, is said by the caller.

pub mod alphabet;
pub mod charset;
pub mod encoding;
pub mod gsm7;
pub mod join;
pub mod octet;
pub mod parts;
pub mod receipt;
pub mod ucs2;
pub mod udh;

pub use alphabet::{decode, decode_with, narrowest};
pub use charset::Charset;
pub use encoding::{Allowed, Written, choose};
pub use join::Joiner;
pub use parts::{
    Form, Part, Parts, PartsError, Reference, Rewritten, Split, UserData, Whole, count, split, whole,
};
pub use receipt::{Receipt, Report};
pub use udh::{Concatenation, Udh, UdhError, Width};
