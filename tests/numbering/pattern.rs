//! The patterns of the metadata as automata over decimal digits.
//!
//! The metadata uses digits, `\d`, sets such as `[0-46]`, groups `(?:…)`, `|`, `?`, `{n}` and `{n,m}`, and nothing else.

use std::collections::{BTreeSet, HashMap};

/// A deterministic automaton: it reads a digit at a time.
pub(crate) struct Automaton {
    next: Vec<[Option<u32>; 10]>,
    accepts: Vec<bool>,
}

impl Automaton {
    /// Of one pattern; blanks in it mean nothing.
    pub(crate) fn of(pattern: &str) -> Self {
        let pattern: Vec<u8> = pattern.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let mut reader = Reader { pattern: &pattern, at: 0, empty: Vec::new(), digits: Vec::new() };
        let (first, last) = reader.alternatives();
        assert_eq!(reader.at, pattern.len(), "{}", String::from_utf8_lossy(&pattern));
        reader.determine(first, last)
    }

    pub(crate) fn step(&self, state: u32, digit: usize) -> Option<u32> {
        self.next[state as usize][digit]
    }

    pub(crate) fn accepts(&self, state: u32) -> bool {
        self.accepts[state as usize]
    }
}

/// Builds states while it reads; each has edges without a digit, and at most one edge with a set of digits.
struct Reader<'p> {
    pattern: &'p [u8],
    at: usize,
    empty: Vec<Vec<usize>>,
    digits: Vec<Option<([bool; 10], usize)>>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn fresh(&mut self) -> usize {
        self.empty.push(Vec::new());
        self.digits.push(None);
        self.empty.len() - 1
    }

    fn alternatives(&mut self) -> (usize, usize) {
        let (first, last) = (self.fresh(), self.fresh());
        loop {
            let (from, to) = self.sequence();
            self.empty[first].push(from);
            self.empty[to].push(last);
            if self.peek() != Some(b'|') {
                return (first, last);
            }
            self.at += 1;
        }
    }

    fn sequence(&mut self) -> (usize, usize) {
        let first = self.fresh();
        let mut end = first;
        while !matches!(self.peek(), None | Some(b'|' | b')')) {
            let begin = self.at;
            let mut copy = self.atom();
            let (least, most) = self.repeats();
            let after = self.at;
            for number in 0..most {
                if number > 0 {
                    // The same text once more is the same pattern once more.
                    self.at = begin;
                    copy = self.atom();
                }
                self.empty[end].push(copy.0);
                if number >= least {
                    self.empty[copy.0].push(copy.1);
                }
                end = copy.1;
            }
            self.at = after;
        }
        (first, end)
    }

    fn repeats(&mut self) -> (usize, usize) {
        match self.peek() {
            Some(b'?') => {
                self.at += 1;
                (0, 1)
            }
            Some(b'{') => {
                let length = self.pattern[self.at..].iter().position(|b| *b == b'}').expect("a closed brace");
                let inside =
                    std::str::from_utf8(&self.pattern[self.at + 1..self.at + length]).expect("ASCII");
                self.at += length + 1;
                let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
                (least.parse().expect("a number"), most.parse().expect("a number"))
            }
            _ => (1, 1),
        }
    }

    fn atom(&mut self) -> (usize, usize) {
        if self.pattern[self.at..].starts_with(b"(?:") {
            self.at += 3;
            let inside = self.alternatives();
            assert_eq!(self.peek(), Some(b')'));
            self.at += 1;
            return inside;
        }
        let mut set = [false; 10];
        if self.peek() == Some(b'[') {
            self.at += 1;
            while self.peek() != Some(b']') {
                let (first, mut last) = self.one().into_inner();
                if self.peek() == Some(b'-') {
                    self.at += 1;
                    last = *self.one().end();
                }
                (first..=last).for_each(|digit| set[digit] = true);
            }
            self.at += 1;
        } else {
            self.one().for_each(|digit| set[digit] = true);
        }
        let (from, to) = (self.fresh(), self.fresh());
        self.digits[from] = Some((set, to));
        (from, to)
    }

    /// A digit, or `\d`.
    fn one(&mut self) -> std::ops::RangeInclusive<usize> {
        let byte = self.peek().expect("more of the pattern");
        self.at += 1;
        if byte == b'\\' {
            assert_eq!(self.peek(), Some(b'd'));
            self.at += 1;
            return 0..=9;
        }
        assert!(byte.is_ascii_digit(), "{} in {}", byte as char, String::from_utf8_lossy(self.pattern));
        let digit = usize::from(byte - b'0');
        digit..=digit
    }

    fn determine(&self, first: usize, last: usize) -> Automaton {
        let mut known = HashMap::new();
        let mut sets = vec![self.reach([first])];
        known.insert(sets[0].clone(), 0_u32);
        let mut made = Automaton { next: Vec::new(), accepts: Vec::new() };
        while let Some(set) = sets.get(made.next.len()).cloned() {
            let mut row = [None; 10];
            for (digit, next) in row.iter_mut().enumerate() {
                let edges = set.iter().filter_map(|state| self.digits[*state]);
                let to = self.reach(edges.filter(|(digits, _)| digits[digit]).map(|(_, to)| to));
                if !to.is_empty() {
                    let fresh = u32::try_from(sets.len()).expect("few states");
                    let id = *known.entry(to.clone()).or_insert(fresh);
                    if id == fresh {
                        sets.push(to);
                    }
                    *next = Some(id);
                }
            }
            made.next.push(row);
            made.accepts.push(set.contains(&last));
        }
        made
    }

    fn reach(&self, from: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = from.into_iter().collect();
        let mut seen: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(state) = open.pop() {
            open.extend(self.empty[state].iter().filter(|next| seen.insert(**next)));
        }
        seen
    }
}

#[test]
fn a_pattern_is_read_as_a_regex_reads_it() {
    for pattern in ["1[2-46]?\\d{2,3}", "(?:1|2[0-3\\d])4|5{2}", "(?:12?|3){2}4"] {
        let (automaton, regex) = (Automaton::of(pattern), crate::whole(pattern));
        for number in 0..99_999_u32 {
            let text = number.to_string();
            let end = text.bytes().try_fold(0, |state, b| automaton.step(state, usize::from(b - b'0')));
            assert_eq!(
                end.is_some_and(|end| automaton.accepts(end)),
                regex.is_match(&text),
                "{pattern} {text}"
            );
        }
    }
}
