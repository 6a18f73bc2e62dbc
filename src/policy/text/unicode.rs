//! A plain reading of a text: what a human reads as the same, in the GSM 7-bit alphabet.

use deunicode::deunicode_char;
use smpp_proto::text::gsm7::{Tables, septets};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, decompose_canonical, decompose_compatible, is_combining_mark};

use super::invisible::vanishes;

/// `text` in the default alphabet and its extension (3GPP TS 23.038 §6.2.1), or `None` if it holds something that has
/// no equal reading there: other scripts than Latin, Greek, Cyrillic, Armenian and Georgian, emoji, control characters.
///
/// What is in the alphabet stays as it is. Typographic signs become plain ones, Latin letters lose the marks that the
/// alphabet does not have, Greek becomes the capitals that phones show for it, the other scripts are transliterated,
/// and what has no width vanishes. The result may be longer than the text, at most eighteen-fold.
#[must_use]
pub fn to_gsm7_text(text: &str) -> Option<String> {
    if septets(text, Tables::default()).is_some() {
        return Some(text.to_owned());
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.nfc() {
        push_plain(character, &mut plain)?;
    }
    Some(plain)
}

/// `None` when there is no equal reading.
fn push_plain(character: char, plain: &mut String) -> Option<()> {
    if is_gsm(character) {
        plain.push(character);
        return Some(());
    }
    // A mark that did not join with its letter is one that the alphabet cannot show.
    if vanishes(character) || is_free_mark(character) {
        return Some(());
    }
    if let Some(sign) = plain_sign(character) {
        plain.push_str(sign);
        return Some(());
    }
    let letter = without_marks(character);
    if is_gsm(letter) {
        plain.push(letter);
        return Some(());
    }
    push_letter(letter, plain).or_else(|| push_compatible(letter, plain))
}

/// A letter of an alphabet that is written in Latin letters without loss.
fn push_letter(letter: char, plain: &mut String) -> Option<()> {
    if let Some(capital) = greek_capital(letter) {
        plain.push(capital);
        return Some(());
    }
    let written = transliterated(letter).then(|| deunicode_char(letter)).flatten()?;
    for part in written.chars().map(|part| if part == '`' { '\'' } else { part }) {
        if !is_gsm(part) {
            return None;
        }
        plain.push(part);
    }
    Some(())
}

/// Ligatures, full-width and other forms of what is in the alphabet or near it (Unicode: NFKD).
fn push_compatible(character: char, plain: &mut String) -> Option<()> {
    let before = plain.len();
    let (mut parts, mut read) = (0_u32, true);
    decompose_compatible(character, |part| {
        parts += 1;
        read = read && part != character && push_part(part, plain).is_some();
    });
    if !read || parts == 0 {
        plain.truncate(before);
        return None;
    }
    Some(())
}

/// A part is not decomposed again.
fn push_part(part: char, plain: &mut String) -> Option<()> {
    if is_gsm(part) {
        plain.push(part);
    } else if let Some(sign) = plain_sign(part) {
        plain.push_str(sign);
    } else if !vanishes(part) && !is_free_mark(part) {
        push_letter(part, plain)?;
    }
    Some(())
}

fn is_gsm(character: char) -> bool {
    septets(character.encode_utf8(&mut [0; 4]), Tables::default()).is_some()
}

/// Marks that stand on letters of any script, and those around whole characters, such as of keycaps.
fn is_free_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// The letter with those of its marks that the alphabet has: ế is é, ǻ is å, ő is o.
fn without_marks(character: char) -> char {
    let mut letter = None;
    decompose_canonical(character, |part| match letter {
        None => letter = Some(part),
        Some(_) if !is_combining_mark(part) => {}
        Some(base) => letter = compose(base, part).filter(|joined| is_gsm(*joined)).or(letter),
    });
    letter.unwrap_or(character)
}

/// Scripts for which a transliteration letter by letter reads as the same words.
const fn transliterated(letter: char) -> bool {
    let latin = matches!(letter, '\u{C0}'..='\u{24F}' | '\u{250}'..='\u{2AF}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{2C60}'..='\u{2C7F}' | '\u{A722}'..='\u{A787}');
    let cyrillic = matches!(letter, '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}');
    let armenian = matches!(letter, '\u{531}'..='\u{556}' | '\u{561}'..='\u{587}');
    let georgian =
        matches!(letter, '\u{10A0}'..='\u{10C5}' | '\u{10D0}'..='\u{10F0}' | '\u{1C90}'..='\u{1CB0}');
    (latin && !matches!(letter, '×' | '÷')) || cyrillic || armenian || georgian
}

/// The capital of a Greek letter, a Latin one where the two look the same, as phones show them in this alphabet.
pub(super) const fn greek_capital(letter: char) -> Option<char> {
    Some(match letter {
        'Α' | 'α' => 'A',
        'Β' | 'β' | 'ϐ' => 'B',
        'Γ' | 'γ' => 'Γ',
        'Δ' | 'δ' => 'Δ',
        'Ε' | 'ε' | 'ϵ' => 'E',
        'Ζ' | 'ζ' => 'Z',
        'Η' | 'η' => 'H',
        'Θ' | 'θ' | 'ϑ' | 'ϴ' => 'Θ',
        'Ι' | 'ι' => 'I',
        'Κ' | 'κ' | 'ϰ' => 'K',
        'Λ' | 'λ' => 'Λ',
        'Μ' | 'μ' => 'M',
        'Ν' | 'ν' => 'N',
        'Ξ' | 'ξ' => 'Ξ',
        'Ο' | 'ο' => 'O',
        'Π' | 'π' | 'ϖ' => 'Π',
        'Ρ' | 'ρ' | 'ϱ' => 'P',
        'Σ' | 'σ' | 'ς' => 'Σ',
        'Τ' | 'τ' => 'T',
        'Υ' | 'υ' => 'Y',
        'Φ' | 'φ' | 'ϕ' => 'Φ',
        'Χ' | 'χ' => 'X',
        'Ψ' | 'ψ' => 'Ψ',
        'Ω' | 'ω' => 'Ω',
        _ => return None,
    })
}

/// Signs, written as people write them who do not have them.
const fn plain_sign(character: char) -> Option<&'static str> {
    Some(match character {
        '\t' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => " ",
        '\u{B}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "\n",
        '`' | '´' | '‘' | '’' | '‚' | '‛' | '‹' | '›' | '′' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ˈ'
        | '՚' | '\u{374}' | '\u{384}' => "'",
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | 'ʺ' | '〃' | '〝' | '〞' | '¨' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' | '\u{AF}' | '﹣' | '⸺' | '⸻' | '֊' => {
            "-"
        }
        '…' => "...",
        '‥' => "..",
        '․' => ".",
        '•' | '‣' | '◦' | '∙' | '●' | '○' | '▪' | '▫' | '■' | '□' | '◆' | '◇' | '★' | '☆' | '⁎' | '∗' => {
            "*"
        }
        '·' | '・' | '⋅' => ".",
        '\u{37E}' => ";",
        '\u{387}' => ";",
        '⁄' | '∕' => "/",
        '∶' | '։' => ":",
        '¸' => ",",
        '¦' | '│' | '┃' => "|",
        '×' | '✕' | '✖' => "x",
        '÷' => "/",
        '±' => "+/-",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '≈' | '∼' | '˜' => "~",
        '←' => "<-",
        '→' | '➔' | '➜' => "->",
        '↔' => "<->",
        '⇒' => "=>",
        '©' => "(c)",
        '®' => "(r)",
        '™' => "TM",
        '℠' => "SM",
        '№' => "No",
        '°' | 'º' => "o",
        'ª' => "a",
        '¢' => "c",
        'µ' => "u",
        'ƒ' => "f",
        '₤' => "£",
        '₽' => "RUB",
        '₴' => "UAH",
        '₺' => "TL",
        '₹' => "Rs",
        '¼' => "1/4",
        '½' => "1/2",
        '¾' => "3/4",
        '‰' => "o/oo",
        '†' => "+",
        'ŋ' => "ng",
        'Ŋ' => "Ng",
        'ẞ' => "SS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_an_equal_reading_is_read() {
        for (text, plain) in [
            ("", ""),
            ("hello", "hello"),
            ("ñ é Ç Δ € [x] ^", "ñ é Ç Δ € [x] ^"),
            ("line\r\nline", "line\r\nline"),
            ("“quoted” ‘text’", "\"quoted\" 'text'"),
            ("„Zitat‟ «mot» ‹mot›", "\"Zitat\" \"mot\" 'mot'"),
            ("it’s", "it's"),
            ("`code`", "'code'"),
            ("a–b—c−d‑e", "a-b-c-d-e"),
            ("wait…", "wait..."),
            ("• one · two", "* one . two"),
            ("a\u{A0}b\u{2009}c\u{3000}d\te", "a b c d e"),
            ("one\u{2028}two", "one\ntwo"),
            ("ﬁne oﬃce", "fine office"),
            ("ＡＢＣ１２３！", "ABC123!"),
            ("𝐇𝐞𝐥𝐥𝐨", "Hello"),
            ("①②③ x²", "123 x2"),
            ("1\u{FE0F}\u{20E3}", "1"),
            ("½ + ¼", "1/2 + 1/4"),
            ("São João", "Sao Joao"),
            ("garçon façade", "garcon facade"),
            ("Ça va", "Ça va"),
            ("árvíztűrő tükörfúrógép", "arvizturo tükörfurogép"),
            ("Zażółć gęślą jaźń", "Zazolc gesla jazn"),
            ("Příliš žluťoučký kůň", "Prilis zlutoucky kun"),
            ("Łódź", "Lodz"),
            ("straße GROẞ", "straße GROSS"),
            ("ğüşıöç İ", "güsiöc I"),
            ("țară Ș", "tara S"),
            ("Đorđe", "Dorde"),
            ("Ħaż-Żabbar", "Haz-Zabbar"),
            ("þing Þór", "thing Thor"),
            ("œuvre Œuvre", "oeuvre OEuvre"),
            ("ĳs", "ijs"),
            ("Việt Nam tiếng", "Viet Nam tiéng"),
            ("Ǻ ǽ", "Å æ"),
            ("e\u{301} n\u{303} o\u{30B}", "é ñ o"),
            ("x\u{304}", "x"),
            ("zero\u{200B}width\u{AD}\u{FEFF}", "zerowidth"),
            ("\u{202A}left\u{202C}", "left"),
            ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
            ("ΓΔΘΛΞΠΣΦΨΩ", "ΓΔΘΛΞΠΣΦΨΩ"),
            ("καλημέρα", "KAΛHMEPA"),
            ("ΐ ΰ ς", "I Y Σ"),
            ("Ελλάδα;", "EΛΛAΔA;"),
            ("Привет, мир", "Privet, mir"),
            ("МОСКВА", "MOSKVA"),
            ("Щука", "Shchuka"),
            ("Ёлка", "Elka"),
            ("объект", "ob'ekt"),
            ("Київ", "Kiiv"),
            ("Љубав њој", "Ljubav njoj"),
            ("Հայաստան", "Hayastan"),
            ("საქართველო", "sak'art'velo"),
            ("5 €  10 £", "5 €  10 £"),
            ("20 °C", "20 oC"),
            ("10 µm", "10 um"),
            ("3 × 4 ÷ 2", "3 x 4 / 2"),
            ("± 5 ≤ 6 ≥ 4", "+/- 5 <= 6 >= 4"),
            ("© ® ™", "(c) (r) TM"),
            ("№ 5", "No 5"),
            ("a → b", "a -> b"),
            ("¿Qué? ¡Sí!", "¿Qué? ¡Si!"),
            ("1º 2ª", "1o 2a"),
            ("l·l", "l.l"),
            ("₤5 ¢9 ₽1", "£5 c9 RUB1"),
            ("㎏ ㏕", "kg mil"),
            ("…\u{2026}", "......"),
            ("Åse Ærø ö", "Åse Ærø ö"),
        ] {
            assert_eq!(to_gsm7_text(text).as_deref(), Some(plain), "{text}");
        }
    }

    #[test]
    fn what_has_no_equal_reading_is_not_read() {
        for text in [
            "漢字",
            "かな",
            "カナ",
            "ｶﾅ",
            "한국어",
            "مرحبا",
            "שלום",
            "ไทย",
            "नमस्ते",
            "😀",
            "👍🏽",
            "🇪🇸",
            "❤\u{FE0F}",
            "\0",
            "\u{7}",
            "\u{1B}",
            "\u{7F}",
            "\u{FFFD}",
            "\u{E000}",
            "good 😀",
            "∞",
            "𓀀",
            "ﷺ",
            "㍻",
        ] {
            assert_eq!(to_gsm7_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_character_becomes_gsm_or_nothing() {
        for character in ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E01FF}') {
            let text = character.to_string();
            let Some(plain) = to_gsm7_text(&text) else { continue };
            assert!(septets(&plain, Tables::default()).is_some(), "{character:?} became {plain:?}");
            assert!(plain.chars().count() <= 18, "{character:?} became {plain:?}");
            if is_gsm(character) {
                assert_eq!(plain, text);
            }
        }
    }

    proptest! {
        #[test]
        fn a_reading_is_gsm_and_its_own_reading(text in "[\\PC\u{C0}-\u{24F}\u{370}-\u{52F}\u{300}-\u{36F}]{0,40}") {
            if let Some(plain) = to_gsm7_text(&text) {
                prop_assert!(septets(&plain, Tables::default()).is_some());
                prop_assert_eq!(to_gsm7_text(&plain), Some(plain));
            }
        }
    }
}
