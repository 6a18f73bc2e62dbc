//! Any octets as user data: headers, alphabets, parts and receipts read without breaking.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_proto::field::DataCoding;
use smpp_proto::text::{Receipt, Reference, UserData, split};

fuzz_target!(|octets: &[u8]| {
    let [coding, flags, rest @ ..] = octets else { return };
    let alphabet = DataCoding(*coding).alphabet();
    if let Ok(data) = UserData::read(alphabet, flags & 1 != 0, rest) {
        let _ = data.decode();
        let _ = data.part();
        let reference = if flags & 2 != 0 { Reference::Eight(1) } else { Reference::Sixteen(1) };
        if let Ok(parts) = split(&data, reference) {
            assert_eq!(usize::from(parts.parts().segments), parts.count());
        }
    }
    let receipt = Receipt::read(rest);
    let _ = (receipt.state(), receipt.is_receipt());
});
