//! Fields of one octet that hold several readings: esm_class, registered_delivery, interface_version.

use std::fmt;

/// esm_class: messaging mode, message type and GSM features (SMPP 3.4 §5.2.12).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EsmClass(pub u8);

/// Messaging mode, bits 1–0 of esm_class. Says nothing in a deliver_sm (SMPP 3.4 §5.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// What the centre does by default, store and forward as a rule.
    Default,
    /// Datagram: one attempt, no storing.
    Datagram,
    /// Forward, or transaction: the response waits for the delivery.
    Transaction,
    /// Store and forward, stated outright.
    StoreAndForward,
}

/// Message type, bits 5–2 of esm_class (SMPP 3.4 §5.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// An ordinary message.
    Normal,
    /// A delivery receipt of the centre.
    DeliveryReceipt,
    /// An acknowledgement of the handset that it has the message.
    DeliveryAcknowledgement,
    /// An acknowledgement of the user.
    UserAcknowledgement,
    /// Conversation abort (Korean CDMA).
    ConversationAbort,
    /// An intermediate notification: not there yet.
    IntermediateNotification,
    /// Any other value of the four bits, 0–15.
    Reserved(u8),
}

impl EsmClass {
    /// The mode bits.
    pub const MODE_MASK: u8 = 0x03;
    /// The type bits.
    pub const TYPE_MASK: u8 = 0x3C;
    /// User data begins with a header (UDHI).
    pub const UDHI: u8 = 0x40;
    /// Reply path.
    pub const REPLY_PATH: u8 = 0x80;
    /// An ordinary message in default mode.
    pub const DEFAULT: EsmClass = EsmClass(0x00);
    /// A delivery receipt.
    pub const DELIVERY_RECEIPT: EsmClass = EsmClass(0x04);
    /// An intermediate notification.
    pub const INTERMEDIATE_NOTIFICATION: EsmClass = EsmClass(0x20);

    /// The messaging mode.
    pub const fn mode(self) -> Mode {
        match self.0 & EsmClass::MODE_MASK {
            0 => Mode::Default,
            1 => Mode::Datagram,
            2 => Mode::Transaction,
            _ => Mode::StoreAndForward,
        }
    }

    /// The message type.
    pub const fn message_type(self) -> MessageType {
        match (self.0 & EsmClass::TYPE_MASK) >> 2 {
            0b0000 => MessageType::Normal,
            0b0001 => MessageType::DeliveryReceipt,
            0b0010 => MessageType::DeliveryAcknowledgement,
            0b0100 => MessageType::UserAcknowledgement,
            0b0110 => MessageType::ConversationAbort,
            0b1000 => MessageType::IntermediateNotification,
            other => MessageType::Reserved(other),
        }
    }

    /// True if the user data begins with a header.
    pub const fn udhi(self) -> bool {
        self.0 & EsmClass::UDHI != 0
    }

    /// True if the reply path is set.
    pub const fn reply_path(self) -> bool {
        self.0 & EsmClass::REPLY_PATH != 0
    }

    /// The same with the header flag set or cleared.
    pub const fn with_udhi(self, udhi: bool) -> EsmClass {
        let rest = self.0 & !EsmClass::UDHI;
        EsmClass(if udhi { rest | EsmClass::UDHI } else { rest })
    }
}

/// registered_delivery: which receipts are wanted (SMPP 3.4 §5.2.17).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RegisteredDelivery(pub u8);

/// When a delivery receipt is wanted, bits 1–0 of registered_delivery (SMPP 3.4 §5.2.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptWish {
    /// Never.
    Never,
    /// On every final state.
    Always,
    /// On failure only.
    OnFailure,
    /// On success only: from 5.0, reserved before.
    OnSuccess,
}

impl RegisteredDelivery {
    /// No receipt.
    pub const NONE: RegisteredDelivery = RegisteredDelivery(0x00);
    /// A receipt on every final state.
    pub const RECEIPT: RegisteredDelivery = RegisteredDelivery(0x01);
    /// A receipt on failure.
    pub const RECEIPT_ON_FAILURE: RegisteredDelivery = RegisteredDelivery(0x02);
    /// A receipt on success (5.0).
    pub const RECEIPT_ON_SUCCESS: RegisteredDelivery = RegisteredDelivery(0x03);
    /// The bits that mean something; the others are ignored by default.
    pub const MEANINGFUL: u8 = 0x1F;

    /// Which receipt of the centre is wanted.
    pub const fn receipt(self) -> ReceiptWish {
        match self.0 & 0x03 {
            0 => ReceiptWish::Never,
            1 => ReceiptWish::Always,
            2 => ReceiptWish::OnFailure,
            _ => ReceiptWish::OnSuccess,
        }
    }

    /// True if intermediate notifications are wanted: bit 4, as the specification draws it.
    pub const fn intermediate(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// True if an acknowledgement of the handset is wanted.
    pub const fn delivery_acknowledgement(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// True if an acknowledgement of the user is wanted.
    pub const fn user_acknowledgement(self) -> bool {
        self.0 & 0x08 != 0
    }
}

/// interface_version and sc_interface_version (SMPP 3.4 §5.2.4): 0x00–0x33 are 3.3 or older.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceVersion(pub u8);

impl InterfaceVersion {
    /// SMPP 3.3.
    pub const V3_3: InterfaceVersion = InterfaceVersion(0x33);
    /// SMPP 3.4.
    pub const V3_4: InterfaceVersion = InterfaceVersion(0x34);
    /// SMPP 5.0.
    pub const V5_0: InterfaceVersion = InterfaceVersion(0x50);

    /// True if a peer of this version takes optional parameters.
    pub const fn takes_tlvs(self) -> bool {
        self.0 >= InterfaceVersion::V3_4.0
    }

    /// The version of a session between peers of these two: the lower one.
    pub fn agreed(self, other: InterfaceVersion) -> InterfaceVersion {
        let lower = self.min(other);
        // What lies between two versions is the lower of them (conformance C-023).
        if lower > InterfaceVersion::V3_4 && lower < InterfaceVersion::V5_0 {
            InterfaceVersion::V3_4
        } else {
            lower
        }
    }

    /// Name of the version, if it is one of the three.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            InterfaceVersion::V3_3 => Some("3.3"),
            InterfaceVersion::V3_4 => Some("3.4"),
            InterfaceVersion::V5_0 => Some("5.0"),
            _ => None,
        }
    }
}

impl fmt::Debug for EsmClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} ({:?}, {:?}", self.0, self.mode(), self.message_type())?;
        f.write_str(if self.udhi() { ", udhi" } else { "" })?;
        f.write_str(if self.reply_path() { ", reply path)" } else { ")" })
    }
}

impl fmt::Debug for RegisteredDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} ({:?}", self.0, self.receipt())?;
        f.write_str(if self.intermediate() { ", intermediate)" } else { ")" })
    }
}

impl fmt::Display for InterfaceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02X})", self.0),
            None => write!(f, "0x{:02X}", self.0),
        }
    }
}

impl fmt::Debug for InterfaceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<u8> for EsmClass {
    fn from(octet: u8) -> EsmClass {
        EsmClass(octet)
    }
}

impl From<u8> for RegisteredDelivery {
    fn from(octet: u8) -> RegisteredDelivery {
        RegisteredDelivery(octet)
    }
}

impl From<u8> for InterfaceVersion {
    fn from(octet: u8) -> InterfaceVersion {
        InterfaceVersion(octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn esm_class_is_three_fields_in_one() {
        let class = EsmClass(0xC7);
        assert_eq!(class.mode(), Mode::StoreAndForward);
        assert_eq!(class.message_type(), MessageType::DeliveryReceipt);
        assert!(class.udhi() && class.reply_path());
        assert_eq!(EsmClass(0x20).message_type(), MessageType::IntermediateNotification);
        assert_eq!(EsmClass(0x10).message_type(), MessageType::UserAcknowledgement);
        assert_eq!(EsmClass(0x0C).message_type(), MessageType::Reserved(3));
        assert_eq!(EsmClass(0x03).with_udhi(true).0, 0x43);
        assert_eq!(EsmClass(0x43).with_udhi(false).0, 0x03);
    }

    #[test]
    fn reserved_bits_of_registered_delivery_are_ignored() {
        let linked = RegisteredDelivery(0x21);
        assert_eq!(linked.receipt(), ReceiptWish::Always);
        assert!(!linked.intermediate());
        assert!(RegisteredDelivery(0x10).intermediate());
        assert!(RegisteredDelivery(0x0C).user_acknowledgement());
        assert_eq!(RegisteredDelivery(0x03).receipt(), ReceiptWish::OnSuccess);
    }

    #[test]
    fn the_lower_version_wins() {
        assert_eq!(InterfaceVersion(0x00).agreed(InterfaceVersion::V5_0), InterfaceVersion(0));
        assert!(!InterfaceVersion::V3_3.takes_tlvs());
        assert!(InterfaceVersion::V3_4.takes_tlvs());
        assert_eq!(format!("{:?}", EsmClass(0x44)), "0x44 (Default, DeliveryReceipt, udhi)");
    }
}
