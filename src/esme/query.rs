//! What clients ask about messages they sent: query_sm, cancel_sm, replace_sm (SMPP 3.4 §4.8 to §4.10).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{COctets, CommandId, CommandStatus, MessageState, SmppTime};
use smpp_proto::pdu::{CancelSm, Frame, QuerySm, QuerySmResp, ReplaceSm, encode_empty};
use smpp_proto::rules;

use super::session::{Aside, Batch, Client, Dialect, Kind, Tag};
use super::submit::{broken, malformed};
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::message::MessageId;
use crate::policy::number::international;
use crate::policy::{Denied, Refusal};
use crate::store::{CancelTarget, ClientAnswer, ClientOutcome, ClientRequest, Replace, Standing, Store};

/// A question for the history: what the hot store did not know.
pub(super) struct Lookup {
    tag: Tag,
    account: AccountId,
    id: MessageId,
    source: Bytes,
}

impl Client {
    /// query_sm: how does it stand?
    pub(super) fn query_sm(&mut self, frame: &Frame, batch: &mut Batch, out: &mut BytesMut) {
        let sequence = frame.header.sequence;
        let read = self.read(frame, |_, reading| {
            QuerySm::decode_with(Bytes::copy_from_slice(&frame.body), reading).map_err(malformed)
        });
        let asked =
            read.map_err(Refusal::status).and_then(|(pdu, _)| Ok((message_id(&pdu.message_id)?, pdu)));
        match asked {
            Ok((id, pdu)) => {
                let source = source_of(pdu.source.digits, batch);
                let aside = Aside::Query { message_id: pdu.message_id, id, source: source.clone() };
                let tag = Tag { aside: self.asides.keep(aside), ..Tag::plain(Kind::Query, sequence) };
                let account = self.bound.facts().account;
                batch.requests.push(ClientRequest::Query { tag: tag.pack(), account, id, source });
            }
            Err(status) => self.refuse_question(CommandId::QUERY_SM, sequence, status, out),
        }
    }

    /// cancel_sm: end one message, or all that wait from one address to another.
    pub(super) fn cancel_sm(&mut self, frame: &Frame, batch: &mut Batch, out: &mut BytesMut) {
        let sequence = frame.header.sequence;
        let read = self.read(frame, |_, reading| {
            CancelSm::decode_with(Bytes::copy_from_slice(&frame.body), reading).map_err(malformed)
        });
        match read.map_err(Refusal::status).and_then(|(pdu, _)| cancel_target(pdu, batch)) {
            Ok(target) => batch.requests.push(ClientRequest::Cancel {
                tag: Tag::plain(Kind::Cancel, sequence).pack(),
                account: self.bound.facts().account,
                target,
            }),
            Err(status) => self.refuse_question(CommandId::CANCEL_SM, sequence, status, out),
        }
    }

    /// replace_sm: another text in the place of one that waits.
    pub(super) fn replace_sm(&mut self, frame: &Frame, batch: &mut Batch, out: &mut BytesMut) {
        let sequence = frame.header.sequence;
        let read = self.read(frame, |version, reading| {
            let body = Bytes::copy_from_slice(&frame.body);
            let mut pdu = ReplaceSm::decode_with(body, reading).map_err(malformed)?;
            rules::replace_sm(&mut pdu, version, reading).map_err(broken)?;
            Ok(pdu)
        });
        let tag = Tag::plain(Kind::Replace, sequence).pack();
        let account = self.bound.facts().account;
        let read = read.map_err(Refusal::status);
        match read.and_then(|(pdu, _)| replacement(pdu, tag, account, batch)) {
            Ok(replace) => batch.requests.push(ClientRequest::Replace(Box::new(replace))),
            Err(status) => self.refuse_question(CommandId::REPLACE_SM, sequence, status, out),
        }
    }

    fn refuse_question(
        &mut self,
        request: CommandId,
        sequence: u32,
        status: CommandStatus,
        out: &mut BytesMut,
    ) {
        // An id of another form is a wrong question, not a broken PDU.
        self.faults += u32::from(status != CommandStatus::RINVMSGID);
        let refusal = Refusal::Malformed(status);
        self.metrics.pdu_refused(refusal.word());
        self.dialect.refuse(out, request, sequence, refusal);
    }

    /// The hot store knows it, or the history has to be asked.
    pub(super) fn standing(&mut self, tag: Tag, standing: Option<Standing>, out: &mut BytesMut) {
        if standing.is_none()
            && tag.kind == Kind::Query
            && let Some(Aside::Query { id, source, .. }) = self.asides.find(tag.aside)
        {
            let (id, source) = (*id, source.clone());
            let tag = Tag { kind: Kind::History, ..tag };
            self.lookups.push(Lookup { tag, account: self.bound.facts().account, id, source });
            return;
        }
        let message_id = match self.asides.take(tag.aside) {
            Some(Aside::Query { message_id, .. }) => Some(message_id),
            _ => None,
        };
        match standing {
            Some(standing) => query_resp(standing, &self.dialect, message_id, tag.sequence, out),
            None => encode_empty(out, CommandId::QUERY_SM_RESP, CommandStatus::RQUERYFAIL, tag.sequence),
        }
    }

    /// What came of a cancel_sm or replace_sm.
    pub(super) fn changed(&self, tag: Tag, done: bool, out: &mut BytesMut) {
        let (command, failure) = match tag.kind {
            Kind::Cancel => (CommandId::CANCEL_SM_RESP, CommandStatus::RCANCELFAIL),
            _ => (CommandId::REPLACE_SM_RESP, CommandStatus::RREPLACEFAIL),
        };
        encode_empty(out, command, if done { CommandStatus::ROK } else { failure }, tag.sequence);
    }

    /// The store refused a question: it cannot write, or a rule objects to a new text.
    pub(super) fn question_refused(&mut self, tag: Tag, denied: Denied, out: &mut BytesMut) {
        let refusal = denied.refusal;
        if tag.kind == Kind::Replace && refusal != Refusal::StoreUnavailable {
            // The statuses of submits say nothing in a replace_sm_resp (SMPP 3.4 §5.1.3); the log and metrics say why.
            self.denied(denied);
            return self.changed(tag, false, out);
        }
        let command = match tag.kind {
            Kind::Cancel => CommandId::CANCEL_SM,
            Kind::Replace => CommandId::REPLACE_SM,
            _ => CommandId::QUERY_SM,
        };
        self.asides.take(tag.aside);
        self.metrics.pdu_refused(refusal.word());
        self.dialect.refuse(out, command, tag.sequence, refusal);
    }
}

/// Asks the history, all questions with one reader. Blocking. What cannot be read is answered as not found.
pub(super) fn look_up(store: &Store, lookups: &[Lookup]) -> Vec<ClientAnswer> {
    let reader = store.reader();
    let found = |lookup: &Lookup| {
        let read = reader.as_ref().map_err(Clone::clone);
        match read.and_then(|reader| reader.standing(lookup.account.0, lookup.id, &lookup.source)) {
            Ok(standing) => ClientOutcome::Standing(standing),
            Err(error) => {
                tracing::warn!(%error, "the history cannot be read");
                ClientOutcome::Refused(Refusal::StoreUnavailable.into())
            }
        }
    };
    lookups.iter().map(|lookup| ClientAnswer { tag: lookup.tag.pack(), outcome: found(lookup) }).collect()
}

/// Our ids are decimal digits, or the 8 hexadecimal ones of a client of 3.3; anything else names no message of ours.
fn message_id(text: &COctets) -> Result<MessageId, CommandStatus> {
    let digits = text.as_str().filter(|text| text.bytes().all(|octet| octet.is_ascii_hexdigit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(CommandStatus::RINVMSGID)
}

/// A message that came without a source has the account's: an empty one names it (SMPP 3.4 §5.2.8).
fn source_of(given: COctets, batch: &Batch) -> Bytes {
    let default = batch.account.as_ref().and_then(|account| account.terms.default_source.as_deref());
    match default {
        Some(default) if given.is_empty() => Bytes::copy_from_slice(default.as_bytes()),
        _ => given.into_bytes(),
    }
}

fn cancel_target(pdu: CancelSm, batch: &Batch) -> Result<CancelTarget, CommandStatus> {
    let source = source_of(pdu.source.digits, batch);
    if !pdu.message_id.is_empty() {
        return Ok(CancelTarget::Id { id: message_id(&pdu.message_id)?, source });
    }
    if pdu.destination.digits.is_empty() {
        // Everything of one sender is more than a slip should be able to end (conformance C-200).
        return Err(CommandStatus::RINVDSTADR);
    }
    let destination = bare_number(&pdu.destination.digits.into_bytes());
    Ok(CancelTarget::Pair { source, destination, service_type: pdu.service_type.into_bytes() })
}

/// Destinations are stored without `+`, `00`, blanks and hyphens.
fn bare_number(given: &[u8]) -> Bytes {
    let digits = international(given);
    Bytes::copy_from_slice(digits.as_deref().unwrap_or(given))
}

fn replacement(
    pdu: ReplaceSm,
    tag: u64,
    account: AccountId,
    batch: &Batch,
) -> Result<Replace, CommandStatus> {
    if pdu.sm_default_msg_id != 0 {
        return Err(CommandStatus::RINVDFTMSGID);
    }
    if batch.account.as_ref().is_some_and(|account| !account.terms.keeps_texts()) {
        // The text that waits was written anew, and the new one does not say its alphabet.
        return Err(CommandStatus::RREPLACEFAIL);
    }
    let limits = batch.policy.limits();
    let named = moment(&pdu.schedule_delivery_time, batch.now).map_err(|()| CommandStatus::RINVSCHED)?;
    // A schedule that means now is one all the same: it takes the place of the old one.
    let due = limits.due(named, batch.now).map_err(Refusal::status)?.or(named.map(|_| batch.now));
    let from = due.unwrap_or(batch.now);
    let expires = moment(&pdu.validity_period, batch.now).map_err(|()| CommandStatus::RINVEXPIRY)?;
    if expires.is_some_and(|end| end <= from) {
        return Err(CommandStatus::RINVEXPIRY);
    }
    Ok(Replace {
        tag,
        account,
        rules: Arc::clone(&batch.rules),
        id: message_id(&pdu.message_id)?,
        short_message: pdu.user_data().clone(),
        registered_delivery: pdu.registered_delivery.0,
        due,
        expires: expires.map(|end| end.min(from + limits.max_validity)),
        source: source_of(pdu.source.digits, batch),
    })
}

fn moment(field: &COctets, now: Timestamp) -> Result<Option<Timestamp>, ()> {
    let time = SmppTime::from_field(field).map_err(|_| ())?;
    Ok(time.map(|time| Timestamp::from_millis(time.to_unix_ms(now.millis()))))
}

fn query_resp(
    standing: Standing,
    dialect: &Dialect,
    message_id: Option<COctets>,
    sequence: u32,
    out: &mut BytesMut,
) {
    let state = if standing.scheduled { MessageState::SCHEDULED } else { standing.state.to_smpp() };
    let done_at = standing.done_at.filter(|_| standing.state.is_end());
    let final_date = done_at.and_then(|at| SmppTime::absolute_utc(at.millis()).to_octets().ok());
    let resp = QuerySmResp {
        message_id,
        final_date: final_date.map_or(COctets::EMPTY, |text| COctets::from(&text[..])),
        message_state: dialect.state(state),
        // One octet on the wire; a code that does not fit is told as "some error".
        error_code: u8::try_from(standing.error).unwrap_or(u8::MAX),
        ..QuerySmResp::default()
    };
    if resp.encode(out, CommandStatus::ROK, sequence).is_err() {
        encode_empty(out, CommandId::QUERY_SM_RESP, CommandStatus::RQUERYFAIL, sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_form_of_ids_is_looked_for() {
        assert_eq!(
            message_id(&COctets::from("780000000000000000")).map(MessageId::raw),
            Ok(780_000_000_000_000_000)
        );
        for text in ["", "abc", "-5", "+5", "0x12", "99999999999999999999"] {
            assert_eq!(message_id(&COctets::from(text)), Err(CommandStatus::RINVMSGID), "{text}");
        }
    }

    #[test]
    fn numbers_are_compared_as_they_are_stored() {
        for given in ["+34600111222", "0034600111222", "34600111222", "+34 600-111-222"] {
            assert_eq!(&bare_number(given.as_bytes())[..], b"34600111222");
        }
    }
}
