//! Reading TOML so that every problem has its file, line and column. Knows no key of ours.

mod duration;
pub(super) mod lenience;
mod names;
mod nearest;
mod problem;
pub(super) mod secret;
mod section;
mod source;
mod value;

pub(super) use duration::shown as shown_duration;
pub(super) use names::Names;
pub(super) use nearest::did_you_mean;
pub use problem::{Problem, Problems};
pub(super) use section::Section;
pub use source::Environment;
pub(super) use source::{Sources, Spot, Texts};
pub(super) use value::Value;
