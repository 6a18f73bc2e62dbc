//! What rules about texts and senders cost: a thousand content rules, a hundred sender patterns, a thousand names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::policy::text::content::WordRule;
use tollgate::policy::text::{
    Content, ContentMatch, ContentRule, Keywords, LinkRule, NameMatch, ProtectedName, Registry, Scratch,
    SenderPattern, SenderSet, skeleton, to_gsm7_text,
};

/// Numbers that look random and are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len() as u64) as usize]
    }

    /// A word of syllables, as words of languages are.
    fn word(&mut self) -> String {
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

fn texts(draw: &mut Draw, links: bool) -> Vec<String> {
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
fn rules(draw: &mut Draw, folded: bool) -> Vec<ContentRule> {
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

fn content(c: &mut Criterion) {
    let mut draw = Draw(1);
    let (plain_texts, linked) = (texts(&mut draw, false), texts(&mut draw, true));
    let cyrillic: Vec<String> = plain_texts
        .iter()
        .map(|text| text.chars().take(70).map(|c| if c == 'e' { 'е' } else { c }).collect())
        .collect();
    let mut group = c.benchmark_group("content, 1000 rules");
    for (name, folded) in [("", false), (", 140 of them folded", true)] {
        let content = Content::compile(&rules(&mut draw, folded)).unwrap();
        let mut scratch = Scratch::default();
        for (kind, texts) in
            [("160 characters", &plain_texts), ("with a link", &linked), ("70 of UCS2", &cyrillic)]
        {
            let mut next = texts.iter().cycle();
            group.bench_function(format!("{kind}{name}"), |b| {
                b.iter(|| {
                    let mut found = 0;
                    content.check(black_box(next.next().unwrap()), &mut scratch, |_| found += 1);
                    found
                });
            });
        }
    }
    let rules = rules(&mut draw, true);
    group.sample_size(10).bench_function("compile", |b| b.iter(|| Content::compile(&rules).unwrap()));
    group.finish();
}

fn senders(c: &mut Criterion) {
    let mut draw = Draw(2);
    let patterns: Vec<SenderPattern> = (0..100)
        .map(|number| {
            let word = draw.word();
            let written = match number % 10 {
                0..=5 => word,
                6 => format!("{word}*"),
                7 => format!("*{word}"),
                8 => format!("*{word}*"),
                _ => format!("{}?{word}*x", &word[..2]),
            };
            written.parse().unwrap()
        })
        .collect();
    let set = SenderSet::new(&patterns);
    c.bench_function("sender among 100 patterns", |b| b.iter(|| set.has(black_box(b"loandeAcmeB"))));
    for matches in [NameMatch::Whole, NameMatch::Contained] {
        let entries: Vec<ProtectedName> = (0..1_000_u32)
            .map(|number| ProtectedName {
                name: format!("{}{number}", draw.word()),
                accounts: vec![number],
                matches,
            })
            .collect();
        let registry = Registry::new(entries).unwrap();
        let name = format!("holder among 1000 names, {matches:?}");
        c.bench_function(&name, |b| b.iter(|| registry.holder(black_box(b"Acme 8ank 1"))));
    }
}

fn readings(c: &mut Criterion) {
    c.bench_function("skeleton of 11 characters", |b| b.iter(|| skeleton(black_box("Acme 8ank 1"))));
    c.bench_function("skeleton of 11 Cyrillic characters", |b| b.iter(|| skeleton(black_box("АСМЕ ВАNК 1"))));
    let text = "“Привет” – ваш заказ № 12345 готов, ждём вас завтра…";
    c.bench_function("GSM reading of 52 characters", |b| b.iter(|| to_gsm7_text(black_box(text))));
    let keywords = Keywords::default();
    c.bench_function("wish", |b| b.iter(|| keywords.wish(black_box("¡Stop acme!"))));
}

criterion_group!(benches, content, senders, readings);
criterion_main!(benches);
