//! Content rules: words, patterns and links that a text may not have, compiled once and looked for together.
//!
//! Knows texts. It does not know whose rules they are, in which order they count, or what a match leads to.

mod domain;
mod folded;
mod link;
mod look_alike;
mod pattern;
mod plain;
mod scratch;
mod words;

use domain::LinkRules;
use folded::FoldedWords;
use pattern::Patterns;
use plain::PlainSearch;
pub use scratch::Scratch;
use serde::{Deserialize, Serialize};

/// A rule that matches texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRule {
    /// How operators call it.
    pub name: String,
    /// What it looks for.
    pub matches: ContentMatch,
}

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMatch {
    /// Any of some words.
    Words(WordRule),
    /// A regular expression in the syntax of the crate `regex`, at most [`PATTERN_MAX`] octets. It does not look at
    /// case, unless it says `(?-i)`.
    Pattern(String),
    /// Links to some hosts.
    Links(LinkRule),
}

/// Whole words and phrases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordRule {
    /// 1 to [`WORDS_MAX`] words or phrases of at most [`WORD_MAX`] octets. Case does not count, and any blanks are as
    /// good as one.
    pub words: Vec<String>,
    /// Also finds them when letters are replaced by look-alikes (`v1agra`) or spaced (`f r e e`), and without marks.
    #[serde(default)]
    pub folded: bool,
}

/// Links as a phone makes them clickable, with a scheme or without.
///
/// A domain stands for itself and all below it. The longest domain of `allow` and `deny` that a host is in counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRule {
    /// Domains that are never matched.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Domains that are matched.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Domains of which hosts are matched that look like them or carry their name: homographs, one letter more, less
    /// or different in a name of five or more, the name as a label or as a hyphenated part of one.
    #[serde(default)]
    pub look_alikes_of: Vec<String>,
    /// Every host is matched that is not in `allow`.
    #[serde(default)]
    pub any: bool,
}

/// Rules together, at most.
pub const RULES_MAX: usize = 10_000;
/// Words of one rule, at most.
pub const WORDS_MAX: usize = 1_000;
/// A word or phrase, at most, in octets.
pub const WORD_MAX: usize = 200;
/// A regular expression, at most, in octets.
pub const PATTERN_MAX: usize = 1_000;
/// Domains in one list of one rule, at most.
pub const DOMAINS_MAX: usize = 1_000;

/// A rule that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ContentFault {
    /// Its place, from 0.
    pub rule: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Rules, compiled.
#[derive(Clone, Debug, Default)]
pub struct Content {
    rules: usize,
    plain: PlainSearch,
    patterns: Patterns,
    folded: FoldedWords,
    links: LinkRules,
}

impl Content {
    /// Compiles rules.
    ///
    /// # Errors
    /// The first rule that is beyond its bounds or not well formed.
    pub fn compile(rules: &[ContentRule]) -> Result<Self, ContentFault> {
        if rules.len() > RULES_MAX {
            let why = format!("there are {} content rules, at most {RULES_MAX} are possible", rules.len());
            return Err(ContentFault { rule: RULES_MAX, why });
        }
        let (mut plain, mut folded) = (plain::Builder::default(), folded::Builder::default());
        let (mut patterns, mut links) = (Patterns::default(), LinkRules::default());
        for (place, rule) in rules.iter().enumerate() {
            // Bounded by RULES_MAX.
            let id = place as u32;
            let compiled = match &rule.matches {
                ContentMatch::Words(words) => {
                    let folds = words.folded;
                    checked_words(words).and_then(|()| {
                        let mut each = words.words.iter();
                        each.try_for_each(|w| if folds { folded.add(id, w) } else { plain.add_word(id, w) })
                    })
                }
                ContentMatch::Pattern(pattern) => patterns.add(id, pattern, &mut plain),
                ContentMatch::Links(rule) => links.add(id, rule),
            };
            compiled.map_err(|why| ContentFault { rule: place, why })?;
        }
        let all = |why| ContentFault { rule: 0, why };
        Ok(Self {
            rules: rules.len(),
            plain: plain.build().map_err(all)?,
            patterns: patterns.finish(),
            folded: folded.build().map_err(all)?,
            links,
        })
    }

    /// Reports every rule that matches `text` by its place, each once, in their order.
    ///
    /// The time is linear in the length of the text. `scratch` may come from anywhere; with one that was used before,
    /// a text that matches nothing allocates nothing.
    pub fn check(&self, text: &str, scratch: &mut Scratch, found: impl FnMut(usize)) {
        if self.rules == 0 {
            return;
        }
        scratch.begin(self.rules, self.patterns.len());
        plain::fold(text, &mut scratch.plain);
        self.folded.read(text, scratch);
        let (words, folded) = (self.plain.words(), self.folded.literals());
        // Most texts have nothing of interest in them.
        if words::may_find(words, scratch.plain.as_bytes(), folded, scratch.folded.letters()) {
            self.plain.search(scratch);
            self.folded.search(scratch);
        }
        self.patterns.search(text, scratch);
        self.links.search(text, scratch);
        scratch.end(found);
    }

    /// Whether there are no rules.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules == 0
    }
}

fn checked_words(rule: &WordRule) -> Result<(), String> {
    if rule.words.is_empty() {
        return Err("there are no words in it".to_owned());
    }
    if rule.words.len() > WORDS_MAX {
        return Err(format!("it has {} words, at most {WORDS_MAX} are possible", rule.words.len()));
    }
    match rule.words.iter().find(|word| word.len() > WORD_MAX) {
        Some(word) => {
            Err(format!("a word of {} octets is too long, at most {WORD_MAX} are possible", word.len()))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
