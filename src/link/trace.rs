//! The PDU trace: every PDU in and out at tracing level TRACE, as hex and fields, with passwords masked.
//!
//! Switched on per target, `tollgate::link::trace=trace`; while it is off it costs one comparison a PDU.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use smpp_proto::{CommandId, Frame, Header, Pdu};
use tracing::Level;

/// Whether anyone listens to the trace.
#[must_use]
pub fn is_on() -> bool {
    tracing::enabled!(Level::TRACE)
}

/// Shows one PDU that came.
pub(super) fn inbound(peer: SocketAddr, frame: &Frame) {
    if is_on() {
        let mut octets = BytesMut::with_capacity(Header::LENGTH + frame.body.len());
        frame.header.write(&mut octets);
        octets.extend_from_slice(&frame.body);
        show(peer, "in", &octets);
    }
}

/// Shows the whole PDUs in `octets`, which are on their way out.
pub(super) fn outbound(peer: SocketAddr, mut octets: &[u8]) {
    while let Some(head) = octets.first_chunk::<4>() {
        let length = (u32::from_be_bytes(*head) as usize).clamp(4, octets.len());
        let (pdu, rest) = octets.split_at(length);
        show(peer, "out", pdu);
        octets = rest;
    }
}

fn show(peer: SocketAddr, way: &'static str, pdu: &[u8]) {
    tracing::trace!(%peer, way, hex = %Masked(pdu), "{}", Fields(pdu));
}

/// A PDU in hex with the password of a bind or outbind replaced by `**` an octet. Safe to log, whatever the octets.
#[derive(Debug, Clone, Copy)]
pub struct Masked<'a>(pub &'a [u8]);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = password(self.0);
        for (at, octet) in self.0.iter().enumerate().take(HEX_OCTETS_MAX) {
            if secret.contains(&at) {
                f.write_str("**")?;
            } else {
                write!(f, "{octet:02x}")?;
            }
        }
        if self.0.len() > HEX_OCTETS_MAX {
            write!(f, "… ({} octets)", self.0.len())?;
        }
        Ok(())
    }
}

/// Where the password stands: from the NUL of system_id to its own NUL, or to the end of a body that is cut short.
fn password(pdu: &[u8]) -> Range<usize> {
    let Some(header) = Header::read(pdu) else { return 0..0 };
    if !matches!(
        header.command,
        CommandId::BIND_RECEIVER
            | CommandId::BIND_TRANSMITTER
            | CommandId::BIND_TRANSCEIVER
            | CommandId::OUTBIND
    ) {
        return 0..0;
    }
    let nul_from = |from: usize| {
        pdu.iter().skip(from).position(|octet| *octet == 0).map_or(pdu.len(), |length| from + length)
    };
    let start = nul_from(Header::LENGTH) + 1;
    start..nul_from(start).max(start)
}

/// The header, and the body as far as it can be read. Types of the protocol crate mask the password themselves.
struct Fields<'a>(&'a [u8]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(header) = Header::read(self.0) else {
            return f.write_str("a fragment");
        };
        write!(f, "{} status {} sequence {}", header.command, header.status, header.sequence)?;
        let body = Bytes::copy_from_slice(self.0.get(Header::LENGTH..).unwrap_or_default());
        match Pdu::decode(Frame { header, body }) {
            Ok(pdu) => write!(f, " {:?}", pdu.body),
            Err(error) => write!(f, " {}", error.problem),
        }
    }
}

/// Octets of one PDU that the trace shows.
const HEX_OCTETS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_bind_is_masked_in_hex_and_fields() {
        // bind_transmitter "esme01" "s3cr3t" (V-001)
        let pdu = b"\0\0\0\x23\0\0\0\x02\0\0\0\0\0\0\0\x01esme01\0s3cr3t\0\0\x34\0\0\0";
        let hex = Masked(pdu).to_string();
        assert!(hex.contains("65736d65303100************00"), "{hex}");
        let fields = Fields(pdu).to_string();
        assert!(fields.contains("bind_transmitter") && fields.contains("esme01"), "{fields}");
        assert!(!fields.contains("s3cr3t"), "{fields}");
    }

    #[test]
    fn a_bind_that_is_cut_short_shows_nothing_of_its_password() {
        let pdu = b"\0\0\0\x1A\0\0\0\x02\0\0\0\0\0\0\0\x01esme01\0s3c";
        assert!(Masked(pdu).to_string().ends_with("00******"));
        assert!(Masked(b"\0\0\0\x10\0\0\0\x02\0\0\0\0\0\0\0\x01").to_string().ends_with("01"));
        assert_eq!(Masked(b"\0\0").to_string(), "0000");
    }
}
