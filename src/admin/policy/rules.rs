//! What binds an account: every rule of every level, with whose it is and where it is written.

use serde::{Deserialize, Serialize};

use crate::admin::request::Refused;
use crate::policy::filter::{Holder, RuleNote};
use crate::store::{Store, StoreError};

/// A rule for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundBy {
    /// The word of its configuration key.
    pub rule: String,
    /// Whose it is: `the platform`, `account acme`, `credential acme-1`.
    pub of: String,
    /// What it says, short.
    pub says: String,
    /// Where it is written; empty when in no file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Whether it is enforced.
    pub enforce: bool,
}

pub(super) fn bound_by(note: &RuleNote) -> BoundBy {
    let of = match note.holder {
        Holder::Platform => "the platform".to_owned(),
        Holder::Account(_) => format!("account {}", note.name),
        Holder::Credential(_) => format!("credential {}", note.name),
    };
    BoundBy {
        rule: note.kind.word().to_owned(),
        of,
        says: note.says.clone(),
        place: note.place.clone(),
        enforce: note.enforce,
    }
}

/// Every rule that binds an account, and those of its credentials.
pub(in crate::admin) fn of_account(store: &Store, name: &str) -> Result<Vec<BoundBy>, Refused> {
    let policy = store.policy();
    let unknown = || StoreError::Unknown { what: "account", name: name.to_owned() };
    let account = policy.accounts().find(|account| account.name == name).ok_or_else(unknown)?;
    let mut ids = Vec::new();
    policy.account_rules(account.id).each(|id| ids.push(id));
    let mut own = policy.credentials_of(account.id);
    own.sort_unstable_by(|a, b| a.system_id.cmp(&b.system_id));
    for credential in own {
        policy.rules_of(credential.id).each(|id| {
            if !ids.contains(&id) {
                ids.push(id);
            }
        });
        ids.extend(policy.own_rate(credential.id));
    }
    Ok(ids.into_iter().filter_map(|id| policy.notes().find(id)).map(bound_by).collect())
}
