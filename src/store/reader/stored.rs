//! The policy that the store holds, in the form in which it is written down: to be compared with files, and exported.

use std::collections::HashMap;

use rusqlite::Connection;

use super::Reader;
use super::policy::policy_parts;
use crate::account::{AccountId, Credits, PasswordHash};
use crate::message::UpstreamId;
use crate::policy::SnapshotParts;
use crate::store::policy::{AccountDraft, CredentialDraft, TrafficDraft, UpstreamDraft};
use crate::store::schema::{self, part};
use crate::store::{StoreError, UpstreamTraits};

/// What the store holds; empty for a store that is not there yet.
#[derive(Clone, Debug, Default)]
pub struct StoredPolicy {
    /// Every account by name, each with the credentials that may bind. What was granted at first is 0 here: it is in the
    /// books.
    pub accounts: Vec<AccountDraft>,
    /// Prices, ways, operators and bounds.
    pub traffic: TrafficDraft,
}

impl StoredPolicy {
    /// The hash of each system_id's password.
    #[must_use]
    pub fn passwords(&self) -> HashMap<&str, &PasswordHash> {
        let credentials = self.accounts.iter().flat_map(|account| &account.credentials);
        credentials.map(|credential| (credential.system_id.as_str(), &credential.password)).collect()
    }
}

impl Reader {
    /// The policy as it is written down.
    ///
    /// # Errors
    /// When the store cannot be read, or is of an older version that no daemon has brought up to date.
    pub fn stored_policy(&self) -> Result<StoredPolicy, StoreError> {
        let moment = self.db.unchecked_transaction()?;
        let found: i64 = moment.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let known = schema::STEPS.len() as i64;
        if found != known {
            let why = format!(
                "the store is of version {found}, not {known}: start the daemon once, or run `tollgate account list`"
            );
            return Err(StoreError::Failed(why));
        }
        let upstreams = upstreams(&moment)?;
        let by_name: HashMap<&str, UpstreamId> =
            upstreams.iter().map(|(id, draft)| (draft.name.as_str(), *id)).collect();
        let parts = policy_parts(&moment, &by_name)?;
        let traffic = TrafficDraft {
            prices: part::read(&moment, part::PRICE)?,
            networks: part::read(&moment, part::NETWORK)?,
            price_lists: part::read(&moment, part::PRICE_LIST)?,
            billing: part::read(&moment, part::BILLING)?.pop(),
            routes: part::read(&moment, part::ROUTE)?,
            mo_routes: part::read(&moment, part::MO_ROUTE)?,
            ..TrafficDraft::default()
        };
        Ok(stored(parts, traffic, upstreams))
    }
}

fn upstreams(db: &Connection) -> Result<Vec<(UpstreamId, UpstreamDraft)>, StoreError> {
    let mut find = db.prepare("SELECT id, name, traits FROM upstream ORDER BY id")?;
    let mut rows = find.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, name, traits): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let traits: UpstreamTraits =
            serde_json::from_str(&traits).map_err(|e| StoreError::Failed(e.to_string()))?;
        found.push((UpstreamId(id), UpstreamDraft { name, traits }));
    }
    Ok(found)
}

fn stored(
    mut parts: SnapshotParts,
    traffic: TrafficDraft,
    upstreams: Vec<(UpstreamId, UpstreamDraft)>,
) -> StoredPolicy {
    let names: HashMap<AccountId, String> = parts.accounts.iter().map(|a| (a.id, a.name.clone())).collect();
    let mut credentials: HashMap<AccountId, Vec<CredentialDraft>> = HashMap::new();
    for credential in parts.credentials {
        let filters = parts.credential_filters.remove(&credential.id).unwrap_or_default();
        credentials.entry(credential.account).or_default().push(CredentialDraft {
            system_id: credential.system_id,
            password: credential.password,
            bounds: credential.bounds,
            filters,
        });
    }
    let mut accounts: Vec<_> = parts
        .accounts
        .into_iter()
        .map(|account| AccountDraft {
            parent: account.parent.and_then(|parent| names.get(&parent).cloned()),
            opening_credit: Credits::ZERO,
            suspended: account.suspended,
            origin: account.origin,
            filters: parts.filters.remove(&account.id).unwrap_or_default(),
            credentials: credentials.remove(&account.id).unwrap_or_default(),
            terms: account.terms,
            name: account.name,
        })
        .collect();
    accounts.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let traffic = TrafficDraft { limits: parts.limits, platform: parts.platform, ..traffic };
    let upstreams = upstreams.into_iter().map(|(_, draft)| draft).collect();
    StoredPolicy { accounts, traffic: TrafficDraft { upstreams, ..traffic } }
}
