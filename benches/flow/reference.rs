//! What this machine can do at best: SMPP in, one SQLite writer with group commit, answers out. No policy, no checks.
//!
//! The gateway is measured against it in the same run, so that ratios mean the same on every machine. It answers a bind
//! of anyone, inserts each submit_sm into one table and pays for it in another, and answers after the commit.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use rusqlite::{Connection, params};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Submissions of one read of a socket, and where their answers go.
struct Batch {
    items: Vec<(u32, Bytes)>,
    reply: mpsc::Sender<Vec<(u32, i64)>>,
}

/// Serves until it is killed; says `ready ADDRESS` first.
pub fn serve(file: &Path) -> Result<()> {
    let (to_writer, batches) = sync_channel(1_024);
    let db = open(file)?;
    std::thread::spawn(move || write(db, &batches));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        println!("ready {}", listener.local_addr()?);
        loop {
            let (socket, _) = listener.accept().await?;
            tokio::spawn(session(socket, to_writer.clone()));
        }
    })
}

fn open(file: &Path) -> Result<Connection> {
    let db = Connection::open(file)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    db.execute_batch(
        "CREATE TABLE account(id INTEGER PRIMARY KEY, credit INTEGER NOT NULL) STRICT;
         INSERT INTO account VALUES(1, 100000000000);
         CREATE TABLE message(
           id INTEGER PRIMARY KEY, account INTEGER NOT NULL, src TEXT, dst TEXT, body BLOB, dcs INTEGER,
           state INTEGER NOT NULL, upstream INTEGER, upstream_id TEXT, created INTEGER, done INTEGER) STRICT;",
    )
    .context("the reference's tables")?;
    Ok(db)
}

/// The writer: all that waits in one transaction, then the answers.
fn write(mut db: Connection, batches: &Receiver<Batch>) {
    let mut id = 0;
    while let Ok(first) = batches.recv() {
        let mut count = first.items.len();
        let mut waiting = vec![first];
        while count < 4_096
            && let Ok(batch) = batches.try_recv()
        {
            count += batch.items.len();
            waiting.push(batch);
        }
        let answers = insert(&mut db, &waiting, &mut id).expect("the reference writes");
        for (batch, answer) in waiting.iter().zip(answers) {
            let _ = batch.reply.blocking_send(answer);
        }
    }
}

fn insert(db: &mut Connection, waiting: &[Batch], id: &mut i64) -> rusqlite::Result<Vec<Vec<(u32, i64)>>> {
    let mut answers = Vec::with_capacity(waiting.len());
    let first = *id;
    let transaction = db.transaction()?;
    {
        let mut message = transaction.prepare_cached(
            "INSERT INTO message(id, account, src, dst, body, dcs, state, created) VALUES(?, ?, ?, ?, ?, ?, 0, ?)",
        )?;
        for batch in waiting {
            let mut answer = Vec::with_capacity(batch.items.len());
            for (sequence, body) in &batch.items {
                *id += 1;
                let Submit { source, destination, text, coding } = fields(body);
                let now = 1_763_650_000_000_i64;
                message.execute(params![*id, 1, source, destination, text, coding, now])?;
                answer.push((*sequence, *id));
            }
            answers.push(answer);
        }
        let paid = *id - first;
        transaction
            .prepare_cached("UPDATE account SET credit = credit - ? WHERE id = 1 AND credit >= ?")?
            .execute(params![paid, paid])?;
    }
    transaction.commit()?;
    Ok(answers)
}

struct Submit<'a> {
    source: &'a str,
    destination: &'a str,
    text: &'a [u8],
    coding: u8,
}

/// The fields of a submit_sm (SMPP 3.4 §4.4.1), from a client that is trusted to write them well.
fn fields(body: &[u8]) -> Submit<'_> {
    let mut at = 0;
    let mut c_octets = |skip: usize| {
        at += skip;
        let start = at;
        at += body[start..].iter().position(|octet| *octet == 0).unwrap_or(0);
        at += 1;
        &body[start..at - 1]
    };
    let word = |octets| std::str::from_utf8(octets).unwrap_or_default();
    c_octets(0);
    let source = word(c_octets(2));
    let destination = word(c_octets(2));
    c_octets(3);
    c_octets(0);
    let (coding, length) = (body[at + 2], usize::from(body[at + 4]));
    Submit { source, destination, text: &body[at + 5..at + 5 + length], coding }
}

async fn session(socket: TcpStream, to_writer: SyncSender<Batch>) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let (mut input, output) = socket.into_split();
    let (reply, answers) = mpsc::channel(64);
    let (other, others) = mpsc::channel(16);
    tokio::spawn(answer(output, answers, others));
    let mut buffer = BytesMut::with_capacity(256 * 1024);
    while let Some((items, rest)) = read(&mut input, &mut buffer).await {
        if !rest.is_empty() && other.send(rest).await.is_err() {
            return;
        }
        if items.is_empty() {
            continue;
        }
        let mut batch = Batch { items, reply: reply.clone() };
        loop {
            match to_writer.try_send(batch) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => batch = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

/// What one read brought: submissions, and answers to everything else.
async fn read(input: &mut OwnedReadHalf, buffer: &mut BytesMut) -> Option<(Vec<(u32, Bytes)>, BytesMut)> {
    if buffer.capacity() - buffer.len() < 65_536 {
        buffer.reserve(256 * 1024);
    }
    if input.read_buf(buffer).await.unwrap_or(0) == 0 {
        return None;
    }
    let (mut items, mut rest) = (Vec::new(), BytesMut::new());
    while buffer.len() >= 16 {
        let length = (&buffer[..4]).get_u32() as usize;
        if buffer.len() < length.max(16) {
            break;
        }
        let mut pdu = buffer.split_to(length).freeze();
        let (command, sequence) = ((&pdu[4..8]).get_u32(), (&pdu[12..16]).get_u32());
        pdu.advance(16);
        if command == SUBMIT_SM {
            items.push((sequence, pdu));
            continue;
        }
        let name: &[u8] = if BINDS.contains(&command) { b"reference\0" } else { b"" };
        put(&mut rest, command, sequence, name);
    }
    Some((items, rest))
}

async fn answer(
    mut output: OwnedWriteHalf,
    mut answers: mpsc::Receiver<Vec<(u32, i64)>>,
    mut others: mpsc::Receiver<BytesMut>,
) {
    let mut out = BytesMut::with_capacity(65_536);
    loop {
        out.clear();
        tokio::select! {
            Some(answered) = answers.recv() => for (sequence, id) in answered {
                let mut id = id.to_string().into_bytes();
                id.push(0);
                put(&mut out, SUBMIT_SM, sequence, &id);
            },
            Some(other) = others.recv() => out.put_slice(&other),
            else => return,
        }
        if output.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// A response with ESME_ROK.
fn put(out: &mut BytesMut, command: u32, sequence: u32, body: &[u8]) {
    out.put_u32(16 + body.len() as u32);
    out.put_u32(command | 0x8000_0000);
    out.put_u32(0);
    out.put_u32(sequence);
    out.put_slice(body);
}

const SUBMIT_SM: u32 = 4;
const BINDS: [u32; 3] = [1, 2, 9];
