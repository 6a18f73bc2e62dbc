//! The practice operator as a client meets it: binds, answers, receipts in every habit, refusals and bad manners.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::field::{COctets, MessageState};
use smpp_proto::pdu::{BindKind, CancelSm, Destination, QuerySm, SubmitMulti};
use smpp_proto::{Address, Body, CommandId, CommandStatus, Tag};
use support::{Esme, submit, within};
use tollgate::sim::delay::Delay;
use tollgate::sim::ident::IdFormat;
use tollgate::sim::settings::{Mo, ReceiptStyle};
use tollgate::sim::{Operator, Settings};

async fn operator(settings: Settings) -> Operator {
    Operator::start(settings).await.expect("an operator")
}

fn hostile(mode: &str) -> Settings {
    Settings { hostile: vec![mode.parse().expect("a mode")], ..Settings::default() }
}

fn later() -> Delay {
    Delay::fixed(Duration::from_secs(600))
}

#[tokio::test]
async fn accepts_a_message_and_sends_its_receipt() {
    let operator = operator(Settings::default()).await;
    let mut esme = Esme::bound(operator.address(), "anyone", "anything").await;
    let id = esme.submit("34600000001", "Hello").await;
    let receipt = esme.expect_deliver().await;
    assert_eq!(receipt.source.digits, "34600000001");
    assert_eq!(receipt.tlvs.c_octets(Tag::RECEIPTED_MESSAGE_ID), Some(COctets::from(id.as_str())));
    assert!(receipt.short_message.starts_with(format!("id:{id} sub:001 dlvrd:001").as_bytes()));
    esme.expect_quiet().await;
    let stats = operator.stats();
    assert_eq!((stats.accepted, stats.distinct, stats.receipts_sent, stats.receipts_answered), (1, 1, 1, 1));
    esme.unbind().await;
    assert_eq!(operator.stop().await.bound, 0);
}

#[tokio::test]
async fn only_its_users_bind() {
    let users = vec!["gate:secret".parse().expect("a user")];
    let operator = operator(Settings { users, ..Settings::default() }).await;
    let mut esme = Esme::connect(operator.address()).await;
    let answer = esme.bind(BindKind::Transceiver, "gate", "wrong").await;
    assert_eq!(answer.header.status, CommandStatus::RBINDFAIL);
    let answer = esme.bind(BindKind::Transceiver, "gate", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
    let answer = esme.bind(BindKind::Transceiver, "gate", "secret").await;
    assert_eq!(answer.header.status, CommandStatus::RALYBND);
}

#[tokio::test]
async fn answers_what_is_out_of_place() {
    let operator = operator(Settings::default()).await;
    let mut esme = Esme::connect(operator.address()).await;
    let (status, _) = esme.try_submit(submit("34600000001", "too early")).await;
    assert_eq!(status, CommandStatus::RINVBNDSTS);
    esme.send_empty(CommandId(0x0001_0001), CommandStatus::ROK, 77).await;
    esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID).await;
    esme.send_raw(&[0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]).await;
    let nack = esme.expect_status(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN).await;
    assert_eq!(nack.header.sequence, 9);
    esme.expect_closed().await;
}

#[tokio::test]
async fn receipts_find_a_receiver_of_the_same_account_also_later() {
    let operator = operator(Settings::default()).await;
    let mut transmitter = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
    let first = transmitter.submit("34600000001", "before").await;
    let mut stranger = Esme::bound_as(BindKind::Receiver, operator.address(), "other", "").await;
    let mut receiver = Esme::bound_as(BindKind::Receiver, operator.address(), "gate", "").await;
    assert!(receiver.expect_deliver().await.short_message.starts_with(format!("id:{first} ").as_bytes()));
    let second = transmitter.submit("34600000001", "after").await;
    assert!(receiver.expect_deliver().await.short_message.starts_with(format!("id:{second} ").as_bytes()));
    stranger.expect_quiet().await;
}

#[tokio::test]
async fn a_receipt_without_answer_comes_again_on_the_next_session() {
    let operator = operator(Settings::default()).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    esme.submit("34600000001", "Hello").await;
    let (_, first) = esme.expect_deliver_unanswered().await;
    drop(esme);
    let mut again = Esme::bound(operator.address(), "gate", "").await;
    assert_eq!(again.expect_deliver().await.short_message, first.short_message);
    again.expect_quiet().await;
    let stats = operator.stats();
    assert_eq!((stats.receipts_sent, stats.receipts_answered, stats.receipts_repeated), (2, 1, 1));
}

#[tokio::test]
async fn ids_and_states_as_told() {
    let operator = operator(Settings {
        id_format: IdFormat::HexRespDecReceipt,
        first_id: 0xBEEF,
        endings: vec![(MessageState::UNDELIVERABLE, 1_000_000)],
        ..Settings::default()
    })
    .await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    assert_eq!(esme.submit("34600000001", "Hello").await, "beef");
    let receipt = esme.expect_deliver().await;
    let text = String::from_utf8_lossy(&receipt.short_message).into_owned();
    assert!(text.starts_with("id:48879 ") && text.contains("stat:UNDELIV err:001"), "{text}");
}

#[tokio::test]
async fn a_receipt_can_overtake_its_answer() {
    let operator = operator(Settings { receipt_overtakes: true, ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    let sequence = esme.send(Body::SubmitSm(submit("34600000001", "Hello"))).await;
    esme.expect_deliver().await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(answer.header.status, CommandStatus::ROK);
}

#[tokio::test]
async fn the_throttle_and_the_error_mix_refuse() {
    let operator = operator(Settings { throttle: Some(2), ..Settings::default() }).await;
    let mut esme = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(esme.try_submit(submit("34600000001", "Hello")).await.0);
    }
    assert_eq!(statuses.iter().filter(|status| status.is_ok()).count(), 2);
    assert_eq!(statuses.last(), Some(&CommandStatus::RTHROTTLED));

    let errors = vec!["ESME_RMSGQFUL:100%".parse().expect("a share")];
    let operator = self::operator(Settings { errors, ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    assert_eq!(esme.try_submit(submit("34600000001", "Hello")).await.0, CommandStatus::RMSGQFUL);
    assert_eq!(operator.stats().refused, 1);
}

#[tokio::test]
async fn query_cancel_and_multi() {
    let operator = operator(Settings { receipt_delay: later(), ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    let id = COctets::from(esme.submit("34600000001", "Hello").await);
    let source = Address::alphanumeric("TEST");
    let query =
        Body::QuerySm(QuerySm { message_id: id.clone(), source: source.clone(), ..QuerySm::default() });
    let sequence = esme.send(query.clone()).await;
    match esme.expect_answer(sequence).await.body() {
        Body::QuerySmResp(resp) => assert_eq!(resp.message_state, MessageState::ENROUTE),
        other => panic!("{other:?}"),
    }
    let cancel = CancelSm { message_id: id, source: source.clone(), ..CancelSm::default() };
    for status in [CommandStatus::ROK, CommandStatus::ROK] {
        let sequence = esme.send(Body::CancelSm(cancel.clone())).await;
        assert_eq!(esme.expect_answer(sequence).await.header.status, status);
    }
    let unknown = CancelSm { message_id: COctets::from("999"), ..cancel };
    let sequence = esme.send(Body::CancelSm(unknown)).await;
    assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::RCANCELFAIL);
    let multi = SubmitMulti {
        source,
        destinations: vec![
            Destination::Address(Address::international("34600000001")),
            Destination::List(COctets::from("friends")),
        ],
        ..SubmitMulti::default()
    };
    let sequence = esme.send(Body::SubmitMulti(multi)).await;
    match esme.expect_answer(sequence).await.body() {
        Body::SubmitMultiResp(resp) => assert_eq!(resp.unsuccessful.len(), 1),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn messages_from_mobiles_come_as_many_as_told() {
    let mo = Mo {
        rate: 1000,
        count: 3,
        source: "34600000009".to_owned(),
        destination: "1234".to_owned(),
        text: "number {n}".to_owned(),
    };
    let operator = operator(Settings { mo: Some(mo), ..Settings::default() }).await;
    let mut esme = Esme::bound_as(BindKind::Receiver, operator.address(), "gate", "").await;
    for number in 0..3 {
        let deliver = esme.expect_deliver().await;
        assert_eq!(&deliver.short_message[..], format!("number {number}").as_bytes());
    }
    esme.expect_quiet().await;
    assert_eq!(operator.stats().mo_answered, 3);
}

#[tokio::test]
async fn every_accepted_submission_is_on_record_before_its_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("accepted.jsonl");
    let operator = operator(Settings { record: Some(record.clone()), ..Settings::default() }).await;
    let mut esme = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
    for number in 1..=3 {
        let id = esme.submit("34600000001", &format!("number {number}")).await;
        let lines = std::fs::read_to_string(&record).expect("the record");
        let last: serde_json::Value =
            serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        assert_eq!((lines.lines().count(), last["id"].as_str()), (number, Some(id.as_str())));
        assert_eq!(last["destination"], "34600000001");
    }
}

#[tokio::test]
async fn bad_manners_that_end_the_connection() {
    for mode in ["drop:1", "half-pdu:1"] {
        let operator = operator(hostile(mode)).await;
        let mut esme = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
        esme.submit("34600000001", "still polite").await;
        esme.send(Body::SubmitSm(submit("34600000001", "now"))).await;
        esme.expect_closed().await;
        assert_eq!(operator.stats().accepted, 2, "{mode}: accepted although it was never told");
    }
}

#[tokio::test]
async fn bad_manners_in_answers() {
    let ask = async |mode: &str| {
        let operator = operator(hostile(mode)).await;
        let mut esme = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
        let sequence = esme.send(Body::SubmitSm(submit("34600000001", "Hello"))).await;
        (operator, esme, sequence)
    };
    let (_operator, mut esme, sequence) = ask("nack").await;
    assert_eq!(esme.expect_answer(sequence).await.header.command, CommandId::GENERIC_NACK);
    let (_operator, mut esme, sequence) = ask("duplicate").await;
    esme.expect_answer(sequence).await;
    esme.expect_answer(sequence).await;
    let (_operator, mut esme, sequence) = ask("wrong-sequence").await;
    assert_ne!(esme.expect().await.header.sequence, sequence);
    let (_operator, mut esme, sequence) = ask("no-message-id").await;
    assert_eq!(esme.expect_answer(sequence).await.header.length, 16);
    let (_operator, mut esme, sequence) = ask("unknown-status").await;
    assert!(esme.expect_answer(sequence).await.header.status.name().is_none());
    let (_operator, mut esme, _) = ask("never-answer").await;
    esme.expect_quiet().await;
    let (_operator, mut esme, sequence) = ask("slow-bytes").await;
    assert_eq!(esme.expect_answer(sequence).await.header.status, CommandStatus::ROK);
    let (_operator, mut esme, sequence) = ask("unbind").await;
    esme.expect_answer(sequence).await;
    esme.expect_command(CommandId::UNBIND).await;
    let (_operator, mut esme, sequence) = ask("unknown-command").await;
    esme.expect_answer(sequence).await;
    assert!(esme.expect().await.header.command.name().is_none());
}

#[tokio::test]
async fn answers_of_one_batch_in_reverse() {
    let operator = operator(hostile("reverse")).await;
    let mut esme = Esme::bound_as(BindKind::Transmitter, operator.address(), "gate", "").await;
    let mut octets = bytes::BytesMut::new();
    for sequence in [101, 102, 103] {
        submit("34600000001", "Hello").encode(&mut octets, sequence).expect("a submission");
    }
    esme.send_raw(&octets).await;
    for sequence in [103, 102, 101] {
        esme.expect_answer(sequence).await;
    }
}

#[tokio::test]
async fn a_delivery_that_is_put_off_comes_again_and_a_refused_one_does_not() {
    // Dates to the second: the second attempt comes later and must say the same all the same.
    let style = ReceiptStyle { seconds: true, ..ReceiptStyle::default() };
    let operator = operator(Settings { receipt: style, ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    esme.submit("34600000001", "Hello").await;
    let (sequence, first) = esme.expect_deliver_unanswered().await;
    esme.answer_deliver(sequence, CommandStatus::RX_T_APPN).await;
    let (sequence, second) = esme.expect_deliver_unanswered().await;
    assert_eq!(first.short_message, second.short_message);
    esme.answer_deliver(sequence, CommandStatus::RX_P_APPN).await;
    esme.expect_quiet().await;
    let stats = operator.stats();
    assert_eq!((stats.receipts_repeated, stats.receipts_refused, stats.receipts_answered), (1, 1, 0));
}

#[tokio::test]
async fn notifications_and_wishes_are_honoured() {
    let operator =
        operator(Settings { receipt_delay: "4ms".parse().expect("a time"), ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    let mut ask = submit("34600000001", "Hello");
    ask.registered_delivery.0 = 0x11;
    esme.try_submit(ask.clone()).await;
    let under_way = esme.expect_deliver().await;
    assert_eq!((under_way.esm_class.0, under_way.tlvs.u8(Tag::MESSAGE_STATE)), (0x20, Some(1)));
    let arrived = esme.expect_deliver().await;
    assert_eq!((arrived.esm_class.0, arrived.tlvs.u8(Tag::MESSAGE_STATE)), (0x04, Some(2)));
    for wish in [0x00, 0x02] {
        ask.registered_delivery.0 = wish;
        esme.try_submit(ask.clone()).await;
        esme.expect_quiet().await;
    }
    assert_eq!(operator.stats().receipts_sent, 1);
}

#[tokio::test]
async fn the_windows_hold_in_both_directions() {
    let settings =
        Settings { window: 1, submit_window: Some(2), response_delay: later(), ..Settings::default() };
    let operator = operator(settings).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    for _ in 0..3 {
        esme.send(Body::SubmitSm(submit("34600000001", "Hello"))).await;
    }
    // Two answers are held back, the third submission is too many; of two receipts one may be under way.
    esme.expect_deliver_unanswered().await;
    assert_eq!(operator.stats().receipts_sent, 1);
    within("the third submission", async {
        while operator.stats().throttled == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(operator.stats().accepted, 2);
}

#[tokio::test]
async fn asks_whether_a_silent_client_is_there_and_says_goodbye() {
    let enquire_link = Some(Duration::from_millis(50));
    let operator = operator(Settings { enquire_link, ..Settings::default() }).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    esme.answers_enquiries = false;
    let enquiry = esme.expect_command(CommandId::ENQUIRE_LINK).await;
    esme.send_empty(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, enquiry.header.sequence).await;
    esme.answers_enquiries = true;
    let stop = tokio::spawn(operator.stop());
    esme.expect_command(CommandId::UNBIND).await;
    drop(esme);
    assert_eq!(within("the stop", stop).await.expect("stopped").bound, 0);
}

/// A transceiver, and its first submission to an operator of these manners.
async fn ask(mode: &str) -> (Operator, Esme, u32) {
    let operator = operator(hostile(mode)).await;
    let mut esme = Esme::bound(operator.address(), "gate", "").await;
    let sequence = esme.send(Body::SubmitSm(submit("34600000001", "Hello"))).await;
    (operator, esme, sequence)
}

#[tokio::test]
async fn answers_that_are_lost_late_or_mangled() {
    let (operator, mut esme, sequence) = ask("lose-answers").await;
    esme.expect_answer(sequence).await;
    esme.expect_deliver().await;
    for number in 2..=3 {
        let sequence = esme.send(Body::SubmitSm(submit("34600000001", "Hello"))).await;
        if number == 2 {
            esme.expect_answer(sequence).await;
        }
        esme.expect_deliver().await;
    }
    esme.expect_quiet().await;
    assert_eq!(operator.stats().accepted, 3, "the third was accepted, and its answer is lost");

    let (_operator, mut esme, _) = ask("late").await;
    esme.expect_deliver().await;
    esme.expect_quiet().await;

    let (_operator, mut esme, sequence) = ask("error-with-body").await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!((answer.header.status, &answer.frame.body[..]), (CommandStatus::RSUBMITFAIL, &b"1\0"[..]));

    let (_operator, mut esme, sequence) = ask("tlv-garbage").await;
    let answer = esme.expect_answer(sequence).await;
    assert_eq!(answer.frame.body, &b"1\0\x04\x28\0\0\x14\x03\xFF\xFF\xAA\xBB"[..]);
}

#[tokio::test]
async fn receipts_that_are_early_twice_or_nobody_s() {
    let (_operator, mut esme, sequence) = ask("early-receipt").await;
    esme.expect_deliver().await;
    esme.expect_answer(sequence).await;

    for (mode, second) in [("receipt-twice", "id:1 "), ("unknown-receipt", "id:1099511627777 ")] {
        let (_operator, mut esme, sequence) = ask(mode).await;
        esme.expect_answer(sequence).await;
        let texts = [esme.expect_deliver().await, esme.expect_deliver().await].map(|one| one.short_message);
        assert!(texts[0].starts_with(second.as_bytes()) && texts[1].starts_with(b"id:1 "), "{texts:?}");
        esme.expect_quiet().await;
    }
    let (_operator, mut esme, sequence) = ask("nameless-receipt").await;
    esme.expect_answer(sequence).await;
    assert!(esme.expect_deliver().await.short_message.starts_with(b"sub:001"));
    esme.expect_deliver().await;
}

#[tokio::test]
async fn binds_that_lead_nowhere_storms_and_floods() {
    let refusing = operator(hostile("already-bound")).await;
    let mut esme = Esme::connect(refusing.address()).await;
    for _ in 0..3 {
        let answer = esme.bind(BindKind::Transceiver, "gate", "").await;
        assert_eq!(answer.header.status, CommandStatus::RALYBND);
    }
    let closing = operator(hostile("close-after-bind")).await;
    Esme::bound(closing.address(), "gate", "").await.expect_closed().await;

    let storming = operator(hostile("throttle-storm:2")).await;
    let mut esme = Esme::bound_as(BindKind::Transmitter, storming.address(), "gate", "").await;
    let mut throttled = Vec::new();
    for number in 1..=24 {
        let (status, _) = esme.try_submit(submit("34600000001", "Hello")).await;
        throttled.extend((status == CommandStatus::RTHROTTLED).then_some(number));
    }
    assert_eq!(throttled, [(3..=12).collect::<Vec<_>>(), (23..=24).collect()].concat());
    // Told to behave, it does so on the connection that stands.
    storming.behave(Vec::new());
    esme.submit("34600000001", "Hello").await;

    let (_operator, mut esme, sequence) = ask("enquire-flood").await;
    esme.answers_enquiries = false;
    esme.expect_answer(sequence).await;
    let mut enquiries = 0;
    while enquiries < 1_000 {
        enquiries += u32::from(esme.expect().await.header.command == CommandId::ENQUIRE_LINK);
    }
    let (_operator, mut esme, sequence) = ask("odd-sequence").await;
    esme.answers_enquiries = false;
    esme.expect_answer(sequence).await;
    for number in [0, 0, u32::MAX, u32::MAX] {
        assert_eq!(esme.expect().await.header.sequence, number);
    }
}
