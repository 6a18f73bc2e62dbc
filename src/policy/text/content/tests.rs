//! Rules of all kinds together, as the gate uses them.

use proptest::prelude::*;

use super::*;

fn words(words: &[&str], folded: bool) -> ContentRule {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    rule(ContentMatch::Words(WordRule { words, folded }))
}

fn rule(matches: ContentMatch) -> ContentRule {
    ContentRule { name: "rule".to_owned(), matches }
}

fn pattern(pattern: &str) -> ContentRule {
    rule(ContentMatch::Pattern(pattern.to_owned()))
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

fn found(content: &Content, text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    content.check(text, &mut Scratch::default(), |rule| found.push(rule));
    found
}

fn matches(rule: &ContentRule, text: &str) -> bool {
    found(&Content::compile(std::slice::from_ref(rule)).unwrap(), text) == [0]
}

#[test]
fn whole_words_are_found_in_any_case() {
    let rule = words(&["free", "act now", "Ärger", "$$$", "C++"], false);
    for text in [
        "FREE!",
        "it is free",
        "free",
        "Act  NOW please",
        "act\nnow",
        "ÄRGER",
        "ärger.",
        "win $$$ here",
        "xc$$$d",
        "c++ course",
    ] {
        assert!(matches(&rule, text), "{text}");
    }
    for text in [
        "freedom",
        "carefree",
        "free2",
        "actnow",
        "act right now",
        "Ärgernis",
        "Arger",
        "f r e e",
        "fr33",
        "abc++",
    ] {
        assert!(!matches(&rule, text), "{text}");
    }
}

#[test]
fn folded_words_are_found_when_spaced_or_replaced() {
    let rule = words(&["free", "viagra", "act now", "therapist", "all", "сталь"], true);
    for text in [
        "FREE!",
        "f r e e",
        "F.R.E.E",
        "f-r-3-e",
        "get a f r e e gift",
        "fr33",
        "frée",
        "v1agra",
        "V!AGRA",
        "v|agra",
        "V i a g r a",
        "vi@gra",
        "a c t n o w",
        "act, now",
        "4ct n0w",
        "a1l",
        "ƒree",
        "fr\u{200B}ee",
        "ｆｒｅｅ",
        "СТАЛЬ",
    ] {
        assert!(matches(&rule, text), "{text}");
    }
    for text in
        ["freedom", "carefree", "actnow", "the rapist", "dial 411", "f reedom", "fr ee", "actor nowhere"]
    {
        assert!(!matches(&rule, text), "{text}");
    }
}

#[test]
fn patterns_match_without_regard_to_case_unless_they_say_so() {
    assert!(matches(&pattern(r"win \d+ (euro|dollar)s?"), "WIN 500 Euros now"));
    assert!(!matches(&pattern(r"win \d+ (euro|dollar)s?"), "win many euros"));
    assert!(matches(&pattern(r"\b\d{16}\b"), "card 1234567812345678"));
    assert!(matches(&pattern("(?-i)URGENT"), "it is URGENT"));
    assert!(!matches(&pattern("(?-i)URGENT"), "it is urgent"));
    assert!(matches(&pattern(r"a\s+b"), "A \n B"));
    let many = [pattern(r"\d{4}"), pattern("[xyz]{3}"), pattern("free"), pattern(r"\d{2}")];
    assert_eq!(found(&Content::compile(&many).unwrap(), "free 12 xyz"), [1, 2, 3]);
}

#[test]
fn links_are_matched_by_their_domains() {
    let links = |rule: LinkRule| super::tests::rule(ContentMatch::Links(rule));
    let denied = links(LinkRule {
        deny: owned(&["bit.ly", "evil.ru"]),
        allow: owned(&["ok.evil.ru"]),
        ..LinkRule::default()
    });
    assert!(matches(&denied, "see https://bit.ly/x"));
    assert!(matches(&denied, "see bit.ly/x"));
    assert!(matches(&denied, "WWW.EVIL.RU"));
    assert!(!matches(&denied, "ok.evil.ru and habit.lying and rabbit.ly2"));
    let any = links(LinkRule { any: true, allow: owned(&["acme.com"]), ..LinkRule::default() });
    assert!(matches(&any, "acme.com and other.com"));
    assert!(matches(&any, "http://acme.com@other.com"));
    assert!(!matches(&any, "www.acme.com/x?y=other.com mail bob@other.com"));
    let alike = links(LinkRule {
        look_alikes_of: owned(&["acmebank.com"]),
        allow: owned(&["acmebank.es"]),
        ..LinkRule::default()
    });
    for text in [
        "acmebank.com.evil.ru",
        "http://acmebank-login.com/",
        "аcmebank.com",
        "xn--cmebank-1fg.com",
        "acmebamk.com",
        "acmebank.net",
    ] {
        assert!(matches(&alike, text), "{text}");
    }
    for text in ["acmebank.com", "https://www.acmebank.com/x", "acmebank.es", "other.com", "acmebank"] {
        assert!(!matches(&alike, text), "{text}");
    }
}

#[test]
fn every_rule_is_reported_once_and_in_order() {
    let links = LinkRule { any: true, ..LinkRule::default() };
    let rules = [
        rule(ContentMatch::Links(links)),
        words(&["free", "money"], false),
        pattern("mon.y"),
        words(&["free"], true),
        words(&["nothing"], false),
    ];
    let content = Content::compile(&rules).unwrap();
    assert_eq!(found(&content, "free money free money acme.com acme.com"), [0, 1, 2, 3]);
    assert_eq!(found(&content, ""), Vec::<usize>::new());
    let mut scratch = Scratch::default();
    content.check("free", &mut scratch, |_| {});
    content.check("harmless", &mut scratch, |rule| panic!("{rule} is left over"));
    Content::compile(&[pattern("x1")]).unwrap().check("x1", &mut scratch, |rule| assert_eq!(rule, 0));
    assert!(Content::default().is_empty() && !content.is_empty());
}

#[test]
fn what_cannot_be_compiled_is_named_by_its_place() {
    let fault = |bad: ContentRule| Content::compile(&[words(&["good"], false), bad]).unwrap_err();
    for bad in [
        words(&[], false),
        words(&[" "], false),
        words(&["..."], true),
        words(&[&"x".repeat(201)], false),
        pattern("("),
        pattern(""),
        rule(ContentMatch::Links(LinkRule::default())),
        rule(ContentMatch::Links(LinkRule { deny: owned(&["http://x.com"]), ..LinkRule::default() })),
        rule(ContentMatch::Links(LinkRule { look_alikes_of: owned(&["com"]), ..LinkRule::default() })),
    ] {
        assert_eq!(fault(bad.clone()).rule, 1, "{bad:?}");
    }
    assert!(Content::compile(&vec![words(&["a"], false); RULES_MAX + 1]).is_err());
}

#[test]
fn rules_are_stored_as_plain_data() {
    let json = r#"{"name":"n","matches":{"words":{"words":["a"]}}}"#;
    let rule: ContentRule = serde_json::from_str(json).unwrap();
    assert_eq!(rule.matches, ContentMatch::Words(WordRule { words: owned(&["a"]), folded: false }));
    let json = r#"{"name":"n","matches":{"links":{"deny":["bit.ly"]}}}"#;
    let rule: ContentRule = serde_json::from_str(json).unwrap();
    let octets = postcard::to_allocvec(&rule).unwrap();
    assert_eq!(postcard::from_bytes::<ContentRule>(&octets).unwrap(), rule);
}

proptest! {
    #[test]
    fn rules_together_match_what_they_match_alone(
        rules in proptest::collection::vec(
            prop_oneof![
                ("[ab ]{0,2}[ab][ab ]{0,2}", any::<bool>()).prop_map(|(word, folded)| words(&[&word], folded)),
                "[abc.]{1,3}[ab]".prop_map(|written| pattern(&written)),
            ],
            1..8,
        ),
        text in "[abcAB4 .\\-é]{0,24}",
    ) {
        let together = found(&Content::compile(&rules).unwrap(), &text);
        let alone: Vec<usize> = (0..rules.len()).filter(|place| matches(&rules[*place], &text)).collect();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn any_text_is_checked(text in "(\\PC|[.:/@]){0,80}") {
        let links = LinkRule { look_alikes_of: owned(&["acme.com"]), any: true, ..LinkRule::default() };
        let rules = [words(&["a"], true), words(&["é"], false), pattern(r"\w.\w"), rule(ContentMatch::Links(links))];
        let _ = found(&Content::compile(&rules).unwrap(), &text);
    }
}
