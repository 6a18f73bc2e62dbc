//! Where a text may be cut without tearing apart what is read as one character (Unicode Standard Annex 29 §3).
//!
//! A mark stays with its letter, a flag with its other half, a joined emoji and a Hangul syllable whole, CR with LF. It
//! is looks, not correctness: what is longer than [`LONGEST_GRAPHEME`] characters, or fills a part, is cut anyway.

use crate::text::gsm7::{ESC, Tables};

/// How far back a good place is looked for, in characters. A family of four with their skin tones takes 11, the flag of
/// Scotland 7.
pub const LONGEST_GRAPHEME: usize = 16;

/// The last good place at or before `end` in UTF-16 big-endian; `start` and `end` cut no surrogate pair.
pub(super) fn end_in_ucs2(text: &[u8], start: usize, end: usize) -> usize {
    let unit = |at: usize| match text.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    let character = |at: usize| char::decode_utf16([unit(at), unit(at + 2)]).next().and_then(Result::ok);
    let before = |at: usize| match (at >= start + 4).then(|| (unit(at - 4), unit(at - 2))) {
        Some((0xD800..=0xDBFF, 0xDC00..=0xDFFF)) => at - 4,
        _ => at.saturating_sub(2),
    };
    end_of_cluster(start, end, character, before)
}

/// The last good place at or before `end` in septets; `start` and `end` cut no escape pair.
pub(super) fn end_in_gsm7(text: &[u8], start: usize, end: usize, tables: Tables) -> usize {
    let septet = |at: usize| text.get(at).copied().unwrap_or(0);
    let character = |at: usize| match septet(at) {
        ESC => tables.single.character(septet(at + 1)),
        code => tables.locking.character(code),
    };
    let before = |at: usize| {
        let escapes = text.get(start..at.saturating_sub(1)).unwrap_or(&[]).iter().rev();
        let open = escapes.take_while(|&&septet| septet == ESC).count() % 2 == 1;
        at.saturating_sub(if open { 2 } else { 1 })
    };
    end_of_cluster(start, end, character, before)
}

fn end_of_cluster(
    start: usize,
    end: usize,
    character: impl Fn(usize) -> Option<char>,
    before: impl Fn(usize) -> usize,
) -> usize {
    let mut at = end;
    for _ in 0..LONGEST_GRAPHEME {
        let previous = before(at);
        let joined = match (character(previous), character(at)) {
            // Flags pair up from the left: the run of their letters tells which of them begins one.
            (Some(left), Some(right)) if is_flag_letter(left) && is_flag_letter(right) => {
                let mut first = previous;
                let mut letters = 1;
                while first > start && character(before(first)).is_some_and(is_flag_letter) {
                    (first, letters) = (before(first), letters + 1);
                }
                letters % 2 == 1
            }
            (left, right) => left.zip(right).is_some_and(|(left, right)| belongs(left, right)),
        };
        if !joined {
            return at;
        }
        if previous <= start {
            break;
        }
        at = previous;
    }
    end
}

/// Whether `right` belongs to what `left` is part of.
fn belongs(left: char, right: char) -> bool {
    match (left, right) {
        ('\r', '\n') => true,
        ('\r' | '\n', _) => false,
        (ZERO_WIDTH_JOINER, _) => true,
        _ => extends(right) || conjoins(left, right) || is_one_syllable(left, right),
    }
}

const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Regional indicators: two of them are a flag.
fn is_flag_letter(character: char) -> bool {
    matches!(character, '\u{1F1E6}'..='\u{1F1FF}')
}

/// A virama joins the consonants around it, in the scripts where that shows as one sign (Unicode 15.1, InCB).
fn conjoins(left: char, right: char) -> bool {
    let (left, right) = (u32::from(left), u32::from(right));
    let block = left & !0x7F;
    matches!(block, 0x0900 | 0x0980 | 0x0A80 | 0x0B00 | 0x0C00 | 0x0D00)
        && left & 0x7F == 0x4D
        && right & !0x7F == block
        && matches!(right & 0x7F, 0x15..=0x39)
}

/// Hangul: leading consonants, a vowel and trailing consonants, composed or not.
fn is_one_syllable(left: char, right: char) -> bool {
    let leads = |c| matches!(c, '\u{1100}'..='\u{115F}' | '\u{A960}'..='\u{A97C}');
    let is_vowel = |c| matches!(c, '\u{1160}'..='\u{11A7}' | '\u{D7B0}'..='\u{D7C6}');
    let trails = |c| matches!(c, '\u{11A8}'..='\u{11FF}' | '\u{D7CB}'..='\u{D7FB}');
    let is_composed = |c| matches!(c, '\u{AC00}'..='\u{D7A3}');
    // Every 28th of them has no trailing consonant.
    let is_open = |c| is_composed(c) && (u32::from(c) - 0xAC00).is_multiple_of(28);
    leads(left) && (leads(right) || is_vowel(right) || is_composed(right))
        || (is_vowel(left) || is_open(left)) && (is_vowel(right) || trails(right))
        || (trails(left) || is_composed(left)) && trails(right)
}

/// Whether a character belongs to the one before it, whatever that is.
fn extends(character: char) -> bool {
    let code = u32::from(character);
    match code {
        // Latin, Cyrillic, Hebrew, Arabic, Syriac, Thaana and N'Ko marks.
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1..=0x05C2 | 0x05C4..=0x05C5 => {
            true
        }
        0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 => true,
        0x06E7..=0x06E8 | 0x06EA..=0x06ED | 0x0711 | 0x0730..=0x074A | 0x07A6..=0x07B0 | 0x07EB..=0x07F3 => {
            true
        }
        0x0898..=0x089F | 0x08CA..=0x08E1 | 0x08E3..=0x08FF => true,
        // The scripts of India share one layout: signs, nukta, vowel signs and virama, accents.
        0x0900..=0x0D7F => {
            matches!(code & 0x7F, 0x01..=0x03 | 0x3C | 0x3E..=0x4D | 0x51..=0x57 | 0x62..=0x63)
                || code == 0x0900
        }
        0x0D81..=0x0D83 | 0x0DCA | 0x0DCF..=0x0DDF | 0x0DF2..=0x0DF3 => true,
        // Thai, Lao, Tibetan, Burmese, Khmer, Mongolian.
        0x0E31 | 0x0E33..=0x0E3A | 0x0E47..=0x0E4E | 0x0EB1 | 0x0EB3..=0x0EBC | 0x0EC8..=0x0ECE => true,
        0x0F18..=0x0F19 | 0x0F35 | 0x0F37 | 0x0F39 | 0x0F3E..=0x0F3F | 0x0F71..=0x0F84 | 0x0F8D..=0x0FBC => {
            true
        }
        0x102D..=0x1037 | 0x1039..=0x103E | 0x1056..=0x1059 | 0x135D..=0x135F => true,
        0x17B4..=0x17D3 | 0x17DD | 0x180B..=0x180D | 0x180F => true,
        // Marks for symbols and kana, joiners, variation selectors, skin tones, tags of flags.
        0x1AB0..=0x1ACE | 0x1DC0..=0x1DFF | 0x200C..=0x200D | 0x20D0..=0x20F0 | 0x302A..=0x302F => true,
        0x3099..=0x309A | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0x1F3FB..=0x1F3FF => true,
        0xE0020..=0xE007F | 0xE0100..=0xE01EF => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::gsm7::{self, national};
    use crate::text::ucs2;

    fn end(text: &str, end: usize) -> usize {
        end_in_ucs2(&ucs2::encode(text), 0, end * 2) / 2
    }

    #[test]
    fn a_mark_stays_with_its_letter_and_an_emoji_with_its_parts() {
        assert_eq!(end("abcd", 2), 2);
        assert_eq!(end("abe\u{301}d", 3), 2);
        assert_eq!(end("a👩\u{200D}👧b", 3), 1);
        assert_eq!(end("a👩\u{200D}👧b", 4), 1);
        assert_eq!(end("a👩\u{200D}👧b", 6), 6);
        assert_eq!(end("a👍🏽b", 3), 1);
        assert_eq!(end("a❤\u{FE0F}b", 2), 1);
        assert_eq!(end("a1\u{FE0F}\u{20E3}b", 3), 1);
        assert_eq!(end("a\r\nb", 2), 1);
        assert_eq!(end("\n\u{301}", 1), 1, "a mark does not belong to the end of a line");
    }

    #[test]
    fn flags_are_pairs_from_the_left() {
        // 🇩🇪🇫🇷: each letter takes two units.
        assert_eq!(end("a🇩🇪🇫🇷b", 3), 1);
        assert_eq!(end("a🇩🇪🇫🇷b", 5), 5);
        assert_eq!(end("a🇩🇪🇫🇷b", 7), 5);
        assert_eq!(end("a🇩🇪🇫🇷b", 9), 9);
        // Scotland is a black flag and five tags with an end.
        assert_eq!(end("a🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}b", 13), 1);
    }

    #[test]
    fn a_hangul_syllable_and_a_conjunct_stay_whole() {
        assert_eq!(end("가\u{1100}\u{1161}\u{11A8}나", 2), 1);
        assert_eq!(end("가\u{1100}\u{1161}\u{11A8}나", 3), 1);
        assert_eq!(end("가나다", 2), 2);
        assert_eq!(end("가\u{11A8}나", 1), 1, "it would leave nothing");
        assert_eq!(end("나가\u{11A8}나", 2), 1);
        assert_eq!(end("नक्षा", 3), 1);
    }

    #[test]
    fn a_cluster_that_fills_the_part_is_cut() {
        assert_eq!(end("e\u{301}\u{302}\u{303}", 2), 2);
        let long: String = std::iter::once('a').chain(std::iter::repeat_n('\u{301}', 40)).collect();
        assert_eq!(end(&long, 30), 30);
    }

    #[test]
    fn marks_of_national_tables_are_known() {
        let hindi = national::tables(Some(6), Some(6));
        let text = gsm7::encode("कि की", hindi).unwrap();
        assert_eq!(end_in_gsm7(&text, 0, text.len() - 1, hindi), text.len() - 2);
        assert_eq!(end_in_gsm7(&[ESC, 0x65, 0x61, 0x61], 0, 2, Tables::default()), 2);
        assert_eq!(end_in_gsm7(b"ab\r\nc", 0, 3, Tables::default()), 2);
    }
}
