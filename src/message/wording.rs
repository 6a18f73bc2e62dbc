//! A text on its way from one peer to the next: whatever a peer means by data_coding 0, here and in the store it is GSM
//! 7-bit, one septet an octet. What the next peer means by it is written when the message leaves.
//!
//! What is no text of data_coding 0 is never touched, and neither is a text behind a header that names a national
//! language: that header says by itself what the octets are (3GPP TS 23.038 §6.2.1.2).

use bytes::Bytes;
use smpp_proto::field::{Alphabet, DataCoding, EsmClass, Tag, Tlv, Tlvs};
use smpp_proto::pdu::{DeliverSm, SubmitSm};
use smpp_proto::text::gsm7::{self, Tables, pack};
use smpp_proto::text::udh::MESSAGE_OCTETS;
use smpp_proto::text::{
    Allowed, Charset, Concatenation, Udh, UdhError, UserData, Width, choose, decode_with, ucs2,
};

/// What of a PDU says how its text is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// The alphabet.
    pub data_coding: DataCoding,
    /// Whether the user data begins with a header.
    pub has_header: bool,
    /// Whether the message is a part of one, by its header or by TLVs.
    pub is_part: bool,
    /// Header and text.
    pub user_data: Bytes,
}

/// Octets that have no meaning in the charset they are said to be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads user data as far as counting, splitting and joining need it, the sar_* TLVs included.
///
/// # Errors
/// When its header is broken.
pub fn read<'a>(
    data_coding: DataCoding,
    esm_class: EsmClass,
    user_data: &'a [u8],
    tlvs: &Tlvs,
) -> Result<UserData<'a>, UdhError> {
    let data = UserData::read(data_coding.alphabet(), esm_class.udhi(), user_data)?;
    if tlvs.is_empty() {
        return Ok(data);
    }
    let sar = Concatenation::from_sar(
        tlvs.u16(Tag::SAR_MSG_REF_NUM),
        tlvs.u8(Tag::SAR_TOTAL_SEGMENTS),
        tlvs.u8(Tag::SAR_SEGMENT_SEQNUM),
    );
    Ok(data.with_sar(sar))
}

impl Wording {
    /// That of a submit_sm.
    #[must_use]
    pub fn of_submit(pdu: &SubmitSm) -> Self {
        Self::of(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs)
    }

    /// That of a deliver_sm.
    #[must_use]
    pub fn of_deliver(pdu: &DeliverSm) -> Self {
        Self::of(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs)
    }

    fn of(data_coding: DataCoding, esm_class: EsmClass, user_data: &Bytes, tlvs: &Tlvs) -> Self {
        let is_part = read(data_coding, esm_class, user_data, tlvs).is_ok_and(|data| data.part().is_some());
        Self { data_coding, has_header: esm_class.udhi(), is_part, user_data: user_data.clone() }
    }

    /// Puts it in the place of the text of a submit_sm.
    pub fn put_into_submit(self, pdu: &mut SubmitSm) {
        pdu.data_coding = self.data_coding;
        pdu.esm_class = pdu.esm_class.with_udhi(self.has_header);
        place(self.user_data, &mut pdu.short_message, &mut pdu.tlvs);
    }

    /// Puts it in the place of the text of a deliver_sm.
    pub fn put_into_deliver(self, pdu: &mut DeliverSm) {
        pdu.data_coding = self.data_coding;
        pdu.esm_class = pdu.esm_class.with_udhi(self.has_header);
        place(self.user_data, &mut pdu.short_message, &mut pdu.tlvs);
    }

    /// As the store keeps it, from a peer that means `charset` by data_coding 0; nothing when that is how it came.
    ///
    /// What the default alphabet does not hold goes as UCS2, or in a national table that `allowed` has where that saves a
    /// message. A part stays in the default alphabet, so that all parts of a message are alike: its characters become
    /// near relatives where they must.
    ///
    /// # Errors
    /// When the octets have no meaning in `charset`.
    pub fn from_peer(&self, charset: Charset, allowed: Allowed) -> Result<Option<Self>, Unreadable> {
        let Some((header, text)) = self.ours(charset) else { return Ok(None) };
        if charset == Charset::Gsm7Packed {
            let septets = pack::unpack_padded(text, pack::fill_bits(header.len()));
            return Ok(Some(self.with(self.data_coding, header, &septets)));
        }
        let text = charset.decode(text).ok_or(Unreadable)?;
        if let Ok(septets) = gsm7::encode(&text, Tables::default())
            && (self.is_part || allowed.languages.is_empty() || septets.len() <= ONE_MESSAGE)
        {
            return Ok(Some(self.with(DataCoding::DEFAULT, header, &septets)));
        }
        if self.is_part {
            let septets = gsm7::encode_lossy(&text, Tables::default());
            return Ok(Some(self.with(DataCoding::DEFAULT, header, &septets)));
        }
        Ok(Some(match choose(&text, allowed, Width::Eight) {
            Some(written) if header.is_empty() => Self {
                data_coding: written.data_coding,
                has_header: written.has_header(),
                is_part: false,
                user_data: written.user_data.into(),
            },
            // Its own header stays as it is, and takes no table.
            _ => match gsm7::encode(&text, Tables::default()) {
                Ok(septets) => self.with(DataCoding::DEFAULT, header, &septets),
                Err(_) => self.with(DataCoding::UCS2, header, &ucs2::encode(&text)),
            },
        }))
    }

    /// As a peer wants it that means `charset` by data_coding 0; nothing when that is how it stands.
    ///
    /// What the charset does not hold goes as UCS2 if the message still is one, else its characters become near
    /// relatives: what was charged as so many parts never takes more.
    #[must_use]
    pub fn for_peer(&self, charset: Charset) -> Option<Self> {
        let (header, text) = self.ours(charset)?;
        if charset == Charset::Gsm7Packed {
            let octets = pack::pack_padded(text, pack::fill_bits(header.len()));
            return Some(self.with(self.data_coding, header, &octets));
        }
        if !text.is_ascii() {
            // Octets that a client was allowed to send although they are no septets.
            return None;
        }
        let text = decode_with(Alphabet::Gsm7, text, Tables::default());
        if let Some(octets) = charset.encode(&text) {
            return Some(self.with(self.data_coding, header, &octets));
        }
        let wide = ucs2::encode(&text);
        if !self.is_part && header.len() + wide.len() <= MESSAGE_OCTETS {
            return Some(self.with(DataCoding::UCS2, header, &wide));
        }
        Some(self.with(self.data_coding, header, &charset.encode_lossy(&text)))
    }

    /// Header and text, if the charset of a peer has a say in how the text is written.
    fn ours(&self, charset: Charset) -> Option<(&[u8], &[u8])> {
        let concerned = match charset {
            Charset::Gsm7 => false,
            Charset::Gsm7Packed => self.data_coding.alphabet() == Alphabet::Gsm7,
            _ => self.data_coding == DataCoding::DEFAULT,
        };
        if !concerned {
            return None;
        }
        if !self.has_header {
            return Some((&[], &self.user_data));
        }
        let (udh, _) = Udh::cut(&self.user_data).ok()?;
        let national = udh.locking_language().is_some() || udh.single_language().is_some();
        if national && charset != Charset::Gsm7Packed {
            return None;
        }
        self.user_data.split_at_checked(udh.size())
    }

    fn with(&self, data_coding: DataCoding, header: &[u8], text: &[u8]) -> Self {
        let user_data = Bytes::from([header, text].concat());
        Self { data_coding, has_header: self.has_header, is_part: self.is_part, user_data }
    }
}

/// Septets that one message holds without a header (3GPP TS 23.040 §9.2.3.16): no table can save one.
const ONE_MESSAGE: usize = 160;

/// Puts user data where it was, or into message_payload when it became too long for short_message.
fn place(user_data: Bytes, short_message: &mut Bytes, tlvs: &mut Tlvs) {
    let in_payload = short_message.is_empty() && tlvs.has(Tag::MESSAGE_PAYLOAD);
    tlvs.remove(Tag::MESSAGE_PAYLOAD);
    if in_payload || user_data.len() > LONGEST_SHORT {
        *short_message = Bytes::new();
        tlvs.push(Tlv::new(Tag::MESSAGE_PAYLOAD, user_data));
    } else {
        *short_message = user_data;
    }
}

/// Octets of short_message that every version takes (SMPP 3.4 §5.2.22).
pub const LONGEST_SHORT: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;
    use smpp_proto::text::gsm7::Language;

    fn plain(user_data: &[u8]) -> Wording {
        Wording {
            data_coding: DataCoding::DEFAULT,
            has_header: false,
            is_part: false,
            user_data: Bytes::copy_from_slice(user_data),
        }
    }

    fn kept(user_data: &[u8], charset: Charset) -> (u8, Vec<u8>) {
        let wording = plain(user_data).from_peer(charset, Allowed::default()).unwrap().unwrap();
        (wording.data_coding.0, wording.user_data.to_vec())
    }

    #[test]
    fn gsm7_is_never_touched_and_nothing_else_of_other_codings() {
        assert_eq!(plain(b"\xC3\xA9").from_peer(Charset::Gsm7, Allowed::default()), Ok(None));
        for coding in [2, 3, 4, 8, 0xF5] {
            let other = Wording { data_coding: DataCoding(coding), ..plain(b"\xE9\x80") };
            assert_eq!(other.from_peer(Charset::Latin1, Allowed::default()), Ok(None));
            assert_eq!(other.for_peer(Charset::Utf8), None);
        }
    }

    #[test]
    fn a_text_of_another_charset_is_kept_as_gsm_or_ucs2() {
        assert_eq!(kept(b"caf\xE9", Charset::Latin1), (0, vec![b'c', b'a', b'f', 0x05]));
        assert_eq!(kept("caf\u{e9} €".as_bytes(), Charset::Utf8).1[3..], [0x05, b' ', 0x1B, 0x65]);
        assert_eq!(kept(b"\xE7a", Charset::Latin1), (8, vec![0x00, 0xE7, 0x00, b'a']));
        assert_eq!(kept(&[0xE8, 0x32, 0x9B, 0xFD, 0x06], Charset::Gsm7Packed), (0, b"hello".to_vec()));
        assert_eq!(plain(&[0xC3]).from_peer(Charset::Utf8, Allowed::default()), Err(Unreadable));
    }

    #[test]
    fn a_national_table_is_used_where_it_is_allowed_and_saves_a_message() {
        let allowed = Allowed { languages: [Language::Turkish].into_iter().collect(), ucs2: true };
        let text = "ş".repeat(71);
        let wording = plain(text.as_bytes()).from_peer(Charset::Utf8, allowed).unwrap().unwrap();
        assert_eq!((wording.data_coding.0, wording.has_header), (0, true));
        assert_eq!(wording.user_data[..5], [3, 0x25, 1, 1, 0x1D]);
        assert_eq!(wording.for_peer(Charset::Utf8), None, "its header says what it is");
    }

    #[test]
    fn a_part_keeps_its_header_and_stays_in_the_default_alphabet() {
        let part = Wording { has_header: true, is_part: true, ..plain(b"\x05\0\x03\x07\x02\x01\xE7\xE9") };
        let wording = part.from_peer(Charset::Latin1, Allowed::default()).unwrap().unwrap();
        assert_eq!((wording.data_coding.0, &wording.user_data[..]), (0, &[5, 0, 3, 7, 2, 1, 0x09, 0x05][..]));
    }

    #[test]
    fn a_text_leaves_as_the_peer_wants_it() {
        let septets = [b'c', b'a', b'f', 0x05];
        assert_eq!(plain(&septets).for_peer(Charset::Gsm7), None);
        assert_eq!(plain(&septets).for_peer(Charset::Latin1).unwrap().user_data[..], *b"caf\xE9");
        assert_eq!(plain(&septets).for_peer(Charset::Utf8).unwrap().user_data[..], *"café".as_bytes());
        let header = Wording { has_header: true, is_part: true, ..plain(b"\x05\0\x03\x07\x02\x01a") };
        // One fill bit behind six octets of header.
        assert_eq!(
            header.for_peer(Charset::Gsm7Packed).unwrap().user_data[..],
            [5, 0, 3, 7, 2, 1, b'a' << 1]
        );
        let euro = plain(&[0x1B, 0x65]).for_peer(Charset::Latin1).unwrap();
        assert_eq!((euro.data_coding.0, &euro.user_data[..]), (8, &[0x20, 0xAC][..]));
        let long = plain(&[&[b'a'; 100][..], &[0x1B, 0x65]].concat()).for_peer(Charset::Latin1).unwrap();
        assert_eq!((long.data_coding.0, long.user_data.len(), long.user_data[100]), (0, 101, b'?'));
    }
}
