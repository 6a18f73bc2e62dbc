//! The compiled routes: found by the prefixes of a number, then asked in their order.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::{Asked, Asks, Route};
use crate::message::RouteId;
use crate::policy::number::prefix::{NotAPrefix, PrefixTable};

/// Every route.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    all: Vec<Route>,
    places: HashMap<RouteId, u32, RandomState>,
    /// Places of the routes that name a prefix, in their order. Behind one that takes everything none is kept.
    by_prefix: PrefixTable<SmallVec<[u32; 2]>>,
    asks: Asks,
    fails_over: bool,
}

impl RouteTable {
    /// Compiles. The accounts of each route must hold those below them already.
    ///
    /// # Errors
    /// When a prefix is not digits.
    pub fn compile(mut routes: Vec<Route>) -> Result<Self, NotAPrefix> {
        let mut built = Self::default();
        for (place, route) in (0_u32..).zip(&mut routes) {
            route.conditions.accounts.sort_unstable();
            built.asks.country |= !route.conditions.countries.is_empty();
            built.asks.classes |= !route.conditions.classes.is_empty();
            built.asks.hours |= route.conditions.hours.is_some();
            built.fails_over |= route.failover.is_some();
            built.places.entry(route.id).or_insert(place);
        }
        for (place, route) in (0_u32..).zip(&routes) {
            for prefix in &route.prefixes {
                let named = built.by_prefix.entry(prefix, SmallVec::new)?;
                let decided =
                    named.last().and_then(|last| routes.get(*last as usize)).is_some_and(Route::is_plain);
                if !decided && named.last() != Some(&place) {
                    named.push(place);
                }
            }
        }
        built.all = routes;
        Ok(built)
    }

    /// Of all routes that a message may take the first.
    #[must_use]
    pub fn find(&self, asked: &Asked<'_>) -> Option<&Route> {
        let first = self.by_prefix.matches(asked.destination).filter_map(|named| named.first()).min()?;
        let first = self.all.get(*first as usize)?;
        if first.is_plain() || first.conditions.hold(asked) {
            return Some(first);
        }
        let mut places: SmallVec<[u32; 16]> =
            self.by_prefix.matches(asked.destination).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let routes = places.iter().skip(1).filter_map(|place| self.all.get(*place as usize));
        routes.into_iter().find(|route| route.conditions.hold(asked))
    }

    /// The place of a route among all.
    #[must_use]
    pub fn place(&self, id: RouteId) -> Option<usize> {
        self.places.get(&id).map(|place| *place as usize)
    }

    /// The route of this number.
    #[must_use]
    pub fn get(&self, id: RouteId) -> Option<&Route> {
        self.all.get(self.place(id)?)
    }

    /// Whether a route sends messages on that an operator failed.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        self.fails_over
    }

    /// What must be found out of a message before a route is asked for.
    #[must_use]
    pub fn asks(&self) -> Asks {
        self.asks
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::{Class, Classes, Conditions};
    use super::*;
    use crate::account::AccountId;
    use crate::clock::Timestamp;
    use crate::policy::hours::Hours;

    fn route(id: u32, prefixes: &[&str], conditions: Conditions) -> Route {
        let prefixes = prefixes.iter().map(|p| (*p).to_owned()).collect();
        Route { id: RouteId(id), name: id.to_string(), prefixes, conditions, ..Route::default() }
    }

    fn asked(destination: &str) -> Asked<'_> {
        Asked {
            destination: destination.as_bytes(),
            source: b"ACME",
            account: AccountId(1),
            ..Asked::default()
        }
    }

    #[test]
    fn the_first_route_whose_conditions_hold_wins_whatever_its_prefix() {
        let only = |account| Conditions { accounts: vec![AccountId(account)], ..Conditions::default() };
        let table = RouteTable::compile(vec![
            route(10, &["346"], only(2)),
            route(11, &["34", "346", "34"], only(3)),
            route(12, &[""], only(4)),
            route(13, &["34"], Conditions::default()),
            route(14, &["346"], Conditions::default()),
            route(15, &["346"], Conditions::default()),
        ])
        .unwrap();
        let found = |account, number| {
            let asked = Asked { account: AccountId(account), ..asked(number) };
            table.find(&asked).map(|route| route.id.0)
        };
        assert_eq!([1, 2, 3, 4].map(|account| found(account, "34600")), [13, 10, 11, 12].map(Some));
        assert_eq!([1, 4].map(|account| found(account, "44")), [None, Some(12)]);
        assert_eq!(table.get(RouteId(14)).map(|route| &route.name[..]), Some("14"));
        assert_eq!((table.place(RouteId(15)), table.place(RouteId(0))), (Some(5), None));
    }

    #[test]
    fn each_condition_must_hold() {
        let noon = Timestamp::from_millis(1_763_640_000_000);
        let with = |change: fn(&mut Conditions)| {
            let mut conditions = Conditions::default();
            change(&mut conditions);
            let table = RouteTable::compile(vec![route(1, &["34"], conditions)]).unwrap();
            move |change: fn(&mut Asked<'_>)| {
                let mut asked = Asked { at: noon, ..asked("34600") };
                change(&mut asked);
                table.find(&asked).is_some()
            }
        };
        let takes = with(|c| c.senders = vec!["AC*".parse().unwrap(), "22000".parse().unwrap()]);
        assert!(
            takes(|_| ()) && takes(|asked| asked.source = b"22000") && !takes(|asked| asked.source = b"B")
        );
        let takes = with(|c| c.countries = vec![*b"ES", *b"PT"]);
        assert!(takes(|asked| asked.country = Some(*b"PT")) && !takes(|asked| asked.country = Some(*b"FR")));
        assert!(!takes(|_| ()), "a country that is not known is none of them");
        let takes = with(|c| c.classes = [Class::Otp, Class::Flash].into_iter().collect());
        assert!(takes(|asked| asked.classes = [Class::Flash, Class::Unicode].into_iter().collect()));
        assert!(!takes(|asked| asked.classes = [Class::Unicode].into_iter().collect()));
        assert!(!takes(|asked| asked.classes = Classes::NONE));
        let takes = with(|c| c.hours = Some(Hours::new(["11:00-12:30".parse().unwrap()], TimeZone::UTC)));
        assert!(takes(|_| ()) && !takes(|asked| asked.at = Timestamp::from_millis(0)));
        let takes = with(|c| {
            (c.min_price, c.max_price) = (Some("0.5".parse().unwrap()), Some("2".parse().unwrap()));
        });
        assert!(takes(|asked| asked.price = Some("0.5".parse().unwrap())));
        assert!(takes(|asked| asked.price = Some("2".parse().unwrap())));
        assert!(!takes(|asked| asked.price = Some("0.499999".parse().unwrap())));
        assert!(!takes(|asked| asked.price = Some("2.000001".parse().unwrap())) && !takes(|_| ()));
    }
}
