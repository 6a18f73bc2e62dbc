//! The policy as an operator at the shell asks for it: what changes, what binds whom, what would become of a message.

mod change;
mod explain;
mod lists;
mod rules;
mod usage;

pub use change::{Change, Changes, How, KeyChange, OperatorChange};
pub(super) use explain::explain;
pub use explain::{
    BalanceLine, Encoding, Explained, OperatorLine, PriceLine, Question, RouteLine, RuleLine, Says, TextLine,
};
pub use lists::{Listed, Numbers, NumbersChanged, number_of};
pub(super) use lists::{change, show};
pub use rules::BoundBy;
pub(super) use rules::of_account;
pub(super) use usage::of_branch;
pub use usage::{Usage, UsageLine};
