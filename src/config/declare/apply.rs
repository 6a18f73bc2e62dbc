//! From the configured policy to a change of the store: plain passwords become hashes, those that are known stay.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use tokio::task::JoinSet;

use super::compare;
use crate::account::password::HashFailed;
use crate::account::{KnownProofs, Origin, PasswordHash, Secret};
use crate::admin::Changes;
use crate::config::{Policy, Proof};
use crate::policy::Snapshot;
use crate::store::{AccountDraft, CredentialDraft, PolicyChange, Store, StoreError};

/// A password to hash, with the hash that the store has for its system_id.
struct Work {
    place: (usize, usize),
    system_id: String,
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
    let credentials = policy.accounts.iter().flat_map(|account| &account.credentials);
    let known = credentials.filter_map(|credential| current.credential(&credential.system_id));
    let stored = known.map(|known| (known.system_id.as_str(), &known.password)).collect();
    policy_change_knowing(policy, &stored, &Mutex::default()).await
}

/// The same, for whom it is not the first time: a password that was matched to the same hash before is not checked
/// again. `stored` are the hashes of the store by system_id; what is found out now is added to `proofs`.
///
/// # Errors
/// When a password could not be hashed.
pub async fn policy_change_knowing(
    policy: &Policy,
    stored: &HashMap<&str, &PasswordHash>,
    proofs: &Mutex<KnownProofs>,
) -> Result<PolicyChange, HashingFailed> {
    let mut accounts = Vec::with_capacity(policy.accounts.len());
    let mut work = Vec::new();
    for (row, account) in policy.accounts.iter().enumerate() {
        let mut credentials = Vec::with_capacity(account.credentials.len());
        for (column, credential) in account.credentials.iter().enumerate() {
            let password = match &credential.proof {
                Proof::Hash(hash) => hash.clone(),
                Proof::Password(password) => {
                    let password = Secret::new(credential.bounds.counted(password.expose()));
                    let system_id = credential.system_id.clone();
                    let stored = stored.get(system_id.as_str()).map(|hash| (*hash).clone());
                    let proofs = proofs.lock().unwrap_or_else(PoisonError::into_inner);
                    match stored {
                        Some(hash) if proofs.holds(&system_id, &password, &hash) => hash,
                        stored => {
                            work.push(Work { place: (row, column), system_id, password, stored });
                            PasswordHash::decoy().clone()
                        }
                    }
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
    for (Work { place: (row, column), system_id, password, .. }, hash) in hashes(work).await? {
        proofs.lock().unwrap_or_else(PoisonError::into_inner).remember(&system_id, &password, &hash);
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

type Hashed = (Work, PasswordHash);

async fn hashes(work: Vec<Work>) -> Result<Vec<Hashed>, HashingFailed> {
    let total = work.len();
    let cores = available_parallelism().map_or(1, NonZero::get).min(total.max(1));
    let mut shares: Vec<Vec<Work>> = (0..cores).map(|_| Vec::new()).collect();
    for (at, work) in work.into_iter().enumerate() {
        shares[at % cores].push(work);
    }
    let mut threads = JoinSet::new();
    for share in shares {
        threads.spawn_blocking(move || share.into_iter().map(hash).collect::<Vec<_>>());
    }
    let mut done = Vec::with_capacity(total);
    while let Some(some) = threads.join_next().await {
        // A thread that broke has hashed nothing: its passwords must not end as the placeholder.
        done.extend(some.map_err(|e| HashingFailed::Thread(e.to_string()))?);
    }
    Ok(done.into_iter().collect::<Result<_, _>>()?)
}

fn hash(work: Work) -> Result<Hashed, HashFailed> {
    match &work.stored {
        Some(stored) if stored.matches(&work.password) => {
            let stored = stored.clone();
            Ok((work, stored))
        }
        _ => PasswordHash::of(&work.password).map(|hash| (work, hash)),
    }
}

/// Makes a store hold the configured policy; says what that changed. The store takes all of it or nothing.
///
/// # Errors
/// When a password could not be hashed, the change contradicts what the store holds, or it cannot read or write.
pub async fn apply(
    store: &Store,
    policy: &Policy,
    proofs: &Mutex<KnownProofs>,
) -> Result<Changes, NotApplied> {
    let reading = store.clone();
    let stored = tokio::task::spawn_blocking(move || reading.reader()?.stored_policy()).await;
    let stored = stored.map_err(|e| StoreError::Failed(e.to_string()))??;
    let change = policy_change_knowing(policy, &stored.passwords(), proofs).await?;
    let changes = compare(&stored, &change)?;
    store.apply(change).await?;
    Ok(changes)
}

/// A configured policy was not applied; nothing changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotApplied {
    /// A password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// The store refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
