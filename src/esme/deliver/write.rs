//! Writes a delivery in the dialect of the session that takes it: receipts as Appendix B prints them, messages from
//! phones as they came.

use bytes::{BufMut, Bytes, BytesMut};
use smpp_proto::field::{CommandId, CommandStatus, EsmClass, InterfaceVersion, MessageState, Tag, Tlv, Tlvs};
use smpp_proto::pdu::{DeliverSm, Header, SubmitSm};
use smpp_proto::text::receipt::{self, Excerpt, ReceiptValues};

use crate::clock::Timestamp;
use crate::esme::session::{Dialect, Digits, put_tlv, set_length};
use crate::message::{Delivery, MessageId, Owed, State};
use crate::policy::admit::user_data;

/// Appends one deliver_sm, or nothing and says why it cannot be written. `scratch` is for texts.
pub(super) fn deliver_sm(
    delivery: &Delivery,
    dialect: Dialect,
    sequence: u32,
    scratch: &mut BytesMut,
    out: &mut BytesMut,
) -> Result<(), Unwritable> {
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
            Ok(report.write(pdu.clone(), dialect, sequence, scratch, out)?)
        }
        Owed::Mo { pdu } if !dialect.takes_tlvs() => without_tlvs(pdu.clone(), sequence, out),
        // 3.3 has no data_sm, and no place for its address.
        Owed::MoData { .. } if !dialect.takes_tlvs() => Err(Unwritable::NotHere),
        // Only a long body can have a short_message that 3.4 cannot have.
        Owed::Mo { pdu } if dialect.version < InterfaceVersion::V5_0 && pdu.len() > LONGEST_TEXT => {
            Ok(within_3_4(pdu, sequence, out)?)
        }
        Owed::Mo { pdu } => Ok(as_it_came(CommandId::DELIVER_SM, pdu, sequence, out)?),
        Owed::MoData { pdu } => Ok(as_it_came(CommandId::DATA_SM, pdu, sequence, out)?),
    }
}

/// Why a delivery cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwritable {
    /// A PDU of SMPP 3.3 has no room for it: a receiver of a later version may take it.
    NotHere,
    /// Nobody can be told it.
    Never(&'static str),
}

impl From<&'static str> for Unwritable {
    fn from(why: &'static str) -> Self {
        Self::Never(why)
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
        dialect: Dialect,
        sequence: u32,
        scratch: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<(), &'static str> {
        let message = SubmitSm::decode(submitted).map_err(|_| "the stored message cannot be read")?;
        let id = Digits::of(self.shown);
        self.text(&message, id.octets(), scratch)?;
        let esm_class =
            if self.is_final { EsmClass::DELIVERY_RECEIPT } else { EsmClass::INTERMEDIATE_NOTIFICATION };
        let deliver = DeliverSm {
            service_type: message.service_type,
            source: message.destination,
            destination: message.source,
            esm_class,
            short_message: scratch.split().freeze(),
            ..DeliverSm::default()
        };
        let start = out.len();
        deliver.encode(out, sequence).map_err(|_| "its fields cannot be written")?;
        if dialect.takes_tlvs() {
            self.tlvs(id.octets(), out);
            set_length(out, start);
        }
        Ok(())
    }

    fn text(&self, message: &SubmitSm, id: &[u8], scratch: &mut BytesMut) -> Result<(), &'static str> {
        let text = user_data(message)
            .map(|data| Excerpt::of(message.data_coding.alphabet(), data.text()))
            .unwrap_or_default();
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

/// For peers of 3.4: a short_message of 255 octets, which came with 5.0, goes as message_payload (conformance C-208).
fn within_3_4(body: &Bytes, sequence: u32, out: &mut BytesMut) -> Result<(), &'static str> {
    match DeliverSm::decode(body.clone()) {
        Ok(mut deliver) if deliver.short_message.len() > LONGEST_TEXT => {
            deliver.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, std::mem::take(&mut deliver.short_message)));
            deliver.encode(out, sequence).map_err(|_| "its fields cannot be written")
        }
        _ => as_it_came(CommandId::DELIVER_SM, body, sequence, out),
    }
}

/// For peers of 3.3 and older, which know no optional parameters; a short payload becomes the short_message.
fn without_tlvs(body: Bytes, sequence: u32, out: &mut BytesMut) -> Result<(), Unwritable> {
    let mut deliver =
        DeliverSm::decode(body).map_err(|_| Unwritable::Never("the stored message cannot be read"))?;
    let text = deliver.user_data().clone();
    if text.len() > LONGEST_TEXT {
        return Err(Unwritable::NotHere);
    }
    deliver.short_message = text;
    deliver.tlvs = Tlvs::EMPTY;
    // 3.3 knows 0 and 1 only (reference §3.2).
    deliver.priority_flag = deliver.priority_flag.min(1);
    deliver.encode(out, sequence).map_err(|_| Unwritable::Never("its fields cannot be written"))
}

/// sm_length has one octet, and 255 is reserved before 5.0 (SMPP 3.4 §5.2.21).
const LONGEST_TEXT: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::field::{Address, RegisteredDelivery};

    fn dialect(version: u8) -> Dialect {
        Dialect::of(InterfaceVersion(version))
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
        told.write(submitted(), dialect(version), 9, &mut BytesMut::new(), &mut out).expect("written");
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
        without_tlvs(body, 5, &mut old).expect("written");
        let read = DeliverSm::decode(old.freeze().split_off(Header::LENGTH)).expect("a body");
        assert_eq!(read, DeliverSm { tlvs: Tlvs::EMPTY, ..mo });
    }
}
