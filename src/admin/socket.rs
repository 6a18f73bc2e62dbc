//! The Unix socket of the daemon: one JSON request a line, one JSON answer a line. Only its own user may connect.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::request::{Refused, Request};
use super::{Answer, Daemon, perform};
use crate::store::Store;

/// Octets of a request: ten thousand numbers for a list.
const MAX_REQUEST: u64 = 320 * 1024;
/// Connections that are answered at once; others wait in the system's queue.
const MAX_CONNECTIONS: usize = 16;
/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the socket. It gets its name only when nobody else may use it any more.
pub(super) fn open(path: &Path) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        _ => {}
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

/// Answers until it is told to stop, and then what was asked before.
pub(super) async fn serve(
    listener: UnixListener,
    store: Store,
    daemon: Arc<dyn Daemon>,
    mut stopping: watch::Receiver<bool>,
) {
    let office = Arc::new(Office { store, daemon, one_change: Mutex::new(()) });
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut visits = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
            Some(_) = visits.join_next() => continue,
        };
        match accepted {
            Ok((stream, place)) => {
                let (office, stopping) = (Arc::clone(&office), stopping.clone());
                visits.spawn(async move {
                    office.visit(stream, stopping).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin socket cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    while visits.join_next().await.is_some() {}
}

async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// What all visits share.
struct Office {
    store: Store,
    daemon: Arc<dyn Daemon>,
    /// Changes look before they act; one at a time.
    one_change: Mutex<()>,
}

impl Office {
    /// One connection: requests one after the other.
    async fn visit(&self, stream: UnixStream, mut stopping: watch::Receiver<bool>) {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut read).take(MAX_REQUEST);
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                came = timeout(PATIENCE, limited.read_until(b'\n', &mut line)) => {
                    if !matches!(came, Ok(Ok(1..))) {
                        return;
                    }
                }
            }
            let answer = self.answer(&line).await;
            let mut text = match &answer {
                Ok(answer) => json!({"ok": true, "answer": answer}),
                Err(refused) => json!({"ok": false, "reason": refused.reason, "text": refused.text}),
            }
            .to_string();
            text.push('\n');
            let written = timeout(PATIENCE, write.write_all(text.as_bytes())).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
            if !line.ends_with(b"\n") {
                // It was too long, or the last. To close on octets that nobody read would take the answer back.
                let mut rest = read.take(MAX_REQUEST);
                let _ =
                    timeout(Duration::from_secs(1), tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
                return;
            }
        }
    }

    async fn answer(&self, line: &[u8]) -> Result<Answer, Refused> {
        let request: Request = serde_json::from_slice(line)
            .map_err(|why| Refused::because("bad_request", format!("the request cannot be read: {why}")))?;
        match request {
            Request::Status => Ok(Answer::Status(self.daemon.status())),
            Request::Explain(_) => {
                let mut answer = perform(&self.store, request).await?;
                if let Answer::Explained(told) = &mut answer {
                    told.look_up_operators(&self.daemon.status());
                }
                Ok(answer)
            }
            Request::Reload { file } => self.daemon.reload(file).await.map(Answer::Changed),
            Request::AccountCreate(_) | Request::AccountSuspend { .. } | Request::AccountResume { .. } => {
                let _one = self.one_change.lock().await;
                perform(&self.store, request).await
            }
            other => perform(&self.store, other).await,
        }
    }
}
