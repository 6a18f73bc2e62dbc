//! Who stands under whom.

use std::collections::HashMap;

use super::{ConfiguredAccount, DEEPEST};
use crate::config::read::{Names, Sources};

/// Every parent is there, and nobody is his own ancestor.
pub(in crate::config) fn check(accounts: &[ConfiguredAccount], names: &Names, sources: &Sources<'_>) {
    let parents: HashMap<&str, &str> =
        accounts.iter().filter_map(|a| Some((a.name.as_str(), a.parent.as_deref()?))).collect();
    for account in accounts {
        let Some(place) = names.place(&account.name) else { continue };
        let mut at = account.name.as_str();
        for depth in 0.. {
            let Some(parent) = parents.get(at) else { break };
            if names.place(parent).is_none() {
                if depth == 0 && !sources.is_partial() {
                    let what = format!("the parent {parent:?} of account {:?} is not there", account.name);
                    sources.report(place, what, names.advice(parent));
                }
                break;
            }
            if depth >= DEEPEST || *parent == account.name {
                let what = format!("account {:?} stands under itself, or too deep", account.name);
                sources.report(place, what, format!("let at most {DEEPEST} accounts stand above it"));
                break;
            }
            at = parent;
        }
    }
}
