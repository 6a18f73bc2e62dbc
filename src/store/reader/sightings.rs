//! When the entries of an account's lists of addresses were last of use.

use std::collections::HashMap;

use super::Reader;
use crate::account::{AccountId, Surface};
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::command::EntryKey;

impl Reader {
    /// By entry. Entries that are no longer on a list may be among them.
    pub(in crate::store) fn sightings(
        &self,
        account: AccountId,
    ) -> Result<HashMap<EntryKey, Timestamp>, StoreError> {
        let mut find = self.db.prepare("SELECT surface, network, at FROM address_seen WHERE account = ?1")?;
        let mut rows = find.query([account.0])?;
        let mut seen = HashMap::new();
        while let Some(row) = rows.next()? {
            let (surface, network): (String, String) = (row.get(0)?, row.get(1)?);
            // What another version wrote and this one cannot read is not on a list either.
            if let (Some(surface), Ok(network)) = (Surface::of(&surface), network.parse()) {
                seen.insert(EntryKey { account, surface, network }, Timestamp::from_millis(row.get(2)?));
            }
        }
        Ok(seen)
    }
}
