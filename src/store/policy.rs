//! Policy as it is written down: what a configuration, the API or the command line want the store to hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use crate::account::{Credits, Origin, PasswordHash, Terms, credential::Bounds};
use crate::message::{IdForm, UpstreamId};
use crate::policy::filter::Filters;
use crate::policy::route::{Class, Failover, Pick};
use crate::policy::{Billing, Network, Platform, Price, PriceList, TextLimits};

/// A whole policy to put in the place of the one that came from files; accounts made elsewhere stay as they are.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {
    /// Accounts with their credentials.
    pub accounts: Vec<AccountDraft>,
    /// Whether accounts that came from files and are not among `accounts` are suspended.
    pub replaces_files: bool,
    /// Prices, routes, MO routes, upstreams and bounds; absent leaves them as they are.
    pub traffic: Option<TrafficDraft>,
}

/// An account as it is written down.
#[derive(Clone, Debug)]
pub struct AccountDraft {
    /// Its name; makes the account or changes the one that has it.
    pub name: String,
    /// The name of the account that answers for it.
    pub parent: Option<String>,
    /// Granted once, when the account first appears.
    pub opening_credit: Credits,
    /// Whether it is stopped.
    pub suspended: bool,
    /// Where it was written down.
    pub origin: Origin,
    /// How it differs from the defaults.
    pub terms: Terms,
    /// What it may send.
    pub filters: Filters,
    /// Its credentials; those that are missing lose their right to bind.
    pub credentials: Vec<CredentialDraft>,
}

/// A credential as it is written down.
#[derive(Clone, Debug)]
pub struct CredentialDraft {
    /// The name it binds with.
    pub system_id: String,
    /// What its password must match.
    pub password: PasswordHash,
    /// Its bounds.
    pub bounds: Bounds,
    /// What may be sent with it.
    pub filters: Filters,
}

/// Prices, ways and operators as they are written down.
#[derive(Clone, Debug, Default)]
pub struct TrafficDraft {
    /// What a segment costs.
    pub prices: Vec<Price>,
    /// Networks that prices name.
    pub networks: Vec<Network>,
    /// Price lists that differ in more than prices.
    pub price_lists: Vec<PriceList>,
    /// In what currency amounts are shown.
    pub billing: Option<Billing>,
    /// Routes in the order in which they are asked.
    pub routes: Vec<RouteDraft>,
    /// Who gets messages from phones.
    pub mo_routes: Vec<MoRouteDraft>,
    /// Operators.
    pub upstreams: Vec<UpstreamDraft>,
    /// Bounds of every message.
    pub limits: TextLimits,
    /// What binds everybody.
    pub platform: Platform,
}

/// A route as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteDraft {
    /// Its name.
    pub name: String,
    /// Number prefixes.
    pub prefixes: Vec<String>,
    /// The operators as they are written.
    pub upstreams: Vec<WayDraft>,
    /// In which order they are tried.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pick: Pick,
    /// Names of the accounts that use it, with those below them; empty means any.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accounts: Vec<String>,
    /// Source addresses, `*` for any characters; empty means any.
    #[serde(default, skip_serializing_if = "is_default")]
    pub senders: Vec<String>,
    /// Countries of destinations, ISO 3166-1 alpha-2; empty means any.
    #[serde(default, skip_serializing_if = "is_default")]
    pub countries: Vec<String>,
    /// What the content may be; empty means anything.
    #[serde(default, skip_serializing_if = "is_default")]
    pub classes: Vec<Class>,
    /// Spans of a day in `zone`; empty means always.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hours: Vec<String>,
    /// The zone of `hours` (IANA); UTC when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zone: Option<String>,
    /// The least price of a segment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min_price: Option<Credits>,
    /// The highest price of a segment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_price: Option<Credits>,
    /// What sends a message that one operator failed to the next.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failover: Option<Failover>,
}

/// An operator of a route, as it is written down: its name alone, or more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenWay", into = "WrittenWay")]
pub struct WayDraft {
    /// Its name.
    pub name: String,
    /// Its weight or its share in percent; 1 when absent.
    pub weight: Option<u32>,
    /// What a segment costs us there.
    pub cost: Option<Credits>,
}

impl From<&str> for WayDraft {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), weight: None, cost: None }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenWay {
    Name(String),
    More {
        name: String,
        #[serde(default, skip_serializing_if = "is_default")]
        weight: Option<u32>,
        #[serde(default, skip_serializing_if = "is_default")]
        cost: Option<Credits>,
    },
}

impl From<WrittenWay> for WayDraft {
    fn from(written: WrittenWay) -> Self {
        match written {
            WrittenWay::Name(name) => Self { name, weight: None, cost: None },
            WrittenWay::More { name, weight, cost } => Self { name, weight, cost },
        }
    }
}

impl From<WayDraft> for WrittenWay {
    fn from(way: WayDraft) -> Self {
        match way {
            WayDraft { name, weight: None, cost: None } => Self::Name(name),
            WayDraft { name, weight, cost } => Self::More { name, weight, cost },
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whose messages from phones are, as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoRouteDraft {
    /// Prefixes of our numbers.
    pub prefixes: Vec<String>,
    /// The name of the account.
    pub account: String,
    /// The first word of those that are meant, however it is written; absent means all others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keyword: Option<String>,
    /// The system_id whose receivers alone may take them; absent means any of the account.
    #[serde(default, skip_serializing_if = "is_default")]
    pub credential: Option<String>,
}

/// An operator as the store must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamDraft {
    /// Its name.
    pub name: String,
    /// How it is.
    pub traits: UpstreamTraits,
}

/// What the store must know of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamTraits {
    /// How its receipts write ids.
    pub id_form: IdForm,
    /// Whether a submit must be written down before it goes out, because it must not simply be sent again when it is
    /// uncertain whether it arrived (`in_doubt` is not `resend`).
    pub notes_sending: bool,
    /// How long a receipt for an id that nobody knows yet is kept; 10 min by default.
    pub park: Duration,
    /// How long a submit that was about to go out when the gateway stopped waits for a receipt before it stands in
    /// its lane again; zero by default.
    #[serde(default)]
    pub doubt_wait: Duration,
    /// National languages whose tables it takes, as the bits of [`smpp_proto::text::gsm7::Languages`]; none by default.
    #[serde(default)]
    pub languages: u16,
}

impl Default for UpstreamTraits {
    fn default() -> Self {
        Self {
            id_form: IdForm::Auto,
            notes_sending: false,
            park: Duration::from_secs(600),
            doubt_wait: Duration::ZERO,
            languages: 0,
        }
    }
}

/// Which operators can be sent to now: told by the binds, asked by whoever chooses between operators.
#[derive(Debug, Default)]
pub struct Up(ArcSwap<HashSet<UpstreamId>>);

impl Up {
    /// Whether an operator can be sent to.
    #[must_use]
    pub fn is_up(&self, id: UpstreamId) -> bool {
        self.0.load().contains(&id)
    }

    /// An operator's standing may have changed. `is_up` is asked again when somebody else tells something meanwhile, so
    /// that what was told last is true.
    pub fn tell(&self, id: UpstreamId, is_up: impl Fn() -> bool) {
        self.0.rcu(|known| {
            let is_up = is_up();
            if known.contains(&id) == is_up {
                return Arc::clone(known);
            }
            let mut known = HashSet::clone(known);
            if is_up {
                known.insert(id)
            } else {
                known.remove(&id)
            };
            Arc::new(known)
        });
    }
}

/// Operators by name and number.
#[derive(Clone, Debug, Default)]
pub struct Upstreams {
    pub(super) by_name: HashMap<String, UpstreamId>,
    pub(super) by_id: HashMap<UpstreamId, (String, UpstreamTraits)>,
}

impl Upstreams {
    /// The number of an operator that was applied before.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<UpstreamId> {
        self.by_name.get(name).copied()
    }

    /// The name of an operator.
    #[must_use]
    pub fn name(&self, id: UpstreamId) -> Option<&str> {
        self.by_id.get(&id).map(|(name, _)| name.as_str())
    }

    /// Every operator that was ever applied.
    pub fn iter(&self) -> impl Iterator<Item = (UpstreamId, &str)> {
        self.by_id.iter().map(|(id, (name, _))| (*id, name.as_str()))
    }

    pub(super) fn traits(&self, id: UpstreamId) -> UpstreamTraits {
        self.by_id.get(&id).map(|(_, traits)| *traits).unwrap_or_default()
    }
}
