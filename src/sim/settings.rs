//! What the practice operator does: every knob with its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;
use smpp_proto::field::{CommandStatus, MessageState};

use super::delay::{Delay, MILLION, percent};
use super::hostile::Hostile;
use super::ident::IdFormat;
use super::password::Password;
use crate::link::tls::ServerIdentity;

/// The whole behaviour of one practice operator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses to listen on. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Listens with TLS on all of them.
    pub tls: Option<ServerIdentity>,
    /// Its own name, in bind responses.
    pub name: String,
    /// Who may bind, as pairs of system_id and password; empty = anyone.
    pub users: Vec<User>,
    /// How long an answer to a submission takes.
    pub response_delay: Delay,
    /// From the acceptance to the final receipt.
    pub receipt_delay: Delay,
    /// The receipt leaves before the answer to its submission.
    pub receipt_overtakes: bool,
    /// How message ids are written.
    pub id_format: IdFormat,
    /// The first message id.
    pub first_id: u64,
    /// What receipts look like.
    pub receipt: ReceiptStyle,
    /// How messages end: shares of final states other than DELIVERED.
    pub endings: Vec<(MessageState, u32)>,
    /// Statuses with which submissions are refused, each with its share in millionths.
    pub errors: Vec<ErrorShare>,
    /// Accepted submissions a second and system_id; more are answered ESME_RTHROTTLED.
    pub throttle: Option<u32>,
    /// Submissions of one session that may be unanswered; more are answered ESME_RTHROTTLED.
    pub submit_window: Option<usize>,
    /// deliver_sm unanswered towards one receiver.
    pub window: u16,
    /// How long a deliver_sm waits for its answer before it is sent again.
    pub deliver_timeout: Duration,
    /// Sends enquire_link after this time without input.
    pub enquire_link: Option<Duration>,
    /// Messages that originate from mobiles.
    pub mo: Option<Mo>,
    /// Misbehaviour.
    pub hostile: Vec<Hostile>,
    /// A file that gets one line for every accepted submission.
    pub record: Option<PathBuf>,
    /// How many messages are remembered to tell repeated ones, a system_id; 0 = none.
    pub track_distinct: usize,
    /// How many messages are remembered for query_sm, cancel_sm and replace_sm, a system_id.
    pub remember: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            tls: None,
            name: "tollgate-sim".to_owned(),
            users: Vec::new(),
            response_delay: Delay::none(),
            receipt_delay: Delay::none(),
            receipt_overtakes: false,
            id_format: IdFormat::Decimal,
            first_id: 1,
            receipt: ReceiptStyle::default(),
            endings: Vec::new(),
            errors: Vec::new(),
            throttle: None,
            submit_window: None,
            window: 100,
            deliver_timeout: Duration::from_secs(30),
            enquire_link: None,
            mo: None,
            hostile: Vec::new(),
            record: None,
            track_distinct: 1_000_000,
            remember: 10_000,
        }
    }
}

/// A system_id that may bind.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct User {
    /// The system_id.
    pub system_id: String,
    /// Its password.
    pub password: Password,
}

impl FromStr for User {
    type Err = String;

    /// Reads `SYSTEM_ID:PASSWORD`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (system_id, password) =
            text.split_once(':').ok_or_else(|| "SYSTEM_ID:PASSWORD is expected".to_owned())?;
        Ok(Self { system_id: system_id.to_owned(), password: password.into() })
    }
}

impl TryFrom<String> for User {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// What receipts look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptStyle {
    /// Where the facts stand.
    pub place: ReceiptPlace,
    /// Fields of the text that are left out.
    pub omit: Vec<ReceiptField>,
    /// esm_class of a receipt; 0x04 by the book, 0x00 at some centres.
    pub esm_class: u8,
    /// Dates with seconds (12 digits) instead of minutes (10 digits).
    pub seconds: bool,
    /// Sent as data_sm instead of deliver_sm.
    pub data_sm: bool,
}

impl Default for ReceiptStyle {
    fn default() -> Self {
        Self { place: ReceiptPlace::Both, omit: Vec::new(), esm_class: 0x04, seconds: false, data_sm: false }
    }
}

/// Where a receipt keeps its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptPlace {
    /// In the text alone, as SMPP 3.3 did.
    Text,
    /// In TLVs alone: receipted_message_id, message_state, network_error_code.
    Tlv,
    /// In both.
    #[default]
    Both,
    /// As text in message_payload, short_message empty.
    Payload,
}

/// The fields of a receipt's text (SMPP 3.4 Appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptField {
    /// `id:`
    Id,
    /// `sub:`
    Sub,
    /// `dlvrd:`
    Dlvrd,
    /// `submit date:`
    SubmitDate,
    /// `done date:`
    DoneDate,
    /// `stat:`
    Stat,
    /// `err:`
    Err,
    /// `text:`
    Text,
}

/// A status and the share of submissions that get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ErrorShare {
    /// The status.
    pub status: CommandStatus,
    /// Its share, in millionths.
    pub share: u32,
}

impl FromStr for ErrorShare {
    type Err = String;

    /// Reads `ESME_RSUBMITFAIL:5%`, `0x45:5` or `69:0.1%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (status, share) = text.split_once(':').ok_or_else(|| "STATUS:PERCENT is expected".to_owned())?;
        let share = percent(share).map_err(|error| error.to_string())?;
        Ok(Self { status: status_of(status)?, share })
    }
}

impl TryFrom<String> for ErrorShare {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

fn status_of(text: &str) -> Result<CommandStatus, String> {
    let number = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let by_name = || {
        (0..=STATUS_NAMED_MAX).map(CommandStatus).find(|status| {
            status.name().is_some_and(|name| name == text || name.strip_prefix("ESME_") == Some(text))
        })
    };
    number
        .map(CommandStatus)
        .or_else(by_name)
        .ok_or_else(|| format!("{text:?} is no status such as ESME_RSUBMITFAIL or 0x45"))
}

/// Messages that originate from mobiles, a receiver session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mo {
    /// Messages a second.
    pub rate: u32,
    /// How many in all, over all sessions; 0 = without end.
    pub count: u64,
    /// Who sends them.
    pub source: String,
    /// Where they go.
    pub destination: String,
    /// What they say.
    pub text: String,
}

impl Settings {
    /// What cannot be as it is set; empty when all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |bad: bool, text: &str| {
            if bad {
                problems.push(text.to_owned());
            }
        };
        check(self.listen.is_empty(), "listen: at least one address is needed");
        check(self.window == 0, "window: at least 1");
        check(self.throttle == Some(0), "throttle: at least 1 a second");
        check(self.name.len() > 15, "name: at most 15 characters fit into system_id");
        let shares = |shares: &mut dyn Iterator<Item = u32>| shares.map(u64::from).sum::<u64>();
        check(
            shares(&mut self.errors.iter().map(|error| error.share)) > u64::from(MILLION),
            "error: the shares add up to more than 100%",
        );
        check(
            shares(&mut self.endings.iter().map(|ending| ending.1)) > u64::from(MILLION),
            "the shares of final states add up to more than 100%",
        );
        if let Some(mo) = &self.mo {
            check(mo.rate == 0, "mo-rate: at least 1 a second");
        }
        problems
    }
}

/// The largest status with a name in SMPP 5.0.
const STATUS_NAMED_MAX: u32 = 0x112;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_statuses_by_name_and_number() {
        for text in ["ESME_RSUBMITFAIL:5%", "RSUBMITFAIL:5", "0x45:5%", "69:5"] {
            let parsed: ErrorShare = text.parse().expect(text);
            assert_eq!(parsed, ErrorShare { status: CommandStatus(0x45), share: 50_000 });
        }
        assert!("RNONSENSE:5%".parse::<ErrorShare>().is_err());
        assert!("0x45".parse::<ErrorShare>().is_err());
    }

    #[test]
    fn a_user_never_shows_its_password() {
        let user: User = "gate:s3cret".parse().expect("a user");
        assert!(user.password.matches(b"s3cret") && !user.password.matches(b"secret"));
        assert!(!format!("{user:?}").contains("s3cret"));
    }

    #[test]
    fn finds_all_problems_at_once() {
        assert!(Settings::default().problems().is_empty());
        let bad = Settings { window: 0, throttle: Some(0), listen: Vec::new(), ..Settings::default() };
        assert_eq!(bad.problems().len(), 3);
    }
}
