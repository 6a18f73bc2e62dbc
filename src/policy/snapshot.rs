//! The policy as sessions read it: an immutable snapshot, compiled from the store and swapped whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use smpp_proto::text::gsm7::Languages;

use super::Refusal;
use super::prefix::NotAPrefix;
use super::price::{self, Billing, Network, Price, PriceList, PriceTable};
use super::route::{Asked, Asks, MoRoute, MoTable, Route, RouteTable};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{RouteId, UpstreamId};

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
    /// Every credential.
    pub credentials: Vec<Credential>,
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
}

/// The compiled policy.
#[derive(Debug, Default)]
pub struct Snapshot {
    accounts: HashMap<AccountId, Arc<Account>>,
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
    /// When a prefix is not digits, or something names what is not there.
    pub fn compile(parts: SnapshotParts) -> Result<Self, Incoherent> {
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

/// A tree of accounts deeper than this is a mistake in the store; the bound keeps a cycle from hanging a session.
const DEEPEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

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
