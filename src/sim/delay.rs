//! How long the practice operator takes: a fixed time, or a mix such as `80%:10ms,15%:100ms,5%:1s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use serde::Deserialize;

/// A distribution of delays. Each part is a fixed time or a range such as `50ms..2s`, drawn evenly.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Delay(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// Share of all draws up to and including this part, in millionths.
    up_to: u32,
    shortest: Duration,
    longest: Duration,
}

impl Delay {
    /// No delay at all.
    #[must_use]
    pub fn none() -> Self {
        Self::fixed(Duration::ZERO)
    }

    /// Always the same.
    #[must_use]
    pub fn fixed(span: Duration) -> Self {
        Self(vec![Part { up_to: MILLION, shortest: span, longest: span }])
    }

    /// Whether every draw is zero.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.iter().all(|part| part.longest.is_zero())
    }

    /// Draws one delay.
    pub fn draw(&self, random: &mut SmallRng) -> Duration {
        let part = match self.0.as_slice() {
            [only] => only,
            parts => {
                let at = random.random_range(0..MILLION);
                match parts.iter().find(|part| at < part.up_to) {
                    Some(part) => part,
                    None => return Duration::ZERO,
                }
            }
        };
        if part.shortest == part.longest {
            return part.shortest;
        }
        part.shortest + (part.longest - part.shortest).mul_f64(random.random::<f64>())
    }
}

impl FromStr for Delay {
    type Err = DelayError;

    fn from_str(text: &str) -> Result<Self, DelayError> {
        let mut parts = Vec::new();
        let mut total: u32 = 0;
        for piece in text.split(',').map(str::trim).take(PARTS_MAX) {
            let (share, spans) = match piece.split_once(':') {
                Some((share, spans)) => (percent(share)?, spans),
                None => (MILLION.saturating_sub(total), piece),
            };
            let (shortest, longest) = match spans.split_once("..") {
                Some((from, to)) => (span(from)?, span(to)?),
                None => (span(spans)?, span(spans)?),
            };
            if longest < shortest {
                return Err(DelayError(format!("{spans:?} ends before it begins")));
            }
            total += share;
            if total > MILLION {
                return Err(DelayError(format!("{text:?} adds up to more than 100%")));
            }
            parts.push(Part { up_to: total, shortest, longest });
        }
        if total < MILLION {
            return Err(DelayError(format!("{text:?} adds up to less than 100%")));
        }
        Ok(Self(parts))
    }
}

impl TryFrom<String> for Delay {
    type Error = DelayError;
    fn try_from(text: String) -> Result<Self, DelayError> {
        text.parse()
    }
}

/// Reads `250ms`, `1.5s`, `2m`, `1h`, `800us`, or `0`.
///
/// # Errors
/// When there is no number, or the unit is not one of these.
pub fn span(text: &str) -> Result<Duration, DelayError> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 =
        number.trim().parse().map_err(|_| DelayError(format!("{text:?} is not a time such as 250ms")))?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "" if number == 0.0 => 0.0,
        _ => return Err(DelayError(format!("{text:?} needs a unit: us, ms, s, m or h"))),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| DelayError(format!("{text:?} is out of range")))
}

/// Reads a percentage with or without its sign, `5%` or `0.1`, as millionths of the whole.
///
/// # Errors
/// When it is not a number from 0 to 100.
pub fn percent(text: &str) -> Result<u32, DelayError> {
    let number: f64 = text
        .trim()
        .trim_end_matches('%')
        .parse()
        .ok()
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| DelayError(format!("{text:?} is not a percentage from 0 to 100")))?;
    Ok((number * 10_000.0).round() as u32)
}

/// A delay or a percentage that cannot be read, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayError(String);

impl fmt::Display for DelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DelayError {}

/// The whole, in millionths.
pub(super) const MILLION: u32 = 1_000_000;
/// Parts of one mix.
const PARTS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn reads_times_and_mixes() {
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        assert_eq!("2m".parse(), Ok(Delay::fixed(Duration::from_secs(120))));
        assert!("80%:10ms,15%:100ms,5%:1s".parse::<Delay>().is_ok());
        assert!("80%:10ms,1s".parse::<Delay>().is_ok(), "the last part takes the rest");
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, part) in [
            ("10", "needs a unit"),
            ("ms", "not a time"),
            ("60%:1s,60%:2s", "more than 100%"),
            ("60%:1s", "less than 100%"),
            ("2s..1s", "ends before"),
            ("x%:1s", "not a percentage"),
        ] {
            let error = text.parse::<Delay>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn draws_by_share() {
        let delay: Delay = "90%:0,10%:1s..2s".parse().expect("a mix");
        let mut random = SmallRng::seed_from_u64(7);
        let slow = (0..10_000).filter(|_| delay.draw(&mut random) >= Duration::from_secs(1)).count();
        assert!((800..1200).contains(&slow), "{slow}");
        assert!(!delay.is_none() && Delay::none().is_none());
    }
}
