//! The command line's side: asks the running daemon, or does the same on the store itself when none runs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::request::{Answer, Refused, Request};
use super::{Settings, perform};
use crate::clock::Clock;
use crate::store::{self, Store, StoreError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It was asked and refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no store.
    #[error("there is no store at {}: start the daemon once, or create an account", .0.display())]
    NoStore(PathBuf),
    /// The daemon has the store and does not answer.
    #[error("the daemon that has the store does not answer on {socket}: {why}")]
    Silent {
        /// Where it was asked.
        socket: PathBuf,
        /// What happened.
        why: String,
    },
}

/// How often and for how long a store that another one holds is asked for: it may be another command, or a daemon that
/// is starting or ending.
const AGAIN: Duration = Duration::from_millis(100);
const ATTEMPTS: u32 = 50;
/// How long an answer may take; a backup or an audit of a large store is slow.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Octets of an answer.
const MAX_ANSWER: u64 = 256 << 20;

/// Asks.
///
/// # Errors
/// When the daemon refuses, or neither daemon nor store can be reached.
pub async fn ask(
    settings: &Settings,
    store: &store::Settings,
    clock: Clock,
    request: Request,
) -> Result<Answer, ClientError> {
    let makes_store = matches!(request, Request::AccountCreate(_));
    let mut attempt = 1;
    loop {
        let silence = match UnixStream::connect(&settings.socket).await {
            Ok(stream) => match over(stream, &request).await {
                Ok(answer) => return Ok(answer?),
                Err(why) => return Err(silent(settings, &why)),
            },
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => return Err(silent(settings, &why)),
            Err(why) => why,
        };
        if !makes_store && !store.path.exists() {
            return Err(ClientError::NoStore(store.path.clone()));
        }
        match Store::open(store.clone(), clock.clone()) {
            Ok(store) => {
                let outcome = perform(&store, request).await;
                store.close().await;
                return Ok(outcome?);
            }
            Err(StoreError::Held(_)) if attempt < ATTEMPTS => tokio::time::sleep(AGAIN).await,
            Err(StoreError::Held(_)) => return Err(silent(settings, &silence)),
            Err(other) => return Err(other.into()),
        }
        attempt += 1;
    }
}

fn silent(settings: &Settings, why: &io::Error) -> ClientError {
    ClientError::Silent { socket: settings.socket.clone(), why: why.to_string() }
}

async fn over(stream: UnixStream, request: &Request) -> io::Result<Result<Answer, Refused>> {
    let (read, mut write) = stream.into_split();
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    let mut line = Vec::new();
    let mut read = BufReader::new(read).take(MAX_ANSWER);
    timeout(PATIENCE, read.read_until(b'\n', &mut line)).await.map_err(io::Error::other)??;
    if !line.ends_with(b"\n") {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
    }
    let mut answer: Value = serde_json::from_slice(&line)?;
    if answer["ok"] == Value::Bool(true) {
        return Ok(Ok(serde_json::from_value(answer["answer"].take())?));
    }
    Ok(Err(serde_json::from_value(serde_json::json!({
        "reason": answer["reason"].take(), "text": answer["text"].take(),
    }))?))
}
