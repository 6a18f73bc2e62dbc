//! From the octets of a packet to its TCP segment: link layers, VLAN tags, IPv4 and IPv6.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// One TCP segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    /// A connection begins here.
    pub(super) syn: bool,
    pub(super) payload: &'a [u8],
}

/// What a packet holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Tcp(Segment<'a>),
    /// Something else, or TCP of which too little was captured.
    Other,
    /// A link layer that is not known here.
    UnknownLink,
}

/// Looks for TCP in a packet that begins with this link layer.
pub(super) fn content(link: i32, octets: &[u8]) -> Content<'_> {
    let sliced = match link {
        ETHERNET => LaxSlicedPacket::from_ethernet(octets).ok(),
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => LaxSlicedPacket::from_ip(octets).ok(),
        // The family in four octets, in the order of the machine that captured. The IP header says it again.
        NULL | LOOP => octets.get(4..).and_then(|packet| LaxSlicedPacket::from_ip(packet).ok()),
        LINUX_COOKED => by_ether_type(octets, 14, 16),
        LINUX_COOKED_2 => by_ether_type(octets, 0, 20),
        _ => return Content::UnknownLink,
    };
    sliced.and_then(|packet| segment(&packet)).map_or(Content::Other, Content::Tcp)
}

/// A header of `length` octets with the type of the payload at `at`.
fn by_ether_type(octets: &[u8], at: usize, length: usize) -> Option<LaxSlicedPacket<'_>> {
    let kind = octets.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(kind), octets.get(length..)?))
}

fn segment<'a>(packet: &LaxSlicedPacket<'a>) -> Option<Segment<'a>> {
    let (source, destination): (IpAddr, IpAddr) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else { return None };
    Some(Segment {
        from: SocketAddr::new(source, tcp.source_port()),
        to: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        syn: tcp.syn(),
        payload: tcp.payload(),
    })
}

// Link types of https://www.tcpdump.org/linktypes.html; the two further raw ones are what BSD systems write.
const NULL: i32 = 0;
const ETHERNET: i32 = 1;
const RAW_BSD: i32 = 12;
const RAW_OPENBSD: i32 = 14;
const RAW: i32 = 101;
const LOOP: i32 = 108;
const LINUX_COOKED: i32 = 113;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_COOKED_2: i32 = 276;

#[cfg(test)]
mod tests {
    use super::*;

    /// 10.0.0.1:40000 to 10.0.0.2:2775, sequence number 7, payload "hi"; checksums are not looked at.
    const IP: &[u8] = b"\x45\0\0\x2A\0\0\0\0\x40\x06\0\0\x0A\0\0\x01\x0A\0\0\x02\
        \x9C\x40\x0A\xD7\0\0\0\x07\0\0\0\0\x50\x18\0\0\0\0\0\0hi";

    fn payload_behind(link: i32, header: &[u8]) -> Option<Vec<u8>> {
        // Ethernet pads short frames; what is behind the IP packet does not count.
        let packet = [header, IP, &[0; 4]].concat();
        match content(link, &packet) {
            Content::Tcp(segment) => {
                assert_eq!(segment.from.to_string(), "10.0.0.1:40000");
                assert_eq!(segment.to.to_string(), "10.0.0.2:2775");
                assert_eq!((segment.sequence, segment.syn), (7, false));
                Some(segment.payload.to_vec())
            }
            _ => None,
        }
    }

    #[test]
    fn every_link_layer_leads_to_the_segment() {
        let hi = Some(b"hi".to_vec());
        assert_eq!(payload_behind(ETHERNET, b"aaaaaabbbbbb\x08\x00"), hi);
        assert_eq!(payload_behind(ETHERNET, b"aaaaaabbbbbb\x81\x00\0\x07\x08\x00"), hi);
        assert_eq!(payload_behind(RAW, b""), hi);
        assert_eq!(payload_behind(IPV4, b""), hi);
        assert_eq!(payload_behind(NULL, b"\x02\0\0\0"), hi);
        assert_eq!(payload_behind(LOOP, b"\0\0\0\x02"), hi);
        assert_eq!(payload_behind(LINUX_COOKED, b"\0\0\0\x01\0\x06aaaaaa\0\0\x08\x00"), hi);
        assert_eq!(payload_behind(LINUX_COOKED_2, b"\x08\x00\0\0\0\0\0\x01\0\x01\0\x06aaaaaa\0\0"), hi);
    }

    #[test]
    fn what_is_no_tcp_is_said_to_be_something_else() {
        assert_eq!(content(147, IP), Content::UnknownLink);
        assert_eq!(content(ETHERNET, b"short"), Content::Other);
        assert_eq!(content(RAW, &[]), Content::Other);
    }
}
