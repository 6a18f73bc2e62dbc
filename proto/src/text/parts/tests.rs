//! Counting and cutting, against figures from the capacity table and cuts made by hand.

use super::*;
use crate::text::{gsm7, ucs2};

fn data(alphabet: Alphabet, text: &[u8]) -> UserData<'_> {
    UserData::read(alphabet, false, text).unwrap()
}

fn segments(alphabet: Alphabet, text: &[u8]) -> u8 {
    count(&data(alphabet, text), Width::Eight).unwrap().segments
}

fn lengths(data: &UserData<'_>) -> Vec<usize> {
    split(data, Reference::Eight(7)).unwrap().map(|part| part.text.len()).collect()
}

#[test]
fn one_message_holds_exactly_160_septets_140_octets_and_70_units() {
    assert_eq!(segments(Alphabet::Gsm7, b""), 1);
    assert_eq!(segments(Alphabet::Gsm7, &[0x61; 160]), 1);
    assert_eq!(segments(Alphabet::Gsm7, &[0x61; 161]), 2);
    assert_eq!(segments(Alphabet::Ascii, &[0x61; 160]), 1);
    assert_eq!(segments(Alphabet::Latin1, &[0x61; 140]), 1);
    assert_eq!(segments(Alphabet::Latin1, &[0x61; 141]), 2);
    assert_eq!(segments(Alphabet::Ucs2, &[0x04; 140]), 1);
    assert_eq!(segments(Alphabet::Ucs2, &[0x04; 141]), 2);
}

#[test]
fn every_row_of_the_capacity_table_holds() {
    let concatenation = |size: usize| if size == 6 { Width::Eight } else { Width::Sixteen };
    // Octets of other elements, octets of the concatenation with the length octet, septets, octets, units.
    let table = [
        (0, 6, 153, 134, 67),
        (0, 7, 152, 133, 66),
        (3, 6, 149, 131, 65),
        (6, 6, 146, 128, 64),
        (3, 7, 148, 130, 65),
        (6, 7, 145, 127, 63),
    ];
    for (other, concatenated, septets, octets, units) in table {
        let header: &[u8] = match other {
            0 => &[],
            3 => &[3, 0x24, 1, 1],
            _ => &[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0],
        };
        let rows = [(Alphabet::Gsm7, septets), (Alphabet::Binary, octets), (Alphabet::Ucs2, units)];
        for (alphabet, room) in rows {
            let user_data = [header, &[0x61; 500]].concat();
            let data = UserData::read(alphabet, other > 0, &user_data).unwrap();
            let parts = count(&data, concatenation(concatenated)).unwrap();
            assert_eq!(parts.room, room, "{alphabet:?} with {other} and {concatenated}");
        }
    }
}

#[test]
fn a_header_without_concatenation_takes_its_share_of_one_message() {
    let ports = |text: usize| [&[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0][..], &vec![0x61; text]].concat();
    for (alphabet, fits) in [(Alphabet::Gsm7, 152), (Alphabet::Binary, 133), (Alphabet::Ucs2, 132)] {
        let whole = ports(fits);
        let data = UserData::read(alphabet, true, &whole).unwrap();
        assert_eq!(count(&data, Width::Eight).unwrap().segments, 1);
        let longer = ports(fits + 1);
        let data = UserData::read(alphabet, true, &longer).unwrap();
        assert_eq!(count(&data, Width::Eight).unwrap().segments, 2);
    }
}

#[test]
fn an_escape_pair_is_not_cut() {
    let text =
        [gsm7::encode(&"a".repeat(152), gsm7::Tables::default()).unwrap(), vec![ESC, 0x65], vec![0x61; 20]];
    assert_eq!(lengths(&data(Alphabet::Gsm7, &text.concat())), [152, 22]);
    // Two escapes are one blank: the pair may end the part.
    let text = [vec![0x61; 151], vec![ESC, ESC], vec![0x65; 20]].concat();
    assert_eq!(lengths(&data(Alphabet::Gsm7, &text)), [153, 20]);
    let text = [vec![0x61; 150], vec![ESC, ESC, ESC, 0x65], vec![0x61; 20]].concat();
    assert_eq!(lengths(&data(Alphabet::Gsm7, &text)), [152, 22]);
}

#[test]
fn a_surrogate_pair_is_not_cut() {
    let text = ucs2::encode(&("x".repeat(66) + "🙂" + &"y".repeat(10)));
    assert_eq!(lengths(&data(Alphabet::Ucs2, &text)), [132, 24]);
    let text = ucs2::encode(&("x".repeat(64) + "👩\u{200D}👧" + &"y".repeat(10)));
    assert_eq!(lengths(&data(Alphabet::Ucs2, &text)), [128, 30]);
}

#[test]
fn parts_are_numbered_and_carry_the_other_elements() {
    let user_data = [&[6, 5, 4, 0x0B, 0x84, 0x23, 0xF0][..], &[0xAA; 200]].concat();
    let data = UserData::read(Alphabet::Binary, true, &user_data).unwrap();
    let parts = split(&data, Reference::Eight(0x77)).unwrap();
    assert_eq!((parts.len(), parts.parts().segments), (2, 2));
    let mut written = Vec::new();
    for part in parts {
        let mut octets = Vec::new();
        part.write(&mut octets);
        assert_eq!(octets.len(), part.size());
        written.push(octets);
    }
    assert_eq!(written[0][..12], [11, 0, 3, 0x77, 2, 1, 5, 4, 0x0B, 0x84, 0x23, 0xF0]);
    assert_eq!(written[0].len(), 140);
    assert_eq!(written[1][..6], [11, 0, 3, 0x77, 2, 2]);
    assert_eq!(written[1].len(), 12 + 72);
}

#[test]
fn sixteen_bit_references_are_written_as_such() {
    let text = [0x61; 161];
    let mut parts = split(&data(Alphabet::Gsm7, &text), Reference::Sixteen(0xABCD)).unwrap();
    let mut header = Vec::new();
    parts.next().unwrap().write_header(&mut header);
    assert_eq!(header, [6, 8, 4, 0xAB, 0xCD, 2, 1]);
}

#[test]
fn what_is_a_part_already_stays_one() {
    let user_data = [&[5, 0, 3, 0xA5, 3, 1][..], &[0x61; 153]].concat();
    let part = UserData::read(Alphabet::Gsm7, true, &user_data).unwrap();
    assert_eq!(lengths(&part), [153]);
    assert_eq!(part.part().unwrap().total, 3);
    assert!(count(&part, Width::Eight).unwrap().fits());
    let mut written = Vec::new();
    split(&part, Reference::Eight(1)).unwrap().next().unwrap().write(&mut written);
    assert_eq!(written, user_data, "its header is kept octet for octet");

    let sar = Concatenation::from_sar(Some(1), Some(2), Some(1));
    let text = [0x61; 200];
    let too_long = data(Alphabet::Gsm7, &text).with_sar(sar);
    let parts = count(&too_long, Width::Eight).unwrap();
    assert_eq!((parts.segments, parts.fits()), (1, false));
}

#[test]
fn an_impossible_part_is_read_as_unsplit() {
    let user_data = [&[5, 0, 3, 1, 2, 3][..], &[0x61; 200]].concat();
    let data = UserData::read(Alphabet::Gsm7, true, &user_data).unwrap();
    let part = split(&data, Reference::Eight(9)).unwrap().next().unwrap();
    let mut header = Vec::new();
    part.write_header(&mut header);
    assert_eq!(header, [5, 0, 3, 9, 2, 1], "the impossible element is not sent on");
}

#[test]
fn there_are_never_more_than_255_parts() {
    assert_eq!(segments(Alphabet::Gsm7, &vec![0x61; 153 * 255]), 255);
    let too_long = vec![0x61; 153 * 255 + 1];
    assert_eq!(count(&data(Alphabet::Gsm7, &too_long), Width::Eight), Err(PartsError::TooMany));
    let header = [&[134, 0x70, 132][..], &[0; 132], &[0x61; 20]].concat();
    let full = UserData::read(Alphabet::Binary, true, &header).unwrap();
    assert_eq!(count(&full, Width::Eight), Err(PartsError::NoRoom));
}
