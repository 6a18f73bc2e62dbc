//! What a credit is worth, for people to read: currencies and price lists. Nothing here moves money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::{Credits, money::Worth};

/// A currency: three capitals (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that is no currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters (ISO 4217), such as \"EUR\"")]
pub struct NotACurrency;

impl Currency {
    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| NotACurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(NotACurrency) }
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;
    fn try_from(text: String) -> Result<Self, NotACurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// In what currency amounts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// The currency.
    pub currency: Currency,
    /// What one credit is worth in it; more than 0, up to 6 decimal places.
    pub credit_value: Credits,
}

/// A price list: prices of its own, and perhaps another currency for who pays by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// Its name.
    pub name: String,
    /// In what currency amounts are shown to who pays by it; absent as everywhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Billing>,
}

impl Billing {
    /// What an amount is worth, exactly.
    #[must_use]
    pub fn worth(&self, amount: Credits) -> Worth {
        amount.worth(self.credit_value)
    }

    /// The same for people: `12.5 EUR`.
    #[must_use]
    pub fn shown(&self, amount: Credits) -> String {
        format!("{} {}", self.worth(amount), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_exactly_in_their_currency() {
        let billing = Billing { currency: "EUR".parse().unwrap(), credit_value: "0.000003".parse().unwrap() };
        assert_eq!(billing.shown("0.000007".parse().unwrap()), "0.000000000021 EUR");
        assert_eq!(billing.shown("-1000000".parse().unwrap()), "-3 EUR");
        let most = Credits::from_micro(i64::MAX);
        let dear = Billing { credit_value: most, ..billing };
        assert_eq!(dear.shown(most), "85070591730234615847396907.784232501249 EUR");
        assert_eq!("eur".parse::<Currency>(), Err(NotACurrency));
        let text = serde_json::to_string(&billing).unwrap();
        assert_eq!(text, r#"{"currency":"EUR","credit_value":"0.000003"}"#);
        assert_eq!(serde_json::from_str::<Billing>(&text).unwrap(), billing);
    }
}
