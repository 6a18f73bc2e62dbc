//! What binds a sender, compiled: the filters of every level above it and its own, one after the other.
//!
//! Each rule only ever refuses, and a child's list begins with its parent's: so a child can be tighter, never looser.

use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use smallvec::SmallVec;

use super::claim::{Claim, Demand, QuotaKey, Sum, range, ranges, units};
use super::{Filters, Holder, OptOuts, Rule, RuleId, RuleKind, RuleNote, RuleNotes, Unicode, Velocity};
use crate::account::{Credits, Throughput};
use crate::policy::hours::{self, Action, ClosedHours, Hours};
use crate::policy::number::{Country, Kind, Length, Look};
use crate::policy::text::content::Content;
use crate::policy::text::opt::{Keywords, Wish};
use crate::policy::text::sender::SenderSet;
use crate::policy::{Denied, Refusal};

/// A compiled rule: whose it is, whether it is enforced, and what it says.
#[derive(Clone, Debug)]
pub struct Ruled<T> {
    /// Its place among the notes.
    pub id: RuleId,
    /// Whether it is enforced.
    pub enforce: bool,
    /// What it says.
    pub is: T,
}

/// Everything that binds one account or credential.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Whose lists of numbers count, the nearest first; 0 is the platform.
    pub lineage: Vec<u32>,
    /// The zone of the nearest level that names one.
    pub zone: Option<Arc<TimeZone>>,
    /// The longest enforced window of all levels, in seconds.
    pub duplicate: Option<Ruled<u32>>,
    /// The longest one in shadow, where it is longer than that: a shorter one would change nothing.
    pub watched_duplicate: Option<Ruled<u32>>,
    /// Closed hours, and what becomes of messages meanwhile.
    pub hours: Vec<Ruled<(Hours, Action)>>,
    /// Allowed countries.
    pub countries: Vec<Ruled<Countries>>,
    /// The most to countries.
    pub caps: Vec<Caps>,
    /// Granted source addresses.
    pub senders: Vec<Ruled<Arc<SenderSet>>>,
    /// What numbers must be like.
    pub numbers: Vec<Ruled<Sense>>,
    /// The most to ranges of numbers.
    pub velocity: Vec<Ruled<Paced>>,
    /// Words, patterns and links.
    pub content: Vec<Arc<LevelContent>>,
    /// What becomes of texts beyond the GSM alphabet.
    pub unicode: Vec<Ruled<Unicode>>,
    /// Sums of days and months.
    pub quotas: Vec<Ruled<Quota>>,
    /// Destinations of a request.
    pub max_per_request: Vec<Ruled<u32>>,
    /// Segments a second.
    pub throughput: Vec<Ruled<(Holder, Throughput)>>,
    /// Whether certified messages may be asked for.
    pub certified: Vec<Ruled<bool>>,
    /// The wishes of phones, of every account that speaks of them.
    pub opt_outs: Vec<Ruled<Arc<Keywords>>>,
}

/// The content rules of one level.
#[derive(Debug)]
pub struct LevelContent {
    /// All of them in one.
    pub compiled: Content,
    /// Whose each is.
    pub rules: Vec<(RuleId, bool)>,
}

/// A set of countries: a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries([u64; WORDS]);

const WORDS: usize = Country::COUNT.div_ceil(64);

impl Countries {
    /// Of a list.
    #[must_use]
    pub fn of(list: &[Country]) -> Self {
        let mut set = Self([0; WORDS]);
        for country in list {
            if let Some(word) = set.0.get_mut(country.place() / 64) {
                *word |= 1 << (country.place() % 64);
            }
        }
        set
    }

    /// Whether it has `country`.
    #[must_use]
    pub fn has(&self, country: Country) -> bool {
        let word = self.0.get(country.place() / 64);
        word.is_some_and(|word| word & (1 << (country.place() % 64)) != 0)
    }
}

/// The number of a country in the store, from its letters: the list of countries may grow.
fn scope(country: Country) -> u16 {
    country.code().bytes().fold(0, |scope, letter| scope * 32 + u16::from(letter & 31))
}

/// What numbers must be like, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sense {
    refuse: Vec<Kind>,
    check_length: bool,
}

impl Sense {
    /// Why a number is refused, if it is.
    #[must_use]
    pub fn refusal(&self, look: &Look) -> Option<Refusal> {
        if self.check_length && look.country.is_some() && look.length != Length::Fits {
            return Some(Refusal::InvalidDestination);
        }
        self.refuse.contains(&look.kind).then_some(Refusal::DestinationBlocked)
    }
}

/// A sum that may not pass its most.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Whose.
    pub holder: Holder,
    /// Of what.
    pub sum: Sum,
    /// The most: messages or micro-credits.
    pub most: u64,
    /// What is said when it would be passed.
    pub refusal: Refusal,
    /// Where days and months begin.
    pub zone: Arc<TimeZone>,
}

/// The most to countries, of one level. In each list named countries come first; the one for every other country, if
/// there is one, last.
#[derive(Clone, Debug)]
pub struct Caps {
    holder: Holder,
    zone: Arc<TimeZone>,
    enforced: Vec<Ruled<super::CountryCap>>,
    shadow: Vec<Ruled<super::CountryCap>>,
}

impl Caps {
    fn of(holder: Holder, zone: Arc<TimeZone>, mut caps: Vec<Ruled<super::CountryCap>>) -> Self {
        caps.sort_by_key(|cap| cap.is.country.is_none());
        let (enforced, shadow) = caps.into_iter().partition(|cap| cap.enforce);
        Self { holder, zone, enforced, shadow }
    }

    /// Where its days begin.
    #[must_use]
    pub fn zone(&self) -> &Arc<TimeZone> {
        &self.zone
    }

    /// Claims that a message has at most.
    #[must_use]
    pub fn most_claims(&self) -> usize {
        if self.shadow.is_empty() { 2 } else { 4 }
    }

    fn each(&self) -> impl Iterator<Item = &Ruled<super::CountryCap>> {
        self.enforced.iter().chain(&self.shadow)
    }

    /// What a message to `country` demands on `day`.
    pub fn claims(&self, country: Option<Country>, day: i32, total: Credits, mut demand: impl FnMut(Claim)) {
        // A number of no known country counts with its like.
        let fits = |cap: &&Ruled<super::CountryCap>| cap.is.country.is_none() || cap.is.country == country;
        let binds = self.enforced.iter().find(fits);
        // One in shadow is asked where it would decide if it were enforced: not the general one where a country has a cap
        // of its own.
        let is_general = |cap: &Ruled<super::CountryCap>| cap.is.country.is_none();
        let is_heard =
            |cap: &&Ruled<super::CountryCap>| binds.is_none_or(|binds| is_general(binds) || !is_general(cap));
        let watches = self.shadow.iter().find(fits).filter(is_heard);
        let scope = country.map_or(u16::MAX, scope);
        let mut claim = |cap: &Ruled<super::CountryCap>, sum, adds, most, counts| {
            let key = QuotaKey::of(self.holder, sum, scope);
            let demanded = Demand::Quota { key, period: day, adds, most, counts };
            let refusal = Refusal::DailyLimit;
            demand(Claim { rule: cap.id, enforce: cap.enforce, refusal, demand: demanded });
        };
        for cap in [binds, watches].into_iter().flatten() {
            // What both are about is added by the one that is enforced.
            let beside = binds.filter(|_| !cap.enforce).map(|binds| &binds.is);
            if let Some(most) = cap.is.messages {
                let counts = beside.is_none_or(|beside| beside.messages.is_none());
                claim(cap, Sum::DayMessages, 1, most, counts);
            }
            if let Some(most) = cap.is.credits {
                let counts = beside.is_none_or(|beside| beside.credits.is_none());
                claim(cap, Sum::DayCredits, units(total), units(most), counts);
            }
        }
    }
}

/// How fast messages may go to ranges of numbers, compiled.
#[derive(Clone, Debug)]
pub struct Paced {
    prefix: String,
    digits: u8,
    ranges: u64,
    /// Nanoseconds in which one message comes back.
    every: u64,
    burst: u64,
}

impl Paced {
    /// `before` are the rules of the same level that stand before it.
    fn of(holder: Holder, velocity: &Velocity, before: &[Rule<Velocity>]) -> Self {
        let per = u64::try_from(velocity.per.as_nanos()).unwrap_or(u64::MAX);
        let burst = u64::from(velocity.most.max(1));
        let Velocity { prefix, digits, .. } = velocity;
        let is_twin = |other: &&Rule<Velocity>| {
            (&other.is.prefix, other.is.digits, other.is.per) == (prefix, *digits, velocity.per)
        };
        let ranges = ranges(holder, velocity, before.iter().filter(is_twin).count() as u64);
        // Rounded up: never faster than it is written.
        Self { prefix: prefix.clone(), digits: *digits, ranges, every: per.div_ceil(burst), burst }
    }
}

/// What a level is called, for the notes.
#[derive(Clone, Copy, Debug)]
pub struct Level<'a> {
    /// Who.
    pub holder: Holder,
    /// Its name.
    pub name: &'a str,
}

/// Filters that cannot be compiled. The configuration reader finds all of these first, with their places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{whose}: {why}")]
pub struct FilterFault {
    /// Whose filters.
    pub whose: String,
    /// What is wrong.
    pub why: String,
}

impl Rules {
    /// These rules and those of one level more. `lists` is the number of that level's list of numbers, if it has one.
    ///
    /// # Errors
    /// When a filter cannot be compiled.
    pub fn under(
        &self,
        level: Level<'_>,
        filters: &Filters,
        zones: &TimeZoneDatabase,
        notes: &mut RuleNotes,
    ) -> Result<Self, FilterFault> {
        let mut rules = self.clone();
        match level.holder {
            Holder::Platform => rules.lineage.push(0),
            Holder::Account(id) => rules.lineage.insert(0, id.0),
            Holder::Credential(_) => {}
        }
        let mut add = Adding { level, notes };
        if let Some(name) = &filters.zone {
            rules.zone = Some(Arc::new(hours::zone(name, zones).map_err(|why| add.fault(&why))?));
        }
        rules.add_money(filters, &mut add);
        rules.add_texts(filters, &mut add)?;
        rules.add_numbers(filters, &mut add);
        if let Some(rule) = &filters.duplicate {
            let window = u32::try_from(rule.is.as_secs()).unwrap_or(u32::MAX);
            let ruled = add.rule(RuleKind::Duplicate, rule, format!("{window} s"), window);
            let known = if rule.enforce { &mut rules.duplicate } else { &mut rules.watched_duplicate };
            if known.as_ref().is_none_or(|known| known.is < window) {
                *known = Some(ruled);
            }
            let enforced = rules.duplicate.as_ref().map_or(0, |rule| rule.is);
            rules.watched_duplicate.take_if(|watched| watched.is <= enforced);
        }
        for rule in &filters.hours {
            let zone = match rule.is.zone.as_str() {
                "" => TimeZone::clone(&rules.zone()),
                name => hours::zone(name, zones).map_err(|why| add.fault(&why))?,
            };
            let ClosedHours { from, to, action, .. } = &rule.is;
            let says = format!("closed {from} to {to} {}", zone.iana_name().unwrap_or("UTC"));
            let is = (Hours::new([rule.is.interval()], zone), *action);
            rules.hours.push(add.rule(RuleKind::Hours, rule, says, is));
        }
        if let Some(rule) = &filters.max_per_request {
            rules.max_per_request.push(add.rule(RuleKind::MaxPerRequest, rule, rule.is.to_string(), rule.is));
        }
        if let Some(rule) = &filters.throughput {
            let is = (level.holder, rule.is);
            rules.throughput.push(add.rule(RuleKind::Throughput, rule, rule.is.to_string(), is));
        }
        if let Some(rule) = &filters.certified {
            rules.certified.push(add.rule(RuleKind::Certified, rule, rule.is.to_string(), rule.is));
        }
        Ok(rules)
    }

    fn add_money(&mut self, filters: &Filters, add: &mut Adding<'_>) {
        let zone = self.zone();
        let holder = add.level.holder;
        let daily = Refusal::DailyLimit;
        let counts = [
            (RuleKind::MaxPerDay, &filters.max_per_day, Sum::DayMessages, daily),
            (RuleKind::MaxPerMonth, &filters.max_per_month, Sum::MonthMessages, Refusal::UserLimit),
        ];
        for (kind, rule, sum, refusal) in counts {
            let Some(rule) = rule else { continue };
            let quota = Quota { holder, sum, most: rule.is, refusal, zone: Arc::clone(&zone) };
            self.quotas.push(add.rule(kind, rule, rule.is.to_string(), quota));
        }
        let spends = [
            (RuleKind::SpendPerDay, &filters.spend_per_day, Sum::DayCredits),
            (RuleKind::SpendPerMonth, &filters.spend_per_month, Sum::MonthCredits),
        ];
        for (kind, rule, sum) in spends {
            let Some(rule) = rule else { continue };
            let refusal = Refusal::UserLimit;
            let quota = Quota { holder, sum, most: units(rule.is), refusal, zone: Arc::clone(&zone) };
            self.quotas.push(add.rule(kind, rule, format!("{} credits", rule.is), quota));
        }
        if filters.country_caps.is_empty() {
            return;
        }
        let caps = filters
            .country_caps
            .iter()
            .map(|rule| add.rule(RuleKind::CountryCaps, rule, rule.is.to_string(), rule.is))
            .collect();
        self.caps.push(Caps::of(holder, zone, caps));
    }

    fn add_texts(&mut self, filters: &Filters, add: &mut Adding<'_>) -> Result<(), FilterFault> {
        if let Some(rule) = &filters.senders {
            let set = Arc::new(SenderSet::new(&rule.is));
            self.senders.push(add.rule(RuleKind::Senders, rule, format!("{} senders", rule.is.len()), set));
        }
        if let Some(rule) = &filters.unicode {
            let says = format!("{:?}", rule.is).to_lowercase();
            self.unicode.push(add.rule(RuleKind::Unicode, rule, says, rule.is));
        }
        if !filters.content.is_empty() {
            let plain: Vec<_> = filters.content.iter().map(|rule| rule.is.clone()).collect();
            let compiled = Content::compile(&plain).map_err(|fault| {
                let name = plain.get(fault.rule).map_or("", |rule| rule.name.as_str());
                add.fault(&format!("content rule {name:?}: {}", fault.why))
            })?;
            let rules = filters.content.iter().map(|rule| {
                let ruled = add.rule(RuleKind::Content, rule, format!("rule {:?}", rule.is.name), ());
                (ruled.id, ruled.enforce)
            });
            let rules = rules.collect();
            self.content.push(Arc::new(LevelContent { compiled, rules }));
        }
        // Phones write to accounts, never to a credential.
        let heeds = !matches!(add.level.holder, Holder::Credential(_));
        if let Some(rule) = filters.opt_outs.as_ref().filter(|_| heeds) {
            let OptOuts { stop, start } = &rule.is;
            let mut keywords = Keywords::default();
            for (wish, words) in [(Wish::Out, stop), (Wish::In, start)] {
                if !words.is_empty() {
                    keywords.replace(wish, &words.join(","));
                }
            }
            let keywords = Arc::new(keywords);
            let says = if stop.is_empty() { "the usual words" } else { "words of its own" };
            self.opt_outs.push(add.rule(RuleKind::OptOuts, rule, says.to_owned(), keywords));
        }
        Ok(())
    }

    fn add_numbers(&mut self, filters: &Filters, add: &mut Adding<'_>) {
        // An empty list is every country.
        if let Some(rule) = filters.countries.as_ref().filter(|rule| !rule.is.is_empty()) {
            let mut says: Vec<_> = rule.is.iter().take(8).map(ToString::to_string).collect();
            if rule.is.len() > says.len() {
                says.push(format!("and {} more", rule.is.len() - says.len()));
            }
            let is = Countries::of(&rule.is);
            self.countries.push(add.rule(RuleKind::Countries, rule, says.join(" "), is));
        }
        if let Some(rule) = &filters.numbers {
            let says = rule.is.refuse.iter().map(|kind| format!("no {}", kind.word()));
            let length = rule.is.check_length.then(|| "length as planned".to_owned());
            let says = says.chain(length).collect::<Vec<_>>().join(", ");
            let is = Sense { refuse: rule.is.refuse.clone(), check_length: rule.is.check_length };
            self.numbers.push(add.rule(RuleKind::Numbers, rule, says, is));
        }
        for (place, rule) in filters.velocity.iter().enumerate() {
            let Velocity { prefix, digits, most, per } = &rule.is;
            let says = format!("{most} in {} s to {digits} digits of {prefix}*", per.as_secs());
            let before = filters.velocity.get(..place).unwrap_or_default();
            let is = Paced::of(add.level.holder, &rule.is, before);
            self.velocity.push(add.rule(RuleKind::Velocity, rule, says, is));
        }
    }

    /// Every rule, in the order in which they are asked.
    pub fn each(&self, mut hear: impl FnMut(RuleId)) {
        self.senders.iter().for_each(|rule| hear(rule.id));
        self.numbers.iter().for_each(|rule| hear(rule.id));
        self.countries.iter().for_each(|rule| hear(rule.id));
        self.unicode.iter().for_each(|rule| hear(rule.id));
        self.content.iter().flat_map(|level| &level.rules).for_each(|(rule, _)| hear(*rule));
        self.hours.iter().for_each(|rule| hear(rule.id));
        self.opt_outs.iter().for_each(|rule| hear(rule.id));
        self.velocity.iter().for_each(|rule| hear(rule.id));
        self.duplicate.iter().chain(&self.watched_duplicate).for_each(|rule| hear(rule.id));
        self.quotas.iter().for_each(|rule| hear(rule.id));
        self.caps.iter().flat_map(Caps::each).for_each(|rule| hear(rule.id));
        self.max_per_request.iter().for_each(|rule| hear(rule.id));
        self.throughput.iter().for_each(|rule| hear(rule.id));
        self.certified.iter().for_each(|rule| hear(rule.id));
    }

    /// What a phone wishes that writes `text`: no more messages when any enforced level knows the word for it, messages
    /// again when the topmost one does. A child's own word would otherwise take off what its parent's put on.
    #[must_use]
    pub fn wish(&self, text: &str) -> Option<Wish> {
        let enforced = self.opt_outs.iter().filter(|rule| rule.enforce);
        let wishes: SmallVec<[Option<Wish>; 4]> = enforced.map(|rule| rule.is.wish(text)).collect();
        match wishes.first()? {
            _ if wishes.contains(&Some(Wish::Out)) => Some(Wish::Out),
            Some(Wish::In) => Some(Wish::In),
            _ => wishes.contains(&Some(Wish::Help)).then_some(Wish::Help),
        }
    }

    /// Whether certified messages may be asked for: some level says so, and none says no.
    ///
    /// # Errors
    /// [`Refusal::FeatureDisabled`], with the rule that says no, if one does.
    pub fn allows_certified(&self) -> Result<(), Denied> {
        let refusal = Refusal::FeatureDisabled;
        let mut enforced = self.certified.iter().filter(|rule| rule.enforce).peekable();
        if enforced.peek().is_none() {
            return Err(refusal.into());
        }
        match enforced.find(|rule| !rule.is) {
            Some(rule) => Err(Denied::by(refusal, rule.id)),
            None => Ok(()),
        }
    }

    /// The zone in which a new level counts.
    #[must_use]
    pub fn zone(&self) -> Arc<TimeZone> {
        self.zone.clone().unwrap_or_else(|| Arc::new(TimeZone::UTC))
    }

    /// Whether the destination's country or kind matters to any rule.
    #[must_use]
    pub fn looks_at_numbers(&self) -> bool {
        !(self.countries.is_empty() && self.caps.is_empty() && self.numbers.is_empty())
    }

    /// What a message to `number` demands of the paces.
    pub fn paces(&self, number: &[u8], mut demand: impl FnMut(Claim)) {
        for rule in &self.velocity {
            let Paced { prefix, digits, ranges, every, burst } = &rule.is;
            if !prefix.is_empty() && !number.starts_with(prefix.as_bytes()) {
                continue;
            }
            let key = range(*ranges, *digits, number);
            let demanded = Demand::Pace { key, every: *every, burst: *burst };
            let refusal = Refusal::VelocityLimit;
            demand(Claim { rule: rule.id, enforce: rule.enforce, refusal, demand: demanded });
        }
    }
}

/// Rules of one level on their way in.
struct Adding<'a> {
    level: Level<'a>,
    notes: &'a mut RuleNotes,
}

impl Adding<'_> {
    fn rule<R, T>(&mut self, kind: RuleKind, rule: &Rule<R>, says: String, is: T) -> Ruled<T> {
        let id = self.notes.add(RuleNote {
            kind,
            holder: self.level.holder,
            name: self.level.name.to_owned(),
            says,
            place: rule.place.clone(),
            enforce: rule.enforce,
        });
        Ruled { id, enforce: rule.enforce, is }
    }

    fn fault(&self, why: &dyn ToString) -> FilterFault {
        FilterFault { whose: self.level.name.to_owned(), why: why.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountId;

    #[test]
    fn certified_messages_are_only_for_whom_a_level_grants_them_and_none_denies_them() {
        let zones = TimeZoneDatabase::bundled();
        let mut notes = RuleNotes::fresh();
        let mut under = |above: &Rules, id: u32, certified: Option<Rule<bool>>| {
            let level = Level { holder: Holder::Account(AccountId(id)), name: "acme" };
            above.under(level, &Filters { certified, ..Filters::default() }, &zones, &mut notes).unwrap()
        };
        let shadow = |is| Some(Rule { enforce: false, ..Rule::of(is) });
        let (nobody, yes, no) = (Rules::default(), Some(Rule::of(true)), Some(Rule::of(false)));
        let refusal = Refusal::FeatureDisabled;
        assert_eq!(nobody.allows_certified(), Err(refusal.into()), "off by default");
        let granted = under(&nobody, 1, yes.clone());
        assert_eq!(granted.allows_certified(), Ok(()));
        assert_eq!(under(&granted, 2, None).allows_certified(), Ok(()), "those below may too");
        let denied = under(&granted, 2, no);
        let by = Denied::by(refusal, denied.certified.last().unwrap().id);
        assert_eq!(denied.allows_certified(), Err(by));
        assert_eq!(under(&denied, 3, yes).allows_certified(), Err(by), "a child loosens nothing");
        assert_eq!(under(&granted, 2, shadow(false)).allows_certified(), Ok(()));
        assert_eq!(
            under(&nobody, 1, shadow(true)).allows_certified(),
            Err(refusal.into()),
            "shadow grants nothing"
        );
    }
}
