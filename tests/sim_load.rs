//! The load client against the practice operator: its counts are exact, and it tells what was lost.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use smpp_proto::CommandStatus;
use support::within;
use tollgate::sim::delay::Delay;
use tollgate::sim::ident::IdFormat;
use tollgate::sim::load::{self, Amount, BindType, LoadError, Progress, Report, Text};
use tollgate::sim::settings::{ReceiptPlace, ReceiptStyle};
use tollgate::sim::{Operator, Settings, Stats};

async fn run(operator: Settings, shape: impl FnOnce(&mut load::Settings)) -> (Report, Stats) {
    let operator = Operator::start(operator).await.expect("an operator");
    let mut settings = load::Settings::against(operator.address().to_string(), "load", "secret");
    shape(&mut settings);
    let run = load::run(settings, Arc::new(Progress::default()));
    let report = within("the run", run).await.expect("a run");
    (report, operator.stop().await)
}

#[tokio::test]
async fn everything_is_accepted_and_every_receipt_comes() {
    let (report, stats) = run(Settings::default(), |settings| {
        settings.connections = 3;
        settings.window = 10;
        settings.amount = Amount::Messages(1000);
        settings.receipts = true;
        settings.to = "34600++++++".parse().expect("a pattern");
    })
    .await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.submitted, report.accepted, report.messages), (1000, 1000, 1000));
    assert_eq!(
        report.receipts.as_ref().map(|receipts| (receipts.received, receipts.unknown)),
        Some((1000, 0))
    );
    assert_eq!((stats.accepted, stats.distinct, stats.duplicates), (1000, 1000, 0));
    assert_eq!((stats.receipts_answered, stats.binds, stats.bound), (1000, 3, 0));
}

#[tokio::test]
async fn receipts_are_paired_in_any_order_and_style() {
    for place in [ReceiptPlace::Text, ReceiptPlace::Tlv, ReceiptPlace::Payload] {
        for receipt_overtakes in [false, true] {
            let operator = Settings {
                receipt: ReceiptStyle { place, ..ReceiptStyle::default() },
                receipt_overtakes,
                id_format: IdFormat::Uuid,
                receipt_delay: if receipt_overtakes {
                    Delay::none()
                } else {
                    "50%:0,50%:1ms..30ms".parse().expect("a mix")
                },
                ..Settings::default()
            };
            let (report, _) = run(operator, |settings| {
                settings.amount = Amount::Messages(200);
                settings.receipts = true;
            })
            .await;
            assert!(report.is_clean(), "{place:?}, overtaking {receipt_overtakes}:\n{report}");
        }
    }
}

#[tokio::test]
async fn a_pair_submits_on_one_and_receives_on_the_other() {
    let (report, stats) = run(Settings::default(), |settings| {
        settings.bind_type = BindType::Pair;
        settings.receipts = true;
        settings.amount = Amount::Messages(100);
    })
    .await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.connections, stats.binds), (2, 2));
}

#[tokio::test]
async fn a_receiver_gets_what_others_asked_for_and_ends_with_the_last() {
    let operator = Operator::start(Settings::default()).await.expect("an operator");
    let mut settings = load::Settings::against(operator.address().to_string(), "load", "secret");
    settings.bind_type = BindType::Transmitter;
    settings.receipts_elsewhere = true;
    settings.amount = Amount::Messages(300);
    let sent = within("the submissions", load::run(settings.clone(), Arc::default())).await.expect("a run");
    assert!(sent.is_clean() && sent.receipts.is_none(), "{sent}");
    settings.bind_type = BindType::Receiver;
    settings.receipts_elsewhere = false;
    settings.receipts = true;
    settings.amount = Amount::Receipts(300);
    let report = within("the receipts", load::run(settings, Arc::default())).await.expect("a run");
    let receipts = report.receipts.as_ref().expect("receipts");
    assert_eq!((receipts.unknown, receipts.doubled, receipts.missing), (300, 0, 0), "{report}");
    assert_eq!(operator.stop().await.receipts_answered, 300);
}

#[tokio::test]
async fn refusals_are_counted_by_name() {
    let errors = vec!["ESME_RSUBMITFAIL:100%".parse().expect("a share")];
    let (report, _) = run(Settings { errors, ..Settings::default() }, |settings| {
        settings.amount = Amount::Messages(50);
        settings.receipts = true;
    })
    .await;
    assert!(!report.is_clean() && report.is_complete(), "{report}");
    assert_eq!(report.refused.get(&CommandStatus::RSUBMITFAIL.to_string()), Some(&50));
    assert_eq!((report.accepted, report.messages), (0, 0));
}

#[tokio::test]
async fn a_message_of_several_parts_counts_once() {
    let (report, stats) = run(Settings::default(), |settings| {
        settings.amount = Amount::Messages(40);
        settings.text = Text { parts: 3, ucs2: true, ..Text::default() };
        settings.receipts = true;
    })
    .await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.submitted, report.messages, stats.accepted), (120, 40, 120));
}

#[tokio::test]
async fn missing_receipts_and_answers_are_missed() {
    let never = Delay::fixed(Duration::from_secs(3600));
    let (report, _) = run(Settings { receipt_delay: never, ..Settings::default() }, |settings| {
        settings.amount = Amount::Messages(5);
        settings.receipts = true;
        settings.receipt_patience = Duration::from_millis(200);
    })
    .await;
    assert_eq!(report.receipts.as_ref().map(|receipts| receipts.missing), Some(5));
    assert!(!report.is_complete());

    let hostile = vec!["never-answer:3".parse().expect("a mode")];
    let (report, _) = run(Settings { hostile, ..Settings::default() }, |settings| {
        settings.amount = Amount::Messages(5);
        settings.answer_patience = Duration::from_millis(200);
    })
    .await;
    assert_eq!((report.accepted, report.unanswered), (3, 2));
}

#[tokio::test]
async fn a_lost_connection_is_a_failure_and_the_others_go_on() {
    let hostile = vec!["drop:10".parse().expect("a mode")];
    let (report, _) = run(Settings { hostile, ..Settings::default() }, |settings| {
        settings.amount = Amount::Messages(100);
        settings.connections = 2;
        settings.window = 1;
    })
    .await;
    assert_eq!((report.accepted, report.unanswered), (20, 2), "{report}");
    assert_eq!(report.failures.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn a_rate_and_a_time_are_kept() {
    let (report, _) = run(Settings::default(), |settings| {
        settings.amount = Amount::Time(Duration::from_millis(500));
        settings.rate = Some(1000);
        settings.connections = 2;
    })
    .await;
    assert!(report.is_clean(), "{report}");
    assert!((300..=600).contains(&report.accepted), "{report}");
}

#[tokio::test]
async fn a_refused_bind_and_bad_settings_are_told() {
    let users = vec!["load:other".parse().expect("a user")];
    let operator = Operator::start(Settings { users, ..Settings::default() }).await.expect("an operator");
    let mut settings = load::Settings::against(operator.address().to_string(), "load", "secret");
    let error = load::run(settings.clone(), Arc::default()).await.expect_err("no bind");
    assert!(error.to_string().contains("ESME_RBINDFAIL"), "{error}");
    settings.window = 0;
    settings.connections = 0;
    match load::run(settings, Arc::default()).await {
        Err(LoadError::Settings(problems)) => assert_eq!(problems.len(), 2),
        other => panic!("{other:?}"),
    }
}
