//! Section G, the fields of submit_sm: which values are taken, which are mended, and with what status the rest is refused.

use bytes::Bytes;
use smpp_proto::field::{COctets, DataCoding, EsmClass, InterfaceVersion, Npi, Ton};
use smpp_proto::pdu::{BindKind, Quirk, Quirks, SubmitSm};
use smpp_proto::{Address, CommandId};
use tollgate::account::{Canned, EmptyText, LongSenders, Manners, Profile};
use tollgate::policy::filter::Rule;

use crate::support::{Esme, Gate, Plan, submit, vector};

pub(crate) const TO: &str = "447700900123";

/// A gate that takes messages without a sender, as many of the vectors are.
pub(crate) async fn open(change: impl FnOnce(&mut Plan)) -> Gate {
    Gate::open(|plan| {
        plan.terms.default_source = Some("TEST".to_owned());
        change(plan);
    })
    .await
}

pub(crate) async fn strict() -> Gate {
    open(|plan| plan.bounds.lenience = Some(Manners::of(Profile::Strict))).await
}

/// Sends the vector, and gives the status of the answer in kind.
pub(crate) async fn verdict(esme: &mut Esme, id: &str) -> u32 {
    let sequence = esme.send_vector(id).await;
    let answer = esme.expect_answer(sequence).await;
    let request = u32::from_be_bytes(vector(id)[4..8].try_into().unwrap());
    assert_eq!(answer.header.command, CommandId(request).response(), "{id}");
    answer.header.status.0
}

async fn verdicts(esme: &mut Esme, expected: &[(&str, u32)]) {
    for (id, status) in expected {
        assert_eq!(verdict(esme, id).await, *status, "{id}");
    }
    esme.expect_quiet().await;
}

/// Submits, and gives the status.
async fn status(esme: &mut Esme, pdu: SubmitSm) -> u32 {
    esme.try_submit(pdu).await.0.0
}

/// The next message as the operator gets it.
pub(crate) async fn sent(gate: &Gate) -> SubmitSm {
    SubmitSm::decode(gate.sent().await.pdu).expect("a body of a submit_sm")
}

fn from(source: Address) -> SubmitSm {
    SubmitSm { source, ..submit(TO, "hello") }
}

fn to(digits: &str) -> SubmitSm {
    submit(digits, "hello")
}

#[tokio::test(flavor = "multi_thread")]
async fn c_090_an_error_response_is_a_header_or_has_an_empty_id_as_the_account_wants() {
    let mut gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    let sequence = esme.send_vector("V-248").await;
    assert_eq!(esme.expect_answer(sequence).await.header.length, 16);
    gate.change(|plan| plan.terms.error_bodies = true).await;
    let sequence = esme.send_vector("V-248").await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(
        (answer.header.status.0, answer.header.length, &answer.frame.body[..]),
        (0x0B, 17, &b"\0"[..])
    );
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_091_addresses_too_long_or_without_end_have_the_status_of_their_field() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    verdicts(&mut esme, &[("V-246", 0x0A), ("V-247", 0x0B), ("V-257", 0x0A), ("V-258", 0x0B)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_092_a_message_to_nobody_is_refused() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-248", 0x0B)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_093_a_number_is_freed_of_what_people_write_around_it() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    verdicts(&mut esme, &[("V-249", 0x0B), ("V-062", 0)]).await;
    assert_eq!(sent(&gate).await.destination.digits, TO);
    for written in ["00447700900123", "+44 7700 900123", "44-7700-900123"] {
        assert_eq!(status(&mut esme, to(written)).await, 0, "{written}");
        assert_eq!(sent(&gate).await.destination.digits, TO);
    }
    gate.ends_with("999996", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_094_numbers_have_3_to_15_digits() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    for (digits, expected) in [("12", 0x0B), ("123", 0), ("123456789012345", 0), ("1234567890123456", 0x0B)] {
        assert_eq!(status(&mut esme, to(digits)).await, expected, "{digits}");
    }
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_095_a_message_without_a_sender_gets_the_accounts_or_is_refused() {
    let mut gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    assert_eq!(status(&mut esme, from(Address::default())).await, 0);
    assert_eq!(sent(&gate).await.source, Address::alphanumeric("TEST"));
    gate.change(|plan| plan.terms.default_source = None).await;
    assert_eq!(status(&mut esme, from(Address::default())).await, 0x0A);
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_096_names_have_11_characters_and_longer_ones_are_refused_or_cut() {
    let mut gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    for npi in [Npi::UNKNOWN, Npi::ISDN] {
        assert_eq!(status(&mut esme, from(Address::new(Ton::ALPHANUMERIC, npi, "Elevenchars"))).await, 0);
        assert_eq!(sent(&gate).await.source, Address::alphanumeric("Elevenchars"));
    }
    assert_eq!(verdict(&mut esme, "V-250").await, 0x0A);
    gate.change(|plan| plan.terms.long_senders = LongSenders::Cut).await;
    assert_eq!(verdict(&mut esme, "V-250").await, 0);
    assert_eq!(sent(&gate).await.source, Address::alphanumeric("TwelveLette"));
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_097_a_sender_that_is_not_the_accounts_is_refused() {
    let gate = open(|plan| {
        let granted = ["ACME", "34600000000"].map(|sender| sender.parse().unwrap());
        plan.filters.senders = Some(Rule::of(granted.to_vec()));
    })
    .await;
    let mut esme = gate.bound().await;
    let sources = [("ACME", 0), ("34600000000", 0), ("acme", 0x0A), ("OTHER", 0x0A), ("3460000000", 0x0A)];
    for (source, expected) in sources {
        assert_eq!(status(&mut esme, from(Address::alphanumeric(source))).await, expected, "{source}");
    }
    assert_eq!(status(&mut esme, from(Address::default())).await, 0x0A, "the default is none of them");
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_098_ton_and_npi_that_mean_nothing_are_ignored_or_refused_strictly() {
    let gate = open(|_| {}).await;
    let odd = ["V-251", "V-252", "V-253", "V-254", "V-255"];
    let mut esme = gate.bound_as(BindKind::Transmitter).await;
    for id in odd {
        assert_eq!(verdict(&mut esme, id).await, 0, "{id}");
        let pdu = sent(&gate).await;
        let known = |ton: Ton, npi: Npi| ton.name().is_some() && npi.name().is_some();
        assert!(known(pdu.source.ton, pdu.source.npi) && known(pdu.destination.ton, pdu.destination.npi));
        assert_ne!(pdu.destination.ton, Ton::ALPHANUMERIC);
    }
    gate.books_hold();
    let gate = strict().await;
    let statuses = [0x48, 0x49, 0x50, 0x51, 0x50];
    let expected: Vec<_> = odd.into_iter().zip(statuses).collect();
    verdicts(&mut gate.bound().await, &expected).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_099_a_name_whose_ton_is_unknown_is_a_name() {
    let gate = open(|_| {}).await;
    assert_eq!(
        status(&mut gate.bound().await, from(Address::new(Ton::UNKNOWN, Npi::UNKNOWN, "ACME"))).await,
        0
    );
    assert_eq!(sent(&gate).await.source, Address::alphanumeric("ACME"));
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_100_an_unknown_service_type_is_ignored_and_a_long_one_refused() {
    let named = || SubmitSm { service_type: COctets::from("XYZ"), ..submit(TO, "hello") };
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    verdicts(&mut esme, &[("V-256", 0x15), ("V-044", 0)]).await;
    assert_eq!(status(&mut esme, named()).await, 0);
    gate.ends_with("999998", "2");
    let gate = strict().await;
    let mut esme = gate.bound().await;
    assert_eq!((status(&mut esme, named()).await, verdict(&mut esme, "V-044").await), (0x15, 0));
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_101_what_looks_like_a_receipt_never_becomes_one() {
    let mut gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    verdicts(&mut esme, &[("V-261", 0x43), ("V-262", 0x43)]).await;
    gate.ends_with("1000000", "0");
    gate.change(|plan| plan.bounds.lenience = Some(Manners::of(Profile::Permissive))).await;
    verdicts(&mut esme, &[("V-261", 0), ("V-262", 0)]).await;
    for _ in 0..2 {
        assert_eq!(sent(&gate).await.esm_class.0 & EsmClass::TYPE_MASK, 0);
    }
    assert_eq!(gate.forgiven("esm_class_type"), 2);
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_102_modes_acknowledgements_and_reply_path_are_taken() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    let classes = [
        ("V-052", 0x01),
        ("V-054", 0x03),
        ("V-055", 0x08),
        ("V-056", 0x10),
        ("V-057", 0x80),
        ("V-058", 0x83),
    ];
    for (id, class) in classes {
        assert_eq!(verdict(&mut esme, id).await, 0, "{id}");
        assert_eq!(sent(&gate).await.esm_class.0, class, "{id}");
    }
    verdicts(&mut gate.bound_at(InterfaceVersion::V5_0).await, &[("V-053", 0)]).await;
    gate.ends_with("999993", "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_103_transaction_mode_before_5_0_is_store_and_forward() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-263", 0)]).await;
    assert_eq!(sent(&gate).await.esm_class.0 & EsmClass::MODE_MASK, 3);
    let gate = strict().await;
    verdicts(&mut gate.bound().await, &[("V-263", 0x43)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_104_a_priority_above_the_highest_is_the_highest() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-059", 0), ("V-264", 0)]).await;
    assert_eq!((sent(&gate).await.priority_flag, sent(&gate).await.priority_flag), (3, 3));
    verdicts(&mut gate.bound_at(InterfaceVersion::V5_0).await, &[("V-060", 0)]).await;
    gate.ends_with("999997", "3");
    let gate = strict().await;
    verdicts(&mut gate.bound().await, &[("V-059", 0), ("V-264", 0x06)]).await;
    verdicts(&mut gate.bound_at(InterfaceVersion::V5_0).await, &[("V-060", 0), ("V-264", 0x06)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_105_reserved_bits_of_registered_delivery_are_cleared() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-265", 0)]).await;
    assert_eq!(sent(&gate).await.registered_delivery.0, 0x01);
    let gate = strict().await;
    verdicts(&mut gate.bound().await, &[("V-265", 0x07)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_107_replace_if_present_is_yes_or_no() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-267", 0x54)]).await;
    gate.ends_with("1000000", "0");
}

fn canned(plan: &mut Plan) {
    let text = |id: u8, text: &str| Canned { id, text: text.to_owned() };
    plan.terms.canned = vec![text(17, "Your table is free."), text(254, "Ваш стол")];
}

#[tokio::test(flavor = "multi_thread")]
async fn c_108_a_canned_text_that_is_not_there_is_refused() {
    let gate = open(canned).await;
    verdicts(&mut gate.bound().await, &[("V-270", 0x63), ("V-269", 0x63)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_109_a_canned_text_takes_the_place_of_the_number_that_names_it() {
    let gate = open(canned).await;
    verdicts(&mut gate.bound().await, &[("V-041", 0), ("V-042", 0)]).await;
    let latin = sent(&gate).await;
    assert_eq!((latin.sm_default_msg_id, &latin.short_message[..]), (0, &b"Your table is free."[..]));
    let cyrillic = sent(&gate).await;
    let ucs2 = b"\x04\x12\x04\x30\x04\x48\0\x20\x04\x41\x04\x42\x04\x3E\x04\x3B";
    assert_eq!((cyrillic.data_coding, &cyrillic.short_message[..]), (DataCoding::UCS2, &ucs2[..]));
    gate.ends_with("999998", "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_110_a_message_without_text_is_taken_or_refused_as_the_account_wants() {
    let mut gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    verdicts(&mut esme, &[("V-037", 0)]).await;
    gate.change(|plan| plan.terms.empty_text = EmptyText::Refuse).await;
    verdicts(&mut esme, &[("V-037", 0x01)]).await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_111_the_longest_short_message_of_each_version_is_taken() {
    let gate = strict().await;
    verdicts(&mut gate.bound().await, &[("V-039", 0)]).await;
    verdicts(&mut gate.bound_at(InterfaceVersion::V5_0).await, &[("V-040", 0)]).await;
    assert_eq!((sent(&gate).await.user_data().len(), sent(&gate).await.user_data().len()), (254, 255));
    // Two segments each.
    gate.ends_with("999996", "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_112_one_octet_more_than_3_4_allows_is_forgiven_but_not_strictly() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-274", 0)]).await;
    assert_eq!((sent(&gate).await.user_data().len(), gate.forgiven("full_message")), (255, 1));
    let gate = strict().await;
    verdicts(&mut gate.bound().await, &[("V-274", 0x01)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_113_a_text_shorter_than_its_length_is_refused_and_the_session_stays() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-271", 0x01), ("V-032", 0)]).await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_114_what_stands_behind_the_text_is_never_taken_for_text() {
    let gate = open(|plan| plan.bounds.lenience = Some(Manners::of(Profile::Permissive))).await;
    verdicts(&mut gate.bound().await, &[("V-272", 0xC0), ("V-273", 0xC0)]).await;
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_116_a_nul_in_the_text_is_carried_through() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-043", 0)]).await;
    assert_eq!(&sent(&gate).await.short_message[..], b"\0a\0b\0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_118_a_data_coding_that_is_none_has_the_status_of_the_version() {
    for (configured, expected) in [(0x45, 0x45), (0x401, 0x401)] {
        let gate = open(|plan| plan.esme.coding_status = configured).await;
        verdicts(&mut gate.bound().await, &[("V-268", expected)]).await;
        verdicts(&mut gate.bound_at(InterfaceVersion::V5_0).await, &[("V-268", 0x104)]).await;
        gate.ends_with("1000000", "0");
    }
    let accept = Quirks::NONE.with(Quirk::ReservedCoding);
    let gate = open(|plan| plan.bounds.lenience = Some(Manners { accept, ..Manners::default() })).await;
    verdicts(&mut gate.bound().await, &[("V-268", 0)]).await;
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_119_octets_above_ascii_are_carried_or_refused_and_never_altered() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    let octets = Bytes::from((0_u8..=255).filter(|octet| *octet >= 0x80).collect::<Vec<_>>());
    let name = COctets::from(&b"Caf\xE9"[..]);
    let pdu = SubmitSm {
        source: Address::alphanumeric(name.clone()),
        data_coding: DataCoding::BINARY,
        short_message: octets.clone(),
        ..submit(TO, "")
    };
    assert_eq!(status(&mut esme, pdu.clone()).await, 0);
    let came = sent(&gate).await;
    assert_eq!((came.source.digits, came.short_message), (name, octets));
    let nowhere = Address::international(COctets::from(&b"4477\xE9"[..]));
    assert_eq!(status(&mut esme, SubmitSm { destination: nowhere, ..pdu }).await, 0x0B);
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_120_a_protocol_id_that_replaces_on_the_phone_is_passed_on() {
    let gate = open(|_| {}).await;
    verdicts(&mut gate.bound().await, &[("V-061", 0)]).await;
    assert_eq!(sent(&gate).await.protocol_id, 0x41);
    gate.ends_with("999999", "1");
}
