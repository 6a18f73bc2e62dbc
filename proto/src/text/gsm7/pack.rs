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

/// Packs `septets` so that the reader needs no count: 7 unused bits at the end hold a CR instead of what would read as an
/// `@`, and a text that ends with CR on an octet boundary gets a second one (3GPP TS 23.038 §6.1.2.3.1).
///
/// For USSD, and for SMPP peers that take packed octets, because sm_length counts octets. `fill` is taken modulo 8.
#[must_use]
pub fn pack_padded(septets: &[u8], fill: u8) -> Vec<u8> {
    let spare = spare_bits(septets.len(), fill);
    if spare != 7 && (spare != 0 || septets.last() != Some(&CR)) {
        return pack(septets, fill);
    }
    let mut padded = Vec::with_capacity(septets.len() + 1);
    padded.extend_from_slice(septets);
    padded.push(CR);
    pack(&padded, fill)
}

/// Unpacks what [`pack_padded`] writes: a CR that ends on an octet boundary is padding. Only a text that ends in two CRs
/// of its own can lose one, which shows as the same (3GPP TS 23.038 §6.1.2.3.1).
///
/// `fill` is taken modulo 8.
#[must_use]
pub fn unpack_padded(octets: &[u8], fill: u8) -> Vec<u8> {
    let mut septets = unpack(octets, fill, usize::MAX);
    let padded =
        matches!((spare_bits(septets.len(), fill), septets.as_slice()), (0, [.., CR]) | (1, [.., CR, CR]));
    if padded {
        septets.pop();
    }
    septets
}

/// Bits of the last octet that `count` septets behind `fill` bits leave unused.
fn spare_bits(count: usize, fill: u8) -> usize {
    let bits = usize::from(fill & 7) + count * 7;
    bits.next_multiple_of(8) - bits
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
    fn seven_spare_bits_are_filled_with_a_carriage_return() {
        let packed = pack_padded(b"1234567", 0);
        assert_eq!(packed, [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A]);
        assert_eq!(unpack_padded(&packed, 0), b"1234567");
        for text in [&b"1234567\r"[..], b"12345678", b"123456\r", b"\r", b"123"] {
            assert_eq!(unpack_padded(&pack_padded(text, 0), 0), text);
        }
    }

    #[test]
    fn the_padding_heeds_the_fill_bits_behind_a_header() {
        // 6 octets of header leave 1 fill bit: 1 + 7 × 8 = 57 bits leave 7 spare in the eighth octet.
        let packed = pack_padded(b"12345678", 1);
        assert_eq!((packed.len(), packed[7]), (8, CR << 1));
        assert_eq!(unpack_padded(&packed, 1), b"12345678");
        // 1 + 7 × 9 = 64 bits: nothing is spare, and nothing is added.
        assert_eq!(pack_padded(b"123456789", 1).len(), 8);
        assert_eq!(unpack_padded(&pack_padded(b"123456789", 1), 1), b"123456789");
        // 153 septets behind 6 octets of header fill 134 octets: 1 + 1071 = 1072 bits.
        assert_eq!(pack_padded(&[b'a'; 153], 1).len(), 134);
    }
}
