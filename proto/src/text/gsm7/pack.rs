//! Septets packed into octets as on the air interface (3GPP TS 23.038 §6.1.2).

/// How many fill bits stand between a header of `header` octets (UDHL included) and the first septet
/// (3GPP TS 23.040 §9.2.3.24). Always 0 to 6.
#[must_use]
pub const fn fill_bits(header: usize) -> u8 {
    let over = (header * 8) % 7;
    if over == 0 { 0 } else { (7 - over) as u8 }
}

/// Packs `septets` (one per octet; bit 7 is dropped) behind `fill` zero bits; unused bits at the end are zero.
///
/// `fill` is taken modulo 8. The reader needs the number of septets, because 7 unused bits look like an `@`.
#[must_use]
pub fn pack(septets: &[u8], fill: u8) -> Vec<u8> {
    let mut octets = Vec::with_capacity((septets.len() * 7 + 14) / 8);
    let mut held: u16 = 0;
    let mut bits = u32::from(fill & 7);
    for septet in septets {
        held |= u16::from(septet & 0x7F) << bits;
        bits += 7;
        if bits >= 8 {
            octets.push((held & 0xFF) as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 && !septets.is_empty() {
        octets.push((held & 0xFF) as u8);
    }
    octets
}

/// Unpacks `count` septets that begin after `fill` bits, or as many as the octets hold if there are fewer.
///
/// `fill` is taken modulo 8.
#[must_use]
pub fn unpack(octets: &[u8], fill: u8, count: usize) -> Vec<u8> {
    let fill = usize::from(fill & 7);
    let held = (octets.len() * 8).saturating_sub(fill) / 7;
    (0..count.min(held))
        .map(|place| {
            let bit = fill + place * 7;
            let at = |octet: usize| u16::from(octets.get(octet).copied().unwrap_or(0));
            let pair = at(bit / 8) | at(bit / 8 + 1) << 8;
            ((pair >> (bit % 8)) & 0x7F) as u8
        })
        .collect()
}

/// Packs `septets` as USSD does: 7 unused bits hold a CR, and a text that ends with CR on an octet boundary gets a
/// second one (3GPP TS 23.038 §6.1.2.3.1). The reader needs no count.
#[must_use]
pub fn pack_ussd(septets: &[u8]) -> Vec<u8> {
    let ends_on_boundary = septets.len().is_multiple_of(8);
    let pad = septets.len() % 8 == 7 || (ends_on_boundary && septets.last() == Some(&CR));
    if !pad {
        return pack(septets, 0);
    }
    let mut padded = Vec::with_capacity(septets.len() + 1);
    padded.extend_from_slice(septets);
    padded.push(CR);
    pack(&padded, 0)
}

/// Unpacks what [`pack_ussd`] writes: a CR that ends on an octet boundary is padding.
#[must_use]
pub fn unpack_ussd(octets: &[u8]) -> Vec<u8> {
    let mut septets = unpack(octets, 0, usize::MAX);
    let padded = matches!((septets.len() % 8, septets.as_slice()), (0, [.., CR]) | (1, [.., CR, CR]));
    if padded {
        septets.pop();
    }
    septets
}

const CR: u8 = 0x0D;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_packed_as_the_books_print_it() {
        assert_eq!(pack(b"hello", 0), [0xE8, 0x32, 0x9B, 0xFD, 0x06]);
        assert_eq!(unpack(&[0xE8, 0x32, 0x9B, 0xFD, 0x06], 0, 5), b"hello");
        assert_eq!(pack(b"", 0), b"");
    }

    #[test]
    fn a_header_leaves_the_text_on_a_septet_boundary() {
        // 6 octets of header are 48 bits; 7 septets are 49.
        assert_eq!([0, 3, 4, 5, 6, 7].map(fill_bits), [0, 4, 3, 2, 1, 0]);
        assert_eq!(pack(b"a", 1), [0xC2]);
        assert_eq!(unpack(&[0xC2], 1, 1), b"a");
        assert_eq!(pack(b"a", 6), [0x40, 0x18]);
        assert_eq!(unpack(&[0x40, 0x18], 6, 1), b"a");
    }

    #[test]
    fn seven_spare_bits_are_filled_with_a_carriage_return_for_ussd() {
        let packed = pack_ussd(b"1234567");
        assert_eq!(packed, [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A]);
        assert_eq!(unpack_ussd(&packed), b"1234567");
        for text in [&b"1234567\r"[..], b"12345678", b"123456\r", b"\r", b"123"] {
            assert_eq!(unpack_ussd(&pack_ussd(text)), text);
        }
    }
}
