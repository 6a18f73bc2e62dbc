//! The policy as sessions read it: an immutable snapshot, compiled from the store and swapped whole.

mod binding;
mod cause;
mod limits;

use binding::Protected;
pub use binding::{Hindrance, Platform};
pub use limits::{PastSchedule, TextLimits};

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZoneDatabase;
use smpp_proto::text::gsm7::Languages;

use super::filter::rules::FilterFault;
use super::filter::{Filters, RuleId, RuleNotes, Rules};
use super::number::Glance;
use super::number::prefix::NotAPrefix;
use super::price::{Billing, Network, Price, PriceList, PriceTable};
use super::route::{Asked, Asks, MoRoute, MoTable, Route, RouteTable};
use super::text::{Registry, RegistryFault};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits, Surface};
use crate::clock::Timestamp;
use crate::message::{RouteId, UpstreamId};

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
    /// The protected names are too long together.
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
    /// The rate of each credential that has one.
    own_rates: HashMap<CredentialId, RuleId>,
    protected: Registry<Protected>,
    /// The same in shadow.
    watched: Registry<Protected>,
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

    /// What a segment from an account to `number` costs now; see [`Price`]. Nothing where it has no price.
    #[must_use]
    pub fn price(&self, id: AccountId, number: &[u8], glance: &Glance, now: Timestamp) -> Option<Credits> {
        self.prices.price(id, number, now, |number| glance.country(number))
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

/// A tree of accounts deeper than this is a mistake in the store; the bound keeps a cycle from hanging a session.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests;
