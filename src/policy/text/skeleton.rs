//! What a name looks like to a human: equal skeletons, names that are taken for each other.
//!
//! A source address does not say its alphabet, so it has a skeleton for each way in which a phone may come to read it.

use std::sync::LazyLock;

use smallvec::SmallVec;
use smpp_proto::text::gsm7;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_security::confusable_detection::skeleton as prototypes;

use super::invisible::vanishes;

/// What `name` looks like: without case, marks, blanks and punctuation, look-alikes of other alphabets (UTS #39
/// confusables) as Latin letters, digits and signs that pass for letters as these, `rn` as `m` and `vv` as `w`.
///
/// The skeleton of a skeleton is itself. It is only to be compared, not to be shown. It is empty for a name without
/// letters and digits.
#[must_use]
pub fn skeleton(name: &str) -> String {
    String::from_utf8_lossy(&outlined(name.chars())).into_owned()
}

fn outlined(characters: impl Iterator<Item = char>) -> Skeleton {
    let mut outline = Outline::new();
    for character in characters {
        match character {
            '!' => outline.push_exclamation(),
            _ => looks(character, |octets| outline.push(octets)),
        }
    }
    outline.finish()
}

/// A skeleton, in UTF-8.
pub(super) type Skeleton = SmallVec<[u8; 64]>;

/// The skeletons of a source address: its octets are ISO 8859-1, the GSM alphabet with its extension (3GPP TS 23.038
/// §6.2.1) or UTF-8, as its client and an operator agree without telling us. A reading that says the same as
/// ISO 8859-1 is left out, so nearly all addresses have one.
///
/// Does not allocate for addresses within the bounds of SMPP, but for those in UTF-8.
pub(super) fn skeletons_of(source: &[u8]) -> SmallVec<[Skeleton; 1]> {
    let mut all = SmallVec::from_buf([latin_1(source)]);
    // Octets that the GSM alphabet does not have stay as they are: half a name in it may be enough.
    if source.iter().any(|octet| octet.is_ascii() && !is_gsm_as_ascii(*octet)) {
        let runs = source.chunk_by(|one, next| one.is_ascii() == next.is_ascii());
        let characters = runs.flat_map(|run| {
            let septets = if run.is_ascii() { run } else { &[] };
            let octets = if run.is_ascii() { &[] } else { run };
            let octets = octets.iter().copied().map(char::from);
            gsm7::characters(septets, gsm7::Tables::default()).chain(octets)
        });
        all.push(outlined(characters));
    }
    if let Some(text) = utf8(source) {
        all.push(outlined(text.chars()));
    }
    all
}

/// Whether an octet of ASCII is the same character in the GSM alphabet.
const fn is_gsm_as_ascii(octet: u8) -> bool {
    matches!(octet, b'\n' | b'\r' | b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z')
}

/// What is UTF-8 and more than ASCII. A name that was cut may end within a character.
fn utf8(source: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(source) {
        Ok(text) => text,
        Err(fault) if fault.error_len().is_none() => {
            std::str::from_utf8(source.get(..fault.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    (!text.is_ascii()).then_some(text)
}

/// The skeleton of octets that are ISO 8859-1.
fn latin_1(source: &[u8]) -> Skeleton {
    let mut outline = Outline::new();
    for octet in source {
        match LOOKS.get(usize::from(*octet)) {
            Some(0) => {}
            Some(_) if *octet == b'!' => outline.push_exclamation(),
            Some(look) => outline.push_ascii(*look),
            None => looks(char::from(*octet), |octets| outline.push(octets)),
        }
    }
    outline.finish()
}

/// A skeleton as it grows.
struct Outline {
    octets: Skeleton,
    /// How many octets at the end come from exclamation marks.
    exclaimed: usize,
}

impl Outline {
    fn new() -> Self {
        Self { octets: SmallVec::new(), exclaimed: 0 }
    }

    fn push(&mut self, octets: &[u8]) {
        match octets {
            [one] => self.push_ascii(*one),
            _ if octets.is_ascii() => octets.iter().for_each(|octet| self.push_ascii(*octet)),
            _ => {
                self.octets.extend_from_slice(octets);
                self.exclaimed = 0;
            }
        }
    }

    /// It passes for a letter only where something follows.
    fn push_exclamation(&mut self) {
        self.octets.push(b'l');
        self.exclaimed += 1;
    }

    fn finish(mut self) -> Skeleton {
        self.octets.truncate(self.octets.len().saturating_sub(self.exclaimed));
        self.octets
    }

    /// Two letters that look like one become it.
    fn push_ascii(&mut self, octet: u8) {
        match (self.octets.last_mut(), octet) {
            (Some(last), b'n') if *last == b'r' => *last = b'm',
            (Some(last), b'v') if *last == b'v' => *last = b'w',
            _ => self.octets.push(octet),
        }
        self.exclaimed = 0;
    }
}

/// What a character looks like, in UTF-8; nothing for what is no letter, digit or sign that passes for one.
pub(super) fn looks(character: char, mut push: impl FnMut(&[u8])) {
    if let Some(look) = LOOKS.get(character as usize) {
        return if *look == 0 { push(&[]) } else { push(&[*look]) };
    }
    match (character as usize).checked_sub(NEAR_FROM).and_then(|place| NEAR.get(place)) {
        Some(known) => push(known),
        None => push(&looked_up(character)),
    }
}

/// The first character behind ASCII.
const NEAR_FROM: usize = 0x80;

/// Latin with marks, Greek, Cyrillic and Armenian, looked up once.
static NEAR: LazyLock<Vec<Look>> = LazyLock::new(|| ('\u{80}'..='\u{58F}').map(looked_up).collect());

type Look = SmallVec<[u8; 16]>;

fn looked_up(character: char) -> Look {
    let mut look = Look::new();
    decompose_compatible(character, |part| {
        if !is_combining_mark(part) && !vanishes(part) {
            push_part(part, &mut look);
        }
    });
    look
}

fn push_part(part: char, look: &mut Look) {
    if push_ascii_look(part, look) {
        return;
    }
    let small = lower(part);
    if small == 'ß' {
        return look.extend_from_slice(b"ss");
    }
    // A letter may look like a Latin one in one of its cases only: в, like B, not like anything small.
    for form in [part, small, upper(part), upper(small)] {
        let mut buffer = [0; 4];
        let before = look.len();
        let latin = prototypes(form.encode_utf8(&mut buffer))
            .filter(|part| !is_combining_mark(*part))
            .all(|prototype| push_ascii_look(prototype, look));
        if latin && look.len() > before {
            return;
        }
        look.truncate(before);
    }
    match lone_look(part).or_else(|| lone_look(small)) {
        Some(letter) => look.push(LOOKS[usize::from(letter)]),
        None if small.is_alphanumeric() => {
            let mut buffer = [0; 4];
            look.extend_from_slice(small.encode_utf8(&mut buffer).as_bytes());
        }
        None => {}
    }
}

/// Whether it was ASCII.
fn push_ascii_look(character: char, look: &mut Look) -> bool {
    let found = LOOKS.get(character as usize);
    look.extend(found.copied().filter(|found| *found != 0));
    found.is_some()
}

fn lower(character: char) -> char {
    only(character.to_lowercase()).unwrap_or(character)
}

fn upper(character: char) -> char {
    only(character.to_uppercase()).unwrap_or(character)
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.next().is_none())
}

/// What the confusables leave as they are: small capitals of the phonetic alphabet, signs, and the capitals of the GSM
/// alphabet that stand for Latin ones in names (Λ, Δ, Ξ, Φ, Θ), also where they are written small.
const fn lone_look(character: char) -> Option<u8> {
    Some(match character {
        'ᴀ' => b'a',
        'ʙ' => b'b',
        'ᴄ' => b'c',
        'ᴅ' => b'd',
        'ᴇ' => b'e',
        'ꜰ' => b'f',
        'ɢ' => b'g',
        'ʜ' => b'h',
        'ɪ' => b'i',
        'ᴊ' => b'j',
        'ᴋ' | 'ĸ' => b'k',
        'ʟ' => b'l',
        'ᴍ' | 'ʍ' => b'm',
        'ɴ' => b'n',
        'ᴏ' => b'o',
        'ᴘ' => b'p',
        'ʀ' => b'r',
        'ꜱ' => b's',
        'ᴛ' => b't',
        'ᴜ' => b'u',
        'ᴠ' => b'v',
        'ᴡ' => b'w',
        'ʏ' => b'y',
        'ᴢ' => b'z',
        '€' => b'e',
        '£' => b'l',
        '¢' => b'c',
        '¥' => b'y',
        'λ' | 'δ' => b'a',
        'ξ' => b'e',
        'φ' | 'θ' => b'o',
        _ => return None,
    })
}

/// What each character of ASCII looks like; 0 for what is left out.
pub(super) const LOOKS: [u8; 128] = {
    let mut looks = [0; 128];
    let mut octet = 0_u8;
    while octet < 128 {
        looks[octet as usize] = match octet {
            b'0' => b'o',
            b'1' | b'!' | b'|' | b'i' | b'I' => b'l',
            b'3' => b'e',
            b'4' | b'@' => b'a',
            b'5' | b'$' => b's',
            b'7' => b't',
            b'8' => b'b',
            b'9' => b'g',
            _ if octet.is_ascii_alphanumeric() => octet.to_ascii_lowercase(),
            _ => 0,
        };
        octet += 1;
    }
    looks
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (name, skeleton_by_hand) in [
            ("ACME Bank", "acmebank"),
            ("АСМЕ ВАNК", "acmebank"),
            ("асме ванк", "acmebahk"),
            ("A C M E-8ank", "acmebank"),
            ("acme_bank", "acmebank"),
            ("ＡＣＭＥ　ＢＡＮＫ", "acmebank"),
            ("𝐀𝐂𝐌𝐄 bank", "acmebank"),
            ("Ácmé Bänk", "acmebank"),
            ("acrne bank", "acmebank"),
            ("Ac\u{200B}me\u{AD}Bank", "acmebank"),
            ("ᴀᴄᴍᴇ", "acme"),
            ("PayPal", "paypal"),
            ("PAYPA1", "paypal"),
            ("PayPaI", "paypal"),
            ("Ρауρаl", "paypal"),
            ("$ant@nder", "santander"),
            ("5ANTAND3R", "santander"),
            ("vvells", "wells"),
            ("WELLS", "wells"),
            ("In5ta!!", "lnsta"),
            ("H! there", "hlthere"),
            ("Łódź", "lodz"),
            ("Straße", "strasse"),
            ("€uro", "euro"),
            ("ΛCMΞ δΦ", "acmeao"),
            ("Банк", "bahk"),
            ("株式会社", "株式会社"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(skeleton(name), skeleton_by_hand, "{name}");
        }
        assert_ne!(skeleton("ACME"), skeleton("ACNE"));
    }

    #[test]
    fn every_character_looks_like_what_it_looks_like() {
        let unstable: Vec<char> = ('\0'..='\u{2FFFF}')
            .filter(|character| {
                let look = skeleton(&character.to_string());
                skeleton(&look) != look
            })
            .collect();
        assert!(unstable.is_empty(), "{unstable:?}");
    }

    #[test]
    fn octets_are_read_as_latin_1() {
        assert_eq!(latin_1(b"Pe\xF1a 2")[..], *b"pena2");
        assert_eq!(latin_1(b"")[..], *b"");
        assert_eq!(latin_1(&[0xFF; 300]).len(), 300);
    }

    #[test]
    fn a_source_address_is_read_in_each_alphabet_that_says_something_else() {
        let read = |source: &[u8]| -> Vec<String> {
            let all = skeletons_of(source);
            all.iter().map(|skeleton| String::from_utf8_lossy(skeleton).into_owned()).collect()
        };
        assert_eq!(read(b"ACME 24-7"), ["acme2at"]);
        assert_eq!(read(b"ACM\x1F"), ["acm", "acme"]);
        assert_eq!(read(b"\x14C\x1BeME\x1B"), ["ceme", "aceme"]);
        assert_eq!(read(b"\x14CM\xC9"), ["cme", "acme"], "an octet that no septet is");
        assert_eq!(read("АСМЕ".as_bytes()).last().map(String::as_str), Some("acme"));
        assert_eq!(read(&"АСМЕ!".as_bytes()[..7]).last().map(String::as_str), Some("acm"), "cut");
        assert_eq!(read(b"ACM\xC9"), ["acme"], "no UTF-8");
        assert_eq!(read(b""), [""]);
    }

    proptest! {
        #[test]
        fn the_skeleton_of_a_skeleton_is_itself(name in "\\PC{0,24}") {
            let once = skeleton(&name);
            prop_assert_eq!(skeleton(&once), once);
        }

        #[test]
        fn octets_and_characters_have_one_skeleton(source in proptest::collection::vec(any::<u8>(), 0..24)) {
            let name: String = source.iter().copied().map(char::from).collect();
            let long = skeleton(&name);
            prop_assert_eq!(&latin_1(&source)[..], long.as_bytes());
            prop_assert!(skeletons_of(&source).len() <= 3);
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(name in "[ \"-~]{0,24}") {
            let mut outline = Outline::new();
            for character in name.chars() {
                outline.push(&looked_up(character));
            }
            let short = latin_1(name.as_bytes());
            prop_assert_eq!(&short[..], &outline.octets[..]);
        }
    }
}
