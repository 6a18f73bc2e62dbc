//! The tables of the policy as the parts of a snapshot.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{Account, AccountId, Credential, CredentialId, Credits, Origin, PasswordHash};
use crate::message::UpstreamId;
use crate::policy::filter::Filters;
use crate::policy::{MoRoute, PastSchedule, Platform, Price, Route, SnapshotParts, TextLimits};
use crate::store::StoreError;

/// Reads what a snapshot is compiled from.
pub(in crate::store) fn policy_parts(
    db: &Connection,
    upstreams: &HashMap<&str, UpstreamId>,
) -> Result<SnapshotParts, StoreError> {
    let (accounts, filters) = accounts(db)?;
    let (credentials, credential_filters) = credentials(db)?;
    Ok(SnapshotParts {
        accounts,
        filters,
        credentials,
        credential_filters,
        platform: platform(db)?,
        prices: prices(db)?,
        routes: routes(db, upstreams)?,
        mo_routes: mo_routes(db)?,
        languages: HashMap::new(),
        limits: limits(db)?,
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

fn prices(db: &Connection) -> Result<Vec<Price>, StoreError> {
    let mut find = db.prepare("SELECT prefix, credits FROM price")?;
    let rows = find
        .query_map([], |row| Ok(Price { prefix: row.get(0)?, credits: Credits::from_micro(row.get(1)?) }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn routes(db: &Connection, upstreams: &HashMap<&str, UpstreamId>) -> Result<Vec<Route>, StoreError> {
    let mut find = db.prepare("SELECT name, prefixes, upstreams FROM route ORDER BY place")?;
    let mut rows = find.query([])?;
    let mut routes = Vec::new();
    while let Some(row) = rows.next()? {
        let names: Vec<String> = json(&row.get::<_, String>(2)?)?;
        let known = |name: String| match upstreams.get(name.as_str()) {
            Some(id) => Ok(*id),
            None => Err(StoreError::Unknown { what: "upstream", name }),
        };
        routes.push(Route {
            name: row.get(0)?,
            prefixes: json(&row.get::<_, String>(1)?)?,
            upstreams: names.into_iter().map(known).collect::<Result<_, _>>()?,
        });
    }
    Ok(routes)
}

fn mo_routes(db: &Connection) -> Result<Vec<MoRoute>, StoreError> {
    let mut find = db.prepare("SELECT prefixes, account FROM mo_route ORDER BY place")?;
    let mut rows = find.query([])?;
    let mut routes = Vec::new();
    while let Some(row) = rows.next()? {
        routes.push(MoRoute { prefixes: json(&row.get::<_, String>(0)?)?, account: AccountId(row.get(1)?) });
    }
    Ok(routes)
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
