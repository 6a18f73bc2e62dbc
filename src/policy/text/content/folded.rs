//! Words that are found although their letters are spaced or replaced by look-alikes.

use unicode_normalization::char::is_combining_mark;

use super::scratch::Scratch;
use super::words::Words;
use crate::policy::text::invisible::vanishes;
use crate::policy::text::skeleton::{LOOKS, looks};

/// The folded words of all rules, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct FoldedWords {
    literals: Words,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    rule: u32,
    /// Where the words of a phrase begin, the first one left out; in octets.
    breaks: Box<[u16]>,
}

#[derive(Debug, Default)]
pub(super) struct Builder {
    literals: Vec<Vec<u8>>,
    words: Vec<Word>,
}

impl Builder {
    pub(super) fn add(&mut self, rule: u32, word: &str) -> Result<(), String> {
        let mut folded = Folded::default();
        folded.read(word);
        if folded.letters.is_empty() {
            return Err(format!("the word {word:?} has neither letters nor digits"));
        }
        let breaks = folded.breaks(0, folded.letters.len());
        // WORD_MAX octets become a few thousand at most.
        let breaks = breaks.map(|at| u16::try_from(at).unwrap_or(u16::MAX)).collect();
        self.literals.push(folded.letters);
        self.words.push(Word { rule, breaks });
        Ok(())
    }

    pub(super) fn build(self) -> Result<FoldedWords, String> {
        Ok(FoldedWords { literals: Words::of(&self.literals)?, words: self.words })
    }
}

impl FoldedWords {
    pub(super) const fn literals(&self) -> &Words {
        &self.literals
    }

    /// Reads a text for a search; there is nothing to read where there are no words.
    pub(super) fn read(&self, text: &str, scratch: &mut Scratch) {
        match self.literals {
            Words::None => scratch.folded.clear(),
            _ => scratch.folded.read(text),
        }
    }

    /// Looks in what was read into `scratch`.
    pub(super) fn search(&self, scratch: &mut Scratch) {
        let folded = std::mem::take(&mut scratch.folded);
        self.literals.each(&folded.letters, |hit| {
            let word = &self.words[hit.pattern().as_usize()];
            let stands = folded.begins(hit.start()) && folded.begins(hit.end());
            if stands && !scratch.has_matched(word.rule) && folded.breaks_as(word, hit.start(), hit.end()) {
                scratch.matched(word.rule);
            }
        });
        scratch.folded = folded;
    }
}

/// A text as look-alikes of its letters and digits, without what is between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    letters: Vec<u8>,
    words: Vec<Begin>,
}

/// Where a word begins.
#[derive(Clone, Copy, Debug)]
struct Begin {
    /// In `letters`. Texts of 4 GiB do not come over SMPP; of one that did, the rest would not be found.
    at: u32,
    /// Whether it is one character.
    single: bool,
}

/// What an octet of ASCII is within a text.
const SEPARATOR: u8 = 0;
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
/// A letter only between letters: `w!n`, but not `free!`.
const BETWEEN: u8 = 3;
/// A letter only before letters and such signs: `$ave`, but not `$500`.
const BEFORE: u8 = 4;
/// Not ASCII.
const OTHER: u8 = 5;

const KINDS: [u8; 256] = {
    let mut kinds = [SEPARATOR; 256];
    let mut octet = 0_u8;
    while octet < 128 {
        kinds[octet as usize] = match octet {
            b'!' | b'|' => BETWEEN,
            b'@' | b'$' => BEFORE,
            _ if octet.is_ascii_digit() => DIGIT,
            _ if octet.is_ascii_alphabetic() => LETTER,
            _ => SEPARATOR,
        };
        octet += 1;
    }
    let mut other = 128;
    while other < 256 {
        kinds[other] = OTHER;
        other += 1;
    }
    kinds
};

/// The word that is being read.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Where it begins in `letters`.
    at: usize,
    /// 0 when no word is open.
    characters: usize,
    /// The kinds of its characters together.
    kinds: u8,
}

impl Folded {
    /// The octets in which literals are looked for.
    pub(super) fn letters(&self) -> &[u8] {
        &self.letters
    }

    fn clear(&mut self) {
        self.letters.clear();
        self.words.clear();
    }

    fn read(&mut self, text: &str) {
        self.letters.clear();
        self.words.clear();
        self.letters.reserve(text.len());
        let octets = text.as_bytes();
        let mut open = Open::default();
        let mut at = 0;
        while let Some(octet) = octets.get(at) {
            let kind = KINDS[usize::from(*octet)];
            if matches!(kind, LETTER | DIGIT) {
                at = self.read_run(octets, at, &mut open);
            } else if kind == OTHER {
                at = self.read_character(text, at, &mut open);
            } else if kind != SEPARATOR && sign_is_letter(kind, octets, at, open.characters > 0) {
                self.push(&[LOOKS[usize::from(*octet)]], &mut open);
                at += 1;
            } else {
                self.close(&mut open, &octets[..at]);
                at += 1;
            }
        }
        self.close(&mut open, octets);
    }

    /// Reads letters and digits of ASCII; where the next character is.
    fn read_run(&mut self, octets: &[u8], at: usize, open: &mut Open) -> usize {
        let kinds = octets[at..].iter().map(|octet| KINDS[usize::from(*octet)]);
        let mut length = 0;
        for kind in kinds.take_while(|kind| matches!(*kind, LETTER | DIGIT)) {
            open.kinds |= kind;
            length += 1;
        }
        if open.characters == 0 {
            open.at = self.letters.len();
        }
        open.characters += length;
        self.letters.extend(octets[at..at + length].iter().map(|octet| LOOKS[usize::from(*octet & 0x7F)]));
        at + length
    }

    /// Reads a character that is not ASCII; where the next one is.
    fn read_character(&mut self, text: &str, at: usize, open: &mut Open) -> usize {
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { return text.len() };
        let mut is_letter = false;
        looks(character, |look| {
            if !look.is_empty() {
                is_letter = true;
                self.push(look, open);
            }
        });
        if !is_letter && !vanishes(character) && !is_combining_mark(character) {
            self.close(open, &text.as_bytes()[..at]);
        }
        at + character.len_utf8()
    }

    fn push(&mut self, look: &[u8], open: &mut Open) {
        if open.characters == 0 {
            open.at = self.letters.len();
        }
        open.characters += 1;
        open.kinds |= LETTER;
        self.letters.extend_from_slice(look);
    }

    /// The open word is over, and `before` is the text up to there.
    fn close(&mut self, open: &mut Open, before: &[u8]) {
        let word = std::mem::take(open);
        if word.characters == 0 {
            return;
        }
        let single = word.characters == 1;
        self.words.push(Begin { at: u32::try_from(word.at).unwrap_or(u32::MAX), single });
        // A number is a number: 411 is not a way to write "all".
        if word.kinds == DIGIT && !single {
            let digits = before.iter().rev().filter(|octet| octet.is_ascii_digit());
            self.letters[word.at..].iter_mut().rev().zip(digits).for_each(|(letter, digit)| *letter = *digit);
        }
    }

    /// Whether a word begins there, or the text is over.
    fn begins(&self, at: usize) -> bool {
        at >= self.letters.len() || self.words.binary_search_by_key(&at, |word| word.at as usize).is_ok()
    }

    /// Whether words begin where those of a phrase do, and nowhere else but between single letters.
    fn breaks_as(&self, word: &Word, start: usize, end: usize) -> bool {
        let expected = |at: usize| u16::try_from(at).is_ok_and(|at| word.breaks.binary_search(&at).is_ok());
        word.breaks.iter().all(|at| self.begins(start + usize::from(*at)))
            && self.breaks(start, end).all(expected)
    }

    /// Where words begin behind `start` and before `end`, from `start` on, in octets; between single letters nothing
    /// is said to begin.
    fn breaks(&self, start: usize, end: usize) -> impl Iterator<Item = usize> + '_ {
        let from = self.words.partition_point(|word| (word.at as usize) <= start);
        let inside = self.words[from..].iter().take_while(move |word| (word.at as usize) < end);
        let before = self.words[from.saturating_sub(1)..].iter();
        inside
            .zip(before)
            .filter(|(word, before)| !(word.single && before.single))
            .map(move |(word, _)| word.at as usize - start)
    }
}

fn sign_is_letter(kind: u8, octets: &[u8], at: usize, within_word: bool) -> bool {
    let next = octets.get(at + 1).map_or(SEPARATOR, |next| KINDS[usize::from(*next)]);
    match kind {
        BETWEEN => within_word && matches!(next, LETTER | DIGIT | OTHER),
        _ => {
            let after_sign =
                at.checked_sub(1).is_some_and(|before| KINDS[usize::from(octets[before])] == BEFORE);
            matches!(next, LETTER | BEFORE | OTHER) || (within_word && after_sign)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<usize>) {
        let mut folded = Folded::default();
        folded.read(text);
        let breaks = folded.breaks(0, folded.letters.len()).collect();
        (String::from_utf8(folded.letters).unwrap(), breaks)
    }

    #[test]
    fn letters_are_what_they_look_like_and_numbers_stay() {
        for (text, letters, breaks) in [
            ("FREE Money", "freemoney", &[4][..]),
            ("f r e e", "free", &[]),
            ("f.r.e.e money", "freemoney", &[4]),
            ("v1agra", "vlagra", &[]),
            ("w!n free!", "wlnfree", &[3]),
            ("$ave $500 10$", "save50010", &[4, 7]),
            ("ca$h a$$", "cashass", &[4]),
            ("call 411 n0w", "call411now", &[4, 7]),
            ("4 u", "au", &[]),
            ("СТОП ванк", "ctoпbahk", &[5]),
            ("é\u{301}a\u{200B}b – c", "eabc", &[3]),
            ("...", "", &[]),
            ("", "", &[]),
        ] {
            let (read_letters, read_breaks) = read(text);
            assert_eq!(read_letters, letters, "{text}");
            assert_eq!(read_breaks, breaks, "{text}");
        }
    }
}
