//! The tables of the policy as the parts of a snapshot.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{Account, AccountId, Credential, CredentialId, Origin, PasswordHash};
use crate::message::{RouteId, UpstreamId};
use crate::policy::filter::Filters;
use crate::policy::hours::{self, Hours, Interval};
use crate::policy::route::{Conditions, keyword};
use crate::policy::text::SenderPatternFault;
use crate::policy::{MoRoute, PastSchedule, Platform, Route, SnapshotParts, Taker, TextLimits, WayTo};
use crate::store::schema::part;
use crate::store::{MoRouteDraft, RouteDraft, StoreError, WayDraft};

/// Reads what a snapshot is compiled from.
pub(in crate::store) fn policy_parts(
    db: &Connection,
    upstreams: &HashMap<&str, UpstreamId>,
) -> Result<SnapshotParts, StoreError> {
    let (accounts, filters) = accounts(db)?;
    let (credentials, credential_filters) = credentials(db)?;
    let family = Family::of(&accounts);
    Ok(SnapshotParts {
        filters,
        credential_filters,
        platform: platform(db)?,
        prices: part::read(db, part::PRICE)?,
        networks: part::read(db, part::NETWORK)?,
        price_lists: part::read(db, part::PRICE_LIST)?,
        billing: part::read(db, part::BILLING)?.pop(),
        routes: routes(db, upstreams, &family)?,
        mo_routes: mo_routes(db, &family, &credentials)?,
        accounts,
        credentials,
        languages: HashMap::new(),
        limits: limits(db)?,
        zones: Some(jiff::tz::db().clone()),
    })
}

/// Most levels have no filters.
const NO_FILTERS: &str = "{}";

fn accounts(db: &Connection) -> Result<(Vec<Account>, HashMap<AccountId, Filters>), StoreError> {
    let mut find = db.prepare("SELECT id, name, parent, origin, suspended, terms, filters FROM account")?;
    let mut rows = find.query([])?;
    let (mut accounts, mut filtered) = (Vec::new(), HashMap::new());
    let mut terms = Alike::default();
    while let Some(row) = rows.next()? {
        let origin: String = row.get(3)?;
        let filters: String = row.get(6)?;
        if filters != NO_FILTERS {
            filtered.insert(AccountId(row.get(0)?), json(&filters)?);
        }
        accounts.push(Account {
            id: AccountId(row.get(0)?),
            name: row.get(1)?,
            parent: row.get::<_, Option<u32>>(2)?.map(AccountId),
            origin: if origin == "file" { Origin::File } else { Origin::Store },
            suspended: row.get(4)?,
            terms: terms.read(row, 5)?,
        });
    }
    Ok((accounts, filtered))
}

type Credentials = (Vec<Credential>, HashMap<CredentialId, Filters>);

fn credentials(db: &Connection) -> Result<Credentials, StoreError> {
    let mut find = db.prepare(
        "SELECT id, account, system_id, password_hash, bounds, filters FROM credential WHERE active = 1",
    )?;
    let mut rows = find.query([])?;
    let (mut credentials, mut filtered) = (Vec::new(), HashMap::new());
    let mut bounds = Alike::default();
    while let Some(row) = rows.next()? {
        let hash: String = row.get(3)?;
        let filters: String = row.get(5)?;
        if filters != NO_FILTERS {
            filtered.insert(CredentialId(row.get(0)?), json(&filters)?);
        }
        credentials.push(Credential {
            id: CredentialId(row.get(0)?),
            account: AccountId(row.get(1)?),
            system_id: row.get(2)?,
            password: PasswordHash::parse(&hash).map_err(|e| StoreError::Failed(e.to_string()))?,
            bounds: bounds.read(row, 4)?,
        });
    }
    Ok((credentials, filtered))
}

/// What binds everybody.
fn platform(db: &Connection) -> Result<Platform, StoreError> {
    let found: Option<String> =
        db.query_row("SELECT value FROM meta WHERE key = 'platform'", [], |row| row.get(0)).optional()?;
    found.map_or_else(|| Ok(Platform::default()), |text| json(&text))
}

fn routes(
    db: &Connection,
    upstreams: &HashMap<&str, UpstreamId>,
    family: &Family<'_>,
) -> Result<Vec<Route>, StoreError> {
    let names = part::read_placed::<String>(db, part::ROUTE_NAME)?;
    let numbers: HashMap<&str, u32> = names.iter().map(|(place, name)| (name.as_str(), *place)).collect();
    let drafts = part::read::<RouteDraft>(db, part::ROUTE)?;
    drafts.into_iter().map(|draft| route(draft, &numbers, upstreams, family)).collect()
}

fn route(
    draft: RouteDraft,
    numbers: &HashMap<&str, u32>,
    upstreams: &HashMap<&str, UpstreamId>,
    family: &Family<'_>,
) -> Result<Route, StoreError> {
    let failed = |why: String| StoreError::Failed(format!("route {:?}: {why}", draft.name));
    let way = |way: WayDraft| match upstreams.get(way.name.as_str()) {
        Some(id) => Ok(WayTo { upstream: *id, weight: way.weight.unwrap_or(1), cost: way.cost }),
        None => Err(StoreError::Unknown { what: "upstream", name: way.name }),
    };
    let country = |code: &String| {
        let code = code.as_bytes().try_into();
        code.map_err(|_| failed("a country is two letters".to_owned()))
    };
    let conditions = Conditions {
        accounts: family.with_those_below(&draft.accounts)?,
        senders: draft
            .senders
            .iter()
            .map(|sender| sender.parse().map_err(|why: SenderPatternFault| failed(why.to_string())))
            .collect::<Result<_, _>>()?,
        countries: draft.countries.iter().map(country).collect::<Result<_, _>>()?,
        classes: draft.classes.iter().copied().collect(),
        hours: hours(&draft).map_err(failed)?,
        min_price: draft.min_price,
        max_price: draft.max_price,
    };
    let id = numbers.get(draft.name.as_str()).copied();
    let id = id.ok_or_else(|| failed("it has no number".to_owned()))?;
    Ok(Route {
        id: RouteId(id),
        conditions,
        ways: draft.upstreams.into_iter().map(way).collect::<Result<_, _>>()?,
        name: draft.name,
        prefixes: draft.prefixes,
        pick: draft.pick,
        failover: draft.failover,
    })
}

fn hours(draft: &RouteDraft) -> Result<Option<Hours>, String> {
    if draft.hours.is_empty() {
        return Ok(None);
    }
    let zone = draft.zone.as_deref().unwrap_or("UTC");
    let zone = hours::zone(zone, jiff::tz::db()).map_err(|why| why.to_string())?;
    let intervals = draft.hours.iter().map(|text| text.parse()).collect::<Result<Vec<Interval>, _>>();
    Ok(Some(Hours::new(intervals.map_err(|why| why.to_string())?, zone)))
}

/// Accounts as routes name them: there may be as many routes as accounts.
struct Family<'a> {
    by_name: HashMap<&'a str, AccountId>,
    /// Those that stand directly under one.
    below: HashMap<AccountId, Vec<AccountId>>,
}

impl<'a> Family<'a> {
    fn of(accounts: &'a [Account]) -> Self {
        let mut below: HashMap<_, Vec<_>> = HashMap::new();
        for account in accounts {
            if let Some(parent) = account.parent {
                below.entry(parent).or_default().push(account.id);
            }
        }
        Self { by_name: accounts.iter().map(|account| (account.name.as_str(), account.id)).collect(), below }
    }

    fn named(&self, name: &str) -> Result<AccountId, StoreError> {
        let found = self.by_name.get(name).copied();
        found.ok_or_else(|| StoreError::Unknown { what: "account", name: name.to_owned() })
    }

    /// The accounts of these names, and all below them.
    fn with_those_below(&self, names: &[String]) -> Result<Vec<AccountId>, StoreError> {
        let mut open = names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?;
        let mut found = HashSet::new();
        // Each account opens those below it once, whatever stands under whom.
        while let Some(account) = open.pop() {
            if found.insert(account) {
                open.extend(self.below.get(&account).into_iter().flatten());
            }
        }
        Ok(found.into_iter().collect())
    }
}

fn mo_routes(
    db: &Connection,
    family: &Family<'_>,
    credentials: &[Credential],
) -> Result<Vec<MoRoute>, StoreError> {
    let by_name: HashMap<&str, &Credential> =
        credentials.iter().map(|known| (known.system_id.as_str(), known)).collect();
    let route = |draft: MoRouteDraft| {
        let account = family.named(&draft.account)?;
        let named = |name: String| match by_name.get(name.as_str()) {
            Some(known) if known.account == account => Ok(known.id),
            _ => Err(StoreError::Unknown { what: "credential of that account", name }),
        };
        let receiver = draft.credential.map(named).transpose()?;
        let keyword = draft.keyword.as_deref().and_then(keyword);
        Ok(MoRoute { prefixes: draft.prefixes, keyword, taker: Taker { account, receiver } })
    };
    part::read::<MoRouteDraft>(db, part::MO_ROUTE)?.into_iter().map(route).collect()
}

/// Numbers: seconds of default and longest validity, of the farthest schedule, the most segments; and, since it is
/// known, whether a schedule in the past means now.
fn limits(db: &Connection) -> Result<TextLimits, StoreError> {
    let text: Option<String> =
        db.query_row("SELECT value FROM meta WHERE key = 'limits'", [], |row| row.get(0)).optional()?;
    let Some(text) = text else { return Ok(TextLimits::default()) };
    let numbers: Vec<u64> = text.split(' ').filter_map(|n| n.parse().ok()).collect();
    let &[validity, longest, ahead, parts, ref more @ ..] = &numbers[..] else {
        return Err(StoreError::Failed(format!("the stored limits {text:?} cannot be read")));
    };
    Ok(TextLimits {
        default_validity: Duration::from_secs(validity),
        max_validity: Duration::from_secs(longest),
        max_schedule: Duration::from_secs(ahead),
        max_parts: u8::try_from(parts).unwrap_or(u8::MAX),
        past_schedule: if more.first() == Some(&1) { PastSchedule::Now } else { PastSchedule::Refuse },
    })
}

/// Settings of which many rows have the same: a row that says what the one before it said is not read anew.
struct Alike<T>(Option<(String, T)>);

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone + serde::de::DeserializeOwned> Alike<T> {
    fn read(&mut self, row: &Row<'_>, column: usize) -> Result<T, StoreError> {
        let text = row.get_ref(column)?.as_str().map_err(|e| StoreError::Failed(e.to_string()))?;
        match &self.0 {
            Some((known, settings)) if known == text => Ok(settings.clone()),
            _ => {
                let settings: T = json(text)?;
                self.0 = Some((text.to_owned(), settings.clone()));
                Ok(settings)
            }
        }
    }
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Failed(format!("stored settings cannot be read: {e}")))
}
