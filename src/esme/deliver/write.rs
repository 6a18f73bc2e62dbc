//! Writes a delivery in the dialect of the session that takes it: receipts as Appendix B prints them, messages from
//! phones as they came.

use bytes::{BufMut, Bytes, BytesMut};
use smpp_proto::field::{
    Alphabet, CommandId, CommandStatus, EsmClass, InterfaceVersion, MessageState, Tag, Tlv,
};
use smpp_proto::pdu::{DeliverSm, Header, SubmitSm};
use smpp_proto::text::receipt::{self, Excerpt, ReceiptValues};
use smpp_proto::text::{Charset, Form, Reference, Udh, UserData, Width, split, ucs2};

use crate::clock::Timestamp;
use crate::esme::session::{Dialect, Digits, put_tlv, set_length};
use crate::message::wording::{self, LONGEST_SHORT};
use crate::message::{Delivery, MessageId, Owed, State, Wording};
use crate::policy::admit::user_data;

/// Appends one deliver_sm, or nothing and says why it cannot be written. `scratch` is for texts.
///
/// A long text for a peer without message_payload takes several: each has a number of `next`, and the answer to the last
/// one, whose number comes back, decides for all.
pub(super) fn deliver_sm(
    delivery: &Delivery,
    dialect: &Dialect,
    next: &mut impl FnMut() -> u32,
    scratch: &mut BytesMut,
    out: &mut BytesMut,
) -> Result<u32, &'static str> {
    match &delivery.content {
        Owed::Receipt { shown, accepted_at, pdu, state, error, done_at, is_final, .. } => {
            let report = Told {
                shown: *shown,
                accepted_at: *accepted_at,
                state: dialect.state(if *is_final { state.to_smpp() } else { state.on_the_way() }),
                delivered: matches!(state, State::Delivered | State::Accepted),
                error: *error,
                done_at: *done_at,
                is_final: *is_final,
            };
            let sequence = next();
            report.write(pdu.clone(), dialect, sequence, scratch, out).map(|()| sequence)
        }
        Owed::Mo { pdu } => mo(pdu, dialect, next, out),
        Owed::MoData { pdu } if dialect.takes_tlvs() => {
            let sequence = next();
            as_it_came(CommandId::DATA_SM, pdu, sequence, out).map(|()| sequence)
        }
        Owed::MoData { .. } => Err("3.3 has no data_sm, and no place for its address"),
    }
}

/// What a receipt tells.
struct Told {
    shown: MessageId,
    accepted_at: Timestamp,
    state: MessageState,
    delivered: bool,
    error: u32,
    done_at: Timestamp,
    is_final: bool,
}

impl Told {
    /// The receipt of the message whose submit_sm had the body `submitted`: addresses swapped (reference §11.1).
    fn write(
        &self,
        submitted: Bytes,
        dialect: &Dialect,
        sequence: u32,
        scratch: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<(), &'static str> {
        let message = SubmitSm::decode(submitted).map_err(|_| "the stored message cannot be read")?;
        let id = Digits::of(self.shown);
        self.text(&message, id.octets(), scratch)?;
        let esm_class =
            if self.is_final { EsmClass::DELIVERY_RECEIPT } else { EsmClass::INTERMEDIATE_NOTIFICATION };
        let mut deliver = DeliverSm {
            service_type: message.service_type,
            source: message.destination,
            destination: message.source,
            esm_class,
            short_message: scratch.split().freeze(),
            ..DeliverSm::default()
        };
        if let Some(wording) = Wording::of_deliver(&deliver).for_peer(dialect.charset) {
            wording.put_into_deliver(&mut deliver);
        }
        let start = out.len();
        deliver.encode(out, sequence).map_err(|_| "its fields cannot be written")?;
        if dialect.takes_tlvs() {
            self.tlvs(id.octets(), out);
            set_length(out, start);
        }
        Ok(())
    }

    fn text(&self, message: &SubmitSm, id: &[u8], scratch: &mut BytesMut) -> Result<(), &'static str> {
        let text =
            user_data(message).map(|data| excerpt(message.data_coding.alphabet(), &data)).unwrap_or_default();
        let values = ReceiptValues {
            id,
            submitted: 1,
            delivered: u16::from(self.delivered),
            submit_unix_ms: self.accepted_at.millis(),
            done_unix_ms: self.done_at.millis(),
            offset: 0,
            state: self.state,
            err: u16::try_from(self.error).unwrap_or(u16::MAX),
            text,
        };
        receipt::write(&values, scratch).map_err(|_| "its id is too long")
    }

    /// receipted_message_id, message_state and, when there is an error, network_error_code (SMPP 3.4 §5.3.2.12, .31,
    /// .35).
    fn tlvs(&self, id: &[u8], out: &mut BytesMut) {
        put_tlv(out, Tag::RECEIPTED_MESSAGE_ID, &[id, &[0]]);
        put_tlv(out, Tag::MESSAGE_STATE, &[&[self.state.0]]);
        if self.error != 0 {
            let code = u16::try_from(self.error).unwrap_or(u16::MAX).to_be_bytes();
            put_tlv(out, Tag::NETWORK_ERROR_CODE, &[&[NETWORK_GSM], &code]);
        }
    }
}

/// The first characters of a text, also of one in national tables.
fn excerpt(alphabet: Alphabet, data: &UserData<'_>) -> Excerpt {
    let national = |udh: Udh<'_>| udh.locking_language().or(udh.single_language()).is_some();
    if alphabet == Alphabet::Gsm7 && data.udh().is_some_and(national) {
        return Excerpt::of(Alphabet::Ucs2, &ucs2::encode(&data.decode()));
    }
    Excerpt::of(alphabet, data.text())
}

/// network_error_code: the kind of network (SMPP 3.4 §5.3.2.31).
const NETWORK_GSM: u8 = 3;

/// The octets that the operator sent, behind a header of ours.
fn as_it_came(
    command: CommandId,
    body: &Bytes,
    sequence: u32,
    out: &mut BytesMut,
) -> Result<(), &'static str> {
    let length = u32::try_from(Header::LENGTH + body.len()).map_err(|_| "it is too long")?;
    Header { length, command, status: CommandStatus::ROK, sequence }.write(out);
    out.put_slice(body);
    Ok(())
}

/// A message from a phone: octet for octet, unless the account means by data_coding 0 what the store does not.
fn mo(
    body: &Bytes,
    dialect: &Dialect,
    next: &mut impl FnMut() -> u32,
    out: &mut BytesMut,
) -> Result<u32, &'static str> {
    // Only a long body can have a short_message that is too long before 5.0.
    let v5 = dialect.version >= InterfaceVersion::V5_0;
    if dialect.charset == Charset::Gsm7 && dialect.takes_tlvs() && (v5 || body.len() <= LONGEST_SHORT) {
        let sequence = next();
        return as_it_came(CommandId::DELIVER_SM, body, sequence, out).map(|()| sequence);
    }
    let mut deliver = DeliverSm::decode(body.clone()).map_err(|_| "the stored message cannot be read")?;
    if let Some(wording) = Wording::of_deliver(&deliver).for_peer(dialect.charset) {
        wording.put_into_deliver(&mut deliver);
    }
    if dialect.takes_tlvs() {
        if !v5 && deliver.short_message.len() > LONGEST_SHORT {
            // 5.0 has one octet more there (conformance C-208).
            let text = std::mem::take(&mut deliver.short_message);
            deliver.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, text));
        }
        let sequence = next();
        return deliver.encode(out, sequence).map_err(|_| "its fields cannot be written").map(|()| sequence);
    }
    without_tlvs(deliver, next, out)
}

/// For peers of 3.3 and older, which know no optional parameters: a header says what TLVs said of parts, and a payload
/// becomes the short_message, or as many as it takes.
fn without_tlvs(
    mut deliver: DeliverSm,
    next: &mut impl FnMut() -> u32,
    out: &mut BytesMut,
) -> Result<u32, &'static str> {
    let tlvs = std::mem::take(&mut deliver.tlvs);
    // 3.3 knows 0 and 1 only (reference §3.2).
    deliver.priority_flag = deliver.priority_flag.min(1);
    let text = if deliver.short_message.is_empty() { tlvs.get(Tag::MESSAGE_PAYLOAD) } else { None };
    let text = text.unwrap_or(&deliver.short_message).clone();
    let Ok(data) = wording::read(deliver.data_coding, deliver.esm_class, &text, &tlvs) else {
        return one(deliver, text, next, out);
    };
    if let Some(by_header) =
        (data.form() == Some(Form::Sar)).then(|| data.rewritten(Form::Header(Width::Eight))).flatten()
    {
        deliver.esm_class = deliver.esm_class.with_udhi(by_header.has_header);
        return one(deliver, by_header.user_data.into(), next, out);
    }
    if text.len() <= LONGEST_SHORT {
        return one(deliver, text.clone(), next, out);
    }
    // The number of the first one is also what the parts share.
    let first = next();
    let [.., reference] = first.to_be_bytes();
    let parts = split(&data, Reference::Eight(reference)).map_err(|_| "its text does not fit SMPP 3.3")?;
    let mut last = 0;
    for part in parts {
        let mut short_message = BytesMut::with_capacity(part.size());
        part.write(&mut short_message);
        let esm_class = deliver.esm_class.with_udhi(part.has_header());
        let mut number = || if last == 0 { first } else { next() };
        last = one(DeliverSm { esm_class, ..deliver.clone() }, short_message.freeze(), &mut number, out)?;
    }
    Ok(last)
}

fn one(
    deliver: DeliverSm,
    short_message: Bytes,
    next: &mut impl FnMut() -> u32,
    out: &mut BytesMut,
) -> Result<u32, &'static str> {
    if short_message.len() > LONGEST_SHORT {
        return Err("its text does not fit a PDU of SMPP 3.3");
    }
    let sequence = next();
    let deliver = DeliverSm { short_message, ..deliver };
    deliver.encode(out, sequence).map_err(|_| "its fields cannot be written").map(|()| sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::field::{Address, RegisteredDelivery, Tlvs};

    fn dialect(version: u8) -> Dialect {
        Dialect::of(InterfaceVersion(version), &crate::esme::Settings::default())
    }

    fn submitted() -> Bytes {
        let message = SubmitSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international("34600111222"),
            registered_delivery: RegisteredDelivery::RECEIPT,
            short_message: Bytes::from_static(b"Hello, this is a longer text"),
            ..SubmitSm::default()
        };
        let mut out = BytesMut::new();
        message.encode(&mut out, 1).expect("encoded");
        out.split_off(Header::LENGTH).freeze()
    }

    fn receipt(version: u8, error: u32) -> DeliverSm {
        let told = Told {
            shown: MessageId::first_at(Timestamp::from_millis(1_763_650_000_000)),
            accepted_at: Timestamp::from_millis(1_763_650_000_000),
            state: if error == 0 { MessageState::DELIVERED } else { MessageState::UNDELIVERABLE },
            delivered: error == 0,
            error,
            done_at: Timestamp::from_millis(1_763_650_060_000),
            is_final: true,
        };
        let mut out = BytesMut::from(&b"before"[..]);
        told.write(submitted(), &dialect(version), 9, &mut BytesMut::new(), &mut out).expect("written");
        let pdu = out.split_off(6);
        let header = Header::read(&pdu).expect("a header");
        assert_eq!(
            (header.length as usize, header.command, header.sequence),
            (pdu.len(), CommandId::DELIVER_SM, 9)
        );
        DeliverSm::decode(pdu.freeze().split_off(Header::LENGTH)).expect("a body")
    }

    #[test]
    fn a_receipt_is_what_appendix_b_prints_with_its_parameters() {
        let good = receipt(0x34, 0);
        assert_eq!((good.esm_class.0, good.data_coding.0, good.registered_delivery.0), (0x04, 0, 0));
        assert_eq!(good.source, Address::international("34600111222"));
        assert_eq!(good.destination, Address::alphanumeric("ACME"));
        // 779347,200,000 ms since 2020, shifted by 22 bits.
        let id = MessageId::first_at(Timestamp::from_millis(1_763_650_000_000)).to_string();
        let text = format!(
            "id:{id} sub:001 dlvrd:001 submit date:2511201446 done date:2511201447 stat:DELIVRD err:000 \
             text:Hello, this is a lon"
        );
        assert_eq!(good.short_message, text.as_bytes());
        assert_eq!(good.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID).expect("an id").as_bytes(), id.as_bytes());
        assert_eq!((good.tlvs.u8(Tag::MESSAGE_STATE), good.tlvs.len()), (Some(2), 2));
    }

    #[test]
    fn an_error_is_told_twice_and_3_3_gets_the_text_alone() {
        let bad = receipt(0x34, 27);
        assert_eq!(bad.tlvs.get(Tag::NETWORK_ERROR_CODE).map(|v| &v[..]), Some(&[3, 0, 27][..]));
        let text = String::from_utf8_lossy(&bad.short_message).into_owned();
        assert!(text.contains("dlvrd:000") && text.contains("stat:UNDELIV err:027"), "{text}");
        let old = receipt(0x33, 27);
        assert!(old.tlvs.is_empty());
        assert_eq!(old.short_message, bad.short_message);
    }

    #[test]
    fn a_message_from_a_phone_is_passed_on_octet_for_octet() {
        let mut tlvs = Tlvs::new();
        tlvs.push(smpp_proto::Tlv::new(Tag(0x1400), Bytes::from_static(b"vendor")));
        let mo =
            DeliverSm { short_message: Bytes::from_static(b"\x01\x02\xFF"), tlvs, ..DeliverSm::default() };
        let mut encoded = BytesMut::new();
        mo.encode(&mut encoded, 5).expect("encoded");
        let body = encoded.clone().split_off(Header::LENGTH).freeze();
        let mut out = BytesMut::new();
        as_it_came(CommandId::DELIVER_SM, &body, 5, &mut out).expect("written");
        assert_eq!(out, encoded);
        let mut old = BytesMut::new();
        let mut next = || 5;
        without_tlvs(DeliverSm::decode(body).expect("a body"), &mut next, &mut old).expect("written");
        let read = DeliverSm::decode(old.freeze().split_off(Header::LENGTH)).expect("a body");
        assert_eq!(read, DeliverSm { tlvs: Tlvs::EMPTY, ..mo });
    }

    #[test]
    fn a_receipt_speaks_the_alphabet_of_its_client() {
        // Turkish by locking shift: 0x1D is ş; 0x00 is @ in every table.
        let turkish = UserData::read(Alphabet::Gsm7, true, &[3, 0x25, 1, 1, 0x1D, 0x00]).expect("a header");
        assert_eq!(excerpt(Alphabet::Gsm7, &turkish).septets(), [b's', 0x00]);
        let message = SubmitSm { short_message: Bytes::from_static(b"\x00\x05"), ..SubmitSm::default() };
        let mut body = BytesMut::new();
        message.encode(&mut body, 1).expect("encoded");
        let told = Told {
            shown: MessageId::first_at(Timestamp::from_millis(1_763_650_000_000)),
            accepted_at: Timestamp::from_millis(1_763_650_000_000),
            state: MessageState::DELIVERED,
            delivered: true,
            error: 0,
            done_at: Timestamp::from_millis(1_763_650_060_000),
            is_final: true,
        };
        let latin1 = Dialect { charset: Charset::Latin1, ..dialect(0x34) };
        let mut out = BytesMut::new();
        let submitted = body.split_off(Header::LENGTH).freeze();
        told.write(submitted, &latin1, 9, &mut BytesMut::new(), &mut out).expect("written");
        let read = DeliverSm::decode(out.freeze().split_off(Header::LENGTH)).expect("a body");
        assert!(read.short_message.ends_with(b"text:@\xE9"), "{read:?}");
    }

    #[test]
    fn a_long_text_goes_to_3_3_in_parts_and_the_last_answer_counts() {
        let mut tlvs = Tlvs::new();
        tlvs.push(smpp_proto::Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 300]));
        let (mut out, mut number) = (BytesMut::new(), 6);
        let mut next = || {
            number += 1;
            number
        };
        let mo = DeliverSm { tlvs, ..DeliverSm::default() };
        assert_eq!(without_tlvs(mo, &mut next, &mut out), Ok(8));
        let codec = smpp_proto::FrameCodec::default();
        let mut texts = Vec::new();
        while let Ok(Some(frame)) = codec.cut(&mut out) {
            let part = DeliverSm::decode(frame.body).expect("a body");
            assert!(part.esm_class.udhi() && part.tlvs.is_empty());
            assert_eq!(part.short_message[..3], [5, 0, 3]);
            texts.extend_from_slice(&part.short_message[6..]);
        }
        assert_eq!(texts, vec![b'a'; 300]);
    }

    #[test]
    fn parts_that_tlvs_joined_get_a_header_for_3_3() {
        let tlvs = vec![
            smpp_proto::Tlv::u16(Tag::SAR_MSG_REF_NUM, 0x0102),
            smpp_proto::Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, 2),
            smpp_proto::Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, 1),
        ];
        let mo = DeliverSm { short_message: "hi".into(), tlvs: tlvs.into(), ..DeliverSm::default() };
        let mut out = BytesMut::new();
        assert_eq!(without_tlvs(mo, &mut || 9, &mut out), Ok(9));
        let read = DeliverSm::decode(out.freeze().split_off(Header::LENGTH)).expect("a body");
        assert_eq!(&read.short_message[..], b"\x05\x00\x03\x02\x02\x01hi");
    }
}
