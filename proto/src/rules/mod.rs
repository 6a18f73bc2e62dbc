//! What may stand in a field: the values that a PDU may have in the version of its session, beyond being readable.
//!
//! A PDU passes as it is, or is mended where a departure is forgiven (the [`Reading`] notes which), or breaks a rule and
//! is answered with the status of the field (SMPP 3.4 §4.4.1, §5.2; SMPP 5.0 §4.7, §4.8). A mended PDU has only values
//! that may be written. Who may send what at which moment is the business of `session`; whether a service is offered,
//! and to whom, of nobody here.

mod address;
mod flags;
mod time;
mod tlv;

use std::fmt;

use bytes::Bytes;

use crate::field::{COctets, CommandStatus, InterfaceVersion, Tag};
use crate::pdu::{DataSm, DeliverSm, Quirk, Reading, ReplaceSm, SubmitMulti, SubmitSm};

pub use address::destination;

use self::address::source;
use self::tlv::Place;

/// A value that may not stand where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Name of the field or TLV as in the specification.
    pub field: &'static str,
    /// The status with which it is answered.
    pub status: CommandStatus,
    /// The quirk that would have forgiven it; `None` if nothing does.
    pub quirk: Option<Quirk>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may not be so: {}", self.field, self.status)?;
        match self.quirk {
            Some(quirk) => write!(f, " (forgiven by {quirk})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Breach {}

impl Breach {
    /// A breach that nothing forgives.
    const fn of(field: &'static str, status: CommandStatus) -> Breach {
        Breach { field, status, quirk: None }
    }
}

impl Reading {
    /// Goes on if the quirk is forgiven.
    #[cold]
    fn pass(&mut self, quirk: Quirk, field: &'static str, status: CommandStatus) -> Result<(), Breach> {
        if self.forgive(quirk) { Ok(()) } else { Err(Breach { field, status, quirk: Some(quirk) }) }
    }
}

/// A submit_sm of a client (SMPP 3.4 §4.4.1).
///
/// A sender or text that is not there, and numbers of canned texts, are left to who knows about them.
pub fn submit_sm(pdu: &mut SubmitSm, version: InterfaceVersion, reading: &mut Reading) -> Result<(), Breach> {
    flags::service_type(&pdu.service_type, reading)?;
    source(&mut pdu.source, reading)?;
    destination(&mut pdu.destination, reading)?;
    flags::esm_class(&mut pdu.esm_class, reading)?;
    flags::no_transaction(&mut pdu.esm_class, version, reading)?;
    flags::priority(&mut pdu.priority_flag, version, reading)?;
    time::schedule(&mut pdu.schedule_delivery_time, reading)?;
    time::validity(&mut pdu.validity_period, reading)?;
    flags::registered_delivery(&mut pdu.registered_delivery, version, reading)?;
    flags::replace_if_present(pdu.replace_if_present_flag)?;
    flags::data_coding(pdu.data_coding, reading)?;
    flags::default_message(pdu.sm_default_msg_id, version)?;
    flags::length(&pdu.short_message, version, reading)?;
    tlv::check(&mut pdu.tlvs, Place::Submission, version, reading)?;
    one_text(&mut pdu.short_message, pdu.tlvs.has(Tag::MESSAGE_PAYLOAD), reading)
}

/// A submit_multi of a client without its destinations (SMPP 3.4 §4.5.1): each of those passes [`destination`] on its
/// own, because each is answered on its own.
pub fn submit_multi(
    pdu: &mut SubmitMulti,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    flags::service_type(&pdu.service_type, reading)?;
    source(&mut pdu.source, reading)?;
    flags::esm_class(&mut pdu.esm_class, reading)?;
    flags::no_transaction(&mut pdu.esm_class, version, reading)?;
    flags::priority(&mut pdu.priority_flag, version, reading)?;
    time::schedule(&mut pdu.schedule_delivery_time, reading)?;
    time::validity(&mut pdu.validity_period, reading)?;
    flags::registered_delivery(&mut pdu.registered_delivery, version, reading)?;
    flags::replace_if_present(pdu.replace_if_present_flag)?;
    flags::data_coding(pdu.data_coding, reading)?;
    flags::default_message(pdu.sm_default_msg_id, version)?;
    flags::length(&pdu.short_message, version, reading)?;
    tlv::check(&mut pdu.tlvs, Place::Submission, version, reading)?;
    one_text(&mut pdu.short_message, pdu.tlvs.has(Tag::MESSAGE_PAYLOAD), reading)
}

/// A data_sm of a client (SMPP 3.4 §4.7.1). Whether it has a text is not asked.
pub fn data_sm(pdu: &mut DataSm, version: InterfaceVersion, reading: &mut Reading) -> Result<(), Breach> {
    flags::service_type(&pdu.service_type, reading)?;
    source(&mut pdu.source, reading)?;
    destination(&mut pdu.destination, reading)?;
    flags::esm_class(&mut pdu.esm_class, reading)?;
    flags::registered_delivery(&mut pdu.registered_delivery, version, reading)?;
    flags::data_coding(pdu.data_coding, reading)?;
    tlv::check(&mut pdu.tlvs, Place::Submission, version, reading)
}

/// A replace_sm of a client (SMPP 3.4 §4.10.1).
pub fn replace_sm(
    pdu: &mut ReplaceSm,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    source(&mut pdu.source, reading)?;
    time::schedule(&mut pdu.schedule_delivery_time, reading)?;
    time::validity(&mut pdu.validity_period, reading)?;
    flags::registered_delivery(&mut pdu.registered_delivery, version, reading)?;
    flags::default_message(pdu.sm_default_msg_id, version)?;
    flags::length(&pdu.short_message, version, reading)?;
    tlv::check(&mut pdu.tlvs, Place::Replacement, version, reading)?;
    one_text(&mut pdu.short_message, pdu.tlvs.has(Tag::MESSAGE_PAYLOAD), reading)
}

/// A deliver_sm of a centre (SMPP 3.4 §4.6.1): the fields that are unused there, and the TLVs.
pub fn deliver_sm(
    pdu: &mut DeliverSm,
    version: InterfaceVersion,
    reading: &mut Reading,
) -> Result<(), Breach> {
    let extras = [
        (!pdu.schedule_delivery_time.is_empty(), "schedule_delivery_time", CommandStatus::RINVSCHED),
        (!pdu.validity_period.is_empty(), "validity_period", CommandStatus::RINVEXPIRY),
        (pdu.replace_if_present_flag != 0, "replace_if_present_flag", CommandStatus::RINVREPFLAG),
        (pdu.sm_default_msg_id != 0, "sm_default_msg_id", CommandStatus::RINVDFTMSGID),
    ];
    if let Some((_, field, status)) = extras.iter().find(|(filled, ..)| *filled) {
        reading.pass(Quirk::DeliveryExtras, field, *status)?;
        pdu.schedule_delivery_time = COctets::EMPTY;
        pdu.validity_period = COctets::EMPTY;
        pdu.replace_if_present_flag = 0;
        pdu.sm_default_msg_id = 0;
    }
    tlv::check(&mut pdu.tlvs, Place::Delivery, version, reading)?;
    one_text(&mut pdu.short_message, pdu.tlvs.has(Tag::MESSAGE_PAYLOAD), reading)
}

/// message_payload wins over a short_message that came with it (SMPP 5.0 §4.8.4.36); they are never joined.
fn one_text(short: &mut Bytes, payload: bool, reading: &mut Reading) -> Result<(), Breach> {
    if payload && !short.is_empty() {
        reading.pass(Quirk::BothTexts, "message_payload", CommandStatus::RINVMSGLEN)?;
        *short = Bytes::new();
    }
    Ok(())
}
