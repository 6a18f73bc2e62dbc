//! Making, stopping and resuming accounts of the store. Those from configuration files are changed there.

use super::request::{AccountLine, Answer, Created, NewAccount, Refused};
use crate::account::credential::Bounds;
use crate::account::{Credits, Origin, PasswordHash, Secret, Terms};
use crate::policy::filter::Filters;
use crate::store::{AccountDraft, CredentialDraft, PolicyChange, Store};

/// Whether a text can be the name of an account, a route, an operator: 1 to 64 letters, digits, `.`, `_` and `-`, so
/// that it stands in logs, metrics and commands as it is.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// The longest system_id (SMPP 3.4 §5.2.1) and, of those we make, the longest password (§5.2.2).
const MAX_SYSTEM_ID: usize = 15;
const MADE_PASSWORD: usize = 8;
/// The longest password that is taken when somebody brings one.
const MAX_PASSWORD: usize = 256;
/// Letters and digits that nobody takes for others.
const CLEAR: &[u8; 54] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ234567";

pub(super) async fn create(store: &Store, new: NewAccount) -> Result<Answer, Refused> {
    check(store, &new)?;
    let system_id = match new.system_id {
        Some(given) => given,
        None => free_system_id(store, &new.name),
    };
    let made = new.password.is_none().then(|| by_chance(MADE_PASSWORD));
    let secret = Secret::new(made.as_ref().or(new.password.as_ref()).cloned().unwrap_or_default());
    let hash = tokio::task::spawn_blocking(move || PasswordHash::of(&secret)).await;
    let password = hash
        .map_err(|e| Refused::because("store", e.to_string()))?
        .map_err(|e| Refused::because("store", e.to_string()))?;
    let bounds = Bounds { allowed_ips: new.allowed_ips, throughput: new.throughput, ..Bounds::default() };
    let draft = AccountDraft {
        name: new.name.clone(),
        parent: new.parent,
        opening_credit: new.opening_credit,
        suspended: false,
        origin: Origin::Store,
        terms: Terms::default(),
        filters: Filters::default(),
        credentials: vec![CredentialDraft {
            system_id: system_id.clone(),
            password,
            bounds,
            filters: Filters::default(),
        }],
    };
    store.apply(only(draft)).await?;
    Ok(Answer::Created(Created { name: new.name, system_id, password: made, available: new.opening_credit }))
}

/// Stops or resumes an account of the store.
pub(super) async fn suspend(store: &Store, line: AccountLine, suspended: bool) -> Result<Answer, Refused> {
    if line.origin == "file" {
        let text = format!(
            "account {:?} is from a configuration file: set suspended = {suspended} there and reload",
            line.name
        );
        return Err(Refused::because("read_only", text));
    }
    let policy = store.policy();
    let credentials = line.system_ids.iter().filter_map(|system_id| policy.credential(system_id));
    let draft = AccountDraft {
        name: line.name.clone(),
        parent: line.parent.clone(),
        opening_credit: Credits::ZERO,
        suspended,
        origin: Origin::Store,
        terms: line.terms.clone(),
        filters: line.filters.clone(),
        credentials: credentials
            .map(|known| CredentialDraft {
                system_id: known.system_id.clone(),
                password: known.password.clone(),
                bounds: known.bounds.clone(),
                filters: policy.credential_filters(known.id).cloned().unwrap_or_default(),
            })
            .collect(),
    };
    store.apply(only(draft)).await?;
    Ok(Answer::Account(Box::new(AccountLine { suspended, ..line })))
}

fn only(draft: AccountDraft) -> PolicyChange {
    PolicyChange { accounts: vec![draft], replaces_files: false, traffic: None }
}

fn check(store: &Store, new: &NewAccount) -> Result<(), Refused> {
    let bad = |text: &str| Err(Refused::because("bad_request", text));
    if !is_name(&new.name) {
        return bad("a name has 1 to 64 letters, digits, dots, hyphens or underscores");
    }
    if new.opening_credit < Credits::ZERO {
        return bad("the opening credit is 0 or more");
    }
    if new.system_id.as_ref().is_some_and(|id| !(1..=MAX_SYSTEM_ID).contains(&id.len())) {
        return bad("a system_id has 1 to 15 octets");
    }
    if new.password.as_ref().is_some_and(|p| !(1..=MAX_PASSWORD).contains(&p.len()) || p.contains('\0')) {
        return bad("a password has 1 to 256 octets, none of them NUL");
    }
    let policy = store.policy();
    if policy.accounts().any(|known| known.name == new.name) {
        return Err(Refused::because("exists", format!("there is an account {:?} already", new.name)));
    }
    match &new.system_id {
        Some(id) if policy.credential(id).is_some() => {
            Err(Refused::because("exists", format!("system_id {id:?} belongs to another account already")))
        }
        _ => Ok(()),
    }
}

/// The account's name where it fits and is free, else its beginning and something by chance.
fn free_system_id(store: &Store, name: &str) -> String {
    const TAIL: usize = 5;
    if name.len() <= MAX_SYSTEM_ID && store.policy().credential(name).is_none() {
        return name.to_owned();
    }
    let head: String = name.chars().take(MAX_SYSTEM_ID - TAIL - 1).collect();
    format!("{head}-{}", by_chance(TAIL))
}

fn by_chance(length: usize) -> String {
    use rand::seq::IndexedRandom;
    let mut source = rand::rng();
    (0..length).filter_map(|_| CLEAR.choose(&mut source)).map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_by_chance_is_clear_and_never_the_same() {
        let made: std::collections::HashSet<String> = (0..100).map(|_| by_chance(MADE_PASSWORD)).collect();
        assert_eq!(made.len(), 100);
        assert!(made.iter().all(|p| p.len() == MADE_PASSWORD && !p.contains(['0', 'O', '1', 'l', 'I', 'o'])));
    }
}
