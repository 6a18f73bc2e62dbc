//! Putting accounts and credentials into the store. Only what differs is written: a reload of ten thousand accounts of
//! which one changed writes one row.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::{account_id, written};
use crate::account::{AccountId, Credits, Origin};
use crate::store::StoreError;
use crate::store::policy::{AccountDraft, CredentialDraft};
use crate::store::writer::Writer;

impl Writer {
    /// Accounts first, since others may stand under them; then credentials, those that are lost before those that are
    /// new, since one account may take over what another gives up.
    pub(super) fn apply_accounts(&mut self, drafts: &[AccountDraft]) -> Result<(), StoreError> {
        let mut ids = Vec::with_capacity(drafts.len());
        for draft in drafts {
            ids.push(self.apply_account(draft)?);
        }
        for (draft, id) in drafts.iter().zip(&ids) {
            self.set_parent(*id, draft)?;
            self.drop_credentials(*id, draft)?;
        }
        for (draft, id) in drafts.iter().zip(&ids) {
            for credential in &draft.credentials {
                self.apply_credential(*id, credential)?;
            }
        }
        Ok(())
    }

    fn apply_account(&mut self, draft: &AccountDraft) -> Result<AccountId, StoreError> {
        let (terms, filters) = (written(&draft.terms)?, written(&draft.filters)?);
        let origin = origin_word(draft.origin);
        let mut find = self.db.prepare_cached(
            "SELECT id, origin = ?2 AND suspended = ?3 AND terms = ?4 AND filters = ?5 FROM account WHERE name = ?1",
        )?;
        let row = params![draft.name, origin, draft.suspended, terms, filters];
        let found: Option<(u32, bool)> =
            find.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(find);
        let id = match found {
            Some((id, is_same)) => {
                if !is_same {
                    self.db
                        .prepare_cached(
                            "UPDATE account SET origin = ?2, suspended = ?3, terms = ?4, filters = ?5 WHERE id = ?1",
                        )?
                        .execute(params![id, origin, draft.suspended, terms, filters])?;
                }
                AccountId(id)
            }
            None => AccountId(
                self.db
                    .prepare_cached(
                        "INSERT INTO account(name, origin, suspended, terms, filters) VALUES(?1, ?2, ?3, ?4, ?5)
                           RETURNING id",
                    )?
                    .query_row(row, |row| row.get(0))?,
            ),
        };
        let before = self.books.available_and_floor(id).map(|(_, floor)| floor);
        self.books.set_terms(id, &draft.terms);
        if found.is_none() && draft.opening_credit > Credits::ZERO {
            self.add_entry(id, draft.opening_credit, "opening", "opening credit")?;
        }
        self.note_raised_floor(id, before)?;
        Ok(id)
    }

    /// A floor that rises above the balance breaks nothing: the audit then asks that the balance does not sink further.
    /// The note begins with that balance.
    fn note_raised_floor(&self, account: AccountId, before: Option<Credits>) -> Result<(), StoreError> {
        let Some((available, floor)) = self.books.available_and_floor(account) else { return Ok(()) };
        if available < floor && before != Some(floor) {
            let note =
                format!("{} micro-credits were there when the floor rose to {floor}", available.micro());
            self.db.execute(
                "INSERT INTO entry(account, at, kind, amount, note) VALUES(?1, ?2, 'floor_raised', 0, ?3)",
                params![account.0, self.now.millis(), note],
            )?;
        }
        Ok(())
    }

    fn set_parent(&self, id: AccountId, draft: &AccountDraft) -> Result<(), StoreError> {
        let parent = draft.parent.as_deref().map(|name| account_id(&self.db, name)).transpose()?;
        self.db
            .prepare_cached("UPDATE account SET parent = ?2 WHERE id = ?1 AND parent IS NOT ?2")?
            .execute(params![id.0, parent.map(|parent| parent.0)])?;
        Ok(())
    }

    /// Credentials that are not written any more lose their right to bind.
    fn drop_credentials(&self, account: AccountId, draft: &AccountDraft) -> Result<(), StoreError> {
        let kept: HashSet<&str> = draft.credentials.iter().map(|kept| kept.system_id.as_str()).collect();
        let mut find = self
            .db
            .prepare_cached("SELECT id, system_id FROM credential WHERE account = ?1 AND active = 1")?;
        let mut rows = find.query([account.0])?;
        while let Some(row) = rows.next()? {
            let name = row.get_ref(1)?.as_str().map_err(|e| StoreError::Failed(e.to_string()))?;
            if !kept.contains(name) {
                let id: u32 = row.get(0)?;
                self.db.prepare_cached("UPDATE credential SET active = 0 WHERE id = ?1")?.execute([id])?;
            }
        }
        Ok(())
    }

    fn apply_credential(&self, account: AccountId, draft: &CredentialDraft) -> Result<(), StoreError> {
        let (bounds, filters) = (written(&draft.bounds)?, written(&draft.filters)?);
        let row = params![account.0, draft.system_id, draft.password.as_str(), bounds, filters];
        let is_same = self
            .db
            .prepare_cached(
                "SELECT account = ?1 AND password_hash = ?3 AND bounds = ?4 AND filters = ?5 AND active = 1
                   FROM credential WHERE system_id = ?2",
            )?
            .query_row(row, |row| row.get(0))
            .optional()?;
        if is_same == Some(true) {
            return Ok(());
        }
        let changed = self
            .db
            .prepare_cached(
                "INSERT INTO credential(account, system_id, password_hash, bounds, filters)
                   VALUES(?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(system_id) DO UPDATE SET password_hash = excluded.password_hash,
                   bounds = excluded.bounds, filters = excluded.filters, active = 1, account = excluded.account
                 WHERE account = excluded.account OR active = 0",
            )?
            .execute(row)?;
        if changed == 0 {
            return Err(StoreError::SystemIdTaken(draft.system_id.clone()));
        }
        Ok(())
    }

    /// Accounts that came from files and are in none any more keep their books and lose their right to act.
    pub(super) fn suspend_missing(&self, kept: &[AccountDraft]) -> Result<(), StoreError> {
        let names: HashSet<&str> = kept.iter().map(|draft| draft.name.as_str()).collect();
        let mut find =
            self.db.prepare("SELECT id, name FROM account WHERE origin = 'file' AND suspended = 0")?;
        let rows = find.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        for row in rows {
            let (id, name) = row?;
            if !names.contains(name.as_str()) {
                tracing::warn!(account = name, "is in no configuration file any more and is suspended");
                self.db.execute("UPDATE account SET suspended = 1 WHERE id = ?1", [id])?;
            }
        }
        Ok(())
    }
}

const fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::File => "file",
        Origin::Store => "store",
    }
}
