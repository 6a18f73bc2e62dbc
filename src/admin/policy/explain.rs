//! `explain`: what would become of a message, with every rule, limit, price and way; nothing is counted or charged.

use serde::{Deserialize, Serialize};
use smpp_proto::field::{Address, CommandStatus, DataCoding, InterfaceVersion};
use smpp_proto::pdu::{Lenience, Reading, SubmitSm};
use smpp_proto::rules;
use smpp_proto::text::ucs2;

use super::rules::{BoundBy, bound_by};
use crate::account::{Account, AccountId, Credential, CredentialId, Credits};
use crate::admin::request::{Answer, Refused};
use crate::clock::Timestamp;
use crate::message::{UpstreamId, Wording};
use crate::policy::admit::user_data;
use crate::policy::filter::{Demand, Desk, RuleId, RuleNotes};
use crate::policy::text::to_gsm7_text;
use crate::policy::{
    Admitted, Billing, Cause, Denied, Explanation, Refusal, Route, Sender, Snapshot, Submission,
    explain as judge,
};
use crate::store::{Accept, Probed, Store};

/// A message to explain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Question {
    /// Who would send it.
    pub account: String,
    /// With which credential; absent means with none of its own rules.
    pub credential: Option<String>,
    /// Source address: digits, or a name, which is written in ISO 8859-1 where that has its characters, else in UTF-8;
    /// empty for the account's own.
    pub from: String,
    /// Destination: digits in international form.
    pub to: String,
    /// What it says.
    pub text: String,
    /// At which time (RFC 3339); absent means now.
    pub at: Option<String>,
    /// How its client writes it.
    pub encoding: Encoding,
}

/// How a client writes a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As data_coding 0 where the account's alphabet has it, else in UCS2.
    #[default]
    Auto,
    /// data_coding 0, in the alphabet of the account.
    Default,
    /// data_coding 3.
    Latin1,
    /// data_coding 8.
    Ucs2,
}

/// What would become of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Who would send it.
    pub account: String,
    /// With which credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The time that was asked about.
    pub at: String,
    /// Source address as it would be sent.
    pub from: String,
    /// Destination as it would be sent.
    pub to: String,
    /// How its text would travel.
    pub text: TextLine,
    /// Every rule that binds its sender.
    pub rules: Vec<RuleLine>,
    /// What it would cost; absent when no price is known for it, or it cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceLine>,
    /// The account's money; absent when the message cannot be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<BalanceLine>,
    /// Which way it would go; told also where it has no price, and the price where it has no way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteLine>,
    /// Not before this time: closed hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<String>,
    /// Whether it would be accepted.
    pub accepted: bool,
    /// The reason word of its refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// command_status of the answer, as a session of SMPP 3.4 gets it.
    pub status: u32,
    /// What decided: a rule and whose it is, a list, what can be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// How a text would travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextLine {
    /// The alphabet in which it would leave.
    pub alphabet: String,
    /// data_coding.
    pub data_coding: u8,
    /// Octets of user data, a header included.
    pub octets: usize,
    /// Segments; 0 where they cannot be counted.
    pub parts: u8,
    /// What transliteration would make of it: of a text that the GSM alphabet does not hold, and that has an equal reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<String>,
}

/// A rule and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleLine {
    /// Which, and whose.
    #[serde(flatten)]
    pub rule: BoundBy,
    /// Its verdict.
    pub verdict: Says,
    /// Why it refuses, or would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was counted before this message, of a counted limit: messages, or credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// The most, of a counted limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It has nothing against the message.
    Passes,
    /// It refuses it.
    Refuses,
    /// It is not enforced, and would refuse it.
    WouldRefuse,
    /// It was not asked, because the message cannot be judged.
    NotReached,
    /// It counts what a session sends, and is not asked here.
    BySession,
}

/// What a message would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLine {
    /// A segment.
    pub segment: Credits,
    /// All segments.
    pub total: Credits,
    /// A segment in the currency in which the account's amounts are shown, `0.01 EUR`; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_worth: Option<String>,
    /// All segments in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_worth: Option<String>,
}

/// An account's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceLine {
    /// What can be spent.
    pub available: Credits,
    /// The same in the currency in which the account's amounts are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<String>,
    /// The least that the balance may reach.
    pub floor: Credits,
    /// Whether the price could be held.
    pub is_enough: bool,
}

/// The way of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteLine {
    /// Its name.
    pub name: String,
    /// Its operators in the order in which they are tried.
    pub operators: Vec<OperatorLine>,
}

/// An operator of a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorLine {
    /// Its name.
    pub name: String,
    /// Whether it is up; absent when no daemon runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
}

pub(in crate::admin) async fn explain(store: &Store, question: Question) -> Result<Answer, Refused> {
    let policy = store.policy();
    let account = policy.accounts().find(|account| account.name == question.account);
    let account = account.ok_or_else(|| unknown("account", &question.account))?;
    let credential = match &question.credential {
        None => None,
        Some(name) => {
            let found = policy.credential(name).filter(|found| found.account == account.id);
            Some(found.ok_or_else(|| unknown("credential", name))?)
        }
    };
    let at = moment(question.at.as_deref(), store.now())?;
    let pdu = submit_sm(&question, account)?;
    let (judged, sent) = judge_it(&policy, account, credential.map(|c| &**c), pdu, at);
    let Explanation { admitted, denied, verdicts, claims, found } = judged;
    let billing = policy.billing(account.id);
    let mut told = Explained {
        account: account.name.clone(),
        credential: question.credential,
        at: at.to_string(),
        from: sent.source.digits.to_text().into_owned(),
        to: sent.destination.digits.to_text().into_owned(),
        text: text_line(&sent, &question.text),
        rules: Vec::new(),
        price: None,
        balance: None,
        route: None,
        held_until: None,
        accepted: false,
        reason: None,
        status: 0,
        because: None,
    };
    let was_judged = admitted.is_some();
    let mut probed = None;
    if let Some(admitted) = admitted {
        told.text.parts = admitted.parts();
        told.held_until = admitted.due().filter(|_| admitted.held()).map(|due| due.to_string());
        told.price = found.price.map(|segment| price_line(segment, admitted.parts(), billing));
        told.route = found.route.and_then(|id| Some(way(store, policy.route(id)?, &found.upstreams)));
        let accept = accept(account, credential.map_or(CredentialId(0), |c| c.id), admitted);
        probed = Some(store.probe(accept, at).await?);
    }
    let denied = denied.or(probed.as_ref().and_then(|probed: &Probed| probed.denied));
    let rules = credential.map_or_else(|| policy.account_rules(account.id), |c| policy.rules_of(c.id));
    let mut ids = Vec::new();
    rules.each(|id| ids.push(id));
    ids.extend(credential.and_then(|credential| policy.own_rate(credential.id)));
    // Protected names are everybody's rules, and are told of where they were asked.
    ids.extend(
        verdicts.iter().map(|verdict| verdict.rule).filter(|id| !ids.contains(id)).collect::<Vec<_>>(),
    );
    for id in ids {
        let mut line = rule_line(policy.notes(), id, was_judged)?;
        if let Some(refusal) = verdicts.iter().find(|v| v.rule == id).and_then(|v| v.objection) {
            line.object(refusal);
        } else if verdicts.iter().any(|verdict| verdict.rule == id) {
            line.verdict = Says::Passes;
        }
        for (claim, counted) in claims.iter().zip(probed.iter().flat_map(|p| &p.claims)) {
            // A cap counts messages and credits: what refuses is told.
            if claim.rule == id && line.reason.is_none() {
                line.count(&claim.demand, counted.used, counted.most);
                if !counted.is_met {
                    line.object(claim.refusal);
                }
            }
        }
        if let Some(listed) = probed.as_ref().and_then(|probed| probed.listed)
            && is_list_of(&policy, id, listed)
        {
            line.object(listed.refusal);
        }
        told.rules.push(line);
    }
    if let Some(Probed { available, floor, credit, .. }) = probed {
        let is_enough = credit != Some(Refusal::InsufficientCredit);
        told.balance = Some(BalanceLine {
            available,
            worth: billing.map(|billing| billing.shown(available)),
            floor,
            is_enough,
        });
    }
    tell_answer(&mut told, &policy, account, denied);
    Ok(Answer::Explained(Box::new(told)))
}

/// The rules of the protocol first, then those of policy; with the message as it would be stored.
fn judge_it(
    policy: &Snapshot,
    account: &Account,
    credential: Option<&Credential>,
    mut pdu: SubmitSm,
    at: Timestamp,
) -> (Explanation, SubmitSm) {
    let lenience = credential.and_then(|c| c.bounds.lenience).map_or(Lenience::DEFAULT, |m| m.lenience());
    let mut reading = Reading::new(lenience);
    if let Err(breach) = rules::submit_sm(&mut pdu, InterfaceVersion::V3_4, &mut reading) {
        let denied = Some(Refusal::from(breach).into());
        let judged = Explanation { denied, ..Explanation::default() };
        return (judged, pdu);
    }
    let rules = credential.map_or_else(|| policy.account_rules(account.id), |c| policy.rules_of(c.id));
    let mut desk = Desk::default();
    desk.begin(at);
    let submission = Submission { pdu: pdu.clone(), body: None };
    let judged = judge(policy, Sender { account, rules }, submission, at, &mut desk);
    let stored = judged.admitted.as_ref().and_then(|a| SubmitSm::decode(a.body().clone()).ok());
    (judged, stored.unwrap_or(pdu))
}

fn unknown(what: &str, name: &str) -> Refused {
    Refused::because("unknown", format!("there is no {what} {name:?}"))
}

fn moment(written: Option<&str>, now: Timestamp) -> Result<Timestamp, Refused> {
    let Some(text) = written else { return Ok(now) };
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Ok(Timestamp::from_millis(at.as_millisecond())),
        Err(_) => Err(Refused::because(
            "bad_request",
            format!("{text:?} is no time: write one such as 2026-03-01T09:30:00Z"),
        )),
    }
}

/// The message as its client would write it.
fn submit_sm(question: &Question, account: &Account) -> Result<SubmitSm, Refused> {
    let bad = |text: String| Refused::because("bad_request", text);
    let from = question.from.strip_prefix('+').unwrap_or(&question.from);
    let source = match from {
        "" => Address::default(),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Address::international(digits),
        name => Address::alphanumeric(&octets_of(name)[..]),
    };
    let to = question.to.strip_prefix('+').unwrap_or(&question.to);
    if from.contains('\0') || !to.is_ascii() || to.contains('\0') {
        return Err(bad("an address has a character that none can have".to_owned()));
    }
    let mut pdu = SubmitSm { source, destination: Address::international(to), ..SubmitSm::default() };
    let own = || account.terms.alphabet.encode(&question.text).map(|octets| (DataCoding::DEFAULT, octets));
    let wide = || (DataCoding::UCS2, ucs2::encode(&question.text));
    let latin1 = || smpp_proto::text::Charset::Latin1.encode(&question.text);
    let written = match question.encoding {
        Encoding::Auto => Some(own().unwrap_or_else(wide)),
        Encoding::Default => own(),
        Encoding::Latin1 => latin1().map(|octets| (DataCoding::LATIN1, octets)),
        Encoding::Ucs2 => Some(wide()),
    };
    let Some((data_coding, user_data)) = written else {
        return Err(bad("the text has characters that this encoding has not".to_owned()));
    };
    let wording = Wording { data_coding, has_header: false, is_part: false, user_data: user_data.into() };
    wording.put_into_submit(&mut pdu);
    Ok(pdu)
}

/// A name as `senders` are written: ISO 8859-1 as far as that goes; else UTF-8, as clients send it.
fn octets_of(name: &str) -> Vec<u8> {
    let octets: Option<Vec<u8>> = name.chars().map(|character| u8::try_from(character).ok()).collect();
    octets.unwrap_or_else(|| name.as_bytes().to_vec())
}

fn text_line(sent: &SubmitSm, text: &str) -> TextLine {
    let width = smpp_proto::text::Width::Eight;
    let counted = user_data(sent).ok().and_then(|data| smpp_proto::text::count(&data, width).ok());
    let is_gsm = smpp_proto::text::Charset::Gsm7.encode(text).is_some();
    TextLine {
        alphabet: format!("{:?}", sent.data_coding.alphabet()).to_lowercase(),
        data_coding: sent.data_coding.0,
        octets: sent.user_data().len(),
        parts: counted.map_or(0, |parts| parts.segments),
        plain: if is_gsm { None } else { to_gsm7_text(text) },
    }
}

fn price_line(segment: Credits, parts: u8, billing: Option<Billing>) -> PriceLine {
    let total = segment.times(u32::from(parts)).unwrap_or(segment);
    let worth = |amount| billing.map(|billing| billing.shown(amount));
    PriceLine { segment, total, segment_worth: worth(segment), total_worth: worth(total) }
}

fn way(store: &Store, route: &Route, operators: &[UpstreamId]) -> RouteLine {
    let upstreams = store.upstreams();
    let line =
        |id: &UpstreamId| OperatorLine { name: upstreams.name(*id).unwrap_or_default().to_owned(), up: None };
    RouteLine { name: route.name.clone(), operators: operators.iter().map(line).collect() }
}

fn accept(account: &Account, credential: CredentialId, admitted: Admitted) -> Box<Accept> {
    Box::new(Accept {
        tag: 0,
        account: account.id,
        credential,
        admitted,
        upstream: UpstreamId(0),
        max_queued: account.terms.max_queued,
        short_id: false,
        follows: false,
        replaces_pending: false,
    })
}

fn rule_line(notes: &RuleNotes, id: RuleId, was_judged: bool) -> Result<RuleLine, Refused> {
    let note = notes.find(id).ok_or_else(|| Refused::because("store", "a rule of another policy"))?;
    let rule = bound_by(note);
    let verdict = match rule.rule.as_str() {
        "throughput" => Says::BySession,
        _ if was_judged => Says::Passes,
        _ => Says::NotReached,
    };
    Ok(RuleLine { rule, verdict, reason: None, used: None, most: None })
}

impl RuleLine {
    fn object(&mut self, refusal: Refusal) {
        self.verdict = if self.rule.enforce { Says::Refuses } else { Says::WouldRefuse };
        self.reason = Some(refusal.word().to_owned());
    }

    fn count(&mut self, demand: &Demand, used: u64, most: u64) {
        let is_money = match demand {
            Demand::Quota { key, .. } => key.is_of_credits(),
            Demand::Pace { .. } => false,
            Demand::First { .. } => return,
        };
        let shown = |count: u64| match i64::try_from(count) {
            Ok(micro) if is_money => Credits::from_micro(micro).to_string(),
            _ => count.to_string(),
        };
        (self.used, self.most) = (Some(shown(used)), Some(shown(most)));
    }
}

/// Whether a rule is one of those that put phones on the list which a number is on: its owner's, or of one above it.
fn is_list_of(policy: &Snapshot, id: RuleId, listed: Denied) -> bool {
    let Some(Cause::List(owner)) = listed.cause else { return false };
    // The blocklist is nobody's, and no phone puts itself on it.
    let binding = (owner != 0).then(|| policy.account_rules(AccountId(owner)));
    binding.is_some_and(|rules| rules.opt_outs.iter().any(|rule| rule.enforce && rule.id == id))
}

fn tell_answer(told: &mut Explained, policy: &Snapshot, account: &Account, denied: Option<Denied>) {
    told.accepted = denied.is_none();
    let Some(denied) = denied else { return };
    let refusal = denied.refusal;
    told.reason = Some(refusal.word().to_owned());
    told.because = policy.told(denied, account.id);
    if refusal == Refusal::NoRoute {
        told.because = match (&told.price, &told.route) {
            (None, None) => Some("no price and no route is for this number".to_owned()),
            (None, Some(_)) => Some("no price is for this number".to_owned()),
            (Some(_), None) => Some("no route takes this message".to_owned()),
            (Some(_), Some(route)) => Some(format!("route {} has no operator for it", route.name)),
        };
    }
    let status = refusal.chosen_by(&account.terms).unwrap_or_else(|| match refusal.status() {
        // What only 5.0 knows goes to no session of 3.4.
        CommandStatus(0x100..=0x112) => CommandStatus::RSUBMITFAIL,
        status => status,
    });
    told.status = status.0;
}

impl Explained {
    /// Which operators are up, from what the daemon knows of itself.
    pub(in crate::admin) fn look_up_operators(&mut self, status: &serde_json::Value) {
        let Some(known) = status["operators"].as_array() else { return };
        for line in self.route.iter_mut().flat_map(|route| &mut route.operators) {
            let found = known.iter().find(|operator| operator["name"] == line.name.as_str());
            line.up = found.and_then(|operator| operator["up"].as_bool());
        }
    }
}
