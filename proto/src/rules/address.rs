//! Senders and destinations: TON, NPI and what their digits are (SMPP 3.4 §5.2.5–§5.2.9).

use bytes::Bytes;

use super::Breach;
use crate::field::{Address, COctets, CommandStatus, Npi, Ton};
use crate::pdu::{Quirk, Reading};

/// A destination: digits, with a TON and an NPI of the tables; with NPI internet whatever names a host.
///
/// Where that is forgiven, `+`, `00`, blanks and hyphens are taken away, and a TON or NPI that means nothing becomes
/// unknown. How many digits a number has is not asked.
pub fn destination(address: &mut Address, reading: &mut Reading) -> Result<(), Breach> {
    if address.ton.0 > LAST_TON || address.ton == Ton::ALPHANUMERIC {
        reading.pass(Quirk::TonNpi, "dest_addr_ton", CommandStatus::RINVDSTTON)?;
        address.ton = Ton::UNKNOWN;
    }
    if !is_known(address.npi) {
        reading.pass(Quirk::TonNpi, "dest_addr_npi", CommandStatus::RINVDSTNPI)?;
        address.npi = Npi::UNKNOWN;
    }
    let given = address.digits.as_bytes();
    if is_number(given) && !given.starts_with(b"00") {
        return Ok(());
    }
    if address.npi == Npi::INTERNET && !given.is_empty() {
        return Ok(());
    }
    respell(address, reading)
}

#[cold]
fn respell(address: &mut Address, reading: &mut Reading) -> Result<(), Breach> {
    let given = address.digits.as_bytes().iter().copied();
    let bare: Vec<u8> = given.filter(|octet| !matches!(octet, b' ' | b'-')).collect();
    let digits = bare.strip_prefix(b"+").or_else(|| bare.strip_prefix(b"00")).unwrap_or(&bare);
    // `000034…` is no other spelling of a number.
    if !is_number(digits) || digits.starts_with(b"00") {
        return Err(Breach::of("destination_addr", CommandStatus::RINVDSTADR));
    }
    reading.pass(Quirk::DestinationSpelling, "destination_addr", CommandStatus::RINVDSTADR)?;
    address.digits = COctets::from(Bytes::copy_from_slice(digits));
    Ok(())
}

/// A sender: its TON and NPI are of the tables, and letters are alphanumeric. None at all is left to the account.
pub(super) fn source(address: &mut Address, reading: &mut Reading) -> Result<(), Breach> {
    if address.ton.0 > LAST_TON {
        reading.pass(Quirk::TonNpi, "source_addr_ton", CommandStatus::RINVSRCTON)?;
        address.ton = Ton::UNKNOWN;
    }
    if !is_known(address.npi) {
        reading.pass(Quirk::TonNpi, "source_addr_npi", CommandStatus::RINVSRCNPI)?;
        address.npi = Npi::UNKNOWN;
    }
    if address.ton == Ton::ALPHANUMERIC {
        if address.npi != Npi::UNKNOWN {
            reading.pass(Quirk::AlphanumericNpi, "source_addr_npi", CommandStatus::RINVSRCNPI)?;
            address.npi = Npi::UNKNOWN;
        }
    } else if address.npi != Npi::INTERNET && address.digits.as_bytes().iter().any(|octet| is_letter(*octet))
    {
        reading.pass(Quirk::LettersWithoutTon, "source_addr", CommandStatus::RINVSRCADR)?;
        (address.ton, address.npi) = (Ton::ALPHANUMERIC, Npi::UNKNOWN);
    }
    Ok(())
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn is_letter(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || octet >= 0x80
}

fn is_known(npi: Npi) -> bool {
    npi.0 <= 18 && NPIS & 1 << npi.0 != 0
}

/// The last TON of the table: abbreviated.
const LAST_TON: u8 = 6;

/// The NPIs of the table: 0, 1, 3, 4, 6, 8, 9, 10, 14, 18; a bit each.
const NPIS: u32 = 0x0004_475B;
