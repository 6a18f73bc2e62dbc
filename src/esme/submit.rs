//! Messages that clients send: submit_sm, data_sm and submit_multi, from the PDU to the store and back.

use bytes::{Bytes, BytesMut};
use smpp_proto::error::Problem;
use smpp_proto::field::{Address, COctets, CommandId, CommandStatus, InterfaceVersion, Tag as ParameterTag};
use smpp_proto::pdu::{
    DataSm, DataSmResp, Destination, Frame, Quirks, Reading, SubmitMulti, SubmitMultiResp, SubmitSm,
    Unsuccessful, encode_empty, submit,
};
use smpp_proto::rules::{self, Breach};

use super::session::{Aside, Batch, Client, Dialect, Digits, Kind, Multi, Tag};
use crate::message::{MessageId, UpstreamId};
use crate::policy::filter::check_recipients;
use crate::policy::{Denied, Refusal, Sender, Submission, admit};
use crate::store::{Accept, ClientRequest, Store};

impl Client {
    /// submit_sm (SMPP 3.4 §4.4).
    pub(super) fn submit_sm(&mut self, frame: &Frame, batch: &mut Batch, out: &mut BytesMut) {
        let tag = Tag::plain(Kind::Submit, frame.header.sequence);
        // The one copy: a message in a lane must not keep the whole read buffer alive.
        let body = Bytes::copy_from_slice(&frame.body);
        let read = self.read(frame, |version, reading| {
            let mut pdu = SubmitSm::decode_with(body.clone(), reading).map_err(malformed)?;
            rules::submit_sm(&mut pdu, version, reading).map_err(broken)?;
            Ok(pdu)
        });
        match read {
            Ok((pdu, met)) => {
                let body = (met.is_empty() && written_length(&pdu) == body.len()).then_some(body);
                self.submit(Submission { pdu, body }, tag, batch, out);
            }
            Err(refusal) => self.refuse_unread(tag, refusal, out),
        }
    }

    /// data_sm: the same message in another dress (SMPP 3.4 §4.7).
    pub(super) fn data_sm(&mut self, frame: &Frame, batch: &mut Batch, out: &mut BytesMut) {
        let tag = Tag::plain(Kind::Data, frame.header.sequence);
        let read = self.read(frame, |version, reading| {
            let body = Bytes::copy_from_slice(&frame.body);
            let mut pdu = DataSm::decode_with(body, reading).map_err(malformed)?;
            rules::data_sm(&mut pdu, version, reading).map_err(broken)?;
            dressed_as_submit(pdu).map_err(Refusal::Malformed)
        });
        match read {
            Ok((pdu, _)) => self.submit(Submission { pdu, body: None }, tag, batch, out),
            Err(refusal) => self.refuse_unread(tag, refusal, out),
        }
    }

    /// Reads a request with what its client is forgiven, which is counted and told.
    pub(super) fn read<T>(
        &mut self,
        frame: &Frame,
        read: impl FnOnce(InterfaceVersion, &mut Reading) -> Result<T, Refusal>,
    ) -> Result<(T, Quirks), Refusal> {
        let mut reading = self.reading(&frame.header);
        let outcome = read(self.dialect.version, &mut reading);
        self.forgave(reading.met, &frame.header);
        outcome.map(|read| (read, reading.met))
    }

    fn submit(&mut self, submission: Submission, tag: Tag, batch: &mut Batch, out: &mut BytesMut) {
        match self.accept(submission, tag, false, batch) {
            Ok(accept) => batch.requests.push(ClientRequest::Accept(accept)),
            Err(denied) => self.refuse_accept(tag, denied, out),
        }
    }

    /// submit_multi: one message_id for all destinations, each accepted or refused on its own (SMPP 3.4 §4.5).
    pub(super) fn submit_multi(
        &mut self,
        frame: &Frame,
        batch: &mut Batch,
        store: &Store,
        out: &mut BytesMut,
    ) {
        let plain = Tag::plain(Kind::Multi, frame.header.sequence);
        if batch.account.as_ref().is_some_and(|account| !account.terms.submit_multi) {
            // No fault of the PDU: a client that tries again and again keeps its session.
            self.metrics.refused(Refusal::UnknownCommand);
            return self.dialect.refuse(
                out,
                CommandId::SUBMIT_MULTI,
                plain.sequence,
                Refusal::UnknownCommand,
            );
        }
        let read = self.read(frame, |version, reading| {
            let body = Bytes::copy_from_slice(&frame.body);
            let mut pdu = SubmitMulti::decode_with(body, reading).map_err(malformed)?;
            rules::submit_multi(&mut pdu, version, reading).map_err(broken)?;
            let (template, destinations) = addressed(pdu).map_err(Refusal::Malformed)?;
            let judged = |given: Address| {
                let mut mended = given.clone();
                let judged = rules::destination(&mut mended, reading).map_err(broken);
                (given, judged.map(|()| mended))
            };
            Ok((template, destinations.into_iter().map(judged).collect::<Vec<_>>()))
        });
        let ((template, destinations), _) = match read {
            Ok(read) => read,
            Err(refusal) => return self.refuse_unread(plain, refusal, out),
        };
        let account = self.bound.facts().account;
        let counters = store.counters();
        let shadowed = |rule| counters.shadowed.count(&batch.policy, account, rule);
        if let Err(denied) = check_recipients(&batch.rules, destinations.len(), shadowed) {
            self.denied(denied);
            return self.dialect.refuse(out, CommandId::SUBMIT_MULTI, plain.sequence, denied.refusal);
        }
        let tag = Tag { aside: self.asides.keep(Aside::Multi(Multi::default())), ..plain };
        let mut multi = Multi::default();
        let mut reason = None;
        for (place, (destination, judged)) in destinations.into_iter().enumerate() {
            let follows = !multi.waiting.is_empty();
            let accepted = judged.map_err(Denied::from).and_then(|mended| {
                let pdu = SubmitSm { destination: mended, ..template.clone() };
                self.accept(Submission { pdu, body: None }, tag, follows, batch)
            });
            match accepted {
                Ok(accept) => {
                    batch.requests.push(ClientRequest::Accept(accept));
                    multi.waiting.push_back((place, destination));
                }
                Err(denied) => {
                    self.denied(denied);
                    reason.get_or_insert(denied.refusal);
                    let status = self.dialect.status(denied.refusal);
                    multi.unsuccessful.push((place, denied.refusal, Unsuccessful { destination, status }));
                }
            }
        }
        if multi.waiting.is_empty() {
            self.asides.take(tag.aside);
            let refusal = reason.unwrap_or(Refusal::InvalidDestination);
            self.dialect.refuse(out, CommandId::SUBMIT_MULTI, tag.sequence, refusal);
        } else if let Some(Aside::Multi(kept)) = self.asides.find(tag.aside) {
            *kept = multi;
        }
    }

    /// Asks policy, and writes down what the store must know.
    fn accept(
        &mut self,
        submission: Submission,
        tag: Tag,
        follows: bool,
        batch: &Batch,
    ) -> Result<Box<Accept>, Denied> {
        let account = batch.account.as_deref().ok_or(Refusal::AccountSuspended)?;
        let replaces_pending = submission.pdu.replace_if_present_flag == 1;
        let sender = Sender { account, rules: &batch.rules };
        let admitted = admit(&batch.policy, sender, submission, batch.now, &mut self.desk)?;
        // One that is down is passed by; when all are, the first is as good as any. Without a way the store refuses it,
        // once filters and credit were asked: in nobody's lane.
        let way = admitted.upstreams();
        let up = way.iter().find(|upstream| self.up.is_up(**upstream));
        let upstream = up.or(way.first()).copied().unwrap_or(UpstreamId(0));
        Ok(Box::new(Accept {
            tag: tag.pack(),
            account: account.id,
            credential: self.bound.facts().credential,
            upstream,
            max_queued: account.terms.max_queued,
            short_id: !self.dialect.takes_tlvs(),
            admitted,
            follows,
            replaces_pending,
        }))
    }

    /// The store has it: the promise may be given.
    pub(super) fn accepted(&mut self, tag: Tag, id: MessageId, out: &mut BytesMut) {
        let start = out.len();
        match tag.kind {
            Kind::Multi => return self.multi_answered(tag, 0, Ok(id), out),
            Kind::Data => {
                let message_id = Some(COctets::from(Digits::of(id).octets()));
                let resp = DataSmResp { message_id, ..DataSmResp::default() };
                // Twenty digits always fit.
                let _ = resp.encode(out, CommandStatus::ROK, tag.sequence);
            }
            _ => {
                let _ = submit::encode_resp(out, tag.sequence, CommandStatus::ROK, Digits::of(id).octets());
            }
        }
        self.dialect.tell_congestion(out, start);
    }

    /// A message, or one destination of a submit_multi, is not accepted.
    pub(super) fn refuse_accept(&mut self, tag: Tag, denied: Denied, out: &mut BytesMut) {
        self.refuse_accept_at(tag, 0, denied, out);
    }

    /// The same for the destination at `place` of those that wait for their answers.
    pub(super) fn refuse_accept_at(&mut self, tag: Tag, place: usize, denied: Denied, out: &mut BytesMut) {
        self.denied(denied);
        let refusal = denied.refusal;
        match tag.kind {
            Kind::Multi => self.multi_answered(tag, place, Err(refusal), out),
            Kind::Data => self.dialect.refuse(out, CommandId::DATA_SM, tag.sequence, refusal),
            _ => self.dialect.refuse(out, CommandId::SUBMIT_SM, tag.sequence, refusal),
        }
    }

    /// A PDU that cannot be read, or breaks a rule, is a fault; a number that is none may be on anybody's list.
    fn refuse_unread(&mut self, tag: Tag, refusal: Refusal, out: &mut BytesMut) {
        self.faults += u32::from(matches!(refusal, Refusal::Malformed(_)));
        self.denied(refusal.into());
        let request = match tag.kind {
            Kind::Multi => CommandId::SUBMIT_MULTI,
            Kind::Data => CommandId::DATA_SM,
            _ => CommandId::SUBMIT_SM,
        };
        self.dialect.refuse(out, request, tag.sequence, refusal);
    }

    /// One destination of those that wait has its answer; with the last the response goes out.
    fn multi_answered(
        &mut self,
        tag: Tag,
        place: usize,
        answer: Result<MessageId, Refusal>,
        out: &mut BytesMut,
    ) {
        let Some(Aside::Multi(multi)) = self.asides.find(tag.aside) else { return };
        let (place, destination) = multi.waiting.remove(place).unwrap_or_default();
        match answer {
            Ok(id) => {
                multi.shown.get_or_insert(id);
            }
            Err(refusal) => {
                let status = self.dialect.status(refusal);
                multi.unsuccessful.push((place, refusal, Unsuccessful { destination, status }));
            }
        }
        if !multi.waiting.is_empty() {
            return;
        }
        if let Some(Aside::Multi(multi)) = self.asides.take(tag.aside) {
            multi_resp(multi, &self.dialect, tag.sequence, out);
        }
    }
}

/// All destinations are answered. When nobody was accepted the first refusal speaks for all.
fn multi_resp(mut multi: Multi, dialect: &Dialect, sequence: u32, out: &mut BytesMut) {
    let start = out.len();
    // Some were refused at once and others by the store: told in the order of asking.
    multi.unsuccessful.sort_by_key(|(place, ..)| *place);
    let Some(id) = multi.shown else {
        let first =
            multi.unsuccessful.first().map_or(Refusal::InvalidDestination, |(_, refusal, _)| *refusal);
        return dialect.refuse(out, CommandId::SUBMIT_MULTI, sequence, first);
    };
    let resp = SubmitMultiResp {
        message_id: Some(COctets::from(Digits::of(id).octets())),
        unsuccessful: multi.unsuccessful.into_iter().map(|(.., failure)| failure).collect(),
        ..SubmitMultiResp::default()
    };
    if resp.encode(out, CommandStatus::ROK, sequence).is_err() {
        return encode_empty(out, CommandId::SUBMIT_MULTI_RESP, CommandStatus::RSYSERR, sequence);
    }
    dialect.tell_congestion(out, start);
}

/// The refusal of a body that cannot be read.
pub(super) fn malformed(problem: Problem) -> Refusal {
    Refusal::Malformed(problem.status())
}

/// The refusal of a value that may not stand where it does.
pub(super) fn broken(breach: Breach) -> Refusal {
    breach.into()
}

/// Octets of the body when its fields are written, to find out whether the octets that came are exactly that.
fn written_length(pdu: &SubmitSm) -> usize {
    const FIXED: usize = 2 + 2 + 3 + 4 + 1;
    const NULS: usize = 5;
    let texts = [
        &pdu.service_type,
        &pdu.source.digits,
        &pdu.destination.digits,
        &pdu.schedule_delivery_time,
        &pdu.validity_period,
    ];
    let texts: usize = texts.iter().map(|text| text.len()).sum();
    FIXED + NULS + texts + pdu.short_message.len() + pdu.tlvs.wire_length()
}

/// A data_sm as the submit_sm that says the same. Its addresses may be longer than a submit_sm, and a phone, can hold.
fn dressed_as_submit(data: DataSm) -> Result<SubmitSm, CommandStatus> {
    // A data_sm that only carries USSD controls has no text (SMPP 3.4 §5.3.2.44, §5.3.2.43).
    let controls =
        data.tlvs.has(ParameterTag::USSD_SERVICE_OP) || data.tlvs.has(ParameterTag::ITS_SESSION_INFO);
    if data.user_data().is_none() && !controls {
        return Err(CommandStatus::RMISSINGTLV);
    }
    // Up to 64 characters are an address (SMPP 3.4 §4.7.1), but none that a phone could have.
    if data.destination.digits.len() > LONGEST_ADDRESS {
        return Err(CommandStatus::RINVDSTADR);
    }
    if data.source.digits.len() > LONGEST_ADDRESS {
        return Err(CommandStatus::RINVSRCADR);
    }
    Ok(SubmitSm {
        service_type: data.service_type,
        source: data.source,
        destination: data.destination,
        esm_class: data.esm_class,
        registered_delivery: data.registered_delivery,
        data_coding: data.data_coding,
        tlvs: data.tlvs,
        ..SubmitSm::default()
    })
}

/// Characters of an address in a submit_sm (SMPP 3.4 §5.2.8).
const LONGEST_ADDRESS: usize = 20;

/// A submit_multi as a submit_sm without destination, and the destinations. There are no distribution lists here.
fn addressed(multi: SubmitMulti) -> Result<(SubmitSm, Vec<Address>), CommandStatus> {
    if multi.destinations.is_empty() {
        return Err(CommandStatus::RINVNUMDESTS);
    }
    let address = |destination| match destination {
        Destination::Address(address) => Ok(address),
        Destination::List(_) => Err(CommandStatus::RINVDLNAME),
    };
    let destinations = multi.destinations.into_iter().map(address).collect::<Result<_, _>>()?;
    let template = SubmitSm {
        service_type: multi.service_type,
        source: multi.source,
        esm_class: multi.esm_class,
        protocol_id: multi.protocol_id,
        priority_flag: multi.priority_flag,
        schedule_delivery_time: multi.schedule_delivery_time,
        validity_period: multi.validity_period,
        registered_delivery: multi.registered_delivery,
        replace_if_present_flag: multi.replace_if_present_flag,
        data_coding: multi.data_coding,
        sm_default_msg_id: multi.sm_default_msg_id,
        short_message: multi.short_message,
        tlvs: multi.tlvs,
        ..SubmitSm::default()
    };
    Ok((template, destinations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::field::{Tlv, Tlvs};
    use smpp_proto::pdu::Header;

    #[test]
    fn the_written_length_is_that_of_the_encoded_body() {
        let mut tlvs = Tlvs::new();
        tlvs.push(Tlv::u16(smpp_proto::Tag::USER_MESSAGE_REFERENCE, 7));
        let pdu = SubmitSm {
            service_type: COctets::from("WAP"),
            source: Address::alphanumeric("ACME"),
            destination: Address::international("34600000000"),
            validity_period: COctets::from("000001000000000R"),
            short_message: Bytes::from_static(b"hello"),
            tlvs,
            ..SubmitSm::default()
        };
        let mut out = BytesMut::new();
        pdu.encode(&mut out, 1).expect("encoded");
        assert_eq!(written_length(&pdu), out.len() - Header::LENGTH);
        // One zero octet behind the text is forgiven, and must not be stored.
        let empty = SubmitSm { destination: Address::international("34600000000"), ..SubmitSm::default() };
        let mut out = BytesMut::new();
        empty.encode(&mut out, 1).expect("encoded");
        let mut body = out.split_off(Header::LENGTH);
        body.extend_from_slice(&[0]);
        let length = body.len();
        let read = SubmitSm::decode(body.freeze()).expect("lenient");
        assert_eq!(written_length(&read), length - 1);
    }

    #[test]
    fn lists_and_empty_lists_are_refused() {
        let list = SubmitMulti {
            destinations: vec![Destination::List(COctets::from("all"))],
            ..SubmitMulti::default()
        };
        assert_eq!(addressed(list).unwrap_err(), CommandStatus::RINVDLNAME);
        assert_eq!(addressed(SubmitMulti::default()).unwrap_err(), CommandStatus::RINVNUMDESTS);
    }
}
