//! `[[account]]`: who may send, with what credentials, on what terms.

pub(in crate::config) mod access;
pub(in crate::config) mod filters;
pub(in crate::config) mod parents;
pub(in crate::config) mod tighter;

use smpp_proto::text::Charset;

use super::read::{Names, Section, Value, lenience, secret};
use super::{DAY, HOUR, SECOND, upstream};
use crate::account::credential::{BindType, Bounds};
use crate::account::{
    AccessList, BindTypes, Canned, Credits, DataCoding1, EmptyText, HighOctets, InboundParts, LongSenders,
    PasswordHash, ReceiptWish, Secret, StatusCodes, Terms, credential,
};
use crate::esme::Outbind;
use crate::policy::Refusal;
use crate::policy::filter::Filters;

/// An account as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredAccount {
    /// Its name.
    pub name: String,
    /// The name of the account that answers for it.
    pub parent: Option<String>,
    /// Granted once, when the account first appears.
    pub opening_credit: Credits,
    /// Whether it is stopped.
    pub suspended: bool,
    /// How it differs from the defaults.
    pub terms: Terms,
    /// What it may send.
    pub filters: Filters,
    /// Its credentials.
    pub credentials: Vec<ConfiguredCredential>,
}

/// A credential as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredCredential {
    /// The name it binds with.
    pub system_id: String,
    /// How it proves itself.
    pub proof: Proof,
    /// Its bounds.
    pub bounds: Bounds,
    /// What may be sent with it.
    pub filters: Filters,
    /// How its client is called when something is owed to it.
    pub outbind: Option<Outbind>,
}

/// What a credential's password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password itself; the store gets a hash of it.
    Password(Secret),
    /// A hash that somebody else made.
    Hash(PasswordHash),
}

/// The names that accounts take.
pub(in crate::config) struct AccountNames {
    /// Of the accounts.
    pub(in crate::config) accounts: Names,
    /// Of the credentials.
    pub(in crate::config) system_ids: Names,
    /// Of the price lists, which are taken elsewhere.
    pub(in crate::config) price_lists: Names,
}

/// How deep accounts may stand under others.
pub(in crate::config) const DEEPEST: usize = 14;

/// Reads an account.
pub(in crate::config) fn read(mut table: Section<'_>, names: &mut AccountNames) -> Option<ConfiguredAccount> {
    let name = table.need("name", "\"acme\"", |v| names.accounts.claim(v, v.name()?));
    let parent = table.value("parent").and_then(|v| v.name());
    let mut suspended = false;
    table.put("suspended", &mut suspended, Value::flag);
    let mut terms = read_terms(&mut table);
    let opening_credit = read_opening_credit(&mut table, &terms);
    terms.canned = read_canned(&mut table);
    table.put("price_list", &mut terms.price_list, |v| names.price_lists.known(v).map(Some));
    terms.access = access::read(&mut table);
    let mut credentials = Vec::new();
    let mut whole = true;
    for table in table.sections("smpp", "[[account.smpp]]") {
        match read_credential(table, &mut names.system_ids) {
            Some(credential) => credentials.push(credential),
            None => whole = false,
        }
    }
    read_statuses(&mut table, &mut terms);
    let filters = filters::read(&mut table, filters::Whose::Account);
    table.finish();
    whole.then_some(ConfiguredAccount {
        name: name?,
        parent,
        opening_credit,
        suspended,
        terms,
        filters,
        credentials,
    })
}

/// What the account is granted at first: no more than it may own, or the store would refuse the whole configuration.
fn read_opening_credit(table: &mut Section<'_>, terms: &Terms) -> Credits {
    let mut opening_credit = Credits::ZERO;
    table.put("opening_credit", &mut opening_credit, |v| match (v.amount()?, terms.ceiling) {
        (amount, _) if amount < Credits::ZERO => v.refuse("write 0 or more"),
        (amount, Some(ceiling)) if amount > Credits::ZERO && amount > ceiling => v.say(
            format!("opening_credit = {amount} is above ceiling = {ceiling}"),
            "write no more than the ceiling, or raise the ceiling",
        ),
        (amount, _) => Some(amount),
    });
    opening_credit
}

fn read_terms(table: &mut Section<'_>) -> Terms {
    use crate::account::UndeliveredCharge::{Post, Void};
    let mut terms = Terms::default();
    table.put("status_detail", &mut terms.status_detail, Value::flag);
    table.put("max_queued", &mut terms.max_queued, |v| v.number(1..=100_000_000));
    table.put("submit_multi", &mut terms.submit_multi, Value::flag);
    table.put("floor", &mut terms.floor, Value::amount);
    table.put("ceiling", &mut terms.ceiling, |v| v.amount().map(Some));
    table.put("default_source", &mut terms.default_source, |v| source(v).map(Some));
    table.put("undelivered", &mut terms.undelivered, |v| v.one_of(&[("post", Post), ("void", Void)]));
    table.put("long_senders", &mut terms.long_senders, |v| {
        v.one_of(&[("refuse", LongSenders::Refuse), ("cut", LongSenders::Cut)])
    });
    table.put("empty_text", &mut terms.empty_text, |v| {
        v.one_of(&[("accept", EmptyText::Accept), ("refuse", EmptyText::Refuse)])
    });
    table.put("error_bodies", &mut terms.error_bodies, Value::flag);
    table.put("alphabet", &mut terms.alphabet, |v| v.one_of(&Charset::ALL));
    table.put("dcs1", &mut terms.dcs1, |v| {
        v.one_of(&[("ascii", DataCoding1::Ascii), ("gsm7", DataCoding1::Gsm7)])
    });
    table.put("high_octets", &mut terms.high_octets, |v| {
        v.one_of(&[
            ("pass", HighOctets::Pass),
            ("refuse", HighOctets::Refuse),
            ("latin1", HighOctets::Latin1),
            ("guess", HighOctets::Guess),
        ])
    });
    table.put("reencode", &mut terms.reencode, Value::flag);
    table.put("inbound_parts", &mut terms.inbound_parts, |v| {
        v.one_of(&[("forward", InboundParts::Forward), ("join", InboundParts::Join)])
    });
    terms
}

/// Texts that sm_default_msg_id stands for.
fn read_canned(table: &mut Section<'_>) -> Vec<Canned> {
    let mut canned: Vec<Canned> = Vec::new();
    for mut table in table.sections("canned", "[[account.canned]]") {
        let id = table.need("id", "1", |v| match v.number(1..=254)? {
            id if canned.iter().any(|known| known.id == id) => v.refuse("write each id once"),
            id => Some(id),
        });
        let text = table.need("text", "\"Your table is free.\"", |v| v.text_of(1..=1_000));
        table.finish();
        canned.extend(id.zip(text).map(|(id, text)| Canned { id, text }));
    }
    canned
}

/// A source address: digits, or a name of at most 11 characters (3GPP TS 23.040 §9.1.2.5).
fn source(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let fits = text.is_ascii() && (1..=if digits { 20 } else { 11 }).contains(&text.len());
    if fits { Some(text) } else { value.refuse("write up to 20 digits without +, or up to 11 letters") }
}

fn read_credential(mut table: Section<'_>, system_ids: &mut Names) -> Option<ConfiguredCredential> {
    let system_id = table.need("system_id", "\"acme\"", |v| system_ids.claim(v, v.text_of(1..=15)?));
    let proof = read_proof(&mut table);
    let mut bounds = Bounds::default();
    table.put("allowed_ips", &mut bounds.allowed_ips, |v| access::networks(v, AccessList::MOST));
    table.put("max_binds", &mut bounds.max_binds, |v| v.number(1..=10_000));
    table.put("bind_types", &mut bounds.bind_types, bind_types);
    table.put("window", &mut bounds.window, |v| v.number(1..=10_000));
    table.put("throughput", &mut bounds.throughput, |v| {
        bounds.throughput_place = v.shown(v.spot());
        v.parsed().map(Some)
    });
    table.put("tls_required", &mut bounds.tls_required, Value::flag);
    table.put("receipts", &mut bounds.receipts, |v| {
        v.one_of(&[("final", ReceiptWish::Final), ("every", ReceiptWish::Every), ("last", ReceiptWish::Last)])
    });
    let outbind = read_outbind(&mut table, system_id.as_deref().unwrap_or_default());
    table.put("lenience", &mut bounds.lenience, |v| lenience::read(v).map(Some));
    table.put("first_8", &mut bounds.first_8, Value::flag);
    let filters = filters::read(&mut table, filters::Whose::Credential);
    table.finish();
    Some(ConfiguredCredential { system_id: system_id?, proof: proof?, bounds, filters, outbind })
}

/// How a client is called that does not come by itself.
fn read_outbind(table: &mut Section<'_>, credential: &str) -> Option<Outbind> {
    let mut table = table.section("outbind", "[account.smpp.outbind]");
    if !table.is_written() {
        return None;
    }
    let address = table.need("address", "\"client.example.com:2775\"", upstream::address);
    let system_id = table.need("system_id", "\"tollgate\"", |v| v.text_of(0..=15));
    let password = secret::need(&mut table, 0..=256);
    let (mut pause, mut longest_pause) = (Outbind::PAUSE, Outbind::LONGEST_PAUSE);
    table.put("pause", &mut pause, |v| v.duration(SECOND..=HOUR));
    table.put("longest_pause", &mut longest_pause, |v| v.duration(SECOND..=DAY));
    table.finish();
    let (address, system_id, password) = (address?, system_id?, password?);
    Some(Outbind { credential: credential.to_owned(), address, system_id, password, pause, longest_pause })
}

fn read_proof(table: &mut Section<'_>) -> Option<Proof> {
    let ways = [
        ("password", table.value("password")),
        ("password_file", table.value("password_file")),
        ("password_hash", table.value("password_hash")),
    ];
    let written: Vec<_> = ways.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    match written.as_slice() {
        [] => {
            table.miss("has no password", "add password, password_file or password_hash");
            None
        }
        [("password", value)] => secret::read(value, 1..=256).map(Proof::Password),
        [("password_file", value)] => secret::from_file(value, 1..=256).map(Proof::Password),
        [(_, value)] => match PasswordHash::parse(&value.text()?) {
            Ok(hash) => Some(Proof::Hash(hash)),
            Err(why) => value.refuse(why.to_string()),
        },
        [(first, _), .., (last, value)] => {
            value.say(format!("there are a {first} and a {last}"), "keep one of them")
        }
    }
}

fn bind_types(value: &Value<'_>) -> Option<BindTypes> {
    let kinds = value.list(|v| {
        v.one_of(&[
            ("transmitter", BindType::Transmitter),
            ("receiver", BindType::Receiver),
            ("transceiver", BindType::Transceiver),
        ])
    })?;
    match credential::BindTypes::try_from(kinds) {
        Ok(types) => Some(types),
        Err(why) => value.refuse(why),
    }
}

/// Statuses that the account wants in the place of others, by the words of refusals.
fn read_statuses(table: &mut Section<'_>, terms: &mut Terms) {
    table.put("status_codes", &mut terms.status_codes, |v| {
        v.one_of(&[("standard", StatusCodes::Standard), ("vendor", StatusCodes::Vendor)])
    });
    let mut statuses = table.section("statuses", "[account.statuses]");
    for refusal in Refusal::CHOSEN {
        let mut status = None;
        statuses.put(refusal.word(), &mut status, |v| v.number(1..=0x0FFF_u32).map(Some));
        terms.statuses.extend(status.map(|status| (refusal.word().to_owned(), status)));
    }
    statuses.finish();
}
