//! The first word of a message from a phone, by which it may be routed.

use bytes::Bytes;
use smpp_proto::field::{DataCoding, EsmClass, Tlvs};
use smpp_proto::pdu::{DataSm, DeliverSm};

use crate::message::wording;
pub use crate::policy::text::keyword;

/// That of a message from a phone as the store keeps it: the body of a deliver_sm. Of a part it says something only when
/// that is the first.
#[must_use]
pub fn of_deliver(body: &Bytes) -> Option<String> {
    let pdu = DeliverSm::decode(body.clone()).ok()?;
    read(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs)
}

/// The same of the body of a data_sm.
#[must_use]
pub fn of_data(body: &Bytes) -> Option<String> {
    let pdu = DataSm::decode(body.clone()).ok()?;
    read(pdu.data_coding, pdu.esm_class, pdu.user_data()?, &pdu.tlvs)
}

fn read(data_coding: DataCoding, esm_class: EsmClass, user_data: &[u8], tlvs: &Tlvs) -> Option<String> {
    keyword(&wording::read(data_coding, esm_class, user_data, tlvs).ok()?.decode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use smpp_proto::pdu::Header;

    #[test]
    fn the_first_word_is_what_counts() {
        for (text, word) in [
            ("win", Some("win")),
            ("  \"Win!\" a prize", Some("win")),
            ("gañe ya", Some("gane")),
            ("4x4 now", Some("4x4")),
            ("... ?", None),
            ("", None),
        ] {
            assert_eq!(keyword(text).as_deref(), word, "{text:?}");
        }
    }

    #[test]
    fn it_is_read_in_the_alphabet_of_the_message_and_behind_its_header() {
        let of = |coding, esm, text: &[u8]| {
            let pdu = DeliverSm {
                data_coding: DataCoding(coding),
                esm_class: EsmClass(esm),
                short_message: Bytes::copy_from_slice(text),
                ..DeliverSm::default()
            };
            let mut out = BytesMut::new();
            pdu.encode(&mut out, 1).unwrap();
            of_deliver(&out.split_off(Header::LENGTH).freeze())
        };
        assert_eq!(of(0, 0, b"win 1").as_deref(), Some("win"));
        assert_eq!(of(8, 0, b"\x04\x34\x04\x30\0 \0x").as_deref(), Some("да"));
        assert_eq!(of(0, 0x40, b"\x05\0\x03\x01\x02\x01win").as_deref(), Some("win"));
        assert_eq!(of_deliver(&Bytes::from_static(b"broken")), None);
    }
}
