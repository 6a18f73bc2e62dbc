//! From a stored message to the submit_sm of its next part, in the dialect of one operator (SMPP 3.4 §4.4.1).

use bytes::BytesMut;
use smpp_proto::error::{EncodeError, Problem};
use smpp_proto::field::{COctets, InterfaceVersion, Npi, RegisteredDelivery, SmppTime, Tag, Tlv, Tlvs, Ton};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::{Concatenation, Part, PartsError, Reference, UdhError, UserData, Width, count, split};

use super::settings::{LongForm, ReceiptsAsked, Upstream, ValidityForm};
use super::wording::{Texts, push_sar};
use crate::clock::Timestamp;
use crate::message::{Message, MessageId};
use crate::policy::admit::user_data;

/// Writes messages as one operator wants them.
#[derive(Debug)]
pub(super) struct Dialect {
    version: InterfaceVersion,
    receipts: ReceiptsAsked,
    texts: Texts,
    validity: ValidityForm,
    stamps_reference: bool,
    source_ton: Option<u8>,
    source_npi: Option<u8>,
    service_type: Option<COctets>,
    /// The validity written last: messages that come together are valid equally long.
    validity_before: (u32, COctets),
}

/// A submit_sm that is ready but for its sequence number.
#[derive(Debug)]
pub(super) struct Submit {
    pub(super) pdu: SubmitSm,
    /// Which part of the message, from 1; 0 when it carries all of several parts.
    pub(super) part: u8,
    /// Segments that it costs of the throughput.
    pub(super) segments: u8,
    pub(super) receipt_expected: bool,
}

/// What is stored cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsendable {
    #[error("its stored body cannot be read: {0}")]
    Stored(Problem),
    #[error("its user data header is broken: {0}")]
    Header(UdhError),
    #[error("it cannot be cut: {0}")]
    Parts(PartsError),
    #[error("it was charged as {charged} parts and would take {now}")]
    Recounted { charged: u8, now: u8 },
    #[error("it has no place on the wire: {0}")]
    Encode(EncodeError),
}

impl Dialect {
    /// `version` is what was agreed in the bind.
    pub(super) fn new(settings: &Upstream, version: InterfaceVersion) -> Self {
        Self {
            version,
            receipts: settings.receipts,
            texts: Texts::new(settings, version.takes_tlvs()),
            validity: settings.validity,
            stamps_reference: settings.stamps_reference,
            source_ton: settings.source_ton,
            source_npi: settings.source_npi,
            service_type: settings.service_type.as_deref().map(COctets::from),
            validity_before: (0, COctets::EMPTY),
        }
    }

    /// The next part of `message`: the one behind `parts_sent`.
    ///
    /// # Errors
    /// When what is stored cannot be sent.
    pub(super) fn submit(&mut self, message: &Message, now: Timestamp) -> Result<Submit, Unsendable> {
        let mut pdu = SubmitSm::decode(message.pdu.clone()).map_err(Unsendable::Stored)?;
        self.address(&mut pdu);
        // We kept the schedule ourselves; a replacement was done in the store (SMPP 3.4 §5.2.15, §5.2.18).
        pdu.schedule_delivery_time = COctets::EMPTY;
        pdu.replace_if_present_flag = 0;
        pdu.validity_period = self.validity(message.expires, now);
        pdu.registered_delivery = self.ask(pdu.registered_delivery);
        let mut submit =
            Submit { receipt_expected: pdu.registered_delivery.0 & 0b11 != 0, pdu, part: 1, segments: 1 };
        self.texts.unpack(&mut submit.pdu);
        let data = user_data(&submit.pdu).map_err(Unsendable::Header)?;
        if data.part().is_some() {
            self.texts.convert(&mut submit.pdu);
        } else if message.parts > 1 {
            self.part(&mut submit, message)?;
        }
        self.texts.word(&mut submit.pdu, message.parts > 1);
        if self.stamps_reference && !submit.pdu.tlvs.has(Tag::USER_MESSAGE_REFERENCE) {
            // Parts differ from each other, attempts of one part do not.
            let number = reference_of(message.id).wrapping_add(u16::from(submit.part.max(1)) - 1);
            submit.pdu.tlvs.push(Tlv::u16(Tag::USER_MESSAGE_REFERENCE, number));
        }
        self.strip(&mut submit.pdu);
        Ok(submit)
    }

    fn address(&self, pdu: &mut SubmitSm) {
        if let Some(ton) = self.source_ton {
            pdu.source.ton = Ton(ton);
        }
        if let Some(npi) = self.source_npi {
            pdu.source.npi = Npi(npi);
        }
        if let Some(service_type) = &self.service_type {
            pdu.service_type = service_type.clone();
        }
    }

    /// Any wish for a receipt becomes a wish for every final one: an operator that tells failures only would leave
    /// us without the end of what was delivered. So does a wish for intermediate notifications, which nobody could
    /// take without knowing when the message has ended; 3.3 has neither them nor the phone's acknowledgements.
    fn ask(&self, wish: RegisteredDelivery) -> RegisteredDelivery {
        let kept = if self.version.takes_tlvs() { wish.0 & KEPT } else { 0 };
        let on_the_way = RegisteredDelivery(kept).intermediate();
        let wanted = self.receipts == ReceiptsAsked::Always || on_the_way || wish.0 & 0b11 != 0;
        RegisteredDelivery(kept | u8::from(wanted))
    }

    /// What is left of the validity, in whole seconds and at least one (SMPP 3.4 §7.1.1.2).
    fn validity(&mut self, expires: Timestamp, now: Timestamp) -> COctets {
        match self.validity {
            ValidityForm::Omit => return COctets::EMPTY,
            ValidityForm::Absolute => {
                return SmppTime::absolute_utc(expires.millis()).to_field().unwrap_or_default();
            }
            ValidityForm::Pass => {}
        }
        let seconds = u32::try_from(expires.since(now).as_secs()).unwrap_or(u32::MAX).max(1);
        if self.validity_before.0 != seconds {
            // More than the form can say is left to the operator's own maximum.
            let field = SmppTime::relative(seconds).and_then(|time| time.to_field().ok());
            self.validity_before = (seconds, field.unwrap_or_default());
        }
        self.validity_before.1.clone()
    }

    fn part(&self, submit: &mut Submit, message: &Message) -> Result<(), Unsendable> {
        let number = message.parts_sent.saturating_add(1);
        let pdu = &submit.pdu;
        let data = user_data(pdu).map_err(Unsendable::Header)?;
        let tlvs = self.version.takes_tlvs();
        if self.texts.long == LongForm::Payload && tlvs && message.parts_sent == 0 {
            let whole = pdu.user_data().clone();
            let mut tlvs = without_parts(&pdu.tlvs);
            tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, whole));
            submit.pdu.short_message = bytes::Bytes::new();
            submit.pdu.tlvs = tlvs;
            submit.part = 0;
            submit.segments = message.parts;
            return Ok(());
        }
        let mut parts = split(&data, self.reference(&data, message)).map_err(Unsendable::Parts)?;
        let now = parts.parts().segments;
        let cut = parts.nth(usize::from(number) - 1).filter(|_| now == message.parts);
        let part = cut.ok_or(Unsendable::Recounted { charged: message.parts, now })?;
        let mut others = without_parts(&pdu.tlvs);
        let shown = match part.concatenation {
            Some(joined) if self.texts.long == LongForm::Sar && tlvs => {
                push_sar(&mut others, &Concatenation { reference: reference_of(message.id), ..joined });
                Part { concatenation: None, ..part }
            }
            _ => part,
        };
        let mut text = BytesMut::with_capacity(shown.size());
        shown.write(&mut text);
        let udhi = shown.has_header();
        submit.pdu.short_message = text.freeze();
        submit.pdu.esm_class = submit.pdu.esm_class.with_udhi(udhi);
        submit.pdu.tlvs = others;
        submit.part = number;
        Ok(())
    }

    fn reference(&self, data: &UserData<'_>, message: &Message) -> Reference {
        let number = reference_of(message.id);
        let fits = || count(data, Width::Sixteen).is_ok_and(|parts| parts.segments == message.parts);
        if self.texts.long == LongForm::Udh16 && fits() {
            Reference::Sixteen(number)
        } else {
            let [_, low] = number.to_be_bytes();
            Reference::Eight(low)
        }
    }

    /// A peer of 3.3 takes no optional parameters (SMPP 3.4 §3.4): a text in message_payload goes where it knows it.
    fn strip(&self, pdu: &mut SubmitSm) {
        if self.version.takes_tlvs() || pdu.tlvs.is_empty() {
            return;
        }
        pdu.short_message = pdu.user_data().clone();
        pdu.tlvs = Tlvs::EMPTY;
    }
}

/// What goes on of registered_delivery as it is: the wishes for intermediate notifications and for acknowledgements of
/// the phone (SMPP 3.4 §5.2.17, bits 4 and 3-2).
const KEPT: u8 = 0x1C;

/// The number that the parts of a message share: the same at every attempt, and spread so that messages that follow
/// each other to one phone differ in all of its bits.
fn reference_of(id: MessageId) -> u16 {
    let spread = id.raw().cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    u16::try_from(spread >> 48).unwrap_or_default()
}

/// The TLVs that go with every part.
fn without_parts(tlvs: &Tlvs) -> Tlvs {
    let own = [Tag::MESSAGE_PAYLOAD, Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM];
    tlvs.iter().filter(|tlv| !own.contains(&tlv.tag)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountId, CredentialId, Credits, Secret};
    use crate::message::RouteId;
    use smpp_proto::field::{Address, EsmClass};
    use smpp_proto::pdu::Header;

    const NOW: Timestamp = Timestamp::from_millis(1_763_650_000_000);

    fn upstream(change: impl FnOnce(&mut Upstream)) -> Upstream {
        let mut upstream = Upstream::new("north", "localhost:2775", "gate", Secret::new("x"));
        change(&mut upstream);
        upstream
    }

    fn message(pdu: &SubmitSm, parts: u8) -> Message {
        let mut octets = BytesMut::new();
        pdu.encode(&mut octets, 1).unwrap();
        Message {
            id: MessageId::from_raw(77 << 22),
            shown: MessageId::from_raw(77 << 22),
            account: AccountId(1),
            credential: CredentialId(1),
            pdu: octets.split_off(Header::LENGTH).freeze(),
            parts,
            parts_sent: 0,
            price: Credits::ZERO,
            route: RouteId(0),
            priority: 0,
            attempts: 0,
            in_doubt: false,
            tried: Vec::new(),
            looks: 0,
            expires: NOW + std::time::Duration::from_millis(90_500),
        }
    }

    fn long() -> SubmitSm {
        SubmitSm {
            source: Address::alphanumeric("ACME"),
            destination: Address::international("34600000001"),
            short_message: vec![b'a'; 200].into(),
            tlvs: vec![Tlv::new(Tag(0x1400), &b"dlt"[..])].into(),
            ..SubmitSm::default()
        }
    }

    fn parts_of(upstream: &Upstream, pdu: &SubmitSm) -> Vec<SubmitSm> {
        let mut dialect = Dialect::new(upstream, upstream.interface_version);
        let mut message = message(pdu, 2);
        (0..2)
            .map(|sent| {
                message.parts_sent = sent;
                let submit = dialect.submit(&message, NOW).unwrap();
                assert_eq!(submit.part, sent + 1);
                submit.pdu
            })
            .collect()
    }

    #[test]
    fn the_fields_that_are_ours_are_rewritten_and_the_rest_is_kept() {
        let mut pdu = long();
        pdu.short_message = "hi".into();
        pdu.registered_delivery = RegisteredDelivery(0x12);
        pdu.schedule_delivery_time = "000000000500000R".into();
        pdu.validity_period = "000001000000000R".into();
        pdu.replace_if_present_flag = 1;
        let plain =
            Dialect::new(&upstream(|_| ()), InterfaceVersion::V3_4).submit(&message(&pdu, 1), NOW).unwrap();
        let expected = SubmitSm {
            registered_delivery: RegisteredDelivery(0x11),
            schedule_delivery_time: COctets::EMPTY,
            validity_period: "000000000130000R".into(),
            replace_if_present_flag: 0,
            ..pdu.clone()
        };
        assert_eq!(plain.pdu, expected);
        let own = upstream(|upstream| {
            upstream.source_ton = Some(0);
            upstream.service_type = Some("VIP".to_owned());
            upstream.validity = ValidityForm::Omit;
        });
        let own = Dialect::new(&own, InterfaceVersion::V3_3).submit(&message(&pdu, 1), NOW).unwrap().pdu;
        assert_eq!(
            (own.source.ton, own.service_type, own.validity_period),
            (Ton(0), "VIP".into(), COctets::EMPTY)
        );
        assert!(own.tlvs.is_empty() && own.short_message == "hi");
    }

    #[test]
    fn a_reference_is_the_same_at_every_attempt_and_not_at_every_part() {
        let stamps = upstream(|upstream| upstream.stamps_reference = true);
        let number = reference_of(MessageId::from_raw(77 << 22));
        let stamped = |version, pdu: &SubmitSm, parts, sent| {
            let mut message = message(pdu, parts);
            message.parts_sent = sent;
            let pdu = Dialect::new(&stamps, version).submit(&message, NOW).unwrap().pdu;
            pdu.tlvs.all(Tag::USER_MESSAGE_REFERENCE).cloned().collect::<Vec<_>>()
        };
        let of = |number: u16| vec![number.to_be_bytes().to_vec()];
        for _ in 0..2 {
            assert_eq!(stamped(InterfaceVersion::V3_4, &long(), 2, 0), of(number));
            assert_eq!(stamped(InterfaceVersion::V3_4, &long(), 2, 1), of(number.wrapping_add(1)));
        }
        assert!(stamped(InterfaceVersion::V3_3, &long(), 2, 0).is_empty());
        let own = SubmitSm { tlvs: vec![Tlv::u16(Tag::USER_MESSAGE_REFERENCE, 7)].into(), ..long() };
        assert_eq!(stamped(InterfaceVersion::V3_4, &own, 2, 0), of(7));
    }

    #[test]
    fn receipts_are_asked_for_as_the_setting_says() {
        let asked = |receipts, wish| {
            Dialect::new(&upstream(|upstream| upstream.receipts = receipts), InterfaceVersion::V3_4)
                .ask(RegisteredDelivery(wish))
                .0
        };
        let always = [0x00, 0x01, 0x02, 0x10].map(|wish| asked(ReceiptsAsked::Always, wish));
        assert_eq!(always, [0x01, 0x01, 0x01, 0x11]);
        let only = [0x00, 0x01, 0x02, 0x10].map(|wish| asked(ReceiptsAsked::Asked, wish));
        assert_eq!(only, [0x00, 0x01, 0x01, 0x11]);
    }

    #[test]
    fn parts_are_joined_by_a_header_of_either_width() {
        let number = reference_of(MessageId::from_raw(77 << 22));
        let [high, low] = number.to_be_bytes();
        let eight = parts_of(&upstream(|_| ()), &long());
        assert_eq!(&eight[0].short_message[..6], [5, 0, 3, low, 2, 1]);
        assert_eq!(&eight[1].short_message[..6], [5, 0, 3, low, 2, 2]);
        assert_eq!((eight[0].short_message.len(), eight[1].short_message.len()), (159, 53));
        assert!(eight.iter().all(|part| part.esm_class == EsmClass(0x40) && part.tlvs.has(Tag(0x1400))));
        let sixteen = parts_of(&upstream(|upstream| upstream.long = LongForm::Udh16), &long());
        assert_eq!(&sixteen[0].short_message[..7], [6, 8, 4, high, low, 2, 1]);
    }

    #[test]
    fn a_wider_header_never_makes_more_parts_than_were_charged() {
        let text = Tlv::new(Tag::MESSAGE_PAYLOAD, vec![b'a'; 306]);
        let pdu = SubmitSm { short_message: bytes::Bytes::new(), tlvs: vec![text].into(), ..long() };
        let parts = parts_of(&upstream(|upstream| upstream.long = LongForm::Udh16), &pdu);
        assert_eq!((parts[0].short_message.first(), parts[0].tlvs.is_empty()), (Some(&5), true));
    }

    #[test]
    fn parts_are_joined_by_tlvs() {
        let parts = parts_of(&upstream(|upstream| upstream.long = LongForm::Sar), &long());
        for (part, number) in parts.iter().zip(1..) {
            assert_eq!(part.esm_class, EsmClass(0));
            assert_eq!(part.tlvs.u8(Tag::SAR_SEGMENT_SEQNUM), Some(number));
            assert_eq!(part.tlvs.u8(Tag::SAR_TOTAL_SEGMENTS), Some(2));
        }
        assert_eq!((parts[0].short_message.len(), parts[1].short_message.len()), (153, 47));
        let old = upstream(|upstream| {
            upstream.long = LongForm::Sar;
            upstream.interface_version = InterfaceVersion::V3_3;
        });
        assert_eq!(parts_of(&old, &long())[0].esm_class, EsmClass(0x40), "3.3 has no TLVs");
    }

    #[test]
    fn a_payload_carries_all_parts_at_once() {
        let payload = upstream(|upstream| upstream.long = LongForm::Payload);
        let mut dialect = Dialect::new(&payload, InterfaceVersion::V3_4);
        let submit = dialect.submit(&message(&long(), 2), NOW).unwrap();
        assert_eq!((submit.part, submit.segments), (0, 2));
        assert!(submit.pdu.short_message.is_empty());
        assert_eq!(submit.pdu.user_data().len(), 200);
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let mut dialect = Dialect::new(&upstream(|_| ()), InterfaceVersion::V3_4);
        let mut broken = message(&long(), 1);
        broken.pdu = bytes::Bytes::from_static(b"\0\x01");
        assert!(matches!(dialect.submit(&broken, NOW), Err(Unsendable::Stored(_))));
        let recounted = dialect.submit(&message(&long(), 3), NOW);
        assert!(matches!(recounted, Err(Unsendable::Recounted { charged: 3, now: 2 })));
    }

    /// Any text that admission lets pass, in any form that an operator wants, goes out in as many segments as were
    /// charged, and none of it is lost.
    fn goes_out_as_charged(coding: u8, text: &[u8], header: &[u8], long: LongForm) {
        use smpp_proto::text::Udh;
        let user_data = [header, text].concat();
        let payload = user_data.len() > 254;
        let mut pdu = SubmitSm {
            data_coding: smpp_proto::field::DataCoding(coding),
            esm_class: EsmClass(if header.is_empty() { 0 } else { 0x40 }),
            short_message: bytes::Bytes::new(),
            tlvs: Tlvs::EMPTY,
            ..long_one()
        };
        if payload {
            pdu.tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, user_data));
        } else {
            pdu.short_message = user_data.into();
        }
        let charged = count(&user_data_of(&pdu), Width::Eight).expect("not too long").segments;
        let mut dialect = Dialect::new(&upstream(|upstream| upstream.long = long), InterfaceVersion::V3_4);
        let mut message = message(&pdu, charged);
        let (mut segments, mut texts) = (0_u32, Vec::new());
        while message.parts_sent < charged {
            let submit = dialect.submit(&message, NOW).expect("sendable");
            let sent = submit.pdu.user_data().clone();
            let behind =
                if submit.pdu.esm_class.udhi() { Udh::cut(&sent).expect("a header").1 } else { &sent };
            texts.extend_from_slice(behind);
            segments += u32::from(submit.segments);
            message.parts_sent = if submit.part == 0 { charged } else { submit.part };
        }
        assert_eq!((segments, texts.as_slice()), (u32::from(charged), text), "{long:?}");
    }

    fn long_one() -> SubmitSm {
        SubmitSm { destination: Address::international("34600000001"), ..SubmitSm::default() }
    }

    fn user_data_of(pdu: &SubmitSm) -> UserData<'_> {
        user_data(pdu).expect("a header that is whole")
    }

    proptest::proptest! {
        #[test]
        fn what_is_counted_at_admission_is_what_is_sent(
            text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..1500),
            coding in proptest::sample::select(vec![0_u8, 1, 3, 4, 8]),
            header in proptest::sample::select(vec![&[][..], &[3, 0x25, 1, 1], &[6, 5, 4, 1, 2, 3, 4]]),
            long in proptest::sample::select(vec![LongForm::Udh8, LongForm::Udh16, LongForm::Sar, LongForm::Payload]),
        ) {
            goes_out_as_charged(coding, &text, header, long);
        }
    }
}
