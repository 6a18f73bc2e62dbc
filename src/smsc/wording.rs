//! What an operator gets of a text: parts in the form it wants, data_coding 0 in its own alphabet.

use smpp_proto::field::{Tag, Tlv, Tlvs};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::{Charset, Concatenation, Form, Rewritten, Width};

use super::settings::{ClientParts, LongForm, Upstream};
use crate::message::Wording;
use crate::message::wording::LONGEST_SHORT;
use crate::policy::admit::user_data;

/// How one operator wants texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts {
    pub(super) long: LongForm,
    client_parts: ClientParts,
    charset: Charset,
    takes_tlvs: bool,
}

impl Texts {
    pub(super) fn new(settings: &Upstream, takes_tlvs: bool) -> Self {
        let Upstream { long, client_parts, alphabet, .. } = *settings;
        Self { long, client_parts, charset: alphabet, takes_tlvs }
    }

    /// Puts a payload into short_message where it fits: every operator takes that.
    pub(super) fn unpack(self, pdu: &mut SubmitSm) {
        let fits = pdu.short_message.is_empty()
            && pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).is_some_and(|payload| payload.len() <= LONGEST_SHORT);
        if fits && self.long != LongForm::Payload {
            pdu.short_message = pdu.user_data().clone();
            pdu.tlvs.remove(Tag::MESSAGE_PAYLOAD);
        }
    }

    /// Brings a part that a client made into the form of this operator. One without room for it stays as it is.
    pub(super) fn convert(self, pdu: &mut SubmitSm) {
        let Ok(data) = user_data(pdu) else { return };
        let Some(now) = data.form() else { return };
        let rewritten = self.form_for(now).filter(|form| *form != now).and_then(|form| data.rewritten(form));
        match rewritten {
            Some(Rewritten { sar, has_header, user_data }) => {
                let wording = Wording {
                    data_coding: pdu.data_coding,
                    has_header,
                    is_part: true,
                    user_data: user_data.into(),
                };
                without_sar(&mut pdu.tlvs);
                wording.put_into_submit(pdu);
                if let Some(sar) = sar {
                    push_sar(&mut pdu.tlvs, &sar);
                }
            }
            // The header wins: an operator must not be told twice, perhaps differently (conformance C-139).
            None if now != Form::Sar => without_sar(&mut pdu.tlvs),
            None => {}
        }
    }

    /// The form in which a part goes on that came in the form `now`.
    fn form_for(self, now: Form) -> Option<Form> {
        let own = match self.long {
            LongForm::Udh8 => Some(Form::Header(Width::Eight)),
            LongForm::Udh16 => Some(Form::Header(Width::Sixteen)),
            LongForm::Sar if self.takes_tlvs => Some(Form::Sar),
            // A payload would need the other parts, which may never come.
            LongForm::Sar | LongForm::Payload => None,
        };
        match (now, own) {
            // Without TLVs only a header can say it (SMPP 3.4 §3.4).
            (Form::Sar, own) if !self.takes_tlvs => own.or(Some(Form::Header(Width::Eight))),
            _ if self.client_parts == ClientParts::Keep => None,
            (Form::Header(_), Some(Form::Header(_))) if self.client_parts != ClientParts::Exact => None,
            (_, own) => own,
        }
    }

    /// Writes a text of data_coding 0 in the operator's alphabet.
    pub(super) fn word(self, pdu: &mut SubmitSm, is_part: bool) {
        if self.charset == Charset::Gsm7 {
            return;
        }
        let mut wording = Wording::of_submit(pdu);
        wording.is_part |= is_part;
        if let Some(wording) = wording.for_peer(self.charset) {
            wording.put_into_submit(pdu);
        }
    }
}

/// Says by TLVs which part it is (SMPP 3.4 §5.3.2.22 to .24).
pub(super) fn push_sar(tlvs: &mut Tlvs, stated: &Concatenation) {
    tlvs.push(Tlv::u16(Tag::SAR_MSG_REF_NUM, stated.reference));
    tlvs.push(Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, stated.total));
    tlvs.push(Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, stated.part));
}

fn without_sar(tlvs: &mut Tlvs) {
    for tag in [Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM] {
        tlvs.remove(tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Secret;
    use bytes::Bytes;
    use smpp_proto::field::EsmClass;

    fn texts(long: LongForm, client_parts: ClientParts, takes_tlvs: bool) -> Texts {
        let mut upstream = Upstream::new("north", "localhost:2775", "gate", Secret::new("x"));
        upstream.long = long;
        upstream.client_parts = client_parts;
        Texts::new(&upstream, takes_tlvs)
    }

    fn by_header(octets: &'static [u8]) -> SubmitSm {
        SubmitSm {
            esm_class: EsmClass(0x40),
            short_message: Bytes::from_static(octets),
            ..SubmitSm::default()
        }
    }

    fn by_tlvs(reference: u16, text: &[u8]) -> SubmitSm {
        let mut pdu = SubmitSm { short_message: Bytes::copy_from_slice(text), ..SubmitSm::default() };
        pdu.tlvs.push(Tlv::u8(Tag(0x1400), 7));
        let stated = Concatenation { reference, width: Width::Sixteen, total: 2, part: 1 };
        push_sar(&mut pdu.tlvs, &stated);
        pdu
    }

    const EIGHT: &[u8] = b"\x05\x00\x03\xA5\x02\x01hi";

    #[test]
    fn a_header_of_either_width_goes_to_whoever_takes_headers() {
        for long in [LongForm::Udh8, LongForm::Udh16, LongForm::Payload] {
            for octets in [EIGHT, b"\x06\x08\x04\xAB\xCD\x02\x01hi"] {
                let mut pdu = by_header(octets);
                texts(long, ClientParts::Convert, true).convert(&mut pdu);
                assert_eq!(pdu, by_header(octets), "{long:?}");
            }
        }
    }

    #[test]
    fn tlvs_become_a_header_and_a_header_tlvs() {
        let mut pdu = by_tlvs(0x1234, b"hi");
        texts(LongForm::Udh8, ClientParts::Convert, true).convert(&mut pdu);
        assert_eq!((&pdu.short_message[..], pdu.esm_class.0), (&b"\x05\x00\x03\x34\x02\x01hi"[..], 0x40));
        assert_eq!(pdu.tlvs.len(), 1, "the vendor's stays");
        let mut pdu = by_header(EIGHT);
        texts(LongForm::Sar, ClientParts::Convert, true).convert(&mut pdu);
        assert_eq!((&pdu.short_message[..], pdu.esm_class.0), (&b"hi"[..], 0));
        assert_eq!(
            (pdu.tlvs.u16(Tag::SAR_MSG_REF_NUM), pdu.tlvs.u8(Tag::SAR_SEGMENT_SEQNUM)),
            (Some(0xA5), Some(1))
        );
        let mut pdu = by_header(EIGHT);
        texts(LongForm::Udh16, ClientParts::Exact, true).convert(&mut pdu);
        assert_eq!(&pdu.short_message[..], b"\x06\x08\x04\x00\xA5\x02\x01hi");
    }

    #[test]
    fn what_is_to_be_kept_or_has_no_room_is_kept() {
        let mut pdu = by_tlvs(1, b"hi");
        texts(LongForm::Udh8, ClientParts::Keep, true).convert(&mut pdu);
        assert_eq!(pdu, by_tlvs(1, b"hi"));
        texts(LongForm::Udh8, ClientParts::Keep, false).convert(&mut pdu);
        assert_eq!(pdu.esm_class.0, 0x40, "3.3 knows no TLVs");
        let mut full = by_tlvs(1, &[b'a'; 160]);
        texts(LongForm::Udh8, ClientParts::Convert, true).convert(&mut full);
        assert_eq!(full, by_tlvs(1, &[b'a'; 160]));
    }

    #[test]
    fn a_header_wins_over_tlvs_that_say_it_again() {
        let mut pdu = by_header(EIGHT);
        push_sar(&mut pdu.tlvs, &Concatenation { reference: 9, width: Width::Sixteen, total: 3, part: 3 });
        texts(LongForm::Udh8, ClientParts::Convert, true).convert(&mut pdu);
        assert_eq!(pdu, by_header(EIGHT));
    }
}
