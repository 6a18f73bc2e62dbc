//! By which way: routes with their conditions, in which order a message tries the operators of its route, and whose the
//! messages from phones are.
//!
//! Of all routes whose conditions hold the first wins, whatever the length of its prefixes. Everything that a choice
//! depends on is of the message itself, so that the same message finds the same way again, before and after a restart,
//! and all parts of one go together.

mod class;
mod failover;
pub mod keyword;
mod mo;
mod pick;
mod table;

pub use class::{Class, Classes};
pub use failover::{Failover, Negative, sends_on};
pub use keyword::keyword;
pub use mo::{MoRoute, MoTable, Taker, Takers};
pub use pick::{Pick, WayTo, spread};
pub use table::RouteTable;

use smallvec::SmallVec;
use smpp_proto::pdu::SubmitSm;

use super::Snapshot;
use crate::account::{AccountId, Credits};
use crate::clock::Timestamp;
use crate::message::{Message, RouteId, UpstreamId};
use crate::policy::hours::Hours;
use crate::policy::number::Glance;
use crate::policy::text::SenderPattern;

/// A way to operators. Absent conditions hold for every message.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The number that messages bear; it stays with the name.
    pub id: RouteId,
    /// Its name in configuration, logs and traces.
    pub name: String,
    /// Beginnings of numbers; an empty one takes every number.
    pub prefixes: Vec<String>,
    /// What else must be true of a message.
    pub conditions: Conditions,
    /// The operators; at least one.
    pub ways: Vec<WayTo>,
    /// In which order they are tried.
    pub pick: Pick,
    /// What sends a message that one of them failed to the next; absent means that it ends.
    pub failover: Option<Failover>,
}

/// What must be true of a message that takes a route.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Accounts that use it, and those below them; empty means any.
    pub accounts: Vec<AccountId>,
    /// Source addresses; empty means any.
    pub senders: Vec<SenderPattern>,
    /// Countries of destinations, ISO 3166-1 alpha-2; empty means any.
    pub countries: Vec<[u8; 2]>,
    /// What its content may be, one of them at least; none means anything.
    pub classes: Classes,
    /// When it is open; absent means always.
    pub hours: Option<Hours>,
    /// The least price of a segment.
    pub min_price: Option<Credits>,
    /// The highest price of a segment.
    pub max_price: Option<Credits>,
}

/// What a route is looked up by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Who sends.
    pub account: AccountId,
    /// Source address.
    pub source: &'a [u8],
    /// Destination address: digits in international form.
    pub destination: &'a [u8],
    /// The country of the destination, where it is known.
    pub country: Option<[u8; 2]>,
    /// What the content is.
    pub classes: Classes,
    /// What a segment costs; nothing where it has no price.
    pub price: Option<Credits>,
    /// When it leaves.
    pub at: Timestamp,
}

/// What routes depend on beside account, addresses and price; what no route asks for need not be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The country.
    pub country: bool,
    /// The classes.
    pub classes: bool,
    /// When the message leaves.
    pub hours: bool,
}

/// Operators in the order in which a message tries them.
pub type Order = SmallVec<[UpstreamId; 4]>;

impl Route {
    /// Whether it asks for nothing but a prefix.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let Conditions { accounts, senders, countries, classes, hours, min_price, max_price } =
            &self.conditions;
        accounts.is_empty()
            && senders.is_empty()
            && countries.is_empty()
            && classes.is_empty()
            && hours.is_none()
            && min_price.is_none()
            && max_price.is_none()
    }

    /// Whether it has a prefix of this number.
    #[must_use]
    pub fn reaches(&self, number: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| number.starts_with(prefix.as_bytes()))
    }

    /// Its operators in the order in which a message tries them. The first is there whatever it costs; behind it is none
    /// that costs more than the failover of the route lets the next one cost. `price` is what the client pays for a
    /// segment.
    #[must_use]
    pub fn order(&self, account: AccountId, pdu: &SubmitSm, price: Option<Credits>) -> Order {
        let depends = self.ways.len() > 1 && self.pick.spreads();
        let mut order = pick::order(&self.ways, self.pick, if depends { spread(account, pdu) } else { 0 });
        if order.len() > 1 && self.failover.is_some() {
            let mut behind = false;
            order.retain(|id| !std::mem::replace(&mut behind, true) || !self.is_too_dear(*id, price));
        }
        order
    }
}

impl Conditions {
    /// Whether all of them hold. `accounts` must be sorted and hold those below too.
    #[must_use]
    fn hold(&self, asked: &Asked<'_>) -> bool {
        (self.accounts.is_empty() || self.accounts.binary_search(&asked.account).is_ok())
            && (self.countries.is_empty() || asked.country.is_some_and(|c| self.countries.contains(&c)))
            && (self.classes.is_empty() || self.classes.meets(asked.classes))
            && self.min_price.is_none_or(|least| asked.price.is_some_and(|price| price >= least))
            && self.max_price.is_none_or(|most| asked.price.is_some_and(|price| price <= most))
            && (self.senders.is_empty() || self.senders.iter().any(|pattern| pattern.has(asked.source)))
            && self.hours.as_ref().is_none_or(|hours| hours.has(asked.at))
    }
}

impl<'a> Asked<'a> {
    /// What the routes of a policy must know of a message. Its text is looked at as it came: what is written anew later
    /// depends on the route.
    #[must_use]
    pub fn of(
        policy: &Snapshot,
        account: AccountId,
        pdu: &'a SubmitSm,
        glance: &Glance,
        price: Option<Credits>,
        at: Timestamp,
    ) -> Self {
        let asks = policy.asks();
        let destination = pdu.destination.digits.as_bytes();
        Self {
            account,
            source: pdu.source.digits.as_bytes(),
            destination,
            country: if asks.country { glance.country(destination) } else { None },
            classes: if asks.classes { Classes::of(pdu) } else { Classes::NONE },
            price,
            at,
        }
    }
}

/// The operators that may take a message that was accepted, in its order: those of its own route while that is there and
/// still has its number, else those of the route that it would take now. Nothing when it has none any more.
#[must_use]
pub fn way_of(policy: &Snapshot, message: &Message, now: Timestamp) -> Option<Order> {
    let pdu = SubmitSm::decode(message.pdu.clone()).ok()?;
    let own = policy.route(message.route).filter(|route| route.reaches(pdu.destination.digits.as_bytes()));
    let route = match own {
        Some(route) => route,
        None => {
            let (glance, price) = (Glance::default(), Some(message.price));
            policy.route_to(&Asked::of(policy, message.account, &pdu, &glance, price, now))?
        }
    };
    let mut order = route.order(message.account, &pdu, Some(message.price));
    // Where it failed it does not come back to.
    order.retain(|upstream| !message.tried.contains(upstream));
    Some(order)
}
