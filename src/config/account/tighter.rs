//! A child may only tighten: what would loosen a rule of a level above it is a mistake, not a wish.
//!
//! Compared are values that say how much or which: where both a level and one above it have such a value, it must not let
//! through what the other refuses. What only adds refusals (closed hours, content, kinds of numbers) is not compared:
//! there is nothing that it could loosen.

use std::cmp::Ordering;
use std::collections::HashMap;

use ipnet::IpNet;

use super::ConfiguredAccount;
use crate::account::{Access, AccessList, Credits, Surface, Throughput};
use crate::config::read::{Names, Sources, shown_duration};
use crate::policy::filter::{CountryCap, Filters, Rule, Unicode, Velocity};
use crate::policy::number::Country;
use crate::policy::text::{SenderPattern, SenderSet};

/// A value and the limit above it that it passes: key, value, limit.
type Looser = (String, String, String);

/// Reports every value that is looser than one above it.
pub(in crate::config) fn check(
    accounts: &[ConfiguredAccount],
    platform: &Filters,
    names: &Names,
    sources: &Sources<'_>,
) {
    let by_name: HashMap<&str, &ConfiguredAccount> =
        accounts.iter().map(|account| (account.name.as_str(), account)).collect();
    for account in accounts {
        let Some(place) = names.place(&account.name) else { continue };
        for (level, mut above) in levels(account).into_iter().filter(|(level, _)| level.says_something()) {
            for _ in 0..=super::DEEPEST {
                let parent = above.and_then(|name| by_name.get(name));
                let (whose, theirs) = match parent {
                    Some(parent) => (format!("account {:?}", parent.name), Above::of(parent)),
                    None => ("the platform".to_owned(), Above { filters: platform, access: None }),
                };
                for (key, own, limit) in level.looser_than(&theirs) {
                    let what = format!("{} sets {key} to {own}, and {whose} above it to {limit}", level.who);
                    let advice = "a level may only be tighter than those above it".to_owned();
                    sources.report(place, what, advice);
                }
                let Some(parent) = parent else { break };
                above = parent.parent.as_deref();
            }
        }
    }
}

/// What a level says that others may have said above it.
struct Level<'a> {
    who: String,
    filters: &'a Filters,
    /// Addresses from which it may be used, with the key that names them; none lets in all.
    addresses: Vec<(String, Surface, Vec<IpNet>)>,
    /// A credential's own rate.
    rate: Option<Throughput>,
}

/// What stands above.
struct Above<'a> {
    filters: &'a Filters,
    access: Option<&'a Access>,
}

impl<'a> Above<'a> {
    fn of(account: &'a ConfiguredAccount) -> Self {
        Self { filters: &account.filters, access: Some(&account.terms.access) }
    }
}

/// An account's level and those of its credentials, each with the name of the account above it.
fn levels(account: &ConfiguredAccount) -> Vec<(Level<'_>, Option<&str>)> {
    let restricted = Surface::ALL.into_iter().filter_map(|surface| {
        let list = account.terms.access.list(surface);
        let networks = list.entries.iter().map(|entry| entry.network).collect();
        list.restricted.then(|| (format!("access.{surface}.entries"), surface, networks))
    });
    let own = Level {
        who: format!("account {:?}", account.name),
        filters: &account.filters,
        addresses: restricted.collect(),
        rate: None,
    };
    let mut found = vec![(own, account.parent.as_deref())];
    found.extend(account.credentials.iter().map(|credential| {
        let allowed = &credential.bounds.allowed_ips;
        let addresses = (!allowed.is_empty())
            .then(|| ("allowed_ips".to_owned(), Surface::Smpp, allowed.clone()))
            .into_iter()
            .collect();
        let level = Level {
            who: format!("credential {:?}", credential.system_id),
            filters: &credential.filters,
            addresses,
            rate: credential.bounds.throughput,
        };
        (level, Some(account.name.as_str()))
    }));
    found
}

impl Level<'_> {
    fn says_something(&self) -> bool {
        !self.filters.is_empty() || !self.addresses.is_empty() || self.rate.is_some()
    }

    fn looser_than(&self, theirs: &Above<'_>) -> Vec<Looser> {
        let mut found = Vec::new();
        counts(self.filters, theirs.filters, &mut found);
        choices(self.filters, theirs.filters, &mut found);
        ranges(self.filters, theirs.filters, &mut found);
        let rates = [enforced(&self.filters.throughput), self.rate.as_ref()];
        for own in rates.into_iter().flatten() {
            if let Some(limit) = enforced(&theirs.filters.throughput)
                && (own.per_second > limit.per_second || own.burst > limit.burst)
            {
                found.push(("throughput".to_owned(), own.to_string(), limit.to_string()));
            }
        }
        for (key, surface, networks) in &self.addresses {
            // One that lets nobody in is a mistake of its own, and told as that.
            let restricts = |list: &&AccessList| list.restricted && !list.entries.is_empty();
            let Some(list) = theirs.access.map(|access| access.list(*surface)).filter(restricts) else {
                continue;
            };
            let limit: Vec<_> = list.entries.iter().map(|entry| entry.network).collect();
            if let Some(wider) = wider(networks, &limit) {
                let limit = shown(limit.iter());
                found.push((key.clone(), wider.to_string(), limit));
            }
        }
        found
    }
}

/// Rules in shadow bind nobody: one that is tried above need not fit what is written below.
fn enforced<T>(rule: &Option<Rule<T>>) -> Option<&T> {
    rule.as_ref().filter(|rule| rule.enforce).map(|rule| &rule.is)
}

fn all_enforced<T>(rules: &[Rule<T>]) -> impl Iterator<Item = &T> {
    rules.iter().filter(|rule| rule.enforce).map(|rule| &rule.is)
}

/// The first few of a list.
fn shown<T: ToString>(list: impl Iterator<Item = T>) -> String {
    const MOST: usize = 10;
    let mut words: Vec<_> = list.map(|one| one.to_string()).collect();
    let more = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    match (words.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (_, 0) => words.join(" "),
        _ => format!("{} and {more} more", words.join(" ")),
    }
}

/// The most of something.
fn counts(own: &Filters, theirs: &Filters, found: &mut Vec<Looser>) {
    fn more<T: PartialOrd + ToString>(
        key: &str,
        own: &Option<Rule<T>>,
        theirs: &Option<Rule<T>>,
    ) -> Option<Looser> {
        let (own, theirs) = (enforced(own)?, enforced(theirs)?);
        (own > theirs).then(|| (key.to_owned(), own.to_string(), theirs.to_string()))
    }
    found.extend(more("max_per_day", &own.max_per_day, &theirs.max_per_day));
    found.extend(more("max_per_month", &own.max_per_month, &theirs.max_per_month));
    found.extend(more("spend_per_day", &own.spend_per_day, &theirs.spend_per_day));
    found.extend(more("spend_per_month", &own.spend_per_month, &theirs.spend_per_month));
    found.extend(more("max_per_request", &own.max_per_request, &theirs.max_per_request));
    if let (Some(own), Some(theirs)) = (enforced(&own.duplicate), enforced(&theirs.duplicate))
        && own < theirs
    {
        found.push(("duplicate.window".to_owned(), shown_duration(*own), shown_duration(*theirs)));
    }
}

/// Which of several: alphabets, certified messages, countries, senders.
fn choices(own: &Filters, theirs: &Filters, found: &mut Vec<Looser>) {
    if let (Some(own), Some(theirs)) = (enforced(&own.unicode), enforced(&theirs.unicode))
        && own < theirs
    {
        let word = |mode: &Unicode| format!("{mode:?}").to_lowercase();
        found.push(("unicode".to_owned(), word(own), word(theirs)));
    }
    if let (Some(true), Some(false)) = (enforced(&own.certified), enforced(&theirs.certified)) {
        found.push(("certified".to_owned(), true.to_string(), false.to_string()));
    }
    if let (Some(own), Some(theirs)) = (enforced(&own.countries), enforced(&theirs.countries)) {
        let more: Vec<&Country> = own.iter().filter(|country| !theirs.contains(country)).collect();
        // An empty list is every country.
        if !theirs.is_empty() && (own.is_empty() || !more.is_empty()) {
            let own = if own.is_empty() { "all".to_owned() } else { shown(more.iter()) };
            found.push(("countries".to_owned(), own, shown(theirs.iter())));
        }
    }
    if let (Some(own), Some(theirs)) = (enforced(&own.senders), enforced(&theirs.senders)) {
        let granted = SenderSet::new(theirs);
        let more: Vec<&SenderPattern> = own.iter().filter(|pattern| pattern.exceeds(&granted)).collect();
        if !more.is_empty() {
            found.push(("senders".to_owned(), shown(more.iter()), shown(theirs.iter())));
        }
    }
}

/// The most to countries and to ranges of numbers.
fn ranges(own: &Filters, theirs: &Filters, found: &mut Vec<Looser>) {
    for cap in all_enforced(&own.country_caps) {
        let limits = || all_enforced(&theirs.country_caps);
        // One for a country by its name, else the one for each other country.
        let of = |country: Option<Country>| limits().find(|limit| limit.country == country);
        let Some(limit) = of(cap.country).or_else(|| of(None)) else { continue };
        let is_more =
            |own: Option<i128>, limit: Option<i128>| own.zip(limit).is_some_and(|(own, limit)| own > limit);
        let messages = |cap: &CountryCap| cap.messages.map(i128::from);
        let credits = |cap: &CountryCap| cap.credits.map(|most: Credits| i128::from(most.micro()));
        if is_more(messages(cap), messages(limit)) || is_more(credits(cap), credits(limit)) {
            found.push(("country_caps".to_owned(), cap.to_string(), limit.to_string()));
        }
    }
    for pace in all_enforced(&own.velocity) {
        if let Some(limit) = all_enforced(&theirs.velocity).find(|limit| is_faster(pace, limit)) {
            let shown = |pace: &Velocity| format!("{} in {}", pace.most, shown_duration(pace.per));
            found.push(("velocity".to_owned(), shown(pace), shown(limit)));
        }
    }
}

/// Whether all of a range of `own` is in one range of `limit`, which lets no more through at once and not more often, and
/// one of the two less. Fewer at once but more often, or the other way round, is a limit beside the other.
fn is_faster(own: &Velocity, limit: &Velocity) -> bool {
    if !own.prefix.starts_with(&limit.prefix) || own.digits < limit.digits {
        return false;
    }
    let per = |own: &Velocity, other: &Velocity| u128::from(own.most).saturating_mul(other.per.as_millis());
    let rate = per(own, limit).cmp(&per(limit, own));
    let burst = own.most.cmp(&limit.most);
    rate != Ordering::Less && burst != Ordering::Less && (rate, burst) != (Ordering::Equal, Ordering::Equal)
}

/// The first network with an address that none of `limit` has.
fn wider<'n>(networks: &'n [IpNet], limit: &[IpNet]) -> Option<&'n IpNet> {
    let limit = IpNet::aggregate(&limit.to_vec());
    networks.iter().find(|network| !limit.iter().any(|limit| limit.contains(*network)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_together_hold_another_are_not_narrower_than_it() {
        let nets = |all: &[&str]| all.iter().map(|net| net.parse().unwrap()).collect::<Vec<IpNet>>();
        let halves = nets(&["192.0.2.128/25", "192.0.2.0/25", "2001:db8::/32"]);
        assert_eq!(wider(&nets(&["192.0.2.0/24", "2001:db8::7/128"]), &halves), None);
        assert_eq!(
            wider(&nets(&["192.0.2.1/32", "192.0.0.0/16"]), &halves),
            Some(&"192.0.0.0/16".parse().unwrap())
        );
        assert_eq!(wider(&nets(&["0.0.0.0/0"]), &[]), Some(&"0.0.0.0/0".parse().unwrap()));
    }

    #[test]
    fn a_pace_is_looser_only_where_nothing_of_it_is_tighter() {
        let pace = |prefix: &str, digits, most, seconds| Velocity {
            prefix: prefix.to_owned(),
            digits,
            most,
            per: std::time::Duration::from_secs(seconds),
        };
        let limit = pace("34", 7, 5, 3_600);
        for (own, is_looser) in [
            (pace("34", 7, 5, 3_600), false),
            (pace("34", 7, 6, 3_600), true),
            (pace("34", 7, 5, 3_599), true),
            (pace("346", 15, 6, 3_600), true),
            (pace("", 7, 6, 3_600), false),
            (pace("34", 6, 6, 3_600), false),
            (pace("34", 7, 20, 86_400), false),
            (pace("34", 7, 4, 60), false),
        ] {
            assert_eq!(is_faster(&own, &limit), is_looser, "{own:?}");
        }
    }
}
