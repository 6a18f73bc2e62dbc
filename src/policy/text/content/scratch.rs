//! Memory that checks use again, so that they need not allocate.

use super::folded::Folded;

/// Memory for [`Content::check`](super::Content::check); one a thread or session is enough.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The text without case.
    pub(super) plain: String,
    pub(super) folded: Folded,
    /// A bit a rule: whether it matched.
    matched: Bits,
    /// A bit a pattern: whether it may match and so must be tried.
    tried: Bits,
}

impl Scratch {
    /// Forgets what was before.
    pub(super) fn begin(&mut self, rules: usize, patterns: usize) {
        self.matched.begin(rules);
        self.tried.begin(patterns);
    }

    /// A rule matched.
    pub(super) fn matched(&mut self, rule: u32) {
        self.matched.set(rule);
    }

    /// Whether a rule is known to match.
    pub(super) fn has_matched(&self, rule: u32) -> bool {
        self.matched.has(rule)
    }

    /// A pattern must be tried.
    pub(super) fn must_try(&mut self, pattern: u32) {
        self.tried.set(pattern);
    }

    /// The next pattern from `place` on that must be tried.
    pub(super) fn to_try(&self, place: usize) -> Option<usize> {
        self.tried.next(place)
    }

    pub(super) fn end(&mut self, mut found: impl FnMut(usize)) {
        let mut place = 0;
        while let Some(rule) = self.matched.next(place) {
            found(rule);
            place = rule + 1;
        }
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
struct Bits {
    words: Vec<u64>,
    any: bool,
}

impl Bits {
    fn begin(&mut self, size: usize) {
        let words = size.div_ceil(64);
        if self.any || self.words.len() != words {
            self.words.clear();
            self.words.resize(words, 0);
            self.any = false;
        }
    }

    fn set(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut(number as usize / 64) {
            *word |= 1 << (number % 64);
            self.any = true;
        }
    }

    fn has(&self, number: u32) -> bool {
        self.any && self.words.get(number as usize / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// The smallest number from `place` on.
    fn next(&self, place: usize) -> Option<usize> {
        if !self.any {
            return None;
        }
        let mut at = place / 64;
        let mut word = self.words.get(at)? & (u64::MAX << (place % 64));
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_comes_once_and_in_order() {
        let mut scratch = Scratch::default();
        scratch.begin(200, 1);
        for rule in [199, 3, 64, 3, 63, 700] {
            scratch.matched(rule);
        }
        assert!(scratch.has_matched(64) && !scratch.has_matched(65));
        let mut found = Vec::new();
        scratch.end(|rule| found.push(rule));
        assert_eq!(found, [3, 63, 64, 199]);
        scratch.begin(200, 1);
        scratch.end(|rule| panic!("{rule} is from before"));
    }
}
