//! What binds whom: the rules of every level on the way down, protected names, suspension, and what they mean for a message
//! that waits.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZoneDatabase;

use super::{DEEPEST, Incoherent, Snapshot};
use crate::account::{Account, AccountId, CredentialId};
use crate::clock::Timestamp;
use crate::message::Message;
use crate::policy::admit::Sender;
use crate::policy::filter::rules::Level;
use crate::policy::filter::{Filters, Holder, Rule, RuleId, RuleKind, RuleNote, RuleNotes, Rules};
use crate::policy::text::{ProtectedName, Registry, RegistryFault};

/// What the operator of the gateway set for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Platform {
    /// Filters that bind every account.
    pub filters: Filters,
    /// Names that nobody else may send as, nor as anything that looks like them.
    pub protected: Vec<Rule<ProtectedName<String>>>,
}

/// Why an accepted message may not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Its account may not act.
    Suspended,
    /// Its hours are closed until then.
    Closed(Timestamp),
}

/// Who may use a protected name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Protected {
    /// Accounts, with all below them.
    pub(in crate::policy) accounts: Vec<AccountId>,
    pub(in crate::policy) rule: RuleId,
    pub(in crate::policy) enforce: bool,
}

impl Snapshot {
    /// The rules of each account are its parent's and its own; most accounts have none of their own, and share.
    pub(super) fn compile_rules(
        &mut self,
        platform: &Platform,
        filters: &HashMap<AccountId, Filters>,
        others: &HashMap<CredentialId, Filters>,
        zones: &TimeZoneDatabase,
    ) -> Result<(), Incoherent> {
        let mut notes = RuleNotes::fresh();
        let everybody = Level { holder: Holder::Platform, name: "" };
        self.nobodys = Arc::new(Rules::default().under(everybody, &platform.filters, zones, &mut notes)?);
        let none = Filters::default();
        let mut below: HashMap<Option<AccountId>, Vec<AccountId>> = HashMap::new();
        for account in self.accounts.values() {
            below.entry(account.parent).or_default().push(account.id);
        }
        // From those that stand under nobody downwards. Who stands under himself is never reached, and is suspended.
        let mut next = below.remove(&None).unwrap_or_default();
        while let Some(id) = next.pop() {
            let Some(known) = self.accounts.get(&id) else { continue };
            let above = known.parent.and_then(|parent| self.rules.get(&parent)).unwrap_or(&self.nobodys);
            let level = Level { holder: Holder::Account(id), name: &known.name };
            let own = filters.get(&id).unwrap_or(&none);
            let rules = above.under(level, own, zones, &mut notes)?;
            self.rules.insert(id, Arc::new(rules));
            next.extend(below.remove(&Some(id)).unwrap_or_default());
        }
        for credential in self.credentials_by_id.values() {
            let Some(above) = self.rules.get(&credential.account) else { continue };
            let rules = match others.get(&credential.id) {
                None => Arc::clone(above),
                Some(own) => {
                    let holder = Holder::Credential(credential.id);
                    let level = Level { holder, name: &credential.system_id };
                    Arc::new(above.under(level, own, zones, &mut notes)?)
                }
            };
            self.credential_rules.insert(credential.id, rules);
            if let Some(throughput) = credential.bounds.throughput {
                let rule = notes.add(RuleNote {
                    kind: RuleKind::Throughput,
                    holder: Holder::Credential(credential.id),
                    name: credential.system_id.clone(),
                    says: throughput.to_string(),
                    place: credential.bounds.throughput_place.clone(),
                    enforce: true,
                });
                self.own_rates.insert(credential.id, rule);
            }
        }
        self.protected = self.registry(&platform.protected, true, &mut notes)?;
        self.watched = self.registry(&platform.protected, false, &mut notes)?;
        self.notes = notes;
        Ok(())
    }

    /// Those of the names that are enforced, or those that are not: in one register the longer of two names that fit
    /// would hide the shorter one.
    ///
    /// What looks alike may have to change, as phones do: a policy that was in order once still compiles.
    fn registry(
        &self,
        names: &[Rule<ProtectedName<String>>],
        enforced: bool,
        notes: &mut RuleNotes,
    ) -> Result<Registry<Protected>, RegistryFault> {
        let by_name: HashMap<&str, AccountId> =
            self.accounts.values().map(|account| (account.name.as_str(), account.id)).collect();
        let entries = names.iter().filter(|rule| rule.enforce == enforced).map(|rule| {
            let ProtectedName { name, accounts, matches } = &rule.is;
            let id = notes.add(RuleNote {
                kind: RuleKind::Registry,
                holder: Holder::Platform,
                name: String::new(),
                says: format!("{name:?} is for {}", accounts.join(", ")),
                place: rule.place.clone(),
                enforce: rule.enforce,
            });
            let accounts = accounts.iter().filter_map(|name| by_name.get(name.as_str()).copied()).collect();
            let owners = vec![Protected { accounts, rule: id, enforce: rule.enforce }];
            ProtectedName { name: name.clone(), accounts: owners, matches: *matches }
        });
        Registry::keeping(entries.collect())
    }

    /// What is wrong with the protected names, of which a configuration must be free: see [`Registry::keeping`].
    pub fn name_faults(&self) -> impl Iterator<Item = &RegistryFault> {
        self.protected.faults().iter().chain(self.watched.faults())
    }

    /// Every rule, told for people.
    #[must_use]
    pub fn notes(&self) -> &RuleNotes {
        &self.notes
    }

    /// An account's own filters, as they are written; nothing when it has none.
    #[must_use]
    pub fn filters(&self, account: AccountId) -> Option<&Filters> {
        self.filters.get(&account)
    }

    /// A credential's own filters, as they are written; nothing when it has none.
    #[must_use]
    pub fn credential_filters(&self, credential: CredentialId) -> Option<&Filters> {
        self.credential_filters.get(&credential)
    }

    /// What the operator of the gateway set for everybody, as it is written.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// What binds a credential.
    #[must_use]
    pub fn rules_of(&self, credential: CredentialId) -> &Arc<Rules> {
        self.credential_rules.get(&credential).unwrap_or(&self.nobodys)
    }

    /// The rate of a credential, as a rule; nothing where it has none of its own.
    #[must_use]
    pub fn own_rate(&self, credential: CredentialId) -> Option<RuleId> {
        self.own_rates.get(&credential).copied()
    }

    /// What binds an account, whoever sends for it.
    #[must_use]
    pub fn account_rules(&self, account: AccountId) -> &Arc<Rules> {
        self.rules.get(&account).unwrap_or(&self.nobodys)
    }

    /// An account as the sender of a message.
    #[must_use]
    pub fn sender<'a>(&'a self, account: &'a Account) -> Sender<'a> {
        Sender { account, rules: self.account_rules(account.id) }
    }

    /// Whether there are protected names.
    pub(in crate::policy) fn protects_names(&self) -> bool {
        !(self.protected.entries().is_empty() && self.watched.entries().is_empty())
    }

    /// The protected names that a source address is, or looks like; those that are enforced first.
    pub(in crate::policy) fn protected_names(&self, source: &[u8]) -> impl Iterator<Item = &Protected> {
        let found = self.protected.holders(source).chain(self.watched.holders(source));
        found.filter_map(|entry| entry.accounts.first())
    }

    /// An account and those above it, the nearest first.
    pub fn lineage(&self, id: AccountId) -> impl Iterator<Item = AccountId> + '_ {
        let parent = |id: &AccountId| self.accounts.get(id).and_then(|account| account.parent);
        std::iter::successors(Some(id), parent).take(DEEPEST)
    }

    /// Whether an account is `above` or stands below it.
    #[must_use]
    pub fn is_under(&self, account: AccountId, above: AccountId) -> bool {
        self.lineage(account).any(|id| id == above)
    }

    pub(super) fn find_suspended(&mut self) {
        let is_stopped = |id: &AccountId| self.accounts.get(id).is_none_or(|account| account.suspended);
        let is_deep = |id: AccountId| self.lineage(id).nth(DEEPEST - 1).is_some();
        let all = self.accounts.keys().copied();
        let found = all.filter(|id| is_deep(*id) || self.lineage(*id).any(|above| is_stopped(&above)));
        self.suspended = found.collect();
    }

    /// Whether any message may have to wait although an operator would take it: most policies never hinder.
    #[must_use]
    pub fn hinders(&self) -> bool {
        self.has_hours || !self.suspended.is_empty()
    }

    /// Why a message that was accepted may not leave now, if it may not.
    #[must_use]
    pub fn hindrance(&self, message: &Message, now: Timestamp) -> Option<Hindrance> {
        if self.is_suspended(message.account) {
            return Some(Hindrance::Suspended);
        }
        // Half a message is worse than a late one.
        if message.parts_sent > 0 {
            return None;
        }
        let rules = self.credential_rules.get(&message.credential).or(self.rules.get(&message.account))?;
        let enforced = rules.hours.iter().filter(|rule| rule.enforce);
        enforced.filter_map(|rule| rule.is.0.until_kept(now)).max().map(Hindrance::Closed)
    }
}
