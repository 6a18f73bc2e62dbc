//! The policy from the shell: what files would change, doing it, the store's as a file, and what binds a message.

pub(super) mod apply;
pub(super) mod explain;
pub(super) mod export;
pub(super) mod lists;
pub(super) mod plan;

use super::admin::print_json;
use super::exit::outln;
use crate::admin::Changes;

/// Prints changes for people or scripts.
fn print_changes(changes: &Changes, done: bool, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(changes);
    }
    for change in &changes.changes {
        outln!("{change}")?;
    }
    for operator in &changes.operators {
        outln!("operator {operator}")?;
    }
    if changes.changes.is_empty() {
        outln!("no change: the store holds what the files say")?;
    } else {
        outln!("{}", changes.summary(done))?;
    }
    if !changes.takes_restart.is_empty() {
        outln!("takes a restart: {}", changes.takes_restart.join(", "))?;
    }
    Ok(())
}
