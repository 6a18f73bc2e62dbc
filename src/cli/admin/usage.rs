//! `tollgate account usage`: what an account and all below it sent and spent.

use super::super::exit::{out, outln};
use super::super::settings::SettingsArgs;
use super::table::{Table, with_worth};
use super::{ask, print_json, unexpected};
use crate::admin::{Answer, BoundBy, Request, Usage, UsageLine};

pub(super) fn usage(settings: &SettingsArgs, name: String, days: u32, json: bool) -> anyhow::Result<()> {
    let Answer::Usage(usage) = ask(settings, Request::AccountUsage { name, days })? else {
        return Err(unexpected());
    };
    if json {
        return print_json(&usage);
    }
    let Usage { account, days, accounts, total } = usage;
    outln!("{account} and all below it, {days} day(s) up to today (UTC)\n")?;
    let mut table =
        Table::new(["account", "parent", ">messages", ">spent", ">given back", ">available", ">held"]);
    for line in accounts {
        table.row(cells(line));
    }
    table.row(cells(UsageLine { account: "all".to_owned(), ..total }));
    out!("{table}")?;
    Ok(())
}

fn cells(line: UsageLine) -> [String; 7] {
    [
        line.account,
        line.parent.unwrap_or_else(|| "-".to_owned()),
        line.messages.to_string(),
        with_worth(line.spent, line.spent_worth.as_ref()),
        line.given_back.to_string(),
        with_worth(line.available, line.worth.as_ref()),
        line.held.to_string(),
    ]
}

/// Every rule that binds an account and its credentials.
pub(super) fn rules(settings: &SettingsArgs, name: &str) -> anyhow::Result<Vec<BoundBy>> {
    match ask(settings, Request::AccountRules { name: name.to_owned() })? {
        Answer::Rules(rules) => Ok(rules),
        _ => Err(unexpected()),
    }
}

/// Rules as a table.
pub(super) fn print_rules(rules: Vec<BoundBy>) -> anyhow::Result<()> {
    if rules.is_empty() {
        return outln!("rules           none");
    }
    let mut table = Table::new(["rule", "of", "says", "enforced", "where"]);
    for rule in rules {
        let enforced = if rule.enforce { "yes" } else { "no" };
        table.row([rule.rule, rule.of, rule.says, enforced.to_owned(), rule.place]);
    }
    out!("\n{table}")
}
