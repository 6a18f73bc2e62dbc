//! What admission counts is what is written on the air, also of texts that it writes anew.

use std::collections::HashMap;

use bytes::BytesMut;
use proptest::prelude::*;
use smpp_proto::field::{Alphabet, DataCoding};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::{Reference, gsm7, split, ucs2};
use tollgate::account::{AccountId, Credits};
use tollgate::clock::Timestamp;
use tollgate::policy::admit::user_data;
use tollgate::policy::filter::{Demand, Desk, Filters, Rule, Unicode};
use tollgate::policy::{Price, Snapshot, SnapshotParts, Submission, TextLimits, admit};

use super::{account, message};

const PRICE: i64 = 7;
/// Octets of user data on the air (3GPP TS 23.040 §9.2.3.24).
const AIR: usize = 140;

fn policy(mode: Option<Unicode>) -> Snapshot {
    let filters = Filters {
        unicode: mode.map(Rule::of),
        spend_per_day: Some(Rule::of(Credits::from_micro(i64::MAX))),
        ..Filters::default()
    };
    Snapshot::compile(SnapshotParts {
        accounts: vec![account(1, None)],
        filters: HashMap::from([(AccountId(1), filters)]),
        prices: vec![Price::of("", Credits::from_micro(PRICE))],
        limits: TextLimits { max_parts: 255, ..TextLimits::default() },
        ..SnapshotParts::default()
    })
    .unwrap()
}

/// Letters of several scripts, signs that take two septets, and those that take two units, in any order.
fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a", "Z", "@", "€", "{", "é", "ñ", "ж", "Щ", "ő", "“", "…", "Ω", "ς", "\u{200D}", "😀", "你", "\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..700).prop_map(|pieces| pieces.concat())
}

/// The same without what has no reading in the GSM alphabet.
fn readable() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['😀', '你', '\u{200D}'], "в"))
}

fn mode() -> impl Strategy<Value = Option<Unicode>> {
    prop::sample::select(vec![None, Some(Unicode::Allow), Some(Unicode::Transliterate)])
}

/// Octets of a text in an alphabet, or the octets of its UTF-8 where they are only octets.
fn written(text: &str, data_coding: DataCoding) -> Vec<u8> {
    match data_coding.alphabet() {
        Alphabet::Ucs2 => ucs2::encode(text),
        Alphabet::Gsm7 => gsm7::encode_lossy(text, gsm7::Tables::default()),
        _ => text.bytes().collect(),
    }
}

fn counts_what_is_written(text: &str, data_coding: u8, mode: Option<Unicode>) -> Result<(), TestCaseError> {
    let policy = policy(mode);
    let data_coding = DataCoding(data_coding);
    let mut pdu = message(data_coding, Vec::new());
    let octets = written(text, data_coding);
    if octets.len() > 254 {
        pdu.tlvs.push(smpp_proto::Tlv::new(smpp_proto::Tag::MESSAGE_PAYLOAD, octets));
    } else {
        pdu.short_message = octets.into();
    }
    let now = Timestamp::from_millis(1_000_000_000_000);
    let mut desk = Desk::default();
    desk.begin(now);
    let sender = policy.account(AccountId(1)).unwrap();
    let Ok(admitted) = admit(&policy, policy.sender(sender), Submission { pdu, body: None }, now, &mut desk)
    else {
        // What has no reading in the GSM alphabet is refused there; nothing else is.
        prop_assert_eq!(mode, Some(Unicode::Transliterate));
        return Ok(());
    };
    let stored = SubmitSm::decode(admitted.body().clone()).unwrap();
    let data = user_data(&stored).unwrap();
    let parts: Vec<_> = split(&data, Reference::Eight(1)).unwrap().collect();
    prop_assert_eq!(parts.len(), usize::from(admitted.parts()));
    let septets = matches!(stored.data_coding.alphabet(), Alphabet::Gsm7 | Alphabet::Ascii);
    for part in &parts {
        let mut out = BytesMut::new();
        part.write(&mut out);
        let air = if septets {
            // A header of 6 octets takes 7 septets of the 160, and so on (3GPP TS 23.040 §9.2.3.24).
            let header = if part.has_header() { usize::from(out[0]) + 1 } else { 0 };
            header + ((out.len() - header) * 7 + (7 - header * 8 % 7) % 7).div_ceil(8)
        } else {
            out.len()
        };
        prop_assert!(air <= AIR, "{} octets on the air", air);
    }
    let adds: Vec<_> = admitted.claims().iter().map(|claim| claim.demand).collect();
    let total = PRICE.unsigned_abs() * parts.len() as u64;
    prop_assert!(matches!(adds[..], [Demand::Quota { adds, .. }] if adds == total), "{:?}", adds);
    if mode == Some(Unicode::Transliterate) {
        prop_assert!(stored.data_coding.alphabet() != Alphabet::Ucs2);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_counted_is_what_is_written(
        text in text(),
        data_coding in prop::sample::select(vec![0_u8, 1, 3, 4, 8]),
        mode in mode(),
    ) {
        counts_what_is_written(&text, data_coding, mode)?;
    }

    #[test]
    fn what_is_counted_of_a_text_that_is_written_anew_is_what_is_written(text in readable(), mode in mode()) {
        counts_what_is_written(&text, 8, mode)?;
    }
}
