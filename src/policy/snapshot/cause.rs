//! What a refusal follows from, told for people: whose limit it is, and how it stands.

use super::Snapshot;
use crate::account::{AccountId, Credits};
use crate::policy::{Cause, Denied, Refusal};

impl Snapshot {
    /// What the refusal of a message of `account` follows from, such as `30/s, throughput of account acme in
    /// accounts.d/acme.toml:12`; nothing where the message alone is at fault, or the rule is one of another snapshot.
    #[must_use]
    pub fn told(&self, denied: Denied, account: AccountId) -> Option<String> {
        let name = |id| self.account(id).map_or("", |account| account.name.as_str());
        let terms = self.account(account).map(|account| &account.terms);
        match (denied.cause, denied.refusal) {
            (Some(Cause::Rule(rule)), _) => Some(self.notes().find(rule)?.to_string()),
            (Some(Cause::List(0)), _) => Some("the platform's blocklist".to_owned()),
            (Some(Cause::List(owner)), _) => Some(format!("list of account {}", name(AccountId(owner)))),
            (Some(Cause::Available(available)), _) => {
                let floor = terms.map_or(Credits::ZERO, |terms| terms.floor);
                Some(format!("{available} available, floor {floor} of account {}", name(account)))
            }
            (Some(Cause::Number(packed)), _) => {
                let digits = packed.to_string();
                Some(format!("no price or no route for {}", digits.get(1..).unwrap_or_default()))
            }
            (None, Refusal::QueueFull) => {
                Some(format!("{}, max_queued of account {}", terms?.max_queued, name(account)))
            }
            (None, Refusal::AccountSuspended) => {
                let is_stopped = |id: &AccountId| self.account(*id).is_some_and(|known| known.suspended);
                Some(format!("account {} is suspended", name(self.lineage(account).find(is_stopped)?)))
            }
            (None, _) => None,
        }
    }
}
