//! Any octets as septets in any language, packed and unpacked; any text written with any tables and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_proto::text::gsm7::{self, national, pack};

fuzz_target!(|octets: &[u8]| {
    let [languages, fill, rest @ ..] = octets else { return };
    let language = |number: u8| (number < 14).then_some(number);
    let tables = national::tables(language(languages >> 4), language(languages & 0x0F));

    let text = gsm7::decode(rest, tables);
    assert_eq!(gsm7::characters(rest, tables).count(), text.chars().count());
    if let Ok(septets) = gsm7::encode(&text, tables) {
        assert_eq!(gsm7::septets(&text, tables), Some(septets.len()));
        assert_eq!(gsm7::decode(&septets, tables), text, "what was read reads the same when it is written anew");
        assert!(septets.iter().all(|septet| *septet < 0x80));
    }
    let said = String::from_utf8_lossy(rest);
    assert!(gsm7::encode_lossy(&said, tables).iter().all(|septet| *septet < 0x80));

    let septets: Vec<u8> = rest.iter().map(|octet| octet & 0x7F).collect();
    let packed = pack::pack(&septets, *fill);
    assert_eq!(pack::unpack(&packed, *fill, septets.len()), septets);
    let again = pack::unpack_padded(&pack::pack_padded(&septets, *fill), *fill);
    // Of two CRs at the end the last may be taken for padding (3GPP TS 23.038 §6.1.2.3.1).
    let less_one = septets.ends_with(b"\r\r").then(|| &septets[..septets.len() - 1]);
    assert!(again == septets || less_one == Some(&again[..]), "{septets:02X?} came back as {again:02X?}");
    let _ = pack::unpack_padded(rest, *fill);
    let _ = pack::fill_bits(rest.len());
});
