//! `tollgate explain`: what would become of a message.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::super::admin::table::{Table, printable, with_worth};
use super::super::admin::{ask, print_json, unexpected};
use super::super::exit::out;
use super::super::settings::SettingsArgs;
use crate::admin::{Answer, Encoding, Explained, Question, Request, RuleLine, Says};

/// Show what would become of a message: parts, every rule's verdict, price, route. Sends, counts and charges nothing.
///
/// Asks the very checks that a real message passes, in the running daemon or on the store itself. Exit code 0 whether it
/// would be accepted or refused: that is in the output.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArgs {
    /// Who would send it
    #[arg(long, value_name = "NAME")]
    account: String,
    /// With which system_id: its own rules count too
    #[arg(long, value_name = "SYSTEM_ID")]
    credential: Option<String>,
    /// Source address: digits, or a name of up to 11 octets; in ISO 8859-1 where that has its characters, else in UTF-8
    #[arg(long, value_name = "ADDRESS", default_value = "", allow_hyphen_values = true)]
    from: String,
    /// Destination: digits in international form
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// What it says
    #[arg(long, allow_hyphen_values = true)]
    text: String,
    /// At which time, such as 2026-03-01T09:30:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How its client writes it
    #[arg(long, value_enum, default_value_t = As::Auto)]
    encoding: As,
    /// Prints a JSON object
    #[arg(long)]
    json: bool,
}

/// How a client writes a text.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum As {
    /// The account's alphabet where it has the text, else UCS2
    Auto,
    /// data_coding 0: the account's alphabet
    Default,
    /// data_coding 3
    Latin1,
    /// data_coding 8
    Ucs2,
}

impl ExplainArgs {
    /// Explains.
    pub(in crate::cli) fn run(self, settings: &SettingsArgs) -> anyhow::Result<ExitCode> {
        let question = Question {
            account: self.account,
            credential: self.credential,
            from: self.from,
            to: self.to,
            text: self.text,
            at: self.at,
            encoding: match self.encoding {
                As::Auto => Encoding::Auto,
                As::Default => Encoding::Default,
                As::Latin1 => Encoding::Latin1,
                As::Ucs2 => Encoding::Ucs2,
            },
        };
        let Answer::Explained(told) = ask(settings, Request::Explain(question))? else {
            return Err(unexpected());
        };
        if self.json {
            print_json(&told)?;
        } else {
            out!("{}", text(&told))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(told: &Explained) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| out += &format!("{name:<9} {value}\n");
    let with = told.credential.as_ref().map(|name| format!(" (system_id {name})")).unwrap_or_default();
    line("account", &format!("{}{with}", told.account));
    line("at", &told.at);
    line("from", &printable(&told.from));
    line("to", &printable(&told.to));
    let parts = if told.text.parts == 1 { "1 part".to_owned() } else { format!("{} parts", told.text.parts) };
    line("text", &format!("{parts}, {}, {} octets", told.text.alphabet, told.text.octets));
    if let Some(plain) = &told.text.plain {
        line("plain", &format!("\"{}\" in the GSM alphabet", printable(plain)));
    }
    match &told.price {
        Some(price) => {
            let segment = with_worth(price.segment, price.segment_worth.as_ref());
            let total = with_worth(price.total, price.total_worth.as_ref());
            line("price", &format!("{segment} a part, {total} in all"));
        }
        None => line("price", "none"),
    }
    if let Some(balance) = &told.balance {
        let enough = if balance.is_enough { "enough" } else { "not enough" };
        let available = with_worth(balance.available, balance.worth.as_ref());
        line("balance", &format!("{available} available, floor {}: {enough}", balance.floor));
    }
    match &told.route {
        Some(route) => {
            let operators = route.operators.iter().map(|operator| match operator.up {
                None => operator.name.clone(),
                Some(true) => format!("{} (up)", operator.name),
                Some(false) => format!("{} (down)", operator.name),
            });
            line("route", &format!("{}: {}", route.name, operators.collect::<Vec<_>>().join(", ")));
        }
        None => line("route", "none"),
    }
    if let Some(until) = &told.held_until {
        line("held", &format!("until {until}: closed hours"));
    }
    match &told.reason {
        None => line("answer", "accepted (0x00000000)"),
        Some(reason) => line("answer", &format!("refused: {reason} (0x{:08X})", told.status)),
    }
    if let Some(because) = &told.because {
        line("because", &printable(because));
    }
    if told.rules.is_empty() {
        return out + "no rule binds it\n";
    }
    let mut table = Table::new(["verdict", "rule", "of", "says", "where"]);
    for rule in &told.rules {
        let of = printable(&rule.rule.of);
        table.row([
            verdict(rule),
            rule.rule.rule.clone(),
            of,
            printable(&rule.rule.says),
            rule.rule.place.clone(),
        ]);
    }
    format!("{out}\n{table}")
}

fn verdict(line: &RuleLine) -> String {
    let reason = line.reason.as_deref().unwrap_or_default();
    let word = match line.verdict {
        Says::Passes => "passes".to_owned(),
        Says::Refuses => format!("refuses: {reason}"),
        Says::WouldRefuse => format!("would refuse: {reason} (not enforced)"),
        Says::NotReached => "not reached".to_owned(),
        Says::BySession => "counted by session".to_owned(),
    };
    match (&line.used, &line.most) {
        (Some(used), Some(most)) => format!("{word} ({used} of {most})"),
        _ => word,
    }
}
