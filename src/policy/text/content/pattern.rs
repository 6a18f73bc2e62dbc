//! Regular expressions, of which only those are tried whose literals are in the text.

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::PATTERN_MAX;
use super::plain::{Builder, fold, fold_character};
use super::scratch::Scratch;

/// The patterns of all rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    each: Vec<Pattern>,
    /// Those that need no literal, all in one.
    always: Option<RegexSet>,
    /// Which they are.
    always_of: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Pattern {
    rule: u32,
    regex: Regex,
}

/// A compiled pattern, at most, in octets.
const COMPILED_MAX: usize = 512 << 10;
/// What a pattern may use while it runs, in octets; it is slower with less.
const CACHE_MAX: usize = 256 << 10;
/// How deep groups may be nested.
const NEST_MAX: u32 = 24;
/// The least octets of a literal that is worth looking for.
const NEEDED_MIN: usize = 2;
/// The most literals of which one must be in the text.
const NEEDED_MOST: usize = 64;

impl Patterns {
    /// Compiles the pattern of a rule, and has its literals looked for.
    pub(super) fn add(&mut self, rule: u32, pattern: &str, literals: &mut Builder) -> Result<(), String> {
        if pattern.len() > PATTERN_MAX {
            return Err(format!(
                "the pattern has {} octets, at most {PATTERN_MAX} are possible",
                pattern.len()
            ));
        }
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(COMPILED_MAX)
            .dfa_size_limit(CACHE_MAX)
            .nest_limit(NEST_MAX)
            .build()
            .map_err(|error| in_one_line(&error))?;
        if regex.is_match("") {
            return Err("the pattern matches every text".to_owned());
        }
        let id = self.each.len() as u32;
        match needed(pattern) {
            Some(needed) => needed.into_iter().for_each(|literal| literals.add_needed(id, literal)),
            None => self.always_of.push(id),
        }
        self.each.push(Pattern { rule, regex });
        Ok(())
    }

    /// Joins those that need no literal.
    pub(super) fn finish(mut self) -> Self {
        if self.always_of.len() > 1 {
            let patterns = self.always_of.iter().map(|id| self.each[*id as usize].regex.as_str());
            let joined = RegexSetBuilder::new(patterns)
                .case_insensitive(true)
                .size_limit(COMPILED_MAX * 8)
                .dfa_size_limit(CACHE_MAX * 8)
                .nest_limit(NEST_MAX)
                .build();
            // Too large together: each by itself then.
            self.always = joined.ok();
        }
        self
    }

    pub(super) const fn len(&self) -> usize {
        self.each.len()
    }

    /// Tries what the search for literals found, and what has none.
    pub(super) fn search(&self, text: &str, scratch: &mut Scratch) {
        match &self.always {
            Some(joined) if joined.is_match(text) => {
                for place in joined.matches(text).iter() {
                    scratch.matched(self.each[self.always_of[place] as usize].rule);
                }
            }
            Some(_) => {}
            None => self.always_of.iter().for_each(|pattern| scratch.must_try(*pattern)),
        }
        let mut place = 0;
        while let Some(next) = scratch.to_try(place) {
            let pattern = &self.each[next];
            if pattern.regex.is_match(text) {
                scratch.matched(pattern.rule);
            }
            place = next + 1;
        }
    }
}

/// The reason alone; where in the pattern it is stands in lines of its own, which a log does not want.
fn in_one_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large when compiled".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("the pattern cannot be read: {}", last.trim_start_matches("error: "))
        }
    }
}

/// Literals of which one is in every text that `pattern` matches, folded; `None` if nothing useful is known.
///
/// The pattern is read as if case counted, because literals and texts are folded before they are compared.
fn needed(pattern: &str) -> Option<Vec<String>> {
    let pattern = pattern.strip_prefix("(?i)").unwrap_or(pattern);
    let hir = regex_syntax::ParserBuilder::new().nest_limit(NEST_MAX).build().parse(pattern).ok()?;
    let mut literals = needed_by(&hir)?;
    literals.sort_unstable();
    literals.dedup();
    Some(literals)
}

fn needed_by(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Concat(parts) => needed_by_one(parts),
        HirKind::Capture(group) => needed_by(&group.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => needed_by(&repeated.sub),
        HirKind::Alternation(ways) => {
            let mut literals = Vec::new();
            for way in ways {
                literals.extend(needed_by(way)?);
                if literals.len() > NEEDED_MOST {
                    return None;
                }
            }
            Some(literals)
        }
        HirKind::Literal(_) | HirKind::Class(_) => worth(&fixed(hir)?).map(|literal| vec![literal]),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best of what the parts of a sequence need: the longest literals, then the fewest.
fn needed_by_one(parts: &[Hir]) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut consider = |literals: Option<Vec<String>>| {
        let rank = |literals: &[String]| {
            (literals.iter().map(String::len).min().unwrap_or_default().min(8), usize::MAX - literals.len())
        };
        if let Some(literals) = literals
            && best.as_ref().is_none_or(|best| rank(&literals) > rank(best))
        {
            best = Some(literals);
        }
    };
    let mut run = String::new();
    for part in parts {
        // Assertions take nothing of the text, so what is around them stays joined.
        if matches!(part.kind(), HirKind::Look(_) | HirKind::Empty) {
            continue;
        }
        if let Some(literal) = fixed(part) {
            run.push_str(&literal);
            continue;
        }
        consider(worth(&std::mem::take(&mut run)).map(|literal| vec![literal]));
        consider(needed_by(part));
    }
    consider(worth(&run).map(|literal| vec![literal]));
    best
}

/// What a part always is in a text, folded.
fn fixed(part: &Hir) -> Option<String> {
    match part.kind() {
        HirKind::Literal(literal) => {
            Some(std::str::from_utf8(&literal.0).ok()?.chars().map(fold_character).collect())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut characters =
                class.iter().flat_map(|range| range.start()..=range.end()).map(fold_character);
            let first = characters.next()?;
            // Classes of case are small; a large one has two that differ among the first few.
            characters.all(|character| character == first).then(|| first.to_string())
        }
        HirKind::Capture(group) => fixed(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(fixed).collect(),
        _ => None,
    }
}

/// A literal as it stands in a folded text.
fn worth(literal: &str) -> Option<String> {
    let mut folded = String::new();
    fold(literal, &mut folded);
    (folded.trim().len() >= NEEDED_MIN).then_some(folded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_needs_its_longest_literal() {
        for (pattern, literals) in [
            ("free money", Some(&["free money"][..])),
            ("(?i)FREE", Some(&["free"])),
            (r"win \d+ euros", Some(&[" euros"])),
            ("[Vv][i1]agra", Some(&["agra"])),
            ("(loan|credit) now", Some(&[" now"])),
            ("(loans?|credits?)", Some(&["credit", "loan"])),
            (r"\bcall\b.*\bnow\b", Some(&["call"])),
            ("(abc){2,}", Some(&["abc"])),
            ("a(bc)d", Some(&["abcd"])),
            (r"\d{16}", None),
            ("(abc)?", None),
            ("a|bcd", None),
            ("[a-z]+", None),
            (r"ΤΈΛΟΣ", Some(&["τέλοσ"])),
        ] {
            let expected = literals.map(|l| l.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>());
            assert_eq!(needed(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_refused_in_one_line() {
        let fault = |pattern: &str| Patterns::default().add(0, pattern, &mut Builder::default()).unwrap_err();
        assert_eq!(fault("a("), "the pattern cannot be read: unclosed group");
        assert_eq!(fault(r"\w{1000}{1000}"), "the pattern is too large when compiled");
        assert_eq!(fault("a*"), "the pattern matches every text");
        assert_eq!(fault(&"a".repeat(1_001)), "the pattern has 1001 octets, at most 1000 are possible");
        assert!(fault(&format!("{}a{}", "(".repeat(30), ")".repeat(30))).contains("nest"));
    }

    proptest! {
        #[test]
        fn no_match_is_lost_for_want_of_a_literal(
            pattern in r"(\(\?i\))?[a-cA-C ]{0,3}(\[[a-cA-C]{1,2}\]|[ab]\?|(aB|c|ſa)|\\d|\\b|.|k|ς)[a-cA-C ]{0,4}",
            text in "[a-cA-C1 \\nſKkΣςσ]{0,16}",
        ) {
            let Ok(regex) = RegexBuilder::new(&pattern).case_insensitive(true).build() else { return Ok(()) };
            let Some(literals) = needed(&pattern) else { return Ok(()) };
            let mut folded = String::new();
            fold(&text, &mut folded);
            if regex.is_match(&text) {
                prop_assert!(literals.iter().any(|l| folded.contains(l.as_str())), "{:?} in {:?}", literals, folded);
            }
        }
    }
}
