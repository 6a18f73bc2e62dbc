//! The policy as sessions read it: an immutable snapshot, compiled from the store and swapped whole.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use smpp_proto::text::gsm7::Languages;

use super::Refusal;
use super::prefix::{NotAPrefix, PrefixTable};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits, Surface};
use crate::clock::Timestamp;
use crate::message::{RouteId, UpstreamId};

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
    /// Every credential.
    pub credentials: Vec<Credential>,
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

/// The compiled policy.
#[derive(Debug, Default)]
pub struct Snapshot {
    accounts: HashMap<AccountId, Arc<Account>>,
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
    /// When a prefix is not digits.
    pub fn compile(parts: SnapshotParts) -> Result<Self, NotAPrefix> {
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

    /// An account.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// Every account.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// Whether the account or one that answers for it is suspended.
    #[must_use]
    pub fn is_suspended(&self, id: AccountId) -> bool {
        let mut at = Some(id);
        for _ in 0..DEEPEST {
            let Some(account) = at.and_then(|id| self.accounts.get(&id)) else { return at.is_some() };
            if account.suspended {
                return true;
            }
            at = account.parent;
            if at.is_none() {
                return false;
            }
        }
        true
    }

    /// Whether the account may use `source` as it stands, by its own list and by those of the accounts above it.
    #[must_use]
    pub fn may_send_as(&self, account: &Account, source: &[u8]) -> bool {
        let allows = |account: &Account| {
            let senders = account.terms.senders.as_ref();
            senders.is_none_or(|senders| senders.iter().any(|sender| sender.as_bytes() == source))
        };
        let mut at = Some(account);
        for _ in 0..DEEPEST {
            match at {
                Some(account) if allows(account) => {
                    at = account.parent.and_then(|id| self.accounts.get(&id)).map(Arc::as_ref);
                }
                Some(_) => return false,
                None => return true,
            }
        }
        false
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

/// A tree of accounts deeper than this is a mistake in the store; the bound keeps a cycle from hanging a session.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn route(name: &str, prefixes: &[&str]) -> Route {
        let prefixes = prefixes.iter().map(|p| (*p).to_owned()).collect();
        Route { name: name.to_owned(), prefixes, upstreams: vec![UpstreamId(1)] }
    }

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
