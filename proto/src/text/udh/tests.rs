//! Headers written out by hand, and what they mean.

use super::*;

fn header(octets: &[u8]) -> Udh<'_> {
    Udh::cut(octets).unwrap().0
}

#[test]
fn a_header_is_cut_from_its_text() {
    let (udh, text) = Udh::cut(&[5, 0, 3, 0xA5, 3, 1, b'h', b'i']).unwrap();
    let expected = Concatenation { reference: 0xA5, width: Width::Eight, total: 3, part: 1 };
    assert_eq!(udh.concatenation(), Some(expected));
    assert_eq!((udh.size(), text), (6, &b"hi"[..]));
    let (udh, text) = Udh::cut(&[0]).unwrap();
    assert_eq!((udh.elements().count(), text), (0, &b""[..]));
}

#[test]
fn a_broken_header_is_an_error_that_says_where() {
    assert_eq!(Udh::cut(&[]), Err(UdhError::Missing));
    assert_eq!(Udh::cut(&[32, 0, 3, 1]), Err(UdhError::BeyondMessage { announced: 32, present: 3 }));
    assert_eq!(Udh::cut(&[5, 0, 9, 1, 2, 1, 7]), Err(UdhError::BeyondHeader { id: 0 }));
    assert_eq!(Udh::cut(&[4, 0x70, 1, 1, 0x71]), Err(UdhError::BeyondHeader { id: 0x71 }));
}

#[test]
fn impossible_parts_are_ignored() {
    for values in [[2, 0], [2, 3], [0, 1], [0, 0]] {
        assert_eq!(header(&[5, 0, 3, 1, values[0], values[1]]).concatenation(), None);
    }
    assert_eq!(header(&[4, 0, 2, 1, 1]).concatenation(), None, "wrong length");
    assert_eq!(Concatenation::from_sar(Some(7), None, Some(1)), None);
    assert_eq!(Concatenation::from_sar(Some(0x1234), Some(2), Some(2)).unwrap().reference, 0x1234);
    assert_eq!(Concatenation::new(Width::Eight, 256, 2, 1), None);
}

#[test]
fn the_last_of_several_counts() {
    let udh = header(&[11, 0, 3, 1, 2, 1, 8, 4, 0xAB, 0xCD, 2, 2]);
    let last = Concatenation { reference: 0xABCD, width: Width::Sixteen, total: 2, part: 2 };
    assert_eq!(udh.concatenation(), Some(last));
    let udh = header(&[12, 4, 2, 1, 2, 5, 4, 0x0B, 0x84, 0x23, 0xF0, 0x70, 0]);
    assert_eq!(udh.ports(), Some(Ports { destination: 2948, source: 9200, width: Width::Sixteen }));
    assert_eq!(udh.elements().last(), Some(Element { id: 0x70, data: &[] }));
}

#[test]
fn languages_choose_the_tables_and_unknown_ones_do_not() {
    let turkish = header(&[6, 0x24, 1, 1, 0x25, 1, 1]);
    assert_eq!((turkish.locking_language(), turkish.single_language()), (Some(1), Some(1)));
    assert_eq!(turkish.tables().locking.character(0x07), Some('ı'));
    assert_eq!(turkish.tables().single.character(0x53), Some('Ş'));
    let unknown = header(&[3, 0x24, 1, 99]);
    assert_eq!(unknown.tables().single.character(0x53), None);
}

#[test]
fn what_the_builder_writes_is_what_the_book_prints() {
    let concatenation = Concatenation::new(Width::Eight, 0x77, 2, 1).unwrap();
    let ports = Ports { destination: 2948, source: 9200, width: Width::Sixteen };
    let built = Builder::default().concatenation(&concatenation).unwrap().ports(&ports).unwrap().build();
    assert_eq!(built, [11, 0, 3, 0x77, 2, 1, 5, 4, 0x0B, 0x84, 0x23, 0xF0]);
    let languages = Builder::default().single_language(1).unwrap().locking_language(3).unwrap().build();
    assert_eq!(languages, [6, 0x24, 1, 1, 0x25, 1, 3]);
    assert!(Builder::default().element(0x70, &[0; 200]).is_err());
    assert!(Builder::default().build().is_empty());
}
