//! Message ids as operators write them: in the answer one way, in the receipt perhaps another.

use std::io::Write;

use clap::ValueEnum;
use serde::Deserialize;

/// How an operator writes its message ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdFormat {
    /// Decimal digits in both places.
    #[default]
    Decimal,
    /// Lower case hexadecimal in both places.
    Hex,
    /// Upper case hexadecimal in both places.
    HexUpper,
    /// Hexadecimal in the answer, decimal in the receipt.
    HexRespDecReceipt,
    /// Decimal in the answer, hexadecimal in the receipt.
    DecRespHexReceipt,
    /// Lower case hexadecimal in the answer, upper case in the receipt.
    LowerRespUpperReceipt,
    /// Ten decimal digits with leading zeros in both places.
    LeadingZeros,
    /// Ten digits with leading zeros in the answer, without them in the receipt.
    ZerosRespBareReceipt,
    /// A UUID in both places.
    Uuid,
    /// A 64-bit number above 2^63 in upper case hexadecimal: what a signed parser cannot hold.
    HexAbove63Bits,
    /// 64 printable octets, the longest id there is.
    Longest,
}

/// Longest id, in octets without its NUL (reference §3.2).
pub const ID_MAX: usize = 64;

impl IdFormat {
    /// The id of message `number` as the submit_sm_resp carries it.
    pub fn in_resp(self, number: u64, out: &mut IdText) {
        match self {
            Self::Decimal | Self::DecRespHexReceipt => out.set(format_args!("{number}")),
            Self::Hex | Self::HexRespDecReceipt | Self::LowerRespUpperReceipt => {
                out.set(format_args!("{number:x}"));
            }
            Self::HexUpper => out.set(format_args!("{number:X}")),
            Self::LeadingZeros | Self::ZerosRespBareReceipt => out.set(format_args!("{number:010}")),
            Self::Uuid => out.set(format_args!("{:08x}-5eed-4000-8000-{:012x}", scatter(number), number)),
            Self::HexAbove63Bits => out.set(format_args!("{:X}", number | 1 << 63)),
            Self::Longest => out.set(format_args!("{number:020}{LONG_TAIL}")),
        }
    }

    /// The id of message `number` as the receipt carries it.
    pub fn in_receipt(self, number: u64, out: &mut IdText) {
        match self {
            Self::HexRespDecReceipt | Self::ZerosRespBareReceipt => out.set(format_args!("{number}")),
            Self::DecRespHexReceipt => out.set(format_args!("{number:x}")),
            Self::LowerRespUpperReceipt => out.set(format_args!("{number:X}")),
            same => same.in_resp(number, out),
        }
    }

    /// The number of an id that was given in an answer; `None` for anything else. For query_sm and cancel_sm.
    #[must_use]
    pub fn number(self, id: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(id).ok()?;
        let number = match self {
            Self::Decimal | Self::DecRespHexReceipt | Self::LeadingZeros | Self::ZerosRespBareReceipt => {
                text.parse().ok()?
            }
            Self::Hex | Self::HexUpper | Self::HexRespDecReceipt | Self::LowerRespUpperReceipt => {
                u64::from_str_radix(text, 16).ok()?
            }
            Self::HexAbove63Bits => u64::from_str_radix(text, 16).ok()? & !(1 << 63),
            Self::Uuid => u64::from_str_radix(text.rsplit('-').next()?, 16).ok()?,
            Self::Longest => text.get(..20)?.parse().ok()?,
        };
        let mut again = IdText::default();
        self.in_resp(number, &mut again);
        (again.as_bytes() == id).then_some(number)
    }
}

/// An id in place: no allocation a message.
#[derive(Debug, Clone, Copy)]
pub struct IdText {
    octets: [u8; ID_MAX],
    length: usize,
}

impl IdText {
    /// The id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    fn set(&mut self, text: std::fmt::Arguments<'_>) {
        let mut rest = &mut self.octets[..];
        // An id that does not fit is cut at ID_MAX; none of the formats is longer.
        let _ = rest.write_fmt(text);
        self.length = ID_MAX - rest.len();
    }
}

impl Default for IdText {
    fn default() -> Self {
        Self { octets: [0; ID_MAX], length: 0 }
    }
}

/// Spreads a counter over 32 bits, so that ids do not look alike at their beginning.
fn scatter(number: u64) -> u32 {
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

const LONG_TAIL: &str = "-abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOP";

#[cfg(test)]
mod tests {
    use super::*;

    fn both(format: IdFormat, number: u64) -> (String, String) {
        let (mut resp, mut receipt) = (IdText::default(), IdText::default());
        format.in_resp(number, &mut resp);
        format.in_receipt(number, &mut receipt);
        (String::from_utf8_lossy(resp.as_bytes()).into(), String::from_utf8_lossy(receipt.as_bytes()).into())
    }

    #[test]
    fn writes_each_format() {
        for (format, resp, receipt) in [
            (IdFormat::Decimal, "48879", "48879"),
            (IdFormat::Hex, "beef", "beef"),
            (IdFormat::HexUpper, "BEEF", "BEEF"),
            (IdFormat::HexRespDecReceipt, "beef", "48879"),
            (IdFormat::DecRespHexReceipt, "48879", "beef"),
            (IdFormat::LowerRespUpperReceipt, "beef", "BEEF"),
            (IdFormat::LeadingZeros, "0000048879", "0000048879"),
            (IdFormat::ZerosRespBareReceipt, "0000048879", "48879"),
            (IdFormat::HexAbove63Bits, "800000000000BEEF", "800000000000BEEF"),
        ] {
            assert_eq!(both(format, 0xBEEF), (resp.to_owned(), receipt.to_owned()));
        }
        assert_eq!(both(IdFormat::Uuid, 1).0.len(), 36);
        assert_eq!(both(IdFormat::Longest, 1).0.len(), ID_MAX);
    }

    #[test]
    fn finds_the_number_again() {
        for format in IdFormat::value_variants() {
            let mut id = IdText::default();
            format.in_resp(1_234_567, &mut id);
            assert_eq!(format.number(id.as_bytes()), Some(1_234_567), "{format:?}");
            assert_eq!(format.number(b"unknown"), None);
            assert_eq!(format.number(b""), None);
        }
    }
}
