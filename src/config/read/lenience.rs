//! `lenience`: a profile, or a table with a profile and what differs from it.

use smpp_proto::pdu::{Quirk, Quirks};

use super::{Section, Value};
use crate::account::{Manners, Profile};

/// Reads `"strict"`, or `{ profile = "strict", accept = ["long_password"], refuse = [] }`.
pub(in crate::config) fn read(value: &Value<'_>) -> Option<Manners> {
    let Some(mut table) = Section::inline(value, "lenience") else {
        return profile(value).map(Manners::of);
    };
    let mut manners = Manners::default();
    table.put("profile", &mut manners.profile, profile);
    table.put("accept", &mut manners.accept, quirks);
    table.put("refuse", &mut manners.refuse, |value| {
        let refused = quirks(value)?;
        match refused.iter().find(|quirk| quirk.is_always_forgiven()) {
            Some(quirk) => value.say(
                format!("{quirk} cannot be refused"),
                "take it out; nothing in the specification allows an error for it",
            ),
            None => Some(refused),
        }
    });
    table.finish();
    Some(manners)
}

fn profile(value: &Value<'_>) -> Option<Profile> {
    value.one_of(&[
        ("strict", Profile::Strict),
        ("default", Profile::Default),
        ("permissive", Profile::Permissive),
    ])
}

fn quirks(value: &Value<'_>) -> Option<Quirks> {
    let words: Vec<_> = Quirk::ALL.iter().map(|quirk| (quirk.as_str(), *quirk)).collect();
    value.list(|value| value.one_of(&words)).map(|list| list.into_iter().collect())
}
