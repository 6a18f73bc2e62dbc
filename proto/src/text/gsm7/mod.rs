//! The GSM 7-bit alphabet, one septet per octet (3GPP TS 23.038 §6.2.1), with room for national tables.

pub mod national;
pub mod pack;

use std::fmt;

/// The pair of tables a text is read and written with.
///
/// [`Tables::default`] is the default alphabet and its extension; [`national::tables`] gives the others.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// What a septet means by itself (3GPP TS 23.038 §6.2.1, or a locking shift table of §A.3).
    pub locking: &'static Table,
    /// What a septet means after [`ESC`] (3GPP TS 23.038 §6.2.1.1, or a single shift table of §A.2).
    pub single: &'static Table,
}

impl Default for Tables {
    fn default() -> Self {
        Tables { locking: &DEFAULT, single: &DEFAULT_EXTENSION }
    }
}

/// The escape septet: the next one is looked up in the single shift table.
pub const ESC: u8 = 0x1B;

/// A character that the tables do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrepresentable {
    /// The first such character.
    pub character: char,
    /// Its place in the text, in octets of UTF-8.
    pub at: usize,
}

impl fmt::Display for Unrepresentable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X} at octet {} is not in the GSM alphabet", u32::from(self.character), self.at)
    }
}

impl std::error::Error for Unrepresentable {}

/// Writes `text` as septets, one per octet, bit 7 clear.
///
/// # Errors
/// Names the first character that neither table holds.
pub fn encode(text: &str, tables: Tables) -> Result<Vec<u8>, Unrepresentable> {
    let mut septets = Vec::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match tables.code(character) {
            Some(Code::Plain(code)) => septets.push(code),
            Some(Code::Escaped(code)) => septets.extend_from_slice(&[ESC, code]),
            None => return Err(Unrepresentable { character, at }),
        }
    }
    Ok(septets)
}

/// Writes `text` as septets and replaces what the tables do not hold: a near relative if there is one, else `?`.
#[must_use]
pub fn encode_lossy(text: &str, tables: Tables) -> Vec<u8> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        push_lossy(character, tables, |septet| septets.push(septet));
    }
    septets
}

/// Reads septets, one per octet. Nothing is refused; what has no character becomes U+FFFD.
///
/// After [`ESC`] an unassigned code means what it means without it; ESC twice, or at the end, is a blank
/// (3GPP TS 23.038 §6.2.1, notes 1 to 3).
#[must_use]
pub fn decode(septets: &[u8], tables: Tables) -> String {
    let mut text = String::with_capacity(septets.len() + septets.len() / 8);
    text.extend(characters(septets, tables));
    text
}

/// The characters of `septets`, by the rules of [`decode`].
pub fn characters(septets: &[u8], tables: Tables) -> impl Iterator<Item = char> + '_ {
    let mut rest = septets.iter().copied();
    std::iter::from_fn(move || {
        let septet = rest.next()?;
        if septet != ESC {
            return Some(tables.locking.character(septet).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Some(match rest.next() {
            None | Some(ESC) => ' ',
            Some(code) => (tables.single.character(code))
                .or_else(|| tables.locking.character(code))
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        })
    })
}

/// How many septets `text` takes, or `None` if the tables cannot hold it. Does not allocate.
#[must_use]
pub fn septets(text: &str, tables: Tables) -> Option<usize> {
    text.chars().try_fold(0, |sum, character| {
        Some(match tables.code(character)? {
            Code::Plain(_) => sum + 1,
            Code::Escaped(_) => sum + 2,
        })
    })
}

/// Gives `each` the septets of the nearest thing to `character` that the tables hold.
fn push_lossy(character: char, tables: Tables, mut each: impl FnMut(u8)) {
    let mut push = |code| match code {
        Code::Plain(code) => each(code),
        Code::Escaped(code) => {
            each(ESC);
            each(code);
        }
    };
    if let Some(code) = tables.code(character) {
        return push(code);
    }
    for near in relatives(character).chars() {
        push(tables.code(near).unwrap_or(Code::Plain(QUESTION_MARK)));
    }
}

/// How a character is written.
#[derive(Clone, Copy)]
enum Code {
    /// One septet.
    Plain(u8),
    /// [`ESC`] and this septet.
    Escaped(u8),
}

impl Tables {
    fn code(&self, character: char) -> Option<Code> {
        let escaped = || self.single.code(character).map(Code::Escaped);
        self.locking.code(character).map(Code::Plain).or_else(escaped)
    }
}

/// One table of 128 codes, readable in both directions.
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
const QUESTION_MARK: u8 = 0x3F;

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

static DEFAULT: Table = Table::new(BASIC);
static DEFAULT_EXTENSION: Table = Table::new(EXTENSION);

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

/// What stands in for a character when loss is allowed. `?` if there is nothing near.
fn relatives(character: char) -> &'static str {
    match character {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\t' => " ",
        '`' | '´' | '‘' | '’' | '‚' | '‹' | '›' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '−' => "-",
        '…' => "...",
        '•' | '·' => "*",
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' => "Ç",
        'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'Ī' | 'İ' => "I",
        'ó' | 'ô' | 'õ' | 'ő' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ő' => "O",
        'ú' | 'û' | 'ū' | 'ű' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ū' | 'Ű' => "U",
        'ğ' => "g",
        'Ğ' => "G",
        'ş' | 'ś' | 'š' | 'ș' => "s",
        'Ş' | 'Ś' | 'Š' | 'Ș' => "S",
        'ł' => "l",
        'Ł' => "L",
        'ń' => "n",
        'Ń' => "N",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gsm(text: &str) -> Vec<u8> {
        encode(text, Tables::default()).unwrap()
    }

    fn read(septets: &[u8]) -> String {
        decode(septets, Tables::default())
    }

    #[test]
    fn the_corners_of_the_default_alphabet_have_their_codes() {
        assert_eq!(gsm("@£$¥\nØ\r_ΔÄà?"), [0, 1, 2, 3, 0x0A, 0x0B, 0x0D, 0x11, 0x10, 0x5B, 0x7F, 0x3F]);
        assert_eq!(gsm("€[]{}|~^\\\u{c}").len(), 20);
        assert_eq!(gsm("5 €"), [0x35, 0x20, 0x1B, 0x65]);
        assert_eq!(read(&[0x09, 0x24, 0x40, 0x60]), "Ç¤¡¿");
    }

    #[test]
    fn every_code_comes_back() {
        let codes: Vec<u8> = (0..128).filter(|&code| code != ESC).collect();
        assert_eq!(gsm(&read(&codes)), codes);
    }

    #[test]
    fn an_escape_with_nothing_sensible_behind_it_is_a_blank_or_the_base_character() {
        assert_eq!(read(&[0x61, ESC]), "a ");
        assert_eq!(read(&[ESC, ESC, 0x65]), " e");
        assert_eq!(read(&[ESC, 0x41]), "A");
        assert_eq!(read(&[ESC, 0x0D]), "\r");
        assert_eq!(read(&[0x80, ESC, 0xFF]), "\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn the_first_character_that_does_not_fit_is_named() {
        let refused = encode("né`ç", Tables::default()).unwrap_err();
        assert_eq!(refused, Unrepresentable { character: '`', at: 3 });
        assert_eq!(septets("né`", Tables::default()), None);
        assert_eq!(septets("[né]", Tables::default()), Some(6));
    }

    #[test]
    fn lossy_text_keeps_what_can_be_kept() {
        assert_eq!(read(&encode_lossy("“ça” – Ł…🙂", Tables::default())), "\"Ça\" - L...?");
    }
}
