//! The numbering table that the daemon has built in, made from public metadata and compared with it.
//!
//! `src/policy/number/plan.txt` is made here from the metadata of libphonenumber, which the crate `phonenumber` carries;
//! to write it anew after an update of that crate: `TOLLGATE_NUMBERING=write cargo test --test numbering`. The patterns of
//! the metadata are run as automata side by side, and a prefix becomes an entry where it decides, by the length of the
//! number, whose the number is and of what kind. The comparison reads the same patterns with a regex library instead.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod pattern;
mod region;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use regex::Regex;
use tollgate::policy::number::{Country, Kind, Length, Plan};

use self::region::{Answer, Code, Place};

/// The longest national number of any plan.
const LONGEST: usize = 17;
/// How many national digits an entry may have. Seven decide everything in the metadata of 2026.
const DEEPEST: usize = 9;

/// A pattern that must match a whole number.
fn whole(pattern: &str) -> Regex {
    let bare: String = pattern.split_ascii_whitespace().collect();
    Regex::new(&format!("^(?:{bare})$")).expect("a pattern of the metadata")
}

/// The answers of all numbers below a place, by the length of the national number.
type Below = BTreeMap<usize, BTreeSet<Answer>>;

/// Finds the entries of one calling code.
struct Cutter<'c> {
    code: &'c Code,
    below: HashMap<(Place, usize), Rc<Below>>,
    /// National prefixes by answer and numbers of national digits.
    entries: BTreeMap<(Answer, Vec<usize>), Vec<String>>,
}

impl Cutter<'_> {
    fn below(&mut self, place: &Place, digits: usize) -> Rc<Below> {
        if let Some(known) = self.below.get(&(place.clone(), digits)) {
            return Rc::clone(known);
        }
        let mut below = Below::new();
        if let Some(answer) = self.code.answer_at(place, digits) {
            below.entry(digits).or_default().insert(answer);
        }
        if digits < LONGEST && place.iter().any(Option::is_some) {
            for digit in 0..10 {
                for (length, answers) in self.below(&self.code.step(place, digit), digits + 1).iter() {
                    below.entry(*length).or_default().extend(answers);
                }
            }
        }
        let below = Rc::new(below);
        self.below.insert((place.clone(), digits), Rc::clone(&below));
        below
    }

    fn cut(&mut self, place: &Place, prefix: &str) {
        let below = self.below(place, prefix.len());
        let decides = below.values().all(|answers| answers.len() == 1);
        assert!(decides || prefix.len() < DEEPEST, "+{} {prefix} does not decide", self.code.digits);
        let mut by_answer: BTreeMap<Answer, Vec<usize>> = BTreeMap::new();
        for (length, answers) in below.iter().filter(|(length, _)| decides || **length == prefix.len()) {
            for answer in answers {
                by_answer.entry(*answer).or_default().push(*length);
            }
        }
        for entry in by_answer {
            self.entries.entry(entry).or_default().push(prefix.to_owned());
        }
        if !decides {
            for digit in 0..10 {
                self.cut(&self.code.step(place, digit), &format!("{prefix}{digit}"));
            }
        }
    }
}

fn table(codes: &[Code]) -> String {
    let mut out = "# Numbering plans: calling code, country, kind, numbers of digits with the calling code, national prefixes.\n\
                   # Made by tests/numbering from the metadata of libphonenumber (Apache-2.0); do not edit.\n"
        .to_owned();
    for code in codes {
        let mut cutter = Cutter { code, below: HashMap::new(), entries: BTreeMap::new() };
        cutter.cut(&code.begin(), "");
        for (((country, kind), lengths), prefixes) in &cutter.entries {
            let country = country.map_or("-", Country::code);
            let head = format!("{} {country} {kind} {}", code.digits, ranges(lengths, code.digits.len()));
            let mut line = head.clone();
            for item in items(prefixes) {
                if line.len() + item.len() > 118 {
                    let _ = writeln!(out, "{line}");
                    line.clone_from(&head);
                }
                let _ = write!(line, " {item}");
            }
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// `8,10-12`.
fn ranges(lengths: &[usize], more: usize) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for length in lengths.iter().map(|length| length + more) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == length => *last = length,
            _ => runs.push((length, length)),
        }
    }
    let texts: Vec<_> = runs
        .into_iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    texts.join(",")
}

/// Prefixes that differ in the last digit become one item.
fn items(prefixes: &[String]) -> Vec<String> {
    let mut stems: BTreeMap<&str, String> = BTreeMap::new();
    for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty()) {
        let (stem, last) = prefix.split_at(prefix.len() - 1);
        stems.entry(stem).or_default().push_str(last);
    }
    let all = prefixes.iter().filter(|prefix| prefix.is_empty()).map(|_| "*".to_owned());
    let one = |(stem, lasts): (&str, String)| {
        if lasts.len() == 1 { format!("{stem}{lasts}") } else { format!("{stem}/{lasts}") }
    };
    all.chain(stems.into_iter().map(one)).collect()
}

#[test]
fn the_table_is_what_the_metadata_says() {
    let table = table(&Code::all());
    assert!(table.len() < 300_000, "the table has {} octets", table.len());
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/policy/number/plan.txt");
    if std::env::var_os("TOLLGATE_NUMBERING").is_some_and(|wish| wish == "write") {
        fs::write(&file, &table).expect("the table is written");
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == table,
        "plan.txt is not what the metadata says; write it with TOLLGATE_NUMBERING=write"
    );
    Plan::parse(&table).expect("the table can be read");
}

/// Compares one number; answers whether the metadata knows it.
fn compare(code: &Code, national: &str) -> bool {
    let look = Plan::known().look(format!("{}{national}", code.digits).as_bytes());
    match code.answer(national) {
        Some(answer) => {
            assert_eq!((look.country, look.kind), answer, "+{} {national}", code.digits);
            assert_eq!(look.length, Length::Fits, "+{} {national}", code.digits);
            true
        }
        // A range that is not given out is of the country around it, or of nobody: never of one without the code.
        None => {
            let at_home = |country| code.regions.iter().any(|region| region.country == Some(country));
            assert!(look.country.is_none_or(at_home), "+{} {national}", code.digits);
            false
        }
    }
}

#[test]
fn the_examples_of_every_region_are_found() {
    let mut kinds = BTreeSet::new();
    for code in Code::all() {
        for example in code.examples() {
            if compare(&code, example) {
                kinds.insert(code.answer(example).expect("known").1);
            }
        }
    }
    assert_eq!(kinds, Kind::ALL.into_iter().collect());
}

#[test]
fn numbers_drawn_in_every_code_are_found_and_more_of_them_where_countries_share_one() {
    let mut rng = StdRng::seed_from_u64(5);
    for code in Code::all() {
        let examples: Vec<&str> = code.examples().collect();
        let (mut known, wanted) = (0, if code.regions.len() > 1 { 2_000 } else { 40 });
        for _ in 0..wanted * 100 {
            // Half of them near an example, or the plans of small islands would never be met.
            let mut digits = vec![b'0'; rng.random_range(4..=12)];
            rng.fill(&mut digits[..]);
            digits.iter_mut().for_each(|digit| *digit = b'0' + *digit % 10);
            if !examples.is_empty() && rng.random_bool(0.5) {
                let example = examples[rng.random_range(0..examples.len())].as_bytes();
                let kept = rng.random_range(1..=example.len());
                digits.resize(example.len(), b'5');
                digits[..kept].copy_from_slice(&example[..kept]);
            }
            known += i32::from(compare(&code, std::str::from_utf8(&digits).expect("digits")));
            if known == wanted {
                break;
            }
        }
        assert!(known == wanted, "only {known} numbers of +{} were met", code.digits);
    }
}

#[test]
fn numbers_that_people_know_are_what_they_are() {
    let known = [
        ("34600000000", "ES", Kind::Mobile),
        ("34910000000", "ES", Kind::Fixed),
        ("34803000000", "ES", Kind::Premium),
        ("447400123456", "GB", Kind::Mobile),
        ("447781123456", "GG", Kind::Mobile),
        ("447700312345", "JE", Kind::Mobile),
        ("447624212345", "IM", Kind::Mobile),
        ("12125550100", "US", Kind::FixedOrMobile),
        ("14165550100", "CA", Kind::FixedOrMobile),
        ("18765230123", "JM", Kind::FixedOrMobile),
        ("79161234567", "RU", Kind::Mobile),
        ("77012345678", "KZ", Kind::Mobile),
        ("390669812345", "VA", Kind::Fixed),
        ("393331234567", "IT", Kind::Mobile),
        ("8613912345678", "CN", Kind::Mobile),
        ("919812345678", "IN", Kind::Mobile),
        ("5491123456789", "AR", Kind::Mobile),
        ("80012345678", "", Kind::TollFree),
    ];
    for (number, country, kind) in known {
        let look = Plan::known().look(number.as_bytes());
        let code = look.country.map(Country::code).unwrap_or_default();
        assert_eq!((code, look.kind, look.length), (country, kind, Length::Fits), "{number}");
    }
}
