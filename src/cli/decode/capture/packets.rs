//! Packets of a capture file, pcap or pcapng, with their times: the container, nothing of what is in it.

use std::fmt;
use std::io::Read;

use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

/// One packet as it was captured.
pub(super) struct Packet<'a> {
    /// When, in nanoseconds since 1970-01-01 00:00 UTC; `None` where the file does not say.
    pub(super) time: Option<i64>,
    /// What the octets begin with (<https://www.tcpdump.org/linktypes.html>).
    pub(super) link: i32,
    pub(super) octets: &'a [u8],
}

/// Why a capture could not be read to its end. What came before is good.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::decode) enum CaptureError {
    /// It does not begin as a capture does.
    NotACapture,
    /// It ends inside a packet: it was cut, or is still being written.
    CutOff,
    /// A block makes no sense.
    Damaged { packets: u64 },
    /// The file itself.
    Unreadable,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACapture => f.write_str("this is neither pcap nor pcapng"),
            Self::CutOff => {
                f.write_str("the capture ends inside a packet: it was cut, or is still being written")
            }
            Self::Damaged { packets } => write!(f, "the capture is damaged behind packet {packets}"),
            Self::Unreadable => f.write_str("the capture cannot be read any further"),
        }
    }
}

impl std::error::Error for CaptureError {}

/// True if a file that begins so is a capture: pcap in either order of octets, in micro- or nanoseconds, or pcapng.
pub(in crate::cli::decode) fn is_capture(begin: &[u8]) -> bool {
    const MAGICS: [[u8; 4]; 5] = [
        [0xA1, 0xB2, 0xC3, 0xD4],
        [0xD4, 0xC3, 0xB2, 0xA1],
        [0xA1, 0xB2, 0x3C, 0x4D],
        [0x4D, 0x3C, 0xB2, 0xA1],
        [0x0A, 0x0D, 0x0D, 0x0A],
    ];
    begin.first_chunk::<4>().is_some_and(|magic| MAGICS.contains(magic))
}

/// Gives every packet to `each`, in the order of the file, and tells how the file ended.
pub(super) fn read<E>(
    file: impl Read + Send,
    mut each: impl FnMut(Packet<'_>) -> Result<(), E>,
) -> Result<Result<(), CaptureError>, E> {
    let Ok(mut reader) = create_reader(BUFFER_OCTETS, file) else {
        return Ok(Err(CaptureError::NotACapture));
    };
    let mut section = Section::default();
    let mut packets = 0;
    loop {
        match reader.next() {
            Ok((length, block)) => {
                if let Some(packet) = section.packet(&block) {
                    packets += 1;
                    each(packet)?;
                }
                reader.consume(length);
            }
            Err(PcapError::Eof) => return Ok(Ok(())),
            Err(PcapError::Incomplete(_)) => {
                if reader.refill().is_err() {
                    return Ok(Err(CaptureError::Unreadable));
                }
            }
            Err(PcapError::UnexpectedEof) => return Ok(Err(CaptureError::CutOff)),
            Err(PcapError::ReadError) => return Ok(Err(CaptureError::Unreadable)),
            Err(_) => return Ok(Err(CaptureError::Damaged { packets })),
        }
    }
}

/// What a file says of the packets that follow.
#[derive(Default)]
struct Section {
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    /// Units of time in a second.
    resolution: u64,
    /// Seconds to be added to every time.
    offset: i64,
}

impl Section {
    fn packet<'a>(&mut self, block: &PcapBlockOwned<'a>) -> Option<Packet<'a>> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let resolution = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                self.interfaces = vec![Interface { link: header.network.0, resolution, offset: 0 }];
                None
            }
            PcapBlockOwned::Legacy(frame) => {
                let interface = self.interfaces.first()?;
                let units = u64::from(frame.ts_sec)
                    .checked_mul(interface.resolution)?
                    .checked_add(u64::from(frame.ts_usec))?;
                Some(Packet { time: interface.time(units), link: interface.link, octets: frame.data })
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                if self.interfaces.len() < INTERFACES_MAX {
                    self.interfaces.push(Interface {
                        link: description.linktype.0,
                        resolution: description.ts_resolution().unwrap_or(1_000_000),
                        offset: description.ts_offset(),
                    });
                }
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = self.interfaces.get(usize::try_from(packet.if_id).ok()?)?;
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let octets = packet.data.get(..packet.packet_data().len())?;
                Some(Packet { time: interface.time(units), link: interface.link, octets })
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let interface = self.interfaces.first()?;
                let octets = packet.data.get(..packet.packet_data().len())?;
                Some(Packet { time: None, link: interface.link, octets })
            }
            PcapBlockOwned::NG(_) => None,
        }
    }
}

impl Interface {
    fn time(self, units: u64) -> Option<i64> {
        if self.resolution == 0 {
            return None;
        }
        let nanoseconds = i128::from(units) * 1_000_000_000 / i128::from(self.resolution);
        i64::try_from(nanoseconds + i128::from(self.offset) * 1_000_000_000).ok()
    }
}

/// Longest block that is read, in octets: four times the longest snap length of tcpdump and Wireshark.
const BUFFER_OCTETS: usize = 1024 * 1024;
/// Interfaces of one section that are remembered.
const INTERFACES_MAX: usize = 1024;
