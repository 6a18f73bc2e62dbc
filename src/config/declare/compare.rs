//! What a change of the policy would change in a store. Pure: two policies in, the differences out.

use std::collections::{HashMap, HashSet};

use toml::{Table, Value};

use super::written;
use crate::account::{Credits, Origin};
use crate::admin::{Change, Changes, How, KeyChange};
use crate::policy::filter::Rule;
use crate::policy::text::ProtectedName;
use crate::store::{
    AccountDraft, CredentialDraft, PolicyChange, StoreError, StoredPolicy, TrafficDraft, UpstreamDraft,
};

/// What `wanted` would change in `stored`. Where a rule is written is no difference, and a secret is never shown.
///
/// # Errors
/// When a system_id belongs to an account that is not changed: such a change is refused by the store too.
pub fn compare(stored: &StoredPolicy, wanted: &PolicyChange) -> Result<Changes, StoreError> {
    let mut found = Vec::new();
    let accounts: HashMap<&str, &AccountDraft> =
        stored.accounts.iter().map(|account| (account.name.as_str(), account)).collect();
    let changed: HashSet<&str> = wanted.accounts.iter().map(|account| account.name.as_str()).collect();
    let mut holders = HashMap::new();
    for account in &stored.accounts {
        for credential in &account.credentials {
            holders.insert(credential.system_id.as_str(), (account.name.as_str(), credential));
        }
    }
    for account in &wanted.accounts {
        found.extend(of_account(accounts.get(account.name.as_str()).copied(), account));
        for credential in &account.credentials {
            let holder = holders.remove(credential.system_id.as_str());
            if holder.is_some_and(|(holder, _)| !changed.contains(holder)) {
                return Err(StoreError::SystemIdTaken(credential.system_id.clone()));
            }
            found.extend(of_credential(holder, account, credential));
        }
    }
    let mut lost: Vec<_> = holders.iter().filter(|(_, (holder, _))| changed.contains(holder)).collect();
    lost.sort_unstable_by_key(|(name, _)| **name);
    for (name, (holder, _)) in lost {
        let account = Some((*holder).to_owned());
        found.push(Change { account, ..change(How::Remove, "credential", name, Vec::new()) });
    }
    if wanted.replaces_files {
        let is_left = |account: &&AccountDraft| {
            account.origin == Origin::File && !account.suspended && !changed.contains(account.name.as_str())
        };
        let left = stored.accounts.iter().filter(is_left);
        found.extend(left.map(|account| change(How::Suspend, "account", &account.name, Vec::new())));
    }
    if let Some(traffic) = &wanted.traffic {
        of_traffic(&stored.traffic, traffic, &mut found);
    }
    Ok(Changes { changes: found, ..Changes::default() })
}

fn change(how: How, what: &str, name: &str, keys: Vec<KeyChange>) -> Change {
    Change { how, what: what.to_owned(), name: name.to_owned(), account: None, keys }
}

fn of_account(stored: Option<&AccountDraft>, wanted: &AccountDraft) -> Option<Change> {
    let Some(stored) = stored else {
        let mut keys = new_keys(&written::account(wanted));
        if wanted.opening_credit > Credits::ZERO {
            let to = Some(Value::from(wanted.opening_credit.to_string()).to_string());
            keys.insert(0, KeyChange::of("opening_credit", None, to));
        }
        return Some(change(How::Add, "account", &wanted.name, keys));
    };
    let same = stored.parent == wanted.parent
        && stored.suspended == wanted.suspended
        && stored.origin == wanted.origin
        && stored.terms == wanted.terms
        && stored.filters == wanted.filters;
    if same {
        return None;
    }
    let mut keys = Vec::new();
    if stored.origin != wanted.origin {
        let word = |origin| Some(if origin == Origin::File { "file" } else { "store" }.to_owned());
        let (from, to) = (word(stored.origin), word(wanted.origin));
        keys.push(KeyChange::of("origin", from, to));
    }
    differences("", &written::account(stored), &written::account(wanted), &mut keys);
    Some(change(How::Change, "account", &wanted.name, keys))
}

fn of_credential(
    holder: Option<(&str, &CredentialDraft)>,
    account: &AccountDraft,
    wanted: &CredentialDraft,
) -> Option<Change> {
    let named = |how, keys| Change {
        account: Some(account.name.clone()),
        ..change(how, "credential", &wanted.system_id, keys)
    };
    let Some((holder, stored)) = holder else {
        return Some(named(How::Add, new_keys(&written::credential(wanted))));
    };
    let mut keys = Vec::new();
    if holder != account.name {
        let (from, to) = (Some(holder.to_owned()), Some(account.name.clone()));
        keys.push(KeyChange::of("account", from, to));
    }
    if stored.password != wanted.password {
        keys.push(KeyChange::of("password", None, None));
    }
    if stored.bounds != wanted.bounds || stored.filters != wanted.filters {
        differences("", &written::credential(stored), &written::credential(wanted), &mut keys);
    }
    (!keys.is_empty()).then(|| named(How::Change, keys))
}

fn of_traffic(stored: &TrafficDraft, wanted: &TrafficDraft, found: &mut Vec<Change>) {
    let prices = |traffic: &TrafficDraft| {
        let mut named: Vec<_> =
            traffic.prices.iter().map(written::price).map(|table| (price_name(&table), table)).collect();
        named.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        named
    };
    let networks = |traffic: &TrafficDraft| {
        let known = traffic.networks.iter();
        known.map(|known| (known.name.clone(), written::network(known))).collect::<Named>()
    };
    of_named("network", &networks(stored), &networks(wanted), false, found);
    let lists = |traffic: &TrafficDraft| {
        let known = traffic.price_lists.iter();
        known.map(|known| (known.name.clone(), written::price_list(known))).collect::<Named>()
    };
    of_named("price_list", &lists(stored), &lists(wanted), false, found);
    of_named("price", &prices(stored), &prices(wanted), false, found);
    let routes = |traffic: &TrafficDraft| {
        traffic.routes.iter().map(|route| (route.name.clone(), written::route(route))).collect::<Named>()
    };
    of_named("route", &routes(stored), &routes(wanted), true, found);
    let mo = |traffic: &TrafficDraft| {
        let named = |table: Table| {
            let told = ["prefixes", "keyword"].iter().filter_map(|key| table.get(*key));
            (told.map(ToString::to_string).collect::<Vec<_>>().join(" "), table)
        };
        traffic.mo_routes.iter().map(written::mo).map(named).collect::<Named>()
    };
    of_named("mo", &mo(stored), &mo(wanted), true, found);
    let upstreams = |upstreams: &[UpstreamDraft]| {
        upstreams.iter().map(|known| (known.name.clone(), written::upstream(known))).collect::<Named>()
    };
    // Operators that are named no more stay known to the store: messages of theirs are under way.
    let is_wanted = |(name, _): &(String, Table)| wanted.upstreams.iter().any(|known| known.name == *name);
    let known: Named = upstreams(&stored.upstreams).into_iter().filter(is_wanted).collect();
    of_named("upstream", &known, &upstreams(&wanted.upstreams), false, found);
    // A name may stand beside itself in shadow.
    let twice: HashSet<&str> = [stored, wanted]
        .into_iter()
        .flat_map(|traffic| {
            let mut seen = HashSet::new();
            let names = traffic.platform.protected.iter().map(|rule| rule.is.name.as_str());
            names.filter(move |name| !seen.insert(*name))
        })
        .collect();
    let protected = |traffic: &TrafficDraft| {
        let named = |rule: &Rule<ProtectedName<String>>| match rule.is.name.as_str() {
            name if !rule.enforce && twice.contains(name) => format!("{name} in shadow"),
            name => name.to_owned(),
        };
        let names = traffic.platform.protected.iter();
        names.map(|rule| (named(rule), written::protected(rule))).collect::<Named>()
    };
    of_named("protected_name", &protected(stored), &protected(wanted), false, found);
    let one = [
        ("limits", written::limits(&stored.limits), written::limits(&wanted.limits)),
        ("billing", written::billing(stored.billing.as_ref()), written::billing(wanted.billing.as_ref())),
        ("filters", written::filters(&stored.platform.filters), written::filters(&wanted.platform.filters)),
    ];
    for (what, stored, wanted) in one {
        let mut keys = Vec::new();
        differences("", &stored, &wanted, &mut keys);
        if !keys.is_empty() {
            found.push(change(How::Change, what, "", keys));
        }
    }
}

/// What a price is for: everything but the price itself, and how long it holds.
fn price_name(table: &Table) -> String {
    let told = |(key, value): (&String, &Value)| match key.as_str() {
        "credits" | "until" => None,
        "prefix" => Some(value.to_string()),
        key => Some(format!("{key} = {value}")),
    };
    table.iter().filter_map(told).collect::<Vec<_>>().join(", ")
}

type Named = Vec<(String, Table)>;

/// Things with names; `in_order` when it matters which comes first.
fn of_named(
    what: &str,
    stored: &[(String, Table)],
    wanted: &[(String, Table)],
    in_order: bool,
    found: &mut Vec<Change>,
) {
    let places: HashMap<&str, usize> =
        wanted.iter().zip(0..).map(|((name, _), at)| (name.as_str(), at)).collect();
    // Those that stay, in their old order: what now comes before something that it came after has moved.
    let staying = stored.iter().filter_map(|(name, _)| places.get(name.as_str()).copied());
    let mut moved = HashSet::new();
    if in_order {
        let mut last = 0;
        for at in staying {
            if at < last {
                moved.insert(at);
            }
            last = last.max(at);
        }
    }
    let mut known: HashMap<&str, &Table> =
        stored.iter().map(|(name, table)| (name.as_str(), table)).collect();
    for (at, (name, table)) in wanted.iter().enumerate() {
        let Some(stored) = known.remove(name.as_str()) else {
            found.push(change(How::Add, what, name, new_keys(table)));
            continue;
        };
        let mut keys = Vec::new();
        differences("", stored, table, &mut keys);
        if moved.contains(&at) {
            keys.push(KeyChange::of("place", None, Some((at + 1).to_string())));
        }
        if !keys.is_empty() {
            found.push(change(How::Change, what, name, keys));
        }
    }
    for (name, _) in stored.iter().filter(|(name, _)| known.contains_key(name.as_str())) {
        found.push(change(How::Remove, what, name, Vec::new()));
    }
}

/// Every key of something new, those that its name tells left out.
fn new_keys(table: &Table) -> Vec<KeyChange> {
    let mut keys = Vec::new();
    differences("", &Table::new(), table, &mut keys);
    keys.retain(|key| !["name", "prefix"].contains(&key.key.as_str()));
    keys
}

/// The keys in which two tables differ; tables in them are gone through too.
fn differences(above: &str, stored: &Table, wanted: &Table, keys: &mut Vec<KeyChange>) {
    let none = Table::new();
    let mut names: Vec<&String> = stored.keys().chain(wanted.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (from, to) = (stored.get(name), wanted.get(name));
        if from == to {
            continue;
        }
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match (from, to) {
            // Filters and statuses; a table that is one value (`lenience`) is told whole.
            (Some(Value::Table(from)), Some(Value::Table(to))) => differences(&key, from, to, keys),
            (None, Some(Value::Table(to))) if is_group(name) => differences(&key, &none, to, keys),
            (Some(Value::Table(from)), None) if is_group(name) => differences(&key, from, &none, keys),
            (Some(Value::Array(from)), Some(Value::Array(to))) => list_differences(&key, from, to, keys),
            (from, to) => {
                let shown = |value: Option<&Value>| value.map(ToString::to_string);
                keys.push(KeyChange::of(&key, shown(from), shown(to)));
            }
        }
    }
}

/// The elements that came and went; of tables with names, the keys in which those that stay differ.
fn list_differences(key: &str, stored: &[Value], wanted: &[Value], keys: &mut Vec<KeyChange>) {
    let whole = |list: &[Value]| Some(Value::from(list.to_vec()).to_string());
    let mut change = KeyChange::of(key, whole(stored), whole(wanted));
    if let (Some(from), Some(to)) = (named(stored), named(wanted)) {
        let absent = |list: &[(&str, &Table)], others: &[(&str, &Table)]| -> Vec<String> {
            let others: HashSet<&str> = others.iter().map(|(name, _)| *name).collect();
            let alone = list.iter().filter(|(name, _)| !others.contains(name));
            alone.map(|(_, table)| Value::Table((*table).clone()).to_string()).collect()
        };
        change.came = absent(&to, &from);
        change.went = absent(&from, &to);
        let known: HashMap<&str, &Table> = from.iter().copied().collect();
        for (name, table) in &to {
            if let Some(stored) = known.get(name) {
                differences(&format!("{key}.{name}"), stored, table, keys);
            }
        }
        let order =
            |list: &[(&str, &Table)]| list.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        change.reordered = change.came.is_empty() && change.went.is_empty() && order(&from) != order(&to);
        if change.tells_elements() {
            keys.push(change);
        }
        return;
    }
    let texts = |list: &[Value]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (from, to) = (texts(stored), texts(wanted));
    change.came = surplus(&to, &from);
    change.went = surplus(&from, &to);
    change.reordered = change.came.is_empty() && change.went.is_empty();
    keys.push(change);
}

/// The elements of `list` that `others` has not, or not as often.
fn surplus(list: &[String], others: &[String]) -> Vec<String> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for other in others {
        *left.entry(other).or_default() += 1;
    }
    let is_more = |text: &&String| match left.get_mut(text.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    list.iter().filter(is_more).cloned().collect()
}

/// Tables with their names, if all of a list are such and no name comes twice.
fn named(list: &[Value]) -> Option<Vec<(&str, &Table)>> {
    let mut names = HashSet::new();
    let mut found = Vec::with_capacity(list.len());
    for value in list {
        let Value::Table(table) = value else { return None };
        let name = table.get("name")?.as_str()?;
        if !names.insert(name) {
            return None;
        }
        found.push((name, table));
    }
    Some(found)
}

fn is_group(name: &str) -> bool {
    ["filters", "statuses"].contains(&name)
}
