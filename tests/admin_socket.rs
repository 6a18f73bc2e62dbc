//! The daemon's side of administration: the socket, who may use it, what it says to nonsense; health and metrics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tollgate::admin::{self, Answer, ClientError, Daemon, NewAccount, Request, Running, Settings};
use tollgate::clock::{Clock, Timestamp};
use tollgate::store::{self, Store};

/// A daemon that is ready when the test says so.
#[derive(Default)]
struct Pretended {
    ready: AtomicBool,
}

impl Daemon for Pretended {
    fn status(&self) -> Value {
        json!({"binds": 7})
    }

    fn not_ready(&self) -> Vec<String> {
        if self.ready.load(Ordering::Relaxed) { Vec::new() } else { vec!["no listener is open".to_owned()] }
    }
}

struct Office {
    folder: tempfile::TempDir,
    settings: Settings,
    daemon: Arc<Pretended>,
    store: Store,
    running: Running,
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            socket: folder.path().join("gate.db.sock"),
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        };
        let store = Store::open(store::Settings::at(folder.path().join("gate.db")), clock()).unwrap();
        let daemon = Arc::new(Pretended::default());
        let counted = Counter::<u64>::default();
        counted.inc_by(3);
        let mut registry = Registry::default();
        registry.register("tollgate_tries", "Tries", counted);
        let running =
            admin::start(&settings, store.clone(), Arc::clone(&daemon) as _, Arc::new(registry)).unwrap();
        Self { folder, settings, daemon, store, running }
    }

    async fn ask(&self, request: Request) -> Result<Answer, ClientError> {
        admin::ask(&self.settings, &store::Settings::at(self.path("gate.db")), clock(), request).await
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_763_650_000_000))
}

fn new_account(name: &str, credit: &str) -> Request {
    Request::AccountCreate(NewAccount {
        name: name.to_owned(),
        opening_credit: credit.parse().unwrap(),
        password: Some("secret".to_owned()),
        ..NewAccount::default()
    })
}

async fn say(socket: &Path, lines: &str) -> Vec<Value> {
    let (read, mut write) = UnixStream::connect(socket).await.unwrap().into_split();
    write.write_all(lines.as_bytes()).await.unwrap();
    write.shutdown().await.unwrap();
    let mut answers = Vec::new();
    let mut read = BufReader::new(read).lines();
    while let Some(line) = read.next_line().await.unwrap() {
        answers.push(serde_json::from_str(&line).unwrap());
    }
    answers
}

async fn page(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn requests_are_answered_line_by_line_and_only_to_the_owner() {
    let office = Office::open();
    let mode = std::fs::metadata(&office.settings.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let answers = say(
        &office.settings.socket,
        "{\"do\":\"account_create\",\"name\":\"acme\",\"password\":\"x\",\"opening_credit\":\"2.5\"}\n\
         {\"do\":\"credit_show\",\"account\":\"acme\",\"entries\":0}\n\
         {\"do\":\"status\"}\n",
    )
    .await;
    assert_eq!(answers[0]["answer"]["created"]["system_id"], "acme");
    assert_eq!(
        answers[1],
        json!({"ok": true, "answer": {"credit": {"account": "acme", "available": "2.5", "held": "0"}}})
    );
    assert_eq!(answers[2], json!({"ok": true, "answer": {"status": {"binds": 7}}}));
    assert!(office.store.policy().credential("acme").is_some(), "sessions see it at once");
}

#[tokio::test]
async fn nonsense_is_answered_and_changes_nothing() {
    let office = Office::open();
    let answers = say(
        &office.settings.socket,
        "hello\n{\"do\":\"explode\"}\n{\"do\":\"account_show\",\"name\":\"x\",\"more\":1}\n\
         {\"do\":\"account_show\",\"name\":\"nobody\"}\n",
    )
    .await;
    let reasons: Vec<_> = answers.iter().map(|answer| answer["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["bad_request", "bad_request", "bad_request", "unknown"]);
    let endless = "x".repeat(70_000) + "\n";
    assert_eq!(say(&office.settings.socket, &endless).await[0]["ok"], false, "a request has a bound");
    assert!(matches!(office.ask(Request::AccountList).await, Ok(Answer::Accounts(list)) if list.is_empty()));
}

#[tokio::test]
async fn the_client_asks_the_daemon_while_it_runs_and_the_store_when_it_is_gone() {
    let office = Office::open();
    assert!(matches!(office.ask(new_account("acme", "10")).await, Ok(Answer::Created(_))));
    let Ok(Answer::Status(_)) = office.ask(Request::Status).await else { panic!("the daemon answers") };

    let Office { folder, settings, store, running, .. } = office;
    store.close().await;
    running.drain().await;
    assert!(!settings.socket.exists());
    let at = store::Settings::at(folder.path().join("gate.db"));
    let add =
        Request::CreditAdd { account: "acme".to_owned(), amount: "1".parse().unwrap(), note: String::new() };
    let Ok(Answer::Credit(line)) = admin::ask(&settings, &at, clock(), add).await else {
        panic!("the store")
    };
    assert_eq!(line.available, "11".parse().unwrap());
    let gone = admin::ask(&settings, &at, clock(), Request::Status).await;
    assert!(matches!(gone, Err(ClientError::Refused(refused)) if refused.reason == "no_daemon"));
}

#[tokio::test]
async fn many_who_make_the_same_account_make_it_once() {
    let office = Office::open();
    let line = format!("{}\n", serde_json::to_string(&new_account("acme", "5")).unwrap());
    let asked = (0..8).map(|_| {
        let (socket, line) = (office.settings.socket.clone(), line.clone());
        tokio::spawn(async move { say(&socket, &line).await })
    });
    let mut made = 0;
    for answer in asked.collect::<Vec<_>>() {
        made += usize::from(answer.await.unwrap()[0]["ok"] == true);
    }
    assert_eq!(made, 1);
    let Ok(Answer::Audit(lines)) = office.ask(Request::Audit).await else { panic!("an audit") };
    assert!(lines.iter().all(|line| line.holds), "{lines:?}");
}

#[tokio::test]
async fn a_socket_that_was_left_is_replaced_and_a_file_is_not() {
    let office = Office::open();
    let store = office.store.clone();
    let again =
        || admin::start(&office.settings, store.clone(), Arc::clone(&office.daemon) as _, Arc::default());
    let second = again().unwrap();
    assert_eq!(say(&office.settings.socket, "{\"do\":\"status\"}\n").await[0]["ok"], true);
    drop(second);
    std::fs::remove_file(&office.settings.socket).unwrap();
    std::fs::write(&office.settings.socket, "somebody's file").unwrap();
    let told = again().err().unwrap().to_string();
    assert!(told.ends_with("there is a file that is no socket"), "{told}");
    assert_eq!(std::fs::read(&office.settings.socket).unwrap(), b"somebody's file");
}

#[tokio::test]
async fn health_readiness_and_metrics_are_pages() {
    let office = Office::open();
    let [address] = *office.running.addresses() else { panic!("one address") };
    assert!(page(address, "/healthz").await.starts_with("HTTP/1.1 200 "));
    let not = page(address, "/readyz").await;
    assert!(not.starts_with("HTTP/1.1 503 ") && not.ends_with("no listener is open\n"), "{not}");
    office.daemon.ready.store(true, Ordering::Relaxed);
    assert!(page(address, "/readyz").await.starts_with("HTTP/1.1 200 "));
    let metrics = page(address, "/metrics").await;
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.contains("tollgate_tries_total 3\n") && metrics.contains("# EOF"), "{metrics}");
    assert!(page(address, "/other").await.starts_with("HTTP/1.1 404 "));
}
