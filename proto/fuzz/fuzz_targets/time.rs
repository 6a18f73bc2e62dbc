//! Any octets as a time, seen from any present: read or refused, and written back as the same time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_proto::SmppTime;

/// Ten thousand years on both sides of 1970, in milliseconds.
const SPAN: i64 = 315_569_520_000_000;

fuzz_target!(|octets: &[u8]| {
    let Some((now, text)) = octets.split_first_chunk() else { return };
    let now = i64::from_be_bytes(*now) % SPAN;
    let _ = SmppTime::absolute_utc(now).to_octets().expect("every moment can be written");
    let _ = SmppTime::parse_reported(text);
    if let Ok(time) = SmppTime::parse(text) {
        let _ = time.to_unix_ms(now);
        let written = time.to_octets().expect("what was read can be written");
        assert_eq!(SmppTime::parse(&written), Ok(time));
    }
});
