//! Where a text may be cut without tearing a mark from its letter or a joined emoji apart.
//!
//! The rule is simple and small: not before a combining mark, a joiner, a variation selector or a skin tone, and not
//! behind a joiner. It is looks, not correctness; a chain longer than [`LONGEST`] characters is cut anyway.

use crate::text::gsm7::{ESC, Tables};

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
    for _ in 0..LONGEST {
        let previous = before(at);
        if !joined(character(previous), character(at)) {
            return at;
        }
        if previous <= start {
            break;
        }
        at = previous;
    }
    end
}

/// How far back a good place is looked for, in characters.
const LONGEST: usize = 16;

const ZERO_WIDTH_JOINER: char = '\u{200D}';

fn joined(previous: Option<char>, next: Option<char>) -> bool {
    previous == Some(ZERO_WIDTH_JOINER) || next.is_some_and(extends)
}

/// Whether a character belongs to the one before it.
fn extends(character: char) -> bool {
    let code = u32::from(character);
    match code {
        // Latin, Cyrillic, Hebrew and Arabic marks.
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x05BF | 0x05C1..=0x05C2 | 0x05C4..=0x05C5 => {
            true
        }
        0x05C7 | 0x0610..=0x061A | 0x064B..=0x065F | 0x0670 | 0x06D6..=0x06DC | 0x06DF..=0x06E4 => true,
        // The scripts of India share one layout: signs, nukta, vowel signs and virama, accents.
        0x0900..=0x0D7F => {
            matches!(code & 0x7F, 0x00..=0x03 | 0x3C | 0x3E..=0x4D | 0x51..=0x57 | 0x62..=0x63)
        }
        0x0D81..=0x0D83 | 0x0DCA..=0x0DDF | 0x0DF2..=0x0DF3 => true,
        // Thai and Lao.
        0x0E31 | 0x0E34..=0x0E3A | 0x0E47..=0x0E4E | 0x0EB1 | 0x0EB4..=0x0EBC | 0x0EC8..=0x0ECE => true,
        // Marks for symbols and kana, the joiner, variation selectors, skin tones, tags of flags.
        0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x200D | 0x20D0..=0x20FF | 0x3099..=0x309A => true,
        0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0x1F3FB..=0x1F3FF | 0xE0020..=0xE007F | 0xE0100..=0xE01EF => true,
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
    }
}
