//! Receipts in every style that operators use, written here by hand and not with the library that reads them.

use bytes::{BufMut, Bytes, BytesMut};
use smpp_proto::field::{Address, DataCoding, EsmClass, MessageState, RegisteredDelivery};
use smpp_proto::pdu::{DataSm, DeliverSm};
use smpp_proto::text::receipt::{Date, Excerpt};
use smpp_proto::{EncodeError, Tag, Tlv, Tlvs};

use super::ident::{IdFormat, IdText};
use super::settings::{ReceiptField, ReceiptPlace, ReceiptStyle};

/// What a receipt needs to know of its message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) number: u64,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) excerpt: Excerpt,
    pub(super) submitted_ms: i64,
    /// When its receipt was first written: one that goes again says the same.
    pub(super) done_ms: Option<i64>,
    pub(super) state: MessageState,
}

/// Writes receipts in one style.
#[derive(Debug, Clone)]
pub(super) struct Scribe {
    style: ReceiptStyle,
    ids: IdFormat,
}

impl Scribe {
    pub(super) fn new(style: ReceiptStyle, ids: IdFormat) -> Self {
        Self { style, ids }
    }

    /// Appends the receipt of `message` in the state `state`, dated `done_ms`. Peers before 3.4 get no TLVs.
    pub(super) fn write(
        &self,
        message: &Message,
        state: MessageState,
        done_ms: i64,
        takes_tlvs: bool,
        out: &mut BytesMut,
        sequence: u32,
    ) -> Result<(), EncodeError> {
        let mut id = IdText::default();
        self.ids.in_receipt(message.number, &mut id);
        let text = match self.style.place {
            ReceiptPlace::Tlv if takes_tlvs => Bytes::new(),
            _ => self.text(message, id.as_bytes(), state, done_ms),
        };
        let tlvs = if takes_tlvs { self.tlvs(id.as_bytes(), state, &text) } else { Tlvs::EMPTY };
        let esm_class = if state.is_final() || self.style.esm_class == 0 {
            EsmClass(self.style.esm_class)
        } else {
            EsmClass::INTERMEDIATE_NOTIFICATION
        };
        // The way back: the receipt comes from where the message went.
        let (source, destination) = (message.destination.clone(), message.source.clone());
        let registered_delivery = RegisteredDelivery::NONE;
        let data_coding = DataCoding::DEFAULT;
        if self.style.data_sm && takes_tlvs {
            let mut tlvs = tlvs;
            if !tlvs.has(Tag::MESSAGE_PAYLOAD) {
                tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, text));
            }
            let service_type = Default::default();
            return DataSm {
                service_type,
                source,
                destination,
                esm_class,
                registered_delivery,
                data_coding,
                tlvs,
            }
            .encode(out, sequence);
        }
        let short_message =
            if takes_tlvs && self.style.place == ReceiptPlace::Payload { Bytes::new() } else { text };
        DeliverSm { source, destination, esm_class, data_coding, short_message, tlvs, ..DeliverSm::default() }
            .encode(out, sequence)
    }

    fn tlvs(&self, id: &[u8], state: MessageState, text: &Bytes) -> Tlvs {
        let mut tlvs = Tlvs::new();
        match self.style.place {
            ReceiptPlace::Text => {}
            ReceiptPlace::Payload => tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, text.clone())),
            ReceiptPlace::Tlv | ReceiptPlace::Both => {
                let mut value = BytesMut::with_capacity(id.len() + 8);
                value.put_slice(id);
                value.put_u8(0);
                let id = value.split().freeze();
                value.put_u8(state.0);
                let state_octet = value.split().freeze();
                value.put_u8(NETWORK_GSM);
                value.put_u16(error_of(state));
                tlvs.push(Tlv::new(Tag::RECEIPTED_MESSAGE_ID, id));
                tlvs.push(Tlv::new(Tag::MESSAGE_STATE, state_octet));
                tlvs.push(Tlv::new(Tag::NETWORK_ERROR_CODE, value.freeze()));
            }
        }
        tlvs
    }

    /// `id:… sub:001 dlvrd:001 submit date:… done date:… stat:DELIVRD err:000 text:…` (SMPP 3.4 Appendix B).
    fn text(&self, message: &Message, id: &[u8], state: MessageState, done_ms: i64) -> Bytes {
        let mut out = BytesMut::with_capacity(TEXT_USUAL + id.len());
        let mut field = |which: ReceiptField, name: &[u8], value: &[u8]| {
            if !self.style.omit.contains(&which) {
                if !out.is_empty() {
                    out.put_u8(b' ');
                }
                out.put_slice(name);
                out.put_slice(value);
            }
        };
        let delivered: &[u8] = if state == MessageState::DELIVERED { b"001" } else { b"000" };
        let (submit, submit_length) = self.date(message.submitted_ms);
        let (done, done_length) = self.date(done_ms);
        let error = three(error_of(state));
        field(ReceiptField::Id, b"id:", id);
        field(ReceiptField::Sub, b"sub:", b"001");
        field(ReceiptField::Dlvrd, b"dlvrd:", delivered);
        field(ReceiptField::SubmitDate, b"submit date:", submit.get(..submit_length).unwrap_or_default());
        field(ReceiptField::DoneDate, b"done date:", done.get(..done_length).unwrap_or_default());
        field(ReceiptField::Stat, b"stat:", word(state));
        field(ReceiptField::Err, b"err:", &error);
        field(ReceiptField::Text, b"text:", message.excerpt.septets());
        out.freeze()
    }

    fn date(&self, unix_ms: i64) -> ([u8; 12], usize) {
        let date = Date::of_unix_ms(unix_ms, 0);
        let pairs = [(date.year % 100) as u8, date.month, date.day, date.hour, date.minute, date.second];
        let mut digits = [0; 12];
        for (place, pair) in digits.chunks_exact_mut(2).zip(pairs) {
            place.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
        }
        (digits, if self.style.seconds { 12 } else { 10 })
    }
}

fn three(number: u16) -> [u8; 3] {
    [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8)
}

/// The error that goes with a state: an own choice, as every operator has its own.
fn error_of(state: MessageState) -> u16 {
    match state {
        MessageState::UNDELIVERABLE => 1,
        MessageState::EXPIRED => 27,
        MessageState::REJECTED => 88,
        MessageState::DELETED => 99,
        _ => 0,
    }
}

/// The word for a state (SMPP 3.4 Appendix B).
pub(super) fn word(state: MessageState) -> &'static [u8] {
    match state {
        MessageState::ENROUTE | MessageState::SCHEDULED => b"ENROUTE",
        MessageState::DELIVERED => b"DELIVRD",
        MessageState::EXPIRED => b"EXPIRED",
        MessageState::DELETED => b"DELETED",
        MessageState::UNDELIVERABLE => b"UNDELIV",
        MessageState::ACCEPTED => b"ACCEPTD",
        MessageState::REJECTED => b"REJECTD",
        _ => b"UNKNOWN",
    }
}

/// network_error_code, first octet: 3 = GSM (SMPP 3.4 §5.3.2.31).
const NETWORK_GSM: u8 = 3;
/// Octets of a receipt's text without its id.
const TEXT_USUAL: usize = 120;

#[cfg(test)]
mod tests {
    use smpp_proto::field::Alphabet;
    use smpp_proto::{Body, FrameCodec, Pdu};

    use super::*;

    fn receipt(style: ReceiptStyle, takes_tlvs: bool) -> Body {
        let message = Message {
            number: 255,
            source: Address::alphanumeric("ACME"),
            destination: Address::international("34600000001"),
            excerpt: Excerpt::of(Alphabet::Gsm7, b"Hello there, this is longer than twenty"),
            submitted_ms: 1_748_772_000_000,
            done_ms: None,
            state: MessageState::UNDELIVERABLE,
        };
        let mut out = BytesMut::new();
        Scribe::new(style, IdFormat::HexRespDecReceipt)
            .write(&message, message.state, 1_748_772_065_000, takes_tlvs, &mut out, 9)
            .expect("written");
        let frame = FrameCodec::default().cut(&mut out).expect("no fault").expect("a frame");
        Pdu::decode_strict(frame).expect("well formed").body
    }

    fn text_of(body: &Body) -> String {
        match body {
            Body::DeliverSm(deliver) => String::from_utf8_lossy(deliver.user_data()).into(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn by_the_book() {
        let body = receipt(ReceiptStyle::default(), true);
        assert_eq!(
            text_of(&body),
            "id:255 sub:001 dlvrd:000 submit date:2506011000 done date:2506011001 stat:UNDELIV err:001 text:Hello there, this is"
        );
        let Body::DeliverSm(deliver) = body else { panic!() };
        assert_eq!(deliver.esm_class, EsmClass::DELIVERY_RECEIPT);
        assert_eq!(deliver.source.digits, "34600000001");
        assert_eq!(deliver.destination.digits, "ACME");
        assert_eq!(deliver.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).map(|id| &id[..]), Some(&b"255\0"[..]));
        assert_eq!(deliver.tlvs.u8(Tag::MESSAGE_STATE), Some(5));
        assert_eq!(deliver.tlvs.get(Tag::NETWORK_ERROR_CODE).map(|code| &code[..]), Some(&[3, 0, 1][..]));
    }

    #[test]
    fn a_peer_of_3_3_gets_text_alone() {
        for place in [ReceiptPlace::Tlv, ReceiptPlace::Payload, ReceiptPlace::Both] {
            let body = receipt(ReceiptStyle { place, ..ReceiptStyle::default() }, false);
            assert!(body.tlvs().is_empty() && text_of(&body).starts_with("id:255"));
        }
    }

    #[test]
    fn other_habits() {
        let tlv = receipt(ReceiptStyle { place: ReceiptPlace::Tlv, ..ReceiptStyle::default() }, true);
        assert!(text_of(&tlv).is_empty() && tlv.tlvs().len() == 3);
        let payload = receipt(ReceiptStyle { place: ReceiptPlace::Payload, ..ReceiptStyle::default() }, true);
        assert!(text_of(&payload).starts_with("id:255") && payload.tlvs().len() == 1);
        let omit = vec![ReceiptField::Sub, ReceiptField::Dlvrd, ReceiptField::SubmitDate, ReceiptField::Text];
        let style = ReceiptStyle { omit, seconds: true, esm_class: 0, ..ReceiptStyle::default() };
        let Body::DeliverSm(bare) = receipt(style, true) else { panic!() };
        assert_eq!(&bare.short_message[..], b"id:255 done date:250601100105 stat:UNDELIV err:001");
        assert_eq!(bare.esm_class, EsmClass(0));
        let data = receipt(ReceiptStyle { data_sm: true, ..ReceiptStyle::default() }, true);
        assert!(matches!(data, Body::DataSm(ref data) if data.user_data().is_some()));
    }
}
