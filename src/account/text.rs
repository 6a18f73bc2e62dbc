//! How an account's clients write texts, and what they want of those that phones send.

use serde::{Deserialize, Serialize};
use smpp_proto::text::Charset;

/// What an account's clients mean by data_coding 1 (conformance L-16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataCoding1 {
    /// IA5, as SMPP says; octets go on unchanged.
    #[default]
    Ascii,
    /// GSM 7-bit: node-smpp writes so. Such a message is taken as one of data_coding 0.
    Gsm7,
}

/// What becomes of octets that have no meaning in data_coding 0: those above 0x7F where the alphabet is GSM 7-bit or
/// ASCII, and what is no UTF-8 (conformance C-125).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HighOctets {
    /// They go on unchanged.
    #[default]
    Pass,
    /// The message is refused.
    Refuse,
    /// The text is read as ISO 8859-1.
    Latin1,
    /// The text is read as UTF-8 if it is, else as ISO 8859-1.
    Guess,
}

/// What becomes of a message from a phone that comes in parts (conformance C-135).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundParts {
    /// Each part goes on with its header, as it came.
    #[default]
    Forward,
    /// They are kept until all are there, and delivered as one.
    Join,
}

/// A charset is kept under its word.
pub(super) mod charset {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use smpp_proto::text::Charset;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(in crate::account) fn serialize<S: Serializer>(charset: &Charset, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(super::word(*charset))
    }

    pub(in crate::account) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Charset, D::Error> {
        let word = String::deserialize(from)?;
        let known = Charset::ALL.into_iter().find(|(known, _)| *known == word);
        known.map(|(_, charset)| charset).ok_or_else(|| Error::custom(format!("unknown alphabet {word:?}")))
    }
}

fn word(charset: Charset) -> &'static str {
    Charset::ALL.into_iter().find(|(_, known)| *known == charset).map_or("gsm7", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use crate::account::Terms;
    use smpp_proto::text::Charset;

    #[test]
    fn terms_are_kept_and_older_ones_are_read() {
        let terms = Terms { alphabet: Charset::Gsm7Packed, ..Terms::default() };
        let kept = serde_json::to_string(&terms).unwrap();
        assert!(kept.contains(r#""alphabet":"gsm7-packed""#), "{kept}");
        assert_eq!(serde_json::from_str::<Terms>(&kept).unwrap(), terms);
        assert_eq!(serde_json::from_str::<Terms>("{}").unwrap(), Terms::default());
        assert!(serde_json::from_str::<Terms>(r#"{"alphabet":"klingon"}"#).is_err());
    }
}
