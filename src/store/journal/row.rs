//! A row of `message` as memory holds it.

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Statement, params};
use smpp_proto::field::COctets;

use crate::account::{AccountId, CredentialId, Credits};
use crate::clock::Timestamp;
use crate::message::{MessageId, State, UpstreamId};
use crate::store::StoreError;
use crate::store::schema::text_of;

/// A message of one part that nothing special has happened to, with all that the tables say of it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Row {
    pub(in crate::store) id: MessageId,
    pub(in crate::store) account: AccountId,
    pub(in crate::store) credential: CredentialId,
    pub(in crate::store) source: COctets,
    pub(in crate::store) destination: COctets,
    pub(in crate::store) pdu: Bytes,
    /// registered_delivery (SMPP 3.4 §5.2.17).
    pub(in crate::store) wish: u8,
    pub(in crate::store) price: Credits,
    pub(in crate::store) priority: u8,
    pub(in crate::store) route: u32,
    /// The operator in whose lane it stands, or who took it.
    pub(in crate::store) lane: UpstreamId,
    pub(in crate::store) expires: Option<Timestamp>,
    pub(in crate::store) state: State,
    pub(in crate::store) sent: Option<Sent>,
    pub(in crate::store) end: Option<Ended>,
    /// How its receipt stands; see [`crate::store::schema::owed`].
    pub(in crate::store) owed: i64,
    pub(in crate::store) answered_at: Option<Timestamp>,
}

/// An operator took it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Sent {
    /// The operator's id; may be empty.
    pub(in crate::store) name: COctets,
    pub(in crate::store) at: Timestamp,
}

/// It has ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Ended {
    pub(in crate::store) at: Timestamp,
    /// The code of the reason.
    pub(in crate::store) reason: i64,
    pub(in crate::store) error: u32,
    pub(in crate::store) posted: Credits,
}

impl Row {
    /// Writes it into a table `message`, hot or of a day, over one with its number.
    pub(in crate::store) fn write(&self, db: &Connection) -> Result<(), StoreError> {
        self.write_with(&mut *Self::writer(db)?)
    }

    /// What writes many; see [`Row::write`].
    pub(in crate::store) fn writer(db: &Connection) -> Result<CachedStatement<'_>, StoreError> {
        Ok(db.prepare_cached(WRITE)?)
    }

    /// Writes it with a [`Row::writer`], or with a statement made of [`WRITE`].
    pub(in crate::store) fn write_with(&self, writer: &mut Statement<'_>) -> Result<(), StoreError> {
        writer.execute(params![
            self.id.raw(),
            self.account.0,
            self.credential.0,
            text_of(self.source.as_bytes()),
            text_of(self.destination.as_bytes()),
            &self.pdu[..],
            self.wish,
            self.price.micro(),
            self.priority,
            self.route,
            self.lane.0,
            self.state.code(),
            self.expires.map(|at| at.millis()),
            self.sent.as_ref().map(|sent| sent.name.as_bytes()),
            self.sent.as_ref().map(|sent| sent.at.millis()),
            self.end.map(|end| end.at.millis()),
            self.end.map(|end| end.reason),
            self.end.map_or(0, |end| end.error),
            self.end.map_or(0, |end| end.posted.micro()),
            self.owed,
            self.answered_at.map(|at| at.millis()),
        ])?;
        Ok(())
    }
}

pub(in crate::store) const WRITE: &str = "INSERT OR REPLACE INTO message(id, shown, account, credential, src, dst, pdu, wish, parts, price,
  priority, route, lane, state, expires, upstream_id, sent_at, done_at, reason, error, posted, owed, answered_at,
  attempts, in_doubt, owed_attempts)
  VALUES(?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
    0, 0, 0)";

#[cfg(test)]
impl Row {
    /// A message that was delivered.
    pub(in crate::store) fn sample(id: MessageId) -> Self {
        let at = id.accepted_at();
        let end = Ended { at, reason: 1, error: 0, posted: Credits::from_micro(1_000_000) };
        Self {
            id,
            account: AccountId(1),
            credential: CredentialId(1),
            source: COctets::from_static("ACME"),
            destination: COctets::from(format!("346{:09}", id.raw() % 1_000_000_007)),
            pdu: Bytes::from_static(&[b'x'; 140]),
            wish: 0,
            price: Credits::from_micro(1_000_000),
            priority: 0,
            route: 0,
            lane: UpstreamId(1),
            expires: None,
            state: State::Delivered,
            sent: Some(Sent { name: COctets::from(id.to_string()), at }),
            end: Some(end),
            owed: 0,
            answered_at: None,
        }
    }
}
