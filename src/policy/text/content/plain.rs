//! Whole words without regard to case, and what patterns need: all of them in one automaton over the text.

use super::scratch::Scratch;
use super::words::Words;
use crate::policy::text::invisible::vanishes;

/// Words and literals, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct PlainSearch {
    words: Words,
    /// What each literal is for.
    targets: Vec<Target>,
}

/// What finding a literal means.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// This rule matches, if the literal stands there as a whole word.
    Word(u32),
    /// This pattern may match.
    Pattern(u32),
}

#[derive(Debug, Default)]
pub(super) struct Builder {
    literals: Vec<String>,
    targets: Vec<Target>,
}

impl Builder {
    /// A word of a rule.
    pub(super) fn add_word(&mut self, rule: u32, word: &str) -> Result<(), String> {
        let mut folded = String::new();
        fold(word, &mut folded);
        let folded = folded.trim();
        if folded.is_empty() {
            return Err("a word is empty".to_owned());
        }
        self.literals.push(folded.to_owned());
        self.targets.push(Target::Word(rule));
        Ok(())
    }

    /// A literal, folded already, without which a pattern cannot match.
    pub(super) fn add_needed(&mut self, pattern: u32, literal: String) {
        self.literals.push(literal);
        self.targets.push(Target::Pattern(pattern));
    }

    pub(super) fn build(self) -> Result<PlainSearch, String> {
        Ok(PlainSearch { words: Words::of(&self.literals)?, targets: self.targets })
    }
}

impl PlainSearch {
    pub(super) const fn words(&self) -> &Words {
        &self.words
    }

    /// Looks in what was folded into `scratch`.
    pub(super) fn search(&self, scratch: &mut Scratch) {
        let plain = std::mem::take(&mut scratch.plain);
        self.words.each(plain.as_bytes(), |hit| match self.targets[hit.pattern().as_usize()] {
            Target::Word(rule) if !scratch.has_matched(rule) => {
                if is_whole(&plain, hit.start(), hit.end()) {
                    scratch.matched(rule);
                }
            }
            Target::Word(_) => {}
            Target::Pattern(pattern) => scratch.must_try(pattern),
        });
        scratch.plain = plain;
    }
}

/// Whether no letter or digit goes on with what begins or ends with one.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let runs_on = |before: Option<char>, after: Option<char>| {
        before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
    };
    let (before, found, after) = (&text[..start], &text[start..end], &text[end..]);
    !runs_on(before.chars().next_back(), found.chars().next())
        && !runs_on(found.chars().next_back(), after.chars().next())
}

/// Writes `text` without case, with one blank for any white space and without what has no width.
///
/// Folding goes character by character, so what is in a text is also in it folded. Patterns rely on that, and on that
/// characters that a regular expression takes for the same are folded to the same.
pub(super) fn fold(text: &str, folded: &mut String) {
    folded.clear();
    let octets = text.as_bytes();
    // All of them are looked at, many at once: a text that must be gone through by characters is rare.
    let controls = octets.iter().fold(false, |found, octet| found | (*octet < b' '));
    let next = octets.get(1..).unwrap_or_default();
    let blanks = octets.iter().zip(next).fold(false, |found, pair| found | (pair == (&b' ', &b' ')));
    if text.is_ascii() && !controls && !blanks {
        folded.push_str(text);
        folded.make_ascii_lowercase();
        return;
    }
    for character in text.chars() {
        if character.is_whitespace() {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if !vanishes(character) {
            folded.push(fold_character(character));
        }
    }
}

/// By way of the capital, so that ſ is s and ς is σ. A character that is several in the other case stays.
pub(super) fn fold_character(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // Two spellings of one letter that have no capital of one character.
    match character {
        '\u{1FD3}' => return '\u{390}',
        '\u{1FE3}' => return '\u{3B0}',
        '\u{FB05}' => return '\u{FB06}',
        _ => {}
    }
    let upper = only(character.to_uppercase()).unwrap_or(character);
    only(upper.to_lowercase()).unwrap_or(upper)
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_loses_its_case_and_its_spare_blanks() {
        let folded = |text: &str| {
            let mut folded = "left over".to_owned();
            fold(text, &mut folded);
            folded
        };
        assert_eq!(folded("FREE Money"), "free money");
        assert_eq!(folded("a  b\r\n\tc\u{A0}d"), "a b c d");
        assert_eq!(folded("ÇA Straße ΤΕΛΟΣ"), "ça straße τελοσ");
        assert_eq!(folded("fr\u{200B}ee"), "free");
        assert_eq!(folded("ſtop \u{212A}"), "stop k");
    }

    #[test]
    fn a_character_folds_as_a_regular_expression_folds_it() {
        let mut broken = Vec::new();
        for character in ('\u{80}'..='\u{24FF}')
            .chain('\u{2C00}'..='\u{2DFF}')
            .chain('\u{A640}'..='\u{ABFF}')
            .chain('\u{FB00}'..='\u{FFFF}')
            .chain('\u{10400}'..='\u{118FF}')
            .chain('\u{1E900}'..='\u{1E943}')
        {
            let class = regex_syntax::ParserBuilder::new().case_insensitive(true).build();
            let Ok(hir) = class.clone().parse(&regex_syntax::escape(&character.to_string())) else {
                continue;
            };
            let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(same)) = hir.kind()
            else {
                continue;
            };
            for other in same.iter().flat_map(|range| range.start()..=range.end()) {
                if fold_character(other) != fold_character(character) {
                    broken.push((character, other));
                }
            }
        }
        assert!(broken.is_empty(), "{broken:?}");
    }
}
