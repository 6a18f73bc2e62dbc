//! Any rules over any text: compiled or refused, found together as alone; and every other reading of the text.
//!
//! A line is a rule by its first letter (w words, f folded words, p pattern, l link rule, s sender pattern, n protected
//! name); all other lines are the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_proto::text::gsm7::{Tables, septets};
use tollgate::policy::text::content::WordRule;
use tollgate::policy::text::{
    Content, ContentMatch, ContentRule, Keywords, LinkRule, NameMatch, ProtectedName, Registry, Scratch,
    SenderPattern, SenderSet, keyword, skeleton, to_gsm7_text,
};

/// Rules of one input: compiling them is what takes long.
const RULES: usize = 8;

fuzz_target!(|octets: &[u8]| {
    let input = String::from_utf8_lossy(octets);
    let (mut rules, mut patterns, mut names, mut text) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for line in input.split('\n') {
        match line.split_once(' ') {
            Some(("s", written)) => patterns.extend(written.parse::<SenderPattern>()),
            Some(("n", name)) => names.push(name.to_owned()),
            Some((kind, written)) if rules.len() < RULES && matches!(kind, "w" | "f" | "p" | "l") => {
                rules.push(rule(kind, written));
            }
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    check(&rules, &text);
    read(&text);
    senders(&patterns, names, &text);
});

fn rule(kind: &str, written: &str) -> ContentRule {
    let list = |written: &str| written.split(',').map(str::to_owned).collect::<Vec<_>>();
    let matches = match kind {
        "w" | "f" => ContentMatch::Words(WordRule { words: list(written), folded: kind == "f" }),
        "p" => ContentMatch::Pattern(written.to_owned()),
        _ => {
            let mut lists = written.split(';').map(|part| if part.is_empty() { Vec::new() } else { list(part) });
            ContentMatch::Links(LinkRule {
                allow: lists.next().unwrap_or_default(),
                deny: lists.next().unwrap_or_default(),
                look_alikes_of: lists.next().unwrap_or_default(),
                any: lists.next().is_some(),
            })
        }
    };
    ContentRule { name: String::new(), matches }
}

fn check(rules: &[ContentRule], text: &str) {
    let content = match Content::compile(rules) {
        Ok(content) => content,
        Err(fault) => {
            assert!(fault.rule < rules.len() && !fault.why.is_empty() && !fault.why.contains('\n'));
            return;
        }
    };
    let mut scratch = Scratch::default();
    let mut find = |content: &Content| {
        let mut found = Vec::new();
        content.check(text, &mut scratch, |rule| found.push(rule));
        found
    };
    let together = find(&content);
    assert!(together.windows(2).all(|pair| pair[0] < pair[1]), "each once and in order");
    assert_eq!(together, find(&content), "nothing is left over");
    for (place, rule) in rules.iter().enumerate() {
        let alone = Content::compile(std::slice::from_ref(rule)).expect("it could be compiled with others");
        assert_eq!(!find(&alone).is_empty(), together.contains(&place), "rule {place} alone");
    }
}

fn read(text: &str) {
    if let Some(plain) = to_gsm7_text(text) {
        assert!(septets(&plain, Tables::default()).is_some(), "{plain:?} is not GSM");
        assert_eq!(to_gsm7_text(&plain).as_ref(), Some(&plain));
    }
    if septets(text, Tables::default()).is_some() {
        assert_eq!(to_gsm7_text(text).as_deref(), Some(text));
    }
    let look = skeleton(text);
    assert_eq!(skeleton(&look), look);
    let _ = Keywords::default().wish(text);
    let word = keyword(text);
    assert!(word.is_none_or(|word| word.chars().count() <= 40 && word.chars().all(char::is_alphanumeric)));
}

fn senders(patterns: &[SenderPattern], names: Vec<String>, text: &str) {
    let source = &text.as_bytes()[..text.len().min(64)];
    let one = patterns.iter().any(|pattern| pattern.has(source));
    assert_eq!(SenderSet::new(patterns).has(source), one);
    for matches in [NameMatch::Whole, NameMatch::Contained] {
        let entry = |(account, name): (u32, &String)| ProtectedName { name: name.clone(), accounts: vec![account], matches };
        if let Ok(registry) = Registry::new((0..).zip(&names).map(entry).collect()) {
            let _ = registry.holders(source).count();
            for (account, name) in (0..).zip(&names).filter(|(_, name)| name.is_ascii()) {
                let held = registry.holders(name.as_bytes()).next();
                assert!(held.is_some_and(|held| matches == NameMatch::Contained || held.accounts == [account]));
            }
        }
    }
}
