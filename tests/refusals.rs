//! Every refusal says whose limit it was: in the log, once a session, and in explain before anything is sent.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use smpp_proto::CommandStatus;
use smpp_proto::pdu::{BindKind, SubmitSm};
use support::{Esme, House, Logs, submit};
use tollgate::admin::{self, Answer, Explained, Numbers, Question, Request, Says};

const TO: &str = "34600111222";

const POLICY: &str = r#"
[[account]]
name = "par"
[account.filters]
opt_outs = true

[[account]]
name = "listed"
parent = "par"
opening_credit = "10"
[account.filters]
opt_outs = true
[[account.smpp]]
system_id = "listed"
password = "secret"

[[account]]
name = "fast"
opening_credit = "10"
[[account.smpp]]
system_id = "fast"
password = "secret"
throughput = "1/s burst 1"

[[account]]
name = "poor"
opening_credit = "1"
[[account.smpp]]
system_id = "poor"
password = "secret"

[[account]]
name = "full"
opening_credit = "10"
max_queued = 1
[[account.smpp]]
system_id = "full"
password = "secret"

[[account]]
name = "away"
[account.access.smpp]
restricted = true
entries = ["10.0.0.0/8"]
[[account.smpp]]
system_id = "away"
password = "secret"

[[account]]
name = "nearer"
[[account.smpp]]
system_id = "nearer"
password = "secret"
allowed_ips = ["10.0.0.0/8"]
bind_types = ["receiver"]

[[route]]
name = "spain"
prefixes = ["34"]
upstreams = ["north"]
[[price]]
prefix = ""
credits = "1"
"#;

/// Submits, and is refused with this status, twice; what the log says of it the one time that it does.
async fn told(logs: &Logs, esme: &mut Esme, pdu: SubmitSm, status: u32, reason: &str) -> String {
    for _ in 0..2 {
        assert_eq!(esme.try_submit(pdu.clone()).await.0, CommandStatus(status), "{pdu:?}");
    }
    let lines = logs.with(&format!("reason=\"{reason}\""));
    let [line] = &lines[..] else { panic!("{reason}: {lines:?}") };
    line.clone()
}

async fn explain(house: &House, account: &str, credential: Option<&str>, to: &str) -> Explained {
    let question = Question {
        account: account.to_owned(),
        credential: credential.map(str::to_owned),
        from: "ACME".to_owned(),
        to: to.to_owned(),
        text: "hello".to_owned(),
        ..Question::default()
    };
    match admin::perform(house.store(), Request::Explain(question)).await.unwrap() {
        Answer::Explained(told) => *told,
        other => panic!("{other:?}"),
    }
}

async fn list(house: &House, account: Option<&str>, number: &str) {
    let numbers = Numbers {
        account: account.map(str::to_owned),
        numbers: vec![number.to_owned()],
        ..Numbers::default()
    };
    admin::perform(house.store(), Request::NumbersChange(numbers)).await.unwrap();
}

#[tokio::test]
async fn the_rate_of_a_credential_is_a_rule_with_a_place() {
    let logs = Logs::listen("info");
    let house = House::open(POLICY).await;
    let mut esme = house.bound("fast").await;
    esme.submit(TO, "in time").await;
    let line = told(&logs, &mut esme, submit(TO, "too fast"), 0x58, "rate_limited").await;
    let place = POLICY.lines().position(|line| line.starts_with("throughput")).unwrap() + 1;
    let place = format!("tollgate.toml:{place}");
    let rule = "rule=1/s burst 1, throughput of credential fast in ";
    assert!(line.contains(rule) && line.contains(&place), "{line}");
    let told = explain(&house, "fast", Some("fast"), TO).await;
    let [rate] = &told.rules[..] else { panic!("{:?}", told.rules) };
    assert_eq!((rate.rule.rule.as_str(), rate.rule.of.as_str()), ("throughput", "credential fast"));
    assert_eq!((rate.verdict, rate.rule.says.as_str()), (Says::BySession, "1/s burst 1"));
    assert!(rate.rule.place.ends_with(&place), "{}", rate.rule.place);
    assert_eq!(explain(&house, "fast", None, TO).await.rules, []);
    let rules = admin::perform(house.store(), Request::AccountRules { name: "fast".to_owned() }).await;
    let Ok(Answer::Rules(rules)) = rules else { panic!("{rules:?}") };
    assert_eq!(rules, std::slice::from_ref(&rate.rule));
}

#[tokio::test]
async fn credit_queue_and_way_say_how_they_stand() {
    let logs = Logs::listen("info");
    let house = House::open(POLICY).await;
    let mut poor = house.bound("poor").await;
    poor.submit(TO, "paid").await;
    let line = told(&logs, &mut poor, submit(TO, "not paid"), 0x45, "insufficient_credit").await;
    let because = "0 available, floor 0 of account poor";
    assert!(line.contains(&format!("rule={because}")), "{line}");
    assert_eq!(explain(&house, "poor", None, TO).await.because.as_deref(), Some(because));

    let mut full = house.bound("full").await;
    full.submit(TO, "it waits").await;
    let line = told(&logs, &mut full, submit(TO, "no room"), 0x14, "queue_full").await;
    let because = "1, max_queued of account full";
    assert!(line.contains(&format!("rule={because}")), "{line}");
    assert_eq!(explain(&house, "full", None, TO).await.because.as_deref(), Some(because));

    let nowhere = "573001234567";
    let mut fast = house.bound("fast").await;
    assert_eq!(fast.try_submit(submit(nowhere, "no way")).await.0, CommandStatus(0x0B));
    let because = "no price or no route for 573001234567";
    assert_eq!(logs.with(&format!("rule={because}")).len(), 1, "{}", logs.text());
    // Who asks is told which of both is missing.
    let because = explain(&house, "fast", None, nowhere).await.because;
    assert_eq!(because.as_deref(), Some("no route takes this message"));
}

#[tokio::test]
async fn a_number_on_a_list_says_on_whose() {
    let logs = Logs::listen("info");
    let house = House::open(POLICY).await;
    list(&house, Some("par"), TO).await;
    list(&house, None, "34600111223").await;
    let mut esme = house.bound("listed").await;
    let line = told(&logs, &mut esme, submit(TO, "unwanted"), 0x0B, "opted_out").await;
    assert!(line.contains("rule=list of account par"), "{line}");
    let explained = explain(&house, "listed", None, TO).await;
    assert_eq!(explained.because.as_deref(), Some("list of account par"));
    let rules: Vec<_> = explained.rules.iter().map(|line| (line.rule.of.as_str(), line.verdict)).collect();
    assert!(!rules.contains(&("account listed", Says::Refuses)), "{rules:?}");

    let line = told(&logs, &mut esme, submit("34600111223", "bad"), 0x0B, "destination_blocked").await;
    assert!(line.contains("rule=the platform's blocklist"), "{line}");
    let explained = explain(&house, "listed", None, "34600111223").await;
    assert_eq!(explained.because.as_deref(), Some("the platform's blocklist"));
}

#[tokio::test]
async fn a_bind_that_is_refused_is_told_once_with_whose_limit_it_was() {
    let logs = Logs::listen("info");
    let house = House::open(POLICY).await;
    let refused = async |system_id: &str, password: &str, status: u32| {
        for _ in 0..2 {
            let mut esme = Esme::connect(house.address).await;
            let answer = esme.bind(BindKind::Transceiver, system_id, password).await;
            assert_eq!(answer.header.status, CommandStatus(status), "{system_id}");
        }
    };
    refused("away", "secret", 0x0D).await;
    refused("nearer", "secret", 0x0D).await;
    refused("poor", "wrong", 0x0E).await;
    refused("nobody", "wrong", 0x0E).await;
    let lines = logs.with("a bind was refused");
    let expected = [
        ("account=\"away\"", "reason=\"ip_not_allowed\" rule=access.smpp of account away"),
        ("account=\"nearer\"", "reason=\"ip_not_allowed\" rule=allowed_ips of credential nearer"),
        ("account=\"poor\"", "reason=\"auth_invalid\""),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (account, reason)) in lines.iter().zip(expected) {
        assert!(line.contains(account) && line.contains(reason), "{line}");
    }
}
