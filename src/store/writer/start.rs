//! Opening the store: its lock, its tables, and what was under way when the last daemon ended.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::admin::read_policy;
use super::books::{Books, Limits};
use super::inbound::free_rows;
use super::message::land_journal;
use super::tick::Sweeps;
use super::{Counters, Writer};
use crate::account::{AccountId, CredentialId};
use crate::clock::{Clock, Timestamp};
use crate::message::{IdSource, MessageId, State, UpstreamId};
use crate::store::command::Sightings;
use crate::store::history::Mover;
use crate::store::journal::Flights;
use crate::store::lane::Backlogs;
use crate::store::schema::{self, owed};
use crate::store::{Settings, Shared, Store, StoreError, Upstreams};

/// Opens the store and starts its threads.
pub(in crate::store) fn start(settings: &Settings, clock: &Clock) -> Result<Store, StoreError> {
    let lock = Lock::take(&settings.path)?;
    let db = schema::open(&settings.path)?;
    let (policy, upstreams) = read_policy(&db)?;
    for fault in policy.name_faults() {
        warn!("{fault}: what two such names take is the first one's; correct the files and apply them");
    }
    let default_validity = policy.limits().default_validity;
    let (mailbox, commands) = mpsc::channel(settings.mailbox.clamp(16, 65_536));
    let shared = Arc::new(Shared {
        policy: policy.into_pointee(),
        upstreams: upstreams.clone().into_pointee(),
        up: Arc::default(),
        backlogs: Backlogs::default(),
        upstream_lanes: RwLock::new(HashMap::new()),
        account_lanes: RwLock::new(HashMap::new()),
        counters: Counters::default(),
        sightings: Sightings::default(),
        next_due: watch::Sender::new(Timestamp::default()),
        refills: mailbox.downgrade(),
        clock: clock.clone(),
        settings: settings.clone(),
    });
    db.execute_batch("BEGIN IMMEDIATE")?;
    land_journal(&db)?;
    db.execute_batch("COMMIT")?;
    let movable = bring_back(&db, &shared, &upstreams)?;
    let mover = Mover::start(settings, mailbox.downgrade(), Arc::clone(&shared))?;
    let count =
        |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| u64::try_from(n).unwrap_or(0));
    let mut writer = Writer {
        books: Books::read(&db, &shared, &Flights::default())?,
        limits: Limits::read(&db, settings.first_sendings, clock.now())?,
        flights: Flights::default(),
        is_stale: false,
        ids: IdSource::after(last_id(&db, settings)?, settings.node),
        last_short: last_short(&db)?,
        parked: count("SELECT count(*) FROM parked")?,
        mo_parts: count("SELECT count(*) FROM mo_part")?,
        aliases: count("SELECT count(*) FROM (SELECT 1 FROM alias LIMIT 1)")?,
        has_tried: count("SELECT count(*) FROM (SELECT 1 FROM tried LIMIT 1)")? > 0,
        sweeps: Sweeps::new(default_validity),
        held_over: Vec::new(),
        replies: Vec::new(),
        now: clock.now(),
        mailbox: commands,
        shared: Arc::clone(&shared),
        mover,
        db,
        _lock: lock,
    };
    writer.mover.note(&movable);
    let policy = shared.policy.load_full();
    writer.release_held(&policy)?;
    std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run())
        .map_err(|e| StoreError::Open { path: settings.path.clone(), why: e.to_string() })?;
    Ok(Store { mailbox, shared })
}

/// Puts back what stood in memory: messages may have been written to an operator, and are in doubt.
fn bring_back(db: &Connection, shared: &Shared, upstreams: &Upstreams) -> Result<Vec<MessageId>, StoreError> {
    let now = shared.clock.now();
    db.execute_batch("BEGIN IMMEDIATE")?;
    let mut doubts = 0;
    for (id, (_, traits)) in &upstreams.by_id {
        // With an upstream that notes each sending, only what was noted is in doubt.
        let state = if traits.notes_sending { State::Sending } else { State::Ready };
        doubts += db.execute(
            "INSERT INTO event(message, at, kind, detail) SELECT id, ?3, 'in_doubt',
               'the gateway stopped while it may have been on its way to the operator' FROM message
               WHERE state = ?1 AND lane = ?2",
            params![state.code(), id.0, now.millis()],
        )?;
        db.execute(
            "UPDATE message SET in_doubt = 1, attempts = attempts + 1 WHERE state = ?1 AND lane = ?2",
            params![state.code(), id.0],
        )?;
        if traits.notes_sending && !traits.doubt_wait.is_zero() {
            let due = now + traits.doubt_wait;
            db.execute(
                "UPDATE message SET state = ?3, due = ?4 WHERE state = ?1 AND lane = ?2",
                params![state.code(), id.0, State::InDoubt.code(), due.millis()],
            )?;
        }
    }
    db.execute(
        "UPDATE message SET state = ?1 WHERE state IN (?2, ?3)",
        params![State::Queued.code(), State::Ready.code(), State::Sending.code()],
    )?;
    db.execute("UPDATE message SET owed = ?1 WHERE owed = ?2", [owed::SPILLED, owed::READY])?;
    db.execute("UPDATE inbound SET owed = ?1 WHERE owed = ?2", [owed::SPILLED, owed::READY])?;
    free_rows(db)?;
    db.execute_batch("COMMIT")?;
    Counters::add(&shared.counters.in_doubt, doubts as u64);
    let waiting = spill(db, shared)?;
    if waiting > 0 || doubts > 0 {
        info!(waiting, in_doubt = doubts, "brought back what was under way");
    }
    let mut find = db.prepare("SELECT id FROM message WHERE state >= 10 AND owed IN (0, 4, 5)")?;
    let movable = find.query_map([], |row| row.get(0).map(MessageId::from_raw))?;
    Ok(movable.collect::<Result<_, _>>()?)
}

/// Tells the lanes how much of them is in the store.
fn spill(db: &Connection, shared: &Shared) -> Result<u64, StoreError> {
    let mut all = 0;
    let mut find =
        db.prepare("SELECT lane, account, count(*) FROM message WHERE state = 0 GROUP BY lane, account")?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        shared.upstream_lane(UpstreamId(row.get(0)?)).begin(AccountId(row.get(1)?).into(), count);
        all += count;
    }
    let mut find = db.prepare(
        "SELECT account, receiver, sum(n) FROM (
           SELECT account, 0 AS receiver, count(*) AS n FROM message WHERE owed = 1 GROUP BY account
           UNION ALL SELECT account, receiver, count(*) FROM inbound WHERE owed = 1 GROUP BY account, receiver)
         GROUP BY account, receiver",
    )?;
    let mut rows = find.query([])?;
    while let Some(row) = rows.next()? {
        let receiver = Some(row.get(1)?).filter(|number| *number > 0).map(CredentialId);
        let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        shared.account_lane(AccountId(row.get(0)?)).begin(receiver.into(), count);
    }
    Ok(all)
}

/// The greatest id ever given out. Ids lie in the order of time, so the hot file and the newest history file know it.
fn last_id(db: &Connection, settings: &Settings) -> Result<Option<MessageId>, StoreError> {
    let hot: Option<i64> = db.query_row(
        "SELECT max(id) FROM (SELECT max(id) AS id FROM message UNION ALL SELECT max(id) FROM inbound)",
        [],
        |row| row.get(0),
    )?;
    let moved = crate::store::history::newest_id(&settings.path)?;
    Ok(hot.map(MessageId::from_raw).max(moved))
}

/// The number of the short id given out last; 0 when there is none. Messages come in the order of time.
fn last_short(db: &Connection) -> Result<u32, StoreError> {
    let mut find = db.prepare("SELECT short FROM short_id ORDER BY message DESC LIMIT 1")?;
    Ok(find.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Says that this process has the store, as long as it lives; also after a SIGKILL the system lets go of it.
pub(super) struct Lock(File);

impl Lock {
    fn take(path: &Path) -> Result<Self, StoreError> {
        let name = lock_path(path);
        let failed = |e: std::io::Error| StoreError::Open { path: name.clone(), why: e.to_string() };
        let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Held(path.to_path_buf())),
            Err(std::fs::TryLockError::Error(e)) => Err(failed(e)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file lets go of the lock anyway.
        let _ = self.0.unlock();
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// For the two fields that are swapped whole.
trait Swappable: Sized {
    fn into_pointee(self) -> arc_swap::ArcSwap<Self> {
        arc_swap::ArcSwap::from_pointee(self)
    }
}

impl Swappable for crate::policy::Snapshot {}
impl Swappable for Upstreams {}
