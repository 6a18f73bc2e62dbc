//! Files of every older version become ones of today.

use super::*;

#[test]
fn a_file_from_a_newer_tollgate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    drop(open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(open(&path), Err(StoreError::TooNew { found: 99, .. })));
}

/// A file as version 1 made it, with something in it, becomes one of today: nothing in it changes.
#[test]
fn a_file_of_version_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../fixtures/store/version_1.sql")).unwrap();
    drop(old);
    let db = open(&path).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), STEPS.len() as i64);
    assert_eq!(
        (number("SELECT count(*) FROM message"), number("SELECT sum(available) FROM account")),
        (1, 98)
    );
    assert_eq!((number("SELECT count(*) FROM inbound"), number("SELECT count(*) FROM mo_part")), (1, 0));
}

#[test]
fn a_file_of_version_2_becomes_one_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(include_str!("../../../fixtures/store/version_2.sql"))
        .unwrap();
    for _ in 0..2 {
        let db = open(&path).unwrap();
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, STEPS.len() as i64);
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT shown FROM message WHERE state = 11"), 911_947_214_123_696_128);
        assert_eq!(count("SELECT available + held FROM account"), 999_000_000);
        assert_eq!(count("SELECT count(*) FROM short_id"), 0);
        assert_eq!(count("SELECT count(shown) FROM inbound"), 0);
    }
}

#[test]
fn a_file_of_version_3_becomes_one_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../fixtures/store/version_3.sql")).unwrap();
    drop(old);
    let db = open(&path).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), STEPS.len() as i64);
    assert_eq!(number("SELECT count(*) FROM message WHERE state = 11 AND owed = 4"), 3);
    assert_eq!(number("SELECT available FROM account WHERE name = 'bench'"), 999_955_415_000_000);
    assert_eq!(number("SELECT count(*) FROM journal"), 0);
}

/// Prices, routes and messages from phones go on as they were, under the same numbers.
#[test]
fn a_file_of_version_4_becomes_one_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../fixtures/store/version_4.sql")).unwrap();
    drop(old);
    for _ in 0..2 {
        let db = open(&path).unwrap();
        let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), STEPS.len() as i64);
        let bodies = |kind| {
            let mut find = db.prepare("SELECT body FROM policy_part WHERE kind = ?1 ORDER BY place").unwrap();
            let rows = find.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
            rows.collect::<Result<Vec<_>, _>>().unwrap()
        };
        assert_eq!(
            bodies(part::PRICE),
            [r#"{"prefix":"","credits":"1.500000"}"#, r#"{"prefix":"346","credits":"0.000001"}"#]
        );
        assert_eq!(
            bodies(part::ROUTE),
            [
                r#"{"name":"spain","prefixes":["34"],"upstreams":["north","south"]}"#,
                r#"{"name":"everywhere","prefixes":[""],"upstreams":["south"]}"#
            ]
        );
        assert_eq!(bodies(part::ROUTE_NAME), [r#""spain""#, r#""everywhere""#]);
        assert_eq!(bodies(part::MO_ROUTE), [r#"{"prefixes":["22000"],"account":"acme"}"#]);
        assert_eq!(number("SELECT count(*) FROM sqlite_master WHERE name IN ('price', 'route')"), 0);
        assert_eq!(number("SELECT receiver FROM inbound WHERE owed = 1"), 0);
        assert_eq!(number("SELECT count(*) FROM journal"), 1, "what flew still flies");
        assert_eq!(number("SELECT available + held FROM account"), 100_000_000);
    }
}

/// Such a number was listed, and met no destination.
#[test]
fn numbers_on_lists_lose_the_00_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.db");
    let db = open(&path).unwrap();
    let list = "INSERT INTO listed_number(owner, number, at, why) VALUES
        (0, 10034600123002, 5, 'old'), (7, 10034600123002, 6, 'both'), (7, 134600123002, 7, 'same'),
        (7, 1044600, 8, 'one zero')";
    db.execute_batch(&format!("{list}; PRAGMA user_version = 7")).unwrap();
    drop(db);
    let db = open(&path).unwrap();
    let mut find = db.prepare("SELECT owner, number, at FROM listed_number ORDER BY owner, number").unwrap();
    let rows = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let rows: Vec<(i64, i64, i64)> = rows.collect::<Result<_, _>>().unwrap();
    assert_eq!(rows, [(0, 134_600_123_002, 5), (7, 1_044_600, 8), (7, 134_600_123_002, 7)]);
}

#[test]
fn entries_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("gate.db")).unwrap();
    db.execute_batch(
        "INSERT INTO account(name, origin, suspended, terms) VALUES('a', 'file', 0, '{}');
         INSERT INTO entry(account, at, kind, amount, note) VALUES(1, 0, 'grant', 5, '');",
    )
    .unwrap();
    assert!(db.execute("UPDATE entry SET amount = 6", []).is_err());
    assert!(db.execute("DELETE FROM entry", []).is_err());
}

#[test]
fn addresses_keep_every_octet() {
    assert_eq!(text_of(b"34600"), "34600");
    let text = text_of(&[0x43, 0xE9, 0x00]);
    assert_eq!(text.chars().map(|c| c as u32).collect::<Vec<_>>(), [0x43, 0xE9, 0x00]);
}
