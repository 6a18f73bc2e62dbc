//! Accounts under accounts: a parent sees what its branch sent and spent, a branch sees only itself.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::House;
use tollgate::admin::{self, Answer, Request, Usage};

const TREE: &str = r#"
[[account]]
name = "chain"
opening_credit = "100"
[[account.smpp]]
system_id = "chain"
password = "secret"
[[account]]
name = "shop"
parent = "chain"
opening_credit = "10"
[[account.smpp]]
system_id = "shop"
password = "secret"
[[account]]
name = "till"
parent = "shop"
opening_credit = "5"
[[account.smpp]]
system_id = "till"
password = "secret"
[[account]]
name = "stranger"
opening_credit = "50"
[[account.smpp]]
system_id = "stranger"
password = "secret"
"#;

async fn usage(house: &House, name: &str, days: u32) -> Usage {
    let asked = Request::AccountUsage { name: name.to_owned(), days };
    match admin::perform(house.store(), asked).await.unwrap() {
        Answer::Usage(usage) => usage,
        other => panic!("{other:?}"),
    }
}

/// Name, messages, what is spent, what is available.
fn lines(usage: &Usage) -> Vec<(String, u64, String, String)> {
    let line = |line: &admin::UsageLine| {
        let admin::UsageLine { account, messages, spent, available, .. } = line.clone();
        (account, messages, spent.to_string(), available.to_string())
    };
    usage.accounts.iter().chain([&usage.total]).map(line).collect()
}

fn told(name: &str, messages: u64, spent: &str, available: &str) -> (String, u64, String, String) {
    (name.to_owned(), messages, spent.to_owned(), available.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f_070_a_parent_sees_the_sum_of_its_branch_and_a_branch_only_itself() {
    let mut house = House::open(TREE).await;
    for (name, count) in [("chain", 1), ("shop", 3), ("till", 2), ("stranger", 4)] {
        let mut esme = house.bound(name).await;
        for n in 0..count {
            esme.submit("34600111222", &format!("message {n} of {name}")).await;
        }
    }
    assert_eq!(
        lines(&usage(&house, "chain", 1).await),
        [
            told("chain", 1, "0", "99"),
            told("shop", 3, "0", "7"),
            told("till", 2, "0", "3"),
            told("", 6, "0", "109")
        ]
    );
    assert_eq!(
        lines(&usage(&house, "shop", 1).await),
        [told("shop", 3, "0", "7"), told("till", 2, "0", "3"), told("", 5, "0", "10")]
    );
    assert_eq!(lines(&usage(&house, "till", 30).await), [told("till", 2, "0", "3"), told("", 2, "0", "3")]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f_081_a_sub_accounts_figures_are_its_own_messages_day_by_day() {
    let house = House::open(TREE).await;
    let mut esme = house.transmitter("till").await;
    esme.submit("34600111222", "today").await;
    house.clock.advance(std::time::Duration::from_secs(86_400));
    let mut esme = house.transmitter("till").await;
    esme.submit("34600111222", "tomorrow").await;
    let messages = async |days| usage(&house, "till", days).await.total.messages;
    assert_eq!((messages(1).await, messages(2).await), (1, 2));
    assert!(
        admin::perform(house.store(), Request::AccountUsage { name: "nobody".to_owned(), days: 1 })
            .await
            .is_err()
    );
}
