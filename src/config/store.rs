//! `[store]`: where the store lives and how it behaves.

use std::path::PathBuf;

use super::read::{Section, Value};
use super::{DAY, MINUTE, SECOND};
use crate::message::NodeNumber;
use crate::store::Settings;

/// Reads the table. Nothing comes back when the path is missing.
pub(super) fn read(root: &mut Section<'_>) -> Option<Settings> {
    let mut table = root.section("store", "[store]");
    let path = table.need("path", "\"gate.db\"", place);
    let mut settings = Settings::at(path.clone().unwrap_or_default());
    table.put("node", &mut settings.node, |v| NodeNumber::new(v.number(0..=63)?));
    table.put("mailbox", &mut settings.mailbox, |v| v.number(16..=65_536));
    table.put("batch", &mut settings.batch, |v| v.number(1..=65_536));
    table.put("owed_for", &mut settings.owed_for, |v| v.duration(MINUTE..=365 * DAY));
    table.put("join_within", &mut settings.join_within, |v| v.duration(SECOND..=7 * DAY));
    table.put("receipt_timeout", &mut settings.receipt_timeout, |v| v.duration(MINUTE..=365 * DAY));
    table.put("first_sendings", &mut settings.first_sendings, |v| v.number(1_000..=100_000_000));
    table.put("retention_days", &mut settings.history.retention_days, |v| v.number(1..=36_500));
    table.finish();
    path.map(|_| settings)
}

/// A file whose folder is there: the store makes its files, and no folder where somebody only wrote a wrong name.
fn place(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.path()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => value.say(
            format!("the folder of the store, {}, is not there", folder.display()),
            "make it, for the user that the daemon runs as, or name another",
        ),
        _ if path.is_dir() => value.refuse("write the path of a file; this is a folder"),
        _ => Some(path),
    }
}
