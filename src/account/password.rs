//! Passwords: argon2id hashes, and a memory of proofs so that a storm of reconnects does not queue behind them.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Secret;

/// An argon2id hash in PHC form (`$argon2id$v=19$m=…`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a text is not a usable hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password_hash is an argon2 hash in PHC form ($argon2id$v=19$m=19456,t=2,p=1$…$…)")]
pub struct NotAHash;

/// The password could not be hashed (the machine gave no random octets).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashFailed(String);

impl PasswordHash {
    /// Hashes a password: argon2id, 19 MiB, 2 passes, 1 lane. Costs tens of milliseconds; never on an async thread.
    ///
    /// # Errors
    /// When the machine gives no random octets for the salt.
    pub fn of(password: &Secret) -> Result<Self, HashFailed> {
        match hasher().hash_password(password.expose()) {
            Ok(hash) => Ok(Self(hash.to_string())),
            Err(error) => Err(HashFailed(error.to_string())),
        }
    }

    /// Reads a hash that somebody else made.
    ///
    /// # Errors
    /// When it is no argon2 hash.
    pub fn parse(text: &str) -> Result<Self, NotAHash> {
        match phc::PasswordHash::new(text) {
            Ok(hash) if hash.algorithm.as_str().starts_with("argon2") => Ok(Self(text.to_owned())),
            _ => Err(NotAHash),
        }
    }

    /// A hash that nothing matches, which costs as much to check as a real one: for unknown names.
    #[must_use]
    pub fn decoy() -> &'static Self {
        static DECOY: OnceLock<PasswordHash> = OnceLock::new();
        DECOY.get_or_init(|| {
            let random: [u8; 32] = rand::random();
            PasswordHash::of(&Secret::new(random)).unwrap_or_else(|_| PasswordHash(String::new()))
        })
    }

    /// Whether `password` is the one that was hashed. Costs tens of milliseconds.
    #[must_use]
    pub fn matches(&self, password: &Secret) -> bool {
        phc::PasswordHash::new(&self.0)
            .is_ok_and(|hash| hasher().verify_password(password.expose(), &hash).is_ok())
    }

    /// The PHC text, for the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// Proofs that were checked once: a keyed hash of password and stored hash by name. Memory only; bounded.
pub struct KnownProofs {
    key: [u8; 32],
    proofs: HashMap<String, [u8; 32]>,
}

impl KnownProofs {
    /// Nothing known yet; the key is made anew in every process.
    #[must_use]
    pub fn new() -> Self {
        Self { key: rand::random(), proofs: HashMap::new() }
    }

    /// Whether this very password was verified against this very hash before.
    #[must_use]
    pub fn holds(&self, name: &str, password: &Secret, hash: &PasswordHash) -> bool {
        self.proofs.get(name).is_some_and(|known| known.ct_eq(&self.tag(name, password, hash)).into())
    }

    /// Remembers a successful check. When there is too much to remember, all of it goes: each
    /// credential is then checked in full once more.
    pub fn remember(&mut self, name: &str, password: &Secret, hash: &PasswordHash) {
        if self.proofs.len() >= MAX_PROOFS && !self.proofs.contains_key(name) {
            self.proofs.clear();
        }
        let tag = self.tag(name, password, hash);
        self.proofs.insert(name.to_owned(), tag);
    }

    fn tag(&self, name: &str, password: &Secret, hash: &PasswordHash) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for piece in [name.as_bytes(), password.expose(), hash.as_str().as_bytes()] {
            mac.update(&(piece.len() as u64).to_be_bytes());
            mac.update(piece);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Default for KnownProofs {
    fn default() -> Self {
        Self::new()
    }
}

/// Credentials whose proof is remembered at once.
const MAX_PROOFS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = PasswordHash::of(&Secret::new("secret")).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hash.matches(&Secret::new("secret")));
        assert!(!hash.matches(&Secret::new("Secret")));
        assert!(!PasswordHash::decoy().matches(&Secret::new("secret")));
        assert_eq!(PasswordHash::parse("plain"), Err(NotAHash));
    }

    #[test]
    fn a_proof_is_known_for_the_same_name_password_and_hash_only() {
        let hash = PasswordHash::of(&Secret::new("secret")).unwrap();
        let newer = PasswordHash::of(&Secret::new("secret")).unwrap();
        let mut known = KnownProofs::new();
        known.remember("acme", &Secret::new("secret"), &hash);
        assert!(known.holds("acme", &Secret::new("secret"), &hash));
        assert!(!known.holds("acme", &Secret::new("secret"), &newer));
        assert!(!known.holds("acme", &Secret::new("other"), &hash));
        assert!(!known.holds("emca", &Secret::new("secret"), &hash));
    }
}
