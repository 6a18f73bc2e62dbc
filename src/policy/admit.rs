//! The one gate that every message passes: its fields, its text, its price and its way.

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{Address, COctets, CommandStatus, EsmClass, RegisteredDelivery, SmppTime, Tag};
use smpp_proto::pdu::{Header, SubmitSm};
use smpp_proto::text::{UdhError, UserData, Width, count};

use super::{Refusal, Snapshot, wording};
use crate::account::{Account, Credits};
use crate::clock::Timestamp;
use crate::message::RouteId;

/// A message as somebody wants to send it.
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
    price: Credits,
    route: RouteId,
    priority: u8,
    due: Option<Timestamp>,
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
    /// The way it takes.
    #[must_use]
    pub fn route(&self) -> RouteId {
        self.route
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

/// Lets a message pass, or says why not. Rate and credit come after: the bucket belongs to the credential, and only
/// the store can say exactly what the balance is.
///
/// # Errors
/// The refusal to answer with; nothing happened.
pub fn admit(
    policy: &Snapshot,
    account: &Account,
    submission: Submission,
    now: Timestamp,
) -> Result<Admitted, Refusal> {
    if policy.is_suspended(account.id) {
        return Err(Refusal::AccountSuspended);
    }
    let Submission { mut pdu, body } = submission;
    check_flags(&pdu)?;
    let mut rewritten = normalise_destination(&mut pdu)?;
    rewritten |= fill_source(&mut pdu, account)?;
    rewritten |= settle_payload(&mut pdu);
    let route = policy.route_to(pdu.destination.digits.as_bytes());
    rewritten |= wording::settle(&mut pdu, &account.terms, policy.languages(route))?;
    let (due, expires, validity_end) = times(policy, &pdu, now)?;
    let parts = segments(policy, &pdu)?;
    let number = pdu.destination.digits.as_bytes();
    let price = policy.price(number).ok_or(Refusal::NoRoute)?;
    let route = route.ok_or(Refusal::NoRoute)?;
    let body = match body {
        Some(body) if !rewritten => body,
        _ => written(&pdu)?,
    };
    Ok(Admitted {
        body,
        parts,
        price,
        route,
        due,
        expires,
        validity_end,
        priority: pdu.priority_flag,
        registered_delivery: pdu.registered_delivery,
        source: pdu.source.digits,
        destination: pdu.destination.digits,
        service_type: pdu.service_type,
    })
}

/// The fewest and most digits of a destination: short codes to E.164 (ITU-T E.164 §6.2.1).
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

fn check_flags(pdu: &SubmitSm) -> Result<(), Refusal> {
    // Types that only a centre may send would turn a message into a receipt (SMPP 3.4 §5.2.12).
    let type_bits = pdu.esm_class.0 & EsmClass::TYPE_MASK;
    if !matches!(type_bits, 0x00 | 0x08 | 0x10) {
        return Err(Refusal::Malformed(CommandStatus::RINVESMCLASS));
    }
    if pdu.priority_flag > 3 {
        return Err(Refusal::Malformed(CommandStatus::RINVPRTFLG));
    }
    if pdu.replace_if_present_flag > 1 {
        return Err(Refusal::Malformed(CommandStatus::RINVREPFLAG));
    }
    if pdu.sm_default_msg_id != 0 {
        // There are no canned messages here (SMPP 3.4 §5.2.20).
        return Err(Refusal::Malformed(CommandStatus::RINVDFTMSGID));
    }
    Ok(())
}

/// Takes `+`, `00`, blanks and hyphens away; says whether there were any.
fn normalise_destination(pdu: &mut SubmitSm) -> Result<bool, Refusal> {
    let given = pdu.destination.digits.as_bytes();
    let is_number = |digits: &[u8]| DIGITS.contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_number(given) && !given.starts_with(b"00") {
        return Ok(false);
    }
    let bare: Vec<u8> = given.iter().copied().filter(|b| !matches!(b, b' ' | b'-')).collect();
    let digits = bare.strip_prefix(b"+").or_else(|| bare.strip_prefix(b"00")).unwrap_or(&bare);
    if !is_number(digits) {
        return Err(Refusal::InvalidDestination);
    }
    pdu.destination =
        Address { digits: COctets::from(Bytes::copy_from_slice(digits)), ..pdu.destination.clone() };
    Ok(true)
}

/// The account's own source address for a message that comes without one (SMPP 3.4 §5.2.8).
fn fill_source(pdu: &mut SubmitSm, account: &Account) -> Result<bool, Refusal> {
    if !pdu.source.digits.is_empty() {
        return Ok(false);
    }
    let source = account.terms.default_source.as_deref().ok_or(Refusal::SenderNotAllowed)?;
    pdu.source = if source.bytes().all(|b| b.is_ascii_digit()) {
        Address::international(source)
    } else {
        Address::alphanumeric(source)
    };
    Ok(true)
}

/// message_payload wins over a short_message that came with it (SMPP 5.0 §4.8.4.36); they are never joined.
fn settle_payload(pdu: &mut SubmitSm) -> bool {
    let both = !pdu.short_message.is_empty() && pdu.tlvs.get(Tag::MESSAGE_PAYLOAD).is_some();
    if both {
        pdu.short_message = Bytes::new();
    }
    both
}

/// When to send, which end of validity its sender named, and when it must have ended.
fn times(
    policy: &Snapshot,
    pdu: &SubmitSm,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>, Timestamp), Refusal> {
    let limits = policy.limits();
    if pdu.schedule_delivery_time.is_empty() && pdu.validity_period.is_empty() {
        return Ok((None, None, now + limits.default_validity));
    }
    let named = moment(&pdu.schedule_delivery_time, now).map_err(|()| Refusal::InvalidSchedule)?;
    let due = limits.due(named, now)?;
    let named = moment(&pdu.validity_period, now).map_err(|()| Refusal::InvalidValidity)?;
    let from = due.unwrap_or(now);
    if named.is_some_and(|end| end <= from) {
        return Err(Refusal::InvalidValidity);
    }
    // A scheduled message without a validity of its own is valid from its time on.
    let expires = match (named, due) {
        (Some(end), _) => Some(end.min(from + limits.max_validity)),
        (None, Some(due)) => Some(due + limits.default_validity),
        (None, None) => None,
    };
    Ok((due, expires, expires.unwrap_or(now + limits.default_validity)))
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

fn written(pdu: &SubmitSm) -> Result<Bytes, Refusal> {
    let mut out = BytesMut::with_capacity(128 + pdu.user_data().len());
    pdu.encode(&mut out, 0).map_err(|_| Refusal::Malformed(CommandStatus::RINVMSGLEN))?;
    Ok(out.split_off(Header::LENGTH).freeze())
}
