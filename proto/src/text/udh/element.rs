//! Information elements: what is known of them, read and written (3GPP TS 23.040 §9.2.3.24).

use bytes::BufMut;

/// One information element (3GPP TS 23.040 §9.2.3.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier (3GPP TS 23.040 §9.2.3.24).
    pub id: u8,
    /// The data, at most 253 octets in a header that is whole.
    pub data: &'a [u8],
}

impl<'a> Element<'a> {
    /// The concatenation this element states, unless its values are to be ignored.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        match (self.id, self.data) {
            (CONCATENATION_8, &[reference, total, part]) => {
                Concatenation::new(Width::Eight, u16::from(reference), total, part)
            }
            (CONCATENATION_16, &[high, low, total, part]) => {
                Concatenation::new(Width::Sixteen, u16::from_be_bytes([high, low]), total, part)
            }
            _ => None,
        }
    }

    /// Whether it is a concatenation by its identifier, valid or not.
    #[must_use]
    pub fn is_concatenation(&self) -> bool {
        matches!(self.id, CONCATENATION_8 | CONCATENATION_16)
    }

    /// The ports this element states.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        match (self.id, self.data) {
            (PORTS_8, &[destination, source]) => Some(Ports {
                destination: u16::from(destination),
                source: u16::from(source),
                width: Width::Eight,
            }),
            (PORTS_16, &[high, low, source_high, source_low]) => Some(Ports {
                destination: u16::from_be_bytes([high, low]),
                source: u16::from_be_bytes([source_high, source_low]),
                width: Width::Sixteen,
            }),
            _ => None,
        }
    }
}

/// Whether a reference or a port is written with 8 or 16 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// Elements 0x00 and 0x04.
    #[default]
    Eight,
    /// Elements 0x08 and 0x05, and the sar_* TLVs.
    Sixteen,
}

/// Which part of which message: 1 ≤ `part` ≤ `total` (3GPP TS 23.040 §9.2.3.24.1, SMPP 3.4 §5.3.2.22 to .24).
///
/// Parts belong together when everything but `part` is equal, and source and destination are too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// The number that all parts of the message share; below 256 when `width` is [`Width::Eight`].
    pub reference: u16,
    /// How the reference is written.
    pub width: Width,
    /// How many parts the message has.
    pub total: u8,
    /// Which of them this is, from 1.
    pub part: u8,
}

impl Concatenation {
    /// `None` for part 0, part beyond the total or total 0: such a message is read as unsplit.
    #[must_use]
    pub fn new(width: Width, reference: u16, total: u8, part: u8) -> Option<Concatenation> {
        let fits = width == Width::Sixteen || reference <= 0xFF;
        (fits && 1 <= part && part <= total).then_some(Concatenation { reference, width, total, part })
    }

    /// Reads sar_msg_ref_num, sar_total_segments and sar_segment_seqnum. They belong together; an incomplete or
    /// impossible group is ignored.
    #[must_use]
    pub fn from_sar(reference: Option<u16>, total: Option<u8>, part: Option<u8>) -> Option<Concatenation> {
        Concatenation::new(Width::Sixteen, reference?, total?, part?)
    }

    /// Writes the element, identifier and length included: 5 octets or 6.
    pub fn write(&self, out: &mut impl BufMut) {
        let [high, low] = self.reference.to_be_bytes();
        match self.width {
            Width::Eight => out.put_slice(&[CONCATENATION_8, 3, low, self.total, self.part]),
            Width::Sixteen => out.put_slice(&[CONCATENATION_16, 4, high, low, self.total, self.part]),
        }
    }
}

impl Width {
    /// The size of a concatenation element with such a reference, in octets.
    #[must_use]
    pub const fn concatenation_size(self) -> usize {
        match self {
            Width::Eight => 5,
            Width::Sixteen => 6,
        }
    }
}

/// Application ports (3GPP TS 23.040 §9.2.3.24.3 and .4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The port the message is for.
    pub destination: u16,
    /// The port it comes from.
    pub source: u16,
    /// How both are written.
    pub width: Width,
}

impl Ports {
    /// Writes the element, identifier and length included: 4 octets or 6. Ports above 255 are written with 16 bits.
    pub fn write(&self, out: &mut impl BufMut) {
        let [destination_high, destination_low] = self.destination.to_be_bytes();
        let [source_high, source_low] = self.source.to_be_bytes();
        if self.width == Width::Eight && destination_high == 0 && source_high == 0 {
            out.put_slice(&[PORTS_8, 2, destination_low, source_low]);
        } else {
            out.put_slice(&[PORTS_16, 4, destination_high, destination_low, source_high, source_low]);
        }
    }
}
const CONCATENATION_8: u8 = 0x00;
const PORTS_8: u8 = 0x04;
const PORTS_16: u8 = 0x05;
const CONCATENATION_16: u8 = 0x08;
