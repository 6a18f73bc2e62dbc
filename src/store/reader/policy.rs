//! The tables of the policy as the parts of a snapshot.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use crate::account::{Account, AccountId, Credential, CredentialId, Origin, PasswordHash};
use crate::message::UpstreamId;
use crate::policy::{MoRoute, PastSchedule, Route, SnapshotParts, TextLimits};
use crate::store::schema::part;
use crate::store::{MoRouteDraft, RouteDraft, StoreError};

/// Reads what a snapshot is compiled from.
pub(in crate::store) fn policy_parts(
    db: &Connection,
    upstreams: &HashMap<&str, UpstreamId>,
) -> Result<SnapshotParts, StoreError> {
    let accounts = accounts(db)?;
    Ok(SnapshotParts {
        credentials: credentials(db)?,
        prices: part::read(db, part::PRICE)?,
        networks: part::read(db, part::NETWORK)?,
        price_lists: part::read(db, part::PRICE_LIST)?,
        billing: part::read(db, part::BILLING)?.pop(),
        routes: routes(db, upstreams)?,
        mo_routes: mo_routes(db, &accounts)?,
        accounts,
        languages: HashMap::new(),
        limits: limits(db)?,
    })
}

fn accounts(db: &Connection) -> Result<Vec<Account>, StoreError> {
    let mut find = db.prepare("SELECT id, name, parent, origin, suspended, terms FROM account")?;
    let mut rows = find.query([])?;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        let origin: String = row.get(3)?;
        accounts.push(Account {
            id: AccountId(row.get(0)?),
            name: row.get(1)?,
            parent: row.get::<_, Option<u32>>(2)?.map(AccountId),
            origin: if origin == "file" { Origin::File } else { Origin::Store },
            suspended: row.get(4)?,
            terms: json(&row.get::<_, String>(5)?)?,
        });
    }
    Ok(accounts)
}

fn credentials(db: &Connection) -> Result<Vec<Credential>, StoreError> {
    let mut find =
        db.prepare("SELECT id, account, system_id, password_hash, bounds FROM credential WHERE active = 1")?;
    let mut rows = find.query([])?;
    let mut credentials = Vec::new();
    while let Some(row) = rows.next()? {
        let hash: String = row.get(3)?;
        credentials.push(Credential {
            id: CredentialId(row.get(0)?),
            account: AccountId(row.get(1)?),
            system_id: row.get(2)?,
            password: PasswordHash::parse(&hash).map_err(|e| StoreError::Failed(e.to_string()))?,
            bounds: json(&row.get::<_, String>(4)?)?,
        });
    }
    Ok(credentials)
}

fn routes(db: &Connection, upstreams: &HashMap<&str, UpstreamId>) -> Result<Vec<Route>, StoreError> {
    let known = |name: String| match upstreams.get(name.as_str()) {
        Some(id) => Ok(*id),
        None => Err(StoreError::Unknown { what: "upstream", name }),
    };
    let drafts = part::read::<RouteDraft>(db, part::ROUTE)?;
    let route = |draft: RouteDraft| {
        Ok(Route {
            name: draft.name,
            prefixes: draft.prefixes,
            upstreams: draft.upstreams.into_iter().map(known).collect::<Result<_, _>>()?,
        })
    };
    drafts.into_iter().map(route).collect()
}

fn mo_routes(db: &Connection, accounts: &[Account]) -> Result<Vec<MoRoute>, StoreError> {
    let route = |draft: MoRouteDraft| match accounts.iter().find(|account| account.name == draft.account) {
        Some(account) => Ok(MoRoute { prefixes: draft.prefixes, account: account.id }),
        None => Err(StoreError::Unknown { what: "account", name: draft.account }),
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

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Failed(format!("stored settings cannot be read: {e}")))
}
