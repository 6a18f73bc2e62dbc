//! A changed configuration while the gateway runs: sessions stay, no answer is lost, what is wrong changes nothing, and
//! only what changed is written.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::sync::Mutex;

use smpp_proto::{Body, CommandStatus};

use support::{Esme, Folder, House, PATIENCE, Process, submit, until};
use tollgate::clock::{Clock, Timestamp};
use tollgate::config;
use tollgate::store::{Settings, Store};

fn accounts(acme_per_day: u64, other: &str) -> String {
    format!(
        "[[account]]\nname = \"acme\"\nopening_credit = \"1000\"\n[account.filters]\nmax_per_day = {acme_per_day}\n\
         [[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n\
         [[account]]\nname = \"other\"\nopening_credit = \"1000\"\n[[account.smpp]]\nsystem_id = \"other\"\n\
         password = \"secret\"\n{other}"
    )
}

/// Submits so many without waiting between them, and gives how many were accepted; each must be answered.
async fn flood(esme: &mut Esme, count: usize) -> usize {
    let mut accepted = 0;
    for wave in 0..count / 50 {
        let mut sequences = Vec::new();
        for n in 0..50 {
            let text = format!("message {wave} {n}");
            sequences.push(esme.send(Body::SubmitSm(submit("34600111222", &text))).await);
        }
        for sequence in sequences {
            let status = esme.expect_answer(sequence).await.header.status;
            assert!([CommandStatus::ROK, CommandStatus::RSUBMITFAIL].contains(&status), "{status}");
            accepted += usize::from(status == CommandStatus::ROK);
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_during_traffic_stops_no_session_and_loses_no_answer() {
    let mut house = House::open(&accounts(100_000, "")).await;
    let mut acme = house.bound("acme").await;
    let mut other = house.bound("other").await;
    let reloads = async {
        for round in 0..10 {
            house.reload(&accounts(100_000 - round, &format!("max_binds = {}\n", 3 + round))).await;
        }
        house.reload(&accounts(10, "window = 50\n")).await;
    };
    let (by_acme, by_other, ()) = tokio::join!(flood(&mut acme, 500), flood(&mut other, 500), reloads);
    assert_eq!(by_other, 500);
    // The last policy holds for who was bound all the time.
    let more = flood(&mut acme, 50).await;
    assert!(by_acme >= 10 && more == 0, "{by_acme} and {more}");
    let held = |accepted: usize| ((1_000 - accepted).to_string(), accepted.to_string());
    assert_eq!(house.books("acme"), held(by_acme));
    assert_eq!(house.books("other"), held(500));
    acme.unbind().await;
    other.unbind().await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_says_what_it_took_of_operators_and_what_takes_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        let file = folder.path().join("tollgate.toml");
        std::fs::write(&file, text).unwrap();
        config::load(&file, &|_| None).unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    let upstream = |name: &str, keys: &str| {
        format!(
            "[[upstream]]\nname = \"{name}\"\naddress = \"127.0.0.1:9\"\nsystem_id = \"gate\"\npassword = \"secret\"\n\
             {keys}\n"
        )
    };
    let (north, south) = (upstream("north", "throughput = \"10/s\""), upstream("south", ""));
    let credential =
        "[[account]]\nname = \"acme\"\n[[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n";
    let first = format!("{DAEMON}{north}{south}{credential}");
    let mut gate = tollgate::Gate::start(read(&first), Clock::system()).await.unwrap();
    let told = gate.reload(read(&first)).await.unwrap();
    assert_eq!((told.operators_shown().as_str(), told.takes_restart.len()), ("", 0), "nothing was changed");

    let (north, west) = (upstream("north", "throughput = \"20/s\""), upstream("west", "window = 7"));
    let outbind = "outbind = { address = \"127.0.0.1:9\", system_id = \"\", password = \"\" }\n";
    let other = DAEMON
        .replace(
            "[smpp]\nlisten = [\"127.0.0.1:0\"]",
            "[smpp]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\nmax_connections = 5\nbind_rate = \"off\"",
        )
        .replace("gate.db\"", "gate.db\"\njoin_within = \"2h\"\nretention_days = 3");
    let later = format!(
        "{other}{north}{west}[delivery]\nfailover_after = \"1m\"\n[log]\nfilter = \"warn\"\n{credential}{outbind}"
    );
    let told = gate.reload(read(&later)).await.unwrap();
    assert_eq!(told.operators_shown(), "north: throughput changed; south: left; west: taken");
    assert_eq!(
        told.takes_restart,
        [
            "store.join_within",
            "store.retention_days",
            "smpp.listen",
            "smpp.max_connections",
            "smpp.bind_rate",
            "delivery.failover_after",
            "log.filter",
            "account.smpp.outbind of acme"
        ]
    );

    // What is not taken is told every time; what was taken only once.
    let again = gate.reload(read(&later.replace("window = 7", "window = 8"))).await.unwrap();
    assert_eq!(again.operators_shown(), "west: window changed, bound anew");
    assert_eq!(again.takes_restart, told.takes_restart);
    let back = gate.reload(read(&first)).await.unwrap();
    assert_eq!(back.takes_restart, Vec::<String>::new());
    assert_eq!(back.operators_shown(), "north: throughput changed; west: left; south: taken");
    gate.drain().await;
}

const DAEMON: &str =
    "[store]\npath = \"gate.db\"\n[smpp]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = []\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_on_hangup_changes_nothing_and_says_every_reason() {
    let folder = Folder::new();
    let good = format!("{DAEMON}{}", accounts(100, ""));
    folder.configure(&good);
    let mut daemon = Process::serve(&folder);
    let address = daemon.ready().await;
    let log = || std::fs::read_to_string(folder.path("serve.log")).unwrap_or_default();
    folder.configure(&good.replace("max_per_day = 100", "max_per_dya = 5\nmax_per_month = \"many\""));
    daemon.signal("HUP");
    until("the log says what is wrong", PATIENCE, || {
        let log = log();
        log.contains("unknown key \\\"max_per_dya\\\"") || log.contains("unknown key \"max_per_dya\"")
    })
    .await;
    let log_now = log();
    for word in ["tollgate.toml:11:1: ", "did you mean", "tollgate.toml:12:17: ", "nothing was changed"] {
        assert!(log_now.contains(word), "{word} in {log_now}");
    }
    let mut esme = Esme::bound(address, "acme", "secret").await;
    // There is no route: filters are asked first, and none objects.
    let (status, _) = esme.try_submit(submit("34600111222", "hello")).await;
    assert_eq!(status, CommandStatus::RINVDSTADR);

    folder.configure(&good.replace("max_per_day = 100", "max_per_day = 0"));
    daemon.signal("HUP");
    until("the log says that it was applied", PATIENCE, || log().contains("read again and applied")).await;
    let (status, _) = esme.try_submit(submit("34600111222", "hello")).await;
    assert_eq!(status, CommandStatus::RSUBMITFAIL);
    esme.unbind().await;
    daemon.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_accounts_only_the_one_that_changed_is_written() {
    const COUNT: usize = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.toml");
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
    let text = |most: u64| {
        let mut text = DAEMON.to_owned();
        for n in 0..COUNT {
            let most = if n == 500 { most } else { 7 };
            write!(
                text,
                "[[price]]\nprefix = \"{}\"\ncredits = \"1\"\n[[account]]\nname = \"a{n}\"\n[account.filters]\n\
                 max_per_day = {most}\n[[account.smpp]]\nsystem_id = \"a{n}\"\npassword_hash = \"{hash}\"\n",
                1_000 + n
            )
            .unwrap();
        }
        text
    };
    let clock = Clock::manual(Timestamp::from_millis(1_763_650_000_000));
    let store = Store::open(Settings::at(folder.path().join("gate.db")), clock).unwrap();
    let proofs = Mutex::default();
    let apply = async |most| {
        std::fs::write(&file, text(most)).unwrap();
        let config = config::load(&file, &|_| None).unwrap_or_else(|wrong| panic!("{wrong}"));
        config::apply(&store, &config.policy, &proofs).await.unwrap().changes.len()
    };
    assert_eq!(apply(7).await, 3 * COUNT);
    let db = rusqlite::Connection::open(folder.path().join("gate.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE touched(what TEXT NOT NULL);
         CREATE TRIGGER a AFTER UPDATE ON account BEGIN INSERT INTO touched VALUES('account'); END;
         CREATE TRIGGER c AFTER UPDATE ON credential BEGIN INSERT INTO touched VALUES('credential'); END;
         CREATE TRIGGER p AFTER INSERT ON policy_part BEGIN INSERT INTO touched VALUES('part'); END;
         CREATE TRIGGER q AFTER UPDATE ON policy_part BEGIN INSERT INTO touched VALUES('part'); END;",
    )
    .unwrap();
    let touched = || {
        let mut find = db.prepare("SELECT what FROM touched").unwrap();
        find.query_map([], |row| row.get::<_, String>(0)).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!((apply(7).await, touched()), (0, Vec::new()));
    assert_eq!((apply(8).await, touched()), (1, vec!["account".to_owned()]));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_password_that_stays_is_hashed_once_and_one_that_changes_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tollgate.toml");
    let store = Store::open(Settings::at(folder.path().join("gate.db")), Clock::system()).unwrap();
    let proofs = Mutex::default();
    let apply = async |password: &str| {
        let text = accounts(7, "").replace("password = \"secret\"", &format!("password = \"{password}\""));
        std::fs::write(&file, format!("{DAEMON}{text}")).unwrap();
        let config = config::load(&file, &|_| None).unwrap_or_else(|wrong| panic!("{wrong}"));
        config::apply(&store, &config.policy, &proofs).await.unwrap();
        store.policy().credential("acme").unwrap().password.clone()
    };
    let first = apply("secret").await;
    assert_eq!(apply("secret").await, first);
    let other = apply("other").await;
    assert!(other != first && other.matches(&tollgate::account::Secret::new("other")));
    // What is remembered is of the hash too: the old password does not come back by its memory.
    assert!(apply("secret").await.matches(&tollgate::account::Secret::new("secret")));
    store.close().await;
}
