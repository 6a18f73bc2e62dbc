//! What names and texts say to a human: senders, look-alikes, content rules, plain readings, keywords.
//!
//! Knows characters. It does not know accounts, messages or what a finding leads to: that is said by the caller.

pub mod content;
mod invisible;
pub mod opt;
pub mod registry;
pub mod sender;
pub mod skeleton;
pub mod unicode;
pub(super) mod wording;

pub use content::{Content, ContentFault, ContentMatch, ContentRule, LinkRule, Scratch};
pub use opt::{Keywords, Wish, keyword};
pub use registry::{NameMatch, ProtectedName, Registry, RegistryFault};
pub use sender::{SenderPattern, SenderPatternFault, SenderSet};
pub use skeleton::skeleton;
pub use unicode::to_gsm7_text;
