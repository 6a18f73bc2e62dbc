//! The policy as sessions read it: an immutable snapshot, compiled from the store and swapped whole.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use smpp_proto::text::gsm7::Languages;

use super::Refusal;
use super::admit::Sender;
use super::filter::rules::{FilterFault, Level, Ruled};
use super::filter::{Filters, Holder, Rule, RuleId, RuleKind, RuleNote, RuleNotes, Rules};
use super::hours::Hours;
use super::prefix::{NotAPrefix, PrefixTable};
use super::text::{ProtectedName, Registry, RegistryFault};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{Message, RouteId, UpstreamId};

/// A way to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name in configuration, logs and traces.
    pub name: String,
    /// Number prefixes that take it; an empty one takes every number.
    pub prefixes: Vec<String>,
    /// Operators in the order of preference; at least one.
    pub upstreams: Vec<UpstreamId>,
}

/// What a segment to a prefix costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Number prefix; empty means every number.
    pub prefix: String,
    /// A segment.
    pub credits: Credits,
}

/// Whose the messages from phones to a number are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoRoute {
    /// Prefixes of our numbers, short codes among them.
    pub prefixes: Vec<String>,
    /// Who gets what is sent to them.
    pub account: AccountId,
}

/// Bounds of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Validity of a message that names none; 24 h by default.
    pub default_validity: Duration,
    /// The longest validity; longer ones are shortened; 7 days by default (SMPP 5.0 §4.7.23.1).
    pub max_validity: Duration,
    /// How far ahead a message may be scheduled; farther is refused; 14 days by default.
    pub max_schedule: Duration,
    /// Segments of one message; 1 to 255, 10 by default.
    pub max_parts: u8,
    /// What a schedule_delivery_time in the past means; refused by default.
    pub past_schedule: PastSchedule,
}

/// What a schedule_delivery_time in the past means (SMPP 3.4 §5.2.15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PastSchedule {
    /// A mistake: ESME_RINVSCHED.
    #[default]
    Refuse,
    /// At once: clients whose clocks are behind mean that.
    Now,
}

impl Default for TextLimits {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            default_validity: day,
            max_validity: 7 * day,
            max_schedule: 14 * day,
            max_parts: 10,
            past_schedule: PastSchedule::default(),
        }
    }
}

impl TextLimits {
    /// When a message with this schedule is due: at its time, or at once.
    ///
    /// # Errors
    /// The schedule is too far ahead, or in the past where that is a mistake.
    pub fn due(&self, named: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        match named {
            Some(due) if due > now + self.max_schedule => Err(Refusal::InvalidSchedule),
            Some(due) if due > now => Ok(Some(due)),
            Some(_) if self.past_schedule == PastSchedule::Refuse => Err(Refusal::InvalidSchedule),
            Some(_) | None => Ok(None),
        }
    }
}

/// What a snapshot is made of, as the store holds it.
#[derive(Clone, Debug, Default)]
pub struct SnapshotParts {
    /// Every account.
    pub accounts: Vec<Account>,
    /// What accounts may send; those without filters are missing.
    pub filters: HashMap<AccountId, Filters>,
    /// Every credential.
    pub credentials: Vec<Credential>,
    /// What may be sent with a credential; those without filters are missing.
    pub credential_filters: HashMap<CredentialId, Filters>,
    /// What binds everybody.
    pub platform: Platform,
    /// Every price.
    pub prices: Vec<Price>,
    /// Routes in the order in which they are asked.
    pub routes: Vec<Route>,
    /// Who gets messages from phones.
    pub mo_routes: Vec<MoRoute>,
    /// National languages whose tables an operator takes; who is missing takes none.
    pub languages: HashMap<UpstreamId, Languages>,
    /// Bounds of every message.
    pub limits: TextLimits,
}

/// What the operator of the gateway set for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Platform {
    /// Filters that bind every account.
    pub filters: Filters,
    /// Names that nobody else may send as, nor as anything that looks like them.
    pub protected: Vec<Rule<ProtectedName<String>>>,
}

/// The compiled policy.
#[derive(Debug, Default)]
pub struct Snapshot {
    notes: RuleNotes,
    filters: HashMap<AccountId, Filters>,
    credential_filters: HashMap<CredentialId, Filters>,
    platform: Platform,
    rules: HashMap<AccountId, Arc<Rules>>,
    credential_rules: HashMap<CredentialId, Arc<Rules>>,
    nobodys: Arc<Rules>,
    protected: Registry<Protected>,
    accounts: HashMap<AccountId, Arc<Account>>,
    /// Stopped, or under one that is.
    suspended: HashSet<AccountId>,
    /// Whether anybody has closed hours.
    has_hours: bool,
    credentials: HashMap<String, Arc<Credential>>,
    credentials_by_id: HashMap<CredentialId, Arc<Credential>>,
    prices: PrefixTable<Credits>,
    routes: Vec<Route>,
    route_by_prefix: PrefixTable<RouteId>,
    /// What every operator of a route takes, in the order of the routes.
    route_languages: Vec<Languages>,
    mo_by_prefix: PrefixTable<AccountId>,
    limits: TextLimits,
}

impl Snapshot {
    /// Compiles.
    ///
    /// # Errors
    /// When a prefix is not digits, or a filter cannot be compiled.
    pub fn compile(mut parts: SnapshotParts) -> Result<Self, PolicyFault> {
        let (filters, others) = (take(&mut parts.filters), take(&mut parts.credential_filters));
        let platform = take(&mut parts.platform);
        let mut built = Self { limits: parts.limits, ..Self::default() };
        for price in &parts.prices {
            *built.prices.entry(&price.prefix, || price.credits)? = price.credits;
        }
        for (place, route) in (0_u32..).zip(&parts.routes) {
            for prefix in &route.prefixes {
                // The first route that names a prefix keeps it.
                built.route_by_prefix.entry(prefix, || RouteId(place))?;
            }
        }
        for mo in &parts.mo_routes {
            for prefix in &mo.prefixes {
                built.mo_by_prefix.entry(prefix, || mo.account)?;
            }
        }
        let takes = |upstream: &UpstreamId| parts.languages.get(upstream).copied().unwrap_or_default();
        for route in &parts.routes {
            let shared = route.upstreams.iter().map(takes).reduce(Languages::and);
            built.route_languages.push(shared.unwrap_or_default());
        }
        built.routes = parts.routes;
        built.accounts = parts.accounts.into_iter().map(|a| (a.id, Arc::new(a))).collect();
        for credential in parts.credentials.into_iter().map(Arc::new) {
            built.credentials_by_id.insert(credential.id, Arc::clone(&credential));
            built.credentials.insert(credential.system_id.clone(), credential);
        }
        built.compile_rules(&platform, &filters, &others)?;
        built.find_suspended();
        built.has_hours =
            built.rules.values().chain(built.credential_rules.values()).any(|r| !r.hours.is_empty());
        (built.filters, built.credential_filters, built.platform) = (filters, others, platform);
        Ok(built)
    }

    /// The rules of each account are its parent's and its own; most accounts have none of their own, and share.
    fn compile_rules(
        &mut self,
        platform: &Platform,
        filters: &HashMap<AccountId, Filters>,
        others: &HashMap<CredentialId, Filters>,
    ) -> Result<(), PolicyFault> {
        let mut notes = RuleNotes::fresh();
        let everybody = Level { holder: Holder::Platform, name: "" };
        self.nobodys = Arc::new(Rules::default().under(everybody, &platform.filters, &mut notes)?);
        let none = Filters::default();
        for id in self.accounts.keys().copied().collect::<Vec<_>>() {
            // From the farthest above down to the account itself.
            let mut way: Vec<_> = self.lineage(id).collect();
            let known = way.iter().position(|above| self.rules.contains_key(above)).unwrap_or(way.len());
            way.truncate(known + 1);
            for account in way.into_iter().rev() {
                let Some(known) = self.accounts.get(&account).filter(|_| !self.rules.contains_key(&account))
                else {
                    continue;
                };
                let above = known.parent.and_then(|parent| self.rules.get(&parent)).unwrap_or(&self.nobodys);
                let level = Level { holder: Holder::Account(account), name: &known.name };
                let own = filters.get(&account).unwrap_or(&none);
                let rules = above.under(level, own, &mut notes)?;
                self.rules.insert(account, Arc::new(rules));
            }
        }
        for credential in self.credentials_by_id.values() {
            let Some(above) = self.rules.get(&credential.account) else { continue };
            let rules = match others.get(&credential.id) {
                None => Arc::clone(above),
                Some(own) => {
                    let holder = Holder::Credential(credential.id);
                    let level = Level { holder, name: &credential.system_id };
                    Arc::new(above.under(level, own, &mut notes)?)
                }
            };
            self.credential_rules.insert(credential.id, rules);
        }
        self.protected = self.registry(&platform.protected, &mut notes)?;
        self.notes = notes;
        Ok(())
    }

    fn registry(
        &self,
        names: &[Rule<ProtectedName<String>>],
        notes: &mut RuleNotes,
    ) -> Result<Registry<Protected>, RegistryFault> {
        let by_name: HashMap<&str, AccountId> =
            self.accounts.values().map(|account| (account.name.as_str(), account.id)).collect();
        let entries = names.iter().map(|rule| {
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
        Registry::new(entries.collect())
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

    /// The protected name that a source address is, or looks like.
    pub(super) fn protected_name(&self, source: &[u8]) -> Option<&Protected> {
        self.protected.holder(source)?.accounts.first()
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

    /// The credential with this system_id.
    #[must_use]
    pub fn credential(&self, system_id: &str) -> Option<&Arc<Credential>> {
        self.credentials.get(system_id)
    }

    /// The credential with this number.
    #[must_use]
    pub fn credential_by_id(&self, id: CredentialId) -> Option<&Arc<Credential>> {
        self.credentials_by_id.get(&id)
    }

    /// The credentials of an account, in no order.
    #[must_use]
    pub fn credentials_of(&self, account: AccountId) -> Vec<&Arc<Credential>> {
        self.credentials_by_id.values().filter(|credential| credential.account == account).collect()
    }

    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// Whether the account or one that answers for it is suspended. One that is not there is.
    #[must_use]
    pub fn is_suspended(&self, id: AccountId) -> bool {
        self.suspended.contains(&id) || !self.accounts.contains_key(&id)
    }

    fn find_suspended(&mut self) {
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
        let closed = |rule: &Ruled<Hours>| if rule.enforce { rule.is.closed_until(now) } else { None };
        rules.hours.iter().filter_map(closed).max().map(Hindrance::Closed)
    }

    /// What a segment to `number` costs: the longest prefix decides.
    #[must_use]
    pub fn price(&self, number: &[u8]) -> Option<Credits> {
        self.prices.longest(number).copied()
    }

    /// The way to `number`: of all routes with a matching prefix the first.
    #[must_use]
    pub fn route_to(&self, number: &[u8]) -> Option<RouteId> {
        self.route_by_prefix.matches(number).min().copied()
    }

    /// The national languages whose tables every operator of a route takes: wherever a message goes, it can be read.
    #[must_use]
    pub fn languages(&self, route: Option<RouteId>) -> Languages {
        route.and_then(|id| self.route_languages.get(id.0 as usize)).copied().unwrap_or_default()
    }

    /// A route by its place.
    #[must_use]
    pub fn route(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(id.0 as usize)
    }

    /// Who gets what phones send to `number`: the longest prefix decides.
    #[must_use]
    pub fn mo_account(&self, number: &[u8]) -> Option<AccountId> {
        self.mo_by_prefix.longest(number).copied()
    }

    /// Bounds of every message.
    #[must_use]
    pub fn limits(&self) -> &TextLimits {
        &self.limits
    }
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
pub(super) struct Protected {
    /// Accounts, with all below them.
    pub(super) accounts: Vec<AccountId>,
    pub(super) rule: RuleId,
    pub(super) enforce: bool,
}

/// Why a policy cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// A prefix is not digits.
    #[error(transparent)]
    Prefix(#[from] NotAPrefix),
    /// A filter makes no sense.
    #[error(transparent)]
    Filter(#[from] FilterFault),
    /// Two protected names look alike, or one has nothing to compare.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
}

/// A tree of accounts deeper than this is a mistake in the store; the bound keeps a cycle from hanging a session.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn route(name: &str, prefixes: &[&str]) -> Route {
        let prefixes = prefixes.iter().map(|p| (*p).to_owned()).collect();
        Route { name: name.to_owned(), prefixes, upstreams: vec![UpstreamId(1)] }
    }

    #[test]
    fn the_first_route_that_matches_wins_also_over_a_longer_prefix() {
        let routes = vec![route("spain", &["34"]), route("mobile", &["346"]), route("rest", &[""])];
        let prices = vec![
            Price { prefix: String::new(), credits: Credits::from_micro(5) },
            Price { prefix: "34".to_owned(), credits: Credits::from_micro(3) },
        ];
        let policy = Snapshot::compile(SnapshotParts { routes, prices, ..Default::default() }).unwrap();
        let name =
            |number: &[u8]| policy.route_to(number).and_then(|id| policy.route(id)).map(|r| r.name.as_str());
        assert_eq!(name(b"34600"), Some("spain"));
        assert_eq!(name(b"44700"), Some("rest"));
        assert_eq!(policy.price(b"34600"), Some(Credits::from_micro(3)));
        assert_eq!(policy.price(b"1"), Some(Credits::from_micro(5)));
    }
}
