//! What holds for any text: nothing is lost, nothing panics, and what is counted is what is cut.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use smpp_proto::field::{Alphabet, DataCoding, MessageState};
use smpp_proto::text::gsm7::{self, ESC, Tables, national, pack};
use smpp_proto::text::receipt::{Date, Excerpt, ReceiptValues, fields, plain, write};
use smpp_proto::text::{Concatenation, Receipt, Reference, Udh, UserData, Width, count, decode, split, ucs2};

/// Characters of the default alphabet, those of the extension often.
fn gsm_text(most: usize) -> impl Strategy<Value = String> {
    let characters: Vec<char> =
        (0..128).filter_map(|code| Tables::default().locking.character(code)).collect();
    let character = prop_oneof![
        3 => proptest::sample::select(characters),
        1 => proptest::sample::select("^{}\\[~]|€".chars().collect::<Vec<_>>()),
    ];
    vec(character, 0..most).prop_map(String::from_iter)
}

/// Letters, marks and emoji, joined and not.
fn any_text(most: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        2 => proptest::sample::select("🙂👩👧𝄞🏽\u{200D}\u{FE0F}".chars().collect::<Vec<_>>()),
        1 => proptest::char::range('\u{300}', '\u{310}'),
        1 => any::<char>(),
    ];
    vec(character, 0..most).prop_map(String::from_iter)
}

fn reference(wide: bool) -> Reference {
    if wide { Reference::Sixteen(0x1234) } else { Reference::Eight(0x56) }
}

/// Counts greedily, one character at a time, the way a person would.
fn count_by_hand(units: impl Iterator<Item = usize>, whole: usize, room: usize) -> usize {
    let units: Vec<usize> = units.collect();
    if units.iter().sum::<usize>() <= whole {
        return 1;
    }
    let (mut segments, mut filled) = (1, 0);
    for unit in units {
        if filled + unit > room {
            (segments, filled) = (segments + 1, 0);
        }
        filled += unit;
    }
    segments
}

proptest! {
    #[test]
    fn gsm_text_comes_back_from_octets_and_from_packed_octets(text in gsm_text(400), fill in 0_u8..7) {
        let septets = gsm7::encode(&text, Tables::default()).unwrap();
        prop_assert_eq!(gsm7::septets(&text, Tables::default()), Some(septets.len()));
        prop_assert_eq!(gsm7::decode(&septets, Tables::default()), text);
        let packed = pack::pack(&septets, fill);
        prop_assert_eq!(pack::unpack(&packed, fill, septets.len()), septets);
    }

    #[test]
    fn national_tables_lose_nothing(text in "\\PC{0,40}", language in 0_u8..16) {
        let tables = national::tables(Some(language), Some(language));
        if let Ok(septets) = gsm7::encode(&text, tables) {
            prop_assert_eq!(gsm7::decode(&septets, tables), text.as_str());
        }
        prop_assert!(gsm7::encode_lossy(&text, tables).iter().all(|septet| *septet < 0x80));
    }

    #[test]
    fn any_text_comes_back_from_ucs2(text in any_text(200)) {
        let octets = ucs2::encode(&text);
        prop_assert_eq!(octets.len(), ucs2::units(&text) * 2);
        prop_assert!(ucs2::fault(&octets).is_none_or(|fault| fault == ucs2::Fault::LittleEndian));
        prop_assert_eq!(ucs2::decode(&octets), text);
    }

    #[test]
    fn any_octets_can_be_read(octets in vec(any::<u8>(), 0..300), coding: u8) {
        let _ = decode(DataCoding(coding).alphabet(), &octets);
        let _ = pack::unpack_padded(&octets, coding);
        let _ = Date::read(&octets);
        let _ = Excerpt::of(DataCoding(coding).alphabet(), &octets);
        if let Ok((udh, text)) = Udh::cut(&octets) {
            prop_assert_eq!(udh.size() + text.len(), octets.len());
            prop_assert_eq!(udh.elements().map(|element| element.data.len() + 2).sum::<usize>() + 1, udh.size());
        }
    }

    #[test]
    fn any_octets_can_be_read_as_a_receipt(octets in vec(
        prop_oneof![any::<u8>(), proptest::sample::select(b"::  idsubmterxd,".to_vec())], 0..200,
    )) {
        let _ = Receipt::read(&octets);
        let _ = plain(&octets);
        let read: usize = fields(&octets).map(|field| field.name.len() + field.value.len()).sum();
        prop_assert!(read <= octets.len());
    }

    #[test]
    fn a_gsm_text_is_cut_as_one_would_by_hand(text in gsm_text(2000), wide: bool) {
        let septets = gsm7::encode(&text, Tables::default()).unwrap();
        let data = UserData::read(Alphabet::Gsm7, false, &septets).unwrap();
        let units = text.chars().map(|c| gsm7::septets(c.encode_utf8(&mut [0; 4]), Tables::default()).unwrap());
        let expected = count_by_hand(units, 160, if wide { 152 } else { 153 });
        let parts = split(&data, reference(wide)).unwrap();
        prop_assert_eq!(usize::from(parts.parts().segments), expected);
        let texts: String = parts.map(|part| gsm7::decode(part.text, Tables::default())).collect();
        prop_assert_eq!(texts, text, "parts that cut no escape read as the whole does");
    }

    #[test]
    fn plain_ucs2_is_cut_as_one_would_by_hand(text in vec(proptest::sample::select(vec!['x', 'Ж', '🙂']), 0..900)) {
        let text = String::from_iter(text);
        let octets = ucs2::encode(&text);
        let data = UserData::read(Alphabet::Ucs2, false, &octets).unwrap();
        let expected = count_by_hand(text.chars().map(char::len_utf16), 70, 67);
        prop_assert_eq!(usize::from(count(&data, Width::Eight).unwrap().segments), expected);
        let texts: String = split(&data, reference(false)).unwrap().map(|part| ucs2::decode(part.text)).collect();
        prop_assert_eq!(texts, text);
    }

    #[test]
    fn what_is_counted_is_what_is_cut(
        octets in vec(prop_oneof![3 => any::<u8>(), 1 => Just(ESC), 1 => Just(0xD8)], 0..3000),
        coding in proptest::sample::select(vec![0_u8, 1, 3, 4, 6, 8, 14]),
        header in proptest::sample::select(vec![&[][..], &[3, 0x25, 1, 6], &[6, 5, 4, 1, 2, 3, 4], &[4, 0x70, 2, 0, 0]]),
        wide: bool,
    ) {
        let user_data = [header, &octets].concat();
        let data = UserData::read(DataCoding(coding).alphabet(), !header.is_empty(), &user_data).unwrap();
        let counted = count(&data, reference(wide).width()).unwrap();
        let parts: Vec<_> = split(&data, reference(wide)).unwrap().collect();
        prop_assert_eq!(parts.len(), usize::from(counted.segments));
        prop_assert_eq!(parts.iter().flat_map(|part| part.text).copied().collect::<Vec<u8>>(), octets);
        for (place, part) in parts.iter().enumerate() {
            let mut written = Vec::new();
            part.write(&mut written);
            prop_assert_eq!(written.len(), part.size());
            let septets = matches!(coding, 0 | 1);
            let on_air = part.header_size() * 8 + part.text.len() * if septets { 7 } else { 8 };
            prop_assert!(on_air <= 1120, "{} bits", on_air);
            prop_assert!(parts.len() == 1 || !part.text.is_empty());
            if parts.len() > 1 {
                let read = Udh::cut(&written).unwrap().0.concatenation();
                let reference = reference(wide);
                let number = if wide { 0x1234 } else { 0x56 };
                let stated = Concatenation::new(reference.width(), number, counted.segments, place as u8 + 1);
                prop_assert_eq!(read, stated);
            }
        }
    }

    #[test]
    fn marked_and_joined_text_comes_back_from_its_parts(text in any_text(600)) {
        let octets = ucs2::encode(&text);
        let data = UserData::read(Alphabet::Ucs2, false, &octets).unwrap();
        let parts = split(&data, reference(false)).unwrap();
        let texts: String = parts.map(|part| ucs2::decode(part.text)).collect();
        prop_assert_eq!(texts, text);
    }

    #[test]
    fn a_receipt_we_write_is_read_back(
        id in "[!-+.-9<-~]{1,64}", submitted in 0_u16..1000, delivered in 0_u16..1000, err in 0_u16..1000,
        minute in 0_i64..40_000_000, offset in -720_i16..840, state in 1_u8..9, text in gsm_text(40),
    ) {
        let septets = gsm7::encode(&text, Tables::default()).unwrap();
        let values = ReceiptValues {
            id: id.as_bytes(), submitted, delivered, err, offset,
            submit_unix_ms: (minute + 15_778_080) * 60_000, done_unix_ms: (minute + 15_778_081) * 60_000,
            state: MessageState(state), text: Excerpt::of(Alphabet::Gsm7, &septets),
        };
        let mut out = BytesMut::new();
        write(&values, &mut out).unwrap();
        prop_assert!(out.len() <= 254);
        let receipt = Receipt::read(&out);
        prop_assert_eq!(receipt.id, Some(id.as_bytes()));
        prop_assert_eq!(receipt.state(), Some(MessageState(state)));
        let err = format!("{err:03}");
        prop_assert_eq!(receipt.err, Some(err.as_bytes()));
        let dates = [receipt.submit_date, receipt.done_date].map(|date| date.and_then(Date::read).unwrap());
        prop_assert_eq!(dates.map(|date| date.unix_ms(offset)), [values.submit_unix_ms, values.done_unix_ms]);
        prop_assert_eq!(receipt.text, Some(values.text.septets()));
    }
}
