//! Codes and flags of a submission (SMPP 3.4 §5.2.11–§5.2.21).

use super::Breach;
use crate::field::{
    COctets, CommandStatus, DataCoding, EsmClass, InterfaceVersion, Mode, ReceiptWish, RegisteredDelivery,
};
use crate::pdu::{Quirk, Reading};

pub(super) fn service_type(name: &COctets, reading: &mut Reading) -> Result<(), Breach> {
    if name.is_empty() || SERVICES.contains(&name.as_bytes()) {
        return Ok(());
    }
    reading.pass(Quirk::ServiceType, "service_type", CommandStatus::RINVSERTYP)
}

/// Names that the specification gives away (SMPP 3.4 §5.2.11, SMPP 5.0 §4.7.25).
const SERVICES: [&[u8]; 8] = [b"CMT", b"CPT", b"VMN", b"VMA", b"WAP", b"USSD", b"CBS", b"GUTS"];

/// Types that a client may send: an ordinary message and the two acknowledgements.
pub(super) fn esm_class(class: &mut EsmClass, reading: &mut Reading) -> Result<(), Breach> {
    if !matches!(class.0 & EsmClass::TYPE_MASK, 0x00 | 0x08 | 0x10) {
        reading.pass(Quirk::EsmClassType, "esm_class", CommandStatus::RINVESMCLASS)?;
        class.0 &= !EsmClass::TYPE_MASK;
    }
    Ok(())
}

/// Before 5.0 only data_sm knows transaction mode (SMPP 3.4 §5.2.12).
pub(super) fn no_transaction(
    class: &mut EsmClass,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    if class.mode() == Mode::Transaction && version < InterfaceVersion::V5_0 {
        reading.pass(Quirk::TransactionMode, "esm_class", CommandStatus::RINVESMCLASS)?;
        class.0 |= EsmClass::MODE_MASK;
    }
    Ok(())
}

/// 0–1 in 3.3, 0–3 in 3.4, 0–4 in 5.0.
pub(super) fn priority(
    flag: &mut u8,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    let highest = match version {
        InterfaceVersion(0x50..) => 4,
        InterfaceVersion(0x34..) => 3,
        _ => 1,
    };
    if *flag > highest {
        reading.pass(Quirk::PriorityRange, "priority_flag", CommandStatus::RINVPRTFLG)?;
        *flag = highest;
    }
    Ok(())
}

pub(super) fn registered_delivery(
    wish: &mut RegisteredDelivery,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    let field = "registered_delivery";
    if wish.0 & !RegisteredDelivery::MEANINGFUL != 0 {
        reading.pass(Quirk::RegisteredBits, field, CommandStatus::RINVREGDLVFLG)?;
        wish.0 &= RegisteredDelivery::MEANINGFUL;
    }
    if wish.receipt() == ReceiptWish::OnSuccess && version < InterfaceVersion::V5_0 {
        reading.pass(Quirk::ReceiptOnSuccess, field, CommandStatus::RINVREGDLVFLG)?;
        wish.0 &= !RegisteredDelivery::RECEIPT_ON_FAILURE.0;
    }
    Ok(())
}

pub(super) fn replace_if_present(flag: u8) -> Result<(), Breach> {
    if flag <= 1 {
        return Ok(());
    }
    Err(Breach::of("replace_if_present_flag", CommandStatus::RINVREPFLAG))
}

pub(super) fn data_coding(coding: DataCoding, reading: &mut Reading) -> Result<(), Breach> {
    match coding.0 {
        0x00..=0x0A | 0x0D | 0x0E | 0xC0..=0xDF | 0xF0..=0xFF => Ok(()),
        0x0B | 0x0C | 0x0F | 0x80..=0xBF => {
            reading.pass(Quirk::ReservedCoding, "data_coding", CommandStatus::RINVDCS)
        }
        0x10..=0x7F | 0xE0..=0xEF => reading.pass(Quirk::GsmCoding, "data_coding", CommandStatus::RINVDCS),
    }
}

/// 255 is reserved before 5.0 (SMPP 3.4 §5.2.20).
pub(super) fn default_message(id: u8, version: InterfaceVersion) -> Result<(), Breach> {
    if id == 255 && version < InterfaceVersion::V5_0 {
        return Err(Breach::of("sm_default_msg_id", CommandStatus::RINVDFTMSGID));
    }
    Ok(())
}

/// At most 254 octets before 5.0 (SMPP 3.4 §5.2.21).
pub(super) fn length(message: &[u8], version: InterfaceVersion, reading: &mut Reading) -> Result<(), Breach> {
    if message.len() > 254 && version < InterfaceVersion::V5_0 {
        return reading.pass(Quirk::FullMessage, "sm_length", CommandStatus::RINVMSGLEN);
    }
    Ok(())
}
