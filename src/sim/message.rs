//! A text as the user data of the short messages that carry it.

use bytes::{Bytes, BytesMut};
use smpp_proto::field::{DataCoding, EsmClass};
use smpp_proto::text::parts::{PartsError, Reference};
use smpp_proto::text::{UserData, narrowest, split, ucs2};

/// A text, encoded and cut.
#[derive(Debug, Clone)]
pub(super) struct Wording {
    pub(super) data_coding: DataCoding,
    pub(super) esm_class: EsmClass,
    /// User data of each part, with its header if there are several.
    pub(super) parts: Vec<Bytes>,
}

impl Wording {
    /// Encodes in the default alphabet if that holds the text and `ucs2` does not forbid it, else in UCS2, and cuts.
    ///
    /// The reference number of several parts stands at [`REFERENCE_AT`] of each part.
    pub(super) fn of(text: &str, force_ucs2: bool) -> Result<Self, PartsError> {
        let (data_coding, octets) =
            if force_ucs2 { (DataCoding::UCS2, ucs2::encode(text)) } else { narrowest(text) };
        let data = UserData::read(data_coding.alphabet(), false, &octets).map_err(|_| PartsError::NoRoom)?;
        let parts: Vec<Bytes> = split(&data, Reference::Eight(0))?
            .map(|part| {
                let mut out = BytesMut::with_capacity(part.size());
                part.write(&mut out);
                out.freeze()
            })
            .collect();
        let esm_class = EsmClass::DEFAULT.with_udhi(parts.len() > 1);
        Ok(Self { data_coding, esm_class, parts })
    }
}

/// Where the 8-bit reference stands in user data that begins with a concatenation element: length, id, size, reference.
pub(super) const REFERENCE_AT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts() {
        let short = Wording::of("Hello", false).expect("one part");
        assert_eq!((short.parts.len(), short.esm_class, short.data_coding), (1, EsmClass(0), DataCoding(0)));
        let long = Wording::of(&"x".repeat(161), false).expect("two parts");
        assert_eq!((long.parts.len(), long.esm_class), (2, EsmClass(0x40)));
        assert_eq!(long.parts[0].get(..6), Some(&[5, 0, 3, 0, 2, 1][..]));
        assert_eq!(long.parts[0].get(REFERENCE_AT), Some(&0));
        let cyrillic = Wording::of("Привет", false).expect("one part");
        assert_eq!(cyrillic.data_coding, DataCoding::UCS2);
        assert_eq!(Wording::of("Hello", true).expect("one part").parts[0].len(), 10);
    }
}
