//! The table of numbering plans, compiled into a trie: a number is looked up in one walk over its first digits.

use std::sync::LazyLock;

use smallvec::SmallVec;

use super::{Country, Kind, Length, Look};

/// Compiled numbering plans.
#[derive(Clone, Debug)]
pub struct Plan {
    nodes: Vec<Node>,
    records: Vec<Record>,
}

/// A line of a table that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the numbering table: {what}")]
pub struct NotAPlan {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// A place in the trie below which numbers differ.
#[derive(Clone, Debug)]
struct Node {
    /// What follows a digit: nothing, another node, or with [`END`] set a record.
    next: [u16; 10],
    /// What is known of numbers that end here, and of all that begin so.
    record: u16,
}

/// What is known of the numbers with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    /// By length, each length in at most one of them.
    ranges: SmallVec<[Range; 2]>,
    /// What all numbers with the prefix have in common.
    all: Range,
}

/// Numbers of the same lengths, country and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    country: Option<Country>,
    kind: Kind,
    /// Bit n for n digits, the calling code among them.
    lengths: u32,
}

const END: u16 = 0x8000;
const TABLE: &str = include_str!("plan.txt");

static KNOWN: LazyLock<Plan> = LazyLock::new(|| {
    // A test reads the table that is built in.
    Plan::parse(TABLE).unwrap_or_else(|_| Plan::empty())
});

impl Plan {
    /// The plans of the world, as of the release. Compiled when first asked, which takes some milliseconds.
    #[must_use]
    pub fn known() -> &'static Self {
        &KNOWN
    }

    /// What the plan says of `number`: E.164 digits, the calling code first, without `+`. What is no digit ends it.
    #[must_use]
    pub fn look(&self, number: &[u8]) -> Look {
        let length = 1_u32.checked_shl(u32::try_from(number.len()).unwrap_or(u32::MAX)).unwrap_or(0);
        let mut at = &self.nodes[0];
        let mut digits = number.iter();
        loop {
            let next = match digits.next() {
                None => return self.record(at.record).look(length),
                Some(byte @ b'0'..=b'9') => at.next[usize::from(byte - b'0')],
                Some(_) => 0,
            };
            match next {
                0 => return self.record(at.record).look_beside(length),
                end if end & END != 0 => return self.record(end & !END).look(length),
                node => at = &self.nodes[usize::from(node)],
            }
        }
    }

    fn record(&self, id: u16) -> &Record {
        &self.records[usize::from(id)]
    }

    /// Reads a table: a line is a calling code, a country or `-`, a kind, the numbers of digits as `11` or `8,10-12`,
    /// and national prefixes: `*` for all, `71` for one, `7/134` for 71, 73 and 74. `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is not written so.
    pub fn parse(table: &str) -> Result<Self, NotAPlan> {
        let mut draft = Draft::new();
        for (row, line) in (1..).zip(table.lines()) {
            if !line.starts_with('#') && !line.is_empty() {
                draft.add(line).map_err(|what| NotAPlan { line: row, what })?;
            }
        }
        draft.finish().map_err(|what| NotAPlan { line: table.lines().count(), what })
    }

    fn empty() -> Self {
        let all = Range { country: None, kind: Kind::Other, lengths: 0 };
        let record = Record { ranges: SmallVec::new(), all };
        Self { nodes: vec![Node { next: [0; 10], record: 0 }], records: vec![record] }
    }
}

impl Record {
    /// Of a number that leads here.
    fn look(&self, length: u32) -> Look {
        match self.ranges.iter().find(|range| range.lengths & length != 0) {
            Some(range) => Look { country: range.country, kind: range.kind, length: Length::Fits },
            None => Look { country: self.all.country, kind: self.all.kind, length: self.all.compare(length) },
        }
    }

    /// Of a number that begins so and goes on as none that is given out. If everybody beside it is of one country, so
    /// is the range, should it be given out some day.
    fn look_beside(&self, length: u32) -> Look {
        Look { country: self.all.country, kind: Kind::Other, length: self.all.compare(length) }
    }
}

impl Range {
    fn compare(&self, length: u32) -> Length {
        let above_the_highest = 1_u32.checked_shl(u32::BITS - self.lengths.leading_zeros()).unwrap_or(0);
        match length {
            fits if fits & self.lengths != 0 => Length::Fits,
            long if long == 0 || long >= above_the_highest => Length::TooLong,
            _ => Length::TooShort,
        }
    }

    /// What both have in common.
    fn join(self, other: Self) -> Self {
        Self {
            country: self.country.filter(|country| other.country == Some(*country)),
            kind: if self.kind == other.kind { self.kind } else { Kind::Other },
            lengths: self.lengths | other.lengths,
        }
    }
}

/// A plan while it is read.
struct Draft {
    next: Vec<[u32; 10]>,
    /// Of the node at the same place.
    ranges: Vec<SmallVec<[Range; 2]>>,
}

impl Draft {
    fn new() -> Self {
        Self { next: vec![[0; 10]], ranges: vec![SmallVec::new()] }
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        let mut words = line.split_ascii_whitespace();
        let mut word = || words.next().ok_or("a word is missing");
        let code = word()?;
        let country = match word()? {
            "-" => None,
            country => Some(country.parse().map_err(|_| "no such country")?),
        };
        let kind = word()?.parse().map_err(|_| "no such kind")?;
        let range = Range { country, kind, lengths: lengths(word()?)? };
        let below = self.walk(0, code)?;
        for item in words {
            let (stem, lasts) = item.split_once('/').unwrap_or((item, ""));
            let node = if stem == "*" { below } else { self.walk(below, stem)? };
            for last in 0..lasts.len().max(1) {
                let node = self.walk(node, lasts.get(last..=last).unwrap_or_default())?;
                self.ranges[node].push(range);
            }
        }
        Ok(())
    }

    fn walk(&mut self, from: usize, digits: &str) -> Result<usize, &'static str> {
        let mut at = from;
        for byte in digits.bytes() {
            let digit = usize::from(byte.wrapping_sub(b'0'));
            let next = *self.next[at].get(digit).ok_or("a prefix is digits")?;
            at = if next == 0 {
                let fresh = self.next.len();
                self.next[at][digit] = u32::try_from(fresh).map_err(|_| "too many prefixes")?;
                self.next.push([0; 10]);
                self.ranges.push(SmallVec::new());
                fresh
            } else {
                next as usize
            };
        }
        Ok(at)
    }

    /// Nodes without children become records; equal records become one.
    fn finish(self) -> Result<Plan, &'static str> {
        let nothing = Range { country: None, kind: Kind::Other, lengths: 0 };
        let mut all: Vec<Option<Range>> =
            self.ranges.iter().map(|ranges| ranges.iter().copied().reduce(Range::join)).collect();
        // A child stands after its parent.
        for at in (0..self.next.len()).rev() {
            let below =
                self.next[at].iter().filter(|next| **next != 0).filter_map(|next| all[*next as usize]);
            all[at] = all[at].into_iter().chain(below).reduce(Range::join);
        }
        let mut records: Vec<Record> = Vec::new();
        let mut record_of = Vec::with_capacity(self.next.len());
        let mut known = std::collections::HashMap::new();
        for (ranges, all) in self.ranges.into_iter().zip(all) {
            let record = Record { ranges, all: all.unwrap_or(nothing) };
            let key: SmallVec<[_; 3]> =
                record.ranges.iter().chain([&record.all]).map(|r| (r.country, r.kind, r.lengths)).collect();
            let id = *known.entry(key).or_insert(records.len());
            if id == records.len() {
                records.push(record);
            }
            record_of.push(below_end(id)?);
        }
        let has_children = |at: usize| self.next[at].iter().any(|next| *next != 0);
        let mut place = vec![0_u16; self.next.len()];
        let mut nodes = 0;
        for (at, place) in place.iter_mut().enumerate() {
            if at == 0 || has_children(at) {
                *place = below_end(nodes)?;
                nodes += 1;
            } else {
                *place = record_of[at] | END;
            }
        }
        let node = |at: usize| Node {
            next: self.next[at].map(|next| if next == 0 { 0 } else { place[next as usize] }),
            record: record_of[at],
        };
        let nodes = (0..self.next.len()).filter(|at| *at == 0 || has_children(*at)).map(node).collect();
        Ok(Plan { nodes, records })
    }
}

fn below_end(id: usize) -> Result<u16, &'static str> {
    u16::try_from(id).ok().filter(|id| id & END == 0).ok_or("too many different prefixes")
}

/// `11`, `8,10-12`: a bit for each.
fn lengths(text: &str) -> Result<u32, &'static str> {
    const WRONG: &str = "numbers of digits are written as 8,10-12, and are 1 to 20";
    let number = |text: &str| text.parse().ok().filter(|n| (1..=20_u32).contains(n)).ok_or(WRONG);
    let mut set = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        set |= (first..=last).fold(0, |set, n| set | 1 << n);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "# two codes\n34 ES mobile 11 6 7/134\n34 ES fixed 11 9/18\n34 ES uan 9,13-14 90\n\n\
                         1 US fixed_or_mobile 11 201\n1 CA fixed_or_mobile 11 204\n1 - toll_free 11 800\n\
                         599 CW fixed 10 *\n";

    fn look(number: &str) -> (String, Kind, Length) {
        let look = Plan::parse(SMALL).unwrap().look(number.as_bytes());
        (look.country.map(|country| country.to_string()).unwrap_or_default(), look.kind, look.length)
    }

    #[test]
    fn the_range_of_a_number_says_whose_and_what_it_is() {
        use Length::{Fits, TooLong, TooShort};
        let expected = [
            ("34600000000", "ES", Kind::Mobile, Fits),
            ("34730000000", "ES", Kind::Mobile, Fits),
            ("34910000000", "ES", Kind::Fixed, Fits),
            ("3460000000", "ES", Kind::Mobile, TooShort),
            ("346000000000", "ES", Kind::Mobile, TooLong),
            ("34", "ES", Kind::Other, TooShort),
            ("34120000000", "ES", Kind::Other, Fits),
            ("34720000000", "ES", Kind::Other, Fits),
            ("12010000000", "US", Kind::FixedOrMobile, Fits),
            ("12040000000", "CA", Kind::FixedOrMobile, Fits),
            ("12050000000", "", Kind::Other, Fits),
            ("18000000000", "", Kind::TollFree, Fits),
            ("5991234567", "CW", Kind::Fixed, Fits),
            ("99900000000", "", Kind::Other, Fits),
            ("", "", Kind::Other, TooShort),
            ("3460000000000000000000000000000000000000", "ES", Kind::Mobile, TooLong),
        ];
        for (number, country, kind, length) in expected {
            assert_eq!(look(number), (country.to_owned(), kind, length), "{number}");
        }
    }

    #[test]
    fn a_prefix_may_mean_different_things_by_length() {
        assert_eq!(look("349000000"), ("ES".to_owned(), Kind::Uan, Length::Fits));
        assert_eq!(look("3490000000"), ("ES".to_owned(), Kind::Uan, Length::TooShort));
        assert_eq!(look("34900000000000").2, Length::Fits);
        assert_eq!(look("349000000000000").2, Length::TooLong);
    }

    #[test]
    fn what_is_no_number_does_no_harm() {
        for odd in ["ACME", "+34600000000", "34-600", "\u{e9}", "1\0"] {
            assert_eq!(look(odd).1, Kind::Other, "{odd}");
        }
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let at = |table: &str| Plan::parse(table).map(|_| ()).map_err(|e| e.line);
        assert_eq!(at("34 ES mobile 11 6\n34 XX mobile 11 6"), Err(2));
        for wrong in [
            "34",
            "34 ES fax 11 6",
            "34 ES mobile 0 6",
            "34 ES mobile 11 6/x",
            "3x ES mobile 11 6",
            "34 ES mobile 99 6",
        ] {
            assert_eq!(at(wrong), Err(1), "{wrong}");
        }
        assert_eq!(at(""), Ok(()));
    }

    #[test]
    fn the_table_that_is_built_in_can_be_read() {
        assert_eq!(Plan::parse(TABLE).map(|_| ()), Ok(()));
        let known = Plan::known();
        assert!(known.nodes.len() > 1_000, "{} nodes, {} records", known.nodes.len(), known.records.len());
    }
}
