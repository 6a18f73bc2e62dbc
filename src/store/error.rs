//! What can go wrong with the store, named after what happened.

use std::path::PathBuf;

/// An operation on the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process has the store.
    #[error("{0} is in use by another tollgate; stop it, or use its admin socket")]
    Held(PathBuf),
    /// The file is from a newer Tollgate.
    #[error(
        "{path} has schema version {found}; this tollgate knows versions up to {known}: use a newer tollgate"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A file could not be opened or made.
    #[error("cannot open {path}: {why}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Reading or writing failed: the disk is full, a file is damaged.
    #[error("the store failed: {0}")]
    Failed(String),
    /// Nothing with this name.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A system_id belongs to another account.
    #[error("system_id {0:?} belongs to another account already")]
    SystemIdTaken(String),
    /// The balance does not allow it.
    #[error("account {0:?} has not enough credit for that")]
    InsufficientCredit(String),
    /// It would own more than it may.
    #[error("account {0:?} would own more than its ceiling")]
    AboveCeiling(String),
    /// The amount is not usable here.
    #[error("{0}")]
    BadAmount(&'static str),
    /// A policy that cannot be compiled.
    #[error(transparent)]
    Policy(crate::policy::Incoherent),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl From<crate::policy::Incoherent> for StoreError {
    fn from(why: crate::policy::Incoherent) -> Self {
        match why {
            crate::policy::Incoherent::Unknown { what, name } => Self::Unknown { what, name },
            other => Self::Policy(other),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
