//! A rate in segments a second with a burst, as it is written: `"100/s burst 200"`.

use std::fmt;
use std::str::FromStr;

/// How fast somebody may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// Segments a second; 1 to 1,000,000.
    pub per_second: u32,
    /// Segments that may come at once after a pause; 1 to 1,000,000; one second's worth by default.
    pub burst: u32,
}

/// Why a text is not a throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a throughput is segments a second such as \"50/s\" or \"50/s burst 100\", each from 1 to 1000000")]
pub struct NotThroughput;

impl FromStr for Throughput {
    type Err = NotThroughput;

    fn from_str(text: &str) -> Result<Self, NotThroughput> {
        let mut words = text.split_whitespace();
        let rate = words.next().and_then(|w| w.strip_suffix("/s")).ok_or(NotThroughput)?;
        let per_second = bounded(rate)?;
        let burst = match (words.next(), words.next(), words.next()) {
            (None, ..) => per_second,
            (Some("burst"), Some(burst), None) => bounded(burst)?,
            _ => return Err(NotThroughput),
        };
        Ok(Self { per_second, burst })
    }
}

fn bounded(text: &str) -> Result<u32, NotThroughput> {
    text.parse().ok().filter(|n| (1..=1_000_000).contains(n)).ok_or(NotThroughput)
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s burst {}", self.per_second, self.burst)
    }
}

impl serde::Serialize for Throughput {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Throughput {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throughput_is_read_with_and_without_its_burst() {
        assert_eq!("50/s".parse(), Ok(Throughput { per_second: 50, burst: 50 }));
        assert_eq!("50/s burst 100".parse(), Ok(Throughput { per_second: 50, burst: 100 }));
        for text in ["", "50", "0/s", "50/s burst", "50/s burst 0", "50/s burst 1 2", "1000001/s"] {
            assert_eq!(text.parse::<Throughput>(), Err(NotThroughput), "{text:?}");
        }
    }
}
