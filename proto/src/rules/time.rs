//! Times that a client names (SMPP 3.4 §7.1.1).

use bytes::Bytes;

use super::Breach;
use crate::field::{COctets, CommandStatus, SmppTime, TimeError};
use crate::pdu::{Quirk, Reading};

pub(super) fn schedule(field: &mut COctets, reading: &mut Reading) -> Result<(), Breach> {
    time(field, "schedule_delivery_time", CommandStatus::RINVSCHED, reading)
}

pub(super) fn validity(field: &mut COctets, reading: &mut Reading) -> Result<(), Breach> {
    time(field, "validity_period", CommandStatus::RINVEXPIRY, reading)
}

fn time(
    field: &mut COctets,
    name: &'static str,
    status: CommandStatus,
    reading: &mut Reading,
) -> Result<(), Breach> {
    if field.is_empty() {
        return Ok(());
    }
    let octets = field.as_bytes();
    let (time, quirk) = match SmppTime::parse(octets) {
        Ok(time @ SmppTime::Relative { .. }) if !octets.ends_with(b"000R") => (time, Quirk::RelativeTenths),
        Ok(_) => return Ok(()),
        Err(TimeError::Length(_)) => match SmppTime::parse_reported(octets) {
            Ok(time) => (time, Quirk::ShortTime),
            Err(_) => return Err(Breach::of(name, status)),
        },
        Err(_) => return Err(Breach::of(name, status)),
    };
    reading.pass(quirk, name, status)?;
    let written = time.to_octets().map_err(|_| Breach::of(name, status))?;
    *field = COctets::from(Bytes::copy_from_slice(&written));
    Ok(())
}
