//! What rules about texts and senders cost: a thousand content rules, a hundred sender patterns, a thousand names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the result")]

#[path = "stage/rules.rs"]
mod stage;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::policy::text::{
    Content, Keywords, NameMatch, ProtectedName, Registry, Scratch, SenderPattern, SenderSet, skeleton,
    to_gsm7_text,
};

use stage::{Draw, rules, texts};

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
        c.bench_function(&name, |b| b.iter(|| registry.holders(black_box(b"Acme 8ank 1")).count()));
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
