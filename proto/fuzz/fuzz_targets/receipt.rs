//! Any octets as the text of a receipt, with any TLVs beside it; and a receipt that we write, which must read back.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use smpp_proto::field::{Alphabet, MessageState};
use smpp_proto::text::receipt::{
    Date, ErrorCode, Excerpt, LONGEST, ReceiptValues, ReportTlvs, fields, plain, write,
};
use smpp_proto::text::{Receipt, Report};

fuzz_target!(|octets: &[u8]| {
    // The first octet says how much belongs to the TLVs, so that seeds are texts with one octet before them.
    let Some((&split, rest)) = octets.split_first() else { return };
    let (tlvs, text) = rest.split_at(usize::from(split).min(rest.len()) % 32);
    read(text, tlvs);
    let _ = written(&mut Unstructured::new(rest));
});

fn read(text: &[u8], tlvs: &[u8]) {
    let text = plain(text);
    let receipt = Receipt::read(&text);
    let within = |value: Option<&[u8]>| value.is_none_or(|value| value.len() <= text.len());
    assert!(within(receipt.id) && within(receipt.stat) && within(receipt.err) && within(receipt.text));
    assert_eq!(receipt.is_receipt(), receipt.id.is_some() || receipt.stat.is_some());
    let read: usize = fields(&text).map(|field| field.name.len() + field.value.len()).sum();
    assert!(read <= text.len(), "no octet is in two fields");
    let (id, rest) = tlvs.split_at(tlvs.len() / 2);
    let tlvs = ReportTlvs {
        receipted_message_id: (!id.is_empty()).then_some(id),
        message_state: rest.first().map(|state| MessageState(*state)),
        network_error_code: rest.get(1..),
    };
    let report = Report::merge(&receipt, &tlvs);
    assert!(report.id.is_none_or(|id| !id.is_empty()));
    assert!(report.other_id.is_none_or(|other| report.id.is_some_and(|id| id != other)));
    let _ = report.err.as_ref().and_then(ErrorCode::number);
    for date in [receipt.submit_date, receipt.done_date].into_iter().flatten().filter_map(Date::read) {
        for offset in [-720, 0, 840] {
            let _ = date.unix_ms(offset);
        }
    }
}

fn written(from: &mut Unstructured<'_>) -> Result<()> {
    let alphabet = *from.choose(&[Alphabet::Gsm7, Alphabet::Ucs2, Alphabet::Latin1])?;
    let offset = from.int_in_range(-720..=840)?;
    // Minutes of the years that two digits can name, in any zone.
    let minute = |from: &mut Unstructured<'_>| from.int_in_range(15_779_520_i64..=55_000_000);
    let (submitted, done) = (minute(from)?, minute(from)?);
    let state = MessageState(from.int_in_range(1..=8)?);
    let length = from.int_in_range(1..=64_usize)?.min(from.len().max(1));
    let id: Vec<u8> = from.bytes(length)?.iter().map(|octet| b'0' + octet % 10).collect();
    let text = from.bytes(from.len())?;
    let values = ReceiptValues {
        id: &id,
        submitted: 1,
        delivered: 1,
        submit_unix_ms: submitted * 60_000,
        done_unix_ms: done * 60_000,
        offset,
        state,
        err: 0,
        text: Excerpt::of(alphabet, text),
    };
    let mut out = BytesMut::new();
    write(&values, &mut out).expect("an id that fits");
    assert!(out.len() <= LONGEST);
    let receipt = Receipt::read(&out);
    assert_eq!(receipt.id, Some(&id[..]));
    assert_eq!(receipt.state(), Some(state));
    let dates = [receipt.submit_date, receipt.done_date].map(|date| date.and_then(Date::read));
    let dates = dates.map(|date| date.expect("a date").unix_ms(offset));
    assert_eq!(dates, [values.submit_unix_ms, values.done_unix_ms]);
    Ok(())
}
