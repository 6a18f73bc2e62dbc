//! Checks passwords: argon2id in a bounded pool, and a memory of what was verified once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::account::{KnownProofs, PasswordHash, Secret};

/// The pool. Never more than `workers` checks at a time, so that a storm of binds leaves the other threads alone.
#[derive(Clone)]
pub(in crate::esme) struct Proofs(Arc<Inner>);

struct Inner {
    known: Mutex<KnownProofs>,
    workers: Semaphore,
}

impl Proofs {
    pub(in crate::esme) fn new(workers: usize) -> Self {
        // The decoy is made before anyone could measure its making.
        drop(spawn_blocking(PasswordHash::decoy));
        Self(Arc::new(Inner { known: Mutex::default(), workers: Semaphore::new(workers) }))
    }

    /// Whether this was verified before: no work then.
    pub(super) fn knows(&self, name: &str, password: &Secret, hash: &PasswordHash) -> bool {
        self.known().holds(name, password, hash)
    }

    /// Whether `password` is right for `hash`. Without a hash the answer is no, after as much work as with one.
    pub(super) async fn verify(&self, name: &str, password: Secret, hash: Option<PasswordHash>) -> bool {
        let Ok(_worker) = self.0.workers.acquire().await else { return false };
        // Others may have proved the same while this one waited.
        if let Some(hash) = hash.as_ref().filter(|hash| self.knows(name, &password, hash)) {
            tracing::trace!(name, ?hash, "proved meanwhile");
            return true;
        }
        let check = move || {
            let right = hash.as_ref().unwrap_or_else(|| PasswordHash::decoy()).matches(&password);
            (right, password, hash)
        };
        match spawn_blocking(check).await {
            Ok((true, password, Some(hash))) => {
                self.known().remember(name, &password, &hash);
                true
            }
            _ => false,
        }
    }

    fn known(&self) -> MutexGuard<'_, KnownProofs> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_right_password_is_remembered_and_nothing_else() {
        let proofs = Proofs::new(1);
        let hash = PasswordHash::of(&Secret::new("secret")).unwrap();
        assert!(!proofs.verify("acme", Secret::new("wrong"), Some(hash.clone())).await);
        assert!(!proofs.knows("acme", &Secret::new("wrong"), &hash));
        assert!(!proofs.verify("acme", Secret::new("secret"), None).await);
        assert!(proofs.verify("acme", Secret::new("secret"), Some(hash.clone())).await);
        assert!(proofs.knows("acme", &Secret::new("secret"), &hash));
    }
}
