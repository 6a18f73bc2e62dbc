//! The same parts in another form: joined by a header of either width, by the sar_* TLVs, or whole in message_payload
//! (SMPP 3.4 §5.3.2.22 to .24 and .32, 3GPP TS 23.040 §9.2.3.24.1 and .8).

use super::{Part, UserData};
use crate::text::udh::{Concatenation, Udh, Width};

/// How a part says that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By an element of the user data header.
    Header(Width),
    /// By sar_msg_ref_num, sar_total_segments and sar_segment_seqnum.
    Sar,
}

/// A part in another form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// What the sar_* TLVs say; without it there are none.
    pub sar: Option<Concatenation>,
    /// Whether the user data begins with a header, so that esm_class needs bit 6.
    pub has_header: bool,
    /// Header and text.
    pub user_data: Vec<u8>,
}

impl UserData<'_> {
    /// The form in which a part says that it is one. The header wins over TLVs (conformance C-139).
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        let by_header = self.udh.and_then(|udh| udh.concatenation());
        by_header.map(|stated| Form::Header(stated.width)).or(self.part.map(|_| Form::Sar))
    }

    /// Writes a part in another form; all its other elements are kept octet for octet, behind the concatenation.
    ///
    /// A reference of 16 bits loses its upper half in a header of 8: the parts of one message stay together, because all
    /// lose the same. `None` when this is no part, or it has no room for the header (one of 160 septets joined by TLVs,
    /// or a full one whose reference would grow).
    #[must_use]
    pub fn rewritten(&self, form: Form) -> Option<Rewritten> {
        let stated = self.part?;
        let (concatenation, sar) = match form {
            Form::Header(Width::Eight) => (
                Some(Concatenation { width: Width::Eight, reference: stated.reference & 0xFF, ..stated }),
                None,
            ),
            Form::Header(width @ Width::Sixteen) => (Some(Concatenation { width, ..stated }), None),
            Form::Sar => (None, Some(Concatenation { width: Width::Sixteen, ..stated })),
        };
        let kept = kept_header(self.udh);
        let udh = if kept.is_empty() { None } else { Some(Udh::cut(&kept).ok()?.0) };
        let part = Part { concatenation, udh, text: self.text };
        if self.text.len() > self.room(part.header_size()) && form != Form::Sar {
            return None;
        }
        let mut user_data = Vec::with_capacity(part.size());
        part.write(&mut user_data);
        Some(Rewritten { sar, has_header: part.has_header(), user_data })
    }
}

/// The user data of a message that came in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Whether it begins with a header: what the parts said beside their concatenation.
    pub has_header: bool,
    /// Header and text.
    pub user_data: Vec<u8>,
}

/// Joins parts that stand in their order: the octets of their texts, behind the header elements that all of them bear.
///
/// `None` when they do not say the same beside their concatenation (another alphabet, port or language): such parts are
/// better left apart than read wrongly.
#[must_use]
pub fn whole(parts: &[UserData<'_>]) -> Option<Whole> {
    let first = parts.first()?;
    let header = kept_header(first.udh);
    let alike = |part: &UserData<'_>| part.alphabet == first.alphabet && kept_header(part.udh) == header;
    if !parts.iter().all(alike) {
        return None;
    }
    let has_header = !header.is_empty();
    let mut user_data = header;
    for part in parts {
        user_data.extend_from_slice(part.text);
    }
    Some(Whole { has_header, user_data })
}

/// The header without its concatenations, its length octet included; nothing if nothing else is in it.
fn kept_header(udh: Option<Udh<'_>>) -> Vec<u8> {
    let mut header = vec![0];
    for element in super::part::kept(udh) {
        // An element of a header that is whole has at most 253 octets.
        header.extend_from_slice(&[element.id, element.data.len() as u8]);
        header.extend_from_slice(element.data);
    }
    match u8::try_from(header.len() - 1) {
        Ok(length @ 1..) => header[0] = length,
        _ => header.clear(),
    }
    header
}

#[cfg(test)]
mod tests {
    use super::super::{Reference, split};
    use super::*;
    use crate::field::Alphabet;

    fn gsm(octets: &[u8]) -> UserData<'_> {
        UserData::read(Alphabet::Gsm7, true, octets).unwrap()
    }

    const EIGHT: Form = Form::Header(Width::Eight);
    const SIXTEEN: Form = Form::Header(Width::Sixteen);

    #[test]
    fn a_header_grows_shrinks_and_becomes_tlvs() {
        let eight = [5, 0, 3, 0xA5, 3, 1, b'h', b'i'];
        let part = gsm(&eight);
        assert_eq!(part.form(), Some(EIGHT));
        assert_eq!(part.rewritten(SIXTEEN).unwrap().user_data, [6, 8, 4, 0, 0xA5, 3, 1, b'h', b'i']);
        let sar = part.rewritten(Form::Sar).unwrap();
        let stated = Concatenation::from_sar(Some(0xA5), Some(3), Some(1));
        assert_eq!((sar.sar, sar.has_header, &sar.user_data[..]), (stated, false, &b"hi"[..]));
        let sixteen = [6, 8, 4, 0xAB, 0xCD, 2, 2, b'x'];
        assert_eq!(gsm(&sixteen).rewritten(EIGHT).unwrap().user_data, [5, 0, 3, 0xCD, 2, 2, b'x']);
    }

    #[test]
    fn tlvs_become_a_header_in_front_of_the_one_that_is_there() {
        let stated = Concatenation::from_sar(Some(0x1234), Some(2), Some(2));
        let plain = UserData::read(Alphabet::Gsm7, false, b"hi").unwrap().with_sar(stated);
        assert_eq!(plain.form(), Some(Form::Sar));
        let rewritten = plain.rewritten(EIGHT).unwrap();
        assert_eq!((rewritten.sar, rewritten.has_header), (None, true));
        assert_eq!(rewritten.user_data, [5, 0, 3, 0x34, 2, 2, b'h', b'i']);
        let ports = [6, 5, 4, 0x0B, 0x84, 0x23, 0xF0, b'h', b'i'];
        let rewritten = gsm(&ports).with_sar(stated).rewritten(SIXTEEN).unwrap();
        assert_eq!(
            rewritten.user_data,
            [12, 8, 4, 0x12, 0x34, 2, 2, 5, 4, 0x0B, 0x84, 0x23, 0xF0, b'h', b'i']
        );
        let back = gsm(&rewritten.user_data);
        let sar = back.rewritten(Form::Sar).unwrap();
        assert_eq!((sar.sar, sar.user_data), (stated, ports.to_vec()));
    }

    #[test]
    fn a_part_without_room_stays_as_it_is() {
        let stated = Concatenation::from_sar(Some(1), Some(2), Some(1));
        let full = [b'a'; 160];
        let part = UserData::read(Alphabet::Gsm7, false, &full).unwrap().with_sar(stated);
        assert_eq!(part.rewritten(EIGHT), None);
        let octets = [&[5, 0, 3, 1, 2, 1][..], &[b'a'; 153]].concat();
        assert_eq!(gsm(&octets).rewritten(SIXTEEN), None);
        assert_eq!(gsm(&octets).rewritten(Form::Sar).unwrap().user_data.len(), 153);
        assert_eq!(UserData::read(Alphabet::Gsm7, false, b"no part").unwrap().rewritten(EIGHT), None);
    }

    #[test]
    fn parts_make_the_whole_that_they_were_cut_from() {
        let original = [&[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0][..], &[0xAA; 300]].concat();
        let data = UserData::read(Alphabet::Binary, true, &original).unwrap();
        let written: Vec<Vec<u8>> = split(&data, Reference::Sixteen(9))
            .unwrap()
            .map(|part| {
                let mut out = Vec::new();
                part.write(&mut out);
                out
            })
            .collect();
        let parts: Vec<_> =
            written.iter().map(|octets| UserData::read(Alphabet::Binary, true, octets).unwrap()).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(whole(&parts), Some(Whole { has_header: true, user_data: original }));
        let other = UserData::read(Alphabet::Ucs2, true, &written[1]).unwrap();
        assert_eq!(whole(&[parts[0], other]), None, "another alphabet");
        let portless = [5, 0, 3, 9, 3, 2, 0xAA];
        let portless = UserData::read(Alphabet::Binary, true, &portless).unwrap();
        assert_eq!(whole(&[parts[0], portless]), None, "another header");
        assert_eq!(whole(&[]), None);
    }
}
