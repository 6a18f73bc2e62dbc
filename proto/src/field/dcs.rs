//! data_coding: which alphabet, and which class of message (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4).

/// data_coding as it came. Every value has a reading; what a peer means by it may differ and is a setting of that peer.
/// SMPP 3.4 §5.2.19.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataCoding(pub u8);

/// The alphabet that a data_coding announces (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// GSM 7-bit default alphabet, one septet an octet.
    Gsm7,
    /// IA5, that is ASCII. Many clients mean GSM 7-bit.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// Octets without an alphabet.
    Binary,
    /// UCS2, big-endian; UTF-16 in practice.
    Ucs2,
    /// ISO 8859-5, Cyrillic.
    Iso8859_5,
    /// ISO 8859-8, Hebrew.
    Iso8859_8,
    /// JIS X 0208-1990.
    Jis,
    /// ISO-2022-JP, music codes.
    Iso2022Jp,
    /// Pictograms.
    Pictogram,
    /// JIS X 0212-1990, extended Kanji.
    JisX0212,
    /// KS C 5601.
    KsC5601,
    /// Text that is compressed (3GPP TS 23.042): octets to us.
    Compressed,
    /// No meaning given. A phone shows such text as GSM 7-bit.
    Reserved,
}

impl Alphabet {
    /// The alphabet as a fixed word for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Alphabet::Gsm7 => "gsm",
            Alphabet::Ascii => "ascii",
            Alphabet::Latin1 => "latin1",
            Alphabet::Binary => "binary",
            Alphabet::Ucs2 => "ucs2",
            Alphabet::Iso8859_5 => "iso8859-5",
            Alphabet::Iso8859_8 => "iso8859-8",
            Alphabet::Jis => "jis",
            Alphabet::Iso2022Jp => "iso2022jp",
            Alphabet::Pictogram => "pictogram",
            Alphabet::JisX0212 => "jisx0212",
            Alphabet::KsC5601 => "ksc5601",
            Alphabet::Compressed => "compressed",
            Alphabet::Reserved => "reserved",
        }
    }
}

impl DataCoding {
    /// The default alphabet of the centre: GSM 7-bit.
    pub const DEFAULT: DataCoding = DataCoding(0x00);
    /// IA5, ASCII.
    pub const ASCII: DataCoding = DataCoding(0x01);
    /// ISO 8859-1.
    pub const LATIN1: DataCoding = DataCoding(0x03);
    /// 8-bit binary.
    pub const BINARY: DataCoding = DataCoding(0x04);
    /// UCS2.
    pub const UCS2: DataCoding = DataCoding(0x08);
    /// GSM 7-bit, shown at once and not stored (class 0).
    pub const FLASH: DataCoding = DataCoding(0x10);
    /// UCS2, shown at once and not stored (class 0).
    pub const FLASH_UCS2: DataCoding = DataCoding(0x18);

    /// The alphabet. 0x01–0x0F as SMPP gives them; above, the coding groups of GSM, which SMPP leaves reserved up to
    /// 0xBF but which clients send.
    pub const fn alphabet(self) -> Alphabet {
        match self.0 {
            0x00 => Alphabet::Gsm7,
            0x01 => Alphabet::Ascii,
            0x02 | 0x04 => Alphabet::Binary,
            0x03 => Alphabet::Latin1,
            0x05 => Alphabet::Jis,
            0x06 => Alphabet::Iso8859_5,
            0x07 => Alphabet::Iso8859_8,
            0x08 => Alphabet::Ucs2,
            0x09 => Alphabet::Pictogram,
            0x0A => Alphabet::Iso2022Jp,
            0x0D => Alphabet::JisX0212,
            0x0E => Alphabet::KsC5601,
            0x0B | 0x0C | 0x0F => Alphabet::Reserved,
            0x10..=0x7F => self.general_group(),
            0x80..=0xBF => Alphabet::Reserved,
            0xC0..=0xDF => Alphabet::Gsm7,
            0xE0..=0xEF => Alphabet::Ucs2,
            0xF0..=0xFF if self.0 & 0x04 != 0 => Alphabet::Binary,
            0xF0..=0xFF => Alphabet::Gsm7,
        }
    }

    /// Bit 5 compressed, bits 3–2 the alphabet (3GPP TS 23.038 §4, groups 00xx and 01xx).
    const fn general_group(self) -> Alphabet {
        if self.0 & 0x20 != 0 {
            return Alphabet::Compressed;
        }
        match (self.0 >> 2) & 0x03 {
            0 => Alphabet::Gsm7,
            1 => Alphabet::Binary,
            2 => Alphabet::Ucs2,
            _ => Alphabet::Reserved,
        }
    }

    /// The message class: 0 flash, 1 mobile equipment, 2 SIM, 3 terminal equipment; `None` where none is given.
    pub const fn class(self) -> Option<u8> {
        match self.0 {
            0x10..=0x7F if self.0 & 0x10 != 0 => Some(self.0 & 0x03),
            0xF0..=0xFF => Some(self.0 & 0x03),
            _ => None,
        }
    }

    /// True for the message-waiting groups: the octet sets or clears an indication on the phone.
    pub const fn is_message_waiting(self) -> bool {
        matches!(self.0, 0xC0..=0xEF)
    }
}

impl std::fmt::Display for DataCoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{:02X} ({})", self.0, self.alphabet().as_str())
    }
}

impl std::fmt::Debug for DataCoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<u8> for DataCoding {
    fn from(octet: u8) -> DataCoding {
        DataCoding(octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smpp_values() {
        let alphabets: Vec<&str> = (0..16).map(|octet| DataCoding(octet).alphabet().as_str()).collect();
        assert_eq!(
            alphabets,
            [
                "gsm",
                "ascii",
                "binary",
                "latin1",
                "binary",
                "jis",
                "iso8859-5",
                "iso8859-8",
                "ucs2",
                "pictogram",
                "iso2022jp",
                "reserved",
                "reserved",
                "jisx0212",
                "ksc5601",
                "reserved"
            ]
        );
    }

    #[test]
    fn the_gsm_groups() {
        assert_eq!(DataCoding(0x13).alphabet(), Alphabet::Gsm7);
        assert_eq!(DataCoding(0x15).alphabet(), Alphabet::Binary);
        assert_eq!(DataCoding(0x19).alphabet(), Alphabet::Ucs2);
        assert_eq!(DataCoding(0x1C).alphabet(), Alphabet::Reserved);
        assert_eq!(DataCoding(0x30).alphabet(), Alphabet::Compressed);
        assert_eq!(DataCoding(0x48).alphabet(), Alphabet::Ucs2);
        assert_eq!(DataCoding(0x90).alphabet(), Alphabet::Reserved);
        assert_eq!(DataCoding(0xC8).alphabet(), Alphabet::Gsm7);
        assert_eq!(DataCoding(0xE0).alphabet(), Alphabet::Ucs2);
        assert_eq!(DataCoding(0xF5).alphabet(), Alphabet::Binary);
        assert_eq!(DataCoding(0xF1).alphabet(), Alphabet::Gsm7);
    }

    #[test]
    fn classes_are_where_gsm_has_them() {
        assert_eq!(DataCoding::FLASH.class(), Some(0));
        assert_eq!(DataCoding(0x1A).class(), Some(2));
        assert_eq!(DataCoding(0xF7).class(), Some(3));
        assert_eq!(DataCoding(0x20).class(), None);
        assert_eq!(DataCoding(0x08).class(), None);
        assert_eq!(DataCoding(0xD1).class(), None);
        assert!(DataCoding(0xD1).is_message_waiting());
        assert!(!DataCoding(0xF1).is_message_waiting());
    }
}
