//! The one gate that every message passes: its fields, its text, its price and its way.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use smpp_proto::error::{Detail, EncodeError, Problem, ProblemClass};
use smpp_proto::field::{Address, COctets, CommandStatus, RegisteredDelivery, SmppTime, Tag, Ton};
use smpp_proto::pdu::{Header, SubmitSm};
use smpp_proto::text::{Allowed, UdhError, UserData, Width, choose, count};

use super::filter::check::{self, Party};
use super::filter::{Claim, Desk, RuleId, Rules};
use super::number::Glance;
use super::route::{Asked, Order};
use super::text::wording;
use super::{Denied, Refusal, Snapshot};
use crate::account::{Account, Credits, EmptyText, LongSenders, Terms};
use crate::clock::Timestamp;
use crate::message::{RouteId, UpstreamId, Wording};

/// A message as somebody wants to send it. Its values are within the rules of the protocol already.
#[derive(Debug)]
pub struct Submission {
    /// Its fields (SMPP 3.4 §4.4.1).
    pub pdu: SubmitSm,
    /// The octets that `pdu` was read from, if they are exactly its fields: spares writing them again.
    pub body: Option<Bytes>,
}

/// The proof that a message passed, with what policy found. Only [`admit`] makes one.
#[derive(Debug)]
pub struct Admitted {
    body: Bytes,
    source: COctets,
    destination: COctets,
    service_type: COctets,
    registered_delivery: RegisteredDelivery,
    parts: u8,
    claims: Vec<Claim>,
    rules: Arc<Rules>,
    price: Credits,
    route: Option<RouteId>,
    upstreams: Order,
    priority: u8,
    due: Option<Timestamp>,
    held: bool,
    expires: Option<Timestamp>,
    validity_end: Timestamp,
}

impl Admitted {
    /// The body of the submit_sm to store, addresses normalised.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
    /// Source address.
    #[must_use]
    pub fn source(&self) -> &COctets {
        &self.source
    }
    /// Destination address: digits in international form.
    #[must_use]
    pub fn destination(&self) -> &COctets {
        &self.destination
    }
    /// service_type.
    #[must_use]
    pub fn service_type(&self) -> &COctets {
        &self.service_type
    }
    /// Which receipts its sender wants.
    #[must_use]
    pub fn registered_delivery(&self) -> RegisteredDelivery {
        self.registered_delivery
    }
    /// Segments, 1 to 255.
    #[must_use]
    pub fn parts(&self) -> u8 {
        self.parts
    }
    /// What a segment costs.
    #[must_use]
    pub fn price(&self) -> Credits {
        self.price
    }
    /// The way it takes. Without a price or a way it is refused, once the store was asked for its claims and credit.
    #[must_use]
    pub fn route(&self) -> Option<RouteId> {
        self.route
    }
    /// What it demands of counters that only the store can keep.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }
    /// What binds its sender.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
    /// Whether it waits for closed hours to end.
    #[must_use]
    pub fn held(&self) -> bool {
        self.held
    }
    /// The operators of its way in the order in which it tries them; none without a way.
    #[must_use]
    pub fn upstreams(&self) -> &[UpstreamId] {
        &self.upstreams
    }
    /// 0 lowest to 3 highest.
    #[must_use]
    pub fn priority(&self) -> u8 {
        self.priority
    }
    /// Not before this time; absent means at once.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }
    /// The end of validity that its sender named; absent means the default.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
    /// When it must have ended, named or not.
    #[must_use]
    pub fn validity_end(&self) -> Timestamp {
        self.validity_end
    }
}

/// Lets a message pass, or says why not. Rates, counted limits and credit come after: the buckets belong to the
/// sessions, and only the store can say exactly what was counted and what the balance is.
///
/// # Errors
/// The refusal to answer with; nothing happened.
pub fn admit(
    policy: &Snapshot,
    sender: Sender<'_>,
    submission: Submission,
    now: Timestamp,
    desk: &mut Desk,
) -> Result<Admitted, Denied> {
    let mut gate = Gate::default();
    let judged = judge(policy, sender, submission, now, desk, &mut gate);
    if !gate.shadowed.is_empty() {
        desk.shadowed.extend(gate.shadowed);
    }
    judged
}

/// The same, telling `witness` of every rule that is asked.
pub(in crate::policy) fn judge(
    policy: &Snapshot,
    sender: Sender<'_>,
    submission: Submission,
    now: Timestamp,
    desk: &mut Desk,
    witness: &mut impl Witness,
) -> Result<Admitted, Denied> {
    let Sender { account, rules } = sender;
    if policy.is_suspended(account.id) {
        return Err(Refusal::AccountSuspended.into());
    }
    let Submission { mut pdu, body } = submission;
    check_destination(&pdu.destination)?;
    let mut rewritten = settle_source(&mut pdu, &account.terms)?;
    let canned = settle_text(&mut pdu, &account.terms)?;
    rewritten |= canned | settle_priority(&mut pdu);
    let glance = Glance::default();
    let price = policy.price(account.id, pdu.destination.digits.as_bytes(), &glance, now);
    let mut times = times(policy, &pdu, now)?;
    let leaves = if policy.asks().hours { check::leaves_at(rules, &times, desk) } else { now };
    let route = policy.route_to(&Asked::of(policy, account.id, &pdu, &glance, price, leaves));
    if !canned {
        let languages = policy.languages(route.map(|route| route.id));
        rewritten |= wording::settle(&mut pdu, &account.terms, languages)?;
    }
    let mut parts = segments(policy, &pdu)?;
    let party = Party { policy, account, rules, glance };
    if check::check(&party, &mut pdu, &mut times, desk, witness)? {
        rewritten = true;
        parts = segments(policy, &pdu)?;
    }
    let total = price.and_then(|price| price.times(u32::from(parts)));
    let claims = check::claims(&party, &pdu, total.unwrap_or_default(), desk, witness)?;
    // Filters and credit are asked first, and only the store can answer for all of them.
    let upstreams = route.map(|route| route.order(account.id, &pdu, price)).unwrap_or_default();
    witness.found(price, route.map(|route| route.id), &upstreams);
    let route = route.map(|route| route.id).filter(|_| price.is_some() && !upstreams.is_empty());
    if route.is_none() {
        witness.refused(Refusal::NoRoute)?;
    }
    let body = match body {
        Some(body) if !rewritten => body,
        _ => written(&pdu)?,
    };
    Ok(Admitted {
        body,
        parts,
        claims,
        rules: Arc::clone(rules),
        price: price.unwrap_or_default(),
        route,
        upstreams,
        due: times.due,
        held: times.held,
        expires: times.expires,
        validity_end: times.validity_end,
        priority: pdu.priority_flag,
        registered_delivery: pdu.registered_delivery,
        source: pdu.source.digits,
        destination: pdu.destination.digits,
        service_type: pdu.service_type,
    })
}

/// Who sends: an account, and the rules of the credential or the account itself.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The account.
    pub account: &'a Account,
    /// What binds it.
    pub rules: &'a Arc<Rules>,
}

/// Hears of each rule what it says, and whether to go on.
pub(in crate::policy) trait Witness {
    /// A rule was asked, and objects or does not.
    fn verdict(&mut self, rule: RuleId, enforce: bool, objection: Option<Refusal>) -> Result<(), Denied>;

    /// What the store will be asked.
    fn claims(&mut self, claim: &Claim);

    /// What a segment costs, and the way with its operators: each as far as there is one, also without the other.
    fn found(&mut self, price: Option<Credits>, route: Option<RouteId>, upstreams: &[UpstreamId]);

    /// No rule of anybody's, but there is no price or no way: said after everything else.
    fn refused(&mut self, refusal: Refusal) -> Result<(), Denied>;
}

/// The witness of real messages: the first enforced objection decides.
#[derive(Default)]
pub(super) struct Gate {
    /// Rules that are not enforced and objected.
    pub(super) shadowed: SmallVec<[RuleId; 4]>,
}

impl Witness for Gate {
    #[inline]
    fn verdict(&mut self, rule: RuleId, enforce: bool, objection: Option<Refusal>) -> Result<(), Denied> {
        match objection {
            None => Ok(()),
            Some(refusal) if enforce => Err(Denied::by(refusal, rule)),
            Some(_) => {
                self.shadowed.push(rule);
                Ok(())
            }
        }
    }

    #[inline]
    fn claims(&mut self, _: &Claim) {}

    #[inline]
    fn found(&mut self, _: Option<Credits>, _: Option<RouteId>, _: &[UpstreamId]) {}

    #[inline]
    fn refused(&mut self, _: Refusal) -> Result<(), Denied> {
        // The store says it, once filters and credit were asked.
        Ok(())
    }
}

/// The fewest and most digits of a destination: short codes to E.164 (ITU-T E.164 §6.2.1).
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

fn check_destination(destination: &Address) -> Result<(), Refusal> {
    let digits = destination.digits.as_bytes();
    let is_number = DIGITS.contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_number { Ok(()) } else { Err(Refusal::InvalidDestination) }
}

/// A source address that a phone can show; its own for a message that comes without one (SMPP 3.4 §5.2.8). Says whether
/// it was rewritten. Whether it is granted is a filter.
fn settle_source(pdu: &mut SubmitSm, terms: &Terms) -> Result<bool, Refusal> {
    let mut rewritten = false;
    if pdu.source.digits.is_empty() {
        let source = terms.default_source.as_deref().ok_or(Refusal::SenderNotAllowed)?;
        pdu.source = if source.bytes().all(|b| b.is_ascii_digit()) {
            Address::international(source)
        } else {
            Address::alphanumeric(source)
        };
        rewritten = true;
    }
    if pdu.source.ton == Ton::ALPHANUMERIC && pdu.source.digits.len() > NAME_LENGTH {
        if terms.long_senders == LongSenders::Refuse {
            return Err(Refusal::SenderNotAllowed);
        }
        pdu.source.digits = COctets::from(pdu.source.digits.bytes().slice(..NAME_LENGTH));
        rewritten = true;
    }
    Ok(rewritten)
}

/// Characters of an alphanumeric address on the air (3GPP TS 23.040 §9.1.2.5).
const NAME_LENGTH: usize = 11;

/// The text that sm_default_msg_id stands for, in the place of what came with it (SMPP 3.4 §5.2.20). Says whether there
/// is one.
fn settle_text(pdu: &mut SubmitSm, terms: &Terms) -> Result<bool, Refusal> {
    if pdu.sm_default_msg_id == 0 {
        let refused = terms.empty_text == EmptyText::Refuse && pdu.user_data().is_empty();
        return if refused { Err(Refusal::Malformed(CommandStatus::RINVMSGLEN)) } else { Ok(false) };
    }
    let canned = terms.canned.iter().find(|canned| canned.id == pdu.sm_default_msg_id);
    let canned = canned.ok_or(Refusal::Malformed(CommandStatus::RINVDFTMSGID))?;
    let written = choose(&canned.text, Allowed::default(), Width::Eight);
    let written = written.ok_or(Refusal::Malformed(CommandStatus::RINVDFTMSGID))?;
    pdu.sm_default_msg_id = 0;
    for tag in [Tag::SAR_MSG_REF_NUM, Tag::SAR_TOTAL_SEGMENTS, Tag::SAR_SEGMENT_SEQNUM] {
        pdu.tlvs.remove(tag);
    }
    let has_header = written.has_header();
    let user_data = written.user_data.into();
    let wording = Wording { data_coding: written.data_coding, has_header, is_part: false, user_data };
    wording.put_into_submit(pdu);
    Ok(true)
}

/// 4 is the priority of cell broadcasts (SMPP 5.0 §4.7.14): for a message to one phone the highest is 3.
fn settle_priority(pdu: &mut SubmitSm) -> bool {
    let above = pdu.priority_flag > 3;
    pdu.priority_flag = pdu.priority_flag.min(3);
    above
}

/// When a message may go, and when it must have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    /// Not before; absent means at once.
    pub(super) due: Option<Timestamp>,
    /// Whether `due` is the end of closed hours.
    pub(super) held: bool,
    /// The end of validity, where it is not the default one.
    pub(super) expires: Option<Timestamp>,
    /// The end of validity that its sender named.
    pub(super) named: Option<Timestamp>,
    /// The end of validity, named or not.
    pub(super) validity_end: Timestamp,
    default_validity: Duration,
}

impl Times {
    /// Closed hours end then: nothing goes before. `false` when it would have expired by then.
    pub(super) fn hold_until(&mut self, open: Timestamp) -> bool {
        if self.named.is_some_and(|end| end <= open) {
            return false;
        }
        self.due = Some(open);
        self.held = true;
        if self.named.is_none() {
            self.expires = Some(open + self.default_validity);
            self.validity_end = open + self.default_validity;
        }
        true
    }
}

/// When to send, which end of validity its sender named, and when it must have ended.
fn times(policy: &Snapshot, pdu: &SubmitSm, now: Timestamp) -> Result<Times, Refusal> {
    let limits = policy.limits();
    let default_validity = limits.default_validity;
    let end = now + default_validity;
    let plain = Times {
        now,
        due: None,
        held: false,
        expires: None,
        named: None,
        validity_end: end,
        default_validity,
    };
    if pdu.schedule_delivery_time.is_empty() && pdu.validity_period.is_empty() {
        return Ok(plain);
    }
    let named = moment(&pdu.schedule_delivery_time, now).map_err(|()| Refusal::InvalidSchedule)?;
    let due = limits.due(named, now)?;
    let named = moment(&pdu.validity_period, now).map_err(|()| Refusal::InvalidValidity)?;
    let from = due.unwrap_or(now);
    if named.is_some_and(|end| end <= from) {
        return Err(Refusal::InvalidValidity);
    }
    let named = named.map(|end| end.min(from + limits.max_validity));
    // A scheduled message without a validity of its own is valid from its time on.
    let expires = named.or(due.map(|due| due + default_validity));
    Ok(Times { due, named, expires, validity_end: expires.unwrap_or(end), ..plain })
}

fn moment(field: &COctets, now: Timestamp) -> Result<Option<Timestamp>, ()> {
    let time = SmppTime::from_field(field).map_err(|_| ())?;
    Ok(time.map(|time| Timestamp::from_millis(time.to_unix_ms(now.millis()))))
}

fn segments(policy: &Snapshot, pdu: &SubmitSm) -> Result<u8, Refusal> {
    let data = user_data(pdu).map_err(|_| Refusal::Malformed(CommandStatus::RINVESMCLASS))?;
    let parts = count(&data, Width::Eight).map_err(|_| Refusal::Malformed(CommandStatus::RINVMSGLEN))?;
    if parts.segments > policy.limits().max_parts {
        return Err(Refusal::Malformed(CommandStatus::RINVMSGLEN));
    }
    Ok(parts.segments)
}

/// The user data of a submit_sm, read as far as counting and splitting need it.
///
/// # Errors
/// When its header is broken.
pub fn user_data(pdu: &SubmitSm) -> Result<UserData<'_>, UdhError> {
    crate::message::wording::read(pdu.data_coding, pdu.esm_class, pdu.user_data(), &pdu.tlvs)
}

/// A string that was read over its limit has no place in what we write.
fn unwritable(error: EncodeError) -> Refusal {
    let status = match error {
        EncodeError::TooLong { field, .. } | EncodeError::NulInside { field } => {
            let class = ProblemClass::FieldTooLong;
            Problem { class, field, offset: 0, detail: Detail::None }.status()
        }
        EncodeError::TimeLength { .. } => CommandStatus::RINVEXPIRY,
    };
    Refusal::Malformed(status)
}

fn written(pdu: &SubmitSm) -> Result<Bytes, Refusal> {
    let mut out = BytesMut::with_capacity(128 + pdu.user_data().len());
    pdu.encode(&mut out, 0).map_err(unwritable)?;
    Ok(out.split_off(Header::LENGTH).freeze())
}
