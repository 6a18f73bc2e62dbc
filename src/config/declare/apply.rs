//! From the configured policy to a change of the store: plain passwords become hashes, those that are known stay.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::task::JoinSet;

use super::{Policy, Proof};
use crate::account::password::HashFailed;
use crate::account::{Origin, PasswordHash, Secret};
use crate::policy::Snapshot;
use crate::store::{AccountDraft, CredentialDraft, PolicyChange};

/// A password to hash, with the hash that the store has for its system_id.
struct Work {
    place: (usize, usize),
    password: Secret,
    stored: Option<PasswordHash>,
}

/// What to hand to `Store::apply` so that it holds the configured policy. A password that matches the stored hash
/// keeps it, so that nothing changes when nothing was changed. Checking costs as much as hashing, tens of milliseconds
/// each: it is spread over the cores, off the async threads.
///
/// # Errors
/// When a password could not be hashed.
pub async fn policy_change(policy: &Policy, current: &Snapshot) -> Result<PolicyChange, HashingFailed> {
    let mut accounts = Vec::with_capacity(policy.accounts.len());
    let mut work = Vec::new();
    for (row, account) in policy.accounts.iter().enumerate() {
        let mut credentials = Vec::with_capacity(account.credentials.len());
        for (column, credential) in account.credentials.iter().enumerate() {
            let stored = current.credential(&credential.system_id).map(|known| known.password.clone());
            let password = match &credential.proof {
                Proof::Hash(hash) => hash.clone(),
                Proof::Password(password) => {
                    let password = Secret::new(credential.bounds.counted(password.expose()));
                    work.push(Work { place: (row, column), password, stored });
                    PasswordHash::decoy().clone()
                }
            };
            let bounds = credential.bounds.clone();
            let (system_id, filters) = (credential.system_id.clone(), credential.filters.clone());
            credentials.push(CredentialDraft { system_id, password, bounds, filters });
        }
        accounts.push(AccountDraft {
            name: account.name.clone(),
            parent: account.parent.clone(),
            opening_credit: account.opening_credit,
            suspended: account.suspended,
            origin: Origin::File,
            terms: account.terms.clone(),
            filters: account.filters.clone(),
            credentials,
        });
    }
    for ((row, column), hash) in hashes(work).await? {
        accounts[row].credentials[column].password = hash;
    }
    Ok(PolicyChange { accounts, replaces_files: true, traffic: Some(policy.traffic.clone()) })
}

/// The passwords of a configuration could not be hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingFailed {
    /// One of them.
    #[error(transparent)]
    Hash(#[from] HashFailed),
    /// A thread ended before its work did.
    #[error("a thread that hashed passwords ended early: {0}")]
    Thread(String),
}

type Placed = ((usize, usize), PasswordHash);

async fn hashes(work: Vec<Work>) -> Result<Vec<Placed>, HashingFailed> {
    let total = work.len();
    let work = Arc::new(work);
    let cores = available_parallelism().map_or(1, NonZero::get).min(total.max(1));
    let mut threads = JoinSet::new();
    for first in 0..cores {
        let work = Arc::clone(&work);
        threads.spawn_blocking(move || work.iter().skip(first).step_by(cores).map(hash).collect::<Vec<_>>());
    }
    let mut done = Vec::with_capacity(total);
    while let Some(some) = threads.join_next().await {
        // A thread that broke has hashed nothing: its passwords must not end as the placeholder.
        done.extend(some.map_err(|e| HashingFailed::Thread(e.to_string()))?);
    }
    Ok(done.into_iter().collect::<Result<_, _>>()?)
}

fn hash(work: &Work) -> Result<Placed, HashFailed> {
    match &work.stored {
        Some(stored) if stored.matches(&work.password) => Ok((work.place, stored.clone())),
        _ => PasswordHash::of(&work.password).map(|hash| (work.place, hash)),
    }
}
