//! Numbers as people and phones write them, in the one form in which numbers are compared.

use std::borrow::Cow;

/// The digits of a number in international form: `+34 600-111-222`, `0034600111222` and `34600111222` are one. Nothing for
/// what is no number. How many digits it has is not asked.
///
/// A destination that was taken is in this form already, so lists and tables hold what this makes of what was written.
#[must_use]
pub fn international(written: &[u8]) -> Option<Cow<'_, [u8]>> {
    if is_digits(written) && !written.starts_with(EXIT) {
        return Some(Cow::Borrowed(written));
    }
    let mut digits: Vec<u8> = written
        .iter()
        .copied()
        .filter(|octet| !matches!(octet, b' ' | b'\t' | b'-' | b'.' | b'(' | b')'))
        .collect();
    let sign = match &digits[..] {
        [b'+', ..] => 1,
        [b'0', b'0', ..] => EXIT.len(),
        _ => 0,
    };
    digits.drain(..sign);
    (is_digits(&digits) && !digits.starts_with(EXIT)).then_some(Cow::Owned(digits))
}

/// What is dialled before a number of another country (ITU-T E.164 §A); no number begins so.
const EXIT: &[u8] = b"00";

fn is_digits(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (written, number) in [
            ("34600111222", Some("34600111222")),
            ("+34 600-111-222", Some("34600111222")),
            ("00 (34) 600.111.222\t", Some("34600111222")),
            ("0034600111222", Some("34600111222")),
            ("(+34) 600111222", Some("34600111222")),
            ("22000", Some("22000")),
            ("0022000", Some("22000")),
            ("0800123", Some("0800123")),
            ("1", Some("1")),
            ("", None),
            ("+", None),
            ("00", None),
            ("+0034600111222", None),
            ("000034600111222", None),
            ("++34600111222", None),
            ("34+600", None),
            ("ACME", None),
            ("٣٤٦٠٠", None),
        ] {
            let read = international(written.as_bytes());
            assert_eq!(read.as_deref(), number.map(str::as_bytes), "{written:?}");
        }
    }
}
