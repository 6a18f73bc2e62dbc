//! Addresses: type of number, numbering plan, digits (SMPP 3.4 §5.2.5–§5.2.9).

use std::fmt;

use super::octets::COctets;

/// Limit of source_addr and destination_addr in most operations, in octets with the NUL (SMPP 3.4 §5.2.8).
pub const ADDRESS_LIMIT: usize = 21;

/// Limit of the addresses of data_sm and alert_notification, in octets with the NUL (SMPP 3.4 §4.7.1, §4.12.1).
pub const LONG_ADDRESS_LIMIT: usize = 65;

/// An address as it stands in a PDU. The digits may be letters (TON 5), and nothing is checked here.
/// SMPP 3.4 §5.2.5 to §5.2.10.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Type of number.
    pub ton: Ton,
    /// Numbering plan.
    pub npi: Npi,
    /// Digits or characters of the address.
    pub digits: COctets,
}

impl Address {
    /// An address of its three fields.
    pub fn new(ton: Ton, npi: Npi, digits: impl Into<COctets>) -> Address {
        Address { ton, npi, digits: digits.into() }
    }

    /// An international number, TON 1 and NPI 1, digits without "+" or "00".
    pub fn international(digits: impl Into<COctets>) -> Address {
        Address::new(Ton::INTERNATIONAL, Npi::ISDN, digits)
    }

    /// An alphanumeric sender, TON 5 and NPI 0.
    pub fn alphanumeric(name: impl Into<COctets>) -> Address {
        Address::new(Ton::ALPHANUMERIC, Npi::UNKNOWN, name)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.ton.0, self.npi.0, self.digits)
    }
}

open_code! {
    /// Type of number (SMPP 3.4 §5.2.5).
    Ton(u8, "2") {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// International: country code first, without "+" or "00".
        INTERNATIONAL = 1, "international";
        /// National.
        NATIONAL = 2, "national";
        /// Network specific, mostly short codes.
        NETWORK_SPECIFIC = 3, "network specific";
        /// Subscriber number.
        SUBSCRIBER_NUMBER = 4, "subscriber number";
        /// Alphanumeric: a name.
        ALPHANUMERIC = 5, "alphanumeric";
        /// Abbreviated.
        ABBREVIATED = 6, "abbreviated";
    }
}

open_code! {
    /// Numbering plan indicator (SMPP 3.4 §5.2.6).
    Npi(u8, "2") {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// ISDN, E.163 and E.164.
        ISDN = 1, "ISDN";
        /// Data, X.121.
        DATA = 3, "data";
        /// Telex, F.69.
        TELEX = 4, "telex";
        /// Land mobile, E.212.
        LAND_MOBILE = 6, "land mobile";
        /// National.
        NATIONAL = 8, "national";
        /// Private.
        PRIVATE = 9, "private";
        /// ERMES.
        ERMES = 10, "ERMES";
        /// Internet, IP.
        INTERNET = 14, "internet";
        /// WAP client id.
        WAP_CLIENT_ID = 18, "WAP client id";
    }
}

/// What the three fields of an address are called in one place of one PDU, and how long the last may be.
#[derive(Clone, Copy)]
pub(crate) struct AddressFields {
    pub(crate) ton: &'static str,
    pub(crate) npi: &'static str,
    pub(crate) digits: &'static str,
    /// Octets with the NUL.
    pub(crate) limit: usize,
}

pub(crate) const SOURCE: AddressFields = AddressFields {
    ton: "source_addr_ton",
    npi: "source_addr_npi",
    digits: "source_addr",
    limit: ADDRESS_LIMIT,
};

pub(crate) const DESTINATION: AddressFields = AddressFields {
    ton: "dest_addr_ton",
    npi: "dest_addr_npi",
    digits: "destination_addr",
    limit: ADDRESS_LIMIT,
};

pub(crate) const LONG_SOURCE: AddressFields = AddressFields { limit: LONG_ADDRESS_LIMIT, ..SOURCE };

pub(crate) const LONG_DESTINATION: AddressFields = AddressFields { limit: LONG_ADDRESS_LIMIT, ..DESTINATION };

pub(crate) const ESME: AddressFields = AddressFields {
    ton: "esme_addr_ton",
    npi: "esme_addr_npi",
    digits: "esme_addr",
    limit: LONG_ADDRESS_LIMIT,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_ton_npi_digits() {
        assert_eq!(Address::international("447700900123").to_string(), "1/1/447700900123");
        assert_eq!(Address::alphanumeric("Caf\u{e9}").to_string(), "5/0/Caf\\xC3\\xA9");
    }

    #[test]
    fn codes_show_name_and_number() {
        assert_eq!(format!("{:?}", Ton::ALPHANUMERIC), "alphanumeric (0x05)");
        assert_eq!(Npi(77).to_string(), "0x4D");
        assert_eq!(Npi::WAP_CLIENT_ID.0, 18);
    }
}
