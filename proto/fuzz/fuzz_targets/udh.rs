//! Any octets as a user data header: cut whole or refused, built again octet for octet, and put before parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_proto::field::DataCoding;
use smpp_proto::text::udh::Builder;
use smpp_proto::text::{Concatenation, Reference, Udh, UserData, Width, count, split};

fuzz_target!(|octets: &[u8]| {
    let [coding, choice, rest @ ..] = octets else { return };
    if let Ok((udh, text)) = Udh::cut(rest) {
        assert_eq!(udh.size() + text.len(), rest.len());
        rebuilt(&udh);
        let _ = (udh.ports(), udh.tables());
        if let Some(part) = udh.concatenation() {
            assert!(1 <= part.part && part.part <= part.total);
            assert!(part.width == Width::Sixteen || part.reference <= 0xFF);
        }
    }
    parts(DataCoding(*coding), *choice, rest);
});

fn rebuilt(udh: &Udh<'_>) {
    let built = udh.elements().try_fold(Builder::default(), |built, element| {
        let known = element.concatenation().filter(|_| element.data.len() < 5);
        match (known, element.ports()) {
            (Some(part), _) => built.concatenation(&part),
            (None, Some(ports)) => built.ports(&ports),
            (None, None) => built.element(element.id, element.data),
        }
    });
    let Ok(built) = built.map(Builder::build) else { return };
    assert_eq!(built.get(1..).unwrap_or_default(), udh.octets());
}

/// A message with any header is cut into parts whose headers say which they are and keep what else was in it.
fn parts(coding: DataCoding, choice: u8, octets: &[u8]) {
    let Ok(data) = UserData::read(coding.alphabet(), choice & 1 != 0, octets) else { return };
    let sar = Concatenation::from_sar(Some(u16::from(choice)), Some(choice >> 4), Some(choice & 0x0F));
    let data = if choice & 2 != 0 { data.with_sar(sar) } else { data };
    let reference = if choice & 4 != 0 { Reference::Sixteen(0x1234) } else { Reference::Eight(0x56) };
    let (Ok(counted), Ok(parts)) = (count(&data, reference.width()), split(&data, reference)) else {
        assert_eq!(count(&data, reference.width()).is_err(), split(&data, reference).is_err());
        return;
    };
    let mut cut = 0;
    for part in parts {
        cut += 1;
        let mut written = Vec::new();
        part.write(&mut written);
        assert_eq!(written.len(), part.size());
        if part.has_header() {
            assert!(Udh::cut(&written).is_ok(), "a header that we write is whole");
        }
    }
    assert_eq!(cut, usize::from(counted.segments));
    let _ = data.decode();
}
