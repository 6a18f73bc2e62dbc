//! Keywords in messages from phones: who wants out, in again, or help, in the words of many languages.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::invisible::vanishes;
use super::unicode::greek_capital;

/// What the owner of a phone wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// No more messages.
    Out,
    /// Messages again.
    In,
    /// To be told how it goes.
    Help,
}

/// The words for each wish. Case, marks, punctuation and signs around and between words do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keywords {
    /// Folded, words with one blank between them.
    words: HashMap<String, Wish>,
    /// Of the longest keyword, in words.
    longest: usize,
}

/// The longest text, in octets of UTF-8, that can be a wish; longer ones are not looked at.
const WISH_MAX: usize = 320;

/// The longest first word, in characters, that can be a keyword.
const KEYWORD_MAX: usize = 40;

impl Default for Keywords {
    /// English, Spanish, French, German, Italian, Portuguese, Dutch, Polish, Swedish, Turkish, Russian, Greek, Arabic.
    fn default() -> Self {
        let mut keywords = Self::none();
        for (wish, words) in [(Wish::Out, OUT), (Wish::In, IN), (Wish::Help, HELP)] {
            for words in words {
                keywords.add(wish, words);
            }
        }
        keywords
    }
}

impl Keywords {
    /// No words, so no wishes: to begin a list that replaces the default one.
    #[must_use]
    pub fn none() -> Self {
        Self { words: HashMap::new(), longest: 0 }
    }

    /// Adds the keywords in `words`, with commas or lines between them; one that is there already changes its wish.
    /// What has neither letters nor digits is left out.
    pub fn add(&mut self, wish: Wish, words: &str) {
        for written in words.split([',', '\n']) {
            let folded = folded_words(written);
            if !folded.is_empty() {
                self.longest = self.longest.max(folded.len());
                self.words.insert(folded.join(" "), wish);
            }
        }
    }

    /// Replaces the keywords of one wish.
    pub fn replace(&mut self, wish: Wish, words: &str) {
        self.words.retain(|_, known| *known != wish);
        self.add(wish, words);
    }

    /// What `text` asks for: when it is a keyword, or a keyword and one more word (`STOP ACME`).
    #[must_use]
    pub fn wish(&self, text: &str) -> Option<Wish> {
        if text.len() > WISH_MAX {
            return None;
        }
        let words = folded_words(text);
        if words.is_empty() || words.len() > self.longest + 1 {
            return None;
        }
        let known = |words: &[String]| self.words.get(&words.join(" ")).copied();
        known(&words).or_else(|| known(&words[..words.len() - 1]))
    }
}

/// The first word of a text, folded as [`Keywords`] folds it; `None` if there is none within 40 characters.
///
/// A keyword that is configured for a route is folded by the same function before the two are compared.
#[must_use]
pub fn keyword(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut length = 0;
    for character in folded(text) {
        match character.is_alphanumeric() {
            true if length == KEYWORD_MAX => return None,
            true => {
                word.push(character);
                length += 1;
            }
            false if word.is_empty() => {}
            false => break,
        }
    }
    Some(word).filter(|word| !word.is_empty())
}

fn folded_words(text: &str) -> Vec<String> {
    let folded: String = folded(text).collect();
    folded
        .split(|character: char| !character.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Without case and marks. Greek as phones write it in the GSM alphabet, where half of it is Latin capitals.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfkd()
        .filter(|character| {
            !is_combining_mark(*character) && !vanishes(*character) && *character != '\u{640}'
        })
        .map(|character| greek_capital(character).unwrap_or(character))
        .flat_map(char::to_lowercase)
        // What a capital İ, and a capital I written small in Turkish, leave behind.
        .filter(|character| !is_combining_mark(*character))
        .map(|character| match character {
            'ı' => 'i',
            'ł' => 'l',
            'ø' => 'o',
            'đ' => 'd',
            'ς' => 'σ',
            other => other,
        })
}

/// A language a line: English, Spanish, French, German, Italian, Portuguese, Dutch, Polish, Swedish, Turkish, Russian,
/// Greek, Arabic.
const OUT: &[&str] = &[
    "STOP, STOPALL, STOP ALL, UNSUBSCRIBE, UNSUB, CANCEL, END, QUIT, REVOKE, OPTOUT, OPT OUT, REMOVE",
    "BAJA, ALTO, PARAR, CANCELAR, DARSE DE BAJA, DAR DE BAJA, NO MAS",
    "ARRET, ARRETER, ARRETEZ, DESABONNER, DESABONNEMENT, DESINSCRIRE, DESINSCRIPTION, RESILIER",
    "STOPP, ABMELDEN, ABMELDUNG, ABBESTELLEN, ENDE, KÜNDIGEN",
    "ANNULLA, CANCELLA, CANCELLAMI, DISISCRIVI, DISISCRIVIMI, BASTA, FERMA",
    "SAIR, PARE, REMOVER, DESCADASTRAR, CANCELAR SUBSCRICAO",
    "AFMELDEN, UITSCHRIJVEN, OPZEGGEN, STOPPEN",
    "REZYGNUJE, REZYGNACJA, WYPISZ, KONIEC, ANULUJ, ZATRZYMAJ",
    "AVSLUTA, SLUTA, AVREGISTRERA, AVANMÄL",
    "DUR, DURDUR, İPTAL, RET, ÇIK, AYRIL",
    "СТОП, ОТПИСКА, ОТПИСАТЬСЯ, ОТПИШИТЕ, ОТМЕНА, ОТКАЗ",
    "ΣΤΟΠ, ΔΙΑΓΡΑΦΗ, ΤΕΛΟΣ, ΑΚΥΡΩΣΗ, ΔΙΑΚΟΠΗ",
    "توقف, إيقاف, قف, إلغاء, إلغاء الاشتراك",
];

const IN: &[&str] = &[
    "START, UNSTOP, SUBSCRIBE, RESUME, OPTIN, OPT IN, JOIN",
    "ALTA, DAR DE ALTA, INICIAR, SUSCRIBIR",
    "DEBUT, REPRENDRE, ABONNER, INSCRIRE",
    "ANMELDEN, ANMELDUNG, STARTEN",
    "INIZIA, ATTIVA, ISCRIVI, ISCRIVIMI",
    "INICIO, COMEÇAR, ENTRAR, ASSINAR",
    "AANMELDEN, INSCHRIJVEN",
    "ZAPISZ, WZNÓW, WŁĄCZ",
    "STARTA, ANMÄL, REGISTRERA",
    "BAŞLA, BAŞLAT, KABUL, KATIL",
    "СТАРТ, ПОДПИСКА, ПОДПИСАТЬСЯ",
    "ΕΝΑΡΞΗ, ΕΓΓΡΑΦΗ",
    "ابدأ, بدء, اشتراك, اشترك",
];

const HELP: &[&str] = &[
    "HELP, INFO, SUPPORT",
    "AYUDA",
    "AIDE",
    "HILFE",
    "AIUTO",
    "AJUDA",
    "HULP",
    "POMOC",
    "HJÄLP",
    "YARDIM, BİLGİ",
    "ПОМОЩЬ, СПРАВКА, ИНФО",
    "ΒΟΗΘΕΙΑ, ΠΛΗΡΟΦΟΡΙΕΣ",
    "مساعدة, معلومات",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_are(wish: Wish, texts: &[&str]) {
        let keywords = Keywords::default();
        for text in texts {
            assert_eq!(keywords.wish(text), Some(wish), "{text}");
        }
    }

    #[test]
    fn who_wants_out_says_so_in_any_language() {
        all_are(
            Wish::Out,
            &["STOP", "StopAll", "stop all", "unsubscribe", "Cancel", "END", "quit", "opt-out", "Opt out"],
        );
        all_are(Wish::Out, &["BAJA", "Alto", "parar", "cancelar", "no más"]);
        all_are(Wish::Out, &["ARRÊT", "arret", "désabonner", "Résilier"]);
        all_are(Wish::Out, &["Stopp", "ABMELDEN", "abbestellen", "kündigen", "KUNDIGEN"]);
        all_are(Wish::Out, &["annulla", "CANCELLAMI", "basta"]);
        all_are(Wish::Out, &["SAIR", "pare", "cancelar subscrição"]);
        all_are(Wish::Out, &["afmelden", "uitschrijven"]);
        all_are(Wish::Out, &["rezygnuję", "REZYGNUJE", "wypisz"]);
        all_are(Wish::Out, &["avsluta", "avanmäl", "AVANMAL"]);
        all_are(Wish::Out, &["dur", "İPTAL", "iptal", "ıptal", "çık", "CIK", "ÇIK"]);
        all_are(Wish::Out, &["стоп", "СТОП", "Отписаться", "отмена"]);
        all_are(Wish::Out, &["στοπ", "ΣΤΟΠ", "ΣTOΠ", "τέλος", "ΤΕΛΟΣ", "διαγραφή"]);
        all_are(Wish::Out, &["توقف", "إلغاء", "الغاء", "إِيقَاف", "تـوقف", "الغاء الاشتراك"]);
    }

    #[test]
    fn who_wants_in_again_or_help_says_so_in_any_language() {
        let words_in =
            ["start", "UNSTOP", "Alta", "début", "anmelden", "iscrivimi", "começar", "aanmelden", "włącz"];
        all_are(Wish::In, &words_in);
        all_are(Wish::In, &["anmäl", "başla", "BASLA", "старт", "έναρξη", "اشتراك"]);
        all_are(
            Wish::Help,
            &["help", "INFO", "ayuda", "aide", "Hilfe", "aiuto", "ajuda", "hulp", "pomoc", "hjälp"],
        );
        all_are(Wish::Help, &["yardım", "YARDIM", "помощь", "βοήθεια", "BOHΘEIA", "مساعدة"]);
    }

    #[test]
    fn what_stands_around_a_keyword_does_not_count() {
        all_are(
            Wish::Out,
            &["  stop\n", "\"STOP\"", "«Stop»", "STOP!!!", "¡BAJA!", "stop.", "'stop'", "(stop)", "- stop -"],
        );
        all_are(
            Wish::Out,
            &[
                "STOP 😡",
                "ＳＴＯＰ",
                "st\u{200B}op",
                "STOP ACME",
                "Stop, ACME!",
                "stop 22000",
                "stop all acme",
            ],
        );
    }

    #[test]
    fn a_sentence_that_begins_with_a_keyword_is_no_wish() {
        let keywords = Keywords::default();
        for text in [
            "Stop by tomorrow at five",
            "Please stop",
            "end of the month",
            "Help me with my bag please",
            "start the car now",
            "Alto riesgo de lluvia",
            "basta così grazie mille",
            "info about the trip",
            "I will not stop",
            "nonstop",
            "stopping",
            "stopwatch",
            "Hilfe kommt gleich",
            "стоп машина ехать",
            "",
            "!!!",
            "😀",
            "hello",
        ] {
            assert_eq!(keywords.wish(text), None, "{text}");
        }
        assert_eq!(keywords.wish(&format!("stop{}", " ".repeat(400))), None, "too long to be looked at");
    }

    #[test]
    fn lists_are_replaced_or_added_to() {
        let mut keywords = Keywords::default();
        keywords.add(Wish::Out, "Fuera, ya basta,,!\nno quiero más");
        assert_eq!(keywords.wish("FUERA"), Some(Wish::Out));
        assert_eq!(keywords.wish("¡No quiero mas!"), Some(Wish::Out));
        assert_eq!(keywords.wish("stop"), Some(Wish::Out));
        keywords.replace(Wish::Out, "LEAVE");
        assert_eq!(keywords.wish("stop"), None);
        assert_eq!(keywords.wish("leave"), Some(Wish::Out));
        assert_eq!(keywords.wish("start"), Some(Wish::In));
        assert_eq!(Keywords::none().wish("stop"), None);
    }

    #[test]
    fn the_first_word_is_folded_as_keywords_are() {
        for (text, word) in [
            ("WIN a car", Some("win")),
            ("  \"Café\" now", Some("cafe")),
            ("#Vote4 me", Some("vote4")),
            ("ÇIK", Some("cik")),
            ("ΣTOΠ", Some("σtoπ")),
            ("ΣΤΟΠ", Some("σtoπ")),
            ("СТОП", Some("стоп")),
            ("a-b", Some("a")),
            ("...", None),
            ("", None),
        ] {
            assert_eq!(keyword(text).as_deref(), word, "{text}");
        }
        assert_eq!(keyword(&"x".repeat(40)).map(|word| word.len()), Some(40));
        assert_eq!(keyword(&"x".repeat(41)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _ = Keywords::default().wish(&text);
            if let Some(word) = keyword(&text) {
                prop_assert!(!word.contains(' '));
            }
        }
    }
}
