//! The command line's side: asks the running daemon, or does the same on the store itself when none runs.

use std::io;
use std::path::{Path, PathBuf};
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

/// Asks once.
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
    let mut reached = reach(settings, store, clock, makes_store).await?;
    let outcome = reached.ask(request).await;
    reached.leave().await;
    outcome
}

/// Whoever answers: the daemon, or the store itself when none runs.
pub struct Reached {
    socket: PathBuf,
    by: By,
}

enum By {
    Daemon(BufReader<UnixStream>),
    Store(Store),
}

/// Reaches the daemon or, when none runs, opens the store; `makes_store` where there is none yet.
///
/// # Errors
/// When neither can be reached.
pub async fn reach(
    settings: &Settings,
    store: &store::Settings,
    clock: Clock,
    makes_store: bool,
) -> Result<Reached, ClientError> {
    let mut attempt = 1;
    let socket = settings.socket.clone();
    loop {
        let silence = match UnixStream::connect(&settings.socket).await {
            Ok(stream) => return Ok(Reached { socket, by: By::Daemon(BufReader::new(stream)) }),
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => return Err(silent(&socket, &why)),
            Err(why) => why,
        };
        if !makes_store && !store.path.exists() {
            return Err(ClientError::NoStore(store.path.clone()));
        }
        match Store::open(store.clone(), clock.clone()) {
            Ok(store) => return Ok(Reached { socket, by: By::Store(store) }),
            Err(StoreError::Held(_)) if attempt < ATTEMPTS => tokio::time::sleep(AGAIN).await,
            Err(StoreError::Held(_)) => return Err(silent(&socket, &silence)),
            Err(other) => return Err(other.into()),
        }
        attempt += 1;
    }
}

impl Reached {
    /// The store, when no daemon has it.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        match &self.by {
            By::Daemon(_) => None,
            By::Store(store) => Some(store),
        }
    }

    /// Asks; may be done again and again.
    ///
    /// # Errors
    /// When it is refused, or the daemon has gone.
    pub async fn ask(&mut self, request: Request) -> Result<Answer, ClientError> {
        match &mut self.by {
            By::Store(store) => Ok(perform(store, request).await?),
            By::Daemon(stream) => match over(stream, &request).await {
                Ok(answer) => Ok(answer?),
                Err(why) => Err(silent(&self.socket, &why)),
            },
        }
    }

    /// Closes what was opened.
    pub async fn leave(self) {
        if let By::Store(store) = self.by {
            store.close().await;
        }
    }
}

fn silent(socket: &Path, why: &io::Error) -> ClientError {
    ClientError::Silent { socket: socket.to_path_buf(), why: why.to_string() }
}

async fn over(stream: &mut BufReader<UnixStream>, request: &Request) -> io::Result<Result<Answer, Refused>> {
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut line = Vec::new();
    let mut read = stream.take(MAX_ANSWER);
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
