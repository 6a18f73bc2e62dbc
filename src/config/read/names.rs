//! Names of one kind: each may be taken once, and others refer to them.

use std::collections::BTreeMap;

use super::nearest::did_you_mean;
use super::{Spot, Value};

/// The names of one kind of thing, with the places where they were taken.
pub(in crate::config) struct Names {
    what: &'static str,
    taken: BTreeMap<String, Spot>,
}

impl Names {
    /// No names yet. `what` they are called in problems.
    pub(in crate::config) fn of(what: &'static str) -> Self {
        Self { what, taken: BTreeMap::new() }
    }

    /// Takes a name; refuses one that is taken.
    pub(in crate::config) fn claim(&mut self, value: &Value<'_>, name: String) -> Option<String> {
        match self.taken.get(&name) {
            Some(first) => value.say(
                format!("{} {name:?} is there already, at {}", self.what, value.shown(*first)),
                "write each one once",
            ),
            None => {
                self.taken.insert(name.clone(), value.spot());
                Some(name)
            }
        }
    }

    /// A name that must have been taken.
    pub(in crate::config) fn known(&self, value: &Value<'_>) -> Option<String> {
        let name = value.text()?;
        if self.taken.contains_key(&name) {
            return Some(name);
        }
        if value.sources().is_partial() {
            return None;
        }
        value.say(format!("there is no {} {name:?}", self.what), self.advice(&name))
    }

    /// What may have been meant by a name that nobody took.
    pub(in crate::config) fn advice(&self, name: &str) -> String {
        did_you_mean(name, self.taken.keys().map(String::as_str))
    }

    /// Where a name was taken.
    pub(in crate::config) fn place(&self, name: &str) -> Option<Spot> {
        self.taken.get(name).copied()
    }
}
