//! Fills the history: a day's file with millions of ended messages, each a copy of a real one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, params};
use tollgate::message::MessageId;

use super::process::pause;

/// Waits until a running gateway has moved at least one message; gives the day's file.
pub fn await_first(store: &Path) -> Result<PathBuf> {
    let begun = Instant::now();
    loop {
        if let Some(file) = day_file(store)
            && rows(&file).unwrap_or(0) > 0
        {
            return Ok(file);
        }
        ensure!(begun.elapsed() < Duration::from_secs(20), "nothing moved to the history");
        pause(Duration::from_millis(50))?;
    }
}

/// Waits until a gateway that has just started has listed what was filled in.
pub fn await_listed(file: &Path) -> Result<()> {
    let begun = Instant::now();
    let db = Connection::open(file)?;
    db.busy_timeout(Duration::from_secs(5))?;
    while db.prepare_cached("SELECT 1 FROM bulk WHERE listed = 0")?.exists([])? {
        ensure!(begun.elapsed() < Duration::from_secs(300), "the history is not listed");
        pause(Duration::from_millis(200))?;
    }
    Ok(())
}

/// Messages in a day's file.
pub fn rows(file: &Path) -> Result<u64> {
    let db = Connection::open(file)?;
    Ok(db.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))?.try_into()?)
}

/// The newest day's file.
pub fn day_file(store: &Path) -> Option<PathBuf> {
    let mut folder = store.as_os_str().to_owned();
    folder.push(".history");
    let entries = std::fs::read_dir(PathBuf::from(folder)).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "db")).max()
}

/// Adds `count` messages that were accepted at the beginning of the day and cost nothing, so that the books still hold.
/// The gateway must not run; it lists them when it starts, as it does with what an older version wrote.
pub fn fill(file: &Path, count: u64) -> Result<()> {
    let db = Connection::open(file)?;
    // It is not the making that is measured.
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA temp_store = FILE;")?;
    let indices = texts(
        &db,
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'message' AND sql IS NOT NULL",
    )?;
    let names = texts(
        &db,
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'message' AND sql IS NOT NULL",
    )?;
    let columns = texts(&db, "SELECT name FROM pragma_table_info('message')")?;
    let known: i64 = db.query_row("SELECT min(id) FROM message", [], |row| row.get(0))?;
    let accepted = MessageId::from_raw(known).accepted_at();
    let midnight = accepted.utc_day() * 86_400_000;
    let first = MessageId::first_at(tollgate::clock::Timestamp::from_millis(midnight)).raw();
    ensure!(
        first + i64::try_from(count)? < known,
        "too soon after midnight (UTC) for {count} messages before now"
    );
    let values = columns.iter().map(|column| match column.as_str() {
        "id" | "shown" => "?1 + n.k".to_owned(),
        "dst" => "printf('346%012d', abs(random()) % 1000000000000)".to_owned(),
        "posted" | "price" => "0".to_owned(),
        other => format!("m.{other}"),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let drops = names.iter().map(|name| format!("DROP INDEX {name};")).collect::<String>();
    db.execute_batch(&format!("BEGIN; {drops}"))?;
    db.execute(
        &format!(
            "WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n LIMIT ?2)
             INSERT INTO message({}) SELECT {values} FROM n, (SELECT * FROM message WHERE id = ?3) m",
            columns.join(", ")
        ),
        params![first, i64::try_from(count)?, known],
    )
    .context("the history cannot be filled")?;
    pause(Duration::ZERO)?;
    db.execute(
        "INSERT INTO bulk(first, last, listed) VALUES(?1, ?2, 0)",
        [first, first + i64::try_from(count)? - 1],
    )?;
    db.execute_batch(&format!("{}; COMMIT; PRAGMA wal_checkpoint(TRUNCATE);", indices.join(";")))?;
    Ok(())
}

fn texts(db: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut find = db.prepare(sql)?;
    let rows = find.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
