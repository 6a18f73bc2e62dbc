//! `tollgate account`: who sends.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use ipnet::IpNet;

use super::super::exit::{out, outln};
use super::super::settings::SettingsArgs;
use super::table::{Table, printable, with_worth};
use super::{ask, print_json, unexpected, usage};
use crate::account::{Credits, Surface, Throughput};
use crate::admin::{AccountLine, Answer, Created, NewAccount, Request};
use crate::config;

/// List, show, create, suspend and resume accounts.
///
/// Works through the running daemon, or on the store itself when none runs. Accounts that come from configuration
/// files are shown here and changed there.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Every account with its money
    List {
        /// Only this account and all below it
        #[arg(long, value_name = "NAME")]
        under: Option<String>,
        /// Prints a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One account
    Show {
        /// Its name
        name: String,
        /// Also every rule that binds it and its credentials: whose it is and where it is written
        #[arg(long)]
        rules: bool,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// What an account and all below it sent and spent, with the sum
    Usage {
        /// The account at the top
        name: String,
        /// Days in UTC, today the last of them
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make an account with one credential to bind with; prints its system_id and password once
    Create(CreateArgs),
    /// Stop an account: it neither binds nor sends; what is owed to it is kept
    Suspend {
        /// Its name
        name: String,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let a suspended account act again
    Resume {
        /// Its name
        name: String,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Accounts that may stand above one another.
const DEEPEST: usize = 17;

/// What `create` takes.
#[derive(Debug, Args)]
struct CreateArgs {
    /// Its name: letters, digits, dots, hyphens, underscores
    name: String,
    /// Credit to begin with: a decimal number with up to 6 places
    #[arg(long, value_name = "CREDITS", default_value = "0")]
    credit: Credits,
    /// The account that answers for it
    #[arg(long, value_name = "NAME")]
    parent: Option<String>,
    /// The name it binds with, 1 to 15 octets [default: made from the account's name]
    #[arg(long)]
    system_id: Option<String>,
    /// Its password; more than 8 octets do not fit into the bind of a strict client [default: made by chance]
    #[arg(long, env = "TOLLGATE_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Addresses or networks it may come from; may be given more than once [default: any]
    #[arg(long = "allow", value_name = "NETWORK", value_parser = network)]
    allowed_ips: Vec<IpNet>,
    /// How fast it may send, in segments: "50/s" or "50/s burst 100" [default: no limit]
    #[arg(long)]
    throughput: Option<Throughput>,
    /// Prints a JSON object
    #[arg(long)]
    json: bool,
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    let net = text.parse::<IpNet>().or_else(|_| address());
    net.map_err(|_| "write an IPv4 or IPv6 address or network, such as 192.0.2.0/24".to_owned())
}

impl AccountArgs {
    /// Does it.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        match self.command {
            AccountCommand::List { under, json } => list(settings, under.as_deref(), json)?,
            AccountCommand::Show { name, rules, json } => show(settings, name, rules, json)?,
            AccountCommand::Usage { name, days, json } => usage::usage(settings, name, days, json)?,
            AccountCommand::Create(args) => create(settings, args)?,
            AccountCommand::Suspend { name, json } => {
                let line = account(settings, Request::AccountSuspend { name })?;
                done(&line, json, "suspended")?;
            }
            AccountCommand::Resume { name, json } => {
                let line = account(settings, Request::AccountResume { name })?;
                done(&line, json, "active")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn account(settings: &SettingsArgs, request: Request) -> anyhow::Result<AccountLine> {
    match ask(settings, request)? {
        Answer::Account(line) => Ok(*line),
        _ => Err(unexpected()),
    }
}

fn done(line: &AccountLine, json: bool, word: &str) -> anyhow::Result<()> {
    if json {
        return print_json(line);
    }
    outln!("account {} is {word}", line.name)?;
    Ok(())
}

fn list(settings: &SettingsArgs, under: Option<&str>, json: bool) -> anyhow::Result<()> {
    let Answer::Accounts(mut accounts) = ask(settings, Request::AccountList)? else {
        return Err(unexpected());
    };
    if let Some(top) = under {
        anyhow::ensure!(accounts.iter().any(|line| line.name == top), "there is no account {top:?}");
        let parents: HashMap<String, String> =
            accounts.iter().filter_map(|line| Some((line.name.clone(), line.parent.clone()?))).collect();
        accounts.retain(|line| {
            let parent = |name: &&str| parents.get(*name).map(String::as_str);
            // A store has no deeper trees.
            std::iter::successors(Some(line.name.as_str()), parent).take(DEEPEST).any(|name| name == top)
        });
    }
    if json {
        return print_json(&accounts);
    }
    let mut table = Table::new(["name", "parent", "state", "origin", ">available", ">held", "system_ids"]);
    for line in accounts {
        table.row([
            line.name,
            line.parent.unwrap_or_else(|| "-".to_owned()),
            state(line.suspended).to_owned(),
            line.origin,
            with_worth(line.available, line.worth.as_ref()),
            line.held.to_string(),
            line.system_ids.join(" "),
        ]);
    }
    out!("{table}")?;
    Ok(())
}

const fn state(suspended: bool) -> &'static str {
    if suspended { "suspended" } else { "active" }
}

fn show(settings: &SettingsArgs, name: String, with_rules: bool, json: bool) -> anyhow::Result<()> {
    let line = account(settings, Request::AccountShow { name })?;
    let rules = if with_rules { Some(usage::rules(settings, &line.name)?) } else { None };
    if json {
        let mut value = serde_json::to_value(&line)?;
        if let Some(rules) = rules {
            value["rules"] = serde_json::to_value(rules)?;
        }
        return print_json(&value);
    }
    outln!("name            {}", line.name)?;
    if let Some(parent) = &line.parent {
        outln!("parent          {parent}")?;
    }
    outln!("state           {}", state(line.suspended))?;
    outln!("origin          {}", line.origin)?;
    outln!("available       {}", line.available)?;
    if let Some(worth) = &line.worth {
        outln!("worth           {worth}")?;
    }
    outln!("held            {}", line.held)?;
    outln!("floor           {}", line.terms.floor)?;
    outln!("max_queued      {}", line.terms.max_queued)?;
    if let Some(list) = &line.terms.price_list {
        outln!("price_list      {list}")?;
    }
    if let Some(source) = &line.terms.default_source {
        outln!("default_source  {source}")?;
    }
    outln!("system_ids      {}", line.system_ids.join(" "))?;
    show_access(&line)?;
    for (key, value) in config::written_filters(&line.filters) {
        outln!("{:<15} {}", format!("filters.{key}"), printable(&value.to_string()))?;
    }
    if let Some(rules) = rules {
        usage::print_rules(rules)?;
    }
    Ok(())
}

fn show_access(line: &AccountLine) -> anyhow::Result<()> {
    for surface in Surface::ALL {
        if line.terms.access.list(surface).restricted {
            outln!("restricted      {surface}")?;
        }
    }
    if line.access.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["surface", "network", "last_seen", "hint", "description"]);
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for entry in &line.access {
        table.row([
            entry.surface.to_string(),
            entry.network.to_string(),
            or_dash(&entry.last_seen),
            or_dash(&entry.hint),
            entry.description.clone(),
        ]);
    }
    out!("\n{table}")
}

fn create(settings: &SettingsArgs, args: CreateArgs) -> anyhow::Result<()> {
    let request = Request::AccountCreate(NewAccount {
        name: args.name,
        parent: args.parent,
        opening_credit: args.credit,
        system_id: args.system_id,
        password: args.password,
        allowed_ips: args.allowed_ips,
        throughput: args.throughput,
    });
    let Answer::Created(made) = ask(settings, request)? else { return Err(unexpected()) };
    if args.json {
        return print_json(&made);
    }
    let Created { name, system_id, password, available } = made;
    outln!("made account {name} with {available} credits")?;
    outln!("system_id  {system_id}")?;
    if let Some(password) = password {
        outln!("password   {password}    (shown this once; only a hash of it is kept)")?;
    }
    Ok(())
}
