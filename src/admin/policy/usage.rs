//! What an account and all below it sent and spent: a parent sees its branch.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::account::{AccountId, Credits};
use crate::admin::request::{Answer, Refused};
use crate::policy::Billing;
use crate::store::{AccountView, Store, StoreError};

/// The roll-up of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The account at its top.
    pub account: String,
    /// Days that were counted, in UTC, today the last of them.
    pub days: u32,
    /// One line an account, the top first, then by name.
    pub accounts: Vec<UsageLine>,
    /// The sum of all; its name is empty.
    pub total: UsageLine,
}

/// What one account sent and spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageLine {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What can be spent now.
    pub available: Credits,
    /// What is held now for messages under way.
    pub held: Credits,
    /// Messages that were accepted in these days.
    pub messages: u64,
    /// What was spent on messages that ended in these days.
    pub spent: Credits,
    /// What was given back for messages that ended in these days.
    pub given_back: Credits,
    /// What can be spent now in the currency in which the account's amounts are shown, `12.5 EUR`. Absent where there is
    /// none, and of the sum where not all have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<String>,
    /// What was spent, in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent_worth: Option<String>,
}

/// The most days that are counted.
const MOST_DAYS: u32 = 36_500;

pub(in crate::admin) async fn of_branch(store: &Store, name: String, days: u32) -> Result<Answer, Refused> {
    let days = days.clamp(1, MOST_DAYS);
    let since = store.now().utc_day() - i64::from(days) + 1;
    let policy = store.policy();
    let usage = super::super::perform::read(store, move |reader| {
        let accounts = reader.accounts()?;
        if !accounts.iter().any(|account| account.name == name) {
            return Err(StoreError::Unknown { what: "account", name });
        }
        let totals = reader.totals_since(since)?;
        Ok(usage(name, days, accounts, &totals, |id| policy.billing(id)))
    });
    Ok(Answer::Usage(usage.await?))
}

fn usage(
    name: String,
    days: u32,
    accounts: Vec<AccountView>,
    totals: &HashMap<AccountId, crate::store::DayTotals>,
    billing_of: impl Fn(AccountId) -> Option<Billing>,
) -> Usage {
    let branch = branch(&name, &accounts);
    let mut billings = Vec::new();
    let mut lines: Vec<UsageLine> = accounts
        .into_iter()
        .filter(|account| branch.contains(&account.name))
        .map(|account| {
            let totals = totals.get(&AccountId(account.id)).copied().unwrap_or_default();
            let billing = billing_of(AccountId(account.id));
            billings.push(billing);
            UsageLine {
                account: account.name,
                parent: account.parent,
                available: account.balance.available,
                held: account.balance.held,
                messages: totals.messages,
                spent: totals.posted,
                given_back: totals.voided,
                worth: billing.map(|billing| billing.shown(account.balance.available)),
                spent_worth: billing.map(|billing| billing.shown(totals.posted)),
            }
        })
        .collect();
    lines.sort_by(|a, b| (a.account != name, &a.account).cmp(&(b.account != name, &b.account)));
    let mut total = UsageLine::default();
    for line in &lines {
        // Sums of 64 bits that pass their range end at it.
        let plus =
            |sum: Credits, more: Credits| Credits::from_micro(sum.micro().saturating_add(more.micro()));
        total.available = plus(total.available, line.available);
        total.held = plus(total.held, line.held);
        total.messages = total.messages.saturating_add(line.messages);
        total.spent = plus(total.spent, line.spent);
        total.given_back = plus(total.given_back, line.given_back);
    }
    if let Some((Some(first), others)) = billings.split_first()
        && others.iter().all(|other| other.as_ref() == Some(first))
    {
        total.worth = Some(first.shown(total.available));
        total.spent_worth = Some(first.shown(total.spent));
    }
    Usage { account: name, days, accounts: lines, total }
}

/// The names of an account and of all below it.
fn branch(top: &str, accounts: &[AccountView]) -> HashSet<String> {
    let mut below: HashMap<&str, Vec<&str>> = HashMap::new();
    for account in accounts {
        if let Some(parent) = &account.parent {
            below.entry(parent).or_default().push(&account.name);
        }
    }
    let mut found = HashSet::from([top.to_owned()]);
    let mut next = vec![top];
    // Each name comes in once: the loop ends.
    while let Some(name) = next.pop() {
        for child in below.get(name).into_iter().flatten() {
            if found.insert((*child).to_owned()) {
                next.push(child);
            }
        }
    }
    found
}
