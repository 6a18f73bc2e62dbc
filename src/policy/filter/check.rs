//! The filters in their order: sender, destination, text, hours; then what the store must count.

use smpp_proto::field::{Alphabet, DataCoding, Tag};
use smpp_proto::pdu::SubmitSm;
use smpp_proto::text::{Udh, gsm7};

use super::claim::{Claim, Demand, Sum, print, shadow_print, units};
use super::rules::{Caps, Ruled};
use super::{Desk, RuleId, Rules, Unicode};
use crate::account::{Account, AccountId, Credits};
use crate::clock::Timestamp;
use crate::message::Wording;
use crate::policy::admit::{Times, Witness, user_data};
use crate::policy::hours::{Action, Hours};
use crate::policy::number::Glance;
use crate::policy::text::unicode::to_gsm7_text;
use crate::policy::{Denied, Refusal, Snapshot};

/// Who asks, and about whom.
pub(in crate::policy) struct Party<'a> {
    pub(in crate::policy) policy: &'a Snapshot,
    pub(in crate::policy) account: &'a Account,
    pub(in crate::policy) rules: &'a Rules,
    /// What is known of the destination.
    pub(in crate::policy) glance: Glance,
}

/// Asks every filter that needs no counter. Says whether the text was rewritten.
pub(in crate::policy) fn check(
    party: &Party<'_>,
    pdu: &mut SubmitSm,
    times: &mut Times,
    desk: &mut Desk,
    witness: &mut impl Witness,
) -> Result<bool, Denied> {
    sender(party, pdu, witness)?;
    destination(party, pdu, witness)?;
    let rewritten = alphabet(party.rules, pdu, witness)?;
    content(party.rules, pdu, desk, witness)?;
    hours(party.rules, times, desk, witness)?;
    Ok(rewritten)
}

fn sender(party: &Party<'_>, pdu: &SubmitSm, witness: &mut impl Witness) -> Result<(), Denied> {
    let source = pdu.source.digits.as_bytes();
    for rule in &party.rules.senders {
        let objection = (!rule.is.has(source)).then_some(Refusal::SenderNotAllowed);
        witness.verdict(rule.id, rule.enforce, objection)?;
    }
    if !party.policy.protects_names() {
        return Ok(());
    }
    for entry in party.policy.protected_names(source) {
        let is_theirs = entry.accounts.iter().any(|holder| party.policy.is_under(party.account.id, *holder));
        witness.verdict(entry.rule, entry.enforce, (!is_theirs).then_some(Refusal::SenderNotAllowed))?;
    }
    Ok(())
}

fn destination(party: &Party<'_>, pdu: &SubmitSm, witness: &mut impl Witness) -> Result<(), Denied> {
    if !party.rules.looks_at_numbers() {
        return Ok(());
    }
    let found = party.glance.at(pdu.destination.digits.as_bytes());
    for rule in &party.rules.numbers {
        witness.verdict(rule.id, rule.enforce, rule.is.refusal(&found))?;
    }
    for rule in &party.rules.countries {
        let is_allowed = found.country.is_some_and(|country| rule.is.has(country));
        witness.verdict(rule.id, rule.enforce, (!is_allowed).then_some(Refusal::CountryBlocked))?;
    }
    Ok(())
}

/// A text beyond the GSM alphabet, where some level does not want it: the strictest decides.
fn alphabet(rules: &Rules, pdu: &mut SubmitSm, witness: &mut impl Witness) -> Result<bool, Denied> {
    if rules.unicode.is_empty() || !is_beyond_gsm(pdu) {
        return Ok(false);
    }
    let mut plain = None;
    let mut rewrite = false;
    for rule in &rules.unicode {
        let objection = match rule.is {
            Unicode::Allow => None,
            Unicode::Reject => Some(Refusal::UnicodeDisabled),
            Unicode::Transliterate => {
                let plain = plain.get_or_insert_with(|| transliterated(pdu));
                rewrite |= rule.enforce && plain.is_some();
                plain.is_none().then_some(Refusal::UnicodeDisabled)
            }
        };
        witness.verdict(rule.id, rule.enforce, objection)?;
    }
    match plain.flatten() {
        Some(wording) if rewrite => {
            wording.put_into_submit(pdu);
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether a text is in an alphabet that holds more than the GSM alphabet, and is or may be beyond it.
pub(super) fn is_beyond_gsm(pdu: &SubmitSm) -> bool {
    match pdu.data_coding.alphabet() {
        Alphabet::Gsm7 | Alphabet::Ascii => false,
        // No text.
        Alphabet::Binary | Alphabet::Compressed | Alphabet::Reserved => false,
        Alphabet::Latin1 | Alphabet::Iso8859_5 | Alphabet::Iso8859_8 => {
            let text = user_data(pdu).map(|data| data.decode()).unwrap_or_default();
            gsm7::septets(&text, gsm7::Tables::default()).is_none()
        }
        _ => true,
    }
}

/// The text in the GSM alphabet, as a human would read it; nothing where that cannot be, or where nobody here can read
/// it. Its header stays.
fn transliterated(pdu: &SubmitSm) -> Option<Wording> {
    let alphabet = pdu.data_coding.alphabet();
    let is_read =
        matches!(alphabet, Alphabet::Ucs2 | Alphabet::Latin1 | Alphabet::Iso8859_5 | Alphabet::Iso8859_8);
    if !is_read {
        return None;
    }
    let wording = Wording::of_submit(pdu);
    let (header, text) = if wording.has_header {
        let (udh, _) = Udh::cut(&wording.user_data).ok()?;
        wording.user_data.split_at_checked(udh.size())?
    } else {
        (&[][..], &wording.user_data[..])
    };
    let text = smpp_proto::text::decode(alphabet, text);
    let septets = gsm7::encode(&to_gsm7_text(&text)?, gsm7::Tables::default()).ok()?;
    let user_data = [header, &septets].concat().into();
    Some(Wording { data_coding: DataCoding::DEFAULT, user_data, ..wording })
}

/// The content rules of every level.
pub(super) fn content(
    rules: &Rules,
    pdu: &SubmitSm,
    desk: &mut Desk,
    witness: &mut impl Witness,
) -> Result<(), Denied> {
    if rules.content.is_empty() || !is_text(pdu.data_coding.alphabet()) {
        return Ok(());
    }
    // Its header was read before; one that is broken was refused.
    let Ok(data) = user_data(pdu) else { return Ok(()) };
    desk.text.clear();
    data.decode_into(&mut desk.text);
    let mut decided = Ok(());
    for level in &rules.content {
        level.compiled.check(&desk.text, &mut desk.scratch, |place| {
            let Some(&(rule, enforce)) = level.rules.get(place) else { return };
            if decided.is_ok() {
                decided = witness.verdict(rule, enforce, Some(Refusal::ContentBlocked));
            }
        });
        decided?;
    }
    Ok(())
}

/// Whether octets in this alphabet are words.
const fn is_text(alphabet: Alphabet) -> bool {
    !matches!(alphabet, Alphabet::Binary | Alphabet::Compressed | Alphabet::Reserved)
}

/// Closed hours: nothing goes before all of them are open.
fn hours(rules: &Rules, times: &mut Times, desk: &Desk, witness: &mut impl Witness) -> Result<(), Denied> {
    if rules.hours.is_empty() {
        return Ok(());
    }
    // Where one interval ends another may begin; a week of intervals is passed in so many steps at most.
    for _ in 0..MOST_INTERVALS {
        let mut later: Option<(Timestamp, RuleId)> = None;
        for rule in &rules.hours {
            match closed_until(rule, times.due, desk) {
                Some(open) if holds(rule, open) => {
                    if later.is_none_or(|(known, _)| known < open) {
                        later = Some((open, rule.id));
                    }
                }
                until => {
                    let objection = until.map(|_| Refusal::HoursClosed);
                    witness.verdict(rule.id, rule.enforce, objection)?;
                }
            }
        }
        let Some((open, rule)) = later else { return Ok(()) };
        if !times.hold_until(open) {
            // What could only expire while it waits is of no use to anybody.
            return witness.verdict(rule, true, Some(Refusal::HoursClosed));
        }
    }
    Err(Refusal::HoursClosed.into())
}

/// When a message will leave: at its time, or when the hours that hold it back open.
pub(in crate::policy) fn leaves_at(rules: &Rules, times: &Times, desk: &Desk) -> Timestamp {
    let mut due = times.due;
    for _ in 0..MOST_INTERVALS {
        let held = |rule| closed_until(rule, due, desk).filter(|open| holds(rule, *open));
        match rules.hours.iter().filter_map(held).max() {
            Some(open) => due = Some(open),
            None => break,
        }
    }
    due.unwrap_or(times.now)
}

/// When hours open for a message of this time, if they are closed then; without a time at the moment of the desk.
fn closed_until(rule: &ClosedRule, due: Option<Timestamp>, desk: &Desk) -> Option<Timestamp> {
    let (hours, _) = &rule.is;
    due.map_or_else(|| desk.closed_until(hours), |due| hours.until(due))
}

/// Whether hours that are closed until then make a message wait.
fn holds(rule: &ClosedRule, open: Timestamp) -> bool {
    let (_, action) = &rule.is;
    rule.enforce && *action == Action::Hold && open < Timestamp::NEVER
}

/// Closed hours of some level, and what becomes of a message meanwhile.
type ClosedRule = Ruled<(Hours, Action)>;

/// Closed intervals that may follow one another without a pause.
const MOST_INTERVALS: usize = 64;

/// What the message demands of the store's counters.
pub(in crate::policy) fn claims(
    party: &Party<'_>,
    pdu: &SubmitSm,
    total: Credits,
    desk: &mut Desk,
    witness: &mut impl Witness,
) -> Result<Vec<Claim>, Denied> {
    let rules = party.rules;
    let number = pdu.destination.digits.as_bytes();
    // Most senders have none, and nothing is allocated for them.
    let most =
        rules.velocity.len() + rules.quotas.len() + rules.caps.iter().map(Caps::most_claims).sum::<usize>();
    let firsts = usize::from(rules.duplicate.is_some()) + usize::from(rules.watched_duplicate.is_some());
    let mut claims = Vec::with_capacity(most + firsts);
    rules.paces(number, |claim| claims.push(claim));
    first(rules, party.account.id, pdu, |claim| claims.push(claim));
    for rule in &rules.quotas {
        let quota = &rule.is;
        let (adds, period) = match quota.sum {
            Sum::DayMessages => (1, desk.day(&quota.zone)),
            Sum::DayCredits => (units(total), desk.day(&quota.zone)),
            Sum::MonthMessages => (1, desk.month(&quota.zone)),
            Sum::MonthCredits => (units(total), desk.month(&quota.zone)),
        };
        let key = super::QuotaKey::of(quota.holder, quota.sum, 0);
        let demand = Demand::Quota { key, period, adds, most: quota.most, counts: true };
        claims.push(Claim { rule: rule.id, enforce: rule.enforce, refusal: quota.refusal, demand });
    }
    if !rules.caps.is_empty() {
        let country = party.glance.at(number).country;
        for caps in &rules.caps {
            let day = desk.day(caps.zone());
            caps.claims(country, day, total, |claim| claims.push(claim));
        }
    }
    claims.iter().for_each(|claim| witness.claims(claim));
    Ok(claims)
}

/// That it is the first of its kind, where that is demanded.
pub(super) fn first(rules: &Rules, account: AccountId, pdu: &SubmitSm, mut demand: impl FnMut(Claim)) {
    let (enforced, watched) = (&rules.duplicate, &rules.watched_duplicate);
    if enforced.is_none() && watched.is_none() {
        return;
    }
    let number = pdu.destination.digits.as_bytes();
    let print = print(account.0, number, pdu.data_coding.0, part_of(pdu), pdu.user_data());
    let mut claim = |rule: &Ruled<u32>, print| {
        let demanded = Demand::First { print, window: rule.is };
        let refusal = Refusal::Duplicate;
        demand(Claim { rule: rule.id, enforce: rule.enforce, refusal, demand: demanded });
    };
    if let Some(rule) = enforced {
        claim(rule, print);
    }
    if let Some(rule) = watched {
        // Alone it knows what it will know when it is enforced. Beside another its window begins with other messages.
        claim(rule, if enforced.is_none() { print } else { shadow_print(print) });
    }
}

/// Which part of which message it is by its TLVs (SMPP 3.4 §5.3.2.22): parts of one text may read alike. A header says
/// the same in the text itself, so each part made by a client has a print of its own; parts of a text that is sent
/// again under another reference are new.
fn part_of(pdu: &SubmitSm) -> u32 {
    if pdu.tlvs.is_empty() {
        return 0;
    }
    let reference = pdu.tlvs.u16(Tag::SAR_MSG_REF_NUM).unwrap_or_default();
    let part = pdu.tlvs.u8(Tag::SAR_SEGMENT_SEQNUM).unwrap_or_default();
    u32::from(reference) << 8 | u32::from(part)
}

/// How many destinations one request may have, and whose rule says so, where it has more.
///
/// # Errors
/// It has more than some level allows.
pub fn check_recipients(rules: &Rules, count: usize, mut shadowed: impl FnMut(RuleId)) -> Result<(), Denied> {
    for rule in &rules.max_per_request {
        if count <= usize::try_from(rule.is).unwrap_or(usize::MAX) {
            continue;
        }
        if rule.enforce {
            return Err(Denied::by(Refusal::TooManyRecipients, rule.id));
        }
        shadowed(rule.id);
    }
    Ok(())
}
