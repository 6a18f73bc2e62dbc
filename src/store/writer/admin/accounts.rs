//! Putting accounts and credentials into the store. Only what differs is written: a reload of ten thousand accounts of
//! which one changed writes one row.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::{account_id, written};
use crate::account::credential::Bounds;
use crate::account::{AccountId, Credits, Origin};
use crate::store::StoreError;
use crate::store::policy::{AccountDraft, CredentialDraft};
use crate::store::writer::Writer;

impl Writer {
    /// Accounts first, since others may stand under them; then credentials, those that are lost before those that are
    /// new, since one account may take over what another gives up.
    /// Says whether an account lost one.
    pub(super) fn apply_accounts(&mut self, drafts: &[AccountDraft]) -> Result<bool, StoreError> {
        let (mut ids, mut terms, mut bounds) = (Vec::new(), Said::default(), Said::default());
        for draft in drafts {
            ids.push(self.apply_account(draft, terms.of(&draft.terms)?)?);
        }
        let (mut fresh, mut lost) = (Vec::new(), 0);
        for (draft, (id, has_parent)) in drafts.iter().zip(ids) {
            if has_parent || draft.parent.is_some() {
                self.set_parent(id, draft)?;
            }
            fresh.extend(self.sift_credentials(id, draft, &mut bounds, &mut lost)?);
        }
        fresh.iter().try_for_each(|(id, credential)| self.apply_credential(*id, credential))?;
        Ok(lost > 0)
    }

    /// Gives its number, and whether it stands under another.
    fn apply_account(&mut self, draft: &AccountDraft, terms: &str) -> Result<(AccountId, bool), StoreError> {
        let (filters, origin) = (written(&draft.filters)?, origin_word(draft.origin));
        let row = params![draft.name, origin, draft.suspended, terms, filters];
        let found: Option<(u32, bool, bool)> = self
            .db
            .prepare_cached(
                "SELECT id, parent IS NOT NULL, origin = ?2 AND suspended = ?3 AND terms = ?4 AND filters = ?5
                   FROM account WHERE name = ?1",
            )?
            .query_row(row, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let id = match found {
            Some((id, _, true)) => id,
            Some((id, _, false)) => {
                let update = "UPDATE account SET origin = ?2, suspended = ?3, terms = ?4, filters = ?5 WHERE name = ?1";
                self.db.prepare_cached(update)?.execute(row)?;
                id
            }
            None => self
                .db
                .prepare_cached(
                    "INSERT INTO account(name, origin, suspended, terms, filters) VALUES(?1, ?2, ?3, ?4, ?5)
                       RETURNING id",
                )?
                .query_row(row, |row| row.get(0))?,
        };
        let id = AccountId(id);
        let before = self.books.available_and_floor(id).map(|(_, floor)| floor);
        self.books.set_terms(id, &draft.terms);
        if found.is_none() && draft.opening_credit > Credits::ZERO {
            self.add_entry(id, draft.opening_credit, "opening", "opening credit")?;
        }
        self.note_raised_floor(id, before)?;
        Ok((id, found.is_some_and(|(_, has_parent, _)| has_parent)))
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

    /// Credentials that are not written any more lose their right to bind and are counted. Gives those that are new or
    /// differ.
    fn sift_credentials<'d>(
        &self,
        account: AccountId,
        draft: &'d AccountDraft,
        bounds: &mut Said<Bounds>,
        lost: &mut usize,
    ) -> Result<Vec<(AccountId, &'d CredentialDraft)>, StoreError> {
        let mut wanted: HashMap<&str, &CredentialDraft> =
            draft.credentials.iter().map(|wanted| (wanted.system_id.as_str(), wanted)).collect();
        let mut find = self.db.prepare_cached(
            "SELECT id, system_id, password_hash, bounds, filters FROM credential WHERE account = ?1 AND active = 1",
        )?;
        let mut rows = find.query([account.0])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
            match wanted.get(text(1)?) {
                None => {
                    let id: u32 = row.get(0)?;
                    *lost += self
                        .db
                        .prepare_cached("UPDATE credential SET active = 0 WHERE id = ?1")?
                        .execute([id])?;
                }
                Some(known) => {
                    let is_same = text(2)? == known.password.as_str()
                        && text(3)? == bounds.of(&known.bounds)?
                        && text(4)? == written(&known.filters)?;
                    if is_same {
                        wanted.remove(text(1)?);
                    }
                }
            }
        }
        // In the order in which they are written, so that the same files make the same store.
        let fresh = draft.credentials.iter().filter(|draft| wanted.contains_key(draft.system_id.as_str()));
        Ok(fresh.map(|draft| (account, draft)).collect())
    }

    fn apply_credential(&self, account: AccountId, draft: &CredentialDraft) -> Result<(), StoreError> {
        let (bounds, filters) = (written(&draft.bounds)?, written(&draft.filters)?);
        let changed = self
            .db
            .prepare_cached(
                "INSERT INTO credential(account, system_id, password_hash, bounds, filters)
                   VALUES(?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(system_id) DO UPDATE SET password_hash = excluded.password_hash,
                   bounds = excluded.bounds, filters = excluded.filters, active = 1, account = excluded.account
                 WHERE account = excluded.account OR active = 0",
            )?
            .execute(params![account.0, draft.system_id, draft.password.as_str(), bounds, filters])?;
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

/// Settings as they are stored, of which many have the same: what is said twice in a row is written once.
struct Said<T>(Option<(T, String)>);

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone + PartialEq + serde::Serialize> Said<T> {
    fn of(&mut self, thing: &T) -> Result<&str, StoreError> {
        if self.0.as_ref().is_none_or(|(known, _)| known != thing) {
            self.0 = Some((thing.clone(), written(thing)?));
        }
        Ok(self.0.as_ref().map_or("", |(_, text)| text))
    }
}
