//! `password` and `password_file`: a secret that is written down, or stands in a file of its own.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::{Section, Value};
use crate::account::Secret;

/// A password that must be there, in one of the two ways.
pub(in crate::config) fn need(table: &mut Section<'_>, octets: RangeInclusive<usize>) -> Option<Secret> {
    let written = table.value("password");
    let file = table.value("password_file");
    match (written, file) {
        (None, None) => {
            table.miss("has no password", "add password or password_file");
            None
        }
        (Some(_), Some(file)) => {
            file.say("there are a password and a password_file".to_owned(), "keep one of them")
        }
        (Some(value), None) => read(&value, octets),
        (None, Some(value)) => from_file(&value, octets),
    }
}

/// A password as it is written.
pub(in crate::config) fn read(value: &Value<'_>, octets: RangeInclusive<usize>) -> Option<Secret> {
    bounded(value, Secret::new(value.text()?), octets)
}

/// The first line of a file.
pub(in crate::config) fn from_file(value: &Value<'_>, octets: RangeInclusive<usize>) -> Option<Secret> {
    let path = value.file()?;
    match std::fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => bounded(value, Secret::new(text.lines().next().unwrap_or("")), octets),
        Err(why) => value.say(
            format!("password_file names {}, which cannot be read ({why})", path.display()),
            "write the password as its first line",
        ),
    }
}

fn bounded(value: &Value<'_>, secret: Secret, octets: RangeInclusive<usize>) -> Option<Secret> {
    let length = secret.expose().len();
    if octets.contains(&length) {
        return Some(secret);
    }
    value.say(
        format!("the password has {length} octets"),
        format!("take one of {} to {} octets", octets.start(), octets.end()),
    )
}
