//! What explain says is what a message gets, and saying it costs and counts nothing.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use smpp_proto::field::DataCoding;
use smpp_proto::pdu::SubmitSm;
use smpp_proto::{Address, CommandStatus};
use support::House;
use tollgate::admin::{self, Answer, Encoding, Explained, Question, Request, Says};

const RULES: &str = r#"
[filters]
max_per_day = { most = 20, enforce = false }
countries = ["ES", "GB", "US"]
numbers = { refuse = ["premium"], check_length = true }
[[protected_name]]
name = "BANK"
accounts = ["bank"]
[[account]]
name = "bank"
[[account]]
name = "parent"
[account.filters]
max_per_month = { most = 30, enforce = false }
[[account]]
name = "acme"
parent = "parent"
opening_credit = "30"
default_source = "ACME"
status_codes = "vendor"
[account.statuses]
duplicate = 0x44
[account.filters]
duplicate = { window = "60m" }
senders = { allow = ["ACME", "34*", "B*"] }
velocity = { prefix = "34", most = 8, per = "1h" }
unicode = "transliterate"
country_caps = [{ country = "GB", messages = 2 }]
hours = [
  { closed_from = "11:30", closed_to = "12:30", zone = "Etc/GMT+12" },
  { closed_from = "11:00", closed_to = "13:00", enforce = false, action = "reject" },
]
spend_per_day = "66"
[[account.filters.content]]
name = "no loans"
words = ["loan"]
[[account.filters.content]]
name = "no links"
links = { any = true }
enforce = false
[[account.smpp]]
system_id = "acme"
password = "secret"
[account.smpp.filters]
max_per_day = 44
senders = { allow = ["ACME*"], enforce = false }
"#;

async fn explain(house: &House, question: Question) -> Explained {
    match admin::perform(house.store(), Request::Explain(question)).await.unwrap() {
        Answer::Explained(told) => *told,
        other => panic!("{other:?}"),
    }
}

fn question(from: &str, to: &str, text: &str) -> Question {
    Question {
        account: "acme".to_owned(),
        credential: Some("acme".to_owned()),
        from: from.to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        encoding: if text.is_ascii() { Encoding::Default } else { Encoding::Ucs2 },
        ..Question::default()
    }
}

/// The same message as a client writes it.
fn submit(from: &str, to: &str, text: &str) -> SubmitSm {
    let source = match from {
        "" => Address::default(),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Address::international(digits),
        name => Address::alphanumeric(name),
    };
    let (data_coding, octets): (_, Vec<u8>) = if text.is_ascii() {
        (DataCoding(0), text.bytes().collect())
    } else {
        (DataCoding(8), text.encode_utf16().flat_map(u16::to_be_bytes).collect())
    };
    SubmitSm {
        source,
        destination: Address::international(to),
        data_coding,
        short_message: Bytes::from(octets),
        ..SubmitSm::default()
    }
}

/// Numbers that look like chance and come again with the same seed (a linear congruence of Knuth's).
struct Dice(u64);

impl Dice {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &from[usize::try_from(self.0 >> 33).unwrap() % from.len()]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_what_a_message_gets_and_costs_and_counts_nothing() {
    let mut house = House::open(RULES).await;
    let mut esme = house.bound("acme").await;
    let long = "all work and no play ".repeat(9);
    // The last two are taken for the protected name in UTF-8, and in the GSM alphabet.
    let froms = ["ACME", "34600000000", "EVIL", "", "ACME", "B4NK", "BАNK", "B\u{10}NK"];
    let tos = [
        "34600111222",
        "34600111223",
        "34600111224",
        "447911123456",
        "447911123457",
        "12025550143",
        "34600111226",
        "abc",
        "33612345678",
        "34803123456",
        "34600111225",
    ];
    let texts =
        ["hello", "a loan for you", "see acme.com", "Привет", "日本語", long.as_str(), "¡Mañana!", ""];
    let mut dice = Dice(7);
    let mut seen = std::collections::BTreeMap::new();
    for round in 0..600 {
        if round == 200 {
            let add = Request::CreditAdd {
                account: "acme".to_owned(),
                amount: "200".parse().unwrap(),
                note: String::new(),
            };
            admin::perform(house.store(), add).await.unwrap();
        }
        let number = format!("{} {round}", dice.pick(&texts));
        let text = if round % 3 == 0 { *dice.pick(&texts) } else { number.as_str() };
        let (from, to) = (*dice.pick(&froms), *dice.pick(&tos));
        let before = house.books("acme");
        let told = explain(&house, question(from, to, text)).await;
        let again = explain(&house, question(from, to, text)).await;
        assert_eq!(told, again, "to explain counts nothing");
        assert_eq!(house.books("acme"), before, "to explain costs nothing");
        let (status, _) = esme.try_submit(submit(from, to, text)).await;
        assert_eq!(
            (CommandStatus(told.status), told.accepted),
            (status, status == CommandStatus::ROK),
            "{from:?} {to:?} {text:?}: {told:#?}"
        );
        *seen.entry(told.reason.unwrap_or_default()).or_insert(0_u32) += 1;
    }
    for reason in [
        "",
        "content_blocked",
        "country_blocked",
        "daily_limit",
        "duplicate",
        "insufficient_credit",
        "invalid_destination",
        "sender_not_allowed",
        "unicode_disabled",
        "velocity_limit",
    ] {
        assert!(seen.contains_key(reason), "{reason:?} was never met: {seen:?}");
    }
    drop(esme);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_is_told_with_its_verdict_whose_it_is_and_where_it_stands() {
    let mut house = House::open(RULES).await;
    let mut esme = house.bound("acme").await;
    let (status, _) = esme.try_submit(submit("ACME", "34600111222", "hello")).await;
    assert_eq!(status, CommandStatus::ROK);
    let told = explain(&house, question("34600000000", "34600111222", "hello")).await;
    assert_eq!((told.accepted, told.reason.as_deref(), told.status), (false, Some("duplicate"), 0x44));
    assert!(told.because.as_ref().is_some_and(|because| because.contains("duplicate of account acme")));
    let line = |rule: &str, of: &str| {
        let found = told.rules.iter().find(|line| line.rule.rule == rule && line.rule.of == of);
        found.unwrap_or_else(|| panic!("{rule} of {of}: {:#?}", told.rules))
    };
    assert_eq!(line("max_per_day", "the platform").verdict, Says::Passes);
    assert_eq!(line("senders", "account acme").verdict, Says::Passes);
    let shadow = line("senders", "credential acme");
    assert_eq!((shadow.verdict, shadow.reason.as_deref()), (Says::WouldRefuse, Some("sender_not_allowed")));
    assert_eq!(line("duplicate", "account acme").verdict, Says::Refuses);
    let reached = |line: &&admin::RuleLine| line.verdict == Says::WouldRefuse;
    let would: Vec<_> = told.rules.iter().filter(reached).map(|line| line.rule.rule.as_str()).collect();
    assert_eq!(would, ["senders", "hours"]);
    let day = line("max_per_day", "credential acme");
    assert_eq!(
        (day.used.as_deref(), day.most.as_deref(), day.verdict),
        (Some("1"), Some("44"), Says::Passes)
    );
    let spend = line("spend_per_day", "account acme");
    assert_eq!((spend.used.as_deref(), spend.most.as_deref()), (Some("1"), Some("66")));
    let pace = line("velocity", "account acme");
    assert_eq!((pace.used.as_deref(), pace.most.as_deref()), (Some("1"), Some("8")));
    assert!(!line("max_per_month", "account parent").rule.enforce);
    assert!(day.rule.place.contains("tollgate.toml:"), "{day:?}");
    assert_eq!(told.price.as_ref().map(|price| price.total.to_string()).as_deref(), Some("1"));
    assert_eq!(
        told.balance.as_ref().map(|b| (b.available.to_string(), b.is_enough)),
        Some(("29".to_owned(), true))
    );
    let route = told.route.as_ref().unwrap();
    assert_eq!((route.name.as_str(), route.operators[0].name.as_str()), ("everywhere", "north"));

    let nothing = explain(&house, question("ACME", "abc", "hello")).await;
    assert_eq!(nothing.reason.as_deref(), Some("invalid_destination"));
    assert!(nothing.rules.iter().all(|line| matches!(line.verdict, Says::NotReached | Says::BySession)));

    let russian = explain(&house, question("ACME", "34600111222", "Привет")).await;
    assert_eq!((russian.text.plain.as_deref(), russian.text.alphabet.as_str()), (Some("Privet"), "gsm7"));
    drop(esme);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opt_outs_that_bind_the_owner_of_a_list_are_told_as_what_refuses() {
    let rules = "[[account]]\nname = \"top\"\n[account.filters]\nopt_outs = true\n\
        [[account]]\nname = \"acme\"\nparent = \"top\"\nopening_credit = \"9\"\n[account.filters]\n\
        opt_outs = { enforce = false }\n[[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n";
    let mut house = House::open(rules).await;
    let list = |account: Option<&str>, number: &str| {
        let (account, numbers) = (account.map(str::to_owned), vec![number.to_owned()]);
        Request::NumbersChange(admin::Numbers { account, remove: false, numbers, why: String::new() })
    };
    admin::perform(house.store(), list(Some("acme"), "34600111222")).await.unwrap();
    admin::perform(house.store(), list(None, "34600111223")).await.unwrap();
    for (number, reason, of_parent) in [
        ("34600111222", Some("opted_out"), Says::Refuses),
        ("34600111223", Some("destination_blocked"), Says::Passes),
        ("34600111224", None, Says::Passes),
    ] {
        let told = explain(&house, question("ACME", number, "hello")).await;
        assert_eq!(told.reason.as_deref(), reason, "{told:#?}");
        let verdict = |of: &str| told.rules.iter().find(|line| line.rule.of == of).map(|line| line.verdict);
        assert_eq!(verdict("account top"), Some(of_parent), "{number}");
        // In shadow it puts nobody on a list.
        assert_eq!(verdict("account acme"), Some(Says::Passes), "{number}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_make_no_sense_are_told_apart() {
    let mut house = House::open(RULES).await;
    let base = question("ACME", "34600111222", "hello");
    for (asked, why) in [
        (Question { account: "nobody".to_owned(), ..base.clone() }, "there is no account \"nobody\""),
        (Question { credential: Some("x".to_owned()), ..base.clone() }, "there is no credential \"x\""),
        (Question { account: "parent".to_owned(), ..base.clone() }, "there is no credential \"acme\""),
        (Question { at: Some("noon".to_owned()), ..base.clone() }, "\"noon\" is no time"),
        (
            Question { text: "Привет".to_owned(), encoding: Encoding::Default, ..base.clone() },
            "characters that this encoding has not",
        ),
    ] {
        let refused = admin::perform(house.store(), Request::Explain(asked)).await.unwrap_err();
        assert!(refused.text.contains(why), "{why}: {}", refused.text);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_says_what_a_message_was_worth() {
    let mut house =
        House::open(&format!("{RULES}[billing]\ncurrency = \"EUR\"\ncredit_value = \"0.0125\"\n")).await;
    let mut esme = house.transmitter("acme").await;
    let (status, message) = esme.try_submit(submit("ACME", "34600111222", "hello")).await;
    assert_eq!(status, CommandStatus::ROK);
    let told = admin::perform(house.store(), Request::Trace { message }).await.unwrap();
    let Answer::Trace(told) = told else { panic!("{told:?}") };
    assert_eq!(told.price_worth.as_deref(), Some("0.0125 EUR"));
    assert_eq!(told.posted_worth.as_deref(), Some("0 EUR"));
    esme.unbind().await;
    house.close().await;
}
