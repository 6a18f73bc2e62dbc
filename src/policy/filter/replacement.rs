//! Another text in the place of one that waits (SMPP 3.4 §4.10): what it must please.
//!
//! A replace_sm says neither alphabet nor destination: those of the message that waits hold, so this is asked where that
//! is known. Sender, number, hours and price were judged with the first text, and the parts stay as many.

use smpp_proto::pdu::SubmitSm;

use super::{Claim, Desk, Rules, Unicode, check};
use crate::account::AccountId;
use crate::policy::admit::{Gate, Witness};
use crate::policy::{Denied, Refusal};

/// Asks the rules over texts, for a message that already has its new text. What comes back are the claims of the
/// duplicate filter, which the new text must meet and take as if it were sent now; rules in shadow are left on `desk`.
///
/// Under a rule that transliterates every new text is refused: the one that waits may have been written anew, and then
/// the new one would be read in an alphabet that its client does not mean.
///
/// # Errors
/// The refusal of the first rule that objects.
pub fn check_replacement(
    rules: &Rules,
    account: AccountId,
    pdu: &SubmitSm,
    desk: &mut Desk,
) -> Result<Vec<Claim>, Denied> {
    let mut gate = Gate::default();
    let judged = texts(rules, pdu, desk, &mut gate);
    desk.shadowed.extend(gate.shadowed);
    judged?;
    let mut claims = Vec::new();
    check::first(rules, account, pdu, |claim| claims.push(claim));
    Ok(claims)
}

fn texts(rules: &Rules, pdu: &SubmitSm, desk: &mut Desk, gate: &mut Gate) -> Result<(), Denied> {
    let is_unicode = check::is_beyond_gsm(pdu);
    for rule in &rules.unicode {
        let objects = match rule.is {
            Unicode::Allow => false,
            Unicode::Transliterate => true,
            Unicode::Reject => is_unicode,
        };
        gate.verdict(rule.id, rule.enforce, objects.then_some(Refusal::UnicodeDisabled))?;
    }
    check::content(rules, pdu, desk, gate)
}
