//! Receipts of many makes, and ours.

use bytes::BytesMut;

use super::*;
use crate::field::Alphabet;

fn read(text: &str) -> Receipt<'_> {
    Receipt::read(text.as_bytes())
}

fn some(text: &str) -> Option<&[u8]> {
    Some(text.as_bytes())
}

#[test]
fn the_text_of_appendix_b_is_read() {
    let receipt = read(
        "id:1234567800 sub:001 dlvrd:001 submit date:2506011200 done date:2506011201 stat:DELIVRD err:000 text:Hello w",
    );
    let expected = Receipt {
        id: some("1234567800"),
        sub: some("001"),
        dlvrd: some("001"),
        submit_date: some("2506011200"),
        done_date: some("2506011201"),
        stat: some("DELIVRD"),
        err: some("000"),
        text: some("Hello w"),
    };
    assert_eq!(receipt, expected);
    assert_eq!(receipt.state(), Some(MessageState::DELIVERED));
}

#[test]
fn order_case_and_spacing_do_not_matter() {
    let receipt = read(
        "STAT : undeliv\r\n Done  Date: 2025-06-01 12:01:05 ERR:0x1F,  Id:  a-b.C;SUBMITDATE:2506011200 Text:",
    );
    assert_eq!((receipt.id, receipt.stat, receipt.err), (some("a-b.C"), some("undeliv"), some("0x1F")));
    assert_eq!(receipt.done_date, some("2025-06-01 12:01:05"));
    assert_eq!((receipt.submit_date, receipt.text), (some("2506011200"), some("")));
    assert_eq!(receipt.state(), Some(MessageState::UNDELIVERABLE));
}

#[test]
fn nothing_behind_text_is_a_field() {
    let receipt = read("id:1 stat:DELIVRD text:stat:UNDELIV err:999 id:evil");
    assert_eq!((receipt.id, receipt.err), (some("1"), None));
    assert_eq!(receipt.text, some("stat:UNDELIV err:999 id:evil"));
}

#[test]
fn missing_values_do_not_swallow_the_next_field() {
    let receipt = read("id: sub:001 submit date: done date:2506011201 stat: err: text:x");
    assert_eq!((receipt.id, receipt.sub, receipt.submit_date), (some(""), some("001"), some("")));
    assert_eq!((receipt.done_date, receipt.stat, receipt.err), (some("2506011201"), None, some("")));
    assert_eq!(receipt.text, some("x"));
}

#[test]
fn unknown_fields_are_kept_and_a_bare_state_is_understood() {
    let text = b"id:1 mccmnc:26201 DELIVRD 2 err:7";
    let unknown: Vec<_> = fields(text).filter(|field| field.key == Key::Unknown).collect();
    assert_eq!(unknown, [Field { key: Key::Unknown, name: b"mccmnc", value: b"26201" }]);
    assert_eq!(Receipt::read(text).stat, some("DELIVRD"));
    let hello = read("Hello, nothing: to see here");
    assert!(!hello.is_receipt());
}

#[test]
fn every_word_for_a_state_is_known_and_others_are_no_failure() {
    let words = [
        ("ENROUTE", 1),
        ("DELIVRD", 2),
        ("EXPIRED", 3),
        ("DELETED", 4),
        ("UNDELIV", 5),
        ("ACCEPTD", 6),
        ("UNKNOWN", 7),
        ("REJECTD", 8),
        ("FAILED", 5),
        ("ACKED", 1),
        ("BUFFRED", 1),
        ("BUFFERD", 1),
        ("SCHEDULED", 0),
        ("SKIPPED", 9),
        ("Delivered", 2),
        ("2", 2),
        ("WHATEVER", 7),
    ];
    for (word, state) in words {
        let text = format!("id:1 stat:{word}");
        assert_eq!(read(&text).state(), Some(MessageState(state)), "{word}");
    }
    assert_eq!(read("id:1").state(), None);
}

#[test]
fn a_receipt_in_ucs2_is_narrowed_and_others_are_left_alone() {
    let wide: Vec<u8> = b"id:1 stat:DELIVRD".iter().flat_map(|&octet| [0, octet]).collect();
    assert_eq!(plain(&wide).as_ref(), b"id:1 stat:DELIVRD");
    assert_eq!(plain(b"id:1").as_ref(), b"id:1");
    assert_eq!(plain(b"").as_ref(), b"");
}

#[test]
fn tlvs_win_for_id_and_state_and_the_text_for_err() {
    let receipt = read("id:2147483648 stat:UNDELIV err:069");
    let tlvs = ReportTlvs {
        receipted_message_id: some("80000000\0"),
        message_state: Some(MessageState::EXPIRED),
        network_error_code: Some(&[3, 0, 27]),
    };
    let report = Report::merge(&receipt, &tlvs);
    assert_eq!((report.id, report.other_id), (some("80000000"), some("2147483648")));
    assert_eq!((report.state, report.err), (Some(MessageState::EXPIRED), Some(ErrorCode::Text(b"069"))));
    assert_eq!(report.err.and_then(|err| err.number()), Some(69));

    let report = Report::merge(&Receipt::default(), &tlvs);
    assert_eq!(report.err, Some(ErrorCode::Network { kind: 3, code: 27 }));
    let report = Report::merge(&receipt, &ReportTlvs::default());
    assert_eq!((report.id, report.other_id), (some("2147483648"), None));
}

#[test]
fn a_network_error_code_may_be_three_digits() {
    assert_eq!(ErrorCode::of_tlv(b"034"), Some(ErrorCode::Text(b"034")));
    assert_eq!(ErrorCode::of_tlv(&[3, 0, 34]), Some(ErrorCode::Network { kind: 3, code: 34 }));
    assert_eq!(ErrorCode::of_tlv(&[3, 0]), None);
}

fn values(id: &[u8]) -> ReceiptValues<'_> {
    ReceiptValues {
        id,
        submitted: 1,
        delivered: 1,
        submit_unix_ms: 1_748_772_000_000,
        done_unix_ms: 1_748_772_065_999,
        offset: 120,
        state: MessageState::DELIVERED,
        err: 0,
        text: Excerpt::of(Alphabet::Gsm7, b"Hello world, this is a long text"),
    }
}

#[test]
fn the_text_we_write_is_that_of_appendix_b() {
    let mut out = BytesMut::new();
    write(&values(b"1234567800"), &mut out).unwrap();
    let expected = "id:1234567800 sub:001 dlvrd:001 submit date:2506011200 done date:2506011201 \
                    stat:DELIVRD err:000 text:Hello world, this is";
    assert_eq!(out, expected.as_bytes());
}

#[test]
fn widths_hold_whatever_the_values_are() {
    let mut out = BytesMut::new();
    let id = [b'x'; 64];
    let extreme = ReceiptValues {
        submitted: u16::MAX,
        delivered: 1000,
        submit_unix_ms: i64::MIN,
        done_unix_ms: i64::MAX,
        offset: i16::MIN,
        state: MessageState::SKIPPED,
        err: 4711,
        ..values(&id)
    };
    write(&extreme, &mut out).unwrap();
    assert_eq!(out.len(), LONGEST);
    assert!(out.len() <= 254);
    let receipt = Receipt::read(&out);
    assert_eq!((receipt.sub, receipt.dlvrd, receipt.err), (some("999"), some("999"), some("999")));
    assert_eq!((receipt.stat, receipt.submit_date), (some("REJECTD"), some("7001010000")));
    assert_eq!(write(&values(&[b'x'; 65]), &mut BytesMut::new()), Err(IdTooLong));
}

#[test]
fn an_excerpt_is_default_alphabet_and_cuts_no_escape() {
    let excerpt = |alphabet, octets: &[u8]| Excerpt::of(alphabet, octets).septets().to_vec();
    let text = [&[b'a'; 19][..], &[0x1B, 0x65]].concat();
    assert_eq!(excerpt(Alphabet::Gsm7, &text), [b'a'; 19]);
    assert_eq!(excerpt(Alphabet::Gsm7, &text[1..]).len(), 20);
    assert_eq!(excerpt(Alphabet::Ucs2, &[0x04, 0x16, 0x00, 0x40]), [b'?', 0x00]);
    assert_eq!(excerpt(Alphabet::Binary, b"abc"), b"");
    assert_eq!(excerpt(Alphabet::Latin1, b"caf\xE9"), [b'c', b'a', b'f', 0x05]);
    assert_eq!(excerpt(Alphabet::Gsm7, &[0x61, 0xFF]), b"a?");
}
