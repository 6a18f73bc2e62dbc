//! Numbers made from a pattern: `34600######` has random digits, `34600++++++` counts up.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand::rngs::SmallRng;

/// Addresses of one length. `#` is a random digit; the `+` signs together are one rising counter. Anything else
/// stands for itself, so a plain number or name is a pattern too. A leading `+` is dropped, as SMPP has no such sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    octets: Vec<u8>,
    counts: bool,
    draws: bool,
}

impl Pattern {
    /// Writes address number `serial` over `place`, which is as long as [`Pattern::len`].
    pub(super) fn fill(&self, serial: u64, random: &mut SmallRng, place: &mut [u8]) {
        if !self.varies() {
            return;
        }
        let mut digits = if self.draws { random.random::<u64>() } else { 0 };
        let mut count = serial;
        for (sign, octet) in self.octets.iter().zip(place).rev() {
            match sign {
                b'#' => {
                    *octet = b'0' + (digits % 10) as u8;
                    digits /= 10;
                }
                b'+' => {
                    *octet = b'0' + (count % 10) as u8;
                    count /= 10;
                }
                _ => {}
            }
        }
    }

    /// The pattern with every variable sign as a zero.
    #[must_use]
    pub fn sample(&self) -> Vec<u8> {
        self.octets.iter().map(|sign| if matches!(sign, b'#' | b'+') { b'0' } else { *sign }).collect()
    }

    /// Whether addresses differ.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.counts || self.draws
    }

    /// Whether all of it is digits, so that TON 1 and NPI 1 suit it.
    #[must_use]
    pub fn is_number(&self) -> bool {
        !self.octets.is_empty()
            && self.octets.iter().all(|sign| sign.is_ascii_digit() || matches!(sign, b'#' | b'+'))
    }

    /// Octets of each address.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// The pattern of the empty address.
    #[must_use]
    pub fn empty() -> Self {
        Self { octets: Vec::new(), counts: false, draws: false }
    }

    /// Whether addresses are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = match text.strip_prefix('+') {
            Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
            _ => text,
        };
        if text.len() > ADDRESS_MAX || !text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(PatternError(text.to_owned()));
        }
        let octets = text.as_bytes().to_vec();
        Ok(Self { counts: octets.contains(&b'+'), draws: octets.contains(&b'#'), octets })
    }
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not at most {ADDRESS_MAX} printable characters", self.0)
    }
}

impl std::error::Error for PatternError {}

/// Octets that an address of submit_sm holds (reference §3.2).
const ADDRESS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn filled(pattern: &str, serial: u64) -> String {
        let pattern: Pattern = pattern.parse().expect("a pattern");
        let mut place = pattern.sample();
        pattern.fill(serial, &mut SmallRng::seed_from_u64(1), &mut place);
        String::from_utf8(place).expect("ASCII")
    }

    #[test]
    fn counts_draws_or_stays() {
        assert_eq!(filled("34600+++", 7), "34600007");
        assert_eq!(filled("34600+++", 1234), "34600234");
        assert_eq!(filled("ACME", 9), "ACME");
        assert_eq!(filled("+34600000001", 9), "34600000001");
        let drawn = filled("346########", 0);
        assert!(drawn.starts_with("346") && drawn.bytes().all(|octet| octet.is_ascii_digit()), "{drawn}");
    }

    #[test]
    fn knows_numbers_from_names() {
        assert!("34######".parse::<Pattern>().is_ok_and(|pattern| pattern.is_number()));
        assert!("ACME".parse::<Pattern>().is_ok_and(|pattern| !pattern.is_number() && !pattern.varies()));
        assert!("123456789012345678901".parse::<Pattern>().is_err());
    }
}
