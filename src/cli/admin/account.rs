//! `tollgate account`: who sends.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ipnet::IpNet;

use super::super::settings::SettingsArgs;
use super::table::Table;
use super::{ask, print_json, unexpected};
use crate::account::{Credits, Surface, Throughput};
use crate::admin::{AccountLine, Answer, Created, NewAccount, Request};

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
        /// Prints a JSON array
        #[arg(long)]
        json: bool,
    },
    /// One account
    Show {
        /// Its name
        name: String,
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
            AccountCommand::List { json } => list(settings, json)?,
            AccountCommand::Show { name, json } => {
                show(&account(settings, Request::AccountShow { name })?, json)?;
            }
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
    println!("account {} is {word}", line.name);
    Ok(())
}

fn list(settings: &SettingsArgs, json: bool) -> anyhow::Result<()> {
    let Answer::Accounts(accounts) = ask(settings, Request::AccountList)? else { return Err(unexpected()) };
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
            line.available.to_string(),
            line.held.to_string(),
            line.system_ids.join(" "),
        ]);
    }
    print!("{table}");
    Ok(())
}

const fn state(suspended: bool) -> &'static str {
    if suspended { "suspended" } else { "active" }
}

fn show(line: &AccountLine, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(line);
    }
    println!("name            {}", line.name);
    if let Some(parent) = &line.parent {
        println!("parent          {parent}");
    }
    println!("state           {}", state(line.suspended));
    println!("origin          {}", line.origin);
    println!("available       {}", line.available);
    if let Some(worth) = &line.worth {
        println!("worth           {worth}");
    }
    println!("held            {}", line.held);
    println!("floor           {}", line.terms.floor);
    println!("max_queued      {}", line.terms.max_queued);
    if let Some(list) = &line.terms.price_list {
        println!("price_list      {list}");
    }
    if let Some(source) = &line.terms.default_source {
        println!("default_source  {source}");
    }
    println!("system_ids      {}", line.system_ids.join(" "));
    show_access(line);
    Ok(())
}

fn show_access(line: &AccountLine) {
    for surface in Surface::ALL {
        if line.terms.access.list(surface).restricted {
            println!("restricted      {surface}");
        }
    }
    if line.access.is_empty() {
        return;
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
    print!("\n{table}");
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
    println!("made account {name} with {available} credits");
    println!("system_id  {system_id}");
    if let Some(password) = password {
        println!("password   {password}    (shown this once; only a hash of it is kept)");
    }
    Ok(())
}
