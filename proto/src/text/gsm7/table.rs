//! One GSM table, readable in both directions, and the two of the default alphabet (3GPP TS 23.038 §6.2.1).

/// One table of 128 codes, readable in both directions (3GPP TS 23.038 §6.2.1).
#[derive(Debug)]
pub struct Table {
    /// Code to UTF-16 unit, or [`NONE`].
    forward: [u16; 128],
    /// ASCII character to code, or [`NO_CODE`].
    ascii: [u8; 128],
    /// The other characters with their codes, ascending; the first `others` are used.
    backward: [(u16, u8); 128],
    others: usize,
}

/// No character at this code. All characters of the tables lie below U+FFFF.
pub(super) const NONE: u16 = 0xFFFF;
const NO_CODE: u8 = 0xFF;

impl Table {
    /// The character of `code`; octets above 0x7F have none.
    #[must_use]
    pub fn character(&self, code: u8) -> Option<char> {
        match self.forward.get(usize::from(code)) {
            Some(&unit) if unit != NONE => char::from_u32(u32::from(unit)),
            _ => None,
        }
    }

    /// The lowest code of `character`.
    #[must_use]
    pub fn code(&self, character: char) -> Option<u8> {
        let unit = u16::try_from(u32::from(character)).ok()?;
        if let Some(&code) = self.ascii.get(usize::from(unit)) {
            return (code != NO_CODE).then_some(code);
        }
        let others = self.backward.get(..self.others)?;
        let found = others.binary_search_by_key(&unit, |&(unit, _)| unit).ok()?;
        others.get(found).map(|&(_, code)| code)
    }

    /// The table that `change` makes of `base`: 0 leaves a code as it was, [`NONE`] takes it away.
    pub(super) const fn over(base: &[u16; 128], change: &[u16; 128]) -> Table {
        let mut forward = *base;
        let mut code = 0;
        while code < 128 {
            if change[code] != 0 {
                forward[code] = change[code];
            }
            code += 1;
        }
        Table::new(forward)
    }

    const fn new(forward: [u16; 128]) -> Table {
        let mut table = Table { forward, ascii: [NO_CODE; 128], backward: [(NONE, NO_CODE); 128], others: 0 };
        let mut code = 0;
        while code < 128 {
            let unit = forward[code];
            if unit < 128 {
                if table.ascii[unit as usize] == NO_CODE {
                    table.ascii[unit as usize] = code as u8;
                }
            } else if unit != NONE {
                table = table.with(unit, code as u8);
            }
            code += 1;
        }
        table
    }

    /// Insertion sort; the lowest code of a character stays.
    const fn with(mut self, unit: u16, code: u8) -> Table {
        let mut place = self.others;
        while place > 0 && self.backward[place - 1].0 >= unit {
            if self.backward[place - 1].0 == unit {
                return self;
            }
            place -= 1;
        }
        let mut moved = self.others;
        while moved > place {
            self.backward[moved] = self.backward[moved - 1];
            moved -= 1;
        }
        self.backward[place] = (unit, code);
        self.others += 1;
        self
    }
}

pub(super) static DEFAULT: Table = Table::new(BASIC);
pub(super) static DEFAULT_EXTENSION: Table = Table::new(EXTENSION);

/// The default alphabet (3GPP TS 23.038 §6.2.1). 0x1B is the escape and has no character.
pub(super) const BASIC: [u16; 128] = [
    0x0040, 0x00A3, 0x0024, 0x00A5, 0x00E8, 0x00E9, 0x00F9, 0x00EC, 0x00F2, 0x00C7, 0x000A, 0x00D8, 0x00F8,
    0x000D, 0x00C5, 0x00E5, 0x0394, 0x005F, 0x03A6, 0x0393, 0x039B, 0x03A9, 0x03A0, 0x03A8, 0x03A3, 0x0398,
    0x039E, NONE, 0x00C6, 0x00E6, 0x00DF, 0x00C9, 0x0020, 0x0021, 0x0022, 0x0023, 0x00A4, 0x0025, 0x0026,
    0x0027, 0x0028, 0x0029, 0x002A, 0x002B, 0x002C, 0x002D, 0x002E, 0x002F, 0x0030, 0x0031, 0x0032, 0x0033,
    0x0034, 0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003A, 0x003B, 0x003C, 0x003D, 0x003E, 0x003F, 0x00A1,
    0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0048, 0x0049, 0x004A, 0x004B, 0x004C, 0x004D,
    0x004E, 0x004F, 0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057, 0x0058, 0x0059, 0x005A,
    0x00C4, 0x00D6, 0x00D1, 0x00DC, 0x00A7, 0x00BF, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067,
    0x0068, 0x0069, 0x006A, 0x006B, 0x006C, 0x006D, 0x006E, 0x006F, 0x0070, 0x0071, 0x0072, 0x0073, 0x0074,
    0x0075, 0x0076, 0x0077, 0x0078, 0x0079, 0x007A, 0x00E4, 0x00F6, 0x00F1, 0x00FC, 0x00E0,
];

/// The default extension (3GPP TS 23.038 §6.2.1.1).
pub(super) const EXTENSION: [u16; 128] = {
    let mut table = [NONE; 128];
    table[0x0A] = 0x000C; // form feed
    table[0x14] = 0x005E; // ^
    table[0x28] = 0x007B; // {
    table[0x29] = 0x007D; // }
    table[0x2F] = 0x005C; // \
    table[0x3C] = 0x005B; // [
    table[0x3D] = 0x007E; // ~
    table[0x3E] = 0x005D; // ]
    table[0x40] = 0x007C; // |
    table[0x65] = 0x20AC; // €
    table
};
