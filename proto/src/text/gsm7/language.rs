//! The national languages that have tables of their own (3GPP TS 23.038 §6.2.1.2.4), and sets of them.

/// A language with a single shift table; all but Spanish have a locking shift table too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "a language is its name")]
#[repr(u8)]
pub enum Language {
    Turkish = 1,
    Spanish = 2,
    Portuguese = 3,
    Bengali = 4,
    Gujarati = 5,
    Hindi = 6,
    Kannada = 7,
    Malayalam = 8,
    Oriya = 9,
    Punjabi = 10,
    Tamil = 11,
    Telugu = 12,
    Urdu = 13,
}

impl Language {
    /// Every language with the code that ISO 639-1 gives it, in the order of their numbers.
    pub const ALL: [(Language, &'static str); 13] = [
        (Language::Turkish, "tr"),
        (Language::Spanish, "es"),
        (Language::Portuguese, "pt"),
        (Language::Bengali, "bn"),
        (Language::Gujarati, "gu"),
        (Language::Hindi, "hi"),
        (Language::Kannada, "kn"),
        (Language::Malayalam, "ml"),
        (Language::Oriya, "or"),
        (Language::Punjabi, "pa"),
        (Language::Tamil, "ta"),
        (Language::Telugu, "te"),
        (Language::Urdu, "ur"),
    ];

    /// The national language identifier: 1 to 13 (3GPP TS 23.038 §6.2.1.2.4).
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether the language has a locking shift table (3GPP TS 23.038 §A.3).
    #[must_use]
    pub const fn has_locking(self) -> bool {
        !matches!(self, Language::Spanish)
    }
}

/// A set of languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Languages(u16);

impl Languages {
    /// No language.
    pub const NONE: Languages = Languages(0);

    /// The set with bit `n` for language `n`; bits of no language are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Languages {
        Languages(bits & 0x3FFE)
    }

    /// Bit `n` for language `n`.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `language` is in the set.
    #[must_use]
    pub const fn contains(self, language: Language) -> bool {
        self.0 & (1 << language.number()) != 0
    }

    /// The languages that are in both sets.
    #[must_use]
    pub const fn and(self, other: Languages) -> Languages {
        Languages(self.0 & other.0)
    }

    /// The languages in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Language> + Clone {
        Language::ALL
            .into_iter()
            .map(|(language, _)| language)
            .filter(move |&language| self.contains(language))
    }
}

impl FromIterator<Language> for Languages {
    fn from_iter<I: IntoIterator<Item = Language>>(languages: I) -> Languages {
        Languages(languages.into_iter().fold(0, |bits, language| bits | 1 << language.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: Languages = [Language::Urdu, Language::Turkish].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Language::Turkish, Language::Urdu]);
        assert_eq!(set.bits(), 0b10_0000_0000_0010);
        assert_eq!(Languages::from_bits(0xFFFF).iter().count(), 13);
        assert_eq!(
            set.and([Language::Urdu].into_iter().collect()).iter().collect::<Vec<_>>(),
            [Language::Urdu]
        );
        assert!(Languages::NONE.is_empty() && !set.contains(Language::Spanish));
    }
}
