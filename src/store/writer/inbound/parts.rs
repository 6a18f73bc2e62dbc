//! Parts of messages from phones: kept until all are there, joined, or handed out as they came (conformance C-135).

use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use sha2::Digest as _;
use smpp_proto::text::Width;

use super::super::Writer;
use super::super::effects::Effects;
use crate::account::{AccountId, InboundParts};
use crate::message::{InboundPart, Owed, UpstreamId, joined};
use crate::policy::Taker;
use crate::policy::route::keyword;
use crate::store::StoreError;

impl Writer {
    /// Stores a part of a message from a phone. With the last one all of them become one message; parts that cannot be
    /// joined, and parts for which there is no room, become messages as they came.
    pub(in crate::store::writer) fn store_mo_part(
        &mut self,
        upstream: UpstreamId,
        account: AccountId,
        part: &InboundPart,
        pdu: &Bytes,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let key = Key { upstream, account, part };
        if self.is_repeated(&key, pdu)? {
            return Ok(());
        }
        let mut find =
            self.db.prepare_cached(&format!("SELECT pdu FROM mo_part WHERE {SAME} AND part = ?8"))?;
        let there: Option<Vec<u8>> = find.query_row(key.of_part(part.part), |row| row.get(0)).optional()?;
        drop(find);
        match there {
            Some(there) if there == pdu[..] => return Ok(()),
            // The reference came round before the other message was whole: neither may take the other's parts.
            Some(_) => {
                self.release_parts(&key, effects)?;
            }
            None if self.mo_parts.saturating_add_signed(effects.mo_parts) >= MO_PARTS_MAX => {
                let first = Some(pdu).filter(|_| part.part == 1);
                return self.hand_out(&key, first, std::slice::from_ref(pdu), effects).map(|_| ());
            }
            None => {}
        }
        self.keep_part(&key, part.part, pdu, effects)?;
        let mut find =
            self.db.prepare_cached(&format!("SELECT count(*) FROM mo_part WHERE {SAME} AND part > 0"))?;
        let count: i64 = find.query_row(key.params(), |row| row.get(0))?;
        drop(find);
        if count == i64::from(part.total) {
            self.release_parts(&key, effects)?;
        }
        Ok(())
    }

    fn keep_part(
        &mut self,
        key: &Key<'_>,
        part: u8,
        pdu: &[u8],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let until = self.now + self.shared.settings.join_within;
        self.db.prepare_cached(KEEP_PART)?.execute(params![
            key.upstream.0,
            key.account.0,
            &key.part.source[..],
            &key.part.destination[..],
            key.width(),
            key.part.reference,
            key.part.total,
            part,
            until.millis(),
            pdu
        ])?;
        effects.mo_parts += 1;
        self.sweeps.heed(Some(until));
        Ok(())
    }

    /// Whether the part belongs to a message that was joined already: an operator sends again what it has no answer to.
    fn is_repeated(&self, key: &Key<'_>, pdu: &[u8]) -> Result<bool, StoreError> {
        let mut find =
            self.db.prepare_cached(&format!("SELECT pdu FROM mo_part WHERE {SAME} AND part = 0"))?;
        let marks: Option<Vec<u8>> = find.query_row(key.params(), |row| row.get(0)).optional()?;
        Ok(marks.is_some_and(|marks| marks.as_chunks::<MARK>().0.contains(&mark(pdu))))
    }

    /// Takes the parts of a message out and owes them: as one when all are there and say the same, else each by itself.
    /// Says whether anybody takes them.
    fn release_parts(&mut self, key: &Key<'_>, effects: &mut Effects) -> Result<bool, StoreError> {
        let sql = format!("SELECT part, pdu FROM mo_part WHERE {SAME} AND part > 0 ORDER BY part");
        let mut find = self.db.prepare_cached(&sql)?;
        let rows = find.query_map(key.params(), |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let parts = rows.collect::<Result<Vec<(u8, Vec<u8>)>, _>>()?;
        drop(find);
        let gone =
            self.db.prepare_cached(&format!("DELETE FROM mo_part WHERE {SAME}"))?.execute(key.params())?;
        effects.mo_parts -= i64::try_from(gone).unwrap_or(0);
        let has_first = parts.first().is_some_and(|(number, _)| *number == 1);
        let bodies: Vec<Bytes> = parts.into_iter().map(|(_, body)| body.into()).collect();
        if bodies.len() == usize::from(key.part.total) {
            // What was joined is remembered as long as it would have waited.
            let marks: Vec<u8> = bodies.iter().flat_map(|body| mark(body)).collect();
            self.keep_part(key, 0, &marks, effects)?;
        }
        self.hand_out(key, bodies.first().filter(|_| has_first), &bodies, effects)
    }

    /// Owes these parts, which are in their order, to who gets the message; `first` is the first of the message if it is
    /// among them: its first word may decide who that is. Says whether there is anybody.
    fn hand_out(
        &mut self,
        key: &Key<'_>,
        first: Option<&Bytes>,
        bodies: &[Bytes],
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let policy = self.shared.policy.load_full();
        let (taker, joins) = if key.account == UNDECIDED {
            let word = first.and_then(keyword::of_deliver);
            let taker = policy.mo_routes().taker(&key.part.destination, word.as_deref());
            let account = taker.and_then(|taker| policy.account(taker.account));
            (taker, account.is_some_and(|a| a.terms.inbound_parts == InboundParts::Join))
        } else {
            (Some(Taker { account: key.account, receiver: None }), true)
        };
        let Some(taker) = taker else {
            let to = key.part.destination.escape_ascii();
            tracing::warn!(%to, parts = bodies.len(), "nobody takes a message from a phone with this first word; dropped");
            return Ok(false);
        };
        let is_whole = joins && bodies.len() == usize::from(key.part.total);
        match if is_whole { joined(bodies) } else { None } {
            Some(whole) => self.store_mo(taker, Owed::Mo { pdu: whole }, effects)?,
            None => bodies
                .iter()
                .try_for_each(|pdu| self.store_mo(taker, Owed::Mo { pdu: pdu.clone() }, effects))?,
        }
        Ok(true)
    }

    /// Messages from phones whose last part did not come in time: what came is delivered as it came.
    pub(in crate::store::writer) fn expire_mo_parts(
        &mut self,
        effects: &mut Effects,
    ) -> Result<bool, StoreError> {
        let mut find = self.db.prepare_cached(OVERDUE_PARTS)?;
        let rows = find.query_map(params![self.now.millis(), PARTS_AT_ONCE as i64], |row| {
            let part = InboundPart {
                source: row.get::<_, Vec<u8>>(2)?.into(),
                destination: row.get::<_, Vec<u8>>(3)?.into(),
                width: if row.get::<_, i64>(4)? == 16 { Width::Sixteen } else { Width::Eight },
                reference: row.get(5)?,
                total: row.get(6)?,
                part: 1,
            };
            Ok((UpstreamId(row.get(0)?), AccountId(row.get(1)?), part))
        })?;
        let overdue = rows.collect::<Result<Vec<_>, _>>()?;
        drop(find);
        let mut forget = self.db.prepare_cached("DELETE FROM mo_part WHERE part = 0 AND until <= ?1")?;
        effects.mo_parts -= i64::try_from(forget.execute([self.now.millis()])?).unwrap_or(0);
        drop(forget);
        for (upstream, account, part) in &overdue {
            let key = Key { upstream: *upstream, account: *account, part };
            // What nobody takes was told already.
            if self.release_parts(&key, effects)? {
                tracing::info!(account = %account, total = part.total, reference = part.reference,
                    "parts of a message from a phone did not come in time; the others are delivered as they came");
            }
        }
        Ok(overdue.len() == PARTS_AT_ONCE)
    }
}

/// Stands for the account of a message whose first word decides who gets it. Accounts have numbers from 1.
pub(in crate::store::writer) const UNDECIDED: AccountId = AccountId(0);

/// Parts with the same key belong together.
struct Key<'a> {
    upstream: UpstreamId,
    account: AccountId,
    part: &'a InboundPart,
}

impl Key<'_> {
    fn width(&self) -> i64 {
        match self.part.width {
            Width::Eight => 8,
            Width::Sixteen => 16,
        }
    }

    fn params(&self) -> KeyColumns {
        let InboundPart { source, destination, reference, total, .. } = self.part;
        let addresses = (source.to_vec(), destination.to_vec());
        (self.upstream.0, self.account.0, addresses.0, addresses.1, self.width(), *reference, *total)
    }

    fn of_part(&self, part: u8) -> (u32, u32, Vec<u8>, Vec<u8>, i64, u16, u8, u8) {
        let (upstream, account, source, destination, width, reference, total) = self.params();
        (upstream, account, source, destination, width, reference, total, part)
    }
}

/// In the order of [`SAME`].
type KeyColumns = (u32, u32, Vec<u8>, Vec<u8>, i64, u16, u8);

/// Octets by which a part is known again.
const MARK: usize = 8;

/// Tells a part that comes again from another one with the same number.
fn mark(pdu: &[u8]) -> [u8; MARK] {
    let digest: [u8; 32] = sha2::Sha256::digest(pdu).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}

/// Parts that wait for others at once, of all accounts. Above it parts go on as they came, so nothing is lost.
const MO_PARTS_MAX: u64 = 100_000;
/// Messages whose parts are released in one tick.
const PARTS_AT_ONCE: usize = 500;

const SAME: &str =
    "upstream = ?1 AND account = ?2 AND src = ?3 AND dst = ?4 AND width = ?5 AND reference = ?6
  AND total = ?7";
const KEEP_PART: &str =
    "INSERT INTO mo_part(upstream, account, src, dst, width, reference, total, part, until, pdu)
  VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET until = ?9, pdu = ?10";
const OVERDUE_PARTS: &str =
    "SELECT DISTINCT upstream, account, src, dst, width, reference, total FROM mo_part
  WHERE until <= ?1 AND part > 0 LIMIT ?2";
