//! A thousand content rules and texts for them, the same in every run.

#![allow(dead_code, unreachable_pub, reason = "each bench takes what it needs")]

use tollgate::policy::text::content::WordRule;
use tollgate::policy::text::{ContentMatch, ContentRule, LinkRule};

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// One of a list.
    pub fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }

    /// A word of syllables, as words of languages are.
    pub fn word(&mut self) -> String {
        let syllables = 2 + self.below(3);
        (0..syllables).map(|_| self.of(SYLLABLES)).collect()
    }
}

const SYLLABLES: &[&str] = &[
    "ba", "con", "de", "er", "fi", "gra", "ho", "in", "ja", "ki", "lo", "man", "ne", "or", "pre", "qui",
    "ra", "sto", "ti", "un", "ver", "wa", "xe", "yo", "za", "cre", "dit", "loan", "ca", "sh",
];

/// Of what messages are made.
const TEXT_WORDS: &[&str] = &[
    "Your",
    "code",
    "is",
    "123456",
    "do",
    "not",
    "share",
    "it",
    "with",
    "anyone",
    "Dear",
    "customer",
    "the",
    "order",
    "has",
    "been",
    "sent",
    "and",
    "will",
    "arrive",
    "on",
    "Monday",
    "between",
    "10:00",
    "and",
    "14:00.",
    "Thank",
    "you",
    "for",
    "your",
    "payment",
    "of",
    "EUR",
    "25.50,",
    "appointment",
    "tomorrow",
    "at",
    "Please",
    "call",
    "us",
    "if",
    "need",
    "to",
    "change",
    "balance",
    "account",
    "ending",
    "1234",
    "Reply",
    "STOP",
    "out!",
    "meeting",
    "parcel",
];

/// Texts of 160 characters as people and programs send them.
pub fn texts(draw: &mut Draw, links: bool) -> Vec<String> {
    let one = |draw: &mut Draw| {
        let mut text = String::new();
        if links {
            text.push_str("see https://www.acme.com/track?id=1 ");
        }
        while text.len() < 160 {
            text.push_str(draw.of(TEXT_WORDS));
            text.push(' ');
        }
        text.truncate(160);
        text
    };
    (0..256).map(|_| one(draw)).collect()
}

/// 700 rules of three words, every fifth of them folded or none; 290 patterns; 10 link rules.
pub fn rules(draw: &mut Draw, folded: bool) -> Vec<ContentRule> {
    let mut rules = Vec::new();
    for number in 0..700 {
        let words = (0..3).map(|_| draw.word()).collect();
        rules.push(ContentMatch::Words(WordRule { words, folded: folded && number % 5 == 0 }));
    }
    for number in 0..290 {
        let (a, b) = (draw.word(), draw.word());
        rules.push(ContentMatch::Pattern(match number % 5 {
            0 => format!(r"\b{a}\s+{b}\b"),
            1 => format!(r"{a}.*{b}"),
            2 => format!(r"({a}|{b})\s*\d+"),
            3 => format!(r"win\s+\d+\s+{a}"),
            _ => format!(r"{a}s?[ -]?{b}"),
        }));
    }
    for _ in 0..10 {
        let domains: Vec<String> = (0..20).map(|_| format!("{}.com", draw.word())).collect();
        rules.push(ContentMatch::Links(LinkRule {
            look_alikes_of: domains.clone(),
            deny: domains.iter().map(|domain| format!("x{domain}")).collect(),
            ..LinkRule::default()
        }));
    }
    let named = |(number, matches)| ContentRule { name: format!("rule {number}"), matches };
    rules.into_iter().enumerate().map(named).collect()
}
