//! A practice password: compared plainly, never shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// A password of the practice operator or the load client.
#[derive(Clone, Default, Deserialize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The octets that go into a bind.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether `other` is the same.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for Password {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
