//! The policy as sessions read it: an immutable snapshot, compiled from the store and swapped whole.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZoneDatabase;
use smpp_proto::text::gsm7::Languages;

use super::Refusal;
use super::admit::Sender;
use super::filter::rules::{FilterFault, Level, Ruled};
use super::filter::{Filters, Holder, Rule, RuleId, RuleKind, RuleNote, RuleNotes, Rules};
use super::hours::Hours;
use super::prefix::NotAPrefix;
use super::price::{self, Billing, Network, Price, PriceList, PriceTable};
use super::route::{Asked, Asks, MoRoute, MoTable, Route, RouteTable};
use super::text::{ProtectedName, Registry, RegistryFault};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits, Surface};
use crate::clock::Timestamp;
use crate::message::{Message, RouteId, UpstreamId};

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

/// Why a policy cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incoherent {
    /// A prefix is not digits.
    #[error(transparent)]
    NotAPrefix(#[from] NotAPrefix),
    /// Something names what is not there.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A filter makes no sense.
    #[error(transparent)]
    Filter(#[from] FilterFault),
    /// Two protected names look alike, or one has nothing to compare.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
}

impl Incoherent {
    /// Something names what is not there.
    #[must_use]
    pub fn unknown(what: &'static str, name: &str) -> Self {
        Self::Unknown { what, name: name.to_owned() }
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
    /// Every price, of all lists.
    pub prices: Vec<Price>,
    /// Networks that prices name.
    pub networks: Vec<Network>,
    /// Price lists that differ in more than prices.
    pub price_lists: Vec<PriceList>,
    /// In what currency amounts are shown; absent in none.
    pub billing: Option<Billing>,
    /// Routes in the order in which they are asked.
    pub routes: Vec<Route>,
    /// Who gets messages from phones.
    pub mo_routes: Vec<MoRoute>,
    /// National languages whose tables an operator takes; who is missing takes none.
    pub languages: HashMap<UpstreamId, Languages>,
    /// Bounds of every message.
    pub limits: TextLimits,
    /// Where time zones are looked up; absent means those that come with the program.
    pub zones: Option<TimeZoneDatabase>,
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
    prices: PriceTable,
    price_lists: HashMap<String, PriceList>,
    billing: Option<Billing>,
    routes: RouteTable,
    /// What every operator of a route takes, in the order of the routes.
    route_languages: Vec<Languages>,
    mo_routes: MoTable,
    limits: TextLimits,
}

impl Snapshot {
    /// Compiles.
    ///
    /// # Errors
    /// When a prefix is not digits, something names what is not there, or a filter cannot be compiled.
    pub fn compile(mut parts: SnapshotParts) -> Result<Self, Incoherent> {
        let (filters, others) = (take(&mut parts.filters), take(&mut parts.credential_filters));
        let platform = take(&mut parts.platform);
        let mut built = Self { limits: parts.limits, billing: parts.billing, ..Self::default() };
        built.accounts = parts.accounts.into_iter().map(|a| (a.id, Arc::new(a))).collect();
        let payers = built.accounts.keys().filter_map(|id| Some((*id, built.price_list(*id)?)));
        built.prices = PriceTable::compile(&parts.prices, &parts.networks, payers)?;
        built.price_lists = parts.price_lists.into_iter().map(|list| (list.name.clone(), list)).collect();
        built.mo_routes = MoTable::compile(&parts.mo_routes)?;
        let takes = |upstream: &UpstreamId| parts.languages.get(upstream).copied().unwrap_or_default();
        for route in &parts.routes {
            let shared = route.ways.iter().map(|way| takes(&way.upstream)).reduce(Languages::and);
            built.route_languages.push(shared.unwrap_or_default());
        }
        built.routes = RouteTable::compile(parts.routes)?;
        for credential in parts.credentials.into_iter().map(Arc::new) {
            built.credentials_by_id.insert(credential.id, Arc::clone(&credential));
            built.credentials.insert(credential.system_id.clone(), credential);
        }
        let zones = parts.zones.unwrap_or_else(TimeZoneDatabase::bundled);
        built.compile_rules(&platform, &filters, &others, &zones)?;
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
        zones: &TimeZoneDatabase,
    ) -> Result<(), Incoherent> {
        let mut notes = RuleNotes::fresh();
        let everybody = Level { holder: Holder::Platform, name: "" };
        self.nobodys = Arc::new(Rules::default().under(everybody, &platform.filters, zones, &mut notes)?);
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
                let rules = above.under(level, own, zones, &mut notes)?;
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
                    Arc::new(above.under(level, own, zones, &mut notes)?)
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

    /// Whether a client at `address` may use the account by this way in: its own list and those of the accounts above it
    /// must let it.
    #[must_use]
    pub fn admits_address(&self, id: AccountId, surface: Surface, address: IpAddr) -> bool {
        let mut at = Some(id);
        for _ in 0..DEEPEST {
            let Some(id) = at else { return true };
            let Some(account) = self.accounts.get(&id) else { return false };
            if !account.terms.access.list(surface).admits(address) {
                return false;
            }
            at = account.parent;
        }
        false
    }

    /// The entries that a client at `address` meets on this way in, on the account's own list and on those of the
    /// accounts above it: at most one of each.
    pub fn entries_met(
        &self,
        id: AccountId,
        surface: Surface,
        address: IpAddr,
    ) -> impl Iterator<Item = (AccountId, IpNet)> {
        let above = |account: &&Arc<Account>| self.accounts.get(&account.parent?);
        let line = std::iter::successors(self.accounts.get(&id), above).take(DEEPEST);
        line.filter_map(move |account| {
            Some((account.id, account.terms.access.list(surface).entry(address)?.network))
        })
    }

    /// The price list by which an account pays: its own, or that of the nearest above it.
    #[must_use]
    pub fn price_list(&self, id: AccountId) -> Option<&str> {
        let mut at = self.accounts.get(&id);
        for _ in 0..DEEPEST {
            let account = at?;
            if let Some(list) = &account.terms.price_list {
                return Some(list);
            }
            at = account.parent.and_then(|id| self.accounts.get(&id));
        }
        None
    }

    /// In what currency an account's amounts are shown; nothing when in none.
    #[must_use]
    pub fn billing(&self, id: AccountId) -> Option<Billing> {
        let list = self.price_list(id).and_then(|name| self.price_lists.get(name));
        list.and_then(|list| list.billing).or(self.billing)
    }

    /// What a segment from `account` to `number` costs now; see [`price`](super::price). Nothing where it has no price.
    #[must_use]
    pub fn price(&self, account: AccountId, number: &[u8], now: Timestamp) -> Option<Credits> {
        self.prices.price(account, number, now, price::country_of)
    }

    /// The route of a message: of all whose conditions hold the first.
    #[must_use]
    pub fn route_to(&self, asked: &Asked<'_>) -> Option<&Route> {
        self.routes.find(asked)
    }

    /// What must be found out of a message before its route is asked for.
    #[must_use]
    pub fn asks(&self) -> Asks {
        self.routes.asks()
    }

    /// Whether a route sends messages on that an operator failed.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        self.routes.fails_over()
    }

    /// The national languages whose tables every operator of a route takes: wherever a message goes, it can be read.
    #[must_use]
    pub fn languages(&self, route: Option<RouteId>) -> Languages {
        let place = route.and_then(|id| self.routes.place(id));
        place.and_then(|place| self.route_languages.get(place)).copied().unwrap_or_default()
    }

    /// A route by its number.
    #[must_use]
    pub fn route(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(id)
    }

    /// Who gets what phones send.
    #[must_use]
    pub fn mo_routes(&self) -> &MoTable {
        &self.mo_routes
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

/// A tree of accounts deeper than this is a mistake in the store; the bound keeps a cycle from hanging a session.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// "top" admits 10.0.0.0/8 to binds; "below" stands under it, restricts the API only, and lists what it knows.
    fn family() -> Snapshot {
        use crate::account::{AccessEntry, AccessList, Origin, Terms};
        let list = |restricted, network: &str| AccessList {
            restricted,
            entries: vec![AccessEntry { network: network.parse().unwrap(), description: String::new() }],
        };
        let account = |id, name: &str, parent| Account {
            id: AccountId(id),
            name: name.to_owned(),
            parent,
            suspended: false,
            origin: Origin::File,
            terms: Terms::default(),
        };
        let mut top = account(1, "top", None);
        top.terms.access.smpp = list(true, "10.0.0.0/8");
        let mut below = account(2, "below", Some(AccountId(1)));
        below.terms.access.api = list(true, "192.0.2.0/24");
        below.terms.access.smpp = list(false, "10.1.0.0/16");
        let itself = account(3, "itself", Some(AccountId(3)));
        let accounts = vec![top, below, itself];
        Snapshot::compile(SnapshotParts { accounts, ..Default::default() }).unwrap()
    }

    #[test]
    fn the_list_of_one_way_in_says_nothing_of_another_and_those_above_count() {
        let policy = family();
        let admits = |id, surface, address: &str| {
            policy.admits_address(AccountId(id), surface, address.parse().unwrap())
        };
        let ways = |id, address| Surface::ALL.map(|surface| admits(id, surface, address));
        assert_eq!(ways(1, "10.0.0.1"), [true, true, true]);
        assert_eq!(ways(1, "192.0.2.1"), [false, true, true]);
        assert_eq!(ways(2, "10.0.0.1"), [true, false, true]);
        assert_eq!(ways(2, "192.0.2.1"), [false, true, true]);
        // Who is not there, and who stands under himself, is let in nowhere.
        assert_eq!((ways(9, "10.0.0.1"), ways(3, "10.0.0.1")), ([false; 3], [false; 3]));
        let met: Vec<_> = policy
            .entries_met(AccountId(2), Surface::Smpp, "10.1.0.1".parse().unwrap())
            .map(|(id, network)| (id.0, network.to_string()))
            .collect();
        assert_eq!(met, [(2, "10.1.0.0/16".to_owned()), (1, "10.0.0.0/8".to_owned())]);
    }

    #[test]
    fn an_account_pays_by_the_nearest_list_above_it_in_the_lists_currency() {
        let account = |id, parent: Option<u32>, list: Option<&str>| Account {
            id: AccountId(id),
            name: format!("a{id}"),
            parent: parent.map(AccountId),
            suspended: false,
            origin: crate::account::Origin::File,
            terms: crate::account::Terms { price_list: list.map(str::to_owned), ..Default::default() },
        };
        let billing = |currency: &str| Billing {
            currency: currency.parse().unwrap(),
            credit_value: "0.01".parse().unwrap(),
        };
        let gold = Price { list: Some("gold".to_owned()), ..Price::of("", Credits::from_micro(2)) };
        let parts = SnapshotParts {
            accounts: vec![
                account(1, None, Some("gold")),
                account(2, Some(1), None),
                account(3, Some(2), Some("plain")),
                account(4, None, None),
                account(5, Some(6), None),
                account(6, Some(5), None),
            ],
            prices: vec![Price::of("", Credits::from_micro(5)), gold],
            price_lists: vec![PriceList { name: "gold".to_owned(), billing: Some(billing("COP")) }],
            billing: Some(billing("EUR")),
            ..Default::default()
        };
        let policy = Snapshot::compile(parts).unwrap();
        let price = |id| policy.price(AccountId(id), b"34600", Timestamp::default()).unwrap().micro();
        assert_eq!([1, 2, 3, 4, 5, 9].map(price), [2, 2, 5, 5, 5, 5]);
        let currency = |id| policy.billing(AccountId(id)).unwrap().currency.to_string();
        assert_eq!([1, 2, 3, 4].map(currency), ["COP", "COP", "EUR", "EUR"]);
    }
}
