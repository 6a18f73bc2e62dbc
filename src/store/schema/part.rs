//! Parts of the policy as rows: what a kind holds, in its order, one JSON text a place.
//!
//! A new kind needs no table: it is a word and a type that serde knows.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;

/// What a segment costs: [`crate::policy::Price`].
pub(in crate::store) const PRICE: &str = "price";
/// Networks that prices name: [`crate::policy::Network`].
pub(in crate::store) const NETWORK: &str = "network";
/// Price lists that differ in more than prices: [`crate::policy::PriceList`].
pub(in crate::store) const PRICE_LIST: &str = "price_list";
/// In what currency amounts are shown; one or none: [`crate::policy::Billing`].
pub(in crate::store) const BILLING: &str = "billing";
/// Ways to operators: [`crate::store::RouteDraft`].
pub(in crate::store) const ROUTE: &str = "route";
/// Whose messages from phones are: [`crate::store::MoRouteDraft`].
pub(in crate::store) const MO_ROUTE: &str = "mo_route";
/// Names of routes; the place is the number that messages bear, so it is never given to another name.
pub(in crate::store) const ROUTE_NAME: &str = "route_name";

/// What a kind holds, in the order of its places.
///
/// # Errors
/// When the table cannot be read, or holds what this version cannot read.
pub(in crate::store) fn read<T: DeserializeOwned>(db: &Connection, kind: &str) -> Result<Vec<T>, StoreError> {
    Ok(read_placed(db, kind)?.into_iter().map(|(_, thing)| thing).collect())
}

/// The same, each with its place.
///
/// # Errors
/// As [`read`].
pub(in crate::store) fn read_placed<T: DeserializeOwned>(
    db: &Connection,
    kind: &str,
) -> Result<Vec<(u32, T)>, StoreError> {
    let mut find = db.prepare("SELECT place, body FROM policy_part WHERE kind = ?1 ORDER BY place")?;
    let mut rows = find.query([kind])?;
    let mut things = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?;
        let text = body.as_str().map_err(|e| StoreError::Failed(e.to_string()))?;
        let thing = serde_json::from_str(text)
            .map_err(|e| StoreError::Failed(format!("a stored {kind} cannot be read: {e}")))?;
        things.push((row.get(0)?, thing));
    }
    Ok(things)
}

/// Makes `things` all that a kind holds; answers how many rows that changed. Rows that say the same already are not
/// written, so that a reload without changes costs no page.
///
/// # Errors
/// When the table cannot be written.
pub(in crate::store) fn write<T: Serialize>(
    db: &Connection,
    kind: &str,
    things: &[T],
) -> Result<usize, StoreError> {
    let mut put = db.prepare(PUT)?;
    let mut changed = 0;
    for (place, thing) in (0_u32..).zip(things) {
        changed += put.execute(params![kind, place, json(thing)?])?;
    }
    let beyond = i64::try_from(things.len()).unwrap_or(i64::MAX);
    changed +=
        db.execute("DELETE FROM policy_part WHERE kind = ?1 AND place >= ?2", params![kind, beyond])?;
    Ok(changed)
}

/// The place at which a kind holds this very thing, behind all others if it is new: a number that is kept for good.
///
/// # Errors
/// When the table cannot be written.
pub(in crate::store) fn place_of<T: Serialize>(
    db: &Connection,
    kind: &str,
    thing: &T,
) -> Result<u32, StoreError> {
    let body = json(thing)?;
    let mut find = db.prepare_cached("SELECT place FROM policy_part WHERE kind = ?1 AND body = ?2")?;
    if let Some(place) = find.query_row(params![kind, body], |row| row.get(0)).optional()? {
        return Ok(place);
    }
    let mut add = db.prepare_cached(
        "INSERT INTO policy_part(kind, place, body)
           SELECT ?1, coalesce(max(place) + 1, 0), ?2 FROM policy_part WHERE kind = ?1 RETURNING place",
    )?;
    Ok(add.query_row(params![kind, body], |row| row.get(0))?)
}

fn json<T: Serialize>(thing: &T) -> Result<String, StoreError> {
    serde_json::to_string(thing).map_err(|e| StoreError::Failed(e.to_string()))
}

const PUT: &str = "INSERT INTO policy_part(kind, place, body) VALUES(?1, ?2, ?3)
  ON CONFLICT(kind, place) DO UPDATE SET body = excluded.body WHERE body <> excluded.body";

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::store::schema::open(&folder.path().join("gate.db")).unwrap();
        (folder, db)
    }

    #[test]
    fn only_what_changed_is_written() {
        let (_folder, db) = opened();
        assert_eq!(write(&db, "rule", &["a", "b", "c"]).unwrap(), 3);
        assert_eq!(write(&db, "rule", &["a", "b", "c"]).unwrap(), 0);
        assert_eq!(write(&db, "rule", &["a", "x"]).unwrap(), 2, "one changed, one gone");
        assert_eq!(read::<String>(&db, "rule").unwrap(), ["a", "x"]);
        assert_eq!(write(&db, "other", &[1]).unwrap(), 1);
        assert_eq!(read::<String>(&db, "rule").unwrap().len(), 2, "kinds are apart");
        assert!(read::<u32>(&db, "rule").is_err(), "what cannot be read is told");
    }

    #[test]
    fn a_name_keeps_its_number_for_good() {
        let (_folder, db) = opened();
        let number = |name: &str| place_of(&db, ROUTE_NAME, &name).unwrap();
        assert_eq!([number("north"), number("south"), number("north")], [0, 1, 0]);
        assert_eq!(
            read_placed::<String>(&db, ROUTE_NAME).unwrap(),
            [(0, "north".to_owned()), (1, "south".to_owned())]
        );
    }
}
