//! What an account may send, as its configuration says: each refusal is free, and each limit exact.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use smpp_proto::field::{COctets, DataCoding, InterfaceVersion, RegisteredDelivery, Tag};
use smpp_proto::pdu::{BindKind, Destination, SubmitMulti, SubmitSm};
use smpp_proto::text::ucs2;
use smpp_proto::{Address, Body, CommandStatus};
use support::{Esme, House, SmscLink, submit};
use tollgate::clock::Timestamp;
use tollgate::policy::filter::RuleKind;

const TO: &str = "34600111222";

/// The account "acme" with these filters and 1,000 credits.
fn acme(filters: &str) -> String {
    format!(
        "[[account]]\nname = \"acme\"\nopening_credit = \"1000\"\n[[account.smpp]]\nsystem_id = \"acme\"\n\
         password = \"secret\"\n[account.filters]\n{filters}\n"
    )
}

fn to(number: &'static str, text: &str) -> SubmitSm {
    submit(number, text)
}

fn unicode(number: &'static str, text: &str) -> SubmitSm {
    SubmitSm { data_coding: DataCoding::UCS2, short_message: ucs2::encode(text).into(), ..to(number, "") }
}

async fn refused(esme: &mut Esme, pdu: SubmitSm, status: u32) {
    let shown = format!("{pdu:?}");
    let (answer, _) = esme.try_submit(pdu).await;
    assert_eq!(answer, CommandStatus(status), "{shown}");
}

async fn accepted(esme: &mut Esme, pdu: SubmitSm) {
    refused(esme, pdu, 0).await;
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn f_120_the_same_text_within_the_hour_is_refused_and_free() {
    let policy = acme("duplicate = { window = \"60m\", action = \"reject\" }");
    let mut house = House::open(&policy).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to(TO, "hello")).await;
    accepted(&mut esme, to(TO, "hallo")).await;
    accepted(&mut esme, to("34600111223", "hello")).await;
    house.clock.advance(minutes(30));
    refused(&mut esme, to(TO, "hello"), 0x45).await;
    // A restart forgets nothing, and the window is still that of the first.
    drop(esme);
    house.restart(&policy).await;
    let mut esme = house.bound("acme").await;
    house.clock.set_wall(support::NOON + minutes(59));
    refused(&mut esme, to(TO, "hello"), 0x45).await;
    house.clock.set_wall(support::NOON + minutes(61));
    accepted(&mut esme, to(TO, "hello")).await;
    refused(&mut esme, to(TO, "hello"), 0x45).await;
    assert_eq!(house.books("acme"), ("996".to_owned(), "4".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_120_parts_of_one_text_are_no_duplicates_of_one_another() {
    let house = House::open(&acme("duplicate = { window = \"60m\" }")).await;
    let mut esme = house.bound("acme").await;
    let part = |number: u8| {
        let text = [&[5, 0, 3, 7, 2, number][..], b"same"].concat();
        let pdu = to(TO, "");
        SubmitSm { esm_class: pdu.esm_class.with_udhi(true), short_message: text.into(), ..pdu }
    };
    accepted(&mut esme, part(1)).await;
    accepted(&mut esme, part(2)).await;
    refused(&mut esme, part(1), 0x45).await;
    let sar = |number: u8| {
        let mut pdu = to(TO, "same");
        pdu.tlvs.push(smpp_proto::Tlv::u16(Tag::SAR_MSG_REF_NUM, 9));
        pdu.tlvs.push(smpp_proto::Tlv::u8(Tag::SAR_TOTAL_SEGMENTS, 2));
        pdu.tlvs.push(smpp_proto::Tlv::u8(Tag::SAR_SEGMENT_SEQNUM, number));
        pdu
    };
    accepted(&mut esme, sar(1)).await;
    accepted(&mut esme, sar(2)).await;
    refused(&mut esme, sar(2), 0x45).await;
    assert_eq!(house.books("acme").1, "4");
}

/// The message that the operator gets next, taken under `id`.
async fn taken(operator: &mut SmscLink, id: &str) -> SubmitSm {
    let (sequence, pdu) = operator.expect_submit().await;
    operator.accept_submit(sequence, id).await;
    pdu
}

#[tokio::test(flavor = "multi_thread")]
async fn f_121_what_comes_in_closed_hours_is_held_and_goes_when_they_end() {
    // 23:00 in Madrid, in winter one hour before UTC's.
    let night = Timestamp::from_millis(1_763_676_000_000); // 2025-11-20T22:00:00Z
    let hours = "hours = { closed_from = \"22:00\", closed_to = \"08:00\", zone = \"Europe/Madrid\", action = \"hold\" }";
    let house = House::open_at(night, &acme(hours)).await;
    let mut operator = house.operator().await;
    let mut esme = house.bound("acme").await;
    let (status, id) = esme.try_submit(to(TO, "good night")).await;
    assert_eq!(status, CommandStatus::ROK);
    assert_eq!(house.books("acme"), ("999".to_owned(), "1".to_owned()));
    let trace = house.reader().trace(id.parse().unwrap()).unwrap();
    assert!(trace.timeline.iter().any(|entry| entry.what == "held"), "{trace:?}");
    // One whose validity ends before 08:00 could only expire.
    let short = SubmitSm { validity_period: COctets::from("000000010000000R"), ..to(TO, "hurry") };
    refused(&mut esme, short, 0x45).await;
    // 07:59:59 in Madrid: nothing yet; at 08:00 it goes.
    house.clock.set_wall(night + Duration::from_secs(9 * 3_600 - 1));
    house.clock.advance(Duration::ZERO);
    operator.is_silent().await;
    house.clock.advance(Duration::from_secs(1));
    let pdu = taken(&mut operator, "1").await;
    assert_eq!(pdu.short_message, Bytes::from_static(b"good night"));
    accepted(&mut esme, to(TO, "good morning")).await;
    assert_eq!(taken(&mut operator, "2").await.short_message, Bytes::from_static(b"good morning"));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_121_what_hours_hold_goes_earlier_when_the_policy_opens_them() {
    let night = Timestamp::from_millis(1_763_676_000_000); // 2025-11-20T22:00:00Z
    let closed_to = |to: &str| {
        let hours = "hours = { closed_from = \"22:00\", zone = \"Europe/Madrid\", action = \"hold\"";
        acme(&format!("{hours}, closed_to = \"{to}\" }}"))
    };
    let mut house = House::open_at(night, &closed_to("08:00")).await;
    let mut operator = house.operator().await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to(TO, "good night")).await;
    house.reload(&closed_to("07:00")).await;
    operator.is_silent().await;
    // 07:00 in Madrid.
    house.clock.set_wall(night + Duration::from_secs(8 * 3_600));
    house.clock.advance(Duration::ZERO);
    assert_eq!(taken(&mut operator, "1").await.short_message, Bytes::from_static(b"good night"));
    // 23:00 again; one that is meant for 05:00 goes no earlier, whatever becomes of the hours.
    house.clock.set_wall(night + Duration::from_secs(24 * 3_600));
    house.clock.advance(Duration::ZERO);
    let five = COctets::from("251122040000000+");
    accepted(&mut esme, SubmitSm { schedule_delivery_time: five, ..to(TO, "good morning") }).await;
    accepted(&mut esme, to(TO, "good night again")).await;
    operator.is_silent().await;
    house.reload(&acme("")).await;
    assert_eq!(taken(&mut operator, "2").await.short_message, Bytes::from_static(b"good night again"));
    operator.is_silent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f_121_hours_that_reject_refuse_at_once_and_free() {
    let night = Timestamp::from_millis(1_763_676_000_000);
    let hours = "hours = { closed_from = \"22:00\", closed_to = \"08:00\", zone = \"Europe/Madrid\", action = \"reject\" }";
    let house = House::open_at(night, &acme(hours)).await;
    let mut esme = house.bound("acme").await;
    refused(&mut esme, to(TO, "good night"), 0x45).await;
    house.clock.set_wall(night + Duration::from_secs(9 * 3_600));
    accepted(&mut esme, to(TO, "good morning")).await;
    assert_eq!(house.books("acme"), ("999".to_owned(), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_121_what_waits_when_hours_close_stays_until_they_open() {
    let evening = Timestamp::from_millis(1_763_672_399_000); // 21:59:59 in Madrid
    let hours = "hours = { closed_from = \"22:00\", closed_to = \"08:00\", zone = \"Europe/Madrid\" }";
    let house = House::open_at(evening, &acme(hours)).await;
    let mut esme = house.bound("acme").await;
    // No operator is bound yet: it waits in the lane, and the hours close over it.
    accepted(&mut esme, to(TO, "late")).await;
    house.clock.set_wall(evening + Duration::from_secs(60));
    let mut operator = house.operator().await;
    operator.is_silent().await;
    house.clock.set_wall(evening + Duration::from_secs(10 * 3_600 + 1));
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(taken(&mut operator, "1").await.short_message, Bytes::from_static(b"late"));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_122_only_granted_countries_are_reached_and_others_are_free() {
    let house = House::open(&acme("countries = [\"ES\"]")).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to(TO, "hola")).await;
    refused(&mut esme, to("573001234567", "hola"), 0x0B).await;
    // Of +1, only the area code says which country it is.
    refused(&mut esme, to("12125550123", "hola"), 0x0B).await;
    assert_eq!(house.books("acme"), ("999".to_owned(), "1".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_122_an_empty_list_is_every_country() {
    let house = House::open(&acme("countries = []")).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to(TO, "hola")).await;
    accepted(&mut esme, to("573001234567", "hola")).await;
    assert_eq!(house.books("acme").1, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_122_countries_of_one_calling_code_are_told_apart() {
    let house = House::open(&acme("countries = [\"CA\", \"KZ\"]")).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to("14165550123", "Toronto")).await;
    refused(&mut esme, to("12125550123", "New York"), 0x0B).await;
    accepted(&mut esme, to("77012345678", "Almaty")).await;
    refused(&mut esme, to("79031234567", "Moscow"), 0x0B).await;
    assert_eq!(house.books("acme").1, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_124_the_day_s_maximum_is_counted_in_the_account_s_own_day() {
    // 23:30 in Madrid on 2025-11-20.
    let evening = Timestamp::from_millis(1_763_677_800_000);
    let policy = acme("zone = \"Europe/Madrid\"\nmax_per_day = 3");
    let mut house = House::open_at(evening, &policy).await;
    let mut esme = house.bound("acme").await;
    for text in ["one", "two", "three"] {
        accepted(&mut esme, to(TO, text)).await;
    }
    refused(&mut esme, to(TO, "four"), 0x45).await;
    drop(esme);
    house.restart(&policy).await;
    let mut esme = house.bound("acme").await;
    refused(&mut esme, to(TO, "four again"), 0x45).await;
    // UTC's midnight comes an hour after Madrid's.
    house.clock.set_wall(evening + minutes(31));
    accepted(&mut esme, to(TO, "five")).await;
    assert_eq!(house.books("acme"), ("996".to_owned(), "4".to_owned()));
}

async fn multi(esme: &mut Esme, count: usize, text: &str) -> (CommandStatus, usize) {
    let number = |n| Destination::Address(Address::international(format!("346001112{n:02}")));
    let multi = SubmitMulti {
        source: Address::alphanumeric("ACME"),
        destinations: (0..count).map(number).collect(),
        registered_delivery: RegisteredDelivery::default(),
        short_message: Bytes::copy_from_slice(text.as_bytes()),
        ..SubmitMulti::default()
    };
    let sequence = esme.send(Body::SubmitMulti(multi)).await;
    let answer = esme.expect_answer(sequence).await;
    match answer.body() {
        Body::SubmitMultiResp(resp) => (answer.header.status, resp.unsuccessful.len()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f_125_a_request_with_one_recipient_too_many_is_refused_whole() {
    let house = House::open(&acme("max_per_request = 3")).await;
    let mut esme = house.bound("acme").await;
    let (status, _) = multi(&mut esme, 4, "to four").await;
    assert_eq!(status, CommandStatus(0x33));
    assert_eq!(house.books("acme"), ("1000".to_owned(), "0".to_owned()));
    assert_eq!(multi(&mut esme, 3, "to three").await, (CommandStatus::ROK, 0));
    assert_eq!(house.books("acme"), ("997".to_owned(), "3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_126_unicode_is_refused_allowed_or_written_in_gsm() {
    let mut house = House::open(&acme("unicode = \"reject\"")).await;
    let mut esme = house.bound("acme").await;
    refused(&mut esme, unicode(TO, "Привет"), 0x45).await;
    let mut v5 = Esme::of_version(InterfaceVersion::V5_0, BindKind::Transceiver, house.address).await;
    refused(&mut v5, unicode(TO, "Привет"), 0x104).await;
    accepted(&mut esme, to(TO, "Hello")).await;
    assert_eq!(house.books("acme"), ("999".to_owned(), "1".to_owned()));
    house.reload(&acme("unicode = \"allow\"")).await;
    // 71 units are two parts of 67.
    accepted(&mut esme, unicode(TO, &"П".repeat(71))).await;
    assert_eq!(house.books("acme"), ("997".to_owned(), "3".to_owned()));
    house.reload(&acme("unicode = \"transliterate\"")).await;
    let mut operator = house.operator().await;
    taken(&mut operator, "1").await;
    taken(&mut operator, "2").await;
    taken(&mut operator, "3").await;
    accepted(&mut esme, unicode(TO, "Привет “José”…")).await;
    let pdu = taken(&mut operator, "4").await;
    assert_eq!(
        (pdu.data_coding, &pdu.short_message[..]),
        (DataCoding::DEFAULT, &b"Privet \"Jos\x05\"..."[..])
    );
    refused(&mut esme, unicode(TO, "你好"), 0x45).await;
    // 100 units would be two parts; in the GSM alphabet they are one.
    accepted(&mut esme, unicode(TO, &"ж".repeat(80))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f_129_a_country_s_cap_stops_the_next_message_of_the_day() {
    let caps = "country_caps = [{ country = \"CO\", messages = 10 }, { messages = 2, credits = \"100\" }]";
    let house = House::open(&acme(caps)).await;
    let mut esme = house.transmitter("acme").await;
    for n in 0..10 {
        accepted(&mut esme, to("573001234567", &format!("{n}"))).await;
    }
    refused(&mut esme, to("573001234567", "the eleventh"), 0x45).await;
    // The general cap counts each other country for itself.
    for number in [TO, "447400123456"] {
        accepted(&mut esme, to(number, "one")).await;
        accepted(&mut esme, to(number, "two")).await;
        refused(&mut esme, to(number, "three"), 0x45).await;
    }
    assert_eq!(house.books("acme"), ("986".to_owned(), "14".to_owned()));
    house.clock.set_wall(support::NOON + Duration::from_secs(86_400));
    accepted(&mut esme, to("573001234567", "tomorrow")).await;
}

/// How often rules of a kind would have refused what acme sent.
fn shadowed(house: &House, kind: RuleKind) -> u64 {
    let account = tollgate::account::AccountId(house.account("acme").id);
    house.store().counters().shadowed.of(account, kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_in_shadow_is_counted_beside_those_that_are_enforced_and_adds_nothing_to_them() {
    let caps = "country_caps = [{ messages = 4 }, { country = \"CO\", messages = 3, enforce = false }, \
        { country = \"GB\", messages = 3 }, { country = \"GB\", messages = 2, credits = \"1\", enforce = false }, \
        { messages = 1, enforce = false }]";
    let house = House::open(&acme(caps)).await;
    let mut esme = house.transmitter("acme").await;
    // Colombia: 4 of everybody's hold; the 3 of its own only count.
    for n in 0..4 {
        accepted(&mut esme, to("573001234567", &n.to_string())).await;
        assert_eq!(shadowed(&house, RuleKind::CountryCaps), u64::from(n == 3), "{n}");
    }
    refused(&mut esme, to("573001234567", "the fifth"), 0x45).await;
    // Great Britain: twice the same sum, and credits that nobody else counts. One message may pass both caps of a rule.
    accepted(&mut esme, to("447400123456", "1")).await;
    let before = shadowed(&house, RuleKind::CountryCaps);
    accepted(&mut esme, to("447400123456", "2")).await;
    assert_eq!(shadowed(&house, RuleKind::CountryCaps) - before, 1, "credits alone");
    accepted(&mut esme, to("447400123456", "3")).await;
    assert_eq!(shadowed(&house, RuleKind::CountryCaps) - before, 3, "messages and credits");
    refused(&mut esme, to("447400123456", "4"), 0x45).await;
    // Spain: the general one in shadow beside the general one that holds.
    let before = shadowed(&house, RuleKind::CountryCaps);
    accepted(&mut esme, to(TO, "1")).await;
    accepted(&mut esme, to(TO, "2")).await;
    assert_eq!(shadowed(&house, RuleKind::CountryCaps) - before, 1);
    assert_eq!(house.books("acme").1, "9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_window_in_shadow_counts_beside_a_shorter_one_that_refuses() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"1000\"\n\
        [account.filters]\nduplicate = { window = \"1m\" }\n\
        [[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n\
        [account.smpp.filters]\nduplicate = { window = \"60m\", enforce = false }\n";
    let mut house = House::open(policy).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to(TO, "hello")).await;
    refused(&mut esme, to(TO, "hello"), 0x45).await;
    assert_eq!(shadowed(&house, RuleKind::Duplicate), 0);
    house.clock.set_wall(support::NOON + minutes(2));
    accepted(&mut esme, to(TO, "hello")).await;
    assert_eq!(shadowed(&house, RuleKind::Duplicate), 1);
    // The short window began again with that one; the long one did not, and a restart forgets neither.
    drop(esme);
    house.restart(policy).await;
    let mut esme = house.bound("acme").await;
    refused(&mut esme, to(TO, "hello"), 0x45).await;
    house.clock.set_wall(support::NOON + minutes(59));
    accepted(&mut esme, to(TO, "hello")).await;
    assert_eq!(shadowed(&house, RuleKind::Duplicate), 1, "counted anew since the start");
    house.clock.set_wall(support::NOON + minutes(61));
    accepted(&mut esme, to(TO, "hello")).await;
    assert_eq!(shadowed(&house, RuleKind::Duplicate), 1, "an hour after the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_129_credits_to_a_country_are_capped_by_the_day() {
    let house = House::open(&acme("country_caps = [{ country = \"CO\", credits = \"3\" }]")).await;
    let mut esme = house.bound("acme").await;
    accepted(&mut esme, to("573001234567", &"x".repeat(200))).await;
    refused(&mut esme, to("573001234567", &"y".repeat(200)), 0x45).await;
    accepted(&mut esme, to("573001234567", "short")).await;
    refused(&mut esme, to("573001234567", "shorter"), 0x45).await;
    assert_eq!(house.books("acme"), ("997".to_owned(), "3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_128_filters_are_asked_before_credit_and_credit_before_the_way() {
    let routes = "[[route]]\nname = \"spain\"\nprefixes = [\"34\"]\nupstreams = [\"north\"]\n[[price]]\nprefix = \"\"\ncredits = \"1\"\n";
    let poor =
        acme("countries = [\"ES\", \"GB\"]\nduplicate = { window = \"60m\" }").replace("\"1000\"", "\"1\"");
    let house = House::open(&format!("{poor}{routes}")).await;
    let mut esme = house.bound("acme").await;
    // Validation, then filters, then credit, then the way.
    refused(
        &mut esme,
        SubmitSm { validity_period: COctets::from("not a time at al"), ..to("573001234567", "x") },
        0x62,
    )
    .await;
    refused(&mut esme, to("573001234567", "x"), 0x0B).await;
    refused(&mut esme, to("447400123456", "no way"), 0x0B).await;
    accepted(&mut esme, to(TO, "paid")).await;
    refused(&mut esme, to(TO, "paid"), 0x45).await;
    refused(&mut esme, to(TO, "not paid"), 0x45).await;
    // Without credit it is credit that is missing, although there is no way either.
    refused(&mut esme, to("447400123456", "no way and no money"), 0x45).await;
    assert_eq!(house.books("acme"), ("0".to_owned(), "1".to_owned()));
    assert_eq!(house.reader().entries(tollgate::account::AccountId(1), 10).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn f_066_only_granted_senders_are_taken_of_account_and_credential() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"10\"\n\
        [account.filters]\nsenders = [\"ACME*\", \"22???\", \"34600000000\"]\n\
        [[account.smpp]]\nsystem_id = \"acme\"\npassword = \"secret\"\n\
        [[account.smpp]]\nsystem_id = \"shop\"\npassword = \"secret\"\n\
        [account.smpp.filters]\nsenders = [\"ACME Shop\"]\n";
    let house = House::open(policy).await;
    let from = |name: &str| SubmitSm { source: Address::alphanumeric(name.to_owned()), ..to(TO, name) };
    let number =
        |digits: &str| SubmitSm { source: Address::international(digits.to_owned()), ..to(TO, digits) };
    let mut acme = house.bound("acme").await;
    accepted(&mut acme, from("ACME Info")).await;
    accepted(&mut acme, number("22017")).await;
    accepted(&mut acme, number("34600000000")).await;
    refused(&mut acme, from("OTHER"), 0x0A).await;
    refused(&mut acme, number("220170"), 0x0A).await;
    // A credential may only be tighter than its account.
    let mut shop = house.bound("shop").await;
    accepted(&mut shop, from("ACME Shop")).await;
    refused(&mut shop, from("ACME Info"), 0x0A).await;
    refused(&mut shop, from("OTHER"), 0x0A).await;
    assert_eq!(house.books("acme"), ("6".to_owned(), "4".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_patterns_and_links_are_refused_and_shadow_rules_only_count() {
    let content = "[[account.filters.content]]\nname = \"loans\"\nwords = [\"cheap loan\"]\n\
        [[account.filters.content]]\nname = \"spaced\"\nwords = [\"viagra\"]\nfolded = true\n\
        [[account.filters.content]]\nname = \"pin\"\npattern = 'pin\\s*is\\s*\\d{4}'\n\
        [[account.filters.content]]\nname = \"links\"\nlinks = { deny = [\"bad.example\"], look_alikes_of = [\"acmebank.com\"] }\n\
        [[account.filters.content]]\nname = \"watched\"\nwords = [\"crypto\"]\nenforce = false\n";
    let house = House::open(&acme(content)).await;
    let mut esme = house.bound("acme").await;
    for text in [
        "A CHEAP Loan for you",
        "buy v1agra now",
        "your PIN is 1234",
        "see http://x.bad.example/a",
        "acmebank.com.evil.ru",
    ] {
        refused(&mut esme, to(TO, text), 0x66).await;
    }
    for text in ["cheap loans", "spinning is 12345", "see https://good.example", "www.acmebank.com"] {
        accepted(&mut esme, to(TO, text)).await;
    }
    accepted(&mut esme, to(TO, "crypto is fine")).await;
    let account = tollgate::account::AccountId(house.account("acme").id);
    assert_eq!(house.store().counters().shadowed.of(account, RuleKind::Content), 1);
    assert_eq!(house.books("acme"), ("995".to_owned(), "5".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_of_numbers_and_paces_are_kept() {
    let filters = "numbers = { refuse = [\"premium\"], check_length = true }\n\
        velocity = [{ most = 2, per = \"1h\" }, { prefix = \"44\", digits = 6, most = 3, per = \"1m\" }]\n";
    let house = House::open(&acme(filters)).await;
    let mut esme = house.bound("acme").await;
    refused(&mut esme, to("34803123456", "premium"), 0x0B).await;
    refused(&mut esme, to("3460011", "too short"), 0x0B).await;
    accepted(&mut esme, to(TO, "1")).await;
    accepted(&mut esme, to(TO, "2")).await;
    refused(&mut esme, to(TO, "3"), 0x45).await;
    for (number, n) in [("447400123456", 1), ("447400123457", 2), ("447400123458", 3)] {
        accepted(&mut esme, to(number, &n.to_string())).await;
    }
    refused(&mut esme, to("447400123459", "4"), 0x45).await;
    house.clock.advance(Duration::from_secs(20));
    accepted(&mut esme, to("447400123459", "one comes back")).await;
    refused(&mut esme, to("447400123450", "not two"), 0x45).await;
    assert_eq!(house.books("acme").1, "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_of_hundreds_a_second_is_kept_and_outlives_a_change_of_its_most() {
    let pace = |most: u32| acme(&format!("velocity = [{{ most = {most}, per = \"1s\" }}]"));
    let mut house = House::open(&pace(400)).await;
    let mut esme = house.transmitter("acme").await;
    let mut sent = 0;
    let mut flood = async |esme: &mut Esme| {
        let mut taken = 0;
        while esme.try_submit(to(TO, &sent.to_string())).await.0.is_ok() {
            sent += 1;
            taken += 1;
        }
        taken
    };
    assert_eq!(flood(&mut esme).await, 400);
    house.clock.advance(Duration::from_millis(500));
    assert_eq!(flood(&mut esme).await, 200);
    // Nothing is left of the old most, and so nothing of the new one.
    house.reload(&pace(300)).await;
    assert_eq!(flood(&mut esme).await, 0);
    house.clock.advance(Duration::from_millis(100));
    assert_eq!(flood(&mut esme).await, 30);
}
