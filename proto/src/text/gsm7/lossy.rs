//! Text forced into the GSM alphabet, for where loss is allowed.

use super::{Code, ESC, Tables};

/// Writes `text` as septets and replaces what the tables do not hold: a near relative if there is one, else `?`.
#[must_use]
pub fn encode_lossy(text: &str, tables: Tables) -> Vec<u8> {
    let mut septets = Vec::with_capacity(text.len());
    let mut push = |code| match code {
        Code::Plain(code) => septets.push(code),
        Code::Escaped(code) => septets.extend_from_slice(&[ESC, code]),
    };
    for character in text.chars() {
        match tables.code(character) {
            Some(code) => push(code),
            None => {
                let near = relatives(character).chars();
                near.for_each(|near| push(tables.code(near).unwrap_or(Code::Plain(QUESTION_MARK))));
            }
        }
    }
    septets
}

/// `?` in the default alphabet and in every national one.
const QUESTION_MARK: u8 = 0x3F;

/// What stands in for a character when loss is allowed, in IA5. `?` if there is nothing near.
#[must_use]
pub fn relatives(character: char) -> &'static str {
    match character {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\t' => " ",
        '`' | '´' | '‘' | '’' | '‚' | '‹' | '›' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '−' => "-",
        '…' => "...",
        '•' | '·' => "*",
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' => "Ç",
        'Ç' => "C",
        'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'é' | 'è' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'É' | 'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'í' | 'ì' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'Í' | 'Ì' | 'Î' | 'Ï' | 'Ī' | 'İ' => "I",
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' | 'Ø' | 'Ő' => "O",
        'ú' | 'ù' | 'û' | 'ü' | 'ū' | 'ű' => "u",
        'Ú' | 'Ù' | 'Û' | 'Ü' | 'Ū' | 'Ű' => "U",
        'ğ' => "g",
        'Ğ' => "G",
        'ş' | 'ś' | 'š' | 'ș' => "s",
        'Ş' | 'Ś' | 'Š' | 'Ș' => "S",
        'ł' => "l",
        'Ł' => "L",
        'ń' | 'ñ' => "n",
        'Ń' | 'Ñ' => "N",
        'ß' => "ss",
        'æ' => "ae",
        'Æ' => "AE",
        '¡' => "!",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => "?",
    }
}
