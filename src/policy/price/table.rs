//! The compiled prices: one walk over the digits of a number in each list that is asked.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::dated::Dated;
use super::{Network, Price, Reach};
use crate::account::{AccountId, Credits};
use crate::clock::Timestamp;
use crate::policy::Incoherent;
use crate::policy::number::prefix::PrefixTable;

/// Every price list.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    general: List,
    lists: Vec<List>,
    /// The list by which an account pays, where it is not the general one alone.
    of_account: HashMap<AccountId, usize, RandomState>,
}

#[derive(Clone, Debug, Default)]
struct List {
    /// Boxed: most nodes have none, and the walk over them stays within few cache lines.
    numbers: PrefixTable<Box<Spot>>,
    countries: HashMap<[u8; 2], Dated, RandomState>,
    every: Dated,
}

/// What stands at one prefix.
#[derive(Clone, Debug, Default)]
struct Spot {
    network: Dated,
    prefix: Dated,
}

impl PriceTable {
    /// Compiles. `payers` are accounts that have a list of their own, or of one above them, with its name.
    ///
    /// # Errors
    /// When a prefix is not digits, a country not two letters, or a network has no prefixes here. A list without prices is
    /// none: who pays by it pays the general prices.
    pub fn compile<'p>(
        prices: &'p [Price],
        networks: &[Network],
        payers: impl IntoIterator<Item = (AccountId, &'p str)>,
    ) -> Result<Self, Incoherent> {
        let networks: HashMap<&str, &Network> = networks.iter().map(|n| (n.name.as_str(), n)).collect();
        let mut built = Self::default();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for price in prices {
            let list = match price.list.as_deref() {
                None => &mut built.general,
                Some(name) => {
                    let place = *places.entry(name).or_insert_with(|| {
                        built.lists.push(List::default());
                        built.lists.len() - 1
                    });
                    &mut built.lists[place]
                }
            };
            list.add(price, &networks)?;
        }
        for (account, name) in payers {
            if let Some(place) = places.get(name) {
                built.of_account.insert(account, *place);
            }
        }
        Ok(built)
    }

    /// What a segment from `account` to `number` costs now; nothing when it has no price. The country is only asked for
    /// where a price is by country.
    #[must_use]
    pub fn price(
        &self,
        account: AccountId,
        number: &[u8],
        now: Timestamp,
        country_of: impl Fn(&[u8]) -> Option<[u8; 2]>,
    ) -> Option<Credits> {
        let own = if self.of_account.is_empty() { None } else { self.of_account.get(&account) };
        let own = own.and_then(|place| self.lists.get(*place));
        own.and_then(|list| list.at(number, now, &country_of))
            .or_else(|| self.general.at(number, now, &country_of))
    }
}

impl List {
    fn add(&mut self, price: &Price, networks: &HashMap<&str, &Network>) -> Result<(), Incoherent> {
        match &price.reach {
            Reach::Prefix(prefix) if prefix.is_empty() => self.every.add(price),
            Reach::Prefix(prefix) => self.numbers.entry(prefix, Box::default)?.prefix.add(price),
            Reach::Country(code) => {
                let code = code.as_bytes().try_into();
                let code = code.map_err(|_| Incoherent::unknown("country", price.reach.text()))?;
                self.countries.entry(code).or_default().add(price);
            }
            Reach::Network(name) => {
                let network = networks.get(name.as_str());
                for prefix in &network.ok_or_else(|| Incoherent::unknown("network", name))?.prefixes {
                    self.numbers.entry(prefix, Box::default)?.network.add(price);
                }
            }
        }
        Ok(())
    }

    fn at(
        &self,
        number: &[u8],
        now: Timestamp,
        country_of: &impl Fn(&[u8]) -> Option<[u8; 2]>,
    ) -> Option<Credits> {
        let (mut network, mut prefix) = (None, None);
        for spot in self.numbers.matches(number) {
            network = spot.network.at(now).or(network);
            prefix = spot.prefix.at(now).or(prefix);
        }
        let by_country = || {
            if self.countries.is_empty() {
                return None;
            }
            self.countries.get(&country_of(number)?)?.at(now)
        };
        network.or(prefix).or_else(by_country).or_else(|| self.every.at(now))
    }
}

impl Reach {
    /// The prefix, the code or the name.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Prefix(text) | Self::Country(text) | Self::Network(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const ACME: AccountId = AccountId(1);

    fn credits(micro: i64) -> Credits {
        Credits::from_micro(micro)
    }

    fn price(reach: Reach, micro: i64) -> Price {
        Price { reach, ..Price::of("", credits(micro)) }
    }

    fn prefix(digits: &str, micro: i64) -> Price {
        Price::of(digits, credits(micro))
    }

    fn spain(number: &[u8]) -> Option<[u8; 2]> {
        number.starts_with(b"34").then_some(*b"ES")
    }

    fn asked(table: &PriceTable, number: &[u8]) -> Option<i64> {
        table.price(ACME, number, NOW, spain).map(Credits::micro)
    }

    #[test]
    fn the_closer_a_price_knows_a_number_the_sooner_it_is_taken() {
        let network = Network { name: "ES-Uno".to_owned(), prefixes: vec!["34600".into(), "346".into()] };
        let all = [
            prefix("", 1),
            price(Reach::Country("ES".into()), 2),
            prefix("34", 3),
            prefix("3460011", 4),
            price(Reach::Network("ES-Uno".into()), 5),
        ];
        let of = |count: usize, number: &[u8]| {
            let table = PriceTable::compile(&all[..count], std::slice::from_ref(&network), []).unwrap();
            asked(&table, number)
        };
        let number = b"34600112233";
        assert_eq!([1, 2, 3, 4, 5].map(|count| of(count, number)), [1, 2, 3, 4, 5].map(Some));
        assert_eq!((of(5, b"34700112233"), of(5, b"4477")), (Some(3), Some(1)));
        assert_eq!(of(0, number), None);
        let unknown = PriceTable::compile(&all, &[], []).unwrap_err();
        assert_eq!(unknown, Incoherent::unknown("network", "ES-Uno"));
    }

    #[test]
    fn a_price_holds_from_its_beginning_until_its_end() {
        let at = Timestamp::from_millis;
        let all = [
            prefix("34", 1),
            Price { from: Some(at(100)), ..prefix("34", 2) },
            Price { from: Some(at(200)), until: Some(at(300)), ..prefix("34", 3) },
            Price { until: Some(at(150)), ..prefix("346", 9) },
        ];
        let table = PriceTable::compile(&all, &[], []).unwrap();
        let then = |ms, number: &[u8]| table.price(ACME, number, at(ms), spain).map(Credits::micro);
        assert_eq!([99, 100, 199, 200, 299, 300].map(|ms| then(ms, b"34")), [1, 2, 2, 3, 3, 2].map(Some));
        assert_eq!(
            (then(149, b"346"), then(150, b"346")),
            (Some(9), Some(2)),
            "the wider one is let through"
        );
    }

    #[test]
    fn a_list_goes_before_the_general_one_and_falls_back_on_it() {
        let gold = |price| Price { list: Some("gold".to_owned()), ..price };
        let all = [prefix("", 5), prefix("346", 4), gold(prefix("34", 2))];
        let table = PriceTable::compile(&all, &[], [(ACME, "gold"), (AccountId(2), "empty")]).unwrap();
        assert_eq!((asked(&table, b"34600"), asked(&table, b"44")), (Some(2), Some(5)));
        let other = |account| table.price(AccountId(account), b"34600", NOW, spain).map(Credits::micro);
        assert_eq!((other(2), other(3)), (Some(4), Some(4)));
    }
}
