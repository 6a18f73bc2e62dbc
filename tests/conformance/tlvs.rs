//! Section I, optional parameters: kept in their order, mended or refused one by one, never joined.

use bytes::Bytes;
use smpp_proto::field::InterfaceVersion;
use smpp_proto::pdu::{Bind, BindKind, Quirk, Quirks};
use smpp_proto::{Address, CommandStatus, Tag};
use tollgate::account::{Manners, Profile};

use super::fields::{TO, open, sent, strict, verdict};
use crate::support::{Esme, Gate, Smsc, bind, submit, upstream, vector};

/// The row of parameters at the end of a vector, as octets.
fn row(id: &str, octets: usize) -> Vec<u8> {
    let vector = vector(id);
    vector[vector.len() - octets..].to_vec()
}

async fn taken(gate: &Gate, esme: &mut Esme, id: &str) -> Bytes {
    assert_eq!(verdict(esme, id).await, 0, "{id}");
    gate.sent().await.pdu
}

#[tokio::test(flavor = "multi_thread")]
async fn c_141_unknown_and_vendor_parameters_are_kept_octet_for_octet() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    for (id, octets) in [("V-126", 3 * 19), ("V-127", 6), ("V-128", 6 + 4)] {
        let pdu = taken(&gate, &mut esme, id).await;
        assert!(pdu.ends_with(&row(id, octets)), "{id}: {pdu:?}");
    }
    gate.ends_with("999997", "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_142_standard_parameters_are_carried_through_and_those_of_other_pdus_left_out() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    for id in ["V-115", "V-116", "V-117", "V-118", "V-119", "V-122"] {
        let pdu = taken(&gate, &mut esme, id).await;
        // The body of each is canonical, so that it is stored as it came.
        assert_eq!(&pdu[..], &vector(id)[16..], "{id}");
    }
    let mut five = gate.bound_at(InterfaceVersion::V5_0).await;
    for id in ["V-120", "V-121", "V-124", "V-125"] {
        let pdu = taken(&gate, &mut five, id).await;
        assert_eq!(&pdu[..], &vector(id)[16..], "{id}");
    }
    // data_sm, in the dress of a submit_sm.
    let pdu = taken(&gate, &mut esme, "V-123").await;
    assert!(pdu.ends_with(&row("V-123", 8 + 4 * 5)));
    taken(&gate, &mut esme, "V-129").await;
    assert_eq!(gate.forgiven("foreign_tlv"), 1);
    gate.ends_with("999988", "12");
    let gate = strict().await;
    assert_eq!(verdict(&mut gate.bound().await, "V-129").await, 0xC1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_143_parameters_mean_the_same_in_any_order() {
    let gate = strict().await;
    let mut esme = gate.bound().await;
    assert_eq!(verdict(&mut esme, "V-130").await, 0);
    let pdu = sent(&gate).await;
    let sar = [Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM];
    assert_eq!(sar.map(|tag| pdu.tlvs.u16(tag)), [Some(9), Some(2), Some(1)]);
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_144_a_broken_row_is_refused_and_the_session_stays() {
    let gate = open(|plan| plan.bounds.lenience = Some(Manners::of(Profile::Permissive))).await;
    let mut esme = gate.bound().await;
    for id in ["V-277", "V-278", "V-279", "V-280"] {
        assert_eq!(verdict(&mut esme, id).await, 0xC0, "{id}");
    }
    assert_eq!(verdict(&mut esme, "V-032").await, 0);
    gate.ends_with("999999", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_145_numbers_of_another_width_are_read_by_value_or_refused_strictly() {
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    assert_eq!(verdict(&mut esme, "V-283").await, 0);
    assert_eq!(sent(&gate).await.tlvs.get(Tag::USER_MESSAGE_REFERENCE).unwrap().as_ref(), [0, 1]);
    for (id, status) in [("V-284", 0xC2), ("V-285", 0xC2)] {
        assert_eq!(verdict(&mut esme, id).await, status, "{id}");
    }
    gate.ends_with("999999", "1");
    let gate = strict().await;
    let mut esme = gate.bound().await;
    for id in ["V-281", "V-282", "V-283", "V-284", "V-285"] {
        assert_eq!(verdict(&mut esme, id).await, 0xC2, "{id}");
    }
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_146_a_value_that_means_nothing_counts_as_absent_or_is_refused_strictly() {
    let gate = open(|_| {}).await;
    assert_eq!(verdict(&mut gate.bound().await, "V-286").await, 0);
    assert!(sent(&gate).await.tlvs.is_empty());
    let gate = strict().await;
    assert_eq!(verdict(&mut gate.bound().await, "V-286").await, 0xC4);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_147_of_two_texts_the_payload_wins_or_both_are_refused_and_never_joined() {
    let gate = open(|_| {}).await;
    for version in [InterfaceVersion::V3_4, InterfaceVersion::V5_0] {
        assert_eq!(verdict(&mut gate.bound_at(version).await, "V-287").await, 0);
        let pdu = sent(&gate).await;
        assert_eq!((&pdu.user_data()[..], &pdu.short_message[..]), (&b"dupl"[..], &b""[..]));
    }
    gate.ends_with("999998", "2");
    let refuse = Quirks::NONE.with(Quirk::BothTexts);
    let gate = open(|plan| plan.bounds.lenience = Some(Manners { refuse, ..Manners::default() })).await;
    assert_eq!(verdict(&mut gate.bound().await, "V-287").await, 0x01);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_148_of_two_payloads_the_first_counts() {
    let gate = open(|_| {}).await;
    assert_eq!(verdict(&mut gate.bound().await, "V-288").await, 0);
    let pdu = sent(&gate).await;
    assert_eq!((pdu.tlvs.len(), &pdu.user_data()[..]), (1, &b"a"[..]));
    let gate = strict().await;
    assert_eq!(verdict(&mut gate.bound().await, "V-288").await, 0xC1);
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_149_a_group_that_is_not_whole_or_cannot_be_is_left_out() {
    let odd = [("V-289", 0xC4), ("V-290", 0xC4), ("V-291", 0xC4), ("V-292", 0xC3)];
    let gate = open(|_| {}).await;
    let mut esme = gate.bound().await;
    for (id, _) in odd {
        assert_eq!(verdict(&mut esme, id).await, 0, "{id}");
        assert!(sent(&gate).await.tlvs.is_empty(), "{id}");
    }
    assert_eq!((gate.forgiven("sar_impossible"), gate.forgiven("sar_incomplete")), (3, 1));
    gate.ends_with("999996", "4");
    let gate = strict().await;
    let mut esme = gate.bound().await;
    for (id, status) in odd {
        assert_eq!(verdict(&mut esme, id).await, status, "{id}");
    }
    gate.ends_with("1000000", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_150_a_repeated_group_keeps_order_and_number_up_to_the_operator() {
    let smsc = Smsc::listen().await;
    let gate = open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let mut operator = smsc.bound().await;
    let mut esme = gate.bound().await;
    let rows = [("V-117", vec![0x0302, 0x0302, 0x0303, 0x0381, 0x0381]), ("V-118", vec![0x0381, 0x0304])];
    for (id, expected) in rows {
        assert_eq!(verdict(&mut esme, id).await, 0);
        let (sequence, pdu) = operator.expect_submit().await;
        let came: Vec<u16> = pdu.tlvs.iter().map(|tlv| tlv.tag.0).collect();
        assert_eq!(came, expected, "{id}");
        let callbacks: Vec<&[u8]> = pdu.tlvs.all(Tag::CALLBACK_NUM).map(|value| &value[..]).collect();
        let both = [&b"\x01\x02\x0807700900888"[..], b"\x01\x01\x01447700900999"];
        assert_eq!(callbacks, if id == "V-117" { &both[..] } else { &both[1..] });
        operator.accept_submit(sequence, id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_151_a_client_of_3_3_gets_no_parameter_in_anything() {
    let gate = open(|plan| plan.terms.status_detail = true).await;
    let mut esme = Esme::connect(gate.address).await;
    let old = Bind { interface_version: InterfaceVersion::V3_3, ..bind("acme", "secret") };
    let answer = esme.bind_with(BindKind::Receiver, old.clone()).await;
    assert_eq!(&answer.frame.body[..], b"tollgate\0");
    let mut sender = Esme::connect(gate.address).await;
    assert_eq!(sender.bind_with(BindKind::Transmitter, old).await.header.status, CommandStatus::ROK);
    let (status, _) = sender.try_submit(submit(TO, "hello")).await;
    assert_eq!(status, CommandStatus::ROK);
    let refused = sender.send_vector("V-248").await;
    assert_eq!(sender.expect_answer(refused).await.header.length, 16);
    gate.operate(tollgate::message::State::Delivered, 0).await;
    let receipt = esme.expect_deliver().await;
    assert!(receipt.tlvs.is_empty() && receipt.short_message.starts_with(b"id:"));
    gate.ends_with("999999", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_152_a_string_is_read_with_its_nul_and_without() {
    let smsc = Smsc::listen().await;
    let gate = open(|plan| plan.upstreams = vec![upstream("north", &smsc)]).await;
    let mut operator = smsc.bound().await;
    let mut esme = gate.bound().await;
    for (id, value) in [("77", &b"77\0"[..]), ("78", &b"78"[..])] {
        let message = esme.submit(TO, "hello").await;
        let (sequence, pdu) = operator.expect_submit().await;
        operator.accept_submit(sequence, id).await;
        let mut receipt = smpp_proto::pdu::DeliverSm {
            source: Address::international(TO),
            destination: pdu.source.clone(),
            esm_class: smpp_proto::field::EsmClass::DELIVERY_RECEIPT,
            ..Default::default()
        };
        receipt.tlvs.push(smpp_proto::Tlv::new(Tag::RECEIPTED_MESSAGE_ID, value));
        receipt.tlvs.push(smpp_proto::Tlv::u8(Tag::MESSAGE_STATE, 2));
        let sequence = operator.send(smpp_proto::Body::DeliverSm(receipt)).await;
        operator.expect_delivered(sequence).await;
        esme.expect_deliver().await;
        assert_eq!(gate.state(&message), "delivered", "{value:?}");
    }
    assert_eq!(gate.forgiven_north("tlv_without_nul"), 1);
    gate.ends_with("999998", "0");
}
