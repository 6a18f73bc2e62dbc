//! Receipts: who gets one, and under which forms an operator's id may come back.
//!
//! An id is kept exactly as the operator gave it. Only when a receipt's id is not found as it stands are other
//! readings of it tried, so that ids such as UUIDs or `00B8BE19` are never rewritten.

use serde::{Deserialize, Serialize};
use smpp_proto::field::RegisteredDelivery;

use super::State;

/// Whether a client that asked with `wish` gets a receipt for this end (SMPP 3.4 §5.2.17, bits 1-0).
#[must_use]
pub fn is_due(wish: RegisteredDelivery, end: State) -> bool {
    let delivered = matches!(end, State::Delivered | State::Accepted);
    match wish.0 & 0b11 {
        0b01 => end.is_end(),
        0b10 => end.is_end() && !delivered,
        0b11 => delivered,
        _ => false,
    }
}

/// How an operator's receipts write the ids that its responses gave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdForm {
    /// The same octets, else any of the readings below that is found.
    #[default]
    Auto,
    /// The same octets and nothing else.
    Exact,
    /// Hexadecimal in the response, decimal in the receipt.
    HexToDecimal,
    /// Decimal in the response, hexadecimal in the receipt.
    DecimalToHex,
    /// Letters in another case.
    FoldCase,
    /// Leading zeros missing or added.
    StripZeros,
}

/// The longest id that is looked at: 64 characters (SMPP 3.4 §5.2.23).
const MAX_ID: usize = 64;

impl IdForm {
    /// A second name under which an id is kept when the form rewrites ids; nothing when exact lookups suffice.
    #[must_use]
    pub fn folded_response(self, id: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Auto | Self::Exact => None,
            Self::HexToDecimal => number(id, 16).map(tagged),
            Self::DecimalToHex => number(id, 10).map(tagged),
            Self::FoldCase => Some(fold(id)),
            Self::StripZeros => Some(strip(id)),
        }
    }

    /// The names to look for, in this order, when a receipt's id is not found as it stands.
    #[must_use]
    pub fn other_readings(self, id: &[u8]) -> Vec<Vec<u8>> {
        if id.len() > MAX_ID {
            return Vec::new();
        }
        match self {
            Self::Exact => Vec::new(),
            Self::HexToDecimal => number(id, 10).map(tagged).into_iter().collect(),
            Self::DecimalToHex => number(id, 16).map(tagged).into_iter().collect(),
            Self::FoldCase => vec![fold(id)],
            Self::StripZeros => vec![strip(id)],
            Self::Auto => guesses(id),
        }
    }

    /// Names under which a receipt for a response's id may have come already; a superset, to be checked with
    /// [`IdForm::other_readings`].
    #[must_use]
    pub fn early_names(self, id: &[u8]) -> Vec<Vec<u8>> {
        let mut names = vec![id.to_vec()];
        if self != Self::Exact && id.len() <= MAX_ID {
            names.extend(guesses(id));
        }
        names
    }
}

/// Whether the number that a receipt tells is the one that a message went to. Operators write it with or without
/// prefixes, so the last digits decide: all of the shorter one, which has to be long enough to mean one phone.
#[must_use]
pub fn is_same_number(told: &str, ours: &str) -> bool {
    let (told, ours) = (told.trim_start_matches('+'), ours.trim_start_matches('+'));
    let (long, short) = if told.len() >= ours.len() { (told, ours) } else { (ours, told) };
    let is_number = short.len() >= SUBSCRIBER && short.bytes().all(|b| b.is_ascii_digit());
    long == short || (is_number && long.ends_with(short.trim_start_matches('0')))
}

/// Digits that mean one phone without the prefixes before them.
const SUBSCRIBER: usize = 7;

/// Every reading that has been seen in the field, likeliest first, each once and none equal to the id itself.
fn guesses(id: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut add = |candidate: Vec<u8>| {
        if candidate.as_slice() != id && !found.contains(&candidate) {
            found.push(candidate);
        }
    };
    let bare = id.strip_prefix(b"0x").or_else(|| id.strip_prefix(b"0X")).unwrap_or(id);
    add(bare.to_vec());
    if let Some(value) = number(bare, 10) {
        for width in HEX_WIDTHS {
            add(format!("{value:0width$x}").into_bytes());
            add(format!("{value:0width$X}").into_bytes());
        }
    }
    if let Some(value) = number(bare, 16) {
        add(value.to_string().into_bytes());
        add(format!("{value:010}").into_bytes());
        for width in HEX_WIDTHS {
            add(format!("{value:0width$x}").into_bytes());
            add(format!("{value:0width$X}").into_bytes());
        }
    }
    if let Some(value) = number(bare, 10) {
        for width in DECIMAL_WIDTHS {
            add(format!("{value:0width$}").into_bytes());
        }
    }
    add(bare.to_ascii_lowercase());
    add(bare.to_ascii_uppercase());
    found
}

/// Widths to which operators pad hexadecimal ids.
const HEX_WIDTHS: [usize; 4] = [0, 8, 16, 32];
/// Widths to which operators pad decimal ids; 10 is the width of SMPP 3.4 Appendix B.
const DECIMAL_WIDTHS: [usize; 4] = [0, 10, 12, 20];

fn number(id: &[u8], radix: u32) -> Option<u128> {
    let digits =
        id.strip_prefix(b"0x").or_else(|| id.strip_prefix(b"0X")).filter(|_| radix == 16).unwrap_or(id);
    let text = std::str::from_utf8(digits).ok()?;
    if text.starts_with('+') {
        return None;
    }
    u128::from_str_radix(text, radix).ok()
}

/// Folded names begin with a zero octet, which no C-octet string can hold: they never meet a real id.
fn tagged(value: u128) -> Vec<u8> {
    format!("\0{value}").into_bytes()
}

fn fold(id: &[u8]) -> Vec<u8> {
    std::iter::once(0).chain(id.iter().map(u8::to_ascii_lowercase)).collect()
}

fn strip(id: &[u8]) -> Vec<u8> {
    std::iter::once(0).chain(id.iter().copied().skip_while(|b| *b == b'0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `form` keeps for `response` is found by one of the readings of `receipt`.
    fn meet(form: IdForm, response: &str, receipt: &str) -> bool {
        let mut kept = vec![response.as_bytes().to_vec()];
        kept.extend(form.folded_response(response.as_bytes()));
        let mut asked = vec![receipt.as_bytes().to_vec()];
        asked.extend(form.other_readings(receipt.as_bytes()));
        asked.iter().any(|name| kept.contains(name))
    }

    #[test]
    fn hexadecimal_responses_meet_decimal_receipts_up_to_128_bits() {
        for form in [IdForm::HexToDecimal, IdForm::Auto] {
            assert!(meet(form, "00B8BE19", "12107289"));
            assert!(meet(form, "812FC7470000001B", "9308878062554710043"));
            assert!(meet(
                form,
                "ffffffffffffffffffffffffffffffff",
                "340282366920938463463374607431768211455"
            ));
        }
        for form in [IdForm::DecimalToHex, IdForm::Auto] {
            assert!(meet(form, "12107289", "b8be19"));
            assert!(meet(form, "0012107289", "B8BE19"));
        }
        assert!(!meet(IdForm::Exact, "00B8BE19", "12107289"));
    }

    #[test]
    fn case_and_zeros_are_forgiven_where_the_form_says_so() {
        assert!(meet(IdForm::FoldCase, "AB-cd", "ab-CD"));
        assert!(meet(IdForm::StripZeros, "000123", "123"));
        assert!(meet(IdForm::StripZeros, "123", "000123"));
        assert!(meet(IdForm::Auto, "3F2504E0-4F89", "3f2504e0-4f89"));
        assert!(meet(IdForm::Auto, "0000000123", "123"));
        assert!(!meet(IdForm::FoldCase, "000123", "123"));
    }

    #[test]
    fn numbers_are_the_same_with_and_without_prefixes() {
        for told in ["34600000001", "+34600000001", "600000001", "0600000001", "0034600000001"] {
            assert!(is_same_number(told, "34600000001"), "{told}");
        }
        for told in ["34600000002", "00001", "1", "", "ACME"] {
            assert!(!is_same_number(told, "34600000001"), "{told}");
        }
        assert!(is_same_number("22000", "22000") && !is_same_number("2000", "22000"));
    }

    #[test]
    fn the_wish_decides_which_ends_are_told() {
        let due = |bits, state| is_due(RegisteredDelivery(bits), state);
        assert!(due(0x01, State::Delivered) && due(0x01, State::Undeliverable) && due(0x11, State::Expired));
        assert!(!due(0x02, State::Delivered) && due(0x02, State::Rejected) && due(0x02, State::Deleted));
        assert!(due(0x03, State::Delivered) && !due(0x03, State::Expired));
        assert!(!due(0x00, State::Delivered) && !due(0x10, State::Delivered) && !due(0x01, State::Sent));
    }
}
