//! The header by which a load balancer says whose connection it passes on: PROXY protocol, version 2.
//!
//! Only connections from `trusted_proxies` are read this way, and they must begin so: a header from anybody else would let
//! him choose the address that IP lists and limits see. The layout is that of §2.2 in HAProxy's proxy-protocol.txt.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ppp::v2;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The proxy passes it on for a client.
    Client(SocketAddr),
    /// The proxy's own, to see whether we live (command LOCAL).
    Proxy,
}

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHeader {
    /// Closed before the first octet, as some proxies do to see whether the port is open.
    #[error("closed before a word")]
    Silent,
    /// It ended or broke within the header.
    #[error("the PROXY header was cut short: {0}")]
    Cut(#[from] io::Error),
    /// It took too long.
    #[error("no PROXY header within {0:?}")]
    Late(Duration),
    /// The text form.
    #[error("a PROXY header of version 1; set the proxy to version 2")]
    VersionOne,
    /// Something else stands there.
    #[error("it does not begin with a PROXY header of version 2")]
    Other,
    /// Of another version than 2, or with a command that is neither LOCAL nor PROXY.
    #[error("a PROXY header whose version and command are {0:#04x}")]
    Unknown(u8),
    /// Longer than any that is needed.
    #[error("a PROXY header of {0} octets, above the bound of {LONGEST}")]
    TooLong(usize),
    /// One that cannot be read.
    #[error("a malformed PROXY header: {0}")]
    Malformed(v2::ParseError),
    /// Without an address that a client of ours can have: not IPv4 or IPv6, or not TCP.
    #[error("a PROXY header without the address of a TCP client")]
    NoAddress,
}

/// The longest header in octets: room for two addresses and some hundred octets of TLVs, which are passed over.
const LONGEST: usize = 536;
/// Octets before the addresses.
const FIXED: usize = 16;
/// Version 2 and the command LOCAL, in the octet after the signature.
const LOCAL: u8 = 0x20;
/// Version 2 and the command PROXY.
const PROXY: u8 = 0x21;

/// Reads the header, and not an octet more.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    within: Duration,
) -> Result<Origin, NoHeader> {
    timeout(within, header(stream)).await.unwrap_or(Err(NoHeader::Late(within)))
}

async fn header(stream: &mut (impl AsyncRead + Unpin)) -> Result<Origin, NoHeader> {
    let mut octets = [0; LONGEST];
    let mut have = 0;
    while have < FIXED {
        match stream.read(&mut octets[have..FIXED]).await? {
            0 if have == 0 => return Err(NoHeader::Silent),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            more => have += more,
        }
        // Who sends something else is not waited for.
        let signed = have.min(v2::PROTOCOL_PREFIX.len());
        if octets[..signed] != v2::PROTOCOL_PREFIX[..signed] {
            let text = b"PROXY ";
            let is_text = octets[..have.min(text.len())] == text[..have.min(text.len())];
            return Err(if is_text { NoHeader::VersionOne } else { NoHeader::Other });
        }
    }
    let command = octets[v2::PROTOCOL_PREFIX.len()];
    if command != LOCAL && command != PROXY {
        return Err(NoHeader::Unknown(command));
    }
    let length = FIXED + usize::from(u16::from_be_bytes([octets[14], octets[15]]));
    let rest = octets.get_mut(FIXED..length).ok_or(NoHeader::TooLong(length))?;
    stream.read_exact(rest).await?;
    // Whatever else the header of such a connection says is to be ignored.
    if command == LOCAL {
        return Ok(Origin::Proxy);
    }
    let header = v2::Header::try_from(&octets[..length]).map_err(NoHeader::Malformed)?;
    let (address, port): (IpAddr, u16) = match (header.protocol, header.addresses) {
        (v2::Protocol::Stream, v2::Addresses::IPv4(ends)) => (ends.source_address.into(), ends.source_port),
        (v2::Protocol::Stream, v2::Addresses::IPv6(ends)) => (ends.source_address.into(), ends.source_port),
        _ => return Err(NoHeader::NoAddress),
    };
    Ok(Origin::Client(SocketAddr::new(address.to_canonical(), port)))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, RngExt, SeedableRng};

    use super::*;

    /// Octets that begin as a header does, with a length that may be anything; what follows stays unread.
    #[tokio::test]
    async fn whatever_comes_is_read_to_its_end_and_no_further() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut clients = 0;
        for _ in 0..20_000 {
            let mut octets = [v2::PROTOCOL_PREFIX, &[0; 600]].concat();
            rng.fill_bytes(&mut octets[12..]);
            octets[12] = rng.random_range(0x1F..0x23);
            octets[13] = rng.random_range(0..0x40);
            octets[14] = rng.random_range(0..4);
            octets.truncate(rng.random_range(0..=octets.len()));
            let mut stream = &octets[..];
            if let Ok(origin) = read(&mut stream, Duration::from_secs(1)).await {
                let length = FIXED + usize::from(u16::from_be_bytes([octets[14], octets[15]]));
                assert!(length <= LONGEST && octets.len() - stream.len() == length);
                clients += i32::from(matches!(origin, Origin::Client(_)));
            }
        }
        assert!(clients > 20, "{clients}");
    }
}
