//! Administration: policy, credit, copies.

mod accounts;
mod numbers;
mod probe;

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use smpp_proto::text::gsm7::Languages;

use super::Writer;
use super::books::NoHold;
use super::effects::Effects;
use crate::account::{AccountId, Credits};
use crate::message::UpstreamId;
use crate::policy::{PastSchedule, Snapshot};
use crate::store::command::{Admin, Command, Probed};
use crate::store::policy::{PolicyChange, TrafficDraft};
use crate::store::schema::part;
use crate::store::{Balance, StoreError, UpstreamTraits, Upstreams, reader};

/// What came of an administrative command.
pub(super) enum Done {
    Nothing,
    Balance(Balance),
    Probed(Probed),
    Count(u64),
}

impl Writer {
    /// Each administrative command of a batch in a savepoint of its own: one that is refused changes nothing.
    pub(super) fn admin(&mut self, batch: &[Command], effects: &mut Effects) -> Result<(), StoreError> {
        for command in batch {
            let Command::Admin(admin) = command else { continue };
            self.db.execute_batch("SAVEPOINT admin")?;
            let outcome = self.administer(admin, effects);
            if let Err(failure) = &outcome {
                self.db.execute_batch("ROLLBACK TO admin")?;
                // Only what it may have changed in memory is read again: lists have millions of numbers, and the books
                // count every message.
                match admin {
                    Admin::Probe { .. } | Admin::Backup(..) => {}
                    Admin::Credit { .. } | Admin::Transfer { .. } if is_refusal(failure) => {}
                    Admin::List(..) => self.limits.reread_lists(&self.db)?,
                    _ => self.books = super::Books::read(&self.db, &self.shared, &self.flights)?,
                }
            }
            self.db.execute_batch("RELEASE admin")?;
            self.replies.push(outcome);
        }
        Ok(())
    }

    fn administer(&mut self, admin: &Admin, effects: &mut Effects) -> Result<Done, StoreError> {
        match admin {
            Admin::Policy(change, _) => {
                let has_lost = self.apply(change)?;
                let (policy, upstreams) = read_policy(&self.db)?;
                self.sweeps.default_validity = policy.limits().default_validity;
                self.release_held(&policy)?;
                if has_lost {
                    self.free_inbound(&policy, effects)?;
                }
                effects.after(move |shared| {
                    shared.policy.store(policy.into());
                    shared.upstreams.store(upstreams.into());
                });
            }
            Admin::Credit { account, amount, kind, note, .. } => {
                let balance = self.add_entry(*account, *amount, kind, note)?;
                self.books.write(&self.db, self.now.utc_day())?;
                return Ok(Done::Balance(balance));
            }
            Admin::Transfer { from, to, amount, note, .. } => {
                if *amount <= Credits::ZERO {
                    return Err(StoreError::BadAmount("a transfer moves more than 0 credits"));
                }
                let back =
                    Credits::ZERO.minus(*amount).ok_or(StoreError::BadAmount("the amount is too large"))?;
                // Both are asked before either changes: a refusal leaves nothing to read again.
                self.books.could_add(*from, back).map_err(|no| self.no_entry(*from, no))?;
                self.books.could_add(*to, *amount).map_err(|no| self.no_entry(*to, no))?;
                self.add_entry(*from, back, "transfer_out", note)?;
                self.add_entry(*to, *amount, "transfer_in", note)?;
                self.books.write(&self.db, self.now.utc_day())?;
            }
            // Runs beside the writer; a place in the mailbox only orders it behind what was asked before.
            Admin::Backup(..) => {}
            Admin::Probe { accept, at, .. } => return self.probe(accept, *at).map(Done::Probed),
            Admin::List(listing, _) => return self.change_list(listing).map(Done::Count),
        }
        Ok(Done::Nothing)
    }

    /// After the commit: who asked hears what came of it.
    pub(super) fn reply_to_admins(&mut self, batch: &mut Vec<Command>) {
        let mut outcomes = std::mem::take(&mut self.replies).into_iter();
        for command in batch.drain(..) {
            let Command::Admin(admin) = command else { continue };
            let Some(outcome) = outcomes.next() else { continue };
            // Nobody waiting is fine.
            let _ = match admin {
                Admin::Policy(_, reply) | Admin::Transfer { reply, .. } => {
                    reply.send(outcome.map(|_| ())).is_ok()
                }
                Admin::Credit { reply, .. } => {
                    let balance = outcome.and_then(|done| match done {
                        Done::Balance(balance) => Ok(balance),
                        _ => Err(StoreError::Closed),
                    });
                    reply.send(balance).is_ok()
                }
                Admin::Probe { reply, .. } => {
                    let probed = outcome.and_then(|done| match done {
                        Done::Probed(probed) => Ok(probed),
                        _ => Err(StoreError::Closed),
                    });
                    reply.send(probed).is_ok()
                }
                Admin::List(_, reply) => {
                    let count = outcome.and_then(|done| match done {
                        Done::Count(count) => Ok(count),
                        _ => Err(StoreError::Closed),
                    });
                    reply.send(count).is_ok()
                }
                Admin::Backup(file, reply) => {
                    let settings = self.shared.settings.clone();
                    let copy = move || {
                        let done = reader::backup(&settings.path, &settings.history, &file);
                        let _ = reply.send(done);
                    };
                    std::thread::Builder::new().name("backup".to_owned()).spawn(copy).is_ok()
                }
            };
        }
    }

    fn add_entry(
        &mut self,
        account: AccountId,
        amount: Credits,
        kind: &str,
        note: &str,
    ) -> Result<Balance, StoreError> {
        let balance = self.books.add(account, amount).map_err(|no| self.no_entry(account, no))?;
        self.db
            .prepare_cached("INSERT INTO entry(account, at, kind, amount, note) VALUES(?1, ?2, ?3, ?4, ?5)")?
            .execute(params![account.0, self.now.millis(), kind, amount.micro(), note])?;
        Ok(balance)
    }

    fn no_entry(&self, account: AccountId, no: NoHold) -> StoreError {
        match no {
            NoHold::Nobody => StoreError::Unknown { what: "account", name: account.to_string() },
            NoHold::AboveCeiling => StoreError::AboveCeiling(self.name_of(account)),
            NoHold::Insufficient | NoHold::Full => StoreError::InsufficientCredit(self.name_of(account)),
        }
    }

    /// From the table, where the accounts of the change that is under way are too.
    fn name_of(&self, account: AccountId) -> String {
        let name = self.db.query_row("SELECT name FROM account WHERE id = ?1", [account.0], |row| row.get(0));
        name.unwrap_or_else(|_| account.to_string())
    }

    /// Says whether an account lost a credential.
    fn apply(&mut self, change: &PolicyChange) -> Result<bool, StoreError> {
        let has_lost = self.apply_accounts(&change.accounts)?;
        if change.replaces_files {
            self.suspend_missing(&change.accounts)?;
        }
        if let Some(traffic) = &change.traffic {
            self.apply_traffic(traffic)?;
        }
        self.books.write(&self.db, self.now.utc_day())?;
        Ok(has_lost)
    }

    fn apply_traffic(&mut self, traffic: &TrafficDraft) -> Result<(), StoreError> {
        for upstream in &traffic.upstreams {
            let traits =
                serde_json::to_string(&upstream.traits).map_err(|e| StoreError::Failed(e.to_string()))?;
            self.db.execute(
                "INSERT INTO upstream(name, traits) VALUES(?1, ?2)
                 ON CONFLICT(name) DO UPDATE SET traits = excluded.traits",
                params![upstream.name, traits],
            )?;
        }
        // What they name is looked up when the snapshot is read, in the same savepoint.
        part::write(&self.db, part::PRICE, &traffic.prices)?;
        part::write(&self.db, part::NETWORK, &traffic.networks)?;
        part::write(&self.db, part::PRICE_LIST, &traffic.price_lists)?;
        part::write(&self.db, part::BILLING, traffic.billing.as_slice())?;
        part::write(&self.db, part::ROUTE, &traffic.routes)?;
        part::write(&self.db, part::MO_ROUTE, &traffic.mo_routes)?;
        for route in &traffic.routes {
            part::place_of(&self.db, part::ROUTE_NAME, &route.name)?;
        }
        self.db.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES('platform', ?1)",
            [written(&traffic.platform)?],
        )?;
        let limits = &traffic.limits;
        let limits = format!(
            "{} {} {} {} {}",
            limits.default_validity.as_secs(),
            limits.max_validity.as_secs(),
            limits.max_schedule.as_secs(),
            limits.max_parts,
            u8::from(limits.past_schedule == PastSchedule::Now)
        );
        self.db.execute("INSERT OR REPLACE INTO meta(key, value) VALUES('limits', ?1)", [limits])?;
        Ok(())
    }
}

/// Whether credit was refused before anything was written.
const fn is_refusal(failure: &StoreError) -> bool {
    matches!(
        failure,
        StoreError::Unknown { .. }
            | StoreError::AboveCeiling(_)
            | StoreError::InsufficientCredit(_)
            | StoreError::BadAmount(_)
    )
}

fn written<T: serde::Serialize>(thing: &T) -> Result<String, StoreError> {
    serde_json::to_string(thing).map_err(|e| StoreError::Failed(e.to_string()))
}

fn account_id(db: &Connection, name: &str) -> Result<AccountId, StoreError> {
    let found =
        db.query_row("SELECT id FROM account WHERE name = ?1", [name], |row| row.get(0)).optional()?;
    found.map(AccountId).ok_or_else(|| StoreError::Unknown { what: "account", name: name.to_owned() })
}

/// Compiles what the tables hold.
pub(super) fn read_policy(db: &Connection) -> Result<(Snapshot, Upstreams), StoreError> {
    let mut upstreams = Upstreams::default();
    let mut find = db.prepare("SELECT id, name, traits FROM upstream")?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name, traits): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let traits = serde_json::from_str(&traits).map_err(|e| StoreError::Failed(e.to_string()))?;
        upstreams.by_name.insert(name.clone(), UpstreamId(id));
        upstreams.by_id.insert(UpstreamId(id), (name, traits));
    }
    let mut parts = reader::policy_parts(
        db,
        &upstreams.by_name.iter().map(|(n, i)| (n.as_str(), *i)).collect::<HashMap<_, _>>(),
    )?;
    let languages = |traits: &UpstreamTraits| Languages::from_bits(traits.languages);
    parts.languages = upstreams.by_id.iter().map(|(id, (_, traits))| (*id, languages(traits))).collect();
    Ok((Snapshot::compile(parts)?, upstreams))
}

impl Admin {
    /// It cannot be written: who asked hears so.
    pub(super) fn fail(self, failure: StoreError) {
        // Nobody waiting is fine.
        let _ = match self {
            Self::Policy(_, reply) | Self::Transfer { reply, .. } | Self::Backup(_, reply) => {
                reply.send(Err(failure)).is_ok()
            }
            Self::Credit { reply, .. } => reply.send(Err(failure)).is_ok(),
            Self::Probe { reply, .. } => reply.send(Err(failure)).is_ok(),
            Self::List(_, reply) => reply.send(Err(failure)).is_ok(),
        };
    }
}
