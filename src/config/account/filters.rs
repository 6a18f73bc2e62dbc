//! `[account.filters]`, `[account.smpp.filters]` and `[filters]`: what may be sent, and what binds everybody.
//!
//! A filter is written as its value alone, or as a table that may also say `enforce = false`: then it runs in shadow.

use crate::account::Credits;
use crate::config::read::{Names, Section, Sources, Spot, Value};
use crate::config::traffic::{country, list_once};
use crate::config::{DAY, HOUR, SECOND};
use crate::policy::Platform;
use crate::policy::filter::{CountryCap, Filters, NumberSense, OptOuts, Rule, Unicode, Velocity};
use crate::policy::hours::{Action, ClosedHours, Days};
use crate::policy::number::Kind;
use crate::policy::text::content::{Content, ContentMatch, ContentRule, LinkRule, WordRule};
use crate::policy::text::{NameMatch, ProtectedName, Registry, RegistryFault, SenderPattern};

/// Words, patterns or domains of one rule.
const MOST_WORDS: usize = 10_000;

/// Whose filters they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Whose {
    Platform,
    Account,
    Credential,
}

impl Whose {
    /// How its table is called in problems.
    const fn table(self) -> &'static str {
        match self {
            Self::Platform => "[filters]",
            Self::Account => "[account.filters]",
            Self::Credential => "[account.smpp.filters]",
        }
    }
}

/// Reads the filters of a level.
pub(in crate::config) fn read(table: &mut Section<'_>, whose: Whose) -> Filters {
    let mut section = table.section("filters", whose.table());
    let mut filters = Filters::default();
    if !section.is_written() {
        return filters;
    }
    section.put("zone", &mut filters.zone, |v| v.zone().map(Some));
    filters.duplicate = table_rule(&mut section, "duplicate", |table| {
        let mut window = HOUR;
        table.put("window", &mut window, |v| v.duration(SECOND..=31 * DAY));
        // Refusing is the only thing that can become of a duplicate.
        let _: Option<()> = table.value("action").and_then(|v| v.one_of(&[("reject", ())]));
        Some(window)
    });
    filters.hours = rules(&mut section, "hours", closed_hours);
    filters.countries = rule(&mut section, "countries", "allow", |v| v.list(country));
    filters.country_caps = rules(&mut section, "country_caps", country_cap);
    for (place, cap) in filters.country_caps.iter().enumerate() {
        let again =
            |other: &&Rule<CountryCap>| other.enforce == cap.enforce && other.is.country == cap.is.country;
        if filters.country_caps.iter().take(place).any(|other| again(&other)) {
            let country =
                cap.is.country.map_or_else(|| "every country".to_owned(), |known| known.to_string());
            let what = format!("country_caps names {country} twice");
            section.report(what, "write messages and credits for it in one of them".to_owned());
        }
    }
    filters.senders = rule(&mut section, "senders", "allow", |v| v.list(Value::parsed::<SenderPattern>));
    filters.numbers = table_rule(&mut section, "numbers", |table| Some(number_sense(table)));
    filters.velocity = rules(&mut section, "velocity", velocity);
    filters.content = content(&mut section);
    filters.unicode = rule(&mut section, "unicode", "mode", |v| {
        v.one_of(&[
            ("allow", Unicode::Allow),
            ("reject", Unicode::Reject),
            ("transliterate", Unicode::Transliterate),
        ])
    });
    let count = |v: &Value<'_>| v.number(0..=1_000_000_000_000_u64);
    filters.max_per_day = rule(&mut section, "max_per_day", "most", count);
    filters.max_per_month = rule(&mut section, "max_per_month", "most", count);
    filters.spend_per_day = rule(&mut section, "spend_per_day", "most", spend);
    filters.spend_per_month = rule(&mut section, "spend_per_month", "most", spend);
    filters.max_per_request = rule(&mut section, "max_per_request", "most", |v| v.number(1..=1_000_000));
    filters.throughput = rule(&mut section, "throughput", "most", Value::parsed);
    filters.certified = rule(&mut section, "certified", "allow", Value::flag);
    if whose == Whose::Credential {
        section.refuse(
            "opt_outs",
            "would do nothing, since phones write to accounts",
            "write it in [account.filters]",
        );
    } else {
        filters.opt_outs = opt_outs(&mut section);
    }
    section.finish();
    filters
}

/// Reads what binds everybody.
pub(in crate::config) fn read_platform(
    root: &mut Section<'_>,
    protected: Vec<Rule<ProtectedName<String>>>,
) -> Platform {
    Platform { filters: read(root, Whose::Platform), protected }
}

/// Names that belong to somebody: those that are enforced, and those in shadow.
pub(in crate::config) struct Protected {
    names: [Names; 2],
    read: Vec<(Spot, Rule<ProtectedName<String>>)>,
}

impl Protected {
    /// None yet.
    pub(in crate::config) fn new() -> Self {
        Self { names: [Names::of("protected name"), Names::of("protected name in shadow")], read: Vec::new() }
    }

    /// Reads one.
    pub(in crate::config) fn read(&mut self, mut table: Section<'_>, accounts: &Names) {
        let place = table.place();
        let mut enforce = true;
        table.put("enforce", &mut enforce, Value::flag);
        let [enforced, shadow] = &mut self.names;
        let names = if enforce { enforced } else { shadow };
        let name = table.need("name", "\"ACME\"", |v| {
            let name = names.claim(v, v.text_of(1..=64)?)?;
            let alone = ProtectedName { name, accounts: Vec::<u32>::new(), matches: NameMatch::Whole };
            match Registry::new(vec![alone.clone()]) {
                Ok(_) => Some((v.spot(), alone.name)),
                Err(fault) => v.refuse(fault.to_string()),
            }
        });
        let holders = table.need("accounts", "[\"acme\"]", |v| v.list(|v| accounts.known(v)));
        let mut matches = NameMatch::Whole;
        table.put("match", &mut matches, |v| {
            v.one_of(&[("whole", NameMatch::Whole), ("contained", NameMatch::Contained)])
        });
        table.finish();
        // A name whose holders are wrong may look like others as well: all of it is told at once.
        if let Some((spot, name)) = name {
            let accounts = holders.unwrap_or_default();
            self.read.push((spot, Rule { is: ProtectedName { name, accounts, matches }, enforce, place }));
        }
    }

    /// All of them, once those that look like others are told.
    pub(in crate::config) fn checked(self, sources: &Sources<'_>) -> Vec<Rule<ProtectedName<String>>> {
        for (enforce, names) in [true, false].into_iter().zip(&self.names) {
            let those: Vec<_> = self.read.iter().filter(|(_, rule)| rule.enforce == enforce).collect();
            let register = Registry::keeping(those.iter().map(|(_, rule)| rule.is.clone()).collect());
            let faults = register.map_or_else(|fault| vec![fault], |register| register.faults().to_vec());
            for fault in faults {
                let (place, at) = match &fault {
                    RegistryFault::Empty { place, .. } => (*place, None),
                    RegistryFault::Twice { place, other, .. } => (*place, names.place(other)),
                    RegistryFault::TooLarge => (0, None),
                };
                let Some((spot, _)) = those.get(place) else { continue };
                let at = at.map_or_else(String::new, |at| format!(", at {}", sources.shown(at)));
                let advice = "leave one of them out: nobody could tell which one a sender is";
                sources.report(*spot, format!("{fault}{at}"), advice.to_owned());
            }
        }
        self.read.into_iter().map(|(_, rule)| rule).collect()
    }
}

/// A rule that is one value: written alone, or in a table under `inner`.
fn rule<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    inner: &'static str,
    read: impl Fn(&Value<'a>) -> Option<T>,
) -> Option<Rule<T>> {
    let value = section.value(key)?;
    let place = value.shown(value.spot());
    let Some(mut table) = Section::inline(&value, key) else {
        return Some(Rule { is: read(&value)?, enforce: true, place });
    };
    let is = table.need(inner, "…", &read);
    let mut enforce = true;
    table.put("enforce", &mut enforce, Value::flag);
    table.finish();
    Some(Rule { is: is?, enforce, place })
}

/// A rule that is a table.
fn table_rule<T>(
    section: &mut Section<'_>,
    key: &'static str,
    read: impl FnOnce(&mut Section<'_>) -> Option<T>,
) -> Option<Rule<T>> {
    let value = section.value(key)?;
    one(&value, key, read)
}

fn one<T>(
    value: &Value<'_>,
    key: &'static str,
    read: impl FnOnce(&mut Section<'_>) -> Option<T>,
) -> Option<Rule<T>> {
    let place = value.shown(value.spot());
    let Some(mut table) = Section::inline(value, key) else {
        return value.refuse(format!("write a table: {key} = {{ … }}"));
    };
    let is = read(&mut table);
    let mut enforce = true;
    table.put("enforce", &mut enforce, Value::flag);
    table.finish();
    Some(Rule { is: is?, enforce, place })
}

/// Rules that are tables: one, or a list of them.
fn rules<T>(
    section: &mut Section<'_>,
    key: &'static str,
    read: impl Fn(&mut Section<'_>) -> Option<T>,
) -> Vec<Rule<T>> {
    let Some(value) = section.value(key) else { return Vec::new() };
    if value.is_table() {
        return one(&value, key, &read).into_iter().collect();
    }
    value.list(|value| one(value, key, &read)).unwrap_or_default()
}

fn spend(value: &Value<'_>) -> Option<Credits> {
    match value.amount()? {
        amount if amount < Credits::ZERO => value.refuse("write 0 or more"),
        amount => Some(amount),
    }
}

fn closed_hours(table: &mut Section<'_>) -> Option<ClosedHours> {
    let from = table.need("closed_from", "\"22:00\"", Value::parsed);
    let to = table.need("closed_to", "\"08:00\"", Value::parsed);
    // Without one of its own it counts in that of its level, or of the nearest above that has one.
    let mut zone_name = String::new();
    table.put("zone", &mut zone_name, Value::zone);
    let mut days = Days::default();
    table.put("days", &mut days, |v| {
        let words = v.list(Value::text)?;
        match Days::of(words.iter().map(String::as_str)) {
            Ok(days) => Some(days),
            Err(why) => v.refuse(why),
        }
    });
    let mut action = Action::Hold;
    table.put("action", &mut action, |v| v.one_of(&[("hold", Action::Hold), ("reject", Action::Reject)]));
    Some(ClosedHours { from: from?, to: to?, zone: zone_name, days, action })
}

fn country_cap(table: &mut Section<'_>) -> Option<CountryCap> {
    let country = table.value("country").map(|v| match v.text() {
        Some(text) if text == "*" => Some(None),
        _ => country(&v).map(Some),
    });
    let (mut messages, mut credits) = (None, None);
    table.put("messages", &mut messages, |v| v.number(0..=1_000_000_000_000).map(Some));
    table.put("credits", &mut credits, |v| spend(v).map(Some));
    if messages.is_none() && credits.is_none() {
        table.miss("sets no limit", "add messages = 10 or credits = \"5\", for each day");
        return None;
    }
    Some(CountryCap { country: country.unwrap_or(Some(None))?, messages, credits })
}

fn number_sense(table: &mut Section<'_>) -> NumberSense {
    let mut sense = NumberSense::default();
    let words: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind.word(), kind)).collect();
    // An empty list would read as if it allowed what a level above refuses.
    table.put("refuse", &mut sense.refuse, |v| list_once(v, |v| v.one_of(&words)));
    table.put("check_length", &mut sense.check_length, Value::flag);
    sense
}

fn velocity(table: &mut Section<'_>) -> Option<Velocity> {
    let (mut prefix, mut digits) = (String::new(), 15);
    table.put("prefix", &mut prefix, crate::config::traffic::prefix);
    table.put("digits", &mut digits, |v| v.number(1..=15));
    let most = table.need("most", "3", |v| v.number(1..=1_000_000));
    let per = table.need("per", "\"1h\"", |v| v.duration(SECOND..=31 * DAY));
    Some(Velocity { prefix, digits, most: most?, per: per? })
}

/// `[[account.filters.content]]`, each rule compiled once to find what is wrong with it.
fn content(section: &mut Section<'_>) -> Vec<Rule<ContentRule>> {
    let mut names = Names::of("in this list the content rule");
    let mut rules = Vec::new();
    for mut table in section.sections("content", "[[content]]") {
        let place = table.place();
        let name = table.need("name", "\"no loans\"", |v| names.claim(v, v.text_of(1..=64)?));
        let mut folded = false;
        table.put("folded", &mut folded, Value::flag);
        let is_written = ["words", "pattern", "links"].into_iter().any(|key| table.value(key).is_some());
        let words = table.value("words").and_then(|v| {
            let words = v.list(|v| v.text_of(1..=256))?;
            if words.is_empty() || words.len() > MOST_WORDS {
                return v.refuse(format!("write 1 to {MOST_WORDS} words"));
            }
            Some(ContentMatch::Words(WordRule { words, folded }))
        });
        let pattern = table.value("pattern").and_then(|v| {
            let rule =
                ContentRule { name: String::new(), matches: ContentMatch::Pattern(v.text_of(1..=4_096)?) };
            match Content::compile(std::slice::from_ref(&rule)) {
                Ok(_) => Some(rule.matches),
                Err(fault) => v.refuse(fault.why),
            }
        });
        let links = table.value("links").and_then(|v| {
            let Some(mut table) = Section::inline(&v, "links") else {
                return v.refuse("write a table, such as links = { deny = [\"example.com\"] }");
            };
            let links = read_links(&mut table);
            table.finish();
            Some(ContentMatch::Links(links))
        });
        let mut enforce = true;
        table.put("enforce", &mut enforce, Value::flag);
        let matches: Vec<_> = [words, pattern, links].into_iter().flatten().collect();
        match <[ContentMatch; 1]>::try_from(matches) {
            Ok([matches]) => {
                if let Some(name) = name {
                    let rule = ContentRule { name, matches };
                    match Content::compile(std::slice::from_ref(&rule)) {
                        Ok(_) => rules.push(Rule { is: rule, enforce, place }),
                        Err(fault) => table.report(fault.why, "correct this rule".to_owned()),
                    }
                }
            }
            // What is written and wrong was told.
            Err(found) if found.is_empty() && is_written => {}
            Err(found) if found.is_empty() => {
                table.miss("looks for nothing", "add words = […], pattern = \"…\" or links = { … }");
            }
            Err(_) => table.miss("looks for several things", "make a rule of each"),
        }
        table.finish();
    }
    rules
}

fn read_links(table: &mut Section<'_>) -> LinkRule {
    let mut links = LinkRule::default();
    let domains = |v: &Value<'_>| v.list(|v| v.text_of(1..=253));
    table.put("allow", &mut links.allow, domains);
    table.put("deny", &mut links.deny, domains);
    table.put("look_alikes_of", &mut links.look_alikes_of, domains);
    table.put("any", &mut links.any, Value::flag);
    links
}

/// `true` for the usual words, or a table with others.
fn opt_outs(section: &mut Section<'_>) -> Option<Rule<OptOuts>> {
    let value = section.value("opt_outs")?;
    if value.is_table() {
        return one(&value, "opt_outs", |table| {
            let mut words = OptOuts::default();
            table.put("stop", &mut words.stop, |v| v.list(|v| v.text_of(1..=64)));
            table.put("start", &mut words.start, |v| v.list(|v| v.text_of(1..=64)));
            Some(words)
        });
    }
    let place = value.shown(value.spot());
    value.flag()?.then(|| Rule { is: OptOuts::default(), enforce: true, place })
}
