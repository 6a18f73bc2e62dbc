//! Administration: rare commands, each with its own answer.

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::{Accept, Balance, Command};
use crate::account::{AccountId, Credits};
use crate::clock::Timestamp;
use crate::policy::filter::RuleId;
use crate::policy::{Denied, Refusal};
use crate::store::policy::PolicyChange;
use crate::store::{Store, StoreError};

impl Store {
    /// Changes the policy: all of it or, on an error, nothing. The snapshot is swapped before this returns.
    ///
    /// # Errors
    /// When the change contradicts itself or the store cannot write.
    pub async fn apply(&self, change: PolicyChange) -> Result<(), StoreError> {
        self.admin(|reply| Admin::Policy(Box::new(change), reply)).await
    }

    /// Grants credit (or, with a negative amount, takes it back down to the floor); answers the new balance.
    ///
    /// # Errors
    /// When the account is unknown, the floor would be passed or the store cannot write.
    pub async fn credit(
        &self,
        account: AccountId,
        amount: Credits,
        note: String,
    ) -> Result<Balance, StoreError> {
        let kind = if amount < Credits::ZERO { "withdrawal" } else { "grant" };
        self.admin(|reply| Admin::Credit { account, amount, kind, note, reply }).await
    }

    /// Moves credit from one account to another in one transaction.
    ///
    /// # Errors
    /// When an account is unknown, the amount is not positive or not there, or the store cannot write.
    pub async fn transfer(
        &self,
        from: AccountId,
        to: AccountId,
        amount: Credits,
        note: String,
    ) -> Result<(), StoreError> {
        self.admin(|reply| Admin::Transfer { from, to, amount, note, reply }).await
    }

    /// What the store would say to a message at this time: the same checks, nothing taken, counted or charged.
    ///
    /// # Errors
    /// When the account is unknown.
    pub async fn probe(&self, accept: Box<Accept>, at: Timestamp) -> Result<Probed, StoreError> {
        self.admin(|reply| Admin::Probe { accept, at, reply }).await
    }

    /// Puts numbers on a list, or takes them off it; says for how many that was new.
    ///
    /// # Errors
    /// When there are more than [`Listing::MOST`], or the store cannot write.
    pub async fn change_list(&self, listing: Listing) -> Result<u64, StoreError> {
        if listing.numbers.len() > Listing::MOST {
            return Err(StoreError::BadAmount("a list is changed by at most 10,000 numbers at once"));
        }
        self.admin(|reply| Admin::List(Box::new(listing), reply)).await
    }

    /// Writes a consistent copy of the hot file and the history to `file` and `file.history/` while running.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_path_buf();
        self.admin(|reply| Admin::Backup(file, reply)).await
    }

    async fn admin<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Admin,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(Command::Admin(ask(reply))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Administration; rare, each with its own answer.
pub(in crate::store) enum Admin {
    Policy(Box<PolicyChange>, oneshot::Sender<Result<(), StoreError>>),
    Credit {
        account: AccountId,
        amount: Credits,
        kind: &'static str,
        note: String,
        reply: oneshot::Sender<Result<Balance, StoreError>>,
    },
    Transfer {
        from: AccountId,
        to: AccountId,
        amount: Credits,
        note: String,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    Backup(PathBuf, oneshot::Sender<Result<(), StoreError>>),
    Probe {
        accept: Box<Accept>,
        at: Timestamp,
        reply: oneshot::Sender<Result<Probed, StoreError>>,
    },
    List(Box<Listing>, oneshot::Sender<Result<u64, StoreError>>),
}

/// What the store would say to a message. Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Why its number gets nothing, if it is on a list.
    pub listed: Option<Denied>,
    /// How each claim stands, in their order.
    pub claims: Vec<Counted>,
    /// What can be spent.
    pub available: Credits,
    /// The least that the balance may reach.
    pub floor: Credits,
    /// Why its price could not be held: credit, or a full queue.
    pub credit: Option<Refusal>,
    /// Why it would be refused, in the order of refusals: lists and limits, credit, way.
    pub denied: Option<Denied>,
}

/// How a counted limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Whose rule it is.
    pub rule: RuleId,
    /// What was counted before: messages or micro-credits.
    pub used: u64,
    /// The most.
    pub most: u64,
    /// Whether the message still fits.
    pub is_met: bool,
}

/// Numbers to put on a list, or to take off it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whose opt-outs; absent means the platform's blocklist.
    pub owner: Option<AccountId>,
    /// Whether they are put on it.
    pub adds: bool,
    /// Digits in international form, without `+`; at most [`Listing::MOST`]. What is no number is passed over.
    pub numbers: Vec<String>,
    /// Why; kept beside each.
    pub why: String,
}

impl Listing {
    /// Numbers at once: so that a list of millions does not hold traffic up.
    pub const MOST: usize = 10_000;
}
