//! Accounts under accounts: credit that was allocated, pools and windows of users, rates, suspension; and the wishes of
//! phones. Every conversation ends on the books.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use smpp_proto::pdu::SubmitSm;
use smpp_proto::{CommandId, CommandStatus};
use support::{Esme, House, SmscLink, submit, within};
use tollgate::account::{AccountId, Credits, Origin, Terms};
use tollgate::admin::{self, Answer, Numbers, Request};
use tollgate::clock::Timestamp;
use tollgate::policy::filter::Filters;
use tollgate::store::{AccountDraft, PolicyChange, StoreError};

const TO: &str = "34600111222";

async fn answered(esme: &mut Esme, pdu: SubmitSm, status: u32) {
    let shown = format!("{pdu:?}");
    let (answer, _) = esme.try_submit(pdu).await;
    assert_eq!(answer, CommandStatus(status), "{shown}");
}

fn account(name: &str, keys: &str, filters: &str) -> String {
    format!(
        "[[account]]\nname = \"{name}\"\n{keys}\n[account.filters]\n{filters}\n[[account.smpp]]\nsystem_id = \"{name}\"\n\
         password = \"secret\"\nmax_binds = 300\n"
    )
}

fn credits(amount: &str) -> Credits {
    amount.parse().unwrap()
}

fn id(house: &House, name: &str) -> AccountId {
    AccountId(house.account(name).id)
}

/// The message that the operator gets next, taken.
async fn taken(operator: &mut SmscLink) -> SubmitSm {
    let (sequence, pdu) = operator.expect_submit().await;
    operator.accept_submit(sequence, &sequence.to_string()).await;
    pdu
}

#[tokio::test(flavor = "multi_thread")]
async fn f_082_a_sub_account_spends_what_it_was_allocated_and_nothing_else() {
    let house = House::open(&format!(
        "{}{}",
        account("acme", "opening_credit = \"100\"", ""),
        account("branch", "parent = \"acme\"", "")
    ))
    .await;
    let (parent, child) = (id(&house, "acme"), id(&house, "branch"));
    house.store().transfer(parent, child, credits("5"), "for May".to_owned()).await.unwrap();
    let mut branch = house.bound("branch").await;
    for n in 0..5 {
        answered(&mut branch, submit(TO, &n.to_string()), 0).await;
    }
    answered(&mut branch, submit(TO, "the sixth"), 0x45).await;
    assert_eq!(house.books("branch"), ("0".to_owned(), "5".to_owned()));
    assert_eq!(house.books("acme"), ("95".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_083_nobody_is_given_more_than_his_ceiling() {
    let house = House::open(&format!(
        "{}{}",
        account("acme", "opening_credit = \"100\"", ""),
        account("branch", "parent = \"acme\"\nceiling = \"10\"", "")
    ))
    .await;
    let (parent, child) = (id(&house, "acme"), id(&house, "branch"));
    let give = |amount: &str| house.store().transfer(parent, child, credits(amount), String::new());
    assert!(matches!(give("10.000001").await, Err(StoreError::AboveCeiling(name)) if name == "branch"));
    give("10").await.unwrap();
    // What is held counts: it may come back.
    let mut branch = house.bound("branch").await;
    answered(&mut branch, submit(TO, "one is held"), 0).await;
    assert!(matches!(give("0.5").await, Err(StoreError::AboveCeiling(_))));
    let grant = house.store().credit(child, credits("1"), String::new()).await;
    assert!(matches!(grant, Err(StoreError::AboveCeiling(_))));
    assert_eq!(house.books("branch"), ("9".to_owned(), "1".to_owned()));
    assert_eq!(house.books("acme"), ("90".to_owned(), "0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_new_and_above_his_ceiling_is_told_by_name() {
    let house = House::open(&account("acme", "opening_credit = \"100\"", "")).await;
    let fresh = AccountDraft {
        name: "fresh".to_owned(),
        parent: None,
        opening_credit: credits("11"),
        suspended: false,
        origin: Origin::Store,
        terms: Terms { ceiling: Some(credits("10")), ..Terms::default() },
        filters: Filters::default(),
        credentials: Vec::new(),
    };
    let change = PolicyChange { accounts: vec![fresh], replaces_files: false, traffic: None };
    let refused = house.store().apply(change).await.unwrap_err();
    assert_eq!(refused.to_string(), "account \"fresh\" would own more than its ceiling");
    assert!(house.reader().account("fresh").is_err(), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_085_two_hundred_sessions_share_a_hundred_credits_exactly() {
    let house = House::open(&account("acme", "opening_credit = \"100\"", "max_per_day = 150")).await;
    let mut sessions = tokio::task::JoinSet::new();
    let gate = std::sync::Arc::new(tokio::sync::Barrier::new(200));
    for n in 0..200 {
        let (address, gate) = (house.address, gate.clone());
        sessions.spawn(async move {
            let mut esme = Esme::bound(address, "acme", "secret").await;
            gate.wait().await;
            let (status, _) = esme.try_submit(submit(TO, &n.to_string())).await;
            status
        });
    }
    let statuses = sessions.join_all().await;
    let count = |status| statuses.iter().filter(|found| **found == CommandStatus(status)).count();
    assert_eq!((count(0), count(0x45)), (100, 100));
    assert_eq!(house.books("acme"), ("0".to_owned(), "100".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_s_maximum_is_exact_over_two_hundred_sessions() {
    let house = House::open(&account("acme", "opening_credit = \"1000\"", "max_per_day = 100")).await;
    let mut sessions = tokio::task::JoinSet::new();
    for n in 0..200 {
        let address = house.address;
        sessions.spawn(async move {
            let mut esme = Esme::bound(address, "acme", "secret").await;
            esme.try_submit(submit(TO, &n.to_string())).await.0
        });
    }
    let statuses = sessions.join_all().await;
    assert_eq!(statuses.iter().filter(|status| status.is_ok()).count(), 100);
    assert_eq!(house.books("acme"), ("900".to_owned(), "100".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f_064_one_user_s_hours_hold_his_messages_and_no_other_s() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"10\"\n\
        [[account.smpp]]\nsystem_id = \"office\"\npassword = \"secret\"\n[account.smpp.filters]\n\
        hours = { closed_from = \"11:00\", closed_to = \"14:00\", action = \"hold\" }\n\
        [[account.smpp]]\nsystem_id = \"strict\"\npassword = \"secret\"\n[account.smpp.filters]\n\
        hours = { closed_from = \"11:00\", closed_to = \"14:00\", action = \"reject\" }\n\
        [[account.smpp]]\nsystem_id = \"robot\"\npassword = \"secret\"\n";
    let house = House::open(policy).await;
    let mut operator = house.operator().await;
    let (mut office, mut strict, mut robot) =
        (house.bound("office").await, house.bound("strict").await, house.bound("robot").await);
    answered(&mut office, submit(TO, "from the office"), 0).await;
    answered(&mut strict, submit(TO, "refused"), 0x45).await;
    answered(&mut robot, submit(TO, "from the robot"), 0).await;
    assert_eq!(&taken(&mut operator).await.short_message[..], b"from the robot");
    operator.is_silent().await;
    house.clock.set_wall(support::NOON + Duration::from_secs(2 * 3_600));
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(&taken(&mut operator).await.short_message[..], b"from the office");
    assert_eq!(house.books("acme").0, "8");
}

#[tokio::test(flavor = "multi_thread")]
async fn f_067_a_user_s_monthly_pool_is_spent_and_comes_back_on_the_first() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"100\"\n[account.filters]\nzone = \"America/Bogota\"\n\
        [[account.smpp]]\nsystem_id = \"user\"\npassword = \"secret\"\n[account.smpp.filters]\nspend_per_month = \"3\"\n\
        [[account.smpp]]\nsystem_id = \"other\"\npassword = \"secret\"\n";
    let mut house = House::open(policy).await;
    let mut user = house.transmitter("user").await;
    answered(&mut user, submit(TO, &"x".repeat(200)), 0).await;
    answered(&mut user, submit(TO, &"y".repeat(200)), 0x45).await;
    answered(&mut user, submit(TO, "one more"), 0).await;
    answered(&mut user, submit(TO, "the pool is empty"), 0x45).await;
    let mut other = house.transmitter("other").await;
    answered(&mut other, submit(TO, "the account has credit"), 0).await;
    assert_eq!(house.books("acme"), ("96".to_owned(), "4".to_owned()));
    drop((user, other));
    house.restart(policy).await;
    let mut user = house.transmitter("user").await;
    answered(&mut user, submit(TO, "still empty"), 0x45).await;
    // 2025-12-01T04:59:59Z is still November in Bogota; a second later it is not.
    house.clock.set_wall(Timestamp::from_millis(1_764_565_199_000));
    answered(&mut user, submit(TO, "still November"), 0x45).await;
    house.clock.set_wall(Timestamp::from_millis(1_764_565_200_000));
    answered(&mut user, submit(TO, "December"), 0).await;
    house.books("acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_binds_a_parent_binds_its_children_together() {
    let policy = format!(
        "[filters]\ncountries = [\"ES\", \"FR\"]\n{}{}{}",
        account("acme", "opening_credit = \"10\"", "max_per_day = 3"),
        account("one", "parent = \"acme\"\nopening_credit = \"10\"", "countries = [\"ES\"]"),
        account("two", "parent = \"acme\"\nopening_credit = \"10\"", ""),
    );
    let house = House::open(&policy).await;
    let (mut one, mut two) = (house.bound("one").await, house.bound("two").await);
    answered(&mut one, submit("33612345678", "France"), 0x0B).await;
    answered(&mut two, submit("573001234567", "Colombia"), 0x0B).await;
    answered(&mut one, submit(TO, "1"), 0).await;
    answered(&mut two, submit("33612345678", "2"), 0).await;
    answered(&mut two, submit(TO, "3"), 0).await;
    // The parent's day is over for all of them.
    answered(&mut one, submit(TO, "4"), 0x45).await;
    answered(&mut house.bound("acme").await, submit(TO, "5"), 0x45).await;
    assert_eq!((house.books("one").1, house.books("two").1), ("1".to_owned(), "2".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_s_rate_is_shared_by_its_credentials_and_changes_without_a_reconnect() {
    let policy = |rate: &str| {
        format!(
            "[[account]]\nname = \"acme\"\nopening_credit = \"100\"\n[account.filters]\nthroughput = \"{rate}\"\n\
             [[account.smpp]]\nsystem_id = \"one\"\npassword = \"secret\"\n\
             [[account.smpp]]\nsystem_id = \"two\"\npassword = \"secret\"\nthroughput = \"1/s\"\n"
        )
    };
    let mut house = House::open(&policy("2/s burst 3")).await;
    let (mut one, mut two) = (house.bound("one").await, house.bound("two").await);
    answered(&mut one, submit(TO, "1"), 0).await;
    answered(&mut two, submit(TO, "2"), 0).await;
    // Its own rate, before the account's.
    answered(&mut two, submit(TO, "too fast for two"), 0x58).await;
    // Two parts do not fit into what is left of the account's.
    answered(&mut one, submit(TO, &"x".repeat(161)), 0x58).await;
    answered(&mut one, submit(TO, "3"), 0).await;
    answered(&mut one, submit(TO, "too fast for all"), 0x58).await;
    house.reload(&policy("10/s burst 10")).await;
    house.clock.advance(Duration::from_secs(1));
    for n in 4..13 {
        answered(&mut one, submit(TO, &n.to_string()), 0).await;
    }
    answered(&mut two, submit(TO, "13"), 0).await;
    answered(&mut one, submit(TO, "14"), 0x58).await;
    assert_eq!(house.books("acme"), ("87".to_owned(), "13".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_longer_than_the_burst_is_paid_whole_at_the_account_s_rate_and_at_the_credential_s() {
    let policy = "[[account]]\nname = \"acme\"\nopening_credit = \"100\"\n\
        [account.filters]\nthroughput = \"10/s burst 5\"\n\
        [[account.smpp]]\nsystem_id = \"one\"\npassword = \"secret\"\n\
        [[account.smpp]]\nsystem_id = \"two\"\npassword = \"secret\"\nthroughput = \"1/s burst 4\"\n";
    let house = House::open(policy).await;
    let (mut one, mut two) = (house.bound("one").await, house.bound("two").await);
    let long = |parts: usize| {
        let text = smpp_proto::Tlv::new(smpp_proto::Tag::MESSAGE_PAYLOAD, vec![b'x'; parts * 153]);
        let mut pdu = submit(TO, "");
        pdu.tlvs.push(text);
        pdu
    };
    let wait = |seconds| house.clock.advance(Duration::from_secs(seconds));
    // Ten segments at 1/s take ten seconds, whatever the burst is.
    answered(&mut two, long(10), 0).await;
    wait(5);
    answered(&mut two, submit(TO, "x"), 0x58).await;
    wait(4);
    answered(&mut two, long(10), 0x58).await;
    wait(1);
    answered(&mut two, long(10), 0).await;
    // They were taken from the account's bucket too.
    answered(&mut one, submit(TO, "x"), 0x58).await;
    wait(1);
    answered(&mut one, long(10), 0).await;
    wait(9);
    answered(&mut one, long(10), 0).await;
    // What the account's rate refuses costs the credential nothing.
    answered(&mut two, long(4), 0x58).await;
    wait(1);
    answered(&mut two, long(4), 0).await;
    assert_eq!(house.books("acme"), ("56".to_owned(), "44".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_rate_changes_while_it_is_bound() {
    let mut house = House::open_with(
        support::NOON,
        &account("acme", "opening_credit = \"100\"", ""),
        "throughput = \"1/s\"",
    )
    .await;
    let mut operator = house.operator().await;
    let mut acme = house.transmitter("acme").await;
    for n in 0..5 {
        answered(&mut acme, submit(TO, &n.to_string()), 0).await;
    }
    taken(&mut operator).await;
    operator.is_silent().await;
    house.reload_with(&account("acme", "opening_credit = \"100\"", ""), "throughput = \"100/s\"").await;
    house.clock.advance(Duration::from_secs(1));
    // The same connection: nobody bound anew.
    for _ in 1..5 {
        taken(&mut operator).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_stops_at_once_and_goes_on_where_it_stopped() {
    let acme = |suspended: bool| {
        let keys = format!("opening_credit = \"10\"\nsuspended = {suspended}");
        format!(
            "{}{}",
            account("acme", &keys, ""),
            account("branch", "parent = \"acme\"\nopening_credit = \"10\"", "")
        )
    };
    let mut house = House::open(&acme(false)).await;
    let mut branch = house.bound("branch").await;
    // No operator is bound: it waits.
    answered(&mut branch, submit(TO, "before"), 0).await;
    house.reload(&acme(true)).await;
    answered(&mut branch, submit(TO, "refused"), 0x0D).await;
    house.clock.advance(Duration::from_secs(1));
    let unbind = within("an unbind", branch.expect_command(CommandId::UNBIND)).await;
    assert_eq!(unbind.header.command, CommandId::UNBIND);
    let mut again = Esme::connect(house.address).await;
    let refused = again.bind(smpp_proto::pdu::BindKind::Transceiver, "branch", "secret").await;
    assert_eq!(refused.header.status, CommandStatus(0x0D));
    // What waits is kept back, whoever binds.
    let mut operator = house.operator().await;
    operator.is_silent().await;
    assert_eq!(house.books("branch"), ("9".to_owned(), "1".to_owned()));
    house.reload(&acme(false)).await;
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(&taken(&mut operator).await.short_message[..], b"before");
    let mut branch = house.bound("branch").await;
    answered(&mut branch, submit(TO, "after"), 0).await;
    assert_eq!(&taken(&mut operator).await.short_message[..], b"after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_says_stop_gets_nothing_more_from_that_account_until_it_says_start() {
    let policy = format!(
        "{}{}[[mo]]\nprefixes = [\"22000\"]\naccount = \"acme\"\n[[mo]]\nprefixes = [\"33000\"]\naccount = \"other\"\n",
        account("acme", "opening_credit = \"10\"", "opt_outs = true"),
        account("other", "opening_credit = \"10\"", "opt_outs = { stop = [\"NUNCA MAS\"] }")
    );
    let mut house = House::open(&policy).await;
    let mut operator = house.operator().await;
    let (mut acme, mut other) = (house.bound("acme").await, house.bound("other").await);
    answered(&mut acme, submit(TO, "offer"), 0).await;
    taken(&mut operator).await;
    let said = async |operator: &mut SmscLink, esme: &mut Esme, to: &str, text: &str| {
        let sequence = operator.send_mo(TO, to, text).await;
        operator.expect_delivered(sequence).await;
        assert_eq!(&esme.expect_deliver().await.short_message[..], text.as_bytes());
    };
    said(&mut operator, &mut acme, "22000", "Stop by tomorrow at five").await;
    answered(&mut acme, submit(TO, "fine"), 0).await;
    taken(&mut operator).await;
    said(&mut operator, &mut acme, "22000", "¡BAJA!").await;
    answered(&mut acme, submit(TO, "refused"), 0x0B).await;
    answered(&mut other, submit(TO, "from somebody else"), 0).await;
    taken(&mut operator).await;
    said(&mut operator, &mut other, "33000", "stop").await;
    answered(&mut other, submit(TO, "not its word"), 0).await;
    taken(&mut operator).await;
    said(&mut operator, &mut other, "33000", "Nunca mas.").await;
    answered(&mut other, submit(TO, "its word"), 0x0B).await;
    drop((acme, other, operator));
    house.restart(&policy).await;
    let mut operator = house.operator().await;
    let mut acme = house.bound("acme").await;
    answered(&mut acme, submit(TO, "still refused"), 0x0B).await;
    said(&mut operator, &mut acme, "22000", "START").await;
    answered(&mut acme, submit(TO, "welcome back"), 0).await;
    assert_eq!(&taken(&mut operator).await.short_message[..], b"welcome back");
    house.books("acme");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_s_own_words_and_a_shadow_rule_leave_its_parent_s_stop_in_force() {
    let child = |name: &str, filters: &str| {
        account(name, "parent = \"acme\"\nopening_credit = \"10\"", filters)
            + &format!("[[mo]]\nprefixes = [\"{name}\"]\naccount = \"{name}\"\n")
    };
    let policy = [
        account("acme", "", "opt_outs = true"),
        child("22000", "opt_outs = { stop = [\"XQZ\"], start = [\"STOP\", \"OLE\"] }"),
        child("33000", "opt_outs = { stop = [\"XQZ\"], enforce = false }"),
    ];
    let house = House::open(&policy.concat()).await;
    let mut operator = house.operator().await;
    for (child, own_word) in [("22000", 0x0B), ("33000", 0)] {
        let mut esme = house.bound(child).await;
        // Its parent's word; no word of its own takes that back, but its parent's does, whatever it takes them for
        // itself; then its own.
        for (text, status) in [("STOP", 0x0B), ("OLE", 0x0B), ("START", 0), ("XQZ", own_word)] {
            let sequence = operator.send_mo(TO, child, text).await;
            operator.expect_delivered(sequence).await;
            assert_eq!(&esme.expect_deliver().await.short_message[..], text.as_bytes());
            answered(&mut esme, submit(TO, text), status).await;
            if status == 0 {
                taken(&mut operator).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_the_same_on_lists_and_from_operators_however_it_is_written() {
    let mo = "[[mo]]\nprefixes = [\"22000\"]\naccount = \"acme\"\n";
    let house = House::open(&(account("acme", "opening_credit = \"10\"", "opt_outs = true") + mo)).await;
    let mut operator = house.operator().await;
    let mut acme = house.bound("acme").await;
    let list = async |account: Option<&str>, remove, number: &str| {
        let (account, numbers) = (account.map(str::to_owned), vec![number.to_owned()]);
        let numbers = Numbers { account, remove, numbers, why: String::new() };
        match admin::perform(house.store(), Request::NumbersChange(numbers)).await.unwrap() {
            Answer::NumbersChanged(done) => done.changed,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(list(None, false, "0034 600-111-222").await, 1);
    answered(&mut acme, submit(TO, "blocked"), 0x0B).await;
    answered(&mut acme, submit("0034600111222", "blocked"), 0x0B).await;
    // Another exit code behind the first would be a number that is on no list.
    answered(&mut acme, submit("000034600111222", "no number"), 0x0B).await;
    assert_eq!((list(None, false, TO).await, list(None, true, "+34600111222").await), (0, 1));
    answered(&mut acme, submit(TO, "free"), 0).await;
    taken(&mut operator).await;
    for (phone, to, text, status) in
        [("0034600111222", "+22000", "STOP", 0x0B), ("+34600111222", "0022000", "START", 0)]
    {
        let sequence = operator.send_mo(phone, to, text).await;
        operator.expect_delivered(sequence).await;
        let pdu = acme.expect_deliver().await;
        assert_eq!(pdu.destination.digits.to_text(), to, "as it came");
        answered(&mut acme, submit(TO, text), status).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opt_outs_in_shadow_put_nobody_on_a_list() {
    let filters = "opt_outs = { enforce = false }";
    let policy = format!(
        "{}[[mo]]\nprefixes = [\"22000\"]\naccount = \"acme\"\n",
        account("acme", "opening_credit = \"10\"", filters)
    );
    let house = House::open(&policy).await;
    let mut operator = house.operator().await;
    let mut acme = house.bound("acme").await;
    let sequence = operator.send_mo(TO, "22000", "STOP").await;
    operator.expect_delivered(sequence).await;
    assert_eq!(&acme.expect_deliver().await.short_message[..], b"STOP");
    answered(&mut acme, submit(TO, "still taken"), 0).await;
    assert_eq!(house.books("acme").0, "9");
    let shadowed = &house.store().counters().shadowed;
    assert_eq!(shadowed.of(id(&house, "acme"), tollgate::policy::filter::RuleKind::OptOuts), 1, "the STOP");
}
