//! Credit as exact integers: micro-credits, checked at every step.

use std::fmt;
use std::str::FromStr;

/// An amount of credit in micro-credits (a millionth of a credit); exact, signed, 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credits(i64);

/// Micro-credits in a credit.
pub const MICRO: i64 = 1_000_000;

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From micro-credits.
    #[must_use]
    pub const fn from_micro(micro: i64) -> Self {
        Self(micro)
    }

    /// As micro-credits.
    #[must_use]
    pub const fn micro(self) -> i64 {
        self.0
    }

    /// The sum, or nothing when it passes 63 bits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or nothing when it passes 63 bits.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// This amount for each of `count`.
    #[must_use]
    pub fn times(self, count: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(count)).map(Self)
    }
}

impl Credits {
    /// What this amount is worth where one credit is worth `value`; exact, and cannot overflow.
    #[must_use]
    pub const fn worth(self, value: Self) -> Worth {
        Worth(self.0 as i128 * value.0 as i128)
    }
}

/// An amount of money in millionths of millionths: the exact product of two amounts with six decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Worth(i128);

impl fmt::Display for Worth {
    /// The shortest exact decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u128 = (MICRO as u128) * (MICRO as u128);
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / ONE, self.0.unsigned_abs() % ONE);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:012}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCredits {
    /// Something else than digits with at most one point and a leading sign.
    #[error("an amount is a decimal number such as \"12\" or \"0.0125\"")]
    Malformed,
    /// More than six decimal places.
    #[error("an amount has at most 6 decimal places")]
    TooFine,
    /// Beyond ±9,223,372,036,854 credits.
    #[error("the amount is too large; the limit is 9223372036854 credits")]
    TooLarge,
}

impl FromStr for Credits {
    type Err = NotCredits;

    fn from_str(text: &str) -> Result<Self, NotCredits> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return Err(NotCredits::Malformed);
        }
        if fraction.len() > 6 {
            return Err(NotCredits::TooFine);
        }
        let whole: i64 = whole.parse().map_err(|_| NotCredits::TooLarge)?;
        let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| NotCredits::Malformed)?;
        let micro =
            whole.checked_mul(MICRO).and_then(|m| m.checked_add(fraction)).ok_or(NotCredits::TooLarge)?;
        Ok(Self(if negative { -micro } else { micro }))
    }
}

impl fmt::Display for Credits {
    /// The shortest exact decimal: `12`, `0.0125`, `-3.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) =
            (self.0.unsigned_abs() / MICRO.unsigned_abs(), self.0.unsigned_abs() % MICRO.unsigned_abs());
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:06}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl serde::Serialize for Credits {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Credits {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, micro) in
            [("1", 1_000_000), ("0.000001", 1), ("-2.5", -2_500_000), ("12.345678", 12_345_678)]
        {
            assert_eq!(text.parse(), Ok(Credits::from_micro(micro)));
            assert_eq!(Credits::from_micro(micro).to_string(), text);
        }
    }

    #[test]
    fn what_is_not_an_amount_says_why() {
        for text in ["", "-", ".5", "1.", "1e3", "+1", "1,5", " 1"] {
            assert_eq!(text.parse::<Credits>(), Err(NotCredits::Malformed), "{text:?}");
        }
        assert_eq!("0.0000001".parse::<Credits>(), Err(NotCredits::TooFine));
        assert_eq!("9223372036855".parse::<Credits>(), Err(NotCredits::TooLarge));
    }
}
